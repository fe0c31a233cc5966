"""What the engine is told of a layout; without a graphics card its own processor device stands for one."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path

import gguf
import pytest

from snug.core.errors import UserError
from snug.core.fit import NO_OFFLOAD, Offload
from snug.engine.allocated import ProcessMemory, device_of, overhead, parse_status
from snug.engine.library import llama
from snug.engine.model import LoadSettings, load_model
from snug.engine.placement import Override, Placement, expert_pattern
from tests.formats.gguf_maker import Recipe, expert_layer, write_gguf


def test_without_a_card_the_engine_is_given_none() -> None:
    parameters = llama().llama_model_default_params()
    placement = Placement(llama(), NO_OFFLOAD)
    placement.apply(parameters)
    assert parameters.n_gpu_layers == 0
    assert ctypes.c_void_p.from_address(parameters.devices).value is None
    assert parameters.tensor_buft_overrides is None


def test_a_layout_is_written_as_the_engine_reads_it() -> None:
    parameters = llama().llama_model_default_params()
    offload = Offload(gpu_layers=33, split=(20, 13), devices=("CPU", "CPU"), cpu_experts=2, draft_layers=1)
    placement = Placement(llama(), offload)
    placement.apply(parameters)
    assert parameters.n_gpu_layers == 34
    assert parameters.split_mode == 1
    assert [parameters.tensor_split[index] for index in range(2)] == [20.0, 14.0]
    devices = (ctypes.c_void_p * 3).from_address(parameters.devices)
    assert devices[0] == devices[1] is not None
    assert devices[2] is None
    overrides = (Override * 3).from_address(parameters.tensor_buft_overrides)
    assert [override.pattern for override in overrides] == [expert_pattern(0), expert_pattern(1), None]


def test_a_device_that_has_gone_is_told_in_words() -> None:
    with pytest.raises(UserError) as told:
        Placement(llama(), Offload(1, (1,), ("CUDA7",)))
    assert told.value.kind == "gpu-gone"
    assert "CUDA7" in told.value.title


def test_the_pattern_means_the_experts_of_one_layer() -> None:
    pattern = re.compile(expert_pattern(1).decode())
    assert all(
        pattern.search(f"blk.1.ffn_{name}.weight") for name in ("up_exps", "gate_exps", "down_exps", "gate_up_exps")
    )
    others = ("blk.11.ffn_up_exps.weight", "blk.1.ffn_up.weight", "blk.1.ffn_up_shexp.weight", "blk.1.attn_q.weight")
    assert not any(pattern.search(name) for name in others)


def test_a_mixture_loads_with_its_experts_apart(tmp_path: Path) -> None:
    """On the processor alone both halves lie in main memory; the engine takes the patterns all the same."""
    recipe = Recipe("qwen3moe", width=256, heads=4, kv_heads=2, vocabulary=512, context=512,
                    layer_tensors=expert_layer, keys={"attention.key_length": 64, "attention.value_length": 64,
                    "expert_count": 4, "expert_used_count": 2, "expert_feed_forward_length": 64})  # fmt: skip
    path = write_gguf(tmp_path / "mixture.gguf", recipe)
    plain = load_model(LoadSettings(str(path), 256))
    apart = load_model(LoadSettings(str(path), 256, offload=Offload(cpu_experts=2)))
    assert apart.weights_bytes == plain.weights_bytes
    plain.close()
    apart.close()


def test_rearranged_weights_are_reported_apart(tmp_path: Path) -> None:
    """Q4_0 has an order of its own on every processor that is met: the copies stand beside the mapped file."""
    recipe = Recipe("llama", width=512, feed_forward=1024, heads=8, kv_heads=8, vocabulary=512, context=512,
                    kind=gguf.GGMLQuantizationType.Q4_0)  # fmt: skip
    path = write_gguf(tmp_path / "q4.gguf", recipe)
    plain = load_model(LoadSettings(str(path), 256))
    packed = load_model(LoadSettings(str(path), 256, use_extra_buffers=True))
    assert plain.devices[0].repacked == 0
    assert 0 < packed.devices[0].repacked <= plain.weights_bytes
    plain.close()
    packed.close()


@pytest.mark.parametrize(
    ("buffer", "device"),
    [("CPU", "CPU"), ("CPU_Mapped", "CPU"), ("CPU_REPACK", "CPU"), ("AMX", "CPU"), ("CUDA_Host", "CPU"),
     ("CUDA0", "CUDA0"), ("Vulkan1", "Vulkan1"), ("MTL0_Mapped", "MTL0"), ("ROCm0", "ROCm0")],
)  # fmt: skip
def test_a_buffers_name_tells_its_device(buffer: str, device: str) -> None:
    assert device_of(buffer) == device


def test_the_process_is_told_from_mapped_weights() -> None:
    before = parse_status("VmRSS:\t   45056 kB\nRssAnon:\t   22528 kB\nRssFile:\t   22528 kB\nRssShmem:\t       0 kB\n")
    after = ProcessMemory(resident=200 * 2**20, anonymous=40 * 2**20)
    assert before == ProcessMemory(44 * 2**20, 22 * 2**20)
    assert overhead(before, after, copied_weights=10 * 2**20) == 52 * 2**20
    assert overhead(ProcessMemory(10, None), ProcessMemory(10, None), 0) == 0
