"""The download queue outlives the window."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from snug.core.errors import UserError
from snug.core.machine import Cpu, Gpu, Machine, Memory
from snug.core.model_facts import ModelFacts
from snug.store import NewDownload, NewModel, RemoteFileRow, Store

FILES = (RemoteFileRow("a-00001-of-00002.gguf", 100, "ab" * 32), RemoteFileRow("a-00002-of-00002.gguf", 50, "cd" * 32))


def queued(store: Store, facts: ModelFacts | None = None) -> int:
    return store.downloads.add(NewDownload("A model", "maker/a", "main", FILES, "/models", True, facts)).id


def test_a_download_is_there_after_a_restart(opened: Callable[[], Store], facts: ModelFacts) -> None:
    number = queued(opened(), facts)
    (row,) = opened().downloads.all()
    assert (row.id, row.files, row.total_bytes, row.state, row.then_chat) == (number, FILES, 150, "queued", True)
    assert row.facts == facts


def test_a_running_download_waits_in_the_queue_after_a_restart(opened: Callable[[], Store]) -> None:
    store = opened()
    number = queued(store)
    store.downloads.set_state(number, "running", done_bytes=70)
    row = opened().downloads.get(number)
    assert row is not None
    assert (row.state, row.done_bytes) == ("queued", 70)


def test_what_is_arriving_is_known_by_its_repository(store: Store) -> None:
    number = queued(store)
    assert store.downloads.arriving() == frozenset()
    store.downloads.set_state(number, "paused", done_bytes=70)
    row = store.downloads.get(number)
    assert row is not None
    assert store.downloads.arriving() == {row.repo.casefold()}
    store.downloads.finish(number, None)
    assert store.downloads.arriving() == frozenset()


def test_why_a_download_failed_is_kept_until_it_runs_again(store: Store) -> None:
    number = queued(store)
    store.downloads.set_state(number, "failed", error=UserError("No internet.", "Check the cable.", kind="no-network"))
    row = store.downloads.get(number)
    assert row is not None
    assert (row.error_title, row.error_advice, row.error_kind) == ("No internet.", "Check the cable.", "no-network")
    store.downloads.set_state(number, "running")
    assert store.downloads.all()[0].error_title == ""


def test_a_finished_download_leads_to_its_model(store: Store, model_file: Callable[..., NewModel]) -> None:
    number = queued(store)
    model = store.models.add(model_file("one"))
    store.downloads.record_progress(number, 149)
    store.downloads.finish(number, model.id)
    (row,) = store.downloads.all()
    assert (row.state, row.done_bytes, row.model_id) == ("done", 150, model.id)
    assert row.finished_at is not None
    store.downloads.remove(number)
    assert store.downloads.all() == []


def test_a_download_that_is_gone_is_told_in_words(store: Store) -> None:
    with pytest.raises(UserError):
        store.downloads.set_state(5, "paused")


def test_the_last_reading_of_the_computer_is_remembered(opened: Callable[[], Store]) -> None:
    reading = Machine(
        os="linux",
        cpu=Cpu("A processor", 8, 16, ("avx2",)),
        memory=Memory(2**34, 2**33, 5e10),
        gpus=(Gpu("A card", "discrete", 2**33, 2**32),),
        sources={"memory.total": "/proc/meminfo"},
    )
    store = opened()
    assert store.machine.last() is None
    store.machine.remember(reading)
    store.machine.set_correction("memory.bandwidth", 6e10)
    store = opened()
    assert store.machine.last() == reading
    assert store.machine.corrections() == {"memory.bandwidth": 6e10}
    store.machine.set_correction("memory.bandwidth", None)
    assert opened().machine.corrections() == {}


def test_a_reading_that_cannot_be_read_any_more_is_none(store: Store) -> None:
    store.machine.remember(Machine())
    store.database.raw.execute("UPDATE machine SET value = '{\"cpu\": 7}'")
    assert store.machine.last() is None
