"""Tiny models of today's usual shapes: Llama's family, Qwen, Gemma, Phi, Granite, OLMo, GLM, Cohere."""

from __future__ import annotations

from tests.convert.yardstick.tiny_models import (
    CONTEXT,
    EXPERT_WIDTH,
    EXPERTS,
    FEED_FORWARD,
    HEAD,
    HEADS,
    KV_HEADS,
    LAYERS,
    VOCABULARY,
    WIDTH,
    Shapes,
    TinyModel,
    attention,
    base,
    ends,
    experts,
    feed_forward,
    layers,
    norms,
    with_bias,
    without,
)

FOUR_NORMS = ("input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm")
LLAMA = ends() | layers(lambda _: norms() | attention() | feed_forward())
LLAMA_TIED = ends(head=False) | layers(lambda _: norms() | attention() | feed_forward())
LLAMA_31 = {
    "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}  # fmt: skip
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}
MINISTRAL_ROPE = {
    "rope_type": "yarn", "rope_theta": 1e6, "factor": 16.0, "beta_fast": 32.0, "beta_slow": 1.0, "mscale": 1.0,
    "mscale_all_dim": 1.0, "original_max_position_embeddings": 64, "llama_4_scaling_beta": 0.1,
}  # fmt: skip
WINDOW = {"sliding_window": 32}
LAYER_TYPES = ["sliding_attention", "full_attention"]
MOE = {"num_experts": EXPERTS, "num_experts_per_tok": 2, "moe_intermediate_size": EXPERT_WIDTH,
    "decoder_sparse_step": 1,
       "norm_topk_prob": True, "mlp_only_layers": []}  # fmt: skip
CARD = """---
license: apache-2.0
language:
- en
- no
tags:
- chat
base_model:
- snug/Tiny-Llama-1K
pipeline_tag: text-generation
datasets: snug/words
---
# A tiny model
"""


def moe(shared: int = 0) -> Shapes:
    return (
        {"mlp.gate.weight": (EXPERTS, WIDTH)}
        | experts()
        | ({"mlp.shared_expert_gate.weight": (1, WIDTH)} | feed_forward(shared, "mlp.shared_expert.") if shared else {})
    )


def gemma_text(head: bool = False, head_norms: bool = False, prefix: str = "model.", count: int = LAYERS) -> Shapes:
    return ends(head, prefix) | layers(
        lambda _: norms(*FOUR_NORMS) | attention(norms=head_norms) | feed_forward(), prefix + "layers.", count
    )


GEMMA3 = without(
    base("Gemma3ForCausalLM", "gemma3_text", head_dim=HEAD, query_pre_attn_scalar=HEAD, rope_local_base_freq=10000.0,
         sliding_window_pattern=2, hidden_activation="gelu_pytorch_tanh", **WINDOW), "rope_theta")  # fmt: skip
VISION = {"vision_tower.vision_model.embeddings.patch_embedding.weight": (8, 3, 2, 2),
          "multi_modal_projector.mm_input_projection_weight": (8, 8)}  # fmt: skip


def gemma4_layer(layer: int) -> Shapes:
    """The second layer has full attention with wider heads; both have experts beside the dense part."""
    head = HEAD if layer == 0 else 2 * HEAD
    found = norms(*FOUR_NORMS, "pre_feedforward_layernorm_2", "post_feedforward_layernorm_1",
                  "post_feedforward_layernorm_2", "post_per_layer_input_norm") | attention(head,
                      norms=True)  # fmt: skip
    return found | feed_forward() | {
        "layer_scalar": (1,), "per_layer_input_gate.weight": (8, WIDTH), "per_layer_projection.weight": (WIDTH, 8),
        "router.proj.weight": (EXPERTS, WIDTH), "router.scale": (WIDTH,), "router.per_expert_scale": (EXPERTS,),
        "experts.gate_up_proj": (EXPERTS, 2 * EXPERT_WIDTH, WIDTH), "experts.down_proj": (EXPERTS, WIDTH, EXPERT_WIDTH),
    }  # fmt: skip


