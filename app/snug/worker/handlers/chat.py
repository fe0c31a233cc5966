"""Answers the requests about talking: load, generate, count, unload. One model a child."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from snug.core.errors import UserError
from snug.core.fit import Offload, Parts
from snug.engine.allocated import HOST, DeviceBytes
from snug.engine.model import LoadedModel, LoadSettings, LoadStopped, Stopwatch, load_model
from snug.engine.sampling import SamplingSettings
from snug.engine.session import Listener, Session, Started
from snug.engine.template import Turn
from snug.engine.template_guard import TemplateRefused
from snug.worker import protocol
from snug.worker.loop import Job, Stopped
from snug.worker.sandbox import SandboxState, restrict


class _Conversation:
    """The session of this child; there is never more than one."""

    session: Session | None = None
    sandbox: SandboxState | None = None
    folders: tuple[Path, ...] = ()


def load(request: protocol.LoadModel, job: Job) -> protocol.ModelLoaded:
    """Load a model in place of the one before."""
    _close()
    watch = Stopwatch()
    _shut_in(request)
    settings = LoadSettings(
        path=request.path,
        context=request.context,
        kv_type=request.kv_type,
        offload=request.offload,
        threads=request.threads,
        batch=request.batch,
        use_extra_buffers=request.use_extra_buffers,
    )

    def on_progress(share: float) -> None:
        job.emit(protocol.Progress(done=share, total=1.0, unit="share", doing="Loading the model"))

    try:
        model = load_model(settings, on_progress, job.is_cancelled)
    except LoadStopped:
        raise Stopped from None
    _Conversation.session = Session(model)
    return _describe(model, request, watch.seconds())


def _shut_in(request: protocol.LoadModel) -> None:
    """From the first load on the child can read nothing but its model's folder and the system."""
    here, real = Path(request.path).absolute().parent, Path(request.path).resolve().parent
    if _Conversation.sandbox is None:
        _Conversation.folders = (here, real)
        _Conversation.sandbox = restrict(_Conversation.folders, gpu_caches=request.offload.gpu_layers != 0)
    elif _Conversation.sandbox.is_on and not any(real.is_relative_to(folder) for folder in _Conversation.folders):
        raise UserError(
            "This engine process may only read the folder of its first model.",
            "Load the model in a new process.",
            kind="other-folder",
        )


def _describe(model: LoadedModel, request: protocol.LoadModel, seconds: float) -> protocol.ModelLoaded:
    notices = [model.format.notice]
    if request.context > model.context_max > 0:
        notices.append(f"This model was made for at most {model.context_max:,} tokens of conversation memory.")
    return protocol.ModelLoaded(
        context=model.context,
        context_max=model.context_max,
        seconds=seconds,
        weights_bytes=model.weights_bytes,
        conversation_bytes=model.conversation_bytes,
        compute_bytes=model.compute_bytes,
        template=model.format.name,
        notice=" ".join(notice for notice in notices if notice),
        sandbox=_Conversation.sandbox.words if _Conversation.sandbox else "",
        devices=parts_of(model.devices, request.offload),
    )


def parts_of(devices: Sequence[DeviceBytes], offload: Offload) -> list[Parts]:
    """What each device holds, main memory first, then the cards in the order of the layout."""
    by_name = {device.name: device for device in devices}
    cards = offload.devices or tuple(name for name in by_name if name != HOST)
    return [_parts(by_name.get(name, DeviceBytes(name))) for name in (HOST, *cards)]


def _parts(device: DeviceBytes) -> Parts:
    return Parts(
        weights=device.weights,
        conversation=device.conversation,
        compute=device.compute,
        repacked=device.repacked,
        other=device.other,
    )


def generate(request: protocol.Generate, job: Job) -> protocol.GenerationDone:
    """Answer a conversation; `Cancel` ends it with what was written so far, reason "stopped"."""
    session = _session()
    asked = request.sampling
    settings = SamplingSettings(
        temperature=asked.temperature,
        top_k=asked.top_k,
        top_p=asked.top_p,
        min_p=asked.min_p,
        repeat_penalty=asked.repeat_penalty,
        seed=asked.seed,
        max_tokens=asked.max_tokens,
        stop=tuple(asked.stop),
    )
    listener = Listener(
        on_start=lambda started: job.emit(_started(started)),
        on_reading=lambda done, total: job.emit(
            protocol.Progress(done=done, total=total, unit="tokens", doing="Reading")
        ),
        on_text=lambda text: job.emit(protocol.Text(text=text)),
        is_cancelled=job.is_cancelled,
    )
    with _template_words():
        session.model.abort.clear()
        job.when_cancelled(session.model.abort.set)
        result = session.generate(_turns(request.messages), settings, listener)
    return protocol.GenerationDone(
        reason=result.reason,
        tokens=result.tokens,
        tokens_per_s=result.tokens_per_s,
        first_token_s=result.first_token_s,
        prompt_tokens=result.prompt_tokens,
        prompt_tokens_per_s=result.prompt_tokens_per_s,
        context_used=result.context_used,
        context=session.model.context,
    )


def count_tokens(request: protocol.CountTokens, job: Job) -> protocol.TokensCounted:
    """How much of the context a conversation takes."""
    session = _session()
    with _template_words():
        tokens = session.count(_turns(request.messages)) if request.messages else 0
    return protocol.TokensCounted(tokens=tokens, context=session.model.context)


def unload(request: protocol.UnloadModel, job: Job) -> protocol.Unloaded:
    """Give the model's memory back."""
    _close()
    return protocol.Unloaded()


def _close() -> None:
    if _Conversation.session is not None:
        _Conversation.session.model.close()
        _Conversation.session = None


def _session() -> Session:
    if _Conversation.session is None:
        raise UserError("No model is loaded.", "Choose a model first.", kind="no-model")
    return _Conversation.session


def _turns(messages: list[protocol.ChatMessage]) -> list[Turn]:
    roles = {"system", "user", "assistant"}
    for message in messages:
        if message.role not in roles:
            raise UserError(
                f"There is no role {message.role!r} in a conversation.",
                "Use system, user or assistant.",
                kind="bad-role",
                bad_input=True,
            )
    return [Turn(message.role, message.text) for message in messages]


def _started(started: Started) -> protocol.GenerationStarted:
    return protocol.GenerationStarted(
        prompt_tokens=started.prompt_tokens, reused_tokens=started.reused_tokens, left_out=started.left_out
    )


@contextmanager
def _template_words() -> Iterator[None]:
    """A template that worked when it was tried may still refuse a certain conversation."""
    try:
        yield
    except TemplateRefused as error:
        raise UserError(
            "This model's chat format refuses this conversation.",
            "Start a new chat, or choose another model.",
            kind="template-refused",
            details=str(error),
        ) from error
