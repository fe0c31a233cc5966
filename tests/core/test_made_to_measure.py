"""The largest file of a model that fits a computer with a conversation of so many pages."""

from __future__ import annotations

import pytest

from snug.core.fit import FitSettings, Verdict
from snug.core.machine import Gpu, Machine, Memory
from snug.core.made_to_measure import largest_that_fits, scaled
from snug.core.memory_fit import fit
from snug.core.model_facts import ModelFacts

GB = 10**9


def model(size: int) -> ModelFacts:
    return ModelFacts(
        name="Test", architecture="llama", file_type="Q4_K_M", parameters=8 * GB, weight_bytes=size, layers=32,
        embedding_length=4096, vocabulary=32000, context_max=131072, attention_heads=32, kv_heads=(8,) * 32,
        head_dims_k=(128,) * 32, head_dims_v=(128,) * 32, file_bytes=size, layer_bytes=(size // 33,) * 32,
        layer_expert_bytes=(0,) * 32, tensor_bytes_by_type={"Q4_K": size},
    )  # fmt: skip


FILES = [model(size * GB) for size in (3, 5, 8, 16)]


def computer(free: int, card: int = 0) -> Machine:
    gpus = [Gpu(name="NVIDIA GeForce RTX 3060", kind="discrete", memory_total=card, memory_free=card, bandwidth=360e9)]
    return Machine(memory=Memory(total=2 * free, available=free, bandwidth=50e9), gpus=tuple(gpus) if card else ())


@pytest.mark.parametrize("machine", [computer(9 * GB), computer(13 * GB), computer(6 * GB, card=8 * GB)])
def test_the_file_fits_and_a_clearly_larger_one_does_not(machine):
    size = largest_that_fits(FILES, machine, pages=40)
    settings = FitSettings(context=20_000)
    assert FILES[0].file_bytes < size < FILES[-1].file_bytes
    assert fit(scaled(FILES[0], size), settings, machine).verdict is Verdict.FITS_WELL
    assert fit(scaled(FILES[0], size + GB), settings, machine).verdict is not Verdict.FITS_WELL


def test_more_pages_leave_less_for_the_file():
    machine = computer(12 * GB)
    assert largest_that_fits(FILES, machine, pages=100) < largest_that_fits(FILES, machine, pages=10)


def test_where_everything_fits_the_largest_is_taken_and_where_nothing_does_none():
    assert largest_that_fits(FILES, computer(200 * GB), pages=40) == FILES[-1].file_bytes
    assert largest_that_fits(FILES, computer(2 * GB), pages=40) == 0


def test_a_scaled_model_keeps_its_shape_and_sums():
    half = scaled(FILES[2], 4 * GB)
    assert (half.layers, half.parameters, half.kv_heads) == (FILES[2].layers, FILES[2].parameters, FILES[2].kv_heads)
    assert half.weight_bytes == 4 * GB
    assert sum(half.tensor_bytes_by_type.values()) == 4 * GB
