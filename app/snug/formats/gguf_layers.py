"""What each layer of a model remembers of a conversation, from the header's own numbers."""

from __future__ import annotations

from dataclasses import dataclass

from snug.formats.byte_cursor import bad_gguf
from snug.formats.gguf_architectures import (
    NEXTN_IN_USE,
    RECURRENT,
    STATE_BY_INTERVAL,
    STATE_IN_EVERY_LAYER,
    STATE_WHERE_NO_KV_HEADS,
    WINDOW_PATTERNS,
    WINDOWS_BY_LIST,
)
from snug.formats.gguf_header import GgufHeader

MOST_LAYERS = 4096
MOST_HEADS = 2**16
WIDEST_HEAD = 2**16
STATE_ELEMENT_BYTES = 4


class Hyperparameters:
    """The numbers of one architecture in a header, checked: whole, not negative, not absurd."""

    def __init__(self, header: GgufHeader, architecture: str) -> None:
        self._values = header.values
        self.architecture = architecture

    def count(self, key: str, most: int, default: int = 0) -> int:
        """The whole number at ARCHITECTURE.key; of a list, its first."""
        found = self._numbers(key, most)
        return found[0] if found else default

    def largest(self, key: str, most: int, default: int = 0) -> int:
        """The largest of the whole numbers at ARCHITECTURE.key."""
        return max(self._numbers(key, most), default=default)

    def has(self, key: str) -> bool:
        return f"{self.architecture}.{key}" in self._values

    def each(self, key: str, layers: int, most: int, default: int) -> tuple[int, ...]:
        """One whole number a layer: a list as it is (the last repeated where it is short), one number for all."""
        found = self._numbers(key, most) or (default,)
        return (found + (found[-1],) * layers)[:layers]

    def is_list(self, key: str) -> bool:
        return isinstance(self._values.get(f"{self.architecture}.{key}"), tuple)

    def _numbers(self, key: str, most: int) -> tuple[int, ...]:
        value = self._values.get(f"{self.architecture}.{key}")
        if value is None:
            return ()
        items = value if isinstance(value, tuple) else (value,)
        result = []
        for item in items:
            if isinstance(item, str | float) or not 0 <= int(item) <= most:
                raise bad_gguf("one of its figures is impossible", f"{self.architecture}.{key} = {str(item)[:40]}")
            result.append(int(item))
        return tuple(result)


@dataclass(frozen=True, slots=True)
class LayerShape:
    """One entry a layer for heads, widths and windows; totals for state, latent length and shared caches."""

    kv_heads: tuple[int, ...]
    head_dims_k: tuple[int, ...]
    head_dims_v: tuple[int, ...]
    windows: tuple[int, ...]
    state_bytes: int
    latent: int
    shared: int


def layer_shape(numbers: Hyperparameters, layers: int, width: int, *, has_cache: bool) -> LayerShape:
    """What every layer keeps. Without a cache (an embedding model) everything is zero."""
    heads = numbers.each("attention.head_count", layers, MOST_HEADS, 0)
    kv_heads = numbers.each("attention.head_count_kv", layers, MOST_HEADS, 0)
    if not numbers.has("attention.head_count_kv"):
        kv_heads = heads
    recurrent = _recurrent_layers(numbers, kv_heads, layers)
    windows = _windows(numbers, layers)
    usual = width // next((count for count in heads if count), 1)
    dims_k, dims_v = (_dims(numbers, which, windows, usual) for which in ("key_length", "value_length"))
    if not has_cache or numbers.architecture in RECURRENT:
        kv_heads = (0,) * layers
    elif numbers.architecture not in STATE_IN_EVERY_LAYER:
        kv_heads = tuple(0 if state else count for count, state in zip(kv_heads, recurrent, strict=True))
    is_latent = numbers.count("attention.key_length_mla", WIDEST_HEAD) > 0 and numbers.has("attention.value_length_mla")
    return LayerShape(
        kv_heads=kv_heads,
        head_dims_k=dims_k,
        head_dims_v=(0,) * layers if is_latent else dims_v,
        windows=windows,
        state_bytes=sum(recurrent) * STATE_ELEMENT_BYTES * _state_elements(numbers, heads, width),
        latent=dims_k[0] if is_latent else 0,
        shared=_shared(numbers, layers),
    )


