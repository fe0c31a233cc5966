"""A model opened to read text in chunks: its logits after each token, and what its operations took in."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snug.core.errors import UserError
from snug.engine.library import llama, log
from snug.engine.model import AbortFlag, explain_load_failure, physical_cores, useful_threads
from snug.engine.template import ChatFormat, Turn, choose_format
from snug.engine.vocabulary import MOST_PIECES, Vocabulary

Floats = NDArray[np.float32]
Tokens = NDArray[np.int32]

BATCH = 512
_NO_MEMORY_MAP = 0
_MEMORY_MAP = 1
_ABORTED = 2


class ReadingStopped(Exception):
    """The person stopped it."""


Observer = Callable[[int, bool], bool]
"""Asked with (address of a tensor, True) whether it wants it; told with (address, False) when it is computed, and then
whether the rest is to be computed too."""


class TextReader:
    """One model and one context of `chunk` tokens, without a memory from one chunk to the next.

    `is_editable` loads the weights into memory of our own, where they may be written over; otherwise they are mapped
    from the file. `observer` sees each operation: slower. Raises UserError where the engine refuses the file.
    """

    def __init__(
        self,
        path: Path,
        *,
        chunk: int = 512,
        threads: int = 0,
        is_editable: bool = False,
        observer: Observer | None = None,
    ) -> None:
        api = llama()
        self.chunk = chunk
        self.error: BaseException | None = None
        self.abort = AbortFlag()
        self._observer = observer
        self._callback = self._make_callback(api) if observer else None
        self._no_devices = ctypes.c_void_p(None)
        self._batch: Any = None
        self._speech: tuple[Vocabulary, ChatFormat] | None = None
        self._context: Any = None
        self._model: Any = self._load(api, path, is_editable)
        try:
            self._context = self._open_context(api, path, threads)
        except BaseException:  # also Ctrl-C: the engine's memory is nobody else's to free
            self.close()
            raise
        self._batch = api.llama_batch_init(min(BATCH, chunk), 0, 1)
        vocabulary = api.llama_model_get_vocab(self._model)
        self._vocab = vocabulary
        self.vocabulary_size: int = api.llama_vocab_n_tokens(vocabulary)
        self.adds_bos: bool = api.llama_vocab_get_add_bos(vocabulary)
        self.bos: int = api.llama_vocab_bos(vocabulary)

    def _load(self, api: Any, path: Path, is_editable: bool) -> Any:
        if not path.is_file():
            raise UserError(f"There is no model file at {path}.", "Name a GGUF file.", kind="no-file", bad_input=True)
        log.clear()
        parameters = api.llama_model_default_params()
        parameters.n_gpu_layers = 0
        parameters.use_extra_bufts = False  # repacked weights can be neither looked at nor written over
        parameters.devices = ctypes.addressof(self._no_devices)
        parameters.load_mode = _NO_MEMORY_MAP if is_editable else _MEMORY_MAP
        model = api.llama_model_load_from_file(os.fsencode(path), parameters)
        if not model:
            raise explain_load_failure(log.text(), str(path))
        return model

    def _open_context(self, api: Any, path: Path, threads: int) -> Any:
        parameters = api.llama_context_default_params()
        parameters.n_ctx = self.chunk
        parameters.n_batch = parameters.n_ubatch = min(BATCH, self.chunk)
        parameters.n_seq_max = 1
        parameters.n_outputs_max = parameters.n_batch
        parameters.n_threads = parameters.n_threads_batch = useful_threads(
            path.stat().st_size, threads or physical_cores()
        )
        parameters.no_perf = True
        parameters.abort_callback = self.abort.callback
        parameters.abort_callback_data = self.abort.address
        if self._callback is not None:
            parameters.cb_eval = self._callback
        context = api.llama_init_from_model(self._model, parameters)
        if not context:
            raise UserError(
                f"There is not enough memory to read {self.chunk} tokens with this model.",
                "Close other programs.",
                kind="no-memory",
                details=log.tail(),
            )
        return context

    def _make_callback(self, api: Any) -> Any:
        @api.ggml_backend_sched_eval_callback  # type: ignore[untyped-decorator, unused-ignore]
        def observe(tensor: int, is_asking: bool, _: int) -> bool:
            if self.error is not None or self._observer is None:
                return False
            try:
                return self._observer(tensor, is_asking)
            except BaseException as error:  # noqa: BLE001 - C cannot carry it: it is raised again after the decode
                self.error = error
                return False

        return observe

    def ignore_operations(self) -> None:
        """Ask the observer no more."""
        self._observer = None

    def tokenize(self, text: str, *, parse_special: bool = False) -> Tokens:
        """The tokens of a text, with the model's start token where it wants one, as llama-perplexity makes them."""
        api, data = llama(), text.encode("utf-8", "replace")
        room = len(data) + 8
        while True:
            tokens = np.empty(room, np.int32)
            pointer = tokens.ctypes.data_as(ctypes.POINTER(ctypes.c_int32))
            count = api.llama_tokenize(self._vocab, data, len(data), pointer, room, True, parse_special)
            if count >= 0 or not room < -count <= MOST_PIECES * room:
                break
            room = -count  # a vocabulary that lacks a character takes it in pieces, three of them for a space
        if count < 0:
            raise UserError("This text cannot be read by the model.", "Use another.", kind="too-long", bad_input=True)
        return tokens[:count].copy()

    def conversation(self, turns: Sequence[Turn]) -> list[int]:
        """The tokens of a conversation, as the model's chat template writes it."""
        if self._speech is None:
            vocabulary = Vocabulary(self._model)
            source = llama().llama_model_chat_template(self._model, None) or b""
            self._speech = vocabulary, choose_format(source.decode("utf-8", "replace"), vocabulary)
        vocabulary, form = self._speech
        return vocabulary.tokenize_pieces(form.pieces(turns))

    def chunks(self, tokens: Tokens, limit: int = 0) -> list[Tokens]:
        """Whole chunks of a text's tokens, each beginning with the start token where the model wants one."""
        count = len(tokens) // self.chunk
        found = [tokens[at * self.chunk : (at + 1) * self.chunk].copy() for at in range(min(count, limit or count))]
        for chunk in found:
            if self.adds_bos:
                chunk[0] = self.bos
        return found

    def logits(self, tokens: Sequence[int] | Tokens, first: int = 0) -> Floats:
        """Logits after each of `tokens` from number `first` on, float32 of shape (len(tokens) - first, vocabulary).

        Raises ReadingStopped where the abort flag was set, UserError where the engine fails, and whatever the
        observer raised.
        """
        api = llama()
        api.llama_memory_clear(api.llama_get_memory(self._context), True)
        out = np.empty((len(tokens) - first, self.vocabulary_size), np.float32)
        for start in range(0, len(tokens), BATCH):
            part = tokens[start : start + BATCH]
            wanted = max(first - start, 0)
            self._decode(part, start, wanted)
            count = len(part) - wanted
            if count > 0:
                rows = np.ctypeslib.as_array(api.llama_get_logits(self._context), (count, self.vocabulary_size))
                out[start + wanted - first : start + wanted - first + count] = rows
        return out

    def _decode(self, tokens: Sequence[int] | Tokens, start: int, wanted: int) -> None:
        batch = self._batch
        batch.n_tokens = len(tokens)
        for index, token in enumerate(tokens):
            batch.token[index] = int(token)
            batch.pos[index] = start + index
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = 0
            batch.logits[index] = index >= wanted
        code = llama().llama_decode(self._context, batch)
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        if code == _ABORTED:
            raise ReadingStopped
        if code != 0:
            raise UserError(
                "The engine could not read this text.",
                "Try it again, or choose another model file.",
                kind="engine-failed",
                details=f"llama_decode answered {code}\n{log.tail()}",
            )

    def close(self) -> None:
        """Give the memory back."""
        api = llama()
        if self._batch is not None:
            api.llama_batch_free(self._batch)
        if self._context is not None:
            api.llama_free(self._context)
        if self._model is not None:
            api.llama_model_free(self._model)
        self._batch = self._context = self._model = None

    def __enter__(self) -> TextReader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, t: TracebackType | None) -> None:
        self.close()
