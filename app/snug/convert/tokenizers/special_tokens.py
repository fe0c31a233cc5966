"""The ids of the special tokens, and which of them are put around a text.

The rules are those of llama.cpp's converter (`SpecialVocab` in `gguf-py/gguf/vocab.py`): the post-processor of
tokenizer.json says what is added, tokenizer_config.json names the tokens, config.json gives the ids that are left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from snug.convert.tokenizers.chat_templates import chat_templates, put_chat_templates
from snug.convert.tokenizers.rust_tokenizer import token_text
from snug.convert.tokenizers.tokenizer_files import TokenizerFiles
from snug.convert.tokenizers.tokenizer_json import AddedTokenJson, TokenizerJson
from snug.convert.tokenizers.vocabulary import Entries

STANDARD = ("bos", "eos", "unk", "sep", "pad", "cls", "mask")

ID_KEYS = {
    "bos": "tokenizer.ggml.bos_token_id",
    "eos": "tokenizer.ggml.eos_token_id",
    "unk": "tokenizer.ggml.unknown_token_id",
    "sep": "tokenizer.ggml.seperator_token_id",
    "pad": "tokenizer.ggml.padding_token_id",
    "mask": "tokenizer.ggml.mask_token_id",
    "eot": "tokenizer.ggml.eot_token_id",
    "eom": "tokenizer.ggml.eom_token_id",
}
"""The keys of the kinds that a GGUF has a place for; llama.cpp finds the fill-in-the-middle tokens by their texts."""

ADD_KEYS = {
    "bos": "tokenizer.ggml.add_bos_token",
    "eos": "tokenizer.ggml.add_eos_token",
    "sep": "tokenizer.ggml.add_sep_token",
}


class SpecialTokens:
    """Ids and settings gathered from a checkpoint; the first value found for a kind stays."""

    def __init__(
        self,
        files: TokenizerFiles,
        config: Mapping[str, Any],
        parsed: TokenizerJson | None,
        *,
        kinds: Sequence[str] = STANDARD,
        size: int | None = None,
    ) -> None:
        self.ids: dict[str, int] = {}
        self.adds: dict[str, bool] = {}
        self.templates = chat_templates(files)
        self.lowercase: bool | None = None
        self.strip_accents: bool | None = None
        self._kinds = list(kinds)
        self._size = size
        self._settings = dict(files.object("tokenizer_config.json"))
        self._read(parsed)
        self._read_config(config)

    def set(self, kind: str, value: object) -> None:
        """Give `kind` an id unless it has one or the id is none of this vocabulary."""
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            return
        if self._size is None or value < self._size:
            self.ids.setdefault(kind, value)

    def put_into(self, entries: Entries) -> None:
        for kind, token in self.ids.items():
            if kind in ID_KEYS:
                entries.put(ID_KEYS[kind], "u32", token)
        for kind, adds in self.adds.items():
            if kind in ADD_KEYS:
                entries.put(ADD_KEYS[kind], "bool", adds)
        if self.templates is not None:
            put_chat_templates(self.templates, entries)
        if self.lowercase is not None:
            entries.put("tokenizer.ggml.normalizer.lowercase", "bool", self.lowercase)
        if self.strip_accents is not None:
            entries.put("tokenizer.ggml.normalizer.strip_accents", "bool", self.strip_accents)

    def _read(self, parsed: TokenizerJson | None) -> None:
        added: list[AddedTokenJson] = []
        if parsed is not None:
            added = parsed.added_tokens
            self._read_normaliser(parsed.part("normalizer"))
            self._name_missing()
            self._read_post_processor(parsed.part("post_processor"))
        if not self._settings:
            return
        for kind in self._kinds:
            adds = self._settings.get(f"add_{kind}_token")
            if isinstance(adds, bool):
                self.adds.setdefault(kind, adds)
            text = token_text(self._settings.get(f"{kind}_token"))
            if text is not None:
                self.set(kind, next((token.id for token in added if token.content == text), None))

    def _read_config(self, config: Mapping[str, Any]) -> None:
        inner = config.get("text_config")
        for kind in self._kinds:
            value = config.get(f"{kind}_token_id")
            if value is None and isinstance(inner, Mapping):
                value = inner.get(f"{kind}_token_id")
            self.set(kind, value)

    def _read_normaliser(self, part: Mapping[str, Any]) -> None:
        kind = part.get("type")
        if kind == "Lowercase":
            self.lowercase = True
        elif kind == "StripAccents":
            self.strip_accents = True
        elif kind == "BertNormalizer":
            if isinstance(part.get("lowercase"), bool):
                self.lowercase = part["lowercase"]
            if isinstance(part.get("strip_accents"), bool):
                self.strip_accents = part["strip_accents"]
        elif kind == "Sequence":
            for inner in _objects(part.get("normalizers")):
                self._read_normaliser(inner)

    def _name_missing(self) -> None:
        """BERT's classifier and separator serve as beginning and end where those have no names."""
        for kind, stand_in in (("bos", "cls"), ("eos", "sep")):
            if self._settings and not self._settings.get(f"{kind}_token") and self._settings.get(f"{stand_in}_token"):
                self._settings[f"{kind}_token"] = self._settings[f"{stand_in}_token"]

    def _named(self, kind: str) -> str | None:
        """The text of the token of a kind as the settings have it."""
        return token_text(self._settings.get(f"{kind}_token"))

    def _name(self, kind: str, text: str | None) -> None:
        if self._settings:
            self._settings[f"{kind}_token"] = text

    def _read_post_processor(self, part: Mapping[str, Any]) -> None:
        inner = part.get("processors")
        for processor in _objects(inner) if isinstance(inner, list) else [part]:
            kind = processor.get("type")
            if kind == "ByteLevel":
                self.adds.setdefault("bos", False)
                self.adds.setdefault("eos", False)
            elif kind == "RobertaProcessing":
                self._read_roberta(processor)
            elif kind == "TemplateProcessing":
                self._read_template(processor)

    def _read_roberta(self, processor: Mapping[str, Any]) -> None:
        self.adds.update(bos=True, eos=True, sep=True)
        for kind in ("cls", "sep"):
            pair = processor.get(kind)
            if not self._named(kind) and isinstance(pair, list) and pair and isinstance(pair[0], str):
                self._name(kind, pair[0])

    def _read_template(self, processor: Mapping[str, Any]) -> None:
        """What a template of one text and one of two texts put at the beginning, at the end and between."""
        single, pair = _objects(processor.get("single")), _objects(processor.get("pair"))
        first = last = None
        bos, eos, cls = self._named("bos"), self._named("eos"), self._named("cls")
        if len(single) > 1:
            first, last = _special_id(single[0]), _special_id(single[-1])
            if first:
                bos = self._read_first(first, bos, cls)
            if last:
                eos = self._read_last(last, eos)
        if pair:
            self._read_pair(pair, first, last, eos)

    def _read_first(self, first: str, bos: str | None, cls: str | None) -> str | None:
        if not self._settings:
            bos = first
        elif first not in (bos, cls):
            if not bos:
                bos = first
                self._name("bos", first)
            if not cls:
                cls = first
                self._name("cls", first)
        self.adds["bos"] = first in (bos, cls)
        return bos

    def _read_last(self, last: str, eos: str | None) -> str:
        """A template that ends with another token than the settings' end makes that one the end of a turn."""
        if self._settings and last != eos:
            for kind in ("eot", "eom"):
                if kind not in self._kinds:
                    self._kinds.append(kind)
                    self._name(kind, eos)
                    break
            self._name("eos", last)
        self.adds["eos"] = True
        return last

    def _read_pair(self, pair: list[Mapping[str, Any]], first: str | None, last: str | None, eos: str | None) -> None:
        begin = 1 if first and _special_id(pair[0]) == first else 0
        end = len(pair) - 1 if last and _special_id(pair[-1]) == last else len(pair)
        inner = pair[begin:end]
        if not inner or _sequence_id(inner[0]) != "A" or _sequence_id(inner[-1]) != "B" or not inner[1:-1]:
            return
        between = [_special_id(item) for item in inner[1:-1]]
        sep = self._named("sep")
        adds = between[0] is not None and between[0] in (sep, eos) and not last
        adds = adds or (len(between) == 2 and between[1] is not None and between[1] in (sep, eos))
        self.adds["sep"] = adds
        if adds and not sep:
            self._name("sep", eos)


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _inner_id(item: Mapping[str, Any], name: str) -> str | None:
    inner = item.get(name)
    found = inner.get("id") if isinstance(inner, Mapping) else None
    return found if isinstance(found, str) and found else None


def _special_id(item: Mapping[str, Any]) -> str | None:
    return _inner_id(item, "SpecialToken")


def _sequence_id(item: Mapping[str, Any]) -> str | None:
    return _inner_id(item, "Sequence")
