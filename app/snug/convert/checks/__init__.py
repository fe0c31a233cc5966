"""The checks of a finished conversion: tokens, chat template, weights, conversation memory, quality, a test chat."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from snug.convert.checks.chat_template import check_chat_template, check_same_file_template
from snug.convert.checks.conversation_memory import check_conversation_memory
from snug.convert.checks.outliers import check_outliers, errors_of
from snug.convert.checks.quality import QUALITY, Quality, check_chat, check_quality
from snug.convert.checks.report import Check, CheckReport
from snug.convert.checks.token_ids import check_same_file_tokens, check_token_ids
from snug.convert.plan import OutputTensor
from snug.core.errors import UserError
from snug.core.machine import Machine
from snug.formats.byte_source import FileSource
from snug.formats.gguf_facts import facts_from_header
from snug.formats.gguf_header import read_file_header

__all__ = ["Check", "CheckReport", "Checked", "check_conversion"]

LOST_BITS = "bits"
STEPS = ("Comparing tokens", "Comparing the chat template", "Comparing weights", "Measuring", "Trying a chat")
ROOM_TO_RUN = 0.8
"""A model is run only where it takes at most this share of the memory that is free now."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a result is held against.

    `tokenizer_files` of a checkpoint, or `original`: the GGUF that it was made from. `reference` is a GGUF of the
    original that can be run, where there is one. `tensors` are what was written, whose rows can still be read; None
    where they are gone or were changed on purpose. `finer` names the tensors that were given more bits. `texts` is the
    text that quality is measured on, `is_own_text` where it is the person's. `loses_bits` says that the source was
    rounded to few bits before. `free_bytes` of memory are there to run it.
    """

    result: Path
    tokenizer_files: Mapping[str, Path] = field(default_factory=dict)
    original: Path | None = None
    reference: Path | None = None
    tensors: Sequence[OutputTensor] | None = None
    finer: Mapping[str, str] = field(default_factory=dict)
    texts: Sequence[str] = ()
    is_own_text: bool = False
    loses_bits: bool = False
    machine: Machine | None = None
    free_bytes: int = 0
    threads: int = 0


def check_conversion(
    checked: Checked,
    say: Callable[[int, int, str], None] = lambda done, total, doing: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> CheckReport:
    """Every check. One that cannot run is a failed check, not an exception; `say` hears what comes now."""
    facts = facts_from_header(read_file_header(checked.result))
    say(0, len(STEPS), STEPS[0])
    found = [_guarded("tokens", lambda: _tokens(checked))]
    say(1, len(STEPS), STEPS[1])
    found.append(_guarded("template", lambda: _template(checked)))
    say(2, len(STEPS), STEPS[2])
    found.append(_guarded("outliers", lambda: _weights(checked, is_cancelled)))
    memory, kv_type = check_conversation_memory(facts, checked.machine)
    found.append(memory)
    if checked.loses_bits:
        found.append(Check(LOST_BITS, True, "The source was rounded to few bits before: what it lost is not regained."))
    report = CheckReport(tuple(found), kv_type=kv_type)
    if facts.kind != "model" or is_cancelled():
        return report
    room = checked.free_bytes * ROOM_TO_RUN
    if facts.file_bytes > room:
        words = "It was not run: it takes more memory than is free now."
        return replace(report, checks=(*found, Check(QUALITY, True, words, is_done=False)))
    return _run(checked, report, room - facts.file_bytes, say, is_cancelled)


def _run(
    checked: Checked,
    report: CheckReport,
    room: float,
    say: Callable[[int, int, str], None],
    is_cancelled: Callable[[], bool],
) -> CheckReport:
    """The checks for which the model is loaded whole; `room` bytes are left for the original beside it."""
    reference = checked.reference
    if reference is not None and reference.stat().st_size > room:
        reference = None
    say(3, len(STEPS), STEPS[3])
    try:
        quality = check_quality(
            checked.result,
            checked.texts,
            original=reference,
            is_own_text=checked.is_own_text,
            threads=checked.threads,
            is_cancelled=is_cancelled,
        )
    except UserError as error:
        words = f"The new file could not be measured: {error.title}"
        quality = Quality(Check(QUALITY, False, words, error.details))
    say(4, len(STEPS), STEPS[4])
    chat = check_chat(checked.result, threads=checked.threads, is_cancelled=is_cancelled)
    return replace(
        report,
        checks=(*report.checks, quality.check, chat.check),
        sample=chat.answer,
        perplexity=quality.perplexity,
        divergence=quality.divergence,
        same_of_thousand=quality.same_of_thousand,
        tokens_per_s=chat.tokens_per_s,
    )


def _tokens(checked: Checked) -> Check:
    if checked.original is not None:
        return check_same_file_tokens(checked.original, checked.result)
    return check_token_ids(checked.tokenizer_files, checked.result)


def _template(checked: Checked) -> Check:
    if checked.original is not None:
        return check_same_file_template(checked.original, checked.result)
    return check_chat_template(checked.tokenizer_files, checked.result)


def _weights(checked: Checked, is_cancelled: Callable[[], bool]) -> Check:
    if checked.tensors is None:
        return check_outliers([], checked.finer)
    with FileSource(checked.result) as source:
        errors = errors_of(checked.tensors, read_file_header(checked.result), source, is_cancelled)
    return check_outliers(errors, checked.finer)


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except UserError as error:
        return Check(name, False, f"This could not be checked: {error.title}", error.details)
