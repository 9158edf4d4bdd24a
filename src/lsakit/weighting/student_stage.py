"""Within-school weights, the student non-response factor and the trimming of student weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lsakit.io.frames import floats, group_codes, strings
from lsakit.weighting.cells import join_small_cells, response_factor, totals
from lsakit.weighting.participation import (
    NONRESPONDENT,
    RESPONDENT,
    SchoolOutcomes,
    StudentOutcomes,
    WithinSchool,
)
from lsakit.weighting.profiles import Rules
from lsakit.weighting.school_stage import Cell, Collapsed, SchoolStage, in_words


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentStage:
    """Hold the student stage: eligible students of schools that count, in the order of the students table.

    Parameters
    ----------
    student_id : ndarray of shape (n_students,)
        Students.
    school_row : ndarray of shape (n_students,)
        Row of the sampled school.
    line : ndarray of shape (n_students,)
        Place in the school's list: the column line_number, else the order of student_id.
    is_respondent : ndarray of shape (n_students,)
        Respondents.
    base_weight : ndarray of shape (n_students,)
        Within-school weight, listed over sampled.
    cell : ndarray of shape (n_students,)
        Number of the student cell.
    factor, trimming, final : ndarray of shape (n_students,)
        Non-response factor and trimming factor (dimensionless); final weight, students (0 for students who
        did not respond).
    cells : tuple of Cell
        The cells by number.
    collapsed : tuple of Collapsed
        Which cells were joined, and why.
    """

    student_id: NDArray[np.object_]
    school_row: NDArray[np.int64]
    line: NDArray[np.int64]
    is_respondent: NDArray[np.bool_]
    base_weight: NDArray[np.float64]
    cell: NDArray[np.int64]
    factor: NDArray[np.float64]
    trimming: NDArray[np.float64]
    final: NDArray[np.float64]
    cells: tuple[Cell, ...]
    collapsed: tuple[Collapsed, ...]


def trim_to_median(
    weights: NDArray[np.float64], groups: NDArray[np.int64], ratio: float | None
) -> NDArray[np.float64]:
    """Cap weights at a multiple of the median weight of their group.

    Parameters
    ----------
    weights : ndarray of shape (n_students,)
        Weights, students.
    groups : ndarray of shape (n_students,)
        Trimming group of each, usually the explicit stratum, from 0.
    ratio : float or None
        Cap over the median; None for no trimming.

    Returns
    -------
    ndarray of shape (n_students,)
        Factor of 1 or less (dimensionless). The median is the unweighted one, the mean of the two middle
        weights where their number is even.

    Examples
    --------
    >>> weights = np.array([10.0, 11, 12, 12, 13, 14, 15, 70])
    >>> float((weights * trim_to_median(weights, np.zeros(8, dtype=int), 4.0))[-1])
    50.0
    """
    factor = np.ones(len(weights))
    if ratio is None or not len(weights):
        return factor
    order = np.argsort(groups, kind="stable")
    borders = np.searchsorted(groups[order], np.arange(int(groups.max()) + 2))
    for low, high in zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True):
        rows = order[low:high]
        if len(rows):
            cap = ratio * float(np.median(weights[rows]))
            factor[rows] = np.minimum(1.0, cap / weights[rows])
    return factor


def adjust_students(
    students: StudentOutcomes,
    outcomes: SchoolOutcomes,
    counts: WithinSchool,
    school: SchoolStage,
    rules: Rules,
) -> StudentStage:
    """Weight the students of each school, spread the weight of the absent, trim.

    Parameters
    ----------
    students : StudentOutcomes
        The students.
    outcomes : SchoolOutcomes
        The schools.
    counts : WithinSchool
        Counts and outcome of the schools.
    school : SchoolStage
        The school stage.
    rules : Rules
        Limits of the cells, trimming.

    Returns
    -------
    StudentStage
        Weights of the eligible students.

    Raises
    ------
    DesignError
        If a cell has no respondents.
    """
    kept_school = counts.outcome == RESPONDENT
    kept = kept_school[students.school_row] & (students.outcome <= NONRESPONDENT)
    rows = np.flatnonzero(kept)
    at = students.school_row[rows]
    responded = students.outcome[rows] == RESPONDENT
    within = outcomes.enrolment_listed[at] / counts.n_sampled[at]
    before = school.base_weight[at] * school.trimming[at] * school.factor[at] * within
    split, names = _split(students, rows, rules)
    cell, labels, collapsed = _cells(before, responded, at, split, school, names, rules)
    everyone = totals(cell, before, len(labels), np.ones(len(rows), dtype=bool))
    reached = totals(cell, before, len(labels), responded)
    by_cell = response_factor(everyone, reached, labels)
    untrimmed = np.where(responded, before * by_cell[cell], 0.0)
    trimming = _trim(untrimmed, responded, school.stratum[at], rules)
    return StudentStage(
        student_id=np.asarray(students.student_id, dtype=object)[rows],
        school_row=at,
        line=_lines(students, rows),
        is_respondent=responded,
        base_weight=within,
        cell=cell,
        factor=by_cell[cell],
        trimming=trimming,
        final=untrimmed * trimming,
        cells=_describe(cell, responded, by_cell, labels, rules),
        collapsed=tuple(collapsed),
    )


def _trim(
    weights: NDArray[np.float64], responded: NDArray[np.bool_], stratum: NDArray[np.object_], rules: Rules
) -> NDArray[np.float64]:
    """Trim the respondents' weights in each explicit stratum."""
    factor = np.ones(len(weights))
    codes = np.unique(stratum.astype(np.str_), return_inverse=True)[1].astype(np.int64)
    factor[responded] = trim_to_median(weights[responded], codes[responded], rules.trimming.student_ratio)
    return factor


