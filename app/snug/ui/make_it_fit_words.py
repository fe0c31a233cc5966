"""What the "Make it fit" screen says: the slider's stops, the figures of a choice, the curve of losses, the result."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import msgspec

from snug.core.errors import UserError
from snug.core.first_word import first_words
from snug.core.fit import Fit, Verdict
from snug.core.made_to_measure import scaled
from snug.core.quantisation import group_of
from snug.core.words import (
    duration_text,
    pages_text,
    size_text,
    words_per_second_text,
)
from snug.worker.conversion_messages import (
    ConversionCheck,
    ConversionChoice,
    ConversionDone,
    ConversionPreviewed,
    ConversionProgress,
)

STAGES = {
    "fetching": "Fetching the model",
    "calibrating": "Learning from the text which weights matter",
    "converting": "Making the file",
    "verifying": "Reading it again, to be sure",
    "checking": "Trying it out",
}
LOSS = "Against the original"
MEMORY, SPEED = "Memory", "Speed"
JUDGED = (MEMORY, SPEED)
"""The rows of a result that the fit function answers."""
THOUSAND = 1000
QUICK = ("importance",)
THOROUGH = ("importance", "feedback", "scaling", "mix")
"""The methods that calibration text is used with: careful rounding alone, or everything there is."""
MADE_TO_MEASURE = "made-to-measure"
"""The type name of the choice that is as large as fits this computer, with `MEASURED_PAGES` of conversation."""
MEASURED_PAGES = 40
FLOATS = ("F32", "F16", "BF16")
USUAL = ("Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0")
"""Always offered; of others that are nearly as large as the one before, none."""
CLOSE = 1.06
LARGER = 1.02
"""A finished file is not made into one whose weights take more than so many times its own."""
GRID_STEPS = (1, 2, 5)
MOST_GRID_LINES = 4
_UNSAFE = re.compile(r"[^\w.+-]+")


def offered(preview: ConversionPreviewed, is_weighed: bool) -> list[ConversionChoice]:
    """The choices worth a stop of the slider, smallest first: each loses clearly less than every smaller one.

    Types that need calibration text come with it only; a source that was rounded already gets no float file, and a
    finished file none that is larger than itself: its lost bits are not regained.
    """
    found: list[ConversionChoice] = []
    for choice in sorted(preview.choices, key=lambda choice: choice.size_bytes):
        if choice.needs_calibration and not is_weighed:
            continue
        if preview.kind != "plain" and choice.type_name in FLOATS:
            continue
        if found and preview.kind == "gguf" and choice.facts.weight_bytes > LARGER * preview.stored_bytes:
            continue
        if found and choice.type_name not in FLOATS:
            least = found[-1].words_changed
            if 0 <= least <= choice.words_changed:
                continue
            if choice.size_bytes < CLOSE * found[-1].size_bytes and choice.type_name not in USUAL:
                continue
        found.append(choice)
    return found or list(preview.choices)


def only_an_adapter() -> UserError:
    """The words for a link to an adapter: it is no model, so that there is nothing to choose or to talk to."""
    return UserError(
        "This is an adapter (LoRA): a small change to another model, useless without it.",
        "Choose the model that it belongs to. “snug convert” in a terminal makes the adapter a file, or merges it.",
        kind="adapter",
        bad_input=True,
    )


def made_to_measure(choices: Sequence[ConversionChoice], size: int) -> list[ConversionChoice]:
    """The choices with one more of exactly that size between them, where it lies clearly between two of them."""
    for index, (low, high) in enumerate(pairwise(choices), start=1):
        if CLOSE * low.size_bytes < size < high.size_bytes / CLOSE:
            between = msgspec.structs.replace(
                low,
                type_name=MADE_TO_MEASURE,
                size_bytes=size,
                facts=scaled(low.facts, size),
                seconds=max(low.seconds, high.seconds),
                words_changed=_between(low, high, size),
                tensor_types={},
            )
            return [*choices[:index], between, *choices[index:]]
    return list(choices)


def _between(low: ConversionChoice, high: ConversionChoice, size: int) -> float:
    """The loss at a size between two choices, by their logarithms; -1 where either is not known."""
    if low.words_changed < 0 or high.words_changed < 0:
        return -1.0
    share = (size - low.size_bytes) / (high.size_bytes - low.size_bytes)
    first, last = (max(0.1, choice.words_changed) for choice in (low, high))
    return float(first ** (1 - share) * last**share)


def stop_label(choice: ConversionChoice, index: int, choices: Sequence[ConversionChoice], original: str) -> str:
    """The word under the slider for a choice: Smallest, Compact, Balanced, Nearly lossless or Original."""
    if choice.type_name == original:
        return "Original"
    if choice.type_name == MADE_TO_MEASURE:
        return "Just fits"
    if index == 0 and len(choices) > 1:
        return "Smallest"
    return {"compact": "Compact", "balanced": "Balanced"}.get(group_of(choice.type_name), "Nearly lossless")


def slider_labels(choices: Sequence[ConversionChoice], original: str) -> list[dict[str, Any]]:
    """Each word once: `text`, its `first` and `last` stop, and as a `place` of 0 to 1 on the slider their middle.

    The last word stands at the slider's end, so that both ends are named.
    """
    labels: list[dict[str, Any]] = []
    for index, choice in enumerate(choices):
        text = stop_label(choice, index, choices, original)
        if labels and labels[-1]["text"] == text:
            labels[-1]["last"] = index
        else:
            labels.append({"text": text, "first": index, "last": index})
    span = max(1, len(choices) - 1)
    for label in labels:
        label["place"] = (label["first"] + label["last"]) / 2 / span
    if len(labels) > 1:
        labels[-1]["place"] = 1.0
    return labels


def figures(choice: ConversionChoice, fit: Fit | None, making_bytes: int = 0) -> list[dict[str, str]]:
    """The lines of "What you get": a name and a value each; `making_bytes` of disk are needed while it is made."""
    rows = [{"name": "On disk", "value": size_text(choice.size_bytes)}]
    if making_bytes > CLOSE * choice.size_bytes:
        rows.append({"name": "While it is made", "value": size_text(making_bytes)})
    if fit is not None:
        rows.append({"name": "Speed", "value": speed_words(fit)})
        for wait in first_words(fit):
            prompt = "a page" if wait.pages == 1 else f"{wait.pages} pages"
            rows.append({"name": f"First word, for {prompt}", "value": duration_text(wait.mid)})
        rows.append({"name": "Remembers", "value": pages_text(fit.context)})
    rows.append({"name": LOSS, "value": loss_words(choice.words_changed)})
    return rows


def speed_words(fit: Fit) -> str:
    """The speed in words; of what does not fit, that it does not run here."""
    if fit.verdict is Verdict.TOO_BIG:
        return "does not run here"
    return words_per_second_text(fit.speed)


def loss_words(words_changed: float) -> str:
    """ "994 of 1,000 words the same"; "not known" for a negative number."""
    if words_changed < 0:
        return "not known yet"
    if words_changed < 0.5:
        return "the same words"
    return f"{words_same(words_changed)} of 1,000 words the same"


def words_same(words_changed: float) -> int:
    """How many of 1,000 are not changed."""
    return THOUSAND - round(words_changed)


@dataclass(frozen=True)
class Curve:
    """The curve of losses and its axes, in shares of the drawing (0 to 1, y upwards).

    `points` hold x, y and the type, `measured` those that were measured; `rows` and `columns` are the grid's lines
    with their words.
    """

    points: list[dict[str, Any]] = field(default_factory=list)
    measured: list[dict[str, Any]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    columns: list[dict[str, Any]] = field(default_factory=list)


def curve_of(choices: Sequence[ConversionChoice], measured: dict[str, float]) -> Curve:
    """The curve of what is lost at each size; an empty one where no loss is known."""
    known = [choice for choice in choices if choice.words_changed >= 0]
    if len(known) < 2:
        return Curve()
    low, high = known[0].size_bytes, known[-1].size_bytes
    span = max(1, high - low)
    worst = max([choice.words_changed for choice in known] + list(measured.values()))
    step = _grid_step(max(1.0, worst))
    top = step * (int(worst / step) + 1)

    def point(choice: ConversionChoice, words: float) -> dict[str, Any]:
        return {"x": (choice.size_bytes - low) / span, "y": words / top, "type": choice.type_name}

    return Curve(
        points=[point(choice, choice.words_changed) for choice in known],
        measured=[point(choice, measured[choice.type_name]) for choice in known if choice.type_name in measured],
        rows=[{"y": value * step / top, "text": f"{value * step:g}"} for value in range(round(top / step) + 1)],
        columns=[{"x": (size - low) / span, "text": size_text(size)} for size in _even_sizes(low, high)],
    )


def curve_words(is_measured: bool) -> str:
    """What the curve shows, and from what."""
    words = "Words that change, of 1,000, against the file's size. Estimated from models of about this size"
    return f"{words}; the square was measured here." if is_measured else f"{words}."


def too_big_from(choices: Sequence[ConversionChoice], fits: Sequence[Fit | None]) -> float:
    """Where on the curve's x axis (0 to 1) files are too big for this computer; 1.1 where none is."""
    known = [(choice, fit) for choice, fit in zip(choices, fits, strict=True) if choice.words_changed >= 0]
    if len(known) < 2:
        return 1.1
    low, high = known[0][0].size_bytes, known[-1][0].size_bytes
    span = max(1, high - low)
    fitting = 0.0
    for choice, fit in known:
        place = (choice.size_bytes - low) / span
        if fit is not None and fit.verdict is Verdict.TOO_BIG:
            return max(0.0, (fitting + place) / 2)
        fitting = place
    return 1.1


