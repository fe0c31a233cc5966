"""LoRA adapters as files of their own, against llama.cpp's own converter, recorded."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from snug.convert.architectures import find_architecture
from snug.convert.architectures.adapters import plan_adapter
from snug.convert.plan import ModelPlan
from snug.core.errors import UserError
from snug.formats.checkpoints.checkpoint import Checkpoint
from tests.convert.architectures.comparison import RECORDINGS
from tests.convert.yardstick.adapters import ADAPTERS, ALPHA, TinyAdapter, write_adapter

RECORDED = json.loads((RECORDINGS.parent / "adapters.json").read_text())


def planned(adapter: TinyAdapter, folder: Path, **settings: object) -> tuple[Checkpoint, ModelPlan]:
    write_adapter(adapter, folder)
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))
    checkpoint = Checkpoint(folder)
    config = adapter.model.config
    try:
        return checkpoint, plan_adapter(find_architecture(config), checkpoint.adapter, config, "tiny-lora")
    except UserError:
        checkpoint.close()
        raise


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.base)
def test_an_adapter_equals_what_the_reference_converter_writes(adapter: TinyAdapter, tmp_path: Path) -> None:
    checkpoint, plan = planned(adapter, tmp_path)
    with checkpoint:
        ours = {
            tensor.name: [
                list(tensor.shape),
                hashlib.sha256(tensor.read_rows(0, tensor.rows).tobytes()).hexdigest()[:32],
            ]
            for tensor in plan.tensors
        }
        assert ours == RECORDED[adapter.base]
        metadata = {entry.key: entry.value for entry in plan.metadata}
        assert (metadata["general.type"], metadata["adapter.type"]) == ("adapter", "lora")
        assert metadata["adapter.lora.alpha"] == ALPHA


def test_rank_stabilised_scaling_becomes_the_alpha_that_means_the_same(tmp_path: Path) -> None:
    checkpoint, plan = planned(ADAPTERS[0], tmp_path, use_rslora=True)
    with checkpoint:
        metadata = {entry.key: entry.value for entry in plan.metadata}
        assert metadata["adapter.lora.alpha"] == ALPHA * 4 / 2  # alpha / sqrt(4) = (2 alpha) / 4


def test_alphas_that_differ_are_folded_into_the_matrices(tmp_path: Path) -> None:
    plain, plan = planned(ADAPTERS[0], tmp_path / "plain")
    changed, other = planned(ADAPTERS[0], tmp_path / "changed", alpha_pattern={"q_proj": 2 * ALPHA})
    with plain, changed:
        ours, theirs = ({t.name: t.read_rows(0, t.rows) for t in p.tensors} for p in (plan, other))
        name = "blk.0.attn_q.weight.lora_b"
        assert np.array_equal(theirs[name], 2 * ours[name])
        assert np.array_equal(theirs["blk.0.attn_k.weight.lora_b"], ours["blk.0.attn_k.weight.lora_b"])


@pytest.mark.parametrize(
    ("adapter", "word"),
    [
        (TinyAdapter("gpt2", ("c_attn",)), "rearranged"),
        (TinyAdapter("qwen35", ("linear_attn.out_proj",)), "rearranged"),
        (TinyAdapter("deepseek3", ("kv_b_proj",)), "rearranged"),
    ],
    ids=lambda value: getattr(value, "base", None),
)
def test_what_cannot_be_kept_apart_is_refused_with_what_to_do(adapter: TinyAdapter, word: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=word) as error:
        planned(adapter, tmp_path)
    assert "Merge the adapter" in error.value.advice


def test_an_adapter_of_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    write_adapter(ADAPTERS[0], tmp_path)
    config = TinyAdapter("gpt2", ()).model.config
    architecture = find_architecture(config)
    with Checkpoint(tmp_path) as checkpoint:
        found = checkpoint.adapter
        with pytest.raises(UserError, match="another kind"):
            plan_adapter(architecture, found, config, "tiny-lora")
