"""Modules that others import but the window hardly ever uses: loaded when something in them is first asked for.

SQLAlchemy imports asyncio (10 MB, for its TLS) and importlib.metadata (3 MB) for what Snug does not do. The standard
library's LazyLoader does not help: a second `import` of the module already loads it.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from types import ModuleType
from typing import Any

LATE: dict[str, dict[str, Any]] = {
    "asyncio": {"iscoroutine": inspect.iscoroutine},
    "importlib.metadata": {},
}
"""Each module, and what of it is asked for while others are imported."""


def load_late(modules: dict[str, dict[str, Any]] | None = None) -> None:
    """Put stand-ins where the modules are not loaded yet; each becomes the real module when it is looked into."""
    for name, known in (LATE if modules is None else modules).items():
        if name not in sys.modules:
            module = sys.modules[name] = _stand_in(name, known)
            package, _, child = name.rpartition(".")
            if package:  # what `import a.b` leaves there, and `a.b.name` looks into
                setattr(sys.modules[package], child, module)


def _stand_in(name: str, known: dict[str, Any]) -> ModuleType:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.loader is not None
    loader = spec.loader
    module = importlib.util.module_from_spec(spec)
    vars(module).update(known)

    def load(wanted: str) -> Any:
        if wanted.startswith("__"):
            raise AttributeError(wanted)
        vars(module).pop("__getattr__", None)
        loader.exec_module(module)
        return getattr(module, wanted)

    vars(module)["__getattr__"] = load
    return module
