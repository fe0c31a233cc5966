"""`snug bench quantise`: what it prints, and words where something is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from snug import cli
from snug.paths import Paths


def test_the_document_holds_rates_ratios_and_errors(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ["bench", "quantise", "--types", "Q4_K", "--rows", "8", "--runs", "1", "--json"]
    assert cli.run(arguments, Paths(tmp_path)) == 0
    document = json.loads(capfd.readouterr().out)
    assert document["processor"]
    plain, weighted = document["results"]
    assert (plain["importance"], weighted["importance"]) == (False, True)
    assert plain["own_rate"] > 0 < plain["ggml_rate"]
    assert set(plain["error_ratio"]) == {"gaussian", "laplace", "outliers"}


@pytest.mark.parametrize("arguments", [["--types", "Q4_Z"], ["--rows", "0"], ["--runs", "0"], ["--threads", "0"]])
def test_bad_arguments_are_told_in_words(
    arguments: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["bench", "quantise", *arguments], Paths(tmp_path)) == 2
    assert capfd.readouterr().err.count("\n") == 1
