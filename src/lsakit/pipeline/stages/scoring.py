"""Stage "scoring": from raw answers to scores, by a named rule."""

from __future__ import annotations

from typing import Any

from lsakit.irt.scoring import score_responses
from lsakit.lineage import Step, StepCall


def run_scoring(call: StepCall) -> dict[str, Any]:
    """Score the raw responses of one grade.

    Parameters
    ----------
    call : StepCall
        Inputs ``raw_responses``, ``items`` and, where the rule needs the order of the test, ``booklets``;
        parameter ``rule``.

    Returns
    -------
    dict of str to table
        ``scored_responses`` and ``scoring_summary``.
    """
    scored = score_responses(
        call.inputs["raw_responses"],
        call.inputs["items"],
        rule=str(call.parameters["rule"]),
        booklets=call.inputs.get("booklets"),
    )
    return {"scored_responses": scored.table, "scoring_summary": scored.summary}


SCORING = Step(
    name="scoring",
    version=1,
    title="raw answers to scores",
    run=run_scoring,
    inputs=("raw_responses", "items"),
    optional_inputs=("booklets",),
    outputs=("scored_responses", "scoring_summary"),
)
