"""Layouts over main memory and cards: the fastest that fits, in the engine's terms and in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snug.core.assumed_bandwidth import assumed_bandwidth
from snug.core.catalogue import facts_of, load_catalogue
from snug.core.devices import given_back, places_of
from snug.core.fit import NO_OFFLOAD, FitSettings, Offload, Parts, Verdict
from snug.core.fit_words import layout_words
from snug.core.machine import EngineDevice, Gpu, Holder, Machine
from snug.core.memory_fit import fit
from snug.core.model_facts import ModelFacts
from snug.core.offload import COMFORTABLE_CARD_SHARE
from tests.core.machines import GIB, apple, card, machine

CATALOGUE = {
    entry.key: entry for entry in load_catalogue(Path(__file__).parents[2] / "resources" / "catalogue" / "models.json")
}
EIGHT_K = FitSettings(context=8000)


def facts(key: str, file_type: str = "Q4_K_M") -> ModelFacts:
    return facts_of(CATALOGUE[key], file_type)


def listed(gpu: Gpu, name: str) -> EngineDevice:
    return EngineDevice(name, gpu.name, "gpu", gpu.memory_total, gpu.memory_free)


def test_a_mixture_keeps_its_experts_in_main_memory_where_that_is_faster() -> None:
    """A card with 8 GB, and a mixture of 18 GB of which each token uses a tenth."""
    answer = fit(facts("qwen3.6-35b-a3b"), EIGHT_K, machine(64, card(gigabytes=8)))
    assert answer.offload.gpu_layers == 41
    assert 0 < answer.offload.cpu_experts <= 40
    assert "of 41 layers" in answer.why or "all 41 layers" in answer.why.casefold()
    assert "experts" in answer.why
    main, on_card = answer.memory.devices
    assert on_card.parts.conversation == answer.memory.conversation
    assert main.parts.weights > on_card.parts.weights


def test_the_experts_move_to_a_card_that_has_room() -> None:
    answer = fit(facts("qwen3.6-35b-a3b"), EIGHT_K, machine(64, card("NVIDIA GeForce RTX 4090", 24, 1008e9)))
    assert answer.offload == replace(answer.offload, gpu_layers=41, cpu_experts=0)


def test_a_layout_with_experts_apart_beats_whole_layers() -> None:
    """The plan is chosen by speed: at the same memory, whole layers on the card are slower."""
    computer = machine(64, card(gigabytes=8))
    mixture = facts("qwen3.6-35b-a3b")
    apart = fit(mixture, EIGHT_K, computer)
    whole = max(
        (fit(mixture, replace(EIGHT_K, gpu_layers=count), computer) for count in range(42)),
        key=lambda answer: (answer.verdict is not Verdict.TOO_BIG, answer.speed.mid if answer.speed else 0),
    )
    assert apart.speed is not None
    assert whole.speed is not None
    assert apart.speed.mid > whole.speed.mid


def test_an_output_head_that_stays_in_main_memory_costs_time() -> None:
    """All layers but not the head on a card: the head is read from main memory for each token."""
    model, computer = facts("qwen3-14b"), machine(32, card(gigabytes=24))
    without = fit(model, replace(EIGHT_K, gpu_layers=model.layers), computer)
    whole = fit(model, replace(EIGHT_K, gpu_layers=model.layers + 1), computer)
    assert without.speed is not None
    assert whole.speed is not None
    head_seconds = model.output_bytes / 50e9
    assert 1 / without.speed.mid > 1 / whole.speed.mid + 0.5 * head_seconds


def test_unlike_cards_of_one_maker_share_a_model_the_faster_one_first() -> None:
    fast, slow = card("NVIDIA GeForce RTX 3090", 24, 936e9), card("NVIDIA GeForce RTX 3060", 12, 360e9)
    answer = fit(facts("llama-3.3-70b-instruct", "Q3_K_M"), EIGHT_K, machine(64, slow, fast))
    assert [device.name for device in answer.memory.devices[1:]] == [fast.name, slow.name]
    assert answer.offload.split[0] > answer.offload.split[1] > 0
    assert (
        f"{answer.offload.split[0]} on the {fast.name} and {answer.offload.split[1]} on the {slow.name}" in answer.why
    )


def test_cards_of_two_makers_are_not_pooled_unless_the_engine_lists_both() -> None:
    nvidia, amd = card("NVIDIA GeForce RTX 3060", 12, 360e9), card("AMD Radeon RX 6700 XT", 12, 384e9)
    large = facts("qwen3.8-27b")
    apart = fit(large, EIGHT_K, machine(64, nvidia, amd))
    assert len(apart.memory.devices) == 2
    assert "is not used together with another kind of card" in apart.why
    both = replace(machine(64, nvidia, amd), engine_devices=(listed(nvidia, "Vulkan0"), listed(amd, "Vulkan1")))
    pooled = fit(large, EIGHT_K, both)
    assert pooled.offload.devices == ("Vulkan1", "Vulkan0")
    assert len(pooled.memory.devices) == 3


def test_a_partition_of_a_card_works_alone() -> None:
    half = replace(card("NVIDIA H100 MIG 3g.40gb", 40, 1600e9), part_of="NVIDIA H100")
    assert [len(group) for group in places_of(machine(64, half, half)).groups] == [1, 1]


def test_like_cards_are_filled_alike() -> None:
    answer = fit(facts("qwen3.8-27b"), EIGHT_K, machine(16, card(), card()))
    first, second = answer.memory.devices[1:]
    assert abs(first.needed - second.needed) < 0.15 * first.needed
    assert sum(answer.offload.split) == answer.offload.gpu_layers


def test_a_third_card_is_not_used_where_two_do_as_well() -> None:
    two, three = (machine(128, *[card("NVIDIA GeForce RTX 3090", 24, 936e9)] * count) for count in (2, 3))
    model = facts("olmo-3.1-32b-instruct")
    on_two, on_three = (fit(model, FitSettings(context=32_768), computer) for computer in (two, three))
    assert len(on_two.offload.split) == len(on_three.offload.split) == 2
    assert on_two.speed == on_three.speed


def test_a_card_slower_than_main_memory_takes_only_what_finds_no_room_there() -> None:
    computer = machine(64, card("NVIDIA GeForce GTX 1630", 40, 96e9), bandwidth=200e9)
    model = facts("qwen3.6-35b-a3b", "F16")
    answer = fit(model, FitSettings(context=8000), computer)
    fullest = fit(model, FitSettings(context=8000, gpu_layers=24), computer)
    assert answer.verdict is Verdict.FITS_WELL
    assert answer.speed
    assert fullest.speed
    assert answer.speed.mid > fullest.speed.mid
    larger = replace(computer, gpus=(card("NVIDIA GeForce GTX 1630", 44, 96e9),))
    on_larger = fit(model, FitSettings(context=8000), larger)
    assert on_larger.speed
    assert on_larger.speed.mid >= answer.speed.mid


CARDS = (("NVIDIA GeForce RTX 3090", 936e9), ("NVIDIA GeForce RTX 3060", 360e9), ("NVIDIA GeForce GTX 1630", 96e9),
         ("A card of nobody's", None), ("AMD Radeon RX 7900 XTX", 960e9))  # fmt: skip


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.sampled_from(CARDS), st.floats(1, 48), st.floats(0.3, 1)), max_size=3),
    st.floats(2, 128), st.floats(0.2, 1), st.sampled_from((20e9, 50e9, 200e9)),
    st.sampled_from(sorted(CATALOGUE)), st.sampled_from(("Q4_K_M", "Q8_0", "F16")), st.floats(1, 32), st.integers(0, 3),
)  # fmt: skip
def test_with_more_memory_a_model_fits_no_worse_and_is_not_slower(
    cards: list[tuple[tuple[str, float | None], float, float]], gigabytes: float, free: float, bandwidth: float,
    key: str, file_type: str, more: float, where: int,
) -> None:  # fmt: skip
    less = machine(
        gigabytes, *(card(name, size, rate, share) for (name, rate), size, share in cards),
        free_gb=free * gigabytes, bandwidth=bandwidth,
    )  # fmt: skip
    added = round(more * GIB)
    memory, gpus = less.memory, list(less.gpus)
    if where < len(gpus):
        gpu = gpus[where]
        gpus[where] = replace(gpu, memory_total=gpu.memory_total + added, memory_free=gpu.memory_free + added)
    else:
        memory = replace(memory, total=memory.total + added, available=memory.available + added)
    before, after = (
        fit(facts(key, file_type), EIGHT_K, computer)
        for computer in (less, replace(less, memory=memory, gpus=tuple(gpus)))
    )
    order = (Verdict.TOO_BIG, Verdict.TIGHT, Verdict.FITS_WELL)
    assert order.index(after.verdict) >= order.index(before.verdict)
    if before.verdict is after.verdict and before.verdict is not Verdict.TOO_BIG:
        assert before.speed is not None
        assert after.speed is not None
        # Layouts are tried by whole layers and, of a mixture, all experts: one in between may be a little faster.
        assert after.speed.mid >= 0.97 * before.speed.mid


def test_a_slow_card_is_not_used_where_main_memory_is_faster() -> None:
    slow = card("NVIDIA GeForce GT 710", 4, 14e9)
    answer = fit(facts("qwen3-8b"), EIGHT_K, machine(32, slow, bandwidth=80e9))
    assert answer.offload == NO_OFFLOAD


def test_a_card_of_unknown_speed_is_used_and_its_speed_stated_as_assumed() -> None:
    """A card that no table holds and whose driver gives no clock: silently left out, it would be worth nothing."""
    known, unknown = (card("NVIDIA Foo 9999", 24, bandwidth) for bandwidth in (300e9, None))
    answer, same = (fit(facts("qwen3-8b"), EIGHT_K, machine(32, gpu)) for gpu in (unknown, known))
    assert answer.offload.gpu_layers == 37
    assert "speed of the NVIDIA Foo 9999 is not known: 300 GB a second are assumed" in answer.why
    assert "not known" not in same.why
    assert answer.speed is not None
    assert same.speed is not None
    assert answer.speed.mid == pytest.approx(same.speed.mid)
    assert answer.speed.low < same.speed.low < same.speed.high < answer.speed.high


def test_a_card_of_unknown_speed_works_beside_a_known_one() -> None:
    fast, unknown = card("NVIDIA GeForce RTX 3090", 24, 936e9), card("NVIDIA Foo 9999", 24, None)
    answer = fit(facts("llama-3.3-70b-instruct", "Q3_K_M"), EIGHT_K, machine(64, unknown, fast))
    assert [device.name for device in answer.memory.devices[1:]] == [fast.name, unknown.name]
    assert "assumed" in answer.why


def test_more_memory_is_never_assumed_to_be_slower() -> None:
    figures = [assumed_bandwidth(size * GIB) for size in range(200)]
    assert figures == sorted(figures)
    assert figures[0] > 0
    assert assumed_bandwidth(int(0.95 * 24 * GIB)) == 300e9


def test_a_card_that_would_be_nearly_full_is_not_said_to_fit_well() -> None:
    need = fit(facts("qwen3-8b"), EIGHT_K, machine(32, card(gigabytes=24))).memory.devices[1].needed
    for share, verdict in ((0.96, Verdict.FITS_WELL), (0.985, Verdict.TIGHT)):
        reserve = 512 * 2**20
        gpu = replace(card(), memory_free=round(need / share) + reserve)
        places = places_of(machine(32, gpu))
        gpu = replace(gpu, memory_free=gpu.memory_free + round(need / share) - places.cards[0].free)
        answer = fit(facts("qwen3-8b"), replace(EIGHT_K, gpu_layers=37), machine(32, gpu))
        assert answer.verdict is verdict, (need, places.cards[0].free)
        assert ("the NVIDIA GeForce RTX 3060 is nearly full" in answer.why) == (verdict is Verdict.TIGHT)


def test_a_chosen_layout_leaves_a_little_of_a_card_free() -> None:
    answer = fit(facts("qwen3.8-27b"), EIGHT_K, machine(64, card()))
    on_card = answer.memory.devices[1]
    assert answer.verdict is Verdict.FITS_WELL
    assert 0.8 * on_card.free < on_card.needed <= COMFORTABLE_CARD_SHARE * on_card.free


def test_the_engine_is_told_the_devices_by_their_address_in_its_own_order() -> None:
    first, second = replace(card(), pci_id="0000:0A:00.0"), replace(card(), pci_id="0000:0b:00.0")
    devices = (
        replace(listed(second, "CUDA0"), device_id="0000:0b:00.0"),
        replace(listed(first, "CUDA1"), device_id="0000:0a:00.0"),
    )
    computer = replace(machine(16, first, second), engine_devices=devices)
    assert [place.engine_name for place in places_of(computer).cards] == ["CUDA1", "CUDA0"]


@pytest.mark.parametrize(
    "description", ["NVIDIA GeForce RTX 3060", "GeForce RTX 3060", "NVIDIA GeForce RTX 3060 (driver words)", "GPU"]
)
def test_the_engine_may_call_a_card_otherwise(description: str) -> None:
    computer = replace(machine(16, card()), engine_devices=(EngineDevice("Vulkan0", description, "gpu", 1, 1),))
    assert fit(facts("qwen3-8b"), EIGHT_K, computer).offload.devices == ("Vulkan0",)


def test_layers_that_only_draft_are_counted_as_the_engine_counts() -> None:
    drafting = replace(facts("qwen3-8b"), draft_layers=1)
    offload = fit(drafting, EIGHT_K, machine(16, card())).offload
    assert (offload.gpu_layers, offload.draft_layers) == (37, 1)


def test_layouts_are_said_in_words() -> None:
    model = replace(facts("qwen3-8b"), layers=32)
    one = ["RTX 3060"]
    assert layout_words(Offload(29, (29,)), model, one) == "29 of 33 layers on the RTX 3060, the rest on the processor"
    assert layout_words(Offload(33, (33,)), model, one) == "all 33 layers on the RTX 3060"
    assert layout_words(Offload(33, (20, 13)), model, ["A", "B"]) == "of 33 layers 20 on the A and 13 on the B"
    assert layout_words(Offload(33, (33,), cpu_experts=32), model, one).endswith("; the experts stay in main memory")
    assert layout_words(Offload(33, (33,), cpu_experts=12), model, one).endswith(
        "the experts of 12 layers stay in main memory"
    )
    assert layout_words(NO_OFFLOAD, model, one) == ""


def test_exact_layers_are_laid_out_by_their_own_sizes() -> None:
    model = replace(facts("qwen3-8b"), exact=True)
    heavy = tuple(50_000_000 if index < 30 else 200_000_000 for index in range(36))
    model = replace(model, layer_bytes=heavy)
    answer = fit(model, replace(EIGHT_K, gpu_layers=6), machine(32, card()))
    assert answer.memory.devices[1].parts.weights == 6 * 200_000_000


def test_what_a_loaded_model_gives_back_counts_as_free() -> None:
    full = machine(16, card(free=0.1), free_gb=3)
    after = replace(full, gives_back={"memory": 6 * GIB, "gpus.0": 10 * GIB})
    before, answer = (fit(facts("qwen3-8b"), FitSettings(context=2000), each) for each in (full, after))
    assert before.verdict is Verdict.TOO_BIG
    assert answer.verdict is Verdict.FITS_WELL
    assert answer.memory.devices[1].gives_back == 10 * GIB


def test_more_than_there_is_cannot_be_given_back() -> None:
    computer = replace(machine(16, card()), gives_back={"memory": 10**12, "gpus.0": 10**12})
    places = places_of(computer)
    assert places.main.free < 16 * GIB
    assert places.cards[0].free < 12 * GIB


def test_a_loaded_model_gives_back_what_it_took() -> None:
    gpu = card()
    computer = replace(machine(16, gpu), engine_devices=(listed(gpu, "CUDA0"),))
    taken = [Parts(weights=100, conversation=20, compute=3, other=4), Parts(weights=1000, compute=30)]
    offload = Offload(10, (10,), ("CUDA0",))
    assert given_back(taken, offload, computer) == {"memory": 27, "gpus.0": 1030}
    assert given_back(taken, offload, replace(computer, os="windows"))["memory"] == 127
    assert given_back([], NO_OFFLOAD, computer) == {}
    assert given_back(taken, Offload(10), apple(16)) == {"memory": 1157}


def test_the_sentence_names_what_is_kept_and_who_holds_the_rest() -> None:
    holders = (Holder("Firefox", 2_100_000_000), Holder("Code", 1_300_000_000), Holder("tiny", 1_000_000))
    short = replace(machine(16, free_gb=4), memory_holders=holders)
    too_big = fit(facts("qwen3-8b"), FitSettings(), short)
    assert "Firefox: 2.1 GB, Code: 1.3 GB" in too_big.why
    assert "stay with the system" in too_big.why
    roomy = fit(facts("qwen3-8b"), FitSettings(), replace(machine(32), memory_holders=holders))
    assert "Firefox" not in roomy.why


def test_a_full_card_names_who_holds_it() -> None:
    game = replace(card(free=0.2), holders=(Holder("a game", 9_000_000_000),))
    answer = fit(facts("qwen3-8b"), replace(EIGHT_K, gpu_layers=37), machine(32, game))
    assert answer.verdict is Verdict.TOO_BIG
    assert "a game: 9.0 GB there" in answer.why


@pytest.mark.parametrize(
    ("features", "size"),
    [((), 0), (("avx2",), 400), (("avx2", "avx512f"), 500), (("neon", "dotprod"), 1000), (("amx_int8", "avx2"), 1000)],
)
def test_rearranged_weights_are_counted_where_they_are_asked_for(features: tuple[str, ...], size: int) -> None:
    mib = 2**20
    model = replace(
        facts("qwen3-8b"), matrix_bytes_by_type={"Q4_K": 400 * mib, "Q6_K": 600 * mib, "Q2_K": 100 * mib, "F32": 7}
    )
    here = machine(32)
    here = replace(here, cpu=replace(here.cpu, features=features))
    plain, packed = (fit(model, replace(EIGHT_K, extra_buffers=asked), here) for asked in (False, True))
    assert plain.memory.repacked == 0
    assert packed.memory.repacked == size * mib
    assert packed.memory.total == plain.memory.total + size * mib


def test_figures_of_an_older_version_never_count_too_little_for_rearranged_weights() -> None:
    old = replace(facts("qwen3-8b"), exact=True, tensor_bytes_by_type={"Q4_K": 4 * GIB, "F32": GIB})
    memory = fit(old, replace(EIGHT_K, extra_buffers=True), machine(32)).memory
    assert memory.repacked == 4 * GIB


@pytest.mark.parametrize("computer", [machine(32), machine(32, card()), apple(32)], ids=["memory", "card", "apple"])
def test_what_is_loaded_beside_the_model_is_a_part_of_its_own(computer: Machine) -> None:
    alone = fit(facts("qwen3-8b"), EIGHT_K, computer).memory
    beside = fit(facts("qwen3-8b"), replace(EIGHT_K, projector_bytes=900 * 10**6, adapter_bytes=10**8), computer).memory
    assert (alone.projector, alone.adapters) == (0, 0)
    assert beside.projector > 900 * 10**6
    assert beside.adapters == 10**8
    assert sum(device.needed for device in beside.devices) == beside.total
    assert beside.total == alone.total + beside.projector + beside.adapters


def test_one_fast_memory_for_all_is_used_by_its_graphics_where_this_build_can() -> None:
    """As on the DGX Spark: NVIDIA's graphics may use all of it, and nothing where the build has no CUDA."""
    computer = machine(128, Gpu("NVIDIA GB10", "unified", bandwidth=273e9), bandwidth=200e9)
    answer = fit(facts("llama-3.3-70b-instruct"), EIGHT_K, computer)
    assert answer.memory.devices[0].free > 0.75 * answer.memory.devices[0].total
    assert answer.offload.gpu_layers == 81
    processor = replace(computer, engine_devices=(EngineDevice("CPU", "ARM", "cpu", 1, 1),))
    plain = fit(facts("llama-3.3-70b-instruct"), EIGHT_K, processor)
    assert plain.offload == NO_OFFLOAD
    assert "this build runs on the processor" in plain.why
