"""The ways to the Hub that fail: names, routes, proxies, certificates, and the rules that each request keeps."""

from __future__ import annotations

import errno
import json
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx2
import pytest
import trustme

from snug.core.errors import UserError
from snug.hub.failures import explain
from snug.hub.network import Guard, is_this_computer
from snug.hub.remote import Access
from snug.hub.search import search
from tests.hub.conftest import QUICK


def failure_of(access: Access) -> UserError:
    with pytest.raises(UserError) as caught:
        search(access, "pip", patience=QUICK)
    return caught.value


@contextmanager
def serving(
    answer: Callable[[BaseHTTPRequestHandler], None], context: ssl.SSLContext | None = None
) -> Iterator[HTTPServer]:
    """A server on loopback whose every request is answered by `answer`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        do_CONNECT = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    class Server(HTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that breaks off the handshake is what is tested."""

    server = Server(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def empty_list(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    handler.wfile.write(b"[]")


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


# --- N12: names, routes, proxies ---------------------------------------------------------------------------------


def test_n12_a_name_that_cannot_be_found() -> None:
    failed = failure_of(Access(endpoint="http://hub.invalid"))

    assert failed.kind == "no-dns"
    assert failed.title == "hub.invalid cannot be found: there seems to be no internet connection."


def test_n12_a_refused_connection(closed_port: int) -> None:
    assert failure_of(Access(endpoint=f"http://127.0.0.1:{closed_port}")).kind == "refused"


def test_n12_a_proxy_that_is_not_there(closed_port: int) -> None:
    failed = failure_of(Access(endpoint="http://hub.example", proxy=f"127.0.0.1:{closed_port}"))

    assert (failed.kind, failed.title) == ("proxy-refused", "The proxy refuses the connection.")


def test_n12_a_proxy_whose_name_cannot_be_found() -> None:
    access = Access(endpoint="http://hub.example", proxy="http://proxy.invalid:3128")
    assert failure_of(access).kind == "proxy-not-found"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_n12_a_proxy_that_wants_a_password(scheme: str) -> None:
    def wants_password(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(407, "Proxy Authentication Required")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with serving(wants_password) as proxy:
        failed = failure_of(Access(endpoint=f"{scheme}://hub.example", proxy=f"http://127.0.0.1:{proxy.server_port}"))
    assert failed.kind == "proxy-auth"


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "no-network"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "no-network"),
        (socket.gaierror(-3, "Temporary failure in name resolution"), "no-dns"),
        (ConnectionRefusedError(111, "Connection refused"), "refused"),
        (ConnectionResetError(104, "Connection reset by peer"), "connection-lost"),
        (httpx2.ConnectTimeout("timed out"), "silent"),
        (httpx2.ReadTimeout("timed out"), "silent"),
        (httpx2.ProxyError("407 Proxy Authentication Required"), "proxy-auth"),
        (httpx2.ProxyError("502 Bad Gateway"), "proxy-refused"),
        (httpx2.RemoteProtocolError("peer closed connection"), "connection-lost"),
        (httpx2.TooManyRedirects("too many"), "too-many-redirects"),
        (ssl.SSLError(1, "wrong version number"), "tls"),
        (ValueError("anything else"), "no-network"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_n12_the_reason_is_found_at_the_end_of_a_chain(cause: BaseException, kind: str) -> None:
    outer = httpx2.ConnectError("All connection attempts failed")
    middle = RuntimeError("wrapped")
    middle.__cause__ = cause
    outer.__cause__ = middle if not isinstance(cause, httpx2.HTTPError) else cause

    failed = explain(outer if isinstance(cause, OSError) else cause, endpoint="https://huggingface.co")

    assert failed.kind == kind
    assert type(cause).__name__ in failed.details


# --- N13: certificates ---------------------------------------------------------------------------------------------


@contextmanager
def tls_server(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    answer: Callable[[BaseHTTPRequestHandler], None] = empty_list,
    *,
    days: tuple[int, int] = (-1, 30),
    name: str = "localhost",
    is_trusted: bool = True,
) -> Iterator[Access]:
    """A server whose certificate holds between `days` from now, signed by an authority the system knows or not."""
    authority = trustme.CA()
    first, last = (datetime.now(UTC).replace(tzinfo=None) + timedelta(days=day) for day in days)
    certificate = authority.issue_cert(name, not_before=first, not_after=last)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    known = authority if is_trusted else trustme.CA()
    known.cert_pem.write_to_path(str(folder / "authorities.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "authorities.pem"))
    with serving(answer, context) as server:
        yield Access(endpoint=f"https://localhost:{server.server_port}")


needs_openssl = pytest.mark.skipif(sys.platform != "linux", reason="the system's list of authorities cannot be chosen")


@needs_openssl
def test_n13_a_certificate_of_an_authority_that_the_system_knows_is_trusted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with tls_server(monkeypatch, tmp_path) as access:
        assert search(access, "pip", patience=QUICK) == []


@needs_openssl
@pytest.mark.parametrize(
    ("days", "name", "is_trusted", "kind"),
    [
        ((-30, -1), "localhost", True, "clock"),
        ((2, 30), "localhost", True, "clock"),
        ((-1, 30), "localhost", False, "tls-untrusted"),
        ((-1, 30), "elsewhere.example", True, "tls-wrong-name"),
    ],
    ids=["expired", "not yet valid", "unknown authority", "another name"],
)
def test_n13_each_bad_certificate_has_its_own_words(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    days: tuple[int, int],
    name: str,
    is_trusted: bool,
    kind: str,
) -> None:
    with tls_server(monkeypatch, tmp_path, days=days, name=name, is_trusted=is_trusted) as access:
        failed = failure_of(access)

    assert failed.kind == kind
    if kind == "clock":
        assert datetime.now(UTC).astimezone().strftime("%B %Y") in failed.advice


@needs_openssl
def test_n6_a_redirect_to_an_address_without_encryption_is_not_followed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []

    def downgrade(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", f"http://127.0.0.1:{plain_server.server_port}/api/models")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def remember(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        empty_list(handler)

    with serving(remember) as plain_server, tls_server(monkeypatch, tmp_path, downgrade) as access:
        assert failure_of(access).kind == "insecure-redirect"
    assert asked == []


# --- the rules that each request keeps ------------------------------------------------------------------------------


def carries_token(access: Access, address: str) -> bool:
    request = httpx2.Request("GET", address, headers={"Authorization": "Bearer hf_secret"})
    Guard(access).admit(request)
    return "Authorization" in request.headers


@pytest.mark.parametrize(
    ("endpoint", "address", "goes_along"),
    [
        ("https://huggingface.co", "https://huggingface.co/api/models", True),
        ("https://huggingface.co", "https://HUGGINGFACE.co:443/api/models", True),
        ("https://huggingface.co", "https://cdn-lfs.huggingface.co/file", False),
        ("https://huggingface.co", "https://huggingface.co.evil.example/api/models", False),
        ("https://huggingface.co", "https://huggingface.co:8443/api/models", False),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/api/models", True),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8001/api/models", False),
        ("http://mirror.example", "http://mirror.example/api/models", False),
    ],
)
def test_the_token_goes_to_the_hub_alone_and_never_in_the_clear(endpoint: str, address: str, goes_along: bool) -> None:
    assert carries_token(Access(endpoint=endpoint, token="hf_secret"), address) is goes_along


def test_requests_do_not_say_more_about_this_computer_than_needed() -> None:
    request = httpx2.Request("GET", "https://huggingface.co/", headers={"User-Agent": "hf_hub/2; python/3; torch/2"})
    Guard(Access()).admit(request)

    assert request.headers["User-Agent"].startswith("snug/")


@pytest.mark.parametrize("endpoint", ["not an address", "file:///etc", "https://", "https://[::1", ""])
def test_an_endpoint_that_is_no_web_address_is_named(endpoint: str) -> None:
    failed = failure_of(Access(endpoint=endpoint))
    assert (failed.kind, failed.bad_input) == ("bad-address", True)


@pytest.mark.parametrize(("host", "is_here"), [("127.0.0.1", True), ("::1", True), ("localhost", True),
                                               ("127.0.0.1.nip.io", False), ("huggingface.co", False)])  # fmt: skip
def test_only_loopback_counts_as_this_computer(host: str, is_here: bool) -> None:
    assert is_this_computer(host) is is_here


def test_a_token_is_not_shown_where_its_access_is_printed() -> None:
    assert "hf_secret" not in repr(Access(token="hf_secret", proxy="http://me:hf_secret@proxy.example"))


OFFLINE_SCRIPT = """
import json, pathlib, sys
touched = []
watched = ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.bind")
sys.addaudithook(lambda event, args: touched.append(event) if event in watched else None)
from snug.core.errors import UserError
from snug.hub import downloader, model_page, remote, remote_header, search
access = remote.Access(endpoint=sys.argv[1], offline=True)
file = remote.File(name="a.gguf", size_bytes=10**6, sha256="0" * 64)
order = downloader.Order(access=access, repo="a/b", revision="main", files=(file,), folder=pathlib.Path(sys.argv[2]))
kinds = []
for work in (
    lambda: search.search(access, "pip"),
    lambda: model_page.read_model_page(access, "a/b"),
    lambda: remote_header.read_remote_facts(access, "a/b", "main", [file]),
    lambda: downloader.download(order, report=lambda report: None, should_stop=lambda: False),
):
    try:
        work()
    except UserError as error:
        kinds.append(error.kind)
print(json.dumps([kinds, touched]))
"""


def test_n16_offline_touches_no_socket(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE_SCRIPT, "http://127.0.0.1:9", str(tmp_path)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    kinds, touched = json.loads(done.stdout)

    assert kinds == ["offline"] * 4
    assert touched == []
