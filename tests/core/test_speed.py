"""Speed: the order of things is right, ranges are honest, nothing is invented."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from snug.core.catalogue import facts_of, load_catalogue
from snug.core.fit import FitSettings, SpeedRange
from snug.core.gpu_bandwidths import KNOWN_DEVICES, bandwidth_by_name
from snug.core.machine import Cpu, Machine
from snug.core.memory_fit import fit
from snug.core.speed import active_share, is_mixture
from tests.core.machines import GIB, apple, card, machine

CATALOGUE = {
    entry.key: entry for entry in load_catalogue(Path(__file__).parents[2] / "resources" / "catalogue" / "models.json")
}


def speed(key: str, computer: Machine, file_type: str = "Q4_K_M", context: int = 4096) -> SpeedRange:
    answer = fit(facts_of(CATALOGUE[key], file_type), FitSettings(context=context), computer)
    assert answer.speed is not None
    return answer.speed


@pytest.mark.parametrize(
    ("key", "file_type", "computer", "tokens_per_s"),
    [
        # single-user measurements of llama.cpp from the community (tokens a second while answering)
        ("qwen3-8b", "Q4_K_M", machine(64, card("NVIDIA GeForce RTX 5090", 32, 1792e9)), 227),
        ("qwen3-0.6b", "Q4_K_M", machine(64, card("NVIDIA GeForce RTX 3060", 12, 360e9)), 323),
        ("qwen3-1.7b", "Q4_K_M", machine(64, card("NVIDIA GeForce RTX 3060", 12, 360e9)), 200),
        ("gemma-4-31b-it", "Q6_K", machine(64, card("NVIDIA GeForce RTX 5090", 32, 1792e9)), 46),
        ("phi-4-mini-instruct", "Q4_K_M", machine(64, card("NVIDIA GeForce RTX 3090", 24, 936e9)), 162),
        ("qwen3.6-35b-a3b", "Q4_K_M", machine(64, card("NVIDIA GeForce RTX 5090", 32, 1792e9)), 230),
        ("qwen3-14b", "Q4_K_M", apple(64, "Apple M1 Max"), 25),
    ],
)
def test_the_middle_is_within_a_factor_of_one_and_a_half_of_measurements(
    key: str, file_type: str, computer: Machine, tokens_per_s: float
) -> None:
    assert tokens_per_s / 1.5 < speed(key, computer, file_type).mid < 1.5 * tokens_per_s


def test_a_smaller_type_is_faster() -> None:
    speeds = [speed("qwen3-8b", machine(32), kind).mid for kind in ("F16", "Q8_0", "Q4_K_M")]
    assert speeds == sorted(speeds)


def test_a_card_is_faster_than_the_processor_and_a_split_lies_between() -> None:
    alone, split, on_card = (
        speed("qwen3-14b", computer).mid
        for computer in (machine(32), machine(32, card(gigabytes=6)), machine(32, card(gigabytes=12)))
    )
    assert alone < split < on_card


def test_a_mixture_of_experts_is_as_fast_as_its_active_part() -> None:
    assert is_mixture(facts_of(CATALOGUE["qwen3.6-35b-a3b"], "Q4_K_M"))
    assert speed("qwen3.6-35b-a3b", machine(64)).mid > 4 * speed("qwen3.8-27b", machine(64)).mid


def test_exact_expert_figures_win_over_the_stated_active_size() -> None:
    facts = replace(
        facts_of(CATALOGUE["qwen3.6-35b-a3b"], "Q4_K_M"), experts=128, experts_used=8, expert_bytes=16 * 10**9
    )
    assert active_share(facts, 20 * 10**9) == pytest.approx(1 - 16 / 20 * (1 - 8 / 128))


def test_no_type_is_faster_than_its_bytes_allow() -> None:
    computer = machine(64, card("NVIDIA GeForce RTX 5090", 32, 1792e9))
    for key, entry in CATALOGUE.items():
        facts = facts_of(entry, "Q8_0")
        if not is_mixture(facts):
            touched = facts.weight_bytes - facts.input_embedding_bytes - facts.lookup_bytes
            assert speed(key, computer, "Q8_0").high * touched < 1792e9


def test_few_slow_cores_bound_the_speed_whatever_the_memory_delivers() -> None:
    fast = machine(32, bandwidth=400e9)
    weak = replace(fast, cpu=Cpu(cores=2, features=("avx2",)))
    assert speed("qwen3-8b", weak).mid < speed("qwen3-8b", fast).mid / 3


def test_a_containers_share_of_the_processor_counts() -> None:
    whole = machine(32, bandwidth=400e9)
    part = replace(whole, cpu=replace(whole.cpu, limit=1.0))
    assert speed("qwen3-8b", part).mid < speed("qwen3-8b", whole).mid


@pytest.mark.parametrize(
    ("name", "gigabytes", "gb_per_s"),
    [
        ("NVIDIA GeForce RTX 3060", 12, 360),
        ("NVIDIA GeForce RTX 3060", 8, 240),
        ("NVIDIA GeForce RTX 4070 Laptop GPU", 8, 256),
        ("NVIDIA A100-SXM4-80GB", 80, 2039),
        ("NVIDIA A100-PCIE-40GB", 40, 1555),
        ("NVIDIA H100 80GB HBM3", 80, 3350),
        ("AMD Radeon RX 7900 XTX", 24, 960),
        ("Intel(R) Arc(TM) A770 Graphics", 16, 560),
        ("Apple M4 Pro", 48, 273),
        ("NVIDIA GeForce GTX 1050 Ti", 4, 112),
        ("NVIDIA RTX 6000 Ada Generation", 48, 960),
        ("NVIDIA RTX PRO 6000 Blackwell Workstation Edition", 96, 1792),
        ("NVIDIA A100-PCIE-80GB", 80, 1935),
        ("Tesla V100-SXM2-16GB", 16, 900),
        ("AMD Radeon RX 9070 XT", 16, 640),
        ("Apple M3 Max", 36, 300),
        ("Apple M3 Max", 64, 400),
        ("Apple M4 Max", 36, 410),
        ("Apple M4 Max", 128, 546),
        ("Apple M1 M1 Max", 64, 400),
    ],
)
def test_a_known_device_has_its_makers_bandwidth(name: str, gigabytes: int, gb_per_s: float) -> None:
    assert bandwidth_by_name(name, gigabytes * GIB) == gb_per_s * 1e9


def test_each_known_device_has_a_source_and_stands_there_once() -> None:
    assert len({(row.name, row.memory_gb) for row in KNOWN_DEVICES}) == len(KNOWN_DEVICES) >= 180
    assert all(row.source.split(",")[0] in ("NVIDIA", "AMD", "Intel", "Apple") for row in KNOWN_DEVICES)
    assert all(90e9 < row.bandwidth_bytes_per_s < 10e12 for row in KNOWN_DEVICES if row.name != "apple m1")


def test_a_size_in_decimal_gigabytes_is_the_same_device() -> None:
    assert bandwidth_by_name("Apple M4 Max", 64 * 10**9) == bandwidth_by_name("Apple M4 Max", 64 * GIB) == 546e9


def test_a_laptop_chip_is_not_faster_than_the_card_of_that_name() -> None:
    faster_memory = {"rtx 5050 laptop"}  # GDDR7, the card has GDDR6
    laptops = [row for row in KNOWN_DEVICES if row.name.endswith(" laptop") and row.name not in faster_memory]
    for row in laptops:
        card_figure = bandwidth_by_name(row.name.removesuffix(" laptop"))
        assert card_figure is None or row.bandwidth_bytes_per_s <= card_figure


def test_a_macs_memory_size_tells_its_chips_variant() -> None:
    slow, fast = (speed("qwen3-14b", apple(size, "Apple M4 Max")).mid for size in (36, 64))
    assert fast > 1.2 * slow


@pytest.mark.parametrize("name", ["", "NVIDIA", "GeForce RTX 3070 with Max-Q Design", "RTX 30600", "Voodoo 2"])
def test_a_device_that_is_not_exactly_in_the_table_has_no_bandwidth(name: str) -> None:
    assert bandwidth_by_name(name, 8 * GIB) is None
