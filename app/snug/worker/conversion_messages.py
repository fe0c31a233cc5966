"""The messages about making a model fit: what it is, what each type would give, the conversion, its comparison."""

from __future__ import annotations

import msgspec

from snug.core.model_facts import ModelFacts
from snug.worker.message import Event, HubAccess, Request


class ConversionSource(msgspec.Struct, frozen=True, kw_only=True):
    """What is converted: a folder or a GGUF at `path`, or, where that is "", `repo` at `revision` of the Hub.

    `adapter` is the folder of a LoRA adapter that is merged into the model. Where `path` is itself an adapter, `base`
    is the folder of its model.
    """

    path: str = ""
    repo: str = ""
    revision: str = "main"
    access: HubAccess = HubAccess()
    adapter: str = ""
    base: str = ""


class PreviewConversion(Request, frozen=True, kw_only=True):
    """Say what the source is and what each type would give; reads headers only. `folder` is where results go."""

    source: ConversionSource
    folder: str = ""


class ConversionChoice(msgspec.Struct, frozen=True, kw_only=True):
    """One type that the source can be made into.

    `facts` are those of the file to come, for the fit function. `words_changed` of 1,000 are expected to differ from
    the original's (-1: not known); `basis` says from what: "estimate" or "measured". `tensor_types` counts tensors by
    type. `seconds` to convert, without fetching. With `needs_calibration` it is nonsense without calibration text.
    """

    type_name: str
    size_bytes: int
    facts: ModelFacts
    seconds: float
    words_changed: float = -1.0
    basis: str = "estimate"
    tensor_types: dict[str, int] = {}
    needs_calibration: bool = False


class ConversionPreviewed(Event, frozen=True, kw_only=True):
    """`sentence` says what the source is; `kind` is its format ("plain", "gptq", "gguf"…); choices: smallest first.

    `fetch_bytes` must come from the Hub first, `working_bytes` of disk are needed beside the result at most.
    `original_type` names the choice that keeps all of the source's bits. `resumable` names the type of an unfinished
    conversion of this source ("" for none), `resumable_done` its done share. `has_finished_files` says that GGUF files
    lie beside the weights: getting one of them is quicker. `notes` say what else a person must know, `details` what
    only experts ask for.
    """

    title: str
    sentence: str
    kind: str
    parameters: int
    stored_bytes: int
    choices: list[ConversionChoice]
    original_type: str
    fetch_bytes: int = 0
    working_bytes: int = 0
    free_bytes: int = 0
    warnings: list[str] = []
    notes: list[str] = []
    details: list[str] = []
    has_chat_template: bool = False
    has_finished_files: bool = False
    resumable: str = ""
    resumable_done: float = 0.0


class Convert(Request, frozen=True, kw_only=True):
    """Convert to the named type, or to at most `budget_bytes`; an interrupted one with the same settings goes on.

    `importance` is the path of an importance matrix as llama-imatrix writes it, to round with. `calibration` is ""
    (none), "neutral" (the text that comes with Snug), or the path of a text file; `methods` are the better-bits methods
    that may be tried with it. `text` is the path of a text of the person's, to measure the result on ("": the
    calibration's own, or the text that comes with Snug).
    """

    source: ConversionSource
    out: str
    type_name: str = ""
    budget_bytes: int = 0
    calibration: str = ""
    importance: str = ""
    methods: list[str] = []
    text: str = ""
    threads: int = 0
    check: bool = True


class ConversionProgress(Event, frozen=True, kw_only=True):
    """`stage` is "fetching", "calibrating", "converting", "verifying" or "checking"; `seconds_left` 0: not known."""

    stage: str
    done_bytes: int
    total_bytes: int
    seconds_left: float = 0.0
    rate: float = 0.0
    doing: str = ""


class ConversionCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One check of the result: a stable name, whether it is as it should be, a sentence, technical details.

    `is_done` False: there was nothing to look at; the sentence says why.
    """

    name: str
    ok: bool
    words: str
    details: str = ""
    is_done: bool = True


class ConversionDone(Event, frozen=True, kw_only=True):
    """The finished, verified file. `words_changed` of 1,000 against the original as measured, -1 where it was not.

    `sample` is what it answered to `question` in the test chat. `notes` and `details` as in `ConversionPreviewed`.
    """

    path: str
    size_bytes: int
    sha256: str
    type_name: str
    facts: ModelFacts
    seconds: float
    peak_memory_bytes: int = 0
    resumed_from: float = 0.0
    words_changed: float = -1.0
    divergence: float = -1.0
    tokens_per_s: float = 0.0
    tensor_types: dict[str, int] = {}
    checks: list[ConversionCheck] = []
    notes: list[str] = []
    details: list[str] = []
    question: str = ""
    sample: str = ""


class DiscardConversion(Request, frozen=True, kw_only=True):
    """Remove what an unfinished conversion to `out` left; the source is never touched. Answered by `Discarded`."""

    out: str


class CompareModels(Request, frozen=True, kw_only=True):
    """Compare the GGUF at `path` with what it was made of, on the text file `text` ("": the text that comes with Snug).

    A source that is no GGUF is made into a temporary file of 16 bits first, where the disk has room for it; one on the
    Hub is fetched for that.
    """

    path: str
    source: ConversionSource
    text: str = ""
    most_tokens: int = 4096


class ModelsCompared(Event, frozen=True, kw_only=True):
    """`words_same` of 1,000; `divergence` is the mean KL divergence in nats a token; perplexities of both."""

    words_same: float
    divergence: float
    perplexity: float
    reference_perplexity: float
    tokens: int


REQUESTS = PreviewConversion | Convert | DiscardConversion | CompareModels
EVENTS = ConversionPreviewed | ConversionProgress | ConversionDone | ModelsCompared
FINAL_EVENTS = (ConversionPreviewed, ConversionDone, ModelsCompared)
