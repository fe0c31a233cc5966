"""From a model and a text to what a conversion needs for better bits: importance, types, and what quantises rows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from snug.convert.better_bits.budget import Chosen, MixChooser
from snug.convert.better_bits.inputs import JUDGE_EVERY, InputTables, collect_inputs
from snug.convert.better_bits.options import BetterBits, Improved
from snug.convert.better_bits.rounding import Rounder
from snug.convert.better_bits.scaling import scale_plan
from snug.convert.better_bits.sensitivity import Tried
from snug.convert.mixes import FLOAT_TYPES, may_quantise
from snug.convert.plan import ModelPlan, OutputTensor
from snug.convert.quantize import row_bytes
from snug.core.errors import UserError
from snug.engine.calibration import Calibration, importance_of
from snug.engine.model import physical_cores
from snug.engine.template import Turn
from snug.engine.text_reader import ReadingStopped, TextReader, Tokens
from snug.engine.weight_editor import EditableModel
from snug.formats.gguf_writer import padded
from snug.measure.in_memory import Comparison

CHUNK = 512
MOST_CHUNKS = 96
"""About 49,000 tokens; more text changes the result by less than the noise of measuring it."""

COMPARED_CHUNKS = 3
FEWEST_CHUNKS = 4

SPARE_MEMORY = 1 << 30
LARGE_MODEL = 2 << 30
"""Bytes of the original in 16 bits above which one chunk judges, instead of three."""


@dataclass(frozen=True, slots=True)
class Work:
    """Where and how it is done. `model` is a GGUF with float weights of the same model, `folder` may be written to and
    is removed at the end. `on_progress` hears what is being done, in words, and how far it is (done, total)."""

    model: Path
    folder: Path
    threads: int = 0
    on_progress: Callable[[str, int, int], None] = lambda doing, done, total: None
    is_cancelled: Callable[[], bool] = lambda: False

    def tell(self, doing: str, done: int, total: int) -> None:
        """Say how far it is. Raises ReadingStopped where the person stopped it."""
        if self.is_cancelled():
            raise ReadingStopped
        self.on_progress(doing, done, total)


def read_chunks(model: Path, texts: Sequence[str], threads: int = 0, most: int = MOST_CHUNKS) -> list[Tokens]:
    """The calibration texts as whole chunks of tokens. Raises UserError where they are too short."""
    with TextReader(model, chunk=CHUNK, threads=threads) as reader:
        found: list[Tokens] = []
        for text in texts:
            talks = conversations_in(text)
            said = [token for turns in talks for token in reader.conversation(turns)]
            found += reader.chunks(np.array(said, np.int32) if talks else reader.tokenize(text))
    if len(found) < FEWEST_CHUNKS:
        raise UserError(
            "There is too little text to learn from.",
            f"Give at least {FEWEST_CHUNKS * CHUNK} words of text like that which you will use the model for.",
            kind="too-little-text",
            bad_input=True,
        )
    step = max(1.0, len(found) / most)  # spread over all of them
    return [found[int(number * step)] for number in range(min(most, len(found)))]


def conversations_in(text: str) -> list[list[Turn]]:
    """The conversations of a text that holds one in each line, as JSON lists of {"role", "text"}; none of another."""
    found = []
    for line in text.splitlines():
        if not line.startswith('[{"role"'):
            return []
        try:
            found.append([Turn(str(turn["role"]), str(turn["text"])) for turn in json.loads(line)])
        except (ValueError, KeyError, TypeError, RecursionError):
            return []
    return found


def improve(
    plan: ModelPlan, work: Work, chunks: Sequence[Tokens], options: BetterBits, types: Mapping[str, str], room: int = 0
) -> Improved:
    """What to convert `plan` with. `types` is each tensor's type in the mix that it would be without; `room` the bytes
    that all tensors may take together (0: as many as with `types`), and counts where the options allow another mix.

    Raises UserError where the size cannot be met or the engine cannot run the model, ReadingStopped where stopped.
    """
    free = [tensor for tensor in plan.tensors if is_free(tensor, plan.architecture, types)]
    try:
        inputs = collect_inputs(
            work.model,
            chunks,
            work.folder,
            wants_products=frozenset(tensor.name for tensor in free if has_known_inputs(tensor)).__contains__,
            keeps_tables=options.feedback or options.scaling,
            chunk=CHUNK,
            threads=work.threads,
            on_chunk=lambda done, total: work.tell("Reading your text with the original model", done, total),
        )
        importance = importance_of(Calibration(squares=inputs.squares)) if options.importance else {}
        rounder = Rounder(options, importance, inputs, work.threads or physical_cores())
        chosen, predicted = dict(types), -1.0
        details: tuple[str, ...] = ()
        if options.mix or options.budget_bytes:
            found = _choose(free, rounder, inputs, work, chunks, room or _tensor_bytes(free, types))
            chosen |= {name: choice.type_name for name, choice in found.choices.items()}
            predicted = found.divergence
            if predicted < 0:
                details += ("There is not enough memory to try each part: its own errors chose its type.",)
        if options.scaling:
            scaled = scale_plan(
                plan,
                chosen,
                inputs,
                importance,
                options,
                lambda done, total: work.tell("Trying whether scaling helps", done, total),
                work.threads or physical_cores(),
            )
            if scaled.makers:
                plan, importance = scaled.plan, dict(scaled.importance)
                rounder = Rounder(options, importance, scaled.inputs, work.threads or physical_cores())
                details += (f"In {len(scaled.makers)} places the weights were scaled to lose less.",)
    except BaseException:  # whatever it was, the tables of gigabytes are not left behind
        shutil.rmtree(work.folder, ignore_errors=True)
        raise
    return Improved(plan, chosen, importance, rounder.quantise, details, predicted)


def has_known_inputs(tensor: OutputTensor) -> bool:
    """Whether products of its inputs are worth keeping: all but of the experts' last matrices, each of which reads what
    its own expert computes."""
    return len(tensor.shape) == 2 or (len(tensor.shape) == 3 and ".ffn_down" not in tensor.name)


def is_free(tensor: OutputTensor, architecture: str, types: Mapping[str, str]) -> bool:
    """Whether a tensor's type may be chosen."""
    if tensor.fixed_type is not None or types.get(tensor.name) == "F32":
        return False
    return may_quantise(tensor.name, tensor.shape, architecture)


