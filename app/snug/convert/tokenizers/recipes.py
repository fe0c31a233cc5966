"""Which kind of tokenizer each architecture has, in which order of preference, and what it adds of its own.

The rules are those of the classes' `set_vocab` in llama.cpp's `conversion` folder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from snug.convert.tokenizers import sentencepiece as spm
from snug.convert.tokenizers.bpe import config_vocab_size, merge_texts, put_bpe
from snug.convert.tokenizers.chat_templates import chat_templates, put_chat_templates
from snug.convert.tokenizers.errors import bad_tokenizer
from snug.convert.tokenizers.rust_tokenizer import RustTokenizer, load_rust_tokenizer
from snug.convert.tokenizers.slow_files import read_fast
from snug.convert.tokenizers.special_tokens import STANDARD, SpecialTokens
from snug.convert.tokenizers.tekken import put_tekken, read_tekken
from snug.convert.tokenizers.tokenizer_files import TokenizerFiles
from snug.convert.tokenizers.tokenizer_json import TokenizerJson, parse_tokenizer
from snug.convert.tokenizers.unigram import put_unigram_json, put_unigram_model
from snug.convert.tokenizers.vocabulary import MOST_TOKENS, Entries, TokenTable
from snug.convert.tokenizers.wordpiece import put_token_types, put_wordpiece

_GEMMA4_SHOWN = frozenset(
    {"<|channel>", "<channel|>", "<|tool_call>", "<tool_call|>", "<|tool_response>", "<tool_response|>", '<|"|>'}
)
_GLM_SPECIALS = (("bos", "[gMASK]"), ("eot", "<|user|>"), ("unk", "<|endoftext|>"), ("eom", "<|observation|>"))
_GLM4_SPECIALS = (
    ("eos", "<|endoftext|>"), ("eot", "<|user|>"), ("unk", "<|endoftext|>"), ("bos", "<|endoftext|>"),
)  # fmt: skip


@dataclass(slots=True)
class Task:
    """One vocabulary being written: where it comes from, what it is for, and what there is of it so far."""

    files: TokenizerFiles
    config: Mapping[str, Any]
    architecture: str
    entries: Entries = field(default_factory=Entries)
    pre_tokenizer: str = "default"
    _parsed: TokenizerJson | None = None

    def parsed(self) -> TokenizerJson:
        if self._parsed is None:
            self._parsed = read_fast(self.files)
        return self._parsed

    def fast(self) -> RustTokenizer:
        return load_rust_tokenizer(self.files, self.parsed())

    def special(self, *, kinds: Sequence[str] = STANDARD, size: int | None = None) -> SpecialTokens:
        known = self._parsed
        if known is None and "tokenizer.json" in self.files:
            known = self._parsed = parse_tokenizer(self.files.raw("tokenizer.json"))
        return SpecialTokens(self.files, self.config, known, kinds=kinds, size=size)

    def put_table(self, model: str, table: TokenTable) -> None:
        self.entries.put("tokenizer.ggml.model", "str", model)
        self.entries.put("tokenizer.ggml.pre", "str", "default")
        self.entries.put_tokens(table, with_scores=True)


def gpt2(task: Task, size: int | None = None) -> None:
    """BPE from tokenizer.json."""
    tokenizer = task.fast()
    task.pre_tokenizer = put_bpe(tokenizer, size or config_vocab_size(task.config), task.entries)
    task.special().put_into(task.entries)


def sentencepiece(task: Task, size: int | None = None) -> None:
    """SentencePiece from tokenizer.model."""
    model = spm.read_sentencepiece(task.files)
    size = size or config_vocab_size(task.config, ("vocab_size_per_layer_input", "vocab_size"))
    table = spm.sentencepiece_table(model, task.files, size)
    task.put_table("llama", table)
    task.special(size=len(table)).put_into(task.entries)


def sentencepiece_or_gpt2(task: Task) -> None:
    if "tokenizer.model" in task.files:
        sentencepiece(task)
    else:
        gpt2(task)


def llama(task: Task) -> None:
    """SentencePiece first, then a tokenizer.json made from it, then BPE; Mistral's tekken.json where it is alone."""
    files, entries = task.files, task.entries
    if "tekken.json" in files and "tokenizer.json" not in files:
        put_tekken(read_tekken(files), entries)
        task.pre_tokenizer = "tekken"
        templates = chat_templates(files)
        if templates is not None:
            put_chat_templates(templates, entries)
        return
    prefix = files.object("tokenizer_config.json").get("add_prefix_space")
    if isinstance(prefix, bool):
        entries.put("tokenizer.ggml.add_space_prefix", "bool", prefix)
    if "tokenizer.model" in files:
        sentencepiece(task)
    elif spm.is_sentencepiece_bpe(task.parsed()):
        tokenizer = task.fast()
        table = spm.llama_hf_table(tokenizer)
        spm.score_by_merges(table, tokenizer)
        task.put_table("llama", table)
        task.special(size=len(table)).put_into(entries)
    else:
        gpt2(task)
    size = config_vocab_size(task.config)
    if size == 32016:  # Code Llama
        special = task.special(kinds=("eot",))
        special.set("eot", 32010)
        special.put_into(entries)
    if size == 49152:  # small Granite models
        entries.put("tokenizer.ggml.add_bos_token", "bool", False)


