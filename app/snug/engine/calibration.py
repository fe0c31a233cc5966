"""What the weights of a model are multiplied with when it reads text: sums of squares and products of its inputs.

The engine's eval callback shows each matrix product. Of a product's inputs X (tokens x columns) two things are kept for
its weights: the sum of squares of each column (for experts: of each expert's own tokens), which is llama.cpp's
importance matrix, and where wanted the products X^T X, which error feedback needs. Weights that are multiplied with the
same inputs (query, key and value; gate and up) share one table of products. All experts of a layer whose inputs are the
tokens themselves (gate and up) share one, too: a table for each would take gigabytes a layer.

Tables of products take columns squared x 4 bytes. Columns beyond `block` are cut into groups of at most that many, and
products are kept within a group only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from snug.core.errors import UserError
from snug.engine.graph_tensors import (
    F32,
    MULTIPLY,
    MULTIPLY_BY_EXPERT,
    GgmlTensor,
    check_layout,
    float_values,
    integer_values,
    operation,
    tensor_at,
)
from snug.engine.text_reader import TextReader, Tokens

Floats = NDArray[np.float32]

LARGEST_BLOCK = 2048
"""Columns of one table of products: 16 MB. A wider tensor gets several, without the products between them."""

LARGEST_TABLES = 768 * 1024 * 1024
"""Bytes of tables that are collected in one pass over the text; what does not fit waits for another pass."""

SAMPLES_OF_A_CHUNK = 64


@dataclass(slots=True)
class Squares:
    """Sums of squared inputs of one tensor, float32 (matrices, columns), and how many inputs each matrix had."""

    sums: Floats
    counts: NDArray[np.int64]


@dataclass(slots=True)
class Products:
    """X^T X of the inputs of one or more tensors: one table for each group of columns, and the number of inputs.

    `samples` are inputs as they were, float32 (rows, columns), of chunks that are not part of the tables. There may be
    samples alone, without tables. `experts` (rows, number used) says which experts read each sample, where such did.
    """

    tables: list[Floats]
    starts: list[int]
    columns: int
    count: int = 0
    samples: Floats | None = None
    experts: NDArray[np.int32] | None = None

    @property
    def size_bytes(self) -> int:
        return sum(table.nbytes for table in self.tables)


@dataclass(slots=True)
class Calibration:
    """What was collected. `products` by the tensor that was seen first with these inputs; `leaders` names it for each
    tensor; `deferred` are those for which there was no room."""

    squares: dict[str, Squares] = field(default_factory=dict)
    products: dict[str, Products] = field(default_factory=dict)
    leaders: dict[str, str] = field(default_factory=dict)
    deferred: set[str] = field(default_factory=set)
    chunks: int = 0
    chunk_tokens: int = 0


def weight_name(name: str) -> str:
    """A tensor's name as the file has it: backends put their own before and behind it, between # signs."""
    parts = name.split("#")
    return parts[1] if len(parts) > 1 else name


