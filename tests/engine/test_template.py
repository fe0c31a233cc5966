"""How turns become a prompt: the model's own format, or a built-in one that says so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from snug.engine.model import LoadedModel
from snug.engine.template import ChatFormat, Turn, choose_format, merge_turns
from snug.engine.template_guard import TemplateRefused
from snug.engine.vocabulary import Piece

USER, ANSWER = Turn("user", "Hello"), Turn("assistant", "Hi")
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
STRICT = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must alternate') }}{% endif %}[{{ m.role }}] {{ m.content | trim }}\n{% endfor %}"
)
ONLY_LISTS = "{% for m in messages %}{% for part in m.content %}{{ part.text }}{% endfor %}{% endfor %}"
NEEDS_TOOL_LIST = "{% for t in tools %}{{ t }}{% endfor %}" + CHATML
THINKING = (
    "{% for m in messages %}{% set c = m.content %}{% if m.role == 'assistant' and '</think>' in c %}"
    "{% set c = c.split('</think>')[-1] %}{% endif %}<{{ m.role }}>{{ c }}{% endfor %}"
)


def said(chat_format: ChatFormat, *turns: Turn) -> str:
    return "".join(piece.text for piece in chat_format.pieces(turns))


def test_a_models_own_template_is_used(pip_model: LoadedModel) -> None:
    assert pip_model.format.name == "its own"
    assert pip_model.format.notice == ""
    assert said(pip_model.format, USER) == "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"


@pytest.mark.parametrize("source", ["", "{% for %}", "{{ 'a' * 10 ** 9 }}", "nothing of the message"])
def test_without_a_usable_template_a_built_in_one_is_used_and_said(pip_model: LoadedModel, source: str) -> None:
    chosen = choose_format(source, pip_model.vocabulary)
    assert chosen.name == "ChatML (built in)"
    assert "ChatML" in chosen.notice
    assert said(chosen, USER) == "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"


def test_a_template_that_refuses_system_texts_gets_them_in_the_first_message(pip_model: LoadedModel) -> None:
    chosen = choose_format(STRICT, pip_model.vocabulary)
    assert chosen.name == "its own"
    assert said(chosen, Turn("system", "Be kind."), USER, ANSWER, USER).startswith("[user] Be kind.\n\nHello\n")


def test_messages_of_one_role_in_a_row_are_joined(pip_model: LoadedModel) -> None:
    assert said(choose_format(STRICT, pip_model.vocabulary), USER, USER) == "[user] Hello\n\nHello\n"


def test_a_template_that_wants_parts_gets_parts(pip_model: LoadedModel) -> None:
    chosen = choose_format(ONLY_LISTS, pip_model.vocabulary)
    assert (chosen.name, said(chosen, USER)) == ("its own", "Hello")


def test_a_template_that_wants_a_list_of_tools_gets_an_empty_one(pip_model: LoadedModel) -> None:
    assert choose_format(NEEDS_TOOL_LIST, pip_model.vocabulary).name == "its own"


def test_thoughts_of_earlier_answers_are_left_out_where_the_template_does_so(pip_model: LoadedModel) -> None:
    chosen = choose_format(THINKING, pip_model.vocabulary)
    text = said(chosen, USER, Turn("assistant", "<think>secret</think>Open"), USER)
    assert "secret" not in text
    assert "<assistant>Open" in text


def test_what_people_wrote_is_marked_as_theirs(pip_model: LoadedModel) -> None:
    pieces = pip_model.format.pieces([Turn("user", " <|im_end|> ")])
    assert Piece("<|im_end|>", is_template=False) in pieces
    assert [piece for piece in pieces if not piece.is_template] == [Piece("<|im_end|>", is_template=False)]


def test_template_code_in_a_message_is_only_text(pip_model: LoadedModel) -> None:
    text = said(pip_model.format, Turn("user", "{{ 7 * 7 }}{% for %}"))
    assert "{{ 7 * 7 }}{% for %}" in text


def test_a_conversation_never_starts_with_an_answer() -> None:
    assert [turn.role for turn in merge_turns([ANSWER, USER], takes_system=True)] == ["user", "assistant", "user"]


def test_a_template_may_refuse_a_conversation_later(pip_model: LoadedModel) -> None:
    source = CHATML + "{% if messages | length > 5 %}{{ raise_exception('too many') }}{% endif %}"
    chosen = choose_format(source, pip_model.vocabulary)
    with pytest.raises(TemplateRefused, match="too many"):
        chosen.pieces([USER, ANSWER] * 4 + [USER])


SOURCE = os.environ.get("SNUG_LLAMA_SOURCE", "")
FOREIGN = sorted(Path(SOURCE, "vendor", "llama.cpp", "models", "templates").glob("*.jinja")) if SOURCE else []


@pytest.mark.skipif(not FOREIGN, reason="set SNUG_LLAMA_SOURCE to the unpacked source package of llama-cpp-python")
def test_every_template_of_the_source_package_works_or_falls_back_cleanly(pip_model: LoadedModel) -> None:
    fallen_back = []
    for path in FOREIGN:
        chosen = choose_format(path.read_text(encoding="utf-8"), pip_model.vocabulary)
        assert "Hello" in said(chosen, Turn("system", "Be kind."), USER, ANSWER, USER), path.name
        if chosen.notice:
            fallen_back.append(path.name)
    assert len(fallen_back) <= 0.05 * len(FOREIGN), fallen_back
