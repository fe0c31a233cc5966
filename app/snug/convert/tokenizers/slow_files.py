"""Tokenizers without a tokenizer.json: the older files, put together as transformers would."""

from __future__ import annotations

from typing import Any

import msgspec

from snug.convert.tokenizers.errors import bad_tokenizer
from snug.convert.tokenizers.tokenizer_files import MOST_TOKENIZER_BYTES, TokenizerFiles
from snug.convert.tokenizers.tokenizer_json import TokenizerJson, parse_tokenizer
from snug.convert.tokenizers.vocabulary import MOST_MERGES, MOST_TOKENS

_BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
_QWEN2_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_QWEN2_PRE = {
    "type": "Sequence",
    "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": _QWEN2_PATTERN}, "behavior": "Isolated", "invert": False},
        {**_BYTE_LEVEL, "use_regex": False},
    ],
}

PRE_TOKENIZERS: dict[str, dict[str, Any]] = {
    "": _BYTE_LEVEL,
    "GPT2Tokenizer": _BYTE_LEVEL,
    "RobertaTokenizer": _BYTE_LEVEL,
    "CodeGenTokenizer": _BYTE_LEVEL,
    "Qwen2Tokenizer": _QWEN2_PRE,
}
"""How the classes whose files are vocab.json and merges.txt cut text."""


def read_fast(files: TokenizerFiles) -> TokenizerJson:
    """tokenizer.json, or the same made from vocab.json and merges.txt or from BERT's vocab.txt."""
    if "tokenizer.json" in files:
        return parse_tokenizer(files.raw("tokenizer.json"))
    if "vocab.json" in files and "merges.txt" in files:
        return _from_merges(files)
    if "vocab.txt" in files:
        return _from_lines(files)
    raise files.missing("tokenizer.json")


def _from_merges(files: TokenizerFiles) -> TokenizerJson:
    class_name = str(files.object("tokenizer_config.json").get("tokenizer_class") or "").removesuffix("Fast")
    pre = PRE_TOKENIZERS.get(class_name)
    if pre is None:
        raise files.missing("tokenizer.json")
    vocab = files.object("vocab.json", MOST_TOKENIZER_BYTES)
    merges = read_merges(files)
    whole = {
        "version": "1.0",
        "added_tokens": _added(files, vocab),
        "pre_tokenizer": pre,
        "decoder": _BYTE_LEVEL,
        "post_processor": _BYTE_LEVEL if class_name != "RobertaTokenizer" else _roberta(vocab),
        "model": {"type": "BPE", "vocab": vocab, "merges": merges},
    }
    return parse_tokenizer(msgspec.json.encode(whole))


def read_merges(files: TokenizerFiles) -> list[str]:
    """The merges of merges.txt; lines that are none are passed over, as llama.cpp's converter does."""
    merges = []
    for number, line in enumerate(files.text("merges.txt", MOST_TOKENIZER_BYTES).splitlines()):
        parts = line.split()
        if len(parts) == 2 and not (number == 0 and line.startswith("#")):
            merges.append(f"{parts[0]} {parts[1]}")
            if len(merges) > MOST_MERGES:
                raise bad_tokenizer("it claims an impossible number of merges")
    return merges


def _from_lines(files: TokenizerFiles) -> TokenizerJson:
    settings = files.object("tokenizer_config.json")
    lines = [line.rstrip("\r") for line in files.text("vocab.txt", MOST_TOKENIZER_BYTES).split("\n")]
    if lines and not lines[-1]:
        lines.pop()
    vocab = {text: number for number, text in enumerate(lines)}
    if len(vocab) != len(lines):
        raise bad_tokenizer("one of its tokens is named twice", f"{len(lines)} lines, {len(vocab)} tokens")
    cls, sep = vocab.get("[CLS]"), vocab.get("[SEP]")
    if cls is None or sep is None or "[UNK]" not in vocab or len(vocab) > MOST_TOKENS:
        raise bad_tokenizer("its list of words lacks BERT's special tokens", ", ".join(lines[:5])[:200])
    lowercase = settings.get("do_lower_case", True) is not False
    whole = {
        "added_tokens": [
            {"id": vocab[text], "content": text, "special": True, "normalized": False}
            for text in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
            if text in vocab
        ],
        "normalizer": {
            "type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
            "strip_accents": settings.get("strip_accents"), "lowercase": lowercase,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", sep], "cls": ["[CLS]", cls]},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocab,
        },
    }  # fmt: skip
    return parse_tokenizer(msgspec.json.encode(whole))


def _added(files: TokenizerFiles, vocab: dict[str, Any]) -> list[dict[str, Any]]:
    """The tokens of added_tokens.json that are not in the vocabulary."""
    found = []
    for text, token in sorted(files.object("added_tokens.json").items(), key=lambda item: str(item[1]).zfill(9)):
        if isinstance(token, int) and text not in vocab:
            found.append({"id": token, "content": text, "special": True, "normalized": False})
    return found


def _roberta(vocab: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "RobertaProcessing", "sep": ["</s>", vocab.get("</s>", 2)], "cls": ["<s>", vocab.get("<s>", 0)],
        "trim_offsets": True, "add_prefix_space": False,
    }  # fmt: skip
