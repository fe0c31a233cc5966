"""A LoRA adapter as a GGUF of its own: the small matrices under the names of the tensors that they change.

The layout is that of llama.cpp's convert_lora_to_gguf.py: `X.weight.lora_a` (rank, inputs) and `X.weight.lora_b`
(outputs, rank); what a rule does to the rows of a weight it does to those of B.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from snug.convert.architectures import views
from snug.convert.architectures.architecture import Architecture
from snug.convert.architectures.model_names import name_parts, title
from snug.convert.architectures.placing import Group, outputs, place
from snug.convert.architectures.settings import Settings
from snug.convert.architectures.views import View
from snug.convert.plan import Meta, ModelPlan, OutputTensor
from snug.core.errors import UserError
from snug.formats.checkpoints.errors import not_supported
from snug.formats.checkpoints.lora import LoraAdapter, LoraPair
from snug.formats.checkpoints.number_types import Floats, to_float32

ADVICE = "Merge the adapter into the model instead: that works for every adapter."


def plan_adapter(
    architecture: Architecture, adapter: LoraAdapter, config: Mapping[str, Any], folder_name: str
) -> ModelPlan:
    """The adapter's tensors and metadata; `config` is the config.json of the model that it belongs to.

    Raises UserError for adapters whose change cannot be kept apart from the model: those that replace whole tensors or
    change weights whose columns the converter rearranges.
    """
    settings = Settings(config, architecture.defaults)
    if architecture.prepare is not None:
        architecture.prepare(settings)
    replaced = [name for name in adapter.whole_tensors if not name.endswith(("norm.weight", "layernorm.bias"))]
    if replaced:
        raise _refused("it replaces whole tensors of the model", ", ".join(sorted(replaced)[:5]))
    alpha = _common_alpha(adapter)
    halves = {f"{module}.weight": pair for module, pair in adapter.pairs.items()}
    stored = [(name, _b_view(adapter, pair, name, alpha)) for name, pair in halves.items()]
    stored += [(name, _whole(adapter, name)) for name in adapter.whole_tensors]
    placed = place(architecture, settings, stored)
    if placed.unknown or not placed.groups:
        raise _refused("it is for another kind of model", ", ".join(sorted(placed.unknown)[:5]))
    tensors = tuple(
        OutputTensor(name, view.shape, view.read_rows, view.sources, "F32", view.stored_type)
        for group in placed.groups.values()
        for name, view in _of_group(adapter, group, settings, halves)
    )
    return ModelPlan(architecture.name, _metadata(architecture, adapter, folder_name, alpha), tensors)


def _of_group(
    adapter: LoraAdapter, group: Group, settings: Settings, halves: Mapping[str, LoraPair]
) -> Iterable[tuple[str, View]]:
    """The outputs of one rule: of each changed weight its A and its B."""
    first = next(iter(group.members.values()))
    pair = halves.get(first.sources[0])
    if pair is None:  # a norm, kept whole
        yield from outputs(group, settings)
        return
    if pair.is_embedding:
        name = group.rule.name + group.suffix
        yield f"{name}.lora_a", views.transposed(_stored(adapter, pair.a_name, pair.a_name))
        yield f"{name}.lora_b", first
        return
    try:
        made = list(outputs(group, settings))
    except UserError as error:
        raise _refused(
            "it changes weights that have to be rearranged", f"{first.sources[0]}: {error.details}"
        ) from error
    for name, b_view in made:
        if b_view.columns != pair.rank or len(b_view.shape) != (3 if len(b_view.sources) > 1 else 2):
            raise _refused("it changes weights that have to be rearranged", first.sources[0])
        a_views = [_a_view(adapter, halves[source]) for source in b_view.sources]
        yield f"{name}.lora_a", views.stacked(a_views) if len(a_views) > 1 else a_views[0]
        yield f"{name}.lora_b", b_view


def _a_view(adapter: LoraAdapter, pair: LoraPair) -> View:
    return _stored(adapter, pair.a_name, pair.a_name)


def _b_view(adapter: LoraAdapter, pair: LoraPair, source: str, alpha: float) -> View:
    """B under the name of the weight that it changes, scaled so that `alpha` is right for all pairs."""
    view = _stored(adapter, pair.b_name, source)
    factor = np.float32(pair.scale * pair.rank / alpha)
    return view if factor == 1 else views.mapped(view, lambda rows: rows * factor)


def _whole(adapter: LoraAdapter, name: str) -> View:
    return _stored(adapter, adapter.whole_tensors[name], name)


def _stored(adapter: LoraAdapter, stored_name: str, source: str) -> View:
    info = adapter.files.info(stored_name)
    columns = info.shape[-1] if info.shape else 1

    def read_rows(first: int, last: int) -> Floats:
        span = adapter.files.stored_span(stored_name, first * columns, last * columns)
        return to_float32(span, info.kind).reshape(last - first, columns)

    return View(info.shape, read_rows, (source,), info.kind.name)


def _common_alpha(adapter: LoraAdapter) -> float:
    """The alpha of most pairs: the engine divides it by each pair's rank."""
    alphas = [pair.scale * pair.rank for pair in adapter.pairs.values()]
    common = max(sorted(set(alphas)), key=alphas.count)
    if common == 0:
        raise _refused("its strength is zero", "lora_alpha")
    return common


def _metadata(architecture: Architecture, adapter: LoraAdapter, folder_name: str, alpha: float) -> tuple[Meta, ...]:
    metas = [
        Meta("general.architecture", "str", architecture.name),
        Meta("general.type", "str", "adapter"),
        Meta("adapter.type", "str", "lora"),
        Meta("general.name", "str", title(folder_name)),
        Meta("adapter.lora.alpha", "f32", alpha),
    ]
    base = adapter.base_model
    if isinstance(base, str) and base.count("/") == 1 and not base.startswith((".", "/")):
        parts = name_parts(base, 0)
        metas += [
            Meta("general.base_model.count", "u32", 1),
            Meta("general.base_model.0.name", "str", title(parts.name)),
            Meta("general.base_model.0.organization", "str", title(parts.organization or "")),
            Meta("general.base_model.0.repo_url", "str", f"https://huggingface.co/{base}"),
        ]
    return tuple(metas)


def _refused(why: str, details: str) -> UserError:
    return not_supported(f"This adapter cannot be kept apart from its model: {why}", ADVICE, details[:300])
