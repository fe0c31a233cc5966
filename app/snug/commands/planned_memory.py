"""What the engine itself plans for a model whose header is at hand: asked of a child once, then remembered."""

from __future__ import annotations

from dataclasses import dataclass

from snug.commands.command import Context
from snug.core.errors import UserError
from snug.core.fit import FitSettings, PlannedMemory
from snug.worker import protocol
from snug.worker.client import WorkerClient

LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Header:
    """Where a header lies: in a whole model file, or with `size_bytes` alone, of a file that large."""

    path: str
    sha256: str
    size_bytes: int = 0


def planned_memory(header: Header | None, settings: FitSettings, context: Context) -> PlannedMemory | None:
    """The engine's plan for these settings; None where there is no header, or the engine cannot say."""
    if header is None or not header.sha256:
        return None
    from snug.store.plans import Plans  # slow to import: only commands that need it pay

    plans = Plans(context.paths.cache)
    kept = plans.find(header.sha256, settings.context, settings.kv_type, settings.batch)
    if kept is not None:
        return kept
    wish = protocol.ContextWish(context=settings.context, kv_type=settings.kv_type, batch=settings.batch)
    request = protocol.DryRun(path=header.path, size_bytes=header.size_bytes, wishes=[wish])
    try:
        with WorkerClient(context.paths.logs) as child:
            answer = child.request(request, timeout=LIMIT_S)
    except UserError as error:
        context.note(f"The engine could not plan this model ({error.title}) The figures follow from its header.")
        return None
    if not isinstance(answer, protocol.DryRunDone):
        return None
    found = answer.allocations[0]
    plan = PlannedMemory(
        settings.context, settings.kv_type, settings.batch, found.conversation_bytes, found.compute_bytes
    )
    plans.keep(header.sha256, plan)
    return plan
