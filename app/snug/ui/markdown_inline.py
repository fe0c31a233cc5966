"""Inline Markdown as rich text of our own making: every character of the input is escaped, few tags are ours.

The only tags that can come out are b, i, s, br, span with a style from here, and a with `link:NUMBER` as its
address: the real addresses stay beside the text, http and https only, and are opened after a question. Pictures
are never fetched; their description stands there instead (HAZARDS 3).
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

MAX_LINKS = 200
MAX_OPENERS = 40
MAX_ADDRESS = 2_000

_MARK = re.compile(
    r"\\[!-/:-@\[-`{-~]|`+|\*+|_+|~~|!?\[|<br ?/?>|\n|(?<![A-Za-z0-9])https?://[^\s<>\"'`\\\[\]{}|^]{1,2000}",
)
_LINK_TARGET = re.compile(r"\(\s*<?((?:[^\s()<>]|\([^\s()<>]{0,500}\)){1,2000})>?(?:\s+\"[^\"]{0,300}\")?\s*\)")
_WEB = re.compile(r"https?://[^\s/?#@]+(?=[/?#]|$)", re.IGNORECASE)
_TRAILING = ".,;:!?*_~)"


@dataclass(frozen=True, slots=True)
class InlineStyle:
    """The colours of inline text as #RRGGBB, and the family of code."""

    link: str
    code_background: str
    code_family: str = "JetBrains Mono"


@dataclass(frozen=True, slots=True)
class InlineText:
    """`rich` for a text item with rich text, `plain` for reading aloud, `links` the addresses by number."""

    rich: str
    plain: str
    links: tuple[str, ...] = ()


def escape(text: str) -> str:
    """Text that rich text shows as it is, its runs of spaces too."""
    return html.escape(text, quote=True).replace("  ", "&nbsp; ")


def is_web_address(address: str) -> bool:
    """Whether this is a plain http or https address: no other scheme, no name and password in it."""
    return len(address) <= MAX_ADDRESS and address.isprintable() and _WEB.match(address) is not None


def render(source: str, style: InlineStyle) -> InlineText:
    """The rich text of one paragraph, heading, item or cell."""
    writer = _Writer(style)
    writer.write(source)
    return InlineText("".join(writer.rich), "".join(writer.plain), tuple(writer.links))


@dataclass(slots=True)
class _Opener:
    """A run of emphasis marks that may still be closed: `left` marks of it are plain text so far."""

    mark: str
    left: int
    rich_place: int
    plain_place: int
    tags: str = ""


@dataclass(slots=True)
class _Writer:
    style: InlineStyle
    rich: list[str] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    openers: list[_Opener] = field(default_factory=list)

    def write(self, source: str) -> None:
        position = 0
        while mark := _MARK.search(source, position):
            self._text(source[position : mark.start()])
            position = self._take(source, mark)
        self._text(source[position:])

    def _text(self, text: str) -> None:
        if text:
            self.rich.append(escape(text))
            self.plain.append(text)

    def _take(self, source: str, mark: re.Match[str]) -> int:
        found = mark.group()
        if found == "\n" or found.startswith("<"):
            self.rich.append("<br>")
            self.plain.append("\n")
            return mark.end()
        if found.startswith("\\"):
            self._text(found[1])
            return mark.end()
        if found.startswith("`"):
            return self._code(source, mark)
        if found.startswith(("*", "_", "~")):
            self._emphasis(source, mark)
            return mark.end()
        if found.startswith("http"):
            return self._bare_link(mark)
        return self._link(source, mark)

    def _code(self, source: str, mark: re.Match[str]) -> int:
        ticks = mark.group()
        closing = re.compile(rf"(?<!`){ticks}(?!`)").search(source, mark.end())
        if closing is None:
            self._text(ticks)
            return mark.end()
        code = source[mark.end() : closing.start()].replace("\n", " ")
        if code.startswith(" ") and code.endswith(" ") and code.strip():
            code = code[1:-1]
        style = f"font-family:'{self.style.code_family}'; background-color:{self.style.code_background};"
        self.rich.append(f'<span style="{style}">{escape(code)}</span>')
        self.plain.append(code)
        return closing.end()

    def _bare_link(self, mark: re.Match[str]) -> int:
        address = mark.group().rstrip(_TRAILING)
        self._anchor(address, address)
        return mark.start() + len(address)

    def _link(self, source: str, mark: re.Match[str]) -> int:
        is_picture = mark.group().startswith("!")
        end = source.find("]", mark.end(), mark.end() + 600)
        target = _LINK_TARGET.match(source, end + 1) if end >= 0 else None
        if target is None:
            self._text(mark.group())
            return mark.end()
        words = source[mark.end() : end].replace("\n", " ")
        if is_picture:
            self._text(f"[picture: {words}]" if words else "[picture]")
        elif is_web_address(target[1]):
            self._anchor(words.strip("*_`") or target[1], target[1])
        else:
            self._text(f"{words} ({target[1]})")
        return target.end()

    def _anchor(self, words: str, address: str) -> None:
        if len(self.links) >= MAX_LINKS or not is_web_address(address):
            self._text(words)
            return
        self.rich.append(f'<a href="link:{len(self.links)}" style="color:{self.style.link}">{escape(words)}</a>')
        self.plain.append(words)
        self.links.append(address)

    def _emphasis(self, source: str, mark: re.Match[str]) -> None:
        run = mark.group()
        before = source[mark.start() - 1] if mark.start() else " "
        after = source[mark.end()] if mark.end() < len(source) else " "
        can_open, can_close = not after.isspace(), not before.isspace()
        if run[0] == "_":
            can_open, can_close = can_open and not before.isalnum(), can_close and not after.isalnum()
        left = len(run) if len(run) <= 3 else 0
        if can_close:
            left = self._close(run[0], left)
        if left and can_open and len(self.openers) < MAX_OPENERS:
            self.openers.append(_Opener(run[0], left, len(self.rich), len(self.plain)))
            self.rich.append(run[0] * left)
            self.plain.append(run[0] * left)
        elif left or len(run) > 3:
            self._text(run[0] * (left or len(run)))

    def _close(self, mark: str, left: int) -> int:
        """Close the nearest openers with that mark; what stands open inside them stays text."""
        while left:
            same = [i for i, opener in enumerate(self.openers) if opener.mark == mark]
            if not same:
                return left
            index = next((i for i in reversed(same) if self.openers[i].left == left), same[-1])
            opener = self.openers[index]
            length = min(2, left, opener.left)
            tag = "s" if mark == "~" else "b" if length == 2 else "i"
            opener.left -= length
            opener.tags = f"<{tag}>{opener.tags}"
            self.rich[opener.rich_place] = mark * opener.left + opener.tags
            self.plain[opener.plain_place] = mark * opener.left
            self.rich.append(f"</{tag}>")
            del self.openers[index + (1 if opener.left else 0) :]
            left -= length
        return left
