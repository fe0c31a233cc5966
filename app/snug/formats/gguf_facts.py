"""From a GGUF's header to a model's figures: exact bytes, conversation memory by layer, active parameters.

The rules for layers follow the engine's own loading (llama.cpp `llama-model.cpp`, `llama-hparams.cpp`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from snug.core.errors import UserError
from snug.core.model_facts import ModelFacts
from snug.formats.byte_cursor import bad_gguf
from snug.formats.ggml_types import FILE_TYPE_NAMES
from snug.formats.gguf_architectures import EMBEDDING, KNOWN, WITHOUT_CACHE
from snug.formats.gguf_header import GgufHeader, TensorInfo
from snug.formats.gguf_layers import MOST_LAYERS, Hyperparameters, is_beyond, layer_shape, own_layers

GUESSED = 1024
"""Added to `general.file_type` by the engine where it guessed."""
LOOKUP_TABLE = "per_layer_token_embd.weight"
SPECIAL_KINDS = {"mmproj": "projector", "clip-vision": "projector", "projector": "projector", "adapter": "adapter",
                 "imatrix": "importance matrix", "vocab": "vocabulary"}  # fmt: skip


def facts_from_header(header: GgufHeader, file_bytes: int | None = None, name: str = "") -> ModelFacts:
    """The figures of a model in one file. `name` serves where the file does not name itself."""
    return facts_from_headers((header,), header.file_bytes if file_bytes is None else file_bytes, name)


def facts_from_headers(headers: Sequence[GgufHeader], file_bytes: int, name: str = "") -> ModelFacts:
    """The figures of a model over the headers of all its parts, the first part first.

    Raises UserError: "bad-gguf" where a language model lacks what it cannot do without, "missing-part" where it is
    split into more parts than are here, "not-supported" where the engine does not know the architecture.
    """
    first = headers[0]
    _check_parts(headers)
    kind = kind_of(first)
    tensors = [tensor for header in headers for tensor in header.tensors]
    architecture = first.text("general.architecture")
    if kind in ("model", "embedding"):
        return _model_facts(first, tensors, file_bytes, kind, name)
    by_type = _bytes_by_type(tensors)
    return ModelFacts(
        name=first.text("general.name") or name,
        architecture=architecture,
        file_type=_file_type(first, by_type),
        parameters=sum(_elements(tensor) for tensor in tensors),
        weight_bytes=sum(by_type.values()),
        layers=0,
        embedding_length=0,
        vocabulary=first.array_lengths.get("tokenizer.ggml.tokens", 0),
        context_max=0,
        attention_heads=0,
        kv_heads=(),
        head_dims_k=(),
        head_dims_v=(),
        file_bytes=file_bytes,
        tensor_bytes_by_type=by_type,
        has_chat_template=bool(first.text("tokenizer.chat_template")),
        licence=first.text("general.license"),
        kind=kind,
    )


def _check_parts(headers: Sequence[GgufHeader]) -> None:
    """Every part states how many there are, and the first one is first: else their figures do not belong together."""
    for index, header in enumerate(headers):
        count, number = (header.values.get(key, default) for key, default in (("split.count", 1), ("split.no", 0)))
        if not isinstance(count, int) or max(1, count) == len(headers) == 1:
            continue
        if count > len(headers):
            raise UserError(
                f"This is one of {count} parts of a model, and not all of them are here.",
                "Keep all parts in one folder, with the names they had.",
                kind="missing-part",
                bad_input=True,
            )
        if count != len(headers) or number != index:
            raise bad_gguf("its parts do not belong together", f"part {number} of {count} at place {index}")


def kind_of(header: GgufHeader) -> str:
    """What sort of file this is: "model", "embedding", "projector", "vocabulary", "adapter" or "importance matrix"."""
    stated = SPECIAL_KINDS.get(header.text("general.type").lower())
    if stated is not None:
        return stated
    architecture = header.text("general.architecture")
    if architecture in ("clip", "mmproj"):
        return "projector"
    if header.text("adapter.type") or any(tensor.name.endswith(".lora_a") for tensor in header.tensors[:8]):
        return "adapter"
    if "imatrix.chunk_count" in header.values or "imatrix.datasets" in header.array_lengths:
        return "importance matrix"
    if not header.tensors and "split.count" not in header.values and header.array_lengths.get("tokenizer.ggml.tokens"):
        return "vocabulary"
    return "embedding" if architecture in EMBEDDING else "model"


def not_a_chat_model(facts: ModelFacts) -> UserError | None:
    """The error to show where a person wants to chat with a file that is no language model, else None."""
    words = {
        "projector": ("This file only lets a model see pictures.", "Choose the model that it belongs to."),
        "vocabulary": ("This file holds only a vocabulary, no model.", "Choose a file with the model itself."),
        "adapter": ("This file only changes another model (an adapter).", "Choose the model that it belongs to."),
        "importance matrix": ("This file only helps to make models smaller.", "Choose a file with the model itself."),
        "embedding": ("This model finds related texts; it cannot chat.", "Choose a model made for chat."),
    }.get(facts.kind)
    return None if words is None else UserError(*words, kind="not-a-chat-model", bad_input=True)


def _model_facts(first: GgufHeader, tensors: list[TensorInfo], file_bytes: int, kind: str, name: str) -> ModelFacts:
    architecture = first.text("general.architecture")
    if not architecture:
        raise bad_gguf("it does not say what kind of model it is")
    if architecture not in KNOWN:
        raise UserError(
            f"Models of the kind {architecture[:40]!r} are not supported yet.",
            "Look for a newer version of Snug, or choose another model.",
            kind="not-supported",
            bad_input=True,
        )
    numbers = Hyperparameters(first, architecture)
    layers = numbers.count("block_count", MOST_LAYERS)
    width = numbers.count("embedding_length", 2**24)
    if not layers or not width or not tensors:
        raise bad_gguf("it lacks the model itself", f"{layers} layers of width {width}, {len(tensors)} tensors")
    stated, layers = layers, own_layers(numbers, layers)
    tensors = [tensor for tensor in tensors if not is_beyond(tensor.name, layers)]
    shape = layer_shape(numbers, layers, width, has_cache=architecture not in WITHOUT_CACHE)
    groups = _groups(tensors)
    by_type = _bytes_by_type(tensors)
    experts, used = numbers.count("expert_count", 2**16), numbers.largest("expert_used_count", 2**16)
    parameters = sum(_elements(tensor) for tensor in tensors)
    return ModelFacts(
        name=first.text("general.name") or name,
        architecture=architecture,
        file_type=_file_type(first, by_type),
        parameters=parameters,
        weight_bytes=sum(by_type.values()),
        layers=layers,
        embedding_length=width,
        vocabulary=_vocabulary(first, numbers, tensors),
        context_max=numbers.count("context_length", 2**31),
        attention_heads=numbers.largest("attention.head_count", 2**16),
        kv_heads=shape.kv_heads,
        head_dims_k=shape.head_dims_k,
        head_dims_v=shape.head_dims_v,
        windows=shape.windows,
        active_parameters=_active(parameters, tensors, experts, used),
        file_bytes=file_bytes,
        input_embedding_bytes=groups["input"],
        output_bytes=groups["output"],
        lookup_bytes=groups["lookup"],
        lookup_length=next((tensor.dims[0] for tensor in tensors if tensor.name == LOOKUP_TABLE), 0),
        expert_bytes=groups["experts"],
        experts=experts,
        experts_used=min(used, experts),
        feed_forward_length=_feed_forward(numbers, tensors, min(used, experts)),
        feed_forward_gated=_is_gated(numbers, tensors),
        recurrent_state_bytes=shape.state_bytes,
        latent_kv_length=shape.latent,
        shared_kv_layers=shape.shared,
        tensor_bytes_by_type=by_type,
        has_chat_template=bool(first.text("tokenizer.chat_template")),
        licence=first.text("general.license"),
        kind=kind,
        draft_layers=stated - layers,
        layer_bytes=_by_layer(tensors, layers),
        layer_expert_bytes=_by_layer([tensor for tensor in tensors if is_expert(tensor.name)], layers),
        matrix_bytes_by_type=_bytes_by_type(tensor for tensor in tensors if _is_matrix(tensor)),
    )


def _by_layer(tensors: Iterable[TensorInfo], layers: int) -> tuple[int, ...]:
    """Bytes of each layer's tensors; those of no layer are left out."""
    sums = [0] * layers
    for tensor in tensors:
        parts = tensor.name.split(".", 2)
        if parts[0] == "blk" and len(parts) > 2 and parts[1].isdecimal() and int(parts[1]) < layers:
            sums[int(parts[1])] += tensor.size_bytes
    return tuple(sums)


