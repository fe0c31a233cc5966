"""Settings in the real window: searched, applied at once, checked, taken back."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from snug.core.settings import SETTINGS


@pytest.fixture
def settings(hands):
    hands.go("settings")
    return hands


def test_every_declared_setting_that_is_not_hidden_has_a_control(settings):
    shown = {row["key"] for row in settings.rooms.settings.rows.rows()}
    assert shown == {declared.key for declared in SETTINGS if not declared.is_hidden}
    for key in shown:
        assert settings.is_shown(f"set_{key}"), key


def test_dark_is_applied_at_once_and_kept(settings):
    assert settings.app.property("dark") is False
    settings.rooms.settings.change("appearance.theme", "dark")
    assert settings.app.property("dark") is True
    assert settings.rooms.store.settings.get("appearance.theme") == "dark"


def test_a_switch_is_pressed_and_taken_back(settings):
    settings.click("set_appearance.reduced_motion")
    assert settings.rooms.store.settings.get("appearance.reduced_motion") is True
    settings.click("reset_appearance.reduced_motion")
    assert settings.rooms.store.settings.get("appearance.reduced_motion") is False


def test_a_number_is_stepped_with_the_keyboard(settings):
    settings.item("set_appearance.text_size").forceActiveFocus()
    settings.key(Qt.Key.Key_Up)
    assert settings.rooms.store.settings.get("appearance.text_size") == 101


def test_a_wrong_value_stays_out_and_says_why(settings):
    settings.rooms.settings.change("appearance.text_size", 1000)
    assert settings.rooms.store.settings.get("appearance.text_size") == 100
    row = next(row for row in settings.rooms.settings.rows.rows() if row["key"] == "appearance.text_size")
    assert "between 75 and 200" in row["problem"]


def test_a_folder_that_cannot_be_written_is_refused(settings, tmp_path):
    (tmp_path / "file").write_text("")
    settings.rooms.settings.change("downloads.folder", str(tmp_path / "file" / "below"))
    assert settings.rooms.store.settings.get("downloads.folder") == ""
    row = next(row for row in settings.rooms.settings.rows.rows() if row["key"] == "downloads.folder")
    assert "cannot write" in row["problem"]


def test_the_search_finds_settings_by_their_words(settings):
    settings.click("settingsSearch")
    settings.write("proxy")
    assert [row["key"] for row in settings.rooms.settings.rows.rows()] == ["network.proxy"]
    settings.write("zzz")
    assert settings.rooms.settings.rows.rows() == []
    settings.key(Qt.Key.Key_Escape)
    assert len(settings.rooms.settings.rows.rows()) > 5


def test_the_settings_are_there_after_the_next_start(settings, open_rooms, known_home):
    settings.rooms.settings.change("appearance.theme", "dark")
    settings.rooms.close()
    again = open_rooms(known_home)
    assert again.app_model.property("dark") is True
    assert again.store.settings.get("appearance.theme") == "dark"


def test_the_licences_of_fonts_and_icons_can_be_read(settings):
    settings.rooms.settings.readLicences()
    names = {row["name"] for row in settings.rooms.settings.licences.rows()}
    assert {"inter", "jetbrains-mono", "lucide"} <= names


def test_settings_pictures(settings):
    assert settings.save_pictures("settings")


def test_what_the_keyboard_reaches_is_scrolled_into_sight(settings):
    item = settings.item("set_privacy.bin_days")
    assert settings.centre(item).y() > settings.view.height()
    item.forceActiveFocus(Qt.FocusReason.TabFocusReason)
    settings.settle()
    assert 0 < settings.centre(item).y() < settings.view.height()
