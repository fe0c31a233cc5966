"""Fetch the missing bytes of one file: several ranges at once, each answer checked, each failure tried again."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import httpx2

from snug.core.errors import UserError
from snug.hub import failures
from snug.hub.part_file import PartFile
from snug.hub.patience import Patience, Plan
from snug.hub.rate import SpeedLimit
from snug.hub.remote import Access
from snug.hub.source import Source, changed, linked_etag, plain_etag, request_headers

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_ODD_BODY_BYTES = 2048


class RangeRefused(Exception):
    """The other side does not give the range that was asked for; with `whole`, it gives only the whole file."""

    def __init__(self, why: str, *, whole: bool) -> None:
        super().__init__(why)
        self.whole = whole


@dataclass
class _Cursor:
    """How far one range is: fetched up to `position`, journaled up to `committed`."""

    position: int
    committed: int
    end: int
    committed_at: float = 0.0
    tries: int = 0


@dataclass
class Watchers:
    """Who is told what: bytes that arrived, and why nothing arrives (kind and words; both "" when it does again)."""

    arrived: Callable[[int], None]
    note: Callable[[str, str], None]


class Transfer:
    """One file's way from `source` into `part`."""

    def __init__(
        self,
        client: httpx2.AsyncClient,
        access: Access,
        source: Source,
        part: PartFile,
        *,
        patience: Patience,
        plan: Plan,
        limit: SpeedLimit,
        watchers: Watchers,
    ) -> None:
        self._client = client
        self._access = access
        self._source = source
        self._part = part
        self._patience = patience
        self._plan = plan
        self._limit = limit
        self._watchers = watchers
        self._step = plan.step_for(source.size)
        self._storage_etag = ""
        self._has_conditions = True
        self._hold_until = 0.0
        self._is_whole = False

    async def run(self) -> None:
        """Fetch all that is missing. A server that lies about ranges costs one restart, then it is refused."""
        for attempt in range(2):
            try:
                await self._fetch_missing()
                return
            except RangeRefused as refusal:
                if attempt:
                    raise _bad_source(str(refusal)) from refusal
                self._is_whole = refusal.whole
                self._storage_etag = ""
                self._part.start_again()
                self._watchers.note("restarting", "The server answered wrongly. Starting this file again.")

    async def _fetch_missing(self) -> None:
        size = self._source.size
        if self._is_whole:
            await self._fetch_range(0, size)
            return
        width = self._plan.range_for(size)
        waiting = deque(
            (start, min(start + width, end))
            for first, end in self._part.spans.missing(size)
            for start in range(first, end, width)
        )

        async def work() -> None:
            while waiting:
                await self._fetch_range(*waiting.popleft())

        await run_all([work() for _ in range(min(self._plan.parallel, len(waiting)))])

    async def _fetch_range(self, first: int, end: int) -> None:
        cursor = _Cursor(first, first, end)
        while cursor.position < end:
            before = cursor.position
            try:
                await self._stream(cursor)
            except UserError as error:
                if error.kind not in failures.PASSING_KINDS:
                    raise
                has_advanced = cursor.position > before and not self._is_whole
                cursor.tries = 1 if has_advanced else cursor.tries + 1
                await self._back_off(error, cursor.tries)
                if self._is_whole and cursor.position < end:  # nothing can be asked for from its middle
                    self._part.start_again()
                    cursor.position = cursor.committed = 0

    async def _stream(self, cursor: _Cursor) -> None:
        """One request, from the cursor on. What arrived is journaled, however it ends."""
        await asyncio.sleep(max(0.0, self._hold_until - time.monotonic()))
        headers = request_headers(self._access)
        if not self._is_whole:
            headers["Range"] = f"bytes={cursor.position}-{cursor.end - 1}"
            if self._storage_etag and self._has_conditions:
                headers["If-Range"] = self._storage_etag
        request = self._client.build_request("GET", self._source.address, headers=headers)
        try:
            response = await self._client.send(request, stream=True, follow_redirects=True)
        except httpx2.TooManyRedirects as error:
            raise failures.explain(error, endpoint=self._access.endpoint) from error
        try:
            await self._check(response, cursor, bool(headers.get("If-Range")))
            cursor.committed_at = time.monotonic()
            async for piece in response.aiter_raw():
                await self._take(cursor, piece[: cursor.end - cursor.position])
            if cursor.position < cursor.end:
                raise failures.connection_lost("the body ended early")
        finally:
            await response.aclose()
            self._commit_rest(cursor)

    async def _take(self, cursor: _Cursor, piece: bytes) -> None:
        self._part.write(cursor.position, piece)
        cursor.position += len(piece)
        self._part.in_flight += len(piece)
        self._watchers.arrived(len(piece))
        waiting = cursor.position - cursor.committed
        if waiting >= self._step or time.monotonic() - cursor.committed_at >= self._plan.step_s:
            await self._part.commit(cursor.committed, cursor.position)
            self._part.in_flight -= waiting
            cursor.committed = cursor.position
            cursor.committed_at = time.monotonic()
        await self._limit.take(len(piece))

    def _commit_rest(self, cursor: _Cursor) -> None:
        waiting = cursor.position - cursor.committed
        self._part.in_flight -= waiting
        self._part.commit_now(cursor.committed, cursor.position)
        cursor.committed = cursor.position

    async def _back_off(self, error: UserError, tries: int) -> None:
        """Wait before the next try, longer each time; give up after enough of them."""
        patience = self._patience
        if tries >= patience.tries:
            raise error
        wait = min(patience.backoff_most_s, patience.backoff_first_s * 2 ** (tries - 1))
        if isinstance(error, failures.AskedToWait):
            if error.seconds > patience.retry_after_most_s:
                raise error
            wait = max(wait, error.seconds)
            self._hold_until = time.monotonic() + wait
            self._watchers.note(error.kind, error.title)
        else:
            self._watchers.note(error.kind, f"{error.title} Trying again…")
        await asyncio.sleep(wait * random.uniform(1.0, 1.25))

    async def _check(self, response: httpx2.Response, cursor: _Cursor, was_conditional: bool) -> None:
        """Raise unless this answer holds exactly the bytes that were asked for, of the right version."""
        self._check_status(response)
        for hop in (*response.history, response):
            linked = linked_etag(hop.headers)
            if linked and self._source.etag and linked != self._source.etag:
                raise changed(self._source.name)
        etag = response.headers.get("ETag", "")
        if response.status_code == 206:
            self._check_range(response, cursor)
            self._storage_etag = "" if etag.startswith("W/") else etag
            return
        length = response.headers.get("Content-Length", "")
        is_all = cursor.position == 0 and cursor.end == self._source.size
        if length == str(self._source.size) and is_all and "text/html" not in response.headers.get("Content-Type", ""):
            return
        await self._check_odd_body(response)
        if was_conditional:
            has_version = any(linked_etag(hop.headers) for hop in response.history)
            if not has_version and plain_etag(etag) != plain_etag(self._storage_etag):
                raise changed(self._source.name)
            self._has_conditions = False  # the version is known to be right: the storage only fails to compare ETags
            raise failures.connection_lost("the storage does not know its own ETag again")
        raise RangeRefused(f"HTTP {response.status_code} in the place of a range", whole=True)

    def _check_status(self, response: httpx2.Response) -> None:
        if response.status_code == 416:
            raise RangeRefused("HTTP 416", whole=False)
        is_storage = bool(response.history)
        if is_storage and response.status_code in (400, 401, 403, 404, 410):
            raise failures.connection_lost(f"the storage says HTTP {response.status_code}: a new address is needed")
        failed = failures.explain_answer(
            response.status_code,
            response.headers,
            endpoint=self._access.endpoint,
            has_token=bool(self._access.token),
            repo=self._source.repo,
        )
        if failed:
            raise failed

    def _check_range(self, response: httpx2.Response, cursor: _Cursor) -> None:
        told = response.headers.get("Content-Range", "")
        found = _CONTENT_RANGE.fullmatch(told)
        length = response.headers.get("Content-Length", "")
        wanted = (cursor.position, cursor.end - 1, self._source.size)
        if found is None or tuple(map(int, found.groups())) != wanted:
            raise RangeRefused(f"Content-Range {told!r}, wanted {wanted}", whole=False)
        if length and length != str(cursor.end - cursor.position):
            raise RangeRefused(f"Content-Length {length!r} for {wanted}", whole=False)

    async def _check_odd_body(self, response: httpx2.Response) -> None:
        """Recognise what is sometimes sent in the place of a model: a log-in page, a pointer, an error document."""
        kind = response.headers.get("Content-Type", "")
        if "text/html" in kind:
            raise failures.captive_portal("a page of HTML in the place of a file")
        length = response.headers.get("Content-Length", "")
        if not (length.isdigit() and int(length) <= _ODD_BODY_BYTES < self._source.size):
            return
        body = (await response.aread()).lstrip()
        if body.startswith(b"version https://git-lfs"):
            raise failures.pointer_instead_of_file()
        if body.startswith((b"<", b"{", b"[")):
            raise failures.captive_portal(f"a small answer of type {kind} in the place of a file")


async def run_all(jobs: list[Coroutine[Any, Any, None]]) -> None:
    """Run the jobs together; the first failure stops the others and is raised as it is."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        for task in asyncio.as_completed(tasks):
            await task
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _bad_source(details: str) -> UserError:
    return UserError(
        "The server does not send the bytes that it was asked for.",
        "Try again on another network, or choose another source of this model.",
        "bad-range",
        details,
    )
