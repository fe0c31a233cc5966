"""One pass from a model's weights to a GGUF: rows are read, quantised and written in turns, a few megabytes at a time.

A conversion may be stopped or killed at any instant: the next one with the same source and settings goes on from the
last tensor that was safely on the disk, and gives the same bytes.
"""

from __future__ import annotations

import hashlib
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snug.convert.mixes import MIXES, Mix, missing_importance, mix_named, tensor_types
from snug.convert.pipeline import Pipeline, Stopped
from snug.convert.plan import Meta, OutputTensor
from snug.convert.quantize import check_range, quantize_rows
from snug.convert.result_file import ResultFile
from snug.convert.result_journal import Head
from snug.convert.source import Source
from snug.core.errors import UserError
from snug.formats.checkpoints.number_types import Floats
from snug.formats.gguf_writer import GgufLayout, encode_value, plan_layout

CHUNK_VALUES = 4 * 1024 * 1024
"""So many weights are read at a time: 16 MB as float32, and about five such pieces are alive at once."""
_DEPTH = 1
QUANTISATION_VERSION = 2

Importance = Mapping[str, NDArray[np.float32]]
Quantiser = Callable[[OutputTensor, Floats, str, int], bytes]


@dataclass(frozen=True, slots=True)
class Report:
    """How far a conversion is. `stage` is "fetching", "converting" or "verifying"; bytes are those of that stage.

    `seconds_left` and `rate` (bytes/s) are 0 while unknown.
    """

    stage: str
    done_bytes: int
    total_bytes: int
    seconds_left: float = 0.0
    rate: float = 0.0
    doing: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """A finished, verified file. `resumed_from` is the share that an earlier, interrupted run had done.

    `notes` must be read by the person, `details` are for experts.
    """

    path: Path
    size_bytes: int
    sha256: str
    type_name: str
    types: Mapping[str, str]
    seconds: float
    resumed_from: float = 0.0
    notes: tuple[str, ...] = ()
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """How a conversion is done. `types` is a mix or the type of every tensor by name; `file_type` then the number that
    the file says of itself. `importance` has for a tensor a figure for each column, or a row of them for each expert.
    `quantiser` takes the place of the plain kernels; `quantiser_key` names it and all that its bytes depend on.
    `tensors` stand for the source's own, with other values (scales folded in) under the same names and shapes.
    """

    types: str | Mapping[str, str]
    file_type: int | None = None
    importance: Importance | None = None
    quantiser: Quantiser | None = None
    quantiser_key: str = ""
    metadata: tuple[Meta, ...] = ()
    tensors: tuple[OutputTensor, ...] | None = None
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Prepared:
    """What will be written: the type of each tensor, the file's layout, the name of its type."""

    types: Mapping[str, str]
    layout: GgufLayout
    type_name: str
    tensors: tuple[OutputTensor, ...]


def prepare(source: Source, settings: Settings) -> Prepared:
    """Everything about the result but its weights. Raises UserError where a type needs importance weights."""
    plain = {meta.key: meta.value for meta in source.metadata} | dict(source.values)
    tensors = source.tensors if settings.tensors is None else settings.tensors
    if isinstance(settings.types, str):
        chosen = mix_named(settings.types)
        types = tensor_types(chosen, tensors, plain, settings.importance is not None)
    else:
        types = dict(settings.types)
        chosen = nearest_mix(types, tensors)
    offending = missing_importance(chosen, types) if settings.importance is None else ""
    if offending and settings.quantiser is None:
        raise UserError(
            f"{chosen.name} needs calibration text: without it the result would write nonsense.",
            "Add calibration text, or choose a larger type such as Q3_K_M.",
            kind="needs-importance",
            details=offending,
            bad_input=True,
        )
    number = settings.file_type if settings.file_type is not None else chosen.file_type
    entries = source.entries(number, QUANTISATION_VERSION)
    entries += [(meta.key, encode_value(meta.kind, meta.value)) for meta in settings.metadata]
    source.check_types(types)
    shapes = [(tensor.name, tensor.shape, types[tensor.name]) for tensor in tensors]
    return Prepared(types, plan_layout(entries, shapes), chosen.name, tuple(tensors))


