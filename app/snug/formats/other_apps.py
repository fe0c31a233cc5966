"""Finds the models that other apps keep on this computer, to be used in place without copying."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from snug.formats import app_folders, ollama_store
from snug.formats.app_folders import Home
from snug.formats.folder_walk import (
    SPLIT_NAME,
    FolderWalk,
    display_name,
    is_gguf_name,
    is_projector_name,
    parts_of,
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that looks like a model: its name for people, the app that keeps it, all its parts, bytes together."""

    name: str
    path: Path
    app: str
    parts: tuple[Path, ...]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class App:
    """One app: its name, where it may keep models, and how they are found below such a folder."""

    name: str
    folders: Callable[[Home], list[Path]]
    find: Callable[[Path, FolderWalk], Iterator[tuple[str, Path]]]


@dataclass(frozen=True, slots=True)
class Scan:
    """What was found; `skipped` is (path, why), `looked_in` (app, folder) of the folders that exist."""

    found: tuple[Candidate, ...]
    skipped: tuple[tuple[str, str], ...]
    looked_in: tuple[tuple[str, str], ...]


def find_files(root: Path, walk: FolderWalk) -> Iterator[tuple[str, Path]]:
    """(name, file) of every model file below a folder; of a split model the first part."""
    for path in walk.files(root, is_gguf_name):
        if is_projector_name(path.name):
            continue
        split = SPLIT_NAME.match(path.name)
        if not split or int(split["part"]) == 1:
            yield display_name(path), path


def find_ollama(root: Path, walk: FolderWalk) -> Iterator[tuple[str, Path]]:
    """(name and tag, blob) of every model in an Ollama store."""
    manifests = root / "manifests"
    if not os.path.isdir(manifests):
        return
    for path in walk.files(manifests, lambda name: not name.startswith(".")):
        try:
            if path.stat().st_size > ollama_store.LARGEST_MANIFEST_BYTES:
                raise ollama_store.BadManifest("it is larger than any manifest of Ollama")
            name = ollama_store.model_name(path.relative_to(manifests))
            yield name, ollama_store.blob_file(root, ollama_store.parse_manifest(path.read_bytes()))
        except ollama_store.BadManifest as reason:
            walk.skip(path, str(reason))
        except OSError as error:
            walk.skip(path, f"the manifest cannot be read ({error.strerror or error})")


def find_jan(root: Path, walk: FolderWalk) -> Iterator[tuple[str, Path]]:
    """(name, file) of every model that a model.yml below Jan's data folder names, then files without one."""
    named = set()
    for models in (root / "llamacpp" / "models", root / "models"):
        if not os.path.isdir(models):
            continue
        for path in walk.files(models, lambda name: name == "model.yml"):
            model = app_folders.jan_model(app_folders.read_small(path), root)
            if model is None:
                walk.skip(path, "it names no model file below Jan's folder")
                continue
            name, file = model
            if not is_gguf_name(file.name) or not os.path.isfile(file):
                walk.skip(path, "the model file that it names is not there")
                continue
            named.add(os.path.realpath(file))
            yield name or display_name(file), file
        for name, file in find_files(models, walk):
            if os.path.realpath(file) not in named:
                yield name, file


APPS = (
    App("LM Studio", app_folders.lm_studio_folders, find_files),
    App("Ollama", app_folders.ollama_folders, find_ollama),
    App("Jan", app_folders.jan_folders, find_jan),
    App("GPT4All", app_folders.gpt4all_folders, find_files),
    App("llama.cpp", app_folders.llama_cpp_folders, find_files),
    App("Hugging Face cache", app_folders.hugging_face_folders, find_files),
)


def scan(home: Home, extra: Iterable[Path] = (), walk: FolderWalk | None = None) -> Scan:
    """The models of all known apps and below the `extra` folders, each file once, the first app that has it named."""
    walk = walk or FolderWalk()
    chosen = App("folder", lambda _: list(extra), find_files)
    found: dict[str, Candidate] = {}
    looked_in = []
    for app in (*APPS, chosen):
        for folder in app.folders(home):
            if not _is_folder(folder, walk):
                continue
            looked_in.append((app.name, str(folder)))
            for name, path in app.find(folder, walk):
                candidate = _candidate(name, path, app.name, walk)
                if candidate:
                    found.setdefault(os.path.realpath(path), candidate)
    return Scan(tuple(found.values()), tuple(dict.fromkeys(walk.skipped)), tuple(looked_in))


def _candidate(name: str, path: Path, app: str, walk: FolderWalk) -> Candidate | None:
    try:
        parts = parts_of(path)
        size = sum(part.stat().st_size for part in parts)
    except FileNotFoundError as missing:
        walk.skip(path, f"a part of it is missing: {missing}")
        return None
    except OSError as error:
        walk.skip(path, f"the file cannot be read ({error.strerror or error})")
        return None
    return Candidate(name, path, app, parts, size)


def _is_folder(folder: Path, walk: FolderWalk) -> bool:
    try:
        return folder.is_dir()
    except PermissionError:
        walk.skip(folder, "this account may not look into it")
    except (OSError, ValueError):
        pass
    return False
