"""What a source can be made into on this computer: the stops of the slider, how each would run, and which is chosen."""

from __future__ import annotations

from snug.core.fit import Fit, FitSettings, Verdict
from snug.core.machine import Machine
from snug.core.made_to_measure import largest_that_fits
from snug.core.memory_fit import fit as fit_of
from snug.ui import make_it_fit_words as words
from snug.worker.conversion_messages import ConversionChoice, ConversionPreviewed


class Offer:
    """The choices for a previewed source, smallest first, with one of them chosen.

    `is_weighed` adds the types that need a text, and a size made to measure; `unfinished` is the type of an interrupted
    conversion ("" for none), `unfinished_bytes` its size where it was made to measure.
    """

    def __init__(
        self,
        preview: ConversionPreviewed,
        machine: Machine,
        *,
        is_weighed: bool,
        unfinished: str = "",
        unfinished_bytes: int = 0,
    ) -> None:
        self.preview = preview
        self.unfinished = unfinished
        self._unfinished_bytes = unfinished_bytes
        self._machine = machine
        self.choices: list[ConversionChoice] = []
        self.fits: list[Fit] = []
        self.index = 0
        self.weigh(is_weighed)
        self.index = self._best()

    @property
    def chosen(self) -> ConversionChoice:
        return self.choices[self.index]

    @property
    def fit(self) -> Fit:
        return self.fits[self.index]

    @property
    def is_unfinished(self) -> bool:
        """Whether the chosen one was begun already."""
        return bool(self.unfinished) and self.chosen.type_name == self.unfinished

    def weigh(self, is_weighed: bool) -> None:
        """Offer what can be made with or without a text; the choice stays where it is still offered."""
        before = self.chosen.type_name if self.choices else ""
        self.choices = words.offered(self.preview, is_weighed)
        if is_weighed:
            size = self._unfinished_bytes or largest_that_fits(
                [choice.facts for choice in self.choices], self._machine, words.MEASURED_PAGES
            )
            self.choices = words.made_to_measure(self.choices, size)
        self.look(self._machine)
        names = [choice.type_name for choice in self.choices]
        self.index = names.index(before) if before in names else self._best()

    def look(self, machine: Machine) -> None:
        """Work out how each would run on this machine."""
        self._machine = machine
        self.fits = [fit_of(choice.facts, FitSettings(), machine) for choice in self.choices]

    def _best(self) -> int:
        """What was left unfinished; else Q4_K_M where it fits well, else the finest that does; else the smallest."""
        names = [choice.type_name for choice in self.choices]
        if self.unfinished in names:
            return names.index(self.unfinished)
        fitting = [
            index
            for index, fit in enumerate(self.fits)
            if fit.verdict is Verdict.FITS_WELL and names[index] not in (*words.FLOATS, self.preview.original_type)
        ]
        balanced = [index for index in fitting if names[index] == "Q4_K_M"]
        return (balanced or fitting[-1:] or [0])[0]
