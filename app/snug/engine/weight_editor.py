"""Writes over the weights of a model that is loaded, so that a change can be measured without a file for it."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snug.core.errors import UserError
from snug.engine.calibration import weight_name
from snug.engine.graph_tensors import (
    BF16,
    F16,
    F32,
    MULTIPLY,
    MULTIPLY_BY_EXPERT,
    check_layout,
    ggml_base,
    operation,
    tensor_at,
)
from snug.engine.text_reader import TextReader, Tokens

Floats = NDArray[np.float32]

_USES = (MULTIPLY, MULTIPLY_BY_EXPERT, "GET_ROWS")
_WIDTHS = {F32: 4, F16: 2, BF16: 2}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a tensor's values lie."""

    address: int
    kind: int
    count: int


class EditableModel:
    """A model in memory of our own, its weights by name; only F32, F16 and BF16 weights can be written over."""

    def __init__(self, path: Path, *, chunk: int = 512, threads: int = 0) -> None:
        self._places: dict[str, _Place] = {}
        self._is_checked = False
        self.reader = TextReader(path, chunk=chunk, threads=threads, is_editable=True, observer=self._note)

    def find(self, chunk: Tokens) -> None:
        """Learn where the weights lie, by reading a few tokens."""
        self.reader.logits(chunk, len(chunk) - 1)
        self.reader.ignore_operations()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._places)

    def read(self, name: str) -> bytes:
        """A tensor's values as they stand."""
        return bytes(self._bytes(name))

    def write(self, name: str, values: Floats) -> None:
        """Put other values, in the tensor's own type."""
        place = self._places[name]
        flat = values.reshape(-1)
        if len(flat) != place.count:
            raise ValueError(f"{name} has {place.count} values, not {len(flat)}")
        if place.kind == F16:
            raw = flat.astype(np.float16).tobytes()
        elif place.kind == BF16:
            raw = ((flat.view(np.uint32) + np.uint32(0x8000)) >> np.uint32(16)).astype(np.uint16).tobytes()
        else:
            raw = flat.astype(np.float32).tobytes()
        self.put(name, raw)

    def put(self, name: str, raw: bytes) -> None:
        """Put what `read` gave."""
        ctypes.memmove(self._places[name].address, raw, len(raw))

    def close(self) -> None:
        self.reader.close()

    def _bytes(self, name: str) -> ctypes.Array[ctypes.c_char]:
        place = self._places[name]
        return (ctypes.c_char * (place.count * _WIDTHS[place.kind])).from_address(place.address)

    def _note(self, address: int, is_asking: bool) -> bool:
        if not self._is_checked:
            check_layout(address)
            self._is_checked = True
        tensor = tensor_at(address)
        if is_asking and operation(tensor) in _USES:
            weights = tensor_at(tensor.sources[0])
            name = weight_name(weights.name.decode("utf-8", "replace"))
            if name.endswith(".weight") and weights.type in _WIDTHS and weights.data:
                if not ggml_base().ggml_backend_buffer_is_host(weights.buffer):
                    raise UserError("The weights are not in main memory.", "Close other programs.", kind="unsupported")
                count = weights.dims[0] * weights.dims[1] * weights.dims[2] * weights.dims[3]
                self._places[name] = _Place(weights.data, weights.type, count)
        return False
