"""A person in front of a real screen: Xvfb, its pictures, a mouse, a keyboard, and the app as a process of its own."""

from __future__ import annotations

import mmap
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage

WIDTH, HEIGHT = 1280, 800
ACCENT = (0x2F, 0x6F, 0x5E)
PICTURES = Path(__file__).parents[1] / "screens" / "pictures"
ROOT = Path(__file__).parents[2]
POLL_S = 0.05
STILL_LOOKS = 6


def wait_for(what: str, is_true: Callable[[], object], limit_s: float = 60.0) -> None:
    """Poll until it is true. Fails with `what` in words after `limit_s`."""
    end = time.monotonic() + limit_s
    while not is_true():
        assert time.monotonic() < end, f"waited {limit_s:.0f} s in vain for: {what}"
        time.sleep(POLL_S)


class Screen:
    """An X server without a monitor whose framebuffer is read from its file (the XWD format, version 7)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        read, write = os.pipe()
        self._process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-fbdir", str(folder),
             "-nolisten", "tcp"],
            pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(write)
        with os.fdopen(read) as answer:
            self.display = f":{answer.readline().strip()}"

    def pixels(self) -> np.ndarray:
        """The picture now: HEIGHT x WIDTH x 3, uint8, red green blue."""
        with (self._folder / "Xvfb_screen0").open("rb") as file:
            view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            head = np.frombuffer(view, ">u4", 25)
            header_size, line_bytes, colours = int(head[0]), int(head[12]), int(head[19])
            start = header_size + 12 * colours
            lines = np.frombuffer(view, np.uint8, line_bytes * HEIGHT, start).reshape(HEIGHT, line_bytes)
            picture = lines[:, : 4 * WIDTH].reshape(HEIGHT, WIDTH, 4)[:, :, 2::-1].copy()
            del head, lines
            view.close()
        return picture

    def save(self, name: str) -> None:
        """Keep the picture for people to look at."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        pixels = np.ascontiguousarray(self.pixels())
        image = QImage(pixels.data, WIDTH, HEIGHT, 3 * WIDTH, QImage.Format.Format_RGB888)
        assert image.save(str(PICTURES / f"end-to-end-{name}.png"))

    def accent_buttons(self) -> list[tuple[int, int]]:
        """The middles of all buttons that are filled with the accent, top to bottom: what one presses next."""
        is_accent = (self.pixels()[:, 96:] == np.array(ACCENT, np.uint8)).all(axis=2)
        rows = is_accent.sum(axis=1) > 40
        middles = []
        for top, bottom in _runs(rows):
            if 24 <= bottom - top <= 60:
                columns = is_accent[top:bottom].sum(axis=0) > (bottom - top) / 2
                first, last = np.flatnonzero(columns)[[0, -1]]
                middles.append((96 + int(first + last) // 2, (top + bottom) // 2))
        return middles

    def settled_button(self) -> tuple[int, int]:
        """The middle of the one such button, once it has been in the same place for a while."""
        looks: list[list[tuple[int, int]]] = []

        def stands() -> bool:
            looks.append(self.accent_buttons())
            return len(looks[-1]) == 1 and looks[-STILL_LOOKS:] == [looks[-1]] * STILL_LOOKS

        wait_for("the button to stand still", stands)
        return looks[-1][0]

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


def _runs(flags: np.ndarray) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    yield from ((int(first), int(end)) for first, end in zip(edges[::2], edges[1::2], strict=True))


class Person:
    """Mouse and keyboard on that screen."""

    def __init__(self, screen: Screen) -> None:
        self._environment = {**os.environ, "DISPLAY": screen.display}

    def _do(self, *arguments: str) -> None:
        subprocess.run(["xdotool", *arguments], env=self._environment, check=True, timeout=30)

    def turn_to_the_window(self) -> None:
        """Give it the keyboard: without a window manager nobody else does."""
        self._do("search", "--sync", "--onlyvisible", "--name", "^Snug$", "windowfocus", "--sync")

    def click(self, x: int, y: int) -> None:
        self._do("mousemove", str(x), str(y), "click", "1")

    def press(self, keys: str) -> None:
        self._do("key", keys)

    def write(self, text: str) -> None:
        self._do("type", "--delay", "20", text)


class App:
    """Snug as a person starts it: a process with a window on that screen."""

    def __init__(self, screen: Screen, home: Path, endpoint: str) -> None:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("QT_", "SNUG_", "HF_"))
        }
        environment |= {
            "DISPLAY": screen.display,
            "SNUG_HOME": str(home),
            "HF_ENDPOINT": endpoint,
            "QT_QPA_PLATFORM": "xcb",
            "QT_QUICK_BACKEND": "software",
            "SNUG_REPORT_FIRST_FRAME": "1",
            "SNUG_NO_SPEED_TEST": "1",  # its news on Home would move what the test clicks
        }
        with (home.parent / "window.log").open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "snug"], env=environment, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT
            )
        assert self.process.stdout is not None
        with self.process.stdout as output:
            first_line = output.readline()
        assert first_line.startswith(b"first-frame"), "the window did not come up"

    def kill(self) -> None:
        """kill -9."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def close(self) -> int:
        """End it as a log-out does; its exit status."""
        self.process.terminate()
        return self.process.wait(20)


@pytest.fixture(name="wait_for")
def waiting() -> Callable[..., None]:
    """`wait_for`, handed to the tests."""
    return wait_for


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    missing = [tool for tool in ("Xvfb", "xdotool") if shutil.which(tool) is None]
    if missing:
        pytest.fail(f"{' and '.join(missing)} missing: packaging/dev.py test --install-system installs what tests need")
    folder = tmp_path / "framebuffer"
    folder.mkdir()
    running = Screen(folder)
    yield running
    running.stop()


@pytest.fixture
def person(screen: Screen) -> Person:
    return Person(screen)


@pytest.fixture
def start_app(screen: Screen, tmp_path: Path) -> Iterator[Callable[[str], App]]:
    """Starts the app on one and the same home folder, again and again."""
    apps: list[App] = []

    def start(endpoint: str) -> App:
        apps.append(App(screen, tmp_path / "home", endpoint))
        return apps[-1]

    yield start
    screen.save("last")
    for app in apps:
        if app.process.poll() is None:
            app.kill()
    faults = tmp_path / "home" / "logs" / "faults.log"
    assert not faults.exists(), faults.read_text("utf-8")
