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
    "prompt.cuda": 67.12,
    "prompt.metal": 23.7,
    "prompt.amd": 44.01,
    "prompt.mixture": 2.0,
    "prompt.iq": 1.16,
    "core.weights_per_s": 11450000000.0,
    "efficiency.cpu": 0.9562,
    "layer_us.cpu": 15.17,
    "core.wide": 0.7957,
    "core.legacy": 1.018,
    "core.iq": 1.7,
}
"""Efficiencies, microseconds a layer, factors; see `speed_model`."""
ANSWER_RANGES = {
    "cuda": (0.843, 1.12),
    "metal": (0.422, 1.68),
    "amd": (0.422, 1.68),
    "cpu": (0.75, 1.2),
}
"""The ends of the range (a tenth of unseen rows beyond each) as factors of the middle."""
PROMPT_RANGES = {
    "cuda": (0.613, 1.43),
    "metal": (0.438, 1.61),
    "amd": (0.438, 1.61),
    "cpu": (0.5, 1.6),
}
"""The same for the reading of prompts."""
