"""`snug recommend` and `snug calculate` as they are typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from snug import cli
from snug.core.catalogue import load_catalogue
from snug.paths import Paths
from snug.store.divergences import Divergences

CATALOGUE = load_catalogue(Path(__file__).parents[2] / "resources" / "catalogue" / "models.json")
PIP = Path(__file__).parents[2] / "resources" / "models" / "pip" / "pip-7m-Q8_0.gguf"


class Typed:
    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.paths = Paths(folder / "home")
        self._capfd = capfd

    def run(self, *arguments: str) -> tuple[int, str, str]:
        code = cli.run(list(arguments), self.paths)
        printed = self._capfd.readouterr()
        return code, printed.out, printed.err

    def document(self, *arguments: str) -> dict[str, Any]:
        code, out, err = self.run(*arguments, "--json")
        assert (code, err) == (0, "")
        document = json.loads(out)
        assert isinstance(document, dict)
        return document


@pytest.fixture
def typed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Typed:
    return Typed(tmp_path, capfd)


def test_a_machine_by_name_gets_picks_with_reasons_changes_and_evidence(typed: Typed) -> None:
    picks = typed.document("recommend", "--machine", "rtx 3060")["picks"]
    assert len(picks) == 3
    assert all(pick["why"].endswith(".") and not pick["is_here"] for pick in picks)
    assert any("instead" in pick["change"] for pick in picks)
    figures = [figure for pick in picks for figure in pick["evidence"]]
    assert figures
    assert all(figure["source"] and figure["date"] and figure["uses"] for figure in figures)


def test_words_say_the_same_and_the_command_that_gets_it(typed: Typed) -> None:
    code, out, _ = typed.run("recommend", "--machine", "MacBook Air M4 16GB", "--use", "tools")
    assert code == 0
    assert "snug get " in out
    assert "words a second" in out


def test_the_computer_that_a_file_describes_is_named_with_what_it_leaves_open(typed: Typed, tmp_path: Path) -> None:
    file = tmp_path / "friend.json"
    file.write_text(json.dumps({"memory": {"total": 16 * 2**30}}), "utf-8")
    code, out, _ = typed.run("recommend", "--machine", str(file))
    assert code == 0
    assert out.startswith("For the computer in friend.json, 16 GB of memory, how fast its main memory is not said:")


def test_figures_by_hand_are_a_machine_too(typed: Typed) -> None:
    document = typed.document("recommend", "--ram", "32GB", "--vram", "12GB", "--bandwidth", "360GB/s")
    devices = document["picks"][0]["fit"]["memory"]["devices"]
    assert devices[-1]["total"] == 12 * 2**30


def test_the_machines_that_snug_knows_are_listed_with_their_sources(typed: Typed) -> None:
    machines = typed.document("recommend", "--machines")["machines"]
    assert len(machines) >= 60
    assert all(machine["source"] for machine in machines)


@pytest.mark.parametrize("command", [["recommend"], ["calculate", "--parameters", "8B"]])
@pytest.mark.parametrize(
    "nonsense",
    [["--ram", "0GB"], ["--ram=-4GB"], ["--ram", "lots"], ["--vram", "12GB"], ["--ram", "1e99GB"],
     ["--ram", "32GB", "--bandwidth", "fast"], ["--machine", "toaster"], ["--machine", "m2 air"],
     ["--machine", "none.json"], ["--machine", "4090", "--ram", "3GB"], ["--machine", ""],
     ["--machine", "RTX 3060 8GB"], ["--ram", "-5GB"], ["--ram", "8GB", "--vram", "-1"]],
)  # fmt: skip
def test_a_nonsense_machine_is_one_line_and_exit_code_2(typed: Typed, command: list[str], nonsense: list[str]) -> None:
    code, out, err = typed.run(*command, *nonsense)
    assert (code, out) == (2, "")
    assert len(err.strip().splitlines()) == 1


def test_the_calculator_answers_with_a_bar_for_each_computer(typed: Typed) -> None:
    document = typed.document("calculate", "--parameters", "8B", "--context", "16k", "--machine", "rtx 3060")
    assert document["context"] == 16_384
    assert document["memory"]["total"] == sum(document["memory"][part] for part in document["memory"]) / 2
    assert [computer["fit"]["verdict"] for computer in document["computers"]] == ["fits_well"]
    code, out, _ = typed.run("calculate", "--parameters", "70B", "--type", "Q8_0", "--machine", "rtx 3060")
    assert code == 0
    assert "Too big" in out


@pytest.mark.parametrize(
    "wrong",
    [
        ["--parameters", "0"],
        ["--parameters", "big"],
        ["--parameters", "8B", "--type", "Q9"],
        ["--parameters", "8B", "--context", "-1"],
        ["--parameters", "8B", "--kv", "q9"],
        ["--parameters", "8B", "--active", "9B"],
    ],
)
def test_a_model_that_cannot_be_is_refused(typed: Typed, wrong: list[str]) -> None:
    code, _, err = typed.run("calculate", *wrong, "--ram", "16GB")
    assert code == 2
    assert err


@pytest.mark.parametrize(
    ("machine", "said"),
    [(["--machine", "3060"], "For a desktop with GeForce RTX 3060, 12 GB, assumed 32 GB of memory:"),
     (["--machine", "pi 5 8gb"], "For Raspberry Pi 5, 8 GB:"),
     (["--ram", "24GB", "--vram", "12GB"], "For a computer with 24 GB of memory and a graphics card of 12 GB")],
)  # fmt: skip
@pytest.mark.parametrize("command", [["recommend"], ["calculate", "--parameters", "8B"], ["fit", str(PIP)]])
def test_the_first_line_says_which_computer_was_taken(
    typed: Typed, command: list[str], machine: list[str], said: str
) -> None:
    code, out, err = typed.run(*command, *machine)
    assert (code, err) == (0, "")
    assert out.splitlines()[0].startswith(said)


def test_a_negative_figure_is_told_as_such(typed: Typed) -> None:
    assert "must be above zero" in typed.run("recommend", "--ram", "-5GB")[2]


def test_nothing_can_be_closed_on_a_computer_that_is_only_imagined(typed: Typed) -> None:
    for parameters in ("5B", "7B", "8B", "9B", "12B"):
        _, out, _ = typed.run("calculate", "--parameters", parameters, "--machine", "pi 5 8gb", "--json")
        why = json.loads(out)["computers"][0]["fit"]["why"]
        assert "clos" not in why


def test_a_measured_loss_counts_in_what_is_recommended(typed: Typed) -> None:
    first = typed.document("recommend", "--machine", "MacBook Air M4 16GB")["picks"][0]
    key = next(entry.key for entry in CATALOGUE if entry.repo == first["repo"])
    for name in ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M"):
        Divergences(typed.paths.home).record(key, name, 3.0)
    assert typed.document("recommend", "--machine", "MacBook Air M4 16GB")["picks"][0]["repo"] != first["repo"]
