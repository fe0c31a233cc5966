"""The person's settings: stored values, validated, over the declared defaults."""

from __future__ import annotations

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert

from snug.core.errors import UserError
from snug.core.settings import SETTINGS, SettingValue, checked_value, setting
from snug.store.database import Database
from snug.store.schema import settings
from snug.store.values import to_json


class Settings:
    """Reads from memory, writes through. A stored value that is not valid any more counts as not set."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.read() as connection:
            stored = [(str(row.key), str(row.value)) for row in connection.execute(select(settings))]
        self._values = {}
        for key, text in stored:
            value = _valid(key, text)
            if value is not None:
                self._values[key] = value

    def get(self, key: str) -> SettingValue:
        """The value, or the default. Raises UserError for a key that is not declared."""
        declared = setting(key)
        return self._values.get(key, declared.default)

    def set(self, key: str, value: object) -> None:
        """Keep a value. Raises UserError that says what it must be; a secret is refused, it belongs in the keyring."""
        declared = setting(key)
        if declared.kind == "secret":
            raise UserError("This is kept in the keyring, not among the settings.", kind="secret", bad_input=True)
        checked = checked_value(declared, value)
        row = insert(settings).values(key=key, value=to_json(checked))
        with self._database.write() as connection:
            connection.execute(row.on_conflict_do_update(index_elements=["key"], set_={"value": row.excluded.value}))
        self._values[key] = checked

    def reset(self, key: str) -> None:
        """Back to the default."""
        setting(key)
        with self._database.write() as connection:
            connection.execute(delete(settings).where(settings.c.key == key))
        self._values.pop(key, None)

    def all(self) -> dict[str, SettingValue]:
        """Every declared setting with its value; secrets are left out."""
        return {declared.key: self.get(declared.key) for declared in SETTINGS if declared.kind != "secret"}


def _valid(key: str, text: str) -> SettingValue | None:
    try:
        return checked_value(setting(key), msgspec.json.decode(text))
    except (UserError, msgspec.DecodeError, UnicodeError, RecursionError):
        return None
