"""One model at one context, laid out over memories: how many bytes of what lie where, and what each token touches.

Whole layers go to cards, in the engine's order: the last ones, and after them the output head. The experts of a mixture
may stay in main memory while the rest of their layer is on a card. What a card holds beside layers follows llama.cpp:
its own compute buffer, and room to copy one weight matrix of a layer that lies elsewhere when a prompt is read.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from snug.core.devices import MIB, Place
from snug.core.fit import FitSettings, Offload, Parts, PlannedMemory
from snug.core.machine import Cpu
from snug.core.memory_need import (
    compute_bytes,
    layer_conversations,
    layer_weights,
    other_bytes,
    projector_need,
    repacked_bytes,
    repeating_bytes,
)
from snug.core.model_facts import ModelFacts
from snug.core.speed import CONVERSATION_FILL_TOKENS, Work, active_share

CARD_PROCESS_BYTES = 300 * MIB
"""What the driver and the engine's kernels take on a card once a model is loaded there."""
MATRICES_A_LAYER = 3
"""A feed-forward step has about so many matrices of one size; one of them is copied to a card at a time."""


@dataclass(frozen=True, slots=True)
class Split:
    """How many of the last layers (the head counts as one) lie on which card; the experts of the first
    `cpu_experts` layers stay in main memory."""

    cards: tuple[Place, ...] = ()
    counts: tuple[int, ...] = ()
    cpu_experts: int = 0

    @property
    def layers(self) -> int:
        return sum(self.counts)


