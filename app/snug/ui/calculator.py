"""The memory calculator: how much a model of any size needs, as bars against real hardware."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import Property, QObject, QTimer, Signal, Slot
from PySide6.QtQml import QmlElement, QmlUncreatable

from snug.core.amounts import parameter_count, token_count
from snug.core.calculator import (
    CALCULATOR_TYPES,
    LEAST_CONTEXT,
    LEAST_PARAMETERS,
    Bar,
    Calculation,
    Question,
    calculate,
    usual_computers,
)
from snug.core.errors import UserError
from snug.core.fit import Fit
from snug.core.known_machines import KnownMachine
from snug.core.machine import Machine
from snug.core.words import pages_text, parameters_text, size_text, verdict_text, words_per_second_text
from snug.store.settings import Settings
from snug.ui.fit_view import verdict_kind
from snug.ui.row_list import RowList

QML_IMPORT_NAME = "Snug.Models"
QML_IMPORT_MAJOR_VERSION = 1

LARGEST = 1_000_000_000_000
LONGEST = 262_144
KV_TYPES = (("f16", "Usual"), ("q8_0", "Half"), ("q4_0", "Quarter"))
TYPE_WORDS = {"F16": "unshortened", "Q8_0": "nearly lossless", "Q6_K": "very close", "Q5_K_M": "close",
              "Q4_K_M": "the usual choice", "Q3_K_M": "compact", "Q2_K": "smallest"}  # fmt: skip
BAR_ROLES = ("key", "name", "isHere", "share", "verdictKind", "verdictText", "speed", "words")
WAIT_MS = 40
"""Changes that come together (a slider that moves) are answered once; an answer takes about ten milliseconds."""


@QmlElement
@QmlUncreatable("The application makes it")
class CalculatorModel(QObject):
    """Sliders for parameters, type and conversation; one bar for this computer and each of the usual ones."""

    changed = Signal()
    screenWanted = Signal(str)

    def __init__(
        self,
        known: Callable[[], Sequence[KnownMachine]],
        here: Callable[[], Machine],
        settings: Settings,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._known, self._here, self._settings = known, here, settings
        self._question = remembered(settings)
        self._answer: Calculation | None = None
        self._problem: UserError | None = None
        self._bars = RowList(BAR_ROLES, self)
        self._wait = QTimer(self, singleShot=True, interval=WAIT_MS)
        self._wait.timeout.connect(self._work_out)
        self._work_out()

    # --- the question

    @Property(float, notify=changed)
    def parametersPosition(self) -> float:
        """0 to 1; equal distances multiply."""
        return _position(self._question.parameters, LEAST_PARAMETERS, LARGEST)

    @Property(str, notify=changed)
    def parametersText(self) -> str:
        return parameters_text(self._question.parameters)

    @Property(float, notify=changed)
    def contextPosition(self) -> float:
        return _position(self._question.context, LEAST_CONTEXT, LONGEST)

    @Property(str, notify=changed)
    def contextText(self) -> str:
        return pages_text(self._question.context)

    @Property(int, notify=changed)
    def typeIndex(self) -> int:
        return CALCULATOR_TYPES.index(self._question.file_type)

    @Property(str, notify=changed)
    def typeText(self) -> str:
        kind = self._question.file_type
        return f"{TYPE_WORDS[kind]}, {kind}"

    @Property(int, constant=True)
    def typeCount(self) -> int:
        return len(CALCULATOR_TYPES)

    @Property(list, constant=True)
    def kvTypes(self) -> list[dict[str, str]]:
        return [{"key": key, "text": text} for key, text in KV_TYPES]

    @Property(str, notify=changed)
    def kvType(self) -> str:
        return self._question.kv_type

    # --- the answer

    @Property(str, notify=changed)
    def needText(self) -> str:
        """What it takes in all."""
        return f"Needs {size_text(self._answer.need.total)} of memory" if self._answer is not None else ""

    @Property(list, notify=changed)
    def segments(self) -> list[dict[str, Any]]:
        """What the need is made of, as a bar."""
        if self._answer is None:
            return []
        need = self._answer.need
        parts = (("model", need.weights, "Model"), ("conversation", need.conversation, "Conversation"),
                 ("other", need.total - need.weights - need.conversation, "Working room"))  # fmt: skip
        return [
            {"kind": kind, "share": size / max(1, need.total), "text": f"{words} {size_text(size)}"}
            for kind, size, words in parts
        ]

    @Property(str, notify=changed)
    def smallestText(self) -> str:
        """The smallest of the computers on which it fits well."""
        if self._answer is None:
            return ""
        smallest = self._answer.smallest
        return f"Fits well from: {smallest.name}" if smallest else "Fits well on none of these."

    @Property(str, notify=changed)
    def problem(self) -> str:
        return str(self._problem) if self._problem is not None else ""

    @Property(QObject, constant=True)
    def bars(self) -> RowList:
        return self._bars

    @Slot(float)
    def moveParameters(self, position: float) -> None:
        exact = _at(position, LEAST_PARAMETERS, LARGEST)
        self._ask(parameters=_rounded(exact))

    @Slot(float)
    def moveContext(self, position: float) -> None:
        exact = _at(position, LEAST_CONTEXT, LONGEST)
        self._ask(context=max(LEAST_CONTEXT, 256 * round(exact / 256)))

    @Slot(int)
    def chooseType(self, index: int) -> None:
        if 0 <= index < len(CALCULATOR_TYPES):
            self._ask(file_type=CALCULATOR_TYPES[index])

    @Slot(str)
    def chooseKv(self, kind: str) -> None:
        if kind in dict(KV_TYPES):
            self._ask(kv_type=kind)

    @Slot(str)
    def writeParameters(self, text: str) -> None:
        """The size as a person types it: "8B", "360M"."""
        self._write("parameters", text, parameter_count)

    @Slot(str)
    def writeContext(self, text: str) -> None:
        """The conversation's length: "40 pages", or tokens as "16k"."""
        self._write("context", text, context_of)

    @Slot()
    def back(self) -> None:
        self.screenWanted.emit("home")

    @Slot()
    def whatIf(self) -> None:
        self.screenWanted.emit("whatif")

    @Slot()
    def refresh(self) -> None:
        """This computer has been read again."""
        self._wait.start()

    def close(self) -> None:
        """Nothing is worked out any more: the store closes."""
        self._wait.stop()

    def _write(self, key: str, text: str, read: Callable[[str], int]) -> None:
        try:
            self._ask(**{key: read(text)})
        except UserError as error:
            self._problem = error
            self.changed.emit()

    def _ask(self, **changes: Any) -> None:
        question = Question(**{
            "parameters": self._question.parameters, "file_type": self._question.file_type,
            "context": self._question.context, "kv_type": self._question.kv_type, **changes,
        })  # fmt: skip
        had_problem, self._problem = self._problem is not None, None
        if question != self._question or had_problem:
            self._question = question
            self._wait.start()
            self.changed.emit()

    def _work_out(self) -> None:
        computers = [("This computer", "", self._here()), *usual_computers(self._known())]
        try:
            self._answer = calculate(self._question, computers)
        except UserError as error:
            self._answer, self._problem = None, error
            self._bars.show([])
        else:
            self._bars.show([bar_row(bar, number == 0) for number, bar in enumerate(self._answer.bars)])
            keep(self._settings, self._question)
        self.changed.emit()