def _is_matrix(tensor: TensorInfo) -> bool:
    """Whether it is multiplied with and its rows come in eights, as kernels with an order of their own want them."""
    is_multiplied = tensor.name.startswith("blk.") or tensor.name == "output.weight"
    return is_multiplied and len(tensor.dims) >= 2 and tensor.dims[1] % 8 == 0


def _groups(tensors: Iterable[TensorInfo]) -> dict[str, int]:
    """Bytes of the input embedding, look-up tables, the output head and all experts."""
    sums = {"input": 0, "lookup": 0, "output": 0, "experts": 0}
    for tensor in tensors:
        if tensor.name == "token_embd.weight":
            sums["input"] += tensor.size_bytes
        elif tensor.name == LOOKUP_TABLE:
            sums["lookup"] += tensor.size_bytes
        elif tensor.name == "output.weight":
            sums["output"] += tensor.size_bytes
        elif is_expert(tensor.name):
            sums["experts"] += tensor.size_bytes
    return sums


def is_expert(tensor_name: str) -> bool:
    """Whether the tensor stacks the matrices of all experts of a layer, of which each token uses a few."""
    return "_exps." in tensor_name and not tensor_name.endswith(".bias")


def _active(parameters: int, tensors: Iterable[TensorInfo], experts: int, used: int) -> int | None:
    if experts < 2 or not used:
        return None
    in_experts = sum(_elements(tensor) for tensor in tensors if is_expert(tensor.name))
    return parameters - round(in_experts * (1 - min(1.0, used / experts))) if in_experts else None


