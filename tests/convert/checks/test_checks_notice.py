"""Each check passes on what is right, and fails on a file that was broken on purpose."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from snug.convert.checks import Checked, check_conversion
from snug.convert.checks.chat_template import check_chat_template, compare_templates
from snug.convert.checks.outliers import check_outliers, errors_of
from snug.convert.checks.quality import check_chat, check_quality, repeats
from snug.convert.checks.token_ids import check_same_file_tokens, check_token_ids
from snug.convert.gguf_source import GgufSource
from snug.convert.plan import Meta
from snug.convert.tokenizers import Vocabulary, tokenizer_files_in
from snug.formats.byte_source import FileSource
from snug.formats.gguf_header import read_file_header
from tests.convert.checks.conftest import PIP
from tests.convert.tokenizers.make_samples import SAMPLE_MAKERS, SAMPLES
from tests.convert.tokenizers.test_against_reference import read_sample
from tests.convert.tokenizers.vocabulary_file import write_vocabulary

TEXT = "The quick brown fox jumps over the lazy dog. Paris is the capital of France, and water boils at 100 degrees. "


def changed(vocabulary: Vocabulary, key: str, value: object) -> list[Meta]:
    return [replace(meta, value=value) if meta.key == key else meta for meta in vocabulary.metadata]


def token_check(name: str, metadata: list[Meta] | tuple[Meta, ...], folder: Path) -> bool:
    path = write_vocabulary(folder / "v.gguf", SAMPLE_MAKERS[name][0], metadata)
    return check_token_ids(tokenizer_files_in(SAMPLES / name), path).ok


@pytest.mark.parametrize("name", ["llama-3", "qwen2", "llama-spm", "llama-json", "gemma", "gemma4", "phi3", "deepseek"])
def test_right_tokens_pass(name: str, tmp_path: Path) -> None:
    assert token_check(name, read_sample(name).metadata, tmp_path)


def test_what_the_engine_itself_cuts_otherwise_is_told_and_no_fault(tmp_path: Path) -> None:
    path = write_vocabulary(tmp_path / "v.gguf", "bert", read_sample("bert").metadata)
    check = check_token_ids(tokenizer_files_in(SAMPLES / "bert"), path)
    assert check.ok
    assert "the engine itself" in check.words
    assert check.details
    swapped = changed(read_sample("bert"), "tokenizer.ggml.unknown_token_id", 7)
    assert not token_check("bert", swapped, tmp_path)


def test_tokens_in_another_order_are_noticed(tmp_path: Path) -> None:
    vocabulary = read_sample("qwen2")
    tokens = list(vocabulary.value("tokenizer.ggml.tokens"))  # type: ignore[call-overload]
    first, second = tokens.index("a"), tokens.index("e")
    tokens[first], tokens[second] = tokens[second], tokens[first]
    assert not token_check("qwen2", changed(vocabulary, "tokenizer.ggml.tokens", tokens), tmp_path)


def test_another_pre_tokenizer_is_noticed(tmp_path: Path) -> None:
    assert not token_check("qwen2", changed(read_sample("qwen2"), "tokenizer.ggml.pre", "falcon"), tmp_path)


def test_a_special_token_that_lost_its_type_is_noticed(tmp_path: Path) -> None:
    vocabulary = read_sample("qwen2")
    types = [1 if kind == 3 else kind for kind in vocabulary.value("tokenizer.ggml.token_type")]  # type: ignore[attr-defined]
    assert not token_check("qwen2", changed(vocabulary, "tokenizer.ggml.token_type", types), tmp_path)


def test_equal_scores_of_all_tokens_are_noticed(tmp_path: Path) -> None:
    vocabulary = read_sample("llama-json")
    scores = [-1000.0] * vocabulary.token_count
    assert not token_check("llama-json", changed(vocabulary, "tokenizer.ggml.scores", scores), tmp_path)


def test_a_gguf_made_from_another_is_compared_with_it(small_pip: Path, tmp_path: Path) -> None:
    assert check_same_file_tokens(PIP, small_pip).ok
    other = write_vocabulary(tmp_path / "v.gguf", "qwen2", read_sample("qwen2").metadata)
    assert not check_same_file_tokens(PIP, other).ok


def test_the_template_of_a_file_is_compared(tmp_path: Path) -> None:
    vocabulary, files = read_sample("qwen2"), tokenizer_files_in(SAMPLES / "qwen2")
    path = write_vocabulary(tmp_path / "v.gguf", "qwen2", vocabulary.metadata)
    assert check_chat_template(files, path).ok
    template = str(vocabulary.value("tokenizer.chat_template"))
    for wrong in (
        template.replace("<|im_end|>\n", "<|im_end|>"),
        template.replace("assistant", "model"),
        "{{ messages",
    ):
        write_vocabulary(path, "qwen2", changed(vocabulary, "tokenizer.chat_template", wrong))
        assert not check_chat_template(files, path).ok, wrong
    rest = [meta for meta in vocabulary.metadata if meta.key != "tokenizer.chat_template"]
    write_vocabulary(path, "qwen2", rest)
    assert not check_chat_template(files, path).ok


def test_templates_that_say_the_same_in_other_words_pass() -> None:
    one = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    other = "{%- for m in messages -%}{{ m['role'] + ': ' + m['content'] + '\n' }}{%- endfor -%}"
    assert compare_templates(one, other).ok


def test_a_template_that_never_ends_is_no_fault_of_the_conversion() -> None:
    endless = "{% for a in range(99999999) %}{% for b in range(99999999) %}{% endfor %}{% endfor %}"
    assert compare_templates(endless, endless).ok


def test_an_original_without_a_template_is_told() -> None:
    assert compare_templates("", "").ok
    assert not compare_templates("", "{{ messages }}").ok


def errors(source: GgufSource, path: Path) -> bool:
    with FileSource(path) as file:
        return check_outliers(errors_of(source.tensors, read_file_header(path), file), {}).ok


def destroyed(path: Path, folder: Path, tensor: str, seed: int = 1) -> Path:
    """A copy in which one tensor's bytes are another tensor's, as a wrong offset would leave them."""
    out = Path(shutil.copy(path, folder / "destroyed.gguf"))
    header = read_file_header(out)
    info = next(info for info in header.tensors if info.name == tensor)
    with out.open("r+b") as file:
        file.seek(header.data_offset + info.offset)
        raw = np.frombuffer(file.read(info.size_bytes), np.uint8).reshape(-1, info.kind.bytes)
        file.seek(header.data_offset + info.offset)
        file.write(np.random.default_rng(seed).permutation(raw).tobytes())
    return out


def test_weights_that_are_right_pass(pip_source: GgufSource, small_pip: Path) -> None:
    assert errors(pip_source, small_pip)


@pytest.mark.parametrize("tensor", ["blk.2.attn_k.weight", "token_embd.weight", "blk.5.ffn_down.weight"])
def test_a_destroyed_tensor_is_noticed(tensor: str, pip_source: GgufSource, small_pip: Path, tmp_path: Path) -> None:
    assert not errors(pip_source, destroyed(small_pip, tmp_path, tensor))


def test_a_model_that_knows_nothing_any_more_is_noticed(small_pip: Path, tmp_path: Path) -> None:
    good = check_quality(small_pip, [TEXT * 60], original=PIP)
    assert good.check.ok
    assert 0 <= good.divergence < 0.1
    assert good.same_of_thousand > 900
    broken = check_quality(destroyed(small_pip, tmp_path, "token_embd.weight"), [TEXT * 60], original=PIP)
    assert not broken.check.ok


def test_the_test_chat_answers_and_ends(small_pip: Path) -> None:
    chat = check_chat(small_pip)
    assert chat.check.ok
    assert chat.answer
    assert "comes to an end" in chat.check.words


def test_a_file_that_does_not_load_fails_the_test_chat(small_pip: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(small_pip.read_bytes()[:-100_000])
    assert not check_chat(cut).check.ok


def test_the_same_words_again_and_again_are_noticed() -> None:
    assert repeats("Well, " + "no no " * 10)
    assert repeats("aaaaaaaaaa")
    assert not repeats("The capital of France is Paris.")
    assert not repeats("- - - \n\n     ")


def test_all_checks_of_a_good_conversion_pass(pip_source: GgufSource, small_pip: Path) -> None:
    said: list[str] = []
    report = check_conversion(
        Checked(
            small_pip,
            original=PIP,
            reference=PIP,
            tensors=pip_source.tensors,
            texts=[TEXT * 60],
            loses_bits=True,
            free_bytes=1 << 30,
        ),
        lambda done, total, doing: said.append(doing),
    )
    assert report.ok, [check for check in report.checks if not check.ok]
    assert [check.name for check in report.checks] == [
        "tokens", "template", "outliers", "memory", "bits", "quality", "chat"
    ]  # fmt: skip
    assert report.sample
    assert report.perplexity > 0
    assert len(said) == 5


def test_a_model_larger_than_the_free_memory_is_not_run(small_pip: Path) -> None:
    report = check_conversion(Checked(small_pip, original=PIP, free_bytes=1_000_000))
    assert report.checks[-1].name == "quality"
    assert not report.checks[-1].is_done


def test_a_damaged_tokenizer_is_a_failed_check(small_pip: Path, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": {"type": "BPE", "vocab": {}}}))
    report = check_conversion(Checked(small_pip, tokenizer_files={"tokenizer.json": tmp_path / "tokenizer.json"}))
    assert not report.checks[0].ok
    assert "could not be checked" in report.checks[0].words
