"""The general.* entries: what the model is called, how large it is, what its page says of it.

The sizes in words are those of llama.cpp's converter (gguf-py/gguf/utility.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from snug.convert.architectures.model_card import lists, made_from, stated
from snug.convert.architectures.model_names import name_parts, title
from snug.convert.plan import Meta, OutputTensor


def size_label(tensors: Iterable[OutputTensor]) -> tuple[str | None, int]:
    """The size in words ("7B", "8x7B") and the number of parameters."""
    total = expert_total = experts = stacks = 0
    for tensor in tensors:
        size = math.prod(tensor.shape)
        total += size
        if "_exps." in tensor.name:
            count = tensor.shape[-2 if ".bias" in tensor.name else -3] if len(tensor.shape) >= 3 else 0
            if count:
                expert_total += size - size // count
                experts += count
                stacks += 1
    if not total:
        return None, 0
    if not stacks:
        return _rounded(total), total
    return f"{experts // stacks}x{_rounded(total - expert_total)}", total


def _rounded(count: int) -> str:
    power, letter = next((entry for entry in ((12, "T"), (9, "B"), (6, "M")) if count > 10 ** entry[0]), (3, "K"))
    scaled = count * 10.0**-power
    digits = max(2 - len(str(round(scaled)).lstrip("0")), 0)
    return f"{scaled:.{digits}f}{letter}"


def general(
    tensors: Iterable[OutputTensor], config: Mapping[str, Any], folder_name: str, card: Mapping[str, Any]
) -> tuple[Meta, ...]:
    """The general.* entries; what the model's page states wins over what its config and its folder's name suggest."""
    label, parameters = size_label(tensors)
    found = stated(card)
    path = config.get("_name_or_path")
    ids = ([path] if isinstance(path, str) and path and path.count("/") <= 1 else []) + [folder_name]
    for model_id in ids:
        parts = name_parts(model_id, parameters)
        for key, value in (
            ("name", title(parts.name)),
            ("organization", title(parts.organization) if parts.organization else None),
            ("basename", parts.basename),
            ("finetune", parts.finetune),
            ("version", parts.version),
            ("size_label", parts.size_label),
        ):
            if value:
                found.setdefault(key, value)
    if label:
        found.setdefault("size_label", label)
    metas = [Meta("general.type", "str", "model")]
    metas += [Meta(f"general.{key}", "str", value) for key, value in found.items()]
    return (*metas, *made_from(card, parameters), *lists(card))
