"""Where a file's bytes come from: its address, version, size and hash, as the Hub says before any byte is fetched."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urljoin

import httpx2

from snug.core.errors import UserError
from snug.hub import failures
from snug.hub.network import MOST_HOPS
from snug.hub.remote import Access, File

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Source:
    """A file on the Hub. `etag` names the version; `sha256` is "" for small files that are not in LFS."""

    repo: str
    name: str
    address: str
    commit: str
    etag: str
    size: int
    sha256: str


def address_of(access: Access, repo: str, revision: str, name: str) -> str:
    """The Hub's address of a file."""
    return f"{access.endpoint.rstrip('/')}/{repo}/resolve/{quote(revision, safe='')}/{quote(name)}"


def request_headers(access: Access) -> dict[str, str]:
    """What goes with each request for a file: the bytes as they are, and the token where there is one."""
    headers = {"Accept-Encoding": "identity"}
    if access.token:
        headers["Authorization"] = f"Bearer {access.token}"
    return headers


async def find_source(client: httpx2.AsyncClient, access: Access, repo: str, revision: str, file: File) -> Source:
    """Ask the Hub about a file. Raises UserError, of kind "changed" where it is not the one that was chosen."""
    address = url = address_of(access, repo, revision, file.name)
    for _ in range(MOST_HOPS):
        response = await client.head(url, headers=request_headers(access))
        failed = failures.explain_answer(
            response.status_code, response.headers, endpoint=access.endpoint, has_token=bool(access.token), repo=repo
        )
        if failed:
            raise failed
        target = response.headers.get("Location")
        if not response.is_redirect or not target:
            break
        if linked_etag(response.headers) or "X-Repo-Commit" in response.headers:
            break
        target = urljoin(url, target)
        if httpx2.URL(target).host != httpx2.URL(url).host:
            break
        url = target
    else:
        raise failures.explain(httpx2.TooManyRedirects("HEAD"), endpoint=access.endpoint)
    return _read_answer(response, access, repo, file, address)


def _read_answer(response: httpx2.Response, access: Access, repo: str, file: File, address: str) -> Source:
    headers = response.headers
    etag = linked_etag(headers) or ("" if response.is_redirect else plain_etag(headers.get("ETag", "")))
    is_page = "text/html" in headers.get("Content-Type", "")
    if is_page and "X-Repo-Commit" not in headers and not response.is_redirect:
        raise failures.captive_portal("a page of HTML in the place of a file")
    size = _size(headers.get("X-Linked-Size", ""))
    if size is None and not response.is_redirect:
        size = _size(headers.get("Content-Length", ""))
    size = file.size_bytes if size is None else size
    sha256 = etag if _SHA256.fullmatch(etag) else file.sha256
    if file.sha256 and sha256 != file.sha256:
        raise changed(file.name)
    if size <= 0 and not etag:
        raise failures.bad_answer(failures.host_of(access.endpoint), "neither a size nor a version")
    commit = headers.get("X-Repo-Commit", "")
    return Source(repo, file.name, address, commit, etag or file.sha256, size, sha256)


def linked_etag(headers: Mapping[str, str]) -> str:
    """The version of a large file, as the Hub's redirect to the storage tells it."""
    return plain_etag(headers.get("X-Linked-ETag", ""))


def plain_etag(value: str) -> str:
    """An ETag without its quotes and weakness mark."""
    return value.strip().removeprefix("W/").strip('"')[:200]


def changed(name: str) -> UserError:
    return UserError(
        "This model was changed on Hugging Face since the download was chosen.",
        "Download the new version from its beginning, or choose another source.",
        "changed",
        f"another version of {name!r}",
    )


def _size(value: str) -> int | None:
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None
