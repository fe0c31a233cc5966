"""Snug's two commands: `dev.py run` opens the app, `dev.py test` checks everything; both set up what they need."""

import os
import shutil
import subprocess
import sys

OLDEST, NEWEST = (3, 11), (3, 13)
USAGE = """usage: python3 packaging/dev.py run  [--install-system] [arguments of snug]
       python3 packaging/dev.py test [--install-system] [--full] [arguments of pytest]

run    set Snug up on first use, then open it; anything after `run` goes to snug (run machine --json)
test   set Snug up on first use, then run every check and all tests; --full adds the long campaigns
--install-system   install the system packages that are missing (asks once in a terminal)"""


def main(arguments: list) -> int:
    """The exit status of one of the two commands."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        return run_with_a_fitting_python(arguments)
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from devtool import commands

    if arguments[:1] == ["run"]:
        return commands.run(arguments[1:])
    if arguments[:1] == ["test"]:
        return commands.test(arguments[1:])
    asked_for_help = arguments[:1] in (["-h"], ["--help"])
    print(USAGE, file=sys.stdout if asked_for_help else sys.stderr)
    return 0 if asked_for_help else 2


def run_with_a_fitting_python(arguments: list) -> int:
    """This Python is too old or too new: hand over to another one on this computer, or say what to install."""
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        other = shutil.which(f"python3.{minor}")
        if other and subprocess.call([other, "-c", "import venv"], stderr=subprocess.DEVNULL) == 0:
            return subprocess.call([other, os.path.abspath(__file__), *arguments])
    print(
        f"Snug needs Python 3.11, 3.12 or 3.13; this is {sys.version.split()[0]} and no other was found. "
        "Install one of them and start this command with it.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
