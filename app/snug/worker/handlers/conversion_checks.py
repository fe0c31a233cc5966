"""The checks of a conversion as the child runs them: types with more bits before it, the report after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import psutil

from snug.convert.better_bits.improve import conversations_in
from snug.convert.better_conversion import working_folder
from snug.convert.calibration_text import NEUTRAL, calibration_texts
from snug.convert.checks import Checked, check_conversion
from snug.convert.checks.outliers import finer_types
from snug.convert.checks.quality import QUESTION
from snug.convert.conversion import Report, Settings, convert, prepare
from snug.convert.mixes import mix_named
from snug.convert.pipeline import Stopped as ConversionStopped
from snug.convert.source import CheckpointSource, Source
from snug.core.errors import UserError
from snug.core.machine import Machine
from snug.hub.disk_space import free_bytes
from snug.system.machine import read_machine
from snug.worker.conversion_messages import ConversionCheck, ConversionDone, ConversionProgress, Convert
from snug.worker.loop import Job

MOST_REFERENCE_BYTES = 3_000_000_000
"""The original of a model up to this size in 16 bits is made for the comparison; it takes seconds."""
SPARE = 3
"""So many times what the comparison needs must be free on the disk, so that nobody notices it."""
MOST_TEXT = 40_000
"""So many characters from the end of a text are measured with: its beginning may have been calibrated with."""


@dataclass(frozen=True, slots=True)
class CheckInputs:
    """What the checks need from outside the source's folder: this computer, and the text to measure with.

    `is_own_text` says that the text is the person's.
    """

    machine: Machine | None = None
    texts: Sequence[str] = ()
    is_own_text: bool = False


def check_inputs(request: Convert, out: Path) -> CheckInputs:
    """Read before the child shuts itself in; nothing where no checks are wanted."""
    if not request.check:
        return CheckInputs()
    machine = read_machine(str(out.parent), measure_bandwidth=False)
    name = request.text or request.calibration or NEUTRAL
    return CheckInputs(machine, _texts(name), is_own_text=name != NEUTRAL)


def bring_small_here(
    source: Source, out: Path, tell: Callable[[Report], None], is_cancelled: Callable[[], bool]
) -> None:
    """Fetch a small model as a whole: its weights are then looked at before, and compared with after the conversion.

    Raises UserError, or the pipeline's Stopped.
    """
    needed = max(2 * source.parameters, source.fetch_bytes)
    if not source.fetch_bytes or needed > MOST_REFERENCE_BYTES or free_bytes(out.parent) < 2 * SPARE * needed:
        return

    def fetching(done: int, total: int, rate: float, seconds_left: float, note: str) -> None:
        tell(Report("fetching", done, total, seconds_left, rate, note))

    source.bring_here(fetching, is_cancelled)


def with_finer_types(source: Source, settings: Settings, job: Job) -> tuple[Settings, dict[str, str]]:
    """Settings in which tensors that would lose much more than others have more bits, and those tensors' types.

    Weights that must come from the Hub first are not looked at.
    """
    if not isinstance(settings.types, str) or source.fetch_bytes or settings.importance is not None:
        return settings, {}
    prepared = prepare(source, settings)
    job.emit(ConversionProgress(stage="converting", done_bytes=0, total_bytes=0, doing="Looking for outliers"))
    finer = finer_types(prepared.tensors, prepared.types, is_cancelled=job.is_cancelled)
    if not finer:
        return settings, {}
    file_type = mix_named(settings.types).file_type
    return replace(settings, types={**prepared.types, **finer}, file_type=file_type), finer


def with_checks(
    done: ConversionDone,
    request: Convert,
    source: Source,
    job: Job,
    *,
    inputs: CheckInputs,
    finer: Mapping[str, str],
    reference: Path | None = None,
    is_plain: bool = True,
) -> ConversionDone:
    """`done` with the report on it. `reference` is a GGUF of the original, where one was made; `is_plain` says that the
    weights were written as the source has them."""
    if done.facts.kind != "model" and done.facts.kind != "embedding":
        return done  # an adapter has neither tokens nor a conversation
    original = source.files[0] if source.kind == "gguf" else None
    reference = reference or original or _small_reference(source, Path(done.path), request, job)
    checked = Checked(
        result=Path(done.path),
        tokenizer_files=source.checkpoint.tokenizer_files if isinstance(source, CheckpointSource) else {},
        original=original,
        reference=reference,
        tensors=source.tensors if is_plain and not source.fetch_bytes else None,
        finer=finer,
        texts=inputs.texts,
        is_own_text=inputs.is_own_text,
        loses_bits=source.loses_bits,
        machine=inputs.machine,
        free_bytes=psutil.virtual_memory().available,
        threads=request.threads,
    )
    report = check_conversion(checked, _teller(job), job.is_cancelled)
    return msgspec.structs.replace(
        done,
        checks=[
            ConversionCheck(
                name=check.name, ok=check.ok, words=check.words, details=check.details, is_done=check.is_done
            )
            for check in report.checks
        ],
        question=QUESTION if report.sample else "",
        sample=report.sample,
        divergence=report.divergence,
        words_changed=1000 - report.same_of_thousand if report.same_of_thousand >= 0 else -1.0,
        tokens_per_s=report.tokens_per_s,
    )


def _small_reference(source: Source, out: Path, request: Convert, job: Job) -> Path | None:
    """A small model in 16 bits, to be compared with; it goes with what else lies in the working folder."""
    needed = 2 * source.parameters
    if source.fetch_bytes or needed > MOST_REFERENCE_BYTES or free_bytes(out.parent) < SPARE * needed:
        return None
    path = working_folder(out) / "original.gguf"
    path.parent.mkdir(exist_ok=True)
    kind = "F16" if source.original_type == "F32" else source.original_type
    settings = Settings(kind, threads=max(1, request.threads))
    try:
        return convert(source, path, settings, on_progress=lambda _: None, is_cancelled=job.is_cancelled).path
    except (ConversionStopped, UserError):
        return None  # the result is there: it is only measured without the original beside it


def _texts(name: str) -> list[str]:
    try:
        texts = calibration_texts(name)
    except UserError:
        return []  # the check says that there was no text
    return [_spoken(text)[-MOST_TEXT:] for text in texts]


def _spoken(text: str) -> str:
    """What was said in a text of conversations; another text as it is."""
    talks = conversations_in(text)
    return "\n\n".join(turn.text for turns in talks for turn in turns) if talks else text


def _teller(job: Job) -> Callable[[int, int, str], None]:
    def say(done: int, total: int, doing: str) -> None:
        job.emit(ConversionProgress(stage="checking", done_bytes=done, total_bytes=total, doing=doing))

    return say
