"""Text to tokens and back, with the difference between a model's control tokens and people's text."""

from __future__ import annotations

import ctypes
import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from snug.core.errors import UserError
from snug.engine.library import llama

_UNKNOWN, _CONTROL, _USER_DEFINED = 1 << 0, 1 << 3, 1 << 4
_LSTRIP, _RSTRIP = 1 << 7, 1 << 8
REMEMBERED_FRAGMENTS = 256
_SPACE = " \t\n\r\v\f"
MOST_PIECES = 8
"""Tokens that a byte may become, at most."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a prompt. Only a template's own text (`is_template`) may contain control tokens."""

    text: str
    is_template: bool


@dataclass(frozen=True, slots=True)
class _Special:
    token: int
    strips_left: bool
    strips_right: bool
    is_user_defined: bool  # llama.cpp finds these in any text, also in people's


class _Cutter:
    """Gathers plain runs and control tokens; a control token may swallow the white space beside it."""

    def __init__(self) -> None:
        self.runs: list[int | str] = [""]
        self._strips_next = False

    def add_plain(self, text: str) -> None:
        if self._strips_next:
            text = text.lstrip(_SPACE)
            self._strips_next = not text
        last = self.runs[-1]
        if isinstance(last, str):
            self.runs[-1] = last + text
        else:
            self.runs.append(text)

    def add_special(self, special: _Special) -> None:
        last = self.runs[-1]
        if special.strips_left and isinstance(last, str):
            self.runs[-1] = last.rstrip(_SPACE)
        self.runs.append(special.token)
        self._strips_next = special.strips_right

    def break_run(self) -> None:
        """What follows is tokenised by itself."""
        self.runs.append("")


def _cut_content(text: str, markers: re.Pattern[str] | None, cutter: _Cutter) -> None:
    """People's text as it is; a marker of the template in it is broken after its first character."""
    at = 0
    for match in markers.finditer(text) if markers else ():
        cutter.add_plain(text[at : match.start() + 1])
        cutter.break_run()
        at = match.start() + 1
    cutter.add_plain(text[at:])


class Vocabulary:
    """A loaded model's vocabulary."""

    def __init__(self, model: Any) -> None:
        self._llama = llama()
        self._vocab = self._llama.llama_model_get_vocab(model)
        self.size: int = self._llama.llama_vocab_n_tokens(self._vocab)
        self._specials = self._find_specials()
        longest_first = sorted(self._specials, key=len, reverse=True)
        self._special_pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        self._pieces: dict[int, bytes] = {}
        self._remembered: OrderedDict[str, tuple[int, ...]] = OrderedDict()
        self.bos: int = self._llama.llama_vocab_bos(self._vocab)
        self.eos: int = self._llama.llama_vocab_eos(self._vocab)
        self.adds_bos: bool = self._llama.llama_vocab_get_add_bos(self._vocab)

    def _find_specials(self) -> dict[str, _Special]:
        get_attributes, get_text = self._llama.llama_vocab_get_attr, self._llama.llama_vocab_get_text
        found = {}
        for token in range(self.size):
            attributes = get_attributes(self._vocab, token)
            if attributes & (_CONTROL | _UNKNOWN | _USER_DEFINED):
                text = get_text(self._vocab, token)
                if text:
                    found[text.decode("utf-8", "replace")] = _Special(
                        token,
                        bool(attributes & _LSTRIP),
                        bool(attributes & _RSTRIP),
                        bool(attributes & _USER_DEFINED),
                    )
        return found

    def has_special(self, text: str) -> bool:
        """Whether `text` is one control token of this model."""
        return text in self._specials

    def special_text(self, token: int) -> str:
        """A control token's text; "" for none."""
        if token < 0:
            return ""
        return (self._llama.llama_vocab_get_text(self._vocab, token) or b"").decode("utf-8", "replace")

    def is_end(self, token: int) -> bool:
        """Whether `token` ends an answer."""
        return bool(self._llama.llama_vocab_is_eog(self._vocab, token))

    def piece(self, token: int) -> bytes:
        """The bytes that `token` adds to an answer; control tokens add none."""
        known = self._pieces.get(token)
        if known is None:
            known = self._pieces[token] = self._read_piece(token)
        return known

    def _read_piece(self, token: int) -> bytes:
        size = 256
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = self._llama.llama_token_to_piece(self._vocab, token, buffer, size, 0, False)
            if length >= 0:
                return buffer.raw[:length]
            size = -length

    def tokenize_pieces(self, pieces: Iterable[Piece]) -> list[int]:
        """The tokens of a prompt. Text of people and documents never becomes a control token.

        The template's parts are cut at control tokens; what lies between two of them, template and content
        alike, is tokenised as one run, so that no border of a piece changes the tokens.
        """
        tokens: list[int] = []
        for item in self._runs(pieces):
            if isinstance(item, int):
                tokens.append(item)
            elif item:
                tokens.extend(self._remembered.get(item) or self.tokenize_plain(item))
        if self.adds_bos and self.bos >= 0 and tokens[:1] != [self.bos]:
            tokens.insert(0, self.bos)
        return tokens

    def last_run(self, pieces: Iterable[Piece]) -> str:
        """The plain text after a prompt's last control token: an answer's tokens continue it."""
        last = list(self._runs(pieces))[-1:]
        return last[0] if last and isinstance(last[0], str) else ""

    def _runs(self, pieces: Iterable[Piece]) -> list[int | str]:
        """Control tokens and the plain runs between them, cut where llama.cpp itself would cut."""
        parts = list(pieces)
        markers = self._user_defined_markers(parts)
        cutter = _Cutter()
        for part in parts:
            if part.is_template:
                self._cut_template(part.text, cutter)
            else:
                _cut_content(part.text, markers, cutter)
        return [run for run in cutter.runs if run != ""]

    def _cut_template(self, text: str, cutter: _Cutter) -> None:
        at = 0
        for match in self._special_pattern.finditer(text):
            cutter.add_plain(text[at : match.start()])
            cutter.add_special(self._specials[match.group()])
            at = match.end()
        cutter.add_plain(text[at:])

    def _user_defined_markers(self, parts: list[Piece]) -> re.Pattern[str] | None:
        """The template's own markers that llama.cpp would also find in people's text."""
        found = {
            match.group()
            for part in parts
            if part.is_template
            for match in self._special_pattern.finditer(part.text)
            if self._specials[match.group()].is_user_defined and match.group().strip()
        }
        return re.compile("|".join(map(re.escape, sorted(found, key=len, reverse=True)))) if found else None

    def tokenize_plain(self, text: str) -> list[int]:
        """Tokens of plain text: no control tokens, no start token."""
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        while True:
            tokens = (ctypes.c_int32 * room)()
            count = self._llama.llama_tokenize(self._vocab, data, len(data), tokens, room, False, False)
            if count >= 0 or not room < -count <= MOST_PIECES * room:
                break
            room = -count  # a vocabulary that lacks a character takes it in pieces
        if count < 0:
            raise UserError("This text cannot be read by the model.", "Shorten it.", kind="too-long", bad_input=True)
        return list(tokens[:count])

    def remember(self, run: str, tokens: Iterable[int]) -> None:
        """Use these tokens whenever this run comes again: an answer keeps the tokens it was made of."""
        self._remembered[run] = tuple(tokens)
        self._remembered.move_to_end(run)
        while len(self._remembered) > REMEMBERED_FRAGMENTS:
            self._remembered.popitem(last=False)
