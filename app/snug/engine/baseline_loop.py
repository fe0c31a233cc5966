"""The plain low-level greedy loop of llama-cpp-python, nothing of Snug in it: the yardstick of `snug bench chat`.

`python -m snug.engine.baseline_loop MODEL THREADS CONTEXT` loads the model; then each line "PROMPT_TOKENS NEW_TOKENS"
on its input is answered by one line of JSON with the seconds and rates of reading and writing. The end of an answer
is ignored, so that the work is the same.
"""

from __future__ import annotations

import ctypes
import json
import sys
import time
from typing import Any


def answer_lines(path: str, threads: int, context: int) -> None:
    """Measures once for each line of the input, with the model loaded once."""
    import llama_cpp.llama_cpp as api

    quiet = api.llama_log_callback(lambda level, text, data: None)
    api.llama_log_set(quiet, ctypes.c_void_p(0))
    api.llama_backend_init()
    model_parameters = api.llama_model_default_params()
    model_parameters.n_gpu_layers = 0
    model_parameters.use_extra_bufts = False
    model = api.llama_model_load_from_file(path.encode(), model_parameters)
    if not model:
        raise SystemExit(f"cannot load {path}")
    parameters = api.llama_context_default_params()
    parameters.n_ctx = context
    parameters.n_batch = parameters.n_ubatch = 512
    parameters.n_threads = parameters.n_threads_batch = threads
    parameters.no_perf = True
    native = api.llama_init_from_model(model, parameters)
    sampler = api.llama_sampler_chain_init(api.llama_sampler_chain_default_params())
    api.llama_sampler_chain_add(sampler, api.llama_sampler_init_greedy())
    size = api.llama_vocab_n_tokens(api.llama_model_get_vocab(model))
    for line in sys.stdin:
        prompt_tokens, new_tokens = map(int, line.split())
        api.llama_memory_clear(api.llama_get_memory(native), True)
        prompt = [17 + number * 31 % (size - 64) for number in range(prompt_tokens)]
        print(json.dumps(_run(api, native, sampler, prompt, new_tokens)), flush=True)


def _run(api: Any, native: Any, sampler: Any, prompt: list[int], new_tokens: int) -> dict[str, float]:
    started = time.perf_counter()
    for at in range(0, len(prompt), 512):
        part = prompt[at : at + 512]
        tokens = (ctypes.c_int32 * len(part))(*part)
        if api.llama_decode(native, api.llama_batch_get_one(tokens, len(part))) != 0:
            raise SystemExit("llama_decode failed")
    token = api.llama_sampler_sample(sampler, native, -1)
    read = time.perf_counter()
    one = (ctypes.c_int32 * 1)()
    batch = api.llama_batch_get_one(one, 1)
    for _ in range(new_tokens - 1):
        one[0] = token
        if api.llama_decode(native, batch) != 0:
            raise SystemExit("llama_decode failed")
        token = api.llama_sampler_sample(sampler, native, -1)
    written = time.perf_counter()
    return {
        "prompt_s": read - started,
        "prompt_tokens_per_s": len(prompt) / (read - started),
        "write_s": written - read,
        "tokens_per_s": (new_tokens - 1) / (written - read),
    }


if __name__ == "__main__":
    answer_lines(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
