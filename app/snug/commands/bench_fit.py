"""`snug bench fit`: what Snug says a model takes in memory, against what the engine really allocates.

For each generated model, context and KV type: the formula from the header, the engine's dry run, and a real load, each
load in a child of its own. With --big, shapes of large models whose files are only headers: no real load there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from snug.commands.command import Context
from snug.core.errors import UserError
from snug.core.memory_need import compute_bytes, layer_conversations
from snug.core.model_facts import ModelFacts
from snug.formats.big_models import BIG_MODELS, BigModel
from snug.formats.gguf_facts import facts_from_header
from snug.formats.gguf_header import read_file_header
from snug.formats.random_gguf import write_metadata, write_model, write_sparse_model
from snug.formats.random_models import RANDOM_MODELS, RandomModel
from snug.worker import protocol
from snug.worker.client import WorkerClient
from snug.worker.environment import child_environment

MB = 1_000_000
CONTEXTS = (2048, 8192, 32_768)
KV_TYPES = ("f16", "q8_0", "q4_0")
LIMIT_S = 60.0
FORMULA_LIMIT = (0.03, 32 * MB)
DRY_RUN_LIMIT = (0.01, 16 * MB)
"""The larger of a share of the real allocation and a number of bytes: the furthest that each may be off."""


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes of weights, conversation memory and compute buffers."""

    weights: int
    conversation: int
    compute: int

    @property
    def total(self) -> int:
        return self.weights + self.conversation + self.compute


@dataclass(frozen=True, slots=True)
class Comparison:
    """One model with one context: what it really took, and what was said before."""

    model: str
    architecture: str
    context: int
    kv_type: str
    real: Need
    formula: Need
    dry_run: Need

    @property
    def formula_error(self) -> int:
        return self.formula.total - self.real.total

    @property
    def dry_run_error(self) -> int:
        return self.dry_run.total - self.real.total

    @property
    def passes(self) -> bool:
        return _is_within(self.formula_error, self.real.total, FORMULA_LIMIT) and _is_within(
            self.dry_run_error, self.real.total, DRY_RUN_LIMIT
        )


def _is_within(error: int, total: int, limit: tuple[float, int]) -> bool:
    share, size = limit
    return abs(error) <= max(share * total, size)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--models", metavar="WORDS", default="", help="only models with these words in their names")
    parser.add_argument("--big", action="store_true", help="large shapes instead: the formula against the dry run")


def run(arguments: Namespace, context: Context) -> int:
    """Generate, load, compare; exit code 1 where one is off by more than it may be."""
    by_name: dict[str, RandomModel | BigModel] = (
        {big.model.name: big for big in BIG_MODELS} if arguments.big else {each.name: each for each in RANDOM_MODELS}
    )
    chosen = chosen_models(by_name, arguments.models)
    context.say(f"{len(chosen)} models, contexts of {', '.join(map(str, CONTEXTS))}, {', '.join(KV_TYPES)}")
    found: list[Comparison] = []
    with tempfile.TemporaryDirectory(prefix="snug-bench-") as folder:
        for model in chosen:
            rows = rows_of(model, Path(folder), context.paths.logs)
            context.say(line_of(rows))
            found += rows
    report(context, found)
    return 0 if all(row.passes for row in found) else 1


Chosen = TypeVar("Chosen")


def chosen_models(by_name: Mapping[str, Chosen], words: str) -> list[Chosen]:
    """The models whose names hold all the words. Raises UserError where there is none."""
    parts = words.casefold().split()
    chosen = [model for name, model in by_name.items() if all(part in name.casefold() for part in parts)]
    if chosen:
        return chosen
    raise UserError(
        f"There is no generated model called {words[:40]!r}.",
        f"There are: {', '.join(by_name)}.",
        kind="no-such-model",
        bad_input=True,
    )


def rows_of(model: RandomModel | BigModel, folder: Path, logs: Path) -> list[Comparison]:
    """Generate the model, compare, and remove it."""
    if isinstance(model, BigModel):
        path = generate_sparse(model, folder)
        rows = compare_plan(model.model, path, logs)
    else:
        path = generate(model, folder)
        rows = compare(model, path, logs)
    path.unlink()
    return rows


def generate(model: RandomModel, folder: Path) -> Path:
    """The model's file, with the tensors that the engine asks for. Raises UserError where it refuses the metadata."""
    path = folder / "model.gguf"
    write_model(path, model, tensor_shapes(model, folder))
    return path


def generate_sparse(big: BigModel, folder: Path) -> Path:
    """A large model's header in a file of its full size. Raises UserError where the engine refuses the metadata."""
    path = folder / "big.gguf"
    write_sparse_model(path, big.model, big.shapes(tensor_shapes(big.sampled(), folder)))
    return path


