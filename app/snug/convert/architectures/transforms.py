"""What happens to tensors between a checkpoint and a GGUF, each under its own name."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from snug.convert.architectures import views
from snug.convert.architectures.architecture import Match, Transform
from snug.convert.architectures.settings import Settings
from snug.convert.architectures.views import Index, View

Outputs = Iterable[tuple[str, View]]


def rotated_pairs(rows: int, heads: int) -> Index:
    """The order of rows that turns halves of each head (the Hugging Face layout of rotary weights) into neighbours."""
    return np.arange(rows, dtype=np.int64).reshape(heads, 2, rows // heads // 2).swapaxes(1, 2).reshape(-1)


def rows_in_order(index_of: Callable[[Settings, int], Index]) -> Transform:
    """Rows (or values of a bias) in another order: `index_of` gives it for the settings and the number of rows."""

    def transform(match: Match) -> Outputs:
        (view,) = match.views
        yield match.name, views.picked(view, index_of(match.settings, view.shape[0]))

    return transform


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
    """Norms that are stored as their distance from one; their biases are what they are."""
    (view,) = match.views
    if match.suffix == ".bias":
        yield match.name, view
        return
    yield match.name, views.mapped(view, lambda rows: rows + np.float32(1))


def merge_experts(match: Match) -> Outputs:
    """The experts of a layer, stored one by one, as one tensor."""
    yield match.name, views.stacked(match.views)


def flatten_convolution(match: Match) -> Outputs:
    """A convolution's kernels, stored as (channels, 1, width), as a matrix."""
    (view,) = match.views
    if len(view.shape) == 3:
        if view.shape[1] != 1:
            raise views.disagree(view, f"{view.shape} is no convolution of each channel alone")
        view = views.reshaped(view, (view.shape[0], view.shape[2]))
    yield match.name, view


def negative_exponential(match: Match) -> Outputs:
    """-exp(x): the rate at which a recurrent layer forgets, which training keeps as its logarithm."""
    (view,) = match.views
    yield match.name, views.mapped(view, lambda rows: -np.exp(rows.astype(np.float64)).astype(np.float32))


def halves(first: str, second: str) -> Transform:
    """The two halves of the second to last axis (of a bias its values) under names of their own: gate and up."""

    def transform(match: Match) -> Outputs:
        (view,) = match.views
        rows = view.shape[0 if len(view.shape) == 1 else -2]
        if rows % 2:
            raise views.disagree(view, f"{rows} rows in two halves")
        for number, name in enumerate((first, second)):
            local = np.arange(rows // 2, dtype=np.int64) + number * (rows // 2)
            yield beside(match, name), rows_of(view, local)

    return transform


def rows_of(view: View, local: Index) -> View:
    """The rows `local` of every block; of a vector these values."""
    return views.picked(view, local) if len(view.shape) == 1 else views.block_rows(view, local)


def beside(match: Match, name: str) -> str:
    """The full name of an output beside the rule's own: in the same layer, with the same ending."""
    return f"blk.{match.layer}.{name}{match.suffix or '.weight'}"
