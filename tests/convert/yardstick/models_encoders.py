"""Tiny models that turn text into vectors."""

from __future__ import annotations

from tests.convert.yardstick.tiny_models import (
    CONTEXT,
    FEED_FORWARD,
    HEADS,
    LAYERS,
    VOCABULARY,
    WIDTH,
    Shapes,
    TinyModel,
    base,
    layers,
    norms,
    with_bias,
    without,
)


def bert(positions: int, prefix: str = "", head: Shapes | None = None) -> Shapes:
    body = {
        "embeddings.word_embeddings.weight": (VOCABULARY, WIDTH),
        "embeddings.position_embeddings.weight": (positions, WIDTH),
            "embeddings.token_type_embeddings.weight": (2, WIDTH),
        "embeddings.position_ids": (1, positions), "pooler.dense.weight": (WIDTH, WIDTH), "pooler.dense.bias": (WIDTH,),
    } | with_bias({"embeddings.LayerNorm.weight": (WIDTH,)}) | layers(
        lambda _: with_bias({
            "attention.self.query.weight": (WIDTH, WIDTH), "attention.self.key.weight": (WIDTH, WIDTH),
            "attention.self.value.weight": (WIDTH, WIDTH), "attention.output.dense.weight": (WIDTH, WIDTH),
            "attention.output.LayerNorm.weight": (WIDTH,), "intermediate.dense.weight": (FEED_FORWARD, WIDTH),
            "output.dense.weight": (WIDTH, FEED_FORWARD), "output.LayerNorm.weight": (WIDTH,),
        }), "encoder.layer.",
    )  # fmt: skip
    return {prefix + name: shape for name, shape in body.items()} | (head or {})


BERT = without(base("BertModel", "bert", layer_norm_eps=1e-12, pad_token_id=0, type_vocab_size=2),
               "rms_norm_eps", "rope_theta", "num_key_value_heads", "tie_word_embeddings")  # fmt: skip
POOLING = {
    "modules.json": '[{"idx": 0, "path": "", "type": "sentence_transformers.models.Transformer"},'
    ' {"idx": 1, "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]',
    "1_Pooling/config.json": '{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}',
}
RANKER = with_bias({"classifier.dense.weight": (WIDTH, WIDTH), "classifier.out_proj.weight": (1, WIDTH)})
NOMIC = {
    "architectures": ["NomicBertModel"], "model_type": "nomic_bert", "vocab_size": VOCABULARY, "n_embd": WIDTH,
    "n_inner": FEED_FORWARD, "n_head": HEADS, "n_layer": LAYERS, "n_positions": 8192, "layer_norm_epsilon": 1e-12,
    "rotary_emb_base": 1000, "rotary_emb_fraction": 1.0, "rotary_emb_interleaved": False, "rotary_emb_scale_base": None,
    "prenorm": False, "causal": False, "qkv_proj_bias": False, "mlp_fc1_bias": False, "mlp_fc2_bias": False,
    "activation_function": "swiglu", "type_vocab_size": 2, "pad_token_id": 0, "max_trained_positions": 2048,
}  # fmt: skip
NOMIC_SHAPES = {
    "embeddings.word_embeddings.weight": (VOCABULARY, WIDTH), "embeddings.token_type_embeddings.weight": (2, WIDTH),
} | with_bias({"emb_ln.weight": (WIDTH,)}) | layers(
    lambda _: with_bias(norms("norm1", "norm2")) | {
        "attn.Wqkv.weight": (3 * WIDTH, WIDTH), "attn.out_proj.weight": (WIDTH, WIDTH),
        "mlp.fc11.weight": (FEED_FORWARD, WIDTH), "mlp.fc12.weight": (FEED_FORWARD, WIDTH),
        "mlp.fc2.weight": (WIDTH, FEED_FORWARD),
    }, "encoder.layers.",
)  # fmt: skip

MODELS = (
    TinyModel("bert", BERT, bert(CONTEXT), stored={"position_ids": "I64"}, files=POOLING),
    TinyModel("roberta-ranker", BERT | {"architectures": ["XLMRobertaForSequenceClassification"],
        "model_type": "xlm-roberta", "pad_token_id": 1, "max_position_embeddings": CONTEXT + 2,
            "id2label": {"0": "LABEL_0"},
        "label2id": {"LABEL_0": 0}}, bert(CONTEXT + 2, "roberta.", RANKER), stored={"position_ids": "I64"}),
    TinyModel("nomic-bert", NOMIC, NOMIC_SHAPES),
)  # fmt: skip
