"""Why the network failed, in words: one kind of UserError for each way it can go wrong."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx2

from snug.core.errors import UserError
from snug.hub.remote import text_of

PASSING_KINDS = frozenset(
    ("connection-lost", "stalled", "silent", "rate-limited", "hub-trouble", "no-network", "no-dns", "refused")
)
"""What may be over in a moment: a running download tries again."""

_EXPIRED, _NOT_YET_VALID, _WRONG_NAME = 10, 9, 62
_NO_ROUTE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EADDRNOTAVAIL}


def explain(error: BaseException, *, endpoint: str, proxied: bool = False) -> UserError:
    """The words for what went wrong on the way to `endpoint`; the reason is looked for in the chain of causes."""
    host = host_of(endpoint)
    chain = tuple(_causes(error))
    for cause in chain:
        if isinstance(cause, UserError):
            return cause
    details = " < ".join(f"{type(cause).__name__}: {text_of(str(cause), 300)}" for cause in chain)
    for cause in chain:
        found = _explain_cause(cause, host, proxied, details)
        if found is not None:
            return found
    return UserError(
        f"Snug could not talk to {host}.", "Check the internet connection and try again.", "no-network", details
    )


def _explain_cause(cause: BaseException, host: str, proxied: bool, details: str) -> UserError | None:
    match cause:
        case ssl.SSLCertVerificationError():
            return _explain_certificate(cause, host, details)
        case ssl.SSLError():
            return UserError(
                f"A secure connection to {host} could not be made.",
                "Something between this computer and the internet may be interfering. Try another network.",
                "tls",
                details,
            )
        case socket.gaierror():
            return _explain_name(host, proxied, details)
        case httpx2.ProxyError():
            return _explain_proxy(cause, details)
        case ConnectionRefusedError():
            return _explain_refusal(host, proxied, details)
        case OSError() if cause.errno in _NO_ROUTE:
            return UserError(
                "There is no internet connection.", "Connect to a network and try again.", "no-network", details
            )
        case httpx2.ConnectTimeout():
            return silent(host, details)
        case httpx2.ReadTimeout() | httpx2.WriteTimeout() | httpx2.PoolTimeout():
            return silent(host, details)
        case httpx2.TooManyRedirects():
            return UserError(
                f"{host} sends Snug round in circles.",
                "This is a fault on the other side. Try again later, or check the address of Hugging Face in Settings.",
                "too-many-redirects",
                details,
            )
        case httpx2.RemoteProtocolError() | httpx2.ReadError() | httpx2.WriteError() | ConnectionError():
            return connection_lost(details)
        case httpx2.InvalidURL() | httpx2.UnsupportedProtocol():
            return bad_address(details)
        case _:
            return None


def _explain_certificate(error: ssl.SSLCertVerificationError, host: str, details: str) -> UserError:
    message = (error.verify_message or str(error)).lower()
    if error.verify_code in (_EXPIRED, _NOT_YET_VALID) or "expired" in message or "not yet valid" in message:
        today = datetime.now(UTC).astimezone().strftime("%d %B %Y, %H:%M")
        return UserError(
            f"The certificate of {host} is not valid at this computer's time.",
            f"Your computer's clock says {today}; is it right? If it is, the fault is on the other side.",
            "clock",
            details,
        )
    if error.verify_code == _WRONG_NAME or "hostname mismatch" in message or "not valid for" in message:
        return UserError(
            f"Something else answers in the place of {host}.",
            "Your network may want you to log in first, or inspects traffic. Try another network.",
            "tls-wrong-name",
            details,
        )
    return UserError(
        f"The connection to {host} is inspected by someone this computer does not trust.",
        "On a company network, have its certificate installed in this computer's system; Snug uses the same ones.",
        "tls-untrusted",
        details,
    )


def _explain_name(host: str, proxied: bool, details: str) -> UserError:
    if proxied:
        return UserError(
            "The proxy's address cannot be found.", "Check the proxy in Settings, Network.", "proxy-not-found", details
        )
    return UserError(
        f"{host} cannot be found: there seems to be no internet connection.",
        "Connect to a network and try again.",
        "no-dns",
        details,
    )


def _explain_refusal(host: str, proxied: bool, details: str) -> UserError:
    if proxied:
        return UserError(
            "The proxy refuses the connection.", "Check the proxy in Settings, Network.", "proxy-refused", details
        )
    return UserError(
        f"{host} refuses the connection.",
        "A firewall may be in the way, or the address of Hugging Face in Settings is wrong.",
        "refused",
        details,
    )


def _explain_proxy(error: httpx2.ProxyError, details: str) -> UserError:
    if "407" in str(error):
        return UserError(
            "The proxy wants a name and a password.",
            "Put them into the proxy's address in Settings: http://NAME:PASSWORD@HOST:PORT.",
            "proxy-auth",
            details,
        )
    return UserError(
        "The proxy did not let Snug through.", "Check the proxy in Settings, Network.", "proxy-refused", details
    )


def bad_address(details: str = "") -> UserError:
    return UserError(
        "The address of Hugging Face in Settings is not a web address.",
        "Correct it in Settings, Network.",
        "bad-address",
        details,
        True,
    )


def connection_lost(details: str = "") -> UserError:
    return UserError("The connection was lost.", "Continue when the network is back.", "connection-lost", details)


def silent(host: str, details: str = "") -> UserError:
    return UserError(
        f"{host} does not answer.", "It may be overloaded, or the network is slow. Try again.", "silent", details
    )


def stalled(details: str = "") -> UserError:
    return UserError(
        "The download stands still: no more bytes arrive.", "Press Continue to try again.", "stalled", details
    )


def offline() -> UserError:
    return UserError(
        "Snug is set to stay offline.", "Turn this off in Settings, Network, to search and download.", "offline"
    )


def insecure_redirect(host: str) -> UserError:
    return UserError(
        "The download was sent on to an address without encryption.",
        "Snug does not follow it. Try again on another network.",
        "insecure-redirect",
        f"redirected to {host}",
    )


def captive_portal(details: str = "") -> UserError:
    return UserError(
        "Your network wants you to log in first.",
        "Open a web page in your browser, log in there, then try again.",
        "captive-portal",
        details,
    )


def pointer_instead_of_file() -> UserError:
    return UserError(
        "The source sent a placeholder instead of the file.",
        "The repository is damaged. Choose another source of this model.",
        "lfs-pointer",
    )


def bad_answer(host: str, details: str = "") -> UserError:
    return UserError(
        f"{host} gave an answer that Snug does not understand.",
        "Try again later, or check the address of Hugging Face in Settings.",
        "bad-answer",
        details,
    )


def explain_answer(
    status: int, headers: Mapping[str, str], *, endpoint: str, has_token: bool, repo: str = ""
) -> UserError | None:
    """The words for an answer that is no success; None for one that is."""
    if status < 400:
        return None
    host, what = host_of(endpoint), repo or "This model"
    code, message = headers.get("X-Error-Code", ""), headers.get("X-Error-Message", "")
    details = text_of(f"HTTP {status} {code} {message}", 400)
    if status == 429:
        return rate_limited(host, retry_after(headers), details)
    if status == 407:
        return _explain_proxy(httpx2.ProxyError("407"), details)
    if status in (401, 403):
        return _explain_refused_access(status, code, message, what, has_token, details)
    if status in (404, 410, 451) or message == "Access to this resource is disabled.":
        return _explain_absence(code, what, details)
    if status in (408, 500, 502, 503, 504) or status >= 500:
        return UserError(f"{host} has trouble at the moment.", "Try again in a few minutes.", "hub-trouble", details)
    return bad_answer(host, details)


def _explain_refused_access(
    status: int, code: str, message: str, what: str, has_token: bool, details: str
) -> UserError:
    if has_token and (status == 401 or "invalid credentials" in message.lower()) and code != "RepoNotFound":
        return UserError(
            "Your access token is not accepted: it has expired or was revoked.",
            "Make a new one on Hugging Face (Settings, Access Tokens) and paste it into Snug's Settings.",
            "token-refused",
            details,
        )
    if code == "GatedRepo" and has_token:
        return UserError(
            f"{what} must be asked for: its maker decides who gets it.",
            "Open its page on Hugging Face, accept the terms, and try again when access was given.",
            "needs-access",
            details,
        )
    if code == "GatedRepo":
        return UserError(
            f"{what} is only given to people who have signed in and accepted its terms.",
            "Accept them on its page on Hugging Face, then paste an access token into Snug's Settings.",
            "needs-token",
            details,
        )
    if code == "RepoNotFound" or not has_token:
        return _explain_absence("RepoNotFound", what, details)
    return UserError(
        "Your access token may not read this.",
        "On Hugging Face, give the token permission to read gated repositories, or make a new one.",
        "token-scope",
        details,
    )


def _explain_absence(code: str, what: str, details: str) -> UserError:
    thing = "This file" if code == "EntryNotFound" else "This version" if code == "RevisionNotFound" else what
    return UserError(
        f"{thing} is not on Hugging Face, or no longer available.",
        "It may be misspelt, removed, renamed or private. What you have stays.",
        "gone",
        details,
    )


@dataclass(eq=False)
class AskedToWait(UserError):
    """The other side asks for a pause of so many seconds (0: it does not say how long)."""

    seconds: float = 0.0


def rate_limited(host: str, seconds: float | None, details: str = "") -> AskedToWait:
    wait = f"{seconds:.0f} second{'' if seconds == 1 else 's'}" if seconds else "a while"
    return AskedToWait(
        f"{host} asks us to wait {wait}.", "Try again after that.", "rate-limited", details, seconds=seconds or 0.0
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that the other side asks for, None where it does not say."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit() and len(value) < 9:
        return float(value)
    return None


def host_of(address: str) -> str:
    """The host for people: "huggingface.co"."""
    try:
        return text_of(urlsplit(address).hostname or address, 80)
    except ValueError:
        return text_of(address, 80)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen and len(seen) < 20:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
