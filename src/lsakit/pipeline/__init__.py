"""The whole cycle: stages as pure steps, run once, traced from a figure back to the frame.

``run_cycle(store, options, now=…, who=…)`` carries a national assessment from the register of schools to the
report; ``load_estimates(store)`` reads its figures; ``trace_figure(store, code)`` walks back from one of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PUBLIC = {
    "CycleOptions": "lsakit.pipeline.options",
    "CycleResult": "lsakit.pipeline.cycle",
    "run_cycle": "lsakit.pipeline.cycle",
    "load_estimates": "lsakit.pipeline.cycle",
    "STEPS": "lsakit.pipeline.registry",
    "STAGES": "lsakit.pipeline.plan",
    "Trace": "lsakit.pipeline.tracing",
    "TraceStep": "lsakit.pipeline.tracing",
    "trace_figure": "lsakit.pipeline.tracing",
    "RealDataComparison": "lsakit.pipeline.real_data",
    "compare_real_data": "lsakit.pipeline.real_data",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for."""
    if name not in _PUBLIC:
        raise AttributeError(f"lsakit.pipeline has no public name {name!r}")
    value = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
