"""Streaming Markdown as a flat list of blocks, of which only the last one still changes.

Own reader instead of a general parser, for the stream's sake: it works line by line, so a closed block is never
read again, and reading in pieces gives what reading at once gives. Everything is bounded: a long line is cut, a
long block goes on in another one, and after `MAX_BLOCKS` the rest is plain paragraphs. Nothing here is trusted:
HTML is text, pictures are their description, and control characters are made visible (HAZARDS 3).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

LINE_LIMIT = 4_000
BLOCK_LIMIT = 4_000
MAX_BLOCKS = 300
MAX_TABLE_ROWS = 60
MAX_TABLE_COLUMNS = 16
MAX_DEPTH = 6

_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufff9-\ufffc\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_QUOTE = re.compile(r" {0,3}> ?")
_FENCE = re.compile(r" *(`{3,}|~{3,})(.*)$")
_HEADING = re.compile(r" {0,3}(#{1,6})(?: +|$)")
_RULE = re.compile(r" {0,3}(?:(?:\* *){3,}|(?:- *){3,}|(?:_ *){3,})$")
_ITEM = re.compile(r"( *)([-*+]|\d{1,9}[.)])(?: +(.*))?$")
_TASK = re.compile(r"\[([ xX])\] +")
_TABLE_DASHES = re.compile(r":?-+:?")
_CELL_EDGE = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True, slots=True)
class Block:
    """One block. `kind` is "prose", "heading", "item", "code", "table" or "rule".

    `source` is Markdown with inline marks only, or the code; `depth` counts the lists around it, `quote` the
    quotations; `continued` says that it goes on where the block before it was cut for its length.
    """

    kind: str
    source: str = ""
    level: int = 0
    depth: int = 0
    quote: int = 0
    marker: str = ""
    language: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    alignments: tuple[str, ...] = ()
    has_header: bool = False
    continued: bool = False


def visible_text(text: str) -> str:
    """The text with control characters, bidirectional overrides and half surrogates made visible."""
    text = text.replace("\r\n", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return _SURROGATE.sub("\ufffd", _INVISIBLE.sub(_picture, text))


def _picture(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"[U+{code:04X}]"


def parse(text: str) -> list[Block]:
    """All blocks of a finished text."""
    stream = MarkdownStream()
    stream.feed(text)
    stream.finish()
    return stream.blocks()


class MarkdownStream:
    """Takes a text in pieces; `closed` blocks stay as they are, `open_blocks()` may still change."""

    def __init__(self) -> None:
        self._reader = _Reader()
        self._rest = ""
        self._held = ""

    @property
    def closed(self) -> list[Block]:
        return self._reader.closed

    def feed(self, text: str) -> None:
        """Add what came next."""
        text = self._held + text
        self._held = ""
        if text.endswith("\r"):
            text, self._held = text[:-1], "\r"
        lines = (self._rest + visible_text(text)).split("\n")
        self._rest = lines.pop()
        for line in lines:
            self._take_long(line, whole=True)
        self._rest = self._take_long(self._rest, whole=False)

    def finish(self) -> None:
        """The text is complete: the last line counts, and the last block closes."""
        self._take_long(self._rest + visible_text(self._held), whole=True)
        self._rest = self._held = ""
        self._reader.close()

    def open_blocks(self) -> list[Block]:
        """What the last, unfinished lines look like at this moment."""
        return self._reader.preview(self._rest)

    def blocks(self) -> list[Block]:
        return self.closed + self.open_blocks()

    def _take_long(self, line: str, *, whole: bool) -> str:
        while len(line) > LINE_LIMIT:
            space = line.rfind(" ", LINE_LIMIT // 2, LINE_LIMIT)
            end = LINE_LIMIT if space < 0 else space + 1
            self._reader.take(line[:end], is_whole=False)
            line = line[end:]
        if whole:
            self._reader.take(line, is_whole=True)
            return ""
        return line


@dataclass(slots=True)
class _Open:
    """A block that is being read."""

    block: Block
    lines: list[str] = field(default_factory=list)
    size: int = 0
    fence: str = ""
    indent: int = 0


@dataclass(slots=True)
class _List:
    marker_indent: int


class _Reader:
    """The state between two lines."""

    def __init__(self) -> None:
        self.closed: list[Block] = []
        self._count = 0
        self._open: _Open | None = None
        self._lists: list[_List] = []
        self._is_inside_line = False

    def preview(self, line: str) -> list[Block]:
        copy = _Reader()
        copy._count = self._count
        copy._lists = [replace(entry) for entry in self._lists]
        copy._is_inside_line = self._is_inside_line
        if self._open is not None:
            copy._open = replace(self._open, lines=list(self._open.lines))
        if line:
            copy.take(line, is_whole=True)
        copy.close()
        return copy.closed

    def take(self, line: str, *, is_whole: bool) -> None:
        line = line.expandtabs(4) if "\t" in line and not self._is_code() else line
        if self._is_inside_line or self._count >= MAX_BLOCKS:
            self._go_on(line)
        else:
            self._take_line(line)
        self._is_inside_line = not is_whole

    def close(self) -> None:
        if self._open is None:
            return
        block = _finished(self._open)
        self._open = None
        if block is not None:
            self.closed.append(block)
            self._count += 1

    def _is_code(self) -> bool:
        return self._open is not None and self._open.block.kind == "code"

    def _start(self, block: Block, line: str = "", *, fence: str = "", indent: int = 0) -> None:
        self.close()
        lines = [] if block.kind in ("code", "table") and not line else [line]
        self._open = _Open(block, lines, len(line), fence, indent)

    def _add(self, line: str) -> None:
        """One more line for the open block, or the first line of the block that continues it."""
        opened = self._open
        assert opened is not None
        if opened.size + len(line) > BLOCK_LIMIT and opened.lines:
            block = replace(opened.block, continued=True, marker="")
            self._start(block, line, fence=opened.fence, indent=opened.indent)
            return
        opened.lines.append(line)
        opened.size += len(line) + 1

    def _go_on(self, line: str) -> None:
        """The rest of a line that was cut, or plain text after too many blocks."""
        if self._open is None or self._open.block.kind in ("table", "rule"):
            self._start(Block("prose", continued=True), line)
        elif self._is_inside_line and self._open.lines and self._open.size + len(line) <= BLOCK_LIMIT:
            self._open.lines[-1] += line
            self._open.size += len(line)
        else:
            self._add(line)

    def _take_line(self, line: str) -> None:
        quote = 0
        content = line
        while quote < MAX_DEPTH and (mark := _QUOTE.match(content)):
            content = content[mark.end() :]
            quote += 1
        opened = self._open
        if opened is not None and opened.fence:
            if quote >= opened.block.quote:
                self._take_code(line if not opened.block.quote else content)
                return
            self.close()
        if opened is not None and opened.block.quote != quote:
            self.close()
        if not content.strip():
            self.close()
            return
        self._take_content(content, quote)

    def _take_code(self, line: str) -> None:
        opened = self._open
        assert opened is not None
        mark = _FENCE.match(line)
        if mark and mark[1].startswith(opened.fence) and not mark[2].strip():
            self.close()
            return
        indent = min(opened.indent, len(line) - len(line.lstrip(" ")))
        self._add(line[indent:])

    def _take_content(self, line: str, quote: int) -> None:
        indent = len(line) - len(line.lstrip(" "))
        if (mark := _FENCE.match(line)) and "`" not in mark[2]:
            words = mark[2].split()
            block = Block("code", depth=self._depth(indent), quote=quote, language=words[0][:30] if words else "")
            self._start(block, fence=mark[1], indent=indent)
        elif mark := _HEADING.match(line):
            self._lists.clear()
            self._start(Block("heading", level=len(mark[1]), quote=quote), _heading_text(line[mark.end() :]))
            self.close()
        elif self._becomes_table(line):
            pass
        elif _RULE.match(line):
            self._lists.clear()
            self._start(Block("rule", quote=quote))
            self.close()
        elif mark := _ITEM.match(line):
            self._start_item(mark, quote)
        elif self._open is not None and self._open.block.kind == "table" and "|" in line:
            self._add_row(line)
        elif self._open is not None and self._open.block.kind in ("prose", "item"):
            self._add(line.lstrip())
        else:
            self._start(Block("prose", depth=self._depth(indent), quote=quote), line.lstrip())

    def _depth(self, indent: int) -> int:
        """How many lists a block with this indent stands in; leaves the ones that it stands outside of."""
        while self._lists and indent < self._lists[-1].marker_indent + 2:
            self._lists.pop()
        return min(len(self._lists), MAX_DEPTH)

    def _start_item(self, mark: re.Match[str], quote: int) -> None:
        indent = len(mark[1])
        depth = self._depth(indent)
        self._lists.append(_List(indent))
        text, marker = mark[3] or "", mark[2]
        marker = "\u2022" if marker in "-*+" else marker.rstrip(".)") + "."
        if task := _TASK.match(text):
            marker = "\u2610" if task[1] == " " else "\u2611"
            text = text[task.end() :]
        self._start(Block("item", depth=depth + 1, quote=quote, marker=marker), text)

    def _becomes_table(self, line: str) -> bool:
        """Whether the open paragraph's only line was the header over this row of dashes."""
        opened = self._open
        if opened is None or opened.block.kind not in ("prose", "item") or len(opened.lines) != 1:
            return False
        header, marks = _cells(opened.lines[0]), _cells(line)
        if "|" not in line + opened.lines[0] or len(header) != len(marks) or opened.block.marker:
            return False
        if not all(_TABLE_DASHES.fullmatch(mark) for mark in marks):
            return False
        alignments = tuple(_alignment(mark) for mark in marks)
        block = replace(opened.block, kind="table", alignments=alignments, rows=(header,), has_header=True)
        self._open = _Open(block, [], opened.size)
        return True

    def _add_row(self, line: str) -> None:
        opened = self._open
        assert opened is not None
        width = len(opened.block.alignments)
        row = (*_cells(line), *[""] * width)[:width]
        size = opened.size + len(line)
        if len(opened.block.rows) >= MAX_TABLE_ROWS or size > BLOCK_LIMIT:
            block = replace(opened.block, rows=(row,), has_header=False, continued=True)
            self.close()
            self._open = _Open(block, [], len(line))
            return
        opened.block = replace(opened.block, rows=(*opened.block.rows, row))
        opened.size = size


def _finished(opened: _Open) -> Block | None:
    if opened.block.kind in ("table", "rule"):
        return opened.block
    source = "\n".join(opened.lines)
    if opened.block.kind == "prose" and not source.strip():
        return None
    return replace(opened.block, source=source)


def _heading_text(text: str) -> str:
    text = text.rstrip()
    without_marks = text.rstrip("#")
    return without_marks.rstrip() if without_marks.endswith(" ") or not without_marks else text


def _cells(line: str) -> tuple[str, ...]:
    line = line.strip()
    line = line.removeprefix("|")
    if line.endswith("|") and not line.endswith("\\|"):
        line = line[:-1]
    return tuple(cell.strip().replace("\\|", "|") for cell in _CELL_EDGE.split(line)[:MAX_TABLE_COLUMNS])


def _alignment(mark: str) -> str:
    if mark.endswith(":"):
        return "center" if mark.startswith(":") else "right"
    return "left"
