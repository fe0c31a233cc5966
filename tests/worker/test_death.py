"""Why a child died, in words."""

from __future__ import annotations

import re

import pytest

from snug.worker.death import MemoryFacts, explain_bad_frame, explain_death, explain_hang

GB = 1_000_000_000


@pytest.mark.parametrize(
    ("code", "stderr", "kind"),
    [
        (-9, "", "killed"),
        (-15, "", "killed"),
        (-11, "", "engine-crash"),
        (-6, "GGML_ASSERT(n > 0) failed", "engine-abort"),
        (-6, "terminate called after throwing an instance of 'std::bad_alloc'", "no-memory"),
        (-7, "", "file-gone"),
        (-4, "", "wrong-processor"),
        (1, "vk::DeviceLostError: ErrorDeviceLost", "gpu-lost"),
        (-6, "CUDA error: out of memory", "gpu-memory"),
        (76, "", "bad-child"),
        (76, "the parent sent something that is no message: protocol version 2, not 1", "other-version"),
        (77, "the chat template never ended", "template"),
        (3, "", "ended"),
        (0, "", "ended"),
        (0xC0000005, "", "engine-crash"),
        (0xC000001D, "", "wrong-processor"),
        (-1073741795, "", "wrong-processor"),
        (0xC0000006, "", "file-gone"),
    ],
)
def test_each_way_to_die_has_its_own_cause(code: int, stderr: str, kind: str) -> None:
    assert explain_death(code, None, stderr).kind == kind


def test_a_signal_as_qprocess_reports_it_means_the_same() -> None:
    assert explain_death(None, 11).kind == explain_death(-11).kind == "engine-crash"


def test_a_kill_without_a_word_is_lack_of_memory_where_more_was_needed_than_free() -> None:
    death = explain_death(-9, None, "", MemoryFacts(available=8 * GB, needed=12 * GB))
    assert death.kind == "no-memory"
    assert "12.0 GB" in death.cause
    assert "8.0 GB" in death.cause


def test_a_kill_with_memory_to_spare_is_not_called_lack_of_memory() -> None:
    assert explain_death(-9, None, "", MemoryFacts(available=8 * GB, needed=2 * GB)).kind == "killed"


def test_a_frame_of_another_version_asks_to_restart() -> None:
    death = explain_bad_frame("protocol version 2, not 1")
    assert death.kind == "other-version"
    assert "open it again" in death.advice


def test_people_read_no_technical_words() -> None:
    deaths = [explain_death(-number) for number in (4, 6, 7, 9, 11, 15)]
    deaths += [explain_bad_frame("x"), explain_hang(60), explain_death(1), explain_death(77)]
    for death in deaths:
        assert not re.search(r"SIG|signal|exit code|segmentation|Traceback|Exception", death.cause + death.advice)
        assert death.cause.endswith(".")
        assert death.advice.endswith(".")
