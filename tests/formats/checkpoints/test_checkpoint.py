"""A folder is opened lazily, read through the right reader, and refused with words where it is not whole."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snug.core.errors import UserError
from snug.formats.checkpoints.checkpoint import Checkpoint
from snug.formats.checkpoints.formats import FORMATS, format_of
from tests.formats.checkpoints.safetensors_maker import Tensor, safetensors, write_checkpoint
from tests.formats.checkpoints.test_gptq import config as gptq_config
from tests.formats.checkpoints.test_gptq import layer as gptq_layer
from tests.formats.checkpoints.test_lora import CONFIG as LORA
from tests.formats.checkpoints.test_lora import Q, pair

CONFIG = {"model_type": "llama", "hidden_size": 8, "vocab_size": 16, "num_hidden_layers": 2}
TENSORS: dict[str, Tensor] = {
    "model.embed_tokens.weight": np.arange(128, dtype=np.float32).reshape(16, 8),
    "model.layers.0.mlp.up_proj.weight": np.ones((4, 8), np.float16),
    "model.layers.1.mlp.up_proj.weight": np.ones((4, 8), np.float16),
    "model.norm.weight": np.ones(8, np.float32),
}
SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


def sharded(folder: Path, *, with_index: bool = True) -> Path:
    names = list(TENSORS)
    halves = ({name: TENSORS[name] for name in names[:2]}, {name: TENSORS[name] for name in names[2:]})
    for shard, half in zip(SHARDS, halves, strict=True):
        write_checkpoint(folder, CONFIG, half, shard)
    if with_index:
        weight_map = {name: shard for shard, half in zip(SHARDS, halves, strict=True) for name in half}
        write_index(folder, weight_map)
    return folder


def write_index(folder: Path, weight_map: dict[str, Any]) -> None:
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))


def refusal(folder: Path) -> UserError:
    with pytest.raises(UserError) as caught, Checkpoint(folder) as checkpoint:
        _ = checkpoint.format.weights
    assert caught.value.bad_input
    assert caught.value.title
    assert caught.value.advice
    return caught.value


def test_one_file_is_read(tmp_path: Path) -> None:
    with Checkpoint(write_checkpoint(tmp_path, CONFIG, TENSORS)) as checkpoint:
        assert checkpoint.format.key == "plain"
        assert not checkpoint.format.loses_bits
        assert checkpoint.format.read("model.embed_tokens.weight").tolist() == np.arange(128).reshape(16, 8).tolist()
        assert checkpoint.format.read_rows("model.embed_tokens.weight", 3, 5)[:, 0].tolist() == [24, 32]
    checkpoint.close()


@pytest.mark.parametrize("with_index", [True, False])
def test_shards_are_read_as_one(tmp_path: Path, with_index: bool) -> None:
    with Checkpoint(sharded(tmp_path, with_index=with_index)) as checkpoint:
        assert checkpoint.shards == SHARDS
        assert set(checkpoint.format.weights) == set(TENSORS)


def test_nothing_is_opened_before_it_is_asked_for(tmp_path: Path) -> None:
    folder = sharded(tmp_path)
    for shard in SHARDS:
        (folder / shard).write_bytes(b"damaged")
    checkpoint = Checkpoint(folder)
    assert checkpoint.config["model_type"] == "llama"
    assert checkpoint.shards == SHARDS
    assert refusal(folder).kind == "bad-checkpoint"


def test_the_tokenizer_s_files_are_listed(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, CONFIG, TENSORS)
    (folder / "tokenizer.json").write_text("{}")
    (folder / "modeling_x.py").write_text("raise SystemExit")
    assert Checkpoint(folder).tokenizer_files == {"tokenizer.json": folder / "tokenizer.json"}


def test_missing_shards_are_listed(tmp_path: Path) -> None:
    folder = sharded(tmp_path)
    (folder / SHARDS[1]).unlink()
    error = refusal(folder)
    assert error.kind == "missing-part"
    assert SHARDS[1] in error.title


@pytest.mark.parametrize("name", ["../model.safetensors", "/tmp/model.safetensors", "a/../../b.safetensors"])
def test_an_index_that_leads_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    folder = write_checkpoint(tmp_path / "inside", CONFIG, TENSORS)
    (tmp_path / "model.safetensors").write_bytes(safetensors(TENSORS))
    write_index(folder, {"a": name})
    assert refusal(folder).kind == "unsafe-checkpoint"


def test_an_index_that_lies_is_refused(tmp_path: Path) -> None:
    folder = sharded(tmp_path)
    write_index(folder, {"model.norm.weight": SHARDS[0], "model.embed_tokens.weight": SHARDS[1]})
    assert "does not match" in refusal(folder).title
    write_index(folder, {"nothing": SHARDS[0], "model.norm.weight": SHARDS[1]})
    assert "does not match" in refusal(folder).title


def test_shards_that_hold_the_same_tensor_are_refused(tmp_path: Path) -> None:
    folder = sharded(tmp_path)
    (folder / SHARDS[1]).write_bytes((folder / SHARDS[0]).read_bytes())
    assert "same tensor" in refusal(folder).title


def test_a_truncated_shard_is_refused(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, CONFIG, TENSORS)
    data = (folder / "model.safetensors").read_bytes()
    for length in (0, 7, 100, len(data) - 1):
        (folder / "model.safetensors").write_bytes(data[:length])
        assert "cut short" in refusal(folder).title


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"hidden_size": 16}, "contradicts the weights"),
        ({"vocab_size": 17}, "contradicts the weights"),
        ({"num_hidden_layers": 3}, "contradicts the weights"),
        ({"hidden_size": -1}, "impossible hidden_size"),
        ({"hidden_size": "8"}, "impossible hidden_size"),
        ({"num_hidden_layers": 10**9}, "impossible num_hidden_layers"),
        ({"vocab_size": 1e9}, "impossible vocab_size"),
    ],
)
def test_weights_that_contradict_the_config_are_refused(tmp_path: Path, config: dict, words: str) -> None:
    assert words in refusal(write_checkpoint(tmp_path, {**CONFIG, **config}, TENSORS)).title


def test_a_padded_vocabulary_and_layers_beyond_the_config_are_allowed(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, {**CONFIG, "vocab_size": 13, "num_hidden_layers": 1}, TENSORS)
    with Checkpoint(folder) as checkpoint:
        assert len(checkpoint.format.weights) == 4


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"\xff", b'{"a":' * 10_000, b'{"a":1,"a":2}', b'{"a":NaN}'])
def test_a_damaged_config_is_refused(tmp_path: Path, raw: bytes) -> None:
    folder = write_checkpoint(tmp_path, CONFIG, TENSORS)
    (folder / "config.json").write_bytes(raw)
    assert refusal(folder).kind == "bad-checkpoint"


def test_an_impossibly_long_config_is_refused_unread(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, CONFIG, TENSORS)
    os.truncate(folder / "config.json", 2**40)
    assert "impossibly long" in refusal(folder).title


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "consolidated.00.pth"])
def test_pickles_are_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    folder = write_checkpoint(tmp_path, CONFIG, TENSORS)
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(b"PK\x03\x04")
    error = refusal(folder)
    assert error.kind == "pickle"
    assert "can run any program" in error.title
    assert "safetensors" in error.advice


def test_a_pickle_under_a_safe_name_is_refused_too(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, CONFIG, TENSORS)
    for start in (b"PK\x03\x04" + b"\0" * 30, b"\x80\x04\x95" + b"\0" * 30):
        (folder / "model.safetensors").write_bytes(start)
        assert refusal(folder).kind == "pickle"


def test_safe_files_beside_pickles_are_read(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, CONFIG, TENSORS)
    (folder / "pytorch_model.bin").write_bytes(b"PK\x03\x04")
    with Checkpoint(folder) as checkpoint:
        assert checkpoint.format.key == "plain"


def test_folders_without_a_model_are_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path).kind == "no-checkpoint"
    assert refusal(tmp_path / "nothing").kind == "no-folder"
    (tmp_path / "config.json").write_text("{}")
    assert refusal(tmp_path).kind == "no-checkpoint"
    assert refusal(tmp_path / "config.json").kind == "no-folder"


def test_several_files_without_an_order_are_refused(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, CONFIG, TENSORS, "a.safetensors")
    write_checkpoint(tmp_path, CONFIG, TENSORS, "b.safetensors")
    assert "unclear" in refusal(folder).title


def test_a_shard_that_is_a_folder_or_a_pipe_is_refused(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, CONFIG, TENSORS)
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").mkdir()
    assert refusal(folder).kind == "not-a-file"
    (folder / "model.safetensors").rmdir()
    os.mkfifo(folder / "model.safetensors")
    assert refusal(folder).kind == "not-a-file"


def test_the_settings_of_older_tools_are_found(tmp_path: Path) -> None:
    tensors, weight = gptq_layer(4, 32, 8, 32)
    folder = write_checkpoint(tmp_path, {"model_type": "llama"}, tensors)
    (folder / "quantize_config.json").write_text(json.dumps({"bits": 4, "group_size": 32, "desc_act": True}))
    with Checkpoint(folder) as checkpoint:
        assert checkpoint.format.key == "gptq"
        assert checkpoint.format.loses_bits
        np.testing.assert_array_equal(checkpoint.format.read("m.q.weight"), weight)


def test_modelopt_s_file_of_settings_is_found(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, {}, {"a.weight": ("F8_E4M3", np.zeros((2, 2), np.uint8))})
    (folder / "hf_quant_config.json").write_text('{"quantization": {"quant_algo": "FP8"}}')
    with Checkpoint(folder) as checkpoint:
        assert checkpoint.format.key == "fp8"


def test_unknown_methods_are_refused_by_name(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, {"quantization_config": {"quant_method": "quip"}}, TENSORS)
    assert "(quip)" in refusal(folder).title


def test_an_adapter_is_recognised_and_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps(LORA))
    (tmp_path / "adapter_model.safetensors").write_bytes(safetensors(pair()))
    assert refusal(tmp_path).kind == "adapter"
    with Checkpoint(tmp_path) as checkpoint:
        assert checkpoint.is_adapter
        assert list(checkpoint.adapter.pairs) == [Q]


def test_a_model_is_no_adapter(tmp_path: Path) -> None:
    with (
        Checkpoint(write_checkpoint(tmp_path, CONFIG, TENSORS)) as checkpoint,
        pytest.raises(UserError, match="no LoRA"),
    ):
        _ = checkpoint.adapter


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({}, "plain"),
        (gptq_config(4, 128), "gptq"),
        ({"quantization_config": {"quant_method": "awq"}}, "awq"),
        ({"quantization_config": {"quant_method": "bitsandbytes"}}, "bitsandbytes"),
        ({"quantization_config": {"quant_method": "fp8"}}, "fp8"),
        ({"quantization_config": {"quant_method": "fbgemm_fp8"}}, "fp8"),
        ({"quantization_config": {"quant_method": "modelopt", "quant_algo": "NVFP4"}}, "modelopt-nvfp4"),
        ({"quantization_config": {"quant_method": "compressed-tensors"}}, "compressed-tensors"),
        ({"text_config": {"quantization_config": {"quant_method": "compressed-tensors"}}}, "compressed-tensors"),
        ({"quantization_config": {"quant_method": "mxfp4"}}, "mxfp4"),
        ({"quantization_config": {"quant_method": "aqlm"}}, "aqlm"),
        ({"quantization_config": {"quant_method": "hqq"}}, "hqq"),
        ({"quantization_config": {"quant_method": "torchao"}}, "torchao"),
    ],
)
def test_each_config_is_recognised_by_one_format(settings: dict, key: str) -> None:
    assert format_of(settings, ()).key == key
    assert [kind.key for kind in FORMATS if kind.recognises(settings, ())] == [key]


def test_every_format_says_what_it_is() -> None:
    assert len({kind.key for kind in FORMATS}) == len({kind.sentence for kind in FORMATS}) == len(FORMATS)
    assert all(kind.sentence.endswith(".") for kind in FORMATS)


def test_further_chat_templates_are_among_the_tokenizer_s_files(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    folder = tmp_path / "additional_chat_templates"
    folder.mkdir()
    (folder / "rag.jinja").write_text("{{ messages }}")
    (folder / "tool.py").write_text("no")
    assert set(Checkpoint(tmp_path).tokenizer_files) == {"additional_chat_templates/rag.jinja"}
