"""Makes the small tokenizers of tests/data/tokenizers: one of each kind, trained on this project's own text.

Development only: `python -m tests.convert.tokenizers.make_samples [NAME...]`, then `record` beside this file. The
samples are committed, since another version of the training libraries may choose other tokens.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sentencepiece
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from snug.convert.tokenizers.pre_tokenizers import CHECK_TEXT, MORE_TEXT, PATTERNS

SAMPLES = Path(__file__).parents[2] / "data" / "tokenizers"
ROOT = Path(__file__).parents[3]
SIZE = 420
TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SAMPLING = {"do_sample": True, "temperature": 0.7, "top_k": 20, "top_p": 0.8, "repetition_penalty": 1.05, "min_p": 0}

Files = dict[str, Any]


def training_lines() -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8") + (ROOT / "app/snug/convert/quantize.py").read_text()
    return [*text.splitlines(keepends=True), CHECK_TEXT, MORE_TEXT]


def added(text: str, number: int, **flags: bool) -> dict[str, Any]:
    return {"id": number, "content": text, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": True} | flags  # fmt: skip


def byte_level(pattern: str, specials: list[str], **model: Any) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(**model))
    regexes = next(known.regexes for known in PATTERNS if known.name == pattern)
    splits = [pre_tokenizers.Split(Regex(regex), "isolated") for regex in regexes]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [*splits, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE - len(specials), initial_alphabet=alphabet, show_progress=False, special_tokens=[]
    )
    tokenizer.train_from_iterator(training_lines(), trainer)
    tokenizer.add_special_tokens(specials)
    return tokenizer


def with_template(tokenizer: Tokenizer, *, first: str = "", last: str = "") -> None:
    inner = [part for part in (first, "$A", last) if part]
    pair = inner + [part.replace("$A", "$B") for part in inner]
    ids = [(text, tokenizer.token_to_id(text)) for text in (first, last) if text]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=" ".join(inner), pair=" ".join(f"{part}:{0 if i < len(inner) else 1}" for i, part in enumerate(pair)),
        special_tokens=ids,
    )  # fmt: skip


def decoder_of(tokenizer: Tokenizer, special: bool = True) -> dict[str, dict[str, Any]]:
    return {
        str(number): {key: value for key, value in added(token.content, number, special=token.special,
                      normalized=token.normalized).items() if key != "id"}
        for number, token in sorted(tokenizer.get_added_tokens_decoder().items())
    }  # fmt: skip


def llama3() -> Files:
    specials = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    tokenizer = byte_level("llama-bpe", specials, ignore_merges=True)
    with_template(tokenizer, first="<|begin_of_text|>")
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|begin_of_text|>",
                "eos_token": "<|eot_id|>", "chat_template": TEMPLATE, "clean_up_tokenization_spaces": True,
                "added_tokens_decoder": decoder_of(tokenizer)}  # fmt: skip
    config = {"vocab_size": SIZE + 12, "bos_token_id": SIZE - 5, "eos_token_id": [SIZE - 4, SIZE - 1]}
    return {"tokenizer.json": tokenizer, "tokenizer_config.json": settings, "config.json": config,
            "generation_config.json": SAMPLING}  # fmt: skip


def qwen2() -> Files:
    tokenizer = byte_level("qwen2", ["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.post_processor = processors.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)
    tokenizer.add_tokens(["<think>", "</think>", "<tool_call>"])
    settings = {"tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>",
                "bos_token": None, "unk_token": None, "add_bos_token": False, "add_prefix_space": False,
                "additional_special_tokens": ["<|im_start|>", "<|im_end|>"],
                "added_tokens_decoder": decoder_of(tokenizer)}  # fmt: skip
    config = {"vocab_size": SIZE + 20, "bos_token_id": SIZE - 3, "eos_token_id": SIZE - 1}
    return {"tokenizer.json": tokenizer, "tokenizer_config.json": settings, "config.json": config,
            "chat_template.jinja": TEMPLATE, "generation_config.json": SAMPLING | {"top_k": 40}}  # fmt: skip


def gpt2_files() -> Files:
    """vocab.json and merges.txt alone."""
    tokenizer = byte_level("gpt-2", ["<|endoftext|>"])
    model = json.loads(tokenizer.to_str())["model"]
    vocab = model["vocab"] | {"<|endoftext|>": SIZE - 1}
    merges = "#version: 0.2\n" + "\n".join(" ".join(pair) for pair in model["merges"]) + "\n"
    settings = {"tokenizer_class": "GPT2Tokenizer", "model_max_length": 1024}
    config = {"vocab_size": SIZE, "bos_token_id": SIZE - 1, "eos_token_id": SIZE - 1}
    return {"vocab.json": vocab, "merges.txt": merges, "tokenizer_config.json": settings, "config.json": config}


def starcoder() -> Files:
    specials = ["<|endoftext|>", "<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<fim_pad>"]
    tokenizer = byte_level("starcoder", specials)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    settings = {"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": False,
                "added_tokens_decoder": decoder_of(tokenizer)}  # fmt: skip
    return {"tokenizer.json": tokenizer, "tokenizer_config.json": settings,
            "config.json": {"vocab_size": SIZE, "bos_token_id": SIZE - 5, "eos_token_id": SIZE - 5}}  # fmt: skip


def deepseek() -> Files:
    """Byte-level BPE under LlamaTokenizerFast, which puts its own beginning before every text."""
    specials = ["<\uff5cbegin\u2581of\u2581sentence\uff5c>", "<\uff5cend\u2581of\u2581sentence\uff5c>"]
    tokenizer = byte_level("deepseek-v3", specials)
    tokenizer.add_tokens(["<\uff5cUser\uff5c>", "<\uff5cAssistant\uff5c>", "<think>"])
    settings = {"tokenizer_class": "LlamaTokenizerFast", "add_bos_token": True, "add_eos_token": False,
                "bos_token": {"__type": "AddedToken", "content": specials[0], "normalized": True},
                "eos_token": specials[1], "pad_token": specials[1], "unk_token": None,
                "legacy": True, "chat_template": TEMPLATE}  # fmt: skip
    return {"tokenizer.json": tokenizer, "tokenizer_config.json": settings,
            "config.json": {"vocab_size": SIZE + 8, "bos_token_id": SIZE - 2, "eos_token_id": SIZE - 1}}  # fmt: skip


def gpt_oss() -> Files:
    tokenizer = byte_level("gpt-4o", ["<|startoftext|>", "<|endoftext|>", "<|return|>", "<|call|>"])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|startoftext|>", "eos_token": "<|return|>",
                "pad_token": "<|endoftext|>", "added_tokens_decoder": decoder_of(tokenizer)}  # fmt: skip
    return {"tokenizer.json": tokenizer, "tokenizer_config.json": settings, "chat_template.jinja": TEMPLATE,
            "additional_chat_templates/tool_use.jinja": TEMPLATE + "{# tools #}",
            "config.json": {"vocab_size": SIZE + 1, "eos_token_id": SIZE - 2}}  # fmt: skip


def command_r() -> Files:
    specials = ["<PAD>", "<UNK>", "<BOS_TOKEN>", "<EOS_TOKEN>", "<|START_OF_TURN_TOKEN|>", "<|END_OF_TURN_TOKEN|>"]
    tokenizer = byte_level("starcoder", specials)
    tokenizer.normalizer = normalizers.NFC()
    with_template(tokenizer, first="<BOS_TOKEN>")
    settings = {"tokenizer_class": "CohereTokenizerFast", "bos_token": "<BOS_TOKEN>", "add_bos_token": True,
                "eos_token": "<|END_OF_TURN_TOKEN|>", "pad_token": "<PAD>", "add_eos_token": False,
                "chat_template": [{"name": "default", "template": TEMPLATE},
                                  {"name": "tool_use", "template": TEMPLATE + "{# tools #}"},
                                  {"name": "rag", "template": TEMPLATE + "{# rag #}"}],
                "added_tokens_decoder": decoder_of(tokenizer)}  # fmt: skip
    return {"tokenizer.json": tokenizer, "tokenizer_config.json": settings,
            "config.json": {"vocab_size": SIZE, "bos_token_id": SIZE - 4, "eos_token_id": SIZE - 1,
                            "pad_token_id": SIZE - 6}}  # fmt: skip


def glm4() -> Files:
    specials = ["<|endoftext|>", "[MASK]", "[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>",
                "<|observation|>"]  # fmt: skip
    tokenizer = byte_level("llama-bpe", specials)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|endoftext|>",
                "pad_token": "<|endoftext|>", "chat_template": TEMPLATE, "do_lower_case": False,
                "added_tokens_decoder": decoder_of(tokenizer)}  # fmt: skip
    return {"tokenizer.json": tokenizer, "tokenizer_config.json": settings,
            "config.json": {"vocab_size": SIZE + 4, "pad_token_id": SIZE - 8,
                            "eos_token_id": [SIZE - 8, SIZE - 3, SIZE - 1]}}  # fmt: skip


def spm(kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(line.rstrip("\n") for line in training_lines()), model_writer=out, model_type=kind,
        minloglevel=2, num_threads=1, **{"vocab_size": SIZE, "character_coverage": 0.98} | options,
    )  # fmt: skip
    return out.getvalue()


def llama_spm() -> Files:
    model = spm("bpe", byte_fallback=True, split_digits=True, normalization_rule_name="identity",
                remove_extra_whitespaces=False, user_defined_symbols=["    "])  # fmt: skip
    settings = {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>",
                "add_bos_token": True, "add_eos_token": False, "chat_template": TEMPLATE, "legacy": False,
                "added_tokens_decoder": {
                    "0": added("<unk>", 0), "1": added("<s>", 1), "2": added("</s>", 2),
                    str(SIZE): added("[INST]", SIZE), str(SIZE + 1): added("\u2581user ", SIZE + 1, special=False),
                    str(SIZE + 2): added("<|tool|>", SIZE + 2, special=False),
                }}  # fmt: skip
    for value in settings["added_tokens_decoder"].values():  # type: ignore[attr-defined]
        value.pop("id")
    config = {"vocab_size": SIZE + 5, "bos_token_id": 1, "eos_token_id": 2}
    return {"tokenizer.model": model, "tokenizer_config.json": settings, "config.json": config,
            "added_tokens.json": {"<extra>": SIZE + 3}, "generation_config.json": {"temperature": 0.6}}  # fmt: skip


def unigram() -> bytes:
    """With a small table of characters: wide letters become usual ones, line ends and tabs spaces."""
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as rules:
        rules.write("A\t20\n9\t20\n")
        rules.write("".join(f"{0xFF21 + i:X}\t{0x41 + i:X}\n{0xFF41 + i:X}\t{0x61 + i:X}\n" for i in range(26)))
        rules.flush()
        return spm("unigram", hard_vocab_limit=False, normalization_rule_tsv=rules.name)


def joined_pieces(model: bytes, specials: list[str]) -> Tokenizer:
    """A tokenizer.json as transformers makes it from a SentencePiece model of pairs."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    vocab = {processor.id_to_piece(i): i for i in range(processor.vocab_size())}
    merges = []
    for piece, number in vocab.items():
        pairs = [(piece[:i], piece[i:]) for i in range(1, len(piece)) if piece[:i] in vocab and piece[i:] in vocab]
        merges += [(number, pair) for pair in sorted(pairs, key=lambda pair: (vocab[pair[0]], vocab[pair[1]]))]
    tokenizer = Tokenizer(models.BPE(vocab, [pair for _, pair in sorted(merges, key=lambda item: item[0])],
                                     unk_token="<unk>", fuse_unk=True, byte_fallback=True))  # fmt: skip
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)
    ])  # fmt: skip
    tokenizer.add_special_tokens(specials)
    return tokenizer


