"""`snug recommend`: the models to take on a computer, each with its reason."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from snug.commands.command import Command, Context
from snug.commands.fit import fit_document
from snug.commands.machine_file import add_machine_argument, chosen_machine
from snug.core.catalogue import facts_of, load_catalogue
from snug.core.recommend import USES, Pick, nothing_fits_words, recommend
from snug.core.words import size_text
from snug.paths import resources_folder


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--use", choices=tuple(USES), default="chat", help="what the model is for")
    add_machine_argument(parser)


def run(arguments: Namespace, context: Context) -> int:
    """Print up to three picks, or honestly that nothing fits."""
    machine = chosen_machine(arguments, context)
    catalogue = load_catalogue(resources_folder() / "catalogue" / "models.json")
    picks = recommend(catalogue, machine, arguments.use)
    nothing = "" if picks else nothing_fits_words(catalogue, machine)
    if context.json:
        context.print_document({"use": arguments.use, "picks": [pick_document(pick) for pick in picks], "why": nothing})
        return 0
    for pick in picks:
        context.say(f"{pick.badge}: {pick.entry.name} ({pick.file_type}, download {size_text(pick.download_bytes)})")
        context.say(f"    {pick.why}")
        context.say(f"    {pick.entry.summary} {pick.entry.licence_words}.")
        if pick.entry.gguf_repos:
            context.say(f"    snug get {pick.entry.gguf_repos[0]}:{pick.file_type}")
    if nothing:
        context.say(nothing)
    return 0


def pick_document(pick: Pick) -> dict[str, Any]:
    """One pick as `--json` prints it."""
    entry = pick.entry
    return {
        "badge": pick.badge,
        "name": entry.name,
        "repo": entry.repo,
        "gguf_repos": list(entry.gguf_repos),
        "type": pick.file_type,
        "why": pick.why,
        "summary": entry.summary,
        "licence": entry.licence,
        "download_bytes": pick.download_bytes,
        "fit": fit_document(facts_of(entry, pick.file_type), pick.fit),
    }


COMMANDS = (Command("recommend", "name the models to take on this computer, and why", add_arguments, run),)
