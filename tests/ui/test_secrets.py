"""The access token: in the keyring where there is one, else for the session only, never in the database.

The keyring is asked by a real child; its backend here is a file, or none.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from snug.core.errors import UserError
from snug.paths import Paths
from snug.store import Store, open_store
from snug.ui.child_requests import ChildRequests
from snug.ui.children import Children
from snug.ui.secrets import KEPT, SESSION_ONLY, SecretKeeper

KEY = "network.token"
TOKEN = "hf_abcdefghijklmnop"
WAIT_MS = 20_000

FILE_KEYRING = """
import json, pathlib
import keyring.backend, keyring.errors

PLACE = pathlib.Path(__file__).with_name("kept.json")

class FileKeyring(keyring.backend.KeyringBackend):
    priority = 1
    def _all(self):
        return json.loads(PLACE.read_text()) if PLACE.exists() else {}
    def get_password(self, service, name):
        return self._all().get(service + "/" + name)
    def set_password(self, service, name, secret):
        PLACE.write_text(json.dumps(self._all() | {service + "/" + name: secret}))
    def delete_password(self, service, name):
        kept = self._all()
        if kept.pop(service + "/" + name, None) is None:
            raise keyring.errors.PasswordDeleteError
        PLACE.write_text(json.dumps(kept))
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened, _ = open_store(Paths(tmp_path / "home"))
    yield opened
    opened.close()


@pytest.fixture
def make_keeper(
    qapp: QGuiApplication, qtbot: QtBot, store: Store, tmp_path: Path
) -> Iterator[Callable[[], SecretKeeper]]:
    """Makes the keeper of a start of Snug; each has a child of its own."""
    children = Children(tmp_path / "logs")

    def make() -> SecretKeeper:
        requests = ChildRequests(partial(children.make, "keyring"), children)
        return SecretKeeper(store.settings, requests, children)

    yield make
    children.kill_all()


@pytest.fixture
def kept_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file behind a keyring that works, asked without haste."""
    monkeypatch.setattr("snug.ui.secrets.PATIENCE_MS", 60_000)
    (tmp_path / "file_keyring.py").write_text(FILE_KEYRING)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "file_keyring.FileKeyring")
    return tmp_path / "kept.json"


@pytest.fixture
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")


def test_a_token_is_kept_in_the_keyring_and_found_at_the_next_start(make_keeper, kept_file, qtbot):
    keeper = make_keeper()
    with qtbot.waitSignal(keeper.changed, timeout=WAIT_MS):
        keeper.keep(KEY, f" {TOKEN}\n")
    assert (keeper.state(KEY), keeper.get(KEY)) == (KEPT, TOKEN)
    again = make_keeper()
    assert again.get(KEY) == ""
    with qtbot.waitCallback(timeout=WAIT_MS) as then:
        again.load(KEY, then)
    assert again.get(KEY) == TOKEN


def test_without_a_keyring_it_is_kept_for_the_session_and_said_so(make_keeper, no_keyring, qtbot):
    keeper = make_keeper()
    keeper.keep(KEY, TOKEN)
    qtbot.waitUntil(lambda: not keeper._keyring.is_busy, timeout=WAIT_MS)
    assert (keeper.state(KEY), keeper.get(KEY)) == (SESSION_ONLY, TOKEN)
    assert make_keeper().get(KEY) == ""


def test_the_keyring_is_not_asked_where_nothing_was_kept(make_keeper):
    keeper = make_keeper()
    went_on = []
    keeper.load(KEY, lambda: went_on.append(True))
    assert (went_on, keeper._keyring.is_busy) == ([True], False)


def test_a_forgotten_token_is_gone_everywhere(make_keeper, kept_file, qtbot):
    keeper = make_keeper()
    with qtbot.waitSignal(keeper.changed, timeout=WAIT_MS):
        keeper.keep(KEY, TOKEN)
    keeper.forget(KEY)
    assert (keeper.state(KEY), keeper.get(KEY)) == ("", "")
    qtbot.waitUntil(lambda: TOKEN not in kept_file.read_text(), timeout=WAIT_MS)


@pytest.mark.parametrize("text", ["hf_with space", "hf_ünïcode", "x" * 501])
def test_what_cannot_be_a_token_is_refused(make_keeper, text):
    with pytest.raises(UserError):
        make_keeper().keep(KEY, text)


def test_the_database_never_holds_the_token(make_keeper, kept_file, qtbot, tmp_path):
    keeper = make_keeper()
    with qtbot.waitSignal(keeper.changed, timeout=WAIT_MS):
        keeper.keep(KEY, TOKEN)
    with closing(sqlite3.connect(tmp_path / "home" / "snug.db")) as connection:
        assert TOKEN not in "\n".join(connection.iterdump())
    assert not any(TOKEN.encode() in path.read_bytes() for path in (tmp_path / "logs").iterdir())
