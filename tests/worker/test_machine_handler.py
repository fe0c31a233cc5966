"""The reading child: the system's figures and the engine's in one answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from snug.worker import protocol
from snug.worker.client import WorkerClient


def test_this_computer_is_read_with_the_engines_devices(
    start_child: Callable[[], WorkerClient], tmp_path: Path
) -> None:
    heard: list[object] = []
    request = protocol.ReadMachine(models_folder=str(tmp_path), measure_bandwidth=False)
    answer = start_child().request(request, on_event=heard.append)
    assert isinstance(answer, protocol.MachineRead)
    machine = answer.machine
    assert machine.memory.total > 0
    assert any(device.kind == "cpu" and device.memory_total for device in machine.engine_devices)
    assert machine.sources["engine_devices.0"] == "llama.cpp"
    said = [event.doing for event in heard if isinstance(event, protocol.Progress)]
    assert "Counting the memory" in said
    assert said[-1] == "Asking the engine for its devices"


def test_the_engine_is_left_alone_where_it_is_not_asked_for(
    start_child: Callable[[], WorkerClient], tmp_path: Path
) -> None:
    request = protocol.ReadMachine(models_folder=str(tmp_path), measure_bandwidth=False, ask_engine=False)
    answer = start_child().request(request)
    assert isinstance(answer, protocol.MachineRead)
    assert answer.machine.engine_devices == ()
