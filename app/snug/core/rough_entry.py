"""A catalogue entry guessed from a parameter count, for search results that say nothing more of themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable

from snug.core.catalogue import CatalogueEntry
from snug.core.licences import licence_words

_QAT = re.compile(r"(?<![a-z0-9])(qat|quantization-aware)(?![a-z0-9])", re.IGNORECASE)
_HEAD_DIM = 128
_USUAL_VOCABULARY = 128_000


def native_type_of(repo: str, tags: Iterable[str], architecture: str) -> str:
    """The type that a repository's model was trained for: Q4_0 where its name or a tag says QAT; "" where nothing does.

    gpt-oss and what was made from it is published in MXFP4 (its architecture says so, whatever its name).
    """
    if architecture.lower().replace("-", "_") == "gpt_oss":
        return "MXFP4"
    words = [repo.rpartition("/")[2], *tags]
    return "Q4_0" if any(_QAT.search(word) for word in words) else ""


def rough_entry(
    repo: str,
    name: str,
    parameters: int,
    architecture: str = "",
    context: int = 0,
    licence: str = "",
    native_type: str = "",
) -> CatalogueEntry:
    """The entry of a Llama-shaped model with `parameters` weights; raises ValueError below one million.

    A transformer has about 12 x layers x hidden² weights, and hidden is about 128 x layers (Kaplan et al. 2020,
    "Scaling laws for neural language models", section 2.1); grouped-query attention with 8 heads is the usual today.
    """
    if parameters < 1_000_000:
        raise ValueError("too few parameters for a language model")
    hidden = (parameters * _HEAD_DIM / 12) ** (1 / 3)
    step = 64 if hidden < 1024 else 256  # K-types need rows in multiples of 256: the rule but in the smallest models
    hidden = max(256, round(hidden / step) * step)
    return CatalogueEntry(
        key=repo.lower(),
        repo=repo,
        name=name,
        maker=repo.partition("/")[0],
        parameters=parameters,
        active_parameters=None,
        architecture=architecture or "llama",
        layers=max(4, round(hidden / _HEAD_DIM)),
        kv_heads=8 if hidden >= 1024 else 2,
        head_dim=_HEAD_DIM if hidden >= 1024 else 64,
        hidden=hidden,
        vocabulary=min(_USUAL_VOCABULARY, parameters // (4 * hidden)),
        context=context or 8192,
        good_for=("chat",),
        summary="",
        licence=licence,
        licence_words=licence_words(licence),
        capabilities=(),
        gguf_repos=(repo,),
        released="",
        native_type=native_type,
    )
