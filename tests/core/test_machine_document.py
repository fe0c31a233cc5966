"""The machine file: what is given is kept, what is wrong is named, and what Snug prints it also reads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snug.core.errors import UserError
from snug.core.machine import (
    GPU_KINDS,
    Cpu,
    Disagreement,
    Disk,
    EngineDevice,
    Gpu,
    Holder,
    Machine,
    Memory,
    Npu,
)
from snug.core.machine_document import machine_document, machine_from_document

SMALLEST: dict[str, Any] = {"memory": {"total": 2**30}}
sizes = st.integers(0, 2**60)
memories = st.integers(2**20, 2**50)
rates = st.none() | st.floats(1e7, 1e14)
words = st.text(max_size=40)
holders = st.lists(st.builds(Holder, words, sizes), max_size=2).map(tuple)
notes = st.dictionaries(st.text(max_size=12), words, max_size=3)


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    total = draw(memories)
    gpus = []
    for kind in draw(st.lists(st.sampled_from(GPU_KINDS), max_size=3)):
        own = draw(st.just(0) | memories)
        gpus.append(
            Gpu(
                name=draw(st.text(min_size=1, max_size=20)),
                kind=kind,
                memory_total=own,
                memory_free=draw(st.integers(0, own)),
                bandwidth=draw(rates),
                vendor=draw(words),
                driver=draw(words),
                memory_shared=draw(sizes),
                pci_id=draw(words),
                device_id=draw(words),
                memory_used=draw(sizes),
                memory_shared_used=draw(sizes),
                memory_clock_mhz=draw(st.integers(0, 9000)),
                bus_width_bits=draw(st.integers(0, 9000)),
                part_of=draw(words),
                holders=draw(holders),
            )
        )
    return Machine(
        os=draw(words),
        os_name=draw(words),
        cpu=Cpu(draw(words), draw(st.integers(1, 512)), draw(st.integers(1, 1024)), ("avx2", "fma"), draw(words), 2.5),
        memory=Memory(
            total,
            draw(st.integers(0, total)),
            draw(rates),
            2**30,
            draw(sizes),
            draw(sizes),
            draw(words),
            draw(st.integers(0, 9000)),
            draw(st.integers(0, 16)),
            draw(rates),
        ),
        gpus=tuple(gpus),
        disks=(Disk(draw(words), draw(sizes), draw(sizes)),),
        engine_devices=(EngineDevice(draw(words), draw(words), "cpu", draw(sizes), draw(sizes), draw(words)),),
        model=draw(words),
        npus=(Npu(draw(words), draw(words)),),
        memory_holders=draw(holders),
        disagreements=(
            Disagreement(draw(words), draw(words), draw(sizes), draw(sizes), draw(st.booleans()), draw(words)),
        ),
        sources=draw(notes),
        unread=draw(notes),
    )


@given(machines())
def test_what_is_printed_is_read_back_as_the_same_machine(machine: Machine) -> None:
    assert machine_from_document(json.loads(json.dumps(machine_document(machine)))) == machine


def test_only_what_is_known_need_be_given() -> None:
    machine = machine_from_document(SMALLEST)
    assert (machine.memory.available, machine.cpu.cores, machine.gpus) == (2**30, 1, ())


def test_unknown_figures_are_left_out_of_the_file() -> None:
    document = machine_document(Machine(memory=Memory(total=8), gpus=(Gpu("x", "discrete"),)))
    assert "cores" not in document["cpu"]
    assert "bandwidth" not in document["memory"]
    assert "memory_total" not in document["gpus"][0]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"memory": {}}, "memory.total is missing"),
        ({"memory": {"total": 0}}, "memory.total must be above zero"),
        ({"memory": {"total": "8 GB"}}, "memory.total must be a number"),
        ({"memory": {"total": True}}, "memory.total must be a number"),
        ({"memory": {"total": float("nan")}}, "memory.total must be a number"),
        ({"memory": {"total": float("inf")}}, "memory.total is larger than any computer"),
        ({"memory": {"total": 10**400}}, "memory.total is larger than any computer"),
        ({"memory": {"total": 2**30, "available": 2**31}}, "memory.available is more than memory.total"),
        ({"memory": {"total": 16}}, "memory.total is 16, which is too little"),
        ({"memory": {"total": 10**18}}, "memory.total is larger than any computer"),
        ({"memory": {"total": 2**34, "bandwidth": 51.2}}, "memory.bandwidth is 51.2, which is too little"),
        ({"memory": [1]}, "memory must be an object"),
        ({"cpu": {"cores": 1.5}}, "cpu.cores must be a whole number"),
        ({"gpus": [{"memory_total": 2**30, "bandwidth": 1e15}]}, "gpus.0.bandwidth is larger than any computer"),
        ({"cpu": {"cores": -1}}, "cpu.cores must be above zero"),
        ({"cpu": {"name": 5}}, "cpu.name must be a short text"),
        ({"gpus": "many"}, "gpus must be a list"),
        ({"gpus": [{}] * 65}, "gpus has more than 64 entries"),
        ({"gpus": [{"kind": "quantum"}]}, "gpus.0.kind is 'quantum'"),
        ({"gpus": [{"kind": "discrete", "memory_total": 0}]}, "gpus.0.memory_total must be above zero"),
        ({"gpus": [{"memory_total": 2**30, "memory_free": 2**31}]}, "gpus.0.memory_free is more than memory_total"),
        ({"disks": [{"free": -1}]}, "disks.0.free must not be negative"),
        ({"engine_devices": [3]}, "engine_devices.0 must be an object"),
        ({"sources": {"x": 3}}, "sources.x must be a short text"),
    ],
)
def test_a_wrong_figure_is_named(change: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError) as error:
        machine_from_document({**SMALLEST, **change})
    assert named in error.value.title
    assert error.value.bad_input


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(("os", "cpu", "memory", "total", "gpus", "disks", "sources", "kind", "limit")), inner
            )
        ),
        max_leaves=12,
    )
)
def test_any_document_is_a_machine_or_a_clear_error(document: object) -> None:
    kind, machine = "", None
    try:
        machine = machine_from_document(document)
    except UserError as error:
        kind = error.kind
    assert kind == "bad-machine" if machine is None else machine.memory.total >= machine.memory.available
