"""The measurements: their arithmetic, a real run of each yardstick, and words where something is wrong."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from snug import cli
from snug.commands import bench_start
from snug.commands.bench_chat import LowLevelLoop
from snug.commands.bench_start import measure_start
from snug.commands.samples import ratio_of_pairs, summary
from snug.core.errors import UserError
from snug.paths import Paths, resources_folder

BARE = [sys.executable, "-P", str(Path(bench_start.__file__).parents[1] / "ui" / "bare_window.py")]
OFFSCREEN = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}


def test_a_summary_is_the_middle_and_the_ends() -> None:
    assert summary([3.0, 1.0, 10.0]) == {"median": 3.0, "low": 1.0, "high": 10.0}


def test_ratios_are_taken_pair_by_pair() -> None:
    # The second pair met a busy computer; both slowed down, and the ratio did not.
    assert ratio_of_pairs([100.0, 50.0], [100.0, 50.0]) == {"median": 1.0, "low": 1.0, "high": 1.0}


def test_a_bare_window_has_a_first_frame_and_memory() -> None:
    start = measure_start(BARE, OFFSCREEN)
    assert 0 < start.first_frame_s < bench_start.FIRST_FRAME_LIMIT_S
    assert start.tree_bytes >= start.window_bytes > 10 << 20


def test_a_window_that_does_not_open_is_told_in_words() -> None:
    with pytest.raises(UserError) as told:
        measure_start([sys.executable, "-c", "print('no window')"], OFFSCREEN)
    assert told.value.kind == "no-window"


def test_the_low_level_loop_writes_with_pip() -> None:
    with LowLevelLoop(str(resources_folder() / "models" / "pip" / "pip-7m-Q8_0.gguf"), 1) as loop:
        assert loop.measure(20, 8) > 0
        assert loop.measure(20, 8) > 0


def test_a_loop_without_a_model_is_told_in_words(tmp_path: Path) -> None:
    with LowLevelLoop(str(tmp_path / "absent.gguf"), 1) as loop, pytest.raises(UserError) as told:
        loop.measure(20, 8)
    assert told.value.kind == "engine-failed"


def test_bench_chat_prints_one_document(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["bench", "chat", "--runs", "2", "--tokens", "16", "--json"], Paths(tmp_path)) == 0
    document = json.loads(capfd.readouterr().out)
    assert document["cpu"]
    assert document["ratio"]["low"] <= document["ratio"]["median"] <= document["ratio"]["high"]
    assert document["snug_tokens_per_s"]["median"] > 0
    assert document["reached"] is (document["ratio"]["median"] >= document["target_ratio"])


@pytest.mark.parametrize(
    "arguments",
    [
        ["bench"],
        ["bench", "wishes"],
        ["bench", "start", "--runs", "0"],
        ["bench", "chat", "--runs", "x"],
        ["bench", "chat", "--tokens", "1"],
        ["bench", "chat", "--threads", "-1"],
        ["bench", "chat", "no-such-model"],
    ],
)
def test_bad_arguments_are_one_line_and_exit_2(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert cli.run(arguments, Paths(tmp_path)) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1


def test_an_answer_that_ends_early_is_told_in_words(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    # Pip ends its story after about 80 tokens.
    assert cli.run(["bench", "chat", "--tokens", "400"], Paths(tmp_path)) == 1
    assert "--tokens" in capfd.readouterr().err
