"""Planning without allocating: the same figures as a real load, from a header alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from snug.core.errors import UserError
from snug.engine.dry_run import OpenModel
from snug.engine.library import EngineLog
from snug.engine.sparse_file import sparse_file


def test_a_plan_is_what_a_real_load_takes(pip_path: str) -> None:
    with OpenModel(Path(pip_path), dry=True) as plan, OpenModel(Path(pip_path), dry=False) as real:
        for context in (256, 1024):
            for kv_type in ("f16", "q8_0"):
                planned, taken = plan.allocation(context, kv_type), real.allocation(context, kv_type)
                assert planned.compute == taken.compute > 0
                assert planned.conversation == pytest.approx(taken.conversation, abs=20_000)


def test_a_header_alone_is_enough(pip_path: str) -> None:
    whole = Path(pip_path)
    size = whole.stat().st_size
    header = whole.read_bytes()[: size // 4]  # the rest are weights
    with sparse_file(header, size) as path:
        assert path.stat().st_size == size
        with OpenModel(path, dry=True) as from_header, OpenModel(whole, dry=True) as from_file:
            assert from_header.allocation(1024) == from_file.allocation(1024)
    assert not path.exists()


def test_a_file_that_is_cut_short_is_refused_in_words(pip_path: str) -> None:
    with (
        sparse_file(Path(pip_path).read_bytes()[:1_000_000], 1_000_000) as path,
        pytest.raises(UserError) as told,
    ):
        OpenModel(path, dry=True)
    assert told.value.kind == "bad-file"


def test_unknown_kv_types_are_refused(pip_path: str) -> None:
    with OpenModel(Path(pip_path), dry=True) as model, pytest.raises(UserError) as told:
        model.allocation(1024, "q3_k")
    assert told.value.bad_input


def test_debugging_lines_do_not_push_out_what_was_allocated() -> None:
    log = EngineLog()
    log.write(2, "model buffer size = 1.00 MiB")
    for _ in range(1000):
        log.write(1, "a node ")
        log.write(5, "of the graph\n")
    log.write(2, "compute ")
    log.write(5, "buffer\n")
    assert log.text() == "model buffer size = 1.00 MiB\ncompute buffer\n"
