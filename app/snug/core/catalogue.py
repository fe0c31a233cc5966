"""The catalogue: current models that Snug knows without a network, and estimates from their figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from snug.core.architectures import attention_layers, shape_of, usual_width
from snug.core.errors import UserError
from snug.core.evidence import Figure, load_evidence
from snug.core.licences import licence_words
from snug.core.model_facts import ModelFacts
from snug.core.quantisation import FILE_TYPES, FileType, file_type_named

USES = ("chat", "writing", "code", "documents", "vision")
_CATALOGUE_LIMIT_BYTES = 16 * 1024 * 1024
_GREATEST = 10**15
_FALLBACK = 1.18
"""K-types need rows in multiples of 256; others fall back to types with more bits (SmolLM2 360M: 0.27 GB)."""

_USUAL_PROJECTOR = 430_000_000
"""Parameters that see pictures, where a family's own are not known: the known ones have 407 to 426 million."""


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One model. `context` in tokens; `gguf_repos` in order of trust; `released` is "YYYY-MM-DD" or "".

    `active_parameters` is set for a mixture of experts. `hidden` and `vocabulary` are usual ones where nobody stated
    them. The makers trained it for `native_type` ("" where for none), to be had from `native_repos`. `figures` are
    published scores.
    """

    key: str
    repo: str
    name: str
    maker: str
    parameters: int
    active_parameters: int | None
    architecture: str
    layers: int
    kv_heads: int
    head_dim: int
    hidden: int
    vocabulary: int
    context: int
    good_for: tuple[str, ...]
    summary: str
    licence: str
    licence_words: str
    capabilities: tuple[str, ...]
    gguf_repos: tuple[str, ...]
    released: str
    tied_embeddings: bool = False
    native_type: str = ""
    native_repos: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()


def load_catalogue(path: Path) -> tuple[CatalogueEntry, ...]:
    """The entries of a catalogue file, with the figures of evidence.json beside it.

    Raises UserError where the file is missing or an entry is wrong.
    """
    try:
        if path.stat().st_size > _CATALOGUE_LIMIT_BYTES:
            raise ValueError("the file is too large")
        document = json.loads(path.read_text("utf-8"))
        entries = tuple(entry_from_row(row) for row in document["models"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        title = "Snug's list of models cannot be read."
        raise UserError(title, "Install Snug again.", kind="bad-catalogue", details=f"{path}: {error}") from error
    if len({entry.key for entry in entries}) != len(entries):
        raise UserError("Snug's list of models names one model twice.", "Install Snug again.", kind="bad-catalogue")
    evidence = load_evidence(path.with_name("evidence.json"))
    return tuple(replace(entry, figures=evidence.get(entry.key, ())) for entry in entries)


def facts_entry_from_document(document: object) -> CatalogueEntry:
    """The model that a facts file describes: one row of figures. Raises UserError (bad_input) naming what is wrong."""
    try:
        return entry_from_row(document)
    except (ValueError, TypeError, KeyError) as error:
        problem = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        raise UserError(
            f"This file does not describe a model: {problem}.",
            "Give a GGUF file, a model on the Hub (OWNER/NAME), or a file with one model's figures.",
            kind="bad-facts",
            bad_input=True,
        ) from error


def entry_from_row(row: object) -> CatalogueEntry:
    """The entry that a row of figures describes; the words for people may be missing from it."""
    if not isinstance(row, Mapping):
        raise TypeError("a model must be an object with named figures")
    repo = _text(row, "repo")
    parameters = _whole(row, "parameters")
    active = _whole(row, "active_parameters", default=0, minimum=0)
    if active > parameters:
        raise ValueError("active_parameters is more than parameters")
    good_for = _texts(row, "good_for") or ("chat",)
    if not set(good_for) <= set(USES):
        raise ValueError(f"good_for must name only {', '.join(USES)}")
    licence = _text(row, "licence", "")
    architecture = _text(row, "architecture")
    vocabulary = _whole(row, "vocab", default=0, minimum=0, maximum=100_000_000)
    vocabulary = vocabulary or shape_of(architecture).usual_vocabulary
    layers, kv_heads = _whole(row, "layers", maximum=10_000), _whole(row, "kv_heads", maximum=100_000)
    return CatalogueEntry(
        key=_text(row, "key", repo.rpartition("/")[2].lower()),
        repo=repo,
        name=_text(row, "name", repo.rpartition("/")[2]),
        maker=_text(row, "maker", repo.partition("/")[0]),
        parameters=parameters,
        active_parameters=active or None,
        architecture=architecture,
        layers=layers,
        kv_heads=kv_heads,
        head_dim=_whole(row, "head_dim", maximum=100_000),
        hidden=_whole(row, "hidden", default=0, minimum=0, maximum=10_000_000)
        or usual_width(active or parameters, layers, vocabulary),
        vocabulary=vocabulary,
        context=_whole(row, "context", default=8192),
        good_for=good_for,
        summary=_text(row, "summary", ""),
        licence=licence,
        licence_words=licence_words(licence),
        capabilities=_texts(row, "capabilities"),
        gguf_repos=_texts(row, "gguf_repos"),
        released=_text(row, "released", ""),
        tied_embeddings=bool(row.get("tied_embeddings", False)),
        native_type=_text(row, "native_type", ""),
        native_repos=_texts(row, "native_repos"),
    )


def repos_for(entry: CatalogueEntry, file_type: str) -> tuple[str, ...]:
    """Where to look for that type, in order of trust: where the makers' own type is, if it is that."""
    native = entry.native_repos if file_type == entry.native_type else ()
    return (*native, *(repo for repo in entry.gguf_repos if repo not in native)) or (entry.repo,)


