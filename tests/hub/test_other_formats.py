"""Repositories for other engines: recognised by their files and config.json, and what to do about them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from snug.core.other_engines import convert_words, format_words
from snug.hub.model_page import read_model_page
from snug.hub.other_formats import recognise
from snug.hub.remote import Access, File
from snug.hub.search import search
from tests.hub.content import Bytes, Filler, Repository, other_format_repository, pip_repository
from tests.hub.server import Hub

SAFE = [File(name="model-00001-of-00002.safetensors", size_bytes=3_000), File(name="config.json", size_bytes=2),
        File(name="model-00002-of-00002.safetensors", size_bytes=5_000)]  # fmt: skip


def quantised(method: str, **settings: Any) -> dict[str, Any]:
    return {"quantization_config": {"quant_method": method} | settings}


@pytest.mark.parametrize(
    ("config", "label", "can_convert"),
    [
        (quantised("gptq", bits=4), "GPTQ", True),
        (quantised("awq", bits=4), "AWQ", True),
        (quantised("bitsandbytes", load_in_4bit=True), "bitsandbytes", True),
        (quantised("fp8"), "FP8", True),
        (quantised("compressed-tensors", format="nvfp4-pack-quantized"), "NVFP4", True),
        (quantised("compressed-tensors", format="float-quantized"), "FP8", True),
        (quantised("compressed-tensors", format="pack-quantized"), "compressed-tensors", True),
        (quantised("modelopt", quant_algo="NVFP4"), "NVFP4", True),
        (quantised("mxfp4"), "MXFP4", True),
        (quantised("hqq"), "HQQ", True),
        (quantised("exl2", bits=4.25), "EXL2", False),
        (quantised("exl3", bits=3.0), "EXL3", False),
        (quantised("vptq"), "VPTQ", False),
        ({"quantization": {"group_size": 64, "bits": 4}}, "MLX", False),
        ({"model_type": "gpt2", "quantization": {"group_size": 64, "bits": 4}}, "MLX", False),
        ({"model_type": "qwen3_moe", "quantization": {"bits": 4}, "quantization_config": {"bits": 4}}, "MLX", True),
        ({"model_type": "llama"}, "safetensors", True),
        ({"text_config": quantised("awq")}, "AWQ", True),
    ],
)
def test_safetensors_are_told_apart_by_their_config(config: dict[str, Any], label: str, can_convert: bool) -> None:
    found = recognise(SAFE, config, ["safetensors"])
    assert (found.label, found.can_convert) == (label, can_convert)
    assert (found.weights_bytes, found.largest_file_bytes) == (8_000, 5_000)


@pytest.mark.parametrize(
    ("names", "label"),
    [
        (["onnx/model_q4.onnx", "config.json"], "ONNX"),
        (["openvino_model.xml", "openvino_model.bin"], "OpenVINO"),
        (["model.litertlm"], "LiteRT"),
        (["pytorch_model.bin", "config.json"], "PyTorch"),
        (["weights.npz", "config.json"], "MLX"),
        (["README.md"], ""),
        ([], ""),
    ],
)
def test_what_holds_no_safetensors_is_told_by_its_files_and_never_converted(names: list[str], label: str) -> None:
    found = recognise([File(name=name, size_bytes=10) for name in names], {}, [])
    assert (found.label, found.can_convert) == (label, False)


@pytest.mark.parametrize(("kind", "can_convert"), [("llama", True), ("gpt2", False)])
def test_what_mlx_wrote_without_rounding_is_told_by_its_tag(kind: str, can_convert: bool) -> None:
    found = recognise(SAFE, {"model_type": kind}, ["mlx", "safetensors"])
    assert (found.label, found.can_convert) == ("MLX", can_convert)


def test_a_name_alone_says_nothing() -> None:
    assert recognise([File(name="llama-gptq-awq-mlx.txt", size_bytes=1)], {}, []).label == ""


@pytest.mark.parametrize("config", [{"quantization_config": 3}, {"quantization_config": {"quant_method": ["x"]}},
                                    {"quantization_config": {"bits": 4}}, {"quantization": "bits"}])  # fmt: skip
def test_a_config_of_wrong_types_breaks_nothing(config: dict[str, Any]) -> None:
    assert isinstance(recognise(SAFE, config, []).label, str)


def test_a_page_says_that_it_can_be_converted_and_which_gguf_there_is(hub: Hub, access: Access) -> None:
    base = "snug-test/pip-7m"
    config = Bytes(b'{"quantization_config": {"quant_method": "gptq", "bits": 4}}', in_lfs=False)
    gptq = Repository(
        "other/pip-four-bits", {"config.json": config, "model.safetensors": Filler(2_000_000, seed=6)},
        tags=["safetensors"], base_model=base,
    )  # fmt: skip
    gguf = replace(pip_repository(), tags=["gguf", f"base_model:quantized:{base}"])
    hub.repositories |= {gptq.name: gptq, gguf.name: gguf}
    page = read_model_page(access, gptq.name)
    assert (page.other_format, page.can_convert, page.weights_bytes) == ("GPTQ", True, 2_000_000)
    assert page.gguf_instead == gguf.name
    assert page.choices == []


def test_a_page_with_gguf_asks_for_nothing_more(hub: Hub, access: Access) -> None:
    hub.repositories[pip_repository().name] = pip_repository()
    page = read_model_page(access, pip_repository().name)
    assert (page.other_format, page.gguf_instead) == ("", "")


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_broken_config_leaves_the_page_whole(hub: Hub, access: Access, content: bytes) -> None:
    broken = Repository("other/broken", {"config.json": Bytes(content, in_lfs=False), "a.onnx": Filler(1000, seed=1)})
    hub.repositories[broken.name] = broken
    assert read_model_page(access, broken.name).other_format == "ONNX"


def test_a_search_finds_repositories_for_other_engines_too(hub: Hub, access: Access) -> None:
    hub.repositories[other_format_repository().name] = other_format_repository()
    found = {model.repo: model.file_format for model in search(access, "pip", gguf_only=False)}
    assert found["snug-test/pip-7m-GPTQ"] == "GPTQ"


def test_the_sentence_says_what_converting_takes() -> None:
    words = format_words("GPTQ", True, 5_700_000_000, 4_000_000_000, 8_000_000_000)
    assert words.startswith("Made for servers such as vLLM (GPTQ); Snug can convert it (needs 9.2 GB on disk, about ")
    assert "after fetching 5.7 GB" in words


@pytest.mark.parametrize(
    ("label", "can_convert", "gguf", "expected"),
    [
        ("EXL2", False, "a/b-GGUF", "Made for ExLlama; Snug cannot convert it. Take a/b-GGUF instead: it is ready."),
        ("MLX", False, "", "Made for Apple's MLX; Snug cannot convert it. Look for a GGUF version of it."),
        ("PyTorch", False, "", "The original weights; Snug opens no such files. Look for a GGUF version of it."),
        ("safetensors", True, "a/b", "The original weights; Snug can convert it. Take a/b instead: it is ready."),
        ("", False, "", ""),
    ],
)
def test_each_format_has_its_sentence(label: str, can_convert: bool, gguf: str, expected: str) -> None:
    assert format_words(label, can_convert, gguf_instead=gguf) == expected


def test_without_sizes_nothing_is_promised() -> None:
    assert convert_words(0, 0, 8_000_000_000) == ""
