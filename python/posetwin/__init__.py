"""Posetwin: fine-tunes a pose adapter until only the pose changes.

In a notebook: ``adapter = posetwin.load_adapter(folder)``, ``posetwin.sample(prompt, pose=…, adapter=adapter)``, and
the loss terms of the method in ``posetwin.losses``. Importing the package alone imports neither torch nor diffusers.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from posetwin import losses
    from posetwin.sampling.notebook import load_adapter, sample

__version__ = "0.1.0"
__all__ = ["__version__", "load_adapter", "losses", "sample"]

_HOMES = {"load_adapter": "posetwin.sampling.notebook", "sample": "posetwin.sampling.notebook"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name == "losses":
        return importlib.import_module("posetwin.losses")
    raise AttributeError(f"module 'posetwin' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
