"""The machine with the library's models, so that a command says of a file that is here what is known of it."""

from __future__ import annotations

from dataclasses import replace

from snug.commands.command import Context
from snug.core.errors import UserError
from snug.core.known_files import OwnedModel, known_files
from snug.core.machine import Machine


def with_library(machine: Machine, context: Context) -> Machine:
    """This computer as the library knows it; the machine as it was where there is no library."""
    if not context.paths.database.exists():
        return machine
    from snug.commands.planned_memory import KnownHere

    try:
        store = context.open_store()
        models = store.models.all()
        arriving = store.downloads.arriving()
    except UserError as error:
        context.note(str(error))
        return machine
    owned = (
        OwnedModel(model.repo, model.facts, model.measured_tokens_per_s) for model in models if model.state == "ready"
    )
    return replace(machine, known_files=known_files(owned, KnownHere(context)), arriving=arriving)
