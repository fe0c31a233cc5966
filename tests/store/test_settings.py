"""Settings: declared, validated, kept; a bad stored value is the default."""

from __future__ import annotations

import math
import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from snug.core.errors import UserError
from snug.core.settings import KINDS, SECTIONS, SETTINGS, checked_value, setting
from snug.store import Store

ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.lists(st.integers(), max_size=2)
)


@pytest.mark.parametrize("declared", SETTINGS, ids=lambda declared: declared.key)
def test_every_declaration_is_whole(declared: object) -> None:
    found = setting(declared.key)  # type: ignore[attr-defined]
    assert found is declared
    assert found.kind in KINDS
    assert checked_value(found, found.default) == found.default
    assert found.is_hidden or (found.title and found.explanation and found.section in SECTIONS)
    assert bool(found.choices) == (found.kind == "choice")


@given(declared=st.sampled_from(SETTINGS), value=ANYTHING)
def test_any_value_is_kept_as_declared_or_refused_in_words(declared: object, value: object) -> None:
    found = setting(declared.key)  # type: ignore[attr-defined]
    try:
        kept = checked_value(found, value)
    except UserError:
        return
    assert checked_value(found, kept) == kept
    if found.kind in ("int", "float"):
        assert isinstance(kept, int | float)
        assert math.isfinite(kept)
        assert found.minimum <= kept <= found.maximum


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("appearance.theme", "pink"),
        ("appearance.text_size", 74),
        ("appearance.text_size", 10**400),
        ("appearance.text_size", True),
        ("chat.temperature", float("nan")),
        ("chat.temperature", "hot"),
        ("chat.threads", 1.5),
        ("network.offline", 1),
        ("network.endpoint", "x\ny"),
        ("downloads.folder", "a\0b"),
        ("chat.system_prompt", "\ud800"),
        ("nothing.at.all", 1),
    ],
)
def test_a_bad_value_is_refused_and_the_old_one_stays(store: Store, key: str, value: object) -> None:
    before = store.settings.all()
    with pytest.raises(UserError):
        store.settings.set(key, value)
    assert store.settings.all() == before


def test_a_setting_stays_over_a_restart_and_can_be_reset(opened: Callable[[], Store]) -> None:
    store = opened()
    store.settings.set("appearance.theme", "dark")
    store.settings.set("chat.temperature", 1)
    store = opened()
    assert store.settings.get("appearance.theme") == "dark"
    assert store.settings.get("chat.temperature") == 1.0
    store.settings.reset("appearance.theme")
    assert opened().settings.get("appearance.theme") == "system"


def test_a_secret_never_reaches_the_database(store: Store) -> None:
    with pytest.raises(UserError):
        store.settings.set("network.token", "hf_secret")
    assert "network.token" not in store.settings.all()


@hypothesis_settings(
    max_examples=1000 if os.environ.get("SNUG_FULL_TESTS") == "1" else 15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(stored=st.lists(st.tuples(st.sampled_from([s.key for s in SETTINGS]), st.text(max_size=40)), max_size=5))
def test_garbage_among_the_stored_values_is_the_default(
    opened: Callable[[], Store], stored: list[tuple[str, str]]
) -> None:
    store = opened()
    for key, text in stored:
        store.database.raw.execute(
            "INSERT OR REPLACE INTO settings VALUES (?, ?)", (key, text.encode("utf-8", "replace"))
        )
    store = opened()
    for key, value in store.settings.all().items():
        assert checked_value(setting(key), value) == value