class Layout:
    """The bytes of a model's parts at one context. Raises UserError for an unknown KV type."""

    def __init__(
        self, facts: ModelFacts, settings: FitSettings, context: int, cpu: Cpu, planned: PlannedMemory | None = None
    ) -> None:
        self.facts = facts
        self.context = context
        self.layers = max(1, facts.layers)
        talk = layer_conversations(facts, context, settings.kv_type, settings.batch)
        self.compute = compute_bytes(facts, context, settings.batch)
        if planned is not None and planned.answers(context, settings):
            self.compute = planned.compute
            talk = _scaled(talk, planned.conversation)
        self.talk = (talk + [0] * self.layers)[: self.layers]
        self.talk[0] += sum(talk[self.layers :])
        self.dense, self.experts = layer_weights(facts)
        self.has_experts = any(self.experts)
        self.output = facts.output_bytes or facts.input_embedding_bytes
        self.other = other_bytes(facts)
        self.beside = Parts(projector=projector_need(settings.projector_bytes), adapters=settings.adapter_bytes)
        self.repacked = repacked_bytes(facts, cpu) if settings.extra_buffers else 0
        self._sums: dict[int, list[int]] = {}
        self._talk_before, self._dense_before, self._experts_before = (
            (0, *accumulate(pieces)) for pieces in (self.talk, self.dense, self.experts)
        )
        self._widest_dense, self._widest_experts = (
            (0, *accumulate(pieces, max)) for pieces in (self.dense, self.experts)
        )

    # --- filling cards ---------------------------------------------------------------------------------------

    def counts(self, cards: Sequence[Place], layers: int, cpu_experts: int, share: float = 1.0) -> tuple[int, ...]:
        """How many of the last `layers` go to each card when one is filled after the other, up to `share` of what is
        free; fewer than `layers` in all where there is no room for the rest."""
        sums = self._piece_sums(cpu_experts)
        first, end = self.layers - min(layers, self.layers), self.layers + (1 if layers > self.layers else 0)
        result, at = [], first
        base = self._card_base(layers, cpu_experts)
        for index, card in enumerate(cards):
            room = int(card.free * share) - base - (self.beside.total if index == 0 else 0)
            stop = min(end, max(at, bisect_right(sums, sums[at] + room) - 1)) if room >= 0 else at
            result.append(stop - at)
            at = stop
        return tuple(result)

    def _card_base(self, layers: int, cpu_experts: int) -> int:
        return CARD_PROCESS_BYTES + self.compute + self._copied(layers, cpu_experts)

    def _copied(self, layers: int, cpu_experts: int) -> int:
        """Room for one matrix of a layer that is not there, or of experts that are not."""
        left = self.layers - min(layers, self.layers)
        experts = self._widest_experts[min(self.layers, max(left, cpu_experts))]
        return max(experts, self._widest_dense[left]) // MATRICES_A_LAYER

    def _piece_sums(self, cpu_experts: int) -> list[int]:
        """Bytes of the layers before each one, were all on one card; the head is the last piece."""
        if cpu_experts not in self._sums:
            pieces = [
                self.dense[index] + self.talk[index] + (self.experts[index] if index >= cpu_experts else 0)
                for index in range(self.layers)
            ]
            self._sums[cpu_experts] = [0, *accumulate([*pieces, self.output])]
        return self._sums[cpu_experts]

    # --- what lies where -------------------------------------------------------------------------------------

    def parts(self, split: Split) -> list[Parts]:
        """What main memory holds, then each card."""
        used = [index for index, count in enumerate(split.counts) if count]
        cards = [self._card_parts(split, index, is_first=index == used[0]) for index in used]
        moved_head = split.layers > self.layers
        doubled = self.output if moved_head and not self.facts.output_bytes else 0
        on_cards = sum(card.weights for card in cards) - doubled
        weights = self.facts.weight_bytes - on_cards
        return [
            Parts(
                weights=weights,
                conversation=self._talk_before[-1] - sum(card.conversation for card in cards),
                compute=self.compute // 4 if moved_head and not split.cpu_experts else self.compute,
                repacked=round(self.repacked * self._left_in_main(split)),
                other=self.other,
            )
            + (Parts() if cards else self.beside),
            *cards,
        ]

    def _left_in_main(self, split: Split) -> float:
        """The share of the layers' weights that stays in main memory."""
        first = self.layers - min(split.layers, self.layers)
        stays = self._dense_before[first] + self._experts_before[min(self.layers, max(first, split.cpu_experts))]
        return stays / max(1, self._dense_before[-1] + self._experts_before[-1])

    def _range(self, split: Split, index: int) -> tuple[int, int, bool]:
        """First layer, the layer after the last, and whether the head is there too, of the card at `index`."""
        first = self.layers - min(split.layers, self.layers) + sum(split.counts[:index])
        end = first + split.counts[index]
        return first, min(end, self.layers), end > self.layers

    def _card_parts(self, split: Split, index: int, *, is_first: bool) -> Parts:
        first, end, has_head = self._range(split, index)
        weights = _between(self._dense_before, first, end)
        weights += _between(self._experts_before, max(first, split.cpu_experts), end)
        held = Parts(
            weights=weights + (self.output if has_head else 0),
            conversation=_between(self._talk_before, first, end),
            compute=self.compute + self._copied(split.layers, split.cpu_experts),
            other=CARD_PROCESS_BYTES,
        )
        return held + self.beside if is_first else held

    # --- what a token touches --------------------------------------------------------------------------------

    def works(self, main: Place, split: Split) -> tuple[Work, ...]:
        """What each place delivers for one token, with a short conversation in the context."""
        dense_share, expert_share = self._active_shares()
        first = self.layers - min(split.layers, self.layers)
        apart = max(0, split.cpu_experts - first)  # layers of cards whose experts are in main memory
        touched = dense_share * self._dense_before[first] + expert_share * _between(
            self._experts_before, 0, first + apart
        )
        has_head = split.layers > self.layers
        works = []
        if touched > 0 or not has_head:
            weights = round(touched) + (0 if has_head else self.output)
            works.append(Work(main, weights, self._talk_touched(0, first), first + apart))
        for index, count in enumerate(split.counts):
            if not count:
                continue
            start, end, head = self._range(split, index)
            weights = round(
                dense_share * _between(self._dense_before, start, end)
                + expert_share * _between(self._experts_before, max(start, split.cpu_experts), end)
            ) + (self.output if head else 0)
            works.append(Work(split.cards[index], weights, self._talk_touched(start, end), end - start))
        return tuple(works)

    def _talk_touched(self, start: int, end: int) -> int:
        states = self.facts.recurrent_state_bytes * (end - start) / self.layers
        fill = min(CONVERSATION_FILL_TOKENS, self.context / 4) / max(1, self.context)
        return round(max(0.0, _between(self._talk_before, start, end) - states) * fill + states)

    def _active_shares(self) -> tuple[float, float]:
        """The shares of the layers' dense weights and of all experts that each token touches."""
        repeating = repeating_bytes(self.facts)
        active = active_share(self.facts, repeating) * repeating
        if not self.has_experts:
            return (active / repeating if repeating else 1.0), 0.0
        return 1.0, max(0.0, min(1.0, (active - self._dense_before[-1]) / self._experts_before[-1]))


def offload_of(split: Split, facts: ModelFacts) -> Offload:
    """The layout as the engine is told."""
    if not split.layers:
        return Offload()
    used = [(card, count) for card, count in zip(split.cards, split.counts, strict=True) if count]
    return Offload(
        gpu_layers=split.layers,
        split=tuple(count for _, count in used),
        devices=tuple(card.engine_name for card, _ in used),
        cpu_experts=split.cpu_experts,
        draft_layers=facts.draft_layers,
    )


def _between(before: tuple[int, ...], first: int, end: int) -> int:
    """The sum of the pieces from `first` to the one before `end`, from the sums before each piece."""
    last = len(before) - 1
    return max(0, before[min(last, end)] - before[min(last, first)])


def _scaled(parts: list[int], total: int) -> list[int]:
    """The parts, each in proportion, so that they sum to `total`; what rounding leaves falls to the first."""
    whole = sum(parts)
    if not whole:
        return [total, *parts[1:]] if parts else parts
    scaled = [part * total // whole for part in parts]
    return [scaled[0] + total - sum(scaled), *scaled[1:]]
