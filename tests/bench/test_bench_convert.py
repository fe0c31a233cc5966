"""`snug bench convert`: what it prints, and words where something is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from snug import cli
from snug.paths import Paths


def test_the_document_holds_what_a_conversion_took(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["bench", "convert", "--tiny", "--threads", "1", "--json"], Paths(tmp_path)) == 0
    document = json.loads(capfd.readouterr().out)
    assert document["processor"]
    assert document["reference"] is None
    assert document["snug"]["seconds"] > 0
    assert 10_000_000 < document["snug"]["memory_bytes"] < 400_000_000
    assert document["snug"]["temporary_bytes"] == 0


def test_tools_that_are_not_there_are_told_in_words(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["bench", "convert", "--reference", str(tmp_path)], Paths(tmp_path)) == 2
    assert capfd.readouterr().err.count("\n") == 1
