"""GGUF headers byte by byte, also wrong ones, and a mutator of real ones."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterable

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
_CODES = {U8: "<B", I8: "<b", U16: "<H", I16: "<h", U32: "<I", I32: "<i", F32: "<f", BOOL: "<?", U64: "<Q",
          I64: "<q", F64: "<d"}  # fmt: skip
INTERESTING = (0, 1, 7, 8, 12, 13, 24, 31, 32, 255, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63, 2**64 - 1)


class BytesSource:
    """Bytes in memory, such as the fetched beginning of a larger file whose whole size is `size`."""

    def __init__(self, data: bytes, size: int | None = None) -> None:
        self._data = data
        self._size = len(data) if size is None else size

    @property
    def size(self) -> int:
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def scalar(kind: int, value: object) -> bytes:
    """The bytes of one value; of STRING its text."""
    return text(value) if isinstance(value, str | bytes) else struct.pack(_CODES[kind], value)


def pair(key: str | bytes, kind: int, value: object) -> bytes:
    return text(key) + struct.pack("<I", kind) + scalar(kind, value)


def array(key: str, kind: int, values: Iterable[object]) -> bytes:
    items = list(values)
    body = b"".join(scalar(kind, item) for item in items)
    return text(key) + struct.pack("<IIQ", ARRAY, kind, len(items)) + body


def tensor(name: str | bytes, dims: tuple[int, ...], kind: int = 0, offset: int = 0) -> bytes:
    return text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset)


def gguf(
    pairs: Iterable[bytes] = (),
    tensors: Iterable[bytes] = (),
    *,
    version: int = 3,
    keys: int | None = None,
    tensor_count: int | None = None,
    data: int = 0,
    alignment: int = 32,
) -> bytes:
    """A whole file: header, padding and `data` zero bytes. The counts can lie."""
    pairs, tensors = list(pairs), list(tensors)
    counts = (len(tensors) if tensor_count is None else tensor_count, len(pairs) if keys is None else keys)
    header = b"GGUF" + struct.pack("<IQQ", version, *counts) + b"".join(pairs) + b"".join(tensors)
    return header + b"\0" * (-len(header) % alignment + data)


def tiny_model(**changes: object) -> bytes:
    """A complete one-layer model of a few bytes; `changes` replace its figures (None leaves one out)."""
    figures = {"block_count": 1, "embedding_length": 32, "context_length": 128, "attention.head_count": 4,
               "attention.head_count_kv": 2, "feed_forward_length": 64} | changes  # fmt: skip
    pairs = [pair("general.architecture", STRING, "llama")]
    pairs += [pair(f"llama.{key}", U32, value) for key, value in figures.items() if value is not None]
    return gguf(pairs, [tensor("token_embd.weight", (32, 16))], data=32 * 16 * 4)


def mutate(seed: bytes, header_bytes: int, source: random.Random) -> bytes:
    """A damaged copy of a file: one to eight changes within its header, now and then another length."""
    data = bytearray(seed)
    for _ in range(source.choice((1, 1, 1, 2, 3, 8))):
        if not data:
            break
        reach = min(len(data), header_bytes)
        at = source.randrange(min(reach, 512)) if source.random() < 0.5 else source.randrange(reach)
        action = source.randrange(7)
        if action == 0:
            data[at : at + 1] = bytes((data[at] ^ (1 << source.randrange(8)),))
        elif action == 1:
            data[at : at + 1] = bytes((source.randrange(256),))
        elif action == 2:
            code, limit = source.choice((("<I", 2**32), ("<Q", 2**64)))
            raw = struct.pack(code, source.choice(INTERESTING) % limit)
            data[at : at + len(raw)] = raw
        elif action == 3:
            del data[at : at + source.choice((1, 4, 8, 100))]
        elif action == 4:
            data[at:at] = source.randbytes(source.choice((1, 4, 8, 100)))
        elif action == 5:
            del data[at:]
        else:
            other = source.randrange(reach)
            length = source.choice((4, 8, 64))
            data[at : at + length] = data[other : other + length]
    return bytes(data)
