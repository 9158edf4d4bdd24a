"""Stage "frame": the list of schools that have the grade, checked before anything is drawn from it."""

from __future__ import annotations

from typing import Any

import polars as pl

from lsakit.design.frame_checks import check_frame
from lsakit.design.options import Design
from lsakit.errors import DesignError
from lsakit.io.frames import as_table, refuse_duplicates, require_columns
from lsakit.lineage import Step, StepCall

COLUMNS = (
    "school_id", "name", "province_code", "commune_code", "region6", "area", "disadvantaged", "sector",
    "minority_share",
)  # fmt: skip


def grade_frame(schools: Any, grade: int) -> pl.DataFrame:
    """List the schools that teach a grade.

    Parameters
    ----------
    schools : table
        Register of schools with ``enrolment_<grade>`` and ``classes_<grade>``.
    grade : int
        Grade.

    Returns
    -------
    polars.DataFrame
        One row per school with the grade, in the order of the register: the columns of the register, then
        ``enrolment`` and ``classes``.

    Raises
    ------
    TableError
        If a column is absent or a school stands twice.
    DesignError
        If no school has the grade.
    """
    table = as_table(schools, param="schools")
    size, classes = f"enrolment_{grade}", f"classes_{grade}"
    require_columns(table, [*COLUMNS, size, classes], param="register of schools")
    refuse_duplicates(table, "school_id", param="register of schools")
    frame = table.filter(pl.col(size) > 0).select(
        *COLUMNS, pl.col(size).alias("enrolment"), pl.col(classes).alias("classes")
    )
    if not frame.height:
        raise DesignError(
            f"No school of the register has grade {grade}.",
            hint=f"Fill the column {size!r} with the number of students.",
            param=size,
        )
    return frame


def cycle_design(frame: pl.DataFrame, *, n_schools_per_province: int, n_students: int) -> Design:
    """Plan the national sample: the same number of schools in each province.

    Parameters
    ----------
    frame : polars.DataFrame
        Frame of the grade.
    n_schools_per_province : int
        Schools per province; all where it has fewer.
    n_students : int
        Students per school.

    Returns
    -------
    Design
        Provinces as explicit strata; area and disadvantage as implicit ones; size = enrolment.
    """
    counts = frame.group_by("province_code").len().sort("province_code")
    wanted = {code: min(n_schools_per_province, have) for code, have in counts.rows()}
    return Design(
        explicit=["province_code"],
        implicit=["area", "disadvantaged"],
        measure_of_size="enrolment",
        n_schools=wanted,
        n_students=n_students,
    )


def run_frame(call: StepCall) -> dict[str, Any]:
    """Make and check the frame of one grade.

    Parameters
    ----------
    call : StepCall
        Input ``schools``; parameters ``grade``, ``n_schools_per_province``, ``n_students``.

    Returns
    -------
    dict of str to table
        ``frame`` and ``checks``.

    Raises
    ------
    DesignError
        If a check finds an error.
    """
    settings = call.parameters
    frame = grade_frame(call.inputs["schools"], int(settings["grade"]))
    design = cycle_design(
        frame,
        n_schools_per_province=int(settings["n_schools_per_province"]),
        n_students=int(settings["n_students"]),
    )
    checks = check_frame(frame, design=design)
    if checks.has_errors:
        error = checks.table.filter(pl.col("severity") == "error").row(0, named=True)
        raise DesignError(
            f"The frame of grade {settings['grade']} has errors: {error['sentence']}",
            why="A sample drawn from a wrong list cannot be repaired later.",
            hint="Correct the register of schools.",
            param=str(error["check"]),
        )
    return {"frame": frame, "checks": checks.table}


FRAME = Step(
    name="frame",
    version=1,
    title="list of schools with the grade, checked",
    run=run_frame,
    inputs=("schools",),
    outputs=("frame", "checks"),
)
