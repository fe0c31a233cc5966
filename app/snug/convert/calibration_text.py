"""The text that a calibration reads: the person's own, or the mix that comes with Snug."""

from __future__ import annotations

from pathlib import Path

from snug.core.errors import UserError
from snug.paths import resources_folder

NEUTRAL = "neutral"
"""The name of the text that comes with Snug: several languages, questions and answers, code."""
MOST_BYTES = 64 * 1024 * 1024


def neutral_folder() -> Path:
    """Where the parts of the neutral text are."""
    return resources_folder() / "calibration"


def calibration_texts(name: str) -> list[str]:
    """The texts that `name` stands for: NEUTRAL, or the path of a text file. Raises UserError."""
    paths = sorted(neutral_folder().glob("*.txt")) if name == NEUTRAL else [Path(name)]
    texts = [_read(path) for path in paths]
    if not any(text.strip() for text in texts):
        raise UserError(
            "There is no text to learn from.", "Give a text file.", kind="too-little-text", bad_input=name != NEUTRAL
        )
    return texts


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES).decode("utf-8", "replace").replace("\0", " ")
    except OSError as error:
        raise UserError(
            f"The text {path.name} cannot be read.",
            "Check that it exists and that you may read it.",
            kind="unreadable",
            details=str(error),
            bad_input=True,
        ) from error
