"""What if I had another computer, and the memory calculator, in the real window."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt


@pytest.fixture
def what_if(hands):
    hands.click("whatIf")
    hands.bot.waitUntil(lambda: hands.screen_item("whatif") is not None)
    hands.settle()
    return hands


@pytest.fixture
def calculator(what_if):
    what_if.click("openCalculator")
    what_if.bot.waitUntil(lambda: what_if.screen_item("calculator") is not None)
    what_if.settle()
    return what_if


def weighed(hands) -> None:
    hands.bot.waitUntil(lambda: not hands.rooms.whatif.isWeighing, timeout=20_000)
    hands.settle()


def test_home_leads_to_it_and_back(what_if):
    assert what_if.app.screen == "whatif"
    assert what_if.item("whatIfEmpty")
    what_if.click("whatIfBack")
    assert what_if.app.screen == "home"


def test_a_computer_of_the_list_shows_its_picks_and_how_they_do_here(what_if):
    what_if.item("whatIfSearch").forceActiveFocus()
    what_if.write("4090")
    what_if.settle()
    rows = what_if.rooms.whatif.machines.rows()
    assert rows
    assert all("4090" in row["name"] for row in rows)
    what_if.click("machine_0")
    weighed(what_if)
    assert "4090" in what_if.text("whatIfTitle")
    picks = what_if.rooms.whatif.picks.rows()
    assert len(picks) == 3
    assert all(row["here"].startswith("On this computer: ") for row in picks)
    rows = what_if.rooms.whatif.picks.rows
    what_if.bot.waitUntil(lambda: all(row["change"] for row in rows()), timeout=60_000)
    what_if.settle()
    what_if.save_pictures("whatif")


def test_the_keyboard_alone_chooses_a_computer(what_if):
    what_if.item("whatIfSearch").forceActiveFocus()
    what_if.write("raspberry")
    what_if.key(Qt.Key.Key_Down)
    what_if.settle()
    what_if.key(Qt.Key.Key_Return)
    weighed(what_if)
    assert "Raspberry Pi" in what_if.text("whatIfTitle")


def test_figures_by_hand_are_a_computer_and_nonsense_is_told_in_a_sentence(what_if):
    what_if.item("whatIfMemory").forceActiveFocus()
    what_if.write("64 GB")
    weighed(what_if)
    assert what_if.text("whatIfTitle") == "A computer with these figures"
    what_if.item("whatIfCards").forceActiveFocus()
    what_if.write("minus twelve")
    what_if.settle()
    assert "minus twelve" in what_if.text("whatIfProblem")
    assert what_if.rooms.whatif.picks.rows() == []
    what_if.save_pictures("whatif-nonsense")


@pytest.mark.parametrize("figures", [("0", "", ""), ("-4", "", ""), ("32 GB", "-1", ""), ("32 GB", "", "fast"),
                                     ("32 GB", "", "0"), ("", "", ""), ("9e99", "", ""), ("nan", "", "")])  # fmt: skip
def test_no_nonsense_machine_gets_picks(what_if, figures):
    model = what_if.rooms.whatif
    for index, text in enumerate(figures):
        model.write(index, text or " ")
    assert model.problem.endswith(".")
    assert model.title == ""


def test_another_use_has_its_own_picks(what_if):
    what_if.rooms.whatif.choose("GeForce RTX 4090, 24 GB")
    weighed(what_if)
    what_if.click("whatIfUse_vision")
    weighed(what_if)
    vision = {entry.key for entry in what_if.rooms.whatif._catalogue() if "vision" in entry.good_for}
    assert {row["key"] for row in what_if.rooms.whatif.picks.rows()} <= vision


def test_the_choice_is_remembered(what_if, open_rooms, known_home):
    what_if.rooms.whatif.choose("Raspberry Pi 5, 8 GB")
    weighed(what_if)
    what_if.rooms.close()
    again = open_rooms(known_home)
    assert again.whatif.title == "Raspberry Pi 5, 8 GB"


def test_this_computer_and_real_hardware_stand_beside_the_need(calculator):
    bars = calculator.rooms.calculator.bars.rows()
    assert bars[0]["isHere"]
    assert len(bars) >= 6
    assert calculator.text("calculatorNeed").startswith("Needs ")
    calculator.save_pictures("calculator")


def test_sliders_change_the_need(calculator):
    model = calculator.rooms.calculator
    first = calculator.text("calculatorNeed")
    model.moveParameters(0.9)
    calculator.bot.waitUntil(lambda: calculator.text("calculatorNeed") != first)
    assert any(row["verdictKind"] == "bad" for row in model.bars.rows())
    large = calculator.text("calculatorNeed")
    calculator.item("calculatorType").forceActiveFocus()
    calculator.key(Qt.Key.Key_Left)
    calculator.bot.waitUntil(lambda: calculator.text("calculatorNeed") != large)


@pytest.mark.parametrize("text", ["0", "-8B", "many", "8 apples", "9e99B"])
def test_a_size_that_no_model_has_is_told_and_the_last_answer_stays(calculator, text):
    model = calculator.rooms.calculator
    before = model.needText
    model.writeParameters(text)
    assert calculator.text("calculatorProblem").endswith(".")
    assert model.needText == before
    model.writeParameters("7B")
    assert not calculator.is_shown("calculatorProblem")


def test_a_written_size_and_length_move_the_sliders(calculator):
    model = calculator.rooms.calculator
    before = (model.parametersPosition, model.contextPosition)
    model.writeParameters("70B")
    model.writeContext("100 pages")
    assert model.parametersPosition > before[0]
    assert model.contextPosition > before[1]
    assert model.contextText == "about 100 pages"


def test_the_calculator_remembers_what_was_asked(calculator, open_rooms, known_home):
    calculator.rooms.calculator.writeParameters("70B")
    calculator.rooms.calculator.chooseKv("q8_0")
    calculator.bot.waitUntil(lambda: calculator.rooms.store.settings.get("calculator.kv") == "q8_0")
    calculator.rooms.close()
    again = open_rooms(known_home)
    assert again.calculator.parametersText.startswith("70")
    assert again.calculator.kvType == "q8_0"


def test_everything_has_a_name_and_room_for_a_finger(calculator):
    assert calculator.nameless() == []
    assert calculator.small_targets() == []
    assert calculator.outside() == []
    calculator.click("openWhatIf")
    calculator.rooms.whatif.choose("MacBook Air M4, 16 GB")
    weighed(calculator)
    assert calculator.nameless() == []
    assert calculator.small_targets() == []
    assert calculator.outside() == []


def test_text_of_twice_the_size_stays_inside_a_small_window(calculator):
    calculator.view.resize(900, 600)
    calculator.app.set_look(replace(calculator.app._look, text_size=200, reduced_motion=True))
    calculator.bot.waitUntil(lambda: calculator.outside() == [], timeout=20_000)
    calculator.click("openWhatIf")
    calculator.rooms.whatif.choose("Framework Desktop with Ryzen AI Max+ 395, 128 GB")
    weighed(calculator)
    calculator.bot.waitUntil(lambda: calculator.outside() == [], timeout=20_000)
