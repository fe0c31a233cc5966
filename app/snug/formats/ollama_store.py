"""Reads Ollama's store: manifests that name models, and blobs that hold them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePath

LARGEST_MANIFEST_BYTES = 1024 * 1024
MODEL_LAYER = "application/vnd.ollama.image.model"
OWN_REGISTRY = ("registry.ollama.ai", "library")

_DIGEST = re.compile(r"sha256[:-]([0-9a-f]{64})", re.ASCII)


class BadManifest(Exception):
    """A manifest that names no usable model file; the message says why, in words."""


@dataclass(frozen=True, slots=True)
class ModelBlob:
    """The layer that holds the model: its SHA-256 in hexadecimal and its size in bytes as the manifest says."""

    sha256: str
    size_bytes: int

    @property
    def file_names(self) -> tuple[str, str]:
        """How the blob's file may be called: Ollama wrote a colon until early 2024."""
        return f"sha256-{self.sha256}", f"sha256:{self.sha256}"


def model_name(manifest: PurePath) -> str:
    """The name that Ollama shows for a manifest's path below `manifests`: "llama3.2:3b", "hf.co/owner/repo:Q4_K_M".

    Raises BadManifest where the path is no name.
    """
    parts = manifest.parts
    if len(parts) < 3:
        raise BadManifest("its place in Ollama's folder says no name")
    *names, tag = parts
    if tuple(names[:2]) == OWN_REGISTRY:
        names = names[2:]
    elif names[0] == OWN_REGISTRY[0]:
        names = names[1:]
    if not names:
        raise BadManifest("its place in Ollama's folder says no name")
    return f"{'/'.join(names)}:{tag}"


def parse_manifest(data: bytes) -> ModelBlob:
    """The model layer of a manifest. Raises BadManifest."""
    if len(data) > LARGEST_MANIFEST_BYTES:
        raise BadManifest("it is larger than any manifest of Ollama")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadManifest("it is not readable as JSON") from error
    layers = document.get("layers") if isinstance(document, dict) else None
    if not isinstance(layers, list):
        raise BadManifest("it lists no layers")
    models = [layer for layer in layers if isinstance(layer, dict) and layer.get("mediaType") == MODEL_LAYER]
    if not models:
        raise BadManifest("it holds no model file that can be used here (it may run in Ollama's cloud)")
    if len(models) > 1:
        raise BadManifest("the model is split into several files of Ollama's own")
    digest, size = models[0].get("digest"), models[0].get("size")
    match = _DIGEST.fullmatch(digest) if isinstance(digest, str) else None
    if not match:
        raise BadManifest("the name of its model file is not one that Ollama writes")
    if isinstance(size, bool) or not isinstance(size, int) or not 0 < size < 2**50:
        raise BadManifest("the size of its model file makes no sense")
    return ModelBlob(match.group(1), size)


def blob_file(store: Path, blob: ModelBlob) -> Path:
    """The file that holds the blob, complete and in the store itself. Raises BadManifest."""
    for name in blob.file_names:
        path = store / "blobs" / name
        try:
            if path.is_file() and path.resolve().parent == (store / "blobs").resolve():
                if path.stat().st_size != blob.size_bytes:
                    raise BadManifest("its model file has another size than Ollama wrote down")
                return path
        except OSError as error:
            raise BadManifest(f"its model file cannot be read ({error.strerror or error})") from error
    raise BadManifest("its model file is not there, or not completely downloaded")
