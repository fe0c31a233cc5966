"""The reading child: the system's figures and the engine's in one answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from snug.core.machine import EngineDevice, Gpu, Machine
from snug.worker import protocol
from snug.worker.client import WorkerClient
from snug.worker.handlers.machine import combined

METAL = EngineDevice("MTL0", "Apple M3", "gpu", 20 * 2**30, 19 * 2**30)


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


def test_metals_own_limit_is_believed_for_shared_memory() -> None:
    machine = Machine(gpus=(Gpu("Apple M3", "unified", 16 * 2**30, 10 * 2**30),))
    after = combined(machine, (METAL,))
    assert (after.gpus[0].memory_total, after.gpus[0].memory_free) == (METAL.memory_total, 10 * 2**30)
    assert "MTL0" in after.sources["gpus.0.memory_total"]


def test_a_cards_own_memory_stays_the_drivers_figure() -> None:
    card = Gpu("RTX 3060", "discrete", 12 * 2**30, 11 * 2**30)
    after = combined(Machine(gpus=(card,)), (EngineDevice("CUDA0", "RTX 3060", "gpu", 5, 4),))
    assert after.gpus == (card,)
