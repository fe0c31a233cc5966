"""The shell: rail and shortcuts, notices, troubles, toasts, and a slot that fails."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt

from snug.core.errors import UserError
from snug.ui.app_model import SCREENS
from snug.ui.faults import FaultHook


def test_each_place_of_the_rail_has_its_key(hands):
    for number, screen in enumerate(SCREENS, start=1):
        hands.key(Qt.Key(Qt.Key.Key_0 + number), Qt.KeyboardModifier.ControlModifier)
        assert hands.app.property("screen") == screen
        hands.settle()


def test_each_place_of_the_rail_opens_its_screen_and_all_in_it_has_a_name(hands):
    for screen in SCREENS:
        assert hands.go(screen).isVisible()
        assert hands.nameless() == [], screen
        assert hands.small_targets() == [], screen


def test_text_of_twice_the_size_stays_inside_a_small_window(hands, qtbot):
    hands.view.resize(900, 600)
    hands.app.set_look(replace(hands.app._look, text_size=200, reduced_motion=True))
    for screen in SCREENS:
        hands.go(screen)
        if screen == "home":
            hands.item("pick0")
        qtbot.waitUntil(lambda: hands.outside() == [], timeout=20_000)


def test_the_rail_is_reached_with_tab_and_pressed_with_return(hands):
    hands.item("railDiscover").forceActiveFocus(Qt.FocusReason.TabFocusReason)
    hands.key(Qt.Key.Key_Tab)
    assert hands.view.activeFocusItem().objectName() == "railLibrary"
    hands.key(Qt.Key.Key_Return)
    assert hands.app.property("screen") == "library"


def test_a_notice_stays_until_it_is_dismissed(hands):
    hands.app.add_notice("Snug found its database damaged.", "Restored 12 of 12 messages.")
    hands.settle()
    assert "Snug found its database damaged." in hands.text("notice") or hands.is_shown("notice")
    hands.save_pictures("notice")
    hands.click("bannerDismiss")
    assert not hands.is_shown("notice")


def test_a_trouble_covers_the_screens_and_says_what_to_do(hands):
    hands.app.set_trouble(
        UserError("This home was made by a newer Snug.", "Install the newer version; nothing was changed.")
    )
    hands.settle()
    assert hands.is_shown("trouble")
    hands.save_pictures("trouble")


def test_an_exception_in_a_slot_is_logged_and_told_and_the_app_goes_on(hands, home, qtbot):
    hook = FaultHook(home / "logs", hands.app.toast.emit)
    try:
        raise RuntimeError("a slot failed")
    except RuntimeError:
        hook.handle(*sys.exc_info())
    hands.settle()
    assert "Nothing was lost" in str(hands.item("toast").property("text"))
    assert "a slot failed" in (home / "logs" / "faults.log").read_text()
    hands.go("library")


def test_a_running_download_shows_as_a_ring_on_the_rail(hands):
    hands.app.set_download_progress(0.4)
    hands.settle()
    assert hands.item("railDownloads").property("progress") == pytest.approx(0.4)
