"""How the next token is chosen: llama.cpp's sampler chain from plain settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from snug.engine.library import llama

PENALTY_WINDOW = 64
_RANDOM_SEED = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """`temperature` 0 is greedy; `seed` -1 draws a new one each time; `max_tokens` ends the answer."""

    temperature: float = 0.7
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    seed: int = -1
    max_tokens: int = 2048
    stop: tuple[str, ...] = ()


class Sampler:
    """A sampler chain; `close` it. `sample` also tells the chain what was chosen."""

    def __init__(self, settings: SamplingSettings, vocabulary_size: int) -> None:
        self._llama = llama()
        self.chain = self._llama.llama_sampler_chain_init(self._llama.llama_sampler_chain_default_params())
        for part in self._parts(settings, vocabulary_size):
            self._llama.llama_sampler_chain_add(self.chain, part)

    def _parts(self, settings: SamplingSettings, vocabulary_size: int) -> list[Any]:
        api = self._llama
        parts = []
        if settings.repeat_penalty != 1.0:
            penalty = settings.repeat_penalty
            parts.append(api.llama_sampler_init_penalties(vocabulary_size, PENALTY_WINDOW, penalty, 0.0, 0.0))
        if settings.temperature <= 0:
            return [*parts, api.llama_sampler_init_greedy()]
        if settings.top_k > 0:
            parts.append(api.llama_sampler_init_top_k(settings.top_k))
        if settings.top_p < 1:
            parts.append(api.llama_sampler_init_top_p(settings.top_p, 1))
        if settings.min_p > 0:
            parts.append(api.llama_sampler_init_min_p(settings.min_p, 1))
        parts.append(api.llama_sampler_init_temp(settings.temperature))
        seed = _RANDOM_SEED if settings.seed < 0 else settings.seed & 0xFFFFFFFF
        return [*parts, api.llama_sampler_init_dist(seed)]

    def close(self) -> None:
        if self.chain is not None:
            self._llama.llama_sampler_free(self.chain)
            self.chain = None
