"""A checkpoint with a LoRA adapter merged in: each weight as it is read, plus what the adapter adds to it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property

from snug.formats.checkpoints.checkpoint_format import CheckpointFormat, Config, PlainWeight, Weight
from snug.formats.checkpoints.errors import bad_checkpoint
from snug.formats.checkpoints.lora import LoraAdapter
from snug.formats.checkpoints.number_types import Floats


class _Sum:
    """A weight and the adapter's part of it."""

    def __init__(self, base: Weight, adapter: LoraAdapter, module: str) -> None:
        self._base, self._adapter, self._module = base, adapter, module
        self.shape = base.shape
        self.parts = base.parts

    def rows(self, first: int, last: int) -> Floats:
        total: Floats = self._base.rows(first, last) + self._adapter.delta_rows(self._module, first, last)
        return total


class Merged(CheckpointFormat):
    """`base` with every pair of `adapter` added and its whole tensors in the place of the base's."""

    key = "merged"

    def __init__(self, base: CheckpointFormat, adapter: LoraAdapter) -> None:
        super().__init__(base.files, base.config)
        self._base, self._adapter = base, adapter
        self._extra = {name: PlainWeight(adapter.files, stored) for name, stored in adapter.whole_tensors.items()}

    @classmethod
    def recognises(cls, config: Config, tensor_names: Collection[str]) -> bool:
        return False  # made by hand, never found

    def packed_weights(self) -> Iterable[tuple[str, Weight]]:
        return self._base.packed_weights()

    @cached_property
    def weights(self) -> dict[str, Weight]:
        """Every weight. Raises UserError where the adapter is of another model."""
        found: dict[str, Weight] = dict(self._base.weights)
        for module, pair in self._adapter.pairs.items():
            name = _base_name(module, found)
            if name is None or found[name].shape != pair.shape:
                raise _other_model(module, None if name is None else found[name].shape, pair.shape)
            found[name] = _Sum(found[name], self._adapter, module)
        for name, weight in self._extra.items():
            plain = name.replace(".modules_to_save.default", "").replace(".base_layer", "")
            if plain not in found or found[plain].shape != weight.shape:
                raise _other_model(plain, None, weight.shape)
            found[plain] = weight
        return found


def _base_name(module: str, weights: Mapping[str, Weight]) -> str | None:
    """The weight that the adapter's module changes."""
    for name in (f"{module}.weight", module):
        if name in weights:
            return name
    return None


def _other_model(module: str, wanted: object, given: object) -> Exception:
    return bad_checkpoint("the adapter belongs to another model", f"{module[:120]}: {wanted} and {given}")
