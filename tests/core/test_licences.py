"""Licences in plain words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from snug.core.licences import LICENCES, UNKNOWN, licence_of, licence_words

CATALOGUE = Path(__file__).parents[2] / "resources" / "catalogue" / "models.json"


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("apache-2.0", "Free to use, also at work"),
        ("mit", "Free to use, also at work"),
        ("gemma", "Free with conditions"),
        ("llama3.2", "Free with conditions"),
        ("lfm1.0", "Free with conditions"),
        ("cc-by-nc-4.0", "Free for private use and research, not for business"),
        ("license:mit", "Free to use, also at work"),
        ("", "Licence not stated"),
        ("my-own-licence", "Own licence: read it first"),
    ],
)
def test_a_licence_has_plain_words(key: str, words: str) -> None:
    assert licence_words(key) == words


def test_every_licence_of_the_catalogue_is_known() -> None:
    keys = {model["licence"] for model in json.loads(CATALOGUE.read_text("utf-8"))["models"]}
    assert [key for key in keys if licence_of(key).group == UNKNOWN] == []


def test_no_licence_stands_twice_in_the_list() -> None:
    assert len({licence.key for licence in LICENCES}) == len(LICENCES)
