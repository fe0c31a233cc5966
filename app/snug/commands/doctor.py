"""`snug doctor`: whether this computer can run models, and what is wrong where it cannot."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass

from snug.commands.command import Command, Context
from snug.commands.find_model import pip_model
from snug.commands.hub_facts import hub_access
from snug.commands.machine import read_here
from snug.core.errors import UserError
from snug.core.machine import Machine
from snug.core.machine_words import machine_line, memory_line
from snug.core.words import size_text
from snug.worker import protocol
from snug.worker.client import WorkerClient
from snug.worker.self_test import Attempt, try_all

OK, WARNING, FAILURE = "ok", "warning", "failure"
LITTLE_MEMORY_BYTES = 2_000_000_000
LITTLE_DISK_BYTES = 10_000_000_000
NETWORK_LIMIT_S = 60.0
_MARKS = {OK: "ok  ", WARNING: "note", FAILURE: "FAIL"}

# What llama.cpp names a feature that the processor probe names in lower case.
ENGINE_FEATURES = {"avx2": "AVX2", "avx512f": "AVX512", "fma": "FMA", "neon": "NEON"}


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: `state` is "ok", "warning" or "failure"."""

    name: str
    state: str
    words: str


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--no-network", action="store_true", help="do not try to reach the Hub")


def run(arguments: Namespace, context: Context) -> int:
    """Check everything; 1 where models cannot run here."""
    machine = read_here(context, measure_bandwidth=False)
    attempts = try_all(lambda: WorkerClient(context.paths.logs), pip_model().path)
    checks = [
        *check_computer(machine),
        *check_engine(attempts, machine),
        check_disk(machine),
        check_database(context),
    ]
    if not arguments.no_network:
        checks.append(check_network(context))
    works = any(attempt.works for attempt in attempts)
    if context.json:
        context.print_document(_document(works, checks, attempts))
    else:
        _say(works, checks, context)
    return 0 if works else 1


def _document(works: bool, checks: Sequence[Check], attempts: Sequence[Attempt]) -> dict[str, object]:
    done = next((attempt.done for attempt in attempts if attempt.done is not None), None)
    return {
        "works": works,
        "checks": checks,
        "engine": {"version": done.engine, "flags": done.engine_flags} if done else None,
        "settings": next((attempt.settings for attempt in attempts if attempt.works), None),
        "tokens_per_s": next((a.done.tokens_per_s for a in attempts if a.works and a.done), 0.0),
    }


def _say(works: bool, checks: Sequence[Check], context: Context) -> None:
    width = max(len(check.name) for check in checks)
    for check in checks:
        context.say(f"{_MARKS[check.state]}  {check.name:<{width}}  {check.words}")
    context.say()
    context.say("This computer can run models." if works else "This computer cannot run models as it is.")


def check_computer(machine: Machine) -> list[Check]:
    """What it is, and whether there is memory for any model."""
    free = machine.memory.available
    state = OK if free >= LITTLE_MEMORY_BYTES else WARNING
    words = memory_line(machine)
    if state == WARNING:
        words += " Close other programs to make room."
    return [Check("computer", OK, machine_line(machine)), Check("memory", state, words)]


def check_engine(attempts: Sequence[Attempt], machine: Machine) -> list[Check]:
    """The engine's build, what Pip did in each way, and whether the engine is shut in."""
    checks = []
    done = next((attempt.done for attempt in attempts if attempt.done is not None), None)
    if done is not None:
        missing = missing_features(machine.cpu.features, done.engine_flags)
        words = f"{done.engine}, built with {', '.join(built_features(done.engine_flags))}."
        if missing:
            words += f" It does not use {', '.join(missing)} of this processor, so it is slower than it could be."
        checks.append(Check("engine", WARNING if missing else OK, words))
    checks += [_check_attempt(attempt, attempts) for attempt in attempts]
    if done is not None:
        is_shut = done.sandbox.startswith("the engine can read only")
        words = f"{done.sandbox[:1].upper()}{done.sandbox[1:]}."
        checks.append(Check("protection", OK if is_shut else WARNING, words))
    return checks


def _check_attempt(attempt: Attempt, attempts: Sequence[Attempt]) -> Check:
    if attempt.works:
        return Check(f"Pip {attempt.way}", OK, attempt.words)
    others = [other for other in attempts if other.works]
    if not others:
        return Check(f"Pip {attempt.way}", FAILURE, attempt.words)
    remedy = f"Snug avoids this: it works {others[0].way}."
    return Check(f"Pip {attempt.way}", WARNING, f"{attempt.words} {remedy}")


def missing_features(processor: Sequence[str], flags: str) -> list[str]:
    """Features of the processor that the engine was built without, by the engine's names."""
    built_with = built_features(flags)
    return [name for feature, name in ENGINE_FEATURES.items() if feature in processor and name not in built_with]


def built_features(flags: str) -> list[str]:
    """What the engine was built with: llama.cpp says "CPU : AVX = 1 | AVX2 = 1 | …"."""
    return [part.split("=")[0].split(":")[-1].strip() for part in flags.split("|") if part.strip().endswith("= 1")]


def check_disk(machine: Machine) -> Check:
    """Room for models."""
    if not machine.disks:
        return Check("disk", WARNING, "The free space where models are kept could not be read.")
    free = machine.disks[0].free
    if free < LITTLE_DISK_BYTES:
        return Check("disk", WARNING, f"{size_text(free)} free where models are kept: enough for small ones only.")
    return Check("disk", OK, f"{size_text(free)} free where models are kept.")


def check_database(context: Context) -> Check:
    """Whether chats and library open."""
    if not context.paths.database.exists():
        return Check("library", OK, "Nothing is kept yet; it is made with the first chat.")
    try:
        store = context.open_store()
        return Check("library", OK, f"Models: {len(store.models.all())}; recent chats: {len(store.chats.list())}.")
    except UserError as error:
        return Check("library", FAILURE, str(error))


def check_network(context: Context) -> Check:
    """Whether the Hub answers, unless the person works offline."""
    try:
        access = hub_access(context)
        if access.offline:
            return Check("network", OK, "Not tried: Snug is set to stay offline.")
        with context.child() as child:
            child.request(protocol.SearchHub(access=access, text="", limit=1), timeout=NETWORK_LIMIT_S)
    except UserError as error:
        return Check("network", WARNING, f"{error} Models that are here already work without.")
    return Check("network", OK, f"{access.endpoint} answers.")


COMMANDS = (Command("doctor", "whether this computer can run models, and what is wrong if not", add_arguments, run),)
