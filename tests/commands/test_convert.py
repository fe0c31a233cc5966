"""`snug convert` as a person types it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from snug.formats.random_checkpoint import LlamaShape, write_checkpoint
from snug.paths import Paths, resources_folder
from snug.store import InstanceLock

Snug = Callable[..., Any]
PIP = str(resources_folder() / "models" / "pip" / "pip-7m-Q8_0.gguf")
SHAPE = LlamaShape(layers=3, width=256, feed_forward=512, heads=4, kv_heads=2, vocabulary=1024)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("checkpoint") / "Tiny-Llama", SHAPE)


def test_a_model_is_made_smaller_added_to_the_library_and_talked_to(snug: Snug, tmp_path: Path) -> None:
    out = tmp_path / "pip-small.gguf"
    ran = snug("convert", PIP, "--to", "Q4_K_M", "--out", str(out), "--json")
    assert ran.code == 0, ran.err
    result, model = ran.document["result"], ran.document["model"]
    assert (result["path"], result["type_name"]) == (str(out), "Q4_K_M")
    assert result["size_bytes"] == out.stat().st_size == model["size_bytes"]
    assert result["checks"]
    assert all(check["ok"] for check in result["checks"]), result["checks"]
    assert result["peak_memory_bytes"] < 1_500_000_000
    assert "pip-small" in snug("models").out
    assert "Paris" in snug("chat", "pip-small", "-p", "What is the capital of France?").out


def test_without_a_type_the_choices_are_shown(snug: Snug, checkpoint: Path) -> None:
    ran = snug("convert", str(checkpoint))
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0].startswith("Tiny-Llama, a model with 2 million weights. The original weights")
    sizes = [line.split()[0] for line in lines if "of 1,000" in line]
    assert sizes.index("Q2_K") < sizes.index("Q4_K_M") < sizes.index("Q8_0") < sizes.index("BF16")
    assert any("free on the disk" in line for line in lines)


def test_the_choices_say_disk_memory_time_speed_and_loss(snug: Snug, checkpoint: Path) -> None:
    ran = snug("convert", str(checkpoint), "--preview", "--json")
    assert ran.code == 0, ran.err
    preview, here = ran.document["preview"], ran.document["here"]
    assert preview["free_bytes"] > 0
    for choice in preview["choices"]:
        there = here[choice["type_name"]]
        assert 0 < choice["size_bytes"] < there["memory_bytes"]
        assert choice["seconds"] > 0
        assert 0 <= choice["words_changed"] <= 1000
        assert there["verdict"] == "fits_well"
        assert 0 < there["speed"]["low"] <= there["speed"]["mid"] <= there["speed"]["high"]


def test_the_figures_are_said_before_the_start(snug: Snug, checkpoint: Path, tmp_path: Path) -> None:
    ran = snug("convert", str(checkpoint), "--to", "Q4_K_M", "--out", str(tmp_path / "x.gguf"), "--no-check")
    assert ran.code == 0, ran.err
    said = ran.err
    for words in ("on the disk", "of memory to run", "to make", "words a second", "words that change", "free on the"):
        assert words in said


def test_a_file_made_while_the_window_is_open_is_kept_and_said(
    snug: Snug, home: Path, checkpoint: Path, tmp_path: Path
) -> None:
    lock = InstanceLock(Paths(home))
    assert lock.acquire()
    try:
        ran = snug("convert", str(checkpoint), "--to", "Q8_0", "--out", str(tmp_path / "x.gguf"), "--no-check")
    finally:
        lock.release()
    assert ran.code == 0, ran.err
    assert "window is open" in ran.err
    assert (tmp_path / "x.gguf").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["SOURCE", "--to", "Q9_Z"], "not a type"),
        (["SOURCE", "--budget", "much"], "no size"),
        (["SOURCE", "--to", "Q4_K_M", "--budget", "1GB"], "not allowed"),
        (["SOURCE", "--to", "Q4_K_M", "--threads", "-3"], "between 1 and"),
        (["SOURCE", "--budget", "10KB"], "the smallest is"),
        (["SOURCE", "--budget", "0"], "no room"),
        (["SOURCE", "--to", "Q4_K_M", "--methods", "feedback"], "--calibrate"),
        (["SOURCE", "--to", "IQ2_XXS"], "calibration"),
        (["SOURCE", "--to", "Q4_K_M", "--calibrate", "/nowhere.txt"], "no file"),
        (["SOURCE", "--to", "Q4_K_M", "--out", "OUT.txt"], ".gguf"),
        (["/nowhere/at-all", "--to", "Q4_K_M"], "no model"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    arguments: list[str], said: str, snug: Snug, checkpoint: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out" / "x.gguf"
    replaced = {"SOURCE": str(checkpoint), "OUT.txt": str(tmp_path / "out" / "x.txt")}
    typed = [replaced.get(argument, argument) for argument in arguments]
    ran = snug("convert", *typed, *([] if "--out" in typed else ["--out", str(out)]))
    assert ran.code == 2, ran.err
    assert said in ran.err.splitlines()[-1]
    assert not out.parent.exists() or list(out.parent.iterdir()) == []


def test_ctrl_c_stops_it_and_the_same_command_goes_on(snug: Snug, home: Path, tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "Larger-Llama", replace(SHAPE, layers=12))  # long enough to be stopped
    out = tmp_path / "out.gguf"
    command = [
        sys.executable,
        "-m",
        "snug",
        "convert",
        str(checkpoint),
        "--to",
        "IQ3_S",
        "--out",
        str(out),
        "--no-check",
    ]
    process = subprocess.Popen(
        [*command, "--threads", "1"], stderr=subprocess.PIPE, text=True, env=os.environ | {"SNUG_HOME": str(home)}
    )
    assert process.stderr is not None
    while "Converting" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 1, said
    assert "goes on where it stopped" in said
    assert not out.exists()
    again = snug("convert", str(checkpoint), "--to", "IQ3_S", "--out", str(out), "--no-check")
    assert again.code == 0, again.err
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("out")) == ["out.gguf"]
