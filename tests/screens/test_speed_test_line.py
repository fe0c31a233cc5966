"""The speed test in the real window: a calm line on Home while a real child measures, and it can be skipped."""

from __future__ import annotations


def test_the_line_says_what_is_done_and_is_gone_when_skipped(hands):
    test = hands.rooms.speed_test
    assert not hands.is_shown("speedTestLine")
    test.start()
    hands.bot.waitUntil(lambda: "seconds left" in test.text, timeout=20_000)
    hands.settle()
    assert hands.text("speedTestLine").startswith("Getting to know this computer…")
    assert hands.nameless() == []
    assert hands.small_targets() == []
    hands.save_pictures("home-speed-test")
    hands.click("skipSpeedTest")
    hands.bot.waitUntil(lambda: not hands.is_shown("speedTestLine"))
    assert hands.rooms.store.machine.speed_test() is None
