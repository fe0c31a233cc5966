"""`snug bench chat`: writing through Snug's engine against the engine's own low-level loop, in turns."""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

import psutil

from snug.commands.command import Context
from snug.commands.find_model import find_model
from snug.commands.samples import checked_runs, processor_name, ratio_of_pairs, summary
from snug.core.errors import UserError
from snug.worker import protocol
from snug.worker.client import WorkerClient

TARGET_RATIO = 0.95
PROMPT = "Tell me a long story about a fox and a bear."
CONTEXT = 1024
STOPPED_BY_LIMIT = "max_tokens"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", default="pip", metavar="MODEL", help="the model to write with (pip)")
    parser.add_argument("--runs", type=int, default=15, metavar="N", help="pairs of answers (15)")
    parser.add_argument("--tokens", type=int, default=80, metavar="N", help="length of an answer in tokens (80)")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="processor threads (0: what Snug takes)")


def run(arguments: Namespace, context: Context) -> int:
    """Let both write in turns and print how fast each was."""
    runs = checked_runs(arguments.runs)
    if not 2 <= arguments.tokens <= 512 or not 0 <= arguments.threads <= 1024:
        raise UserError(
            "--tokens must be between 2 and 512 and --threads between 0 and 1024.",
            "Leave them out to use what fits.",
            kind="bad-argument",
            bad_input=True,
        )
    model = find_model(arguments.model, context)
    threads = arguments.threads or threads_for(Path(model.path))
    child = context.child()
    child.request(protocol.LoadModel(path=model.path, context=CONTEXT, threads=threads))
    ours: list[float] = []
    theirs: list[float] = []
    with LowLevelLoop(model.path, threads) as loop:
        for turn in range(runs + 1):
            done = write_answer(child, arguments.tokens)
            found = loop.measure(done.prompt_tokens, done.tokens)
            if turn > 0:  # the first pair only warms both up
                ours.append(done.tokens_per_s)
                theirs.append(found)
    report(context, model.name, threads, done.tokens, ours, theirs)
    return 0


def threads_for(model: Path) -> int:
    """As many threads as Snug's engine takes for that file by itself."""
    from snug.engine.model import useful_threads

    return useful_threads(model.stat().st_size, psutil.cpu_count(logical=False) or 1)


def write_answer(child: WorkerClient, tokens: int) -> protocol.GenerationDone:
    """One greedy answer of that many tokens from Snug's engine. Raises UserError where the model ends it too early."""
    asked = protocol.Generate(
        messages=[protocol.ChatMessage(role="user", text=PROMPT)],
        sampling=protocol.Sampling(temperature=0, max_tokens=tokens),
    )
    done = child.request(asked)
    if not isinstance(done, protocol.GenerationDone) or done.reason != STOPPED_BY_LIMIT:
        written = done.tokens if isinstance(done, protocol.GenerationDone) else 0
        raise UserError(
            f"The model ended its answer after {written} tokens, before there was enough to measure.",
            f"Use --tokens {max(2, written // 2)}, or another model.",
            kind="short-answer",
        )
    return done


class LowLevelLoop:
    """The yardstick in its own process, with the model loaded once."""

    def __init__(self, path: str, threads: int) -> None:
        command = [sys.executable, "-m", "snug.engine.baseline_loop", path, str(threads), str(CONTEXT)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def measure(self, prompt_tokens: int, tokens: int) -> float:
        """Tokens/s of writing that many tokens after a prompt of that many. Raises UserError."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            print(prompt_tokens, tokens, file=self._process.stdin, flush=True)
            return float(json.loads(self._process.stdout.readline())["tokens_per_s"])
        except (OSError, ValueError):
            raise UserError(
                "The engine's own loop ended early, so there is nothing to compare with.",
                "Run `snug doctor`, then try again.",
                kind="engine-failed",
            ) from None

    def __enter__(self) -> LowLevelLoop:
        return self

    def __exit__(self, *reason: object) -> None:
        self._process.kill()
        self._process.communicate()


def report(
    context: Context, model: str, threads: int, tokens: int, ours: Sequence[float], theirs: Sequence[float]
) -> None:
    """The speed of both, and the ratio."""
    ratio = ratio_of_pairs(ours, theirs)
    document = {
        "cpu": processor_name(context),
        "model": model,
        "threads": threads,
        "tokens": tokens,
        "runs": len(ours),
        "snug_tokens_per_s": summary(ours),
        "low_level_tokens_per_s": summary(theirs),
        "ratio": ratio,
        "target_ratio": TARGET_RATIO,
        "reached": ratio["median"] >= TARGET_RATIO,
    }
    if context.json:
        context.print_document(document)
        return
    context.say(f"{document['cpu']}, {model}, {threads} threads, {len(ours)} pairs of {tokens} tokens")
    context.say(f"Snug's engine:   {summary(ours)['median']:.0f} tokens/s")
    context.say(f"Low-level loop:  {summary(theirs)['median']:.0f} tokens/s")
    context.say(f"Ratio:           {ratio['median']:.3f} ({ratio['low']:.3f} to {ratio['high']:.3f}; at least 0.95)")
