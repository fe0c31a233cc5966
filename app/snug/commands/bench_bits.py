"""`snug bench bits`: how much of a model each method keeps in the same space, against plain rounding and llama.cpp's.

A text judges that no method has read. Of files that llama-quantize made (`--reference FOLDER`, names that end in
-Q4_K_M.gguf and so on) the same figures stand beside.
"""

from __future__ import annotations

import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from snug.commands.command import Context
from snug.commands.find_model import find_model
from snug.commands.samples import processor_name
from snug.core.errors import UserError
from snug.worker.conversion_messages import ConversionDone, ConversionSource, Convert
from snug.worker.measure_messages import MeasureModel, ModelMeasured

MIXES = "Q4_K_M,Q3_K_M,Q2_K"
STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("plain", ()),
    ("importance", ("importance",)),
    ("feedback", ("importance", "feedback")),
    ("scaling", ("importance", "feedback", "scaling")),
    ("best", ("importance", "feedback", "scaling", "mix")),
)
"""The rows of the table for each mix: their names, and the methods that are allowed."""

SILENCE_LIMIT_S = 3600.0


@dataclass(frozen=True)
class Row:
    """One file: what it was made by, its size, how far it is from the original, and the seconds it took to make."""

    mix: str
    method: str
    size_bytes: int
    kl_mean: float
    kl_p99: float
    same_top: float
    perplexity: float
    seconds: float
    ratio: float = 0.0  # of the divergence to that of the plain file of the same mix


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", default="pip", metavar="MODEL", help="the original, a GGUF (Pip)")
    parser.add_argument("--text", required=True, metavar="FILE", help="the text that judges")
    parser.add_argument("--calibrate", default="neutral", metavar="TEXT", help="the text to learn from (neutral)")
    parser.add_argument("--mixes", default=MIXES, metavar="LIST", help=f"with commas between ({MIXES})")
    parser.add_argument("--methods", default=",".join(name for name, _ in STEPS), metavar="LIST", help="rows to make")
    parser.add_argument("--budgets", default="", metavar="LIST", help="shares of the original's size, such as 25,30,40")
    parser.add_argument("--reference", default="", metavar="FOLDER", help="files that llama-quantize made of it")
    parser.add_argument("--tokens", type=int, default=0, metavar="N", help="judge on no more than so many (all)")


def run(arguments: Namespace, context: Context) -> int:
    """Make and judge every file, and print the table."""
    for name in (arguments.text, *([arguments.calibrate] if arguments.calibrate != "neutral" else [])):
        if not Path(name).is_file():
            raise UserError(f"There is no file {name}.", "Check the path.", kind="no-file", bad_input=True)
    steps = [(name, methods) for name, methods in STEPS if name in arguments.methods.split(",")]
    mixes = [name for name in arguments.mixes.split(",") if name]
    budgets = _shares(arguments.budgets)
    with tempfile.TemporaryDirectory(prefix="snug-bits-") as folder:
        bench = _Bench(arguments, context, Path(folder))
        bench.begin()
        context.say(f"{processor_name(context)}; judged on {Path(arguments.text).name}")
        context.say(f"{'mix':9} {'method':12} {'bytes':>13} {'KL mean':>10} {'KL 99 %':>9} {'same':>7} {'to plain':>9}")
        for mix in mixes:
            bench.reference(mix)
            for name, methods in steps:
                bench.make(mix, name, methods)
        for share in budgets:
            bench.make_for(share)
    if context.json:
        context.print_document(
            {"processor": processor_name(context), "original": bench.original_path, "rows": bench.rows}
        )
    return 0


def _shares(text: str) -> list[float]:
    try:
        found = [float(part) for part in text.split(",") if part]
    except ValueError:
        found = [0.0]
    if any(not 5 <= share <= 100 for share in found):
        raise UserError("The budgets are out of range.", "Give shares from 5 to 100.", "bad-argument", bad_input=True)
    return found


class _Bench:
    """One run of the measurement."""

    def __init__(self, arguments: Namespace, context: Context, folder: Path) -> None:
        self._arguments = arguments
        self._context = context
        self._folder = folder
        self.rows: list[Row] = []
        self.original_path = ""

    def begin(self) -> None:
        """The original in 16 bits: the source may be of 8."""
        source = find_model(self._arguments.model, self._context).path
        self.original_path = str(self._folder / "original.gguf")
        self._convert(source, self.original_path, type_name="F16")

    def make(self, mix: str, name: str, methods: Sequence[str]) -> None:
        """One file of a mix by some methods."""
        out = str(self._folder / "made.gguf")
        text = self._calibration() if methods else ""
        done = self._convert(self.original_path, out, type_name=mix, calibration=text, methods=list(methods))
        self._judge(mix, name, out, done.size_bytes, done.seconds)

    def make_for(self, share: float) -> None:
        """One file for a share of the original's size."""
        out = str(self._folder / "made.gguf")
        budget = int(Path(self.original_path).stat().st_size * share / 100)
        methods = ["importance", "feedback", "scaling", "mix"]
        done = self._convert(
            self.original_path, out, budget_bytes=budget, calibration=self._calibration(), methods=methods
        )
        self._judge(f"{share:g} %", f"of {budget:,}", out, done.size_bytes, done.seconds)

    def reference(self, mix: str) -> None:
        """What llama-quantize made of this mix, where it is at hand."""
        if not self._arguments.reference:
            return
        for path in sorted(Path(self._arguments.reference).glob(f"*-{mix}*.gguf")):
            name = "llama.cpp" + path.stem.split(mix, 1)[1]
            self._judge(mix, name, str(path.absolute()), path.stat().st_size, 0.0)

    def _calibration(self) -> str:
        text: str = self._arguments.calibrate
        return text if text == "neutral" else str(Path(text).absolute())

    def _convert(self, source: str, out: str, **wish: object) -> ConversionDone:
        Path(out).unlink(missing_ok=True)
        request = Convert(source=ConversionSource(path=source), out=out, check=False, **wish)  # type: ignore[arg-type]  # any of Convert's fields
        with self._context.child() as child:
            done = child.request(request, timeout=SILENCE_LIMIT_S)
        assert isinstance(done, ConversionDone)
        return done

    def _judge(self, mix: str, name: str, path: str, size: int, seconds: float) -> None:
        text = str(Path(self._arguments.text).absolute())
        request = MeasureModel(path=path, reference=self.original_path, text=text, most_tokens=self._arguments.tokens)
        with self._context.child() as child:
            found = child.request(request, timeout=SILENCE_LIMIT_S)
        assert isinstance(found, ModelMeasured)
        plain = [row.kl_mean for row in self.rows if row.mix == mix and row.method in ("plain", "llama.cpp")]
        ratio = found.kl_mean / plain[0] if plain and plain[0] > 0 else 0.0
        row = Row(mix, name, size, found.kl_mean, found.kl_p99, found.same_top, found.perplexity, seconds, ratio)
        self.rows.append(row)
        against = f"{ratio:8.2f}x" if ratio else ""
        self._context.say(
            f"{mix:9} {name:12} {size:13,} {row.kl_mean:10.5f} {row.kl_p99:9.4f} {row.same_top:7.1%} {against:>9}"
            f"   {seconds:.0f} s"
        )
