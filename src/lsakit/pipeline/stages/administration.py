"""Stage "administration": the test day; in the demonstration the synthetic students sit it."""

from __future__ import annotations

from typing import Any

import polars as pl

from lsakit.lineage import Step, StepCall
from lsakit.pipeline.stages.nation import nation_of


def listed_students(students: pl.DataFrame, lists: pl.DataFrame, pupils: pl.DataFrame) -> pl.DataFrame:
    """Give the students of the tracking forms what weighting needs: gender and line of the list.

    Parameters
    ----------
    students : polars.DataFrame
        Participation of the selected students.
    lists : polars.DataFrame
        Lists of the schools, with ``gender``.
    pupils : polars.DataFrame
        The selection, with ``line_number``.

    Returns
    -------
    polars.DataFrame
        The same rows with ``gender`` and ``line_number``.
    """
    for part, name in ((lists, "gender"), (pupils, "line_number")):
        if name not in students.columns:
            students = students.join(
                part.select("student_id", name), on="student_id", how="left", maintain_order="left"
            )
    return students


def run_administration(call: StepCall) -> dict[str, Any]:
    """Let the sampled students of the synthetic nation take the test.

    Parameters
    ----------
    call : StepCall
        Inputs ``drawn``, ``lists``, ``pupils``; parameters ``nation_seed``, ``size``, ``grade``; seed.

    Returns
    -------
    dict of str to table
        ``schools`` and ``students`` (who took part, by the codes of the tracking forms; students with
        gender and line of their list), ``raw_responses``, ``background`` (what questionnaire and register know).
    """
    nation, grade = nation_of(call.parameters), int(call.parameters["grade"])
    call.progress("test sessions", 0.0)
    day = nation.administer(
        call.inputs["pupils"], grade, schools=call.inputs["drawn"], seed=call.required_seed
    )
    call.progress("questionnaires", 0.7)
    students = listed_students(day.students, call.inputs["lists"], call.inputs["pupils"])
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
    version=2,
    title="test day",
    run=run_administration,
    inputs=("drawn", "lists", "pupils"),
    outputs=("schools", "students", "raw_responses", "background"),
)
