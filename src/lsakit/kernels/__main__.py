"""Compile every kernel once, so that the first command a person types does not wait for it.

``python -m lsakit.kernels`` imports each module of this room and calls its ``warm`` function where it has
one; the compiled code stays in the modules' cache.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

import lsakit.kernels


def warm_all() -> list[str]:
    """Warm every kernel module that offers it; return their names."""
    warmed = []
    for module in pkgutil.iter_modules(lsakit.kernels.__path__):
        if module.name.startswith("_"):
            continue
        warm = getattr(import_module(f"lsakit.kernels.{module.name}"), "warm", None)
        if warm is not None:
            warm()
            warmed.append(module.name)
    return warmed


if __name__ == "__main__":
    warm_all()
