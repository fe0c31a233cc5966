"""Code as rich text in the theme's colours, through pygments, for the languages of a list that you can see."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from snug.ui.markdown_inline import escape

if TYPE_CHECKING:
    from pygments.lexer import Lexer

MAX_CODE = 20_000

LANGUAGES = {
    "bash": "Shell", "c": "C", "c#": "C#", "c++": "C++", "cmake": "CMake", "cpp": "C++", "cs": "C#", "csharp": "C#",
    "css": "CSS", "diff": "Changes", "docker": "Dockerfile", "dockerfile": "Dockerfile", "go": "Go", "golang": "Go",
    "haskell": "Haskell", "html": "HTML", "ini": "INI", "java": "Java", "javascript": "JavaScript",
    "js": "JavaScript", "json": "JSON", "julia": "Julia", "kotlin": "Kotlin", "latex": "LaTeX", "lua": "Lua",
    "makefile": "Makefile", "matlab": "MATLAB", "perl": "Perl", "php": "PHP", "powershell": "PowerShell",
    "py": "Python", "python": "Python", "python3": "Python", "qml": "QML", "r": "R", "rb": "Ruby", "ruby": "Ruby",
    "rust": "Rust", "rs": "Rust", "scala": "Scala", "sh": "Shell", "shell": "Shell", "sql": "SQL", "swift": "Swift",
    "tex": "LaTeX", "toml": "TOML", "ts": "TypeScript", "tsx": "TypeScript", "typescript": "TypeScript",
    "xml": "XML", "yaml": "YAML", "yml": "YAML", "zsh": "Shell",
}  # fmt: skip
_WITHOUT_COLOUR = {
    "": "Code",
    "text": "Text",
    "txt": "Text",
    "plaintext": "Text",
    "markdown": "Markdown",
    "md": "Markdown",
}


@dataclass(frozen=True, slots=True)
class CodeColours:
    """The colours of the kinds of words in code as #RRGGBB."""

    keyword: str
    name: str
    text: str
    number: str
    comment: str


LIGHT = CodeColours(keyword="#7A3FC0", name="#1D5FA8", text="#1F7A4D", number="#9A4B00", comment="#6B655C")
DARK = CodeColours(keyword="#C3A2F5", name="#8CBEF2", text="#7BD49C", number="#E8B27A", comment="#A39C92")


def language_name(language: str) -> str:
    """What the head of a code block says: a language's proper name, else the word that the model wrote."""
    key = language.lower()
    return LANGUAGES.get(key) or _WITHOUT_COLOUR.get(key) or language


def plain(code: str) -> str:
    """Code without colours as rich text."""
    return "<br>".join(escape(line) for line in code.split("\n"))


def highlight(code: str, language: str, colours: CodeColours) -> str:
    """Code with colours as rich text; an unknown language and too long a code stay without."""
    key = language.lower()
    if key not in LANGUAGES or len(code) > MAX_CODE:
        return plain(code)
    from pygments.token import Token  # 30 ms and 3 MB, only when the first code block appears

    kinds = (
        (Token.Comment, colours.comment), (Token.Keyword, colours.keyword), (Token.Operator.Word, colours.keyword),
        (Token.Literal.String, colours.text), (Token.Literal.Number, colours.number),
        (Token.Name.Function, colours.name), (Token.Name.Class, colours.name), (Token.Name.Tag, colours.name),
        (Token.Name.Decorator, colours.name), (Token.Generic.Deleted, colours.number),
        (Token.Generic.Inserted, colours.text),
    )  # fmt: skip
    parts = []
    for token, text in _lexer(key).get_tokens(code):
        colour = next((value for kind, value in kinds if token in kind), "")
        rich = plain(text)
        parts.append(f'<span style="color:{colour}">{rich}</span>' if colour and text.strip() else rich)
    return "".join(parts)


@cache
def _lexer(language: str) -> Lexer:
    """Made once a language: its patterns take up to 80 ms to compile."""
    from pygments.lexers import get_lexer_by_name

    return get_lexer_by_name(language, stripnl=False, ensurenl=False)
