"""Which model a person means by a name, a path or "pip", and how to load it here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from snug.commands.command import Context
from snug.core.errors import UserError
from snug.core.fit import Fit, FitSettings, Verdict
from snug.core.model_facts import ModelFacts
from snug.paths import resources_folder
from snug.worker import protocol
from snug.worker.death import MemoryFacts

PIP = "pip"
PIP_NAME = "Pip, a tiny test model"


@dataclass(frozen=True, slots=True)
class ChosenModel:
    """A model file with its name for people; `id` where the library has it."""

    name: str
    path: str
    id: int | None = None


def pip_model() -> ChosenModel:
    """The model that ships with Snug."""
    return ChosenModel(PIP_NAME, str(resources_folder() / "models" / "pip" / "pip-7m-Q8_0.gguf"))


def find_model(what: str, context: Context) -> ChosenModel:
    """The model that `what` names: "pip", a GGUF's path, or a library model's name or a part of it."""
    if what.casefold() == PIP:
        return pip_model()
    if Path(what).suffix.casefold() == ".gguf" or Path(what).is_file():
        if not Path(what).is_file():
            raise UserError(f"There is no file {what}.", "Check the path.", kind="no-model", bad_input=True)
        return ChosenModel(Path(what).stem, str(Path(what).absolute()))
    return _in_library(what, context)


def _in_library(what: str, context: Context) -> ChosenModel:
    models = context.open_store().models.all() if context.paths.database.exists() else []
    wanted = what.casefold()
    for matches in (
        [model for model in models if model.name.casefold() == wanted],
        [model for model in models if wanted in model.name.casefold()],
    ):
        if len(matches) > 1:
            names = ", ".join(model.name for model in matches[:4])
            raise UserError(f"{what!r} fits more than one model: {names}.", "Name one.", kind="unclear", bad_input=True)
        if matches:
            return ChosenModel(matches[0].name, matches[0].path, matches[0].id)
    raise UserError(
        f"There is no model called {what!r} in the library.",
        "`snug models` lists them; `snug chat pip` works at once.",
        kind="no-model",
        bad_input=True,
    )


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """How to load a model here; `memory` is what a death for lack of it is explained with.

    `fit` is what was said of it, None for the built-in model.
    """

    request: protocol.LoadModel
    memory: MemoryFacts | None = None
    facts: ModelFacts | None = None
    fit: Fit | None = None
    settings: FitSettings | None = None


def plan_load(
    model: ChosenModel, context: Context, wanted_context: int, threads: int, *, repack: bool = False
) -> LoadPlan:
    """As it was asked, and for the rest the largest useful conversation that fits here."""
    if model.path == pip_model().path:
        request = protocol.LoadModel(path=model.path, context=wanted_context, threads=threads, use_extra_buffers=repack)
        return LoadPlan(request)
    from snug.commands.machine import read_here
    from snug.commands.planned_memory import Header, KnownHere

    machine = read_here(context, measure_bandwidth=False)
    settings = FitSettings(context=wanted_context, extra_buffers=repack)
    facts = _facts(model, context)
    answer = KnownHere(context, Header(model.path)).fit(facts, settings, machine)
    if answer.verdict is Verdict.TOO_BIG:
        context.note(answer.why)
    request = protocol.LoadModel(
        path=model.path,
        context=answer.context,
        kv_type=answer.kv_type,
        offload=answer.offload,
        threads=threads,
        use_extra_buffers=repack,
    )
    memory = MemoryFacts(available=machine.memory.available, needed=answer.memory.total)
    return LoadPlan(request, memory, facts, answer, settings)


def record_load(model: ChosenModel, plan: LoadPlan, loaded: protocol.ModelLoaded, context: Context) -> None:
    """Keep what the load really took, beside what was said of it."""
    if plan.fit is not None and plan.facts is not None and plan.settings is not None:
        from snug.commands.planned_memory import KnownHere

        KnownHere(context).record(model.name, plan.facts, plan.settings, plan.fit, loaded.devices)


def _facts(model: ChosenModel, context: Context) -> ModelFacts:
    answer = context.child().request(protocol.InspectFile(path=model.path))
    if not isinstance(answer, protocol.FileInspected):
        raise UserError("The model file could not be read.", "Try it again.", kind="bad-file")
    return answer.facts
