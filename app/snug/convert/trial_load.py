"""Whether the engine would open the file that is to be made: asked before the first weight is read."""

from __future__ import annotations

import errno

from snug.convert.conversion import Settings, prepare
from snug.convert.quantize import TYPES
from snug.convert.source import Source
from snug.core.errors import UserError
from snug.engine.dry_run import OpenModel
from snug.engine.sparse_file import sparse_file
from snug.formats.checkpoints.errors import bad_checkpoint


def check_loads(source: Source) -> None:
    """Show the engine the header that the result will have; it reads no weights and takes no memory for them.

    Raises UserError where tensors are missing, have other shapes than the settings say, or settings contradict each
    other. Belongs in a child: the engine aborts on some headers.
    """
    types = {}
    for tensor in source.tensors:
        stored = tensor.stored_type
        is_kept = stored in TYPES or tensor.read_stored is not None
        types[tensor.name] = tensor.fixed_type or (stored if is_kept else "F16")
    layout = prepare(source, Settings(types, quantiser=_never)).layout
    try:
        with sparse_file(layout.header, layout.file_bytes) as path, OpenModel(path, dry=True):
            pass
    except OSError as error:
        if error.errno != errno.EFBIG:
            raise
        raise UserError(
            "The system lets no file grow as large as the result.",
            "Lift that limit (ulimit -f), or choose a smaller type.",
            kind="disk-full",
            details=f"{type(error).__name__}: {error}",
        ) from error
    except UserError as error:
        if source.kind == "gguf":
            raise
        raise bad_checkpoint(
            "its parts do not fit together, and no program could open the result", f"{error.title} {error.details}"
        ) from error


def _never(*_: object) -> bytes:
    raise AssertionError("nothing is quantised for a layout")
