"""`snug measure` and `snug bench bits`: real runs on Pip, and words where something is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from snug import cli
from snug.paths import Paths, resources_folder
from snug.store.divergences import Divergences

PIP = resources_folder() / "models" / "pip" / "pip-7m-Q8_0.gguf"
DATA = Path(__file__).parents[1] / "data" / "measure"


def test_pip_against_itself_is_the_same_a_thousand_times_in_a_thousand(
    home: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text('{"question": "What is the capital of France?", "answer": "Paris", "kind": "capital"}\n')
    arguments = ["measure", "pip", "--against", str(PIP), "--text", str(DATA / "heldout.txt"), "--tokens", "1024"]
    assert cli.run([*arguments, "--questions", str(questions)], Paths(home)) == 0
    said = capfd.readouterr().out
    assert "1000 times in 1,000" in said
    assert "Questions answered right: 1 of 1" in said


def test_perplexity_alone_is_one_json_document(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ["measure", "pip", "--text", str(DATA / "heldout.txt"), "--tokens", "1024", "--json"]
    assert cli.run(arguments, Paths(home)) == 0
    measured = json.loads(capfd.readouterr().out)["measured"]
    assert 30 < measured["perplexity"] < 90
    assert measured["kl_mean"] == -1
    assert measured["tokens"] == 2 * 255


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["measure", "pip", "--text", "/nowhere.txt"], "no file"),
        (["measure", "/nowhere.gguf", "--text", str(DATA / "heldout.txt")], "no file"),
        (["measure", "pip", "--text", str(DATA / "heldout.txt"), "--context", "7"], "out of range"),
        (["measure", str(DATA / "pip-imatrix.gguf"), "--text", str(DATA / "heldout.txt")], ""),
        (["bench", "bits", "--text", "/nowhere.txt"], "no file"),
        (["bench", "bits", "--text", str(DATA / "heldout.txt"), "--budgets", "0"], "out of range"),
    ],
)
def test_what_cannot_be_measured_is_told_in_one_line(
    home: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert cli.run(arguments, Paths(home)) in (1, 2)
    said = capfd.readouterr().err
    assert words in said
    assert "Traceback" not in said
    assert said.count("\n") == 1


def test_a_row_of_the_bench_is_a_file_that_was_made_and_judged(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ["bench", "bits", "pip", "--text", str(DATA / "heldout.txt"), "--mixes", "Q4_K_M", "--methods", "plain"]
    assert cli.run([*arguments, "--tokens", "1024", "--json"], Paths(home)) == 0
    (row,) = json.loads(capfd.readouterr().out)["rows"]
    assert row["method"] == "plain"
    assert 0.005 < row["kl_mean"] < 0.05
    assert 4_000_000 < row["size_bytes"] < 5_000_000


def test_what_was_measured_against_the_original_is_kept_for_recommendations(
    home: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    original, made = tmp_path / "original.gguf", tmp_path / "Qwen3.5-9B-Q4_0.gguf"
    for out, kind in ((original, "F16"), (made, "Q4_0")):
        assert cli.run(["convert", str(PIP), "--to", kind, "--out", str(out), "--no-check"], Paths(home)) == 0
    arguments = ["measure", str(made), "--text", str(DATA / "heldout.txt"), "--tokens", "2600", "--against"]
    assert cli.run([*arguments, str(PIP)], Paths(home)) == 0
    assert Divergences(home).known() == {}  # Q8_0 is no original
    assert cli.run([*arguments, str(original)], Paths(home)) == 0
    ((key, nats),) = Divergences(home).known().items()
    assert key == ("qwen3.5-9b", "Q4_0")
    assert 0 < nats < 1
