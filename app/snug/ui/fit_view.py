"""One fit answer in words and bars, the same for every place that shows one."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Property, QObject, Signal
from PySide6.QtQml import QmlElement, QmlUncreatable

from snug.core.first_word import first_word_text
from snug.core.fit import PART_NAMES, DeviceNeed, Fit, Verdict
from snug.core.machine import Machine
from snug.core.words import (
    is_slow,
    pages_text,
    size_text,
    verdict_text,
    words_per_second_text,
    words_range_text,
)

QML_IMPORT_NAME = "Snug.Models"
QML_IMPORT_MAJOR_VERSION = 1

MEASURED_WORDS = "Measured when it was loaded here."
VERDICT_KINDS = {Verdict.FITS_WELL: "good", Verdict.TIGHT: "tight", Verdict.TOO_BIG: "bad"}


@QmlElement
@QmlUncreatable("The application makes it")
class FitView(QObject):
    """Verdict, speed, memory bar and reason of the fit that it was last shown."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._fit: Fit | None = None
        self._machine = Machine()
        self._accuracy = ""

    def show(self, fit: Fit | None, machine: Machine, accuracy: str = "") -> None:
        """Shows this answer; None while there is none yet. `accuracy` says how far off estimates have been here."""
        self._fit, self._machine, self._accuracy = fit, machine, accuracy
        self.changed.emit()

    @property
    def raw_figures(self) -> str:
        """The raw figures, for the fold at the end."""
        return raw_figures(self._fit) if self._fit else ""

    @Property(bool, notify=changed)
    def isKnown(self) -> bool:
        return self._fit is not None

    @Property(str, notify=changed)
    def verdictKind(self) -> str:
        return verdict_kind(self._fit)

    @Property(str, notify=changed)
    def verdictText(self) -> str:
        return verdict_text(self._fit) if self._fit else "Not known yet"

    @Property(str, notify=changed)
    def speedText(self) -> str:
        return speed_line(self._fit) if self._fit else ""

    @Property(list, notify=changed)
    def segments(self) -> list[dict[str, Any]]:
        return memory_segments(self._fit, self._machine) if self._fit else []

    @Property(float, notify=changed)
    def limit(self) -> float:
        """Where in the bar the memory ends that is there, 0 to 1; -1 where all of the bar is there."""
        return memory_limit(self._fit) if self._fit else -1.0

    @Property(str, notify=changed)
    def memoryText(self) -> str:
        if self._fit is None:
            return ""
        proof = MEASURED_WORDS if self._fit.basis == "measured" else self._accuracy
        return f"{memory_words(self._fit)} {proof}".rstrip()

    @Property(str, notify=changed)
    def why(self) -> str:
        return self._fit.why if self._fit else ""

    @Property(str, notify=changed)
    def pagesText(self) -> str:
        if self._fit is None:
            return ""
        return f"{pages_text(self._fit.context)} · {size_text(self._fit.memory.conversation)}"


def verdict_kind(fit: Fit | None) -> str:
    """The badge's colour: "good", "tight" (also for what fits but is slow), "bad"; "quiet" without an answer."""
    if fit is None:
        return "quiet"
    return "tight" if is_slow(fit) else VERDICT_KINDS[fit.verdict]


def speed_line(fit: Fit) -> str:
    """The speed with its range, and the wait for an answer to a page and to a document: one line."""
    if fit.verdict is Verdict.TOO_BIG or fit.speed is None:
        return words_per_second_text(None if fit.verdict is Verdict.TOO_BIG else fit.speed)
    line = f"{words_per_second_text(fit.speed)} ({words_range_text(fit.speed).removesuffix(' words a second')})"
    wait = first_word_text(fit)
    return f"{line} · {wait}" if wait else line


def memory_segments(fit: Fit, machine: Machine) -> list[dict[str, Any]]:
    """The bar of the device that is fullest: what no model may use, model, conversation, free; shares of the whole.

    Model, conversation and free are together what the machine card calls free for a model.
    """
    need = fit.memory
    device = _fullest(fit)
    total = max(device.total if device else machine.memory.total, 1)
    used = max(0, total - (device.free if device else machine.memory.available))
    needed = device.needed if device else need.total
    conversation = device.parts.conversation if device else need.conversation
    model = needed - conversation
    whole = max(total, used + needed)
    free = whole - used - needed
    rest = [_segment("free", free, whole, "Free")] if free > 0 else []
    return [
        _segment("other", used, whole, "System and programs"),
        _segment("model", model, whole, "Model"),
        _segment("conversation", conversation, whole, "Conversation"),
        *rest,
    ]


def memory_limit(fit: Fit) -> float:
    """The end of the fullest device's memory as a share of the bar, where the model needs more than that; else -1."""
    device = _fullest(fit)
    if device is None or device.needed <= device.free:
        return -1.0
    return device.total / (device.total - device.free + device.needed)


def _fullest(fit: Fit) -> DeviceNeed | None:
    return max(fit.memory.devices, key=lambda item: item.needed / max(1, item.free), default=None)


def memory_words(fit: Fit) -> str:
    """What the model takes of what is free, in a sentence."""
    free = sum(device.free for device in fit.memory.devices)
    needed = size_text(fit.memory.total)
    if fit.verdict is Verdict.TOO_BIG:
        return f"Needs {needed}; {size_text(free)} are free."
    close = "Nothing needs to be closed." if fit.verdict is Verdict.FITS_WELL else "Close what you do not need."
    return f"Uses {needed} of the {size_text(free)} that are free. {close}"


def raw_figures(fit: Fit) -> str:
    """Bytes and tokens, for those who ask."""
    need = fit.memory
    lines = [
        f"Context length: {fit.context} tokens, KV cache {fit.kv_type}",
        f"Weights {need.weights:,} bytes, KV cache {need.conversation:,} bytes",
        f"Compute buffers {need.compute:,} bytes, other {need.other:,} bytes",
        *(device_line(item) for item in need.devices),
    ]
    if fit.gpu_layers:
        split = f" ({', '.join(map(str, fit.offload.split))})" if len(fit.offload.split) > 1 else ""
        lines.append(f"Layers on the graphics device: {fit.gpu_layers}{split}")
    if fit.offload.cpu_experts:
        lines.append(f"Layers whose experts stay in main memory: {fit.offload.cpu_experts}")
    if fit.speed:
        lines.append(f"{fit.speed.low:.1f} to {fit.speed.high:.1f} tokens/s, {fit.speed.mid:.1f} in the middle")
    lines.append(f"Basis: {fit.basis}")
    return "\n".join(lines)


def device_line(device: DeviceNeed) -> str:
    """What one memory must hold, by what it is for, and what is free there."""
    parts = ", ".join(f"{name} {size:,}" for name in PART_NAMES if (size := getattr(device.parts, name)))
    return (
        f"{device.name}: needs {device.needed:,} of {device.free:,} bytes free ({parts}); "
        f"{device.reserved:,} are left to the system"
    )


def _segment(kind: str, size: int, whole: int, words: str) -> dict[str, Any]:
    return {"kind": kind, "share": size / whole, "text": f"{words} {size_text(size)}"}