def plain_spm() -> bytes:
    return spm("bpe", byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False)


def llama_json() -> Files:
    tokenizer = joined_pieces(plain_spm(), ["<unk>", "<s>", "</s>"])
    with_template(tokenizer, first="<s>")
    tokenizer.add_tokens(["<|im_start|>", "<|im_end|>"])
    settings = {"tokenizer_class": "LlamaTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>",
                "add_bos_token": True, "add_eos_token": False,
                "added_tokens_decoder": decoder_of(tokenizer)}  # fmt: skip
    return {"tokenizer.json": tokenizer, "tokenizer_config.json": settings,
            "config.json": {"vocab_size": SIZE + 2, "bos_token_id": 1, "eos_token_id": 2}}  # fmt: skip


def ernie() -> Files:
    files = llama_spm()
    return {**files, "tokenizer_config.json": files["tokenizer_config.json"] | {"add_prefix_space": False}}


def hunyuan() -> Files:
    files = qwen2()
    files["config.json"] |= {"eod_token_id": SIZE - 2, "pad_token_id": SIZE - 3}
    return {**files, "generation_config.json": {"eos_token_id": [SIZE - 1, SIZE - 2], "top_k": 20}}


def gemma() -> Files:
    model = spm("bpe", byte_fallback=True, split_digits=True, normalization_rule_name="identity", pad_id=0, eos_id=1,
                bos_id=2, unk_id=3, bos_piece="<bos>", eos_piece="<eos>", remove_extra_whitespaces=False,
                add_dummy_prefix=False,
                user_defined_symbols=["<mask>", "<unused0>", "<start_of_turn>", "\n\n"])  # fmt: skip
    known = {"0": added("<pad>", 0), "1": added("<eos>", 1), "2": added("<bos>", 2), "3": added("<unk>", 3),
             "4": added("<mask>", 4, special=False), "5": added("<unused0>", 5, special=False),
             "6": added("<start_of_turn>", 6), "7": added("\n\n", 7, special=False)}  # fmt: skip
    for value in known.values():
        value.pop("id")
    settings = {"tokenizer_class": "GemmaTokenizer", "bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>",
                "unk_token": "<unk>", "add_bos_token": True, "add_eos_token": False, "chat_template": TEMPLATE,
                "added_tokens_decoder": known}  # fmt: skip
    config = {"vocab_size": SIZE, "bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0}
    return {"tokenizer.model": model, "tokenizer_config.json": settings, "config.json": config}


def gemma4() -> Files:
    model = spm("bpe", byte_fallback=True, split_digits=True, normalization_rule_name="identity", pad_id=0, eos_id=1,
                bos_id=2, unk_id=3, bos_piece="<bos>", eos_piece="<eos>", remove_extra_whitespaces=False,
                add_dummy_prefix=False)  # fmt: skip
    tokenizer = joined_pieces(model, ["<pad>", "<eos>", "<bos>", "<unk>", "<|turn>", "<|channel>"])
    tokenizer.normalizer = normalizers.Replace(" ", "\u2581")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    with_template(tokenizer, first="<bos>")
    settings = {"tokenizer_class": "GemmaTokenizer", "bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>",
                "unk_token": "<unk>", "extra_special_tokens": {"turn_token": "<|turn>"}, "chat_template": TEMPLATE,
                "added_tokens_decoder": decoder_of(tokenizer)}  # fmt: skip
    return {"tokenizer.json": tokenizer, "tokenizer_config.json": settings,
            "config.json": {"text_config": {"vocab_size": SIZE + 2, "bos_token_id": 2, "eos_token_id": 1}}}  # fmt: skip


def phi3() -> Files:
    model = plain_spm()
    tokenizer = joined_pieces(model, ["<unk>", "<s>", "</s>"])
    tokenizer.add_special_tokens(["<|endoftext|>", "<|assistant|>"])
    tokenizer.add_tokens(["<|user|>"])
    known = decoder_of(tokenizer)
    settings = {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "<|endoftext|>",
                "pad_token": "<|endoftext|>", "unk_token": "<unk>", "add_bos_token": False, "add_eos_token": False,
                "chat_template": TEMPLATE, "added_tokens_decoder": known}  # fmt: skip
    return {"tokenizer.model": model, "tokenizer.json": tokenizer, "tokenizer_config.json": settings,
            "added_tokens.json": {"<|endoftext|>": SIZE},
            "config.json": {"vocab_size": SIZE + 4, "bos_token_id": 1, "eos_token_id": SIZE}}  # fmt: skip


def nemotron() -> Files:
    files = llama_spm()
    return {"tokenizer.model": plain_spm(), "config.json": files["config.json"],
            "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast"}}  # fmt: skip


