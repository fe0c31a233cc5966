"""The source that a person named, opened: a folder, a GGUF, or a repository on the Hub."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from snug.convert.source import Source, open_folder
from snug.core.errors import UserError
from snug.hub.remote import Access


def open_local(path: Path, adapter: Path | None = None) -> Source:
    """The checkpoint in the folder `path`, or the GGUF there. Raises UserError where it cannot be converted."""
    if path.is_dir():
        return open_folder(path, adapter)
    if not path.exists():
        raise UserError(
            f"There is no {path.name or path}.",
            "Check the name; if it is on another drive, connect that drive.",
            kind="no-file",
            details=str(path),
            bad_input=True,
        )
    if path.suffix.lower() in (".safetensors", ".json"):
        return open_folder(path.parent, adapter)
    if adapter is not None:
        raise UserError(
            "An adapter can be merged only into the original weights, not into a GGUF.",
            "Choose the model's folder with its safetensors files.",
            kind="not-supported",
            bad_input=True,
        )
    from snug.convert.gguf_source import GgufSource

    return GgufSource(path)


def open_remote(
    access: Access,
    repo: str,
    revision: str,
    *,
    cache: Path,
    shards: Path | None,
    adapter: Path | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Source:
    """The checkpoint in a repository; small files are kept in `cache`, shards are fetched into `shards` one by one."""
    from snug.convert.hub_source import HubSource

    return HubSource(access, repo, revision, cache=cache, shards=shards, adapter=adapter, is_cancelled=is_cancelled)
