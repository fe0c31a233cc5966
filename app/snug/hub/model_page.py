"""A model's page: what can be got, its card's text, what it was made from."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from snug.core.errors import UserError
from snug.hub.choices import choices_in
from snug.hub.library import open_api
from snug.hub.other_formats import OtherFormat, recognise
from snug.hub.patience import DEFAULT_PATIENCE, Patience
from snug.hub.remote import REPO_NAME, Access, File, Page, count_of, text_of
from snug.hub.search import config_of, gguf_of, model_of

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo

MOST_CARD_BYTES = 256 * 1024
_MOST_FILES = 20_000
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HIDDEN = re.compile(r"[\x00-\x1f\x7f]")


def read_model_page(access: Access, repo: str, revision: str = "main", patience: Patience = DEFAULT_PATIENCE) -> Page:
    """The page of `repo`; its `revision` is the commit that was read, so that what is got later is the same."""
    if not REPO_NAME.fullmatch(repo):
        raise UserError(
            f"{text_of(repo, 100)!r} is not the name of a model on Hugging Face.",
            "It must look like OWNER/NAME.",
            "bad-repo",
            bad_input=True,
        )
    with open_api(access, patience) as api:
        info = api.model_info(repo, revision=revision or "main", files_metadata=True)
        files = files_of(info)
        model = model_of(info)
        commit = text_of(info.sha, 64) or revision
        choices = choices_in(files)
        base = _base_model(info)
        other, instead = OtherFormat(), ""
        if not choices:
            other = recognise(files, _read_config(access, repo, commit, files) or config_of(info), model.tags)
            instead = gguf_of(api, base or repo, repo)
        return Page(
            repo=repo,
            revision=commit,
            model=model,
            choices=choices,
            card=_read_card(access, repo, commit, files),
            base_model=base,
            other_format=other.label,
            can_convert=other.can_convert,
            weights_bytes=other.weights_bytes,
            largest_file_bytes=other.largest_file_bytes,
            gguf_instead=instead,
        )


def files_of(info: ModelInfo) -> list[File]:
    """The repository's files; those with names that no file of a model has are left out."""
    files = []
    siblings = info.siblings if isinstance(info.siblings, list) else []
    for sibling in siblings[:_MOST_FILES]:
        name = sibling.rfilename
        if not isinstance(name, str) or not name or len(name) > 1024 or _HIDDEN.search(name):
            continue
        lfs = getattr(sibling, "lfs", None)
        sha256 = getattr(lfs, "sha256", "")
        sha256 = sha256.lower() if isinstance(sha256, str) else ""
        files.append(
            File(
                name=name,
                size_bytes=count_of(getattr(lfs, "size", None)) or count_of(sibling.size),
                sha256=sha256 if _SHA256.fullmatch(sha256) else "",
            )
        )
    return files


def _read_card(access: Access, repo: str, revision: str, files: list[File]) -> str:
    """The text of README.md without its front matter, at most 256 KiB; "" where it may not be read."""
    card = next((file for file in files if file.name.lower() == "readme.md"), None)
    data = b"" if card is None else _read_start(access, repo, revision, card.name)
    return _without_front_matter(data.decode("utf-8", "ignore"))


def _read_config(access: Access, repo: str, revision: str, files: list[File]) -> dict[str, Any]:
    """The repository's config.json; empty where there is none, or none that can be read."""
    if all(file.name != "config.json" for file in files):
        return {}
    try:
        document = json.loads(_read_start(access, repo, revision, "config.json"))
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _read_start(access: Access, repo: str, revision: str, name: str) -> bytes:
    """The first 256 KiB of a small file; nothing where it may not be read."""
    from huggingface_hub import get_session

    address = f"{access.endpoint}/{repo}/resolve/{quote(revision, safe='')}/{quote(name)}"
    headers = {"Authorization": f"Bearer {access.token}"} if access.token else {}
    data = bytearray()
    try:
        with get_session().stream("GET", address, headers=headers) as response:
            for piece in response.iter_bytes():
                data += piece
                if len(data) >= MOST_CARD_BYTES:
                    break
    except UserError:
        return b""  # the files can still be got: a page without its text is better than none
    return bytes(data[:MOST_CARD_BYTES])


def _without_front_matter(text: str) -> str:
    text = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\0", "")
    if text.startswith("---\n"):
        end = text.find("\n---", 4)
        if end >= 0:
            return text[end + 4 :].lstrip("-").lstrip("\n")
    return text


def _base_model(info: ModelInfo) -> str:
    card: Any = info.card_data
    found = card.get("base_model") if hasattr(card, "get") else None
    found = found[0] if isinstance(found, list) and found else found
    return text_of(found)
