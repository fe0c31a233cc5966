"""`snug convert`: make a model's file from its original weights, smaller, in one pass."""

from __future__ import annotations

import os
import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import Any

from snug.commands.command import Command, Context
from snug.commands.conversion_line import ConversionLine
from snug.commands.fit import speed_document
from snug.commands.hub_facts import hub_access
from snug.commands.machine import models_folder, read_here
from snug.commands.measured_quality import keep_divergence
from snug.core.errors import UserError
from snug.core.fit import Fit, FitSettings
from snug.core.learning_time import USUAL_METHODS, learning_seconds
from snug.core.machine import Machine
from snug.core.made_to_measure import largest_that_fits
from snug.core.memory_fit import fit
from snug.core.words import duration_text, size_text, verdict_text, words_per_second_text
from snug.hub.names import read_wanted
from snug.store.own_texts import CHATS, write_conversations
from snug.store.rows import MADE_HERE, LibraryModel, NewModel
from snug.worker.client import WorkerClient
from snug.worker.conversion_messages import (
    ConversionChoice,
    ConversionDone,
    ConversionPreviewed,
    ConversionSource,
    Convert,
    DiscardConversion,
    PreviewConversion,
)
from snug.worker.protocol import Cancelled, Event

PREVIEW_LIMIT_S = 180.0
SILENCE_LIMIT_S = 1800.0
USUAL_TYPE = "Q4_K_M"
MOST_THREADS = 1024
_PAGES = re.compile(r"([1-9]\d{0,5})\s*pages?", re.IGNORECASE)
_SIZE = re.compile(r"(?P<number>\d+(?:[.,]\d+)?)\s*(?P<unit>[KMGT]?)(?P<binary>I?)B?", re.IGNORECASE)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="a folder, a GGUF, OWNER/NAME, a link, or a library model")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--to", metavar="TYPE", default="", help=f"the type to make, such as {USUAL_TYPE}")
    size.add_argument(
        "--budget", metavar="SIZE", type=budget, default=0,
        help="at most so large, such as 4.2GB, or “40 pages”: what fits this computer with so long a conversation",
    )  # fmt: skip
    parser.add_argument(
        "--calibrate", metavar="TEXT", default="", help="a text file to weigh rounding by, “neutral” or “chats”"
    )
    parser.add_argument("--imatrix", metavar="FILE", default="", help="round with llama.cpp's importance matrix")
    parser.add_argument("--methods", metavar="LIST", default="", help="further methods to try with --calibrate")
    parser.add_argument("--out", metavar="FILE", default="", help="the file to write (in the folder for models)")
    parser.add_argument("--adapter", metavar="FOLDER", default="", help="a LoRA adapter to merge into the model")
    parser.add_argument("--base", metavar="FOLDER", default="", help="where SOURCE is an adapter: its model's folder")
    parser.add_argument("--threads", metavar="N", type=thread_count, default=0, help="processor threads (all cores)")
    parser.add_argument("--preview", action="store_true", help="only say what each type would give")
    parser.add_argument("--no-check", action="store_true", help="leave out the checks of the result")


def budget(text: str) -> int:
    """Bytes; for a number of pages, minus that number: the size follows from the computer."""
    pages = _PAGES.fullmatch(text.strip())
    return -int(pages[1]) if pages else size_bytes(text)


def thread_count(text: str) -> int:
    """The whole number in `text`, between 1 and what the kernels take."""
    if not text.isdecimal() or not 1 <= int(text) <= MOST_THREADS:
        raise ArgumentTypeError(f"{text!r} must be a whole number between 1 and {MOST_THREADS}")
    return int(text)


