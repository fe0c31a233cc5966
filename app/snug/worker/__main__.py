"""`python -m snug.worker`: a child process; it takes its protocol channel before anything else is imported."""

from __future__ import annotations

import sys

from snug.worker.channel import claim_channel


def main() -> int:
    """Answer requests until the parent goes; the exit code of the process."""
    channel = claim_channel()
    from snug.worker.loop import Loop  # after the channel is safe: imports may print

    return Loop(channel).run()


if __name__ == "__main__":
    sys.exit(main())
