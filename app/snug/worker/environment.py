"""How a child is started: its command line, its clean environment, its log file."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from snug.core.errors import UserError

CHILD_ARGUMENT = "--child-process"
"""What a bundled Snug is started with to be a child instead of the app."""

LOGS_KEPT = 30

_ALLOWED = {
    "PATH", "HOME", "USER", "LOGNAME", "USERNAME", "USERPROFILE", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP",
    "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA",
    "PROGRAMFILES", "NUMBER_OF_PROCESSORS", "LD_LIBRARY_PATH", "PYTHONPATH", "XDG_DATA_HOME", "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY",
    "NO_PROXY", "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HF_HOME", "HF_HUB_CACHE",
    "HUGGINGFACE_HUB_CACHE", "LLAMA_CACHE", "OLLAMA_MODELS",
}  # fmt: skip
_ALLOWED_PREFIXES = ("LC_", "SNUG_", "GGML_", "OMP_", "VK_", "DYLD_")

KEYRING_VARIABLES = ("DBUS_SESSION_BUS_ADDRESS", "PYTHON_KEYRING_BACKEND")
"""How a keyring is reached; only the child that asks it gets them."""

_FIXED = {
    "GGML_NO_BACKTRACE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "PYTHONUTF8": "1",
}


def child_command() -> list[str]:
    """The program and arguments that start a child of this very Snug."""
    if getattr(sys, "frozen", False):
        return [sys.executable, CHILD_ARGUMENT]
    return [sys.executable, "-P", "-m", "snug.worker"]  # -P: nothing is imported from the current folder


def child_environment(current: Mapping[str, str] | None = None, also: Collection[str] = ()) -> dict[str, str]:
    """The variables that a child gets: an allow-list of `current` (this process's), no tokens, no secrets.

    `also` names further ones, for a child that needs more than others: `KEYRING_VARIABLES`.
    """
    source = os.environ if current is None else current
    kept = {name: value for name, value in source.items() if _is_allowed(name.upper()) or name in also}
    return kept | _FIXED


def _is_allowed(name: str) -> bool:
    if any(word in name for word in ("TOKEN", "SECRET", "PASSWORD", "API_KEY")):
        return False
    return name in _ALLOWED or name.startswith(_ALLOWED_PREFIXES)


def new_child_log(folder: Path) -> Path:
    """A new empty file for a child's stderr in `folder`; the oldest are removed so that `LOGS_KEPT` stay.

    Raises UserError where the folder cannot be written.
    """
    import tempfile  # slow to load, and the window's first frame waits for this module

    try:
        folder.mkdir(parents=True, exist_ok=True)
        older = sorted(folder.glob("child-*.log"), key=_modified)
        for path in older[: max(0, len(older) - LOGS_KEPT + 1)]:
            path.unlink(missing_ok=True)
        descriptor, name = tempfile.mkstemp(prefix="child-", suffix=".log", dir=folder)
    except OSError as error:
        raise UserError(
            f"Snug cannot write in its folder {folder.parent}.",
            "Allow writing there, make room on its disk, or choose another folder with the environment variable "
            "SNUG_HOME.",
            kind="folder-not-writable",
            details=str(error),
        ) from error
    os.close(descriptor)
    return Path(name)


def last_words(log: Path, limit: int = 8000) -> str:
    """The end of a child's log: what native code said before it died."""
    try:
        with log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - limit))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
