"""What a model takes in memory, from its figures: weights, conversation memory, compute buffers, overhead.

The rules follow llama.cpp's own allocation (KV cache by layer, sliding windows padded to 256 cells, compressed KV
entries, one state a recurrent layer); the constants were measured on its logs.
"""

from __future__ import annotations

from itertools import islice

from snug.core.errors import UserError
from snug.core.machine import Cpu
from snug.core.model_facts import ModelFacts
from snug.core.quantisation import KV_BITS

MIB = 2**20
CELLS = 256
"""The engine rounds the context up to a multiple of this many tokens."""
PROCESS_BYTES = 45 * MIB
"""The engine's child at rest: its code, Python, and what it needs to speak (47.1 MB on Linux, as loads report it)."""
PROJECTOR_COMPUTE_BYTES = 256 * MIB
"""What looking at one picture takes beside the projector's own weights, where no run has shown it."""
REPACKED_TYPES: tuple[tuple[tuple[str, ...], frozenset[str]], ...] = (
    (("amx_int8",), frozenset({"Q4_0", "Q4_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K", "IQ4_XS"})),
    (("avx512f",), frozenset({"Q2_K"})),
    (("avx2",), frozenset({"Q4_0", "Q4_K", "IQ4_NL", "MXFP4"})),
    (("neon", "i8mm"), frozenset({"Q1_0"})),
    (("neon", "dotprod"), frozenset({"Q4_0", "Q4_K", "Q5_K", "Q6_K", "Q8_0", "IQ4_NL", "MXFP4"})),
)
"""Which types the engine copies into another order on processors with all of these features (repack.cpp and amx in
llama.cpp of llama-cpp-python 0.3.36), where it is let."""
VOCABULARY_BYTES = 360
"""Bytes the engine keeps for each token of the vocabulary: text, merges and look-up tables."""


