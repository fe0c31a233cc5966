"""Writes Llama-shaped models with random weights, as large as real ones: the engine's speed does not depend on what
the weights say.

Blocks of a few patterns repeat, with scales that keep the activations finite; a model of a gigabyte is written in
about a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from snug.formats.ggml_types import FILE_TYPE_NAMES, TYPES
from snug.formats.gguf_writer import encode_value, plan_layout

if TYPE_CHECKING:
    import numpy as np

HEAD = 64
VOCABULARY = 4096
PATTERN_BLOCKS = 4096
_BLOCKS = {kind.name: (kind.block, kind.bytes) for kind in TYPES}
_FILE_TYPES = {name: number for number, name in FILE_TYPE_NAMES.items()}
_SCALES_AT = {"Q6_K": (208,), "Q4_K": (0, 2)}
"""Where a block keeps its half-precision scales, where that is not its first two bytes (ggml-common.h)."""


@dataclass(frozen=True, slots=True)
class SpeedShape:
    """A Llama shape; `parameters` are those of its layers."""

    name: str
    width: int
    feed_forward: int
    layers: int
    heads_kv: int

    @property
    def parameters(self) -> int:
        kv = self.heads_kv * HEAD
        return self.layers * self.width * (2 * self.width + 2 * kv + 3 * self.feed_forward)

    def matrices(self) -> dict[str, tuple[int, int]]:
        """Rows and columns of each matrix of a layer."""
        width, wide, kv = self.width, self.feed_forward, self.heads_kv * HEAD
        return {
            "attn_q": (width, width), "attn_k": (kv, width), "attn_v": (kv, width), "attn_output": (width, width),
            "ffn_gate": (wide, width), "ffn_up": (wide, width), "ffn_down": (width, wide),
        }  # fmt: skip


SHAPES = (
    SpeedShape("0.03B", 512, 1536, 8, 4),
    SpeedShape("0.13B", 768, 2048, 20, 4),
    SpeedShape("0.4B", 1024, 2816, 36, 8),
    SpeedShape("0.9B", 2048, 5632, 20, 8),
    SpeedShape("1.6B", 2560, 6912, 24, 8),
    SpeedShape("2.9B", 3072, 8192, 30, 8),
)
FILE_TYPES = ("Q4_0", "Q4_K_M", "Q6_K", "Q8_0", "F16")


def shape_named(name: str) -> SpeedShape:
    """The shape with that name. Raises KeyError."""
    return {shape.name: shape for shape in SHAPES}[name]


def file_bytes(shape: SpeedShape, file_type: str) -> int:
    """How large the file will be."""
    return plan_layout(_metadata(shape, file_type), _tensors(shape, file_type)).file_bytes


def write_speed_model(path: Path, shape: SpeedShape, file_type: str) -> None:
    """The model of that shape and type ("Q4_K_M" mixes as llama.cpp does). Raises OSError where there is no room."""
    import numpy as np  # slow to load

    layout = plan_layout(_metadata(shape, file_type), _tensors(shape, file_type))
    random = np.random.default_rng(3)
    patterns: dict[str, bytes] = {}
    with path.open("wb") as file:
        file.write(layout.header)
        for place in layout.tensors:
            file.seek(place.offset)
            if place.type_name == "F32":
                file.write(np.ones(place.shape, np.float32).tobytes())
                continue
            pattern = patterns.get(place.type_name)
            if pattern is None:
                pattern = patterns[place.type_name] = _pattern(random, place.type_name, shape.width)
            whole, rest = divmod(place.size_bytes, len(pattern))
            for _ in range(whole):
                file.write(pattern)
            file.write(pattern[:rest])
        file.truncate(layout.file_bytes)


def _pattern(random: np.random.Generator, type_name: str, width: int) -> bytes:
    """Some whole blocks of random weights of that type."""
    import numpy as np

    if type_name == "F16":
        values = random.standard_normal(1 << 20, dtype=np.float32) / np.sqrt(np.float32(width))
        return bytes(values.astype(np.float16).tobytes())
    per_block, block_bytes = _BLOCKS[type_name]
    blocks = random.integers(0, 256, (PATTERN_BLOCKS + 7, block_bytes), dtype=np.uint8)
    scale = np.frombuffer(np.float16(0.001 if per_block == 32 else 0.0001).tobytes(), np.uint8)
    for offset in _SCALES_AT.get(type_name, (0,)):
        blocks[:, offset : offset + 2] = scale
    return blocks.tobytes()


def _tensors(shape: SpeedShape, file_type: str) -> list[tuple[str, tuple[int, ...], str]]:
    edge = "Q6_K" if file_type == "Q4_K_M" else file_type
    tensors: list[tuple[str, tuple[int, ...], str]] = [
        ("token_embd.weight", (VOCABULARY, shape.width), edge),
        ("output_norm.weight", (shape.width,), "F32"),
    ]
    for layer in range(shape.layers):
        tensors += [(f"blk.{layer}.{norm}.weight", (shape.width,), "F32") for norm in ("attn_norm", "ffn_norm")]
        for name, matrix in shape.matrices().items():
            kind = _type_of(file_type, name, layer, shape.layers)
            tensors.append((f"blk.{layer}.{name}.weight", matrix, kind))
    return tensors


def _type_of(file_type: str, tensor: str, layer: int, layers: int) -> str:
    """Q4_K_M gives some tensors six bits, as llama.cpp's own mix does; the other types are plain."""
    if file_type != "Q4_K_M":
        return file_type
    first, last = layers // 8, 7 * layers // 8
    more = layer < first or layer >= last or (layer - first) % 3 == 2
    return "Q6_K" if tensor in ("attn_v", "ffn_down") and more else "Q4_K"


def _words() -> list[str]:
    """A vocabulary that the engine accepts: unknown, beginning, end, all bytes, and words without a meaning."""
    return ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)),
            *(f"\u2581w{number}" for number in range(259, VOCABULARY))]  # fmt: skip


def _metadata(shape: SpeedShape, file_type: str) -> list[tuple[str, bytes]]:
    entries: list[tuple[str, str, object]] = [
        ("general.architecture", "str", "llama"),
        ("general.name", "str", f"random {shape.name} {file_type}"),
        ("general.file_type", "u32", _FILE_TYPES[file_type]),
        ("llama.context_length", "u32", 4096),
        ("llama.embedding_length", "u32", shape.width),
        ("llama.feed_forward_length", "u32", shape.feed_forward),
        ("llama.block_count", "u32", shape.layers),
        ("llama.attention.head_count", "u32", shape.width // HEAD),
        ("llama.attention.head_count_kv", "u32", shape.heads_kv),
        ("llama.attention.layer_norm_rms_epsilon", "f32", 1e-5),
        ("llama.vocab_size", "u32", VOCABULARY),
        ("tokenizer.ggml.model", "str", "llama"),
        ("tokenizer.ggml.tokens", "[str", _words()),
        ("tokenizer.ggml.scores", "[f32", [-float(number) for number in range(VOCABULARY)]),
        ("tokenizer.ggml.token_type", "[i32", [2, 3, 3, *[6] * 256, *[1] * (VOCABULARY - 259)]),
        ("tokenizer.ggml.unknown_token_id", "u32", 0),
        ("tokenizer.ggml.bos_token_id", "u32", 1),
        ("tokenizer.ggml.eos_token_id", "u32", 2),
    ]
    return [(key, encode_value(kind, value)) for key, kind, value in entries]
