"""PyTorch's own files: recognised by name or first bytes, and never opened."""

from __future__ import annotations

from collections.abc import Iterable

from snug.core.errors import UserError

ENDINGS = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
NO_WEIGHTS = ("training_args.bin", "optimizer.bin", "optimizer.pt", "scheduler.bin", "scheduler.pt", "rng_state.pth")
STARTS = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


def pickles_among(names: Iterable[str]) -> list[str]:
    """The names of PyTorch files with weights, sorted."""
    return sorted(name for name in names if name.lower().endswith(ENDINGS) and name not in NO_WEIGHTS)


def is_pickle(start: bytes) -> bool:
    """Whether a file with these first bytes is a pickle, or a ZIP file around one."""
    return start.startswith(STARTS)


def refused(names: list[str]) -> UserError:
    """The error that says why a checkpoint of pickles is not opened, and what to do."""
    return UserError(
        "This model is stored in PyTorch's own format, and opening such a file can run any program hidden in it.",
        "Choose a version of the model in safetensors: most model pages have one, often on a branch named safetensors.",
        kind="pickle",
        details=", ".join(names[:10]),
        bad_input=True,
    )
