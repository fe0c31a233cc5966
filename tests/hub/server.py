"""The test Hub: one address for the API and the repositories, another one for the bytes, as the real Hub has."""

from __future__ import annotations

import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from tests.hub.content import Repository, sample_repositories
from tests.hub.faults import Fault, Faults
from tests.hub.request_log import Entry, RequestLog


class _Server(ThreadingHTTPServer):
    """Sends little ahead of the reader, so that the log's byte counts are what the reader took."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], hub: Hub) -> None:
        self.hub = hub
        super().__init__(address, handler)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)

    def handle_error(self, request: object, client_address: object) -> None:
        """Readers that go away are what this server is for."""


class Hub:
    """A running test Hub. `endpoint` is what HF_ENDPOINT must be; `rate` limits each connection (bytes/s)."""

    def __init__(
        self,
        repositories: list[Repository] | None = None,
        *,
        port: int = 0,
        rate: int = 0,
        log_file: Path | None = None,
    ) -> None:
        from tests.hub.api import ApiHandler
        from tests.hub.cdn import CdnHandler

        given = sample_repositories() if repositories is None else repositories
        self.repositories = {repository.name: repository for repository in given}
        self.faults = Faults()
        self.log = RequestLog(log_file)
        self.rate = rate
        self.page_size = 50
        self.tokens = {"hf_granted": "Grace", "hf_stranger": "Stan"}
        self.stopping = threading.Event()
        self._api = _Server(("127.0.0.1", port), ApiHandler, self)
        self._cdn = _Server(("127.0.0.1", 0), CdnHandler, self)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._api.server_port}"

    @property
    def cdn(self) -> str:
        return f"http://127.0.0.1:{self._cdn.server_port}"

    def start(self) -> Self:
        for server in (self._api, self._cdn):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self) -> None:
        self.stopping.set()
        for server in (self._api, self._cdn):
            server.shutdown()
            server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()


class Handler(BaseHTTPRequestHandler):
    """What both addresses share: the log, plain answers, and the faults that need no file."""

    protocol_version = "HTTP/1.1"
    where = ""
    server: _Server
    status_sent = 0

    @property
    def hub(self) -> Hub:
        return self.server.hub

    def log_message(self, format: str, *args: object) -> None:
        """The request log says more than the standard one."""

    def note(self, *, file: str = "", first: int = 0, end: int = 0) -> None:
        self.hub.log.add(
            Entry(
                where=self.where,
                method=self.command,
                path=self.path,
                status=self.status_sent,
                range=self.headers.get("Range", ""),
                file=file,
                first=first,
                end=end,
                authorised="Authorization" in self.headers,
                user_agent=self.headers.get("User-Agent", ""),
            )
        )

    def start(self, status: int, headers: dict[str, str]) -> None:
        self.status_sent = status
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None, kind: str = "") -> None:
        """A whole small answer, noted in the log."""
        base = {"Content-Type": kind or "application/json", "Content-Length": str(len(body))}
        self.status_sent = status
        self.note()
        self.start(status, base | (headers or {}))
        if self.command != "HEAD":
            self.wfile.write(body)

    def hang(self) -> None:
        """Keep the connection and say nothing, until the reader gives up or the server stops."""
        self.note()
        self.connection.settimeout(0.1)
        while not self.hub.stopping.is_set():
            try:
                if self.connection.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        self.close_connection = True

    def drop(self, *, reset: bool) -> None:
        """End the connection in the middle."""
        self.close_connection = True
        self.wfile.flush()
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        else:
            self.connection.shutdown(socket.SHUT_RDWR)

    def strike(self, fault: Fault) -> bool:
        """Do what a fault without a file says; False where it needs the file's own bytes."""
        match fault.kind:
            case "status":
                self.answer(fault.status, fault.body.encode(), fault.headers, "text/plain")
            case "captive":
                self.answer(200, _LOGIN_PAGE, kind="text/html; charset=utf-8")
            case "json":
                self.answer(200, b'{"error": "not what you wanted"}')
            case "pointer":
                self.answer(200, _POINTER, kind="text/plain")
            case "redirect-loop":
                self.answer(302, b"", {"Location": self.path})
            case "redirect":
                self.answer(302, b"", {"Location": fault.url})
            case "silent":
                self.hang()
            case _:
                return False
        return True


_LOGIN_PAGE = b"<!DOCTYPE html><html><title>Hotel Wi-Fi</title><body>Please log in to use the internet.</body></html>"
_POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)
