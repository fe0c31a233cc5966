"""Asks the system which processes hold memory: the figures of each, within a quarter of a second."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import psutil

LONGEST_S = 0.25
"""All of it: what is not read by then is left as the quick figures have it."""
MOST_LOOKED_AT = 48
_SNUG_COMMANDS = ("-m snug ", "-m snug.", "-P -m snug.")


def ask_processes() -> list[dict[str, Any]]:
    """One mapping a process: pid, parent, name, held (bytes), and of the largest also group and is_own.

    `held` is what would come back if it ended: on Linux anonymous and shared memory in proportion (smaps_rollup), or
    resident less shared where that may not be read, so that pages of files, which the kernel can drop, do not count.
    Elsewhere it is the resident size, on Windows no more than the private one.
    """
    until = time.monotonic() + LONGEST_S
    found = list(_quick(until))
    found.sort(key=lambda process: -int(process["held"]))
    own = own_processes(found)
    for process in found[:MOST_LOOKED_AT]:
        if time.monotonic() > until:
            break
        _look_closer(process)
    for process in found:
        command = process.pop("command", "")
        process["is_own"] = process["pid"] in own or command.startswith(_SNUG_COMMANDS)
    return found


def is_snugs(pid: int) -> bool:
    """Whether that process is one of Snug's; False where the system does not say."""
    try:
        return (" ".join(psutil.Process(pid).cmdline()[1:]) + " ").startswith(_SNUG_COMMANDS)
    except (psutil.Error, OSError, ValueError):
        return False


def ask_programs(pids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The name and is_own of each of these processes; those that have ended are left out."""
    found: dict[int, dict[str, Any]] = {}
    for pid in pids:
        try:
            found[pid] = {"name": psutil.Process(pid).name(), "is_own": is_snugs(pid)}
        except (psutil.AccessDenied, OSError):
            found[pid] = {"name": "", "is_own": False}
        except (psutil.Error, ValueError):
            continue
    return found


def own_processes(found: list[dict[str, Any]]) -> set[int]:
    """This process, the one that started it, and everything that either of them started."""
    own = {os.getpid(), os.getppid()} - {0, 1}
    children: dict[int, list[int]] = {}
    for process in found:
        children.setdefault(process["parent"], []).append(process["pid"])
    waiting = list(own)
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in own:
                own.add(child)
                waiting.append(child)
    return own


def _quick(until: float) -> Iterator[dict[str, Any]]:
    for process in psutil.process_iter():
        if time.monotonic() > until:
            return
        try:
            with process.oneshot():
                memory = process.memory_info()
                yield {
                    "pid": process.pid,
                    "parent": process.ppid() or 0,
                    "name": process.name(),
                    "held": _held(memory),
                }
        except (psutil.Error, OSError):
            continue


def _held(memory: Any) -> int:
    if sys.platform == "linux":
        return max(0, int(memory.rss) - int(memory.shared))
    return min(int(memory.rss), int(getattr(memory, "private", memory.rss)))


def _look_closer(process: dict[str, Any]) -> None:
    """Linux' better figure, the process's control group, and the command of a Python process."""
    if process["name"].startswith("python"):
        try:
            process["command"] = " ".join(psutil.Process(process["pid"]).cmdline()[1:]) + " "
        except (psutil.Error, OSError):
            return
    if sys.platform != "linux":
        return
    folder = f"/proc/{process['pid']}"
    try:
        with open(f"{folder}/cgroup", encoding="utf-8", errors="replace") as file:
            process["group"] = file.readline(4096).strip().rpartition(":")[2]
        with open(f"{folder}/smaps_rollup", encoding="ascii", errors="replace") as file:
            process["held"] = held_of_rollup(file.read(8192)) or process["held"]
    except OSError:
        return


def held_of_rollup(rollup: str) -> int:
    """Bytes of Pss_Anon and Pss_Shmem in Linux' smaps_rollup; 0 where an older kernel does not tell them apart."""
    total = 0
    for line in rollup.splitlines():
        words = line.split()
        if len(words) == 3 and words[0] in ("Pss_Anon:", "Pss_Shmem:") and words[1].isdigit():
            total += int(words[1]) * 1024
    return total
