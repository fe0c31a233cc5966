"""The real child as a process: it dies with its parent, answers while it works, keeps its channel clean."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from snug.core.memory_need import other_bytes
from snug.formats.gguf_facts import facts_from_header
from snug.formats.gguf_header import read_file_header
from snug.worker import protocol
from snug.worker.client import ChildDied, WorkerClient
from snug.worker.environment import child_command, child_environment

Start = Callable[[], WorkerClient]
KILLS = 100 if os.environ.get("SNUG_FULL_TESTS") == "1" else 20
SHORT = protocol.Sampling(max_tokens=200, seed=1)

PARENT = """
import sys
from pathlib import Path
from snug.worker.client import WorkerClient
child = WorkerClient(Path(sys.argv[1]))
child.wait_ready()
print(child.pid, flush=True)
sys.stdin.read()
"""


def ask(child: WorkerClient, text: str, on_event: Callable[[protocol.Event], None] | None = None) -> str:
    parts: list[str] = []

    def listen(event: protocol.Event) -> None:
        if isinstance(event, protocol.Text):
            parts.append(event.text)
        if on_event is not None:
            on_event(event)

    message = protocol.ChatMessage(role="user", text=text)
    child.request(protocol.Generate(messages=[message], sampling=protocol.Sampling(temperature=0)), listen, timeout=60)
    return "".join(parts)


def ask_again_and_again(child: WorkerClient, text: str, on_event: Callable[[protocol.Event], None]) -> None:
    """A short answer may be complete before the kill arrives; the next one is not."""
    while True:
        ask(child, text, on_event)


def test_a_kill_in_mid_answer_is_explained_and_the_next_child_answers(start_child: Start, pip_path: str) -> None:
    for _ in range(KILLS):
        child = start_child()
        child.request(protocol.LoadModel(path=pip_path, context=512), timeout=60)

        def kill(event: protocol.Event, victim: WorkerClient = child) -> None:
            if isinstance(event, protocol.Text):
                victim.kill()

        with pytest.raises(ChildDied) as error:
            ask_again_and_again(child, "Tell me a story.", kill)
        assert error.value.kind == "killed"
    child = start_child()
    child.request(protocol.LoadModel(path=pip_path, context=512), timeout=60)
    assert "Paris" in ask(child, "What is the capital of France?")


@pytest.mark.skipif(sys.platform == "win32", reason="ends by job object there")
def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        child.wait(timeout=20)


def test_the_end_of_input_ends_a_child_at_once(tmp_path: Path) -> None:
    finished = subprocess.run(
        child_command(), stdin=subprocess.DEVNULL, capture_output=True, env=child_environment(), timeout=60, check=False
    )
    assert finished.returncode == 0


def test_bytes_that_are_no_message_end_the_child_with_its_own_code() -> None:
    junk = struct.pack(">I", 5) + b"junk!"
    finished = subprocess.run(
        child_command(), input=junk, capture_output=True, env=child_environment(), timeout=60, check=False
    )
    assert finished.returncode == 76


def test_a_ping_is_answered_while_an_answer_is_written(start_child: Start, pip_path: str) -> None:
    child = start_child()
    child.request(protocol.LoadModel(path=pip_path, context=1024), timeout=60)
    numbers: dict[str, int] = {}
    order: list[str] = []
    story = protocol.ChatMessage(role="user", text="Tell me a story.")
    # Two answers are queued; the ping, sent last, must be answered before the second one is done.
    numbers["first"] = child.send(protocol.Generate(messages=[story], sampling=SHORT))
    numbers["second"] = child.send(protocol.Generate(messages=[story], sampling=SHORT))
    numbers["ping"] = child.send(protocol.Ping())
    names = {number: name for name, number in numbers.items()}
    while len(order) < 3:
        frame = child.next_frame(timeout=60)
        if isinstance(frame.body, protocol.FINAL_EVENTS) and frame.id in names:
            order.append(names[frame.id])
    assert order.index("ping") < order.index("second")


def test_twenty_requests_at_once_are_answered_one_by_one_by_the_same_child(start_child: Start, pip_path: str) -> None:
    child = start_child()
    child.request(protocol.LoadModel(path=pip_path, context=512), timeout=60)
    question = protocol.ChatMessage(role="user", text="What is the capital of France?")
    greedy = protocol.Sampling(temperature=0, max_tokens=20)
    numbers = [child.send(protocol.Generate(messages=[question], sampling=greedy)) for _ in range(20)]
    answered = []
    while len(answered) < len(numbers):
        frame = child.next_frame(timeout=60)
        if isinstance(frame.body, protocol.FINAL_EVENTS):
            assert isinstance(frame.body, protocol.GenerationDone)
            answered.append(frame.id)
    assert answered == numbers


def test_a_job_that_waits_can_be_cancelled_before_it_starts(start_child: Start, pip_path: str) -> None:
    child = start_child()
    child.request(protocol.LoadModel(path=pip_path, context=1024), timeout=60)
    story = protocol.ChatMessage(role="user", text="Tell me a story.")
    first = child.send(protocol.Generate(messages=[story], sampling=SHORT))
    second = child.send(protocol.Generate(messages=[story], sampling=SHORT))
    child.cancel(second)
    finals: dict[int, protocol.Event] = {}
    while len(finals) < 2:
        frame = child.next_frame(timeout=60)
        if isinstance(frame.body, protocol.FINAL_EVENTS):
            finals[frame.id] = frame.body
    assert isinstance(finals[first], protocol.GenerationDone)
    assert isinstance(finals[second], protocol.Cancelled | protocol.GenerationDone)


def test_a_cancelled_answer_ends_as_stopped_with_what_was_written(start_child: Start, pip_path: str) -> None:
    child = start_child()
    child.request(protocol.LoadModel(path=pip_path, context=1024), timeout=60)
    message = protocol.ChatMessage(role="user", text="Tell me a story. " * 40)

    def stop(event: protocol.Event) -> None:
        if isinstance(event, protocol.GenerationStarted):
            child.cancel()

    done = child.request(protocol.Generate(messages=[message]), stop, timeout=60)
    assert isinstance(done, protocol.GenerationDone)
    assert done.reason in ("stopped", "end")
    assert "Paris" in ask(child, "What is the capital of France?")


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_a_child_is_given_nothing_but_its_three_descriptors(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.set_inheritable(reading, True)
    with WorkerClient(tmp_path, pass_fds=(reading,)) as child:
        child.wait_ready()
        names = [os.readlink(f"/proc/{child.pid}/fd/{number}") for number in os.listdir(f"/proc/{child.pid}/fd")]
        own = os.readlink(f"/proc/self/fd/{reading}")
    os.close(reading)
    os.close(writing)
    assert own not in names


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_the_kernel_ends_a_child_before_the_window_and_it_leaves_no_core_dump(start_child: Start) -> None:
    child = start_child()
    child.wait_ready()
    assert Path(f"/proc/{child.pid}/oom_score_adj").read_text().strip() == "500"
    limits = Path(f"/proc/{child.pid}/limits").read_text()
    core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]


def test_what_native_code_prints_does_not_reach_the_channel() -> None:
    program = (
        "from snug.worker.channel import claim_channel\n"
        "channel = claim_channel()\n"
        "import os; os.write(1, b'printed by native code'); os.write(channel.write, b'message')\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True
    )
    assert finished.stdout == b"message"
    assert b"printed by native code" in finished.stderr


def test_a_child_imports_nothing_heavy_before_it_is_asked() -> None:
    program = (
        "import sys; import snug.worker.loop\n"
        "heavy = {'llama_cpp', 'numpy', 'huggingface_hub', 'PySide6', 'sqlalchemy', 'jinja2', 'httpx2'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert finished.stdout.strip() == "[]"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's own memory from a file's")
def test_a_child_takes_as_much_beside_the_models_buffers_as_the_estimate_says(
    start_child: Start, pip_path: str
) -> None:
    loaded = start_child().request(protocol.LoadModel(path=pip_path, context=256), timeout=60)
    assert isinstance(loaded, protocol.ModelLoaded)
    estimated = other_bytes(facts_from_header(read_file_header(Path(pip_path))))
    assert loaded.devices[0].other == pytest.approx(estimated, abs=16_000_000)
