"""The speed test in a real child: measured figures, nothing left behind, stopped when asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from snug.worker import protocol
from snug.worker.client import WorkerClient
from snug.worker.handlers.speed import PREFIX, remove_leftovers
from snug.worker.speed_messages import MeasureSpeed, SpeedMeasured

Starter = Callable[[], WorkerClient]


def request_in(folder: Path, pip: str = "", seconds: float = 60.0) -> MeasureSpeed:
    models = [("0.03B", "Q4_K_M"), ("0.03B", "Q8_0")]
    return MeasureSpeed(folder=str(folder), pip=pip, models=models, seconds=seconds, measure_bandwidth=False)


def test_made_up_models_and_the_bundled_one_are_measured_and_removed(
    start_child: Starter, tmp_path: Path, pip_path: str
) -> None:
    scratch = tmp_path / "cache"
    scratch.mkdir()
    said: list[str] = []

    def listen(event: protocol.Event) -> None:
        if isinstance(event, protocol.Progress):
            assert 0 <= event.done <= event.total
            said.append(event.doing)

    done = start_child().request(request_in(scratch, pip_path), listen)
    assert isinstance(done, SpeedMeasured)
    assert [row.facts.file_type for row in done.rows] == ["Q4_K_M", "Q8_0"], done.skipped
    for row in done.rows:
        assert row.tokens_per_s > 1
        assert row.prompt_tokens_per_s > 1
        assert 0 <= row.busy <= 1
    assert done.pip_tokens_per_s > 1
    assert "Trying the built-in model" in said
    assert list(scratch.iterdir()) == []


def test_what_has_no_time_left_is_named(start_child: Starter, tmp_path: Path) -> None:
    done = start_child().request(request_in(tmp_path, seconds=1e-9))
    assert isinstance(done, SpeedMeasured)
    assert done.rows == []
    assert done.skipped.count("no time left") == 2


def test_a_stopped_test_leaves_nothing_behind(start_child: Starter, tmp_path: Path) -> None:
    scratch = tmp_path / "cache"
    scratch.mkdir()
    child = start_child()
    asked = request_in(scratch)
    sent: list[int] = []

    def stop(event: protocol.Event) -> None:
        if isinstance(event, protocol.Progress) and not sent:
            sent.append(child.send(protocol.Cancel(job=1)))

    final = child.request(asked, stop)
    assert isinstance(final, protocol.Cancelled | SpeedMeasured)
    assert list(scratch.iterdir()) == []


def test_models_of_a_killed_test_are_removed_by_the_next_one(tmp_path: Path) -> None:
    left, other = tmp_path / f"{PREFIX}abc", tmp_path / "kept"
    for folder in (left, other):
        folder.mkdir()
        (folder / "model.gguf").write_bytes(b"GGUF")
    remove_leftovers(tmp_path)
    assert not left.exists()
    assert (other / "model.gguf").exists()
