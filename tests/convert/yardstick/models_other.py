"""Tiny models of other shapes: latent attention, delta nets, convolutions, fused projections, encoders."""

from __future__ import annotations

from typing import Any

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

KEY_HEADS, VALUE_HEADS, LINEAR = 2, 4, 16
KEYS, VALUES = KEY_HEADS * LINEAR, VALUE_HEADS * LINEAR


def delta_net() -> Shapes:
    return {
        "linear_attn.in_proj_qkv.weight": (2 * KEYS + VALUES, WIDTH), "linear_attn.in_proj_z.weight": (VALUES, WIDTH),
        "linear_attn.in_proj_b.weight": (VALUE_HEADS, WIDTH), "linear_attn.in_proj_a.weight": (VALUE_HEADS, WIDTH),
        "linear_attn.conv1d.weight": (2 * KEYS + VALUES, 1, 4), "linear_attn.norm.weight": (LINEAR,),
        "linear_attn.out_proj.weight": (WIDTH, VALUES), "linear_attn.A_log": (VALUE_HEADS,),
        "linear_attn.dt_bias": (VALUE_HEADS,),
    }  # fmt: skip


NEXT_NET = without(delta_net(), *[f"linear_attn.in_proj_{part}.weight" for part in ("qkv", "z", "b", "a")]) | {
    "linear_attn.in_proj_qkvz.weight": (2 * KEYS + 2 * VALUES, WIDTH),
    "linear_attn.in_proj_ba.weight": (2 * VALUE_HEADS, WIDTH),
}


def qwen35_attention() -> Shapes:
    """Queries come with gates of the same size."""
    return attention(norms=True) | {"self_attn.q_proj.weight": (2 * HEADS * HEAD, WIDTH)}


def qwen35_moe() -> Shapes:
    return {
        "mlp.gate.weight": (EXPERTS, WIDTH), "mlp.shared_expert_gate.weight": (1, WIDTH),
        "mlp.experts.gate_up_proj": (EXPERTS, 2 * EXPERT_WIDTH, WIDTH),
        "mlp.experts.down_proj": (EXPERTS, WIDTH, EXPERT_WIDTH),
    } | feed_forward(48, "mlp.shared_expert.")  # fmt: skip


def qwen35(rest: Shapes) -> Shapes:
    return layers(lambda layer: norms() | (delta_net() if layer == 0 else qwen35_attention()) | rest)


def with_text_prefix(shapes: Shapes) -> Shapes:
    return {name.replace("model.", "model.language_model.", 1): shape for name, shape in shapes.items()}


QWEN35 = without(base(
    "", "qwen3_5_text", head_dim=HEAD, linear_conv_kernel_dim=4, linear_key_head_dim=LINEAR,
    linear_value_head_dim=LINEAR, linear_num_key_heads=KEY_HEADS, linear_num_value_heads=VALUE_HEADS,
    layer_types=["linear_attention", "full_attention"], full_attention_interval=2, mtp_num_hidden_layers=1,
    rope_parameters={"rope_type": "default", "rope_theta": 1e7, "partial_rotary_factor": 0.5,
                     "mrope_section": [2, 1, 1], "mrope_interleaved": True},
), "rope_theta", "architectures")  # fmt: skip
QWEN35_MTP = {"mtp.fc.weight": (WIDTH, 2 * WIDTH), "mtp.layers.0.input_layernorm.weight": (WIDTH,)}
OSS_ROPE = {"rope_type": "yarn", "factor": 32.0, "beta_fast": 32.0, "beta_slow": 1.0, "truncate": False,
            "original_max_position_embeddings": 64}  # fmt: skip
OSS = base("GptOssForCausalLM", "gpt_oss", head_dim=HEAD, num_local_experts=EXPERTS, num_experts_per_tok=2,
           intermediate_size=64, rope_scaling=OSS_ROPE, sliding_window=32, pad_token_id=0,
           layer_types=["sliding_attention", "full_attention"])  # fmt: skip


