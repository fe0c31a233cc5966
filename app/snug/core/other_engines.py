"""What to say of a repository in another engine's format: that Snug can convert it, or which GGUF to take instead."""

from __future__ import annotations

from snug.core.words import duration_text, size_text

CONVERTED_WEIGHTS_PER_S = 100e6
"""Weights a second, from disk to disk: a middling disk beside the rate that `snug bench quantise` prints."""
CONVERTED_BITS = 5.2
"""Bits a weight of the usual result, Q4_K_M with its larger outer layers."""
_ENGINES = {
    "MLX": "Apple's MLX", "ONNX": "ONNX Runtime", "EXL2": "ExLlama", "EXL3": "ExLlama", "OpenVINO": "Intel's OpenVINO",
    "Core ML": "Apple's Core ML", "LiteRT": "phones (LiteRT)", "TensorRT": "NVIDIA's TensorRT", "NeMo": "NVIDIA's NeMo",
}  # fmt: skip
ORIGINAL = ("safetensors", "PyTorch")


def format_words(
    label: str,
    can_convert: bool,
    weights_bytes: int = 0,
    largest_file_bytes: int = 0,
    parameters: int = 0,
    gguf_instead: str = "",
) -> str:
    """One or two sentences about a repository that holds no GGUF; "" without a label.

    Sizes in bytes. `gguf_instead` is a repository with the same model as GGUF, "" where none was found.
    """
    if not label:
        return ""
    start = _made_for(label)
    instead = f" Take {gguf_instead} instead: it is ready." if gguf_instead else ""
    if not can_convert:
        why = "; Snug opens no such files" if label == "PyTorch" else "; Snug cannot convert it"
        return f"{start}{why}.{instead or ' Look for a GGUF version of it.'}"
    cost = convert_words(weights_bytes, largest_file_bytes, parameters)
    return f"{start}; Snug can convert it{f' ({cost})' if cost else ''}.{instead}"


def made_for_words(label: str) -> str:
    """The same in a few words, for a row of a list: "made for servers such as vLLM (GPTQ)"."""
    words = _made_for(label) if label else "In a format that Snug does not know"
    return words[:1].lower() + words[1:]


def _made_for(label: str) -> str:
    if label in ORIGINAL:
        return "The original weights"
    return f"Made for {_ENGINES[label]}" if label in _ENGINES else f"Made for servers such as vLLM ({label})"


def convert_words(weights_bytes: int, largest_file_bytes: int, parameters: int) -> str:
    """What converting would take: "needs 16 GB on disk, about 6 minutes after fetching 16 GB"; "" where unknown."""
    if not weights_bytes:
        return ""
    weights = parameters or weights_bytes / 2
    disk = largest_file_bytes + weights * CONVERTED_BITS / 8
    seconds = weights / CONVERTED_WEIGHTS_PER_S
    return f"needs {size_text(disk)} on disk, {duration_text(seconds)} after fetching {size_text(weights_bytes)}"
