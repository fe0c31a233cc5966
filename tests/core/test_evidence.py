"""Public figures: each with a source and a date; comparable ones on a scale that the script can make again."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from snug.core.catalogue import load_catalogue
from snug.core.errors import UserError
from snug.core.evidence import Figure, evidence_from_document, level_by_evidence, load_evidence
from snug.core.recommend import USES

ROOT = Path(__file__).parents[2]
CATALOGUE_FILE = ROOT / "resources" / "catalogue" / "models.json"
EVIDENCE_FILE = CATALOGUE_FILE.with_name("evidence.json")
FIGURES = load_evidence(EVIDENCE_FILE)
CATALOGUE = load_catalogue(CATALOGUE_FILE)
ALL = [figure for figures in FIGURES.values() for figure in figures]
DATE = re.compile(r"20\d\d-\d\d(-\d\d)?")


def scale_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("scale_evidence", ROOT / "packaging" / "scale_evidence.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(EVIDENCE_FILE.read_text("utf-8"))
    return loaded


def test_every_figure_has_a_source_with_an_address_and_a_date() -> None:
    assert len(ALL) > 300
    for figure in ALL:
        assert figure.source.name
        assert figure.source.url.startswith("https://")
        assert DATE.fullmatch(figure.source.date)
        assert figure.measure.uses
        assert set(figure.measure.uses) <= set(USES.values())


def test_every_figure_belongs_to_a_model_of_the_catalogue() -> None:
    assert set(FIGURES) <= {entry.key for entry in CATALOGUE}
    assert sum(bool(entry.figures) for entry in CATALOGUE) >= 35


def test_percentages_are_percentages() -> None:
    assert all(figure.score <= 100 for figure in ALL if figure.measure.unit == "percent")


def test_one_publishers_measures_rank_and_for_pictures_the_makers_own_at_half_weight() -> None:
    for figure in ALL:
        if figure.measure.weight:
            by_makers = figure.measure.uses == ("vision",) and figure.measure.weight <= 0.5
            assert figure.measure.key.startswith("aa_") or by_makers
            assert figure.measure.slope > 0


def test_nearly_every_model_that_sees_is_ranked_for_pictures_by_public_figures() -> None:
    seeing = [entry for entry in CATALOGUE if "vision" in entry.good_for]
    ranked = [entry for entry in seeing if level_by_evidence(entry.figures, "vision") is not None]
    assert len(seeing) - len(ranked) <= 1


def test_all_models_but_one_have_a_public_figure() -> None:
    assert [entry.key for entry in CATALOGUE if not entry.figures] == ["lfm2.5-350m"]


def test_no_model_has_the_same_figure_twice() -> None:
    for figures in FIGURES.values():
        keys = [(figure.measure.key, figure.mode) for figure in figures]
        assert len(set(keys)) == len(keys)


def test_the_scales_are_those_that_the_script_writes() -> None:
    found = scale_script().scales(document(), CATALOGUE)
    written = {key: tuple(row["scale"]) for key, row in document()["measures"].items() if "scale" in row}
    assert written == found


def test_a_robust_line_is_not_bent_by_one_odd_model() -> None:
    points = [(float(x), 2.0 * x - 1.0) for x in range(10)]
    assert scale_script().robust_line([*points, (3.0, 90.0)]) == pytest.approx((-1.0, 2.0), abs=0.2)


def test_with_and_without_thinking_count_once_at_their_mean() -> None:
    both = [figure for figure in FIGURES["qwen3.5-9b"] if figure.measure.key == "aa_gpqa"]
    levels = [level_by_evidence([figure], "chat") for figure in both]
    together = level_by_evidence(both, "chat")
    assert together is not None
    assert all(level is not None for level in levels)
    assert together[0] == pytest.approx(sum(level[0] for level in levels if level) / 2)
    assert together[1] == both[0].measure.weight


def test_a_figure_that_ranks_nothing_moves_nothing() -> None:
    shown: list[Figure] = [figure for figure in ALL if not figure.measure.weight]
    assert shown
    assert level_by_evidence(shown, "chat") is None


@pytest.mark.parametrize("broken", [{"source": "nobody"}, {"score": "high"}, {"score": -1}, {"measure": "vibes"}])
def test_a_figure_without_source_or_score_is_refused(broken: dict[str, Any]) -> None:
    loaded = document()
    loaded["figures"][0] |= broken
    with pytest.raises((KeyError, ValueError)):
        evidence_from_document(loaded)


def test_a_source_without_a_date_is_refused() -> None:
    loaded = document()
    loaded["sources"][loaded["figures"][0]["source"]]["date"] = ""
    with pytest.raises(ValueError, match="incomplete"):
        evidence_from_document(loaded)


def test_a_damaged_file_is_an_error_for_people_and_a_missing_one_is_empty(tmp_path: Path) -> None:
    assert load_evidence(tmp_path / "none.json") == {}
    (tmp_path / "evidence.json").write_text("{", "utf-8")
    with pytest.raises(UserError, match="cannot be read"):
        load_evidence(tmp_path / "evidence.json")


def test_a_score_is_shown_as_it_was_published() -> None:
    texts = {figure.text for figure in FIGURES["gemma-4-31b-it"]}
    assert {"85.7 %", "29.7 points", "1451 points"} <= texts
