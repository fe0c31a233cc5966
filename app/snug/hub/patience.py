"""How long Snug waits for the network, and how it goes about a download: figures, so that tests can have others."""

from __future__ import annotations

from dataclasses import dataclass

from snug.core.disk_room import SPARE_BYTES, SPARE_SHARE

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds and counts. `hint_s`: after this long without an answer the person is told that Snug still waits."""

    connect_s: float = 3.0
    answer_s: float = 20.0
    hint_s: float = 4.0
    stall_s: float = 30.0
    tries: int = 6
    backoff_first_s: float = 1.0
    backoff_most_s: float = 30.0
    retry_after_most_s: float = 900.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How a file is cut up. A kill costs at most `step_bytes` a connection, so at most 8 MiB in all.

    The disk must have room for what is missing, `spare_share` of it more, and `spare_bytes`.
    """

    parallel: int = 4
    range_bytes: int = 64 * MIB
    smallest_range_bytes: int = 8 * MIB
    step_bytes: int = 2 * MIB
    smallest_step_bytes: int = MIB // 4
    step_s: float = 2.0
    spare_share: float = SPARE_SHARE
    spare_bytes: int = SPARE_BYTES

    def step_for(self, size_bytes: int) -> int:
        """How many bytes of a file of this size are fetched before the journal is told."""
        return max(self.smallest_step_bytes, min(self.step_bytes, size_bytes // 64))

    def range_for(self, size_bytes: int) -> int:
        """How much of a file of this size one connection is given at a time."""
        return max(self.smallest_range_bytes, min(self.range_bytes, -(-size_bytes // self.parallel)))


DEFAULT_PATIENCE = Patience()
DEFAULT_PLAN = Plan()