def gemma(task: Task) -> None:
    sentencepiece(task)
    special = task.special(kinds=("eot",))
    special.templates = None
    special.set("eot", 107)
    special.put_into(task.entries)
    _no_space_prefix(task)


def gemma2(task: Task) -> None:
    sentencepiece(task)
    _no_space_prefix(task)


def gemma3(task: Task) -> None:
    if "tokenizer.model" in task.files:
        gemma2(task)
    else:
        gpt2(task)


def gemma3n(task: Task) -> None:
    sentencepiece(task, config_vocab_size(task.config))
    _no_space_prefix(task)


def gemma4(task: Task) -> None:
    """Gemma 4's tokenizer.json, for which llama.cpp has a kind of its own."""
    if not spm.is_sentencepiece_bpe(task.parsed()):
        raise bad_tokenizer("it is of a kind that this architecture never has", task.parsed().kind()[:80])
    table = spm.llama_hf_table(task.fast(), _GEMMA4_SHOWN)
    task.entries.put("tokenizer.ggml.model", "str", "gemma4")
    task.entries.put_tokens(table, with_scores=True)
    task.entries.put_merges(merge_texts(task.parsed()))
    task.special().put_into(task.entries)
    _no_space_prefix(task)
    task.entries.put("tokenizer.ggml.add_bos_token", "bool", True)
    task.pre_tokenizer = "gemma4"


def phi3(task: Task) -> None:
    """Phi 3's SentencePiece; Phi 4 says by its class that it is BPE."""
    class_name = str(task.files.object("tokenizer_config.json").get("tokenizer_class") or "")
    if class_name.startswith("GPT2Tokenizer") or "tokenizer.model" not in task.files:
        gpt2(task)
        return
    model = spm.read_sentencepiece(task.files)
    added = task.parsed().added_tokens if "tokenizer.json" in task.files else ()
    table = spm.phi3_table(model, task.files, added, config_vocab_size(task.config))
    task.put_table("llama", table)
    task.special(size=len(table)).put_into(task.entries)


def phi2(task: Task) -> None:
    gpt2(task)
    task.entries.put("tokenizer.ggml.add_bos_token", "bool", False)


def _with_named(named: tuple[tuple[str, str], ...]) -> Callable[[Task], None]:
    """BPE whose special ids are those of the tokens with these texts, where the config leaves them open."""

    def put(task: Task) -> None:
        tokenizer = task.fast()
        task.pre_tokenizer = put_bpe(tokenizer, config_vocab_size(task.config), task.entries)
        added = {value.content: token for token, value in tokenizer.added().items()}
        special = task.special()
        for kind, text in named:
            special.set(kind, added.get(text))
        special.put_into(task.entries)

    return put


def nemotron(task: Task) -> None:
    sentencepiece(task)
    task.entries.put("tokenizer.ggml.padding_token_id", "u32", 0)
    task.entries.put("tokenizer.ggml.unknown_token_id", "u32", 1)


def nemotron_h(task: Task) -> None:
    gpt2(task, _rounded_up(config_vocab_size(task.config), 8))


def granite_hybrid(task: Task) -> None:
    """Rounded up to a multiple of 8 where there are state-space layers."""
    layers = task.config.get("layer_types")
    has_states = not isinstance(layers, list) or any(kind != "attention" for kind in layers)
    size = _rounded_up(config_vocab_size(task.config), 8 if has_states else 1)
    if "tokenizer.model" in task.files:
        sentencepiece(task, size)
    else:
        gpt2(task, size)


