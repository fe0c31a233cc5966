"""How a model is spoken to: its chat template, or a built-in one where it has none that works."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jinja2

from snug.engine.template_guard import TemplateRefused, compile_template, render
from snug.engine.vocabulary import Piece, Vocabulary


@dataclass(frozen=True, slots=True)
class Turn:
    """One message: `role` is "system", "user" or "assistant"."""

    role: str
    text: str


_LOOP = "{% for message in messages %}"
_CHATML = (
    _LOOP + "<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_GEMMA = (
    _LOOP + "<start_of_turn>{{ 'model' if message.role == 'assistant' else 'user' }}\n"
    "{{ message.content }}<end_of_turn>\n{% endfor %}{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
_LLAMA_3 = (
    _LOOP + "<|start_header_id|>{{ message.role }}<|end_header_id|>\n\n{{ message.content }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
_MISTRAL = (
    _LOOP + "{% if message.role == 'assistant' %} {{ message.content }}{{ eos_token }}"
    "{% else %}[INST] {{ message.content }} [/INST]{% endif %}{% endfor %}"
)


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A family's format: the control token that shows that a model knows it, and how its answers end."""

    name: str
    sign: str
    source: str
    stop: tuple[str, ...]


BUILT_IN = (
    BuiltIn("Llama 3", "<|start_header_id|>", _LLAMA_3, ("<|eot_id|>",)),
    BuiltIn("Gemma", "<start_of_turn>", _GEMMA, ("<end_of_turn>",)),
    BuiltIn("Mistral", "[INST]", _MISTRAL, ("[INST]",)),
    BuiltIn("ChatML", "<|im_start|>", _CHATML, ("<|im_end|>",)),
)
"""Looked through in this order; the last is used where a model shows no sign of any."""

_THINK_TAG = re.compile(r"(</?think>)")


class ChatFormat:
    """Turns to the pieces of a prompt, the way one model wants it."""

    def __init__(self, name: str, template: jinja2.Template, special: dict[str, str], notice: str = "") -> None:
        self.name = name
        self.notice = notice
        self.stop: tuple[str, ...] = ()
        self._template = template
        self._special = special
        self._takes_system = True
        self._content_as_list = False
        self._tools: list[str] | None = None

    def pieces(self, turns: Sequence[Turn]) -> list[Piece]:
        """The prompt that asks for the next answer. Raises TemplateRefused.

        The template sees an unguessable word in place of each text, so it cannot read or change what people
        wrote, and what people wrote cannot pose as a part of the template.
        """
        fitted = merge_turns(turns, self._takes_system)
        words = _Words()
        messages = [{"role": turn.role, "content": self._content(words.hide(turn))} for turn in fitted]
        variables: dict[str, Any] = {"messages": messages, "add_generation_prompt": True, "tools": self._tools}
        text = render(self._template, variables | self._special)
        pieces = words.split(text)
        if not words.last_user_is_in(pieces):
            raise TemplateRefused("it leaves out what the person said")
        return pieces

    def _content(self, text: str) -> Any:
        return [{"type": "text", "text": text}] if self._content_as_list else text

    def settle(self) -> None:
        """Find out how this template wants its messages. Raises TemplateRefused where no way works."""
        user, answer = Turn("user", "Hello"), Turn("assistant", "Hi")
        refusal: TemplateRefused | None = None
        for self._content_as_list, self._tools in ((False, None), (False, []), (True, None)):
            try:
                self.pieces([user])
                self.pieces([user, answer, user])
                break
            except TemplateRefused as error:
                refusal = refusal or error
        else:
            raise refusal or TemplateRefused("no way works")
        system = Turn("system", "Be kind.")
        try:
            shown = "".join(piece.text for piece in self.pieces([system, user]))
            self._takes_system = system.text in shown
        except TemplateRefused:
            self._takes_system = False


class _Words:
    """Unguessable words in place of texts, and the way back."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._last_user = ""
        self._secret = secrets.token_hex(12)

    def hide(self, turn: Turn) -> str:
        """What the template sees of a turn: white space at the ends and an answer's think tags stay visible."""
        parts = _THINK_TAG.split(turn.text) if turn.role == "assistant" else [turn.text]
        shown = "".join(part if _THINK_TAG.fullmatch(part) else self._hide_text(part) for part in parts)
        if turn.role == "user":
            self._last_user = shown.strip()
        return shown

    def _hide_text(self, text: str) -> str:
        core = text.strip()
        if not core:
            return text
        word = f"q{self._secret}x{len(self._texts)}z"
        self._texts[word] = core
        start = text.index(core)
        return text[:start] + word + text[start + len(core) :]

    def split(self, rendered: str) -> list[Piece]:
        """The rendered text as pieces of the template and of people's text."""
        pieces = []
        for part in re.split(f"(q{self._secret}x[0-9]+z)", rendered):
            if part in self._texts:
                pieces.append(Piece(self._texts[part], is_template=False))
            elif part:
                pieces.append(Piece(part, is_template=True))
        return pieces

    def last_user_is_in(self, pieces: Sequence[Piece]) -> bool:
        wanted = self._texts.get(self._last_user)
        return wanted is None or any(not piece.is_template and piece.text == wanted for piece in pieces)


def merge_turns(turns: Sequence[Turn], takes_system: bool) -> list[Turn]:
    """Turns as strict templates want them: one system text first or none, then user and assistant in turn."""
    system = "\n\n".join(turn.text for turn in turns if turn.role == "system" and turn.text.strip())
    merged: list[Turn] = []
    for turn in turns:
        if turn.role == "system":
            continue
        if merged and merged[-1].role == turn.role:
            merged[-1] = Turn(turn.role, f"{merged[-1].text}\n\n{turn.text}")
        elif not merged and turn.role == "assistant":
            merged += [Turn("user", "…"), turn]  # an answer to something that is not there any more
        else:
            merged.append(turn)
    if not system:
        return merged
    if takes_system:
        return [Turn("system", system), *merged]
    if merged:
        merged[0] = Turn("user", f"{system}\n\n{merged[0].text}")
    return merged


def choose_format(source: str, vocabulary: Vocabulary) -> ChatFormat:
    """The model's own format where it works, else the built-in one of its family, with a notice that says so."""
    special = {
        "bos_token": vocabulary.special_text(vocabulary.bos),
        "eos_token": vocabulary.special_text(vocabulary.eos),
    }
    reason = ""
    if source:
        try:
            own = ChatFormat("its own", compile_template(source), special)
            own.settle()
            return own
        except TemplateRefused as error:
            reason = str(error)
    return _built_in(vocabulary, special, reason)


def _built_in(vocabulary: Vocabulary, special: dict[str, str], reason: str) -> ChatFormat:
    known = [one for one in BUILT_IN if vocabulary.has_special(one.sign)]
    family = known[0] if known else BUILT_IN[-1]
    if reason:
        notice = (
            f"This model's own chat format cannot be used ({reason}); Snug speaks to it as {family.name} models do."
        )
    else:
        notice = f"This model has no chat format; Snug speaks to it as {family.name} models do. It may answer oddly."
    chosen = ChatFormat(f"{family.name} (built in)", compile_template(family.source), special, notice)
    chosen.stop = family.stop
    chosen.settle()
    return chosen
