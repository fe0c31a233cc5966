"""Every architecture against llama.cpp's own converter, recorded: names, shapes, types, bytes, metadata key by key."""

from __future__ import annotations

from pathlib import Path

import pytest

from snug.convert.architectures import ARCHITECTURES
from tests.convert.architectures.comparison import MODELS, RECORDINGS, differences
from tests.convert.yardstick.tiny_models import TinyModel

JUSTIFIED: dict[str, str] = {
    "ssm_a, rope_freqs": "compared to 2^-22: PyTorch's exponential and power are approximate in the last bit",
    "tokenizer.*, general.sampling.*": "the tokenizers' own yardstick",
    "general.file_type, general.quantization_version": "the writer's: they depend on the types chosen",
    "prediction heads (MTP) of Qwen 3.5, GLM 4 MoE": "left out, as with --no-mtp: the chat does not use them",
    "falcon with multi_query and num_kv_heads above 1": "read as one key and value head; the converter fails",
    "gpt2's attn.bias, exaone's rotary.inv_freq": "buffers, left out; the converter fails on them",
    "exaone.attention.layer_norm_rms_epsilon": "written too: the engine does not load the model without it",
    "stablelm's norms by head": "stacked; the converter fails on them",
}
"""How Snug's files differ from the converter's, and why."""


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_plan_equals_what_the_reference_converter_writes(model: TinyModel, tmp_path: Path) -> None:
    assert differences(model, tmp_path) == []


def test_every_architecture_has_a_recording() -> None:
    recorded = {name for model in MODELS for name in model.config["architectures"]}
    assert [entry.classes[0] for entry in ARCHITECTURES if not recorded & set(entry.classes)] == []
    assert {path.stem for path in RECORDINGS.glob("*.json")} == {model.name for model in MODELS}


def test_no_class_is_claimed_twice() -> None:
    classes = [name for entry in ARCHITECTURES for name in entry.classes]
    assert len(classes) == len(set(classes))


def test_the_recordings_stay_small() -> None:
    assert sum(path.stat().st_size for path in RECORDINGS.glob("*.json")) < 1_000_000
