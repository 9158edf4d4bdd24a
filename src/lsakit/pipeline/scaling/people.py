"""Students beside their scores: groups, weights, background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from lsakit.errors import CalibrationError
from lsakit.io.frames import floats, refuse_duplicates, require_columns, strings, with_columns
from lsakit.weighting.scaled_weights import senate_weights

WEIGHT = "study_weight"
SENATE_TOTAL = 500.0


def columns_of_students(parameters: Mapping[str, Any]) -> list[str]:
    """Name the columns of the students that a stage needs.

    Parameters
    ----------
    parameters : Mapping of str to object
        Parameters of the stage, of which group and weight are read.

    Returns
    -------
    list of str
        Group and weight, where they are named.
    """
    return [name for name in (parameters.get("group"), parameters.get("weight")) if name]


def known_students(students: pl.DataFrame | None, columns: Sequence[str]) -> pl.DataFrame:
    """Take the columns that a stage needs from the table of students.

    Parameters
    ----------
    students : polars.DataFrame or None
        One row per student with student_id.
    columns : Sequence of str
        Columns needed.

    Returns
    -------
    polars.DataFrame
        student_id and the columns, in the order of the students.

    Raises
    ------
    CalibrationError
        If columns are needed and there is no table of students.
    TableError
        If a column is absent or a student stands twice.
    """
    wanted = list(dict.fromkeys(columns))
    if students is None:
        raise CalibrationError(
            f"The scaling needs the columns {', '.join(wanted)} of the students, and has no table of students.",
            hint="Give a table with student_id and these columns, or take the options that name them out.",
            param="students",
        )
    require_columns(students, ["student_id", *wanted], param="students")
    refuse_duplicates(students, "student_id", param="students")
    return students.select(pl.col("student_id").cast(pl.String), *wanted)


def study_weights(students: pl.DataFrame, parameters: Mapping[str, Any]) -> pl.DataFrame:
    """Give each student the weight of the study.

    Parameters
    ----------
    students : polars.DataFrame
        Students with the columns of group and weight.
    parameters : Mapping of str to object
        group, weight, senate.

    Returns
    -------
    polars.DataFrame
        The same with ``study_weight`` where a weight is named: the weight as it is, or scaled to one sum in every
        group (senate weights, sum 500).

    Raises
    ------
    DesignError
        If the weights of a group do not add up to a positive number.
    CalibrationError
        If a weight is negative.
    """
    name, group = parameters.get("weight"), parameters.get("group")
    if not name:
        return students
    weight = floats(students, name, param="students")
    if (weight < 0.0).any() or not weight.sum() > 0.0:
        rows = [row + 1 for row in range(len(weight)) if weight[row] < 0.0]
        raise CalibrationError(
            f"The weights {name!r} must not be negative, nor all zero. {len(rows)} are negative.",
            where=[f"row {row}" for row in rows],
            hint="Use the final weights of the respondents.",
            param=name,
        )
    if group and parameters.get("senate"):
        weight = senate_weights(weight, total=SENATE_TOTAL, by=strings(students, group, param="students"))
    return with_columns(students, {WEIGHT: weight})


def join_students(
    scored: pl.DataFrame,
    students: pl.DataFrame | None,
    parameters: Mapping[str, Any],
    extra: Sequence[str] = (),
) -> pl.DataFrame:
    """Put groups, weights and other columns beside the scores.

    Parameters
    ----------
    scored : polars.DataFrame
        Scored responses with student_id.
    students : polars.DataFrame or None
        One row per student.
    parameters : Mapping of str to object
        group, weight, senate.
    extra : Sequence of str, optional
        Further columns of the students.

    Returns
    -------
    polars.DataFrame
        The scores with group, ``study_weight`` and the further columns, in the order of the scores.

    Raises
    ------
    CalibrationError
        If a student with responses is not in the table of students, or a needed column has a name of an item.
    """
    needed = [*columns_of_students(parameters), *extra]
    if not needed:
        return scored
    known = study_weights(known_students(students, needed), parameters)
    weight = parameters.get("weight")
    if weight and weight not in extra:
        known = known.drop(weight)
    both = [name for name in known.columns if name != "student_id" and name in scored.columns]
    if both:
        raise CalibrationError(
            f"{len(both)} columns stand in the responses and in the table of students.",
            where=both,
            why="It would not be clear which of the two is meant.",
            hint="Rename the columns of the students, or leave them out of the responses.",
            param=both[0],
        )
    table = scored.with_columns(pl.col("student_id").cast(pl.String))
    absent = table.select("student_id").join(known, on="student_id", how="anti")
    if absent.height:
        raise CalibrationError(
            f"{absent.height} students with responses are not in the table of students.",
            where=absent.get_column("student_id").to_list(),
            why="Their group and weight are not known.",
            hint="Add their rows, or leave their responses out.",
            param="students",
        )
    return table.join(known, on="student_id", how="left", maintain_order="left")


def weight_column(table: pl.DataFrame) -> str | None:
    """Name the column of the study's weights, where there is one.

    Parameters
    ----------
    table : polars.DataFrame
        A table of `join_students`.

    Returns
    -------
    str or None
        ``"study_weight"``, or None.
    """
    return WEIGHT if WEIGHT in table.columns else None
