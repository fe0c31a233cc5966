"""Which file of a model's page to get: the one that was named, else the best that fits the computer well."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace

from snug.commands.command import Context
from snug.commands.hub_facts import pick_choice
from snug.commands.machine_file import chosen_machine
from snug.commands.measured_quality import known_divergences
from snug.core.catalogue import CatalogueEntry, load_catalogue
from snug.core.errors import UserError
from snug.core.fit import FitSettings, Verdict
from snug.core.memory_fit import fit
from snug.core.recommend import best_type
from snug.paths import resources_folder
from snug.worker import protocol

USUAL_TYPES = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q4_0", "Q3_K_M")
MOST_LOOKED_AT = 6
LOOK_LIMIT_S = 90.0


def choose_file(
    page: protocol.ModelPage, named: str, access: protocol.HubAccess, arguments: Namespace, context: Context
) -> protocol.FileChoice:
    """The choice to get. Raises UserError where the page has none, or where none fits this computer."""
    if named:
        broken = [c for c in page.choices if not c.complete and c.file_type.casefold() == named.casefold()]
        return broken[0] if broken else pick_choice(page, named, "")
    whole = [choice for choice in page.choices if choice.complete]
    if not whole:
        return pick_choice(page, "", "")  # says what there is
    if len(whole) == 1:
        return whole[0]
    machine = chosen_machine(arguments, context)
    entry = _catalogue_entry(page.repo)
    if entry is not None and page.repo not in entry.native_repos:
        entry = replace(entry, native_type="")  # a file of that type is not the makers' own here
    best = best_type(entry, machine, known_divergences(context)) if entry else None
    if best:
        matching = [choice for choice in whole if choice.file_type == best[0]]
        if matching:
            return matching[0]
    tight: list[protocol.FileChoice] = []
    for choice in _by_preference(whole)[:MOST_LOOKED_AT]:
        look = protocol.InspectRemote(access=access, repo=page.repo, revision=page.revision, files=list(choice.files))
        seen = context.child().request(look, timeout=LOOK_LIMIT_S)
        assert isinstance(seen, protocol.RemoteInspected)
        verdict = fit(seen.facts, FitSettings(), machine).verdict
        if verdict is Verdict.FITS_WELL:
            return choice
        if verdict is Verdict.TIGHT:
            tight.append(choice)
    if tight:
        return tight[-1]
    raise UserError(
        f"No file of {page.repo} fits this computer.",
        "Choose a smaller model: `snug recommend` lists some. To get a file all the same, name it after a colon.",
        kind="too-big",
    )


def _by_preference(choices: list[protocol.FileChoice]) -> list[protocol.FileChoice]:
    """The usual types from the finest on, then the rest, the smallest first."""
    order = {name: index for index, name in enumerate(USUAL_TYPES)}
    return sorted(choices, key=lambda choice: (order.get(choice.file_type, len(order)), choice.size_bytes))


def _catalogue_entry(repo: str) -> CatalogueEntry | None:
    catalogue = load_catalogue(resources_folder() / "catalogue" / "models.json")
    name = repo.casefold()
    return next(
        (entry for entry in catalogue if name in map(str.casefold, (*entry.gguf_repos, *entry.native_repos))),
        None,
    )
