"""Weights of programmes that draw intact classes: schools, classes and students adjusted one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import DesignError
from lsakit.io.frames import Table, make_table
from lsakit.weighting.classes import ClassChain, ClassOutcomes, chain_of_classes
from lsakit.weighting.participation import (
    NONRESPONDENT,
    RESPONDENT,
    SchoolOutcomes,
    StudentOutcomes,
    WithinSchool,
)
from lsakit.weighting.school_stage import Cell, SchoolStage


def weigh_classes(
    sample: dict[str, NDArray[Any]],
    outcomes: SchoolOutcomes,
    students: StudentOutcomes,
    counts: WithinSchool,
    classes: ClassOutcomes,
) -> tuple[SchoolStage, Table, Table, Table]:
    """Build the chain of weights for intact classes.

    Parameters
    ----------
    sample : dict of str to ndarray of shape (n_schools,)
        Columns of the draw in the row order of ``outcomes``.
    outcomes : SchoolOutcomes
        The schools, with n_classes.
    students : StudentOutcomes
        The students, with class_id.
    counts : WithinSchool
        Outcomes of the schools by the rule of classes.
    classes : ClassOutcomes
        The classes.

    Returns
    -------
    stage : SchoolStage
        The school stage; cells are explicit strata.
    table, eligible, cells : polars.DataFrame
        Respondents with every factor; eligible students of the classes that count; cells of the stages
        "school", "class" (explicit strata) and "student" (classes).

    Raises
    ------
    DesignError
        If no school took part, or a stratum has eligible schools and none that took part.

    Notes
    -----
    ``final = A_st * BW_st * A_cl * BW_cl * A_sc * BW_sc``.

    References
    ----------
    .. [1] Martin, von Davier and Mullis (2020), Methods and Procedures: TIMSS 2019, chapter 3.
    .. [2] ``docs/algorithms/weights.md``, section 7.
    """
    if not (counts.outcome == RESPONDENT).any():
        raise DesignError("No school took part, so there is nobody to weight.", param="schools")
    chain = chain_of_classes(sample["stratum"].tolist(), outcomes, students, counts, classes)
    stage = _school_stage(sample, counts, chain)
    kept = classes.counts[classes.class_of_student] & (students.outcome <= NONRESPONDENT)
    rows = np.flatnonzero(kept)
    eligible = _eligible(rows, outcomes, students, classes, chain)
    table = _respondents(rows, sample, outcomes, students, classes, chain)
    return stage, table, eligible, _cells(stage, classes, chain, counts)


def _school_stage(sample: dict[str, NDArray[Any]], counts: WithinSchool, chain: ClassChain) -> SchoolStage:
    """Write the school stage with explicit strata as cells."""
    took_part = counts.outcome == RESPONDENT
    eligible = took_part | (counts.outcome == NONRESPONDENT)
    number = len(chain.strata)
    totals = np.bincount(chain.stratum_code[eligible], minlength=number).tolist()
    reached = np.bincount(chain.stratum_code[took_part], minlength=number).tolist()
    return SchoolStage(
        stratum=sample["stratum"],
        base_weight=sample["base_weight"],
        trimming=np.ones(len(took_part)),
        size=np.ones(len(took_part)),
        cell=np.where(eligible, chain.stratum_code, -1),
        factor=np.where(took_part, chain.school_factor[chain.stratum_code], 1.0),
        cells=tuple(
            Cell(label=label, n_eligible=total, n_responding=n, factor=factor, is_within_limits=True)
            for label, total, n, factor in zip(
                chain.strata, totals, reached, chain.school_factor.tolist(), strict=True
            )
        ),
        order=sample["selection_order"],
        collapsed=(),
    )


def _eligible(
    rows: NDArray[np.int64],
    outcomes: SchoolOutcomes,
    students: StudentOutcomes,
    classes: ClassOutcomes,
    chain: ClassChain,
) -> Table:
    """Write the eligible students of the classes that count."""
    of = classes.class_of_student[rows]
    at = students.school_row[rows]
    ids = np.asarray(students.student_id, dtype=object)[rows]
    line = np.argsort(np.argsort(ids.astype(np.str_), kind="stable"), kind="stable")
    return make_table(
        {
            "student_id": ids,
            "sampled_school_id": np.asarray(outcomes.school_id, dtype=object)[at],
            "stratum": np.asarray(chain.strata, dtype=object)[chain.stratum_code[at]],
            "class_id": np.asarray(classes.class_id, dtype=object)[of],
            "line": line.astype(np.int64),
            "is_respondent": students.outcome[rows] == RESPONDENT,
            "class_base_weight": chain.class_weight[of],
            "class_cell": chain.stratum_code[at],
            "student_base_weight": chain.student_weight[of],
            "cell": of,
            "nonresponse_factor": chain.student_factor[of],
            "trimming_factor": np.ones(len(rows)),
        }
    )


def _respondents(
    rows: NDArray[np.int64],
    sample: dict[str, NDArray[Any]],
    outcomes: SchoolOutcomes,
    students: StudentOutcomes,
    classes: ClassOutcomes,
    chain: ClassChain,
) -> Table:
    """Write the respondents with every factor."""
    rows = rows[students.outcome[rows] == RESPONDENT]
    of, at = classes.class_of_student[rows], students.school_row[rows]
    stratum = chain.stratum_code[at]
    school, within = sample["base_weight"][at], chain.class_weight[of] * chain.student_weight[of]
    factor = chain.school_factor[stratum] * chain.class_factor[stratum] * chain.student_factor[of]
    ones = np.ones(len(rows))
    return make_table(
        {
            "student_id": np.asarray(students.student_id, dtype=object)[rows],
            "school_id": np.asarray(outcomes.participant_id, dtype=object)[at],
            "sampled_school_id": np.asarray(outcomes.school_id, dtype=object)[at],
            "stratum": sample["stratum"][at],
            "class_id": np.asarray(classes.class_id, dtype=object)[of],
            "base_weight": school * within,
            "school_base_weight": school,
            "school_trimming_factor": ones,
            "school_nonresponse_factor": chain.school_factor[stratum],
            "class_base_weight": chain.class_weight[of],
            "class_nonresponse_factor": chain.class_factor[stratum],
            "student_base_weight": chain.student_weight[of],
            "student_nonresponse_factor": chain.student_factor[of],
            "nonresponse_factor": factor,
            "student_trimming_factor": ones,
            "final_weight": school * within * factor,
        }
    )


def _cells(stage: SchoolStage, classes: ClassOutcomes, chain: ClassChain, counts: WithinSchool) -> Table:
    """Write the cells of the three stages."""
    inside = (counts.outcome[classes.school_row] == RESPONDENT) & classes.is_eligible
    by_stratum = chain.stratum_code[classes.school_row]
    number = len(chain.strata)
    sampled = np.bincount(by_stratum[inside], minlength=number)
    counting = np.bincount(by_stratum[inside & classes.counts], minlength=number)
    parts: list[tuple[str, list[str], list[int], list[int], list[float]]] = [
        (
            "school",
            chain.strata,
            [cell.n_eligible for cell in stage.cells],
            [cell.n_responding for cell in stage.cells],
            chain.school_factor.tolist(),
        ),
        ("class", chain.strata, sampled.tolist(), counting.tolist(), chain.class_factor.tolist()),
        (
            "student",
            classes.class_id,
            classes.n_eligible.tolist(),
            classes.n_respondents.tolist(),
            chain.student_factor.tolist(),
        ),
    ]
    return make_table(
        {
            "stage": [stage_name for stage_name, labels, *_ in parts for _ in labels],
            "cell": [number for _, labels, *_ in parts for number in range(len(labels))],
            "label": [label for _, labels, *_ in parts for label in labels],
            "n_eligible": [n for _, _, eligible, *_ in parts for n in eligible],
            "n_responding": [n for *_, responding, _ in parts for n in responding],
            "factor": [factor for *_, factors in parts for factor in factors],
            "is_within_limits": [True for _, labels, *_ in parts for _ in labels],
        }
    )
