"""The catalogue: complete, honest, and close to real files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from snug.core.architectures import ARCHITECTURES
from snug.core.catalogue import CatalogueEntry, facts_entry_from_document, facts_of, load_catalogue, of_size
from snug.core.errors import UserError
from snug.core.fit import FitSettings
from snug.core.memory_fit import fit
from snug.core.quantisation import FILE_TYPES, file_type_named, group_of
from tests.core.machines import machine

CATALOGUE = Path(__file__).parents[2] / "resources" / "catalogue" / "models.json"
ENTRIES = {entry.key: entry for entry in load_catalogue(CATALOGUE)}


def test_about_forty_models_by_many_makers() -> None:
    assert 40 <= len(ENTRIES) <= 60
    assert len({entry.maker for entry in ENTRIES.values()}) >= 10
    assert json.loads(CATALOGUE.read_text("utf-8"))["source"]


def test_every_row_states_the_models_width_and_vocabulary() -> None:
    rows = json.loads(CATALOGUE.read_text("utf-8"))["models"]
    assert all(row["hidden"] > 0 and row["vocab"] > 0 for row in rows)


def test_a_width_that_nobody_stated_is_near_the_real_one() -> None:
    """Figures without `hidden` and `vocab` must not count as a model without a working memory."""
    rows = json.loads(CATALOGUE.read_text("utf-8"))["models"]
    for row in rows:
        if row["architecture"] not in ("llama", "mistral3", "qwen3", "gemma3", "phi3", "olmo3", "smollm3", "granite"):
            continue
        stated = facts_entry_from_document(row)
        unknown = facts_entry_from_document({**row, "hidden": None, "vocab": None})
        assert 0.7 < unknown.hidden / stated.hidden < 1.4, row["key"]
        whole, guessed = (fit(facts_of(one, "Q4_K_M"), FitSettings(8192), machine(128)) for one in (stated, unknown))
        assert guessed.memory.total == pytest.approx(whole.memory.total, rel=0.12), row["key"]


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_an_entry_says_all_that_a_card_shows(entry: CatalogueEntry) -> None:
    assert entry.name
    assert entry.summary.endswith(".")
    assert entry.gguf_repos
    assert entry.good_for
    assert entry.licence_words
    assert entry.released
    assert entry.architecture in ARCHITECTURES


@pytest.mark.parametrize(
    ("key", "file_type", "gigabytes"),
    [
        # sizes of published files, in decimal gigabytes
        ("qwen3-8b", "Q4_K_M", 5.03),
        ("llama-3.1-8b-instruct", "Q4_K_M", 4.92),
        ("llama-3.1-8b-instruct", "Q8_0", 8.54),
        ("llama-3.2-1b-instruct", "Q8_0", 1.32),
        ("llama-3.3-70b-instruct", "Q4_K_M", 42.5),
        ("qwen3-14b", "Q4_K_M", 9.0),
        ("gemma-3-4b-it", "Q8_0", 4.13),
        ("gemma-3-12b-it", "Q4_K_M", 7.3),
        ("phi-4", "Q4_K_M", 8.9),
        ("gpt-oss-20b", "Q8_0", 12.1),
    ],
)
def test_the_estimated_size_is_within_five_per_cent_of_the_published_file(
    key: str, file_type: str, gigabytes: float
) -> None:
    assert facts_of(ENTRIES[key], file_type).file_bytes / 1e9 == pytest.approx(gigabytes, rel=0.05)


@pytest.mark.parametrize("file_type", [kind.name for kind in FILE_TYPES])
def test_estimated_figures_agree_with_each_other(file_type: str) -> None:
    for entry in ENTRIES.values():
        facts = facts_of(entry, file_type)
        parts = facts.input_embedding_bytes + facts.lookup_bytes + facts.output_bytes
        assert 0 < parts < facts.weight_bytes
        assert sum(facts.tensor_bytes_by_type.values()) == facts.weight_bytes
        assert len(facts.kv_heads) == len(facts.head_dims_k) == len(facts.windows) == facts.layers
        assert not facts.exact


def test_a_hybrid_remembers_in_few_of_its_layers() -> None:
    facts = facts_of(ENTRIES["qwen3.5-9b"], "Q4_K_M")
    assert sum(1 for heads in facts.kv_heads if heads) == facts.layers // 4
    assert facts.recurrent_state_bytes > 0


def test_a_sliding_window_counts_in_five_of_six_layers_of_gemma_3() -> None:
    facts = facts_of(ENTRIES["gemma-3-12b-it"], "Q4_K_M")
    assert sum(1 for window in facts.windows if window) == 40


@pytest.mark.parametrize(
    ("name", "canonical"),
    [("q4_k_m", "Q4_K_M"), ("UD-Q4_K_XL", "Q4_K_M"), ("Q6_K_L", "Q6_K"), ("MXFP4_MOE", "MXFP4"), ("Q8_K_XL", "Q8_0")],
)
def test_variants_of_a_type_count_as_that_type(name: str, canonical: str) -> None:
    kind = file_type_named(name)
    assert kind is not None
    assert kind.name == canonical


def test_an_unknown_type_is_refused_and_the_known_ones_named() -> None:
    with pytest.raises(UserError, match=r"Q9_X.*Q4_K_M") as caught:
        facts_of(ENTRIES["qwen3-8b"], "Q9_X")
    assert caught.value.bad_input
    assert group_of("Q9_X") == "other"


ROW = {"repo": "a/b", "parameters": 10**9, "architecture": "llama", "layers": 16, "kv_heads": 8, "head_dim": 64}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"parameters": 0}, "parameters must be between"),
        ({"parameters": -3}, "parameters must be between"),
        ({"parameters": "many"}, "parameters must be a whole number"),
        ({"parameters": True}, "parameters must be a whole number"),
        ({"layers": 10**9}, "layers must be between"),
        ({"repo": 7}, "repo must be a short text"),
        ({"active_parameters": 10**10}, "active_parameters is more than parameters"),
        ({"gguf_repos": "one"}, "gguf_repos must be a list"),
        ({"good_for": ["cooking"]}, "good_for must name only"),
    ],
)
def test_a_wrong_facts_file_is_refused_with_the_figure_at_fault(change: dict[str, object], words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        facts_entry_from_document(ROW | change)
    assert caught.value.bad_input


@pytest.mark.parametrize("document", [None, [], "text", 7, {}])
def test_a_facts_file_that_is_no_model_is_refused(document: object) -> None:
    with pytest.raises(UserError, match="does not describe a model"):
        facts_entry_from_document(document)


def test_a_facts_file_needs_only_its_figures() -> None:
    entry = facts_entry_from_document(ROW | {"hidden": None, "vocab": None, "active_parameters": None})
    assert entry.name == "b"
    assert facts_of(entry, "Q4_K_M").weight_bytes == pytest.approx(10**9 * 4.83 / 8 * 1.0, rel=0.2)


def test_a_damaged_catalogue_is_told_and_not_a_traceback(tmp_path: Path) -> None:
    for text in ("", "[]", '{"models": [{}]}', "{" * 100_000, '{"models": 7}'):
        (tmp_path / "models.json").write_text(text, "utf-8")
        with pytest.raises(UserError, match="list of models"):
            load_catalogue(tmp_path / "models.json")


def test_a_known_file_size_moves_every_part_of_the_estimate_alike() -> None:
    estimate = facts_of(ENTRIES["qwen3.5-4b"], "Q4_K_M")
    smaller = of_size(estimate, estimate.file_bytes // 2)
    assert smaller.file_bytes == estimate.file_bytes // 2
    assert smaller.weight_bytes == pytest.approx(estimate.weight_bytes / 2, rel=1e-6)
    assert smaller.input_embedding_bytes == pytest.approx(estimate.input_embedding_bytes / 2, rel=1e-6)
    assert sum(smaller.tensor_bytes_by_type.values()) == pytest.approx(smaller.weight_bytes, rel=1e-6)
    here = machine(32)
    before, after = fit(estimate, FitSettings(), here).speed, fit(smaller, FitSettings(), here).speed
    assert before is not None
    assert after is not None
    assert after.mid > 1.2 * before.mid
