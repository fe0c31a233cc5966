"""What the reader knows of this computer, from the store alone: the last reading, and what its chats taught."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from snug.core.catalogue import facts_of, load_catalogue
from snug.core.fit import FitSettings
from snug.core.machine import Disk
from snug.core.memory_fit import fit
from snug.paths import Paths, resources_folder
from snug.store import NewModel, Store, open_store
from snug.ui.children import Children
from snug.ui.machine_reader import MachineReader
from snug.worker import protocol
from tests.core.machines import machine

CATALOGUE = load_catalogue(resources_folder() / "catalogue" / "models.json")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened, _ = open_store(Paths(tmp_path))
    opened.machine.remember(machine(32))
    yield opened
    opened.close()


def reader_of(store: Store, home: Path) -> MachineReader:
    return MachineReader(store, Children(home), str)


def test_a_slow_chat_with_one_model_lowers_the_estimate_of_another(store: Store, tmp_path: Path) -> None:
    chatted, other = (facts_of(entry, "Q4_K_M") for entry in CATALOGUE[:2])
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    model = store.models.add(NewModel(name="Chatted", path=str(tmp_path / "model.gguf"), facts=chatted))
    before = reader_of(store, tmp_path).known()
    expected = fit(chatted, FitSettings(), before).speed
    assert expected is not None
    store.models.record_speed(model.id, expected.mid / 2)
    after = reader_of(store, tmp_path).known()
    lowered, first = (fit(other, FitSettings(), each).speed for each in (after, before))
    assert lowered is not None
    assert first is not None
    assert lowered.mid < 0.8 * first.mid


def test_what_chats_taught_is_not_kept_as_part_of_a_reading(store: Store, tmp_path: Path) -> None:
    assert reader_of(store, tmp_path).known() == store.machine.last() == machine(32)


@pytest.mark.parametrize(("folder", "free"), [("/models", 3_000_000_000), ("/elsewhere", 50_000_000_000)])
def test_the_persons_figure_of_a_disk_goes_with_its_folder(
    store: Store, tmp_path: Path, folder: str, free: int
) -> None:
    def read(path: str) -> protocol.MachineRead:
        return protocol.MachineRead(machine=replace(machine(32), disks=(Disk(path, 50_000_000_000, 10**11),)))

    reader = reader_of(store, tmp_path)
    reader._on_event(0, read("/models"))
    reader.correct("disks./models", 3.0)
    reader._on_event(0, read(folder))
    assert reader.known().disks[0].free == free
