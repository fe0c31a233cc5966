"""Names: what people paste, what repositories call their files, and what stands on the disk."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snug.core.errors import UserError
from snug.hub.choices import choices_in, file_type_of, group_of, other_format
from snug.hub.disk_names import MOST_BYTES, file_path, folder_name
from snug.hub.names import Wanted, read_wanted, require_wanted
from snug.hub.remote import File, text_of

HOSTILE = (
    "CON.gguf", "nul", "x.gguf:ads", "a\0b.gguf", "line\nbreak.gguf", "\u202efugg.gguf", ".cache", ".hidden.gguf",
    "trailing.", "trailing ", " leading", "a\\b.gguf", "-rf.gguf", "?*<>|\".gguf", "con.txt.gguf", "model.gguf.part",
    "x" * 300 + ".gguf", "ä" * 200 + "-00001-of-00003.gguf", "..", ".", "", "~", "LPT9", "com1.gguf", "a.journal",
    "\ud800.gguf", "😀", "é.gguf", "e\u0301.gguf",
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_hostile_names_become_harmless_files(name: str, tmp_path: Path) -> None:
    path = file_path(name)

    (part,) = path.parts
    assert re.fullmatch(r"[^\x00-\x1f\x7f/\\:*?\"<>|]+", part)
    assert part.strip(" .") == part or part.endswith(".gguf")
    assert part.split(".")[0].upper() not in {"CON", "NUL", "AUX", "PRN", "LPT9", "COM1"}
    assert not part.startswith((".", "-", "~"))
    assert not part.endswith((".part", ".journal", ".lock"))
    assert len(part.encode()) <= MOST_BYTES
    (tmp_path / path).write_bytes(b"")
    assert [entry.name for entry in tmp_path.iterdir()] == [part]


@given(st.text(max_size=60))
def test_no_name_leaves_its_folder(name: str) -> None:
    path = file_path(name)
    assert not path.is_absolute()
    assert ".." not in path.parts
    assert path.parts


@given(st.text(min_size=1, max_size=12), st.text(min_size=1, max_size=12))
def test_two_files_never_share_a_name(one: str, other: str) -> None:
    def parts(name: str) -> list[str]:
        return [part for part in name.split("/") if part]

    if parts(one) != parts(other):
        assert file_path(one) != file_path(other)


def test_names_that_differ_only_in_their_unicode_form_stay_apart() -> None:
    assert file_path("é.gguf") != file_path("e\u0301.gguf")


def test_ordinary_names_stay_as_they_are() -> None:
    assert file_path("Q4_K_M/model-7B.Q4_K_M-00001-of-00002.gguf").as_posix() == (
        "Q4_K_M/model-7B.Q4_K_M-00001-of-00002.gguf"
    )
    assert file_path("模型 é (1).gguf").as_posix() == "模型 é (1).gguf"
    assert folder_name("unsloth/Qwen3-0.6B-GGUF") == "unsloth--Qwen3-0.6B-GGUF"


def test_the_parts_of_a_set_keep_one_stem_and_their_numbers() -> None:
    parts = [file_path("*" * 300 + f"-{number:05}-of-00003.gguf").name for number in (1, 2, 3)]

    assert len({re.sub(r"-\d{5}-of-00003\.gguf$", "", part) for part in parts}) == 1
    assert [part[-20:] for part in parts] == [f"-{number:05}-of-00003.gguf" for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("maker/model", Wanted("maker/model")),
        (" maker/model ", Wanted("maker/model")),
        ("maker/model:Q4_K_M", Wanted("maker/model", file="Q4_K_M")),
        ("maker/model:sub/file.gguf", Wanted("maker/model", file="sub/file.gguf")),
        ("https://huggingface.co/maker/model", Wanted("maker/model")),
        ("https://huggingface.co/maker/model/tree/v2", Wanted("maker/model", revision="v2")),
        ("https://hf.co/maker/model/blob/main/a%20b.gguf", Wanted("maker/model", file="a b.gguf")),
        ("hf.co/maker/model:Q8_0", Wanted("maker/model", file="Q8_0")),
        ("http://127.0.0.1:9/maker/model", Wanted("maker/model")),
        ("https://evil.example/maker/model", None),
        ("https://huggingface.co/maker", None),
        ("just words", None),
        ("../../etc/passwd", None),
        ("https://[::1/maker/model", None),
    ],
)
def test_what_people_paste_is_understood(text: str, wanted: Wanted | None) -> None:
    assert read_wanted(text, "http://127.0.0.1:9") == wanted


@given(st.text(max_size=80))
def test_no_text_breaks_the_reader(text: str) -> None:
    wanted = read_wanted(text)
    if wanted is None:
        with pytest.raises(UserError) as caught:
            require_wanted(text)
        assert caught.value.bad_input


@pytest.mark.parametrize(
    ("name", "file_type", "group"),
    [
        ("Qwen3-0.6B-Q4_K_M.gguf", "Q4_K_M", "balanced"),
        ("Qwen3-0.6B-UD-Q4_K_XL.gguf", "Q4_K_XL", "balanced"),
        ("model.i1-IQ2_XXS.gguf", "IQ2_XXS", "compact"),
        ("model.Q2_K.gguf", "Q2_K", "compact"),
        ("model-q3_k_s.gguf", "Q3_K_S", "compact"),
        ("gemma-3-1b-it-q4_0.gguf", "Q4_0", "balanced"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4", "balanced"),
        ("Phi-4-mini-BF16.gguf", "BF16", "nearly_lossless"),
        ("model-fp16.gguf", "F16", "nearly_lossless"),
        ("model-Q6_K_L.gguf", "Q6_K_L", "nearly_lossless"),
        ("model-Q8_0-00001-of-00002.gguf", "Q8_0", "nearly_lossless"),
        ("model.gguf", "", "other"),
        ("Q8_0/model-Q5_K_M.gguf", "Q5_K_M", "balanced"),
    ],
)
def test_a_types_name_gives_its_group(name: str, file_type: str, group: str) -> None:
    assert file_type_of(name) == file_type
    assert group_of(file_type) == group


def test_importance_matrices_and_other_files_are_no_choice() -> None:
    names = ("model.imatrix.gguf", "imatrix.dat", "README.md", "model-Q4_0.gguf", "config.json")
    (choice,) = choices_in(File(name=name, size_bytes=1) for name in names)
    assert choice.files[0].name == "model-Q4_0.gguf"


def test_sets_that_cannot_be_are_single_files() -> None:
    names = ("a-00000-of-00002.gguf", "a-00003-of-00002.gguf", "a-00001-of-99999.gguf")
    assert all(len(choice.files) == 1 for choice in choices_in(File(name=name, size_bytes=1) for name in names))


@pytest.mark.parametrize(
    ("names", "tags", "expected"),
    [
        (["model.safetensors"], ["gptq", "safetensors"], "GPTQ"),
        (["model.safetensors"], ["AWQ"], "AWQ"),
        (["model.safetensors"], ["mlx", "safetensors"], "MLX"),
        (["onnx/model.onnx"], [], "ONNX"),
        (["pytorch_model.bin"], [], "PyTorch"),
        (["README.md"], [], ""),
    ],
)
def test_a_format_is_named_by_tags_first(names: list[str], tags: list[str], expected: str) -> None:
    assert other_format(names, tags) == expected


@given(st.text(max_size=400) | st.integers() | st.none())
def test_words_from_afar_are_one_plain_line(value: object) -> None:
    text = text_of(value, 50)
    assert len(text) <= 50
    assert not set(text) & set("\n\r\t\x1b\u202e\u200b")
