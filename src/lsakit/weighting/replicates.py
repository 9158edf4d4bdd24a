"""Replicate weights: every weighting step repeated under each replicate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from lsakit.errors import DesignError
from lsakit.io.frames import Table, floats, make_table, strings
from lsakit.weighting.replicate_cells import JoinedInReplicate, factors_by_replicate, strained_cells
from lsakit.weighting.replicate_factors import (
    ROOT2,
    bootstrap_factors,
    fay_factors,
    jackknife_factors,
    jk2_factors,
)
from lsakit.weighting.variance_units import (
    Lonely,
    PairingRule,
    Participants,
    VarianceUnits,
    bootstrap_units,
    list_units,
    pair_units,
)
from lsakit.weighting.weighted import FinalWeights

Method = Literal["fay", "jk1", "jkn", "jk2", "jk2_both", "bootstrap"]
DEFAULT_REPLICATES = {"fay": 80, "jk2": 75, "jk2_both": 150, "bootstrap": 200}
LEAVES_ONE_OUT = ("jk1", "jkn")
# The parts of a weight are multiplied in another order than when it was made: rounding, nothing else.
PRODUCT_TOLERANCE = 1e-9
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
        Seed of the roles inside pairs, or of the bootstrap's draws.
    joined : tuple of JoinedInReplicate
        Non-response cells that a replicate left without respondents, and that were joined with their
        stratum in this replicate.
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
    joined: tuple[JoinedInReplicate, ...] = ()
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
    sampling_fraction: Mapping[str, float] | None = None,
) -> ReplicateWeights:
    """Build replicate weights, with the non-response adjustments made again in each replicate.

    Parameters
    ----------
    weights : FinalWeights
        The final weights.
    method : {"fay", "jk1", "jkn", "jk2", "jk2_both", "bootstrap"}, default "fay"
        Fay's balanced repeated replication; jackknife leaving out one school, without or within explicit
        strata; paired jackknife with one half or both halves; rescaled bootstrap of schools.
    n_replicates : int, optional
        Replicates: 80 for ``"fay"`` (any order that `hadamard_matrix` builds), 75 zones for ``"jk2"`` (125
        from TIMSS 2023), 150 for ``"jk2_both"`` (250), 200 for ``"bootstrap"``; ``"jk1"`` and ``"jkn"`` have
        one per participating school and take none.
    fay_factor : float, default 0.5
        Fay's factor, for ``"fay"``; 0 is plain balanced repeated replication.
    lonely : {"refuse", "collapse", "split"}, default "refuse"
        What happens to a stratum in which one school took part.
    seed : int, default 0
        Seed of the random roles inside pairs, or of the bootstrap; they follow from it and the identifiers
        alone.
    sampling_fraction : Mapping of str to float, optional
        Share of the schools of each explicit stratum that was drawn, from 0 to below 1, for the finite
        population correction of ``"jkn"`` and ``"bootstrap"``; by default none is made.

    Returns
    -------
    ReplicateWeights
        Matrix, coefficients, variance units.

    Raises
    ------
    DesignError
        If a zone would hold one school, a stratum has no respondents in a replicate, the final weights are
        not the product of their parts, or a parameter is out of range.

    Notes
    -----
    The factors multiply the school base weights (the students' weights in certainty schools, whose students
    are the variance units, except for the jackknives that leave one out); the non-response factors of both
    stages are computed again in the cells of the full sample; trimming factors are those of the full sample.
    A sampled school that did not take part keeps factor 1. A cell that a replicate leaves without respondents
    joins its stratum in that replicate. Where classes are drawn the factors multiply the final weights, as
    TIMSS does.

    References
    ----------
    .. [1] OECD (2020), PISA 2018 Technical Report, chapter 8.
    .. [2] ``docs/algorithms/replicate_weights.md``.
    """
    people = _participants(weights)
    _refuse_other_products(weights, people)
    units = _units(people, method, lonely, fay_factor, seed)
    fraction = _fractions(sampling_fraction, method, units, people)
    factors, coefficients = _factors(units, method, n_replicates, fay_factor, (seed, fraction))
    matrix, joined = _replicate(weights, people, units, factors)
    return ReplicateWeights(
        matrix=matrix,
        coefficients=coefficients,
        method=method,
        fay_factor=fay_factor if method == "fay" else None,
        student_id=tuple(strings(weights.table, "student_id")),
        units=_unit_table(units, people),
        seed=seed,
        joined=tuple(joined),
    )


def _refuse_other_products(weights: FinalWeights, people: Participants) -> None:
    """Refuse final weights that are not the product of the parts from which replicates are made."""
    if weights.rules.structure.units == "classes":
        return
    schools = weights.schools.filter(_took_part(weights))
    product = np.ones(schools.height)
    for name in ("base_weight", "trimming_factor", "nonresponse_factor"):
        product = product * floats(schools, name)
    whole = product[people.school_of_student]
    for name in ("student_base_weight", "nonresponse_factor", "trimming_factor"):
        whole = whole * floats(weights.students, name)
    whole = whole[floats(weights.students, "is_respondent") > 0]
    final = floats(weights.table, "final_weight")
    fits = len(whole) == len(final)
    bad = np.flatnonzero(~(np.abs(final - whole) <= PRODUCT_TOLERANCE * whole)).tolist() if fits else []
    if fits and not bad:
        return
    ids = strings(weights.table, "student_id")
    raise DesignError(
        f"The final weights do not sum from their parts: they add up to {final.sum():.10g}, the products of "
        f"base weights and factors to {whole.sum():.10g}.",
        where=[ids[row] for row in bad],
        why="Replicates repeat the steps; a weight that was changed by hand would not be repeated.",
        hint="Pass what final_weights gave, and calibrate final and replicate weights together afterwards.",
        param="weights",
        got=float(final.sum()),
    )


def _fractions(
    given: Mapping[str, float] | None, method: Method, units: VarianceUnits, people: Participants
) -> NDArray[np.float64] | None:
    """Sampling fraction of each unit's stratum; none inside certainty schools."""
    if given is None:
        return None
    labels = [people.stratum[school] for school in units.school.tolist()]
    absent = sorted(set(labels) - set(given))
    wrong = sorted(label for label in set(labels) - set(absent) if not 0.0 <= given[label] < 1.0)
    if method not in ("jkn", "bootstrap") or absent or wrong:
        raise DesignError(
            "The 'sampling_fraction' parameter gives each explicit stratum a share from 0 to below 1, for "
            f"'jkn' and 'bootstrap'. Got {dict(given)!r} for {method!r}.",
            where=absent or wrong,
            hint="Give schools drawn over schools on the frame, or leave it out.",
            param="sampling_fraction",
            got=dict(given),
        )
    share = np.asarray([given[label] for label in labels])
    low = np.full(int(units.stratum.max()) + 1, np.inf)
    np.minimum.at(low, units.stratum, share)
    fraction = low[units.stratum]
    if method == "bootstrap":
        fraction = np.where(people.is_certainty[units.school], 0.0, fraction)
    return fraction


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


