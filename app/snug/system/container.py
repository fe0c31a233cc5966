"""What a container or control group lets this process use: the smallest limit on the way up, and what is left of it."""

from __future__ import annotations

from dataclasses import dataclass

from snug.system.environment import Environment, NotReadable
from snug.system.figures import whole
from snug.system.reading import ContainerLimit, Reading

# Version 1 writes "no limit" as the largest page-aligned number of 63 bits.
UNLIMITED_BYTES = 2**60
MOST_LEVELS = 32


@dataclass(frozen=True, slots=True)
class Group:
    """A mounted hierarchy: version, folders from this process's group up to the mount."""

    version: int
    folders: tuple[str, ...]


def read(environment: Environment) -> Reading:
    """The limits of all groups that this process is in; an empty reading where there are none."""
    if environment.system != "linux":
        return Reading()
    try:
        membership = environment.text("/proc/self/cgroup")
        mounts = environment.text("/proc/self/mountinfo")
    except NotReadable as reason:
        return Reading(unread={"memory.limit": f"a container's limit cannot be seen: {reason}"})
    memory = [_memory_limit(environment, group) for group in parse(membership, mounts, "memory")]
    processors = [_processor_limit(environment, group) for group in parse(membership, mounts, "cpu")]
    limits = [limit for limit in memory if limit is not None]
    shares = [share for share in processors if share is not None]
    tightest = min(limits, default=None)
    limit = ContainerLimit(
        memory=tightest[0] if tightest else None,
        memory_free=min((free for _, free, _ in limits), default=None),
        processors=min(shares, default=None),
    )
    sources = {}
    if tightest:
        sources["memory.limit"] = tightest[2]
    if shares:
        sources["cpu.limit"] = "control group processor quota"
    return Reading(limit=limit, sources=sources)


def parse(membership: str, mounts: str, controller: str) -> tuple[Group, ...]:
    """The groups of `controller` from /proc/self/cgroup and /proc/self/mountinfo, innermost folder first.

    Both versions may be mounted at once (hybrid); each gives one group.
    """
    paths = _group_paths(membership)
    groups = []
    for root, mount, kind, options in _mounts(mounts):
        if kind == "cgroup2" and "" in paths:
            groups.append(Group(2, _folders(mount, root, paths[""])))
        elif kind == "cgroup" and controller in options and controller in paths:
            groups.append(Group(1, _folders(mount, root, paths[controller])))
    return tuple(groups)


def parse_memory(version: int, limit: str, usage: str, statistics: str) -> tuple[int, int] | None:
    """(limit, still free) in bytes from one group's files, None where it sets no limit.

    Cached file pages that the kernel can drop at once count as free, as MemAvailable does.
    """
    bound = whole(limit)
    if limit.strip() == "max" or not limit.strip().isdigit() or bound == 0 or bound >= UNLIMITED_BYTES:
        return None
    name = "inactive_file" if version == 2 else "total_inactive_file"
    droppable = 0
    for line in statistics.splitlines():
        words = line.split()
        if len(words) == 2 and words[0] == name:
            droppable = whole(words[1])
    used = max(0, whole(usage) - droppable)
    return bound, max(0, bound - used)


def parse_processors(quota: str, period: str) -> float | None:
    """Processors' worth of time from a quota and its period in microseconds; None where there is no quota."""
    allowed, every = whole(quota), whole(period)
    return allowed / every if allowed and every else None


def _group_paths(membership: str) -> dict[str, str]:
    """Controller name to group path; the name "" is version 2's."""
    paths: dict[str, str] = {}
    for line in membership.splitlines():
        parts = line.split(":", 2)
        if len(parts) == 3 and parts[2].startswith("/"):
            for name in parts[1].split(","):
                paths.setdefault(name, parts[2])
    return paths


def _mounts(mounts: str) -> list[tuple[str, str, str, list[str]]]:
    """(root within the hierarchy, mount point, type, super options) of each control-group mount."""
    found = []
    for line in mounts.splitlines():
        before, separator, after = line.partition(" - ")
        left, right = before.split(" "), after.split(" ")
        if separator and len(left) >= 5 and len(right) >= 3 and right[0] in ("cgroup", "cgroup2"):
            found.append((left[3], left[4], right[0], right[2].split(",")))
    return found


def _folders(mount: str, root: str, path: str) -> tuple[str, ...]:
    """The group's folder below `mount` and all its parents up to the mount.

    In a container the mount shows only a part of the hierarchy (`root`), or the path lies outside of what is
    mounted ("/../…"); then the mount itself is the group.
    """
    if root != "/" and (path == root or path.startswith(root + "/")):
        path = path[len(root) :]
    elif root != "/" or ".." in path.split("/"):
        path = ""
    parts = [part for part in path.split("/") if part][:MOST_LEVELS]
    return tuple("/".join([mount, *parts[:count]]) for count in range(len(parts), -1, -1))


def _memory_limit(environment: Environment, group: Group) -> tuple[int, int, str] | None:
    """The smallest limit, the least that is free, and the file of that limit."""
    names = (
        ("memory.max", "memory.current", "memory.stat")
        if group.version == 2
        else ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat")
    )
    found = []
    for folder in group.folders:
        limit, usage, statistics = (_text(environment, f"{folder}/{name}") for name in names)
        bounds = parse_memory(group.version, limit, usage, statistics)
        if bounds:
            found.append((*bounds, f"{folder}/{names[0]}"))
    if not found:
        return None
    tightest = min(found)
    return tightest[0], min(free for _, free, _ in found), tightest[2]


def _processor_limit(environment: Environment, group: Group) -> float | None:
    shares = []
    for folder in group.folders:
        if group.version == 2:
            words = [*_text(environment, f"{folder}/cpu.max").split(), "", ""][:2]
        else:
            words = [_text(environment, f"{folder}/cpu.cfs_{name}_us") for name in ("quota", "period")]
        shares.append(parse_processors(*words))
    return min((share for share in shares if share), default=None)


def _text(environment: Environment, path: str) -> str:
    try:
        return environment.text(path)
    except NotReadable:
        return ""
