"""Answers the request for a self test; the parent tries each setting in a child of its own."""

from __future__ import annotations

from pathlib import Path

from snug.engine.library import version_words
from snug.engine.self_test import run_self_test
from snug.worker import protocol
from snug.worker.loop import Job
from snug.worker.sandbox import restrict


def self_test(request: protocol.SelfTest, job: Job) -> protocol.SelfTestDone:
    """Load the model, read a prompt, answer; this child may crash in it."""
    job.emit(protocol.Progress(done=0, total=0, unit="steps", doing="Trying a tiny model"))
    sandbox = restrict([Path(request.path).resolve().parent])
    engine, flags = version_words()
    result = run_self_test(request.path, use_extra_buffers=request.use_extra_buffers)
    return protocol.SelfTestDone(
        works=result.works,
        checks=list(result.checks),
        tokens_per_s=result.tokens_per_s,
        settings={"use_extra_buffers": str(request.use_extra_buffers).lower()},
        engine=engine,
        engine_flags=flags,
        sandbox=sandbox.words,
    )
