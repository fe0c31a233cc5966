"""A LoRA adapter on the Hub as a source: of its model nothing is fetched but the config."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from snug.convert.hub_source import RemoteCheckpoint, fetch_small, is_small_file
from snug.convert.lora_source import LoraSource
from snug.convert.plan import OutputTensor
from snug.convert.source import Fetching, digest_of
from snug.core.errors import UserError
from snug.formats.checkpoints.checkpoint import Checkpoint
from snug.hub.checkpoint_files import list_checkpoint
from snug.hub.downloader import Report
from snug.hub.remote import REPO_NAME, Access


class HubLora(LoraSource):
    """The adapter in `repo`, for the model whose folder is `base`, or, where that is None, the one that it names."""

    def __init__(
        self,
        access: Access,
        repo: str,
        revision: str,
        *,
        cache: Path,
        shards: Path | None,
        base: Path | None,
        is_cancelled: Callable[[], bool],
    ) -> None:
        self._shard_folder = shards
        self._found = list_checkpoint(access, repo, revision, is_small_file)
        folder = fetch_small(access, self._found, cache / self._found.commit[:16], is_cancelled)
        self._remote = RemoteCheckpoint(access, self._found, folder)
        try:
            if base is None:
                base = _config_of(access, self._remote.config.get("base_model_name_or_path"), cache, is_cancelled)
            super().__init__(self._remote, Checkpoint(base), repo.rsplit("/", 1)[-1])
        except BaseException:  # whatever it was, the files are not left open
            self._remote.close()
            raise
        self.fetch_bytes = self.largest_shard_bytes = sum(
            self._found.weights[name].size_bytes for name in self._remote.shards
        )

    @property
    def identity(self) -> str:
        files = [f"{file.name} {file.size_bytes} {file.sha256}" for file in self._found.weights.values()]
        return digest_of([super().identity, self._found.repo, self._found.commit, *sorted(files)])

    def make_ready(self, tensor: OutputTensor, fetching: Fetching, is_cancelled: Callable[[], bool]) -> None:
        assert self._shard_folder is not None
        for name in self._remote.shards:
            if self._remote.shard_sources[name].is_here:
                continue

            def report(now: Report, name: str = name) -> None:
                left = (self.fetch_bytes - now.done_bytes) / now.rate if now.rate > 0 else 0.0
                fetching(now.done_bytes, self.fetch_bytes, now.rate, left, now.note or name)

            self._remote.fetch(self._found.weights[name], self._shard_folder, report, is_cancelled)

    def forget(self) -> None:
        if self._shard_folder is not None:
            shutil.rmtree(self._shard_folder, ignore_errors=True)


def _config_of(access: Access, repo: object, cache: Path, is_cancelled: Callable[[], bool]) -> Path:
    """The folder with the config.json of the model that an adapter names. Raises UserError."""
    if isinstance(repo, str) and REPO_NAME.fullmatch(repo):
        found = list_checkpoint(access, repo, "main", lambda name: name == "config.json")
        if found.small:
            return fetch_small(access, found, cache / found.commit[:16], is_cancelled)
    raise UserError(
        "This adapter (LoRA) does not say to which model on Hugging Face it belongs.",
        "Name the folder of that model with --base.",
        kind="adapter",
        details=str(repo)[:200],
        bad_input=True,
    )