def source_sentence(preview: ConversionPreviewed, choice: ConversionChoice, learning_s: float = 0.0) -> str:
    """What the source is, what is fetched, and how long making the file takes, with so many seconds for calibration."""
    takes = duration_text(choice.seconds + learning_s)
    if preview.fetch_bytes:
        return f"{preview.sentence} {size_text(preview.fetch_bytes)} to fetch, then {takes} to make."
    return f"{preview.sentence} {takes.capitalize()} to make."


def making_bytes(preview: ConversionPreviewed, choice: ConversionChoice, is_weighed: bool) -> int:
    """What the disk must hold while it is made: the result, what is fetched at a time, the original that is read."""
    original = 2 * preview.parameters if is_weighed and not _is_float_file(preview) else 0
    return choice.size_bytes + preview.working_bytes + original


def room_problem(preview: ConversionPreviewed, needed: int) -> str:
    """A sentence where the disk lacks room for `needed` bytes; "" where it does not."""
    if not preview.free_bytes or needed <= preview.free_bytes:
        return ""
    return (
        f"The disk has {size_text(preview.free_bytes)} free and {size_text(needed)} are needed. "
        "Choose a smaller file, or make room."
    )


def learning_words(seconds: float, is_weighed: bool) -> str:
    """What a text is read for, and how much longer that takes."""
    if not is_weighed:
        return "Snug can read a text first and round with more care what matters in it: slower to make, less lost."
    return f"It is read first, and what matters in it is rounded with more care: {duration_text(seconds)} more."


