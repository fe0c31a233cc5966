"""What the engine knows of model architectures: names, sliding windows, recurrent layers.

Source: llama.cpp's architecture table and each model's `load_arch_hparams`, as of llama-cpp-python 0.3.36.
"""

from __future__ import annotations

from dataclasses import dataclass

KNOWN = frozenset((
    "clip", "llama", "llama4", "deci", "falcon", "grok", "gpt2", "gptj", "gptneox", "mpt", "baichuan", "starcoder",
    "refact", "bert", "modern-bert", "nomic-bert", "nomic-bert-moe", "neo-bert", "jina-bert-v2", "jina-bert-v3",
    "eurobert", "bloom", "stablelm", "qwen", "qwen2", "qwen2moe", "qwen2vl", "qwen3", "qwen3moe", "qwen3next",
    "qwen3vl", "qwen3vlmoe", "qwen35", "qwen35moe", "qwen4exp", "phi2", "phi3", "phimoe", "plamo", "plamo2",
    "plamo3", "codeshell", "orion", "internlm2", "minicpm", "minicpm3", "gemma", "gemma2", "gemma3", "gemma3n",
    "gemma4", "gemma4-assistant", "gemma-embedding", "starcoder2", "mamba", "mamba2", "maple", "jamba", "falcon-h1",
    "xverse", "command-r", "cohere2", "cohere2moe", "dbrx", "olmo", "olmo2", "olmoe", "muse-glimmer", "openelm",
    "arctic", "deepseek", "deepseek2", "deepseek2-ocr", "deepseek32", "deepseek4", "chatglm", "glm4", "glm4moe",
    "glm-dsa", "bitnet", "t5", "t5encoder", "jais", "jais2", "nemotron", "nemotron_h", "nemotron_h_moe", "exaone",
    "exaone4", "exaone-moe", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7", "granite", "granitemoe", "granitehybrid",
    "graniteswitch", "granite_swa", "chameleon", "wavtokenizer-dec", "plm", "bailingmoe", "bailingmoe2",
    "bailingmoe3", "dots1", "dots3note", "arcee", "afmoe", "laguna", "ernie4_5", "ernie4_5-moe", "hunyuan-moe",
    "hunyuan-dense", "hunyuan_vl", "hy_v3", "hy_v4", "smollm3", "gpt-oss", "lfm2", "lfm2moe", "dream",
    "smallthinker", "llada", "llada-moe", "seed_oss", "grovemoe", "apertus", "minimax-01", "hrm_text", "minimax-m2",
    "minimax-m3", "cogvlm", "rnd1", "pangu-embedded", "mistral3", "eagle3", "dflash", "mistral4", "paddleocr",
    "mimo2", "step35", "spark2_5", "llama-embed", "maincoder", "kimi-linear", "kimi-k3", "glm5-next", "talkie",
    "mellum", "nanbeige", "qwen3tts", "pockettts",
))  # fmt: skip
"""Architectures that the pinned engine can load."""

EMBEDDING = frozenset(("bert", "modern-bert", "nomic-bert", "nomic-bert-moe", "neo-bert", "jina-bert-v2",
                       "jina-bert-v3", "eurobert", "gemma-embedding", "llama-embed", "t5encoder"))  # fmt: skip
"""Architectures that turn text into vectors and do not chat."""

WITHOUT_CACHE = EMBEDDING | {"wavtokenizer-dec", "dream", "llada", "llada-moe", "rnd1"}
"""Architectures that keep no conversation memory."""

RECURRENT = frozenset(("mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7"))
"""Architectures without attention: a state of fixed size in every layer."""

STATE_IN_EVERY_LAYER = frozenset(("falcon-h1",))
"""Architectures whose every layer has attention and a state."""

STATE_WHERE_NO_KV_HEADS = frozenset(
    ("jamba", "plamo2", "granitehybrid", "lfm2", "lfm2moe", "nemotron_h", "nemotron_h_moe", "kimi-linear", "kimi-k3",
     "bailingmoe3", "glm5-next")
)  # fmt: skip
"""Hybrids whose layers with zero KV heads are recurrent."""

STATE_BY_INTERVAL = frozenset(("qwen3next", "qwen35", "qwen35moe", "qwen4exp", "minimax-01"))
"""Hybrids where every n-th layer attends (`full_attention_interval`, 4 where absent) and the others are recurrent."""

NEXTN_IN_USE = frozenset(("granite-switch", "gemma4-assistant", "eagle3", "dflash"))
"""Architectures that use their layers counted as `nextn_predict_layers` in every answer, or are a draft as a whole."""


@dataclass(frozen=True, slots=True)
class WindowPattern:
    """Every `period`-th layer attends to everything, the first of each period where `full_first`; `window` is what
    counts where the file names none."""

    period: int
    full_first: bool = False
    window: int = 0


WINDOW_PATTERNS = {
    "gemma2": WindowPattern(2, window=4096),
    "gemma3": WindowPattern(6),
    "gemma3n": WindowPattern(5),
    "gemma-embedding": WindowPattern(6),
    "olmo2": WindowPattern(4),
    "gpt-oss": WindowPattern(2),
    "cohere2": WindowPattern(4),
    "cohere2moe": WindowPattern(4, full_first=True),
    "exaone4": WindowPattern(4),
    "exaone-moe": WindowPattern(4, window=128),
    "llama4": WindowPattern(4, window=8192),
    "plamo3": WindowPattern(8),
    "mellum": WindowPattern(4),
    "afmoe": WindowPattern(4),
    "smallthinker": WindowPattern(4, full_first=True),
    "laguna": WindowPattern(4, full_first=True),
    "muse-glimmer": WindowPattern(4),
    "modern-bert": WindowPattern(3, full_first=True),
}
"""Interleaved sliding windows where the file does not list the layers itself."""

WINDOWS_BY_LIST = frozenset(("gemma4", "gemma4-assistant", "granite_swa", "step35", "mimo2", "maple", "dots3note"))
"""Architectures whose files list the layers with a window."""
