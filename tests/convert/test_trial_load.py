"""What the engine could not open is refused before a weight is read, and leaves nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from snug.convert.open_source import open_local
from snug.convert.trial_load import check_loads
from snug.core.errors import UserError
from snug.formats.checkpoints.checkpoint import Checkpoint
from snug.formats.random_checkpoint import LlamaShape, write_checkpoint
from snug.worker.client import WorkerClient
from snug.worker.conversion_messages import ConversionDone, ConversionSource, Convert
from tests.formats.checkpoints.safetensors_maker import Tensor, safetensors

SHAPE = LlamaShape(layers=2, width=256, feed_forward=512, heads=4, kv_heads=2, vocabulary=1024)


def tensors_of(folder: Path) -> dict[str, Tensor]:
    with Checkpoint(folder) as checkpoint:
        return {name: ("BF16", checkpoint.files.stored(name)) for name in checkpoint.files.tensors}


def converted(folder: Path, out: Path) -> ConversionDone:
    with WorkerClient(out.parent / "logs") as child:
        request = Convert(source=ConversionSource(path=str(folder)), out=str(out), type_name="Q4_K_M", check=False)
        answer = child.request(request, timeout=60)
    assert isinstance(answer, ConversionDone)
    return answer


def without(name: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        tensors = tensors_of(folder)
        del tensors[name]
        (folder / "model.safetensors").write_bytes(safetensors(tensors))

    return damage


def with_setting(key: str, value: object) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        without("model.norm.weight"),
        without("model.layers.1.mlp.down_proj.weight"),
        without("model.layers.0.input_layernorm.weight"),
        with_setting("intermediate_size", 999),
    ],
    ids=["final norm", "a layer's matrix", "a layer's norm", "feed-forward width"],
)
def test_what_the_engine_could_not_open_is_refused(damage: Callable[[Path], None], tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "model", SHAPE)
    damage(folder)
    out = tmp_path / "out" / "out.gguf"
    out.parent.mkdir()
    with pytest.raises(UserError) as caught:
        converted(folder, out)
    assert caught.value.bad_input
    assert "do not fit together" in caught.value.title
    assert [path.name for path in out.parent.iterdir()] == ["logs"]


def test_a_value_that_is_no_number_leaves_nothing(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "model", SHAPE)
    tensors = tensors_of(folder)
    kind, values = tensors["model.layers.1.mlp.down_proj.weight"]
    damaged = np.array(values)
    damaged[3, 7] = 0x7FC0
    tensors["model.layers.1.mlp.down_proj.weight"] = (kind, damaged)
    (folder / "model.safetensors").write_bytes(safetensors(tensors))
    out = tmp_path / "out" / "out.gguf"
    out.parent.mkdir()
    with pytest.raises(UserError) as caught:
        converted(folder, out)
    assert "blk.1.ffn_down.weight" in caught.value.title
    assert [path.name for path in out.parent.iterdir()] == ["logs"]


@pytest.mark.skipif(sys.platform == "win32", reason="limits of the shell")
def test_a_limit_on_the_size_of_files_is_said(tmp_path: Path) -> None:
    import resource

    folder = write_checkpoint(tmp_path / "source", SHAPE)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with open_local(folder) as source:
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, limits[1]))
        try:
            with pytest.raises(UserError, match="no file grow as large"):
                check_loads(source)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