def nearest_mix(types: Mapping[str, str], tensors: tuple[OutputTensor, ...]) -> Mix:
    """The mix by whose name such a choice of types goes: that of the type which most weights have."""
    weights: Counter[str] = Counter()
    for tensor in tensors:
        if tensor.fixed_type is None:
            weights[types[tensor.name]] += tensor.rows * tensor.columns
    most = weights.most_common(1)[0][0] if weights else "F16"
    named = (f"{most}_M", most, f"{most}_MOE")
    return next((MIXES[name] for name in named if name in MIXES), MIXES["F16"])


def convert(
    source: Source,
    out: Path,
    settings: Settings,
    *,
    on_progress: Callable[[Report], None],
    is_cancelled: Callable[[], bool],
) -> Result:
    """Convert `source` to the GGUF `out`. Raises UserError, or `pipeline.Stopped` where `is_cancelled` says so."""
    started = time.monotonic()
    prepared = prepare(source, settings)
    head = Head(
        identity=_identity(source, prepared, settings),
        source=source.identity,
        type_name=prepared.type_name,
        tensors=len(prepared.tensors),
        file_bytes=prepared.layout.file_bytes,
    )
    result = ResultFile(out, prepared.layout, head, source.largest_shard_bytes)
    result.open()
    run = _Run(source, prepared, settings, result, on_progress, is_cancelled)
    try:
        already = sum(prepared.layout.tensors[index].size_bytes for index in result.finished)
        run.make_tensors()
        source.check_unchanged()
        sha256 = run.verify()
        result.publish()
    except UserError as error:
        if error.kind == "source-changed" or (error.bad_input and error.kind != "exists"):
            result.drop()  # it would fail at the same place again: there is nothing to go on with
        raise
    finally:
        result.close()
    source.forget()
    notes = tuple(source.notes)
    if result.started_again:
        notes = (
            "An earlier, unfinished conversion was of another source or other settings: it was begun anew.",
            *notes,
        )
    data_bytes = max(1, sum(place.size_bytes for place in prepared.layout.tensors))
    return Result(
        path=out,
        size_bytes=prepared.layout.file_bytes,
        sha256=sha256,
        type_name=prepared.type_name,
        types=prepared.types,
        seconds=time.monotonic() - started,
        resumed_from=already / data_bytes,
        notes=notes,
        details=source.details,
    )


@dataclass
class _Piece:
    """Rows of one tensor on their way: as float32, or as the bytes that they become."""

    index: int
    first: int
    floats: Floats | None
    data: bytes = b""
    is_last: bool = False


