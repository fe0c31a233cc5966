"""The files of a checkpoint on the Hub that may be fetched: weights in safetensors, settings, tokenizer; no code."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

import httpx2

from snug.core.errors import UserError
from snug.formats.byte_source import ByteSource
from snug.hub.library import open_api
from snug.hub.model_page import files_of
from snug.hub.network import Guard, open_client
from snug.hub.patience import DEFAULT_PATIENCE, Patience
from snug.hub.remote import REPO_NAME, Access, File, text_of
from snug.hub.remote_header import RemoteSource
from snug.hub.source import address_of

MOST_SMALL_BYTES = 64 * 1024 * 1024
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


class CheckpointFiles:
    """What a repository at one commit has of a checkpoint. `small` and `weights` by name, weights at its top level.

    `is_wanted` says of a name whether a small file is one that describes the model.
    """

    def __init__(self, repo: str, commit: str, files: Collection[File], is_wanted: Callable[[str], bool]) -> None:
        self.repo = repo
        self.commit = commit
        top = {file.name: file for file in files if "/" not in file.name and "\\" not in file.name}
        self.small = {
            file.name: file for file in files if is_wanted(file.name) and 0 < file.size_bytes <= MOST_SMALL_BYTES
        }
        self.weights: Mapping[str, File] = {
            name: file for name, file in top.items() if name.endswith(".safetensors") and not name.startswith(".")
        }
        self.others = tuple(name for name in top if name.endswith((*PICKLES, ".gguf")))


def list_checkpoint(
    access: Access, repo: str, revision: str, is_wanted: Callable[[str], bool], patience: Patience = DEFAULT_PATIENCE
) -> CheckpointFiles:
    """The files of a repository; of the small ones those whose names `is_wanted`. Raises UserError."""
    if not REPO_NAME.fullmatch(repo):
        raise UserError(
            f"{text_of(repo, 100)!r} is not the name of a model on Hugging Face.",
            "It must look like OWNER/NAME.",
            "bad-repo",
            bad_input=True,
        )
    with open_api(access, patience) as api:
        info = api.model_info(repo, revision=revision or "main", files_metadata=True)
        return CheckpointFiles(repo, text_of(info.sha, 64) or revision, files_of(info), is_wanted)


@contextmanager
def remote_beginning(
    access: Access, repo: str, commit: str, file: File, patience: Patience = DEFAULT_PATIENCE
) -> Iterator[ByteSource]:
    """The beginning of a remote file, by range requests: for its header. What fails is a UserError."""
    guard = Guard(access)
    with open_client(access, patience) as client:
        try:
            yield RemoteSource(client, access, address_of(access, repo, commit, file.name), file.size_bytes)
        except httpx2.HTTPError as error:
            raise guard.explain(error) from error