def bert() -> Files:
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=SIZE, special_tokens=specials, show_progress=False)
    tokenizer.train_from_iterator(training_lines(), trainer)
    cls, sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", cls), ("[SEP]", sep)]
    )
    settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "cls_token": "[CLS]", "sep_token": "[SEP]",
                "pad_token": "[PAD]", "mask_token": "[MASK]", "unk_token": "[UNK]",
                "added_tokens_decoder": decoder_of(tokenizer)}  # fmt: skip
    size = tokenizer.get_vocab_size()
    return {"tokenizer.json": tokenizer, "tokenizer_config.json": settings,
            "config.json": {"vocab_size": size + 3, "pad_token_id": 0, "type_vocab_size": 2}}  # fmt: skip


def bert_words() -> Files:
    """vocab.txt alone, in which case counts."""
    vocab = json.loads(bert()["tokenizer.json"].to_str())["model"]["vocab"]
    words = sorted(vocab, key=vocab.__getitem__)
    return {"vocab.txt": "\n".join(words) + "\n", "config.json": {"vocab_size": len(words), "type_vocab_size": 2},
            "tokenizer_config.json": {"tokenizer_class": "BertTokenizer", "do_lower_case": False}}  # fmt: skip


def roberta() -> Files:
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = byte_level("gpt-2", specials)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    ids = {text: tokenizer.token_to_id(text) for text in specials}
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", ids["</s>"]), ("<s>", ids["<s>"]))
    settings = {"tokenizer_class": "RobertaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>",
                "cls_token": "<s>", "unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>",
                "added_tokens_decoder": decoder_of(tokenizer)}  # fmt: skip
    return {"tokenizer.json": tokenizer, "tokenizer_config.json": settings,
            "config.json": {"architectures": ["RobertaModel"], "vocab_size": SIZE, "bos_token_id": ids["<s>"],
                            "eos_token_id": ids["</s>"], "pad_token_id": ids["<pad>"],
                            "type_vocab_size": 1}}  # fmt: skip


