"""Cleans community speed measurements into rows that the speed model can be fitted on.

`python packaging/speed_rows.py RAW.json` writes tests/data/speed/measured.json: the rows that are kept, and how many
were left out for which reason. RAW holds single-user measurements published with the llmfit project (MIT licence).

One rule for all rows, stated before any fit and blind to how well a row is foretold: a row stays where one device whose
bandwidth is known held the whole of one known model (`judge` asks in this order: one card; no speculation; not the
processor; a known device; llama.cpp itself; everything on the card; a known model and type; room for it; at most 8k
tokens of context in use), no faster than that memory can be read, and each measurement once.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
OUT = ROOT / "tests" / "data" / "speed" / "measured.json"
SHAPES = ROOT / "tests" / "data" / "speed" / "shapes.json"

sys.path.insert(0, str(ROOT / "app"))

from snug.core.catalogue import CatalogueEntry, entry_from_row, facts_of, load_catalogue  # noqa: E402 (path first)
from snug.core.gpu_bandwidths import bandwidth_by_name  # noqa: E402
from snug.core.memory_need import layer_conversations, repeating_bytes  # noqa: E402
from snug.core.model_facts import ModelFacts  # noqa: E402
from snug.core.quantisation import file_type_named  # noqa: E402
from snug.core.speed import active_share  # noqa: E402

GIB = 2**30
LONGEST_FILL = 8192 + 512
MODELS = (
    (r"qwen3\.[56]-35b-a3b|qwopus3\.6-35b|ornstein3\.6-35b|tess-4-35b-a3b", "qwen3.6-35b-a3b"),
    (r"gemma-4-26b|gemopus-4-26b", "gemma-4-26b-a4b-it"),
    (r"gemma-4-31b", "gemma-4-31b-it"),
    (r"gemma-4-12b", "gemma-4-12b-it"),
    (r"gemma-4-e2b", "gemma-4-e2b-it"),
    (r"gpt-oss-20b", "gpt-oss-20b"),
    (r"glm-4\.7-flash", "glm-4.7-flash"),
    (r"nemotron-cascade-2-30b|nemotron-3-nano-omni-30b", "nvidia-nemotron-3.5-lightning-30b-a3b-bf16"),
    (r"nemotron-3-nano-4b", "nemotron-3-nano-4b"),
    (r"lfm2\.5-8b-a1b|lfm2-8b-a1b", "lfm2.5-8b-a1b"),
    (r"lfm2\.5-1\.2b", "lfm2.5-1.2b-instruct"),
    (r"qwen3\.5-0\.8b", "qwen3.5-0.8b"),
    (r"qwen3\.5-4b", "qwen3.5-4b"),
    (r"qwen3\.5-9b", "qwen3.5-9b"),
    (r"qwen3\.[56]-27b", "qwen3.8-27b"),
    (r"qwen3(-coder)?-30b-a3b", "qwen3-30b-a3b"),
    (r"qwen3-0\.6b", "qwen3-0.6b"),
    (r"qwen3-1\.7b", "qwen3-1.7b"),
    (r"qwen3-8b", "qwen3-8b"),
    (r"qwen3-14b", "qwen3-14b"),
    (r"qwen3-32b", "qwen3-32b"),
    (r"qwen2\.5(-coder)?-14b|deepcoder-14b", "qwen2.5-14b"),
    (r"qwen2\.5(-coder)?-7b", "qwen2.5-coder-7b-instruct"),
    (r"llama-2-7b", "llama-2-7b"),
    (r"llama-3(\.1)?-8b", "llama-3.1-8b-instruct"),
    (r"phi-4-mini", "phi-4-mini-instruct"),
    (r"trinity-mini", "trinity-mini"),
)
"""Names as they occur in the measurements, and whose figures they have. Fine-tunes have their base's."""
SPECULATIVE = re.compile(r"--spec|-md\b|--model-draft|draft", re.IGNORECASE)
ELSEWHERE = re.compile(r"--n-cpu-moe [1-9]|-ncmoe|--cpu-moe|--no-kv-offload|-ot\b|--override-tensor|-sm row")
FORKS = re.compile(r"turbo\d|kvarn|buun", re.IGNORECASE)


def entries() -> dict[str, CatalogueEntry]:
    """The shapes by key: the catalogue's, and those of measured models that the catalogue does not have."""
    known = {entry.key: entry for entry in load_catalogue(ROOT / "resources" / "catalogue" / "models.json")}
    extra = json.loads(SHAPES.read_text("utf-8"))["models"]
    return known | {entry.key: entry for entry in map(entry_from_row, extra)}


def device_of(row: dict[str, Any]) -> str:
    """The device's name as Snug's table knows it."""
    return re.sub(r"\b(M\d) \1\b", r"\1", row["chip"]) if row["chip"] else row["gpu"] or ""


def depth_before(row: dict[str, Any]) -> int:
    """Tokens that were in the context before the prompt, where the command states a depth."""
    stated = re.search(r" -d (\d+)", row["command"] or "")
    return int(stated[1]) if stated else 0


