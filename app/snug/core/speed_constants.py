"""The constants of the speed model, as `packaging/fit_speed.py --write` fitted them; not to be edited."""

from __future__ import annotations

FITTED = {
    "efficiency.cuda": 0.8157,
    "efficiency.metal": 0.6777,
    "efficiency.amd": 0.7528,
    "layer_us.cuda": 47.1,
    "layer_us.metal": 88.09,
    "layer_us.amd": 121.9,
    "type.iq": 1.164,
    "type.legacy": 0.9212,
    "type.wide": 0.9845,
    "mixture.layer": 1.951,
    "prompt.cuda": 4.137,
    "prompt.metal": 0.6242,
    "prompt.amd": 0.8035,
    "prompt.mixture.cuda": 4.274,
    "prompt.mixture.metal": 1.401,
    "prompt.mixture.amd": 4.0,
    "prompt.iq": 1.15,
    "prompt.width_bytes": 614.7,
    "prompt.attention": 1.26,
    "core.weights_per_s": 17330000000.0,
    "efficiency.cpu": 0.9304,
    "layer_us.cpu": 116.0,
    "core.wide": 0.8171,
    "core.legacy": 1.007,
    "core.iq": 1.7,
    "core.prompt_flops": 75370000000.0,
    "core.prompt_width_flops": 404.9,
    "core.prompt_legacy": 1.401,
    "core.prompt_wide": 0.9683,
    "core.prompt_iq": 1.5,
}
"""Efficiencies, microseconds a layer, factors; see `speed_model`."""
ANSWER_RANGES = {
    "cuda": (0.792, 1.13),
    "metal": (0.395, 1.95),
    "amd": (0.395, 1.95),
    "cpu": (0.75, 1.2),
}
"""The ends of the range (a tenth of unseen rows beyond each) as factors of the middle."""
PROMPT_RANGES = {
    "cuda": (0.726, 1.22),
    "metal": (0.539, 1.28),
    "amd": (0.539, 1.28),
    "cpu": (0.5, 1.6),
}
"""The same for the reading of prompts."""
