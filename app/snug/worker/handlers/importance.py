"""Answers the request for an importance matrix: the model reads a text, and what its weights took in is written."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from snug.convert.better_bits.improve import CHUNK, read_chunks
from snug.convert.calibration_text import calibration_texts
from snug.core.errors import UserError
from snug.engine.calibration import Collector, calibrate
from snug.engine.text_reader import ReadingStopped, TextReader
from snug.formats.imatrix import Entry, ImportanceFile, write_imatrix
from snug.worker import protocol
from snug.worker.loop import Job, Stopped
from snug.worker.measure_messages import CollectImportance, ImportanceCollected
from snug.worker.sandbox import restrict


def collect(request: CollectImportance, job: Job) -> ImportanceCollected:
    """Let the model read the text and write the matrix; nothing is left where it is stopped. Raises UserError."""
    texts = calibration_texts(request.text)
    model, out = Path(request.path), Path(request.out).absolute()
    if not out.parent.is_dir():
        raise UserError(f"There is no folder {out.parent}.", "Make it first.", kind="no-folder", bad_input=True)
    restrict([model.resolve().parent], writable=[out.parent])
    chunks = read_chunks(model, texts, request.threads)

    def on_chunk(done: int) -> None:
        job.check()
        job.emit(protocol.Progress(done=done, total=len(chunks), unit="chunks", doing="Reading the text"))

    collector = Collector()
    try:
        with TextReader(model, chunk=CHUNK, threads=request.threads, observer=collector) as reader:
            found = calibrate(reader, collector, chunks, on_chunk=on_chunk)
    except ReadingStopped:
        raise Stopped from None
    entries = {name: Entry(each.sums, each.counts.astype(np.float32)) for name, each in found.squares.items()}
    part = out.with_name(out.name + ".part")
    try:
        write_imatrix(part, ImportanceFile(entries, found.chunks, found.chunk_tokens, (Path(request.text).name,)))
        os.replace(part, out)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UserError(
            f"{out.name} cannot be written ({error.strerror or error}).", "Choose another place.", kind="unwritable"
        ) from error
    return ImportanceCollected(path=str(out), tensors=len(entries), chunks=found.chunks)
