"""Who holds a card's own memory, out of Windows' performance counters, asked beside the memory modules in one go."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snug.core.machine import Gpu, Holder
from snug.core.machine_words import figure_rows, used_line
from snug.core.make_room import NOT_TO_CLOSE
from snug.system import windows_holders
from snug.system.card_holders import CardUse, program_of
from snug.system.environment import Environment, NotReadable, Unfinished
from snug.system.machine import combined, read_machine
from snug.system.process_list import ask_programs
from snug.system.reading import Reading
from snug.system.windows_cim import CARDS, CLASSES, COMMAND, MODULES, PROCESSES, parse, rows
from snug.system.windows_graphics import parse as parse_graphics
from snug.system.windows_holders import parse_cards, parse_processes, uses

CARD, OTHER = "0x00000000_0x0000d1b4", "0x00000000_0x0000c42a"
GIB, MIB = 2**30, 2**20
SIZES = {CARD: 12 * GIB}
values: Any = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12))


def process(pid: int, held: Any, luid: str = "0x00000000_0x0000D1B4", part: int = 0) -> dict[str, Any]:
    return {"Name": f"pid_{pid}_luid_{luid}_phys_{part}", "LocalUsage": held}


def adapter(used: Any, luid: str = "0x00000000_0x0000D1B4") -> dict[str, Any]:
    return {"Name": f"luid_{luid}_phys_0", "DedicatedUsage": used}


class Answering(Environment):
    """A Windows that answers PowerShell's commands in a given way and counts them."""

    def __init__(self, answer: str | NotReadable) -> None:
        super().__init__("C:\\models")
        self.answer, self.asked = answer, 0

    def output(self, command: Sequence[str], timeout_s: float = 0) -> str:
        self.asked += 1
        if isinstance(self.answer, NotReadable):
            raise self.answer
        return self.answer


# Windows' answers.


@pytest.mark.parametrize(
    "said",
    [
        json.dumps([process(7, MIB)], separators=(",", ":")),
        json.dumps(process(7, MIB)),  # PowerShell writes one instance without the list
        json.dumps(process(7, MIB), indent=1).replace("\n", "\r\n"),
    ],
)
def test_one_instance_is_read_with_or_without_a_list(said: str) -> None:
    found = parse(f"{MODULES}\r\n{CARDS}\r\n{PROCESSES}\r\n{said}\r\n")
    assert found == {MODULES: [], CARDS: [], PROCESSES: [process(7, MIB)]}


@pytest.mark.parametrize(
    "said",
    [
        "",
        "\n".join(CLASSES),  # no such class (Windows 8), refused, or no time left: the name with nothing behind it
        f"{MODULES}\nnull\n{CARDS}\n[]\n{PROCESSES}\n[null, 3, []]",
        f'{MODULES}\n[{{"Capacity":1\n{CARDS}\nZugriff verweigert\n{PROCESSES}\n',
        '[{"Name":"pid_7"}]',  # nothing says of what
    ],
)
def test_what_is_no_answer_has_no_instances(said: str) -> None:
    assert parse(said) == {name: [] for name in CLASSES}


def test_every_class_is_asked_in_one_powershell_which_runs_once_a_reading() -> None:
    environment = Answering(f"{CARDS}\n{json.dumps(adapter(5))}")
    assert rows(environment, MODULES) == []
    assert rows(environment, CARDS) == [adapter(5)]
    assert environment.asked == 1
    assert all(f"'{name}'; " in COMMAND[-1] for name in CLASSES)
    assert '"' not in COMMAND[-1]  # Windows' command lines and PowerShell quote it differently


def test_what_was_said_before_the_time_was_up_counts_and_silence_is_not_waited_for_twice() -> None:
    module = {"Capacity": 5}
    late = Answering(Unfinished("too late", f"{MODULES}\n{json.dumps(module)}\n{CARDS}\n"))
    assert (rows(late, MODULES), rows(late, CARDS)) == ([module], [])
    silent = Answering(Unfinished("powershell did not answer within 6 seconds", ""))
    for _ in range(2):
        with pytest.raises(NotReadable, match="did not answer"):
            rows(silent, PROCESSES)
    assert (late.asked, silent.asked) == (1, 1)