def _lines(students: StudentOutcomes, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place of each student in the list: line_number where the table has it, else the order of student_id."""
    if "line_number" in students.table.columns:
        return floats(students.table, "line_number", param="students table")[rows].astype(np.int64)
    ids = np.asarray(students.student_id, dtype=np.str_)[rows]
    return np.argsort(np.argsort(ids, kind="stable"), kind="stable").astype(np.int64)


def _split(
    students: StudentOutcomes, rows: NDArray[np.int64], rules: Rules
) -> tuple[NDArray[np.int64], list[str]]:
    """Number the values of the columns that split student cells, those that the table has."""
    names = [name for name in rules.student_cells.by if name in students.table.columns]
    texts = [strings(students.table[rows.tolist()], name, param="students table") for name in names]
    if not texts:
        return np.zeros(len(rows), dtype=np.int64), [""]
    codes, keys = group_codes(students.table[rows.tolist()], names, param="students table")
    labels = [" ".join(str(value) for value in key) for key in keys.rows()]
    return codes, labels


def _cells(
    before: NDArray[np.float64],
    responded: NDArray[np.bool_],
    at: NDArray[np.int64],
    split: NDArray[np.int64],
    school: SchoolStage,
    names: list[str],
    rules: Rules,
) -> tuple[NDArray[np.int64], list[str], list[Collapsed]]:
    """Form student cells: first merge school cells inside a stratum, then the split inside each."""
    limits = rules.student_cells
    shape = len(school.cells), len(names)
    fine = school.cell[at] * shape[1] + split
    everybody = np.ones(len(at), dtype=bool)
    count = totals(fine, np.ones(len(at)), shape[0] * shape[1], responded).reshape(shape)
    total = totals(fine, before, shape[0] * shape[1], everybody).reshape(shape)
    reached = totals(fine, before, shape[0] * shape[1], responded).reshape(shape)
    number = np.full(shape, -1, dtype=np.int64)
    labels: list[str] = []
    collapsed: list[Collapsed] = []
    for stratum, group in _school_groups(school, (count, total, reached), rules, collapsed):
        present = np.flatnonzero(total[group].sum(axis=0) > 0)
        sums = [array[group].sum(axis=0)[present].tolist() for array in (count, total, reached)]
        merged, log = join_small_cells(
            *sums, minimum=limits.minimum_respondents, maximum_factor=limits.maximum_factor
        )
        for row in group:
            number[row, present] = len(labels) + np.asarray(merged)
        where = " | ".join(school.cells[one].label for one in group)
        collapsed += in_words(
            "student", stratum, [f"{where} ({names[one]})" for one in present.tolist()], log
        )
        for part in range(max(merged) + 1):
            members = [names[one] for one, to in zip(present.tolist(), merged, strict=True) if to == part]
            labels.append(f"{where} ({' + '.join(members)})" if any(members) else where)
    return number.ravel()[fine], labels, collapsed


def _school_groups(
    school: SchoolStage,
    sums: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    rules: Rules,
    collapsed: list[Collapsed],
) -> list[tuple[str, list[int]]]:
    """Merge the school cells of each stratum whose students are too few even together; log what was."""
    stratum_of = {
        int(cell): label for cell, label in zip(school.cell, school.stratum, strict=True) if cell >= 0
    }
    cells_of: dict[str, list[int]] = {}
    for cell, label in sorted(stratum_of.items()):
        if sums[1][cell].sum() > 0:
            cells_of.setdefault(label, []).append(cell)
    groups: list[tuple[str, list[int]]] = []
    for stratum, cells in sorted(cells_of.items()):
        merged, log = join_small_cells(
            *(array[cells].sum(axis=1).tolist() for array in sums),
            minimum=rules.student_cells.minimum_respondents,
            maximum_factor=rules.student_cells.maximum_factor,
        )
        collapsed += in_words("student", stratum, [school.cells[cell].label for cell in cells], log)
        for number in range(max(merged) + 1):
            groups.append((stratum, [cell for cell, to in zip(cells, merged, strict=True) if to == number]))
    return groups


def _describe(
    cell: NDArray[np.int64],
    responded: NDArray[np.bool_],
    factor: NDArray[np.float64],
    labels: list[str],
    rules: Rules,
) -> tuple[Cell, ...]:
    """Write the student cells with their counts."""
    everyone = np.bincount(cell, minlength=len(labels)).tolist()
    reached = np.bincount(cell[responded], minlength=len(labels)).tolist()
    limits = rules.student_cells
    return tuple(
        Cell(
            label=label,
            n_eligible=total,
            n_responding=n,
            factor=value,
            is_within_limits=n >= limits.minimum_respondents and value <= limits.maximum_factor,
        )
        for label, total, n, value in zip(labels, everyone, reached, factor.tolist(), strict=True)
    )
