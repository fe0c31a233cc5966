"""A model file loaded into this process, with the memory that it really took."""

from __future__ import annotations

import ctypes
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snug.core.errors import UserError
from snug.core.fit import NO_OFFLOAD, Offload
from snug.engine.allocated import (
    HOST,
    DeviceBytes,
    device_bytes,
    overhead,
    private_weights,
    process_memory,
    with_other,
)
from snug.engine.devices import engine_devices
from snug.engine.library import llama, log
from snug.engine.placement import Placement
from snug.engine.template import ChatFormat, choose_format
from snug.engine.vocabulary import Vocabulary

KV_TYPES = {"f32": 0, "f16": 1, "bf16": 30, "q8_0": 8, "q5_1": 7, "q5_0": 6, "q4_1": 3, "q4_0": 2}
"""The KV cache's types by name: ggml's own numbers."""

DEFAULT_CONTEXT = 4096
SMALLEST_CONTEXT = 256
BYTES_PER_THREAD = 16 * 1024 * 1024
"""On two busy cores Pip (7 MB) wrote 34 tokens/s with two threads and 466 with one."""
MOST_DRIVER_BYTES = 2 * 1024**3
"""A card that lost more than this beside the engine's buffers lost it to another program."""


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """`context` in tokens, 0 for a default; `threads` 0 means one a physical core; `offload` is the layout."""

    path: str
    context: int = 0
    kv_type: str = "f16"
    offload: Offload = NO_OFFLOAD
    threads: int = 0
    batch: int = 512
    use_extra_buffers: bool = False


class LoadStopped(Exception):
    """The person stopped the load."""


class AbortFlag:
    """Stops a computation inside llama.cpp at once, from any thread.

    llama.cpp asks a callback before each operation of the graph. A Python callback would need the interpreter
    thousands of times a second, so C's own `strlen` is used: it answers 0 for an empty text and 1 for one
    character, and the text is one byte that `set` changes.
    """

    def __init__(self) -> None:
        self._text = ctypes.create_string_buffer(b"\0", 2)
        self.address = ctypes.addressof(self._text)
        runtime = ctypes.CDLL("msvcrt") if os.name == "nt" else ctypes.CDLL(None)
        self.callback = ctypes.cast(runtime.strlen, llama().ggml_abort_callback)

    def set(self) -> None:
        self._text[0] = b"\x01"

    def clear(self) -> None:
        self._text[0] = b"\x00"

    def is_set(self) -> bool:
        return self._text[0] != b"\x00"


class LoadedModel:
    """A model and its context, with the bytes that llama.cpp says it took."""

    def __init__(
        self, model: Any, context: Any, settings: LoadSettings, devices: tuple[DeviceBytes, ...], abort: AbortFlag
    ) -> None:
        api = llama()
        self.native_model = model
        self.native_context = context
        self.abort = abort
        self.batch = settings.batch
        self.context: int = api.llama_n_ctx(context)
        self.context_max: int = api.llama_model_n_ctx_train(model)
        self.window: int = api.llama_model_n_swa(model)
        self.devices = devices
        self.weights_bytes = sum(device.weights + device.repacked for device in devices)
        self.conversation_bytes = sum(device.conversation for device in devices)
        self.compute_bytes = sum(device.compute for device in devices)
        self.vocabulary = Vocabulary(model)
        source = api.llama_model_chat_template(model, None)
        self.format: ChatFormat = choose_format((source or b"").decode("utf-8", "replace"), self.vocabulary)

    def close(self) -> None:
        """Give the memory back."""
        api = llama()
        if self.native_context is not None:
            api.llama_free(self.native_context)
            api.llama_model_free(self.native_model)
            self.native_context = self.native_model = None


