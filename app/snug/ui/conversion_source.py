"""What a person may name as the source of a conversion: a model's page, OWNER/NAME, a folder or a GGUF."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from snug.core.errors import UserError
from snug.worker.conversion_messages import ConversionSource
from snug.worker.message import HubAccess

FINISHED_FILE = "finished-file"
"""The kind of the error about a link to a GGUF, which needs no conversion."""
SITES = ("huggingface.co", "www.huggingface.co", "hf.co")
NO_MODELS = {
    "datasets": "a data set", "spaces": "an app (a Space)", "collections": "a collection", "papers": "a paper",
    "docs": "a page of instructions", "blog": "an article", "models": "the list of all models",
}  # fmt: skip
"""What the Hub keeps at addresses that begin like an owner's."""
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_SITE = re.compile(r"[\w-]+(\.[\w-]+)+(:\d+)?")
_INSIDE = ("tree", "blob", "resolve", "raw", "commit")


@dataclass(frozen=True, slots=True)
class _Page:
    """A repository of the Hub, the revision and the file that an address names."""

    repo: str
    revision: str = "main"
    file: str = ""


def source_of(text: str, access: HubAccess) -> ConversionSource:
    """The source that `text` names. Raises UserError where it names none."""
    wanted = _cleaned(text)
    if _is_path(wanted):
        return ConversionSource(path=str(Path(wanted).expanduser()))
    page = _page_of(wanted, access.endpoint)
    if page.file.lower().endswith(".gguf"):
        raise UserError(
            "This link leads to a finished file, which needs no making.",
            "Get it in Discover; from the Library it can then be made smaller.",
            kind=FINISHED_FILE,
            details=page.repo,
            bad_input=True,
        )
    return ConversionSource(repo=page.repo, revision=page.revision, access=access)


def source_text(text: str, endpoint: str = "") -> str:
    """The source as the library shows it: OWNER/NAME, or the name of the folder or file."""
    wanted = _cleaned(text)
    if _is_path(wanted):
        return Path(wanted).name
    return repo_of(text, endpoint) or wanted


def repo_of(text: str, endpoint: str) -> str:
    """OWNER/NAME where the text names a model of the Hub, else ""."""
    wanted = _cleaned(text)
    if _is_path(wanted):
        return ""
    try:
        return _page_of(wanted, endpoint).repo
    except UserError:
        return ""


def _cleaned(text: str) -> str:
    """Without what a copied line has around the name; of a file: address, the path."""
    wanted = text.strip().strip("\"'<>").strip()
    return unquote(urlsplit(wanted).path) if wanted.startswith("file://") else wanted


def _is_path(wanted: str) -> bool:
    return wanted.startswith((".", "~")) or Path(wanted).is_absolute()


def _page_of(text: str, endpoint: str) -> _Page:
    """The page that a name or an address means. Raises UserError."""
    first = text.split("/", 1)[0].lower()
    name, _, _ = text.partition(":")
    if _NAME.fullmatch(name) and first not in SITES and "://" not in text:
        return _Page(name)
    try:
        address = urlsplit(text if "://" in text else f"https://{text}")
        own = urlsplit(endpoint).netloc.lower()
    except ValueError as error:
        raise _names_none(text) from error
    site = address.netloc.lower()
    if not site or site not in (*SITES, own):
        raise _other_site(site) if _SITE.fullmatch(site) else _names_none(text)
    parts = [unquote(part) for part in address.path.split("/") if part]
    if parts and parts[0] in NO_MODELS:
        raise UserError(
            f"This is the address of {NO_MODELS[parts[0]]}, not of a model.",
            "Open the model's own page in the browser and copy its address from there.",
            kind="no-source",
            details=text[:200],
            bad_input=True,
        )
    repo = "/".join(part.partition(":")[0] for part in parts[:2])
    if not _NAME.fullmatch(repo):
        raise _names_none(text)
    if len(parts) > 3 and parts[2] in _INSIDE:
        return _Page(repo, parts[3], "/".join(parts[4:]))
    return _Page(repo)


def _other_site(site: str) -> UserError:
    return UserError(
        f"Snug cannot fetch models from {site[:80]}.",
        "Paste the address of the model's page on Hugging Face, or download the model yourself and pick its folder.",
        kind="no-source",
        bad_input=True,
    )


def _names_none(text: str) -> UserError:
    return UserError(
        "This names no model.",
        "Paste the address of a model's page on Hugging Face, write OWNER/NAME, or pick a folder. "
        "Discover finds models by their names.",
        kind="no-source",
        details=text[:200],
        bad_input=True,
    )
