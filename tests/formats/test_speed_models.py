"""Made-up models for measuring speed: as large as they say, readable, and of the types that they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from snug.formats.gguf_facts import facts_from_header
from snug.formats.gguf_header import read_file_header
from snug.formats.speed_models import FILE_TYPES, SHAPES, file_bytes, shape_named, write_speed_model


@pytest.mark.parametrize("file_type", FILE_TYPES)
def test_a_made_up_model_is_what_it_says(tmp_path: Path, file_type: str) -> None:
    shape = shape_named("0.03B")
    path = tmp_path / "model.gguf"
    write_speed_model(path, shape, file_type)
    facts = facts_from_header(read_file_header(path))
    assert path.stat().st_size == file_bytes(shape, file_type)
    assert facts.file_type == file_type
    assert facts.layers == shape.layers
    assert facts.parameters == pytest.approx(shape.parameters, rel=0.1)


def test_the_same_shape_and_type_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        write_speed_model(tmp_path / name, shape_named("0.03B"), "Q4_K_M")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_the_sizes_are_those_of_their_names() -> None:
    for shape in SHAPES:
        assert shape.parameters == pytest.approx(1e9 * float(shape.name.removesuffix("B")), rel=0.2)
