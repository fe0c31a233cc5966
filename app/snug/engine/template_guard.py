"""Runs a foreign chat template with limits: time, memory, sizes, and no way out of its sandbox."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import FrameType
from typing import Any, NoReturn, TypeVar

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

TEMPLATE_LIMIT_BYTES = 256 * 1024
OUTPUT_LIMIT_CHARACTERS = 4 * 1024 * 1024
DEADLINE_S = 2.0
COMPILE_DEADLINE_S = 6.0
"""Of processor time: a busy computer must not make a good template look like a bad one."""

STUCK_S = 60.0
"""Native code that the deadline cannot interrupt ends the child after so long."""

STUCK_EXIT_CODE = 77
_MEMORY_ROOM_BYTES = 512 * 1024 * 1024
_OPERAND_LIMIT = 1_000_000

Result = TypeVar("Result")


class TemplateRefused(Exception):
    """The template is too large, too slow, too greedy, broken, or said itself that it cannot do this."""


class GenerationTag(Extension):
    """`{% generation %}…{% endgeneration %}`, which marks answers for training: only its body counts here."""

    tags = {"generation"}  # noqa: RUF012 - the base class declares it so

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox, with arithmetic that cannot build giant values."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" and not (_is_small(left) and _is_small(right, 64)):
            raise TemplateRefused("a power of large numbers")
        if operator == "*" and max(_weight(left) * _weight(right), 0) > _OPERAND_LIMIT:
            raise TemplateRefused("a product that is too large")
        if operator == "%" and isinstance(left, str):
            raise TemplateRefused("text formatting with %")
        return super().call_binop(context, operator, left, right)


def _is_small(value: Any, limit: int = _OPERAND_LIMIT) -> bool:
    return isinstance(value, int | float) and abs(value) <= limit


def _weight(value: Any) -> int:
    """How much a factor can enlarge the other: a number counts itself, a sequence its length."""
    if isinstance(value, int | float):
        return 0 if value != value else int(min(abs(value), 1e18))
    return len(value) if hasattr(value, "__len__") else 1


def new_environment() -> ImmutableSandboxedEnvironment:
    """The environment that Hugging Face's chat templates expect."""
    environment = _Environment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, "jinja2.ext.do", GenerationTag]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(str(form)[:100])
    return environment


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    if indent is not None and not 0 <= indent <= 16:
        raise TemplateRefused("an indentation beyond reason")
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _raise_exception(message: object = "") -> NoReturn:
    raise TemplateRefused(f"the template says: {str(message)[:300]}")


def compile_template(source: str) -> jinja2.Template:
    """Raises TemplateRefused. Compiling folds constants, so it runs under the same limits as rendering."""
    if len(source.encode("utf-8", "replace")) > TEMPLATE_LIMIT_BYTES:
        raise TemplateRefused("it is larger than 256 KiB")
    return guarded(lambda: new_environment().from_string(source), COMPILE_DEADLINE_S)


def render(template: jinja2.Template, variables: dict[str, Any]) -> str:
    """The template's text. Raises TemplateRefused."""

    def run() -> str:
        parts, size = [], 0
        for part in template.generate(**variables):
            size += len(part)
            if size > OUTPUT_LIMIT_CHARACTERS:
                raise TemplateRefused("its output is larger than 4 MiB")
            parts.append(part)
        return "".join(parts)

    return guarded(run)


def guarded(work: Callable[[], Result], deadline_s: float = DEADLINE_S) -> Result:
    """Foreign template code, run with a deadline and a memory limit; every failure is TemplateRefused."""
    try:
        with _memory_limit(), _stuck_watch(), _deadline(deadline_s):
            return work()
    except TemplateRefused:
        raise
    except (MemoryError, RecursionError) as error:
        raise TemplateRefused(f"it asks for too much ({type(error).__name__})") from None
    except Exception as error:  # noqa: BLE001 - a template is a foreign program: whatever it raises is its own fault
        raise TemplateRefused(f"{type(error).__name__}: {str(error)[:300]}") from None


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """Raise TemplateRefused inside the running Python code once this thread has worked for so long."""
    end, own_end = time.monotonic() + seconds, time.thread_time() + seconds
    clock, own_clock = time.monotonic, time.thread_time  # the second is slow to ask

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if clock() > end and own_clock() > own_end:
            raise TemplateRefused(f"it takes longer than {seconds:.0f} seconds")
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


@contextmanager
def _stuck_watch() -> Iterator[None]:
    """End the process where a single native call never returns; the parent explains it by the exit code."""

    def end() -> None:
        os.write(2, b"the chat template never ended\n")
        os._exit(STUCK_EXIT_CODE)

    timer = threading.Timer(STUCK_S, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _memory_limit() -> Iterator[None]:
    """Let the address space grow by no more than half a gigabyte meanwhile; only Linux can do that."""
    if sys.platform != "linux":
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm", encoding="ascii") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    limit = now + _MEMORY_ROOM_BYTES
    if soft != resource.RLIM_INFINITY:
        limit = min(limit, soft)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
