"""Getting models on the command line: search the Hub, get a model, see the downloads."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from snug.commands.choose_file import choose_file
from snug.commands.command import Command, Context
from snug.commands.hub_facts import hub_access
from snug.commands.machine import models_folder
from snug.commands.machine_file import add_machine_argument
from snug.commands.progress_line import ProgressLine
from snug.core.errors import UserError
from snug.core.licences import licence_words
from snug.core.other_engines import made_for_words
from snug.core.words import parameters_text, size_text
from snug.hub.names import require_wanted
from snug.store.rows import DownloadRow, LibraryModel, NewDownload, NewModel, RemoteFileRow
from snug.worker import protocol

if TYPE_CHECKING:
    from snug.store import Store

HUB_LIMIT_S = 90.0
INSPECT_LIMIT_S = 30.0
SILENCE_LIMIT_S = 1200.0
"""A download tells how far it is at least this often, also while it waits as the Hub asked it to."""


def add_search_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("words", nargs="+", metavar="WORDS", help="words of the name, OWNER/NAME, or a link")
    parser.add_argument("--task", choices=("chat", "code", "vision", "embedding"), default="", help="what it is for")
    parser.add_argument("--licence", default="", metavar="ID", help="such as apache-2.0 or mit")
    parser.add_argument(
        "--sort", choices=("downloads", "likes", "last_modified", "trending_score"), default="downloads"
    )
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="how many at most (20)")
    parser.add_argument("--all-formats", action="store_true", help="also what this engine cannot run")


def search(arguments: Namespace, context: Context) -> int:
    """Print what the Hub has."""
    request = protocol.SearchHub(
        access=hub_access(context),
        text=" ".join(arguments.words),
        task=arguments.task,
        licence=arguments.licence,
        sort=arguments.sort,
        limit=arguments.limit,
        gguf_only=not arguments.all_formats,
    )
    answer = context.child().request(request, timeout=HUB_LIMIT_S)
    assert isinstance(answer, protocol.SearchDone)
    if context.json:
        context.print_document({"models": answer.models})
        return 0
    for model in answer.models:
        context.say(model.repo)
        context.say(f"    {_about(model)}")
    if not answer.models:
        context.say("Nothing was found. Try fewer words.")
    return 0


def _about(model: protocol.HubModel) -> str:
    parts = [f"{model.downloads:,} downloads".replace(",", " ")]
    parts += [parameters_text(model.parameters)] if model.parameters else []
    parts += [licence_words(model.licence)] if model.licence else []
    parts += ["must be asked for"] if model.gated else []
    parts += [] if model.has_gguf else [made_for_words(model.file_format)]
    return ", ".join(parts)


def add_get_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("what", metavar="REPO[:FILE or QUANT]", help="OWNER/NAME, OWNER/NAME:Q4_K_M, or a link")
    add_machine_argument(parser)


def get(arguments: Namespace, context: Context) -> int:
    """Choose the file, fetch it, and put it into the library. The same command again goes on where it stopped."""
    access = hub_access(context)
    wanted = require_wanted(arguments.what, access.endpoint)
    request = protocol.ReadModelPage(access=access, repo=wanted.repo, revision=wanted.revision)
    page = context.child().request(request, timeout=HUB_LIMIT_S)
    assert isinstance(page, protocol.ModelPage)
    choice = choose_file(page, wanted.file, access, arguments, context)
    if not choice.complete:
        raise UserError(
            f"This model cannot be used: a part of it is missing on the Hub ({', '.join(choice.missing[:3])}).",
            "Choose another file or another source of this model.",
            "incomplete-set",
        )
    folder = models_folder(context)
    store = context.open_store(write=True)
    files = [*choice.files, *choice.companions]
    row = _queued(store, page, choice, files, folder)
    context.say(f"Getting {page.repo}, {choice.title}, {size_text(row.total_bytes)}.")
    model = _put_into_library(store, context, row, page, _fetch(store, context, row, access))
    if context.json:
        context.print_document({"model": model, "download": store.downloads.get(row.id)})
    else:
        context.say(f'{model.name} is in the library. Talk to it: snug chat "{model.name}"')
    return 0


def _queued(
    store: Store, page: protocol.ModelPage, choice: protocol.FileChoice, files: list[protocol.RemoteFile], folder: str
) -> DownloadRow:
    """The download's row: the one that was begun earlier, or a new one."""
    wanted = tuple(RemoteFileRow(name=file.name, size_bytes=file.size_bytes, sha256=file.sha256) for file in files)
    for row in store.downloads.all():
        if (row.repo, row.files, row.folder) == (page.repo, wanted, folder) and row.state != "done":
            return row
    name = page.repo.rsplit("/", 1)[-1].removesuffix("-GGUF")
    return store.downloads.add(
        NewDownload(
            title=f"{name} {choice.title}" if choice.file_type else name,
            repo=page.repo,
            revision=page.revision,
            files=wanted,
            folder=folder,
        )
    )


