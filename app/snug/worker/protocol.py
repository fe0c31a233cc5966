"""Every message between Snug and its child processes; `frames` carries them.

Each request has a number; every event that answers it carries the same one (0: nobody asked). A request is
answered by any number of progress events and exactly one final event: its own result, `Failed`, or `Cancelled`.
"""

from __future__ import annotations

import msgspec

from snug.core.fit import NO_OFFLOAD, Offload, Parts
from snug.core.machine import Machine
from snug.core.model_facts import ModelFacts
from snug.worker import conversion_messages, measure_messages, speed_messages
from snug.worker.message import Event, HubAccess, Message, Request

__all__ = ["Event", "HubAccess", "Message", "Request"]

PROTOCOL_VERSION = 1
TOKEN_EVENTS_PER_S = 30
PROGRESS_EVENTS_PER_S = 5


# --- every child -------------------------------------------------------------------------------------------


class Ping(Request, frozen=True, kw_only=True):
    """Answered by `Pong` at once, also while a job runs."""


class Cancel(Request, frozen=True, kw_only=True):
    """Stop the job with that number as soon as it can; the job then ends with `Cancelled` or its own result."""

    job: int


class Shutdown(Request, frozen=True, kw_only=True):
    """Finish, and end the process."""


class Ready(Event, frozen=True, kw_only=True):
    """The first event of a child."""

    version: int
    pid: int


class Pong(Event, frozen=True, kw_only=True):
    """Alive."""


class Failed(Event, frozen=True, kw_only=True):
    """The request failed: a `UserError`'s words. `bug` is True where Snug itself is at fault."""

    title: str
    advice: str = ""
    kind: str = "error"
    details: str = ""
    bad_input: bool = False
    bug: bool = False


class Cancelled(Event, frozen=True, kw_only=True):
    """The job was stopped on request; what it had done so far stays."""


class Progress(Event, frozen=True, kw_only=True):
    """How far a job is: `done` of `total` (0: unknown) in `unit`, and what it is doing, in words."""

    done: float
    total: float
    unit: str = "bytes"
    doing: str = ""


# --- this computer -----------------------------------------------------------------------------------------


class ReadMachine(Request, frozen=True, kw_only=True):
    """Read the hardware. `measure_bandwidth` takes about a second; `models_folder` picks the disk to report."""

    models_folder: str
    measure_bandwidth: bool = True
    ask_engine: bool = True


class MachineRead(Event, frozen=True, kw_only=True):
    machine: Machine


class SelfTest(Request, frozen=True, kw_only=True):
    """Prove that this computer can run models, with the model file at `path`; the child may crash in it."""

    path: str
    use_extra_buffers: bool = False


class SelfTestDone(Event, frozen=True, kw_only=True):
    """`works` says whether a model answered; `checks` are (what, ok, words); `settings` avoid what crashed."""

    works: bool
    checks: list[tuple[str, bool, str]]
    tokens_per_s: float = 0.0
    settings: dict[str, str] = {}
    engine: str = ""
    engine_flags: str = ""
    sandbox: str = ""


# --- files on this computer --------------------------------------------------------------------------------


class InspectFile(Request, frozen=True, kw_only=True):
    """Read and validate the header of the GGUF at `path`; `check_hash` also computes its SHA-256."""

    path: str
    check_hash: bool = False


class FileInspected(Event, frozen=True, kw_only=True):
    path: str
    facts: ModelFacts
    sha256: str = ""
    parts: list[str] = []


class ScanFolders(Request, frozen=True, kw_only=True):
    """Find models that other apps keep; `extra` are further folders to look into."""

    extra: list[str] = []


class FoundModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model file of another app: its name for people, the app that keeps it, its facts and all its parts."""

    name: str
    path: str
    app: str
    size_bytes: int
    facts: ModelFacts
    parts: list[str] = []


class ScanDone(Event, frozen=True, kw_only=True):
    """`skipped` are (path, why) of files that look like models but cannot be used."""

    found: list[FoundModel]
    skipped: list[tuple[str, str]]
    looked_in: list[tuple[str, str]]


# --- the person's secrets ----------------------------------------------------------------------------------


class AskKeyring(Request, frozen=True, kw_only=True):
    """Ask the system's keyring: `action` is "read", "keep" (then with `secret`) or "forget"."""

    action: str
    name: str
    secret: str = ""


class KeyringAnswer(Event, frozen=True, kw_only=True):
    """`secret` is what was read; `is_kept` says that it is in the keyring now."""

    secret: str = ""
    is_kept: bool = False


# --- the Hub -----------------------------------------------------------------------------------------------