@pytest.mark.skipif(sys.platform == "win32", reason="sh is not there")
def test_a_command_that_is_stopped_hands_over_what_it_printed() -> None:
    with pytest.raises(Unfinished) as stopped:
        Environment("").output(("sh", "-c", "echo first; exec sleep 60"), timeout_s=1)
    assert stopped.value.printed == "first\n"


# Counters.


def test_a_process_holds_what_is_local_to_the_card_in_all_its_parts() -> None:
    row = {**process(7, 300 * MIB), "DedicatedUsage": 14 * GIB, "SharedUsage": GIB}
    assert parse_processes([row, process(7, MIB, part=1)], SIZES) == {(CARD, 7): 301 * MIB}


def test_what_is_held_on_other_adapters_is_left_out() -> None:
    assert parse_processes([process(7, MIB, "0x00000000_0x0000C42A")], SIZES) == {}
    assert parse_cards([adapter(MIB, "0x00000000_0x0000C42A")], SIZES) == {}


def test_counters_that_ran_away_beyond_the_card_are_left_out() -> None:
    assert parse_processes([process(7, 213 * GIB), process(8, GIB)], SIZES) == {(CARD, 8): GIB}
    assert parse_cards([adapter(13 * GIB)], SIZES) == {}


@pytest.mark.parametrize("figure", [None, -5, "", "many", True, 2**64, [1]])
def test_what_is_no_number_of_bytes_holds_nothing(figure: Any) -> None:
    assert parse_processes([process(7, figure)], SIZES) == {}
    assert parse_cards([adapter(figure)], SIZES) == {}


@given(st.lists(st.one_of(values, st.fixed_dictionaries({}, optional=dict.fromkeys(
    ("Name", "LocalUsage", "DedicatedUsage"), values
)))), values)  # fmt: skip
def test_nonsense_holds_nothing(instances: list[Any], name: Any) -> None:
    found = [row for row in instances if isinstance(row, dict)]
    assert parse_processes(found, SIZES) == {}
    assert parse_cards([{"Name": name, "DedicatedUsage": 5}], SIZES) == {}


def test_a_process_that_ended_meanwhile_is_not_named_and_one_that_hides_its_name_is_another_program() -> None:
    held = {(CARD, 7): GIB, (CARD, 8): 2 * GIB, (CARD, 9): 3 * GIB}
    programs = {8: {"name": "", "is_own": False}, 9: {"name": "python.exe", "is_own": True}}
    assert uses({CARD: 7 * GIB}, held, programs) == {
        CARD: CardUse(7 * GIB, (Holder("Snug", 3 * GIB), Holder("Another program", 2 * GIB)))
    }


def test_processes_of_one_program_add_up_card_by_card() -> None:
    held = {(CARD, 7): GIB, (CARD, 8): GIB, (OTHER, 7): 3 * GIB}
    programs = {pid: {"name": "chrome.exe"} for pid in (7, 8)}
    assert uses({}, held, programs) == {
        CARD: CardUse(0, (Holder("Google Chrome", 2 * GIB),)),
        OTHER: CardUse(0, (Holder("Google Chrome", 3 * GIB),)),
    }


def test_this_computers_processes_are_named_and_ended_ones_left_out() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    programs = ask_programs([os.getpid(), ended.pid])
    assert list(programs) == [os.getpid()]
    assert programs[os.getpid()]["name"]


SYSTEM_PARTS = (
    "dwm.exe", "explorer.exe", "System", "csrss.exe", "StartMenuExperienceHost.exe", "SearchHost.exe", "MsMpEng.exe",
    "MemCompression", "gnome-shell", "plasmashell", "cinnamon", "Xorg", "Xwayland", "WindowServer", "snug", "",
)  # fmt: skip