def load_model(
    settings: LoadSettings,
    on_progress: Callable[[float], None] = lambda share: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> LoadedModel:
    """Load a model. Raises LoadStopped, or UserError that says what is wrong with the file, the settings or memory."""
    check_settings(settings)
    api = llama()
    log.clear()
    before, free_before = process_memory(), _free_on_cards(settings.offload)
    model = _load_weights(api, settings, on_progress, is_cancelled)
    process = overhead(before, process_memory(), private_weights(log.text()))
    try:
        _check_kind(api, model)
        abort = AbortFlag()
        context = _open_context(api, model, settings, abort)
    except BaseException:  # also Ctrl-C: the engine's memory is nobody else's to free
        api.llama_model_free(model)
        raise
    devices = device_bytes(log.text())
    drivers = _taken_by_drivers(devices, free_before, _free_on_cards(settings.offload))
    return LoadedModel(model, context, settings, with_other(devices, process, drivers), abort)


def _free_on_cards(offload: Offload) -> dict[str, int]:
    """Free bytes of each graphics device as the engine sees them; nothing where none is used."""
    if not offload.gpu_layers:
        return {}
    return {device.name: device.memory_free for device in engine_devices()}


def _taken_by_drivers(
    devices: tuple[DeviceBytes, ...], before: dict[str, int], after: dict[str, int]
) -> dict[str, int]:
    """What went from each card beside the engine's buffers."""
    buffers = {each.name: each.weights + each.repacked + each.conversation + each.compute for each in devices}
    return {
        name: min(MOST_DRIVER_BYTES, max(0, before[name] - after.get(name, 0) - size))
        for name, size in buffers.items()
        if name != HOST and name in before
    }


def check_settings(settings: LoadSettings) -> None:
    """Raises UserError where a setting is out of range or the file is not there."""
    if settings.kv_type not in KV_TYPES:
        raise UserError(
            f"There is no conversation memory of type {settings.kv_type!r}.",
            f"Use one of {', '.join(KV_TYPES)}.",
            kind="bad-setting",
            bad_input=True,
        )
    if not 0 <= settings.context <= 1 << 24 or not 0 <= settings.threads <= 1024 or not 1 <= settings.batch <= 8192:
        raise UserError("These settings are out of range.", "Reset them.", kind="bad-setting", bad_input=True)
    if not Path(settings.path).is_file():
        raise UserError(
            f"There is no model file at {settings.path}.",
            "Connect its drive, or add the model again.",
            kind="file-gone",
            bad_input=True,
        )


def _load_weights(
    api: Any, settings: LoadSettings, on_progress: Callable[[float], None], is_cancelled: Callable[[], bool]
) -> Any:
    stopped = False

    @api.llama_progress_callback  # type: ignore[untyped-decorator, unused-ignore]  # ctypes' own decorator has no types
    def progress(share: float, _: ctypes.c_void_p) -> bool:
        nonlocal stopped
        stopped = stopped or is_cancelled()
        on_progress(share)
        return not stopped

    parameters = api.llama_model_default_params()
    placement = Placement(api, settings.offload)
    placement.apply(parameters)
    parameters.use_extra_bufts = settings.use_extra_buffers
    parameters.progress_callback = progress
    model = api.llama_model_load_from_file(os.fsencode(settings.path), parameters)
    if stopped:
        if model:
            api.llama_model_free(model)
        raise LoadStopped
    if not model:
        raise explain_load_failure(log.text(), settings.path)
    return model


def _check_kind(api: Any, model: Any) -> None:
    if api.llama_model_has_encoder(model) or not api.llama_model_has_decoder(model):
        raise UserError(
            "This model is not made for chatting.",
            "It turns text into numbers or into other text; choose a chat model.",
            kind="not-a-chat-model",
        )
    if api.llama_model_is_diffusion(model):
        raise UserError(
            "This model writes by diffusion, which Snug cannot run yet.", "Choose another.", kind="unsupported"
        )


def context_parameters(settings: LoadSettings, context: int) -> Any:
    """The engine's parameters for a context of so many tokens: what it allocates follows from these."""
    parameters = llama().llama_context_default_params()
    parameters.n_ctx = context
    parameters.n_batch = parameters.n_ubatch = min(settings.batch, context)
    parameters.n_seq_max = 1
    parameters.n_outputs_max = 1  # only the last token's logits are read: saves 300 to 540 MB with a large vocabulary
    parameters.type_k = parameters.type_v = KV_TYPES[settings.kv_type]
    parameters.offload_kqv = settings.offload.gpu_layers != 0
    parameters.swa_full = False  # a sliding window keeps its window only: a fifth of the memory for Gemma 3
    parameters.no_perf = True
    return parameters


def _open_context(api: Any, model: Any, settings: LoadSettings, abort: AbortFlag) -> Any:
    trained = api.llama_model_n_ctx_train(model)
    wanted = min(settings.context or DEFAULT_CONTEXT, max(trained, SMALLEST_CONTEXT))
    threads = settings.threads or useful_threads(Path(settings.path).stat().st_size, physical_cores())
    parameters = context_parameters(settings, wanted)
    parameters.n_threads = parameters.n_threads_batch = threads
    parameters.abort_callback = abort.callback
    parameters.abort_callback_data = abort.address
    context = api.llama_init_from_model(model, parameters)
    if not context:
        smaller = max(SMALLEST_CONTEXT, wanted // 2 // 256 * 256)
        raise UserError(
            f"There is not enough memory for a conversation of {wanted:,} tokens with this model.",
            f"Load it with {smaller:,} tokens, or choose a more compact file of it."
            if smaller < wanted
            else "Choose a smaller model, or close other programs.",
            kind="no-memory",
            details=log.tail(),
        )
    return context


_FAILURES: tuple[tuple[str, str, str, str], ...] = (
    (
        r"unknown model architecture: '(clip|mmproj)'",
        "This file is only the part of a model that looks at pictures.",
        "Choose the model's main file.",
        "not-a-chat-model",
    ),
    (
        r"unknown model architecture: ''|invalid magic|invalid GGUF|failed to load GGUF|bad magic|gguf_init",
        "This is not a model file that Snug can read.",
        "Choose a file that ends in .gguf, or get it again.",
        "bad-file",
    ),
    (
        r"unknown model architecture|unknown pre-tokenizer|unknown tokenizer",
        "This kind of model is not supported by this version of the engine.",
        "Choose another model, or update Snug.",
        "unsupported",
    ),
    (
        r"failed to allocate|unable to allocate|out of memory|ErrorOutOfDeviceMemory",
        "There is not enough memory to load this model.",
        "Choose a more compact file of it, or close other programs.",
        "no-memory",
    ),
    (
        r"not within the file bounds|data is not within|incomplete|truncated|failed to read|corrupted",
        "This model file is not complete.",
        "Get it again.",
        "bad-file",
    ),
)
"""What llama.cpp says when it refuses a file, most telling first."""


def explain_load_failure(said: str, path: str) -> UserError:
    """Why a model did not load, in words, from what llama.cpp said."""
    for pattern, title, advice, kind in _FAILURES:
        if re.search(pattern, said):
            return UserError(title, advice, kind=kind, details=f"{path}\n{said[-3000:]}")
    return UserError(
        "The engine cannot load this model file.",
        "Check the file in the Library, or get another file of this model.",
        kind="bad-file",
        details=f"{path}\n{said[-3000:]}",
    )


def physical_cores() -> int:
    """How many threads serve best: the physical cores that this process may use."""
    import psutil

    cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = min(cores, len(os.sched_getaffinity(0)))
    return max(1, cores)


def useful_threads(file_bytes: int, cores: int) -> int:
    """Threads for a model of this size: a tiny one gains nothing from more, and loses much on a busy computer."""
    return max(1, min(cores, file_bytes // BYTES_PER_THREAD))


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def seconds(self) -> float:
        return time.perf_counter() - self._start
