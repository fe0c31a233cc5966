"""`snug bench start`: Snug's window against a bare QML window, first frame and memory at rest, in turns."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from snug.commands.command import Context
from snug.commands.samples import checked_runs, processor_name, ratio_of_pairs, summary
from snug.core.errors import UserError
from snug.core.words import size_text

TARGET_RATIO = 1.5
FIRST_FRAME_LIMIT_S = 60.0
REST_LIMIT_S = 60.0
REST_S = 3.0
REST_STEP_S = 0.5
REST_CHANGE = 0.01


@dataclass(frozen=True, slots=True)
class Start:
    """One start: seconds to the first frame; bytes at rest of the window's process and with its children."""

    first_frame_s: float
    window_bytes: int
    tree_bytes: int


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="pairs of starts (5)")


def run(arguments: Namespace, context: Context) -> int:
    """Start both windows in turns and print what each took."""
    runs = checked_runs(arguments.runs)
    # -P: the script's own folder, which holds modules of Snug, is not on its path.
    bare = [sys.executable, "-P", str(Path(__file__).parents[1] / "ui" / "bare_window.py")]
    ours = [sys.executable, "-m", "snug"]
    theirs_found: list[Start] = []
    ours_found: list[Start] = []
    with tempfile.TemporaryDirectory(prefix="snug-bench-") as home, screen() as (name, screen_environment):
        own = {"SNUG_HOME": home, "SNUG_REPORT_FIRST_FRAME": "1"}
        environment = {**os.environ, **screen_environment, **own}
        # A first start of each fills the disk's cache and makes the new home.
        measure_start(bare, environment)
        measure_start(ours, environment)
        for turn in range(runs):
            context.note(f"Pair {turn + 1} of {runs}")
            theirs_found.append(measure_start(bare, environment))
            ours_found.append(measure_start(ours, environment))
    report(context, name, theirs_found, ours_found)
    return 0


@contextmanager
def screen() -> Iterator[tuple[str, dict[str, str]]]:
    """The screen to draw on, by name, and what to add to the environment for it.

    The person's own where there is one, else a virtual one (Xvfb), else Qt's own "offscreen", which leaves out
    what a real window costs: the graphics library and its memory.
    """
    has_own = sys.platform in ("win32", "darwin") or any(os.environ.get(n) for n in ("DISPLAY", "WAYLAND_DISPLAY"))
    xvfb = None if has_own else shutil.which("Xvfb")
    if has_own:
        yield "own", {}
    elif xvfb is None:
        yield "offscreen", {"QT_QPA_PLATFORM": "offscreen"}
    else:
        command = [xvfb, "-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            try:
                assert process.stdout is not None
                number = process.stdout.readline().decode().strip()
                yield "Xvfb", {"DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"}
            finally:
                process.terminate()


def measure_start(command: Sequence[str], environment: dict[str, str]) -> Start:
    """Starts a window, waits for its first frame and until it rests, and ends it. Raises UserError."""
    began = time.monotonic_ns()
    process = subprocess.Popen(
        list(command), env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    watchdog = threading.Timer(FIRST_FRAME_LIMIT_S, process.kill)
    watchdog.start()
    try:
        drawn = _first_frame(process)
        watchdog.cancel()
        window, tree = memory_at_rest(psutil.Process(process.pid))
    except psutil.NoSuchProcess:
        raise _no_window() from None
    finally:
        watchdog.cancel()
        _end(process)
    return Start((drawn - began) / 1e9, window, tree)


def _first_frame(process: subprocess.Popen[bytes]) -> int:
    """The instant of the first frame on the system's monotonic clock, in nanoseconds."""
    assert process.stdout is not None
    for line in process.stdout:
        words = line.split()
        if len(words) == 2 and words[0] == b"first-frame" and words[1].isdigit():
            return int(words[1])
    raise _no_window()


def _no_window() -> UserError:
    return UserError(
        "The window did not open, so its start cannot be measured.",
        "Start `snug` by itself to see why.",
        kind="no-window",
    )


def memory_at_rest(process: psutil.Process) -> tuple[int, int]:
    """Bytes of the process, and of it with its children, once both have stayed the same for `REST_S`."""
    until = time.monotonic() + REST_LIMIT_S
    seen: list[tuple[int, int]] = []
    while True:
        own = own_bytes(process)
        seen.append((own, own + sum(own_bytes(child) for child in _children(process))))
        last = [tree for _, tree in seen[-round(REST_S / REST_STEP_S) :]]
        is_resting = len(last) * REST_STEP_S >= REST_S and max(last) - min(last) <= REST_CHANGE * max(last)
        if is_resting or time.monotonic() > until:
            return seen[-1]
        time.sleep(REST_STEP_S)


def _children(process: psutil.Process) -> list[psutil.Process]:
    return list(process.children(recursive=True))


def own_bytes(process: psutil.Process) -> int:
    """Memory of one process in main memory (RSS), which no neighbour changes; 0 once the process is gone."""
    try:
        return int(process.memory_info().rss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def report(context: Context, screen_name: str, bare: Sequence[Start], ours: Sequence[Start]) -> None:
    """The figures of both, and the ratios."""
    names = ("first_frame_s", "window_bytes", "tree_bytes")
    figures = {name: ([getattr(s, name) for s in ours], [getattr(s, name) for s in bare]) for name in names}
    ratio = {name: ratio_of_pairs(our, their) for name, (our, their) in figures.items()}
    document = {
        "cpu": processor_name(context),
        "screen": screen_name,
        "runs": len(ours),
        "snug": {name: summary(our) for name, (our, _) in figures.items()},
        "bare": {name: summary(their) for name, (_, their) in figures.items()},
        "ratio": ratio,
        "target_ratio": TARGET_RATIO,
        "reached": all(ratio[name]["median"] <= TARGET_RATIO for name in names),
    }
    if context.json:
        context.print_document(document)
        return
    context.say(f"{document['cpu']}, {screen_name} screen, {len(ours)} pairs of starts")
    rows = (("First frame", "first_frame_s"), ("Memory at rest", "window_bytes"), ("with children", "tree_bytes"))
    for label, name in rows:
        our, their = (summary(values)["median"] for values in figures[name])
        if name == "first_frame_s":
            shown = f"Snug {our:.2f} s, bare window {their:.2f} s"
        else:
            shown = f"Snug {size_text(our)}, bare window {size_text(their)}"
        found = ratio[name]
        context.say(
            f"{label + ':':<16}{shown}, ratio {found['median']:.2f} "
            f"({found['low']:.2f} to {found['high']:.2f}; at most {TARGET_RATIO})"
        )
