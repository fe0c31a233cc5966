"""Which programs hold memory: processes grouped by application, each by the name that people know it by."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from snug.core.machine import Holder
from snug.core.machine_words import OWN_NAME
from snug.system.environment import Environment, NotReadable
from snug.system.figures import text, whole
from snug.system.program_names import application_name, program_name, starts_helpers
from snug.system.reading import Reading

SOURCE = "the system's list of processes"
LEAST_BYTES = 100_000_000
MOST_HOLDERS = 8
ZFS_CACHE = "The file cache of ZFS"
_MOST_PARENTS = 32

# How desktops name the control group of an application (systemd.io/DESKTOP_ENVIRONMENTS), and snapd its own.
_GROUPS = (
    re.compile(r"/app-(?:[a-z]+-)?(?P<id>[^/]+?)(?:@[^/]*|-[0-9a-f]{4,32}|-\d+)?\.(?:scope|service)(?:/|$)"),
    re.compile(r"/snap\.(?P<id>[^./]+)\.[^/]*\.(?:scope|service)(?:/|$)"),
)
_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")


def read(environment: Environment) -> Reading:
    """The programs that hold the most main memory now, or why there is nothing to say."""
    try:
        processes = environment.processes()
    except NotReadable as reason:
        return Reading(unread={"memory_holders": str(reason)})
    try:
        cache = parse_zfs(environment.text("/proc/spl/kstat/zfs/arcstats"))
    except NotReadable:
        cache = 0
    holders = parse(processes, cache)
    return Reading(memory_holders=holders, sources={"memory_holders": SOURCE} if holders else {})


def parse(processes: Sequence[Any], zfs_cache: int = 0) -> tuple[Holder, ...]:
    """The largest holders out of one mapping a process (see `process_list.ask_processes`), the largest first."""
    known = {whole(process.get("pid")): process for process in processes if isinstance(process, Mapping)}
    held: dict[str, int] = {ZFS_CACHE: zfs_cache}
    for process in known.values():
        name = _application(process, known)
        if name:
            held[name] = held.get(name, 0) + whole(process.get("held"))
    found = [Holder(name, size) for name, size in held.items() if size >= LEAST_BYTES]
    return tuple(sorted(found, key=lambda holder: (-holder.size_bytes, holder.name))[:MOST_HOLDERS])


def parse_zfs(statistics: str) -> int:
    """Bytes that ZFS' cache holds beyond the least that it keeps; Linux does not count it as free."""
    figures = dict(re.findall(r"^(size|c_min)\s+\d+\s+(\d{1,18})\s*$", statistics, re.MULTILINE | re.ASCII))
    return max(0, whole(figures.get("size", "")) - whole(figures.get("c_min", "")))


def _application(process: Mapping[str, Any], known: Mapping[int, Mapping[str, Any]]) -> str:
    """The application that a process is part of: its group's, else its own or the one that started it as a helper."""
    if process.get("is_own") is True:
        return OWN_NAME
    group = _of_group(process.get("group"))
    if group:
        return group
    own = text(process.get("name"), 60)
    above = process
    for _ in range(_MOST_PARENTS):
        if starts_helpers(text(above.get("name"), 60)):
            return program_name(text(above.get("name"), 60))
        parent = known.get(whole(above.get("parent")))
        if parent is None or parent is above or whole(parent.get("pid")) <= 1:
            break
        above = parent
    return program_name(own)


def _of_group(group: Any) -> str:
    if not isinstance(group, str):
        return ""
    plain = _ESCAPED.sub(lambda match: chr(int(match.group(1), 16)), group)
    for pattern in _GROUPS:
        match = pattern.search(plain)
        if match:
            return application_name(text(match.group("id"), 100))
    return ""
