"""Answers the request for a dry run: what the engine would allocate for a model that is not here yet."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path

from snug.core.errors import UserError
from snug.engine.dry_run import OpenModel
from snug.engine.sparse_file import sparse_file
from snug.worker import protocol
from snug.worker.loop import Job
from snug.worker.sandbox import restrict

LARGEST_HEADER_BYTES = 512 * 1024 * 1024
MOST_WISHES = 64
MOST_PARTS = 1000


def plan(request: protocol.DryRun, job: Job) -> protocol.DryRunDone:
    """Ask the engine in this child, which is shut in first and may be aborted by it. Raises UserError."""
    if not 1 <= len(request.wishes) <= MOST_WISHES or request.size_bytes < 0:
        raise UserError("These settings are out of range.", "Reset them.", kind="bad-setting", bad_input=True)
    with ExitStack() as stack:
        first, *others = (stack.enter_context(_file(path, size)) for path, size in _parts_of(request))
        restrict([Path(request.path).resolve().parent])
        with OpenModel(first, dry=not request.allocate, parts=others) as model:
            allocations = []
            for wish in request.wishes:
                job.check()
                found = model.allocation(wish.context, wish.kv_type, wish.batch)
                allocations.append(
                    protocol.Allocated(
                        conversation_bytes=found.conversation,
                        compute_bytes=found.compute,
                        weights_bytes=found.weights,
                    )
                )
    return protocol.DryRunDone(allocations=allocations)


def _parts_of(request: protocol.DryRun) -> list[tuple[str, int]]:
    """Path and size of every file; size 0 for one that is whole."""
    if len(request.more_parts) >= MOST_PARTS or any(size <= 0 for _, size in request.more_parts):
        raise UserError("These are no parts of a model.", "Name a model file.", kind="bad-file", bad_input=True)
    return [(request.path, request.size_bytes), *request.more_parts]


def _file(name: str, size_bytes: int) -> AbstractContextManager[Path]:
    path = Path(name)
    if not path.is_file():
        raise UserError(f"There is no file {path.name}.", "Name a model file.", kind="no-file", bad_input=True)
    try:
        if not size_bytes:
            return nullcontext(path)
        if path.stat().st_size > LARGEST_HEADER_BYTES:
            raise UserError("This is no model's header.", "Name a model file.", kind="bad-file", bad_input=True)
        return sparse_file(path.read_bytes(), size_bytes)
    except OSError as error:
        raise UserError(
            f"{path.name} cannot be read ({error.strerror or error}).", "Try it again.", kind="unreadable"
        ) from error
