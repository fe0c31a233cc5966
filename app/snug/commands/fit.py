"""`snug fit WHAT`: whether a model fits a computer, how fast it will be, and why."""

from __future__ import annotations

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from snug.commands.command import Command, Context
from snug.commands.find_model import find_model
from snug.commands.hub_facts import remote_facts
from snug.commands.machine_file import add_machine_argument, chosen_machine, read_document
from snug.commands.planned_memory import Header, KnownHere, is_this_computer
from snug.core.catalogue import facts_entry_from_document, facts_of
from snug.core.errors import UserError
from snug.core.first_word import first_word_text, first_words
from snug.core.fit import Fit, FitSettings, MemoryNeed, SpeedRange
from snug.core.make_room import make_room, room_words
from snug.core.memory_need import kv_bits
from snug.core.model_facts import ModelFacts
from snug.core.quantisation import file_type_named
from snug.core.words import (
    pages_text,
    parameters_text,
    size_text,
    verdict_text,
    words_per_second_text,
    words_range_text,
)
from snug.formats.gguf_facts import not_a_chat_model
from snug.worker import protocol

INSPECT_LIMIT_S = 5.0
USUAL_TYPE = "Q4_K_M"
MOST_CONTEXT = 100_000_000
BESIDE = {
    "projector": ("is no part that sees pictures.", "Name the file whose name begins with mmproj."),
    "adapter": ("is no adapter.", "Name a GGUF with a LoRA adapter, or a folder with adapter_config.json."),
}
"""What to say of a file that is not of the kind asked for."""
REPOSITORY = re.compile(r"^(?P<repo>[\w.-]+/[\w.-]+)(:(?P<file>.+))?$")


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("what", metavar="WHAT", help="a GGUF file, OWNER/NAME or OWNER/NAME:FILE, or a facts file")
    parser.add_argument("--type", metavar="TYPE", default="", help="quantisation type, such as Q4_K_M")
    parser.add_argument("--context", metavar="N", type=context_length, default=0, help="context in tokens")
    parser.add_argument("--kv", metavar="TYPE", default="f16", help="type of the conversation memory: f16, q8_0, q4_0")
    parser.add_argument("--projector", metavar="FILE", default="", help="count the part that sees pictures (mmproj)")
    parser.add_argument(
        "--adapter",
        metavar="FILE",
        action="append",
        default=[],
        help="count a LoRA adapter: a GGUF, or a folder as PEFT saves it",
    )
    parser.add_argument("--repack", action="store_true", help="count weights rearranged for the processor")
    add_machine_argument(parser)


