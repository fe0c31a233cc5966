"""What is known of the inputs of each tensor, kept on the disk: the tables of a large model take gigabytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from snug.engine.calibration import LARGEST_TABLES, Calibration, Collector, Products, Squares, calibrate
from snug.engine.text_reader import TextReader, Tokens
from snug.formats.checkpoints.number_types import Floats

JUDGE_EVERY = 6
"""One chunk in so many judges what was fitted to the others."""

MOST_TABLES = 8 * 1024**3

EXPERT_PRIOR = 64
"""An expert's own inputs count like so many of all tokens' beside them: a text may show it to few."""

FEWEST_SAMPLES = 24
"""Of an expert's own inputs; with fewer those of all tokens judge."""


@dataclass(frozen=True, slots=True)
class KnownInputs:
    """The products of some tensors' inputs (`Products` of engine.calibration), their tables read when asked for.

    Where experts share them, `experts` (samples, number used) says which of them read each sample.
    """

    leader: str
    columns: int
    starts: list[int]
    count: int
    samples: Floats | None
    unscaled_leader: str
    scale: Floats | None
    _files: tuple[Path, ...]
    experts: NDArray[np.int32] | None = None

    def unscaled_tables(self) -> Iterator[Floats]:
        """X^T X of each group of columns, before any scale."""
        return (np.load(file) for file in self._files)

    def sizes(self) -> Floats:
        """The root mean square of each column of the inputs, before any scale."""
        squares: Floats = np.concatenate([np.diagonal(np.load(file, mmap_mode="r")) for file in self._files])
        return np.sqrt(squares / max(1, self.count), dtype=np.float32)

    def scaled(self, scale: Floats) -> KnownInputs:
        """The same inputs, each column divided by its scale."""
        whole: Floats = scale if self.scale is None else self.scale * scale
        key = f"{self.unscaled_leader} scaled by {blake2b(whole.tobytes(), digest_size=8).hexdigest()}"
        samples = None if self.samples is None else self.samples / scale
        return replace(self, leader=key, samples=samples, scale=whole)

    def of_expert(self, number: int, squares: Squares) -> KnownInputs:
        """The inputs of one expert: those of all tokens, each column as large as in the tokens that it read itself
        (`squares`), and of the samples those."""
        if self.experts is None or self.samples is None:
            return self
        own = self.samples[(self.experts == number).any(axis=1)]
        samples = own if len(own) >= FEWEST_SAMPLES else self.samples
        if not self._files:
            return replace(self, samples=samples, experts=None)
        all_tokens = np.square(self.sizes())
        mixed = (squares.sums[number] + EXPERT_PRIOR * all_tokens) / (int(squares.counts[number]) + EXPERT_PRIOR)
        ratio = np.divide(mixed, all_tokens, out=np.ones_like(all_tokens), where=all_tokens > 0)
        scale = 1 / np.sqrt(np.clip(ratio, 0.01, 100.0), dtype=np.float32)
        return replace(self, leader=f"{self.leader} expert {number}", samples=samples, scale=scale, experts=None)


class InputTables:
    """All that was collected, below one folder; `folder` must be empty or absent, and is the caller's to remove."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._known: dict[str, KnownInputs] = {}
        self._leaders: dict[str, str] = {}
        self.squares: dict[str, Squares] = {}

    def find(self, name: str) -> KnownInputs | None:
        """What is known of a tensor's inputs, None for nothing."""
        return self._known.get(self._leaders.get(name, ""))

    def of_matrix(self, name: str, matrix: int) -> KnownInputs | None:
        """What is known of the inputs of one matrix of a tensor: of an expert, or of the only one."""
        known = self.find(name)
        squares = self.squares.get(name)
        if known is None or known.experts is None or squares is None or matrix >= len(squares.counts):
            return known
        return known.of_expert(matrix, squares)

    @property
    def has_experts(self) -> bool:
        """Whether experts share inputs."""
        return any(known.experts is not None for known in self._known.values())

    def scaled(self, names: Sequence[str], scale: Floats) -> InputTables:
        """The same tables, where the inputs of some tensors, the same ones, were divided by `scale`."""
        other = InputTables(self._folder)
        other._known, other._leaders, other.squares = dict(self._known), dict(self._leaders), self.squares
        known = self.find(names[0])
        if known is not None:
            scaled = known.scaled(scale)
            key = scaled.leader
            other._known[key] = scaled
            other._leaders |= dict.fromkeys(names, key)
        return other

    def add(self, calibration: Calibration) -> None:
        """Keep what one pass collected. Raises OSError where the disk is full."""
        self.squares.update(calibration.squares)
        self._leaders.update(
            {name: leader for name, leader in calibration.leaders.items() if name not in calibration.deferred}
        )
        for leader, products in calibration.products.items():
            self._known[leader] = self._kept(leader, products)

    def _kept(self, leader: str, products: Products) -> KnownInputs:
        number = len(self._known)
        files = []
        for index, table in enumerate(products.tables):
            files.append(self._folder / f"{number}-{index}.npy")
            np.save(files[-1], table)
        return KnownInputs(
            leader,
            products.columns,
            products.starts,
            products.count,
            products.samples,
            leader,
            None,
            tuple(files),
            products.experts,
        )


def collect_inputs(
    model: Path,
    chunks: Sequence[Tokens],
    folder: Path,
    *,
    wants_products: Callable[[str], bool],
    keeps_tables: bool = True,
    chunk: int = 512,
    threads: int = 0,
    on_chunk: Callable[[int, int], None] = lambda done, total: None,
) -> InputTables:
    """Let the model at `model` (a GGUF) read the chunks, in as many passes as the tables' memory asks for. Without
    `keeps_tables` samples of the inputs are kept alone: they judge, and nothing can be fitted to them."""
    tables = InputTables(folder)
    wanted: Callable[[str], bool] = wants_products
    left: set[str] = set()
    done, total = 0, len(chunks)
    while True:
        collector = Collector(
            wanted, limit_bytes=_room_for_tables(model), keeps_squares=not left, keeps_tables=keeps_tables
        )
        with TextReader(model, chunk=chunk, threads=threads, observer=collector) as reader:
            found = calibrate(
                reader,
                collector,
                chunks,
                judge_every=JUDGE_EVERY,
                on_chunk=partial(_tell, on_chunk, done, total),
            )
        tables.add(found)
        left = (left or set(found.leaders)) - (set(found.leaders) - found.deferred)
        if not left:
            return tables
        done, total = total, total + len(chunks)
        wanted = frozenset(left).__contains__


def _room_for_tables(model: Path) -> int:
    """Bytes of tables for one pass: half of what is free beside the model, so that most models are read but once."""
    free: int = psutil.virtual_memory().available - model.stat().st_size
    return max(LARGEST_TABLES, min(free // 2, MOST_TABLES))


def _tell(on_chunk: Callable[[int, int], None], before: int, total: int, done: int) -> None:
    on_chunk(before + done, total)
