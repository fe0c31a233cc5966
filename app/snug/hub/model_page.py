"""A model's page: what can be got, its card's text, what it was made from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from snug.core.errors import UserError
from snug.hub.choices import choices_in, other_format
from snug.hub.library import open_api
from snug.hub.patience import DEFAULT_PATIENCE, Patience
from snug.hub.remote import REPO_NAME, Access, File, Page, count_of, text_of
from snug.hub.search import model_of

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
            f"{text_of(repo, 100)!r} is not the name of a model on the Hub.",
            "It must look like OWNER/NAME.",
            "bad-repo",
            bad_input=True,
        )
    with open_api(access, patience) as api:
        info = api.model_info(repo, revision=revision or "main", files_metadata=True)
        files = files_of(info)
        model = model_of(info)
        choices = choices_in(files)
        return Page(
            repo=repo,
            revision=text_of(info.sha, 64) or revision,
            model=model,
            choices=choices,
            card=_read_card(access, repo, text_of(info.sha, 64) or revision, files),
            base_model=_base_model(info),
            other_format="" if choices else other_format((file.name for file in files), model.tags),
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
    from huggingface_hub import get_session

    card = next((file for file in files if file.name.lower() == "readme.md"), None)
    if card is None:
        return ""
    address = f"{access.endpoint}/{repo}/resolve/{quote(revision, safe='')}/{quote(card.name)}"
    headers = {"Authorization": f"Bearer {access.token}"} if access.token else {}
    data = bytearray()
    try:
        with get_session().stream("GET", address, headers=headers) as response:
            for piece in response.iter_bytes():
                data += piece
                if len(data) >= MOST_CARD_BYTES:
                    break
    except UserError:
        return ""  # the files can still be got: a page without its text is better than none
    return _without_front_matter(bytes(data[:MOST_CARD_BYTES]).decode("utf-8", "ignore"))


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