class Collector:
    """The observer that collects. `wants_products(name)` says of which tensors products are kept, as long as the tables
    take no more than `limit_bytes`; of chunks that judge, up to `sample_rows` inputs are kept instead. Without
    `keeps_squares` only tensors with products are looked at, and the model reads no further than these. Without
    `keeps_tables` there are samples alone, which cost little."""

    def __init__(
        self,
        wants_products: Callable[[str], bool] = lambda name: False,
        *,
        block: int = LARGEST_BLOCK,
        limit_bytes: int = LARGEST_TABLES,
        sample_rows: int = 512,
        keeps_squares: bool = True,
        keeps_tables: bool = True,
    ) -> None:
        self.found = Calibration()
        self.is_judging = False
        self._wants_products = wants_products
        self._block = block
        self._limit_bytes = limit_bytes
        self._sample_rows = sample_rows
        self._keeps_squares = keeps_squares
        self._keeps_tables = keeps_tables
        self._held_bytes = 0
        self._is_checked = False
        # address of an input in this graph and whether experts read it, and the tensor that has it in hand
        self._leaders: dict[tuple[int, bool], str] = {}

    def begin_chunk(self) -> None:
        """The engine builds a new graph: addresses of the last one mean nothing any more."""
        self._leaders.clear()

    def __call__(self, address: int, is_asking: bool) -> bool:
        tensor = tensor_at(address)
        if not self._is_checked:
            check_layout(address)
            self._is_checked = True
        kind = operation(tensor)
        if kind not in (MULTIPLY, MULTIPLY_BY_EXPERT):
            return False
        weights = tensor_at(tensor.sources[0])
        inputs = tensor_at(tensor.sources[1])
        name = weight_name(weights.name.decode("utf-8", "replace"))
        if not name.endswith(".weight") or inputs.type != F32:
            return False
        if not self._keeps_squares and not self._wants_products(name):
            return False
        if not is_asking:
            if kind == MULTIPLY:
                self._add(name, weights, inputs, tensor.sources[1])
            else:
                chosen = integer_values(tensor_at(tensor.sources[2]))[0, 0]
                self._add_experts(name, weights.dims[2], inputs, chosen, tensor.sources[1])
            return self._keeps_squares or name not in self.found.deferred
        return True

    def _add(self, name: str, weights: GgmlTensor, inputs: GgmlTensor, address: int) -> None:
        values = float_values(inputs)
        matrices = weights.dims[2] * weights.dims[3]
        columns = values.shape[-1]
        squares = self._squares(name, matrices, columns)
        if matrices == 1:
            rows = values.reshape(-1, columns)
            squares.sums[0] += np.einsum("ij,ij->j", rows, rows)
            squares.counts += len(rows)
            self._add_products(name, rows, address)
        else:
            for index in np.ndindex(values.shape[:2]):
                rows = values[index]
                matrix = index[0] % weights.dims[3] * weights.dims[2] + index[1] % weights.dims[2]
                squares.sums[matrix] += np.einsum("ij,ij->j", rows, rows)
            squares.counts += values[..., 0].size // matrices
        _check_finite(squares.sums, name)

    def _add_experts(self, name: str, count: int, inputs: GgmlTensor, experts: NDArray[np.int32], address: int) -> None:
        """`inputs` is (tokens, 1 or the number used, columns), `experts` (tokens, number used): which one read it."""
        values = float_values(inputs)[0]
        squares = self._squares(name, count, values.shape[-1])
        if experts.min() < 0 or experts.max() >= count:
            raise UserError("The engine chose an expert that is not there.", "Choose another file.", kind="bad-file")
        for place in range(experts.shape[1]):
            rows = values[:, place % values.shape[1]]
            for expert in np.unique(experts[:, place]):
                mine = rows[experts[:, place] == expert]
                squares.sums[expert] += np.einsum("ij,ij->j", mine, mine)
                squares.counts[expert] += len(mine)
        if values.shape[1] == 1:
            self._add_products(name, values[:, 0], address, experts)
        _check_finite(squares.sums, name)

    def _squares(self, name: str, matrices: int, columns: int) -> Squares:
        found = self.found.squares.get(name)
        if found is None:
            found = Squares(np.zeros((matrices, columns), np.float32), np.zeros(matrices, np.int64))
            self.found.squares[name] = found
        return found

    def _add_products(self, name: str, rows: Floats, address: int, experts: NDArray[np.int32] | None = None) -> None:
        if not self._wants_products(name) or name in self.found.deferred:
            return
        leader = self._leaders.setdefault((address, experts is not None), name)
        self.found.leaders[name] = leader
        if leader != name:
            if leader in self.found.deferred:
                self.found.deferred.add(name)
            return
        products = self._products(name, rows.shape[1])
        if products is None:
            self.found.deferred.add(name)
        elif self.is_judging:
            _add_sample(products, rows, self._sample_rows, experts)
        else:
            for start, table in zip(products.starts, products.tables, strict=True):
                part = np.ascontiguousarray(rows[:, start : start + len(table)])
                np.add(table, part.T @ part, out=table)
            products.count += len(rows)

    def _products(self, name: str, columns: int) -> Products | None:
        """The tables for these inputs; None where there is no room for them in this pass."""
        found = self.found.products.get(name)
        if found is None:
            starts = list(range(0, columns, self._block)) if self._keeps_tables else []
            sizes = [min(self._block, columns - start) for start in starts]
            needed = sum(size * size * 4 for size in sizes)
            if self._held_bytes and self._held_bytes + needed > self._limit_bytes:
                return None
            self._held_bytes += needed
            found = Products([np.zeros((size, size), np.float32) for size in sizes], starts, columns)
            self.found.products[name] = found
        return found


def _add_sample(products: Products, rows: Floats, most: int, experts: NDArray[np.int32] | None) -> None:
    """Keep some of the inputs, spread over the chunk, and who read them."""
    room = most - (0 if products.samples is None else len(products.samples))
    if room > 0:
        step = max(1, len(rows) // SAMPLES_OF_A_CHUNK)
        picked = rows[::step][:room].copy()
        products.samples = picked if products.samples is None else np.concatenate([products.samples, picked])
        if experts is not None:
            readers = experts[::step][:room].copy()
            products.experts = readers if products.experts is None else np.concatenate([products.experts, readers])


def _check_finite(sums: Floats, name: str) -> None:
    if not np.isfinite(sums).all():
        raise UserError(
            "This model computes values that are not numbers while it reads the text.",
            "Choose another file of the same model: this one is damaged or was made wrongly.",
            kind="not-finite",
            details=name,
        )


def calibrate(
    reader: TextReader,
    collector: Collector,
    chunks: Sequence[Tokens],
    *,
    judge_every: int = 0,
    on_chunk: Callable[[int], None] = lambda done: None,
) -> Calibration:
    """Let the model read the chunks. `reader` was made with `collector` as its observer. Each `judge_every`th chunk
    judges instead of counting for the products (0: none)."""
    found = collector.found
    for number, chunk in enumerate(chunks, 1):
        collector.begin_chunk()
        collector.is_judging = judge_every > 0 and number % judge_every == 0
        reader.logits(chunk, 0)  # all of them: else the last layer leaves out the tokens that nobody asks for
        found.chunks += 1
        found.chunk_tokens = reader.chunk
        on_chunk(found.chunks)
    return found


def importance_of(calibration: Calibration) -> Mapping[str, Floats]:
    """Mean squares by tensor, float32 (matrices, columns). A matrix that read nothing gets the mean of the others."""
    result: dict[str, Floats] = {}
    for name, squares in calibration.squares.items():
        known = squares.counts > 0
        if not known.any():
            continue
        counts = np.maximum(squares.counts, 1).astype(np.float32)
        means = np.divide(squares.sums, counts[:, None])
        means[~known] = np.mean(means[known], axis=0)
        result[name] = means
    return result
