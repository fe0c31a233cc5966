"""The offer of sizes, the memory of what was begun, and the texts that a conversion may read."""

from __future__ import annotations

from pathlib import Path

import pytest

from snug.core.errors import UserError
from snug.core.machine import Machine, Memory
from snug.core.model_facts import ModelFacts
from snug.paths import Paths
from snug.store import open_store
from snug.store.file_quality import FileQuality
from snug.ui import make_it_fit_words as words
from snug.ui.conversion_offer import Offer
from snug.ui.conversion_problem import ConversionProblem
from snug.ui.own_texts import OwnTexts
from snug.ui.unfinished_conversion import Unfinished, forget_unfinished, keep_unfinished, read_unfinished
from snug.worker.conversion_messages import ConversionChoice, ConversionPreviewed

GB = 10**9
SIZES = {"Q2_K": 1.6, "Q3_K_M": 2.0, "Q4_K_M": 2.5, "Q6_K": 3.3, "Q8_0": 4.3, "BF16": 8.1}
CHANGED = {"Q2_K": 60, "Q3_K_M": 25, "Q4_K_M": 8, "Q6_K": 2, "Q8_0": 0.6, "BF16": 0}


def machine(gigabytes: float) -> Machine:
    return Machine(memory=Memory(total=round(gigabytes * GB), available=round(gigabytes * GB), bandwidth=40e9))


def preview() -> ConversionPreviewed:
    choices = [
        ConversionChoice(
            type_name=name,
            size_bytes=round(size * GB),
            facts=ModelFacts(
                name="Test", architecture="llama", file_type=name, parameters=4 * GB, weight_bytes=round(size * GB),
                layers=32, embedding_length=2560, vocabulary=32000, context_max=32768, attention_heads=32,
                kv_heads=(8,) * 32, head_dims_k=(80,) * 32, head_dims_v=(80,) * 32, file_bytes=round(size * GB),
            ),
            seconds=180,
            words_changed=CHANGED[name],
        )
        for name, size in SIZES.items()
    ]  # fmt: skip
    return ConversionPreviewed(
        title="Test", sentence="", kind="plain", parameters=4 * GB, stored_bytes=8 * GB, choices=choices,
        original_type="BF16",
    )  # fmt: skip


def test_the_usual_type_is_chosen_where_it_fits_well_and_the_finest_that_does_else() -> None:
    assert Offer(preview(), machine(32), is_weighed=False).chosen.type_name == "Q4_K_M"
    small = Offer(preview(), machine(3.2), is_weighed=False)
    assert small.chosen.size_bytes < 2.5 * GB


def test_what_was_begun_is_chosen_again_with_its_own_size() -> None:
    offer = Offer(preview(), machine(32), is_weighed=False, unfinished="Q6_K")
    assert offer.chosen.type_name == "Q6_K"
    assert offer.is_unfinished
    measured = Offer(
        preview(), machine(32), is_weighed=True, unfinished=words.MADE_TO_MEASURE, unfinished_bytes=2_912_345_678
    )
    assert measured.chosen.size_bytes == 2_912_345_678
    assert measured.is_unfinished


def test_learning_from_a_text_keeps_the_choice() -> None:
    offer = Offer(preview(), machine(32), is_weighed=False)
    offer.index = [choice.type_name for choice in offer.choices].index("Q6_K")
    offer.weigh(True)
    assert offer.chosen.type_name == "Q6_K"
    assert len(offer.fits) == len(offer.choices)


def test_what_was_begun_is_remembered_until_it_is_done(home: Path) -> None:
    store, _ = open_store(Paths(home))
    assert read_unfinished(store.settings) is None
    begun = Unfinished("maker/model", "Q4_K_M", 0, "/models/model-Q4_K_M.gguf")
    keep_unfinished(store.settings, begun)
    store.close()
    store, _ = open_store(Paths(home))
    assert read_unfinished(store.settings) == begun
    forget_unfinished(store.settings)
    assert read_unfinished(store.settings) is None
    store.close()


@pytest.mark.parametrize(
    "kept", ["", "[]", "{", '{"type_name": "Q4_K_M"}', '{"type_name": 1, "size_bytes": "x", "out": 3}']
)
def test_a_damaged_memory_of_it_is_none(kept: str, home: Path) -> None:
    store, _ = open_store(Paths(home))
    store.settings.set("convert.source", "maker/model")
    store.settings.set("convert.unfinished", kept)
    assert read_unfinished(store.settings) is None
    store.close()


def test_a_result_is_measured_on_the_persons_text_or_on_nothing_of_theirs(home: Path) -> None:
    store, _ = open_store(Paths(home))
    texts = OwnTexts(store, home / "cache")
    assert texts.to_measure_on("/mine.txt") == "/mine.txt"
    assert texts.to_measure_on("") == "", "there are no conversations yet"
    assert texts.to_learn_from("neutral", "") == "neutral"
    store.close()


@pytest.mark.parametrize(
    ("kind", "action"),
    [("no-source", ""), ("needs-token", "Open Settings"), ("finished-file", "Show it in Discover"), ("x", "Try again")],
)
def test_each_problem_has_the_button_that_mends_it(kind: str, action: str) -> None:
    problem = ConversionProblem(lambda: "https://hub.example/", lambda: "maker/model")
    problem.show(UserError("No.", "Do.", kind))
    assert problem.property("action") == action
    assert problem.property("pageAddress") == ("https://hub.example/maker/model" if kind == "needs-token" else "")
    problem.show(None)
    assert not problem.is_there


@pytest.mark.parametrize("kept", ["", "{", '{"a": true}', '{"a": 1001}', '{"a": "900"}', '{"a": 12.5}'])
def test_a_files_quality_is_kept_and_a_damaged_one_is_none(kept: str, tmp_path: Path) -> None:
    quality = FileQuality(tmp_path)
    (tmp_path / "measured_files.json").write_text(kept)
    assert quality.words_same("a") is None
    quality.record("a", 987)
    quality.record("b", 1001)
    quality.record("", 5)
    assert FileQuality(tmp_path).words_same("a") == 987
    assert FileQuality(tmp_path).words_same("b") is None
    assert FileQuality(tmp_path).words_same("") is None
