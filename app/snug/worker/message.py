"""What every message is made of, and the parts that several kinds of messages share."""

from __future__ import annotations

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all messages; the tag on the wire is the class's name."""


class Request(Message, frozen=True, kw_only=True, tag=True):
    """Something the parent asks for."""


class Event(Message, frozen=True, kw_only=True, tag=True):
    """Something the child says."""


class HubAccess(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach the Hub. An empty token means none; `offline` forbids every connection."""

    endpoint: str = "https://huggingface.co"
    token: str = ""
    proxy: str = ""
    offline: bool = False