def _is_float_file(preview: ConversionPreviewed) -> bool:
    return preview.kind == "gguf" and preview.stored_bytes >= 1.9 * preview.parameters


def comparing_words(preview: ConversionPreviewed) -> str:
    """What comparing with the original costs; "" where it is at hand."""
    if preview.kind == "gguf":
        return ""
    needed = size_text(2 * preview.parameters + preview.working_bytes)
    if preview.fetch_bytes:
        return f"Comparing fetches {size_text(preview.fetch_bytes)} again and needs {needed} of disk for a while."
    return f"Comparing needs {needed} of disk for a while."


def type_words(choice: ConversionChoice, is_weighed: bool) -> str:
    """The raw type and what it is made of: "Type Q4_K_M: 108 parts Q4_K, 33 parts Q6_K, rounded by a text"."""
    if choice.type_name == MADE_TO_MEASURE:
        return f"Each part of the model gets the type that it needs; in all at most {choice.size_bytes:,} bytes."
    kinds = sorted(choice.tensor_types.items(), key=lambda item: -item[1])
    parts = [f"{count} parts {kind}" for kind, count in kinds if kind != "F32"]
    made_of = f": {', '.join(parts)}" if parts else ""
    return f"Type {choice.type_name}{made_of}{', rounded by a text' if is_weighed else ''}"