def size_bytes(text: str) -> int:
    """The bytes that "4.2GB", "900 MB" or "4GiB" mean."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ArgumentTypeError(f"{text!r} is no size; write it like 4.2GB")
    step = 1024 if match["binary"] else 1000
    if not float(match["number"].replace(",", ".")):
        raise ArgumentTypeError(f"{text!r} leaves no room for a model; write a size like 4.2GB")
    return int(float(match["number"].replace(",", ".")) * step ** " KMGT".index(match["unit"].upper() or " "))


def run(arguments: Namespace, context: Context) -> int:
    """Say what it is, make the file, put it into the library."""
    if arguments.methods and not arguments.calibrate:
        title = "--methods are methods that learn from text."
        raise UserError(title, "Give text as well: --calibrate FILE.", kind="bad-methods", bad_input=True)
    source = find_source(arguments, context)
    folder = str(Path(arguments.out).absolute().parent) if arguments.out else models_folder(context)
    preview = context.child().request(PreviewConversion(source=source, folder=folder), timeout=PREVIEW_LIMIT_S)
    assert isinstance(preview, ConversionPreviewed)
    machine = read_here(context)
    if arguments.preview or not (arguments.to or arguments.budget):
        return show(preview, machine, context)
    if arguments.budget < 0:
        arguments.budget = fitting_size(preview, -arguments.budget, machine, context)
    out = Path(arguments.out).absolute() if arguments.out else Path(folder) / result_name(preview, arguments)
    request = Convert(
        source=source,
        out=str(out),
        type_name=arguments.to,
        budget_bytes=arguments.budget,
        calibration=_calibration(arguments.calibrate, context),
        importance=str(_file(arguments.imatrix)) if arguments.imatrix else "",
        methods=[name for name in arguments.methods.split(",") if name],
        threads=arguments.threads,
        check=not arguments.no_check,
    )
    for line in before(preview, request, machine):
        context.note(line)
    try:
        done = follow(context.child(), request, context)
    finally:
        if arguments.calibrate == CHATS:
            Path(request.calibration).unlink(missing_ok=True)
    model = keep(done, source, context) if done.facts.kind != "adapter" else None
    if context.json:
        context.print_document({"result": done, "model": model, "preview": _chosen(preview, done.type_name)})
        return 0
    for line in words_of(done, [*preview.warnings, *preview.notes, *preview.details]):
        context.say(line)
    if model is not None:
        context.say(f'It is in the library. Talk to it: snug chat "{model.name}"')
    return 0


def fitting_size(preview: ConversionPreviewed, pages: int, machine: Machine, context: Context) -> int:
    """Bytes of the largest file that fits this computer with a conversation of so many pages. Raises UserError."""
    size = largest_that_fits([choice.facts for choice in preview.choices], machine, pages)
    if not size:
        raise UserError(
            f"Not even the smallest file fits this computer with {pages} pages of conversation.",
            "Ask for fewer pages, close other programs, or choose a smaller model.",
            kind="too-big",
        )
    context.note(f"With {pages} pages of conversation, a file of {size_text(size)} fits this computer.")
    return size


def find_source(arguments: Namespace, context: Context) -> ConversionSource:
    """What the person means: a path, a repository, or a model of the library. Raises UserError."""
    what = arguments.source
    adapter = str(Path(arguments.adapter).absolute()) if arguments.adapter else ""
    base = str(Path(arguments.base).absolute()) if arguments.base else ""
    path = Path(what).expanduser()
    if path.exists():
        return ConversionSource(path=str(path.absolute()), adapter=adapter, base=base)
    access = hub_access(context)
    wanted = read_wanted(what, access.endpoint)
    if wanted is not None and not what.startswith((".", "/", "~")):
        return ConversionSource(repo=wanted.repo, revision=wanted.revision, access=access, adapter=adapter, base=base)
    from snug.commands.find_model import find_model

    return ConversionSource(path=find_model(what, context).path, adapter=adapter)


def result_name(preview: ConversionPreviewed, arguments: Namespace) -> str:
    """A file name from the model's title and the type."""
    title = re.sub(r"[^\w.+-]+", "-", preview.title.rsplit("/", 1)[-1]).strip("-.") or "model"
    title = re.sub(r"-(F32|F16|BF16|I?Q\d\w*)$", "", title, flags=re.IGNORECASE)
    ending = arguments.to.upper().replace("-", "_") if arguments.to else f"{arguments.budget / 1e9:.2f}GB"
    return f"{title}-{ending}.gguf"


