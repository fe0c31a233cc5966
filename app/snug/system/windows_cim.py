"""All that Snug asks Windows' management classes (CIM), in one PowerShell: its start costs more than its questions.

Names of classes and of their properties are the same in every language of Windows.
"""

from __future__ import annotations

import json
from typing import Any

from snug.system.environment import Environment, Unfinished

MODULES = "Win32_PhysicalMemory"
CARDS = "Win32_PerfRawData_GPUPerformanceCounters_GPUAdapterMemory"
PROCESSES = "Win32_PerfRawData_GPUPerformanceCounters_GPUProcessMemory"
CLASSES = (MODULES, CARDS, PROCESSES)
TIMEOUT_S = 6.0
_BEGIN_COUNTERS_WITHIN_S = 3


def _counters(name: str, figure: str) -> str:
    """The question for one class of counters, unless the time is needed for the answer that is there already.

    These are gauges, so that the raw class holds the same figures as the formatted one, which is slower
    (https://github.com/opserver/Opserver/issues/202).
    """
    return (
        f"'{name}'; if (((Get-Date) - $s).TotalSeconds -lt {_BEGIN_COUNTERS_WITHIN_S}) {{ "
        f"Get-CimInstance {name} -Property Name,{figure} -OperationTimeoutSec 2 | "
        f"Where-Object {figure} -ge 1MB | Select-Object Name,{figure} | ConvertTo-Json -Compress }}"
    )


COMMAND = (
    "powershell", "-NoProfile", "-NonInteractive", "-Command",
    "; ".join((
        "$ErrorActionPreference = 'SilentlyContinue'",
        "$s = (Get-Process -Id $PID).StartTime",
        f"'{MODULES}'",
        f"Get-CimInstance {MODULES} | Select-Object BankLabel,DeviceLocator,Capacity,DataWidth,Speed,"
        "ConfiguredClockSpeed,SMBIOSMemoryType | ConvertTo-Json -Compress",
        _counters(CARDS, "DedicatedUsage"),
        _counters(PROCESSES, "LocalUsage"),
    )),
)  # fmt: skip


def rows(environment: Environment, name: str) -> list[dict[str, Any]]:
    """The instances of one of `CLASSES`; none where Windows has no such class or refuses. Raises NotReadable.

    What was said before the time was up counts.
    """
    try:
        output = environment.output_once(COMMAND, TIMEOUT_S)
    except Unfinished as stopped:
        if not stopped.printed:
            raise
        output = stopped.printed
    return parse(output)[name]


def parse(output: str) -> dict[str, list[dict[str, Any]]]:
    """The instances of each class: after the line with its name a list, an object where there is just one, or nothing
    (https://learn.microsoft.com/powershell/module/microsoft.powershell.utility/convertto-json)."""
    texts: dict[str, list[str]] = {name: [] for name in CLASSES}
    current: list[str] = []
    for line in output.splitlines():
        words = line.strip(" \ufeff")
        if words in texts:
            current = texts[words] = []
        else:
            current.append(words)
    return {name: _instances("".join(lines)) for name, lines in texts.items()}


def _instances(words: str) -> list[dict[str, Any]]:
    try:
        found: Any = json.loads(words)
    except (ValueError, RecursionError):
        return []
    found = [found] if isinstance(found, dict) else found
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
