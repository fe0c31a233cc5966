"""Streaming Markdown: the blocks it finds, the bounds it keeps, and that pieces give what the whole gives."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snug.ui.markdown_blocks import (
    BLOCK_LIMIT,
    LINE_LIMIT,
    MAX_BLOCKS,
    MAX_TABLE_COLUMNS,
    Block,
    MarkdownStream,
    parse,
    visible_text,
)

MARKED = st.text(alphabet='ab *_`~#>-+1.)|[]()!<&"\\\n\t\r\u202e\x00:/', max_size=300)


def shapes(text: str) -> list[tuple[str, str]]:
    return [(block.kind, block.source) for block in parse(text)]


def test_paragraphs_are_parted_by_an_empty_line() -> None:
    assert shapes("one\ntwo\n\nthree") == [("prose", "one\ntwo"), ("prose", "three")]


def test_a_heading_keeps_its_level_and_loses_its_marks() -> None:
    assert parse("### In three steps ###") == [Block("heading", "In three steps", level=3)]


def test_a_heading_may_hold_a_number_sign() -> None:
    assert parse("# About C#")[0].source == "About C#"


def test_a_line_that_only_begins_like_a_heading_is_prose() -> None:
    assert shapes("#hashtag") == [("prose", "#hashtag")]


def test_nested_lists_keep_depth_and_marker() -> None:
    blocks = parse("1. one\n2. two\n   - inner\n     - deepest\n3. three")
    assert [(block.depth, block.marker, block.source) for block in blocks] == [
        (1, "1.", "one"),
        (1, "2.", "two"),
        (2, "•", "inner"),
        (3, "•", "deepest"),
        (1, "3.", "three"),
    ]


def test_a_task_list_shows_boxes() -> None:
    assert [block.marker for block in parse("- [ ] open\n- [x] done")] == ["☐", "☑"]


def test_code_in_a_list_item_stands_at_its_depth_without_the_indent() -> None:
    code = parse("1. do this\n   ```bash\n   ls\n     -l\n   ```\n2. next")[1]
    assert (code.kind, code.depth, code.language, code.source) == ("code", 1, "bash", "ls\n  -l")


def test_code_is_never_read_as_markdown() -> None:
    assert shapes("```\n# no heading\n- no item\n> no quote\n```\nafter") == [
        ("code", "# no heading\n- no item\n> no quote"),
        ("prose", "after"),
    ]


def test_a_fence_ends_only_at_a_fence_as_long() -> None:
    assert shapes("````\n```\nx\n```\n````") == [("code", "```\nx\n```")]


def test_a_table_has_rows_of_equal_width_and_alignments() -> None:
    (table,) = parse("| a | b |\n|:--|--:|\n| 1 | 2 |\n| only |\n")
    assert table.rows == (("a", "b"), ("1", "2"), ("only", ""))
    assert (table.alignments, table.has_header) == (("left", "right"), True)


def test_a_bar_in_a_cell_can_be_escaped() -> None:
    assert parse("|a|b|\n|-|-|\n|x \\| y|z|")[0].rows[1] == ("x | y", "z")


def test_quotes_nest_and_end() -> None:
    assert [(block.quote, block.source) for block in parse("> one\n>> two\n\nthree")] == [
        (1, "one"),
        (2, "two"),
        (0, "three"),
    ]


@pytest.mark.parametrize("line", ["---", "***", "_ _ _", "----------"])
def test_a_rule_is_three_marks_or_more(line: str) -> None:
    assert parse(line)[0].kind == "rule"


def test_html_is_only_text() -> None:
    assert shapes("<img src='/dev/zero'>") == [("prose", "<img src='/dev/zero'>")]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b", "a␀b"),
        ("a\u202eb", "a[U+202E]b"),
        ("a\ufffcb", "a[U+FFFC]b"),
        ("a\ufdd0b", "a[U+FDD0]b"),
        ("a\ud800b", "a�b"),
        ("a\r\nb", "a\nb"),
        ("a\u2029b", "a\nb"),
        ("אבג العربية", "אבג العربية"),
    ],
)
def test_what_could_deceive_the_eye_is_made_visible(text: str, shown: str) -> None:
    assert visible_text(text) == shown


def test_a_line_break_cut_in_two_is_one_line_break() -> None:
    stream = MarkdownStream()
    stream.feed("one\r")
    stream.feed("\ntwo")
    stream.finish()
    assert stream.blocks() == parse("one\ntwo")


def test_a_closed_block_is_never_touched_again() -> None:
    stream = MarkdownStream()
    stream.feed("# Title\n\nfirst\n\nsec")
    before = list(stream.closed)
    stream.feed("ond\n\nthird")
    assert all(old is new for old, new in zip(before, stream.closed, strict=False))
    assert [block.source for block in stream.open_blocks()] == ["third"]


def test_an_open_fence_is_shown_as_code_while_it_streams() -> None:
    stream = MarkdownStream()
    stream.feed("```py\nx = 1\ny")
    assert stream.open_blocks() == [Block("code", "x = 1\ny", language="py")]


def test_a_long_paragraph_goes_on_in_a_new_block_and_loses_nothing() -> None:
    text = "word " * 4_000
    blocks = parse(text)
    assert len(blocks) > 1
    assert all(len(block.source) <= BLOCK_LIMIT + LINE_LIMIT for block in blocks)
    assert "".join(block.source for block in blocks) == text
    assert [block.continued for block in blocks] == [False] + [True] * (len(blocks) - 1)


def test_long_code_goes_on_in_a_new_block_of_code() -> None:
    text = "\n".join(f"line {number}" for number in range(2_000))
    blocks = parse(f"```python\n{text}\n```")
    assert {(block.kind, block.language) for block in blocks} == {("code", "python")}
    assert "\n".join(block.source for block in blocks) == text


@pytest.mark.parametrize(
    "unit",
    ["a", "\n\na", "- \n", "[", "*a ", "`a", "```\n", "|a|b|\n|-|-|\n", " ", "> ", "[a](", "<br>", "```py\nx(\n"],
)
def test_a_megabyte_of_anything_stays_bounded(unit: str) -> None:
    blocks = parse(unit * (1_000_000 // len(unit)))
    assert len(blocks) <= 2 * MAX_BLOCKS
    assert all(len(block.source) <= BLOCK_LIMIT + LINE_LIMIT for block in blocks)
    assert all(len(row) <= MAX_TABLE_COLUMNS for block in blocks for row in block.rows)


@given(st.one_of(st.text(max_size=400), MARKED), st.lists(st.integers(0, 400), max_size=8))
def test_pieces_give_what_the_whole_gives(text: str, cuts: list[int]) -> None:
    stream = MarkdownStream()
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    for start, end in pairwise(edges):
        stream.feed(text[start:end])
        stream.open_blocks()
    preview = stream.blocks()
    stream.finish()
    assert stream.blocks() == parse(text)
    if not text.endswith("\r"):
        assert preview == parse(text)


@settings(max_examples=30)
@given(MARKED, st.integers(1, 6_000))
def test_long_lines_in_pieces_give_what_the_whole_gives(unit: str, size: int) -> None:
    text = (unit or "x") * 60
    stream = MarkdownStream()
    for start in range(0, len(text), size):
        stream.feed(text[start : start + size])
    stream.finish()
    assert stream.blocks() == parse(text)
