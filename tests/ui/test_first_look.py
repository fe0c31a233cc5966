"""The small file for the first frame: kept, and harmless when it is damaged."""

from __future__ import annotations

import pytest

from snug.ui.first_look import FirstLook, read_first_look, write_first_look


def test_what_was_written_is_read_again(tmp_path):
    look = FirstLook(
        width=1000, height=700, x=-5, y=20, maximised=True, theme="dark", text_size=120, reduced_motion=True
    )
    write_first_look(tmp_path / "new" / "first_look.json", look)
    assert read_first_look(tmp_path / "new" / "first_look.json") == look


def test_a_missing_file_gives_the_defaults(tmp_path):
    assert read_first_look(tmp_path / "none.json") == FirstLook()


@pytest.mark.parametrize(
    "text", ["", "[1, 2]", "{", "\x00\xff", '{"width": "wide", "theme": 3, "x": true, "height": 1e9}']
)
def test_damage_gives_the_defaults(tmp_path, text):
    path = tmp_path / "first_look.json"
    path.write_text(text, encoding="latin-1")
    assert read_first_look(path) == FirstLook()


def test_what_cannot_be_written_is_left(tmp_path):
    (tmp_path / "file").write_text("")
    write_first_look(tmp_path / "file" / "first_look.json", FirstLook())
