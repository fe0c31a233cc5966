"""Whether the new file's chat template says the same as the checkpoint's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snug.convert.checks.report import Check
from snug.convert.tokenizers.chat_templates import chat_templates
from snug.convert.tokenizers.tokenizer_files import TokenizerFiles
from snug.engine.bare_vocabulary import BareVocabulary
from snug.engine.template_guard import TemplateRefused, compile_template, render

NAME = "template"

_SYSTEM = {"role": "system", "content": "Be brief, please."}
_QUESTION = {"role": "user", "content": "Café or 茶? 🙂 <b>&amp;</b> {{ 1 }}"}
_ANSWER = {"role": "assistant", "content": "Tea.\n\n```py\nprint('x')\n```"}
_AGAIN = {"role": "user", "content": " And now? "}
CONVERSATIONS: tuple[tuple[dict[str, str], ...], ...] = (
    (_QUESTION,),
    (_QUESTION, _ANSWER, _AGAIN),
    (_SYSTEM, _QUESTION, _ANSWER, _AGAIN),
)


@dataclass(frozen=True, slots=True)
class _Rendered:
    """What a template makes of each conversation, or why it refuses."""

    texts: tuple[str, ...]
    refusals: int


def check_chat_template(files: Mapping[str, Path], result: Path) -> Check:
    """Render conversations with the template in `files` and with the one that the engine finds in the result."""
    found = chat_templates(TokenizerFiles(files)) or {}
    return compare_templates(found.get("default", ""), _template_of(result))


def check_same_file_template(source: Path, result: Path) -> Check:
    """The same for a GGUF that was made from another GGUF."""
    return compare_templates(_template_of(source), _template_of(result))


def compare_templates(before: str, after: str) -> Check:
    """Whether two templates render conversations the same."""
    if not before and not after:
        return Check(NAME, True, "This model comes without a chat template; Snug uses its family's.", is_done=False)
    if not after:
        return Check(NAME, False, "The chat template was lost: the model would be spoken to in the wrong way.")
    if not before:
        return Check(NAME, False, "The new file has a chat template that the original does not have.", after[:500])
    for is_asking in (True, False):
        first, second = _render(before, is_asking), _render(after, is_asking)
        for number, (one, other) in enumerate(zip(first.texts, second.texts, strict=True)):
            if one != other:
                return Check(
                    NAME,
                    False,
                    "The new file's chat template writes conversations otherwise than the original's.",
                    f"conversation {number}:\n{one[:600]!r}\nbecame\n{other[:600]!r}",
                )
        if first.refusals == len(CONVERSATIONS):
            return Check(NAME, before == after, _SAME_TEXT if before == after else _OTHER_TEXT, first.texts[0][:300])
    return Check(NAME, True, "Conversations are laid out exactly as by the original.")


_SAME_TEXT = "The chat template came through unchanged, but it cannot be used here; Snug uses its family's."
_OTHER_TEXT = "The chat template was changed, and it cannot be used here."


def _render(source: str, is_asking: bool) -> _Rendered:
    variables: dict[str, Any] = {
        "add_generation_prompt": is_asking, "bos_token": "<s>", "eos_token": "</s>", "tools": None,
    }  # fmt: skip
    texts, refusals = [], 0
    try:
        template = compile_template(source)
    except TemplateRefused as error:
        return _Rendered((f"refused: {error}",) * len(CONVERSATIONS), len(CONVERSATIONS))
    for conversation in CONVERSATIONS:
        try:
            texts.append(render(template, variables | {"messages": [dict(turn) for turn in conversation]}))
        except TemplateRefused as error:
            texts.append(f"refused: {error}")
            refusals += 1
    return _Rendered(tuple(texts), refusals)


def _template_of(path: Path) -> str:
    with BareVocabulary(path) as vocabulary:
        return vocabulary.chat_template
