"""A conversion with calibration: first the original in 16 bits, which reads the text, then the result made from it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from snug.convert.better_bits.improve import Work, improve, read_chunks, room_for
from snug.convert.better_bits.options import BetterBits, Improved
from snug.convert.conversion import Report, Result, Settings, convert, prepare
from snug.convert.gguf_source import GgufSource
from snug.convert.mixes import FLOAT_TYPES, MIXES, Mix, missing_importance, mix_named, tensor_types
from snug.convert.pipeline import Stopped
from snug.convert.plan import Meta, ModelPlan
from snug.convert.source import Source
from snug.core.errors import UserError
from snug.core.words import size_text
from snug.engine.text_reader import ReadingStopped, Tokens
from snug.hub.disk_space import free_bytes


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted: a mix by name, or a size for the whole file; the texts to learn from, and by which methods."""

    type_name: str
    budget_bytes: int
    texts: Sequence[str]
    options: BetterBits
    calibration_name: str = ""


@dataclass(frozen=True, slots=True)
class Better:
    """The result, the original that it can be compared with, and the tokens that it was judged on."""

    result: Result
    original: Path
    chunks: Sequence[Tokens]
    predicted_divergence: float


def working_folder(out: Path) -> Path:
    """Where the original in 16 bits and the tables of a calibration lie meanwhile."""
    return out.with_name(out.name + ".calibrating")


def convert_better(
    source: Source,
    out: Path,
    wish: Wish,
    threads: int,
    *,
    on_progress: Callable[[Report], None],
    is_cancelled: Callable[[], bool],
) -> Better:
    """Convert with what the texts teach. Raises UserError, or Stopped where `is_cancelled` says so.

    The original stays in `working_folder` until `forget_work`; after a stop it need not be made again.
    """
    folder = working_folder(out)
    original = _original(source, folder, threads, on_progress, is_cancelled)

    def tell(doing: str, done: int, total: int) -> None:
        on_progress(Report("calibrating", done, total, doing=doing))

    with GgufSource(original) as opened:
        types, room = _start(opened, wish)
        work = Work(original, folder / "tables", threads, tell, is_cancelled)
        try:
            tell("Reading your text", 0, 0)
            chunks = read_chunks(original, wish.texts, threads)
            if is_cancelled():
                raise Stopped
            plan = _plan(opened)
            improved = improve(plan, work, chunks, wish.options, types, room)
        except ReadingStopped:
            raise Stopped from None
        settings = _settings(improved, wish, threads, len(chunks))
        if wish.budget_bytes:
            _check_budget(prepare(opened, settings).layout.file_bytes, wish.budget_bytes)
        result = convert(opened, out, settings, on_progress=on_progress, is_cancelled=is_cancelled)
    notes = (*source.notes, *(note for note in result.notes if note not in source.notes))
    told = replace(result, notes=notes, details=(*source.details, *improved.details))
    return Better(told, original, chunks, improved.predicted_divergence)


def forget_work(out: Path) -> None:
    """Remove what was only needed until the result was there."""
    shutil.rmtree(working_folder(out), ignore_errors=True)


def _original(
    source: Source,
    folder: Path,
    threads: int,
    on_progress: Callable[[Report], None],
    is_cancelled: Callable[[], bool],
) -> Path:
    """A GGUF of the source in 16 bits: the source itself where it is one, else made here and kept for the next time."""
    if isinstance(source, GgufSource) and len(source.files) == 1 and _is_float(source):
        return source.files[0]
    path = folder / f"original-{source.identity[:16]}.gguf"
    if not path.is_file():
        kind = "F16" if source.original_type == "F32" else source.original_type
        settings = Settings(kind, threads=threads)
        _check_room(prepare(source, settings).layout.file_bytes, folder.parent)
        folder.mkdir(parents=True, exist_ok=True)
        convert(source, path, settings, on_progress=on_progress, is_cancelled=is_cancelled)
    return path


def _check_room(original_bytes: int, folder: Path) -> None:
    """Raise UserError where there is no room for the original in 16 bits and, at worst, a result half as large."""
    lacking = original_bytes * 3 // 2 - free_bytes(folder)
    if lacking > 0:
        raise UserError(
            "There is not enough room on the disk: the original in 16 bits lies there while the text is read.",
            f"Free {size_text(lacking)}, or leave the calibration out.",
            kind="disk-full",
            details=f"{original_bytes} bytes in {folder}",
        )


def _is_float(source: Source) -> bool:
    return all(tensor.stored_type in FLOAT_TYPES for tensor in source.tensors)


def _start(source: Source, wish: Wish) -> tuple[dict[str, str], int]:
    """The types to begin with, and the room for the tensors whose types are free (0: what those types take)."""
    plan = ModelPlan(source.architecture, (), source.tensors)
    if not wish.budget_bytes:
        return _types(source, mix_named(wish.type_name)), 0
    size = 0
    for mix in MIXES.values():  # the largest first
        types = _types(source, mix)
        size = prepare(source, Settings(types, quantiser=_never)).layout.file_bytes
        if size <= wish.budget_bytes:
            return types, room_for(size, wish.budget_bytes, plan, types)
    raise _too_small(wish.budget_bytes, size)


def _plan(source: Source) -> ModelPlan:
    """Its tensors, and of the metadata what better bits need: the number of heads."""
    key = f"{source.architecture}.attention.head_count"
    heads = source.values.get(key)
    known = (Meta(key, "u32", heads),) if isinstance(heads, int) else ()
    return ModelPlan(source.architecture, known, source.tensors)


def _types(source: Source, mix: Mix) -> dict[str, str]:
    return tensor_types(mix, source.tensors, dict(source.values), importance=True)


def _never(*_: object) -> bytes:
    raise AssertionError("nothing is quantised for a layout")


def _settings(improved: Improved, wish: Wish, threads: int, chunks: int) -> Settings:
    types = improved.types
    without = missing_importance(wish.type_name or "", types)
    if without and not improved.importance and improved.quantiser is None:
        raise UserError(
            "The text taught nothing about some weights that need it.",
            "Give more text, or choose a larger type.",
            kind="needs-importance",
            details=without,
        )
    name = wish.calibration_name[:120]
    metadata = [Meta("quantize.imatrix.chunks_count", "u32", chunks)]
    metadata += [Meta("quantize.imatrix.dataset", "str", name)] if name else []
    metadata += [Meta("quantize.imatrix.entries_count", "u32", len(improved.importance))]
    return Settings(
        types=types,
        file_type=mix_named(wish.type_name).file_type if wish.type_name else None,
        importance=improved.importance,
        quantiser=improved.quantiser,
        quantiser_key=repr(wish.options),
        metadata=tuple(metadata),
        tensors=improved.plan.tensors,
        threads=threads,
    )


def _check_budget(size: int, budget: int) -> None:
    if size > budget:
        raise _too_small(budget, size)


def _too_small(budget: int, size: int) -> UserError:
    return UserError(
        f"This model cannot be made as small as {size_text(budget)}: the smallest is {size_text(size)}.",
        "Choose a larger size, or a smaller model.",
        kind="budget-too-small",
        bad_input=True,
    )
