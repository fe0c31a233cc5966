"""How a model is loaded and asked: from the settings, the machine and the conversation, without any state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from snug.core.fit import Fit, FitSettings
from snug.core.machine import Machine
from snug.core.memory_fit import fit
from snug.store.rows import BUILT_IN, LibraryModel, MessageRow
from snug.ui.memory_plans import MemoryPlans, ModelSource
from snug.ui.reply_text import answer_only
from snug.worker.death import MemoryFacts
from snug.worker.protocol import ChatMessage, LoadModel, Sampling

if TYPE_CHECKING:
    from snug.store.settings import Settings

CONTEXT_WITHOUT_MACHINE = 4_096
CHARACTERS_PER_TOKEN = 4
MAX_MESSAGES = 400
MAX_CHARACTERS = 1_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model would be loaded; `fit` and `memory` are None while the machine is not known."""

    load: LoadModel
    fit: Fit | None = None
    memory: MemoryFacts | None = None


def plan_load(
    model: LibraryModel,
    settings: Settings,
    machine: Machine | None,
    at_most: int = 0,
    plans: MemoryPlans | None = None,
) -> Plan:
    """The plan for this model here; `at_most` bounds the context where memory was short before.

    With `plans` it is what every screen shows of this model: measured here, planned by the engine, or the formula's
    while the engine is asked.
    """
    context = int(settings.get("chat.context"))
    threads = int(settings.get("chat.threads"))
    if model.facts.context_max:
        context = min(context, model.facts.context_max)
    if machine is None:
        context = context or min(model.facts.context_max or CONTEXT_WITHOUT_MACHINE, CONTEXT_WITHOUT_MACHINE)
        context = min(context, at_most) if at_most else context
        return Plan(LoadModel(path=model.path, context=context, threads=threads))
    answer = _answer(model, context, machine, plans)
    if at_most and answer.context > at_most:
        answer = _answer(model, at_most, machine, plans)
    load = LoadModel(
        path=model.path,
        context=answer.context,
        kv_type=answer.kv_type,
        offload=answer.offload,
        threads=threads,
    )
    return Plan(load, answer, MemoryFacts(available=machine.memory.available, needed=answer.memory.total))


def _answer(model: LibraryModel, context: int, machine: Machine, plans: MemoryPlans | None) -> Fit:
    wanted = FitSettings(context=context)
    if plans is None:
        return fit(model.facts, wanted, machine, model.measured_tokens_per_s)
    return plans.fit(model.facts, wanted, machine, model.measured_tokens_per_s, source=ModelSource(model.path))


def plan_sampling(model: LibraryModel, settings: Settings, *, is_again: bool) -> Sampling:
    """How words are chosen. The tiny built-in model knows its answers best without variety, the first time."""
    temperature = float(settings.get("chat.temperature"))
    if model.source == BUILT_IN and not is_again:
        temperature = 0.0
    return Sampling(temperature=temperature, top_p=float(settings.get("chat.top_p")))


def conversation_for_model(rows: list[MessageRow], system_prompt: str) -> tuple[list[ChatMessage], int]:
    """What the model is shown of these messages, and how many of the oldest are left out for their length.

    What stands without an answer stays a message of its own, so that the engine can leave it out where it is too long.
    """
    turns: list[ChatMessage] = []
    length = 0
    left_out = 0
    for number, row in enumerate(reversed(rows)):
        text = answer_only(row.text) if row.role == "assistant" else row.text
        length += len(text)
        if number and (number >= MAX_MESSAGES or length > MAX_CHARACTERS):
            left_out = len(rows) - number
            break
        if text.strip():
            turns.append(ChatMessage(role=row.role, text=text))
    while turns and turns[-1].role == "assistant":
        turns.pop()
        left_out += 1
    if system_prompt.strip():
        turns.append(ChatMessage(role="system", text=system_prompt))
    return turns[::-1], left_out


def estimated_tokens(rows: list[MessageRow]) -> int:
    """About how much of the model's memory these messages take, until the engine has counted them."""
    return sum(len(row.text) // CHARACTERS_PER_TOKEN + 4 for row in rows)
