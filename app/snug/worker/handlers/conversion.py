"""Answers the requests about making a model fit: a preview, the conversion itself, and forgetting an unfinished one."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from snug.convert import preview as previews
from snug.convert.better_bits.options import BetterBits, options_of
from snug.convert.better_conversion import Wish, convert_better, forget_work, working_folder
from snug.convert.calibration_text import NEUTRAL, calibration_texts
from snug.convert.conversion import Report, Result, Settings, convert
from snug.convert.open_source import open_local, open_remote
from snug.convert.pipeline import Stopped as ConversionStopped
from snug.convert.result_file import lock_path, part_path, remove_leftovers, unfinished
from snug.convert.source import Source, described
from snug.convert.trial_load import check_loads
from snug.core.errors import UserError
from snug.formats.gguf_facts import facts_from_header
from snug.formats.gguf_header import read_file_header
from snug.formats.imatrix import read_imatrix
from snug.hub.disk_space import free_bytes
from snug.hub.file_lock import FileLock
from snug.paths import user_paths
from snug.worker import protocol
from snug.worker.conversion_messages import (
    ConversionChoice,
    ConversionDone,
    ConversionPreviewed,
    ConversionProgress,
    ConversionSource,
    Convert,
    DiscardConversion,
    PreviewConversion,
)
from snug.worker.handlers.conversion_checks import (
    bring_small_here,
    check_inputs,
    with_checks,
    with_finer_types,
)
from snug.worker.handlers.hub import access_of
from snug.worker.loop import Job, Stopped
from snug.worker.sandbox import restrict

USUAL_TYPE = "Q4_K_M"


def preview(request: PreviewConversion, job: Job) -> ConversionPreviewed:
    """What the source is and what each type would give; of weights nothing is read. Raises UserError."""
    job.emit(protocol.Progress(done=0, total=0, doing="Looking at the model's files"))
    with open_source(request.source, job) as source:
        job.check()
        choices = previews.choices(source, threads_or(0), source.offered or previews.SHOWN)
        folder = Path(request.folder) if request.folder else Path.cwd()
        remove_orphans(folder)
        resumable, share = unfinished(folder, source.identity)
        return ConversionPreviewed(
            title=source.title,
            sentence=described(source),
            kind=source.kind,
            parameters=source.parameters,
            stored_bytes=source.stored_bytes,
            choices=[_choice(choice) for choice in choices],
            original_type=source.original_type,
            fetch_bytes=source.fetch_bytes,
            working_bytes=source.largest_shard_bytes,
            free_bytes=free_bytes(folder),
            warnings=previews.warnings(source),
            notes=list(source.notes),
            details=list(source.details),
            has_chat_template=source.has_chat_template,
            has_finished_files=source.has_finished_files,
            resumable=resumable,
            resumable_done=share,
        )


def _choice(choice: previews.Choice) -> ConversionChoice:
    return ConversionChoice(
        type_name=choice.type_name,
        size_bytes=choice.size_bytes,
        facts=choice.facts,
        seconds=choice.seconds,
        words_changed=choice.words_changed,
        tensor_types=dict(choice.tensor_types),
        needs_calibration=choice.needs_importance,
    )


def run(request: Convert, job: Job) -> ConversionDone:
    """Convert; what is done when it is stopped or killed is taken up again next time. Raises UserError."""
    out = Path(request.out).absolute()
    if out.suffix.lower() != ".gguf":
        raise UserError(
            "The result's name must end in .gguf.", "Give such a name.", kind="bad-name", bad_input=True
        )  # fmt: skip
    started = time.monotonic()
    tell = _teller(job)
    inputs = check_inputs(request, out)
    wish = _wish(request) if request.calibration or request.budget_bytes else None
    importance = read_imatrix(Path(request.importance)).importance() if request.importance else None
    finer: dict[str, str] = {}
    reference: Path | None = None
    with open_source(request.source, job, fetching_folder(out)) as source:
        _shut_in(request, out, source)
        job.check()
        if source.kind != "lora":
            tell(Report("converting", 0, 0, doing="Checking that the model's parts fit together"))
            check_loads(source)
        threads = threads_or(request.threads)
        try:
            if wish is not None:
                better = convert_better(source, out, wish, threads, on_progress=tell, is_cancelled=job.is_cancelled)
                result, reference = better.result, better.original
            else:
                settings = Settings(types=request.type_name or USUAL_TYPE, importance=importance, threads=threads)
                if request.check:
                    bring_small_here(source, out, tell, job.is_cancelled)
                    settings, finer = with_finer_types(source, settings, job)
                result = convert(source, out, settings, on_progress=tell, is_cancelled=job.is_cancelled)
        except ConversionStopped:
            raise Stopped from None
        except UserError as error:
            if error.bad_input:
                forget_work(out)  # asked for the same again, it fails again: the original is not needed
            raise
        done = _done(result, time.monotonic() - started)
        lock = FileLock(lock_path(out))
        lock.acquire()  # what lies beside the result is still needed
        try:
            if request.check:
                done = with_checks(
                    done, request, source, job, inputs=inputs, finer=finer, reference=reference, is_plain=wish is None
                )
            forget_work(out)
        finally:
            lock.release()
    return done


def _wish(request: Convert) -> Wish:
    """What the request asks of a conversion with calibration. Raises UserError."""
    name = request.calibration or NEUTRAL
    options = options_of(request.methods, request.budget_bytes)
    if not request.methods:
        options = BetterBits(mix=request.budget_bytes > 0, budget_bytes=request.budget_bytes)
    return Wish(
        type_name="" if request.budget_bytes else request.type_name or USUAL_TYPE,
        budget_bytes=request.budget_bytes,
        texts=calibration_texts(name),
        options=options,
        calibration_name=name if name == NEUTRAL else Path(name).name,
    )


def discard(request: DiscardConversion, job: Job) -> protocol.Discarded:
    """Remove what an unfinished conversion left, unless it is running."""
    out = Path(request.out)
    if not out.parent.is_dir():
        return protocol.Discarded(freed_bytes=0)
    lock = FileLock(lock_path(out))
    if not lock.acquire():
        raise UserError("This file is being made.", "Stop that first.", kind="busy")
    try:
        freed = 0
        for folder in (fetching_folder(out), working_folder(out)):
            freed += sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            shutil.rmtree(folder, ignore_errors=True)
        return protocol.Discarded(freed_bytes=freed + remove_leftovers(out))
    finally:
        lock.release()


def remove_orphans(folder: Path) -> None:
    """Remove what lies beside finished results since a kill during their checks: nothing goes on with it."""
    try:
        beside = [path for path in folder.glob("*.gguf.*") if path.suffix in (".calibrating", ".fetching")]
    except OSError:
        return
    for path in beside:
        out = path.with_suffix("")
        if not out.is_file() or part_path(out).exists() or not path.is_dir() or path.is_symlink():
            continue
        lock = FileLock(lock_path(out))
        try:
            if lock.acquire():
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            continue
        finally:
            lock.release()


def open_source(source: ConversionSource, job: Job, shards: Path | None = None) -> Source:
    """The source, opened; weights from the Hub pass through the folder `shards`. Raises UserError, Stopped."""
    adapter = Path(source.adapter) if source.adapter else None
    if source.path:
        return open_local(Path(source.path), adapter, Path(source.base) if source.base else None)
    try:
        return open_remote(
            access_of(source.access),
            source.repo,
            source.revision,
            cache=user_paths().cache / "checkpoints",
            shards=shards,
            adapter=adapter,
            base=Path(source.base) if source.base else None,
            is_cancelled=job.is_cancelled,
        )
    except ConversionStopped:
        raise Stopped from None


def fetching_folder(out: Path) -> Path:
    """Where the shards for a result pass through."""
    return out.with_name(out.name + ".fetching")


def _teller(job: Job) -> Callable[[Report], None]:
    def tell(report: Report) -> None:
        job.emit(
            ConversionProgress(
                stage=report.stage,
                done_bytes=report.done_bytes,
                total_bytes=report.total_bytes,
                seconds_left=report.seconds_left,
                rate=report.rate,
                doing=report.doing,
            )
        )

    return tell


def _shut_in(request: Convert, out: Path, opened: Source) -> None:
    """From here on the child reads only the source and the system, and writes only where the result goes."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)  # a folder that is not there yet could not be allowed
    except OSError as error:
        raise UserError(
            f"The folder {out.parent} cannot be made.",
            "Choose another folder, or give yourself permission to write there.",
            kind="folder-read-only",
            details=str(error),
        ) from error
    source = request.source
    text = request.calibration if request.calibration not in ("", NEUTRAL) else ""
    folders = [Path(place).resolve() for place in (source.path, source.adapter, source.base, text) if place]
    readable = [folder if folder.is_dir() else folder.parent for folder in folders]
    readable += [file.resolve() for file in opened.files if file.is_symlink()]  # the Hub's own cache is made of links
    written = [out.parent, user_paths().cache] if source.repo else [out.parent]
    restrict(readable, writable=written, network=bool(source.repo))


def _done(result: Result, seconds: float) -> ConversionDone:
    facts = facts_from_header(read_file_header(result.path))
    return ConversionDone(
        path=str(result.path),
        size_bytes=result.size_bytes,
        sha256=result.sha256,
        type_name=result.type_name,
        facts=facts,
        seconds=seconds,
        peak_memory_bytes=peak_memory_bytes(),
        resumed_from=result.resumed_from,
        tensor_types=dict(Counter(result.types.values())),
        notes=list(result.notes),
        details=list(result.details),
    )


def peak_memory_bytes() -> int:
    """The most memory that this process has had, 0 where the system does not say."""
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    try:  # the figure of getrusage also counts what the parent had when it started this process
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.split("VmHWM:")[1].split()[0])
    except (OSError, IndexError, ValueError):
        pass
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def threads_or(threads: int) -> int:
    """The threads asked for, or one for each processor core that this process may use."""
    if threads > 0:
        return min(threads, 1024)
    try:
        return max(1, len(os.sched_getaffinity(0)))
    except AttributeError:
        return max(1, os.cpu_count() or 1)
