"""The library on the command line: list it, add a file, remove a model, find what other apps keep."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from snug.commands.command import Command, Context
from snug.commands.fit import fit_document
from snug.commands.machine import kept, read_here
from snug.commands.planned_memory import Header, KnownHere
from snug.core.errors import UserError
from snug.core.fit import Fit, FitSettings, Verdict
from snug.core.words import pages_text, size_text, verdict_text, words_per_second_text
from snug.store.rows import LibraryModel, NewModel, Removal
from snug.worker.protocol import FileInspected, FoundModel, InspectFile, ScanDone, ScanFolders

if TYPE_CHECKING:
    from snug.store import Store

INSPECT_LIMIT_S = 5.0
SCAN_LIMIT_S = 120.0
STATE_WORDS = {
    "ready": "",
    "not_connected": "drive or folder not connected",
    "missing": "file missing",
    "changed": "file changed since it was added",
    "broken": "could not be loaded",
}


def list_models(arguments: Namespace, context: Context) -> int:
    """Print the library, with how each model would run here."""
    models = context.open_store().models.all()
    fits = {} if arguments.quick or not models else fits_of(models, context)
    if context.json:
        documents = [
            {**asdict(model), "fit": fit_document(model.facts, fits[model.id]) if model.id in fits else None}
            for model in models
        ]
        context.print_document({"models": documents})
        return 0
    for model in models:
        state = STATE_WORDS[model.state]
        context.say(
            f"{model.name}  {model.file_type}, {size_text(model.size_bytes)}" + (f"  ({state})" if state else "")
        )
        if model.id in fits:
            context.say(f"    {figures_words(fits[model.id])}")
        context.say(f"    {model.path}")
    return 0


def fits_of(models: Sequence[LibraryModel], context: Context) -> dict[int, Fit]:
    """How each usable model would run here, as every screen says it: planned by the engine where it was not yet."""
    last = kept(context).last
    machine = read_here(context, measure_bandwidth=last is None or not last.memory.bandwidth)
    usable = [model for model in models if model.state == "ready" and model.facts.kind == "model"]
    return {
        model.id: KnownHere(context, Header(model.path)).fit(model.facts, FitSettings(), machine) for model in usable
    }


def figures_words(fit: Fit) -> str:
    """Verdict, speed, memory and pages in one line."""
    if fit.verdict is Verdict.TOO_BIG:
        return f"{verdict_text(fit)}: needs {size_text(fit.memory.total)}"
    return (
        f"{verdict_text(fit)}, {words_per_second_text(fit.speed)}, {size_text(fit.memory.total)} in memory, "
        f"remembers {pages_text(fit.context)}"
    )


def add_model(arguments: Namespace, context: Context) -> int:
    """Validate a file in a child, then use it in place."""
    path = os.path.abspath(arguments.path)
    seen = inspected(context, path)
    store = context.open_store(write=True)
    new = NewModel(
        name=arguments.name or seen.facts.name or Path(path).stem,
        path=seen.path,
        facts=seen.facts,
        parts=tuple(seen.parts),
        sha256=seen.sha256,
        licence=seen.facts.licence,
    )
    model = add_unless_ours(store, new)
    if context.json:
        context.print_document({"added": model})
    else:
        context.say(f"{model.name} is in the library ({size_text(model.size_bytes)}). Its file stays where it is.")
    return 0


def inspected(context: Context, path: str) -> FileInspected:
    """What a child reads in the file at `path`, within the time limit. Raises UserError."""
    if not os.path.exists(path):
        raise UserError(f"There is no file {path}.", "Check the spelling.", kind="no-such-file", bad_input=True)
    answer = context.child().request(InspectFile(path=path), timeout=INSPECT_LIMIT_S)
    if not isinstance(answer, FileInspected):
        raise UserError("Looking at the file was stopped.", kind="stopped")
    if answer.facts.kind != "model":
        raise UserError(
            f"{path} is not a model to talk to: it is a {answer.facts.kind} file.",
            "Choose the model's own GGUF file.",
            kind="not-a-model",
            bad_input=True,
        )
    return answer


def add_unless_ours(store: Store, new: NewModel) -> LibraryModel:
    """Add a file that Snug did not fetch; one that Snug fetched or ships keeps what is known of it."""
    known = store.models.by_path(new.path)
    if known is not None and (known.is_ours or known.source != "file"):
        return known
    return store.models.add(new)


def remove_model(arguments: Namespace, context: Context) -> int:
    """Say what goes and what is freed, ask, then do it."""
    store = context.open_store(write=True)
    model = model_named(store.models.all(), arguments.name)
    plan = store.models.plan_removal(model.id)
    if not arguments.yes and not _confirmed(plan, context):
        context.note("Nothing was removed.")
        return 1
    removal = store.models.remove(model.id)
    if context.json:
        context.print_document({"removed": model.name, "files": removal.files, "freed_bytes": removal.freed_bytes})
    else:
        context.say(removal.words if arguments.yes else "Done.")
    return 0


def _confirmed(plan: Removal, context: Context) -> bool:
    if context.json or not sys.stdin.isatty():
        raise UserError(plan.words, "Nothing was done yet: add --yes to do it.", kind="needs-yes", bad_input=True)
    context.say(plan.words)
    context.say("Remove it? [y/N] ", end="")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def model_named(models: Sequence[LibraryModel], name: str) -> LibraryModel:
    """The one model that `name` means: its name, file name, path or number, or a part of its name. Raises UserError."""
    wanted = name.casefold().strip()
    exact = [
        model
        for model in models
        if wanted in (model.name.casefold(), os.path.basename(model.path).casefold(), str(model.id))
        or os.path.abspath(name) == model.path
    ]
    found = exact or [model for model in models if wanted and wanted in model.name.casefold()]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UserError(
            f"No model in the library is called {name}.",
            "`snug models` lists them.",
            kind="no-such-model",
            bad_input=True,
        )
    raise UserError(
        f"{name} could mean {len(found)} models: {', '.join(f'{model.name} ({model.id})' for model in found[:5])}.",
        "Give the number in brackets instead.",
        kind="ambiguous",
        bad_input=True,
    )


def scan(arguments: Namespace, context: Context) -> int:
    """Find the models of other apps; with --add put them into the library, in place."""
    folders = [os.path.abspath(folder) for folder in arguments.folders]
    for folder in folders:
        if not os.path.isdir(folder):
            raise UserError(f"There is no folder {folder}.", "Check the spelling.", kind="no-folder", bad_input=True)
    answer = context.child().request(ScanFolders(extra=folders), timeout=SCAN_LIMIT_S)
    if not isinstance(answer, ScanDone):
        raise UserError("The search was stopped.", kind="stopped")
    added = _add_found(context.open_store(write=True), answer.found) if arguments.add and answer.found else 0
    if context.json:
        context.print_document({"found": answer.found, "skipped": answer.skipped, "added": added})
        return 0
    for model in answer.found:
        context.say(f"{model.name}  {model.facts.file_type}, {size_text(model.size_bytes)}  ({model.app})")
        context.say(f"    {model.path}")
    for path, why in answer.skipped:
        context.say(f"Not usable: {path}: {why}")
    context.say(_scan_words(len(answer.found), added, arguments.add))
    return 0


def _add_found(store: Store, found: Sequence[FoundModel]) -> int:
    count = 0
    for model in found:
        if store.models.by_path(model.path) is None:
            store.models.add(
                NewModel(
                    name=model.name,
                    path=model.path,
                    facts=model.facts,
                    source=f"app:{model.app}",
                    parts=tuple(model.parts),
                )
            )
            count += 1
    return count


def _scan_words(found: int, added: int, is_adding: bool) -> str:
    if not found:
        return "No models of other apps were found."
    if is_adding:
        return f"{added} of {found} were added; the others were in the library already."
    return "Add --add to use them in place, without copying."


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", help="a GGUF file; of a split model any part")
    parser.add_argument("--name", default="", help="its name in the library")


def _remove_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="its name, file name or number")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _scan_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("folders", metavar="FOLDER", nargs="*", help="further folders to look into")
    parser.add_argument("--add", action="store_true", help="put what is found into the library")


def _list_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--quick", action="store_true", help="do not say how each would run on this computer")


COMMANDS = (
    Command("models", "the models in the library", _list_arguments, list_models),
    Command("add", "use a model file from this computer, in place", _add_arguments, add_model),
    Command("remove", "take a model out of the library", _remove_arguments, remove_model),
    Command("scan", "find models that other apps keep", _scan_arguments, scan),
)
