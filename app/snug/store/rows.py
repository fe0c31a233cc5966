"""What the store hands out and takes in: frozen rows, without SQLAlchemy, cheap to import."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from snug.core.model_facts import ModelFacts

MODEL_STATES = ("ready", "not_connected", "missing", "changed", "broken")
MESSAGE_STATES = ("done", "writing", "stopped", "interrupted", "failed")
DOWNLOAD_STATES = ("queued", "running", "paused", "failed", "done")
BUILT_IN = "built-in"
MADE_HERE = "made"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the store did at opening and that a person should read, such as a restored backup."""

    title: str
    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class NewModel:
    """A model to be put into the library. `parts` are further files of a split model, `path` is the first."""

    name: str
    path: str
    facts: ModelFacts
    source: str = "file"
    repo: str = ""
    revision: str = ""
    licence: str = ""
    sha256: str = ""
    is_ours: bool = False
    parts: tuple[str, ...] = ()
    projector_path: str = ""


@dataclass(frozen=True, slots=True)
class LibraryModel:
    """A model of the library. `source` is "hub", "file", "built-in", "made" or "app:" and another app's name.

    Of a model that was "made" here, `repo` names what it was made of.
    `is_ours` is True where Snug fetched or made the files, and so may delete them. `state` is one of `MODEL_STATES`.
    """

    id: int
    name: str
    path: str
    size_bytes: int
    file_type: str
    architecture: str
    source: str
    repo: str
    revision: str
    licence: str
    sha256: str
    facts: ModelFacts
    added_at: datetime
    last_used_at: datetime | None
    measured_tokens_per_s: float | None
    is_ours: bool
    state: str
    parts: tuple[str, ...] = ()
    projector_path: str = ""


@dataclass(frozen=True, slots=True)
class Removal:
    """What removing a model does: the files that go, the bytes that come free, and that in words."""

    files: tuple[str, ...]
    freed_bytes: int
    keeps_file: bool
    words: str


@dataclass(frozen=True, slots=True)
class ChatRow:
    """A conversation in the list. `model_name` stays known after the model was removed."""

    id: int
    title: str
    model_id: int | None
    model_name: str
    message_count: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message that is shown. `alternative` counts from 0 among `alternatives` versions at this place.

    `is_damaged` is True where the text is not what was once saved: the disk changed it.
    """

    id: int
    chat_id: int
    role: str
    text: str
    state: str
    model_name: str
    created_at: datetime
    tokens: int = 0
    tokens_per_s: float | None = None
    first_token_s: float | None = None
    alternatives: int = 1
    alternative: int = 0
    is_damaged: bool = False


@dataclass(frozen=True, slots=True)
class RemoteFileRow:
    """A file of a download, as the Hub describes it."""

    name: str
    size_bytes: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class NewDownload:
    """A download to be queued. `then_chat` opens a chat with the model when it has arrived."""

    title: str
    repo: str
    revision: str
    files: tuple[RemoteFileRow, ...]
    folder: str
    then_chat: bool = False
    facts: ModelFacts | None = None


@dataclass(frozen=True, slots=True)
class DownloadRow:
    """A download of the queue or of the history. `state` is one of `DOWNLOAD_STATES`."""

    id: int
    title: str
    repo: str
    revision: str
    files: tuple[RemoteFileRow, ...]
    total_bytes: int
    done_bytes: int
    state: str
    error_title: str
    error_advice: str
    error_kind: str
    folder: str
    created_at: datetime
    finished_at: datetime | None
    model_id: int | None
    then_chat: bool
    facts: ModelFacts | None