def tensor_shapes(model: RandomModel, folder: Path) -> dict[str, tuple[int, ...]]:
    """The tensors that the engine wants, asked in a process of its own. Raises UserError where it refuses."""
    metadata, shapes = folder / "metadata.gguf", folder / "shapes.json"
    write_metadata(metadata, model)
    shapes.unlink(missing_ok=True)
    asked = subprocess.run(
        [sys.executable, "-P", "-m", "snug.engine.tensor_shapes", str(metadata), str(shapes)],
        env=child_environment(),
        capture_output=True,
        text=True,
        errors="replace",
        timeout=LIMIT_S,
        check=False,
    )
    if asked.returncode != 0:
        raise UserError(
            f"The engine refuses the generated model {model.name}.",
            "Leave it out with --models.",
            kind="refused-model",
            details=asked.stderr[-2000:],
        )
    return {name: tuple(dims) for name, dims in json.loads(shapes.read_text()).items()}


def compare(
    model: RandomModel, path: Path, logs: Path, contexts: Sequence[int] = CONTEXTS, kv_types: Sequence[str] = KV_TYPES
) -> list[Comparison]:
    """The three answers for each context and KV type."""
    facts = facts_from_header(read_file_header(path))
    wishes = wishes_of(contexts, kv_types)
    real, planned = (ask(path, wishes, logs, allocate=allocate) for allocate in (True, False))
    return [
        Comparison(
            model=model.name,
            architecture=model.architecture,
            context=wish.context,
            kv_type=wish.kv_type,
            real=Need(took.weights_bytes, took.conversation_bytes, took.compute_bytes),
            formula=formula_need(facts, wish),
            dry_run=Need(facts.weight_bytes, plan.conversation_bytes, plan.compute_bytes),
        )
        for wish, took, plan in zip(wishes, real, planned, strict=True)
    ]


def compare_plan(
    model: RandomModel, path: Path, logs: Path, contexts: Sequence[int] = CONTEXTS, kv_types: Sequence[str] = KV_TYPES
) -> list[Comparison]:
    """The formula against the dry run, which stands for the real load of a file that is only a header."""
    facts = facts_from_header(read_file_header(path))
    wishes = wishes_of(contexts, kv_types)
    rows = []
    for wish, plan in zip(wishes, ask(path, wishes, logs, allocate=False), strict=True):
        planned = Need(facts.weight_bytes, plan.conversation_bytes, plan.compute_bytes)
        formula = formula_need(facts, wish)
        rows.append(Comparison(model.name, model.architecture, wish.context, wish.kv_type, planned, formula, planned))
    return rows


def wishes_of(contexts: Sequence[int], kv_types: Sequence[str]) -> list[protocol.ContextWish]:
    """Every context with every KV type."""
    return [protocol.ContextWish(context=context, kv_type=kv_type) for context in contexts for kv_type in kv_types]


def ask(path: Path, wishes: list[protocol.ContextWish], logs: Path, *, allocate: bool) -> list[protocol.Allocated]:
    """What the engine allocates, or would allocate, in a child of its own."""
    with WorkerClient(logs) as child:
        answer = child.request(protocol.DryRun(path=str(path), wishes=wishes, allocate=allocate), timeout=LIMIT_S)
    assert isinstance(answer, protocol.DryRunDone)
    return answer.allocations


def formula_need(facts: ModelFacts, wish: protocol.ContextWish) -> Need:
    """The instant answer, from the header alone."""
    return Need(
        facts.weight_bytes,
        sum(layer_conversations(facts, wish.context, wish.kv_type, wish.batch)),
        compute_bytes(facts, wish.context, wish.batch),
    )


def line_of(rows: Sequence[Comparison]) -> str:
    """One model's largest errors, in words and MB."""
    formula, dry_run = (worst(rows, which) for which in (_formula, _dry_run))
    mark = "" if all(row.passes for row in rows) else "  TOO FAR"
    return f"{rows[0].model:30} formula {formula / MB:+7.2f} MB   dry run {dry_run / MB:+6.2f} MB{mark}"


def _formula(row: Comparison) -> int:
    return row.formula_error


def _dry_run(row: Comparison) -> int:
    return row.dry_run_error


def worst(rows: Iterable[Comparison], error_of: Callable[[Comparison], int]) -> int:
    """The error furthest from nothing, with its sign."""
    return max((error_of(row) for row in rows), key=abs)


def report(context: Context, rows: Sequence[Comparison]) -> None:
    """The sum of it, or every row as a document."""
    passed = sum(row.passes for row in rows)
    if not context.json:
        context.say(f"{passed} of {len(rows)} within their limits (formula: 3 % or 32 MB, dry run: 1 % or 16 MB).")
        return
    context.print_document(
        {
            "passed": passed,
            "rows": [
                asdict(row)
                | {
                    "formula_error": row.formula_error,
                    "dry_run_error": row.dry_run_error,
                    "real_total": row.real.total,
                    "passes": row.passes,
                }
                for row in rows
            ],
            "architectures": sorted({row.architecture for row in rows}),
            "formula_limit": FORMULA_LIMIT,
            "dry_run_limit": DRY_RUN_LIMIT,
        }
    )
