"""Conversions that read a text first: the original in 16 bits beside the result, and nothing of it left at the end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from gguf import GGUFReader

from snug.convert.better_bits.improve import read_chunks
from snug.convert.better_bits.options import BetterBits
from snug.convert.better_conversion import Better, Wish, convert_better, forget_work, working_folder
from snug.convert.calibration_text import NEUTRAL, calibration_texts
from snug.convert.conversion import Report, Settings, convert
from snug.convert.open_source import open_local
from snug.convert.pipeline import Stopped
from snug.core.errors import UserError
from snug.formats.random_checkpoint import TINY, write_checkpoint
from snug.paths import resources_folder

PIP = resources_folder() / "models" / "pip" / "pip-7m-Q8_0.gguf"
TEXT = calibration_texts(NEUTRAL)[-1][:12_000]
IMPORTANCE = BetterBits(importance=True, feedback=False, scaling=False)


def better(out: Path, wish: Wish, stop_at: str = "") -> Better:
    reports: list[Report] = []
    with open_local(PIP) as source:
        return convert_better(
            source,
            out,
            wish,
            1,
            on_progress=reports.append,
            is_cancelled=lambda: bool(stop_at and reports and reports[-1].stage == stop_at),
        )


def test_a_text_changes_the_rounding_and_not_the_size(tmp_path: Path) -> None:
    out = tmp_path / "out.gguf"
    made = better(out, Wish("Q4_K_M", 0, [TEXT], IMPORTANCE, "neutral"))
    with open_local(PIP) as source:
        plain = convert(
            source, tmp_path / "plain.gguf", Settings("Q4_K_M"), on_progress=lambda _: None, is_cancelled=lambda: False
        )
    before = {tensor.name: tensor for tensor in GGUFReader(plain.path).tensors}
    file = GGUFReader(out)
    changed = [tensor.name for tensor in file.tensors if tensor.data.tobytes() != before[tensor.name].data.tobytes()]
    assert len(changed) > 30
    assert all(tensor.tensor_type == before[tensor.name].tensor_type for tensor in file.tensors)
    assert file.fields["quantize.imatrix.dataset"].contents() == "neutral"
    assert file.fields["quantize.imatrix.chunks_count"].contents() == len(made.chunks)
    assert made.original.is_relative_to(working_folder(out))
    forget_work(out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.gguf", "plain.gguf"]


def test_a_stop_while_the_text_is_read_keeps_the_original_for_the_next_time(tmp_path: Path) -> None:
    out = tmp_path / "out.gguf"
    wish = Wish("Q4_K_M", 0, [TEXT], IMPORTANCE)
    with pytest.raises(Stopped):
        better(out, wish, stop_at="calibrating")
    (original,) = working_folder(out).glob("original-*.gguf")
    made_at = original.stat().st_mtime_ns
    assert not out.exists()
    better(out, wish)
    assert original.stat().st_mtime_ns == made_at


def test_a_vocabulary_that_lacks_most_characters_reads_the_neutral_text(tmp_path: Path) -> None:
    folder, out = write_checkpoint(tmp_path / "checkpoint", TINY), tmp_path / "tiny.gguf"
    with open_local(folder) as source:
        convert(source, out, Settings("F16"), on_progress=lambda _: None, is_cancelled=lambda: False)
    assert len(read_chunks(out, calibration_texts(NEUTRAL))) > 20


def test_too_little_text_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        better(tmp_path / "out.gguf", Wish("Q4_K_M", 0, ["Hello."], IMPORTANCE))
    assert caught.value.kind == "too-little-text"
    assert not (tmp_path / "out.gguf").exists()


def test_a_size_that_no_choice_can_meet_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        better(tmp_path / "out.gguf", Wish("", 700_000, [TEXT], BetterBits(mix=True, budget_bytes=700_000)))
    assert caught.value.kind == "budget-too-small"


@pytest.mark.skipif(not os.environ.get("SNUG_FULL_TESTS"), reason="measures every tensor: packaging/dev.py test --full")
@pytest.mark.parametrize("budget", [3_300_000, 4_200_000, 5_500_000])
def test_a_budget_is_never_exceeded_and_nearly_all_of_it_used(budget: int, tmp_path: Path) -> None:
    options = BetterBits(importance=True, feedback=False, scaling=False, mix=True, budget_bytes=budget)
    made = better(tmp_path / "out.gguf", Wish("", budget, [TEXT], options))
    assert 0.97 * budget <= made.result.size_bytes <= budget


def test_a_text_that_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        calibration_texts(str(tmp_path / "nothing.txt"))
    assert caught.value.bad_input
