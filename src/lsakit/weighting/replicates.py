"""Replicate weights: every weighting step repeated under each replicate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from lsakit.errors import DesignError
from lsakit.io.frames import Table, floats, make_table, strings
from lsakit.weighting.cells import response_factor
from lsakit.weighting.replicate_factors import fay_factors, jackknife_factors, jk2_factors
from lsakit.weighting.variance_units import (
    Lonely,
    PairingRule,
    Participants,
    VarianceUnits,
    list_units,
    pair_units,
)
from lsakit.weighting.weighted import FinalWeights

Method = Literal["fay", "jk1", "jkn", "jk2", "jk2_both"]
DEFAULT_REPLICATES = {"fay": 80, "jk2": 75, "jk2_both": 150}
ROWS_AT_ONCE = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicateWeights:
    """Hold replicate weights.

    Parameters
    ----------
    matrix : ndarray of shape (n_students, n_replicates)
        Weight of each respondent in each replicate, students, in the row order of ``FinalWeights.table``.
    coefficients : ndarray of shape (n_replicates,)
        Factor of each squared deviation from the full-sample estimate in the sampling variance
        (dimensionless).
    method : str
        Name of the method.
    fay_factor : float or None
        Fay's factor.
    student_id : tuple of str of shape (n_students,)
        The respondents.
    units : polars.DataFrame
        One row per variance unit: unit_id, school_id, stratum, zone, role, n_in_zone, n_students.
    seed : int
        Seed of the roles inside pairs.
    schema : str
        Name and version of this result's form.
    """

    matrix: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    method: str
    fay_factor: float | None
    student_id: tuple[str, ...]
    units: Table
    seed: int
    schema: str = "lsakit.replicate_weights/1"

    @property
    def columns(self) -> tuple[str, ...]:
        """Names under which the replicates are stored."""
        return tuple(f"replicate_{number + 1}" for number in range(self.matrix.shape[1]))

    def to_table(self) -> Table:
        """Write the replicates as a table.

        Returns
        -------
        polars.DataFrame
            student_id, replicate_1, replicate_2, …
        """
        replicates = {name: self.matrix[:, number].copy() for number, name in enumerate(self.columns)}
        return make_table({"student_id": list(self.student_id), **replicates})


def replicate_weights(
    weights: FinalWeights,
    *,
    method: Method = "fay",
    n_replicates: int | None = None,
    fay_factor: float = 0.5,
    lonely: Lonely = "refuse",
    seed: int = 0,
) -> ReplicateWeights:
    """Build replicate weights, with the non-response adjustments made again in each replicate.

    Parameters
    ----------
    weights : FinalWeights
        The final weights.
    method : {"fay", "jk1", "jkn", "jk2", "jk2_both"}, default "fay"
        Fay's balanced repeated replication; jackknife leaving out one school, without or within explicit
        strata; paired jackknife with one half or both halves.
    n_replicates : int, optional
        Replicates: 80 for ``"fay"`` (any order that `hadamard_matrix` builds), 75 zones for ``"jk2"``, 150
        for ``"jk2_both"``; ``"jk1"`` and ``"jkn"`` have one per participating school and take none.
    fay_factor : float, default 0.5
        Fay's factor, for ``"fay"``.
    lonely : {"refuse", "collapse", "split"}, default "refuse"
        What happens to a stratum in which one school took part.
    seed : int, default 0
        Seed of the random roles inside pairs; they follow from it and the identifiers alone.

    Returns
    -------
    ReplicateWeights
        Matrix, coefficients, variance units.

    Raises
    ------
    DesignError
        If a zone would hold one school, a cell has no respondents in a replicate, or a parameter is out of
        range.

    Notes
    -----
    The factors multiply the school base weights (the students' weights in certainty schools, whose students
    are the variance units, except for the jackknives that leave one out); the non-response factors of both
    stages are computed again in the cells of the full sample; trimming factors are those of the full sample.
    A sampled school that did not take part keeps factor 1.

    References
    ----------
    .. [1] OECD (2020), PISA 2018 Technical Report, chapter 8.
    .. [2] ``docs/algorithms/replicate_weights.md``.
    """
    people = _participants(weights)
    units = _units(people, method, lonely, seed)
    factors, coefficients = _factors(units, method, n_replicates, fay_factor)
    return ReplicateWeights(
        matrix=_replicate(weights, people, units, factors),
        coefficients=coefficients,
        method=method,
        fay_factor=fay_factor if method == "fay" else None,
        student_id=tuple(strings(weights.table, "student_id")),
        units=_unit_table(units, people),
        seed=seed,
    )


def _participants(weights: FinalWeights) -> Participants:
    """Take the participating schools in frame order and their eligible students."""
    schools = weights.schools.filter(_took_part(weights))
    ids = strings(schools, "school_id")
    place = {school: row for row, school in enumerate(ids)}
    return Participants(
        school_id=ids,
        stratum=strings(schools, "stratum"),
        is_certainty=floats(schools, "is_certainty") > 0,
        school_of_student=np.asarray([place[one] for one in strings(weights.students, "sampled_school_id")]),
        student_id=strings(weights.students, "student_id"),
        line=floats(weights.students, "line").astype(np.int64),
    )


def _took_part(weights: FinalWeights) -> NDArray[np.bool_]:
    """Mark the schools that count as participants."""
    return np.asarray(
        [outcome == "participant" for outcome in strings(weights.schools, "outcome")], dtype=bool
    )


def _units(people: Participants, method: Method, lonely: Lonely, seed: int) -> VarianceUnits:
    """Form the variance units that the method needs."""
    if lonely not in ("refuse", "collapse", "split"):
        raise DesignError(
            f"The 'lonely' parameter must be 'refuse', 'collapse' or 'split'. Got {lonely!r}.", param="lonely"
        )
    if method in ("jk1", "jkn"):
        return list_units(
            people, stratified=method == "jkn", lonely="refuse" if lonely == "split" else lonely
        )
    rule = PairingRule(certainty_students=True, split_odd=method != "fay", lonely=lonely, seed=seed)
    return pair_units(people, rule)


def _factors(
    units: VarianceUnits, method: Method, n_replicates: int | None, fay_factor: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Build the units' factors and the replicates' coefficients."""
    if method in ("jk1", "jkn"):
        _refuse_number(n_replicates is None or n_replicates == len(units.unit_id), method, n_replicates)
        return jackknife_factors(units.stratum)
    if method not in DEFAULT_REPLICATES:
        raise DesignError(
            f"The 'method' parameter must be 'fay', 'jk1', 'jkn', 'jk2' or 'jk2_both'. Got {method!r}.",
            param="method",
            got=method,
        )
    number = DEFAULT_REPLICATES[method] if n_replicates is None else n_replicates
    if method == "fay":
        factors = fay_factors(
            units.zone, units.role, units.n_in_zone, n_replicates=number, fay_factor=fay_factor
        )
        return factors, np.full(number, 1.0 / (number * (1.0 - fay_factor) ** 2))
    both = method == "jk2_both"
    _refuse_number(number >= 1 and not (both and number % 2), method, number)
    factors = jk2_factors(units.zone, units.role, n_zones=number // 2 if both else number, both_halves=both)
    return factors, np.full(number, 0.5 if both else 1.0)


def _refuse_number(is_right: bool, method: str, number: int | None) -> None:
    """Refuse a number of replicates that the method cannot have."""
    if not is_right:
        rule = {
            "jk2": "one per zone, 1 or more",
            "jk2_both": "two per zone, so even",
        }.get(method, "one per participating school; leave it out")
        raise DesignError(
            f"The 'n_replicates' parameter does not fit method {method!r}: {rule}. Got {number!r}.",
            param="n_replicates",
            got=number,
        )


def _replicate(
    weights: FinalWeights, people: Participants, units: VarianceUnits, factors: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Repeat the weighting steps for all replicates at once."""
    school = _school_columns(weights)
    within = floats(weights.students, "student_base_weight")
    responded = floats(weights.students, "is_respondent") > 0
    cell = floats(weights.students, "cell").astype(np.int64)
    took_part = school["took_part"]
    base = school["base"][took_part][people.school_of_student] * within
    adjusted = _adjust_schools(weights, people, units, factors, within)
    by_cell = _adjust_students(weights, adjusted, units, base, responded, cell)
    trimming = floats(weights.students, "trimming_factor")
    rows = np.flatnonzero(responded)
    matrix = np.empty((len(rows), factors.shape[1]))
    for start in range(0, len(rows), ROWS_AT_ONCE):
        chunk = rows[start : start + ROWS_AT_ONCE]
        part = matrix[start : start + ROWS_AT_ONCE]
        np.take(adjusted, units.unit_of_student[chunk], axis=0, out=part)
        part *= by_cell[cell[chunk]]
        part *= (base[chunk] * trimming[chunk])[:, None]
    return matrix


def _school_columns(weights: FinalWeights) -> dict[str, NDArray[np.float64] | NDArray[np.bool_]]:
    """Take the school columns of the weighting; base is the trimmed base weight."""
    return {
        "took_part": _took_part(weights),
        "base": floats(weights.schools, "base_weight") * floats(weights.schools, "trimming_factor"),
        "size": floats(weights.schools, "size"),
    }


def _adjust_schools(
    weights: FinalWeights,
    people: Participants,
    units: VarianceUnits,
    factors: NDArray[np.float64],
    within: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Multiply the units' factors by the school non-response factors of each replicate."""
    school = _school_columns(weights)
    cell = floats(weights.schools, "cell").astype(np.int64)
    cells = weights.cells.filter(np.asarray(strings(weights.cells, "stage")) == "school")
    labels = strings(cells, "label")
    took_part = np.asarray(school["took_part"], dtype=bool)
    weighted = school["base"] * school["size"]
    by_unit = np.bincount(units.unit_of_student, within, minlength=len(units.unit_id))
    by_school = np.bincount(people.school_of_student, within, minlength=len(people.school_id))
    share = by_unit / by_school[units.school]
    responded = _gather(
        cell[took_part][units.school], len(labels), share * weighted[took_part][units.school], factors
    )
    others = (cell >= 0) & ~took_part
    absent = np.bincount(cell[others], weighted[others], minlength=len(labels))
    factor = response_factor(responded + absent[:, None], responded, labels)
    adjusted: NDArray[np.float64] = factors * factor[cell[took_part][units.school]]
    return adjusted


def _adjust_students(
    weights: FinalWeights,
    adjusted: NDArray[np.float64],
    units: VarianceUnits,
    base: NDArray[np.float64],
    responded: NDArray[np.bool_],
    cell: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Student non-response factors of each cell in each replicate."""
    cells = weights.cells.filter(np.asarray(strings(weights.cells, "stage")) == "student")
    labels = strings(cells, "label")
    unit = units.unit_of_student
    shape = (len(labels), len(units.unit_id))
    everyone = sparse.csr_array((base, (cell, unit)), shape=shape)
    reached = sparse.csr_array((base[responded], (cell[responded], unit[responded])), shape=shape)
    return response_factor(np.asarray(everyone @ adjusted), np.asarray(reached @ adjusted), labels)


def _gather(
    cell: NDArray[np.int64], n_cells: int, values: NDArray[np.float64], factors: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Add ``values * factors`` by cell, for all replicates."""
    units = np.arange(len(cell))
    matrix = sparse.csr_array((values, (cell, units)), shape=(n_cells, len(cell)))
    return np.asarray(matrix @ factors, dtype=np.float64)


def _unit_table(units: VarianceUnits, people: Participants) -> Table:
    """Write the variance units."""
    return make_table(
        {
            "unit_id": units.unit_id,
            "school_id": np.asarray(people.school_id, dtype=object)[units.school],
            "stratum": units.stratum,
            "zone": units.zone,
            "role": units.role,
            "n_in_zone": units.n_in_zone,
            "n_students": np.bincount(units.unit_of_student, minlength=len(units.unit_id)),
        }
    )
