"""The door to huggingface_hub: imported late, after its environment was set; it never retries by itself."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import httpx2

from snug.core.errors import UserError
from snug.hub import failures
from snug.hub.network import Guard, open_client
from snug.hub.patience import DEFAULT_PATIENCE, Patience
from snug.hub.remote import Access
from snug.paths import user_paths

if TYPE_CHECKING:
    from huggingface_hub import HfApi

Result = TypeVar("Result")


def prepare_environment() -> None:
    """Set what huggingface_hub reads when it is imported: no telemetry, no token of its own, a cache of ours."""
    os.environ |= {
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        "HF_HOME": str(user_paths().cache / "hub"),
    }
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DEBUG"):
        os.environ.pop(name, None)


@contextmanager
def open_api(access: Access, patience: Patience = DEFAULT_PATIENCE) -> Iterator[HfApi]:
    """The library's client for `access`. Whatever goes wrong inside the block comes out as UserError."""
    if access.offline:
        raise failures.offline()
    guard = Guard(access)
    prepare_environment()
    from huggingface_hub import HfApi

    _library_client.become(access, patience)
    try:
        yield HfApi(endpoint=access.endpoint, token=access.token or False)
    except UserError:
        raise
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        raise guard.explain(error) from error
    except (TypeError, KeyError, ValueError, AttributeError, RecursionError) as error:
        # what the library raises where the JSON is not what it expects
        raise failures.bad_answer(failures.host_of(access.endpoint), f"{type(error).__name__}: {error}") from error


class _LibraryClient:
    """The one HTTP client that the library keeps for the whole process.

    It stays open while the way to the Hub stays the same: a search that was left behind in its thread must not
    close the client under the next one.
    """

    def __init__(self) -> None:
        self._made_for: tuple[Access, Patience] | None = None
        self._lock = threading.Lock()

    def become(self, access: Access, patience: Patience) -> None:
        """Make the library use a client for `access`; the old one is closed."""
        from huggingface_hub import set_client_factory

        with self._lock:
            if self._made_for != (access, patience):
                set_client_factory(lambda: open_client(access, patience))
                self._made_for = (access, patience)


_library_client = _LibraryClient()


def wait_for(
    work: Callable[[], Result], *, patience: Patience, still_waiting: Callable[[], None], check: Callable[[], None]
) -> Result:
    """What `work` gives, done beside the caller, who is told once that it takes long and can stop by raising.

    `check` is called many times a second; what it raises ends the waiting at once.
    """
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - carried to the caller, who raises it
            errors.append(error)

    thread = threading.Thread(target=run, name="hub", daemon=True)
    thread.start()
    began, was_told = time.monotonic(), False
    while thread.is_alive():
        thread.join(0.05)
        check()
        if time.monotonic() - began >= patience.hint_s and not was_told and thread.is_alive():
            was_told = True
            still_waiting()
    if errors:
        raise errors[0]
    return results[0]
