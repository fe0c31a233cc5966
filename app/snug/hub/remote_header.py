"""The header of a GGUF on the Hub, read by a few range requests: megabytes of a file of many gigabytes."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2

from snug.core.errors import UserError
from snug.core.model_facts import ModelFacts
from snug.formats.byte_cursor import LIMITS
from snug.formats.gguf_facts import facts_from_headers
from snug.formats.gguf_header import read_header
from snug.hub import failures
from snug.hub.kept_headers import keep_headers
from snug.hub.network import Guard, open_client
from snug.hub.patience import DEFAULT_PATIENCE, MIB, Patience
from snug.hub.remote import Access, File
from snug.hub.source import address_of, request_headers

FIRST_FETCH_BYTES = MIB // 2
LARGEST_FETCH_BYTES = 4 * MIB
MOST_BYTES = 64 * MIB
MOST_SECONDS = 60.0
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class RemoteSource:
    """A file on the Hub as a source of bytes. Reads ahead, more each time, since headers are read forward."""

    def __init__(self, client: httpx2.Client, access: Access, address: str, size: int) -> None:
        self._client = client
        self._access = access
        self._address = address
        self._size = size
        self._start = 0
        self._data = b""
        self._pieces: list[tuple[int, bytes]] = []
        self._ahead = FIRST_FETCH_BYTES
        self._deadline = time.monotonic() + MOST_SECONDS
        self.fetched_bytes = 0

    @property
    def size(self) -> int:
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from `offset` on. Raises UserError, also where a header asks for far too much."""
        length = max(0, min(length, self._size - offset))
        parts = []
        while length > 0:
            if not self._start <= offset < self._start + len(self._data):
                self._fetch(offset)
            piece = self._data[offset - self._start : offset - self._start + length]
            parts.append(piece)
            offset += len(piece)
            length -= len(piece)
        return b"".join(parts)

    def _fetch(self, offset: int) -> None:
        if self.fetched_bytes >= MOST_BYTES or time.monotonic() > self._deadline:
            raise UserError(
                "This file's description is too long to be read from afar.",
                "Download the file; Snug reads it then.",
                "header-too-long",
                f"{self.fetched_bytes} bytes fetched",
            )
        end = min(offset + self._ahead, self._size)
        self._ahead = min(2 * self._ahead, LARGEST_FETCH_BYTES)
        headers = request_headers(self._access) | {"Range": f"bytes={offset}-{end - 1}"}
        data = bytearray()
        with self._client.stream("GET", self._address, headers=headers) as response:
            self._check(response, offset)
            for piece in response.iter_raw():
                data += piece
                self.fetched_bytes += len(piece)
                if len(data) >= end - offset:
                    break
        if not data:
            raise failures.connection_lost("an empty answer")
        self._start, self._data = offset, bytes(data[: end - offset])
        self._pieces.append((self._start, self._data))

    def beginning(self, length: int) -> bytes:
        """The first `length` bytes: what was read already, and what was skipped is fetched now. Raises UserError."""
        whole = bytearray()
        while len(whole) < length:
            at = len(whole)
            known = next((data[at - start :] for start, data in self._pieces if start <= at < start + len(data)), None)
            whole += self.read(at, length - at) if known is None else known
        return bytes(whole[:length])

    def _check(self, response: httpx2.Response, offset: int) -> None:
        if "text/html" in response.headers.get("Content-Type", ""):
            raise failures.captive_portal("a page of HTML in the place of a file")
        if response.status_code == 206:
            found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
            if found is None or int(found[1]) != offset or int(found[3]) != self._size:
                raise failures.bad_answer(failures.host_of(self._access.endpoint), "another range than was asked for")
        elif offset:
            raise failures.bad_answer(failures.host_of(self._access.endpoint), "the whole file instead of a range")


@dataclass(frozen=True, slots=True)
class RemoteHeader:
    """What the headers of a model's files say, the bytes that were fetched for it, and where each header is kept, with
    the size of its file; nothing where they are not all kept."""

    facts: ModelFacts
    fetched_bytes: int
    kept: tuple[tuple[Path, int], ...] = ()


def read_remote_facts(
    access: Access,
    repo: str,
    revision: str,
    files: Sequence[File],
    patience: Patience = DEFAULT_PATIENCE,
    keep_in: Path | None = None,
) -> RemoteHeader:
    """What the headers say. With `keep_in` the headers of all parts are kept there. Raises UserError."""
    if not files:
        raise UserError("There is no file to look at.", "Choose a file.", "nothing", bad_input=True)
    guard = Guard(access)
    fetched, headers, beginnings = 0, [], []
    with open_client(access, patience) as client:
        for file in files:
            source = RemoteSource(client, access, address_of(access, repo, revision, file.name), file.size_bytes)
            try:
                header = read_header(source, replace(LIMITS, seconds=None))
                if keep_in is not None:
                    beginnings.append(source.beginning(header.data_offset))
            except httpx2.HTTPError as error:
                raise guard.explain(error) from error
            headers.append(header)
            fetched += source.fetched_bytes
    name = repo.rsplit("/", 1)[-1].removesuffix("-GGUF")
    facts = facts_from_headers(headers, sum(file.size_bytes for file in files), name)
    if keep_in is None:
        return RemoteHeader(facts, fetched)
    digests = [hashlib.sha256(beginning).hexdigest() for beginning in beginnings]
    places = keep_headers(keep_in, dict(zip(digests, beginnings, strict=True)))
    if len(places) < len(files):
        return RemoteHeader(facts, fetched)
    kept = tuple((places[digest], file.size_bytes) for digest, file in zip(digests, files, strict=True))
    return RemoteHeader(facts, fetched, kept)
