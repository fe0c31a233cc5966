"""Keeping what a command measured of a model's quality, so that recommendations count with it."""

from __future__ import annotations

from collections.abc import Mapping

from snug.commands.command import Context
from snug.core.catalogue import load_catalogue
from snug.core.models_here import known_as
from snug.core.quantisation import file_type_named
from snug.paths import resources_folder


def known_divergences(context: Context) -> Mapping[tuple[str, str], float]:
    """Every divergence that was measured here, by catalogue key or repository and type."""
    from snug.store.divergences import Divergences

    return Divergences(context.paths.home).known()


def keep_divergence(context: Context, repo: str, path: str, file_type: str, nats: float) -> bool:
    """Keep a divergence from the original for the model of `repo` (where "", of that file's name); whether it was."""
    from snug.store.divergences import Divergences

    model = known_as(load_catalogue(resources_folder() / "catalogue" / "models.json"), repo, path)
    if not model or nats < 0 or file_type_named(file_type) is None:
        return False
    Divergences(context.paths.home).record(model, file_type, nats)
    return True


def repo_of(context: Context, path: str) -> str:
    """The repository that the library knows for a file; "" for one that it does not have."""
    if not context.paths.database.exists():
        return ""
    return next((model.repo for model in context.open_store().models.all() if model.path == path), "")
