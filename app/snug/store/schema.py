"""The tables of the database, as the newest migration leaves them."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

# "Snug" in ASCII: tools such as `file` recognise the database by it.
APPLICATION_ID = 0x536E7567
SCHEMA_VERSION = 1
HEAD_REVISION = "0001"
KNOWN_REVISIONS = ("0001",)

metadata = MetaData()

models = Table(
    "models",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("path", String, nullable=False, unique=True),
    Column("size_bytes", Integer, nullable=False),
    Column("file_type", String, nullable=False),
    Column("architecture", String, nullable=False),
    Column("source", String, nullable=False),
    Column("repo", String, nullable=False),
    Column("revision", String, nullable=False),
    Column("licence", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("facts", Text, nullable=False),
    Column("parts", Text, nullable=False),
    Column("projector_path", String, nullable=False),
    Column("added_at", String, nullable=False),
    Column("last_used_at", String),
    Column("measured_tokens_per_s", Float),
    Column("is_ours", Boolean, nullable=False),
    Column("state", String, nullable=False),
    # What the file looked like when it was added, to notice a change, a loss and a missing drive.
    Column("file_bytes", Integer, nullable=False),
    Column("mtime_ns", Integer, nullable=False),
    Column("inode", Integer, nullable=False),
    Column("device", Integer, nullable=False),
    Column("mount_point", String, nullable=False),
    # A removed model keeps its row, so that conversations keep its name.
    Column("removed_at", String),
    sqlite_autoincrement=True,
)

chats = Table(
    "chats",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("title", String, nullable=False),
    Column("is_titled_by_person", Boolean, nullable=False),
    Column("model_id", Integer, ForeignKey("models.id", ondelete="SET NULL")),
    Column("created_at", String, nullable=False),
    Column("updated_at", String, nullable=False),
    # The list's order. Grows with every change, because clocks jump.
    Column("position", Integer, nullable=False),
    Column("binned_at", String),
    Index("chats_by_position", "position"),
    sqlite_autoincrement=True,
)

messages = Table(
    "messages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("chat_id", Integer, ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
    # Messages are a tree: alternatives are children of one parent, the shown path is marked. No cascade here:
    # SQLite ends one at 1,000 levels, and a long chat is one chain.
    Column("parent_id", Integer, ForeignKey("messages.id")),
    Column("is_shown", Boolean, nullable=False),
    Column("is_picked", Boolean, nullable=False),
    Column("role", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("checksum", String, nullable=False),
    Column("state", String, nullable=False),
    Column("model_name", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("tokens", Integer, nullable=False),
    Column("tokens_per_s", Float),
    Column("first_token_s", Float),
    Index("messages_shown", "chat_id", "is_shown", "id"),
    Index("messages_by_parent", "parent_id", "chat_id"),
    sqlite_autoincrement=True,
)
Index("messages_writing", messages.c.state, sqlite_where=messages.c.state == "writing")

# Messages that the search index does not hold yet. The index itself is derived data, and no part of migrations.
search_pending = Table(
    "search_pending",
    metadata,
    Column("message_id", Integer, primary_key=True),
)

downloads = Table(
    "downloads",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("title", String, nullable=False),
    Column("repo", String, nullable=False),
    Column("revision", String, nullable=False),
    Column("files", Text, nullable=False),
    Column("total_bytes", Integer, nullable=False),
    Column("done_bytes", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("error_title", String, nullable=False),
    Column("error_advice", String, nullable=False),
    Column("error_kind", String, nullable=False),
    Column("folder", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("finished_at", String),
    Column("model_id", Integer, ForeignKey("models.id", ondelete="SET NULL")),
    Column("then_chat", Boolean, nullable=False),
    Column("facts", Text),
    sqlite_autoincrement=True,
)

settings = Table(
    "settings",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
)

# The last reading of this computer, and the person's corrections of it.
machine = Table(
    "machine",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
)
