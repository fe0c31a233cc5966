"""What was last read about this computer, and what the person corrected by hand."""

from __future__ import annotations

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert

from snug.core.machine import Machine
from snug.core.speed_test import SpeedTest
from snug.store.database import Database
from snug.store.schema import machine
from snug.store.values import to_json

LAST = "last"
NOTED = "noted"
CORRECTION = "correction."
SPEED_TEST = "speed-test"


class MachineMemory:
    """The last reading shows figures at once at the next start, before the hardware has been read again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last(self) -> Machine | None:
        """The last reading; None where there is none or it cannot be read any more."""
        return self._machine(LAST)

    def remember(self, reading: Machine) -> None:
        """Keep a reading for the next start. What changes from the first one on is news, until it is noted."""
        if self.noted() is None:
            self.note(self.last() or reading)
        self._put(LAST, to_json(reading))

    def speed_test(self) -> SpeedTest | None:
        """The last speed test; None where there is none or it cannot be read any more."""
        with self._database.read() as connection:
            text = connection.scalar(select(machine.c.value).where(machine.c.key == SPEED_TEST))
        try:
            return None if text is None else msgspec.json.decode(text, type=SpeedTest)
        except (msgspec.DecodeError, UnicodeError):
            return None

    def remember_speed_test(self, test: SpeedTest) -> None:
        """Keep what a speed test found."""
        self._put(SPEED_TEST, to_json(test))

    def noted(self) -> Machine | None:
        """The reading up to which the person knows what changed; None before the first reading."""
        return self._machine(NOTED)

    def note(self, reading: Machine) -> None:
        """The person knows of every change up to this reading."""
        self._put(NOTED, to_json(reading))

    def corrections(self) -> dict[str, object]:
        """The person's figures by their dotted names, such as "memory.bandwidth"."""
        with self._database.read() as connection:
            rows = [(str(row.key), str(row.value)) for row in connection.execute(select(machine))]
        found: dict[str, object] = {}
        for key, text in rows:
            if key.startswith(CORRECTION):
                try:
                    found[key.removeprefix(CORRECTION)] = msgspec.json.decode(text)
                except (msgspec.DecodeError, UnicodeError):
                    continue
        return found

    def set_correction(self, key: str, value: object) -> None:
        """Keep a figure of the person's; None takes it back."""
        if value is None:
            with self._database.write() as connection:
                connection.execute(delete(machine).where(machine.c.key == CORRECTION + key))
        else:
            self._put(CORRECTION + key, to_json(value))

    def _put(self, key: str, text: str) -> None:
        row = insert(machine).values(key=key, value=text)
        with self._database.write() as connection:
            connection.execute(row.on_conflict_do_update(index_elements=["key"], set_={"value": row.excluded.value}))

    def _machine(self, key: str) -> Machine | None:
        with self._database.read() as connection:
            text = connection.scalar(select(machine.c.value).where(machine.c.key == key))
        try:
            return None if text is None else msgspec.json.decode(text, type=Machine)
        except (msgspec.DecodeError, UnicodeError):
            return None
