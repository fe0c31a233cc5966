"""A checkpoint on the Hub as a source: headers first, then one shard after the other, each dropped when it was used."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

from snug.convert.architectures.model_card import CARD
from snug.convert.architectures.pooling import MODULES, USUAL_SETTINGS
from snug.convert.pipeline import Stopped
from snug.convert.plan import OutputTensor
from snug.convert.source import CheckpointSource, Fetching, digest_of, fingerprints
from snug.core.errors import UserError
from snug.formats.byte_source import FileSource
from snug.formats.checkpoints import pickles
from snug.formats.checkpoints.checkpoint import (
    ADAPTER_CONFIG,
    CHAT_TEMPLATES,
    INDEX,
    QUANTISATION_FILES,
    TOKENIZER_FILES,
    Checkpoint,
)
from snug.formats.checkpoints.errors import bad_checkpoint
from snug.formats.checkpoints.safetensors_header import read_header
from snug.formats.checkpoints.shard_index import check_shard_name
from snug.formats.checkpoints.tensor_files import TensorFile, TensorFiles
from snug.hub import downloader
from snug.hub.checkpoint_files import CheckpointFiles, list_checkpoint, remote_beginning
from snug.hub.downloader import Order, Paused, Report
from snug.hub.remote import Access, File

SMALL_FILES = ("config.json", ADAPTER_CONFIG, INDEX, CARD, MODULES, USUAL_SETTINGS, *QUANTISATION_FILES,
               *TOKENIZER_FILES)  # fmt: skip
_CHAT_TEMPLATE = re.compile(rf"{CHAT_TEMPLATES}/[\w.-]{{1,100}}\.jinja", re.ASCII)


class _Shard:
    """A shard's bytes: there only between its arrival and its last use."""

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = size
        self._file: FileSource | None = None

    @property
    def size(self) -> int:
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        if self._file is None:
            raise bad_checkpoint(f"{self._name} was not fetched yet")
        return self._file.read(offset, length)

    @property
    def is_here(self) -> bool:
        return self._file is not None

    def arrive(self, path: Path) -> None:
        self.close()
        self._file = FileSource(path)

    def leave(self) -> None:
        """Remove the file: nothing needs it any more."""
        if self._file is not None:
            path = self._file.path
            self.close()
            path.unlink(missing_ok=True)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class RemoteCheckpoint(Checkpoint):
    """A checkpoint whose small files are in `folder` and whose weights are still on the Hub."""

    def __init__(self, access: Access, files: CheckpointFiles, folder: Path) -> None:
        super().__init__(folder)
        self._access = access
        self.remote = files
        self._names = self._names | frozenset(files.weights)
        self.shard_sources: dict[str, _Shard] = {}

    @cached_property
    def files(self) -> TensorFiles:
        """The stored tensors, from the headers alone. Raises UserError."""
        opened = []
        for name in self.shards:
            check_shard_name(name, INDEX)
            file = self.remote.weights.get(name)
            if file is None:
                raise bad_checkpoint(f"the file {name} is not there")
            with remote_beginning(self._access, self.remote.repo, self.remote.commit, file) as source:
                header = read_header(source, name)
            self.shard_sources[name] = _Shard(name, file.size_bytes)
            opened.append(TensorFile(name, self.shard_sources[name], header))
        files = TensorFiles(opened)
        self._check_index(files)
        return files

    def fetch(
        self, file: File, folder: Path, report: Callable[[Report], None], is_cancelled: Callable[[], bool]
    ) -> None:
        """Bring a shard into `folder`. Raises UserError, Stopped."""
        order = Order(
            access=self._access,
            repo=self.remote.repo,
            revision=self.remote.commit,
            files=(file,),
            folder=folder,
        )
        try:
            ((fetched,), _) = downloader.download(order, report=report, should_stop=is_cancelled)
        except Paused:
            raise Stopped from None
        self.shard_sources[file.name].arrive(Path(fetched.path))

    def close(self) -> None:
        for source in self.shard_sources.values():
            source.close()


