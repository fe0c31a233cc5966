"""The checkpoint's own tokenizer, run by the `tokenizers` library as transformers would set it up.

The settings that transformers lays over tokenizer.json come from its 4.57: which special tokens it adds, whether it
adds the beginning's token, a space before the text, and BERT's normaliser.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from tokenizers import AddedToken, Tokenizer
from tokenizers.normalizers import Normalizer  # noqa: F401 - the library fills its sub-modules on import
from tokenizers.processors import TemplateProcessing

from snug.convert.tokenizers.errors import bad_tokenizer
from snug.convert.tokenizers.tokenizer_files import TokenizerFiles
from snug.convert.tokenizers.tokenizer_json import TokenizerJson

Result = TypeVar("Result")

SPECIAL_NAMES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")

_LLAMA = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
_GEMMA = {"unk_token": "<unk>", "bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>"}
_GPT2 = dict.fromkeys(("unk_token", "bos_token", "eos_token"), "<|endoftext|>")
_BERT = {"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]"}
_ROBERTA = {
    "bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "cls_token": "<s>", "unk_token": "<unk>",
    "pad_token": "<pad>", "mask_token": "<mask>",
}  # fmt: skip
_COHERE = {
    "bos_token": "<BOS_TOKEN>", "eos_token": "<|END_OF_TURN_TOKEN|>", "unk_token": "<UNK>",
}  # fmt: skip
_QWEN2 = {"eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}

CLASS_DEFAULTS: dict[str, dict[str, str]] = {
    "LlamaTokenizer": _LLAMA,
    "CodeLlamaTokenizer": _LLAMA,
    "GemmaTokenizer": _GEMMA,
    "GPT2Tokenizer": _GPT2,
    "GPTNeoXTokenizer": _GPT2,
    "BertTokenizer": _BERT,
    "DistilBertTokenizer": _BERT,
    "RobertaTokenizer": _ROBERTA,
    "XLMRobertaTokenizer": _ROBERTA,
    "CamembertTokenizer": _ROBERTA,
    "CohereTokenizer": _COHERE,
    "Qwen2Tokenizer": _QWEN2,
}
"""The special tokens of each class of tokenizer where tokenizer_config.json says nothing, without the ending "Fast"."""

ADDS_BOS_BY_DEFAULT = frozenset({"LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer", "CohereTokenizer"})
"""The classes that put their own beginning and end in place of the file's post-processor."""


def token_text(value: object) -> str | None:
    """The text of a special token in tokenizer_config.json: a text, or an object that holds one."""
    if isinstance(value, Mapping):
        value = value.get("content")
    return value if isinstance(value, str) and value else None


def guarded(work: Callable[[], Result], what: str) -> Result:
    """What the library returns; everything that it raises over a foreign file is a UserError."""
    try:
        return work()
    except Exception as error:
        raise bad_tokenizer(what, f"{type(error).__name__}: {str(error)[:300]}") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # what pyo3 makes of a panic is no Exception
            raise
        raise bad_tokenizer(what, f"the library gave up: {str(error)[:300]}") from None


