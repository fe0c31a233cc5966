"""How fast the engine reads and writes with a model here: token numbers in, token numbers out, nothing else timed."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from snug.core.errors import UserError
from snug.core.fit import NO_OFFLOAD, Offload
from snug.engine.library import llama
from snug.engine.model import LoadedModel, LoadSettings, load_model

PROMPT_TOKENS = 128
PROMPT_TOKENS_ON_CARDS = 512
"""A card reads so fast that a short prompt would tell its start alone."""
CONTEXT = 1024
WARM_UP_TOKENS = 4
RUNS = 2
LONG_S = 4.0
"""After a run that took longer, there is no second one: a slow or busy computer is not kept waiting."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Tokens a second, the best of some runs: other programs only ever slow one down."""

    tokens_per_s: float
    prompt_tokens_per_s: float


def measure_pace(
    path: str, seconds: float, offload: Offload = NO_OFFLOAD, check: Callable[[], None] = lambda: None
) -> Pace:
    """Read a prompt and write for about `seconds` in each of some runs; `check` may raise to stop between the steps.

    Raises UserError where the model cannot be loaded.
    """
    model = load_model(LoadSettings(path=path, context=CONTEXT, offload=offload))
    try:
        length = PROMPT_TOKENS_ON_CARDS if offload.gpu_layers else PROMPT_TOKENS
        size = llama().llama_vocab_n_tokens(llama().llama_model_get_vocab(model.native_model))
        reading: list[float] = []
        writing: list[float] = []
        began = time.perf_counter()
        for run in range(RUNS):
            check()
            if reading and time.perf_counter() - began > LONG_S:
                break
            prompt = [(17 + 31 * number + 7 * run) % size for number in range(length)]
            read, written = _run(model, prompt, seconds, check)
            reading.append(read)
            writing.append(written)
    finally:
        model.close()
    return Pace(max(writing), max(reading))


def _run(model: LoadedModel, prompt: Sequence[int], seconds: float, check: Callable[[], None]) -> tuple[float, float]:
    """Tokens/s of reading this prompt in an empty context, and of writing after it."""
    api = llama()
    api.llama_memory_clear(api.llama_get_memory(model.native_context), True)
    started = time.perf_counter()
    _decode(model, prompt)
    read = time.perf_counter()
    for step in range(WARM_UP_TOKENS):
        _decode(model, [step])
    began = time.perf_counter()
    written = 0
    room = model.context - len(prompt) - WARM_UP_TOKENS
    while written < room and (written == 0 or time.perf_counter() - began < seconds):
        check()
        _decode(model, [written % 1000])
        written += 1
    return len(prompt) / (read - started), written / (time.perf_counter() - began)


def _decode(model: LoadedModel, tokens: Sequence[int]) -> None:
    api = llama()
    numbers = (ctypes.c_int32 * len(tokens))(*tokens)
    if api.llama_decode(model.native_context, api.llama_batch_get_one(numbers, len(tokens))) != 0:
        raise UserError("The engine could not calculate.", "Run `snug doctor`.", kind="engine-failed")
    api.llama_synchronize(model.native_context)
