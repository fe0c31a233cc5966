"""A child that speaks the protocol and then misbehaves: `python stub_child.py FAULT`.

The fault happens when the first request comes. It says "ready" as a real child does, unless the fault is in that.
"""

from __future__ import annotations

import os
import random
import signal
import struct
import sys
import time

import msgspec

from snug.worker import frames, protocol


def write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def frame(version: int, body: dict[str, object]) -> bytes:
    payload = msgspec.json.encode({"v": version, "id": 0, "body": body})
    return struct.pack(">I", len(payload)) + payload


def misbehave(fault: str) -> None:
    number = {"kill": 9, "segv": 11, "abort": 6, "bus": 7, "ill": 4}.get(fault)
    if number is not None:
        signal.signal(number, signal.SIG_DFL) if number != 9 else None
        os.kill(os.getpid(), number)
    elif fault == "hang":
        time.sleep(600)
    elif fault == "garbage":
        source = random.Random(7)
        for _ in range(10_000):
            junk = source.randbytes(source.randrange(1, 200))
            write(struct.pack(">I", len(junk)) + junk)
    elif fault == "huge":
        write(struct.pack(">I", 2**31))
        write(b"x" * 1_000_000)
    elif fault == "exit":
        sys.exit(3)
    elif fault == "out-of-memory":
        sys.stderr.write("ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 99999\n")
        sys.stderr.flush()
        os.kill(os.getpid(), 6)


def main(fault: str) -> None:
    if fault == "dead-at-start":
        sys.exit(1)
    if fault == "other-version":
        write(frame(99, {"type": "Hello", "of": "the future"}))
    else:
        write(frames.encode_event(0, protocol.Ready(version=protocol.PROTOCOL_VERSION, pid=os.getpid())))
    reader = frames.request_reader()
    while data := os.read(0, 65536):
        for _ in reader.feed(data):
            misbehave(fault)


if __name__ == "__main__":
    main(sys.argv[1])
