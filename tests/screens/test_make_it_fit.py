"""Make it fit in the real window: from an empty screen to a file that is chatted with, and what goes wrong."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, Qt

from tests.hub.pip_variants import pip_as
from tests.screens.conftest import PICTURES

LIMIT_MS = 90_000


def library_model(hands, name: str):
    return next(model for model in hands.rooms.store.models.all() if name in model.name)


def choose(fit, type_name: str) -> None:
    """Move the slider to a type."""
    for stop in range(fit.size.stopCount):
        fit.size.choose(stop)
        if fit.size.chosenType == type_name:
            return
    raise AssertionError(f"{type_name} is not offered")


def edges(hands, item) -> tuple[float, float]:
    """Where an item begins and ends, from the window's left."""
    left = item.mapToScene(QPointF(0, 0)).x()
    return left, left + item.width()


def check_size_names(hands) -> None:
    """The chosen word stands under the knob, as near as the ends allow, and no word touches another."""
    slider = hands.item("fitSlider")
    start, end = edges(hands, slider)
    knob = hands.centre(slider.property("handle")).x()
    chosen = edges(hands, hands.item("fitChosenName"))
    middle = min(max(knob, start + (chosen[1] - chosen[0]) / 2), end - (chosen[1] - chosen[0]) / 2)
    assert abs(sum(chosen) / 2 - middle) <= 2
    words = sorted([chosen, *(edges(hands, item) for item in hands.items("fitSizeName"))])
    assert all(one[1] < other[0] for one, other in pairwise(words)), words


def look_at(hands, text: str) -> None:
    """Write the source into the line, as a person does, and wait for the answer."""
    hands.go("fit")
    hands.click("fitSource")
    hands.rooms.fit.write(text)
    hands.rooms.fit.look()
    hands.bot.waitUntil(lambda: hands.rooms.fit.phase in ("ready", "empty"), timeout=LIMIT_MS)
    hands.settle()


def test_an_empty_screen_says_what_to_do(hands):
    hands.go("fit")
    assert hands.is_shown("fitEmpty")
    assert not hands.nameless()
    assert not hands.small_targets()
    hands.save_pictures("make-it-fit-empty")
    assert not hands.is_shown("fitEmptySecondary"), "a folder is picked beside the line"
    hands.click("fitEmptyPrimary")
    assert hands.app.screen == "discover"


def test_a_library_model_is_made_smaller_and_chatted_with(hands):
    pip = library_model(hands, "Pip")
    hands.go("fit")
    hands.rooms.fit.pickModel(pip.id)
    hands.bot.waitUntil(lambda: hands.rooms.fit.phase == "ready", timeout=LIMIT_MS)
    hands.settle()
    fit = hands.rooms.fit
    assert "Pip" in hands.text("fitSentence") or "GGUF" in hands.text("fitSentence")
    sizes = []
    for stop in range(fit.size.stopCount):
        fit.size.choose(stop)
        hands.settle()
        check_size_names(hands)
        sizes.append(hands.items("fitFigure")[0].property("text"))
    assert len(set(sizes)) > 3, "the figures follow the slider"
    choose(fit, "Q4_K_M")
    assert not hands.nameless()
    assert not hands.small_targets()
    assert not hands.outside()
    hands.save_pictures("make-it-fit-ready")
    hands.settle()
    hands.click("makeIt")
    hands.bot.waitUntil(lambda: fit.phase != "ready", timeout=5000)
    hands.bot.waitUntil(lambda: fit.phase == "done", timeout=LIMIT_MS)
    hands.settle()
    made = [model for model in hands.rooms.store.models.all() if model.source == "made"]
    assert len(made) == 1
    assert Path(made[0].path).stat().st_size == made[0].size_bytes
    assert made[0].size_bytes < pip.size_bytes
    assert hands.is_shown("fitDoneTitle")
    assert not hands.nameless()
    hands.click("fitCompare")
    hands.bot.waitUntil(lambda: not fit.result.isComparing, timeout=LIMIT_MS)
    assert "of 1,000 words the same" in fit.result.comparison
    assert "Perplexity" in fit.result.checkDetails
    assert not any("Perplexity" in name or "Q8_0" in name for name in hands.spoken()), "raw figures are folded away"
    hands.save_pictures("make-it-fit-done")
    hands.click("fitChat")
    assert hands.app.screen == "chat"
    hands.bot.waitUntil(lambda: made[0].name in hands.rooms.chat.composer.modelName, timeout=LIMIT_MS)


@pytest.mark.parametrize("text", ["hello", "/nowhere/at/all"])
def test_what_is_no_model_is_answered_in_words(hands, text):
    look_at(hands, text)
    hands.bot.waitUntil(lambda: hands.is_shown("fitProblem"), timeout=LIMIT_MS)
    assert hands.item("fitProblem").property("title")
    assert hands.item("fitProblem").property("text")
    assert not hands.is_shown("makeIt")


