"""The address that serves the bytes: ranges, its own ETag, no authorisation, and most of the faults."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from tests.hub.blobs import Blob
from tests.hub.faults import Fault
from tests.hub.server import Handler

_PIECE = 16 * 1024
_NO_FAULT = Fault("eof", at=-1)


@dataclass
class _Span:
    first: int
    end: int


class CdnHandler(Handler):
    """Answers /OWNER/NAME/PATH as a signed storage address would."""

    where = "cdn"

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def _serve(self) -> None:
        path = unquote(urlsplit(self.path).path)
        blob = self._blob(path)
        if "Authorization" in self.headers:  # as the real storage does
            return self.answer(400, b"Only one auth mechanism allowed", kind="text/plain")
        if blob is None:
            return self.answer(404, b"NoSuchKey", kind="text/plain")
        span = self._wanted(blob)
        fault = self.hub.faults.take("cdn", self.command, path, (span.first, span.end) if span else None)
        if fault and self.strike(fault):
            return None
        if fault is None:
            fault = _NO_FAULT
        if fault.kind == "norange" or (fault.kind == "no-condition" and "If-Range" in self.headers):
            span = None
        if span and span.first >= blob.size:
            return self.answer(416, b"", {"Content-Range": f"bytes */{blob.size}"})
        self._send(path[1:], blob, span, fault)
        return None

    def _blob(self, path: str) -> Blob | None:
        _, owner, name, file = (path + "///").split("/", 3)
        repository = self.hub.repositories.get(f"{owner}/{name}")
        return repository.files.get(file.removesuffix("///")) if repository else None

    def _wanted(self, blob: Blob) -> _Span | None:
        """The range that was asked for; None for the whole file, also where If-Range names another version."""
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range")
        if not found or (condition and condition != self._etag(blob)):
            return None
        end = int(found[2]) + 1 if found[2] else blob.size
        return _Span(int(found[1]), min(end, blob.size))

    @staticmethod
    def _etag(blob: Blob) -> str:
        return f'"cdn-{blob.sha256[:32]}"'

    def _send(self, file: str, blob: Blob, span: _Span | None, fault: Fault) -> None:
        first, end = (span.first, span.end) if span else (0, blob.size)
        length = end - first
        headers = {"ETag": self._etag(blob), "Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
        if span:
            told = first + 1 if fault.kind == "wrong-range" else first
            headers["Content-Range"] = f"bytes {told}-{end - 1}/{blob.size}"
        headers["Content-Length"] = str(length)
        self.start(206 if span else 200, headers)
        sent = 0
        try:
            if self.command != "HEAD":
                sent = self._send_body(blob, first, end, fault)
        finally:
            self.note(file=file, first=first, end=first + sent)

    def _send_body(self, blob: Blob, first: int, end: int, fault: Fault) -> int:
        """How many bytes of the file went out."""
        stop = {"eof": fault.at, "rst": fault.at, "stall": fault.at}.get(fault.kind, -1)
        stop = end - fault.at if fault.kind == "short" else stop
        stop = stop if first <= stop < end else end
        rate = fault.rate if fault.kind == "drip" else self.hub.rate
        position, begun = first, time.monotonic()
        while position < stop and not self.hub.stopping.is_set():
            piece = blob.read(position, min(_PIECE if not rate else max(1, min(_PIECE, rate // 20)), stop - position))
            if fault.kind == "corrupt" and position <= fault.at < position + len(piece):
                damaged = bytearray(piece)
                damaged[fault.at - position] ^= 1 << fault.bit
                piece = bytes(damaged)
            try:
                self.wfile.write(piece)
            except OSError:
                self.close_connection = True
                return position - first
            position += len(piece)
            if rate:
                self.hub.stopping.wait(max(0.0, begun + (position - first) / rate - time.monotonic()))
        self._end(fault, position < end)
        return position - first

    def _end(self, fault: Fault, is_cut: bool) -> None:
        if fault.kind == "long":
            self.wfile.write(b"x" * fault.at)
            self.drop(reset=False)
        elif is_cut and fault.kind == "stall":
            self.hang()
        elif is_cut:
            self.drop(reset=fault.kind == "rst")
