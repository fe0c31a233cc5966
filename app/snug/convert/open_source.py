"""The source that a person named, opened: a folder, a GGUF, or a repository on the Hub."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from snug.convert.source import Source, open_folder
from snug.core.errors import UserError
from snug.formats.checkpoints.checkpoint import Checkpoint
from snug.hub.remote import Access


def open_local(path: Path, adapter: Path | None = None, base: Path | None = None) -> Source:
    """The checkpoint in the folder `path`, or the GGUF there; of an adapter `base` is the folder of its model.

    Raises UserError where it cannot be converted.
    """
    if path.is_dir():
        checkpoint = Checkpoint(path)
        return _open_adapter(checkpoint, base) if checkpoint.is_adapter else open_folder(path, adapter)
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


def _open_adapter(adapter: Checkpoint, base: Path | None) -> Source:
    from snug.convert.lora_source import LoraSource

    named = adapter.config.get("base_model_name_or_path")
    folder = base if base is not None else Path(named) if isinstance(named, str) else None
    if folder is None or not folder.is_dir():
        raise UserError(
            "This is an adapter (LoRA): it can be converted only beside the model that it belongs to.",
            "Name the folder of that model with --base, or convert the model with --adapter to merge both.",
            kind="adapter",
            details=str(named)[:200],
            bad_input=True,
        )
    model = Checkpoint(folder)
    try:
        return LoraSource(adapter, model)
    except BaseException:  # whatever it was, the files are not left open
        adapter.close()
        model.close()
        raise


def open_remote(
    access: Access,
    repo: str,
    revision: str,
    *,
    cache: Path,
    shards: Path | None,
    adapter: Path | None = None,
    base: Path | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Source:
    """The checkpoint in a repository; small files are kept in `cache`, shards are fetched into `shards` one by one.

    Of an adapter `base` is the folder of its model; where it is None, the repository that the adapter names.
    """
    from snug.convert.hub_lora import HubLora
    from snug.convert.hub_source import HubSource

    try:
        return HubSource(access, repo, revision, cache=cache, shards=shards, adapter=adapter, is_cancelled=is_cancelled)
    except UserError as error:
        if error.kind != "adapter" or adapter is not None:
            raise
    return HubLora(access, repo, revision, cache=cache, shards=shards, base=base, is_cancelled=is_cancelled)
