"""Writes resources/catalogue/models.json from a table of model figures and the choices below.

    python3 packaging/make_catalogue.py FIGURES.json

FIGURES.json holds "source" and "models": rows of figures as `core/catalogue.py` describes them. Which models are in
the catalogue and what each is good for is in catalogue_choices.csv; corrections of figures, each with its reason,
are kept here.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path
from typing import Any

CHOICES = Path(__file__).with_name("catalogue_choices.csv")
TARGET = Path(__file__).parents[1] / "resources" / "catalogue" / "models.json"

MAKERS = {
    "Qwen": "Alibaba",
    "google": "Google",
    "meta-llama": "Meta",
    "HuggingFaceTB": "Hugging Face",
    "ibm-granite": "IBM",
    "LiquidAI": "Liquid AI",
    "openai": "OpenAI",
    "microsoft": "Microsoft",
    "mistralai": "Mistral",
    "allenai": "Ai2",
    "deepseek-ai": "DeepSeek",
    "zai-org": "Z.ai",
    "nvidia": "NVIDIA",
}

QUANTISERS = ("unsloth", "bartowski", "ggml-org", "mradermacher")
"""Publishers of GGUF files in order of trust: the widest and best-kept choice of types first."""

SHAPES_FROM_CONFIG: dict[str, tuple[int, int]] = {
    # hidden size, vocabulary: from each model's own config where the table has none (gated repositories)
    "google/gemma-3-270m-it": (640, 262144),
    "google/gemma-3-1b-it": (1152, 262144),
    "google/gemma-3-4b-it": (2560, 262208),
    "google/gemma-3-12b-it": (3840, 262208),
    "meta-llama/Llama-3.2-1B-Instruct": (2048, 128256),
    "meta-llama/Llama-3.2-3B-Instruct": (3072, 128256),
    "meta-llama/Llama-3.1-8B-Instruct": (4096, 128256),
    "meta-llama/Llama-3.3-70B-Instruct": (8192, 128256),
}

CORRECTIONS: dict[str, dict[str, Any]] = {
    # the table counts an output head that is tied to the input embedding a second time
    "Qwen/Qwen3-0.6B": {"parameters": 751632384 - 1024 * 151936, "released": "2025-04-28"},
    "Qwen/Qwen3-1.7B": {"parameters": 2031739904 - 2048 * 151936, "released": "2025-04-28"},
    # the trained context; the table multiplies it by the rope scaling once more
    "google/gemma-3-4b-it": {"context": 131072},
    "google/gemma-3-12b-it": {"context": 131072},
    "meta-llama/Llama-3.2-1B-Instruct": {"context": 131072},
    "meta-llama/Llama-3.2-3B-Instruct": {"context": 131072},
    "meta-llama/Llama-3.1-8B-Instruct": {"context": 131072, "released": "2024-07-23"},
    # first publication; the table has the repository's last change
    "Qwen/Qwen3-VL-2B-Instruct": {"released": "2025-10-21"},
    "openai/gpt-oss-20b": {"released": "2025-08-05"},
    "openai/gpt-oss-120b": {"released": "2025-08-05"},
}

NATIVE: dict[str, tuple[str, list[str]]] = {
    # the type that the makers trained or published the model in, and where files of that type are
    "openai/gpt-oss-20b": ("MXFP4", ["ggml-org/gpt-oss-20b-GGUF"]),
    "openai/gpt-oss-120b": ("MXFP4", ["ggml-org/gpt-oss-120b-GGUF"]),
    "google/gemma-4-E2B-it": ("Q4_0", ["google/gemma-4-E2B-it-qat-q4_0-gguf"]),
    "google/gemma-4-E4B-it": ("Q4_0", ["google/gemma-4-E4B-it-qat-q4_0-gguf"]),
    "google/gemma-4-12B-it": ("Q4_0", ["google/gemma-4-12B-it-qat-q4_0-gguf"]),
    "google/gemma-4-26B-A4B-it": ("Q4_0", ["google/gemma-4-26B-A4B-it-qat-q4_0-gguf"]),
    "google/gemma-4-31B-it": ("Q4_0", ["google/gemma-4-31B-it-qat-q4_0-gguf"]),
}

TIED = ("gemma", "Llama-3.2", "SmolLM", "LFM2", "Phi-4-mini", "Qwen3-0.6B", "Qwen3-1.7B", "Qwen3-4B", "Qwen3.5-0.8B",
        "Qwen3.5-2B", "Qwen3.5-4B", "Qwen3-VL-2B", "granite-4.2-3b")  # fmt: skip
"""Models whose output head is the input embedding used again."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Write resources/catalogue/models.json.")
    parser.add_argument("figures", type=Path)
    document = json.loads(parser.parse_args().figures.read_text("utf-8"))
    rows = {row["repo"]: row for row in document["models"]}
    with CHOICES.open(encoding="utf-8", newline="") as file:
        choices = list(csv.DictReader(file, delimiter=";"))
    models = [entry(rows[choice["repo"]], choice) for choice in choices]
    lines = ",\n".join("  " + json.dumps(model, ensure_ascii=False) for model in models)
    source = document["source"] + "; chosen, described and corrected by packaging/make_catalogue.py"
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(f'{{\n "source": {json.dumps(source)},\n "models": [\n{lines}\n ]\n}}\n', "utf-8")


def entry(row: dict[str, Any], choice: dict[str, str]) -> dict[str, Any]:
    """The catalogue's entry for one row of figures."""
    repo = row["repo"]
    owner = repo.split("/")[0]
    model = {"key": repo.split("/")[1].lower(), "name": choice["name"], "maker": MAKERS[owner]}
    model |= {"good_for": choice["good_for"].split(), "summary": choice["summary"]}
    model |= {**row, "tied_embeddings": any(part in repo for part in TIED)}
    if repo in SHAPES_FROM_CONFIG:
        model["hidden"], model["vocab"] = SHAPES_FROM_CONFIG[repo]
    model |= CORRECTIONS.get(repo, {})
    model["gguf_repos"] = in_order_of_trust(row["gguf_repos"], owner)
    if repo in NATIVE:
        model["native_type"], model["native_repos"] = NATIVE[repo]
    return model


def in_order_of_trust(repos: list[str], maker: str) -> list[str]:
    """The repositories without doubles that differ only in case: the maker's own first, then `QUANTISERS`."""
    unique = list({repo.casefold(): repo for repo in reversed(repos)}.values())[::-1]
    order = (maker, *QUANTISERS)
    rank = {owner: index for index, owner in enumerate(order)}
    return sorted(unique, key=lambda repo: rank.get(repo.split("/")[0], len(order)))


if __name__ == "__main__":
    main()