def test_what_is_known_as_nothing_to_close_is_what_parts_of_the_system_are_called() -> None:
    assert {program_of({"name": name}) for name in SYSTEM_PARTS} == NOT_TO_CLOSE


# In the machine.


def drawn(free: int, use: CardUse, total: int = 12 * GIB, name: str = "Intel(R) Arc(TM) A770 Graphics") -> Reading:
    figures = {"name": name, "vendor": "8086", "device": "56a0", "luid": CARD, "dedicated": total, "budget": free}
    return parse_graphics([figures], Reading(), {CARD: use})


@pytest.mark.parametrize(
    ("budget", "held", "free", "source"),
    [
        (11 * GIB, 8 * GIB, 4 * GIB, f"{windows_holders.SOURCE}: what no program holds"),
        (3 * GIB, 8 * GIB, 3 * GIB, "Windows (DXGI): what Windows lets a new program use"),
        (11 * GIB, 0, 11 * GIB, "Windows (DXGI): what Windows lets a new program use"),
        (0, 8 * GIB, 4 * GIB, f"{windows_holders.SOURCE}: what no program holds"),
        (0, 0, 12 * GIB, "taken as all of it: this Windows does not say what is in use"),
    ],
)
def test_free_is_what_windows_grants_and_no_more_than_nobody_holds(
    budget: int, held: int, free: int, source: str
) -> None:
    reading = drawn(budget, CardUse(held))
    assert (reading.gpus[0].memory_free, reading.gpus[0].memory_used) == (free, held)
    assert reading.sources["gpus.0.memory_free"] == source


def test_graphics_of_the_processor_have_no_holders_of_their_own() -> None:
    gpu = drawn(GIB, CardUse(GIB, (Holder("A game", GIB),)), name="Intel(R) UHD Graphics 770").gpus[0]
    assert (gpu.kind, gpu.holders, gpu.memory_used) == ("integrated", (), 0)


def card(*holders: Holder, pci_id: str = "") -> Gpu:
    return Gpu("NVIDIA GeForce RTX 3090", "discrete", 24 * GIB, vendor="nvidia", pci_id=pci_id, holders=holders)


def test_holders_of_a_card_that_is_known_already_are_taken_over_with_their_source() -> None:
    first = Reading(gpus=(Gpu("Intel(R) UHD Graphics 770", "integrated", vendor="intel"), card(pci_id="0000:01:00.0")))
    second = Reading(gpus=(card(Holder("Steam", GIB)),), sources={"gpus.0.holders": "counters", "gpus.0.name": "DXGI"})
    machine = combined("windows", [first, second])
    assert [gpu.holders for gpu in machine.gpus] == [(), (Holder("Steam", GIB),)]
    assert machine.sources["gpus.1.holders"] == "counters"
    assert "gpus.1.name" not in machine.sources


def test_holders_of_twins_are_not_guessed_and_those_that_a_driver_names_stay() -> None:
    twins = Reading(gpus=(card(pci_id="0000:01:00.0"), card(pci_id="0000:02:00.0")))
    described = Reading(gpus=(card(Holder("Steam", GIB)), card()))
    assert not any(gpu.holders for gpu in combined("windows", [twins, described]).gpus)
    one = Reading(gpus=(card(Holder("Blender", GIB), pci_id="0000:01:00.0"),))
    assert combined("windows", [one, Reading(gpus=described.gpus[:1])]).gpus[0].holders[0].name == "Blender"


def test_the_machine_says_who_holds_a_card_on_windows(recording: Any) -> None:
    environment = recording("windows-rtx-3060-in-use")
    machine = read_machine(environment.models_folder, environment=environment)
    row = next(row for row in figure_rows(machine) if row.key == "gpus.0.holders")
    assert (row.label, row.value) == ("Held on it by", "Snug: 612 MB, The Windows desktop: 403 MB")
    assert row.source == windows_holders.SOURCE
    assert "on the NVIDIA GeForce RTX 3060 (The Windows desktop: 403 MB)" in used_line(machine)
