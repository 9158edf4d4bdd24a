"""The scaling of one subject: from responses to values on the reporting scale, stage by stage.

``run_scaling(store, inputs, options, decisions, now=…, who=…)`` runs the stages of ``SCALING_STAGES``. A stage whose
inputs and parameters are as before is not computed again, so that a decision on an item costs only what depends on
it. What each stage takes and gives: docs/modules/scaling_steps.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PUBLIC = {
    "DECISION_KINDS": "lsakit.pipeline.scaling.options",
    "LINK_METHODS": "lsakit.pipeline.scaling.options",
    "SCALING_STAGES": "lsakit.pipeline.scaling.options",
    "ScalingDecision": "lsakit.pipeline.scaling.options",
    "ScalingInputs": "lsakit.pipeline.scaling.plan",
    "ScalingOptions": "lsakit.pipeline.scaling.options",
    "ScalingResult": "lsakit.pipeline.scaling.run",
    "run_scaling": "lsakit.pipeline.scaling.run",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for."""
    if name not in _PUBLIC:
        raise AttributeError(f"lsakit.pipeline.scaling has no public name {name!r}")
    value = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
