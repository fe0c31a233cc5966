"""What the checks of a finished conversion found, in words for people and with the details behind them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One check: a stable name, whether all is as it should be, a sentence, technical details.

    `is_done` False says that the check had nothing to look at; `ok` is then True and the sentence says why.
    """

    name: str
    ok: bool
    words: str
    details: str = ""
    is_done: bool = True


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All checks in the order in which they are shown.

    `sample` is the answer of the test chat and `tokens_per_s` its speed; `perplexity`, `divergence` (nats a token) and
    `same_of_thousand` are the quality check's figures, the latter two against the original; `kv_type` is what the
    memory check recommends. 0, -1 and "" stand for what was not measured.
    """

    checks: tuple[Check, ...]
    sample: str = ""
    perplexity: float = 0.0
    kv_type: str = ""
    divergence: float = -1.0
    same_of_thousand: int = -1
    tokens_per_s: float = 0.0

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)
