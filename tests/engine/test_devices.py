"""The engine's own list of devices."""

from __future__ import annotations

from snug.engine.devices import engine_devices


def test_the_processor_is_always_among_the_engines_devices() -> None:
    devices = engine_devices()
    processor = next(device for device in devices if device.kind == "cpu")
    assert processor.name
    assert processor.memory_total >= processor.memory_free > 0


def test_the_list_can_be_asked_for_again() -> None:
    assert [device.name for device in engine_devices()] == [device.name for device in engine_devices()]
