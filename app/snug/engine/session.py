"""A conversation with a loaded model: reads only what is new, answers token by token, stops at once."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from snug.core.errors import UserError
from snug.engine.library import llama, log
from snug.engine.model import LoadedModel, Stopwatch
from snug.engine.prompt import Fitted, fit_turns, reserve_for_answer
from snug.engine.sampling import Sampler, SamplingSettings
from snug.engine.stop_words import StopWords
from snug.engine.template import Turn
from snug.engine.utf8 import Utf8Assembler
from snug.engine.vocabulary import Piece

_ABORTED = 2
_SEQUENCE = 0


@dataclass(frozen=True, slots=True)
class Started:
    """The prompt's tokens, how many of them were known already, and how many messages did not fit."""

    prompt_tokens: int
    reused_tokens: int
    left_out: int


@dataclass(slots=True)
class Result:
    """How an answer ended, and its figures. `reason` as in the protocol's `GenerationDone`."""

    reason: str = "end"
    tokens: int = 0
    tokens_per_s: float = 0.0
    first_token_s: float = 0.0
    prompt_tokens: int = 0
    prompt_tokens_per_s: float = 0.0
    context_used: int = 0


@dataclass(slots=True)
class Listener:
    """Whom a generation tells: the start, the reading of the prompt (done, total), each piece of text."""

    on_start: Callable[[Started], None] = lambda started: None
    on_reading: Callable[[int, int], None] = lambda done, total: None
    on_text: Callable[[str], None] = lambda text: None
    is_cancelled: Callable[[], bool] = lambda: False


@dataclass(slots=True)
class _Answer:
    """What is being written."""

    stop: StopWords
    characters: Utf8Assembler = field(default_factory=Utf8Assembler)
    tokens: list[int] = field(default_factory=list)
    text: list[str] = field(default_factory=list)