def _units(
    people: Participants, method: Method, lonely: Lonely, fay_factor: float, seed: int
) -> VarianceUnits:
    """Form the variance units that the method needs."""
    if lonely not in ("refuse", "collapse", "split"):
        raise DesignError(
            f"The 'lonely' parameter must be 'refuse', 'collapse' or 'split'. Got {lonely!r}.", param="lonely"
        )
    whole = "refuse" if lonely == "split" else lonely
    if method in LEAVES_ONE_OUT:
        return list_units(people, stratified=method == "jkn", lonely=whole)
    if method == "bootstrap":
        return bootstrap_units(people, lonely=whole)
    halves = method != "fay" or not _takes_triplets(fay_factor)
    rule = PairingRule(certainty_students=True, split_odd=halves, lonely=lonely, seed=seed)
    return pair_units(people, rule)


def _takes_triplets(fay_factor: float) -> bool:
    """Say whether Fay's factor leaves the single unit of a triplet a weight of 0 or more."""
    return not (1.0 - fay_factor) * ROOT2 > 1.0


def _factors(
    units: VarianceUnits,
    method: Method,
    n_replicates: int | None,
    fay_factor: float,
    chance: tuple[int, NDArray[np.float64] | None],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Build the units' factors and the replicates' coefficients."""
    seed, fraction = chance
    if method in LEAVES_ONE_OUT:
        _refuse_number(n_replicates is None or n_replicates == len(units.unit_id), method, n_replicates)
        return jackknife_factors(units.stratum, sampling_fraction=fraction)
    if method not in DEFAULT_REPLICATES:
        raise DesignError(
            "The 'method' parameter must be 'fay', 'jk1', 'jkn', 'jk2', 'jk2_both' or 'bootstrap'. "
            f"Got {method!r}.",
            hint="Plain balanced repeated replication is method='fay' with fay_factor=0.",
            param="method",
            got=method,
        )
    number = DEFAULT_REPLICATES[method] if n_replicates is None else n_replicates
    if method == "bootstrap":
        factors = bootstrap_factors(
            units.stratum, units.unit_id, n_replicates=number, seed=seed, sampling_fraction=fraction
        )
        return factors, np.full(number, 1.0 / number)
    if method == "fay":
        # Without triplets the odd student of a certainty school stands with the second one of a pair.
        in_zone = units.n_in_zone if _takes_triplets(fay_factor) else np.full_like(units.n_in_zone, 2)
        factors = fay_factors(units.zone, units.role, in_zone, n_replicates=number, fay_factor=fay_factor)
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
) -> tuple[NDArray[np.float64], list[JoinedInReplicate]]:
    """Repeat the weighting steps for all replicates at once."""
    responded = floats(weights.students, "is_respondent") > 0
    rows = np.flatnonzero(responded)
    matrix = np.empty((len(rows), factors.shape[1]))
    if weights.rules.structure.units == "classes":
        np.take(factors, units.unit_of_student[rows], axis=0, out=matrix)
        matrix *= floats(weights.table, "final_weight")[:, None]
        return matrix, []
    school = _school_columns(weights)
    within = floats(weights.students, "student_base_weight")
    cell = floats(weights.students, "cell").astype(np.int64)
    took_part = school["took_part"]
    base = school["base"][took_part][people.school_of_student] * within
    adjusted, joined = _adjust_schools(weights, people, units, factors, within)
    by_cell, more = _adjust_students(weights, adjusted, units, base, cell)
    trimming = floats(weights.students, "trimming_factor")
    for start in range(0, len(rows), ROWS_AT_ONCE):
        chunk = rows[start : start + ROWS_AT_ONCE]
        part = matrix[start : start + ROWS_AT_ONCE]
        np.take(adjusted, units.unit_of_student[chunk], axis=0, out=part)
        part *= by_cell[cell[chunk]]
        part *= (base[chunk] * trimming[chunk])[:, None]
    return matrix, joined + more


def _strata_of_cells(table: Table, cell: NDArray[np.int64], n_cells: int) -> NDArray[np.int64]:
    """Number of the explicit stratum of each cell."""
    code = np.unique(np.asarray(strings(table, "stratum")), return_inverse=True)[1]
    stratum = np.full(n_cells, -1, dtype=np.int64)
    stratum[cell[cell >= 0]] = code[cell >= 0]
    return stratum


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
) -> tuple[NDArray[np.float64], list[JoinedInReplicate]]:
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
    stratum = _strata_of_cells(weights.schools, cell, len(labels))
    everyone = responded + absent[:, None]
    factor, joined = factors_by_replicate(everyone, responded, labels, stratum, "school")
    return factors * factor[cell[took_part][units.school]], joined


def _adjust_students(
    weights: FinalWeights,
    adjusted: NDArray[np.float64],
    units: VarianceUnits,
    base: NDArray[np.float64],
    cell: NDArray[np.int64],
) -> tuple[NDArray[np.float64], list[JoinedInReplicate]]:
    """Student non-response factors of each cell in each replicate."""
    cells = weights.cells.filter(np.asarray(strings(weights.cells, "stage")) == "student")
    labels = strings(cells, "label")
    responded = floats(weights.students, "is_respondent") > 0
    unit = units.unit_of_student
    shape = (len(labels), len(units.unit_id))
    everyone = sparse.csr_array((base, (cell, unit)), shape=shape)
    reached = sparse.csr_array((base[responded], (cell[responded], unit[responded])), shape=shape)
    stratum = _strata_of_cells(weights.students, cell, len(labels))
    totals = np.asarray(everyone @ adjusted), np.asarray(reached @ adjusted)
    limits = weights.rules.student_cells
    if limits.replicate_minimum is None:
        return factors_by_replicate(*totals, labels, stratum, "student")
    ones = np.ones(int(responded.sum()))
    heads = sparse.csr_array((ones, (cell[responded], unit[responded])), shape=shape)
    count = np.asarray(heads @ (adjusted > 0).astype(np.float64))
    strained = strained_cells(totals, count, floats(cells, "factor"), limits)
    return factors_by_replicate(*totals, labels, stratum, "student", strained)


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
