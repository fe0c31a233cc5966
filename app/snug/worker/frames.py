"""The frames that carry messages: a length, then JSON with the protocol's version and the request's number.

A frame is a 4-byte big-endian length and that many bytes of JSON: `{"v": 1, "id": 7, "body": {"type": …}}`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import msgspec

from snug.core.errors import UserError
from snug.worker import protocol

FRAME_LIMIT_BYTES = 4 * 1024 * 1024


class RequestFrame(msgspec.Struct, frozen=True):
    v: int
    id: int
    body: protocol.REQUESTS


class EventFrame(msgspec.Struct, frozen=True):
    v: int
    id: int
    body: protocol.EVENTS


class BadFrame(Exception):
    """The other side sent bytes that are no message of this protocol; the connection is not usable any more."""


_encoder = msgspec.json.Encoder()
_request_decoder = msgspec.json.Decoder(RequestFrame)
_event_decoder = msgspec.json.Decoder(EventFrame)


def encode_request(number: int, body: protocol.Request) -> bytes:
    """The frame of a request. Raises UserError where it is larger than a frame may be, or holds what is no text."""
    return _frame({"v": protocol.PROTOCOL_VERSION, "id": number, "body": body})


def encode_event(number: int, body: protocol.Event) -> bytes:
    """The frame of an event. Raises UserError where it is larger than a frame may be, or holds what is no text."""
    return _frame({"v": protocol.PROTOCOL_VERSION, "id": number, "body": body})


def _frame(document: dict[str, object]) -> bytes:
    try:
        payload = _encoder.encode(document)
    except UnicodeEncodeError as error:
        raise UserError(
            "This has characters that are no text.",
            "Where it is a file's name, rename the file.",
            kind="not-text",
            details=str(error),
            bad_input=True,
        ) from error
    if len(payload) > FRAME_LIMIT_BYTES:
        raise UserError("That is too much at once.", "Use a shorter text.", kind="too-long", bad_input=True)
    return struct.pack(">I", len(payload)) + payload


class FrameReader:
    """Cuts a stream of bytes into messages; `feed` gives the messages that are complete."""

    def __init__(self, decoder: msgspec.json.Decoder[RequestFrame] | msgspec.json.Decoder[EventFrame]) -> None:
        self._decoder = decoder
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[RequestFrame | EventFrame]:
        """Raises BadFrame on a length above the limit, on bytes that are no message, and on another version."""
        self._buffer += data
        while len(self._buffer) >= 4:
            (length,) = struct.unpack_from(">I", self._buffer)
            if length > FRAME_LIMIT_BYTES:
                raise BadFrame(f"frame of {length} bytes")
            if len(self._buffer) < 4 + length:
                return
            payload = bytes(self._buffer[4 : 4 + length])
            del self._buffer[: 4 + length]
            yield self._decode(payload)

    def _decode(self, payload: bytes) -> RequestFrame | EventFrame:
        try:
            frame = self._decoder.decode(payload)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            other = _version_of(payload)
            if other not in (None, protocol.PROTOCOL_VERSION):
                raise BadFrame(f"protocol version {other}, not {protocol.PROTOCOL_VERSION}") from error
            raise BadFrame(f"not a message: {error}") from error
        if frame.v != protocol.PROTOCOL_VERSION:
            raise BadFrame(f"protocol version {frame.v}, not {protocol.PROTOCOL_VERSION}")
        return frame


class _AnyFrame(msgspec.Struct):
    v: int


def _version_of(payload: bytes) -> int | None:
    """The version of a frame whose message this version does not know."""
    try:
        return msgspec.json.decode(payload, type=_AnyFrame).v
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def request_reader() -> FrameReader:
    """A reader for the child's side."""
    return FrameReader(_request_decoder)


def event_reader() -> FrameReader:
    """A reader for the parent's side."""
    return FrameReader(_event_decoder)
