"""A dry run in a real child: whole files, headers of large ones, and hostile ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from snug.core.errors import UserError
from snug.formats.gguf_header import read_file_header
from snug.worker import protocol
from snug.worker.client import WorkerClient
from tests.hub.pip_variants import pip_split

WISH = protocol.ContextWish(context=1024)


def test_a_header_of_a_large_file_is_planned(
    start_child: Callable[[], WorkerClient], pip_path: str, tmp_path: Path
) -> None:
    size = Path(pip_path).stat().st_size
    header = tmp_path / "header"
    header.write_bytes(Path(pip_path).read_bytes()[: size // 4])
    from_header = start_child().request(protocol.DryRun(path=str(header), size_bytes=size, wishes=[WISH]), timeout=60)
    from_file = start_child().request(protocol.DryRun(path=pip_path, wishes=[WISH]), timeout=60)
    assert from_header == from_file
    assert isinstance(from_file, protocol.DryRunDone)
    assert from_file.allocations[0].conversation_bytes == pytest.approx(6 * 2 * 64 * 2 * 2 * 1024, abs=20_000)
    assert from_file.allocations[0].weights_bytes == 0


@pytest.mark.parametrize("are_whole", [True, False], ids=["files", "headers"])
def test_a_model_in_parts_is_planned_like_a_whole_one(
    start_child: Callable[[], WorkerClient], pip_path: str, tmp_path: Path, are_whole: bool
) -> None:
    parts = []
    contents = pip_split("Q8_0")
    for number, content in enumerate(contents, 1):
        path = tmp_path / f"pip-{number:05}-of-{len(contents):05}.gguf"
        path.write_bytes(content)
        header = read_file_header(path).data_offset
        if not are_whole:
            path.write_bytes(content[:header])
        parts.append((str(path), len(content)))
    (first, size), *others = parts
    request = protocol.DryRun(path=first, wishes=[WISH])
    if not are_whole:
        request = protocol.DryRun(path=first, size_bytes=size, more_parts=others, wishes=[WISH])
    whole = start_child().request(protocol.DryRun(path=pip_path, wishes=[WISH]), timeout=60)
    assert start_child().request(request, timeout=60) == whole


def test_parts_without_a_size_are_refused(start_child: Callable[[], WorkerClient], pip_path: str) -> None:
    with pytest.raises(UserError) as told:
        start_child().request(protocol.DryRun(path=pip_path, more_parts=[(pip_path, 0)], wishes=[WISH]), timeout=60)
    assert told.value.bad_input


def test_a_real_load_knows_the_weights(start_child: Callable[[], WorkerClient], pip_path: str) -> None:
    done = start_child().request(protocol.DryRun(path=pip_path, wishes=[WISH], allocate=True), timeout=60)
    assert isinstance(done, protocol.DryRunDone)
    assert 7_000_000 < done.allocations[0].weights_bytes < 7_600_000


@pytest.mark.parametrize("content", [b"", b"GGUF", b"<html>", b"GGUF" + bytes(200)])
def test_a_file_that_is_no_model_is_refused_in_words(
    start_child: Callable[[], WorkerClient], tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(UserError) as told:
        start_child().request(protocol.DryRun(path=str(path), size_bytes=10**9, wishes=[WISH]), timeout=60)
    assert told.value.title


@pytest.mark.parametrize("path", ["/dev/zero", "/dev", "/no/such/file"])
@pytest.mark.parametrize("size_bytes", [0, 10**9])
def test_what_is_no_file_is_not_read(start_child: Callable[[], WorkerClient], path: str, size_bytes: int) -> None:
    with pytest.raises(UserError) as told:
        start_child().request(protocol.DryRun(path=path, size_bytes=size_bytes, wishes=[WISH]), timeout=60)
    assert told.value.kind == "no-file"


def test_settings_out_of_range_are_refused(start_child: Callable[[], WorkerClient], pip_path: str) -> None:
    child = start_child()
    for wishes in ([], [WISH] * 65, [protocol.ContextWish(context=1 << 30)]):
        with pytest.raises(UserError) as told:
            child.request(protocol.DryRun(path=pip_path, wishes=wishes), timeout=60)
        assert told.value.kind == "bad-setting"
