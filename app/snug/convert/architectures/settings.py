"""A model's config.json as the converters need it: flat, with the model code's own defaults, every value checked."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from snug.core.errors import UserError
from snug.formats.checkpoints.errors import bad_checkpoint

Default = Any | Callable[["Settings"], Any]
MOST_WHOLE = 2**31 - 1
MOST_LAYERS = 10_000
MOST_EXPERTS = 65_536
MOST_HEAD = 65_536


class Settings:
    """The settings of the text model. Those of its `text_config` win over those beside it.

    `defaults` are what the model's own code takes: a value where a key is missing, a function where it is missing or
    null. All readers raise UserError for values of the wrong kind.
    """

    def __init__(self, config: Mapping[str, Any], defaults: Mapping[str, Default]) -> None:
        nested = config.get("text_config")
        self.values: dict[str, Any] = {**config, **(nested if isinstance(nested, dict) else {})}
        for key, default in defaults.items():
            if callable(default):
                if self.values.get(key) is None:
                    self.values[key] = default(self)
            elif key not in self.values:
                self.values[key] = default

    def get(self, *keys: str) -> Any:
        """The value of the first of `keys` that is there, None where none is."""
        return next((self.values[key] for key in keys if key in self.values), None)

    def whole(self, *keys: str) -> int:
        """A whole number of zero or more."""
        key, value = self._found(keys)
        return as_whole(value, key)

    def positive(self, *keys: str) -> int:
        """A whole number above zero."""
        key, _ = self._found(keys)
        value = self.whole(key)
        if value == 0:
            raise impossible(key, value)
        return value

    def number(self, *keys: str) -> float:
        key, value = self._found(keys)
        return as_number(value, key)

    def _found(self, keys: tuple[str, ...]) -> tuple[str, Any]:
        """The first of `keys` that is there, and its value."""
        key = next((key for key in keys if key in self.values), keys[-1])
        value = self.values.get(key)
        if value is None:
            raise bad_checkpoint(f"config.json does not give {key}")
        return key, value

    def flag(self, key: str, default: bool = False) -> bool:
        value = self.values.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise impossible(key, value)
        return value

    def table(self, key: str) -> Mapping[str, Any]:
        """The object at `key`, an empty one where there is none."""
        value = self.values.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise impossible(key, value)
        return value

    def items(self, key: str) -> Sequence[Any]:
        """The list at `key`, an empty one where there is none."""
        value = self.values.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or len(value) > MOST_EXPERTS:
            raise impossible(key, value)
        return value

    @property
    def layers(self) -> int:
        count = self.positive("n_layers", "n_layer", "num_layers", "num_hidden_layers")
        if count > MOST_LAYERS:
            raise impossible("num_hidden_layers", count)
        return count

    @property
    def heads(self) -> int:
        return self.positive("n_head", "n_heads", "num_attention_heads")

    @property
    def kv_heads(self) -> int:
        return (
            self.heads
            if self.get("num_key_value_heads", "n_kv_heads") is None
            else self.positive("num_key_value_heads", "n_kv_heads")
        )

    @property
    def width(self) -> int:
        return self.positive("n_embd", "dim", "hidden_size")

    @property
    def head_size(self) -> int:
        given = self.values.get("head_dim") is not None
        size = self.positive("head_dim") if given else self.width // self.heads
        if not 0 < size <= MOST_HEAD:
            raise impossible("head_dim" if given else "num_attention_heads", size)
        return size

    @property
    def experts(self) -> int:
        count = self.positive("num_local_experts", "num_experts", "n_routed_experts")
        if count > MOST_EXPERTS:
            raise impossible("num_experts", count)
        return count


def as_whole(value: Any, key: str) -> int:
    """`value` as a whole number of zero or more; 8192.0 is one too."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_WHOLE:
        raise impossible(key, value)
    return value


def as_number(value: Any, key: str) -> float:
    """`value` as a finite number that float32 can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 3e38 or math.isnan(value):
        raise impossible(key, value)
    return float(value)


def impossible(key: str, value: Any) -> UserError:
    return bad_checkpoint(f"config.json gives an impossible {key}", repr(value)[:80])