class RustTokenizer:
    """One tokenizer, with the added tokens that a checkpoint's settings name."""

    def __init__(self, parsed: TokenizerJson, settings: Mapping[str, Any]) -> None:
        self.parsed = parsed
        self.settings = settings
        self.class_name = str(settings.get("tokenizer_class") or "").removesuffix("Fast")
        clean = msgspec.json.encode(parsed)
        self.library: Tokenizer = guarded(lambda: Tokenizer.from_buffer(clean), "tokenizer.json is damaged")
        guarded(self._add_tokens, "one of its added tokens is damaged")
        guarded(self._apply_settings, "its settings contradict tokenizer.json")

    @property
    def base_size(self) -> int:
        """How many tokens there are without the added ones."""
        return int(self.library.get_vocab_size(with_added_tokens=False))

    def vocab(self) -> dict[str, int]:
        """All tokens, the added ones too, with their ids."""
        return dict(self.library.get_vocab(with_added_tokens=True))

    def added(self) -> dict[int, AddedToken]:
        """The added tokens by id, ascending."""
        return dict(sorted(self.library.get_added_tokens_decoder().items()))

    def special_texts(self) -> dict[str, str]:
        """The named special tokens, such as "bos_token", in transformers' order."""
        defaults = CLASS_DEFAULTS.get(self.class_name, {})
        found = {}
        for name in SPECIAL_NAMES:
            text = token_text(self.settings[name]) if name in self.settings else defaults.get(name)
            if text:
                found[name] = text
        extra = self.settings.get("extra_special_tokens")
        if isinstance(extra, Mapping):
            found.update({str(name): text for name, value in extra.items() if (text := token_text(value))})
        return found

    def all_special(self) -> list[str]:
        """Every special token's text once, in transformers' order."""
        more = self.settings.get("additional_special_tokens")
        texts = list(self.special_texts().values())
        texts += [text for value in (more if isinstance(more, list) else ()) if (text := token_text(value))]
        return list(dict.fromkeys(texts))

    def encode(self, text: str, with_special: bool = False) -> list[int]:
        """The ids of `text`; `with_special` adds what the post-processor puts around it."""
        encoding = guarded(lambda: self.library.encode(text, add_special_tokens=with_special), "it refuses plain text")
        return list(encoding.ids)

    def decode(self, ids: list[int]) -> str:
        text = guarded(lambda: self.library.decode(ids, skip_special_tokens=False), "it cannot turn tokens into text")
        return _clean_up(text) if self.settings.get("clean_up_tokenization_spaces") is True else str(text)

    def _add_tokens(self) -> None:
        known = self.settings.get("added_tokens_decoder")
        special = self.all_special()
        tokens = []
        if isinstance(known, Mapping):
            for _, value in sorted(known.items(), key=lambda item: int(item[0])):
                tokens.append(_added_token(value, special))
        else:
            tokens += [_added_token(value, special) for value in self._detailed_specials()]
        present = {token.content for token in self.added().values()} | {token.content for token in tokens}
        tokens += [AddedToken(text, special=True, normalized=False) for text in special if text not in present]
        if tokens:
            self.library.add_tokens(tokens)

    def _detailed_specials(self) -> list[Mapping[str, Any]]:
        """Special tokens that the settings describe whole, in files older than `added_tokens_decoder`."""
        return [
            {**value, "special": True}
            for name in SPECIAL_NAMES
            if isinstance(value := self.settings.get(name), Mapping) and token_text(value)
        ]

    def _apply_settings(self) -> None:
        if self.class_name in ADDS_BOS_BY_DEFAULT:
            self._set_ends()
        if self.class_name in ("BertTokenizer", "DistilBertTokenizer"):
            self._set_bert_normaliser()
        pre = self.library.pre_tokenizer
        if pre is not None:
            state = json.loads(pre.__getstate__())
            wanted = bool(self.settings.get("add_prefix_space", False))
            if state.get("add_prefix_space", wanted) != wanted:
                pre.add_prefix_space = wanted

    def _set_ends(self) -> None:
        special, vocab = self.special_texts(), self.vocab()
        template, pairs = ["$A:0"], []
        ends = (("bos_token", "add_bos_token", True, 0), ("eos_token", "add_eos_token", False, 1))
        for name, setting, default, place in ends:
            text = special.get(name)
            if text and text in vocab and self.settings.get(setting, default):
                template.insert(place * len(template), f"{text}:0")
                pairs.append((text, vocab[text]))
        pair = template + [part.replace(":0", ":1") if part != "$A:0" else "$B:1" for part in template]
        self.library.post_processor = TemplateProcessing(
            single=" ".join(template), pair=" ".join(pair), special_tokens=pairs
        )

    def _set_bert_normaliser(self) -> None:
        normaliser = self.library.normalizer
        if normaliser is None:
            return
        state = json.loads(normaliser.__getstate__())
        wanted = {
            "lowercase": bool(self.settings.get("do_lower_case", True)),
            "strip_accents": self.settings.get("strip_accents"),
            "handle_chinese_chars": bool(self.settings.get("tokenize_chinese_chars", True)),
        }
        for name, value in wanted.items():
            if state.get(name, value) != value:
                setattr(normaliser, name, value)


def _added_token(value: object, special: list[str]) -> AddedToken:
    if not isinstance(value, Mapping) or not isinstance(value.get("content"), str):
        raise TypeError("an added token without its text")
    flags = {name: value.get(name) is True for name in ("single_word", "lstrip", "rstrip", "normalized")}
    text = value["content"]
    if "normalized" not in value:
        flags["normalized"] = True
    return AddedToken(text, special=value.get("special") is True or text in special, **flags)


_CLEAN_UPS = ((" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
              (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"))  # fmt: skip


def _clean_up(text: str) -> str:
    """English text without the spaces that transformers takes away before punctuation."""
    for before, after in _CLEAN_UPS:
        text = text.replace(before, after)
    return text


def load_rust_tokenizer(files: TokenizerFiles, parsed: TokenizerJson) -> RustTokenizer:
    """The tokenizer with the settings of tokenizer_config.json and, without them, of special_tokens_map.json."""
    settings = dict(files.object("tokenizer_config.json"))
    if "added_tokens_decoder" not in settings:
        for name, value in files.object("special_tokens_map.json").items():
            settings[name] = value
    return RustTokenizer(parsed, settings)