def _fetch(store: Store, context: Context, row: DownloadRow, access: protocol.HubAccess) -> protocol.DownloadDone:
    line = ProgressLine(context.err)
    arrived = row.done_bytes

    def tell(event: protocol.Event) -> None:
        nonlocal arrived
        if isinstance(event, protocol.DownloadProgress):
            arrived = event.done_bytes
            line.show(event)

    request = protocol.Download(
        access=access,
        repo=row.repo,
        revision=row.revision,
        files=[protocol.RemoteFile(name=f.name, size_bytes=f.size_bytes, sha256=f.sha256) for f in row.files],
        folder=row.folder,
        speed_limit=int(store.settings.get("downloads.speed_limit")) * 1000,
    )
    store.downloads.set_state(row.id, "running")
    try:
        answer = context.child().request(request, on_event=tell, timeout=SILENCE_LIMIT_S)
    except UserError as error:
        store.downloads.set_state(row.id, "failed", done_bytes=arrived, error=error)
        raise
    except KeyboardInterrupt:
        store.downloads.set_state(row.id, "paused", done_bytes=arrived)
        raise UserError(
            "The download is paused.", "The same command goes on where it stopped.", kind="paused"
        ) from None
    finally:
        line.close()
    assert isinstance(answer, protocol.DownloadDone)
    return answer


def _put_into_library(
    store: Store, context: Context, row: DownloadRow, page: protocol.ModelPage, done: protocol.DownloadDone
) -> LibraryModel:
    models = [file for file in done.files if "mmproj" not in Path(file.name).name.lower()]
    projector = next((file.path for file in done.files if file not in models), "")
    seen = context.child().request(protocol.InspectFile(path=models[0].path), timeout=INSPECT_LIMIT_S)
    assert isinstance(seen, protocol.FileInspected)
    model = store.models.add(
        NewModel(
            name=row.title,
            path=models[0].path,
            facts=seen.facts,
            source="hub",
            repo=row.repo,
            revision=done.revision,
            licence=page.model.licence or seen.facts.licence,
            sha256=models[0].sha256,
            is_ours=True,
            parts=tuple(file.path for file in models[1:]),
            projector_path=projector,
        )
    )
    store.downloads.finish(row.id, model.id)
    return model


def list_downloads(_arguments: Namespace, context: Context) -> int:
    """Print the queue and the history."""
    rows = context.open_store().downloads.all()
    if context.json:
        context.print_document({"downloads": rows})
        return 0
    for row in rows:
        share = f"{100 * row.done_bytes // max(1, row.total_bytes)} % of {size_text(row.total_bytes)}"
        context.say(f"{row.title}  {row.state}, {share}")
        if row.error_title:
            context.say(f"    {row.error_title} {row.error_advice}".rstrip())
    if not rows:
        context.say("There are no downloads.")
    return 0


def _no_arguments(_parser: ArgumentParser) -> None:
    """Nothing can be given."""


COMMANDS = (
    Command("search", "search the Hub for models", add_search_arguments, search),
    Command("get", "get a model from the Hub, or go on getting it", add_get_arguments, get),
    Command("downloads", "what is being downloaded and what was", _no_arguments, list_downloads),
)
