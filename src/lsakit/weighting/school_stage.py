"""School base weights, school trimming and the school non-response factor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import DesignError
from lsakit.weighting.cells import Joined, join_small_cells, response_factor, totals
from lsakit.weighting.participation import NONRESPONDENT, RESPONDENT, SchoolOutcomes, WithinSchool
from lsakit.weighting.profiles import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Hold one non-response cell: its name, its counts, its factor, whether it keeps the limits."""

    label: str
    n_eligible: int
    n_responding: int
    factor: float
    is_within_limits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Collapsed:
    """Hold one row of the log of joined cells, in words."""

    stage: str
    stratum: str
    cell: str
    joined_with: str
    n_responding: int
    factor: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolStage:
    """Hold the school stage, row by row of the schools table.

    Parameters
    ----------
    stratum : ndarray of shape (n_schools,)
        Explicit stratum.
    base_weight : ndarray of shape (n_schools,)
        School base weight, schools.
    trimming : ndarray of shape (n_schools,)
        School trimming factor (dimensionless).
    size : ndarray of shape (n_schools,)
        Students that the school stands for in the non-response cells.
    cell : ndarray of shape (n_schools,)
        Number of the cell; −1 for ineligible and excluded schools.
    factor : ndarray of shape (n_schools,)
        Non-response factor of participants; 1 elsewhere.
    cells : tuple of Cell
        The cells by number.
    order : ndarray of shape (n_schools,)
        Place in frame order.
    collapsed : tuple of Collapsed
        Which cells were joined, and why.
    """

    stratum: NDArray[np.object_]
    base_weight: NDArray[np.float64]
    trimming: NDArray[np.float64]
    size: NDArray[np.float64]
    cell: NDArray[np.int64]
    factor: NDArray[np.float64]
    cells: tuple[Cell, ...]
    order: NDArray[np.int64]
    collapsed: tuple[Collapsed, ...]


def trim_large_schools(
    n_listed: NDArray[np.float64], measure_of_size: NDArray[np.float64], ratio: float | None
) -> NDArray[np.float64]:
    """Reduce the weight of schools that turned out much larger than the frame said.

    Parameters
    ----------
    n_listed : ndarray of shape (n_schools,)
        Students found at the school; NaN where it did not take part.
    measure_of_size : ndarray of shape (n_schools,)
        Measure of size of the draw: the frame's enrolment, at least the target cluster size; NaN where
        unknown.
    ratio : float or None
        Largest ratio of found to measured size; None for no trimming.

    Returns
    -------
    ndarray of shape (n_schools,)
        ``ratio * measure / found`` where found exceeds ``ratio * measure``, else 1 (dimensionless).

    References
    ----------
    .. [1] OECD (2020), PISA 2018 Technical Report, chapter 8.

    Examples
    --------
    >>> trim_large_schools(np.array([130.0]), np.array([35.0]), 3.0).round(7).tolist()
    [0.8076923]
    """
    factor = np.ones(len(n_listed))
    if ratio is not None:
        large = np.nan_to_num(n_listed) > ratio * np.where(np.isnan(measure_of_size), np.inf, measure_of_size)
        factor[large] = ratio * measure_of_size[large] / n_listed[large]
    return factor


def adjust_schools(
    sample: dict[str, NDArray[Any]], outcomes: SchoolOutcomes, counts: WithinSchool, rules: Rules
) -> SchoolStage:
    """Trim large schools and spread the weight of non-responding schools in cells.

    Parameters
    ----------
    sample : dict of str to ndarray of shape (n_schools,)
        Columns of the draw in the row order of ``outcomes``.
    outcomes : SchoolOutcomes
        The schools.
    counts : WithinSchool
        Their students and outcome.
    rules : Rules
        Limits of the cells, trimming.

    Returns
    -------
    SchoolStage
        Weights, cells and factors.

    Raises
    ------
    DesignError
        If a cell has no respondents, or no school took part at all.
    """
    took_part = counts.outcome == RESPONDENT
    eligible = took_part | (counts.outcome == NONRESPONDENT)
    if not took_part.any():
        raise DesignError("No school took part, so there is nobody to weight.", param="schools")
    listed = np.where(took_part, outcomes.enrolment_listed, np.nan)
    trimming = trim_large_schools(listed, sample["measure_of_size"], rules.trimming.school_ratio)
    use_listed = rules.school_cells.size == "listed"
    size = np.where(took_part & use_listed, outcomes.enrolment_listed, outcomes.enrolment)
    weighted = sample["base_weight"] * trimming * size
    cell, labels, collapsed = _cells(sample, weighted, eligible, took_part, rules)
    everyone = totals(cell, weighted, len(labels), eligible)
    responded = totals(cell, weighted, len(labels), took_part)
    factor = response_factor(everyone, responded, labels)
    cells = _describe(cell, eligible, took_part, factor, labels, rules)
    return SchoolStage(
        stratum=sample["stratum"],
        base_weight=sample["base_weight"],
        trimming=trimming,
        size=size,
        cell=cell,
        factor=np.where(took_part, factor[np.maximum(cell, 0)], 1.0),
        cells=cells,
        order=sample["selection_order"],
        collapsed=tuple(collapsed),
    )