class SearchHub(Request, frozen=True, kw_only=True):
    """`text` may also be a pasted link or OWNER/NAME. `task` is "", "chat", "code", "vision" or "embedding"."""

    access: HubAccess
    text: str
    task: str = ""
    licence: str = ""
    sort: str = "downloads"
    limit: int = 30
    gguf_only: bool = True


class HubModel(msgspec.Struct, frozen=True, kw_only=True):
    """One search result. `parameters` and `architecture` are 0 and "" where the Hub does not say."""

    repo: str
    author: str
    name: str
    downloads: int = 0
    likes: int = 0
    updated: str = ""
    licence: str = ""
    gated: bool = False
    task: str = ""
    parameters: int = 0
    architecture: str = ""
    context: int = 0
    has_gguf: bool = False
    file_format: str = ""
    tags: list[str] = []


class SearchDone(Event, frozen=True, kw_only=True):
    models: list[HubModel]


class ReadModelPage(Request, frozen=True, kw_only=True):
    access: HubAccess
    repo: str
    revision: str = "main"


class RemoteFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a repository as the Hub describes it; `sha256` is "" for a file that is not in LFS."""

    name: str
    size_bytes: int
    sha256: str = ""


class FileChoice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a person can get: a GGUF, all its parts as one item, and the projector it needs for pictures.

    `group` is "compact", "balanced", "nearly_lossless" or "other"; `file_type` the raw type such as "Q4_K_M".
    `complete` is False where a part of a split model is missing; `missing` then names it.
    """

    title: str
    group: str
    file_type: str
    size_bytes: int
    files: list[RemoteFile]
    companions: list[RemoteFile] = []
    complete: bool = True
    missing: list[str] = []


class ModelPage(Event, frozen=True, kw_only=True):
    """A model's page. `card` is plain Markdown source, to be shown through Snug's own blocks only.

    Without `choices` it holds `other_format`; `can_convert`: Snug reads that; `gguf_instead`: the same as GGUF.
    """

    repo: str
    revision: str
    model: HubModel
    choices: list[FileChoice]
    card: str = ""
    base_model: str = ""
    other_format: str = ""
    can_convert: bool = False
    weights_bytes: int = 0
    largest_file_bytes: int = 0
    gguf_instead: str = ""


class InspectRemote(Request, frozen=True, kw_only=True):
    """Read a remote GGUF's header by range request, never the whole file. With `keep_in` the headers of all its files
    are kept in that folder."""

    access: HubAccess
    repo: str
    revision: str
    files: list[RemoteFile]
    keep_in: str = ""


class RemoteInspected(Event, frozen=True, kw_only=True):
    """`headers` are where the header of each file was kept, and how large that file is; none where they were not."""

    repo: str
    facts: ModelFacts
    fetched_bytes: int
    headers: list[tuple[str, int]] = []


class Download(Request, frozen=True, kw_only=True):
    """Fetch files of a repository into `folder`, resuming from their journals.

    `speed_limit` in bytes/s, 0 for none. Paths below `folder` are Snug's own names. A file appears under its
    name only after its SHA-256 was found right.
    """

    access: HubAccess
    repo: str
    revision: str
    files: list[RemoteFile]
    folder: str
    speed_limit: int = 0
    accept_new_version: bool = False


class DownloadProgress(Event, frozen=True, kw_only=True):
    """`state` is "starting", "downloading", "waiting", "verifying"; `note` says why it waits, in words,
    and `kind` is its stable word.

    `rate` in bytes/s and `seconds_left` are 0 while unknown.
    """

    state: str
    done_bytes: int
    total_bytes: int
    rate: float = 0.0
    seconds_left: float = 0.0
    note: str = ""
    kind: str = ""


