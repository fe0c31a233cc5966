"""Where Snug keeps its files: everything below one folder, SNUG_HOME or the platform's own place."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs


@dataclass(frozen=True, slots=True)
class Paths:
    """All folders and files below `home`; nothing is created until it is needed."""

    home: Path

    @property
    def database(self) -> Path:
        return self.home / "snug.db"

    @property
    def backups(self) -> Path:
        return self.home / "backups"

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def cache(self) -> Path:
        return self.home / "cache"

    @property
    def headers(self) -> Path:
        return self.cache / "headers"

    @property
    def first_look(self) -> Path:
        return self.home / "first_look.json"

    @property
    def lock(self) -> Path:
        return self.home / "snug.lock"


def user_paths() -> Paths:
    """The paths of this person: SNUG_HOME where it is set, else the platform's folder for application data."""
    chosen = os.environ.get("SNUG_HOME")
    return Paths(Path(chosen).absolute() if chosen else Path(platformdirs.user_data_dir("Snug", appauthor=False)))


def resources_folder() -> Path:
    """The folder with QML, icons, catalogue and Pip: beside the package when installed, else the checkout's."""
    installed = Path(__file__).parent / "resources"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "resources"
