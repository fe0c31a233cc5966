"""Proves that this computer can run a model: load, read a long prompt in one batch, answer right.

A processor that the engine was built wrongly for crashes in the batch, not in single tokens; so the prompt is long.
The caller runs this in a child that may crash.
"""

from __future__ import annotations

from dataclasses import dataclass

from snug.core.errors import UserError
from snug.engine.model import LoadSettings, Stopwatch, load_model
from snug.engine.sampling import SamplingSettings
from snug.engine.session import Listener, Result, Session, Started
from snug.engine.template import Turn

PROMPT_TOKENS = 64
_TALK = (
    Turn("user", "What is the capital of Japan?"),
    Turn("assistant", "The capital of Japan is Tokyo."),
    Turn("user", "What is 2 plus 2?"),
    Turn("assistant", "2 plus 2 is 4."),
    Turn("user", "What is the opposite of hot?"),
    Turn("assistant", "The opposite of hot is cold."),
    Turn("user", "What is the capital of France?"),
)
_RIGHT = "Paris"


@dataclass(frozen=True, slots=True)
class SelfTestResult:
    """Checks are (what, passed, words)."""

    checks: tuple[tuple[str, bool, str], ...]
    tokens_per_s: float

    @property
    def works(self) -> bool:
        return all(passed for _, passed, _ in self.checks)


def run_self_test(path: str, *, use_extra_buffers: bool = False) -> SelfTestResult:
    """Run Pip once with these settings. A crash ends the process; a wrong answer is a failed check."""
    checks: list[tuple[str, bool, str]] = []
    watch = Stopwatch()
    try:
        model = load_model(LoadSettings(path=path, context=512, use_extra_buffers=use_extra_buffers))
    except UserError as error:
        return SelfTestResult((("load", False, str(error)),), 0.0)
    checks.append(("load", True, f"Pip was loaded in {watch.seconds():.1f} seconds."))
    try:
        started, text, result = _answer(Session(model))
    except UserError as error:
        return SelfTestResult((*checks, ("answer", False, str(error))), 0.0)
    finally:
        model.close()
    is_long = started.prompt_tokens - started.reused_tokens >= PROMPT_TOKENS
    checks.append(("prompt", is_long, f"It read {started.prompt_tokens} tokens at once."))
    checks.append(("answer", _RIGHT in text, f"It answered: {text.strip()[:200]}"))
    return SelfTestResult(tuple(checks), result.tokens_per_s)


def _answer(session: Session) -> tuple[Started, str, Result]:
    started: list[Started] = []
    parts: list[str] = []
    listener = Listener(on_start=started.append, on_text=parts.append)
    result = session.generate(_TALK, SamplingSettings(temperature=0.0, max_tokens=40), listener)
    return started[0], "".join(parts), result
