"""The access token: in the keyring where there is one, else for the session only, never in the database."""

from __future__ import annotations

import keyring
import keyring.backend
import keyring.errors
import pytest

from snug.core.errors import UserError
from snug.paths import Paths
from snug.store import open_store
from snug.ui.secrets import KEPT, SESSION_ONLY, SecretKeeper

KEY = "network.token"
TOKEN = "hf_abcdefghijklmnop"


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A keyring that keeps in memory and counts how often it is asked."""

    priority = 1

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.asked = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.asked += 1
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[(service, username)] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError


class NoKeyring(MemoryKeyring):
    """A computer without a keyring."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise keyring.errors.NoKeyringError


@pytest.fixture
def settings(tmp_path):
    store, _ = open_store(Paths(tmp_path))
    yield store.settings
    store.close()


@pytest.fixture
def use_keyring():
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


def test_a_token_is_kept_in_the_keyring_and_found_at_the_next_start(settings, use_keyring):
    use_keyring(MemoryKeyring())
    SecretKeeper(settings).keep(KEY, f" {TOKEN}\n")
    again = SecretKeeper(settings)
    assert again.state(KEY) == KEPT
    assert again.get(KEY) == TOKEN
    assert TOKEN not in str(settings.all())


def test_without_a_keyring_it_is_kept_for_the_session_and_said_so(settings, use_keyring):
    use_keyring(NoKeyring())
    secrets = SecretKeeper(settings)
    secrets.keep(KEY, TOKEN)
    assert secrets.state(KEY) == SESSION_ONLY
    assert secrets.get(KEY) == TOKEN
    assert SecretKeeper(settings).get(KEY) == ""


def test_the_keyring_is_not_asked_where_no_token_was_kept(settings, use_keyring):
    ring = MemoryKeyring()
    use_keyring(ring)
    secrets = SecretKeeper(settings)
    assert (secrets.get(KEY), secrets.state(KEY), ring.asked) == ("", "", 0)


def test_a_forgotten_token_is_gone_everywhere(settings, use_keyring):
    ring = MemoryKeyring()
    use_keyring(ring)
    secrets = SecretKeeper(settings)
    secrets.keep(KEY, TOKEN)
    secrets.forget(KEY)
    assert ring.kept == {}
    assert (secrets.get(KEY), secrets.state(KEY)) == ("", "")


@pytest.mark.parametrize("text", ["with space", "tab\tinside", "ünïcode", "x" * 501])
def test_what_cannot_be_a_token_is_refused(settings, use_keyring, text):
    use_keyring(MemoryKeyring())
    with pytest.raises(UserError):
        SecretKeeper(settings).keep(KEY, text)