class HubSource(CheckpointSource):
    """The checkpoint in `repo`. Its small files stay in `cache`; shards pass through the folder `shards`."""

    def __init__(
        self,
        access: Access,
        repo: str,
        revision: str,
        *,
        cache: Path,
        shards: Path | None,
        adapter: Path | None = None,
        is_cancelled: Callable[[], bool],
    ) -> None:
        self._access = access
        self._shard_folder = shards
        found = list_checkpoint(access, repo, revision, is_small_file)
        _check_convertible(found)
        folder = fetch_small(access, found, cache / found.commit[:16], is_cancelled)
        checkpoint = RemoteCheckpoint(access, found, folder)
        self._found = found
        other = None if adapter is None else Checkpoint(adapter)
        try:
            super().__init__(checkpoint, repo.rsplit("/", 1)[-1], other)
        except BaseException:  # whatever it was, the files are not left open
            checkpoint.close()
            raise
        self._remote = checkpoint
        self._needed: dict[str, set[str]] = {}
        sizes = [found.weights[name].size_bytes for name in checkpoint.shards]
        self.fetch_bytes, self.largest_shard_bytes = sum(sizes), max(sizes)
        self._fetched_bytes = 0
        self._stays = False
        self._is_done = False
        self.has_finished_files = any(name.endswith(".gguf") for name in found.others)

    @property
    def identity(self) -> str:
        files = [f"{file.name} {file.size_bytes} {file.sha256}" for file in self._found.weights.values()]
        added = fingerprints(self.adapter.folder / name for name in self.adapter.shards) if self.adapter else []
        return digest_of([self._found.repo, self._found.commit, *sorted(files), *map(str, added)])

    def bring_here(self, fetching: Fetching, is_cancelled: Callable[[], bool]) -> None:
        self._stays = True
        for name in self._remote.shards:
            self._fetch(self._found.weights[name], fetching, is_cancelled)
        self.fetch_bytes, self.largest_shard_bytes = 0, 0

    def order(self, indices: Sequence[int]) -> list[int]:
        """By the shards that a tensor needs, so that each shard is wanted once."""
        if self._stays:
            return list(indices)
        place = {name: number for number, name in enumerate(self._remote.shards)}
        wanted = {index: self._shards_of(self.tensors[index]) for index in indices}
        self._needed = {name: set() for name in self._remote.shards}
        for index, names in wanted.items():
            for name in names:
                self._needed[name].add(self.tensors[index].name)
        self._fetched_bytes = 0
        self.fetch_bytes = sum(self._found.weights[name].size_bytes for name, users in self._needed.items() if users)
        return sorted(indices, key=lambda index: (max((place[name] for name in wanted[index]), default=-1), index))

    def make_ready(self, tensor: OutputTensor, fetching: Fetching, is_cancelled: Callable[[], bool]) -> None:
        for name in sorted(self._shards_of(tensor)):
            if not self._remote.shard_sources[name].is_here:
                self._fetch(self._found.weights[name], fetching, is_cancelled)

    def _fetch(self, file: File, fetching: Fetching, is_cancelled: Callable[[], bool]) -> None:
        assert self._shard_folder is not None

        def report(now: Report) -> None:
            rate = now.rate
            done = self._fetched_bytes + now.done_bytes
            left = (self.fetch_bytes - done) / rate if rate > 0 else 0.0
            fetching(done, self.fetch_bytes, rate, left, now.note or file.name)

        self._remote.fetch(file, self._shard_folder, report, is_cancelled)
        self._fetched_bytes += file.size_bytes

    def made(self, tensor: OutputTensor, save: Callable[[], None]) -> None:
        if self._stays:
            return
        for name in self._shards_of(tensor):
            users = self._needed.get(name, set())
            users.discard(tensor.name)
            if not users and name in self._remote.shard_sources:
                save()
                self._remote.shard_sources[name].leave()

    def forget(self) -> None:
        self._is_done = True
        if not self._stays:
            self._remove_shards()

    def close(self) -> None:
        super().close()
        if self._stays and self._is_done:
            self._remove_shards()

    def _remove_shards(self) -> None:
        if self._shard_folder is not None:
            shutil.rmtree(self._shard_folder, ignore_errors=True)

    def _shards_of(self, tensor: OutputTensor) -> set[str]:
        parts = (part for name in tensor.sources for part in self.weights.weights[name].parts)
        return {self.checkpoint.files.file_name(part) for part in parts if part in self.checkpoint.files}


def is_small_file(name: str) -> bool:
    """Whether a repository's file of that name describes the model: settings, tokenizer, templates, its page."""
    return name in SMALL_FILES or _CHAT_TEMPLATE.fullmatch(name) is not None


def _check_convertible(found: CheckpointFiles) -> None:
    if found.weights and "config.json" in found.small:
        return
    if found.weights and ADAPTER_CONFIG in found.small:
        raise UserError(
            "This is an adapter (LoRA): it can be converted only beside the model that it belongs to.",
            "Choose that model, or make the adapter a file of its own with snug convert.",
            kind="adapter",
            details=found.repo,
            bad_input=True,
        )
    unsafe = [name for name in found.others if not name.endswith(".gguf")]
    if unsafe and not found.weights:
        raise pickles.refused(unsafe)
    has_gguf = any(name.endswith(".gguf") for name in found.others)
    raise UserError(
        "This repository holds no weights that Snug can convert.",
        "It holds finished files (GGUF): get one of them instead."
        if has_gguf
        else "Choose a repository with config.json and safetensors files.",
        kind="finished-file" if has_gguf else "no-checkpoint",
        details=found.repo,
        bad_input=True,
    )


def fetch_small(access: Access, found: CheckpointFiles, folder: Path, is_cancelled: Callable[[], bool]) -> Path:
    """Config, tokenizer and page, in the folder where they now are."""
    order = Order(
        access=access,
        repo=found.repo,
        revision=found.commit,
        files=tuple(found.small.values()),
        folder=folder,
    )
    try:
        fetched, _ = downloader.download(order, report=lambda _: None, should_stop=is_cancelled)
    except Paused:
        raise Stopped from None
    return next(Path(file.path).parent for file in fetched if file.name in ("config.json", ADAPTER_CONFIG))
