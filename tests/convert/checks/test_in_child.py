"""A conversion in the child brings its checks with it."""

from __future__ import annotations

from pathlib import Path

from snug.worker.client import WorkerClient
from snug.worker.conversion_messages import ConversionDone, ConversionProgress, ConversionSource, Convert
from tests.convert.checks.conftest import PIP


def converted(folder: Path, *, check: bool) -> tuple[ConversionDone, list[str]]:
    request = Convert(
        source=ConversionSource(path=str(PIP)), out=str(folder / "out.gguf"), type_name="Q6_K", threads=1, check=check
    )
    stages = []
    with WorkerClient(folder / "logs") as child:
        child.wait_ready()
        child.send(request)
        while True:
            event = child.next_frame(timeout=120).body
            if isinstance(event, ConversionProgress):
                stages.append(event.stage)
            elif isinstance(event, ConversionDone):
                return event, stages


def test_the_checks_come_with_the_result(tmp_path: Path) -> None:
    done, stages = converted(tmp_path, check=True)
    assert [check.name for check in done.checks][:4] == ["tokens", "template", "outliers", "memory"]
    assert all(check.ok for check in done.checks), [check for check in done.checks if not check.ok]
    assert done.sample
    assert done.tokens_per_s > 0
    assert 0 <= done.words_changed < 100
    assert 0 <= done.divergence < 0.1
    assert "checking" in stages


def test_without_checks_nothing_is_run(tmp_path: Path) -> None:
    done, stages = converted(tmp_path, check=False)
    assert not done.checks
    assert "checking" not in stages
