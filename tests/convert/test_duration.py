"""How long a conversion is said to take."""

from __future__ import annotations

import pytest

from snug.convert.duration import PROVEN_BYTES_PER_S, SHARE_OF_PORTABLE, WRITTEN_BYTES_PER_S, Stopwatch
from snug.convert.mixes import FLOAT_TYPES
from snug.convert.open_source import open_local
from snug.convert.quantize import TYPES
from snug.paths import resources_folder

PIP = resources_folder() / "models" / "pip" / "pip-7m-Q8_0.gguf"


def test_every_type_that_is_not_measured_has_its_share() -> None:
    assert set(SHARE_OF_PORTABLE) == {name for name, shape in TYPES.items() if shape.by == "ggml"}


def test_a_file_that_is_only_copied_takes_no_longer_than_its_bytes() -> None:
    with open_local(PIP) as source:
        types = {tensor.name: tensor.stored_type for tensor in source.tensors}
        seconds = Stopwatch(2).seconds(source, types, 10**9)
    assert seconds == pytest.approx(1e9 / WRITTEN_BYTES_PER_S / 2 + 1e9 / PROVEN_BYTES_PER_S)


@pytest.mark.parametrize("type_name", [*FLOAT_TYPES, "Q4_K", "IQ2_XXS"])
def test_weights_that_change_their_type_take_longer(type_name: str) -> None:
    with open_local(PIP) as source:
        copied = {tensor.name: tensor.stored_type for tensor in source.tensors}
        changed = {tensor.name: tensor.fixed_type or type_name for tensor in source.tensors}
        stopwatch = Stopwatch(1)
        assert stopwatch.seconds(source, changed, 0) > stopwatch.seconds(source, copied, 0) == 0