GEMMA4_TEXT = base(
    "Gemma4ForCausalLM", "gemma4_text", head_dim=HEAD, global_head_dim=2 * HEAD, num_kv_shared_layers=0,
    hidden_size_per_layer_input=8, vocab_size_per_layer_input=VOCABULARY, layer_types=LAYER_TYPES, num_experts=EXPERTS,
    top_k_experts=2, moe_intermediate_size=EXPERT_WIDTH, enable_moe_block=True, final_logit_softcapping=30.0,
    rope_parameters={
        "full_attention": {"rope_type": "proportional", "rope_theta": 1e6, "partial_rotary_factor": 0.25},
        "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
    }, **WINDOW,
)  # fmt: skip
GEMMA4_SHAPES = {
    "model.language_model.embed_tokens.weight": (VOCABULARY, WIDTH), "model.language_model.norm.weight": (WIDTH,),
    "model.language_model.embed_tokens_per_layer.weight": (VOCABULARY, 8 * LAYERS),
    "model.language_model.per_layer_model_projection.weight": (8 * LAYERS, WIDTH),
    "model.language_model.per_layer_projection_norm.weight": (8,),
    "model.vision_tower.patch_embedder.input_proj.weight": (8, 8),
} | layers(gemma4_layer, "model.language_model.layers.")  # fmt: skip
PHI3 = ends() | layers(
    lambda _: norms() | {
        "self_attn.qkv_proj.weight": ((HEADS + 2 * KV_HEADS) * HEAD, WIDTH),
        "self_attn.o_proj.weight": (WIDTH, HEADS * HEAD), "mlp.gate_up_proj.weight": (2 * FEED_FORWARD, WIDTH),
        "mlp.down_proj.weight": (WIDTH, FEED_FORWARD),
    }
)  # fmt: skip
LONG_ROPE = {
    "type": "longrope",
    "long_factor": [1.0 + i for i in range(HEAD // 2)],
    "short_factor": [1.0] * (HEAD // 2),
}
GRANITE = {"attention_multiplier": 0.015625, "embedding_multiplier": 12.0, "residual_multiplier": 0.22,
           "logits_scaling": 8.0, "attention_bias": False, "mlp_bias": False}  # fmt: skip
GRANITE_EXPERTS = {
    "block_sparse_moe.router.layer.weight": (EXPERTS, WIDTH),
    "block_sparse_moe.input_linear.weight": (EXPERTS, 2 * FEED_FORWARD, WIDTH),
    "block_sparse_moe.output_linear.weight": (EXPERTS, WIDTH, FEED_FORWARD),
}
GRANITE_SHARED = {"shared_mlp.input_linear.weight": (2 * EXPERT_WIDTH, WIDTH),
                  "shared_mlp.output_linear.weight": (WIDTH, EXPERT_WIDTH)}  # fmt: skip
OLMO2 = ends() | layers(
    lambda _: norms("post_attention_layernorm", "post_feedforward_layernorm") | attention() | feed_forward()
    | {"self_attn.q_norm.weight": (HEADS * HEAD,), "self_attn.k_norm.weight": (KV_HEADS * HEAD,)}
)  # fmt: skip
STABLELM_CONFIG = without(base("StableLmForCausalLM", "stablelm", partial_rotary_factor=0.25, layer_norm_eps=1e-5,
                               use_qkv_bias=True, use_parallel_residual=False), "rms_norm_eps")  # fmt: skip
STABLELM = ends() | {"model.norm.bias": (WIDTH,)} | layers(
    lambda _: with_bias(norms()) | attention(bias=("q", "k", "v")) | feed_forward()
)  # fmt: skip
STABLELM_NORMS = layers(
    lambda _: {f"self_attn.q_layernorm.norms.{head}.weight": (HEAD,) for head in range(HEADS)}
    | {f"self_attn.k_layernorm.norms.{head}.weight": (HEAD,) for head in range(KV_HEADS)}
)  # fmt: skip

ENGINE_ONLY = (TinyModel("stablelm-12b", STABLELM_CONFIG | {"use_parallel_residual": True, "qk_layernorm": True},
                         STABLELM | STABLELM_NORMS),)  # fmt: skip
"""What the reference converter fails on, but the engine computes."""
MODELS = (
    TinyModel("llama", base("LlamaForCausalLM", "llama"), LLAMA, folder="Tiny-Llama-3x1K-Instruct-v0.2",
        files={"README.md": CARD}),
    TinyModel("llama-3.1", base("LlamaForCausalLM", "llama", rope_scaling=LLAMA_31, head_dim=HEAD), LLAMA_TIED),
    TinyModel("llama-linear", base("LlamaForCausalLM", "llama", rope_scaling={"type": "linear", "factor": 4.0}), LLAMA),
    TinyModel("llama-yarn", base("LlamaForCausalLM", "llama", rope_scaling=YARN), LLAMA),
    TinyModel("llama-v5", without(base("LlamaForCausalLM", "llama", rope_parameters=LLAMA_31 | {"rope_theta": 5e5}),
                                  "rope_theta"), LLAMA),
    TinyModel("llama-bias", base("LlamaForCausalLM", "llama", attention_bias=True), ends() | layers(
        lambda _: norms() | attention(bias=("q", "k", "v", "o")) | feed_forward()), stored={"": "F32"}),
    TinyModel("llama-sparse-config", without(base("LlamaForCausalLM", "llama"), "num_key_value_heads", "rms_norm_eps",
        "rope_theta", "torch_dtype"), ends() | layers(lambda _: norms() | attention(kv=HEADS) | feed_forward())),
    TinyModel("mistral", base("MistralForCausalLM", "mistral", sliding_window=None, head_dim=HEAD), LLAMA),
    TinyModel("mixtral", base("MixtralForCausalLM", "mixtral", num_local_experts=EXPERTS, num_experts_per_tok=2,
        intermediate_size=EXPERT_WIDTH),
        ends() | layers(lambda _: norms() | attention() | {"block_sparse_moe.gate.weight": (EXPERTS, WIDTH)}
                        | experts("block_sparse_moe.experts.", ("w1", "w3", "w2")))),
    TinyModel("mistral3", {"architectures": ["Mistral3ForConditionalGeneration"], "model_type": "mistral3",
        "text_config": without(base("", "mistral", head_dim=HEAD), "architectures"),
            "vision_config": {"hidden_size": 8}},
        VISION | {("language_model." + name): shape for name, shape in LLAMA.items()}),
    TinyModel("ministral3", without(base("Ministral3ForCausalLM", "ministral3", head_dim=HEAD,
        rope_parameters=MINISTRAL_ROPE), "rope_theta"), LLAMA),
    TinyModel("smollm3", base("SmolLM3ForCausalLM", "smollm3", no_rope_layers=[1, 0], no_rope_layer_interval=2,
        use_sliding_window=False), LLAMA_TIED),
    TinyModel("qwen2", base("Qwen2ForCausalLM", "qwen2", use_sliding_window=False),
        ends() | layers(lambda _: norms() | attention(bias=("q", "k", "v")) | feed_forward())),
    TinyModel("qwen2moe", base("Qwen2MoeForCausalLM", "qwen2_moe", shared_expert_intermediate_size=48, **MOE),
        ends() | layers(lambda _: norms() | attention(bias=("q", "k", "v")) | moe(48))),
    TinyModel("qwen3", base("Qwen3ForCausalLM", "qwen3", head_dim=HEAD, rope_scaling=YARN),
        ends(head=False) | layers(lambda _: norms() | attention(norms=True) | feed_forward())),
    TinyModel("qwen3moe", base("Qwen3MoeForCausalLM", "qwen3_moe", head_dim=HEAD, **MOE),
        ends() | layers(lambda _: norms() | attention(norms=True) | moe())),
    TinyModel("qwen3moe-stacked", base("Qwen3MoeForCausalLM", "qwen3_moe", head_dim=HEAD, **MOE),
        ends() | layers(lambda _: norms() | attention(norms=True) | {"mlp.gate.weight": (EXPERTS, WIDTH),
            "mlp.experts.gate_up_proj": (EXPERTS, 2 * EXPERT_WIDTH, WIDTH),
            "mlp.experts.down_proj": (EXPERTS, WIDTH, EXPERT_WIDTH)})),
    TinyModel("gemma", base("GemmaForCausalLM", "gemma", head_dim=HEAD, hidden_act="gelu"), LLAMA_TIED),
    TinyModel("gemma2", base("Gemma2ForCausalLM", "gemma2", head_dim=HEAD, attn_logit_softcapping=50.0,
        final_logit_softcapping=30.0, query_pre_attn_scalar=HEAD, hidden_activation="gelu_pytorch_tanh", **WINDOW),
        gemma_text()),
    TinyModel("gemma3", GEMMA3, gemma_text(head_norms=True)),
    TinyModel("gemma3-vision", {"architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3",
        "text_config": without(GEMMA3, "architectures") | {"rope_scaling": {"factor": 8.0, "rope_type": "linear"}},
        "vision_config": {"hidden_size": 8}},
        VISION | gemma_text(head_norms=True, prefix="language_model.model.")),
    TinyModel("gemma-embedding", GEMMA3 | {"architectures": ["Gemma3TextModel"], "num_hidden_layers": 6}, {
        name.removeprefix("model."): shape for name, shape in gemma_text(head_norms=True, count=6).items()}),
    TinyModel("gemma4", {"architectures": ["Gemma4ForConditionalGeneration"], "model_type": "gemma4",
        "text_config": without(GEMMA4_TEXT, "architectures"), "vision_config": {"hidden_size": 8}}, GEMMA4_SHAPES),
    TinyModel("phi3", base("Phi3ForCausalLM", "phi3", original_max_position_embeddings=64, pad_token_id=0,
        rope_scaling=LONG_ROPE, sliding_window=None), PHI3),
    TinyModel("phi4", base("Phi3ForCausalLM", "phi3", original_max_position_embeddings=CONTEXT, pad_token_id=0,
        rope_scaling=None, **WINDOW), PHI3),
    TinyModel("granite", base("GraniteForCausalLM", "granite", **GRANITE), LLAMA),
    TinyModel("granitemoe", base("GraniteMoeForCausalLM", "granitemoe", num_local_experts=EXPERTS,
        num_experts_per_tok=2,
        **GRANITE), ends() | layers(lambda _: norms() | attention() | GRANITE_EXPERTS)),
    TinyModel("granitemoe-shared", base("GraniteMoeSharedForCausalLM", "granitemoeshared", num_local_experts=EXPERTS,
        num_experts_per_tok=2, shared_intermediate_size=EXPERT_WIDTH, **GRANITE),
        ends() | layers(lambda _: norms() | attention() | GRANITE_EXPERTS | GRANITE_SHARED)),
    TinyModel("olmo", without(base("OlmoForCausalLM", "olmo", clip_qkv=8.0, pad_token_id=1), "rms_norm_eps"),
        without(LLAMA, *[name for name in LLAMA if "norm" in name])),
    TinyModel("olmo2", base("Olmo2ForCausalLM", "olmo2", pad_token_id=1), OLMO2),
    TinyModel("olmo3", base("Olmo3ForCausalLM", "olmo3", layer_types=LAYER_TYPES, pad_token_id=1, **WINDOW), OLMO2),
    TinyModel("olmoe", base("OlmoeForCausalLM", "olmoe", num_experts=EXPERTS, num_experts_per_tok=2, pad_token_id=1,
        num_key_value_heads=HEADS, intermediate_size=EXPERT_WIDTH), ends() | layers(
        lambda _: norms() | attention(kv=HEADS) | moe()
        | {"self_attn.q_norm.weight": (HEADS * HEAD,), "self_attn.k_norm.weight": (HEADS * HEAD,)})),
    TinyModel("glm4", base("Glm4ForCausalLM", "glm4", head_dim=HEAD, partial_rotary_factor=0.5, pad_token_id=1),
        ends() | layers(lambda _: norms("input_layernorm", "post_attention_layernorm", "post_self_attn_layernorm",
            "post_mlp_layernorm") | attention(bias=("q", "k",
                "v")) | {"mlp.gate_up_proj.weight": (2 * FEED_FORWARD, WIDTH),
            "mlp.down_proj.weight": (WIDTH, FEED_FORWARD)})),
    TinyModel("glm4moe", base("Glm4MoeForCausalLM", "glm4_moe", head_dim=HEAD, partial_rotary_factor=0.5,
        n_routed_experts=EXPERTS, num_experts_per_tok=2, n_shared_experts=1, moe_intermediate_size=EXPERT_WIDTH,
        first_k_dense_replace=1, n_group=1, topk_group=1, norm_topk_prob=True, routed_scaling_factor=1.0,
        num_nextn_predict_layers=1, use_qk_norm=True),
        ends() | layers(lambda layer: norms() | attention(bias=("q", "k", "v"),
            norms=True) | (feed_forward() if layer == 0
            else {"mlp.gate.weight": (EXPERTS, WIDTH), "mlp.gate.e_score_correction_bias": (EXPERTS,)} | experts()
            | feed_forward(EXPERT_WIDTH, "mlp.shared_experts.")))
        | {"model.layers.2.eh_proj.weight": (WIDTH, 2 * WIDTH), "model.layers.2.input_layernorm.weight": (WIDTH,)},
        stored={"e_score_correction_bias": "F32"}),
    TinyModel("command-r", without(base("CohereForCausalLM", "cohere", logit_scale=0.0625, layer_norm_eps=1e-5,
        model_max_length=512, use_qk_norm=False), "rms_norm_eps"), ends(head=False) | layers(
        lambda _: norms("input_layernorm") | attention() | feed_forward())),
    TinyModel("cohere2", without(base("Cohere2ForCausalLM", "cohere2", logit_scale=0.25, layer_norm_eps=1e-5,
        rotary_pct=1.0, layer_types=LAYER_TYPES, **WINDOW), "rms_norm_eps"), ends(head=False) | layers(
        lambda _: norms("input_layernorm") | attention() | feed_forward())),
    TinyModel("starcoder2", without(base("Starcoder2ForCausalLM", "starcoder2", norm_epsilon=1e-5, use_bias=True),
        "rms_norm_eps"), without(with_bias(ends() | layers(lambda _: norms() | attention()
        | {"mlp.c_fc.weight": (FEED_FORWARD, WIDTH), "mlp.c_proj.weight": (WIDTH, FEED_FORWARD)})),
        "model.embed_tokens.bias", "lm_head.bias")),
    TinyModel("stablelm", STABLELM_CONFIG, STABLELM),
    TinyModel("exaone4", base("Exaone4ForCausalLM", "exaone4", sliding_window_pattern="LG", layer_types=LAYER_TYPES,
        rope_scaling=LLAMA_31, head_dim=HEAD, **WINDOW), ends() | layers(
        lambda _: norms("post_attention_layernorm", "post_feedforward_layernorm") | attention(norms=True)
        | feed_forward())),
    TinyModel("arcee", base("ArceeForCausalLM", "arcee", hidden_act="relu2", head_dim=HEAD), ends() | layers(
        lambda _: norms() | attention() | {"mlp.up_proj.weight": (FEED_FORWARD, WIDTH),
        "mlp.down_proj.weight": (WIDTH, FEED_FORWARD)})),
    TinyModel("seed_oss", base("SeedOssForCausalLM", "seed_oss", head_dim=HEAD, pad_token_id=1, attention_bias=True),
        ends() | layers(lambda _: norms() | attention(bias=("q", "k", "v")) | feed_forward())),
    TinyModel("ernie4_5", base("Ernie4_5ForCausalLM", "ernie4_5", head_dim=HEAD), LLAMA_TIED),
    TinyModel("ernie4_5-fused", base("Ernie4_5_ForCausalLM", "ernie4_5", head_dim=HEAD), ends(head=False) | layers(
        lambda _: norms() | {"self_attn.qkv_proj.weight": ((HEADS + 2 * KV_HEADS) * HEAD, WIDTH),
        "self_attn.o_proj.weight": (WIDTH, HEADS * HEAD), "mlp.up_gate_proj.weight": (2 * FEED_FORWARD, WIDTH),
        "mlp.down_proj.weight": (WIDTH, FEED_FORWARD)})),
    TinyModel("hunyuan-dense", base("HunYuanDenseV1ForCausalLM", "hunyuan_v1_dense", head_dim=HEAD, pad_token_id=0,
        max_position_embeddings=32768, rope_scaling={"type": "dynamic", "alpha": 1000.0, "factor": 1.0}),
        ends(head=False) | layers(lambda _: norms() | attention() | feed_forward()
        | {"self_attn.query_layernorm.weight": (HEAD,), "self_attn.key_layernorm.weight": (HEAD,)})),
    TinyModel("nemotron", without(base("NemotronForCausalLM", "nemotron", norm_eps=1e-5, partial_rotary_factor=0.5,
        head_dim=HEAD, hidden_act="relu2"), "rms_norm_eps"), ends() | {"model.norm.bias": (WIDTH,)} | layers(
        lambda _: with_bias(norms()) | attention() | {"mlp.up_proj.weight": (FEED_FORWARD, WIDTH),
        "mlp.down_proj.weight": (WIDTH, FEED_FORWARD)})),
)  # fmt: skip
