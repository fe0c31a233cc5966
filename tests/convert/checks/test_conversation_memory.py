"""The type of conversation memory follows from the memory and the size of the heads."""

from __future__ import annotations

from dataclasses import replace

from snug.convert.checks.conversation_memory import check_conversation_memory
from snug.core.fit import FitSettings
from snug.core.memory_fit import fit
from snug.formats.gguf_facts import facts_from_header
from snug.formats.gguf_header import read_file_header
from tests.convert.checks.conftest import PIP
from tests.core.machines import machine

FACTS = replace(
    facts_from_header(read_file_header(PIP)), name="", architecture="llama", weight_bytes=6 * 2**30,
    file_bytes=6 * 2**30,
    layers=32, kv_heads=(32,) * 32, head_dims_k=(128,) * 32, head_dims_v=(128,) * 32, windows=(0,) * 32,
    context_max=32_768, layer_bytes=(), layer_expert_bytes=(), tensor_bytes_by_type={"Q4_K": 6 * 2**30},
    matrix_bytes_by_type={},
)  # fmt: skip


def test_with_much_memory_full_precision_is_right() -> None:
    check, kind = check_conversation_memory(FACTS, machine(128))
    assert check.ok
    assert kind == "f16"


def test_with_little_memory_compact_is_right() -> None:
    small = machine(16, free_gb=13)
    check, kind = check_conversation_memory(FACTS, small)
    assert kind == "q8_0"
    assert "instead of" in check.words
    compact, full = (fit(FACTS, FitSettings(kv_type=name), small).context for name in ("q8_0", "f16"))
    assert compact > 1.3 * full


def test_odd_heads_keep_full_precision() -> None:
    odd = replace(FACTS, head_dims_k=(80,) * 32, head_dims_v=(80,) * 32)
    assert check_conversation_memory(odd, machine(16, free_gb=13))[1] == "f16"


def test_without_a_machine_nothing_is_said() -> None:
    check, kind = check_conversation_memory(FACTS, None)
    assert not check.is_done
    assert kind == ""
