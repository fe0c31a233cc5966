"""Answers the request to measure a model."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from snug.core.errors import UserError
from snug.measure.measuring import measure_divergence, measure_perplexity
from snug.measure.questions import Question, ask, read_questions
from snug.worker import protocol
from snug.worker.loop import Job
from snug.worker.measure_messages import AnsweredKind, MeasureModel, ModelMeasured
from snug.worker.sandbox import restrict

_MOST_TEXT = 64 * 1024 * 1024
_CONTEXTS = (64, 32_768)


def measure(request: MeasureModel, job: Job) -> ModelMeasured:
    """Read the text with the model, and with its original where one is named. Raises UserError."""
    if not _CONTEXTS[0] <= request.context <= _CONTEXTS[1] or request.context % 2 or request.most_tokens < 0:
        raise UserError(
            "These settings are out of range.",
            f"The context is an even number from {_CONTEXTS[0]} to {_CONTEXTS[1]}.",
            kind="bad-setting",
            bad_input=True,
        )
    text = _read(request.text) if request.text else ""
    questions = read_questions(_read(request.questions)) if request.questions else []
    if not text and not questions:
        raise UserError("There is nothing to measure with.", "Give a text or questions.", "no-text", bad_input=True)
    restrict([Path(place).resolve().parent for place in (request.path, request.reference) if place])
    started = time.monotonic()
    figures = _on_text(request, text, job) if text else {}
    answers = _on_questions(request, questions, job) if questions else {}
    return ModelMeasured(**figures, **answers, seconds=time.monotonic() - started)  # type: ignore[arg-type]


def _on_text(request: MeasureModel, text: str, job: Job) -> dict[str, object]:
    tell = _teller(job, "Reading the text", "chunks")
    path = Path(request.path)
    if not request.reference:
        alone = measure_perplexity(
            path, text, chunk=request.context, most_tokens=request.most_tokens, threads=request.threads, on_chunk=tell
        )
        return {"tokens": alone.tokens, "perplexity": alone.perplexity, "perplexity_error": alone.perplexity_error}
    found = measure_divergence(
        path,
        Path(request.reference),
        text,
        chunk=request.context,
        most_tokens=request.most_tokens,
        threads=request.threads,
        on_chunk=tell,
    )
    return {
        name: getattr(found, name)
        for name in ("tokens", "perplexity", "perplexity_error", "reference_perplexity", "kl_mean", "kl_error",
                     "kl_median", "kl_p99", "kl_max", "same_top")
    }  # fmt: skip


def _on_questions(request: MeasureModel, questions: list[Question], job: Job) -> dict[str, object]:
    tell = _teller(job, "Asking the questions", "questions")
    score = ask(Path(request.path), questions, threads=request.threads, on_question=tell)
    kinds = [
        AnsweredKind(kind=kind, right=right, asked=asked) for kind, (right, asked) in sorted(score.by_kind.items())
    ]
    return {"right": score.right, "asked": score.asked, "by_kind": kinds}


def _teller(job: Job, doing: str, unit: str) -> Callable[[int, int], None]:
    def tell(done: int, total: int) -> None:
        job.check()
        job.emit(protocol.Progress(done=done, total=total, unit=unit, doing=doing))

    return tell


def _read(name: str) -> str:
    path = Path(name)
    try:
        with path.open("rb") as file:
            return file.read(_MOST_TEXT).decode("utf-8", "replace")
    except OSError as error:
        raise UserError(
            f"{path.name} cannot be read ({error.strerror or error}).", "Check its name.", "unreadable", bad_input=True
        ) from error
