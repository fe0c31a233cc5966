"""Which tensors stay in single precision whatever the rest becomes.

The same choice as llama.cpp's converter makes (conversion/base.py, prepare_tensors): its engine takes them so only.
"""

from __future__ import annotations

import re

SINGLE = re.compile(
    r"^(blk\.\d+\.(ffn_gate_inp|ffn_gate_inp_shexp|ssm_conv1d|ssm_conv1d_[qkv]|shortconv\.conv|altup_correct_coef"
    r"|altup_predict_coef|indexer\.proj)|position_embd|token_types)\.weight$"
)


def fixed_type(name: str, axes: int) -> str | None:
    """ "F32" for vectors, norms, routers, convolutions, embeddings of positions and what is no weight; None else."""
    if axes <= 1 or name.endswith("_norm.weight") or not name.endswith(".weight") or SINGLE.match(name):
        return "F32"
    return None
