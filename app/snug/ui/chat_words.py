"""The chat screen's sentences: groups, speeds, pages, and what will happen before a model is ready."""

from __future__ import annotations

from datetime import datetime, timedelta

from snug.core.fit import Fit
from snug.core.words import TOKENS_PER_PAGE, duration_text, pages_text, size_text, words_per_second
from snug.store.rows import ChatRow, LibraryModel, MessageRow

LOADING_BYTES_PER_S = 400_000_000
"""A cautious rate for reading a model from a disk that it was not read from before."""

STATE_ADVICE = {
    "not_connected": "Its drive is not connected. Connect it, or choose another model.",
    "missing": "Its file is not where it was. Look for it in the Library, or choose another model.",
    "changed": "Its file changed. Check it in the Library, or choose another model.",
    "broken": "Its file is damaged. Get it again, or choose another model.",
}


def group_of(moment: datetime, now: datetime) -> str:
    """The heading that a chat of that moment stands under."""
    if moment.tzinfo is None and now.tzinfo is not None:
        moment = moment.replace(tzinfo=now.tzinfo)
    local_now = now.astimezone() if now.tzinfo else now
    local = moment.astimezone() if moment.tzinfo else moment
    if local.date() >= local_now.date():
        return "Today"
    return "This week" if local.date() > local_now.date() - timedelta(days=7) else "Older"


def chat_detail(row: ChatRow) -> str:
    """The quiet line under a title: "Qwen3.5 4B · 12 messages"."""
    count = "1 message" if row.message_count == 1 else f"{row.message_count} messages"
    return f"{row.model_name} · {count}" if row.model_name else count


def speed_words(row: MessageRow) -> str:
    """ "14 words a second · first word after 1.1 s", or nothing where it was not measured."""
    parts = []
    if row.state == "stopped":
        parts.append("Stopped")
    if row.tokens_per_s:
        words = words_per_second(row.tokens_per_s)
        parts.append(f"{words:.0f} words a second" if words >= 9.5 else f"{words:.1f} words a second")
    if row.first_token_s is not None:
        seconds = f"{row.first_token_s:.1f}"
        parts.append("first word at once" if seconds == "0.0" else f"first word after {seconds} s")
    return " · ".join(parts)


def token_details(row: MessageRow) -> str:
    """The same in the engine's own units, for those who ask."""
    parts = [row.model_name] if row.model_name else []
    if row.tokens:
        parts.append(f"{row.tokens} tokens")
    if row.tokens_per_s:
        parts.append(f"{row.tokens_per_s:.1f} tokens a second")
    if row.first_token_s is not None:
        parts.append(f"first token after {row.first_token_s:.2f} s")
    return " · ".join(parts)


def thought_words(row: MessageRow, thought: str, is_thinking: bool) -> str:
    """ "Thought for 4 seconds": the thoughts' share of the time that the whole reply took."""
    if is_thinking:
        return "Thinking…"
    if not row.tokens or not row.tokens_per_s or not row.text:
        return "Thoughts"
    seconds = round(len(thought) / len(row.text) * row.tokens / row.tokens_per_s)
    if seconds < 90:
        return f"Thought for {max(1, seconds)} {'second' if seconds <= 1 else 'seconds'}"
    return f"Thought for {duration_text(seconds)}"


def plan_words(model: LibraryModel, fit: Fit | None, is_in_cache: bool) -> str:
    """What will happen when the first message is sent, and how long that takes."""
    if model.state != "ready":
        return STATE_ADVICE.get(model.state, "")
    seconds = 0.5 + (0 if is_in_cache else model.size_bytes / LOADING_BYTES_PER_S)
    start = f"Starts when you send: {duration_text(seconds)}"
    if fit is None:
        return start
    return f"{start}, {size_text(fit.memory.total)} of memory"


def pages_left_words(tokens: int) -> str:
    """The context meter: "about 31 pages left"."""
    return f"{pages_text(max(0, tokens))} left"


def smaller_memory_words(context: int) -> str:
    """The button that loads the model with a shorter memory."""
    pages = max(1, round(context / TOKENS_PER_PAGE))
    return f"Go on with {pages} {'page' if pages == 1 else 'pages'} of memory"


def left_out_words(count: int) -> str:
    """The mark where the model's memory of a long chat begins."""
    if count == 1:
        return "The oldest message no longer fits the model's memory and was left out. It is kept here."
    return f"The {count} oldest messages no longer fit the model's memory and were left out. They are kept here."


def chat_as_text(title: str, messages: list[MessageRow]) -> str:
    """A whole chat as plain text, for the clipboard and for a file."""
    parts = [title, ""]
    for message in messages:
        who = "You" if message.role == "user" else message.model_name or "Model"
        parts += [f"{who}:", message.text, ""]
    return "\n".join(parts)