def _calibration(text: str, context: Context) -> str:
    if text in ("", "neutral"):
        return text
    if text == CHATS:
        return str(write_conversations(context.open_store(write=False), context.paths.cache))
    return str(_file(text))


def _file(name: str) -> Path:
    path = Path(name).expanduser()
    if not path.is_file():
        raise UserError(f"There is no file {name}.", "Check the path.", "no-file", bad_input=True)
    return path.absolute()


def show(preview: ConversionPreviewed, machine: Machine, context: Context) -> int:
    """The choices as a table, each with what it would be like here."""
    answers = [fit(choice.facts, FitSettings(), machine) for choice in preview.choices]
    if context.json:
        here = {choice.type_name: _here(answer) for choice, answer in zip(preview.choices, answers, strict=True)}
        context.print_document({"preview": preview, "here": here})
        return 0
    context.say(preview.sentence)
    for line in (*preview.warnings, *preview.notes, *preview.details, *_disk_words(preview)):
        context.say(line)
    context.say(f"{'':10} {'on the':>8} {'memory':>8} {'time to':>11}  {'it writes':20}  {'words that':12}")
    context.say(f"{'type':10} {'disk':>8} {'to run':>8} {'make it':>11}  {'about':20}  {'change':12}  here")
    for choice, answer in zip(preview.choices, answers, strict=True):
        cells = (
            f"{choice.type_name:10} {size_text(choice.size_bytes):>8} {size_text(answer.memory.total):>8} "
            f"{_brief(duration_text(choice.seconds)):>11}  {_brief(words_per_second_text(answer.speed)):20}  "
            f"{_brief(_changed(choice)):12}  {verdict_text(answer)}"
        )
        context.say(cells + (" (needs --calibrate)" if choice.needs_calibration else ""))
    context.say("All but the sizes on the disk are estimates. Make one with --to TYPE.")
    return 0


def _brief(words: str) -> str:
    return words.removeprefix("about ")


def _here(answer: Fit) -> dict[str, Any]:
    """What one type would be like on this computer: bytes of memory, tokens a second."""
    return {
        "verdict": answer.verdict.value,
        "memory_bytes": answer.memory.total,
        "context": answer.context,
        "speed": speed_document(answer.speed),
    }


def _changed(choice: ConversionChoice) -> str:
    return "not known" if choice.words_changed < 0 else f"about {choice.words_changed:.0f} of 1,000"


def _disk_words(preview: ConversionPreviewed) -> list[str]:
    """How much comes from the Hub, what lies on the disk meanwhile, and how much is free there."""
    lines = []
    if preview.fetch_bytes:
        lines.append(
            f"{size_text(preview.fetch_bytes)} are fetched for it, "
            f"at most {size_text(preview.working_bytes)} of them kept at a time."
        )
    return [*lines, f"{size_text(preview.free_bytes)} are free on the disk."]


def _chosen(preview: ConversionPreviewed, type_name: str) -> ConversionChoice | None:
    return next((choice for choice in preview.choices if choice.type_name == type_name), None)


def before(preview: ConversionPreviewed, request: Convert, machine: Machine) -> list[str]:
    """What is about to happen, in words."""
    lines = [preview.sentence, *preview.warnings, *preview.notes, *preview.details]
    choice = _chosen(preview, request.type_name.upper())
    if choice is not None:
        answer = fit(choice.facts, FitSettings(), machine)
        lines.append(
            f"{choice.type_name} takes {size_text(choice.size_bytes)} on the disk, {size_text(answer.memory.total)} of "
            f"memory to run, and {duration_text(choice.seconds)} to make."
        )
        lines.append(f"Here: {verdict_text(answer)}, {words_per_second_text(answer.speed)}; "
                     f"words that change: {_changed(choice)}.")  # fmt: skip
    lines += _disk_words(preview)
    if request.calibration or request.budget_bytes:
        lines.append(
            f"While the text is read, the original in 16 bits ({size_text(2 * preview.parameters)}) lies beside the "
            "result, unless the source is one; it is removed when the file is made."
        )
        layers = max((choice.facts.layers for choice in preview.choices), default=0)
        methods = request.methods or (*USUAL_METHODS, *(("mix",) if request.budget_bytes else ()))
        seconds = learning_seconds(preview.parameters, layers, machine.cpu.cores, methods)
        lines.append(f"Learning from the text and rounding by it takes {duration_text(seconds)} more.")
    if preview.resumable:
        lines.append(f"An interrupted conversion to {preview.resumable} is {100 * preview.resumable_done:.0f} % done.")
    return lines