def depth_of(row: dict[str, Any]) -> int:
    """Tokens in the context while the answer was written."""
    return (depth_before(row) or row["prompt_tokens"] or 0) + (row["output_tokens"] or 128) // 2


def traffic(facts: ModelFacts, depth: int, kv_type: str) -> tuple[int, int]:
    """Bytes of weights and of conversation that one token touches."""
    repeating = repeating_bytes(facts)
    weights = repeating * active_share(facts, repeating) + (facts.output_bytes or facts.input_embedding_bytes)
    return round(weights), sum(layer_conversations(facts, max(1, depth), kv_type, 512))


def judge(row: dict[str, Any], shapes: dict[str, CatalogueEntry]) -> tuple[str, dict[str, Any]]:
    """("", the clean row) or (why it is left out, {})."""
    command = " ".join((row["command"] or "").split())
    if row["gpu_count"] != 1:
        return "more than one graphics card", {}
    if row["spec"] or SPECULATIVE.search(command):
        return "speculative decoding", {}
    if row["backend"] == "cpu":
        return "on the processor, or said to be", {}
    device = device_of(row)
    memory = round((row["vram_gb"] or row["unified_gb"] or 0) * GIB)
    bandwidth = bandwidth_by_name(device, memory)
    if bandwidth is None:
        return "no device, or one that is not in the table", {}
    if FORKS.search(command):
        return "a fork with KV types of its own", {}
    if ELSEWHERE.search(command):
        return "part of the model or the conversation elsewhere", {}
    if row["chip"] and row["quant"] == "NVFP4":
        return "not run by llama.cpp (Ollama runs it with MLX on a Mac)", {}
    key = next((key for pattern, key in MODELS if re.search(pattern, row["model"].lower())), None)
    if key is None:
        return "a model whose shape or active parameters are not known", {}
    file = re.search(r"(?:-m|--model) (\S+\.gguf)", command)
    named = file and next((name for pattern, name in MODELS if re.search(pattern, file[1].lower())), None)
    if named and named != key:
        return "the command names another model", {}
    kind = file_type_named(row["quant"])
    if kind is None:
        return "an unknown type", {}
    entry = shapes[key]
    facts = facts_of(entry, row["quant"])
    layers = re.search(r"-ngl (\d+)|--n-gpu-layers (\d+)", command)
    if layers and int(layers[1] or layers[2]) < facts.layers:
        return "some layers not on the card, or another model than named", {}
    if row["vram_gb"] and facts.weight_bytes > 0.98 * row["vram_gb"] * GIB:
        return "larger than the card's memory", {}
    if row["peak_vram_gb"] and 1 < row["peak_vram_gb"] < 0.95e-9 * facts.weight_bytes:
        return "larger than the memory it is said to have taken", {}
    depth = depth_of(row)
    if depth > LONGEST_FILL or row["tok_s"] is None or row["tok_s"] <= 0:
        return "a longer conversation than 8k, or no speed", {}
    kv = re.search(r"(?:-ctk|--cache-type-k) (\w+)", command)
    kv_type = kv[1] if kv else "f16"
    weights, conversation = traffic(facts, depth, kv_type)
    if row["tok_s"] * (weights + conversation) > bandwidth:
        return "faster than the memory's bandwidth allows", {}
    backend = row["backend"] if row["backend"] in ("rocm", "vulkan", "metal") else ("metal" if row["chip"] else "cuda")
    return "", {
        "id": row["id"], "device": device, "memory_bytes": memory, "backend": backend, "model": key,
        "file_type": kind.name, "named_type": row["quant"], "kv_type": kv_type, "depth": depth,
        "context": row["context"], "prompt_tokens": row["prompt_tokens"] or 0, "prompt_before": depth_before(row),
        "tokens_per_s": row["tok_s"],
        "prompt_tokens_per_s": row["prefill_tok_s"], "is_server": "llama-server" in command or "-ub" in command,
        "engine": row["engine"],
    }  # fmt: skip


def clean(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The kept rows, each measurement once, and the counts of what was left out."""
    shapes = entries()
    kept: list[dict[str, Any]] = []
    reasons: Counter[str] = Counter()
    seen: set[tuple[Any, ...]] = set()
    for row in rows:
        why, good = judge(row, shapes)
        same = tuple(good.get(key) for key in ("device", "model", "named_type", "depth", "tokens_per_s"))
        if not why and same in seen:
            why = "the same measurement again"
        if why:
            reasons[why] += 1
        else:
            seen.add(same)
            kept.append(good)
    return {"left_out": dict(reasons.most_common()), "rows": kept}


def main() -> None:
    raw = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    document = {"source": raw["source"], "given": len(raw["rows"]), **clean(raw["rows"])}
    lines = ",\n  ".join(json.dumps(row) for row in document.pop("rows"))
    text = json.dumps(document, indent=1).rstrip().removesuffix("}").rstrip()
    OUT.write_text(f'{text},\n "rows": [\n  {lines}\n ]\n}}\n', "utf-8")
    print(f"{lines.count(chr(10)) + 1} of {document['given']} rows kept")
    for why, count in document["left_out"].items():
        print(f"{count:5}  {why}")


if __name__ == "__main__":
    main()