class DownloadedFile(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    path: str
    size_bytes: int
    sha256: str


class DownloadDone(Event, frozen=True, kw_only=True):
    files: list[DownloadedFile]
    revision: str


class DiscardDownload(Request, frozen=True, kw_only=True):
    """Remove the part files and journals of these files below `folder`; finished files stay."""

    repo: str
    files: list[RemoteFile]
    folder: str


class Discarded(Event, frozen=True, kw_only=True):
    freed_bytes: int


# --- talking -----------------------------------------------------------------------------------------------


class LoadModel(Request, frozen=True, kw_only=True):
    """Load a GGUF. `context` in tokens; `threads` 0 means one a physical core; `offload` is the layout."""

    path: str
    context: int
    kv_type: str = "f16"
    offload: Offload = NO_OFFLOAD
    threads: int = 0
    batch: int = 512
    use_extra_buffers: bool = False


class ModelLoaded(Event, frozen=True, kw_only=True):
    """What was really allocated, in bytes, as the engine says, and how the model is spoken to.

    `devices` holds it apart: main memory first, then the cards in the order of the layout.
    """

    context: int
    context_max: int
    seconds: float
    weights_bytes: int
    conversation_bytes: int
    compute_bytes: int
    template: str
    notice: str = ""
    sandbox: str = ""
    devices: list[Parts] = []


class ContextWish(msgspec.Struct, frozen=True, kw_only=True):
    """A context to be planned: its length in tokens, its KV cache's type, the batch in tokens."""

    context: int
    kv_type: str = "f16"
    batch: int = 512


class DryRun(Request, frozen=True, kw_only=True):
    """Plan what the engine would allocate on the processor for each of the contexts.

    `path` is a whole model file, or with `size_bytes` the header of one that is so large; `more_parts` are path and
    size of the further parts' headers. The engine may abort: a child that is asked this is asked nothing else.
    `allocate` really loads: for comparison, never with a header.
    """

    path: str
    wishes: list[ContextWish]
    size_bytes: int = 0
    more_parts: list[tuple[str, int]] = []
    allocate: bool = False


class Allocated(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of conversation memory and compute buffers, and of the weights where they were really loaded."""

    conversation_bytes: int
    compute_bytes: int
    weights_bytes: int = 0


class DryRunDone(Event, frozen=True, kw_only=True):
    """One allocation for each wish, in order."""

    allocations: list[Allocated]


class ChatMessage(msgspec.Struct, frozen=True, kw_only=True):
    """`role` is "system", "user" or "assistant"."""

    role: str
    text: str


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """How the next token is chosen. `temperature` 0 is greedy; `seed` -1 draws a new one each time."""

    temperature: float = 0.7
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    seed: int = -1
    max_tokens: int = 2048
    stop: list[str] = []


class Generate(Request, frozen=True, kw_only=True):
    messages: list[ChatMessage]
    sampling: Sampling = Sampling()


class GenerationStarted(Event, frozen=True, kw_only=True):
    """`left_out` oldest messages did not fit the context and were not shown to the model."""

    prompt_tokens: int
    reused_tokens: int
    left_out: int = 0


class Text(Event, frozen=True, kw_only=True):
    """New text of the answer, always whole characters; at most `TOKEN_EVENTS_PER_S` a second."""

    text: str


class GenerationDone(Event, frozen=True, kw_only=True):
    """`reason` is "end", "stop_word", "max_tokens", "context_full" or "stopped" (on request)."""

    reason: str
    tokens: int
    tokens_per_s: float
    first_token_s: float
    prompt_tokens: int
    prompt_tokens_per_s: float
    context_used: int
    context: int


class CountTokens(Request, frozen=True, kw_only=True):
    """How many tokens the conversation takes in the loaded model's own format."""

    messages: list[ChatMessage]


class TokensCounted(Event, frozen=True, kw_only=True):
    tokens: int
    context: int


class UnloadModel(Request, frozen=True, kw_only=True):
    """Answered by `Unloaded`; parents usually just end the child, which gives memory back for certain."""


class Unloaded(Event, frozen=True, kw_only=True):
    pass


REQUESTS = (
    Ping | Cancel | Shutdown | ReadMachine | SelfTest | InspectFile | ScanFolders | AskKeyring | SearchHub
    | ReadModelPage | InspectRemote | Download | DiscardDownload | LoadModel | Generate | CountTokens | UnloadModel
    | DryRun | conversion_messages.REQUESTS | speed_messages.REQUESTS | measure_messages.REQUESTS
)  # fmt: skip
EVENTS = (
    Ready | Pong | Failed | Cancelled | Progress | MachineRead | SelfTestDone | FileInspected | ScanDone
    | SearchDone | ModelPage | RemoteInspected | DownloadProgress | DownloadDone | Discarded | ModelLoaded
    | GenerationStarted | Text | GenerationDone | TokensCounted | Unloaded | KeyringAnswer
    | DryRunDone | conversion_messages.EVENTS | speed_messages.EVENTS | measure_messages.EVENTS
)  # fmt: skip
FINAL_EVENTS = (
    Pong, Failed, Cancelled, MachineRead, SelfTestDone, FileInspected, ScanDone, SearchDone, ModelPage,
    RemoteInspected, DownloadDone, Discarded, ModelLoaded, GenerationDone, TokensCounted, Unloaded, KeyringAnswer,
    DryRunDone, *conversion_messages.FINAL_EVENTS, *speed_messages.FINAL_EVENTS, *measure_messages.FINAL_EVENTS,
)  # fmt: skip
