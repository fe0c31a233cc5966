"""Conversations and their messages: a tree whose shown path is marked, so that nothing is ever overwritten."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from snug.core.errors import UserError
from snug.store import message_tree, search_index
from snug.store.database import Database
from snug.store.rows import MESSAGE_STATES, ChatRow, MessageRow
from snug.store.schema import chats, messages, models
from snug.store.values import Clock, checksum, clean_text, optional_number, time_of, time_text, whole

TITLE_CHARACTERS = 60
NEW_CHAT = "New chat"
MESSAGE_LIMIT = 8 * 1024 * 1024
# Inside the class `list` is a method.
ChatRows = list[ChatRow]
MessageRows = list[MessageRow]


class Chats:
    """The conversations. Every method that changes something has committed it when it returns."""

    def __init__(self, database: Database, now: Clock) -> None:
        self._database = database
        self._now = now

    # --- the list ------------------------------------------------------------------------------------------

    def list(self, search: str = "", limit: int = 200) -> ChatRows:
        """Conversations outside the bin, the last used first; `search` looks into titles and messages."""
        if search.strip():
            self.index_some()
        with self._database.read() as connection:
            return _chat_rows(connection, chats.c.binned_at.is_(None), search, limit)

    def index_some(self, limit: int = 250) -> bool:
        """Put waiting messages into the search index; True where more wait. Without, search is right but slower."""
        return search_index.index_some(self._database, limit)

    def binned(self) -> ChatRows:
        """Conversations in the bin, the last used first."""
        with self._database.read() as connection:
            return _chat_rows(connection, chats.c.binned_at.is_not(None), "", 10_000)

    def get(self, chat_id: int) -> ChatRow | None:
        """One conversation, also one in the bin."""
        with self._database.read() as connection:
            found = _chat_rows(connection, chats.c.id == chat_id, "", 1)
        return found[0] if found else None

    def create(self, model_id: int | None) -> int:
        """The number of a new, empty conversation."""
        now = time_text(self._now())
        with self._database.write() as connection:
            result = connection.execute(
                insert(chats).values(
                    title=NEW_CHAT,
                    is_titled_by_person=False,
                    model_id=model_id,
                    created_at=now,
                    updated_at=now,
                    position=_next_position(),
                )
            )
            return _new_id(result.inserted_primary_key)

    def rename(self, chat_id: int, title: str) -> None:
        """Give a title that no message changes any more."""
        title = " ".join(clean_text(title).split())[:200]
        if not title:
            raise UserError("A conversation needs a name.", "Type one.", kind="empty-title", bad_input=True)
        self._change(chat_id, title=title, is_titled_by_person=True)

    def set_model(self, chat_id: int, model_id: int | None) -> None:
        """The model that answers from now on."""
        self._change(chat_id, model_id=model_id)

    # --- the bin -------------------------------------------------------------------------------------------

    def to_bin(self, chat_id: int) -> None:
        """Move to the bin, from where `restore` brings it back."""
        self._change(chat_id, binned_at=time_text(self._now()))

    def restore(self, chat_id: int) -> None:
        """Bring back from the bin."""
        self._change(chat_id, binned_at=None)

    def delete_for_good(self, chat_id: int) -> None:
        """Delete the conversation and all its messages; nothing brings them back."""
        with self._database.write() as connection:
            _delete(connection, [chat_id])

    def empty_expired(self, days: int = 30) -> int:
        """Delete for good what has been in the bin for `days`; the number of conversations that went."""
        before = time_text(self._now() - timedelta(days=days))
        with self._database.write() as connection:
            expired = list(connection.scalars(select(chats.c.id).where(chats.c.binned_at < before)))
            _delete(connection, expired)
        return len(expired)

    # --- messages ------------------------------------------------------------------------------------------

    def messages(self, chat_id: int, before: int | None = None, limit: int = 50) -> MessageRows:
        """The last `limit` shown messages (those before message `before`), oldest first."""
        query = select(messages).where(messages.c.chat_id == chat_id, messages.c.is_shown)
        if before is not None:
            query = query.where(messages.c.id < before)
        query = query.order_by(messages.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            rows = list(connection.execute(query))
            versions = message_tree.versions(connection, chat_id, [row.parent_id for row in rows])
        return [_message_row(row, versions.get(row.parent_id, [row.id])) for row in reversed(rows)]

    def message(self, message_id: int) -> MessageRow | None:
        """One message, shown or not."""
        with self._database.read() as connection:
            return _read_message(connection, message_id)

    def add_user_message(self, chat_id: int, text: str) -> MessageRow:
        """Commit what the person wrote; the first message also makes the title."""
        text = _checked_text(text)
        with self._database.write() as connection:
            last = message_tree.last_shown(connection, chat_id)
            new = self._insert(connection, chat_id, last, "user", text, "done")
            if last is None:
                connection.execute(
                    update(chats)
                    .where(chats.c.id == chat_id, chats.c.is_titled_by_person.is_(False))
                    .values(title=title_from(text))
                )
            return _existing(connection, new)

    def begin_reply(self, chat_id: int, model_name: str) -> MessageRow:
        """An empty answer in state "writing" after the last shown message."""
        with self._database.write() as connection:
            last = message_tree.last_shown(connection, chat_id)
            new = self._insert(connection, chat_id, last, "assistant", "", "writing", model_name)
            return _existing(connection, new)

    def save_reply(
        self,
        message_id: int,
        text: str,
        *,
        state: str = "writing",
        tokens: int = 0,
        tokens_per_s: float | None = None,
        first_token_s: float | None = None,
    ) -> None:
        """Commit the answer so far, or with another `state` the whole of it."""
        if state not in MESSAGE_STATES:
            raise ValueError(state)
        text = clean_text(text)
        with self._database.write() as connection:
            old = _row(connection, message_id)
            connection.execute(
                update(messages)
                .where(messages.c.id == message_id)
                .values(
                    text=text,
                    checksum=checksum(old.role, text),
                    state=state,
                    tokens=tokens,
                    tokens_per_s=tokens_per_s,
                    first_token_s=first_token_s,
                )
            )
            if state != "writing":
                search_index.remember(connection, message_id)
                self._touch(connection, old.chat_id)

    def regenerate(self, message_id: int, model_name: str) -> MessageRow:
        """A new empty answer in the place of `message_id`, which stays as an alternative.

        For a message of the person it is a new answer to that message.
        """
        with self._database.write() as connection:
            old = _row(connection, message_id)
            parent = old.parent_id if old.role == "assistant" else old.id
            after = old.id if old.role == "assistant" else old.id + 1
            message_tree.show_path(connection, old)
            message_tree.hide_from(connection, old.chat_id, after)
            new = self._insert(connection, old.chat_id, parent, "assistant", "", "writing", model_name)
            return _existing(connection, new)

    def edit_user_message(self, message_id: int, text: str) -> MessageRow:
        """A new version of what the person wrote; the old one and all that followed it stay as an alternative."""
        text = _checked_text(text)
        with self._database.write() as connection:
            old = _row(connection, message_id)
            message_tree.show_path(connection, old)
            message_tree.hide_from(connection, old.chat_id, old.id)
            return _existing(connection, self._insert(connection, old.chat_id, old.parent_id, old.role, text, "done"))

    def choose_alternative(self, message_id: int, index: int) -> MessageRow:
        """Show version `index` of this place, with what followed it."""
        with self._database.write() as connection:
            old = _row(connection, message_id)
            found = message_tree.versions(connection, old.chat_id, [old.parent_id])[old.parent_id]
            if not 0 <= index < len(found):
                raise UserError("There is no such version of this message.", kind="no-such-message", bad_input=True)
            chosen = _row(connection, found[index])
            message_tree.show_path(connection, chosen)
            self._touch(connection, old.chat_id)
            return _existing(connection, chosen.id)

    # --- inside --------------------------------------------------------------------------------------------

    def _insert(
        self,
        connection: Connection,
        chat_id: int,
        parent: int | None,
        role: str,
        text: str,
        state: str,
        model_name: str = "",
    ) -> int:
        self._touch(connection, chat_id)
        message_tree.unpick(connection, chat_id, parent)
        result = connection.execute(
            insert(messages).values(
                chat_id=chat_id,
                parent_id=parent,
                is_shown=True,
                is_picked=True,
                role=role,
                text=text,
                checksum=checksum(role, text),
                state=state,
                model_name=clean_text(model_name),
                created_at=time_text(self._now()),
                tokens=0,
            )
        )
        new = _new_id(result.inserted_primary_key)
        if state != "writing":
            search_index.remember(connection, new)
        return new

    def _touch(self, connection: Connection, chat_id: int) -> None:
        changed = connection.execute(
            update(chats)
            .where(chats.c.id == chat_id)
            .values(updated_at=time_text(self._now()), position=_next_position())
        )
        if changed.rowcount == 0:
            raise _no_such_chat()

    def _change(self, chat_id: int, **values: object) -> None:
        with self._database.write() as connection:
            if connection.execute(update(chats).where(chats.c.id == chat_id).values(**values)).rowcount == 0:
                raise _no_such_chat()


def title_from(text: str) -> str:
    """A title made from the first message: its first line, cut at a word."""
    line = next((" ".join(line.split()) for line in text.splitlines() if line.strip()), "")
    if len(line) <= TITLE_CHARACTERS:
        return line or NEW_CHAT
    cut = line[:TITLE_CHARACTERS]
    at_word = cut.rsplit(" ", 1)[0] if " " in cut[TITLE_CHARACTERS // 2 :] else cut
    return at_word.rstrip(" ,;:.-") + "…"


def _chat_rows(connection: Connection, where: object, words: str, limit: int) -> list[ChatRow]:
    count = (
        select(func.count())
        .where(messages.c.chat_id == chats.c.id, messages.c.is_shown)
        .correlate(chats)
        .scalar_subquery()
    )
    query = (
        select(chats.c.id, chats.c.title, chats.c.model_id, models.c.name, count.label("count"), chats.c.updated_at)
        .select_from(chats.outerjoin(models, chats.c.model_id == models.c.id))
        .where(where)  # type: ignore[arg-type]
        .order_by(chats.c.position.desc(), chats.c.id.desc())
        .limit(limit)
    )
    if words.strip():
        query = query.where(chats.c.id.in_(search_index.chats_with(connection, words)))
    return [
        ChatRow(row.id, str(row.title), row.model_id, str(row.name or ""), whole(row.count), time_of(row.updated_at))
        for row in connection.execute(query)
    ]


def _delete(connection: Connection, chat_ids: list[int]) -> None:
    for chat_id in chat_ids:
        connection.execute(delete(messages).where(messages.c.chat_id == chat_id))
        connection.execute(delete(chats).where(chats.c.id == chat_id))
    if chat_ids:
        search_index.want_rebuild(connection)


def _next_position() -> object:
    return select(func.coalesce(func.max(chats.c.position), 0) + 1).scalar_subquery()


def _row(connection: Connection, message_id: int) -> Row[tuple[object, ...]]:
    row = connection.execute(select(messages).where(messages.c.id == message_id)).first()
    if row is None:
        raise UserError("This message is not there any more.", kind="no-such-message", bad_input=True)
    return row


def _read_message(connection: Connection, message_id: int) -> MessageRow | None:
    row = connection.execute(select(messages).where(messages.c.id == message_id)).first()
    if row is None:
        return None
    return _message_row(row, message_tree.versions(connection, row.chat_id, [row.parent_id])[row.parent_id])


def _existing(connection: Connection, message_id: int) -> MessageRow:
    row = _read_message(connection, message_id)
    assert row is not None
    return row


def _message_row(row: Row[tuple[object, ...]], versions: list[int]) -> MessageRow:
    body = str(row.text)
    return MessageRow(
        id=row.id,
        chat_id=row.chat_id,
        role=str(row.role),
        text=body,
        state=row.state if row.state in MESSAGE_STATES else "interrupted",
        model_name=str(row.model_name),
        created_at=time_of(row.created_at),
        tokens=whole(row.tokens),
        tokens_per_s=optional_number(row.tokens_per_s),
        first_token_s=optional_number(row.first_token_s),
        alternatives=len(versions),
        alternative=versions.index(row.id) if row.id in versions else 0,
        is_damaged=row.checksum != checksum(str(row.role), body),
    )


def _checked_text(text: str) -> str:
    if len(text) > MESSAGE_LIMIT:
        raise UserError("This message is too long to be kept.", "Split it up.", kind="too-long", bad_input=True)
    return clean_text(text)


def _new_id(key: object) -> int:
    assert isinstance(key, tuple | list | Row)
    return int(key[0])


def _no_such_chat() -> UserError:
    return UserError("This conversation is not there any more.", kind="no-such-chat", bad_input=True)