def progress_words(progress: ConversionProgress | None) -> str:
    """What is being done, how far it is and how long it takes yet."""
    if progress is None:
        return "Starting…"
    words = STAGES.get(progress.stage, "Working")
    if progress.doing and progress.stage not in ("converting", "verifying"):  # there it is the tensor's name
        words = progress.doing
    parts = [words]
    if progress.total_bytes:
        parts.append(f"{size_text(progress.done_bytes)} of {size_text(progress.total_bytes)}")
    if progress.seconds_left > 0:
        parts.append(f"{duration_text(progress.seconds_left)} left")
    return " · ".join(parts)


def result_rows(
    done: ConversionDone, choice: ConversionChoice, predicted: Fit | None, now: Fit
) -> list[dict[str, str]]:
    """Prediction beside what came out: a name, what was said before and what was measured."""
    rows = [
        _pair("On disk", size_text(choice.size_bytes), size_text(done.size_bytes)),
        _pair(MEMORY, size_text(predicted.memory.total) if predicted else "", size_text(now.memory.total)),
        *([_pair(SPEED, speed_words(predicted) if predicted else "", speed_words(now))] if done.tokens_per_s else []),
        _pair("Time to make it", duration_text(choice.seconds), duration_text(done.seconds)),
    ]
    if done.words_changed >= 0:
        rows.append(loss_row(choice, done.words_changed))
    return rows


def loss_row(choice: ConversionChoice, measured: float) -> dict[str, str]:
    """The row of how many words change, as predicted and as measured."""
    return _pair(LOSS, loss_words(choice.words_changed), loss_words(measured))


def file_name(title: str, type_name: str, number: int = 1) -> str:
    """A plain name for the result: letters, digits, dots, dashes and underscores only; from 2 on with its number."""
    stem = _UNSAFE.sub("-", title.rsplit("/", 1)[-1]).strip("-.") or "model"
    return f"{stem[:80]}-{type_name}{f'-{number}' if number > 1 else ''}.gguf"


def checks_words(checks: Sequence[ConversionCheck]) -> str:
    """How many checks are right, in a sentence; "" where none was made."""
    failed = sum(not check.ok for check in checks)
    undone = sum(not check.is_done for check in checks)
    right = len(checks) - failed - undone
    if failed:
        return f"{failed} of {len(checks)} checks found something: see below."
    if not right:
        return ""
    if undone:
        return f"{right} {'check is' if right == 1 else 'checks are'} right, {undone} could not be made."
    return f"All {right} checks are right."


def _pair(name: str, before: str, after: str) -> dict[str, str]:
    return {"name": name, "before": before, "after": after}


def _grid_step(top: float) -> float:
    """The smallest round step (1, 2, 5 times a power of ten) that needs at most `MOST_GRID_LINES` lines."""
    power = 0.1
    while True:
        for factor in GRID_STEPS:
            if top / (factor * power) <= MOST_GRID_LINES:
                return factor * power
        power *= 10


def _even_sizes(low: int, high: int) -> list[int]:
    """Round sizes between the smallest and the largest file, for the axis."""
    step = _grid_step(max(1.0, (high - low) / 1e6)) * 1e6
    first = int(-(-low // step) * step)
    return list(range(first, high + 1, max(1, int(step))))
