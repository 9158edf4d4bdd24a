"""The weight of every respondent: base weights, non-response factors, trimming."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.design.drawn import DrawnSchools
from lsakit.errors import DesignError, TableError
from lsakit.io.frames import Table, as_table, floats, make_table, refuse_duplicates, require_columns, strings
from lsakit.weighting.class_weights import weigh_classes
from lsakit.weighting.classes import count_by_class, read_classes
from lsakit.weighting.participation import (
    OUTCOMES,
    RESPONDENT,
    SchoolOutcomes,
    WithinSchool,
    count_within,
    read_schools,
    read_students,
    with_listed,
)
from lsakit.weighting.profiles import Rules, read_rules
from lsakit.weighting.school_stage import Collapsed, SchoolStage, adjust_schools
from lsakit.weighting.student_stage import StudentStage, adjust_students
from lsakit.weighting.weighted import FinalWeights

# A weight and its probability come from one division: they agree to rounding, and a file keeps 9 digits or more.
SUM_TOLERANCE = 1e-8


def final_weights(
    drawn: DrawnSchools | Any, schools: Any, students: Any, *, rules: str | Rules | dict[str, Any] = "pisa"
) -> FinalWeights:
    """Build the final weight of every respondent, step by step.

    Parameters
    ----------
    drawn : DrawnSchools or table
        The school sample, or its table: school_id, stratum, base_weight; and, where there are such,
        probability, is_certainty, selection_order (else the order of the rows), measure_of_size,
        implicit_stratum, replacement_1, replacement_2.
    schools : table
        One row per sampled school: school_id, participant_id (itself, a replacement, or null; without the
        column nobody was replaced), status, enrolment (frame), enrolment_listed (students on the list of
        the school that took part; without the column it follows from ``probability`` of the students, as
        the student draw gave it); n_classes (or n_pseudo_classes) in place of it where the rules draw
        classes.
    students : table
        One row per sampled student of the schools that took part: school_id, student_id, status, and the
        columns that split the student cells (gender, grade_group) where known; class_id (or
        pseudo_class, if classes were joined for the draw) where the rules draw classes.
    rules : str or Rules or Mapping, default "pisa"
        Codes and thresholds.

    Returns
    -------
    FinalWeights
        Weights of the respondents with every factor; ``.explain(student_id)`` in words.

    Raises
    ------
    DesignError
        If the tables contradict each other, a cell has no respondents, or a weight is not positive.
    TableError
        If a column is absent or holds what it may not hold.

    Notes
    -----
    ``final = t2 * f2 * w2 * f1 * t1 * w1``: school base weight ``w1`` (a replacement takes its original's),
    school trim ``t1``, school non-response ``f1`` in cells of explicit stratum by first implicit column,
    within school ``w2 = listed / sampled``, student non-response ``f2`` in school cells by gender, student
    trim ``t2``. Excluded and ineligible students leave; the sum of final weights before trimming equals the
    sum of base weights over all eligible students.

    References
    ----------
    .. [1] OECD (2020), PISA 2018 Technical Report, chapter 8.
    .. [2] ``docs/algorithms/weights.md``.
    """
    ruled = read_rules(rules)
    outcomes = read_schools(schools, ruled)
    sample = _in_frame_order(drawn, outcomes)
    sampled_students = read_students(students, outcomes, ruled)
    outcomes = with_listed(outcomes, sampled_students, ruled)
    counts = count_within(outcomes, sampled_students, ruled)
    if ruled.structure.units == "classes":
        classes = read_classes(sampled_students, ruled)
        counts = count_by_class(counts, classes)
        stage, table, eligible, cells = weigh_classes(sample, outcomes, sampled_students, counts, classes)
        return FinalWeights(
            table=table,
            schools=_school_table(sample, outcomes, counts, stage),
            students=eligible,
            cells=cells,
            rules=ruled,
            collapsed=_collapsed_table(()),
        )
    _refuse_sizes(outcomes, counts)
    school_stage = adjust_schools(sample, outcomes, counts, ruled)
    student_stage = adjust_students(sampled_students, outcomes, counts, school_stage, ruled)
    return FinalWeights(
        table=_respondents(student_stage, school_stage, outcomes),
        schools=_school_table(sample, outcomes, counts, school_stage),
        students=_student_table(student_stage, outcomes, school_stage),
        cells=_cell_table(school_stage, student_stage),
        rules=ruled,
        collapsed=_collapsed_table((*school_stage.collapsed, *student_stage.collapsed)),
    )


def _in_frame_order(drawn: DrawnSchools | Any, outcomes: SchoolOutcomes) -> dict[str, NDArray[Any]]:
    """Take the sample's columns in the row order of the schools table, refusing what does not match."""
    table = drawn.table if isinstance(drawn, DrawnSchools) else as_table(drawn, param="drawn")
    refuse_duplicates(table, "school_id", param="drawn")
    ids = strings(table, "school_id", param="drawn")
    if isinstance(drawn, DrawnSchools):
        _refuse_vanished(ids, strings(drawn.frame, "school_id", param="frame of the draw"))
    absent = sorted(set(ids) - set(outcomes.school_id))
    strange = sorted(set(outcomes.school_id) - set(ids))
    if absent or strange:
        words = "are not in the schools table" if absent else "of the schools table were not sampled"
        raise DesignError(
            f"{len(absent or strange)} {'sampled schools' if absent else 'schools'} {words}.",
            where=absent or strange,
            why="Every sampled school has an outcome, one that closed or refused as well.",
            hint="Give each sampled school one row with its status code, under its own school_id.",
            param="schools",
        )
    place = {school: row for row, school in enumerate(ids)}
    rows = np.asarray([place[school] for school in outcomes.school_id])
    sample = {name: column[rows] for name, column in _sample_columns(table).items()}
    _refuse_weights(sample["base_weight"], outcomes.school_id)
    _refuse_foreign_replacements(table, rows, outcomes)
    return sample


def _sample_columns(table: Table) -> dict[str, NDArray[Any]]:
    """Take the columns of the sample that weighting needs."""
    require_columns(table, ["school_id", "stratum", "base_weight"], param="drawn")
    in_order = "selection_order" in table.columns
    order = floats(table, "selection_order", param="drawn") if in_order else np.arange(table.height)
    columns: dict[str, NDArray[Any]] = {
        "stratum": np.asarray(strings(table, "stratum", param="drawn"), dtype=object),
        "base_weight": floats(table, "base_weight", param="drawn"),
        "selection_order": order.astype(np.int64),
    }
    _refuse_probabilities(table, columns["base_weight"])
    for name, default in (("is_certainty", 0.0), ("measure_of_size", np.nan)):
        found = name in table.columns
        columns[name] = floats(table, name, param="drawn") if found else np.full(table.height, default)
    if "implicit_stratum" in table.columns:
        implicit = strings(table, "implicit_stratum", param="drawn", nulls=True)
    else:
        implicit = [""] * table.height
    columns["implicit_stratum"] = np.asarray(implicit, dtype=object)
    return columns


def _refuse_weights(weight: NDArray[np.float64], ids: list[str]) -> None:
    """Refuse base weights that are not positive."""
    bad = np.flatnonzero(weight <= 0)
    if len(bad):
        raise TableError(
            f"The column 'base_weight' of drawn must be positive. Got {weight[bad[0]]:g} "
            f"in {len(bad)} of {len(weight)} schools.",
            where=[ids[row] for row in bad.tolist()],
            why="A base weight is the inverse of a probability.",
            hint="Take the table that draw_schools gave.",
            param="base_weight",
            got=float(weight[bad[0]]),
        )


def _refuse_vanished(ids: list[str], frame: list[str]) -> None:
    """Refuse a sample with schools that the frame of the draw does not hold."""
    gone = sorted(set(ids) - set(frame))
    if gone:
        raise DesignError(
            f"{len(gone)} sampled schools are not in the frame of the draw.",
            where=gone,
            why="A school outside the frame has no probability, so its weight means nothing.",
            hint="Take sample and frame from one draw; a school that closed stays in the frame with its status.",
            param="drawn",
        )


def _refuse_probabilities(table: Table, weight: NDArray[np.float64]) -> None:
    """Refuse base weights that are not the inverse of the probabilities beside them."""
    if "probability" not in table.columns:
        return
    chance = floats(table, "probability", param="drawn")
    bad = np.flatnonzero((weight > 0) & (np.abs(weight * chance - 1.0) > SUM_TOLERANCE))
    if len(bad):
        row = int(bad[0])
        ids = strings(table, "school_id", param="drawn")
        raise DesignError(
            f"The columns 'base_weight' and 'probability' of drawn contradict each other. Got weight "
            f"{weight[row]:g} and probability {chance[row]:g} in {len(bad)} of {len(weight)} schools.",
            where=[ids[one] for one in bad.tolist()],
            why="Weights that are not inverse probabilities do not add up to the population.",
            hint="Take both columns from the table that draw_schools gave.",
            param="base_weight",
            got=float(weight[row]),
        )


def _refuse_foreign_replacements(table: Table, rows: NDArray[np.int64], outcomes: SchoolOutcomes) -> None:
    """Refuse a school that took part without being the sampled school or one of its replacements."""
    names = [name for name in ("replacement_1", "replacement_2") if name in table.columns]
    if not names:
        return
    stand_by = [
        np.asarray(strings(table, name, param="drawn", nulls=True), dtype=object)[rows] for name in names
    ]
    who = np.asarray(outcomes.participant_id, dtype=object)
    allowed = (who == "") | (who == np.asarray(outcomes.school_id, dtype=object))
    for column in stand_by:
        allowed = allowed | (who == column)
    foreign = np.flatnonzero(~allowed)
    if len(foreign):
        raise DesignError(
            f"{len(foreign)} schools took part that are not the sampled school's replacements.",
            where=[f"{who[row]} for {outcomes.school_id[row]}" for row in foreign.tolist()],
            why="Only the replacements named with the draw keep the sample's probabilities.",
            hint="Correct participant_id.",
            param="participant_id",
        )


def _refuse_sizes(outcomes: SchoolOutcomes, counts: WithinSchool) -> None:
    """Refuse schools that took part without a list, or with fewer listed than drawn."""
    kept = counts.outcome == RESPONDENT
    bad = np.flatnonzero(kept & ~(outcomes.enrolment_listed >= counts.n_sampled))
    if len(bad):
        row = int(bad[0])
        raise DesignError(
            f"The column 'enrolment_listed' must hold at least the students drawn. Got "
            f"{outcomes.enrolment_listed[row]:g} listed and {counts.n_sampled[row]} drawn in school "
            f"{outcomes.participant_id[row]}; {len(bad)} schools are such.",
            where=[outcomes.participant_id[one] for one in bad.tolist()],
            why="The within-school weight is listed over drawn.",
            hint="Count the students on the list from which they were drawn.",
            param="enrolment_listed",
        )


def _respondents(student: StudentStage, school: SchoolStage, outcomes: SchoolOutcomes) -> Table:
    """Write the weights of the respondents, in the row order of the students table."""
    kept = student.is_respondent
    row = student.school_row[kept]
    factor = student.factor[kept] * school.factor[row]
    within = student.base_weight[kept]
    return make_table(
        {
            "student_id": student.student_id[kept],
            "school_id": np.asarray(outcomes.participant_id, dtype=object)[row],
            "sampled_school_id": np.asarray(outcomes.school_id, dtype=object)[row],
            "stratum": school.stratum[row],
            "base_weight": school.base_weight[row] * within,
            "school_base_weight": school.base_weight[row],
            "school_trimming_factor": school.trimming[row],
            "school_nonresponse_factor": school.factor[row],
            "student_base_weight": within,
            "student_nonresponse_factor": student.factor[kept],
            "nonresponse_factor": factor,
            "student_trimming_factor": student.trimming[kept],
            "final_weight": student.final[kept],
        }
    )


def _school_table(
    sample: dict[str, NDArray[Any]], outcomes: SchoolOutcomes, counts: WithinSchool, stage: SchoolStage
) -> Table:
    """Write every sampled school with its outcome, cell and factors, in frame order."""
    order = np.argsort(sample["selection_order"], kind="stable")
    who = np.asarray([one or None for one in outcomes.participant_id], dtype=object)
    kept = counts.outcome == RESPONDENT
    return make_table(
        {
            "school_id": np.asarray(outcomes.school_id, dtype=object)[order],
            "participant_id": who[order].tolist(),
            "stratum": stage.stratum[order],
            "selection_order": sample["selection_order"][order],
            "is_certainty": sample["is_certainty"][order] > 0,
            "outcome": np.asarray(OUTCOMES, dtype=object)[counts.outcome[order]],
            "base_weight": stage.base_weight[order],
            "trimming_factor": stage.trimming[order],
            "size": stage.size[order],
            "cell": stage.cell[order],
            "nonresponse_factor": np.where(kept, stage.factor, 0.0)[order],
            "n_listed": np.nan_to_num(outcomes.enrolment_listed, nan=0.0)[order].astype(np.int64),
            "n_sampled": counts.n_sampled[order],
            "n_eligible": counts.n_eligible[order],
            "n_respondents": counts.n_respondents[order],
        }
    )


def _student_table(student: StudentStage, outcomes: SchoolOutcomes, school: SchoolStage) -> Table:
    """Write every eligible student of the schools that count, respondents and others, for the replicates."""
    return make_table(
        {
            "student_id": student.student_id,
            "sampled_school_id": np.asarray(outcomes.school_id, dtype=object)[student.school_row],
            "stratum": school.stratum[student.school_row],
            "line": student.line,
            "is_respondent": student.is_respondent,
            "student_base_weight": student.base_weight,
            "cell": student.cell,
            "nonresponse_factor": student.factor,
            "trimming_factor": student.trimming,
        }
    )


def _cell_table(school: SchoolStage, student: StudentStage) -> Table:
    """Write the non-response cells of both stages."""
    both = (("school", school.cells), ("student", student.cells))
    rows = [(stage, number, cell) for stage, cells in both for number, cell in enumerate(cells)]
    return make_table(
        {
            "stage": [stage for stage, _, _ in rows],
            "cell": [number for _, number, _ in rows],
            "label": [cell.label for _, _, cell in rows],
            "n_eligible": [cell.n_eligible for _, _, cell in rows],
            "n_responding": [cell.n_responding for _, _, cell in rows],
            "factor": [cell.factor for _, _, cell in rows],
            "is_within_limits": [cell.is_within_limits for _, _, cell in rows],
        }
    )


def _collapsed_table(collapsed: tuple[Collapsed, ...]) -> Table:
    """Write the log of joined cells."""
    names = ("stage", "stratum", "cell", "joined_with", "n_responding", "factor", "reason")
    return make_table({name: [getattr(one, name) for one in collapsed] for name in names})
