"""The library and the chats, in SQLite."""
