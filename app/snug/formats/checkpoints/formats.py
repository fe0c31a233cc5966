"""Every kind of checkpoint that Snug reads, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Collection

from snug.core.errors import UserError
from snug.formats.checkpoints.aqlm import Aqlm
from snug.formats.checkpoints.awq import Awq
from snug.formats.checkpoints.bitsandbytes import BitsAndBytes
from snug.formats.checkpoints.checkpoint_format import CheckpointFormat, Config, method
from snug.formats.checkpoints.compressed_tensors import CompressedTensors, ModelOptFloat4
from snug.formats.checkpoints.errors import not_supported
from snug.formats.checkpoints.fp8 import Fp8
from snug.formats.checkpoints.gptq import Gptq
from snug.formats.checkpoints.hqq import Hqq
from snug.formats.checkpoints.mlx import Mlx
from snug.formats.checkpoints.mxfp4 import Mxfp4
from snug.formats.checkpoints.plain import Plain
from snug.formats.checkpoints.torchao import Torchao

FORMATS: tuple[type[CheckpointFormat], ...] = (
    Gptq,
    Awq,
    BitsAndBytes,
    Fp8,
    CompressedTensors,
    ModelOptFloat4,
    Mxfp4,
    Aqlm,
    Hqq,
    Torchao,
    Mlx,
    Plain,
)


def format_of(config: Config, tensor_names: Collection[str]) -> type[CheckpointFormat]:
    """The first of FORMATS that recognises the checkpoint. Raises UserError with the method's name where none does."""
    for kind in FORMATS:
        if kind.recognises(config, tensor_names):
            return kind
    raise unknown_method(method(config))


def unknown_method(name: str) -> UserError:
    """The error for a quantisation method that Snug has no reader for."""
    return not_supported(
        f"This model is quantised in a way that Snug does not know ({name[:40] or 'without a name'})",
        "Choose its original weights, or a version made with GPTQ, AWQ, bitsandbytes, FP8 or LLM Compressor.",
    )