def remembered(settings: Settings) -> Question:
    """What was asked last; the usual where that cannot be asked any more."""
    usual = Question(8_000_000_000)
    kind, kv_type = str(settings.get("calculator.type")), str(settings.get("calculator.kv"))
    return Question(
        int(settings.get("calculator.parameters")) or usual.parameters,
        kind if kind in CALCULATOR_TYPES else usual.file_type,
        int(settings.get("calculator.context")) or usual.context,
        kv_type if kv_type in dict(KV_TYPES) else usual.kv_type,
    )


def keep(settings: Settings, question: Question) -> None:
    """Remember what was asked."""
    for key, value in (("parameters", question.parameters), ("type", question.file_type),
                       ("context", question.context), ("kv", question.kv_type)):  # fmt: skip
        if settings.get(f"calculator.{key}") != value:
            settings.set(f"calculator.{key}", value)


def bar_row(bar: Bar, is_here: bool) -> dict[str, Any]:
    """One computer as a row; `share` above 1 does not fit."""
    return {
        "key": bar.name,
        "name": bar.name,
        "isHere": is_here,
        "share": min(9.0, bar.share),
        "verdictKind": verdict_kind(bar.answer),
        "verdictText": verdict_text(bar.answer),
        "speed": _speed(bar.answer),
        "words": f"{size_text(bar.needed)} of {size_text(bar.free)} free",
    }


def context_of(text: str) -> int:
    """Tokens from "40 pages" or "16k". Raises UserError (bad_input)."""
    plain = text.strip().casefold()
    for word in ("pages", "page"):
        if plain.endswith(word):
            return token_count(plain.removesuffix(word).strip(), "number of pages") * 500
    return token_count(text, "conversation")


def _speed(answer: Fit) -> str:
    return words_per_second_text(answer.speed) if answer.verdict.value != "too_big" else ""


def _position(value: float, least: float, most: float) -> float:
    return min(1.0, max(0.0, math.log(max(value, 1.0) / least) / math.log(most / least)))


def _at(position: float, least: float, most: float) -> float:
    return float(least * (most / least) ** min(1.0, max(0.0, position)))


def _rounded(value: float) -> int:
    """Two figures, as models' sizes are said."""
    unit = 10 ** (math.floor(math.log10(value)) - 1)
    return int(round(value / unit) * unit)
