"""What a model file says about itself, independent of the file's format: the input of every estimate."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A language model's figures, in bytes, tokens and counts.

    `kv_heads`, `head_dims_k`, `head_dims_v` and `windows` have one entry a layer; a layer without attention has
    0 KV heads, a layer without a sliding window has window 0. `tensor_bytes_by_type` sums to `weight_bytes`.
    `lookup_bytes` are tables of which each token reads one row only, beside the input embedding (Gemma's embeddings a
    layer), `lookup_length` the values in that row. `output_bytes` is 0 where the input embedding serves as output head
    too. The last `shared_kv_layers` layers use an earlier layer's KV cache. `feed_forward_length` counts all experts
    that one token uses; `feed_forward_gated` says whether a gate stands beside it. Layers that only draft tokens ahead
    (multi-token prediction, `draft_layers`) are not counted: the engine leaves them in the file. `layer_bytes` and
    `layer_expert_bytes` (of that, in experts) have one entry a layer, or none where no header says it;
    `matrix_bytes_by_type` are the matrices of layers and head that kernels could want in another order. `kind` is
    "model", "projector", "vocabulary", "adapter", "importance matrix" or "embedding". `exact` is False where the
    figures come from a catalogue row instead of a file's header; `repos` are then the repositories with such files.
    """

    name: str
    architecture: str
    file_type: str
    parameters: int
    weight_bytes: int
    layers: int
    embedding_length: int
    vocabulary: int
    context_max: int
    attention_heads: int
    kv_heads: tuple[int, ...]
    head_dims_k: tuple[int, ...]
    head_dims_v: tuple[int, ...]
    windows: tuple[int, ...] = ()
    active_parameters: int | None = None
    file_bytes: int = 0
    input_embedding_bytes: int = 0
    output_bytes: int = 0
    lookup_bytes: int = 0
    lookup_length: int = 0
    expert_bytes: int = 0
    experts: int = 0
    experts_used: int = 0
    feed_forward_length: int = 0
    feed_forward_gated: bool = True
    recurrent_state_bytes: int = 0
    latent_kv_length: int = 0
    shared_kv_layers: int = 0
    tensor_bytes_by_type: dict[str, int] = field(default_factory=dict)
    has_chat_template: bool = False
    licence: str = ""
    kind: str = "model"
    exact: bool = True
    warnings: tuple[str, ...] = ()
    draft_layers: int = 0
    layer_bytes: tuple[int, ...] = ()
    layer_expert_bytes: tuple[int, ...] = ()
    matrix_bytes_by_type: dict[str, int] = field(default_factory=dict)
    repos: tuple[str, ...] = ()
