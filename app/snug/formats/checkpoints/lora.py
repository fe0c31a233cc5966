"""LoRA adapters as PEFT saves them: small matrices A and B whose product is added to a model's weights.

Layout, from huggingface/peft (`tuners/lora/config.py`, `layer.py`, `utils/save_and_load.py`; arXiv:2106.09685,
rank-stabilised scaling arXiv:2312.03732): `adapter_config.json`, and in `adapter_model.safetensors`
`base_model.model.M.lora_A.weight` (rank, inputs), `….lora_B.weight` (outputs, rank), for embeddings
`….lora_embedding_A` (rank, tokens) and `….lora_embedding_B` (width, rank). The weight of M gains
scale * B A, with scale = alpha / rank, or alpha / sqrt(rank) where `use_rslora` is true.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from snug.formats.checkpoints.checkpoint_format import Config
from snug.formats.checkpoints.errors import bad_checkpoint, not_supported
from snug.formats.checkpoints.json_text import table, whole
from snug.formats.checkpoints.number_types import Floats
from snug.formats.checkpoints.tensor_files import TensorFiles

PREFIX = "base_model.model."
PAIRS = {".lora_A.weight": ".lora_B.weight", ".lora_embedding_A": ".lora_embedding_B"}

_PLAIN_PATTERN = re.compile(r"[\w.\-]+")


@dataclass(frozen=True, slots=True)
class LoraPair:
    """What one module of the base model gains; `shape` is that of its weight, of a linear layer (outputs, inputs)."""

    module: str
    a_name: str
    b_name: str
    rank: int
    scale: float
    shape: tuple[int, int]
    is_embedding: bool


class LoraAdapter:
    """One adapter. `pairs` by the name of the base model's module, such as `model.layers.0.self_attn.q_proj`."""

    sentence = "An adapter (LoRA): a small change to another model, useless without it."

    def __init__(self, files: TensorFiles, config: Config) -> None:
        self.files = files
        self.config = config
        self._refuse_variants()
        self.base_model = config.get("base_model_name_or_path") or ""
        self.rank = whole(config, "r", 8) or 0
        self.target_modules = _target_words(config.get("target_modules"))
        self.pairs: dict[str, LoraPair] = {}
        used: set[str] = set()
        for ending, other in PAIRS.items():
            for name in files.tensors:
                if name.endswith(ending):
                    pair = self._pair(name, ending, other)
                    self.pairs[pair.module] = pair
                    used |= {pair.a_name, pair.b_name}
        if not self.pairs:
            raise bad_checkpoint("it is an adapter without any layers")
        self.whole_tensors = {name.removeprefix(PREFIX): name for name in files.tensors if name not in used}
        """Tensors that replace those of the base model (`modules_to_save`), by the base model's names."""
        left = [name for name in self.whole_tensors if "lora_" in name]
        if left:
            raise bad_checkpoint("its layers lack their other half", ", ".join(sorted(left)[:5]))

    @classmethod
    def recognises(cls, config: Config, tensor_names: Collection[str]) -> bool:
        """Whether this adapter_config.json and these tensors are those of a LoRA."""
        return config.get("peft_type") == "LORA" or any(".lora_A." in name for name in tensor_names)

    def alpha_of(self, module: str) -> float:
        """The alpha of a module, from `alpha_pattern` or the adapter's own."""
        return _patterned(table(self.config, "alpha_pattern"), module, self.config.get("lora_alpha", 8))

    def read_a(self, module: str) -> Floats:
        """Matrix A, (rank, inputs); of an embedding (rank, tokens)."""
        return self.files.floats(self.pairs[module].a_name)

    def read_b(self, module: str) -> Floats:
        """Matrix B, (outputs, rank); of an embedding (width, rank)."""
        return self.files.floats(self.pairs[module].b_name)

    def delta_rows(self, module: str, first: int, last: int) -> Floats:
        """What rows `first` to `last` of the module's weight gain when the adapter is merged, as float32."""
        pair = self.pairs[module]
        if not 0 <= first <= last <= pair.shape[0]:
            raise IndexError(f"rows {first} to {last} of {module!r}, which has {pair.shape[0]}")
        if pair.is_embedding:
            gain = self.read_a(module)[:, first:last].T @ self.read_b(module).T
        else:
            gain = self.files.floats(pair.b_name, first, last) @ self.read_a(module)
        gain *= pair.scale
        return gain

    def _pair(self, a_name: str, ending: str, other: str) -> LoraPair:
        module = a_name.removesuffix(ending).removeprefix(PREFIX)
        b_name = a_name.removesuffix(ending) + other
        a, b = self.files.info(a_name).shape, self.files.info(b_name).shape
        if len(a) != 2 or len(b) != 2 or a[0] != b[1] or not all(a + b):
            raise bad_checkpoint(f"the parts of {module[:120]} disagree", f"A {a}, B {b}")
        declared = _patterned(table(self.config, "rank_pattern"), module, self.rank)
        if "rank_pattern" not in self.config and declared != a[0] and self.rank:
            raise bad_checkpoint(f"the parts of {module[:120]} disagree", f"rank {a[0]}, not {declared}")
        divisor = math.sqrt(a[0]) if self.config.get("use_rslora") is True else a[0]
        is_embedding = "embedding" in ending
        shape = (a[1], b[0]) if is_embedding else (b[0], a[1])
        return LoraPair(module, a_name, b_name, a[0], self.alpha_of(module) / divisor, shape, is_embedding)

    def _refuse_variants(self) -> None:
        kind = self.config.get("peft_type", "LORA")
        names = self.files.tensors
        if self.config.get("use_dora") is True or any("lora_magnitude_vector" in name for name in names):
            kind = "DoRA"
        if kind != "LORA":
            raise not_supported(
                f"This adapter is of a kind that Snug does not read ({str(kind)[:40]})",
                "Choose an ordinary LoRA, or a version of the model with the adapter merged in.",
            )


def _patterned(patterns: Mapping[str, Any], module: str, default: Any) -> float:
    """The value of the first pattern that matches the end of the module's name, as PEFT looks it up."""
    value = default
    for pattern, entry in patterns.items():
        if not _PLAIN_PATTERN.fullmatch(pattern):
            raise not_supported(
                "This adapter chooses its layers by a regular expression, which Snug does not read",
                "Choose a version of the model with the adapter merged in.",
                repr(pattern[:80]),
            )
        if module == pattern or module.endswith(f".{pattern}"):
            value = entry
            break
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise bad_checkpoint("a number in its adapter_config.json is none", repr(value)[:80])
    return value


def _target_words(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(sorted(str(word) for word in value)) if isinstance(value, list) else ()
