"""Tensors made of other tensors, read by rows: slices, stacks, permutations and sums that never hold a whole model."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snug.convert.plan import ReadRows
from snug.formats.checkpoints.checkpoint_format import CheckpointFormat, PlainWeight, Weight
from snug.formats.checkpoints.errors import bad_checkpoint
from snug.formats.checkpoints.float4 import Float4Weight
from snug.formats.checkpoints.mlx_weights import MlxWeight
from snug.formats.checkpoints.number_types import Floats

PLAIN_TYPES = ("F64", "F32", "F16", "BF16")
Index = NDArray[np.int64]
Blocks = NDArray[np.uint8]
ReadBlocks = Callable[[int, int], Blocks]
LEAST_RUN = 8
"""Rows that follow each other are read together; where runs are shorter than this on average, all between are read."""


@dataclass(frozen=True, slots=True)
class View:
    """A tensor that is read by rows; all axes but the last of `shape` count as rows."""

    shape: tuple[int, ...]
    read_rows: ReadRows
    sources: tuple[str, ...]
    stored_type: str = "F32"
    read_blocks: ReadBlocks | None = None
    """The bytes of rows as a GGUF holds them, for weights that are stored in one of its types: (rows, bytes)."""

    @property
    def rows(self) -> int:
        return math.prod(self.shape[:-1])

    @property
    def columns(self) -> int:
        return self.shape[-1] if self.shape else 1

    @property
    def is_plain(self) -> bool:
        """Whether it is stored as the numbers that it is, with the axes that the model's own code gives it. Quantised
        linear layers always come as (outputs, inputs)."""
        return self.stored_type in PLAIN_TYPES


def stored(weights: CheckpointFormat, name: str, weight: Weight) -> View:
    """The checkpoint's tensor `name` as it is."""
    kind = weights.files.info(name).kind.name if isinstance(weight, PlainWeight) else weights.key
    blocks = None
    if _is_mxfp4(name, weight):
        codes, scales = weight.parts
        blocks = mxfp4_blocks(weights, codes, scales, weight.shape[-1] // 32)
    return View(weight.shape, lambda first, last: weights.read_rows(name, first, last), (name,), kind, blocks)


def _is_mxfp4(name: str, weight: Weight) -> bool:
    """Whether these are stacked matrices, such as experts, whose bytes can be taken over."""
    if isinstance(weight, MlxWeight):
        return weight.is_mxfp4 and len(weight.shape) == 3
    return isinstance(weight, Float4Weight) and weight.parts == (f"{name}_blocks", f"{name}_scales")


def mxfp4_blocks(weights: CheckpointFormat, codes_name: str, scales_name: str, groups: int) -> ReadBlocks:
    """MXFP4 as GGUF has it (ggml-common.h, block_mxfp4): of each 32 values the scale, then 16 bytes with the first half
    of the values in their lower halves; checkpoints have neighbours in one byte."""

    def read_blocks(first: int, last: int) -> Blocks:
        codes = weights.files.stored_bytes(codes_name, first * groups * 16, last * groups * 16).reshape(-1, 16)
        values = np.stack([codes & 15, codes >> 4], axis=-1).reshape(-1, 32)
        blocks = np.empty((len(codes), 17), np.uint8)
        blocks[:, 0] = weights.files.stored_bytes(scales_name, first * groups, last * groups)
        blocks[:, 1:] = values[:, :16] | values[:, 16:] << 4
        return blocks.reshape(last - first, groups * 17)

    return read_blocks


def constant(values: Floats) -> View:
    """A tensor that the configuration determines."""
    flat = np.ascontiguousarray(values, np.float32).reshape(-1, values.shape[-1])
    return View(values.shape, lambda first, last: flat[first:last], ())


def mapped(view: View, change: Callable[[Floats], Floats]) -> View:
    """Each value changed on its own."""
    return View(view.shape, lambda first, last: change(view.read_rows(first, last)), view.sources, view.stored_type)


def reshaped(view: View, shape: tuple[int, ...]) -> View:
    """The same values in the same order in another shape."""
    if math.prod(shape) != math.prod(view.shape):
        raise disagree(view, f"{view.shape} cannot become {shape}")
    columns = shape[-1] if shape else 1
    if columns == view.columns:
        return View(shape, view.read_rows, view.sources, view.stored_type, view.read_blocks)

    def read_rows(first: int, last: int) -> Floats:
        start, end = first * columns, last * columns
        from_row = start // view.columns
        flat = view.read_rows(from_row, -(-end // view.columns)).reshape(-1)
        skip = start - from_row * view.columns
        return flat[skip : skip + end - start].reshape(last - first, columns)

    return View(shape, read_rows, view.sources, view.stored_type)


def row_slice(view: View, first_row: int, last_row: int) -> View:
    """Rows `first_row` to `last_row` of a matrix, or these values of a vector."""
    if not 0 <= first_row <= last_row <= view.shape[0]:
        raise disagree(view, f"{view.shape[0]} rows, {last_row} are needed")
    if len(view.shape) == 1:
        return View(
            (last_row - first_row,),
            lambda first, last: view.read_rows(first, last)[:, first_row:last_row],
            view.sources,
            view.stored_type,
        )
    inner = math.prod(view.shape[1:-1])
    offset = first_row * inner
    shape = (last_row - first_row, *view.shape[1:])
    return View(
        shape, lambda first, last: view.read_rows(offset + first, offset + last), view.sources, view.stored_type
    )


def picked(view: View, index: Index) -> View:
    """The rows of a matrix (or values of a vector) in the order of `index`; scattered ones should not be far apart."""
    if len(view.shape) == 1:
        return View(
            (len(index),),
            lambda first, last: view.read_rows(first, last)[:, index],
            view.sources,
            view.stored_type,
        )

    shape = (len(index), *view.shape[1:])
    blocks = view.read_blocks
    return View(
        shape,
        lambda first, last: _gathered(view.read_rows, index[first:last], view.columns),
        view.sources,
        view.stored_type,
        None if blocks is None else lambda first, last: _gathered(blocks, index[first:last], 0),
    )


def _gathered(read: Callable[[int, int], NDArray[Any]], wanted: Index, columns: int) -> NDArray[Any]:
    """The wanted rows, read run by run, or all at once from the lowest to the highest where they are scattered."""
    if not len(wanted):
        return np.empty((0, columns), np.float32)
    breaks = np.flatnonzero(np.diff(wanted) != 1) + 1
    if len(breaks) > len(wanted) // LEAST_RUN:
        lowest = int(wanted.min())
        return read(lowest, int(wanted.max()) + 1)[wanted - lowest]
    return np.concatenate([read(int(run[0]), int(run[-1]) + 1) for run in np.split(wanted, breaks)])


def block_rows(view: View, local: Index) -> View:
    """Of each block of a tensor's second to last axis, the rows `local`: a part of every expert, say."""
    *outer, height, width = view.shape
    blocks = math.prod(outer)
    index = (np.arange(blocks, dtype=np.int64)[:, None] * height + local).reshape(-1)
    return reshaped(picked(reshaped(view, (blocks * height, width)), index), (*outer, len(local), width))


def columns_picked(view: View, index: Index) -> View:
    """The columns in the order of `index`."""
    return View(
        (*view.shape[:-1], len(index)),
        lambda first, last: np.ascontiguousarray(view.read_rows(first, last)[:, index]),
        view.sources,
        view.stored_type,
    )


def stacked(views: Sequence[View]) -> View:
    """Tensors of one shape with a new first axis, such as the experts of a layer."""
    if any(view.shape != views[0].shape for view in views):
        raise disagree(views[0], " and ".join(str(view.shape) for view in views[:4]))
    sources = tuple(name for view in views for name in view.sources)
    return View((len(views), *views[0].shape), _rows_of_many(views), sources, views[0].stored_type)


def _rows_of_many(views: Sequence[View]) -> ReadRows:
    ends = np.cumsum([view.rows for view in views])

    def read_rows(first: int, last: int) -> Floats:
        parts = []
        number = int(np.searchsorted(ends, first, side="right"))
        while first < last:
            start = int(ends[number]) - views[number].rows
            end = min(last, int(ends[number]))
            parts.append(views[number].read_rows(first - start, end - start))
            first = end
            number += 1
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.empty((0, views[0].columns), np.float32)

    return read_rows


STRIP_VALUES = 4 * 1024 * 1024
"""Values of the source that are held at once while columns become rows."""


def transposed(view: View) -> View:
    """The last two axes swapped. Rows of the result are cut out of strips of the source."""
    *outer, height, width = view.shape

    def read_rows(first: int, last: int) -> Floats:
        result = np.empty((last - first, height), np.float32)
        done = first
        while done < last:
            block, column = divmod(done, width)
            end = min(last, (block + 1) * width)
            step = max(1, STRIP_VALUES // width)
            for row in range(0, height, step):
                upper = min(height, row + step)
                strip = view.read_rows(block * height + row, block * height + upper)
                result[done - first : end - first, row:upper] = strip[:, column : column + end - done].T
            done = end
        return result

    return View((*outer, width, height), read_rows, view.sources, view.stored_type)


def disagree(view: View, details: str) -> Exception:
    """The error for a tensor whose shape is not the one that the configuration asks for."""
    name = view.sources[0] if view.sources else "a tensor"
    return bad_checkpoint(
        "config.json contradicts the weights; files of two models may be mixed", f"{name[:120]}: {details}"
    )
