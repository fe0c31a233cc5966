"""How a model's file was measured against its original: kept beside the database, by the file's hash."""

from __future__ import annotations

from pathlib import Path

from snug.store.kept_file import KeptFile

QUALITY_FILE = "measured_files.json"
THOUSAND = 1000


class FileQuality:
    """How many of 1,000 words a file chooses as its original does. Nothing here raises: it can be measured again."""

    def __init__(self, home: Path) -> None:
        self._file = KeptFile(home / QUALITY_FILE)

    def words_same(self, sha256: str) -> int | None:
        """Of 1,000; None for a file that was never measured."""
        found = self._file.all().get(sha256) if sha256 else None
        return found if isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= THOUSAND else None

    def record(self, sha256: str, words_same: int) -> None:
        """Keep what was measured last."""
        if sha256 and 0 <= words_same <= THOUSAND:
            self._file.put(sha256, words_same)
