"""The vocabulary of a model file without its weights: how the engine cuts text, and which chat template it finds."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any

from snug.engine.library import llama, log
from snug.engine.model import explain_load_failure


class BareVocabulary:
    """A context manager; loading reads the header alone. Raises UserError where the engine refuses the file."""

    def __init__(self, path: Path | str) -> None:
        self._llama = llama()
        parameters = self._llama.llama_model_default_params()
        parameters.vocab_only = True
        log.clear()
        self._model: Any = self._llama.llama_model_load_from_file(os.fsencode(path), parameters)
        if not self._model:
            raise explain_load_failure(log.text(), str(path))
        self._vocab = self._llama.llama_model_get_vocab(self._model)

    @property
    def size(self) -> int:
        """How many tokens there are, padding included."""
        return int(self._llama.llama_vocab_n_tokens(self._vocab))

    @property
    def chat_template(self) -> str:
        """The file's default chat template, "" where it has none."""
        return (self._llama.llama_model_chat_template(self._model, None) or b"").decode("utf-8", "replace")

    def text_of(self, token: int) -> str:
        """A token's text as the file has it, "" for none."""
        if not 0 <= token < self.size:
            return ""
        return (self._llama.llama_vocab_get_text(self._vocab, token) or b"").decode("utf-8", "replace")

    def tokenize(self, text: str, *, with_ends: bool = False, with_special: bool = False) -> list[int]:
        """The ids of `text`. `with_ends` adds what the file says belongs around a text; `with_special` finds the texts
        of control tokens in it."""
        raw = text.encode("utf-8")
        room = len(raw) + 16
        while True:
            found = (self._llama.llama_token * room)()
            count = self._llama.llama_tokenize(self._vocab, raw, len(raw), found, room, with_ends, with_special)
            if count >= 0:
                return list(found[:count])
            room = -count

    def special_ids(self) -> dict[str, int]:
        """The ids that the engine uses for "bos", "eos", "eot" and "pad"; -1 where it has none."""
        api = self._llama
        return {
            "bos": api.llama_vocab_bos(self._vocab),
            "eos": api.llama_vocab_eos(self._vocab),
            "eot": api.llama_vocab_eot(self._vocab),
            "pad": api.llama_vocab_pad(self._vocab),
        }

    def close(self) -> None:
        if self._model:
            self._llama.llama_model_free(self._model)
            self._model = None

    def __enter__(self) -> BareVocabulary:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
