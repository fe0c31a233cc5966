"""Models that turn text into vectors: BERT, RoBERTa, XLM-RoBERTa, nomic-embed-text."""

from __future__ import annotations

from collections.abc import Mapping

from snug.convert.architectures import views
from snug.convert.architectures.architecture import Architecture, Hyper, Match, Rule, in_layers, named
from snug.convert.architectures.settings import Settings, impossible
from snug.convert.architectures.transforms import Outputs

UNUSED = (r"embeddings\.position_ids$", r"(^|\.)pooler\.dense\.(weight|bias)$", r"^cls\.(predictions|seq_relationship)",
          r"^lm_head\.")  # fmt: skip
"""Heads for guessing words; the vectors do without them."""
ENDS = named(
    "embeddings.",
    "",
    {
        "word_embeddings": "token_embd",
        "token_type_embeddings": "token_types",
        "LayerNorm": "token_embd_norm",
    },
)
LAYERS = in_layers(
    {
        "attention.self.query": "attn_q",
        "attention.self.key": "attn_k",
        "attention.self.value": "attn_v",
        "attention.output.dense": "attn_output",
        "attention.output.LayerNorm": "attn_output_norm",
        "intermediate.dense": "ffn_up",
        "output.dense": "ffn_down",
        "output.LayerNorm": "layer_output_norm",
    },
    "encoder.layer.#.",
)
CLASSIFIER = named("classifier.", "", {"dense": "cls", "out_proj": "cls.output"})


def position_offset(settings: Settings) -> int:
    """RoBERTa counts positions from after the padding token's number."""
    return 0 if settings.get("pad_token_id") is None else settings.whole("pad_token_id") + 1


def cut_positions(match: Match) -> Outputs:
    (view,) = match.views
    yield match.name, views.row_slice(view, position_offset(match.settings), view.shape[0])


def context(settings: Settings) -> int:
    length = settings.whole("max_position_embeddings") - position_offset(settings)
    if length < 1:
        raise impossible("max_position_embeddings", length)
    return length


def labels(settings: Settings) -> list[str] | None:
    """The names of a classifier's classes, unless they are the two that stand in where there are none."""
    names: Mapping[str, object] = settings.table("id2label")
    if not names or (len(names) == 2 and names.get("0") == "LABEL_0"):
        return None
    return [str(names[key]) for key in sorted(names, key=lambda key: (len(key), key))]


NOT_CAUSAL = Hyper("attention.causal", "bool", lambda settings: False)
LABELS = Hyper("classifier.output_labels", "[str", labels)
DEFAULTS = {"layer_norm_eps": 1e-12, "max_position_embeddings": 512}
BERT = Architecture(
    "bert",
    ("BertModel", "BertForMaskedLM", "BertForSequenceClassification", "CamembertModel"),
    (*ENDS, *named("embeddings.", "", {"position_embeddings": "position_embd"}), *LAYERS, *CLASSIFIER),
    (NOT_CAUSAL, LABELS),
    DEFAULTS,
    ignored=UNUSED,
    strip=("bert.",),
)
ROBERTA = Architecture(
    "bert",
    ("RobertaModel", "RobertaForSequenceClassification", "XLMRobertaModel", "XLMRobertaForSequenceClassification"),
    (*ENDS, Rule(("embeddings.position_embeddings",), "position_embd", cut_positions), *LAYERS, *CLASSIFIER),
    (NOT_CAUSAL, LABELS, Hyper("context_length", "u32", context)),
    {**DEFAULTS, "pad_token_id": 1},
    ignored=UNUSED,
    strip=("roberta.",),
)


def nomic_context(settings: Settings) -> int:
    """The length that the model was trained on: the config states a longer one."""
    stated, trained = settings.whole("n_positions"), settings.whole("max_trained_positions")
    lengths = {(8192, 2048): 2048, (2048, 2048): 512}
    if (stated, trained) not in lengths:
        raise impossible("n_positions", stated)
    return lengths[stated, trained]


NOMIC = Architecture(
    "nomic-bert",
    ("NomicBertModel",),
    (
        *named("embeddings.", "", {"word_embeddings": "token_embd", "token_type_embeddings": "token_types"}),
        *named("", "", {"emb_ln": "token_embd_norm"}),
        *in_layers(
            {
                "attn.Wqkv": "attn_qkv",
                "attn.out_proj": "attn_output",
                "norm1": "attn_output_norm",
                "norm2": "layer_output_norm",
                "mlp.fc11": "ffn_up",
                "mlp.fc12": "ffn_gate",
                "mlp.fc2": "ffn_down",
            },
            "encoder.layers.#.",
        ),
    ),
    (NOT_CAUSAL, Hyper("context_length", "u32", nomic_context)),
    {"max_trained_positions": 2048},
    ignored=UNUSED,
)
ENTRIES = (BERT, ROBERTA, NOMIC)
