"""A child process: loads each GGUF that it is given, computes some tokens, and says in JSON what came of it.

An argument is a path, or the paths of a model and of an adapter with a bar between them.
"""

from __future__ import annotations

import ctypes
import json
import sys

import llama_cpp as api
import numpy as np

TOKENS = (5, 17, 3, 80, 41, 99)


def computed(path: str, adapter_path: str) -> str:
    """ "finite", or what is wrong with the model or the adapter for it ("" for none)."""
    settings = api.llama_model_default_params()
    settings.n_gpu_layers = 0
    settings.use_extra_bufts = False
    model = api.llama_model_load_from_file(path.encode(), settings)
    if not model:
        return "does not load"
    try:
        size = api.llama_vocab_n_tokens(api.llama_model_get_vocab(model))
        context_settings = api.llama_context_default_params()
        context_settings.n_ctx = 64
        context_settings.n_threads = context_settings.n_threads_batch = 1
        name = ctypes.create_string_buffer(64)
        api.llama_model_meta_val_str(model, b"general.architecture", name, 64)
        is_encoder = any(word in name.value for word in (b"bert", b"embedding"))
        context_settings.embeddings = is_encoder
        if is_encoder:
            context_settings.pooling_type = api.LLAMA_POOLING_TYPE_MEAN
        context = api.llama_init_from_model(model, context_settings)
        if not context:
            return "has no context"
        try:
            if adapter_path:
                adapter = api.llama_adapter_lora_init(model, adapter_path.encode())
                if not adapter:
                    return "does not take its adapter"
                adapters = (api.llama_adapter_lora_p_ctypes * 1)(adapter)
                api.llama_set_adapters_lora(context, adapters, 1, (ctypes.c_float * 1)(1.0))
            tokens = (api.llama_token * len(TOKENS))(*TOKENS)
            if api.llama_decode(context, api.llama_batch_get_one(tokens, len(TOKENS))):
                return "does not compute"
            if is_encoder:
                found = api.llama_get_embeddings_seq(context, 0)
                size = api.llama_model_n_embd(model)
            else:
                found = api.llama_get_logits_ith(context, -1)
            values = np.ctypeslib.as_array(found, (size,))
            if not np.isfinite(values).all():
                return "gives numbers that are not finite"
            return "finite" if float(np.ptp(values)) > 0 else "gives the same for every token"
        finally:
            api.llama_free(context)
    finally:
        api.llama_model_free(model)


if __name__ == "__main__":
    api.llama_backend_init()
    for argument in sys.argv[1:]:
        print(json.dumps([argument, computed(*(argument + "|").split("|")[:2])]), flush=True)
