"""A header that looks like the whole file: as large as the real one, with nothing in it but its beginning."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def sparse_file(header: bytes, size_bytes: int) -> Iterator[Path]:
    """The path of a file of `size_bytes` that begins with `header`; it is gone afterwards.

    On Linux it is in memory, has no name in any folder, and stays readable in the sandbox. Elsewhere it is a
    temporary file, and takes the disk's room for the header alone.
    """
    if sys.platform == "linux":
        descriptor = os.memfd_create("header.gguf")
        try:
            _fill(descriptor, header, size_bytes)
            yield Path(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)
        return
    with tempfile.TemporaryDirectory(prefix="snug-") as folder:
        path = Path(folder) / "header.gguf"
        with path.open("wb") as file:
            _mark_sparse(file.fileno())
            _fill(file.fileno(), header, size_bytes)
        yield path


def _fill(descriptor: int, header: bytes, size_bytes: int) -> None:
    view = memoryview(header)
    while view:
        view = view[os.write(descriptor, view) :]
    os.ftruncate(descriptor, max(size_bytes, len(header)))


def _mark_sparse(descriptor: int) -> None:
    """Windows gives a longer file its clusters at once unless the file is marked first (FSCTL_SET_SPARSE)."""
    if sys.platform == "win32":
        import ctypes
        import msvcrt

        handle = ctypes.c_void_p(msvcrt.get_osfhandle(descriptor))
        done = ctypes.c_ulong()
        ctypes.windll.kernel32.DeviceIoControl(handle, 0x900C4, None, 0, None, 0, ctypes.byref(done), None)
