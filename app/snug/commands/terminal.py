"""Snug without a display: what this computer is, three models that suit it, then a chat with Pip."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from snug.commands.command import Command, Context
from snug.commands.find_model import pip_model
from snug.commands.machine import read_here
from snug.commands.measured_quality import known_divergences
from snug.commands.recommend import models_of_library
from snug.commands.talk import LineReader, Talk
from snug.core.catalogue import load_catalogue
from snug.core.machine import Machine
from snug.core.machine_words import machine_line, memory_line
from snug.core.recommend import nothing_fits_words, recommend
from snug.core.words import size_text, verdict_text
from snug.paths import resources_folder
from snug.worker import protocol

FIRST_QUESTION = "Hello, who are you?"


def run(arguments: Namespace, context: Context) -> int:
    """Say it, recommend, and talk."""
    context.say("There is no display here, so Snug works in this terminal. `snug --help` lists what it can do.\n")
    machine = read_here(context)
    context.say(machine_line(machine))
    context.say(memory_line(machine))
    say_picks(machine, context)
    talk_with_pip(context)
    return 0


def say_picks(machine: Machine, context: Context) -> None:
    """The three models that suit this computer best, with the reasons and the command that gets each."""
    catalogue = load_catalogue(resources_folder() / "catalogue" / "models.json")
    here, measured = models_of_library(catalogue, context), known_divergences(context)
    picks = recommend(catalogue, machine, here=here, measured=measured)
    if not picks:
        context.say("\n" + nothing_fits_words(catalogue, machine))
        return
    context.say("\nThree models that suit this computer:" if len(picks) == 3 else "\nWhat suits this computer:")
    for pick in picks:
        size = "already here" if pick.is_here else size_text(pick.download_bytes)
        head = f"{pick.entry.name} ({pick.file_type}, {size})"
        context.say(f"\n  {head}: {verdict_text(pick.fit)}")
        context.say(f"    {pick.why}")
        repo = pick.entry.gguf_repos[0] if pick.entry.gguf_repos else pick.entry.repo
        if not pick.is_here:
            context.say(f"    snug get {repo}:{pick.file_type}")


def talk_with_pip(context: Context) -> None:
    """A chat with the model that ships with Snug; one question of our own where nobody can type."""
    pip = pip_model()
    child = context.child()
    child.request(protocol.LoadModel(path=pip.path, context=0))
    talk = Talk(context=context, child=child, sampling=protocol.Sampling(temperature=0.0))
    context.say(f"\nUntil then, talk to {pip.name}; it works without a network. /quit ends.")
    if sys.stdin is not None and sys.stdin.isatty():
        talk.run(LineReader(context))
        return
    context.say(f"\nYou: {FIRST_QUESTION}")
    talk.ask(FIRST_QUESTION)
    piped = LineReader(context, prompt="")
    talk.run(piped)


def _no_arguments(parser: ArgumentParser) -> None:
    """Nothing can be given."""


TERMINAL = Command("", "what Snug does where there is no display", _no_arguments, run)