def oss_layer(stored: Shapes) -> Shapes:
    return norms() | attention(bias=("q", "k", "v", "o")) | stored | {
        "self_attn.sinks": (HEADS,), "mlp.router.weight": (EXPERTS, WIDTH), "mlp.router.bias": (EXPERTS,),
        "mlp.experts.down_proj_bias": (EXPERTS, WIDTH), "mlp.experts.gate_up_proj_bias": (EXPERTS, 128),
    }  # fmt: skip


OSS_PLAIN = {"mlp.experts.gate_up_proj": (EXPERTS, WIDTH, 128), "mlp.experts.down_proj": (EXPERTS, 64, WIDTH)}
OSS_MXFP4 = {
    "mlp.experts.gate_up_proj_blocks": (EXPERTS, 128, WIDTH // 32, 16),
    "mlp.experts.gate_up_proj_scales": (EXPERTS, 128, WIDTH // 32),
    "mlp.experts.down_proj_blocks": (EXPERTS, WIDTH, 2, 16), "mlp.experts.down_proj_scales": (EXPERTS, WIDTH, 2),
}  # fmt: skip
MLA: dict[str, Any] = {
    "kv_lora_rank": 32, "qk_rope_head_dim": 8, "qk_nope_head_dim": 16, "v_head_dim": 12,
    "n_routed_experts": EXPERTS, "num_experts_per_tok": 2, "n_shared_experts": 2, "moe_intermediate_size": EXPERT_WIDTH,
    "first_k_dense_replace": 1, "routed_scaling_factor": 2.5, "moe_layer_freq": 1, "num_key_value_heads": HEADS,
}  # fmt: skip


def mla_layer(layer: int, query: Shapes, correction: bool) -> Shapes:
    found = norms() | query | {
        "self_attn.kv_a_proj_with_mqa.weight": (32 + 8, WIDTH), "self_attn.kv_a_layernorm.weight": (32,),
        "self_attn.kv_b_proj.weight": (HEADS * (16 + 12), 32), "self_attn.o_proj.weight": (WIDTH, HEADS * 12),
    }  # fmt: skip
    if layer == 0:
        return found | feed_forward()
    found |= {"mlp.gate.weight": (EXPERTS, WIDTH)} | experts() | feed_forward(2 * EXPERT_WIDTH, "mlp.shared_experts.")
    return found | ({"mlp.gate.e_score_correction_bias": (EXPERTS,)} if correction else {})


LITE_QUERY = {"self_attn.q_proj.weight": (HEADS * 24, WIDTH)}
LOW_RANK_QUERY = {"self_attn.q_a_proj.weight": (24, WIDTH), "self_attn.q_a_layernorm.weight": (24,),
                  "self_attn.q_b_proj.weight": (HEADS * 24, 24)}  # fmt: skip
DEEPSEEK_YARN = {"type": "yarn", "factor": 40, "beta_fast": 32, "beta_slow": 1, "mscale": 0.707,
                 "mscale_all_dim": 0.707, "original_max_position_embeddings": 64}  # fmt: skip


def lfm2_layer(layer: int, dense: bool = True) -> Shapes:
    mixer: Shapes = {
        "conv.conv.weight": (WIDTH, 1, 3), "conv.in_proj.weight": (3 * WIDTH, WIDTH),
            "conv.out_proj.weight": (WIDTH, WIDTH)
    } if layer == 0 else {
        "self_attn.q_proj.weight": (HEADS * HEAD, WIDTH), "self_attn.k_proj.weight": (KV_HEADS * HEAD, WIDTH),
        "self_attn.v_proj.weight": (KV_HEADS * HEAD, WIDTH), "self_attn.out_proj.weight": (WIDTH, HEADS * HEAD),
        "self_attn.q_layernorm.weight": (HEAD,), "self_attn.k_layernorm.weight": (HEAD,),
    }  # fmt: skip
    wide: Shapes = {"feed_forward.w1.weight": (64, WIDTH), "feed_forward.w3.weight": (64, WIDTH),
                    "feed_forward.w2.weight": (WIDTH, 64)}  # fmt: skip
    if not dense and layer == 1:
        wide = {"feed_forward.gate.weight": (EXPERTS, WIDTH), "feed_forward.expert_bias": (EXPERTS,)}
        wide |= experts("feed_forward.experts.", ("w1", "w3", "w2"))
    return norms("operator_norm", "ffn_norm") | mixer | wide


LFM2_ENDS = {"model.embed_tokens.weight": (VOCABULARY, WIDTH), "model.embedding_norm.weight": (WIDTH,)}
LFM2 = without(base("Lfm2ForCausalLM", "lfm2", norm_eps=1e-5, conv_L_cache=3, conv_bias=False, block_multiple_of=32,
                    block_ff_dim=96, block_ffn_dim_multiplier=1.0, block_auto_adjust_ff_dim=True,
                    layer_types=["conv", "full_attention"], pad_token_id=0, tie_embedding=True),
               "rms_norm_eps", "intermediate_size")  # fmt: skip
GPT2_ENDS = {"wte.weight": (VOCABULARY, WIDTH), "wpe.weight": (CONTEXT, WIDTH)}
GPT2 = GPT2_ENDS | with_bias({"ln_f.weight": (WIDTH,)}) | layers(
    lambda _: with_bias(norms("ln_1", "ln_2")) | {
        "attn.c_attn.weight": (WIDTH, 3 * WIDTH), "attn.c_attn.bias": (3 * WIDTH,),
        "attn.c_proj.weight": (WIDTH, WIDTH), "attn.c_proj.bias": (WIDTH,),
        "mlp.c_fc.weight": (WIDTH, 4 * WIDTH), "mlp.c_fc.bias": (4 * WIDTH,),
        "mlp.c_proj.weight": (4 * WIDTH, WIDTH), "mlp.c_proj.bias": (WIDTH,),
    }, "h."
)  # fmt: skip
GPT2_CONFIG = {
    "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": VOCABULARY, "n_ctx": CONTEXT,
    "n_positions": CONTEXT, "n_embd": WIDTH, "n_head": HEADS, "n_layer": LAYERS, "layer_norm_epsilon": 1e-5,
}  # fmt: skip
NEOX = {"gpt_neox.embed_in.weight": (VOCABULARY, WIDTH), "embed_out.weight": (VOCABULARY, WIDTH)} | with_bias(
    {"gpt_neox.final_layer_norm.weight": (WIDTH,)}
) | layers(
    lambda _: with_bias(norms() | {
        "attention.query_key_value.weight": (3 * WIDTH, WIDTH), "attention.dense.weight": (WIDTH, WIDTH),
        "mlp.dense_h_to_4h.weight": (4 * WIDTH, WIDTH), "mlp.dense_4h_to_h.weight": (WIDTH, 4 * WIDTH),
    }) | {"attention.rotary_emb.inv_freq": (2,), "attention.masked_bias": (1,), "attention.bias": (1, 1, 8, 8)},
    "gpt_neox.layers.",
)  # fmt: skip
NEOX_CONFIG = {
    "architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "vocab_size": VOCABULARY, "hidden_size": WIDTH,
    "intermediate_size": 4 * WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "rotary_pct": 0.25,
    "rotary_emb_base": 10000, "max_position_embeddings": CONTEXT, "layer_norm_eps": 1e-5, "use_parallel_residual": True,
}  # fmt: skip


def falcon(kv: int, two_norms: bool) -> Shapes:
    rows = (HEADS + 2 * kv) * HEAD
    names = ("ln_attn", "ln_mlp") if two_norms else ("input_layernorm",)
    return {
        "transformer.word_embeddings.weight": (VOCABULARY, WIDTH), "lm_head.weight": (VOCABULARY, WIDTH)
    } | with_bias({"transformer.ln_f.weight": (WIDTH,)}) | layers(
        lambda _: with_bias(norms(*names)) | {
            "self_attention.query_key_value.weight": (rows, WIDTH), "self_attention.dense.weight": (WIDTH, WIDTH),
            "mlp.dense_h_to_4h.weight": (4 * WIDTH, WIDTH), "mlp.dense_4h_to_h.weight": (WIDTH, 4 * WIDTH),
        }, "transformer.h.",
    )  # fmt: skip


FALCON = {
    "architectures": ["FalconForCausalLM"], "model_type": "falcon", "vocab_size": VOCABULARY, "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "layer_norm_epsilon": 1e-5, "multi_query": True,
    "new_decoder_architecture": False, "parallel_attn": True, "bias": False, "alibi": False,
}  # fmt: skip
EXAONE = {
    "architectures": ["ExaoneForCausalLM"], "model_type": "exaone", "vocab_size": VOCABULARY, "hidden_size": WIDTH,
    "intermediate_size": FEED_FORWARD, "num_layers": LAYERS, "num_attention_heads": HEADS,
    "num_key_value_heads": KV_HEADS, "max_position_embeddings": CONTEXT, "layer_norm_epsilon": 1e-5,
    "rope_theta": 1e6, "activation_function": "silu", "head_dim": HEAD,
    "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                     "original_max_position_embeddings": 64},
}  # fmt: skip
EXAONE_SHAPES = {
    "transformer.wte.weight": (VOCABULARY, WIDTH), "transformer.ln_f.weight": (WIDTH,),
    "lm_head.weight": (VOCABULARY, WIDTH),
} | layers(
    lambda _: norms("ln_1", "ln_2") | {
        "attn.attention.q_proj.weight": (HEADS * HEAD, WIDTH), "attn.attention.k_proj.weight": (KV_HEADS * HEAD, WIDTH),
        "attn.attention.v_proj.weight": (KV_HEADS * HEAD, WIDTH), "attn.attention.out_proj.weight": (WIDTH, WIDTH),
        "mlp.c_fc_0.weight": (FEED_FORWARD, WIDTH), "mlp.c_fc_1.weight": (FEED_FORWARD, WIDTH),
        "mlp.c_proj.weight": (WIDTH, FEED_FORWARD),
    }, "transformer.h.",
)  # fmt: skip
PHI2 = without(base("PhiForCausalLM", "phi", layer_norm_eps=1e-5, partial_rotary_factor=0.5,
                    num_key_value_heads=HEADS, intermediate_size=4 * WIDTH), "rms_norm_eps")  # fmt: skip
PHI2_SHAPES = {"model.embed_tokens.weight": (VOCABULARY, WIDTH)} | with_bias(
    {"model.final_layernorm.weight": (WIDTH,), "lm_head.weight": (VOCABULARY, WIDTH)}
) | layers(
    lambda _: with_bias(norms("input_layernorm") | {
        "self_attn.q_proj.weight": (WIDTH, WIDTH), "self_attn.k_proj.weight": (WIDTH, WIDTH),
        "self_attn.v_proj.weight": (WIDTH, WIDTH), "self_attn.dense.weight": (WIDTH, WIDTH),
        "mlp.fc1.weight": (4 * WIDTH, WIDTH), "mlp.fc2.weight": (WIDTH, 4 * WIDTH),
    })
)  # fmt: skip


GRANITE4 = base(
    "GraniteMoeHybridForCausalLM", "granitemoehybrid", num_local_experts=EXPERTS, num_experts_per_tok=2,
    shared_intermediate_size=48, layer_types=["mamba", "attention"], mamba_d_conv=4, mamba_d_head=32, mamba_d_state=16,
    mamba_expand=2, mamba_n_groups=2, mamba_n_heads=4, attention_multiplier=0.0625, embedding_multiplier=12.0,
    residual_multiplier=0.22, logits_scaling=8.0, position_embedding_type="nope",
)  # fmt: skip
GRANITE4_SHARED = {"shared_mlp.input_linear.weight": (96, WIDTH), "shared_mlp.output_linear.weight": (WIDTH, 48)}
GRANITE4_EXPERTS = GRANITE4_SHARED | {
    "block_sparse_moe.router.layer.weight": (EXPERTS, WIDTH),
    "block_sparse_moe.input_linear.weight": (EXPERTS, 2 * FEED_FORWARD, WIDTH),
    "block_sparse_moe.output_linear.weight": (EXPERTS, WIDTH, FEED_FORWARD),
}
MAMBA = {
    "mamba.in_proj.weight": (128 + 128 + 2 * 2 * 16 + 4, WIDTH), "mamba.conv1d.weight": (128 + 2 * 2 * 16, 1, 4),
    "mamba.conv1d.bias": (128 + 2 * 2 * 16,), "mamba.norm.weight": (128,), "mamba.out_proj.weight": (WIDTH, 128),
    "mamba.A_log": (4,), "mamba.D": (4,), "mamba.dt_bias": (4,),
}  # fmt: skip
MROPE = {"rope_type": "default", "mrope_section": [4, 2, 2]}


def seeing(architecture: str, kind: str, text: dict[str, Any], shapes: Shapes) -> TinyModel:
    """A model whose text part stands beside a part that sees."""
    config = {"architectures": [architecture], "model_type": kind, "text_config": without(text, "architectures"),
              "vision_config": {"hidden_size": 8, "deepstack_visual_indexes": [0]}}  # fmt: skip
    found = {"model.visual.pos_embed.weight": (4, 8)} | with_text_prefix(shapes)
    return TinyModel(kind.replace("_", ""), config, found)


def deepseek_lite(count: int) -> TinyModel:
    """The small DeepSeek 2; the engine tells it by its 27 layers."""
    config = base("DeepseekV2ForCausalLM", "deepseek_v2", q_lora_rank=None, scoring_func="softmax",
                  norm_topk_prob=False, rope_scaling=DEEPSEEK_YARN, **MLA) | {"num_hidden_layers": count}  # fmt: skip
    shapes = ends() | layers(lambda layer: mla_layer(layer, LITE_QUERY, False), count=count)
    return TinyModel("deepseek2-lite" if count == LAYERS else f"deepseek2-lite-{count}", config, shapes)


ENGINE_ONLY = (deepseek_lite(27),)
MODELS = (
    TinyModel("qwen35", {"architectures": ["Qwen3_5ForConditionalGeneration"], "model_type": "qwen3_5",
        "text_config": QWEN35, "vision_config": {"hidden_size": 8}},
            QWEN35_MTP | {"model.visual.pos_embed.weight": (4, 8)}
        | with_text_prefix(ends() | qwen35(feed_forward())), stored={"A_log": "F32", "linear_attn.norm.weight": "F32"}),
    TinyModel("qwen35moe", {"architectures": ["Qwen3_5MoeForConditionalGeneration"], "model_type": "qwen3_5_moe",
        "text_config": without(QWEN35, "intermediate_size") | {"num_experts": EXPERTS, "num_experts_per_tok": 2,
        "moe_intermediate_size": EXPERT_WIDTH, "shared_expert_intermediate_size": 48},
            "vision_config": {"hidden_size": 8}},
        QWEN35_MTP | with_text_prefix(ends() | qwen35(qwen35_moe()))),
    TinyModel("qwen3next", base("Qwen3NextForCausalLM", "qwen3_next", head_dim=HEAD, num_experts=EXPERTS,
        num_experts_per_tok=2, moe_intermediate_size=EXPERT_WIDTH, shared_expert_intermediate_size=48,
        linear_conv_kernel_dim=4, linear_key_head_dim=LINEAR, linear_value_head_dim=LINEAR, partial_rotary_factor=0.25,
        linear_num_key_heads=KEY_HEADS, linear_num_value_heads=VALUE_HEADS, full_attention_interval=4,
        num_hidden_layers=4), ends() | layers(lambda layer: norms() | (NEXT_NET if layer < 3 else qwen35_attention())
        | {"mlp.gate.weight": (EXPERTS, WIDTH), "mlp.shared_expert_gate.weight": (1, WIDTH)} | experts()
        | feed_forward(48, "mlp.shared_expert."), count=4) | {"mtp.fc.weight": (WIDTH, 2 * WIDTH)}),
    TinyModel("gpt-oss", OSS, ends() | layers(lambda _: oss_layer(OSS_PLAIN))),
    TinyModel("gpt-oss-mxfp4", OSS | {"quantization_config": {"quant_method": "mxfp4"}},
        ends() | layers(lambda _: oss_layer(OSS_MXFP4)), stored={"_blocks": "U8", "_scales": "U8"}),
    deepseek_lite(LAYERS),
    TinyModel("deepseek3", base("DeepseekV3ForCausalLM", "deepseek_v3", q_lora_rank=24, scoring_func="sigmoid",
        norm_topk_prob=True, n_group=1, topk_group=1, num_nextn_predict_layers=1, rope_scaling=DEEPSEEK_YARN, **MLA),
        ends() | layers(lambda layer: mla_layer(layer, LOW_RANK_QUERY, True))
        | {"model.layers.2.eh_proj.weight": (WIDTH, 2 * WIDTH)}, stored={"e_score_correction_bias": "F32"}),
    TinyModel("lfm2", LFM2, LFM2_ENDS | layers(lfm2_layer)),
    TinyModel("lfm2moe", without(base("Lfm2MoeForCausalLM", "lfm2_moe", norm_eps=1e-5, conv_L_cache=3,
        intermediate_size=64,
        num_experts=EXPERTS, num_experts_per_tok=2, moe_intermediate_size=EXPERT_WIDTH, num_dense_layers=1,
        layer_types=["conv", "full_attention"], use_expert_bias=True), "rms_norm_eps"),
        LFM2_ENDS | layers(lambda layer: lfm2_layer(layer, False)), stored={"expert_bias": "F32"}),
    TinyModel("gpt2", GPT2_CONFIG, GPT2, stored={"": "F32"}, beside={"h.0.attn.bias": (1, 1, 8, 8)}),
    TinyModel("gptneox", NEOX_CONFIG, NEOX, stored={"": "F16"}),
    TinyModel("falcon", FALCON | {"num_kv_heads": 1}, falcon(1, False)),
    TinyModel("falcon-40b", FALCON | {"new_decoder_architecture": True, "num_kv_heads": KV_HEADS},
        falcon(KV_HEADS, True)),
    TinyModel("exaone", EXAONE, EXAONE_SHAPES, beside={"transformer.h.0.attn.attention.rotary.inv_freq": (8,)}),
    TinyModel("phi2", PHI2, PHI2_SHAPES),
    TinyModel("granitehybrid", GRANITE4, ends() | layers(
        lambda layer: norms() | (MAMBA if layer == 0 else attention()) | GRANITE4_EXPERTS)),
    TinyModel("granite4-dense", without(GRANITE4, "num_experts_per_tok") | {"num_local_experts": 0,
        "shared_intermediate_size": FEED_FORWARD, "layer_types": ["attention"] * LAYERS,
        "position_embedding_type": "rope"},
        ends(head=False) | layers(lambda _: norms() | attention() | {
            "shared_mlp.input_linear.weight": (2 * FEED_FORWARD, WIDTH),
            "shared_mlp.output_linear.weight": (WIDTH, FEED_FORWARD)})),
    TinyModel("glm4-moe-lite", base("Glm4MoeLiteForCausalLM", "glm4_moe_lite", q_lora_rank=24, scoring_func="sigmoid",
        norm_topk_prob=True, n_group=1, topk_group=1, num_nextn_predict_layers=1, **MLA),
        ends() | layers(lambda layer: mla_layer(layer, LOW_RANK_QUERY, True))
        | {"model.layers.2.eh_proj.weight": (WIDTH, 2 * WIDTH)}, stored={"e_score_correction_bias": "F32"}),
    seeing("Qwen2_5_VLForConditionalGeneration", "qwen2_5_vl", base("", "qwen2_5_vl_text", rope_scaling=MROPE),
        ends() | layers(lambda _: norms() | attention(bias=("q", "k", "v")) | feed_forward())),
    seeing("Qwen3VLForConditionalGeneration", "qwen3_vl", base("", "qwen3_vl_text", head_dim=HEAD, rope_scaling=MROPE),
        ends() | layers(lambda _: norms() | attention(norms=True) | feed_forward())),
    seeing("Qwen3VLMoeForConditionalGeneration", "qwen3_vl_moe", base("", "qwen3_vl_moe_text", head_dim=HEAD,
        num_experts=EXPERTS, num_experts_per_tok=2, moe_intermediate_size=EXPERT_WIDTH, rope_scaling=MROPE),
        ends() | layers(lambda _: norms() | attention(norms=True) | {"mlp.gate.weight": (EXPERTS, WIDTH),
            "mlp.experts.gate_up_proj": (EXPERTS, WIDTH, 2 * EXPERT_WIDTH),
            "mlp.experts.down_proj": (EXPERTS, EXPERT_WIDTH, WIDTH)})),
)  # fmt: skip