def follow(child: WorkerClient, request: Convert, context: Context) -> ConversionDone:
    """Ask for it and show how far it is. Ctrl-C stops it; the same command goes on."""
    line = ConversionLine(context.err)

    def tell(event: Event) -> None:
        line.show(event)

    try:
        answer = child.request(request, on_event=tell, timeout=SILENCE_LIMIT_S)
    except KeyboardInterrupt:
        child.kill()  # safe at any instant: the journal knows what is on the disk
        if Path(request.out).exists():
            context.child().request(DiscardConversion(out=request.out), timeout=PREVIEW_LIMIT_S)
            raise _unchecked(request.out) from None
        raise _stopped() from None
    finally:
        line.close()
    if isinstance(answer, Cancelled):
        raise _stopped()
    assert isinstance(answer, ConversionDone)
    return answer


def _stopped() -> UserError:
    return UserError("The conversion is stopped.", "The same command goes on where it stopped.", kind="paused")


def _unchecked(path: str) -> UserError:
    return UserError(
        f"{Path(path).name} is made; only the checks of it were stopped.",
        f'Take it into the library: snug add "{path}"',
        kind="unchecked",
    )


def keep(done: ConversionDone, source: ConversionSource, context: Context) -> LibraryModel | None:
    """The library's row of the new file, with its measured loss; None where the window has the library open."""
    try:
        model = add_to_library(done, source, context)
        keep_divergence(context, source.repo, done.path, done.type_name, done.divergence)
    except UserError as error:
        if error.kind != "already-open":
            raise
        context.note("It is not in the library yet, because Snug's window is open: add it there.")
        return None
    return model


def add_to_library(done: ConversionDone, source: ConversionSource, context: Context) -> LibraryModel:
    """The library's row of the new file, with what was measured of it."""
    store = context.open_store(write=True)
    model = store.models.add(
        NewModel(
            name=Path(done.path).stem,
            path=done.path,
            facts=done.facts,
            source=MADE_HERE,
            repo=source.repo,
            licence=done.facts.licence,
            sha256=done.sha256,
            is_ours=os.path.dirname(done.path) == models_folder(context),
        )
    )
    if done.words_changed >= 0:
        store.file_quality.record(done.sha256, 1000 - round(done.words_changed))
    if done.tokens_per_s:
        store.models.record_speed(model.id, done.tokens_per_s)
    return model


def words_of(done: ConversionDone, said: list[str]) -> list[str]:
    """The result in words, measured figures first, without what was `said` before the start."""
    lines = [
        f"{Path(done.path).name}: {size_text(done.size_bytes)}, made in {duration_text(done.seconds)}"
        + (f", {100 * done.resumed_from:.0f} % of it earlier" if done.resumed_from else "")
        + (f", with at most {size_text(done.peak_memory_bytes)} of memory." if done.peak_memory_bytes else ".")
    ]
    if done.words_changed >= 0:
        lines.append(f"Measured: {done.words_changed:.0f} of 1,000 likeliest words differ from the original's.")
    if done.tokens_per_s:
        lines.append(f"It writes {done.tokens_per_s:.1f} tokens a second here.")
    lines += [f"{'ok' if check.ok else 'LOOK'}: {check.words}" for check in done.checks]
    return [*lines, *(line for line in (*done.notes, *done.details) if line not in said), done.path]


COMMANDS = (Command("convert", "make a model's file from its original weights, smaller", add_arguments, run),)
