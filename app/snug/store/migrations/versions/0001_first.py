"""The first tables: models, chats, messages, downloads, settings, machine."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "models",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("path", sa.String, nullable=False, unique=True),
        sa.Column("size_bytes", sa.Integer, nullable=False),
        sa.Column("file_type", sa.String, nullable=False),
        sa.Column("architecture", sa.String, nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("repo", sa.String, nullable=False),
        sa.Column("revision", sa.String, nullable=False),
        sa.Column("licence", sa.String, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("parts", sa.Text, nullable=False),
        sa.Column("projector_path", sa.String, nullable=False),
        sa.Column("added_at", sa.String, nullable=False),
        sa.Column("last_used_at", sa.String),
        sa.Column("measured_tokens_per_s", sa.Float),
        sa.Column("is_ours", sa.Boolean, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("file_bytes", sa.Integer, nullable=False),
        sa.Column("mtime_ns", sa.Integer, nullable=False),
        sa.Column("inode", sa.Integer, nullable=False),
        sa.Column("device", sa.Integer, nullable=False),
        sa.Column("mount_point", sa.String, nullable=False),
        sa.Column("removed_at", sa.String),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "chats",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("is_titled_by_person", sa.Boolean, nullable=False),
        sa.Column("model_id", sa.Integer, sa.ForeignKey("models.id", ondelete="SET NULL")),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("updated_at", sa.String, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("binned_at", sa.String),
        sqlite_autoincrement=True,
    )
    op.create_index("chats_by_position", "chats", ["position"])
    op.create_table(
        "messages",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("chat_id", sa.Integer, sa.ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
        sa.Column("parent_id", sa.Integer, sa.ForeignKey("messages.id")),
        sa.Column("is_shown", sa.Boolean, nullable=False),
        sa.Column("is_picked", sa.Boolean, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("checksum", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("model_name", sa.String, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("tokens", sa.Integer, nullable=False),
        sa.Column("tokens_per_s", sa.Float),
        sa.Column("first_token_s", sa.Float),
        sqlite_autoincrement=True,
    )
    op.create_index("messages_shown", "messages", ["chat_id", "is_shown", "id"])
    op.create_index("messages_by_parent", "messages", ["parent_id", "chat_id"])
    op.create_index("messages_writing", "messages", ["state"], sqlite_where=sa.text("state = 'writing'"))
    op.create_table(
        "search_pending",
        sa.Column("message_id", sa.Integer, primary_key=True),
    )
    op.create_table(
        "downloads",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("repo", sa.String, nullable=False),
        sa.Column("revision", sa.String, nullable=False),
        sa.Column("files", sa.Text, nullable=False),
        sa.Column("total_bytes", sa.Integer, nullable=False),
        sa.Column("done_bytes", sa.Integer, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("error_title", sa.String, nullable=False),
        sa.Column("error_advice", sa.String, nullable=False),
        sa.Column("error_kind", sa.String, nullable=False),
        sa.Column("folder", sa.String, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("finished_at", sa.String),
        sa.Column("model_id", sa.Integer, sa.ForeignKey("models.id", ondelete="SET NULL")),
        sa.Column("then_chat", sa.Boolean, nullable=False),
        sa.Column("facts", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "settings",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "machine",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
