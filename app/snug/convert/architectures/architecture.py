"""How an architecture is declared: its names, where each hyper-parameter stands, what each tensor is called."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from snug.convert.architectures.settings import Default, Settings
from snug.convert.architectures.views import View

Value = Callable[[Settings], Any]


@dataclass(frozen=True, slots=True)
class Hyper:
    """One hyper-parameter: the GGUF key below the architecture's name, its type, and the config's keys for it (the
    first that is there counts) or a function that works it out. None means that the key is not written."""

    key: str
    kind: str
    of: tuple[str, ...] | Value


@dataclass(frozen=True, slots=True)
class Match:
    """The checkpoint's tensors that one rule takes together, in the order of its patterns, then of the experts."""

    settings: Settings
    views: Sequence[View]
    name: str
    layer: int
    suffix: str
    experts: int = 0
    """How many experts there are, 0 where the rule has none."""


Transform = Callable[[Match], Iterable[tuple[str, View]]]


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of tensors: in `patterns` and `name` "#" is the layer's number, in `patterns` "@" the expert's.

    Names end in ".weight" or ".bias" by themselves; whatever the tensor ends with is added to `name`. `transform`
    takes all tensors of a layer that match any of the patterns, and gives what is written.
    """

    patterns: tuple[str, ...]
    name: str
    transform: Transform | None = None
    count: Value | None = None
    """How many there are of what "@" numbers; the experts where it does not say."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """One line of `ARCHITECTURES`.

    `ignored` are regular expressions of tensors that are left out because llama.cpp's own converter leaves them out:
    buffers, prediction heads. `strip` are pieces cut out of the checkpoint's names. `generated` are tensors that the
    settings determine. `defaults`: see `Settings`. `prepare` may mend the settings before anything is read. `common`
    are the keys of `hyper_parameters.COMMON` that are written, None for all of them and those of the rope.
    `variant` is the name where that depends on the settings. `skips_later_layers`: layers beyond the count only guess
    several tokens ahead; they are left out as by the converter (with its --no-mtp where it can keep them).
    """

    name: str
    classes: tuple[str, ...]
    tensors: tuple[Rule, ...]
    hyper: tuple[Hyper, ...] = ()
    defaults: Mapping[str, Default] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    strip: tuple[str, ...] = ()
    generated: tuple[Callable[[Settings], Iterable[tuple[str, View]]], ...] = ()
    prepare: Callable[[Settings], None] | None = None
    common: tuple[str, ...] | None = None
    skips_later_layers: bool = False
    variant: Callable[[Settings], str] | None = None


def named(source: str, target: str, names: Mapping[str, str]) -> tuple[Rule, ...]:
    """Rules without transforms: `source` and `target` are what the names begin with."""
    return tuple(Rule((source + old,), target + new) for old, new in names.items())


def in_layers(names: Mapping[str, str | tuple[str, Transform]], prefix: str = "model.layers.#.") -> tuple[Rule, ...]:
    """Rules for the tensors of each layer: the checkpoint's name after `prefix`, the GGUF's after "blk.#."."""
    rules = []
    for old, new in names.items():
        target, transform = (new, None) if isinstance(new, str) else new
        rules.append(Rule((prefix + old,), f"blk.#.{target}", transform))
    return tuple(rules)
