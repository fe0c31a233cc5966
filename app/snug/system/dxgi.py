"""Asks DXGI about Windows' graphics adapters: dedicated and shared memory apart, and what may be used now.

The interfaces, their order and structures are those of Microsoft's dxgi.h, dxgi1_4.h
(https://learn.microsoft.com/windows/win32/api/dxgi/ns-dxgi-dxgi_adapter_desc1).
"""

from __future__ import annotations

import ctypes
import sys
import uuid
from typing import Any

from snug.system.environment import NotReadable

MOST_ADAPTERS = 32
SOFTWARE_FLAG = 2

_FACTORY1 = uuid.UUID("770aae78-f26f-4dba-a829-253c83d1b387")
_ADAPTER3 = uuid.UUID("645967a4-1392-4310-a798-8053ce3e93fd")
# Places in the tables of functions: IUnknown has 3, IDXGIObject 4 more, each interface its own behind its parent's.
_QUERY_INTERFACE, _RELEASE = 0, 2
_ENUM_ADAPTERS1 = 12
_GET_DESC1 = 10
_QUERY_VIDEO_MEMORY_INFO = 14
# Windows' calling convention; on other systems (in tests) the usual one.
_FUNCTION: Any = getattr(ctypes, "WINFUNCTYPE", ctypes.CFUNCTYPE)


class AdapterDescription(ctypes.Structure):
    """DXGI_ADAPTER_DESC1."""

    _fields_ = (
        # Windows' characters have 16 bits on every system that this runs on.
        ("description", ctypes.c_uint16 * 128),
        ("vendor", ctypes.c_uint32),
        ("device", ctypes.c_uint32),
        ("subsystem", ctypes.c_uint32),
        ("revision", ctypes.c_uint32),
        ("dedicated_video_memory", ctypes.c_size_t),
        ("dedicated_system_memory", ctypes.c_size_t),
        ("shared_system_memory", ctypes.c_size_t),
        ("luid_low", ctypes.c_uint32),
        ("luid_high", ctypes.c_int32),
        ("flags", ctypes.c_uint32),
    )


class VideoMemory(ctypes.Structure):
    """DXGI_QUERY_VIDEO_MEMORY_INFO."""

    _fields_ = (
        ("budget", ctypes.c_uint64),
        ("usage", ctypes.c_uint64),
        ("available_for_reservation", ctypes.c_uint64),
        ("reservation", ctypes.c_uint64),
    )


def ask_dxgi() -> list[dict[str, Any]]:
    """One mapping an adapter: name, vendor, device, revision, luid (by which Windows' counters name it until the next
    start), dedicated, shared (bytes), software and, on Windows 10 and later, budget: the bytes of its own memory that
    Windows lets a new program use. Raises NotReadable.
    """
    if sys.platform != "win32":
        raise NotReadable("only Windows answers this question")
    factory = ctypes.c_void_p()
    identifier = (ctypes.c_char * 16).from_buffer_copy(_FACTORY1.bytes_le)
    try:
        status = ctypes.WinDLL("dxgi").CreateDXGIFactory1(identifier, ctypes.byref(factory))
    except (OSError, AttributeError) as error:
        raise NotReadable(f"DXGI is not there ({error})") from error
    if status != 0 or not factory.value:
        raise NotReadable(f"DXGI does not answer (0x{status & 0xFFFFFFFF:08X})")
    return adapters_of(factory.value)


def adapters_of(factory: int) -> list[dict[str, Any]]:
    """The adapters of an IDXGIFactory1, which is given back afterwards."""
    found = []
    try:
        for number in range(MOST_ADAPTERS):
            adapter = ctypes.c_void_p()
            function = _method(factory, _ENUM_ADAPTERS1, ctypes.c_uint32, ctypes.c_void_p)
            if function(factory, number, ctypes.addressof(adapter)) != 0 or not adapter.value:
                break
            try:
                found.append(_figures(adapter.value))
            finally:
                _method(adapter.value, _RELEASE)(adapter.value)
    finally:
        _method(factory, _RELEASE)(factory)
    return [figures for figures in found if figures]


def _figures(adapter: int) -> dict[str, Any]:
    description = AdapterDescription()
    if _method(adapter, _GET_DESC1, ctypes.c_void_p)(adapter, ctypes.addressof(description)) != 0:
        return {}
    letters = bytes(description.description).decode("utf-16-le", "replace")
    figures = {
        "name": letters.split("\0")[0],
        "vendor": f"{description.vendor:04x}",
        "device": f"{description.device:04x}",
        "revision": f"{description.revision:02x}",
        "luid": f"0x{description.luid_high & 0xFFFFFFFF:08x}_0x{description.luid_low:08x}",
        "dedicated": description.dedicated_video_memory,
        "shared": description.shared_system_memory,
        "software": bool(description.flags & SOFTWARE_FLAG),
    }
    budget = _budget(adapter)
    return figures if budget is None else {**figures, "budget": budget}


def _budget(adapter: int) -> int | None:
    """What Windows lets a new program use of the adapter's own memory; None before Windows 10."""
    newer = ctypes.c_void_p()
    identifier = (ctypes.c_char * 16).from_buffer_copy(_ADAPTER3.bytes_le)
    ask = _method(adapter, _QUERY_INTERFACE, ctypes.c_void_p, ctypes.c_void_p)
    if ask(adapter, ctypes.addressof(identifier), ctypes.addressof(newer)) != 0 or not newer.value:
        return None
    try:
        memory = VideoMemory()
        query = _method(newer.value, _QUERY_VIDEO_MEMORY_INFO, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p)
        if query(newer.value, 0, 0, ctypes.addressof(memory)) != 0:
            return None
        return int(memory.budget)
    finally:
        _method(newer.value, _RELEASE)(newer.value)


def _method(instance: int, place: int, *arguments: Any) -> Any:
    """The function at that place of a COM object's table; its first argument is the object."""
    table = ctypes.cast(instance, ctypes.POINTER(ctypes.POINTER(ctypes.c_void_p)))[0]
    return _FUNCTION(ctypes.c_int32, ctypes.c_void_p, *arguments)(table[place])
