"""Make it fit in the real window: from an empty screen to a file that is chatted with, and what goes wrong on the way."""

from __future__ import annotations


def test_an_empty_screen_says_what_to_do(hands):
    hands.go("fit")
    assert hands.is_shown("fitEmpty")
    assert not hands.nameless()
    assert not hands.small_targets()
    hands.save_pictures("make-it-fit-empty")