def test_stopping_leaves_no_file_and_the_way_to_go_on(hands):
    fit = hands.rooms.fit
    hands.go("fit")
    fit.pickModel(library_model(hands, "Pip").id)
    hands.bot.waitUntil(lambda: fit.phase == "ready", timeout=LIMIT_MS)
    fit.size.weigh("neutral")
    fit.size.beThorough(True)
    choose(fit, "Q4_K_M")
    hands.settle()
    assert hands.item("fitThorough").property("checked") is True
    hands.save_pictures("make-it-fit-weighed")
    hands.settle()
    hands.click("makeIt")
    hands.bot.waitUntil(lambda: fit.phase == "working" and fit.fraction > 0, timeout=LIMIT_MS)
    hands.save_pictures("make-it-fit-working")
    assert not hands.nameless()
    hands.settle()
    hands.click("stopMaking")
    hands.bot.waitUntil(lambda: fit.phase == "ready", timeout=LIMIT_MS)
    assert not [model for model in hands.rooms.store.models.all() if model.source == "made"]
    assert not list(Path(hands.rooms._queue.folder()).glob("*.gguf"))


def test_before_a_file_of_few_bits_is_made_again_it_is_said_that_lost_bits_stay_lost(hands, tmp_path):
    path = tmp_path / "pip-Q4_K_M.gguf"
    path.write_bytes(pip_as("Q4_K_M"))
    look_at(hands, str(path))
    hands.bot.waitUntil(lambda: hands.rooms.fit.phase == "ready", timeout=LIMIT_MS)
    hands.settle()
    [warning] = hands.items("fitWarning")
    assert "not regained" in warning.property("text")
    assert hands.is_shown("makeIt")
    assert "Q4_K_M" not in hands.text("fitSentence")
    assert any("Q4_K_M" in detail for detail in hands.rooms.fit.details)
    hands.rooms.fit.size.choose(hands.rooms.fit.size.stopCount - 1)
    hands.settle()
    check_size_names(hands)
    hands.save_pictures("make-it-fit-few-bits")


def test_text_of_twice_the_size_stays_inside_a_small_window(hands):
    fit = hands.rooms.fit
    hands.go("fit")
    fit.pickModel(library_model(hands, "Pip").id)
    hands.bot.waitUntil(lambda: fit.phase == "ready", timeout=LIMIT_MS)
    fit.size.weigh("neutral")
    hands.view.resize(900, 600)
    hands.app.set_look(replace(hands.app._look, text_size=200, reduced_motion=True))
    hands.settle()
    assert hands.outside() == []
    assert hands.view.grabWindow().save(str(PICTURES / "make-it-fit-large-text.png"))
    hands.scroll_to(hands.item("makeIt"))
    hands.settle()
    assert hands.view.grabWindow().save(str(PICTURES / "make-it-fit-large-text-button.png"))
    fit.size.weigh("")
    choose(fit, "Q8_0")
    fit.make()
    hands.bot.waitUntil(lambda: fit.phase == "done", timeout=LIMIT_MS)
    hands.settle()
    assert hands.outside() == []
    assert hands.view.grabWindow().save(str(PICTURES / "make-it-fit-large-text-done.png"))


def test_the_keyboard_alone_makes_a_file(hands):
    fit = hands.rooms.fit
    hands.key(Qt.Key.Key_5, Qt.KeyboardModifier.ControlModifier)
    hands.bot.waitUntil(lambda: hands.app.screen == "fit", timeout=LIMIT_MS)
    fit.pickModel(library_model(hands, "Pip").id)
    hands.bot.waitUntil(lambda: fit.phase == "ready", timeout=LIMIT_MS)
    hands.settle()
    hands.item("fitSlider").forceActiveFocus()
    before = fit.size.stop
    hands.key(Qt.Key.Key_Right)
    assert fit.size.stop == before + 1
    for _ in range(20):
        focused = hands.view.activeFocusItem()
        if focused is not None and focused.objectName() == "makeIt":
            break
        hands.key(Qt.Key.Key_Tab)
    assert hands.view.activeFocusItem().objectName() == "makeIt"
    hands.key(Qt.Key.Key_Space)
    hands.bot.waitUntil(lambda: fit.phase == "done", timeout=LIMIT_MS)


def test_the_library_menu_leads_here(hands):
    pip = library_model(hands, "Pip")
    hands.rooms.library.makeSmaller(pip.id)
    assert hands.app.screen == "fit"
    hands.bot.waitUntil(lambda: hands.rooms.fit.phase == "ready", timeout=LIMIT_MS)
