"""Better bits on Pip: importance and feedback lower the divergence on text that they never read, budgets are kept."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from snug.convert.better_bits.improve import Work, conversations_in, improve, read_chunks, room_for
from snug.convert.better_bits.inputs import collect_inputs
from snug.convert.better_bits.options import BetterBits, Improved, options_of
from snug.convert.better_bits.rounding import Rounder
from snug.convert.conversion import Settings, convert, prepare
from snug.convert.gguf_source import GgufSource
from snug.convert.plan import ModelPlan
from snug.core.errors import UserError
from snug.engine.calibration import Calibration, importance_of
from snug.engine.text_reader import ReadingStopped, Tokens
from snug.measure.measuring import measure_divergence
from snug.paths import resources_folder

PIP = resources_folder() / "models" / "pip" / "pip-7m-Q8_0.gguf"
DATA = Path(__file__).parents[2] / "data" / "measure"
FEW = ("blk.0.", "blk.3.attn")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("original") / "pip-F16.gguf"
    with GgufSource(PIP) as source:
        convert(source, path, Settings("F16"), on_progress=lambda report: None, is_cancelled=lambda: False)
    return path


@pytest.fixture(scope="module")
def chunks(original: Path) -> list[Tokens]:
    return read_chunks(original, [(DATA / "calibration.txt").read_text(encoding="utf-8")])[:12]


def _types(path: Path, mix: str) -> Mapping[str, str]:
    with GgufSource(path) as source:
        return prepare(source, Settings(mix)).types


def _make(
    original: Path,
    chunks: list[Tokens],
    out: Path,
    options: BetterBits | None,
    only: tuple[str, ...] = ("",),
) -> tuple[int, float]:
    """The size of a Q3_K_M file, and its divergence on text that was not read; `only` tensors so named are improved."""
    with GgufSource(original) as source:
        settings = Settings("Q3_K_M")
        if options is not None:
            types = prepare(source, settings).types
            tensors = tuple(tensor for tensor in source.tensors if tensor.name.startswith(only))
            plan = ModelPlan(source.architecture, (), tensors)
            found = improve(plan, Work(original, out.with_suffix(".work")), chunks, options, types)
            settings = Settings(found.types, quantiser=found.quantiser, quantiser_key=repr(options))
        convert(source, out, settings, on_progress=lambda report: None, is_cancelled=lambda: False)
    text = (DATA / "heldout.txt").read_text(encoding="utf-8")
    return out.stat().st_size, measure_divergence(out, original, text, most_tokens=2048).kl_mean


def test_importance_then_feedback_lower_the_divergence(original: Path, chunks: list[Tokens], tmp_path: Path) -> None:
    _, plain = _make(original, chunks, tmp_path / "plain.gguf", None)
    _, weighted = _make(original, chunks, tmp_path / "w.gguf", BetterBits(feedback=False, scaling=False))
    _, fed = _make(original, chunks, tmp_path / "f.gguf", BetterBits(scaling=False))
    assert weighted <= 0.95 * plain
    assert fed <= 0.7 * plain


def test_a_mix_takes_the_same_room_and_loses_less(original: Path, chunks: list[Tokens], tmp_path: Path) -> None:
    is_full = os.environ.get("SNUG_FULL_TESTS") == "1"
    only = ("",) if is_full else ("blk.0.", "blk.1.attn")
    size, fed = _make(original, chunks[:6], tmp_path / "f.gguf", BetterBits(scaling=False), only)
    mixed_size, mixed = _make(original, chunks[:6], tmp_path / "m.gguf", BetterBits(scaling=False, mix=True), only)
    assert 0.97 * size <= mixed_size <= size
    assert mixed < (0.8 if is_full else 1.0) * fed


def test_feedback_is_never_worse_for_a_tensor_than_what_it_replaces(
    original: Path, chunks: list[Tokens], tmp_path: Path
) -> None:
    inputs = collect_inputs(original, chunks, tmp_path / "t", wants_products=lambda name: name.startswith(FEW))
    importance = importance_of(Calibration(squares=inputs.squares))
    all_ways = Rounder(BetterBits(), importance, inputs)
    plain, weighted = Rounder(BetterBits(), {}, None), Rounder(BetterBits(), importance, None)
    with GgufSource(original) as source:
        for tensor in source.tensors:
            known = inputs.find(tensor.name)
            if known is None:
                continue
            rows = tensor.read_rows(0, tensor.rows)
            assert known.samples is not None

            def error(rounder: Rounder) -> float:
                rounded = rounder.round(tensor.name, tensor.shape, rows, "Q3_K")  # noqa: B023 - called at once
                return float(np.square((rows - rounded.values) @ known.samples.T).sum())  # noqa: B023 - called at once

            assert error(all_ways) <= min(error(plain), error(weighted)) * 1.0001
    assert sum(inputs.find(f"blk.0.{part}.weight") is not None for part in ("attn_q", "ffn_up", "ffn_down")) == 3


def test_rows_in_parts_are_the_same_bytes(original: Path, chunks: list[Tokens], tmp_path: Path) -> None:
    inputs = collect_inputs(
        original, chunks[:6], tmp_path / "t", wants_products=lambda name: name == "blk.0.ffn_up.weight"
    )
    with GgufSource(original) as source:
        tensor = next(tensor for tensor in source.tensors if tensor.name == "blk.0.ffn_up.weight")
        rows = tensor.read_rows(0, 64)
        rounder = Rounder(BetterBits(), {}, inputs)
        halves = rounder.quantise(tensor, rows[:32], "Q4_K", 0) + rounder.quantise(tensor, rows[32:], "Q4_K", 32)
        assert rounder.quantise(tensor, rows, "Q4_K", 0) == halves


def test_tables_that_lack_memory_are_collected_in_several_passes(
    original: Path, chunks: list[Tokens], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = {f"blk.{layer}.{part}.weight" for layer in (0, 5) for part in ("attn_q", "attn_k", "ffn_down", "ffn_up")}
    whole = collect_inputs(original, chunks[:6], tmp_path / "one", wants_products=wanted.__contains__)
    monkeypatch.setattr("snug.convert.better_bits.inputs._room_for_tables", lambda model: 1_000_000)
    parts = collect_inputs(original, chunks[:6], tmp_path / "many", wants_products=wanted.__contains__)
    assert set(whole.squares) == set(parts.squares)
    for name in wanted:
        one, other = whole.find(name), parts.find(name)
        assert one is not None
        assert other is not None
        assert one.count == other.count
        assert np.array_equal(one.samples, other.samples)  # type: ignore[arg-type]
        for first, second in zip(one.unscaled_tables(), other.unscaled_tables(), strict=True):
            assert np.array_equal(first, second)


def test_a_budget_that_is_too_small_is_told_in_words(original: Path) -> None:
    with GgufSource(original) as source:
        prepared = prepare(source, Settings("Q2_K"))
        plan = ModelPlan(source.architecture, (), source.tensors)
        with pytest.raises(UserError) as told:
            room_for(prepared.layout.file_bytes, 100_000, plan, prepared.types)
    assert told.value.kind == "budget-too-small"


def test_stopping_leaves_nothing_behind(original: Path, chunks: list[Tokens], tmp_path: Path) -> None:
    with GgufSource(original) as source:
        plan = ModelPlan(source.architecture, (), source.tensors)
        work = Work(original, tmp_path / "work", is_cancelled=lambda: True)
        with pytest.raises(ReadingStopped):
            improve(plan, work, chunks, BetterBits(), _types(original, "Q4_K_M"))
    assert not (tmp_path / "work").exists()


def test_too_little_text_is_told_in_words(original: Path) -> None:
    with pytest.raises(UserError) as told:
        read_chunks(original, ["A few words."])
    assert told.value.kind == "too-little-text"


def test_the_neutral_text_holds_conversations_that_are_spoken_in_the_models_own_form(original: Path) -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted((resources_folder() / "calibration").glob("*.txt"))]
    assert sum(len(conversations_in(text)) for text in texts) >= 20
    talk = read_chunks(original, [text for text in texts if conversations_in(text)])
    assert (np.concatenate(talk) == 1).sum() > 20  # Pip's token 1 is <|im_start|>
    assert sum(len(text.encode()) for text in texts) > 30_000


def test_methods_are_known_by_name() -> None:
    assert options_of(["importance", "feedback"]) == BetterBits(scaling=False)
    assert options_of([], 4_000_000_000).mix
    with pytest.raises(UserError):
        options_of(["magic"])
    assert isinstance(Improved(ModelPlan("llama", (), ()), {}).importance, dict)