def xlm_roberta_model() -> Files:
    return {"sentencepiece.bpe.model": unigram(),
            "tokenizer_config.json": {"tokenizer_class": "XLMRobertaTokenizer"},
            "config.json": {"architectures": ["XLMRobertaModel"], "vocab_size": SIZE + 6, "bos_token_id": 0,
                            "eos_token_id": 2, "pad_token_id": 1, "type_vocab_size": 1}}  # fmt: skip


def xlm_roberta_json() -> Files:
    processor = sentencepiece.SentencePieceProcessor(model_proto=unigram())
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    pieces += [(processor.id_to_piece(i), processor.get_score(i)) for i in range(3, processor.vocab_size())]
    tokenizer = Tokenizer(models.Unigram([*pieces, ("<mask>", 0.0)], unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.Precompiled(precompiled(unigram()))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    mask = len(pieces)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    settings = {"tokenizer_class": "XLMRobertaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>",
                "cls_token": "<s>", "unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>",
                "clean_up_tokenization_spaces": True, "added_tokens_decoder": decoder_of(tokenizer)}  # fmt: skip
    return {"tokenizer.json": tokenizer, "tokenizer_config.json": settings,
            "config.json": {"architectures": ["XLMRobertaModel"], "vocab_size": mask + 4, "bos_token_id": 0,
                            "eos_token_id": 2, "pad_token_id": 1, "type_vocab_size": 1}}  # fmt: skip


def precompiled(model: bytes) -> bytes:
    from snug.convert.tokenizers.sentencepiece_model import parse_sentencepiece

    return parse_sentencepiece(model).precompiled_charsmap


SAMPLE_MAKERS: dict[str, tuple[str, str, Callable[[], Files]]] = {
    "llama-3": ("llama", "llama-bpe", llama3),
    "qwen2": ("qwen2", "qwen2", qwen2),
    "gpt2-files": ("gpt2", "gpt-2", gpt2_files),
    "starcoder2": ("starcoder2", "starcoder", starcoder),
    "deepseek": ("deepseek2", "deepseek-v3", deepseek),
    "gpt-oss": ("gpt-oss", "gpt-4o", gpt_oss),
    "command-r": ("command-r", "starcoder", command_r),
    "glm4": ("glm4", "smaug-bpe", glm4),
    "llama-spm": ("llama", "default", llama_spm),
    "llama-json": ("llama", "default", llama_json),
    "gemma": ("gemma", "default", gemma),
    "gemma2": ("gemma2", "default", gemma),
    "gemma4": ("gemma4", "gemma4", gemma4),
    "phi3": ("phi3", "default", phi3),
    "ernie": ("ernie4_5", "default", ernie),
    "hunyuan": ("hunyuan-dense", "qwen2", hunyuan),
    "nemotron": ("nemotron", "default", nemotron),
    "bert": ("bert", "bert-bge", bert),
    "bert-words": ("bert", "bert-bge", bert_words),
    "roberta": ("bert", "gpt-2", roberta),
    "xlm-roberta-model": ("bert", "default", xlm_roberta_model),
    "xlm-roberta-json": ("bert", "default", xlm_roberta_json),
}
"""By name: the GGUF architecture, the pre-tokenizer that it is by construction, and what makes its files."""

CLASSES = {
    "llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM", "gpt2": "GPT2LMHeadModel",
    "starcoder2": "Starcoder2ForCausalLM", "deepseek2": "DeepseekV3ForCausalLM", "gpt-oss": "GptOssForCausalLM",
    "command-r": "CohereForCausalLM", "glm4": "Glm4ForCausalLM", "gemma": "GemmaForCausalLM",
    "gemma2": "Gemma2ForCausalLM", "gemma4": "Gemma4ForCausalLM", "phi3": "Phi3ForCausalLM",
    "nemotron": "NemotronForCausalLM", "ernie4_5": "Ernie4_5ForCausalLM",
    "hunyuan-dense": "HunYuanDenseV1ForCausalLM", "bert": "BertModel",
}  # fmt: skip


def write(folder: Path, files: Files, architecture: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        if isinstance(value, bytes):
            path.write_bytes(value)
            continue
        if isinstance(value, Tokenizer):
            value = json.loads(value.to_str())
        if name == "config.json":
            value = {"architectures": [CLASSES[architecture]]} | value
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        path.write_bytes(text.encode("utf-8"))


def main(*names: str) -> None:
    for name, (architecture, _, make) in SAMPLE_MAKERS.items():
        if not names or name in names:
            write(SAMPLES / name, make(), architecture)


if __name__ == "__main__":
    main(*sys.argv[1:])
