"""Search over titles and messages: a full-text index that lags behind and may be thrown away at any time.

A damaged index must never keep a message from being saved, so no message's transaction touches it: messages
wait in `search_pending` until `index_some`, and are searched word by word until then. The index holds no text.
Deleting conversations rebuilds it, so that nothing of them stays.
"""

from __future__ import annotations

import unicodedata

from sqlalchemy import Connection, Select, delete, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from snug.core.errors import UserError
from snug.store.database import Database
from snug.store.schema import chats, messages, search_pending

PREFIX = "message_search_"
REBUILD = 0
MOST_CHATS = 30_000
MOST_WORDS = 12


def remember(connection: Connection, message_id: int) -> None:
    """The message is to be indexed, in the same transaction that saves it."""
    connection.execute(insert(search_pending).prefix_with("OR IGNORE").values(message_id=message_id))


def want_rebuild(connection: Connection) -> None:
    """The index holds words that it must not hold any more."""
    remember(connection, REBUILD)


def index_some(database: Database, limit: int) -> bool:
    """Index up to `limit` waiting messages; True where more wait. A damaged index is replaced by a new one."""
    if database.is_read_only or not has_full_text_search(database):
        return False
    try:
        with database.write() as connection:
            if _index_name(connection) is None or _is_pending(connection, REBUILD):
                _new_index(connection)
            return _index(connection, limit)
    except UserError as error:
        if error.kind != "database-damaged":
            raise
    except DBAPIError as error:
        if PREFIX not in str(error.statement):
            raise
    with database.write() as connection:
        _new_index(connection)
    return True


def has_full_text_search(database: Database) -> bool:
    """Whether this SQLite was built with FTS5."""
    return bool(database.raw.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone())


def chats_with(connection: Connection, words: str) -> list[int]:
    """The conversations whose title or shown messages hold all of `words`, as beginnings of words."""
    wanted = [unicodedata.normalize("NFC", word) for word in words.replace("\0", " ").split()][:MOST_WORDS]
    folded = [word.casefold() for word in wanted]
    found = {
        number
        for number, title in connection.execute(select(chats.c.id, chats.c.title))
        if all(word in str(title).casefold() for word in folded)
    }
    index = _index_name(connection)
    is_scan = index is None or _is_pending(connection, REBUILD) or any(map(_has_no_spaces, wanted))
    holding = _holding(wanted)
    if is_scan:
        found.update(connection.scalars(holding))
    else:
        found.update(connection.scalars(holding.where(messages.c.id.in_(select(search_pending.c.message_id)))))
        found.update(_from_index(connection, str(index), wanted))
    return list(found)[:MOST_CHATS]


def _from_index(connection: Connection, index: str, words: list[str]) -> list[int]:
    expression = " ".join('"' + word.replace('"', '""') + '"*' for word in words)
    query = text(
        f"SELECT DISTINCT chat_id FROM messages WHERE is_shown AND id IN "
        f"(SELECT rowid FROM {index} WHERE {index} MATCH :words)"
    )
    try:
        return list(connection.scalars(query, {"words": expression}))
    except DBAPIError:
        # Damaged, or words that the index cannot take: look through the messages themselves.
        return list(connection.scalars(_holding(words)))


def _holding(words: list[str]) -> Select[tuple[int]]:
    query = select(messages.c.chat_id).distinct().where(messages.c.is_shown)
    for word in words:
        # SQLite's LIKE ignores the case of ASCII letters by itself.
        query = query.where(messages.c.text.contains(word, autoescape=True))
    return query


def _has_no_spaces(word: str) -> bool:
    """Whether it is of a script that writes without spaces, or of marks alone: the index knows only whole words."""
    return any(ord(c) >= 0x0E00 for c in word) or not any(c.isalnum() for c in word)


def _index_name(connection: Connection) -> str | None:
    found = connection.exec_driver_sql(
        f"SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB '{PREFIX}[0-9]*' "
        "AND sql LIKE 'CREATE VIRTUAL TABLE%' ORDER BY length(name) DESC, name DESC LIMIT 1"
    ).scalar()
    return None if found is None else str(found)


def _is_pending(connection: Connection, number: int) -> bool:
    return bool(connection.scalar(select(func.count()).where(search_pending.c.message_id == number)))


def _new_index(connection: Connection) -> None:
    """An empty index with a name of its own, because a damaged one cannot always be dropped."""
    old = _index_name(connection)
    number = int(old.removeprefix(PREFIX)) + 1 if old else 1
    if old and not _drop(connection, old):
        for shadow in ("data", "idx", "docsize", "config"):
            _drop(connection, f"{old}_{shadow}")
    connection.exec_driver_sql(
        f"CREATE VIRTUAL TABLE {PREFIX}{number} USING fts5(text, content='', tokenize='unicode61 remove_diacritics 2')"
    )
    connection.execute(delete(search_pending))
    waiting = select(messages.c.id).where(messages.c.state != "writing")
    connection.execute(insert(search_pending).from_select(["message_id"], waiting))


def _drop(connection: Connection, table: str) -> bool:
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS {table}")
    except DBAPIError:
        return False
    return True


def _index(connection: Connection, limit: int) -> bool:
    index = _index_name(connection)
    batch = list(connection.scalars(select(search_pending.c.message_id).order_by("message_id").limit(limit)))
    if batch:
        connection.exec_driver_sql(
            f"INSERT INTO {index}(rowid, text) SELECT id, text FROM messages WHERE id IN "
            "(SELECT message_id FROM search_pending ORDER BY message_id LIMIT ?)",
            (limit,),
        )
        connection.execute(delete(search_pending).where(search_pending.c.message_id <= batch[-1]))
    return len(batch) == limit
