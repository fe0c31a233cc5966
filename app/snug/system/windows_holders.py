"""Who holds a card's own memory on Windows, of every maker's: the counters behind the Task Manager's figures.

They are there since Windows 10 1709 (https://devblogs.microsoft.com/directx/gpus-in-the-task-manager/). The classes
and the names of their instances, as Windows itself describes them: https://github.com/microsoft/wmi
(server2019/root/cimv2) and https://github.com/prometheus-community/windows_exporter (docs/collector.gpu.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from snug.system import windows_cim
from snug.system.card_holders import CardUse, largest, program_of
from snug.system.environment import Environment, NotReadable
from snug.system.figures import text, whole

SOURCE = "Windows (GPU performance counters)"

_LUID = r"luid_(?P<luid>0x[0-9a-f]{8}_0x[0-9a-f]{8})_phys_\d"
_CARD = re.compile(_LUID, re.IGNORECASE | re.ASCII)
_PROCESS = re.compile(r"pid_(?P<pid>\d{1,10})_" + _LUID, re.IGNORECASE | re.ASCII)


def read(environment: Environment, sizes: Mapping[str, int]) -> dict[str, CardUse]:
    """The use of each card by its LUID, out of the own memory of each; empty where Windows does not count it."""
    try:
        held = parse_processes(windows_cim.rows(environment, windows_cim.PROCESSES), sizes)
        in_use = parse_cards(windows_cim.rows(environment, windows_cim.CARDS), sizes)
        programs = environment.programs(sorted({pid for _, pid in held})) if held else {}
    except NotReadable:
        return {}
    return uses(in_use, held, programs)


def uses(
    in_use: Mapping[str, int], held: Mapping[tuple[str, int], int], programs: Mapping[int, Mapping[str, Any]]
) -> dict[str, CardUse]:
    """The use of each card, and who holds it by `programs`, where a process that has ended meanwhile is missing.

    What processes hold is not added up: surfaces that several share are counted with each.
    """
    named = [(luid, program_of(programs[pid]), size) for (luid, pid), size in held.items() if pid in programs]
    return {
        luid: CardUse(in_use.get(luid, 0), largest((name, size) for card, name, size in named if card == luid))
        for luid in {*in_use, *(luid for luid, _, _ in named)}
    }


def parse_cards(rows: Sequence[Any], sizes: Mapping[str, int]) -> dict[str, int]:
    """Bytes of each card's memory that are in use, by its LUID."""
    held: dict[str, int] = {}
    for row in rows:
        match = _CARD.match(text(row.get("Name")))
        if match:
            luid = match["luid"].lower()
            held[luid] = held.get(luid, 0) + whole(row.get("DedicatedUsage"))
    return {luid: size for luid, size in held.items() if 0 < size <= sizes.get(luid, 0)}


def parse_processes(rows: Sequence[Any], sizes: Mapping[str, int]) -> dict[tuple[str, int], int]:
    """Bytes of each card's memory that each process holds, by the card's LUID and the process's number.

    Of a process "local" is what lies in the card's memory. What Windows calls "dedicated" there is what it has
    promised, which can be far more (14 GB of a desktop's 0.3 GB: https://github.com/winsiderss/systeminformer,
    issue 2389 and pull request 2971). After a sleep the counters may run away (issue 2073 there): what is larger than
    the card is left out.
    """
    held: dict[tuple[str, int], int] = {}
    for row in rows:
        match = _PROCESS.match(text(row.get("Name")))
        if match:
            known = match["luid"].lower(), int(match["pid"])
            held[known] = held.get(known, 0) + whole(row.get("LocalUsage"))
    return {known: size for known, size in held.items() if 0 < size <= sizes.get(known[0], 0)}
