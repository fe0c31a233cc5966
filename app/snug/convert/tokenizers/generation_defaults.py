"""How the model's makers say it should write: generation_config.json as GGUF's sampling keys."""

from __future__ import annotations

import math

from snug.convert.tokenizers.tokenizer_files import TokenizerFiles
from snug.convert.tokenizers.vocabulary import Entries

_SAMPLING = (
    ("sequence", "sequence", "str"),
    ("top_k", "top_k", "i32"),
    ("top_p", "top_p", "f32"),
    ("min_p", "min_p", "f32"),
    ("xtc_probability", "xtc_probability", "f32"),
    ("xtc_threshold", "xtc_threshold", "f32"),
    ("temperature", "temp", "f32"),
    ("penalty_last_n", "penalty_last_n", "i32"),
    ("repetition_penalty", "penalty_repeat", "f32"),
    ("penalty_repeat", "penalty_repeat", "f32"),
    ("mirostat", "mirostat", "i32"),
    ("mirostat_tau", "mirostat_tau", "f32"),
    ("mirostat_eta", "mirostat_eta", "f32"),
)
"""The name in generation_config.json, the name after "general.sampling.", and its type."""


def put_generation_defaults(files: TokenizerFiles, entries: Entries) -> None:
    """The entries that generation_config.json has; values of a wrong type are left out and told."""
    settings = files.object("generation_config.json")
    for name, key, kind in _SAMPLING:
        value = settings.get(name)
        if value is None:
            continue
        if kind == "str" and isinstance(value, str) and len(value) <= 1000:
            entries.put(f"general.sampling.{key}", kind, value)
        elif kind == "i32" and _is_number(value) and float(value).is_integer() and abs(value) < 2**31:
            entries.put(f"general.sampling.{key}", kind, int(value))
        elif kind == "f32" and _is_number(value) and math.isfinite(value) and abs(value) < 1e30:
            entries.put(f"general.sampling.{key}", kind, float(value))
        else:
            entries.detail(f"The makers' setting {name} cannot be read and is left out.")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
