"""What a probe may look at: files, folders, commands and libraries of this computer, and nothing else."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import psutil

COMMAND_TIMEOUT_S = 1.5
LARGEST_TEXT_BYTES = 4 * 1024 * 1024


class NotReadable(Exception):
    """A source of figures is not there or does not answer; the message says why, in words."""


class Unfinished(NotReadable):
    """A command did not end in its time; `printed` is what it had said by then."""

    def __init__(self, message: str, printed: str) -> None:
        super().__init__(message)
        self.printed = printed


class Environment:
    """This computer, as probes see it. Tests hand probes a recorded one with the same methods."""

    def __init__(self, models_folder: str, measure_bandwidth: bool = True) -> None:
        self.models_folder = models_folder
        self.measure_bandwidth = measure_bandwidth
        self._heard: dict[tuple[str, ...], str | NotReadable] = {}

    @property
    def system(self) -> str:
        """ "linux", "darwin" or "windows"."""
        return {"linux": "linux", "darwin": "darwin", "win32": "windows"}.get(sys.platform, sys.platform)

    @property
    def architecture(self) -> str:
        """The processor's instruction set: "x86_64" or "arm64"."""
        return platform.machine()

    def data(self, path: str) -> bytes:
        """The bytes of a file. Raises NotReadable."""
        try:
            with open(path, "rb") as file:
                return file.read(LARGEST_TEXT_BYTES)
        except (OSError, ValueError) as error:
            raise NotReadable(f"{path} cannot be read ({_reason(error)})") from error

    def text(self, path: str) -> str:
        """The text of a file. Raises NotReadable."""
        return self.data(path).decode("utf-8", "replace")

    def names(self, folder: str) -> list[str]:
        """The sorted names in a folder. Raises NotReadable."""
        try:
            return sorted(os.listdir(folder))
        except OSError as error:
            raise NotReadable(f"{folder} cannot be read ({_reason(error)})") from error

    def output(self, command: Sequence[str], timeout_s: float = COMMAND_TIMEOUT_S) -> str:
        """What a command prints, also when it ends with an error after printing. Raises NotReadable."""
        if shutil.which(command[0]) is None:
            raise NotReadable(f"there is no command {command[0]}")
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=timeout_s,
                env={**os.environ, "LC_ALL": "C"},
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except subprocess.TimeoutExpired as error:
            printed = (error.stdout or b"")[:LARGEST_TEXT_BYTES].decode("utf-8", "replace")
            raise Unfinished(f"{command[0]} did not answer within {timeout_s:g} seconds", printed) from error
        except OSError as error:
            raise NotReadable(f"{command[0]} cannot be started ({_reason(error)})") from error
        if not done.stdout:
            raise NotReadable(f"{command[0]} said nothing (exit status {done.returncode})")
        return done.stdout[:LARGEST_TEXT_BYTES].decode("utf-8", "replace")

    def output_once(self, command: Sequence[str], timeout_s: float = COMMAND_TIMEOUT_S) -> str:
        """The same, run once a reading: whoever asks again hears the same, be it that there is no answer."""
        key = tuple(command)
        if key not in self._heard:
            try:
                self._heard[key] = self.output(command, timeout_s)
            except NotReadable as reason:
                self._heard[key] = reason
        heard = self._heard[key]
        if isinstance(heard, NotReadable):
            raise heard
        return heard

    def library_figures(self) -> Mapping[str, Any]:
        """psutil's figures: total, available and swap_total in bytes, cores, threads. Raises NotReadable."""
        try:
            memory = psutil.virtual_memory()
            swap_total = psutil.swap_memory().total
            return {
                "total": memory.total,
                "available": memory.available,
                "swap_total": swap_total,
                "cores": psutil.cpu_count(logical=False) or 0,
                "threads": psutil.cpu_count() or 0,
            }
        except (OSError, RuntimeError, psutil.Error) as error:
            raise NotReadable(f"psutil failed ({error})") from error

    def has_processor_feature(self, number: int) -> bool:
        """Windows' answer to IsProcessorFeaturePresent. Raises NotReadable on other systems."""
        if sys.platform != "win32":
            raise NotReadable("only Windows answers this question")
        import ctypes

        return bool(ctypes.windll.kernel32.IsProcessorFeaturePresent(number))

    def disk_space(self, folder: str) -> tuple[int, int]:
        """Free bytes for this person and total bytes of the disk that holds `folder`. Raises NotReadable."""
        try:
            usage = shutil.disk_usage(folder)
        except OSError as error:
            raise NotReadable(f"{folder} cannot be read ({_reason(error)})") from error
        return usage.free, usage.total

    def has_folder(self, folder: str) -> bool:
        return os.path.isdir(folder)

    def nvidia(self) -> list[dict[str, Any]]:
        """The NVIDIA library's figures, one mapping a device. Raises NotReadable."""
        from snug.system.nvml import ask_nvml

        return ask_nvml()

    def dxgi(self) -> list[dict[str, Any]]:
        """DXGI's figures of Windows' graphics adapters, one mapping an adapter. Raises NotReadable."""
        from snug.system.dxgi import ask_dxgi

        return ask_dxgi()

    def processes(self) -> list[dict[str, Any]]:
        """The processes of this computer and what each holds, one mapping a process. Raises NotReadable."""
        from snug.system.process_list import ask_processes

        try:
            return ask_processes()
        except (OSError, RuntimeError, psutil.Error) as error:
            raise NotReadable(f"the list of processes cannot be read ({error})") from error

    def programs(self, pids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """The name and is_own of each of these processes that is still there. Raises NotReadable."""
        from snug.system.process_list import ask_programs

        return ask_programs(pids)

    def drm_clients(self) -> list[dict[str, Any]]:
        """What Linux' graphics drivers say of each program, one mapping an open file. Raises NotReadable."""
        from snug.system.drm_clients import ask_drm_clients

        return ask_drm_clients()

    def bandwidth(self, threads: int, available_bytes: int) -> Mapping[str, Any]:
        """What the native probe measures in about a second (see `snug._native`). Raises NotReadable."""
        try:
            from snug import _native
        except ImportError as error:
            raise NotReadable("Snug's native module is not built here, so nothing was measured") from error
        try:
            return dict(_native.memory_bandwidth(threads, available_bytes=available_bytes))
        except (MemoryError, ValueError) as error:
            raise NotReadable(f"there was too little free memory to measure with ({error})") from error

    def usable_threads(self) -> int:
        """How many logical processors this process may run on; 0 where the system does not say."""
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 0


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
