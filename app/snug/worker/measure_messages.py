"""The messages about measuring a model: on a text, against its original, on questions."""

from __future__ import annotations

import msgspec

from snug.worker.message import Event, Request


class MeasureModel(Request, frozen=True, kw_only=True):
    """Measure the GGUF at `path` on the text file at `text`, against the GGUF at `reference` where there is one, and on
    the questions at `questions` (a JSON object a line) where there are any. `most_tokens` 0: the whole text."""

    path: str
    reference: str = ""
    text: str = ""
    questions: str = ""
    context: int = 512
    most_tokens: int = 0
    threads: int = 0


class AnsweredKind(msgspec.Struct, frozen=True, kw_only=True):
    """Right answers of one kind of questions."""

    kind: str
    right: int
    asked: int


class ModelMeasured(Event, frozen=True, kw_only=True):
    """What was measured; figures that were not asked for are -1. Divergences are in nats a token, `same_top` is the
    share of tokens whose likeliest successor is the original's."""

    tokens: int = 0
    perplexity: float = -1.0
    perplexity_error: float = -1.0
    reference_perplexity: float = -1.0
    kl_mean: float = -1.0
    kl_error: float = -1.0
    kl_median: float = -1.0
    kl_p99: float = -1.0
    kl_max: float = -1.0
    same_top: float = -1.0
    right: int = -1
    asked: int = 0
    by_kind: list[AnsweredKind] = []
    seconds: float = 0.0


class CollectImportance(Request, frozen=True, kw_only=True):
    """Let the GGUF at `path` read `text` (a file, or "neutral" for what comes with Snug), and write llama.cpp's
    importance matrix to `out`."""

    path: str
    out: str
    text: str = "neutral"
    threads: int = 0


class ImportanceCollected(Event, frozen=True, kw_only=True):
    """The finished file: how many tensors it speaks of, from how many chunks of text."""

    path: str
    tensors: int
    chunks: int


REQUESTS = MeasureModel | CollectImportance
EVENTS = ModelMeasured | ImportanceCollected
FINAL_EVENTS = (ModelMeasured, ImportanceCollected)
