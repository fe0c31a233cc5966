"""Why a child died, in words: exit code or signal, its last lines, and the memory it met."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass

from snug.core.errors import UserError

PROTOCOL_FAULT = 76
TEMPLATE_STUCK = 77
_GIGABYTE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class MemoryFacts:
    """Bytes: what the computer had available when the child started, and what the child was expected to need."""

    available: int = 0
    needed: int = 0


@dataclass(frozen=True, slots=True)
class ChildDeath:
    """What happened and what to do, for a person. `kind` is stable; `details` is technical text for the log."""

    cause: str
    advice: str
    kind: str
    details: str = ""

    def as_error(self) -> UserError:
        """The same as an error that can be raised."""
        return UserError(self.cause, self.advice, kind=self.kind, details=self.details)


_TOO_LITTLE_MEMORY = (
    "The computer ran out of memory for this model.",
    "Choose a shorter conversation memory or a more compact file of the model, or close other programs.",
    "no-memory",
)
_FILE_WENT_AWAY = (
    "The model's file changed, or its drive went away, while it was in use.",
    "Connect the drive again, or check the file in the Library.",
    "file-gone",
)
_WRONG_PROCESSOR = (
    "This computer's processor is not supported by this build of the engine.",
    "Run `snug doctor`; building the engine on this computer usually mends it.",
    "wrong-processor",
)
_NOT_LOADABLE = (
    "The engine gave up on this model: its file is damaged, or this version cannot run it.",
    "Check the file in the Library, or get another file of this model.",
    "engine-abort",
)
_CRASHED = (
    "The engine crashed.",
    "Try again. If it happens again with this model, run `snug doctor` or choose another file of it.",
    "engine-crash",
)
_GPU_LOST = (
    "The graphics card stopped answering.",
    "Load the model again; if it happens again, use the processor instead.",
    "gpu-lost",
)
_GPU_FULL = (
    "The graphics card has too little free memory for this model.",
    "Put fewer layers on the graphics card, or close programs that use it.",
    "gpu-memory",
)
_PROTOCOL = (
    "A part of Snug sent something that cannot be understood.",
    "It was stopped; try again. Your conversation is kept.",
    "bad-child",
)
_VERSION = (
    "Snug was updated while it was open.",
    "Close Snug and open it again.",
    "other-version",
)
_TEMPLATE = (
    "This model's chat format never comes to an end.",
    "Choose another file of this model.",
    "template",
)
_KILLED = (
    "Another program, or the system, stopped the work.",
    "Try again.",
    "killed",
)
_ENDED = (
    "The model's process ended unexpectedly.",
    "Try again.",
    "ended",
)

_SIGNS: tuple[tuple[str, tuple[str, str, str]], ...] = (
    (r"DeviceLost|device lost|CUDA error: (unspecified|an illegal|the launch)|GPU Hang", _GPU_LOST),
    (r"CUDA error: out of memory|ErrorOutOfDeviceMemory|cudaMalloc failed|hipErrorOutOfMemory", _GPU_FULL),
    (
        r"failed to allocate|std::bad_alloc|Cannot allocate memory|MemoryError|unable to allocate|DefaultCPUAllocator",
        _TOO_LITTLE_MEMORY,
    ),
)
"""Lines that native code is known to print before it ends, most telling first."""

# Windows reports what POSIX reports by signal as a status code.
_WINDOWS = {
    0xC0000005: signal.SIGSEGV,
    0xC000001D: signal.SIGILL,
    0xC0000006: getattr(signal, "SIGBUS", 7),
    0xC0000409: signal.SIGABRT,
    0xC00000FD: signal.SIGSEGV,
    0xC0000017: getattr(signal, "SIGKILL", 9),
}
_SIGKILL, _SIGBUS, _SIGTERM = 9, int(getattr(signal, "SIGBUS", 7)), 15


def explain_death(
    exit_code: int | None = None,
    signal_number: int | None = None,
    last_stderr: str = "",
    memory: MemoryFacts | None = None,
) -> ChildDeath:
    """Why a child died. A negative `exit_code` is a signal, as `subprocess` reports it."""
    if exit_code is not None and exit_code < 0 and signal_number is None:
        signal_number = -exit_code
    if exit_code is not None and exit_code & 0xFFFFFFFF in _WINDOWS:
        signal_number = int(_WINDOWS[exit_code & 0xFFFFFFFF])
    details = _details(exit_code, signal_number, last_stderr)
    return ChildDeath(*_cause(exit_code, signal_number, last_stderr, memory), details=details)


def explain_bad_frame(error: str, last_stderr: str = "") -> ChildDeath:
    """Why a child was stopped that sent something that is no message."""
    known = _VERSION if "protocol version" in error else _PROTOCOL
    return ChildDeath(*known, details=f"{error}\n{last_stderr}".strip())


def explain_hang(seconds: float, last_stderr: str = "") -> ChildDeath:
    """Why a child was stopped that did not answer."""
    return ChildDeath(
        "The model's process stopped answering.",
        "It was ended; try again. Your conversation is kept.",
        "hang",
        details=f"no answer for {seconds:.0f} s\n{last_stderr}".strip(),
    )


def _cause(
    exit_code: int | None, signal_number: int | None, last_stderr: str, memory: MemoryFacts | None
) -> tuple[str, str, str]:
    if signal_number == _SIGBUS:
        return _FILE_WENT_AWAY
    if signal_number == signal.SIGILL:
        return _WRONG_PROCESSOR
    for pattern, words in _SIGNS:
        if re.search(pattern, last_stderr):
            return _with_figures(words, memory) if words is _TOO_LITTLE_MEMORY else words
    if signal_number == _SIGKILL:
        # The kernel kills without a word when memory ends; a person who does it by hand knows that he did.
        if memory is not None and memory.needed > memory.available > 0:
            return _with_figures(_TOO_LITTLE_MEMORY, memory)
        return _KILLED
    if signal_number == _SIGTERM:
        return _KILLED
    if signal_number == signal.SIGABRT:
        return _NOT_LOADABLE
    if signal_number is not None:
        return _CRASHED
    if exit_code == PROTOCOL_FAULT:
        return _VERSION if "protocol version" in last_stderr else _PROTOCOL
    return _TEMPLATE if exit_code == TEMPLATE_STUCK else _ENDED


def _with_figures(words: tuple[str, str, str], memory: MemoryFacts | None) -> tuple[str, str, str]:
    if memory is None or not memory.needed:
        return words
    cause, advice, kind = words
    figures = f"It needs about {memory.needed / _GIGABYTE:.1f} GB; {memory.available / _GIGABYTE:.1f} GB were free."
    return f"{cause} {figures}", advice, kind


def _details(exit_code: int | None, signal_number: int | None, last_stderr: str) -> str:
    how = f"signal {signal_number}" if signal_number is not None else f"exit code {exit_code}"
    return f"{how}\n{last_stderr[-4000:]}".strip()
