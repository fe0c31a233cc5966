"""What a repository without GGUF holds: recognised from its files and its config.json, by its name never."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from snug.core.errors import UserError
from snug.formats.checkpoints.checkpoint_format import method, quantisation
from snug.formats.checkpoints.formats import format_of
from snug.formats.checkpoints.mlx_arrangement import is_readable
from snug.hub.choices import other_format
from snug.hub.remote import File

LABELS = {"Gptq": "GPTQ", "Awq": "AWQ", "BitsAndBytes": "bitsandbytes", "Fp8": "FP8", "ModelOptFloat4": "NVFP4",
          "Mxfp4": "MXFP4", "Aqlm": "AQLM", "Hqq": "HQQ", "Torchao": "torchao", "Plain": "safetensors",
          "CompressedTensors": "compressed-tensors"}  # fmt: skip
"""Each reader of `formats/checkpoints` by the name that people know its format by."""
_NEVER_READ = {"exl2": "EXL2", "exl3": "EXL3"}
_ENDINGS = (
    (".onnx", "ONNX"), (".xml", "OpenVINO"), (".mlpackage", "Core ML"), (".mlmodelc", "Core ML"),
    (".litertlm", "LiteRT"), (".task", "LiteRT"), (".tflite", "LiteRT"), (".engine", "TensorRT"),
    (".nemo", "NeMo"), (".npz", "MLX"),
)  # fmt: skip
_PICKLES = (".bin", ".pt", ".pth", ".ckpt")


@dataclass(frozen=True, slots=True)
class OtherFormat:
    """`label` is the format's name; `can_convert` whether Snug reads it. Sizes in bytes, of the weights' files."""

    label: str = ""
    can_convert: bool = False
    weights_bytes: int = 0
    largest_file_bytes: int = 0


def recognise(files: Sequence[File], config: Mapping[str, Any], tags: Iterable[str]) -> OtherFormat:
    """The format of a repository that holds no GGUF; an empty label where nothing tells."""
    weights = [file for file in files if _is_weight(file.name)]
    if weights:
        label, can_convert = _of_safetensors(files, config, tags)
        sizes = [file.size_bytes for file in weights]
        return OtherFormat(label, can_convert, sum(sizes), max(sizes))
    names = [part for file in files for part in file.name.lower().split("/")]
    for ending, label in _ENDINGS:
        if any(name.endswith(ending) for name in names):
            return OtherFormat(label, weights_bytes=sum(file.size_bytes for file in files))
    if any(name.endswith(_PICKLES) for name in names):
        return OtherFormat("PyTorch", weights_bytes=sum(file.size_bytes for file in files))
    return OtherFormat(label_of(config, tags))


def label_of(config: Mapping[str, Any], tags: Iterable[str]) -> str:
    """The format's name from what a search result tells: its config first, then its tags."""
    label, _ = _by_config(config)
    return label or other_format((), tags)


def _of_safetensors(files: Sequence[File], config: Mapping[str, Any], tags: Iterable[str]) -> tuple[str, bool]:
    label, can_convert = _by_config(config)
    if label:
        return label, can_convert
    names = {file.name.rsplit("/", 1)[-1].lower() for file in files}
    if "hf_quant_config.json" in names:
        return "ModelOpt", False  # which of its types it is stands in that file alone
    if any(name.startswith("weights.") and name.endswith(".safetensors") for name in names):
        return "MLX", False
    by_tags = other_format((), tags)
    if by_tags == "MLX":
        return by_tags, is_readable(config)
    if by_tags == "EXL2":
        return by_tags, False
    return "safetensors", bool(config) or "config.json" in names


def _by_config(config: Mapping[str, Any]) -> tuple[str, bool]:
    """The format that a config.json declares, and whether Snug reads it; "" where it declares none."""
    name = method(config)
    if name in _NEVER_READ:
        return _NEVER_READ[name], False
    own = config.get("quantization")
    if not name and isinstance(own, Mapping) and "bits" in own:
        return "MLX", is_readable(config)
    if not quantisation(config):
        return "", False
    try:
        reader = format_of(config, ())
    except UserError:
        return name.upper()[:20] or "unknown", False
    label = LABELS.get(reader.__name__, reader.__name__)
    if label == "compressed-tensors":
        label = _compressed(config)
    return label, True


def _compressed(config: Mapping[str, Any]) -> str:
    """The name of what LLM Compressor wrote: "NVFP4", "FP8", or its own name."""
    written = str(quantisation(config).get("format", "")).lower()
    if "nvfp4" in written:
        return "NVFP4"
    return "FP8" if "float" in written else "compressed-tensors"


def _is_weight(name: str) -> bool:
    base = name.rsplit("/", 1)[-1].lower()
    return base.endswith(".safetensors") and not base.startswith("adapter_") and "/" not in name.strip("/")
