"""`snug recommend`: the models to take on a computer, each with its reason."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import Any

from snug.commands.command import Command, Context
from snug.commands.fit import fit_document
from snug.commands.machine_file import add_machine_argument, chosen_machine, known_machines
from snug.commands.measured_quality import known_divergences
from snug.commands.planned_memory import is_this_computer
from snug.core.catalogue import CatalogueEntry, facts_of, load_catalogue
from snug.core.evidence import Figure
from snug.core.models_here import models_here
from snug.core.recommend import USES, Pick, nothing_fits_words, recommend
from snug.core.what_changes import changes
from snug.core.words import size_text
from snug.paths import resources_folder


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--use", choices=tuple(USES), default="chat", help="what the model is for")
    parser.add_argument("--machines", action="store_true", help="list the computers and graphics cards that Snug knows")
    add_machine_argument(parser)


def run(arguments: Namespace, context: Context) -> int:
    """Print up to three picks, or honestly that nothing fits."""
    if arguments.machines:
        return _list_machines(context)
    machine = chosen_machine(arguments, context)
    catalogue = load_catalogue(resources_folder() / "catalogue" / "models.json")
    here = models_of_library(catalogue, context) if is_this_computer(arguments) else []
    measured = known_divergences(context)
    picks = recommend(catalogue, machine, arguments.use, here=here, measured=measured)
    nothing = "" if picks else nothing_fits_words(catalogue, machine, arguments.use)
    changed = changes(catalogue, machine, arguments.use, picks, here=here, measured=measured)
    if context.json:
        documents = [pick_document(pick, change) for pick, change in zip(picks, changed, strict=True)]
        context.print_document({"use": arguments.use, "picks": documents, "why": nothing})
        return 0
    for pick, change in zip(picks, changed, strict=True):
        for line in words_of(pick, change):
            context.say(line)
    if nothing:
        context.say(nothing)
    return 0


def words_of(pick: Pick, change: str) -> list[str]:
    """One pick for people: what, why, what would change it, and the command that gets it."""
    size = "already here" if pick.is_here else f"download {size_text(pick.download_bytes)}"
    size += f" and {size_text(pick.projector_bytes)} to see pictures" if pick.projector_bytes else ""
    lines = [f"{pick.badge}: {pick.entry.name} ({pick.file_type}, {size})", f"    {pick.why}"]
    lines += [f"    {change}"] if change else []
    lines.append(f"    {pick.entry.summary} {pick.entry.licence_words}.")
    if pick.entry.gguf_repos and not pick.is_here:
        lines.append(f"    snug get {pick.entry.gguf_repos[0]}:{pick.file_type}")
    return lines


def pick_document(pick: Pick, change: str) -> dict[str, Any]:
    """One pick as `--json` prints it; `change` is what would put another model in its place."""
    entry = pick.entry
    return {
        "badge": pick.badge,
        "name": entry.name,
        "repo": entry.repo,
        "gguf_repos": list(entry.gguf_repos),
        "type": pick.file_type,
        "why": pick.why,
        "change": change,
        "is_here": pick.is_here,
        "summary": entry.summary,
        "licence": entry.licence,
        "download_bytes": pick.download_bytes,
        "projector_bytes": pick.projector_bytes,
        "evidence": [figure_document(figure) for figure in entry.figures],
        "fit": fit_document(facts_of(entry, pick.file_type), pick.fit),
    }


def figure_document(figure: Figure) -> dict[str, Any]:
    """One public figure with who says so and when."""
    measure, source = figure.measure, figure.source
    return {
        "measure": measure.name,
        "score": figure.score,
        "unit": measure.unit,
        "mode": figure.mode,
        "uses": list(measure.uses),
        "ranks": bool(measure.weight),
        "source": source.name,
        "url": source.url,
        "date": source.date,
    }


def models_of_library(catalogue: Sequence[CatalogueEntry], context: Context) -> list[tuple[str, str]]:
    """What the library has of the catalogue, as (key, type)."""
    if not context.paths.database.exists():
        return []
    models = context.open_store().models.all()
    rows = [(model.id, model.repo, model.path, model.file_type) for model in models if model.state == "ready"]
    return [(item.key, item.file_type) for item in models_here(catalogue, rows)]


def _list_machines(context: Context) -> int:
    known = known_machines()
    if context.json:
        rows = [{"name": item.name, "kind": item.kind, "source": item.source} for item in known]
        context.print_document({"machines": rows})
        return 0
    for item in known:
        context.say(f"{item.name} ({item.source})")
    return 0


COMMANDS = (Command("recommend", "name the models to take on this computer, and why", add_arguments, run),)
