"""Model files that change, lie or ask for too much, through a real child."""

from __future__ import annotations

import os
import random
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from snug.core.errors import UserError
from snug.worker import protocol
from snug.worker.client import ChildDied, WorkerClient
from snug.worker.environment import child_command

Start = Callable[[], WorkerClient]
MUTATIONS = 400 if os.environ.get("SNUG_FULL_TESTS") == "1" else 12
HEADER_BYTES = 120_000

HELLO = protocol.Generate(
    messages=[protocol.ChatMessage(role="user", text="Hello, who are you?")],
    sampling=protocol.Sampling(temperature=0, max_tokens=20),
)


def with_context_length(model: bytes, tokens: int) -> bytes:
    """The same model, saying that it was trained for another context length."""
    key = b"llama.context_length" + struct.pack("<I", 4)
    at = model.index(key) + len(key)
    return model[:at] + struct.pack("<I", tokens) + model[at + 4 :]


@pytest.mark.skipif(sys.platform == "win32", reason="a mapped file cannot be cut there")
def test_a_file_that_is_cut_while_in_use_is_explained(start_child: Start, pip_path: str, tmp_path: Path) -> None:
    model = tmp_path / "model.gguf"
    model.write_bytes(Path(pip_path).read_bytes())
    child = start_child()
    child.request(protocol.LoadModel(path=str(model), context=256), timeout=60)
    os.truncate(model, 200_000)
    with pytest.raises(ChildDied) as error:
        child.request(HELLO, timeout=60)
    assert error.value.kind == "file-gone"


def test_a_file_that_is_deleted_while_in_use_goes_on(start_child: Start, pip_path: str, tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("a file in use cannot be deleted there")
    model = tmp_path / "model.gguf"
    model.write_bytes(Path(pip_path).read_bytes())
    child = start_child()
    child.request(protocol.LoadModel(path=str(model), context=256), timeout=60)
    model.unlink()
    assert isinstance(child.request(HELLO, timeout=60), protocol.GenerationDone)


@pytest.mark.skipif(sys.platform != "linux", reason="needs prlimit")
def test_too_large_a_conversation_says_which_size_to_try_and_the_child_lives(pip_path: str, tmp_path: Path) -> None:
    model = tmp_path / "model.gguf"
    model.write_bytes(with_context_length(Path(pip_path).read_bytes(), 50_000_000))
    command = ["prlimit", f"--as={3 << 30}", *child_command()]
    with WorkerClient(tmp_path / "logs", command=command) as child:
        with pytest.raises(UserError) as error:
            child.request(protocol.LoadModel(path=str(model), context=2_000_000), timeout=60)
        assert error.value.kind == "no-memory"
        assert "999,936 tokens" in error.value.advice
        loaded = child.request(protocol.LoadModel(path=str(model), context=1024), timeout=60)
        assert isinstance(loaded, protocol.ModelLoaded)


def mutated(original: bytes, source: random.Random) -> bytes:
    data = bytearray(original)
    area = source.choice((64, 3_000, HEADER_BYTES))
    for _ in range(source.randrange(1, 8)):
        data[source.randrange(area)] = source.randrange(256)
    return bytes(data)


def error_of(child: WorkerClient, path: Path) -> UserError | None:
    """What loading and asking this file leads to; None where the model answered."""
    try:
        child.request(protocol.LoadModel(path=str(path), context=256), timeout=60)
        child.request(HELLO, timeout=60)
    except UserError as error:
        return error
    return None


def test_a_mutated_file_is_refused_runs_or_ends_the_child_with_words(
    start_child: Start, pip_path: str, tmp_path: Path
) -> None:
    source = random.Random(20_260_727)
    original = Path(pip_path).read_bytes()
    kinds = []
    for number in range(MUTATIONS):
        model = tmp_path / f"{number}.gguf"
        model.write_bytes(mutated(original, source))
        child = start_child()
        error = error_of(child, model)
        child.close()
        model.unlink()
        if error is not None:
            assert error.title.endswith(".")
            kinds.append(error.kind)
    assert kinds
    assert not {"bug", "error", "hang"} & set(kinds)


def test_a_failed_load_leaves_the_child_ready_for_another(start_child: Start, pip_path: str, tmp_path: Path) -> None:
    bad = Path(pip_path).parent / "README.md"
    child = start_child()
    with pytest.raises(UserError) as error:
        child.request(protocol.LoadModel(path=str(bad), context=256), timeout=60)
    assert error.value.kind == "bad-file"
    child.request(protocol.LoadModel(path=pip_path, context=256), timeout=60)
    assert isinstance(child.request(HELLO, timeout=60), protocol.GenerationDone)


def test_after_unloading_there_is_no_model(start_child: Start, pip_path: str) -> None:
    child = start_child()
    child.request(protocol.LoadModel(path=pip_path, context=256), timeout=60)
    child.request(protocol.UnloadModel(), timeout=60)
    with pytest.raises(UserError) as error:
        child.request(HELLO, timeout=60)
    assert error.value.kind == "no-model"


def test_an_unknown_role_is_refused_in_words(start_child: Start, pip_path: str) -> None:
    child = start_child()
    child.request(protocol.LoadModel(path=pip_path, context=256), timeout=60)
    with pytest.raises(UserError) as error:
        child.request(protocol.Generate(messages=[protocol.ChatMessage(role="tool", text="x")]), timeout=60)
    assert error.value.kind == "bad-role"
