"""What every kind of checkpoint has in common: it recognises itself, says what it is, and reads weights as float32."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import Any, ClassVar, Protocol

import numpy as np

from snug.formats.checkpoints.errors import bad_checkpoint
from snug.formats.checkpoints.json_text import table, text
from snug.formats.checkpoints.number_types import Floats, to_float32
from snug.formats.checkpoints.tensor_files import TensorFiles, sizes

Config = Mapping[str, Any]


class Weight(Protocol):
    """One tensor as the model uses it, whatever it is stored as."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape; of a linear layer (outputs, inputs). All axes but the last together are its rows."""

    @property
    def parts(self) -> tuple[str, ...]:
        """The stored tensors that it is made of."""

    def rows(self, first: int, last: int) -> Floats:
        """Rows `first` to `last`, at least one, as float32 of shape (last - first, columns)."""


class PlainWeight:
    """A tensor stored as the numbers that it is; `shape` where it is stored in another with the same order."""

    def __init__(self, files: TensorFiles, name: str, shape: tuple[int, ...] | None = None) -> None:
        self._files = files
        self._name = name
        self.shape = files.info(name).shape if shape is None else shape
        self.parts = (name,)

    def rows(self, first: int, last: int) -> Floats:
        if len(self.shape) == 2:
            return self._files.floats(self._name, first, last)
        columns = self.shape[-1] if self.shape else 1
        kind = self._files.info(self._name).kind
        share = 8 // kind.bits if kind.bits < 8 else 1
        if columns % share:
            raise bad_checkpoint(f"the tensor {self._name[:120]} has an impossible shape", str(self.shape))
        span = self._files.stored_span(self._name, first * columns // share, last * columns // share)
        return to_float32(span, kind).reshape(last - first, columns)


class CheckpointFormat(ABC):
    """The weights of one checkpoint. A kind of checkpoint is a subclass and a line in `FORMATS`.

    `loses_bits` says that the numbers were rounded to few bits already: converting regains nothing of what was lost.
    """

    key: ClassVar[str]
    sentence: ClassVar[str]
    loses_bits: ClassVar[bool] = True
    ignored: ClassVar[tuple[str, ...]] = ()
    """Endings of stored tensors that are no weights, such as the scales of activations."""

    def __init__(self, files: TensorFiles, config: Config) -> None:
        self.files = files
        self.config = config

    @classmethod
    @abstractmethod
    def recognises(cls, config: Config, tensor_names: Collection[str]) -> bool:
        """Whether a checkpoint with this config.json and these stored tensors is of this kind."""

    @abstractmethod
    def packed_weights(self) -> Iterable[tuple[str, Weight]]:
        """The weights that are not stored as they are, under the names that the plain model gives them."""

    @cached_property
    def weights(self) -> dict[str, Weight]:
        """Every weight of the model under its name. Raises UserError where parts are missing or disagree."""
        found: dict[str, Weight] = {}
        used: set[str] = set()
        for name, weight in self.packed_weights():
            if name in found or (name in self.files and name not in weight.parts):
                raise bad_checkpoint(f"they hold the tensor {name[:120]} twice")
            found[name] = weight
            used.update(weight.parts)
        for name in self.files.tensors:
            if name not in used and not name.endswith(self.ignored):
                found[name] = PlainWeight(self.files, name)
        return found

    def shape(self, name: str) -> tuple[int, ...]:
        return self._weight(name).shape

    def read(self, name: str) -> Floats:
        """The whole tensor as float32, in its shape; of a linear layer (outputs, inputs)."""
        shape = self.shape(name)
        return self.read_rows(name, 0, row_count(shape)).reshape(shape)

    def read_rows(self, name: str, first: int, last: int) -> Floats:
        """Rows `first` to `last` as float32 of shape (last - first, columns); all axes but the last count as rows."""
        weight = self._weight(name)
        if not 0 <= first <= last <= row_count(weight.shape):
            raise IndexError(f"rows {first} to {last} of {name!r}, which has {row_count(weight.shape)}")
        if first == last:
            return np.empty((0, weight.shape[-1] if weight.shape else 1), np.float32)
        with np.errstate(
            all="ignore"
        ):  # numbers that overflow or are none stay so; what to do is not the reader's to say
            return weight.rows(first, last)

    def bits_per_weight(self) -> float:
        """The bits that a weight takes on average, scales and all."""
        elements = sum(math.prod(weight.shape) for weight in self.weights.values())
        parts = {part for weight in self.weights.values() for part in weight.parts}
        return 8 * sizes(self.files.tensors, parts) / max(1, elements)

    def _weight(self, name: str) -> Weight:
        weight = self.weights.get(name)
        if weight is None:
            raise bad_checkpoint(f"the tensor {name[:120]} is missing")
        return weight


def row_count(shape: tuple[int, ...]) -> int:
    """All axes but the last together; a vector is one row."""
    return math.prod(shape[:-1])


def quantisation(config: Config) -> Config:
    """The `quantization_config` of a config.json, also where it stands in its part for text; empty without one."""
    settings = table(config, "quantization_config")
    return settings or table(table(config, "text_config"), "quantization_config")


def method(config: Config) -> str:
    """The quantisation method that the config names, "" where it names none."""
    return text(quantisation(config), "quant_method").replace("_", "-")


def with_ending(names: Iterable[str], ending: str) -> list[str]:
    """The names that end so, without that ending, sorted."""
    return sorted(name.removesuffix(ending) for name in names if name.endswith(ending))
