"""What the formats' own libraries stored is read back as they read it themselves."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from snug.formats.byte_source import FileSource
from snug.formats.checkpoints.formats import FORMATS, format_of
from snug.formats.checkpoints.tensor_files import TensorFiles, open_tensor_file

FOLDER = Path(__file__).parents[2] / "data" / "checkpoints"
NAMES = sorted(path.name.removesuffix(".expected.safetensors") for path in FOLDER.glob("*.expected.safetensors"))

ROUNDED = {"compressed-tensors-nvfp4": 2.0**-7}
"""Where the library itself computes in BF16, whose steps are 2^-8."""


def opened(name: str) -> TensorFiles:
    return TensorFiles([open_tensor_file(name, FileSource(FOLDER / f"{name}.safetensors"))])


def key_of(name: str) -> str:
    with opened(name) as files:
        return format_of(json.loads(files.metadata["config"]), files.tensors.keys()).key


def test_every_format_with_a_library_is_recorded() -> None:
    assert {key_of(name) for name in NAMES} == {kind.key for kind in FORMATS} - {"plain", "modelopt-nvfp4"}
    assert len(NAMES) >= 35


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_layer_is_read_as_its_own_library_reads_it(name: str) -> None:
    with opened(name) as files, opened(f"{name}.expected") as answers:
        config = json.loads(files.metadata["config"])
        weights = format_of(config, files.tensors.keys())(files, config)
        assert set(weights.weights) == set(answers.tensors)
        for tensor in answers.tensors:
            expected = answers.floats(tensor)
            found = weights.read(tensor)
            assert found.shape == expected.shape
            tolerance = ROUNDED.get(name, 2e-6)
            np.testing.assert_allclose(found, expected, rtol=tolerance, atol=2e-6 * float(np.abs(expected).max()))
