"""Who holds memory: processes grouped by application, each by the name that people know."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from snug.core.machine import Holder
from snug.system.memory_holders import ZFS_CACHE, parse, parse_zfs
from snug.system.process_list import ask_processes, held_of_rollup, own_processes
from snug.system.program_names import program_name, starts_helpers

MB = 1_000_000


def process(pid: int, name: str, held: int, parent: int = 1, **more: Any) -> dict[str, Any]:
    return {"pid": pid, "parent": parent, "name": name, "held": held * MB, "is_own": False, **more}


def test_the_processes_of_a_browser_are_one_application() -> None:
    found = parse([
        process(10, "firefox", 600), process(11, "Isolated Web Co", 500, 10), process(12, "RDD Process", 100, 10),
        process(20, "chrome", 300), process(21, "chrome", 200, 20),
    ])  # fmt: skip
    assert found == (Holder("Firefox", 1200 * MB), Holder("Google Chrome", 500 * MB))


def test_helpers_of_an_editor_belong_to_it_and_programs_of_a_terminal_do_not() -> None:
    found = parse([
        process(10, "code", 400), process(11, "node", 300, 10), process(12, "clangd", 900, 11),
        process(20, "gnome-terminal-", 120), process(21, "bash", 5, 20), process(22, "train.py", 700, 21),
    ])  # fmt: skip
    assert found == (Holder("Visual Studio Code", 1600 * MB), Holder("train.py", 700 * MB),
                     Holder("gnome-terminal-", 120 * MB))  # fmt: skip


@pytest.mark.parametrize(
    ("group", "name"),
    [
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-firefox-4211.scope", "Firefox"),
        ("/user.slice/user@1000.service/app.slice/app-org.kde.dolphin-0a1b2c3d4e5f.scope", "Dolphin"),
        ("/user.slice/user@1000.service/app.slice/app-flatpak-com.spotify.Client-3344.scope", "Spotify"),
        ("/user.slice/user@1000.service/app.slice/snap.firefox.firefox-2f3a.scope", "Firefox"),
        (r"/user.slice/app.slice/app-gnome-google\x2dchrome-990.scope", "Google Chrome"),
    ],
)
def test_an_applications_control_group_names_it(group: str, name: str) -> None:
    assert parse([process(5, "whatever", 500, group=group)]) == (Holder(name, 500 * MB),)


def test_a_terminals_group_is_not_taken_for_what_runs_in_it() -> None:
    for scope in ("app-org.gnome.Terminal.slice/vte-spawn-1b2c.scope", "app-org.kde.konsole-12ab34cd.scope"):
        group = f"/user.slice/user@1000.service/app.slice/{scope}"
        assert parse([process(5, "blender", 900, group=group)]) == (Holder("Blender", 900 * MB),)


def test_snugs_own_processes_are_named_snug_whatever_they_are_called() -> None:
    assert parse([process(5, "python3.11", 900, is_own=True)]) == (Holder("Snug", 900 * MB),)


def test_small_ones_are_left_out_and_the_largest_come_first() -> None:
    found = parse([process(number, f"program{number:02}", 40 * number) for number in range(1, 20)])
    assert len(found) == 8
    assert found[0] == Holder("program19", 760 * MB)
    assert all(holder.size_bytes >= 100 * MB for holder in found)


def test_the_file_cache_of_zfs_is_a_holder() -> None:
    statistics = "13 1 0x01 147 39984 1 2\nname type data\nc_min 4 1000000000\nsize  4  9000000000\n"
    assert parse_zfs(statistics) == 8000 * MB
    assert parse([], 8000 * MB) == (Holder(ZFS_CACHE, 8000 * MB),)


def test_pages_of_files_do_not_count_as_held() -> None:
    rollup = "Rss: 9000 kB\nPss: 8000 kB\nPss_Anon:   700 kB\nPss_File:  7000 kB\nPss_Shmem:  300 kB\n"
    assert held_of_rollup(rollup) == 1000 * 1024


def test_parents_that_go_in_a_circle_do_not_hang() -> None:
    assert parse([process(5, "a", 500, 6), process(6, "b", 500, 5)])


@pytest.mark.parametrize(
    ("name", "people_say"),
    [
        ("chrome.exe", "Google Chrome"),
        ("Google Chrome Helper (Renderer)", "Google Chrome"),
        (r"C:\Program Files\Mozilla Firefox\firefox.exe", "Firefox"),
        ("/usr/lib/xorg/Xorg", "The display (X.Org)"),
        ("python3.12", "A Python program"),
        ("vmmemWSL", "Linux on Windows (WSL)"),
        ("something-else", "something-else"),
        ("", ""),
    ],
)
def test_programs_have_the_names_that_people_know(name: str, people_say: str) -> None:
    assert program_name(name) == people_say


def test_a_desktop_does_not_own_what_it_starts() -> None:
    assert starts_helpers("firefox")
    assert not starts_helpers("gnome-shell")


def test_this_computers_processes_are_listed_and_this_one_is_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snug.system.process_list.LONGEST_S", 30.0)  # all of them, however busy this computer is
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        found = {row["pid"]: row for row in ask_processes()}
        assert found[child.pid]["is_own"] is True
        assert all(row["held"] >= 0 for row in found.values())
    finally:
        child.communicate()


def test_the_starter_of_this_process_is_our_own_and_its_neighbours_are_not() -> None:
    rows = [{"pid": 999_999_991, "parent": 999_999_990}]
    assert 999_999_991 not in own_processes(rows)
