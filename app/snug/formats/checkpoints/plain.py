"""Checkpoints that hold their weights as plain numbers: F32, F16, BF16."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from snug.formats.checkpoints.checkpoint_format import CheckpointFormat, Config, Weight, quantisation


class Plain(CheckpointFormat):
    """Nothing was rounded off: the best source for a conversion."""

    key = "plain"
    sentence = "The original weights, as its makers published them."
    loses_bits = False

    @classmethod
    def recognises(cls, config: Config, tensor_names: Collection[str]) -> bool:
        return not quantisation(config)

    def packed_weights(self) -> Iterable[tuple[str, Weight]]:
        return ()