@dataclass
class _Run:
    """One conversion on its way."""

    source: Source
    prepared: Prepared
    settings: Settings
    result: ResultFile
    on_progress: Callable[[Report], None]
    is_cancelled: Callable[[], bool]
    _crc: int = 0
    _done: int = 0
    _done_here: int = 0
    _started: float = field(default_factory=time.monotonic)

    @property
    def _total(self) -> int:
        return sum(place.size_bytes for place in self.prepared.layout.tensors)

    def make_tensors(self) -> None:
        """Read, quantise and write all tensors that are not there yet."""
        self._done = sum(self.prepared.layout.tensors[index].size_bytes for index in self.result.finished)
        self._tell("converting")
        pipeline = Pipeline(self._read, self._quantise, self._write, depth=_DEPTH, is_cancelled=self.is_cancelled)
        try:
            pipeline.run()
        except Stopped:
            self.result.commit()
            raise
        self.result.commit()

    def verify(self) -> str:
        """Prove the file on the disk; its SHA-256."""
        self._done, self._done_here, self._started = 0, 0, time.monotonic()

        def on_read(count: int) -> None:
            self._done += count
            self._done_here += count
            self._tell("verifying")

        sha256 = self.result.verify(self.is_cancelled, on_read)
        if not sha256:
            raise Stopped
        return sha256

    def _read(self) -> Iterator[_Piece]:
        """The rows that are still to be made, in an order in which shards are needed one after the other."""
        missing = [index for index in range(len(self.prepared.tensors)) if index not in self.result.finished]
        order = self.source.order(missing)
        for index in order:
            tensor = self.prepared.tensors[index]
            self.source.make_ready(tensor, self._fetching, self.is_cancelled)
            if self.is_cancelled():
                return
            yield from self._pieces(index, tensor)

    def _pieces(self, index: int, tensor: OutputTensor) -> Iterator[_Piece]:
        target = self.prepared.types[tensor.name]
        is_stored = tensor.is_copied_as(target)
        step = max(1, CHUNK_VALUES // max(1, tensor.columns))
        per_expert = tensor.shape[-2] if len(tensor.shape) > 2 else tensor.rows
        first = 0
        while first < tensor.rows:
            last = min(tensor.rows, first + step, (first // per_expert + 1) * per_expert)
            is_last = last == tensor.rows
            if is_stored:
                assert tensor.read_stored is not None
                yield _Piece(index, first, None, tensor.read_stored(first, last), is_last)
            else:
                yield _Piece(index, first, tensor.read_rows(first, last), is_last=is_last)
            first = last

    def _quantise(self, piece: _Piece) -> _Piece:
        if piece.floats is None:
            return piece
        tensor = self.prepared.tensors[piece.index]
        target = self.prepared.types[tensor.name]
        try:
            if self.settings.quantiser is not None:
                piece.data = self.settings.quantiser(tensor, piece.floats, target, piece.first)
            else:
                figures = _importance_of(self.settings.importance, tensor, piece.first)
                piece.data = quantize_rows(piece.floats, target, figures, self.settings.threads)
            check_range(piece.floats, target)
        except UserError as error:
            raise _named(error, tensor, piece.first) from error
        piece.floats = None
        return piece

    def _write(self, piece: _Piece) -> None:
        place = self.prepared.layout.tensors[piece.index]
        tensor = self.prepared.tensors[piece.index]
        offset = place.size_bytes // tensor.rows * piece.first if tensor.rows else 0
        self._crc = zlib.crc32(piece.data, 0 if piece.first == 0 else self._crc)
        self.result.write(place.offset + offset, piece.data)
        if piece.is_last:
            self.result.finish(piece.index, self._crc)
            self.source.made(tensor, self.result.commit)
        self._done += len(piece.data)
        self._done_here += len(piece.data)
        self._tell("converting", tensor.name)

    def _fetching(self, done: int, total: int, rate: float, seconds_left: float, note: str) -> None:
        self.on_progress(Report("fetching", done, total, seconds_left, rate, note))

    def _tell(self, stage: str, doing: str = "") -> None:
        elapsed = time.monotonic() - self._started
        rate = self._done_here / elapsed if elapsed > 0.2 else 0.0
        left = (self._total - self._done) / rate if rate > 0 else 0.0
        self.on_progress(Report(stage, self._done, self._total, left, rate, doing))


def _importance_of(importance: Importance | None, tensor: OutputTensor, first: int) -> NDArray[np.float32] | None:
    figures = None if importance is None else importance.get(tensor.name)
    if figures is None or figures.ndim == 1:
        return figures
    per_expert = tensor.shape[-2] if len(tensor.shape) > 2 else tensor.rows
    row: NDArray[np.float32] = figures[min(first // per_expert, len(figures) - 1)]
    return row


def _named(error: UserError, tensor: OutputTensor, first: int) -> UserError:
    """The error of a kernel, with the tensor's name."""
    if error.kind == "not-finite":
        title = f"The weights “{tensor.name}” hold a value that is infinite or not a number."
        return UserError(title, error.advice, error.kind, f"from row {first} on: {error.details}", bad_input=True)
    if error.kind == "too-large":
        title = f"The weights “{tensor.name}” hold values that are too large for this type."
        return UserError(title, "Choose BF16 or F32 instead.", error.kind, f"from row {first} on", bad_input=True)
    return error


def _identity(source: Source, prepared: Prepared, settings: Settings) -> str:
    digest = hashlib.sha256(source.identity.encode())
    digest.update(prepared.layout.header)
    digest.update(settings.quantiser_key.encode())
    for name, figures in sorted((settings.importance or {}).items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(figures).tobytes())
    return digest.hexdigest()
