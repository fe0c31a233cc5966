"""`snug calculate`: what a model of any size needs in memory, and on which hardware it would run."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from snug.commands.command import Command, Context
from snug.commands.fit import fit_document
from snug.commands.machine_file import add_machine_argument, chosen_machine, known_machines
from snug.core.amounts import parameter_count, token_count
from snug.core.calculator import Bar, Calculation, Question, calculate, usual_computers
from snug.core.fit import Verdict
from snug.core.machine import Machine
from snug.core.memory_need import kv_bits
from snug.core.words import pages_text, parameters_text, size_text, verdict_text, words_per_second_text

BAR_WIDTH = 24


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--parameters", metavar="COUNT", required=True, help="the model's size, such as 8B")
    parser.add_argument("--active", metavar="COUNT", help="for a mixture of experts: how much works on each word")
    parser.add_argument("--type", metavar="TYPE", default="Q4_K_M", help="quantisation type, such as Q4_K_M")
    parser.add_argument("--context", metavar="N", default="8k", help="context in tokens, such as 16k")
    parser.add_argument("--kv", metavar="TYPE", default="f16", help="type of the conversation memory: f16, q8_0, q4_0")
    add_machine_argument(parser)


def run(arguments: Namespace, context: Context) -> int:
    """Print the need, and a bar for each computer; with a computer named, for that one alone."""
    kv_bits(arguments.kv)
    question = Question(
        parameters=parameter_count(arguments.parameters),
        file_type=arguments.type,
        context=token_count(arguments.context),
        kv_type=arguments.kv.lower(),
        active_parameters=parameter_count(arguments.active, "active parameters") if arguments.active else None,
    )
    result = calculate(question, _computers(arguments, context))
    if context.json:
        context.print_document(calculation_document(question, result))
        return 0
    for line in words_of(question, result):
        context.say(line)
    return 0


def _computers(arguments: Namespace, context: Context) -> list[tuple[str, str, Machine]]:
    by_hand = (arguments.ram, arguments.vram, arguments.bandwidth)
    if arguments.machine is not None or any(figure is not None for figure in by_hand):
        return [("That computer", "desktop", chosen_machine(arguments, context))]
    return [("This computer", "here", chosen_machine(arguments, context)), *usual_computers(known_machines())]


def words_of(question: Question, result: Calculation) -> list[str]:
    """The need in a sentence, then a line with a bar for each computer."""
    need = result.need
    size = parameters_text(question.parameters)
    lines = [
        f"A model of {size} as {result.facts.file_type}, with a conversation of {pages_text(question.context)}, "
        f"needs {size_text(need.total)}: model {size_text(need.weights)}, conversation "
        f"{size_text(need.conversation)}, working memory {size_text(need.compute + need.other)}.",
        "An estimate for a usual model of that size; a file's own header gives exact figures.",
        "",
    ]
    width = max((len(bar.name) for bar in result.bars), default=0)
    lines += [_bar_line(bar, width) for bar in result.bars]
    return [*lines, result.bars[0].answer.why] if len(result.bars) == 1 else lines


def calculation_document(question: Question, result: Calculation) -> dict[str, Any]:
    """The answer as `--json` prints it: sizes in bytes, context in tokens."""
    need = result.need
    return {
        "parameters": question.parameters,
        "active_parameters": question.active_parameters,
        "type": result.facts.file_type,
        "context": question.context,
        "kv_type": question.kv_type,
        "memory": {
            "weights": need.weights,
            "conversation": need.conversation,
            "compute": need.compute,
            "other": need.other,
            "total": need.total,
        },
        "computers": [
            {"name": bar.name, "needed": bar.needed, "free": bar.free, "total": bar.total}
            | {"fit": fit_document(result.facts, bar.answer)}
            for bar in result.bars
        ],
    }


def _bar_line(bar: Bar, width: int) -> str:
    filled = min(BAR_WIDTH, round(BAR_WIDTH * bar.share))
    drawn = "#" * filled + "." * (BAR_WIDTH - filled)
    words = f"{size_text(bar.needed)} of {size_text(bar.free)} free"
    if bar.answer.verdict is not Verdict.TOO_BIG:
        words += f", {words_per_second_text(bar.answer.speed)}"
    return f"{bar.name:{width}}  [{drawn}]  {verdict_text(bar.answer)}: {words}"


COMMANDS = (Command("calculate", "say what a model of any size needs in memory", add_arguments, run),)
