"""Get files of a repository: room first, then the bytes, then the proof, and only then their names."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import httpx2

from snug.core.errors import UserError
from snug.hub import failures
from snug.hub.disk_names import file_path, folder_name
from snug.hub.disk_space import check_room, explain_disk
from snug.hub.journal import Head, read_journal
from snug.hub.leftovers import clear_leftovers
from snug.hub.network import open_async_client
from snug.hub.part_file import PartFile, journal_path, part_path
from snug.hub.patience import DEFAULT_PATIENCE, DEFAULT_PLAN, Patience, Plan
from snug.hub.proof import Proof, digest_of
from snug.hub.rate import RateMeter, SpeedLimit
from snug.hub.remote import Access, File
from snug.hub.source import Source, changed, find_source
from snug.hub.transfer import Transfer, Watchers

Result = TypeVar("Result")

_TICK_S = 0.1
_LOCK_POLL_S = 0.3


class Paused(Exception):
    """The download was stopped on request; what is there stays and is taken up again next time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How far a download is. `state` is "starting", "downloading", "waiting" or "verifying".

    `note` says in words why nothing arrives, `kind` is its stable word; both are "" while all is well.
    """

    state: str
    done_bytes: int
    total_bytes: int
    rate: float = 0.0
    seconds_left: float = 0.0
    note: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file that arrived and was found right."""

    name: str
    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be fetched, and where to. `speed_limit` in bytes/s, 0 for none."""

    access: Access
    repo: str
    revision: str
    files: tuple[File, ...]
    folder: Path
    speed_limit: int = 0
    accept_new_version: bool = False


@dataclass
class _Item:
    """One file of the order on its way."""

    source: Source
    part: PartFile
    sha256: str = ""

    def fetched(self) -> Fetched:
        source = self.source
        return Fetched(name=source.name, path=str(self.part.final), size_bytes=source.size, sha256=self.sha256)


@dataclass
class _Progress:
    """What the person is told: gathered here, sent by a steady tick."""

    order: Order
    send: Callable[[Report], None]
    items: list[_Item] = field(default_factory=list)
    meter: RateMeter = field(default_factory=RateMeter)
    state: str = "starting"
    note: str = ""
    kind: str = ""

    def arrived(self, count: int) -> None:
        self.meter.count(count)
        self.state, self.note, self.kind = "downloading", "", ""

    def wait(self, kind: str, words: str) -> None:
        self.state, self.note, self.kind = "waiting", words, kind
        self.tell()

    def enter(self, state: str) -> None:
        self.state, self.note, self.kind = state, "", ""
        self.tell()

    def tell(self) -> None:
        known = sum(item.source.size for item in self.items)
        total = known or sum(file.size_bytes for file in self.order.files)
        done = sum(item.part.received for item in self.items)
        moving = self.state == "downloading"
        self.send(
            Report(
                state=self.state,
                done_bytes=done,
                total_bytes=total,
                rate=self.meter.rate if moving else 0.0,
                seconds_left=self.meter.seconds_for(total - done) if moving else 0.0,
                note=self.note,
                kind=self.kind,
            )
        )


def download(
    order: Order,
    *,
    report: Callable[[Report], None],
    should_stop: Callable[[], bool],
    patience: Patience = DEFAULT_PATIENCE,
    plan: Plan = DEFAULT_PLAN,
) -> tuple[list[Fetched], str]:
    """The files, and the commit that they are of. Raises UserError, or Paused where `should_stop` says so."""
    if not order.files:
        raise UserError("There is nothing to download.", "Choose a file first.", "nothing", bad_input=True)
    return asyncio.run(_Download(order, report, patience, plan).run_until(should_stop))


class _Download:
    def __init__(self, order: Order, report: Callable[[Report], None], patience: Patience, plan: Plan) -> None:
        self._order = order
        self._patience = patience
        self._plan = plan
        self._progress = _Progress(order, report)

    async def run_until(self, should_stop: Callable[[], bool]) -> tuple[list[Fetched], str]:
        """Run, tell how far it is, and stop when asked to."""
        work = asyncio.ensure_future(self._run())
        is_stopping = False
        while not work.done():
            if is_stopping or not should_stop():
                self._progress.tell()
            else:
                is_stopping = work.cancel()
            await asyncio.wait({work}, timeout=_TICK_S)
        await asyncio.sleep(0)  # a connection that was cut off closes in the loop's next round
        if work.cancelled():
            raise Paused
        return work.result()

    async def _run(self) -> tuple[list[Fetched], str]:
        order = self._order
        async with open_async_client(order.access, self._patience) as client:
            sources = [await self._find(client, file) for file in order.files]
            try:
                return await self._fetch_all(client, sources)
            except OSError as error:
                missing = sum(item.source.size - item.part.received for item in self._progress.items)
                raise explain_disk(error, order.folder, missing, self._plan) from error
            finally:
                for item in self._progress.items:
                    if not item.part.is_published:
                        item.part.close()

    async def _find(self, client: httpx2.AsyncClient, file: File) -> Source:
        order = self._order
        wanted = replace(file, sha256="") if order.accept_new_version else file
        return await self._try(lambda: find_source(client, order.access, order.repo, order.revision, wanted))

    async def _try(self, ask: Callable[[], Awaitable[Result]]) -> Result:
        """Ask the Hub, again where that may help; what a person must mend themselves is raised at once."""
        patience, host = self._patience, failures.host_of(self._order.access.endpoint)
        for attempt in range(1, patience.tries + 1):
            task = asyncio.ensure_future(ask())
            try:
                await asyncio.wait({task}, timeout=patience.hint_s)
                if not task.done():
                    self._progress.wait("silent", f"{host} does not answer yet. Still trying…")
                    await asyncio.wait({task}, timeout=patience.answer_s)
                if not task.done():
                    raise failures.silent(host)
                return task.result()
            except UserError as error:
                is_passing = error.kind in ("silent", "rate-limited", "hub-trouble", "connection-lost")
                if not is_passing or attempt == patience.tries:
                    raise
                await self._wait_after(error, attempt)
            finally:
                task.cancel()
        raise failures.silent(host)

    async def _wait_after(self, error: UserError, attempt: int) -> None:
        patience = self._patience
        wait = min(patience.backoff_most_s, patience.backoff_first_s * 2 ** (attempt - 1))
        if isinstance(error, failures.AskedToWait):
            if error.seconds > patience.retry_after_most_s:
                raise error
            wait = max(wait, error.seconds)
        self._progress.wait(error.kind, f"{error.title} Trying again…")
        await asyncio.sleep(wait)

    async def _fetch_all(self, client: httpx2.AsyncClient, sources: list[Source]) -> tuple[list[Fetched], str]:
        items = self._progress.items
        items += await self._place(sources)
        for item in items:
            if not item.part.is_published:
                await self._lock(item)
        clear_leftovers(items[0].part.final.parent)
        check_room(self._order.folder, sum(i.source.size - i.part.received for i in items), self._plan)
        limit = SpeedLimit(self._order.speed_limit)
        for item in items:
            if not item.part.is_verified:
                await self._fetch(client, item, limit)
        for item in items:
            if not item.part.is_published:
                item.part.publish()
        fetched = [
            Fetched(name=i.source.name, path=str(i.part.final), size_bytes=i.source.size, sha256=i.sha256)
            for i in items
        ]
        return fetched, next((s.commit for s in sources if s.commit), self._order.revision)

    async def _place(self, sources: list[Source]) -> list[_Item]:
        """Where each file goes: the repository's folder, or one of its own for this version where names are taken."""
        base = self._order.folder / folder_name(self._order.repo)
        items = [_item(source, base) for source in sources]
        if not await self._accept_present(items):
            mark = (sources[0].commit or sources[0].etag or "other")[:8]
            items = [_item(source, base.with_name(f"{base.name}@{mark}")) for source in sources]
            await self._accept_present(items)
        return items

    async def _accept_present(self, items: list[_Item]) -> bool:
        """Mark the files that are there already and right; False where another file has a wanted name."""
        for item in items:
            final = item.part.final
            if not final.exists() and not final.is_symlink():
                continue
            if final.is_symlink() or not final.is_file() or final.stat().st_size != item.source.size:
                return False
            state = read_journal(journal_path(final))
            if state and state.verified and state.head.etag == item.source.etag and not part_path(final).exists():
                item.sha256 = state.verified  # killed between the new name and the end
                journal_path(final).unlink(missing_ok=True)
            else:
                self._progress.enter("verifying")
                digest = await digest_of(final, item.source.size)
                if not digest.matches(item.part.head):
                    return False
                item.sha256 = digest.sha256
            item.part.is_verified = item.part.is_published = True
        return True

    async def _lock(self, item: _Item) -> None:
        """Take the file for this process; wait while another one fetches it. Then see what is there of it."""
        while not item.part.lock():
            self._progress.wait("busy", "This file is being downloaded already. Waiting for it…")
            await asyncio.sleep(_LOCK_POLL_S)
        if item.part.final.exists() and await self._accept_present([item]):
            item.part.close()
            return
        state = read_journal(journal_path(item.part.final))
        is_other = state is not None and (state.head.etag, state.head.size) != (item.source.etag, item.source.size)
        if is_other and state and state.spans.total and not self._order.accept_new_version:
            raise changed(item.source.name)
        item.part.resume()
        if item.part.is_verified and state:
            item.sha256 = state.verified

    async def _fetch(self, client: httpx2.AsyncClient, item: _Item, limit: SpeedLimit) -> None:
        """Bring one file here and prove it. What arrives damaged is fetched once more."""
        for attempt in range(2):
            transfer = Transfer(
                client,
                self._order.access,
                item.source,
                item.part,
                patience=self._patience,
                plan=self._plan,
                limit=limit,
                watchers=Watchers(self._progress.arrived, self._progress.wait),
            )
            proof = Proof(item.part)
            try:
                await transfer.run()
                self._progress.enter("verifying")
                digest = await proof.finish()
            finally:
                proof.close()
            if digest.matches(item.part.head):
                item.sha256 = digest.sha256
                item.part.mark_verified(digest.sha256)
                return
            item.part.start_again()
            if not attempt:
                self._progress.wait("damaged", "The file arrived damaged. Downloading it again…")
        item.part.drop()
        raise _source_damaged(item.source.name)


def _item(source: Source, folder: Path) -> _Item:
    head = Head(
        repo=source.repo,
        file=source.name,
        size=source.size,
        etag=source.etag,
        sha256=source.sha256,
        commit=source.commit,
    )
    return _Item(source, PartFile(folder / file_path(source.name), head))


def _source_damaged(name: str) -> UserError:
    return UserError(
        "The file arrived damaged twice: the source itself seems to be damaged.",
        "Choose another source of this model. Nothing damaged was kept.",
        "source-damaged",
        f"wrong hash: {name!r}",
    )
