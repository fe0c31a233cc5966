"""Serve the test Hub until Ctrl-C, for trying the window by hand: HF_ENDPOINT=… snug."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path

from tests.hub.content import sample_repositories
from tests.hub.faults import KINDS, Fault
from tests.hub.server import Hub


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.hub", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--slow", type=int, default=0, metavar="BYTES_PER_S", help="limit each connection")
    parser.add_argument("--pad", type=int, default=0, metavar="BYTES", help="make each catalogue file that large")
    parser.add_argument("--log", type=Path, help="append each request to this file as a JSON line")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="KIND[:AT[:WHERE]]", help=f"one of {', '.join(KINDS)}"
    )
    arguments = parser.parse_args()
    hub = Hub(sample_repositories(arguments.pad), port=arguments.port, rate=arguments.slow, log_file=arguments.log)
    for text in arguments.fault:
        hub.faults.add(read_fault(text))
    with hub:
        print(f"HF_ENDPOINT={hub.endpoint}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("stopped")


def read_fault(text: str) -> Fault:
    """A fault as the command line gives it: its kind, its offset, and where it strikes."""
    kind, at, where = (*text.split(":"), "", "")[:3]
    number = int(at or "0")
    return Fault(kind, at=number, rate=number, status=number or 500, where=where or "cdn")


if __name__ == "__main__":
    main()