class Session:
    """One model, one sequence, one request at a time."""

    def __init__(self, model: LoadedModel) -> None:
        self.model = model
        self._llama = llama()
        self._memory = self._llama.llama_get_memory(model.native_context)
        self._tokens: list[int] = []  # what the engine's memory holds now
        self._left_out = 0
        self._first_kept = ""
        self.forget()

    def forget(self) -> None:
        """Forget everything that was read."""
        self._llama.llama_memory_clear(self._memory, True)
        self._tokens = []

    def count(self, turns: Sequence[Turn]) -> int:
        """How many tokens these turns take, whether they fit or not."""
        return len(self._tokenize(turns))

    def generate(self, turns: Sequence[Turn], settings: SamplingSettings, listener: Listener) -> Result:
        """Answer. Raises UserError where the last message does not fit or the engine fails."""
        watch = Stopwatch()
        fitted = self._fit(turns, settings)
        pieces = self.model.format.pieces(_kept(turns, fitted.left_out))
        result = Result(prompt_tokens=len(fitted.tokens))
        reused = self._keep_common(fitted.tokens)
        listener.on_start(Started(len(fitted.tokens), reused, fitted.left_out))
        if not self._read(fitted.tokens, reused, listener):
            result.reason, result.context_used = "stopped", len(self._tokens)
            return result
        reading_s = watch.seconds()
        result.prompt_tokens_per_s = (len(fitted.tokens) - reused) / max(reading_s, 1e-9)
        self._write(pieces, settings, listener, result, watch)
        return result

    def _fit(self, turns: Sequence[Turn], settings: SamplingSettings) -> Fitted:
        spoken = [turn for turn in turns if turn.role != "system"]
        if not spoken:
            raise UserError("There is nothing to answer.", "Write a message first.", kind="empty", bad_input=True)
        known = self._left_out and len(spoken) > self._left_out and spoken[self._left_out].text == self._first_kept
        room = self.model.context - reserve_for_answer(self.model.context, settings.max_tokens)
        fitted = fit_turns(turns, room, self._tokenize, self._left_out if known else 0)
        self._left_out = fitted.left_out
        self._first_kept = spoken[fitted.left_out].text
        return fitted

    def _tokenize(self, turns: Sequence[Turn]) -> list[int]:
        return self.model.vocabulary.tokenize_pieces(self.model.format.pieces(turns))

    def _keep_common(self, tokens: Sequence[int]) -> int:
        """Keep what the engine's memory and the prompt have in common at their start; how many tokens that is."""
        common = 0
        for held, wanted in zip(self._tokens, tokens, strict=False):
            if held != wanted:
                break
            common += 1
        common = min(common, len(tokens) - 1)  # the last one is read again: its logits start the answer
        if common < len(self._tokens) and not self._trim(common):
            self.forget()
            common = 0
        self._tokens = list(tokens[:common])
        return common

    def _trim(self, length: int) -> bool:
        """Forget what lies beyond `length`; False where this kind of model cannot, or has forgotten too much."""
        if length == 0:
            return False
        if not self._llama.llama_memory_seq_rm(self._memory, _SEQUENCE, length, -1):
            return False
        if self.model.window:
            # A sliding window keeps only the newest tokens: what lies before may be gone from its layers.
            oldest = self._llama.llama_memory_seq_pos_min(self._memory, _SEQUENCE)
            return bool(0 <= oldest <= max(0, length - self.model.window))
        return True

    def _read(self, tokens: Sequence[int], start: int, listener: Listener) -> bool:
        """Process the prompt from `start` on; False where it was stopped."""
        for at in range(start, len(tokens), self.model.batch):
            if listener.is_cancelled() or not self._decode(tokens[at : at + self.model.batch]):
                return False
            if len(tokens) - start > self.model.batch:
                listener.on_reading(len(self._tokens) - start, len(tokens) - start)
        return True

    def _decode(self, tokens: Sequence[int]) -> bool:
        """Process some tokens; False where the abort flag was set. What was processed stays known."""
        array = (ctypes.c_int32 * len(tokens))(*tokens)
        batch = self._llama.llama_batch_get_one(array, len(tokens))
        code = self._llama.llama_decode(self.model.native_context, batch)
        if code == 0:
            self._tokens.extend(tokens)
            return True
        return self._settle(code, tokens)

    def _settle(self, code: int, tokens: Sequence[int]) -> bool:
        """After a decode that did not succeed: False where it was stopped, UserError where it failed."""
        held = self._llama.llama_memory_seq_pos_max(self._memory, _SEQUENCE) + 1
        self._tokens = (self._tokens + list(tokens))[:held]
        if code == _ABORTED:
            return False
        self.forget()
        raise UserError(
            "The engine could not process this conversation.",
            "Try again; if it happens again, load the model with a shorter conversation memory.",
            kind="engine-failed",
            details=f"llama_decode answered {code}\n{log.tail()}",
        )

    def _write(
        self, pieces: list[Piece], settings: SamplingSettings, listener: Listener, result: Result, watch: Stopwatch
    ) -> None:
        vocabulary = self.model.vocabulary
        run = vocabulary.last_run(pieces)
        answer = _Answer(StopWords((*settings.stop, *self.model.format.stop)))
        if run.rstrip().endswith("<think>"):
            listener.on_text("<think>\n")  # the template opened it; whoever shows the answer must know
        sampler = Sampler(settings, vocabulary.size)
        try:
            result.reason = self._write_tokens(sampler, settings, listener, answer, result, watch)
        finally:
            sampler.close()
        if result.reason != "stop_word":
            self._say(answer, answer.characters.finish(), listener)
            self._show(answer, answer.stop.finish(), listener)
        writing_s = watch.seconds() - result.first_token_s
        result.tokens = len(answer.tokens)
        result.tokens_per_s = (result.tokens - 1) / writing_s if result.tokens > 1 and writing_s > 0 else 0.0
        result.context_used = len(self._tokens)
        if result.reason != "stop_word" and all(map(vocabulary.piece, answer.tokens)):
            vocabulary.remember(run + "".join(answer.text), vocabulary.tokenize_plain(run) + answer.tokens)

    def _write_tokens(
        self,
        sampler: Sampler,
        settings: SamplingSettings,
        listener: Listener,
        answer: _Answer,
        result: Result,
        watch: Stopwatch,
    ) -> str:
        """Sample until something ends the answer; the reason."""
        sample, decode = self._llama.llama_sampler_sample, self._llama.llama_decode
        context, vocabulary = self.model.native_context, self.model.vocabulary
        one = (ctypes.c_int32 * 1)()
        batch = self._llama.llama_batch_get_one(one, 1)
        limit = max(1, settings.max_tokens)
        while True:
            token = sample(sampler.chain, context, -1)
            if not answer.tokens:
                result.first_token_s = watch.seconds()
            if vocabulary.is_end(token):
                return "end"
            answer.tokens.append(token)
            self._say(answer, answer.characters.feed(vocabulary.piece(token)), listener)
            if answer.stop.is_met:
                return "stop_word"
            if listener.is_cancelled():
                return "stopped"
            if len(answer.tokens) >= limit:
                return "max_tokens"
            if len(self._tokens) >= self.model.context:
                return "context_full"
            one[0] = token
            code = decode(context, batch)
            if code == 0:
                self._tokens.append(token)
            elif not self._settle(code, [token]):
                return "stopped"

    def _say(self, answer: _Answer, text: str, listener: Listener) -> None:
        if text:
            self._show(answer, answer.stop.feed(text), listener)

    def _show(self, answer: _Answer, text: str, listener: Listener) -> None:
        if text:
            answer.text.append(text)
            listener.on_text(text)


def _kept(turns: Sequence[Turn], left_out: int) -> list[Turn]:
    system = [turn for turn in turns if turn.role == "system"]
    return [*system, *[turn for turn in turns if turn.role != "system"][left_out:]]
