"""Where Snug starts: a command, the window, or the terminal where there is no display."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from snug.worker.environment import CHILD_ARGUMENT


def main(arguments: Sequence[str] | None = None) -> int:
    """Run Snug with these arguments (the process's own by default) and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == [CHILD_ARGUMENT]:
        from snug.worker.__main__ import main as child

        return child()
    _make_output_safe()
    if not given and _can_show_a_window():
        from snug.main import run as open_window  # before the command line's own imports: the window waits for them

        return open_window()
    from snug import cli
    from snug.paths import user_paths

    if given:
        return cli.run(given, user_paths())
    from snug.commands.command import Context
    from snug.commands.terminal import TERMINAL

    return cli.run_command(TERMINAL, cli.no_arguments(), Context(paths=user_paths()))


def _can_show_a_window() -> bool:
    from snug.display import has_display

    return has_display(os.environ, sys.platform)


def _make_output_safe() -> None:
    """A character that the terminal cannot show becomes a question mark, never an error; a closed output is no file."""
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - as long as the process
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - as long as the process
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


if __name__ == "__main__":
    sys.exit(main())
