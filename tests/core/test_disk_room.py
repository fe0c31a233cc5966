"""A model is picked only where its file has room on the disk, and who lacks room is told how much."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snug.core.candidates import candidate_of
from snug.core.catalogue import facts_of, load_catalogue
from snug.core.disk_room import lacking_on_disk, lacking_words, needed_on_disk, with_disk_room
from snug.core.known_files import KnownFile, file_key
from snug.core.machine import Disk, Machine
from snug.core.recommend import nothing_fits_words, recommend
from snug.core.what_changes import changes, model_changes, variants
from snug.hub.patience import DEFAULT_PLAN
from tests.core.machines import card, machine

CATALOGUE = load_catalogue(Path(__file__).parents[2] / "resources" / "catalogue" / "models.json")
STRONG = machine(64, card("NVIDIA GeForce RTX 4090", 24, 1008e9))
GB = 10**9


class _NothingKnown:
    def planned(self, *_about: object) -> None: ...

    def measured(self, *_about: object) -> None: ...


def with_disk(free_gb: float, computer: Machine = STRONG) -> Machine:
    return replace(computer, disks=(Disk("/models", int(free_gb * GB), 500 * GB),))


def test_what_the_disk_has_no_room_for_is_not_picked() -> None:
    roomy = recommend(CATALOGUE, STRONG)
    assert max(pick.download_bytes for pick in roomy) > 8 * GB
    picks = recommend(CATALOGUE, with_disk(8))
    assert picks
    assert all(not lacking_on_disk(with_disk(8), pick.download_bytes) for pick in picks)
    assert recommend(CATALOGUE, with_disk(400)) == roomy


def test_more_room_on_the_disk_is_named_as_what_would_change_a_pick() -> None:
    tight = with_disk(8)
    picks = recommend(CATALOGUE, tight)
    sentence = changes(CATALOGUE, tight, "chat", picks)[0]
    words, _, rest = sentence.partition(": ")
    assert words == "With 8 GB more room on the disk"
    assert rest.startswith(recommend(CATALOGUE, dict(variants(tight))[words])[0].entry.name)
    assert not any("disk" in words for words, _ in variants(with_disk(400)))
    assert not any("disk" in words for words, _ in variants(STRONG))


def test_a_model_without_room_says_how_much_would_do() -> None:
    entry = next(entry for entry in CATALOGUE if entry.key == "qwen3.5-9b")
    assert candidate_of(entry, with_disk(3)) is None
    assert model_changes(entry, with_disk(3)).startswith("With 8 GB more room on the disk it would fit, in a file of ")


def test_a_file_that_is_here_needs_no_room() -> None:
    entry = next(entry for entry in CATALOGUE if entry.key == "qwen3.5-9b")
    facts = facts_of(entry, "Q4_K_M")
    here = {file_key(entry.gguf_repos[0], "Q4_K_M"): KnownFile(facts, memory=_NothingKnown())}
    found = candidate_of(entry, replace(with_disk(1), known_files=here))
    assert found is not None
    assert found.file_type == "Q4_K_M"
    owned = recommend(CATALOGUE, with_disk(1), here=[(entry.key, "Q4_K_M")])
    assert owned[0].is_here


def test_a_file_that_is_arriving_stays_a_pick_and_no_other_gets_its_room() -> None:
    assert lacking_on_disk(with_disk(5), 10 * GB) == needed_on_disk(10 * GB) - 5 * GB
    entry = next(entry for entry in CATALOGUE if entry.key == "qwen3.5-9b")
    half = replace(with_disk(3), arriving=frozenset({entry.gguf_repos[0].casefold()}))
    assert candidate_of(entry, half) is not None
    other = next(entry for entry in CATALOGUE if entry.key == "gpt-oss-20b")
    assert candidate_of(other, half) is None


def test_a_model_that_lacks_much_room_says_how_much() -> None:
    entry = next(entry for entry in CATALOGUE if entry.key == "gpt-oss-120b")
    large = with_disk(5, machine(256, bandwidth=200e9))
    assert candidate_of(entry, with_disk(400, large)) is not None
    assert "GB more room on the disk it would fit, and write" in model_changes(entry, large)


def test_the_sentence_is_the_one_that_the_download_would_give() -> None:
    spare = int(10 * GB * (1 + DEFAULT_PLAN.spare_share)) + DEFAULT_PLAN.spare_bytes
    assert needed_on_disk(10 * GB) == spare
    assert lacking_words(with_disk(5), 10 * GB) == (
        "The disk for models has 5.0 GB free; with a little to spare, this file needs 12 GB. "
        "Free 6.6 GB there, or choose a folder on another disk in Settings."
    )
    assert lacking_words(with_disk(400), 10 * GB) == lacking_words(STRONG, 10 * GB) == ""


def test_a_full_disk_says_so() -> None:
    full = with_disk(0.1)
    assert recommend(CATALOGUE, full) == ()
    words = nothing_fits_words(CATALOGUE, full)
    assert words.startswith("No model has room: even the smallest,")
    assert "The disk for models has 100 MB free" in words


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 200), st.floats(0, 200))
def test_more_room_never_makes_the_first_pick_worse(free: float, more: float) -> None:
    small, large = recommend(CATALOGUE, with_disk(free)), recommend(CATALOGUE, with_disk(free + more))
    if small:
        assert large[0].value >= small[0].value


@pytest.mark.parametrize("more", [None, 5 * GB])
def test_a_machine_whose_disk_is_not_known_stays_as_it_is(more: int | None) -> None:
    assert with_disk_room(STRONG, more) == STRONG
