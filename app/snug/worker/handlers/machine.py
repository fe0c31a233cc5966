"""Reads this computer for the parent: the system's own figures beside the engine's."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from snug.core.machine import Machine
from snug.core.two_sources import with_engine_devices
from snug.system import machine as system_machine
from snug.worker import protocol

if TYPE_CHECKING:
    from snug.worker.loop import Job

logger = logging.getLogger("snug.worker.machine")


def read_machine(request: protocol.ReadMachine, job: Job) -> protocol.MachineRead:
    """The whole machine, the engine's list of devices beside the system's figures."""

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
    return with_engine_devices(machine, devices)
