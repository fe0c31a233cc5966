"""Which messages of a conversation are shown: its path through the tree of alternatives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Row, func, select, text, update

from snug.store.schema import messages

# A child always has a larger number than its parent, so the shown path is in the order of the numbers.
_SHOW_UP = text(
    """
    WITH RECURSIVE up(id, parent_id) AS (
        SELECT id, parent_id FROM messages WHERE id = :message
        UNION ALL SELECT m.id, m.parent_id FROM messages m JOIN up ON m.id = up.parent_id)
    UPDATE messages SET is_shown = 1, is_picked = 1 WHERE id IN (SELECT id FROM up) AND NOT (is_shown AND is_picked)
    """
)
_SHOW_DOWN = text(
    """
    WITH RECURSIVE down(id) AS (
        VALUES(:message)
        UNION ALL SELECT m.id FROM messages m JOIN down ON m.parent_id = down.id WHERE m.is_picked)
    UPDATE messages SET is_shown = 1 WHERE id IN (SELECT id FROM down) AND NOT is_shown
    """
)
_UNPICK_BESIDE = text(
    """
    WITH RECURSIVE up(id, parent_id) AS (
        SELECT id, parent_id FROM messages WHERE id = :message
        UNION ALL SELECT m.id, m.parent_id FROM messages m JOIN up ON m.id = up.parent_id)
    UPDATE messages SET is_picked = 0 WHERE is_picked AND chat_id = :chat AND id IN
        (SELECT beside.id FROM up JOIN messages beside ON beside.parent_id IS up.parent_id
         WHERE beside.chat_id = :chat AND beside.id <> up.id)
    """
)


def last_shown(connection: Connection, chat_id: int) -> int | None:
    """The number of the last message on the shown path."""
    query = select(func.max(messages.c.id)).where(messages.c.chat_id == chat_id, messages.c.is_shown)
    last = connection.scalar(query)
    return None if last is None else int(last)


def versions(connection: Connection, chat_id: int, parents: Iterable[int | None]) -> dict[int | None, list[int]]:
    """The alternatives below each of these parents (None: first messages), oldest first."""
    wanted = set(parents)
    found: dict[int | None, list[int]] = {}
    query = select(messages.c.parent_id, messages.c.id).where(messages.c.chat_id == chat_id).order_by(messages.c.id)
    below = [messages.c.parent_id.in_([parent for parent in wanted if parent is not None])]
    if None in wanted:
        below.append(messages.c.parent_id.is_(None))
    for condition in below:
        for parent, number in connection.execute(query.where(condition)):
            found.setdefault(parent, []).append(number)
    return found


def unpick(connection: Connection, chat_id: int, parent: int | None) -> None:
    """No version below `parent` is the chosen one any more, because a new one comes."""
    connection.execute(
        update(messages)
        .where(messages.c.chat_id == chat_id, messages.c.parent_id.is_not_distinct_from(parent), messages.c.is_picked)
        .values(is_picked=False)
    )


def hide_from(connection: Connection, chat_id: int, first: int) -> None:
    """Take message `first` and all shown after it off the shown path."""
    connection.execute(
        update(messages)
        .where(messages.c.chat_id == chat_id, messages.c.is_shown, messages.c.id >= first)
        .values(is_shown=False)
    )


def show_path(connection: Connection, message: Row[Sequence[object]]) -> None:
    """Show the path that leads to `message` and, below it, the versions that were chosen last."""
    if message.is_shown:
        return
    place = {"message": message.id, "chat": message.chat_id}
    parent = message.parent_id
    is_beside_the_path = parent is None or connection.scalar(select(messages.c.is_shown).where(messages.c.id == parent))
    if is_beside_the_path:
        # The usual case, and a long conversation's: all before this place stays as it is.
        hide_from(connection, message.chat_id, (parent or 0) + 1)
        unpick(connection, message.chat_id, parent)
        connection.execute(update(messages).where(messages.c.id == message.id).values(is_picked=True))
    else:
        hide_from(connection, message.chat_id, 0)
        connection.execute(_UNPICK_BESIDE, place)
        connection.execute(_SHOW_UP, place)
    connection.execute(_SHOW_DOWN, place)
