"""Sampling outcomes and participation of the nation and of each province."""

from __future__ import annotations

from typing import Any

import polars as pl

from lsakit.errors import LsakitError
from lsakit.weighting.profiles import read_rules
from lsakit.weighting.response_rates import response_rates

COLUMNS = (
    "population", "by", "group", "schools_drawn", "schools_taking_part", "schools_replaced", "students_selected",
    "students_excluded", "students_left", "students_absent", "students_taking_part", "school_rate_before",
    "school_rate_after", "student_rate",
)  # fmt: skip


def participation_table(
    frame: pl.DataFrame,
    drawn: pl.DataFrame,
    schools: pl.DataFrame,
    students: pl.DataFrame,
    *,
    population: str,
    rules: str,
) -> pl.DataFrame:
    """Count who was drawn and who took part, with weighted response rates.

    Parameters
    ----------
    frame : polars.DataFrame
        Frame: school_id, province_code.
    drawn : polars.DataFrame
        School sample: school_id, stratum, base_weight.
    schools : polars.DataFrame
        Participation of the drawn schools: school_id, participant_id, status.
    students : polars.DataFrame
        Participation of the selected students: school_id, student_id, status.
    population : str
        Population.
    rules : str
        Rules of response rates.

    Returns
    -------
    polars.DataFrame
        A row of the nation and of each province: counts of schools and students, and rates (0 to 1, weighted; null
        where the rules give none).
    """
    province = frame.select("school_id", "province_code")
    base = drawn.select("school_id", "stratum", "base_weight")
    facts, listed = schools, students.join(province, on="school_id", how="left", maintain_order="left")
    for part in (base, province):
        facts = facts.join(part, on="school_id", how="left", maintain_order="left")
    rows = [_row(facts, students, "nation", "all", rules)]
    for code in facts.get_column("province_code").unique().sort().to_list():
        own = listed.filter(pl.col("province_code") == code).select(students.columns)
        rows.append(
            _row(facts.filter(pl.col("province_code") == code), own, "province_code", str(code), rules)
        )
    return (
        pl.DataFrame(rows, infer_schema_length=None)
        .with_columns(population=pl.lit(population))
        .select(COLUMNS)
    )


def _row(facts: pl.DataFrame, students: pl.DataFrame, by: str, group: str, rules: str) -> dict[str, Any]:
    """Count one place."""
    codes = read_rules(rules).student_status
    status = students.get_column("status").cast(pl.Int64)
    took_part = facts.get_column("participant_id").is_not_null()
    replaced = took_part & (facts.get_column("participant_id") != facts.get_column("school_id"))
    counts = {
        "students_excluded": codes.excluded,
        "students_left": codes.ineligible,
        "students_absent": codes.nonrespondent,
        "students_taking_part": codes.respondent,
    }
    columns = [
        "school_id",
        "participant_id",
        "status",
        "enrolment",
        "enrolment_listed",
        "stratum",
        "base_weight",
    ]
    return {
        "by": by,
        "group": group,
        "schools_drawn": facts.height,
        "schools_taking_part": int(took_part.sum()),
        "schools_replaced": int(replaced.fill_null(False).sum()),
        "students_selected": students.height,
        **{name: int(status.is_in(list(known)).sum()) for name, known in counts.items()},
        **_rates(facts.select([name for name in columns if name in facts.columns]), students, rules),
    }


def _rates(facts: pl.DataFrame, students: pl.DataFrame, rules: str) -> dict[str, float | None]:
    """Weighted rates; null where there is nothing to divide by."""
    try:
        rates = response_rates(facts, students, rules=rules)
    except (LsakitError, ZeroDivisionError):
        return dict.fromkeys(("school_rate_before", "school_rate_after", "student_rate"))
    return {
        "school_rate_before": rates.school_before.weighted,
        "school_rate_after": rates.school_after.weighted,
        "student_rate": None if rates.student is None else rates.student.weighted,
    }
