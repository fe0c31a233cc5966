"""Inline Markdown: only our own few tags come out, whatever goes in."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snug.ui.code_highlighting import DARK, LANGUAGES, LIGHT, highlight, language_name
from snug.ui.markdown_blocks import parse
from snug.ui.markdown_inline import InlineStyle, is_web_address, render

STYLE = InlineStyle(link="#2F6F5E", code_background="#EFEBE5")
ALLOWED_TAG = re.compile(
    r"</?(?:b|i|s)>|<br>|</a>|</span>|<a href=\"link:\d+\" style=\"color:#[0-9A-F]{6}\">"
    r"|<span style=\"(?:font-family:'JetBrains Mono'; background-color:#[0-9A-F]{6};|color:#[0-9A-F]{6})\">"
)
HOSTILE = st.text(alphabet="ab *_`~[]()!<>&\"'\\\n:/=;#htps.", max_size=300)


def rich(text: str) -> str:
    return render(text, STYLE).rich


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**bold** and *slanted*", "<b>bold</b> and <i>slanted</i>"),
        ("***both***", "<i><b>both</b></i>"),
        ("~~gone~~", "<s>gone</s>"),
        ("snake_case_name", "snake_case_name"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("**open", "**open"),
        ("*a **b* c**", "<i>a **b</i> c**"),
        ("one\ntwo<br>three", "one<br>two<br>three"),
        (r"\*plain\*", "*plain*"),
        ("a < b & c", "a &lt; b &amp; c"),
    ],
)
def test_marks_become_tags_of_ours(text: str, expected: str) -> None:
    assert rich(text) == expected


def test_code_is_shown_as_written() -> None:
    assert ">a &lt; **b**</span>" in rich("`a < **b**`")


def test_reading_aloud_leaves_out_the_marks() -> None:
    assert render("**Keep** `this` and [that](https://a.example) * so", STYLE).plain == "Keep this and that * so"


def test_a_link_shows_its_words_and_keeps_its_address_aside() -> None:
    text = render("see [the page](https://a.example/x_(y)?a=1&b=2)", STYLE)
    assert text.rich == 'see <a href="link:0" style="color:#2F6F5E">the page</a>'
    assert text.links == ("https://a.example/x_(y)?a=1&b=2",)


def test_a_bare_address_is_a_link_without_the_full_stop() -> None:
    assert render("Go to https://a.example/b.", STYLE).links == ("https://a.example/b",)


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "file:///etc/passwd", "/etc/passwd", "data:text/html,x", "ftp://a.example", "smb://a/b",
     "https://user:word@a.example", "https:///path", "vbscript:x", "//a.example"],
)  # fmt: skip
def test_only_plain_web_addresses_become_links(address: str) -> None:
    text = render(f"[words]({address})", STYLE)
    assert text.links == ()
    assert "<a " not in text.rich
    assert not is_web_address(address)


def test_a_picture_is_its_description() -> None:
    assert rich("![a cat](https://a.example/cat.png)") == "[picture: a cat]"
    assert rich("![](/dev/zero)") == "[picture]"


@given(st.one_of(st.text(max_size=300), HOSTILE))
def test_nothing_but_our_own_tags_ever_comes_out(text: str) -> None:
    found = render(text, STYLE)
    without = ALLOWED_TAG.sub("", found.rich)
    assert "<" not in without
    assert ">" not in without
    assert all(is_web_address(link) for link in found.links)
    assert len(found.rich) <= 200 + 120 * len(text)


@given(HOSTILE)
def test_tags_open_and_close_in_order(text: str) -> None:
    stack: list[str] = []
    for closing, name in re.findall(r"<(/?)(b|i|s|a|span)\b", rich(text)):
        if closing:
            assert stack.pop() == name
        else:
            stack.append(name)
    assert stack == []


@given(st.sampled_from(sorted(LANGUAGES)), st.text(max_size=200))
def test_highlighted_code_has_only_our_own_tags(language: str, code: str) -> None:
    without = ALLOWED_TAG.sub("", highlight(code, language, LIGHT))
    assert "<" not in without
    assert ">" not in without


def test_keywords_have_the_theme_s_colour() -> None:
    assert f'<span style="color:{LIGHT.keyword}">for</span>' in highlight("for x in y:", "python", LIGHT)
    assert f'<span style="color:{DARK.keyword}">for</span>' in highlight("for x in y:", "python", DARK)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_listed_language_is_known_to_the_highlighter(language: str) -> None:
    assert highlight("x = 1", language, LIGHT)


def test_code_of_an_unknown_language_or_of_great_length_stays_plain() -> None:
    assert highlight("a < b", "no-such", LIGHT) == "a &lt; b"
    assert "<span" not in highlight("for x\n" * 4_000, "python", LIGHT)


def test_the_head_of_a_code_block_says_the_language_by_its_name() -> None:
    assert [language_name(word) for word in ("py", "c++", "", "brainf")] == ["Python", "C++", "Code", "brainf"]


def test_a_megabyte_is_rendered_block_by_block() -> None:
    blocks = parse("**a** `b` [c](https://d.example) " * 30_000)
    assert sum(len(render(block.source, STYLE).plain) for block in blocks) > 100_000
