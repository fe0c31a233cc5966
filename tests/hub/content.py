"""The repositories of the test Hub: names as on the real one, files made from Pip."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.hub.blobs import Blob, Bytes, Filler, Made, Vast
from tests.hub.pip_variants import LABELS, pip_as, pip_bytes, pip_split, projector

CATALOGUE = Path(__file__).parents[2] / "resources" / "catalogue" / "models.json"
CATALOGUE_LABELS = ("Q2_K", "Q3_K_M", "Q4_0", "Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0", "F16")
GIB = 1 << 30


@dataclass
class Repository:
    """One repository. `gated` is "", "auto" or "manual"; `granted` are the tokens that may read a gated one."""

    name: str
    files: dict[str, Blob]
    card: str = ""
    tags: list[str] = field(default_factory=list)
    task: str = "text-generation"
    licence: str = "apache-2.0"
    downloads: int = 1000
    likes: int = 10
    gated: str = ""
    granted: frozenset[str] = frozenset()
    private: bool = False
    gguf: dict[str, Any] | None = None
    base_model: str = ""
    library: str = ""
    renamed_to: str = ""
    version: int = 1
    card_data: dict[str, Any] = field(default_factory=dict)

    @property
    def commit(self) -> str:
        return hashlib.sha1(f"{self.name} {self.version}".encode(), usedforsecurity=False).hexdigest()

    def replace_file(self, name: str, blob: Blob) -> None:
        """A new commit in which one file has other content."""
        self.files = self.files | {name: blob}
        self.version += 1


def sample_repositories(pad_to: int = 0) -> list[Repository]:
    """Everything that `python -m tests.hub` serves; `pad_to` makes each catalogue file that large at least."""
    return [
        *_catalogue_repositories(pad_to),
        pip_repository(),
        split_repository(),
        vision_repository(),
        safetensors_repository(),
        other_format_repository(),
        gated_repository(),
        vast_repository(),
        hostile_repository(),
        large_repository(),
    ]


def gguf_facts(parameters: int = 7_022_592, context: int = 1024) -> dict[str, Any]:
    return {"total": parameters, "architecture": "llama", "context_length": context, "chat_template": "{{ messages }}"}


def pip_repository() -> Repository:
    """Pip in six types, with a card that tries what cards should not be able to do."""
    files: dict[str, Blob] = {
        f"pip-7m-{label}.gguf": Made(lambda label=label: pip_as(label))  # type: ignore[misc]
        for label in ("Q4_0", "Q4_K_M", "Q5_K_M", "F16")
    }
    files["pip-7m-Q8_0.gguf"] = Made(pip_bytes)
    files["README.md"] = Bytes(_CARD.encode(), in_lfs=False)
    files["config.json"] = Bytes(b'{"model_type": "llama"}\n', in_lfs=False)
    return Repository(
        "snug-test/pip-7m-GGUF", files, card=_CARD, tags=["gguf", "en"], licence="cc0-1.0", downloads=51234, likes=42,
        gguf=gguf_facts(), base_model="snug-test/pip-7m",
    )  # fmt: skip


def split_repository(parts: int = 3) -> Repository:
    """A model in several files below a folder, one type of it with a part missing."""
    files: dict[str, Blob] = {}
    for label in ("Q8_0", "F16"):
        for index in range(parts):
            name = f"{label}/split-pip-{label}-{index + 1:05}-of-{parts:05}.gguf"
            files[name] = Made(lambda label=label, index=index: pip_split(label, parts)[index])  # type: ignore[misc]
    del files[f"F16/split-pip-F16-00002-of-{parts:05}.gguf"]
    return Repository("snug-test/split-pip-GGUF", files, tags=["gguf"], gguf=gguf_facts())


def vision_repository() -> Repository:
    files: dict[str, Blob] = {
        "vision-pip-Q8_0.gguf": Made(pip_bytes),
        "vision-pip-Q4_K_M.gguf": Made(lambda: pip_as("Q4_K_M")),
        "mmproj-vision-pip-F16.gguf": Made(projector),
    }
    return Repository(
        "snug-test/vision-pip-GGUF", files, tags=["gguf", "vision"], task="image-text-to-text", gguf=gguf_facts()
    )


def safetensors_repository() -> Repository:
    files: dict[str, Blob] = {
        "config.json": Bytes(b'{"architectures": ["LlamaForCausalLM"], "model_type": "llama"}\n', in_lfs=False),
        "model.safetensors": Filler(3_000_000, seed=5),
        "tokenizer.json": Bytes(b"{}\n", in_lfs=False),
    }
    return Repository("snug-test/pip-7m", files, tags=["safetensors", "transformers"], library="transformers")


def other_format_repository() -> Repository:
    files: dict[str, Blob] = {
        "config.json": Bytes(b'{"quantization_config": {"quant_method": "gptq", "bits": 4}}\n', in_lfs=False),
        "quantize_config.json": Bytes(b'{"bits": 4}\n', in_lfs=False),
        "model.safetensors": Filler(2_000_000, seed=6),
    }
    return Repository("snug-test/pip-7m-GPTQ", files, tags=["safetensors", "gptq", "4-bit"])


def gated_repository() -> Repository:
    return Repository(
        "snug-test/gated-pip-GGUF", {"gated-pip-Q8_0.gguf": Made(pip_bytes)}, tags=["gguf"], gated="manual",
        granted=frozenset({"hf_granted"}), gguf=gguf_facts(), licence="llama3.2",
    )  # fmt: skip


def vast_repository() -> Repository:
    """A single file of 60 GB, and a set of nine: nothing here fits a test, only its description."""
    files: dict[str, Blob] = {"vast-Q8_0.gguf": Vast(60 * GIB)}
    for index in range(1, 10):
        files[f"vast-BF16-{index:05}-of-00009.gguf"] = Vast(13 * GIB)
    return Repository("snug-test/vast-GGUF", files, tags=["gguf"], gguf=gguf_facts(60_000_000_000))


def hostile_repository() -> Repository:
    """File names that must never become names on a disk."""
    names = (
        "../../escape-Q8_0.gguf", "CON.gguf", "a:stream-Q4_0.gguf", "line\nbreak-Q4_0.gguf", "\u202efdp.gguf",
        "-rf.gguf", "x" * 250 + "-Q4_0.gguf", ".cache/hidden-Q4_0.gguf", "模型 😀 é-Q8_0.gguf", "trailing. .gguf",
    )  # fmt: skip
    return Repository("snug-test/hostile-GGUF", {name: Bytes(pip_bytes()) for name in names}, tags=["gguf"])


def large_repository() -> Repository:
    """One plain file of 48 MB for kill, pause and speed trials; it is Pip with filler behind its end."""
    return Repository(
        "snug-test/large-pip-GGUF", {"large-pip-Q8_0.gguf": Made(pip_bytes, pad_to=48_000_000, seed=3)},
        tags=["gguf"], gguf=gguf_facts(),
    )  # fmt: skip


def _catalogue_repositories(pad_to: int) -> Iterable[Repository]:
    for repo, entry in _catalogue_names().items():
        short = repo.rsplit("/", 1)[-1].removesuffix("-GGUF")
        files: dict[str, Blob] = {
            f"{short}-{label}.gguf": Made(lambda label=label: pip_as(label), pad_to=pad_to, seed=index)  # type: ignore[misc]
            for index, label in enumerate(CATALOGUE_LABELS)
        }
        if "vision" in entry.get("capabilities", ()):
            files["mmproj-F16.gguf"] = Made(projector)
        files["README.md"] = Bytes(f"# {short}\n\nServed by the test Hub: the files are Pip.\n".encode(), in_lfs=False)
        yield Repository(
            repo, files, tags=["gguf", f"base_model:{entry.get('repo', '')}"], downloads=500_000 // (1 + len(short)),
            licence=str(entry.get("licence", "other")), base_model=str(entry.get("repo", "")),
            gguf=gguf_facts(int(entry.get("parameters") or 0), int(entry.get("context") or 4096)),
        )  # fmt: skip


def _catalogue_names() -> dict[str, dict[str, Any]]:
    """Each GGUF repository that the catalogue names, with its entry; the one known name where it is absent."""
    if not CATALOGUE.exists():
        return {"unsloth/Qwen3-0.6B-GGUF": {"repo": "Qwen/Qwen3-0.6B", "parameters": 600_000_000, "context": 40960}}
    document = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    entries = document["models"] if isinstance(document, dict) else document
    return {repo: entry for entry in entries for repo in entry.get("gguf_repos", ())}


assert set(CATALOGUE_LABELS) <= set(LABELS)

_CARD = """---
license: cc0-1.0
---
# Pip

A tiny test model. <script>alert(1)</script> <img src="file:///dev/zero">

![picture](https://tracker.example/pixel.png) [a link](javascript:alert(1))

| type | size |
|------|------|
| Q8_0 | 7.5 MB |
"""
