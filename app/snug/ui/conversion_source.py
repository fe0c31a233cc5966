"""What a person may name as the source of a conversion: a model's page, OWNER/NAME, a folder or a GGUF."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from snug.core.errors import UserError
from snug.worker.conversion_messages import ConversionSource
from snug.worker.message import HubAccess

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


def source_of(text: str, access: HubAccess) -> ConversionSource:
    """The source that `text` names. Raises UserError where it names none."""
    wanted = text.strip().strip("\"'")
    path = Path(wanted).expanduser()
    if path.is_absolute() or wanted.startswith((".", "~")):
        return ConversionSource(path=str(path))
    repo, revision = _repo_of(wanted, access.endpoint)
    if repo:
        return ConversionSource(repo=repo, revision=revision, access=access)
    raise UserError(
        "This names no model.",
        "Paste the address of a model's page on Hugging Face, or pick a folder.",
        kind="no-source",
        details=wanted[:200],
        bad_input=True,
    )


def source_text(text: str) -> str:
    """The source as the library shows it: OWNER/NAME, or the name of the folder or file."""
    wanted = text.strip().strip("\"'")
    path = Path(wanted).expanduser()
    if path.is_absolute() or wanted.startswith((".", "~")):
        return path.name
    return _repo_of(wanted, "")[0] or wanted


def _repo_of(text: str, endpoint: str) -> tuple[str, str]:
    """OWNER/NAME and the revision in a name or an address of the Hub; ("", "") where there is none."""
    known = {"huggingface.co", "www.huggingface.co", "hf.co", urlsplit(endpoint).netloc}
    if _NAME.fullmatch(text) and text.split("/")[0] not in known:
        return text, "main"
    try:
        address = urlsplit(text if "://" in text else f"https://{text}")
    except ValueError:
        return "", ""
    parts = [part for part in address.path.split("/") if part]
    if address.netloc not in known or len(parts) < 2 or not _NAME.fullmatch("/".join(parts[:2])):
        return "", ""
    revision = parts[3] if len(parts) > 3 and parts[2] in ("tree", "blob", "resolve") else "main"
    return "/".join(parts[:2]), revision
