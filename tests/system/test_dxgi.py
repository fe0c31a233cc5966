"""DXGI's objects are walked as their tables of functions stand; here the tables are our own, called the same way."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import pytest

from snug.system import dxgi
from snug.system.dxgi import AdapterDescription, VideoMemory, adapters_of
from snug.system.environment import NotReadable


class Com:
    """A COM object with some of its functions; `released` counts how often it was given back."""

    def __init__(self, **functions: Any) -> None:
        self.released = 0
        self._kept: list[Any] = []
        table = (ctypes.c_void_p * 16)()
        for name, function in {"_2": self._release, **functions}.items():
            place = int(name[1:])
            arguments = function.__code__.co_argcount - (1 if hasattr(function, "__self__") else 0) - 1
            kind = dxgi._FUNCTION(ctypes.c_int32, ctypes.c_void_p, *[ctypes.c_size_t] * arguments)
            pointer = kind(function)
            self._kept.append(pointer)
            table[place] = ctypes.cast(pointer, ctypes.c_void_p).value
        self._table = table
        self._object = ctypes.c_void_p(ctypes.addressof(table))
        self.address = ctypes.addressof(self._object)

    def _release(self, _this: int) -> int:
        self.released += 1
        return 0


def adapter(name: str, dedicated: int, shared: int, flags: int = 0, budget: int | None = None) -> tuple[Com, list[Com]]:
    def describe(_this: int, out: int) -> int:
        description = AdapterDescription.from_address(out)
        letters = name.encode("utf-16-le")
        ctypes.memmove(description.description, letters, len(letters))
        description.vendor, description.device, description.revision = 0x10DE, 0x2504, 0xA1
        description.dedicated_video_memory, description.shared_system_memory = dedicated, shared
        description.luid_low, description.luid_high = 0xD1B4, -1
        description.flags = flags
        return 0

    def query(_this: int, _node: int, group: int, out: int) -> int:
        VideoMemory.from_address(out).budget = budget or 0
        return 0 if group == 0 else -1

    newer = Com(_14=query)

    def ask(_this: int, _identifier: int, out: int) -> int:
        if budget is None:
            return -2147467262
        ctypes.c_void_p.from_address(out).value = newer.address
        return 0

    return Com(_0=ask, _10=describe), [newer]


def test_adapters_are_read_with_dedicated_and_shared_memory_apart_and_given_back() -> None:
    cards = [adapter("NVIDIA GeForce RTX 3060", 12 * 2**30, 16 * 2**30, budget=11 * 2**30), adapter("Basic", 0, 5, 2)]

    def enumerate_adapters(_this: int, number: int, out: int) -> int:
        if number >= len(cards):
            return -2005270526
        ctypes.c_void_p.from_address(out).value = cards[number][0].address
        return 0

    factory = Com(_12=enumerate_adapters)
    first, second = adapters_of(factory.address)
    assert first == {
        "name": "NVIDIA GeForce RTX 3060", "vendor": "10de", "device": "2504", "revision": "a1",
        "luid": "0xffffffff_0x0000d1b4",
        "dedicated": 12 * 2**30, "shared": 16 * 2**30, "software": False, "budget": 11 * 2**30,
    }  # fmt: skip
    assert second["software"] is True
    assert "budget" not in second
    assert [factory.released, cards[0][0].released, cards[0][1][0].released, cards[1][0].released] == [1, 1, 1, 1]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows answers")
def test_other_systems_say_why_there_is_no_answer() -> None:
    with pytest.raises(NotReadable, match="only Windows"):
        dxgi.ask_dxgi()