def bert(task: Task) -> None:
    """WordPiece, RoBERTa's BPE or XLM-RoBERTa's unigram model, by the class in config.json."""
    classes = task.config.get("architectures")
    name = str(classes[0]) if isinstance(classes, list) and classes else ""
    if name.startswith("XLMRoberta"):
        _xlm_roberta(task, with_mask=False)
    elif name.startswith("Roberta") and ("tokenizer.json" in task.files or "vocab.json" in task.files):
        gpt2(task)
        put_token_types(task.config, task.entries)
    elif task.parsed().kind() == "Unigram":
        _xlm_roberta(task, with_mask=False)
    else:
        tokenizer = task.fast()
        task.pre_tokenizer, size = put_wordpiece(tokenizer, config_vocab_size(task.config), task.entries)
        put_token_types(task.config, task.entries)
        special, vocab = task.special(size=size), tokenizer.vocab()
        for name, text in tokenizer.special_texts().items():  # else llama.cpp takes the ids of Google's first BERT
            special.set({"cls_token": "bos"}.get(name, name.removesuffix("_token")), vocab.get(text))
        special.put_into(task.entries)


def nomic_bert_moe(task: Task) -> None:
    if "sentencepiece.bpe.model" in task.files or task.parsed().kind() == "Unigram":
        _xlm_roberta(task, with_mask=True)
    else:
        bert(task)


def _xlm_roberta(task: Task, *, with_mask: bool) -> None:
    if "sentencepiece.bpe.model" in task.files:
        model = spm.read_sentencepiece(task.files, "sentencepiece.bpe.model")
        table = put_unigram_model(model, task.config, task.entries, with_mask=with_mask)
    else:
        table = put_unigram_json(task.fast(), task.config, task.entries)
    task.special(size=len(table)).put_into(task.entries)


def modern_bert(task: Task) -> None:
    gpt2(task)
    for kind in ("bos", "eos", "sep"):
        key = f"tokenizer.ggml.add_{kind}_token"
        if key not in task.entries.by_key:
            task.entries.put(key, "bool", True)


def ernie(task: Task) -> None:
    sentencepiece(task)
    prefix = task.files.object("tokenizer_config.json").get("add_prefix_space")
    if isinstance(prefix, bool):
        task.entries.put("tokenizer.ggml.add_space_prefix", "bool", prefix)


def hunyuan(task: Task) -> None:
    """BPE; the end stands elsewhere in the config, the end of a turn first among the generation defaults' ends."""
    gpt2(task)
    end = task.config.get("eod_token_id")
    if isinstance(end, int) and 0 <= end < MOST_TOKENS:
        task.entries.put("tokenizer.ggml.eos_token_id", "u32", end)
    ends = task.files.object("generation_config.json").get("eos_token_id")
    if isinstance(ends, list) and len(ends) >= 2 and isinstance(ends[0], int) and 0 <= ends[0] < MOST_TOKENS:
        task.entries.put("tokenizer.ggml.eot_token_id", "u32", ends[0])


def _no_space_prefix(task: Task) -> None:
    task.entries.put("tokenizer.ggml.add_space_prefix", "bool", False)


def _rounded_up(size: int | None, multiple: int) -> int | None:
    return None if size is None else -(-size // multiple) * multiple


RECIPES: dict[str, Callable[[Task], None]] = {
    **dict.fromkeys(
        ("llama", "mistral3", "granite", "granitemoe", "smollm3", "arcee", "apertus", "deci", "nanbeige", "afmoe"),
        llama,
    ),
    **dict.fromkeys(
        ("qwen2", "qwen3", "qwen3moe", "qwen2vl", "qwen3vl", "qwen3vlmoe", "deepseek"), sentencepiece_or_gpt2
    ),
    **dict.fromkeys(("internlm2", "minicpm", "minicpm3", "orion", "baichuan", "plamo"), sentencepiece),
    "gemma": gemma,
    "gemma2": gemma2,
    "gemma3": gemma3,
    "gemma-embedding": gemma3,
    "gemma3n": gemma3n,
    "gemma4": gemma4,
    "phi2": phi2,
    "phi3": phi3,
    "phimoe": phi3,
    "glm4": _with_named(_GLM4_SPECIALS),
    "glm4moe": _with_named(_GLM_SPECIALS),
    "ernie4_5": ernie,
    "hunyuan-dense": hunyuan,
    "nemotron": nemotron,
    "nemotron_h": nemotron_h,
    "nemotron_h_moe": nemotron_h,
    "granitehybrid": granite_hybrid,
    "bert": bert,
    "nomic-bert": bert,
    "nomic-bert-moe": nomic_bert_moe,
    "jina-bert-v2": bert,
    "modern-bert": modern_bert,
}
"""By GGUF architecture. All others have BPE from tokenizer.json, as most models do."""