def context_length(text: str) -> int:
    """The whole number in `text`, above zero and not absurd."""
    try:
        value = int(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no whole number") from error
    if not 1 <= value <= MOST_CONTEXT:
        raise ArgumentTypeError(f"must be between 1 and {MOST_CONTEXT}")
    return value


def run(arguments: Namespace, context: Context) -> int:
    """Find the model's figures, compare them with the computer, and say the answer."""
    kv_bits(arguments.kv)
    settings = FitSettings(
        context=arguments.context,
        kv_type=arguments.kv.lower(),
        extra_buffers=arguments.repack,
        projector_bytes=bytes_beside(arguments.projector, "projector", context) if arguments.projector else 0,
        adapter_bytes=sum(bytes_beside(path, "adapter", context) for path in arguments.adapter),
    )
    subject = find_subject(arguments.what, arguments.type, context)
    facts = subject.facts
    problem = not_a_chat_model(facts)
    if problem is not None and facts.kind != "embedding":
        raise problem
    known = KnownHere(context, subject.header, is_here=is_this_computer(arguments))
    machine = chosen_machine(arguments, context)
    answer = known.fit(facts, settings, machine)
    if context.json:
        context.print_document(fit_document(facts, answer))
        return 0
    room = room_words(make_room(facts, settings, machine, answer))
    for line in (*words_of(facts, answer), room, known.accuracy_words()):
        if line:
            context.say(line)
    return 0


@dataclass(frozen=True, slots=True)
class Subject:
    """The model that is asked about: its figures, and its header where there is one."""

    facts: ModelFacts
    header: Header | None = None


def bytes_beside(path: str, kind: str, context: Context) -> int:
    """The size of what is loaded beside the model, of the kind "projector" or "adapter". Raises UserError (bad_input)
    for a file that is nothing of the sort."""
    words, advice = BESIDE[kind]
    other = UserError(f"{path} {words}", advice, kind="other-kind", bad_input=True)
    if kind == "adapter" and Path(path).is_dir():
        weights = next(iter(sorted(Path(path).glob("adapter_model.*"))), None)
        if weights is None or not (Path(path) / "adapter_config.json").is_file():
            raise other
        return weights.stat().st_size
    try:
        found = inspect_file(path, "", context).facts
    except UserError as error:
        if error.kind in ("bad-gguf", "not-a-file", "not-supported"):
            raise other from error
        raise
    if found.kind != kind:
        raise other
    return found.file_bytes


def find_subject(what: str, file_type: str, context: Context) -> Subject:
    """The model that `what` names. Raises UserError."""
    path = Path(what)
    if path.suffix.lower() == ".json":
        entry = facts_entry_from_document(read_document(path, "the facts file"))
        return Subject(facts_of(entry, file_type or USUAL_TYPE))
    repository = REPOSITORY.match(what)
    if path.exists() or (path.suffix.lower() == ".gguf" and ":" not in what):
        return inspect_file(str(path), file_type, context)
    if repository is not None:
        facts, header = remote_facts(repository["repo"], repository["file"] or "", file_type or USUAL_TYPE, context)
        return Subject(facts, header)
    return inspect_file(find_model(what, context).path, file_type, context)


def inspect_file(path: str, file_type: str, context: Context) -> Subject:
    """A GGUF of that type, read by a child within `INSPECT_LIMIT_S`."""
    answer = context.child().request(protocol.InspectFile(path=path), timeout=INSPECT_LIMIT_S)
    if not isinstance(answer, protocol.FileInspected):
        raise UserError("The file could not be read.", "Try it again.", kind="cancelled")
    return Subject(_of_its_type(answer.facts, file_type), Header(answer.path))


def _of_its_type(facts: ModelFacts, file_type: str) -> ModelFacts:
    """A file has one type: asking for another is a mistake."""
    wanted = file_type_named(file_type) if file_type else None
    if file_type and (wanted is None or wanted != file_type_named(facts.file_type)):
        raise UserError(
            f"This file is of the type {facts.file_type or 'unknown'}, not {file_type[:40]}.",
            "Leave out --type, or give OWNER/NAME to ask about another type.",
            kind="other-type",
            bad_input=True,
        )
    return facts


def fit_document(facts: ModelFacts, answer: Fit) -> dict[str, Any]:
    """The answer as `--json` prints it: sizes in bytes, rates in tokens/s."""
    memory = answer.memory
    return {
        "verdict": answer.verdict.value,
        "why": answer.why,
        "model": {
            "name": facts.name,
            "kind": facts.kind,
            "architecture": facts.architecture,
            "type": facts.file_type,
            "parameters": facts.parameters,
            "active_parameters": facts.active_parameters,
            "file_bytes": facts.file_bytes,
            "exact": facts.exact,
            "warnings": list(facts.warnings),
        },
        "context": answer.context,
        "kv_type": answer.kv_type,
        "gpu_layers": answer.gpu_layers,
        "offload": asdict(answer.offload),
        "memory": {
            "weights": memory.weights,
            "conversation": memory.conversation,
            "compute": memory.compute,
            "repacked": memory.repacked,
            "projector": memory.projector,
            "adapters": memory.adapters,
            "other": memory.other,
            "total": memory.total,
            "devices": [
                {
                    "name": device.name,
                    "needed": device.needed,
                    "free": device.free,
                    "reserved": device.reserved,
                    "gives_back": device.gives_back,
                    "total": device.total,
                    "parts": asdict(device.parts),
                }
                for device in memory.devices
            ],
        },
        "speed": speed_document(answer.speed),
        "prefill": speed_document(answer.prefill),
        "first_word": [
            {"pages": wait.pages, "low": wait.low, "mid": wait.mid, "high": wait.high} for wait in first_words(answer)
        ],
        "basis": answer.basis,
    }


def speed_document(speed: SpeedRange | None) -> dict[str, float] | None:
    return None if speed is None else {"low": speed.low, "mid": speed.mid, "high": speed.high}


def words_of(facts: ModelFacts, answer: Fit) -> list[str]:
    """The human form: verdict, reason, memory and speed."""
    memory = answer.memory
    size = f"{parameters_text(facts.parameters)}, {facts.file_type}" if facts.parameters else facts.file_type
    lines = [
        f"{facts.name} ({size}): {verdict_text(answer)}",
        answer.why,
        f"Model {size_text(memory.weights)}, conversation memory {size_text(memory.conversation)} "
        f"({pages_text(answer.context)}), working memory {size_text(memory.compute + memory.other)}."
        + "".join(f" {name} {size_text(size)}." for name, size in further_parts(memory)),
    ]
    if answer.speed is None:
        lines.append("How fast it will be cannot be said: the speed of this computer's memory is not known.")
    else:
        lines.append(f"Writes {words_per_second_text(answer.speed)} ({words_range_text(answer.speed)}).")
        wait = first_word_text(answer)
        if wait:
            lines.append(f"{wait[:1].upper()}{wait[1:]}.")
    if answer.basis == "measured":
        lines.append("This memory was measured when the model was loaded here.")
    if not facts.exact:
        lines.append("These are estimates from the model's figures; a file's own header gives exact ones.")
    return [*lines, *facts.warnings]


def further_parts(memory: MemoryNeed) -> list[tuple[str, int]]:
    """What else is loaded, where there is anything."""
    parts = (
        ("Rearranged weights", memory.repacked),
        ("The part that sees pictures", memory.projector),
        ("Adapters", memory.adapters),
    )
    return [(name, size) for name, size in parts if size]


COMMANDS = (Command("fit", "say whether a model fits this computer, and why", add_arguments, run),)