def padded(tokens: int) -> int:
    """The number of KV cells that the engine allocates for a context of `tokens`."""
    return max(CELLS, -(-tokens // CELLS) * CELLS)


def kv_bits(kv_type: str) -> float:
    """Bits an element of the KV cache takes. Raises UserError (bad_input) for a type that the engine refuses."""
    bits = KV_BITS.get(kv_type.lower())
    if bits is None:
        raise UserError(
            f"{kv_type[:40]!r} is no type for conversation memory.",
            f"Choose one of {', '.join(KV_BITS)}.",
            kind="unknown-type",
            bad_input=True,
        )
    return bits


def layer_conversations(facts: ModelFacts, context: int, kv_type: str, batch: int) -> list[int]:
    """Conversation memory of each layer in bytes."""
    bits = kv_bits(kv_type)
    whole = padded(context)
    own_cache = len(facts.kv_heads) - facts.shared_kv_layers
    states = sum(1 for heads in facts.kv_heads if heads == 0) or 1
    state = facts.recurrent_state_bytes // (states if 0 in facts.kv_heads else max(1, len(facts.kv_heads)))
    all_have_states = 0 not in facts.kv_heads
    windows = (*facts.windows, *(0,) * (len(facts.kv_heads) - len(facts.windows)))
    sizes: dict[tuple[int, int, int, int], int] = {}  # most layers are alike
    result = []
    for layer in islice(zip(facts.kv_heads, facts.head_dims_k, facts.head_dims_v, windows, strict=False), own_cache):
        if layer not in sizes:
            heads, key, value, window = layer
            cells = min(whole, padded(window + batch)) if window else whole
            always_there = state if heads == 0 or all_have_states else 0
            sizes[layer] = round(cells * heads * (key + value) * bits / 8) + always_there
        result.append(sizes[layer])
    return result + [0] * (len(facts.kv_heads) - len(result))


def repeating_bytes(facts: ModelFacts) -> int:
    """Weights that are neither input embedding, look-up table nor output head: what the layers share."""
    return max(0, facts.weight_bytes - facts.input_embedding_bytes - facts.lookup_bytes - facts.output_bytes)


def compute_bytes(facts: ModelFacts, context: int, batch: int) -> int:
    """Scratch memory for one batch: a layer at its widest, and the attention masks.

    The engine asks for the logits of one token only, so the vocabulary hardly counts. Flash attention (llama.cpp's
    own choice wherever it works) keeps no scores. Against the engine's plan (`snug bench fit`) for 58 generated models
    within 5 MB, for 45 real shapes from 0.5B to 80B within 17 MB.
    """
    tokens = min(batch, padded(context))
    window = max(facts.windows, default=0)
    masks = padded(context) if any(facts.kv_heads) else 0
    if window and any(facts.kv_heads):  # llama-kv-cache-iswa.cpp: a cache, so a mask, of its own for these layers
        masks += min(padded(context), padded(window + batch))
    logits = 4 * facts.vocabulary
    return 4 * tokens * widest_layer(facts) + 2 * tokens * masks + logits


def widest_layer(facts: ModelFacts) -> int:
    """Numbers that one token needs at the widest point of the graph, in llama.cpp's planned order (llama-graph.cpp).

    A gated feed-forward step holds gate, up and their product; without a gate the activation works in place. Experts
    (`build_moe_ffn`) hold each used expert's output twice, before and after its weight. Embeddings a layer (Gemma 3n
    and 4) stand there for all layers at once, looked up and projected.
    """
    width = facts.embedding_length
    layer = (3 if facts.feed_forward_gated else 1) * facts.feed_forward_length + 4 * width
    if facts.experts_used:
        layer = max(layer, 2 * width * facts.experts_used + 2 * width)
    if facts.recurrent_state_bytes:
        layer = max(layer, 13 * width)
    if facts.lookup_length:
        layer = max(layer + 2 * facts.lookup_length, 4 * facts.lookup_length + 2 * width)
    return layer


def other_bytes(facts: ModelFacts) -> int:
    """The child's own memory beside the model."""
    return PROCESS_BYTES + VOCABULARY_BYTES * facts.vocabulary


def layer_weights(facts: ModelFacts) -> tuple[list[int], list[int]]:
    """Bytes of each layer without its experts, and of each layer's experts; evenly spread where no header says it."""
    layers = max(1, facts.layers)
    if len(facts.layer_bytes) == layers:
        experts = list(facts.layer_expert_bytes) or [0] * layers
        return [whole - part for whole, part in zip(facts.layer_bytes, experts, strict=True)], experts
    repeating = repeating_bytes(facts)
    in_experts = min(repeating, facts.expert_bytes or _guessed_experts(facts, repeating))
    return _spread(repeating - in_experts, layers), _spread(in_experts, layers)


def _guessed_experts(facts: ModelFacts, repeating: int) -> int:
    """Bytes in experts where only the active parameters are known: about a sixteenth of them works on each token."""
    if not facts.active_parameters or facts.active_parameters >= 0.9 * facts.parameters:
        return 0
    idle = (facts.parameters - facts.active_parameters) / max(1, facts.parameters)
    return min(repeating * 97 // 100, round(facts.weight_bytes * idle * 16 / 15))


def _spread(total: int, count: int) -> list[int]:
    even = total // count
    return [even + total - even * count, *[even] * (count - 1)]


def repacked_bytes(facts: ModelFacts, cpu: Cpu) -> int:
    """Bytes of weights that this processor's kernels want in another order: copies beside the mapped file.

    Figures that an older version kept do not tell matrices apart: all weights of those types count then.
    """
    by_type = facts.matrix_bytes_by_type or (facts.tensor_bytes_by_type if facts.exact else {})
    kinds = {kind for features, types in REPACKED_TYPES if set(features) <= set(cpu.features) for kind in types}
    return sum(size for kind, size in by_type.items() if kind in kinds)


def projector_need(file_bytes: int) -> int:
    """What the part that sees pictures takes: its weights, and the work on one picture."""
    return file_bytes + PROJECTOR_COMPUTE_BYTES if file_bytes > 0 else 0
