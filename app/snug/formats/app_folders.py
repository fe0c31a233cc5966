"""Where other apps keep their models on each system, by their defaults, variables and settings files."""

from __future__ import annotations

import json
import ntpath
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

LARGEST_SETTINGS_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Home:
    """A person's home folder, environment variables and system: "linux", "darwin" or "win32"."""

    folder: Path = field(default_factory=Path.home)
    variables: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    system: str = sys.platform
    shared: Path = Path("/usr/share")

    def chosen(self, variable: str) -> Path | None:
        """The folder that an environment variable names, if it does."""
        value = self.variables.get(variable, "").strip()
        return Path(value).expanduser() if value else None

    @property
    def data(self) -> Path:
        """Where apps keep data: ~/.local/share, Application Support or %APPDATA%."""
        if self.system == "darwin":
            return self.folder / "Library" / "Application Support"
        if self.system == "win32":
            return self.chosen("APPDATA") or self.folder / "AppData" / "Roaming"
        return self.chosen("XDG_DATA_HOME") or self.folder / ".local" / "share"

    @property
    def local_data(self) -> Path:
        """As `data`, but %LOCALAPPDATA% on Windows."""
        if self.system == "win32":
            return self.chosen("LOCALAPPDATA") or self.folder / "AppData" / "Local"
        return self.data

    @property
    def config(self) -> Path:
        """Where apps keep settings: ~/.config, Application Support or %APPDATA%."""
        return self.data if self.system != "linux" else self.chosen("XDG_CONFIG_HOME") or self.folder / ".config"

    @property
    def cache(self) -> Path:
        return self.chosen("XDG_CACHE_HOME") or self.folder / ".cache"


def lm_studio_folders(home: Home) -> list[Path]:
    """LM Studio: its home folder (which a pointer file may name), the older one, and the folder in its settings."""
    pointed = _first_line(home.folder / ".lmstudio-home-pointer")
    homes = [Path(pointed)] if pointed else []
    homes += [home.folder / ".lmstudio", home.folder / ".cache" / "lm-studio"]
    folders = [place / "models" for place in homes]
    for settings in (*(place / "settings.json" for place in homes), home.config / "LM Studio" / "settings.json"):
        chosen = _json_text(settings, "downloadsFolder")
        if chosen:
            folders.append(Path(chosen))
    return _distinct(folders)


def ollama_folders(home: Home) -> list[Path]:
    """Ollama: OLLAMA_MODELS, the person's own store, and that of the system's service on Linux."""
    folders = [home.chosen("OLLAMA_MODELS"), home.folder / ".ollama" / "models"]
    if home.system == "linux":
        folders += [home.shared / "ollama" / ".ollama" / "models", Path("/var/lib/ollama/models")]
    return _distinct(folders)


def jan_folders(home: Home) -> list[Path]:
    """Jan's data folders: the one in its settings, the present default, Flatpak's, and the old ~/jan."""
    app = home.data / "Jan"
    chosen = _json_text(app / "settings.json", "data_folder")
    flatpak = home.folder / ".var" / "app" / "ai.jan.Jan" / "data" / "Jan" / "data"
    return _distinct([Path(chosen) if chosen else None, app / "data", flatpak, home.folder / "jan"])


def gpt4all_folders(home: Home) -> list[Path]:
    """GPT4All: the folder in its settings, its default place, and Flatpak's."""
    settings = home.folder / ".config" if home.system == "darwin" else home.config
    chosen = _ini_text(settings / "nomic.ai" / "GPT4All.ini", "modelPath")
    flatpak = home.folder / ".var" / "app" / "io.gpt4all.gpt4all" / "data" / "nomic.ai" / "GPT4All"
    return _distinct([Path(chosen) if chosen else None, home.local_data / "nomic.ai" / "GPT4All", flatpak])


def llama_cpp_folders(home: Home) -> list[Path]:
    """llama.cpp's own download cache."""
    usual = {"darwin": home.folder / "Library" / "Caches", "win32": home.local_data}.get(home.system, home.cache)
    return _distinct([home.chosen("LLAMA_CACHE"), usual / "llama.cpp"])


def hugging_face_folders(home: Home) -> list[Path]:
    """The Hugging Face library's cache of models."""
    chosen = home.chosen("HF_HUB_CACHE") or home.chosen("HUGGINGFACE_HUB_CACHE")
    base = home.chosen("HF_HOME")
    return _distinct([chosen, base / "hub" if base else None, home.cache / "huggingface" / "hub"])


def jan_model(text: str, data_folder: Path) -> tuple[str, Path] | None:
    """(name, model file) of a Jan model.yml; None where it names no file that belongs to it.

    The path is either below Jan's data folder or, for a model used in place, a whole path of its own.
    """
    values = dict(
        re.findall(r"^(name|model_path):[ \t]*(\S[^\r\n]*?)[ \t]*$", text[:LARGEST_SETTINGS_BYTES], re.MULTILINE)
    )
    value = values.get("model_path", "").strip("\"'")
    if not value or not value.isprintable():
        return None
    path = Path(value)
    if not path.is_absolute() and not ntpath.isabs(value):
        parts = re.split(r"[/\\]", value)
        if ".." in parts:
            return None
        path = data_folder.joinpath(*parts)
    return values.get("name", "").strip("\"'"), path


def read_small(path: Path) -> str:
    """The text of a small file, "" where it is not there, not readable or too large."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_SETTINGS_BYTES:
            return ""
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _first_line(path: Path) -> str:
    lines = read_small(path).strip().splitlines()
    return lines[0].strip() if lines and _is_path(lines[0].strip()) else ""


def _json_text(path: Path, key: str) -> str:
    try:
        document = json.loads(read_small(path) or "{}")
    except (ValueError, RecursionError):
        return ""
    value = document.get(key) if isinstance(document, dict) else None
    return value.strip() if isinstance(value, str) and _is_path(value.strip()) else ""


def _ini_text(path: Path, key: str) -> str:
    match = re.search(rf"^{key}=(.+?)\s*$", read_small(path), re.MULTILINE)
    value = match.group(1).strip('"').replace("\\\\", "\\") if match else ""
    return value if _is_path(value) else ""


def _is_path(value: str) -> bool:
    """A whole path that a person could have chosen; a relative one would depend on where Snug was started."""
    return value.isprintable() and 0 < len(value) < 4096 and (os.path.isabs(value) or ntpath.isabs(value))


def _distinct(folders: Iterable[Path | None]) -> list[Path]:
    return list(dict.fromkeys(folder for folder in folders if folder is not None))
