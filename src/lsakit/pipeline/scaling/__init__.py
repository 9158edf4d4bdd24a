"""The scaling of one subject: from responses to values on the reporting scale, stage by stage.

``run_scaling(store, inputs, options, decisions, now=…, who=…)`` runs the stages of ``SCALING_STAGES``. A stage whose
inputs and parameters are as before is not computed again, so that a decision on an item costs only what depends on
it. What each stage takes and gives: docs/modules/scaling_steps.md.
"""

from lsakit.pipeline.scaling.options import (
    DECISION_KINDS,
    LINK_METHODS,
    SCALING_STAGES,
    ScalingDecision,
    ScalingOptions,
)
from lsakit.pipeline.scaling.plan import ScalingInputs
from lsakit.pipeline.scaling.run import ScalingResult, run_scaling

__all__ = [
    "DECISION_KINDS",
    "LINK_METHODS",
    "SCALING_STAGES",
    "ScalingDecision",
    "ScalingInputs",
    "ScalingOptions",
    "ScalingResult",
    "run_scaling",
]
