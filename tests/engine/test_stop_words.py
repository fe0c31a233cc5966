"""Stop words end an answer wherever the tokens cut them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from snug.engine.stop_words import StopWords


def fed(words: list[str], chunks: list[str]) -> tuple[list[str], bool]:
    stop = StopWords(words)
    shown = [stop.feed(chunk) for chunk in chunks]
    if not stop.is_met:
        shown.append(stop.finish())
    return shown, stop.is_met


def test_a_stop_word_in_one_piece_ends_the_answer_before_it() -> None:
    assert fed(["User:"], ["Hello. User: more"]) == (["Hello. "], True)


def test_a_stop_word_over_several_tokens_is_never_shown() -> None:
    shown, met = fed(["<|im_end|>"], ["Hi", " <|", "im", "_end", "|>", "ignored"])
    assert ("".join(shown), met) == ("Hi ", True)


def test_what_only_looks_like_a_stop_word_is_shown_late_but_whole() -> None:
    shown, met = fed(["<|im_end|>"], ["a <|", "b|> c"])
    assert shown[0] == "a "
    assert ("".join(shown), met) == ("a <|b|> c", False)


def test_a_start_of_a_stop_word_at_the_end_is_shown_at_the_end() -> None:
    assert "".join(fed(["STOP"], ["do not STO"])[0]) == "do not STO"


def test_the_earliest_of_several_wins() -> None:
    assert fed(["bb", "a"], ["xxabb"])[0] == ["xx"]


def test_without_stop_words_nothing_is_held_back() -> None:
    assert fed([], ["a", "b"]) == (["a", "b", ""], False)


@given(
    st.lists(st.text(alphabet="ab<|>", min_size=1, max_size=4), max_size=3),
    st.lists(st.text(alphabet="ab<|>c", max_size=3)),
)
def test_the_shown_text_is_what_stands_before_the_first_stop_word(words: list[str], chunks: list[str]) -> None:
    text = "".join(chunks)
    found = [text.find(word) for word in words if word in text]
    shown, met = fed(words, chunks)
    assert met == bool(found)
    # Chunks that follow the stop word's last character are never looked at, so an earlier one wins.
    if not found:
        assert "".join(shown) == text
    else:
        assert text.startswith("".join(shown))
        assert not any(word in "".join(shown) for word in words)
