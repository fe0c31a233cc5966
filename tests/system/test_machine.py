"""Recorded computers are read as they are, and one bad source never costs the others."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from snug.core.machine import Gpu, Machine
from snug.core.machine_document import machine_document, machine_from_document
from snug.core.machine_words import figure_rows, machine_line, memory_line
from snug.system import machine as machine_module
from snug.system.machine import PROBES, Probe, combined, read_machine, read_safely
from snug.system.reading import ContainerLimit, Reading


def read(environment: Any) -> Machine:
    return read_machine(environment.models_folder, environment=environment)


def test_every_recorded_computer_is_read_as_it_is(recorded: Any) -> None:
    machine, expected = read(recorded), recorded.expected
    document = machine_document(machine)
    for section in ("cpu", "memory"):
        for key, value in expected.get(section, {}).items():
            assert getattr(getattr(machine, section), key) == (tuple(value) if isinstance(value, list) else value), key
    for key in ("os", "os_name", "model", "memory_holders"):
        assert document[key] == expected.get(key, document[key])
    assert [npu.name for npu in machine.npus] == expected.get("npus", [])
    if "gpus" in expected:
        assert len(machine.gpus) == expected.get("count", len(expected["gpus"]))
        for gpu, figures in zip(machine.gpus, expected["gpus"], strict=True):
            read_figures = json.loads(json.dumps(asdict(gpu)))
            assert {key: read_figures[key] for key in figures} == figures
    for key, source in expected.get("sources", {}).items():
        assert machine.sources[key] == source
    for key in expected.get("unread", []):
        assert machine.unread[key], key
        assert key not in machine.sources
    for key, why in expected.get("reasons", {}).items():
        assert machine.unread[key] == why
    assert machine_line(machine) == expected.get("line", machine_line(machine))
    assert memory_line(machine) == expected.get("memory_line", memory_line(machine))


def test_the_machine_file_gives_the_same_machine_back(recorded: Any) -> None:
    machine = read(recorded)
    if machine.memory.total and machine.cpu.cores:
        assert machine_from_document(machine_document(machine)) == machine


def test_every_known_figure_says_where_it_came_from(recorded: Any) -> None:
    for row in figure_rows(read(recorded)):
        assert row.source, row
        assert row.value, row


def test_borrowed_memory_is_never_counted_as_a_devices_own(recorded: Any) -> None:
    for gpu in read(recorded).gpus:
        if gpu.kind == "discrete":
            assert gpu.memory_shared == 0
        assert gpu.memory_free <= gpu.memory_total


def test_a_failing_probe_costs_only_its_own_figures(
    recording: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(environment: object) -> Reading:
        raise ZeroDivisionError("a fault of ours")

    environment = recording("nvidia-rtx-3060")
    whole = read(environment)
    for place, probe in enumerate(PROBES):
        changed = (*PROBES[:place], Probe(probe.name, probe.doing, broken), *PROBES[place + 1 :])
        monkeypatch.setattr(machine_module, "PROBES", changed)
        machine = read(environment)
        assert "a fault of ours" in machine.unread[probe.name]
        assert machine.memory.total == (0 if probe.name == "memory" else whole.memory.total)
        assert machine.cpu.name == ("" if probe.name == "processor" else whole.cpu.name)
    assert "ZeroDivisionError" in caplog.text


def test_progress_is_said_before_each_probe(recording: Any) -> None:
    environment, heard = recording("apple-m1"), []
    read_machine("", environment=environment, say=lambda done, total, doing: heard.append((done, total, doing)))
    assert heard == [(number, len(PROBES), probe.doing) for number, probe in enumerate(PROBES)]


def test_a_devices_second_description_is_dropped_and_later_ones_renumbered() -> None:
    first = Reading(gpus=(Gpu("GeForce", "discrete", pci_id="0000:01:00.0"),), sources={"gpus.0.name": "driver"})
    second = Reading(
        gpus=(Gpu("GP104", "discrete", pci_id="0000:01:00.0"), Gpu("Iris", "integrated", pci_id="0000:00:02.0")),
        sources={"gpus.0.name": "kernel", "gpus.1.name": "kernel"},
    )
    machine = combined("linux", [first, second])
    assert [gpu.name for gpu in machine.gpus] == ["GeForce", "Iris"]
    assert machine.sources == {"gpus.0.name": "driver", "gpus.1.name": "kernel"}


def test_two_equal_cards_without_addresses_stay_two() -> None:
    twins = Reading(gpus=(Gpu("Arc A770", "discrete"), Gpu("Arc A770", "discrete")))
    assert len(combined("windows", [twins]).gpus) == 2


def test_a_limit_is_respected_where_the_total_is_unknown() -> None:
    machine = combined("linux", [Reading(limit=ContainerLimit(memory=2**30, memory_free=2**29))])
    assert (machine.memory.total, machine.memory.available) == (2**30, 2**29)


def test_this_computer_is_read_without_measuring(tmp_path: Any) -> None:
    machine = read_machine(str(tmp_path / "not" / "there" / "yet"), measure_bandwidth=False)
    assert machine.memory.total > machine.memory.available > 0
    assert machine.cpu.threads >= machine.cpu.cores >= 1
    assert machine.disks[0].path == str(tmp_path / "not" / "there" / "yet")
    assert machine.unread["memory.bandwidth"] == "it was not asked for"
    assert machine_line(machine)


def test_a_good_probe_is_read_unchanged(recording: Any) -> None:
    probe = next(probe for probe in PROBES if probe.name == "memory")
    environment = recording("wsl")
    assert read_safely(probe, environment) == probe.read(environment)
