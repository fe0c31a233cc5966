"""The types of all tensors for a size: chosen from measured sensitivities, then corrected by measuring the choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from snug.convert.better_bits.inputs import InputTables
from snug.convert.better_bits.knapsack import Choice, choose
from snug.convert.better_bits.rounding import Rounder
from snug.convert.better_bits.sensitivity import Sensitivity, Tried, choices_of, measure_sensitivities
from snug.convert.plan import OutputTensor
from snug.core.errors import UserError
from snug.core.words import size_text
from snug.formats.checkpoints.number_types import Floats

ROUNDS = 1
CORRECTED = 6
"""In each round so many tensors, those with the largest expected loss, are measured with the type they got."""

MOST_CORRECTED_WEIGHTS = 400_000_000
"""Of a larger model the choice is not measured as a whole: rounding all of it in memory takes minutes."""

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The choice for each tensor, and the divergence that it promises (-1: not known): measured where `is_measured`."""

    choices: Mapping[str, Choice]
    divergence: float
    is_measured: bool

    @property
    def size_bytes(self) -> int:
        return sum(choice.size_bytes for choice in self.choices.values())


@dataclass(slots=True)
class MixChooser:
    """A model whose sensitivities are known; any number of sizes can then be asked for."""

    tensors: Sequence[OutputTensor]
    rounder: Rounder
    tried: Tried | None
    sensitivities: dict[str, Sensitivity]

    @classmethod
    def measured(
        cls,
        tensors: Sequence[OutputTensor],
        rounder: Rounder,
        inputs: InputTables,
        tried: Tried | None,
        on_progress: Progress,
    ) -> MixChooser:
        """Measure the sensitivities of these tensors, one after the other, where there is a model to try them in."""
        found = measure_sensitivities(
            tensors,
            rounder,
            inputs,
            tried,
            lambda done, name: on_progress(done, len(tensors), name),
        )
        return cls(tensors, rounder, tried, found)

    def choose(self, room_bytes: int, rounds: int = ROUNDS) -> Chosen:
        """The best choice within the room. Raises UserError where even the smallest types take more."""
        found = self._pick(room_bytes)
        weights = sum(tensor.rows * tensor.columns for tensor in self.tensors)
        if self.tried is None:
            return Chosen(found, -1.0, False)
        if not rounds or weights > MOST_CORRECTED_WEIGHTS:
            return Chosen(found, sum(choice.loss for choice in found.values()), False)
        best = Chosen(found, self.measure({name: choice.type_name for name, choice in found.items()}), True)
        for _ in range(rounds):
            self._correct(found)
            found = self._pick(room_bytes)
            if _types(found) == _types(best.choices):
                break
            measured = self.measure(_types(found))
            if measured < best.divergence:
                best = Chosen(found, measured, True)
        return best

    def _pick(self, room_bytes: int) -> dict[str, Choice]:
        options = choices_of(self.tensors, self.sensitivities)
        found = choose(options, room_bytes)
        if found is None:
            smallest = sum(min(choice.size_bytes for choice in some) for some in options.values())
            raise UserError(
                "This model cannot be made that small.",
                f"Its weights take at least {size_text(smallest)} with the smallest types; choose a larger size, or a "
                "smaller model.",
                kind="budget-too-small",
                bad_input=True,
            )
        return found

    def _correct(self, found: Mapping[str, Choice]) -> None:
        """Measure the tensors that matter most with the very types they got."""
        worst = sorted(found, key=lambda name: -found[name].loss)[:CORRECTED]
        for name in worst:
            known = self.sensitivities[name]
            error = known.errors[found[name].type_name]
            measured = self.measure({name: found[name].type_name})
            if error > 0 and measured > 0 and self.tried and name in self.tried.model.names:
                self.sensitivities[name] = replace(known, factor=measured / error)

    def measure(self, types: Mapping[str, str]) -> float:
        """The divergence with these tensors rounded to these types, in memory; the model is left as it was."""
        assert self.tried is not None
        model = self.tried.model
        before: dict[str, bytes] = {}
        try:
            for tensor in self.tensors:
                type_name = types.get(tensor.name, "F16")
                if type_name in ("F32", "F16", "BF16") or tensor.name not in model.names:
                    continue
                before[tensor.name] = model.read(tensor.name)
                rows: Floats = tensor.read_rows(0, tensor.rows)
                model.write(tensor.name, self.rounder.round(tensor.name, tensor.shape, rows, type_name).values)
            return self.tried.comparison.divergence()
        finally:
            for name, raw in before.items():
                model.put(name, raw)


def _types(found: Mapping[str, Choice]) -> dict[str, str]:
    return {name: choice.type_name for name, choice in found.items()}
