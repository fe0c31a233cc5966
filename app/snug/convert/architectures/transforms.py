"""What happens to tensors between a checkpoint and a GGUF, each under its own name."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from snug.convert.architectures import views
from snug.convert.architectures.architecture import Match, Transform
from snug.convert.architectures.views import Index, View

Outputs = Iterable[tuple[str, View]]


def rotated_pairs(rows: int, heads: int) -> Index:
    """The order of rows that turns halves of each head (the Hugging Face layout of rotary weights) into neighbours."""
    return np.arange(rows, dtype=np.int64).reshape(heads, 2, rows // heads // 2).swapaxes(1, 2).reshape(-1)


def permute_q(match: Match) -> Outputs:
    """Queries (weights or biases) with the two halves of each head interleaved."""
    return _permuted(match, match.settings.heads)


def permute_k(match: Match) -> Outputs:
    """Keys, likewise."""
    return _permuted(match, match.settings.kv_heads)


def _permuted(match: Match, heads: int) -> Outputs:
    (view,) = match.views
    rows = view.shape[0]
    if rows % (2 * heads):
        raise views.disagree(view, f"{rows} rows for {heads} heads")
    yield match.name, views.picked(view, rotated_pairs(rows, heads))


def plus_one(match: Match) -> Outputs:
    """Norms that are stored as their distance from one."""
    (view,) = match.views
    yield match.name, views.mapped(view, lambda rows: rows + np.float32(1))


def transpose(match: Match) -> Outputs:
    """Matrices stored as (inputs, outputs)."""
    (view,) = match.views
    yield match.name, views.transposed(view)


def merge_experts(match: Match) -> Outputs:
    """The experts of a layer, stored one by one, as one tensor."""
    yield match.name, views.stacked(match.views)


def split(*names: str) -> Transform:
    """Equal parts of the second to last axis (of a matrix its rows) under names of their own."""

    def transform(match: Match) -> Outputs:
        (view,) = match.views
        parts = len(names)
        if len(view.shape) == 1:
            size = _part(view, view.shape[0], parts)
            for number, name in enumerate(names):
                yield _beside(match, name), views.row_slice(view, number * size, (number + 1) * size)
            return
        *outer, rows, columns = view.shape
        size = _part(view, rows, parts)
        for number, name in enumerate(names):
            if not outer:
                yield _beside(match, name), views.row_slice(view, number * size, (number + 1) * size)
                continue
            blocks = int(np.prod(outer))
            flat = views.reshaped(view, (blocks, rows, columns))
            parts_of = [
                views.reshaped(
                    views.row_slice(
                        views.reshaped(flat, (blocks * rows, columns)),
                        block * rows + number * size,
                        block * rows + (number + 1) * size,
                    ),
                    (size, columns),
                )
                for block in range(blocks)
            ]
            joined = views.stacked(parts_of)
            yield _beside(match, name), View((*outer, size, columns), joined.read_rows, view.sources, view.stored_type)

    return transform


def _part(view: View, rows: int, parts: int) -> int:
    if rows % parts:
        raise views.disagree(view, f"{rows} rows in {parts} parts")
    return rows // parts


def _beside(match: Match, name: str) -> str:
    """The full name of an output beside the rule's own: in the same layer, with the same ending."""
    return f"blk.{match.layer}.{name}{match.suffix}"
