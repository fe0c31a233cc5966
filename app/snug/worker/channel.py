"""The child's private way to its parent, and the process made safe to lose."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Channel:
    """Descriptors that only the protocol uses."""

    read: int
    write: int


def claim_channel() -> Channel:
    """Move the protocol to private descriptors: what native code prints to stdout goes to stderr, the log."""
    _close_inherited()
    channel = Channel(read=os.dup(0), write=os.dup(1))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(channel.read, os.O_BINARY)
        msvcrt.setmode(channel.write, os.O_BINARY)
    _become_expendable()
    return channel


def _close_inherited() -> None:
    """Close what a parent left open by mistake; descriptors 0 to 2 are all that a child is given."""
    if sys.platform == "win32":
        return
    folder = "/proc/self/fd" if sys.platform == "linux" else "/dev/fd"
    for number in sorted(int(name) for name in os.listdir(folder) if name.isdigit()):
        if number > 2:
            try:
                os.close(number)
            except OSError:  # the listing's own descriptor has closed already
                continue


def _become_expendable() -> None:
    """Die with the parent, be the first to go when memory ends, leave no core dump, ignore the terminal's Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["GGML_NO_BACKTRACE"] = "1"
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        try:
            with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
                file.write("500")
        except OSError as error:  # some containers mount /proc read-only
            print(f"oom_score_adj not set: {error}", file=sys.stderr)
