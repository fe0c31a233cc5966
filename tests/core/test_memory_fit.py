"""What fits where: known cases, and what must hold for every machine."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snug.core.catalogue import facts_of, load_catalogue
from snug.core.errors import UserError
from snug.core.fit import Fit, FitSettings, PlannedMemory, Verdict
from snug.core.machine import EngineDevice, Gpu, Machine
from snug.core.memory_fit import fit
from snug.core.memory_need import layer_conversations, padded
from snug.core.model_facts import ModelFacts
from snug.core.words import size_text
from tests.core.machines import apple, card, machine, machines

CATALOGUE = {
    entry.key: entry for entry in load_catalogue(Path(__file__).parents[2] / "resources" / "catalogue" / "models.json")
}
EXAMPLES = 10_000 if os.environ.get("SNUG_FULL_TESTS") == "1" else 150
ORDER = {Verdict.TOO_BIG: 0, Verdict.TIGHT: 1, Verdict.FITS_WELL: 2}
relaxed = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def facts(key: str, file_type: str = "Q4_K_M") -> ModelFacts:
    return facts_of(CATALOGUE[key], file_type)


@pytest.mark.parametrize(
    ("key", "computer", "verdict"),
    [
        ("qwen3-8b", machine(16), Verdict.FITS_WELL),
        ("qwen3-8b", machine(8, free_gb=5), Verdict.TOO_BIG),
        ("llama-3.3-70b-instruct", machine(8), Verdict.TOO_BIG),
        ("llama-3.3-70b-instruct", machine(64), Verdict.FITS_WELL),
        ("qwen3-8b", machine(4, card()), Verdict.FITS_WELL),
        ("qwen3-0.6b", machine(2), Verdict.FITS_WELL),
        ("qwen3.8-27b", apple(16), Verdict.TOO_BIG),
        ("qwen3.8-27b", apple(48), Verdict.FITS_WELL),
        ("gpt-oss-20b", machine(16, free_gb=13), Verdict.TIGHT),
    ],
)
def test_the_verdict_on_known_pairs(key: str, computer: Machine, verdict: Verdict) -> None:
    assert fit(facts(key), FitSettings(), computer).verdict is verdict


def test_a_70b_model_does_not_fit_in_8_gb_and_says_by_how_much() -> None:
    answer = fit(facts("llama-3.3-70b-instruct"), FitSettings(), machine(8))
    assert "too little" in answer.why
    assert "closing other programs" not in answer.why


def test_what_would_fit_with_other_programs_closed_says_so() -> None:
    answer = fit(facts("qwen3-8b"), FitSettings(), machine(16, free_gb=4))
    assert answer.verdict is Verdict.TOO_BIG
    assert "closing other programs could make room" in answer.why


def test_shared_memory_is_never_added_to_a_cards_own() -> None:
    borrowing = replace(card(gigabytes=4), memory_shared=16 * 2**30)
    assert fit(facts("qwen3-8b"), FitSettings(), machine(16, borrowing)) == fit(
        facts("qwen3-8b"), FitSettings(), machine(16, card(gigabytes=4))
    )


def test_an_integrated_device_adds_no_memory() -> None:
    shared = Gpu("AMD Radeon 780M", "integrated", memory_total=8 * 2**30, memory_free=8 * 2**30)
    assert fit(facts("qwen3-8b"), FitSettings(), machine(8, shared, free_gb=5)).verdict is Verdict.TOO_BIG


def test_all_of_a_model_that_fits_goes_to_the_card() -> None:
    answer = fit(facts("qwen3-8b"), FitSettings(context=8000), machine(16, card()))
    assert answer.gpu_layers == facts("qwen3-8b").layers + 1
    assert "All of it runs on the NVIDIA GeForce RTX 3060" in answer.why


def test_a_larger_model_is_split_by_whole_layers() -> None:
    answer = fit(facts("qwen3-14b"), FitSettings(context=8000), machine(32, card(gigabytes=8)))
    assert 0 < answer.gpu_layers < 40
    assert len(answer.memory.devices) == 2
    assert all(device.needed <= device.free for device in answer.memory.devices)


def test_cards_of_different_kinds_are_not_pooled() -> None:
    two = machine(16, card(), card("AMD Radeon RX 7900 XTX", 24, 960e9))
    assert [device.name for device in fit(facts("qwen3-8b"), FitSettings(), two).memory.devices[1:]] == [
        "AMD Radeon RX 7900 XTX"
    ]


def test_two_cards_of_one_kind_share_the_layers() -> None:
    answer = fit(facts("qwen3.8-27b"), FitSettings(context=4000), machine(16, card(), card()))
    assert answer.verdict is Verdict.FITS_WELL
    assert len(answer.memory.devices) == 3


def test_a_card_that_the_engine_cannot_use_is_not_planned_for() -> None:
    processor = EngineDevice("CPU", "AMD Ryzen", "cpu", 16 * 2**30, 12 * 2**30)
    computer = replace(machine(16, card()), engine_devices=(processor,))
    answer = fit(facts("qwen3-8b"), FitSettings(), computer)
    assert answer.gpu_layers == 0
    assert "RTX 3060 is not used: this build runs on the processor." in answer.why


def test_wanted_layers_on_the_card_are_kept_even_where_they_do_not_fit() -> None:
    answer = fit(facts("qwen3-14b"), FitSettings(context=8000, gpu_layers=41), machine(64, card(gigabytes=6)))
    assert answer.gpu_layers == 41
    assert answer.verdict is Verdict.TOO_BIG


def test_the_chosen_context_is_the_largest_useful_one_that_fits_well() -> None:
    small, large = (fit(facts("qwen3-8b"), FitSettings(), machine(gigabytes)) for gigabytes in (12, 16))
    assert 2000 <= small.context < large.context <= 32_768
    assert small.context % 500 == 0
    more = fit(facts("qwen3-8b"), FitSettings(context=small.context + 500), machine(12))
    assert more.verdict is not Verdict.FITS_WELL


def test_a_context_is_never_beyond_the_models_own() -> None:
    assert fit(facts("smollm2-360m-instruct"), FitSettings(), machine(64)).context == 8192


def test_a_conversation_longer_than_the_model_was_made_for_is_said_to_be() -> None:
    made_for = facts("qwen3-8b").context_max
    right, long = (fit(facts("qwen3-8b"), FitSettings(context=n), machine(128)) for n in (made_for, 2 * made_for))
    assert "was made for" not in right.why
    assert "it was made for at most" in long.why


def test_what_lacks_beside_a_card_is_said_of_main_memory() -> None:
    answer = fit(facts("llama-3.3-70b-instruct"), FitSettings(context=8192), machine(8, card(gigabytes=24)))
    assert answer.verdict is Verdict.TOO_BIG
    main, graphics = answer.memory.devices
    assert f"{size_text(main.needed)} of main memory, beside {size_text(graphics.needed)} on the " in answer.why


def test_layers_in_main_memory_make_reading_slower_and_less_certain() -> None:
    """A batch of 512 tokens needs their weights on the card: carried over PCIe, at 12 GB/s if all goes well."""
    model, settings = facts("llama-3.3-70b-instruct"), FitSettings(context=8192)
    reads = []
    for gigabytes in (24, 36, 80):
        answer = fit(model, settings, machine(128, card(gigabytes=gigabytes)))
        assert answer.document_prefill
        in_main = answer.memory.devices[0].parts.weights - model.input_embedding_bytes
        assert 5000 / answer.document_prefill.mid > 10 * in_main / 12.1e9
        reads.append(answer.document_prefill)
    assert reads[0].mid < reads[1].mid < reads[2].mid
    assert reads[0].high / reads[0].low > reads[2].high / reads[2].low


def test_smaller_types_for_the_conversation_need_less() -> None:
    needs = [
        fit(facts("qwen3-8b"), FitSettings(context=8192, kv_type=kind), machine(32)).memory.conversation
        for kind in ("f16", "q8_0", "q4_0")
    ]
    assert needs == sorted(needs, reverse=True)
    assert needs[0] == 2 * 8192 * 36 * 8 * 128 * 2


def test_an_unknown_type_for_the_conversation_is_refused() -> None:
    with pytest.raises(UserError, match="'q7' is no type"):
        fit(facts("qwen3-8b"), FitSettings(kv_type="q7"), machine(32))


def test_a_window_bounds_the_conversation_memory_of_its_layers() -> None:
    gemma = facts("gemma-3-12b-it")
    per_layer = layer_conversations(gemma, 32_768, "f16", 512)
    assert per_layer[0] == padded(1024 + 512) * 8 * 512 * 2
    assert per_layer[5] == 32_768 * 8 * 512 * 2


def test_layers_that_share_a_cache_have_none_of_their_own() -> None:
    per_layer = layer_conversations(facts("gemma-4-e2b-it"), 8192, "f16", 512)
    assert [size > 0 for size in per_layer] == [True] * 15 + [False] * 20


def test_a_measured_speed_replaces_the_estimate() -> None:
    answer = fit(facts("qwen3-8b"), FitSettings(), machine(32), measured_tokens_per_s=7.5)
    assert answer.speed is not None
    assert answer.speed.mid == 7.5


def test_without_a_bandwidth_no_speed_is_invented() -> None:
    assert fit(facts("qwen3-8b"), FitSettings(), machine(32, bandwidth=None)).speed is None


def check_sound(answer: Fit, model: ModelFacts) -> None:
    """What holds for every answer."""
    memory = answer.memory
    parts = (memory.weights, memory.conversation, memory.compute, memory.other)
    assert min(parts) >= 0
    assert memory.weights >= model.weight_bytes
    assert all(device.needed >= 0 and device.free >= 0 for device in memory.devices)
    assert math.isclose(sum(device.needed for device in memory.devices), memory.total, rel_tol=0.01, abs_tol=2**20)
    assert answer.context >= 1
    assert answer.why.endswith(".")
    for speed in (answer.speed, answer.prefill):
        if speed is not None:
            assert 0 < speed.low <= speed.mid <= speed.high < math.inf


@relaxed
@given(machines(), st.sampled_from(sorted(CATALOGUE)), st.sampled_from(("Q8_0", "Q4_K_M", "Q3_K_M")))
def test_every_machine_gets_a_sound_answer(computer: Machine, key: str, file_type: str) -> None:
    model = facts(key, file_type)
    check_sound(fit(model, FitSettings(), computer), model)


@relaxed
@given(machines(), st.sampled_from(sorted(CATALOGUE)), st.integers(0, 2**40), st.integers(0, 2**40))
def test_more_memory_never_makes_the_verdict_worse(computer: Machine, key: str, more: int, more_on_card: int) -> None:
    memory = replace(computer.memory, total=computer.memory.total + more, available=computer.memory.available + more)
    gpus = tuple(
        replace(gpu, memory_total=gpu.memory_total + more_on_card, memory_free=gpu.memory_free + more_on_card)
        if gpu.memory_total
        else gpu  # 0 is not known, not none
        for gpu in computer.gpus
    )
    richer = replace(computer, memory=memory, gpus=gpus)
    before, after = (fit(facts(key), FitSettings(), one).verdict for one in (computer, richer))
    assert ORDER[after] >= ORDER[before]


@relaxed
@given(machines(), st.sampled_from(sorted(CATALOGUE)), st.integers(1, 200_000), st.sampled_from(("f16", "q4_0")))
def test_a_longer_context_never_needs_less(computer: Machine, key: str, context: int, kv_type: str) -> None:
    model = facts(key)
    short, long = (
        fit(model, FitSettings(context=tokens, kv_type=kv_type), computer) for tokens in (context, 2 * context)
    )
    assert long.memory.conversation >= short.memory.conversation
    assert ORDER[long.verdict] <= ORDER[short.verdict]
    check_sound(short, model)


@pytest.mark.parametrize("total", [16, 64])
def test_what_the_engine_planned_replaces_the_formula(total: int) -> None:
    settings = FitSettings(context=8192)
    formula = fit(facts("qwen3-8b"), settings, machine(total))
    planned = PlannedMemory(8192, "f16", 512, formula.memory.conversation + 999, formula.memory.compute + 12_345)
    answer = fit(facts("qwen3-8b"), settings, machine(total), planned=planned)
    assert (formula.basis, answer.basis) == ("formula", "dry-run")
    assert answer.memory.conversation == planned.conversation
    assert answer.memory.compute == planned.compute
    assert answer.memory.total == formula.memory.total + 999 + 12_345
    assert sum(device.needed for device in answer.memory.devices) == answer.memory.total


def test_a_plan_for_another_context_is_not_used() -> None:
    planned = PlannedMemory(4096, "f16", 512, 1, 1)
    eight = facts("qwen3-8b")
    for wanted in (FitSettings(8192), FitSettings(4096, kv_type="q8_0"), FitSettings(4096, batch=256)):
        assert fit(eight, wanted, machine(64), planned=planned) == fit(eight, wanted, machine(64))
