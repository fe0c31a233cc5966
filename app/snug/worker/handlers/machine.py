"""Reads this computer for the parent: the system's own figures beside the engine's."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from snug.core.machine import EngineDevice, Gpu, Machine
from snug.system import machine as system_machine
from snug.worker import protocol

if TYPE_CHECKING:
    from snug.worker.loop import Job

logger = logging.getLogger("snug.worker.machine")

ENGINE_SOURCE = "llama.cpp"


def read_machine(request: protocol.ReadMachine, job: Job) -> protocol.MachineRead:
    """The whole machine. What the engine alone knows of a unified memory is taken from it."""

    def say(done: int, total: int, doing: str) -> None:
        job.check()
        job.emit(protocol.Progress(done=done, total=total, unit="steps", doing=doing))

    machine = system_machine.read_machine(request.models_folder, request.measure_bandwidth, say=say)
    if request.ask_engine:
        job.check()
        job.emit(protocol.Progress(done=0, total=0, unit="steps", doing="Asking the engine for its devices"))
        machine = with_engine(machine)
    return protocol.MachineRead(machine=machine)


def with_engine(machine: Machine) -> Machine:
    """The machine with the engine's list of devices, or with the reason why there is none."""
    try:
        from snug.engine.devices import engine_devices

        devices = engine_devices()
    except (ImportError, OSError, AttributeError, RuntimeError) as error:
        logger.exception("the engine gives no list of devices")
        return replace(machine, unread={**machine.unread, "engine_devices": f"the engine does not answer ({error})"})
    return combined(machine, devices)


def combined(machine: Machine, devices: tuple[EngineDevice, ...]) -> Machine:
    """Both lists in one machine; on Apple's chips the engine knows Metal's own limit and is believed."""
    sources = dict(machine.sources) | {f"engine_devices.{index}": ENGINE_SOURCE for index in range(len(devices))}
    metal = next((device for device in devices if device.kind in ("gpu", "igpu") and device.memory_total), None)
    gpus = []
    for index, gpu in enumerate(machine.gpus):
        if gpu.kind == "unified" and metal is not None:
            gpu = _with_working_set(gpu, metal)
            sources[f"gpus.{index}.memory_total"] = f"{ENGINE_SOURCE} ({metal.name}'s recommended working set)"
        gpus.append(gpu)
    return replace(machine, gpus=tuple(gpus), engine_devices=devices, sources=sources)


def _with_working_set(gpu: Gpu, metal: EngineDevice) -> Gpu:
    total = metal.memory_total
    return replace(gpu, memory_total=total, memory_free=min(gpu.memory_free or metal.memory_free, total))
