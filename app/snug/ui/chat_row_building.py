"""From a message to its rows: blocks of the answer, thoughts folded, what can be done with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from snug.store.rows import MessageRow
from snug.ui import code_highlighting
from snug.ui.chat_rows import Row
from snug.ui.chat_words import speed_words, thought_words, token_details
from snug.ui.code_highlighting import CodeColours
from snug.ui.markdown_blocks import Block, MarkdownStream, visible_text
from snug.ui.markdown_inline import InlineStyle, render
from snug.ui.reply_text import split_reply

MAX_SHOWN = 8_000
LINE_HEIGHT = "line-height:121%; margin:0;"
"""Inter's own lines are 1.2 times its size apart; so they are 1.45 times."""


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours that rich text carries in itself."""

    inline: InlineStyle
    code: CodeColours


LIGHT = Palette(InlineStyle(link="#2F6F5E", code_background="#EFEBE5"), code_highlighting.LIGHT)
DARK = Palette(InlineStyle(link="#6FC3AC", code_background="#2F2C29"), code_highlighting.DARK)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why there is no whole answer: words, technical details, and the one button that mends it.

    `action` is "retry", "smaller", or "" where only another message helps; `button` is its words.
    """

    title: str
    advice: str
    details: str = ""
    kind: str = ""
    action: str = "retry"
    button: str = "Try again"


INTERRUPTED = Problem("This answer was interrupted", "")
FAILED = Problem("There is no answer", "")
KEPT_BOTH = "Your message and the answer so far are kept."
KEPT_QUESTION = "Your message is kept."


def message_rows(message: MessageRow, palette: Palette, *, is_last: bool, problem: Problem | None = None) -> list[Row]:
    """All rows of a message that is not being written at the moment."""
    if message.role == "user":
        return [user_row(message)]
    reply = ReplyRows(message, palette)
    reply.feed(message.text)
    return [*reply.rows(is_writing=False), *closing_rows(message, is_last=is_last, problem=problem)]


def user_row(message: MessageRow) -> Row:
    text = visible_text(message.text)
    more = len(text) - MAX_SHOWN
    note = f"and {more:,} more characters, kept and sent; Copy takes all of them" if more > 0 else ""
    shown = text[:MAX_SHOWN]
    rich = _lines(code_highlighting.plain(shown))
    return Row("user", message.id, text=shown, rich=rich, note=note, **_versions(message))


def _versions(message: MessageRow) -> dict[str, Any]:
    return {
        "marker": f"{message.alternative + 1} of {message.alternatives}" if message.alternatives > 1 else "",
        "canGoBack": message.alternative > 0,
        "canGoForward": message.alternative + 1 < message.alternatives,
    }


def closing_rows(message: MessageRow, *, is_last: bool, problem: Problem | None = None) -> list[Row]:
    """What stands under a reply: why it is not whole, and what can be done with it."""
    rows = []
    has_text = bool(message.text.strip())
    if message.state in ("interrupted", "failed"):
        problem = problem or (INTERRUPTED if has_text else FAILED)
        note = f"{KEPT_BOTH if has_text else KEPT_QUESTION} {problem.advice}".strip()
        button = problem.button if is_last else ""
        rows.append(Row("problem", message.id, text=problem.title, note=note, details=problem.details, action=button))
    if message.is_damaged:
        rows.append(Row("notice", message.id, text="The disk changed this text: it is not what was saved."))
    if not has_text and message.alternatives == 1 and rows:
        return rows
    rows.append(
        Row(
            "actions",
            message.id,
            note=speed_words(message),
            details=token_details(message),
            isLast=is_last and not rows,
            **_versions(message),
        )
    )
    return rows


class ReplyRows:
    """The rows of a reply that grows; rows of closed blocks are made once."""

    def __init__(self, message: MessageRow, palette: Palette) -> None:
        self.text = ""
        self._message = message
        self._palette = palette
        self._answer = ""
        self._stream = MarkdownStream()
        self._closed: list[Row] = []

    def feed(self, piece: str) -> None:
        """Add what came next of the reply."""
        self.text += piece
        answer = split_reply(self.text).answer
        if not answer.startswith(self._answer):
            self._stream, self._closed, self._answer = MarkdownStream(), [], ""
        self._stream.feed(answer[len(self._answer) :])
        self._answer = answer

    def rows(self, *, is_writing: bool) -> list[Row]:
        """The rows at this moment; while it is written, the last one carries the mark of the pen."""
        reply = split_reply(self.text)
        number = self._message.id
        if not is_writing:
            self._stream.finish()
        for block in self._stream.closed[len(self._closed) :]:
            self._closed.append(block_row(block, number, self._palette))
        rows = list(self._closed)
        rows += [block_row(block, number, self._palette, is_open=True) for block in self._stream.open_blocks()]
        if reply.thought or (reply.is_thinking and is_writing):
            heading = thought_words(replace(self._message, text=self.text), reply.thought, reply.is_thinking)
            thought = visible_text(reply.thought)
            rows.insert(0, Row("thought", number, text=thought[-MAX_SHOWN:], marker=heading))
        if is_writing:
            if rows and rows[-1].kind in ("prose", "item", "heading"):
                rows[-1] = replace(rows[-1], isWriting=True)
            else:
                rows.append(Row("waiting", number, isWriting=True))
        return rows


def block_row(block: Block, number: int, palette: Palette, *, is_open: bool = False) -> Row:
    """The row of one block. An open code block takes its colours when it closes, so that each update is cheap."""
    row = Row(block.kind, number, depth=block.depth, quote=block.quote, level=block.level, marker=block.marker)
    if block.kind == "code":
        rich = (
            code_highlighting.plain(block.source)
            if is_open and len(block.source) > 1_500
            else code_highlighting.highlight(block.source, block.language, palette.code)
        )
        name = "" if block.continued else code_highlighting.language_name(block.language)
        return replace(row, text=block.source, rich=_lines(rich), marker=name)
    if block.kind == "table":
        rendered = [[render(cell, palette.inline) for cell in cells] for cells in block.rows]
        return replace(
            row,
            text="\n".join("\t".join(cell.plain for cell in cells) for cells in rendered),
            cells=tuple(tuple(cell.rich for cell in cells) for cells in rendered),
            plainCells=tuple(tuple(cell.plain or " " for cell in cells) for cells in rendered),
            alignments=block.alignments,
            hasHeader=block.has_header,
        )
    inline = render(block.source, palette.inline)
    return replace(row, text=inline.plain, rich=_lines(inline.rich), links=inline.links)


def _lines(rich: str) -> str:
    return f'<p style="{LINE_HEIGHT}">{rich}</p>' if rich else ""
