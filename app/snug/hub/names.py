"""What a person typed or pasted, read as the name of a repository."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from snug.core.errors import UserError
from snug.hub.remote import REPO_NAME

_SITES = {"huggingface.co", "www.huggingface.co", "hf.co"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A repository, and the file or quantisation type in it where one was named."""

    repo: str
    revision: str = "main"
    file: str = ""


def read_wanted(text: str, endpoint: str = "") -> Wanted | None:
    """The repository that `text` names: OWNER/NAME, OWNER/NAME:Q4_K_M, or a link to a page or file; else None."""
    text = text.strip().strip("\"'<>")
    if len(text) > 2000:
        return None
    if re.match(r"https?://", text) or text.split("/", 1)[0] in _SITES:
        return _read_link(text if "://" in text else f"https://{text}", endpoint)
    repo, _, file = text.partition(":")
    return Wanted(repo, file=file) if REPO_NAME.fullmatch(repo) else None


def require_wanted(text: str, endpoint: str = "") -> Wanted:
    """The same; raises UserError (bad_input) where `text` names no repository."""
    wanted = read_wanted(text, endpoint)
    if wanted is None:
        raise UserError(
            f"{text[:100]!r} is not the name of a model on Hugging Face.",
            "Write OWNER/NAME, OWNER/NAME:FILE, OWNER/NAME:Q4_K_M, or paste the page's link.",
            kind="bad-repo",
            bad_input=True,
        )
    return wanted


def _read_link(text: str, endpoint: str) -> Wanted | None:
    try:
        address, own = urlsplit(text), urlsplit(endpoint)
        if address.hostname not in _SITES and (address.hostname, address.port) != (own.hostname, own.port):
            return None
    except ValueError:
        return None
    parts = [unquote(part) for part in address.path.strip("/").split("/")]
    if len(parts) < 2:
        return None
    name, _, file = parts[1].partition(":")
    repo = f"{parts[0]}/{name}"
    if not REPO_NAME.fullmatch(repo):
        return None
    if len(parts) >= 4 and parts[2] in ("blob", "resolve", "tree", "raw"):
        return Wanted(repo, revision=parts[3], file="/".join(parts[4:]) if parts[2] != "tree" else "")
    return Wanted(repo, file=file)