def own_layers(numbers: Hyperparameters, layers: int) -> int:
    """The layers that answer. Those that only draft tokens ahead come after them, and the engine skips their weights
    and gives them no cache unless it is asked to draft (llama.cpp `llama_model::create_memory`, `load_mtp`)."""
    draft = 0 if numbers.architecture in NEXTN_IN_USE else numbers.count("nextn_predict_layers", MOST_LAYERS)
    return layers - draft if draft < layers else layers


def is_beyond(tensor_name: str, layers: int) -> bool:
    """Whether the tensor belongs to a layer after the first `layers`."""
    parts = tensor_name.split(".", 2)
    return parts[0] == "blk" and len(parts) > 2 and parts[1].isdecimal() and int(parts[1]) >= layers


def _dims(numbers: Hyperparameters, which: str, windows: tuple[int, ...], usual: int) -> tuple[int, ...]:
    """Head widths: layers with a window may have their own."""
    full = numbers.count(f"attention.{which}", WIDEST_HEAD, usual)
    narrow = numbers.count(f"attention.{which}_swa", WIDEST_HEAD, full)
    return tuple(narrow if window else full for window in windows)


def _windows(numbers: Hyperparameters, layers: int) -> tuple[int, ...]:
    """The sliding window of each layer, 0 where it sees the whole context."""
    pattern = WINDOW_PATTERNS.get(numbers.architecture)
    if pattern is None and numbers.architecture not in WINDOWS_BY_LIST:
        return (0,) * layers
    window = numbers.count("attention.sliding_window", 2**31, pattern.window if pattern else 0)
    key = "attention.sliding_window_pattern"
    if numbers.is_list(key):
        return tuple(window if slides else 0 for slides in numbers.each(key, layers, 1, 0))
    if pattern is None:
        return (0,) * layers
    period = numbers.count(key, 4096, pattern.period)
    if period == 0:
        return (window,) * layers
    full_at = 0 if pattern.full_first else period - 1
    return tuple(0 if index % period == full_at else window for index in range(layers))


def _recurrent_layers(numbers: Hyperparameters, kv_heads: tuple[int, ...], layers: int) -> tuple[bool, ...]:
    """Which layers keep a state of fixed size."""
    architecture = numbers.architecture
    if architecture in RECURRENT or architecture in STATE_IN_EVERY_LAYER:
        return (True,) * layers
    if architecture in STATE_BY_INTERVAL:
        if numbers.has("attention.recurrent_layers"):
            return tuple(bool(item) for item in numbers.each("attention.recurrent_layers", layers, 1, 0))
        interval = max(1, numbers.count("full_attention_interval", 4096, 4))
        return tuple((index + 1) % interval != 0 for index in range(layers))
    if architecture in STATE_WHERE_NO_KV_HEADS:
        widths = numbers.each("feed_forward_length", layers, 2**26, 0)
        if architecture.startswith("nemotron_h"):
            return tuple(heads == 0 and wide == 0 for heads, wide in zip(kv_heads, widths, strict=True))
        return tuple(heads == 0 for heads in kv_heads)
    return (False,) * layers


def _state_elements(numbers: Hyperparameters, heads: tuple[int, ...], width: int) -> int:
    """Numbers that one recurrent layer keeps: the convolution's tail and the state itself."""
    wkv = numbers.count("wkv.head_size", WIDEST_HEAD)
    if wkv:
        return width * numbers.count("token_shift_count", 64, 2) + width * wkv
    short = numbers.count("shortconv.l_cache", 4096)
    kernel = numbers.count("ssm.conv_kernel", 4096)
    inner = numbers.count("ssm.inner_size", 2**26)
    size = numbers.count("ssm.state_size", 2**20)
    if short:
        return width * (short - 1) + size * inner
    kda = numbers.count("kda.head_dim", WIDEST_HEAD)
    if kda:
        count = heads[0] if heads else 0
        return 3 * (kernel - 1 if kernel else 3) * count * kda + kda * kda * count
    groups = numbers.count("ssm.group_count", 2**16)
    return max(0, kernel - 1) * (inner + 2 * groups * size) + size * inner


def _shared(numbers: Hyperparameters, layers: int) -> int:
    """How many of the last layers read an earlier layer's cache."""
    if numbers.architecture == "gemma3n":
        return max(0, layers - 20)
    if numbers.architecture in ("gemma4", "gemma4-assistant"):
        return min(layers, numbers.count("attention.shared_kv_layers", 4096))
    return 0