def _feed_forward(numbers: Hyperparameters, tensors: Sequence[TensorInfo], used: int) -> int:
    """The widest feed-forward step: of dense layers where there are any, of the experts that one token uses.

    The experts' width is that of their own matrices: some architectures have a key for it, others take the dense one.
    """
    dense = numbers.largest("feed_forward_length", 2**26)
    expert = max((tensor.dims[0] for tensor in tensors if ".ffn_down_exps.weight" in tensor.name), default=0)
    if not used or not expert:
        return dense
    has_dense_layers = any(".ffn_down.weight" in tensor.name for tensor in tensors)
    return max(dense, used * expert) if has_dense_layers else used * expert


def _is_gated(numbers: Hyperparameters, tensors: Sequence[TensorInfo]) -> bool:
    """Whether the feed-forward step has a gate: a matrix of its own, or one half of a double-width `ffn_up`."""
    if any(".ffn_gate" in tensor.name and "_inp" not in tensor.name for tensor in tensors):
        return True
    widths = [tensor.dims[-1] for tensor in tensors if ".ffn_up.weight" in tensor.name]
    return not widths or max(widths) > numbers.largest("feed_forward_length", 2**26)


def _bytes_by_type(tensors: Iterable[TensorInfo]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for tensor in tensors:
        sums[tensor.kind.name] = sums.get(tensor.kind.name, 0) + tensor.size_bytes
    return sums


def _elements(tensor: TensorInfo) -> int:
    return math.prod(tensor.dims)


def _file_type(header: GgufHeader, by_type: dict[str, int]) -> str:
    """The stated file type, or the type that most bytes have."""
    stated = header.values.get("general.file_type")
    if isinstance(stated, int) and not isinstance(stated, bool) and stated % GUESSED in FILE_TYPE_NAMES:
        return FILE_TYPE_NAMES[stated % GUESSED]
    return max(by_type, key=lambda name: by_type[name], default="")


def _vocabulary(header: GgufHeader, numbers: Hyperparameters, tensors: Iterable[TensorInfo]) -> int:
    stated = header.array_lengths.get("tokenizer.ggml.tokens", 0) or numbers.count("vocab_size", 2**30)
    if stated:
        return stated
    embedding = next((tensor for tensor in tensors if tensor.name == "token_embd.weight"), None)
    return embedding.dims[1] if embedding is not None and len(embedding.dims) > 1 else 0
