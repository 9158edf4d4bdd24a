"""Stage "administration": the test day; in the demonstration the synthetic students sit it."""

from __future__ import annotations

from typing import Any

from lsakit.lineage import Step, StepCall
from lsakit.pipeline.stages.nation import nation_of


def run_administration(call: StepCall) -> dict[str, Any]:
    """Let the sampled students of the synthetic nation take the test.

    Parameters
    ----------
    call : StepCall
        Inputs ``drawn``, ``lists``, ``pupils``; parameters ``nation_seed``, ``size``, ``grade``; seed.

    Returns
    -------
    dict of str to table
        ``schools`` and ``students`` (who took part, by the codes of the tracking forms; students with the
        gender of their list), ``raw_responses``, ``background`` (what questionnaire and register know).
    """
    nation, grade = nation_of(call.parameters), int(call.parameters["grade"])
    call.progress("test sessions", 0.0)
    day = nation.administer(
        call.inputs["pupils"], grade, schools=call.inputs["drawn"], seed=call.required_seed
    )
    call.progress("questionnaires", 0.7)
    gender = call.inputs["lists"].select("student_id", "gender")
    students = day.students
    if "gender" not in students.columns:
        students = students.join(gender, on="student_id", how="left", maintain_order="left")
    present = day.raw_responses.select("student_id").join(
        students.select("student_id", "school_id"), on="student_id", how="left", maintain_order="left"
    )
    return {
        "schools": day.schools,
        "students": students,
        "raw_responses": day.raw_responses,
        "background": nation.background(present, grade),
    }


ADMINISTRATION = Step(
    name="administration",
    version=1,
    title="test day",
    run=run_administration,
    inputs=("drawn", "lists", "pupils"),
    outputs=("schools", "students", "raw_responses", "background"),
)
