"""The only way to the network: system certificates, proxy, time-outs, no downgrade, no token for strangers."""

from __future__ import annotations

import ipaddress
import ssl
import urllib.request
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import truststore

import snug
from snug.core.errors import UserError
from snug.hub import failures
from snug.hub.patience import DEFAULT_PATIENCE, Patience
from snug.hub.remote import Access

MOST_HOPS = 10
MOST_ANSWER_BYTES = 16 * 1024 * 1024


class Guard:
    """The rules that each single request must keep, whoever makes it and wherever it was redirected to."""

    def __init__(self, access: Access) -> None:
        self.access = access
        try:
            endpoint = httpx2.URL(access.endpoint)
        except httpx2.InvalidURL as error:
            raise failures.bad_address(str(error)) from error
        if endpoint.scheme not in ("http", "https") or not endpoint.host:
            raise failures.bad_address()
        self._origin = _origin(endpoint)
        self._only_https = endpoint.scheme == "https"
        self._may_send_token = self._only_https or is_this_computer(endpoint.host)
        self.proxy = _proxy(access, endpoint)

    def admit(self, request: httpx2.Request) -> None:
        """Raise UserError where the request must not leave; take the token off where it must not go along."""
        if self.access.offline:
            raise failures.offline()
        if self._only_https and request.url.scheme != "https":
            raise failures.insecure_redirect(request.url.host)
        if _origin(request.url) != self._origin or not self._may_send_token:
            request.headers.pop("Authorization", None)
            request.headers.pop("Cookie", None)
        request.headers["User-Agent"] = f"snug/{snug.__version__}"

    def explain(self, error: BaseException) -> UserError:
        return failures.explain(error, endpoint=self.access.endpoint, proxied=self.proxy is not None)

    def transport_options(self) -> dict[str, Any]:
        """What both kinds of transport are made with."""
        proxy = httpx2.Proxy(self.proxy) if self.proxy else None
        return {"verify": _certificates(), "trust_env": False, "proxy": proxy, "retries": 0}


class _Transport(httpx2.BaseTransport):
    """Sends one request after the guard admitted it; what fails is a UserError at once, so nobody retries it."""

    def __init__(self, guard: Guard, timeout: httpx2.Timeout) -> None:
        self._guard = guard
        self._timeout = timeout.as_dict()
        self._inner = httpx2.HTTPTransport(**guard.transport_options())

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self._guard.admit(request)
        request.extensions["timeout"] = self._timeout  # the library asks for none, and would wait for ever
        try:
            response = self._inner.handle_request(request)
        except (httpx2.HTTPError, OSError) as error:
            raise self._guard.explain(error) from error
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _Bounded(response.stream, self._guard)
        return response

    def close(self) -> None:
        self._inner.close()


class _Bounded(httpx2.SyncByteStream):
    """A body that may not be endless, and whose failures are explained."""

    def __init__(self, stream: httpx2.SyncByteStream, guard: Guard) -> None:
        self._stream = stream
        self._guard = guard

    def __iter__(self) -> Iterator[bytes]:
        total = 0
        try:
            for piece in self._stream:
                total += len(piece)
                if total > MOST_ANSWER_BYTES:
                    raise failures.bad_answer(
                        failures.host_of(self._guard.access.endpoint), "the answer is larger than 16 MiB"
                    )
                yield piece
        except (httpx2.HTTPError, OSError) as error:
            raise self._guard.explain(error) from error

    def close(self) -> None:
        self._stream.close()


class _AsyncTransport(httpx2.AsyncBaseTransport):
    """The same for the downloader, whose bodies may be of any length."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._inner = httpx2.AsyncHTTPTransport(**guard.transport_options())

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self._guard.admit(request)
        try:
            response = await self._inner.handle_async_request(request)
        except (httpx2.HTTPError, OSError) as error:
            raise self._guard.explain(error) from error
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Explained(response.stream, self._guard)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Explained(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, guard: Guard) -> None:
        self._stream = stream
        self._guard = guard

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._stream:
                yield piece
        except httpx2.ReadTimeout as error:
            raise failures.stalled(str(error)) from error
        except (httpx2.HTTPError, OSError) as error:
            raise self._guard.explain(error) from error

    async def aclose(self) -> None:
        await self._stream.aclose()


def open_client(access: Access, patience: Patience = DEFAULT_PATIENCE) -> httpx2.Client:
    """A client for answers that fit in memory. Every answer that is no success raises UserError."""
    guard = Guard(access)

    def check(response: httpx2.Response) -> None:
        failed = failures.explain_answer(
            response.status_code,
            response.headers,
            endpoint=access.endpoint,
            has_token="Authorization" in response.request.headers,
            repo=repo_in(response.request.url.path),
        )
        if failed:
            raise failed
        kind = response.headers.get("Content-Type", "")
        if response.is_success and response.request.url.path.startswith("/api/") and "json" not in kind:
            raise failures.captive_portal(f"the answer is {kind}")

    timeout = httpx2.Timeout(patience.answer_s, connect=patience.connect_s)
    return httpx2.Client(
        transport=_Transport(guard, timeout),
        trust_env=False,
        follow_redirects=True,
        max_redirects=MOST_HOPS,
        event_hooks={"response": [check]},
    )


def open_async_client(access: Access, patience: Patience = DEFAULT_PATIENCE) -> httpx2.AsyncClient:
    """A client for the downloader; it checks answers itself. Redirects are followed only where it asks for it."""
    return httpx2.AsyncClient(
        transport=_AsyncTransport(Guard(access)),
        trust_env=False,
        follow_redirects=False,
        max_redirects=MOST_HOPS,
        timeout=httpx2.Timeout(patience.stall_s, connect=patience.connect_s),
    )


def repo_in(path: str) -> str:
    """OWNER/NAME in an address of the Hub, "" where there is none."""
    parts = path.removeprefix("/api/models").strip("/").split("/")
    return "/".join(parts[:2]) if len(parts) >= 2 and parts[0] != "api" else ""


def is_this_computer(host: str) -> bool:
    """Whether `host` is the loopback address, which no one else can listen to."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _certificates() -> ssl.SSLContext:
    """The system's own certificates, so that what the browser trusts works here too."""
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    default = {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.host.lower(), url.port or default


def _proxy(access: Access, endpoint: httpx2.URL) -> str | None:
    """The proxy to use: the person's own setting, else the system's, never for this computer itself."""
    if is_this_computer(endpoint.host) and not access.proxy:
        return None
    if access.proxy:
        return access.proxy if urlsplit(access.proxy).scheme else f"http://{access.proxy}"
    if urllib.request.proxy_bypass(endpoint.host):
        return None
    found = urllib.request.getproxies()
    return found.get(endpoint.scheme) or found.get("all")