def in_words(stage: str, stratum: str, names: Sequence[str], log: Sequence[Joined]) -> list[Collapsed]:
    """Write the log of joined cells with the names of the cells.

    Parameters
    ----------
    stage : str
        "school" or "student".
    stratum : str
        Explicit stratum.
    names : Sequence of str of shape (n_cells,)
        The cells.
    log : Sequence of Joined
        What was joined.

    Returns
    -------
    list of Collapsed
        One row per joining.
    """
    return [
        Collapsed(
            stage=stage,
            stratum=stratum,
            cell=" + ".join(names[cell] or "(all)" for cell in one.cells),
            joined_with=" + ".join(names[cell] or "(all)" for cell in one.into),
            n_responding=int(one.n_responding),
            factor=one.factor,
            reason=one.reason,
        )
        for one in log
    ]


def _cells(
    sample: dict[str, NDArray[Any]],
    weighted: NDArray[np.float64],
    eligible: NDArray[np.bool_],
    took_part: NDArray[np.bool_],
    rules: Rules,
) -> tuple[NDArray[np.int64], list[str], list[Collapsed]]:
    """Form cells of stratum by first implicit column, merged inside the stratum where too small."""
    cell = np.full(len(weighted), -1, dtype=np.int64)
    labels: list[str] = []
    collapsed: list[Collapsed] = []
    for stratum in sorted(set(sample["stratum"][eligible].tolist())):
        rows = np.flatnonzero(eligible & (sample["stratum"] == stratum))
        values, fine = np.unique(sample["implicit_stratum"][rows].astype(np.str_), return_inverse=True)
        reached = took_part[rows]
        merged, log = join_small_cells(
            np.bincount(fine[reached], minlength=len(values)).tolist(),
            np.bincount(fine, weighted[rows], minlength=len(values)).tolist(),
            np.bincount(fine[reached], weighted[rows][reached], minlength=len(values)).tolist(),
            minimum=rules.school_cells.minimum_schools,
            maximum_factor=rules.school_cells.maximum_factor,
        )
        collapsed += in_words("school", str(stratum), values.tolist(), log)
        cell[rows] = len(labels) + np.asarray(merged)[fine]
        for group in range(max(merged) + 1):
            members = [
                value for value, one in zip(values.tolist(), merged, strict=True) if one == group and value
            ]
            labels.append(f"{stratum}: {' + '.join(members)}" if members else str(stratum))
    return cell, labels, collapsed


def _describe(
    cell: NDArray[np.int64],
    eligible: NDArray[np.bool_],
    took_part: NDArray[np.bool_],
    factor: NDArray[np.float64],
    labels: list[str],
    rules: Rules,
) -> tuple[Cell, ...]:
    """Write the cells with their counts."""
    everyone = np.bincount(cell[eligible], minlength=len(labels)).tolist()
    reached = np.bincount(cell[took_part], minlength=len(labels)).tolist()
    limits = rules.school_cells
    return tuple(
        Cell(
            label=label,
            n_eligible=total,
            n_responding=n,
            factor=value,
            is_within_limits=n >= limits.minimum_schools and value <= limits.maximum_factor,
        )
        for label, total, n, value in zip(labels, everyone, reached, factor.tolist(), strict=True)
    )
