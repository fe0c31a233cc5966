"""Who holds a card's own memory, out of what Linux' graphics drivers say of each open file."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snug.core.machine import Holder
from snug.system.drm_clients import CardUse, ask_drm_clients, parse

CARD = "0000:03:00.0"
MIB = 2**20


def opened(*lines: str, client: str = "7", pid: int = 900, name: str = "blender", is_own: bool = False) -> Any:
    head = ("pos:\t0", "drm-driver:\tamdgpu", f"drm-client-id:\t{client}", f"drm-pdev:\t{CARD}")
    return {"pid": pid, "name": name, "is_own": is_own, "fdinfo": "\n".join((*head, *lines)) + "\n"}


@pytest.mark.parametrize(
    ("lines", "held"),
    [
        (("drm-memory-vram:\t204800 KiB", "drm-memory-gtt: \t9 KiB"), 200 * MIB),  # Linux 5.19 to 6.12
        (("drm-total-vram:\t200 MiB", "drm-shared-vram:\t50 MiB", "drm-resident-vram:\t150 MiB"), 100 * MIB),
        (("drm-total-vram0:\t100 MiB", "drm-resident-vram0:\t100 MiB", "drm-resident-vram1:\t60 MiB"), 160 * MIB),
        (("drm-total-local0:\t104857600", "drm-resident-local0:\t104857600"), 100 * MIB),
        (("drm-resident-vram:\t10 KiB", "drm-shared-vram:\t40 KiB"), 0),
    ],
)
def test_every_drivers_name_for_a_cards_own_memory_counts(lines: tuple[str, ...], held: int) -> None:
    assert parse([opened(*lines)])[CARD].held == held


def test_main_memory_that_a_card_borrows_is_not_held_on_it() -> None:
    assert parse([opened("drm-resident-gtt:\t900 MiB", "drm-resident-system0:\t9 MiB", "drm-resident-vram:\t0")]) == {
        CARD: CardUse()
    }


def test_one_opening_that_several_programs_share_is_counted_once() -> None:
    lines = ("drm-memory-vram:\t300 MiB",)
    shared = [opened(*lines, pid=pid, name="firefox") for pid in (900, 901, 902)]
    assert parse(shared)[CARD] == CardUse(300 * MIB, (Holder("Firefox", 300 * MIB),))


def test_openings_of_one_program_add_up_and_snugs_own_are_named_so() -> None:
    clients = [
        opened("drm-memory-vram:\t300 MiB", client="1"),
        opened("drm-memory-vram:\t200 MiB", client="2"),
        opened("drm-memory-vram:\t4 GiB", client="3", name="python3", is_own=True),
        opened("drm-memory-vram:\t10 MiB", client="4", name="mpv"),
    ]
    assert parse(clients)[CARD] == CardUse(4606 * MIB, (Holder("Snug", 4096 * MIB), Holder("Blender", 500 * MIB)))


@given(st.lists(st.one_of(st.none(), st.text(), st.fixed_dictionaries({"fdinfo": st.text(), "pid": st.integers()}))))
def test_nonsense_holds_nothing(clients: list[Any]) -> None:
    assert all(use.held >= 0 for use in parse(clients).values())


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux' own")
def test_this_computer_answers_in_the_same_form() -> None:
    for client in ask_drm_clients():
        assert client["fdinfo"].startswith("pos:")
        assert os.path.isdir(f"/proc/{client['pid']}") or client["name"]