def _tensor_bytes(tensors: Sequence[OutputTensor], types: Mapping[str, str]) -> int:
    return sum(padded(row_bytes(types[tensor.name], tensor.columns) * tensor.rows) for tensor in tensors)


def room_for(file_bytes: int, budget_bytes: int, plan: ModelPlan, types: Mapping[str, str]) -> int:
    """Bytes that the tensors whose type is free may take, so that a file that would have `file_bytes` with `types` has
    at most `budget_bytes`. Raises UserError where there is no room at all."""
    free = [tensor for tensor in plan.tensors if is_free(tensor, plan.architecture, types)]
    fixed = file_bytes - _tensor_bytes(free, types)
    room = budget_bytes - fixed - 32 * len(free)
    if room <= 0:
        raise UserError(
            "This model cannot be made that small.",
            "Choose a larger size, or a smaller model.",
            kind="budget-too-small",
            bad_input=True,
        )
    return room


def _choose(
    free: Sequence[OutputTensor],
    rounder: Rounder,
    inputs: InputTables,
    work: Work,
    chunks: Sequence[Tokens],
    room: int,
) -> Chosen:
    """The best types within the room, measured with the model in memory where there is room for it."""

    def choose(tried: Tried | None) -> Chosen:
        return MixChooser.measured(
            free,
            rounder,
            inputs,
            tried,
            lambda done, total, name: work.tell("Trying how much each part matters", done, total),
        ).choose(room)

    if psutil.virtual_memory().available < work.model.stat().st_size + SPARE_MEMORY:
        return choose(None)
    judging = list(chunks[JUDGE_EVERY - 1 :: JUDGE_EVERY])[:COMPARED_CHUNKS] or list(chunks[:1])
    if work.model.stat().st_size > LARGE_MODEL:
        judging = judging[:1]
    model = EditableModel(work.model, chunk=CHUNK, threads=work.threads)
    try:
        model.find(chunks[0])
        return choose(Tried(model, Comparison(model.reader, judging)))
    finally:
        model.close()


def holds_floats(plan: ModelPlan) -> bool:
    """Whether all weights of a GGUF that is the source are floats, so that it can serve as the model to read with."""
    return all(tensor.stored_type in FLOAT_TYPES for tensor in plan.tensors)
