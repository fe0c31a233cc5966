"""Names, sizes and model cards: as llama.cpp's converter reads them (recorded in tests/data/model_names.json)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from snug.convert.architectures.general import size_label
from snug.convert.architectures.model_card import lists, made_from, parse_card, read_card, stated
from snug.convert.architectures.model_names import name_parts, title
from snug.convert.architectures.pooling import read_pooling
from snug.convert.plan import OutputTensor

RECORDED = json.loads((Path(__file__).parents[2] / "data" / "model_names.json").read_text())


@pytest.mark.parametrize(("name", "parameters", "expected"), RECORDED["parts"], ids=lambda value: str(value)[:24])
def test_a_name_is_taken_apart_like_the_reference(name: str, parameters: int, expected: list[str | None]) -> None:
    parts = name_parts(name, parameters)
    full, organization, basename, finetune, version, size = expected
    assert (parts.name, parts.organization) == (full, organization)
    assert (parts.basename, parts.finetune, parts.version, parts.size_label) == (basename, finetune, version, size)


def test_titles_are_those_of_the_reference() -> None:
    assert {name: title(name) for name in RECORDED["titles"]} == RECORDED["titles"]


@pytest.mark.parametrize(("counts", "expected"), RECORDED["sizes"], ids=lambda value: str(value)[:24])
def test_sizes_are_those_of_the_reference(counts: list[int], expected: str) -> None:
    _, shared, each, experts = counts
    total = shared + each * experts if experts else counts[0]

    def tensor(name: str, shape: tuple[int, ...]) -> OutputTensor:
        return OutputTensor(name, shape, lambda first, last: np.zeros((last - first, shape[-1]), np.float32), ())

    found = [tensor("token_embd.weight", (shared if experts else total, 1))]
    if experts:
        found.append(tensor("blk.0.ffn_up_exps.weight", (experts, each, 1)))
    assert size_label(found) == (expected, total)


def test_a_card_gives_licence_languages_and_origin() -> None:
    card = parse_card("---\nlicense: mit\nversion: 1.0\nlanguage:\n- no\n- en\nbase_model: org/Name-7B-v2\n---\n# Text")
    assert stated(card) == {"license": "mit", "version": "1.0"}
    assert [(meta.key, meta.value) for meta in lists(card)] == [("general.languages", ["no", "en"])]
    assert {meta.key: meta.value for meta in made_from(card, 7_000_000_000)} == {
        "general.base_model.count": 1,
        "general.base_model.0.name": "Name 7B v2",
        "general.base_model.0.organization": "Org",
        "general.base_model.0.repo_url": "https://huggingface.co/org/Name-7B-v2",
        "general.base_model.0.version": "v2",
    }


@pytest.mark.parametrize(
    "text",
    [
        "", "# No head", "---\nnever: ends", "---\n- a list\n---", "---\n{: [\n---", "---\n\x00\n---",
        "---\na: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n---", "---\n" + "[" * 2000 + "\n---",
        "---\na: !!python/object/apply:os.system [ls]\n---\n",
        "---\ntags: {a: b}\nlicense: {x: y}\nbase_model: [[1]]\n---",
    ],
)  # fmt: skip
def test_a_broken_or_hostile_card_says_nothing(text: str) -> None:
    card = parse_card(text)
    assert stated(card) == {}
    assert lists(card) == []
    assert [meta for meta in made_from(card, 1) if not meta.key.endswith("count")] == []


def test_a_card_that_is_no_text_or_too_long_is_left(tmp_path: Path) -> None:
    assert read_card(tmp_path) == {}
    (tmp_path / "README.md").write_bytes(b"---\nlicense: \xff\n---\n")
    assert read_card(tmp_path) == {}
    (tmp_path / "README.md").write_bytes(b"---\nlicense: mit\n---\n" + b"x" * 2_000_000)
    assert read_card(tmp_path) == {}


@pytest.mark.parametrize(
    ("modules", "settings", "expected"),
    [
        ('[{"type": "a.Pooling", "path": "1_Pooling"}]', '{"pooling_mode_mean_tokens": true}', "mean"),
        ('[{"type": "a.Pooling", "path": "1_Pooling"}]', '{"pooling_mode": "lasttoken"}', "last"),
        ('[{"type": "a.Pooling", "path": "1_Pooling"}]', '{"pooling_mode": ["cls"]}', None),
        ('[{"type": "a.Pooling", "path": "../1_Pooling"}]', '{"pooling_mode_cls_token": true}', None),
        ('[{"type": "a.Pooling", "path": 7}]', "{}", None),
        ('[{"type": "a.Transformer", "path": ""}]', "{}", None),
        ("[[", "{}", None),
        ("{}", "{}", None),
        ('[{"type": "a.Pooling", "path": "1_Pooling"}]', "[]", None),
    ],
)
def test_pooling_is_read_from_beside_the_model(
    modules: str, settings: str, expected: str | None, tmp_path: Path
) -> None:
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "modules.json").write_text(modules)
    (tmp_path / "1_Pooling" / "config.json").write_text(settings)
    assert read_pooling(tmp_path) == expected