def facts_of(entry: CatalogueEntry, file_type: str) -> ModelFacts:
    """The model's figures at a quantisation type, estimated. Raises UserError (bad_input) for an unknown type."""
    kind = _known_type(file_type)
    shape = shape_of(entry.architecture)
    full = attention_layers(shape, entry.layers)
    embedding, lookup, output, layer_bytes = _weights(entry, kind)
    weight_bytes = embedding + lookup + output + layer_bytes
    small = shape.small_below > entry.parameters
    window = (shape.small_window if small else shape.window) or 0
    full_heads = max(1, entry.kv_heads // (1 if small else shape.full_kv_divisor))
    rest_heads = 0 if shape.recurrent else entry.kv_heads
    kv_heads = tuple(full_heads if whole else rest_heads for whole in full)
    dims = tuple((shape.full_head_dim or entry.head_dim) if whole else entry.head_dim for whole in full)
    if shape.latent:
        kv_heads, dims = (1,) * entry.layers, (shape.latent,) * entry.layers
    return ModelFacts(
        name=entry.name,
        architecture=entry.architecture,
        file_type=kind.name,
        parameters=entry.parameters,
        weight_bytes=weight_bytes,
        layers=entry.layers,
        embedding_length=entry.hidden,
        vocabulary=entry.vocabulary,
        context_max=entry.context,
        attention_heads=max(entry.kv_heads, entry.hidden // entry.head_dim),
        kv_heads=kv_heads,
        head_dims_k=dims,
        head_dims_v=(0,) * entry.layers if shape.latent else dims,
        windows=tuple(0 if whole or shape.recurrent else window for whole in full),
        active_parameters=entry.active_parameters,
        file_bytes=weight_bytes + 40 * entry.vocabulary,
        input_embedding_bytes=embedding,
        output_bytes=output,
        lookup_bytes=lookup,
        feed_forward_length=3 * entry.hidden,
        recurrent_state_bytes=shape.state_bytes * sum(not whole for whole in full) if shape.recurrent else 0,
        latent_kv_length=shape.latent,
        shared_kv_layers=dict(shape.shared).get(entry.layers, 0),
        tensor_bytes_by_type={kind.name: weight_bytes},
        has_chat_template=True,
        licence=entry.licence,
        exact=False,
        repos=(*entry.native_repos, *entry.gguf_repos),
    )


def projector_bytes(entry: CatalogueEntry) -> int:
    """The size of the file with which the model sees pictures, in half precision, estimated; 0 where it sees none."""
    if "vision" not in entry.capabilities:
        return 0
    own = shape_of(entry.architecture).projector_parameters
    return 2 * (own or min(_USUAL_PROJECTOR, entry.parameters // 7))


def of_size(facts: ModelFacts, file_bytes: int) -> ModelFacts:
    """Estimated figures for a file whose size in bytes is known: every part of the weights in proportion."""
    share = file_bytes / max(1, facts.file_bytes)
    return replace(
        facts,
        file_bytes=file_bytes,
        weight_bytes=round(share * facts.weight_bytes),
        input_embedding_bytes=round(share * facts.input_embedding_bytes),
        output_bytes=round(share * facts.output_bytes),
        lookup_bytes=round(share * facts.lookup_bytes),
        tensor_bytes_by_type={kind: round(share * size) for kind, size in facts.tensor_bytes_by_type.items()},
    )


def _weights(entry: CatalogueEntry, kind: FileType) -> tuple[int, int, int, int]:
    """Estimated bytes of the input embedding, look-up tables, the output head (0 where tied) and everything else."""
    shape = shape_of(entry.architecture)
    parameters = max(1, entry.parameters - min(shape.projector_parameters, entry.parameters // 2))
    matrix = min(entry.hidden * entry.vocabulary, parameters // 2)
    bits, edge_bits = kind.bits, kind.embedding_bits
    if shape.native_bits:
        bits = min(bits, shape.native_bits) if kind.bits < 16 else shape.native_bits
    elif entry.hidden % 256 and "_K" in kind.name:
        bits, edge_bits = _FALLBACK * bits, _FALLBACK * edge_bits
    heads = 1 if entry.tied_embeddings else 2
    rest = max(0, parameters - heads * matrix)
    table = shape.lookup_per_layer * entry.layers * entry.vocabulary if entry.parameters < shape.small_below else 0
    table = min(table, rest // 2)
    embedding = matrix * (edge_bits if entry.tied_embeddings else kind.bits) / 8
    output = 0.0 if entry.tied_embeddings else matrix * max(kind.bits, min(6.5625, 2 * kind.bits)) / 8
    return round(embedding), round(table * edge_bits / 8), round(output), round((rest - table) * bits / 8)


def _known_type(file_type: str) -> FileType:
    kind = file_type_named(file_type)
    if kind is None:
        raise UserError(
            f"Snug does not know the type {file_type[:40]!r}.",
            f"Choose one of {', '.join(item.name for item in FILE_TYPES[1:])}.",
            kind="unknown-type",
            bad_input=True,
        )
    return kind


def _text(row: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = row[key] if default is None else row.get(key, default)
    if not isinstance(value, str) or len(value) > 2000:
        raise ValueError(f"{key} must be a short text")
    return value


def _texts(row: Mapping[str, Any], key: str) -> tuple[str, ...]:
    values = row.get(key) or ()
    if not isinstance(values, list | tuple) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"{key} must be a list of texts")
    return tuple(values)


def _whole(
    row: Mapping[str, Any], key: str, *, default: int | None = None, minimum: int = 1, maximum: int = _GREATEST
) -> int:
    value = row[key] if default is None else row.get(key)
    if value is None and default is not None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{key} must be a whole number")
    if not minimum <= value <= maximum:
        raise ValueError(f"{key} must be between {minimum} and {maximum}")
    return value
