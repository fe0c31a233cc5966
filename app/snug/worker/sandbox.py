"""Shuts the engine's child in on Linux: it may read its model and the system, write nothing, connect nowhere.

Landlock (kernel 5.13 and later) needs no rights to use. It binds the calling thread and every thread that is
started later, so the engine's own; it can never be loosened again. On other systems nothing happens.
Facts: https://docs.kernel.org/userspace-api/landlock.html
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_RULE_PATH_BENEATH = 1
_VERSION_FLAG = 1
_PR_SET_NO_NEW_PRIVS = 38

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_IOCTL_DEVICE = 1 << 15
_FILE_RIGHTS_BY_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_TCP_RIGHTS = 0b11  # bind and connect, from version 4
_SCOPES = 0b11  # abstract sockets and signals of others, from version 6

_FOR_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | (1 << 14) | _IOCTL_DEVICE
_SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/etc", "/opt", "/proc", "/sys", "/nix/store", "/run/opengl-driver")
_DEVICES = "/dev"
_NAME_SERVICES = ("/run/systemd/resolve", "/run/nscd", "/run/resolvconf", "/run/NetworkManager")


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("descriptor", ctypes.c_int32))


@dataclass(frozen=True, slots=True)
class SandboxState:
    """Whether the child is shut in, and in words what that means."""

    is_on: bool
    words: str


def landlock_version() -> int:
    """The kernel's Landlock version, 0 where there is none."""
    if sys.platform != "linux":
        return 0
    return max(0, int(_system_call(_CREATE_RULESET, None, 0, _VERSION_FLAG)))


def restrict(
    model_folders: Iterable[Path],
    *,
    gpu_caches: bool = False,
    writable: Sequence[Path] = (),
    network: bool = False,
) -> SandboxState:
    """Shut this thread and all later ones in; `model_folders` stay readable, `writable` folders may be written, and
    with `network` connections may be made. Never raises.
    """
    if os.environ.get("SNUG_NO_SANDBOX") == "1":
        return SandboxState(False, "switched off by SNUG_NO_SANDBOX")
    version = landlock_version()
    if version == 0:
        return SandboxState(False, "this system has no Landlock")
    rights = _file_rights(version)
    read = _READ_FILE | _READ_DIR | _EXECUTE
    rules = [(folder, read) for folder in (*map(Path, _SYSTEM), *python_folders(), *model_folders)]
    rules.append((Path(_DEVICES), (read | _WRITE_FILE | _IOCTL_DEVICE) & rights))
    rules += [(folder, rights) for folder in writable]
    if network:
        rules += [(Path(place), read) for place in _NAME_SERVICES]
    if gpu_caches:
        rules += [(folder, rights) for folder in _gpu_cache_folders()]
    try:
        _apply(version, rights, rules, network)
    except OSError as error:
        return SandboxState(False, f"the kernel refused it ({error.strerror})")
    where = "only its own folder" if writable else "nothing"
    alone = " and make no connection" if version >= 4 and not network else ""
    return SandboxState(True, f"the engine can read only its model and the system, write {where}{alone}")


def python_folders() -> list[Path]:
    """Where Python, Snug and its libraries are: modules are imported when they are needed."""
    places = [sys.prefix, sys.base_prefix, str(Path(__file__).parents[2]), *sys.path]
    return [Path(place) for place in dict.fromkeys(places) if place and Path(place).exists()]


def _gpu_cache_folders() -> list[Path]:
    """Where graphics drivers keep compiled programs; without them each load compiles again."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    places = (cache / "mesa_shader_cache", cache / "mesa_shader_cache_db", cache / "nvidia", Path.home() / ".nv")
    return [place for place in places if place.is_dir()]


def _file_rights(version: int) -> int:
    return _FILE_RIGHTS_BY_VERSION[max(known for known in _FILE_RIGHTS_BY_VERSION if known <= version)]


def _apply(version: int, rights: int, rules: Iterable[tuple[Path, int]], network: bool) -> None:
    ruleset = _Ruleset(rights, _TCP_RIGHTS if version >= 4 and not network else 0, _SCOPES if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    descriptor = _checked(_system_call(_CREATE_RULESET, ctypes.byref(ruleset), size, 0))
    try:
        for path, allowed in rules:
            _add(descriptor, path, allowed)
        library = ctypes.CDLL(None, use_errno=True)
        _checked(library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _checked(_system_call(_RESTRICT_SELF, descriptor, 0))
    finally:
        os.close(descriptor)


def _add(ruleset: int, path: Path, allowed: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # a folder that this system does not have
        return
    try:
        rights = allowed if path.is_dir() else allowed & _FOR_FILES
        rule = _PathRule(rights, place)
        _checked(_system_call(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0))
    finally:
        os.close(place)


def _system_call(number: int, *arguments: object) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    return int(library.syscall(ctypes.c_long(number), *arguments))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
