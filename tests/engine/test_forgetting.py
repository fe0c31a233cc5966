"""Models that cannot forget the end of what they read: what is kept, and when all is read again."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from snug.engine.model import LoadSettings, load_model
from snug.engine.sampling import SamplingSettings
from snug.engine.session import Listener, Session, Started
from snug.engine.template import Turn

GREEDY = SamplingSettings(temperature=0, max_tokens=12)
LONG = "The cat sat on the mat and looked at the moon. " * 30


def tiny_models() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tiny_models", Path(__file__).with_name("tiny_models.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=["write_recurrent_model", "write_sliding_window_model"])
def forgetful(request: pytest.FixtureRequest, tmp_path: Path, pip_path: str) -> Iterator[Session]:
    write: Callable[[Path, Path], None] = getattr(tiny_models(), request.param)
    path = tmp_path / "tiny.gguf"
    write(path, Path(pip_path))
    model = load_model(LoadSettings(path=str(path), context=1024, threads=1, batch=32))
    yield Session(model)
    model.close()


def ask(session: Session, turns: list[Turn]) -> tuple[str, Started]:
    started: list[Started] = []
    parts: list[str] = []
    session.generate(turns, GREEDY, Listener(on_start=started.append, on_text=parts.append))
    return "".join(parts), started[0]


def test_a_next_turn_reads_only_what_is_new(forgetful: Session) -> None:
    first, _ = ask(forgetful, [Turn("user", LONG)])
    _, started = ask(forgetful, [Turn("user", LONG), Turn("assistant", first), Turn("user", "And then?")])
    assert started.prompt_tokens - started.reused_tokens < 30


def test_an_edit_far_back_is_answered_as_if_it_had_stood_there_from_the_start(forgetful: Session) -> None:
    ask(forgetful, [Turn("user", "One. " + LONG)])
    edited, started = ask(forgetful, [Turn("user", "Two. " + LONG)])
    assert started.reused_tokens == 0
    forgetful.forget()
    assert ask(forgetful, [Turn("user", "Two. " + LONG)])[0] == edited


def test_the_same_question_again_gets_the_same_answer(forgetful: Session) -> None:
    first, _ = ask(forgetful, [Turn("user", LONG)])
    assert ask(forgetful, [Turn("user", LONG)])[0] == first
