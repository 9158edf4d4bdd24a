"""Differences between groups, and between a group and the whole, with the right error.

See ``docs/algorithms/comparisons.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from lsakit.errors import EstimationError
from lsakit.estimation.combine import Combined, combine
from lsakit.estimation.results import Estimates, error_columns, nullable, undefined_reasons
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.io.frames import Table, make_table

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

KINDS = ("dependent", "independent")
PAIR_COLUMNS = ("group", "reference", "t", "p_value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Differences between groups, with their errors.

    Parameters
    ----------
    table : polars.DataFrame
        One row per pair and statistic: the remaining break-down columns, ``statistic``, ``group``,
        ``reference`` (values of the key, as text; ``"all"`` for the whole), ``estimate`` (group minus
        reference), ``standard_error``, ``sampling_variance``, ``imputation_variance``,
        ``degrees_of_freedom``, ``undefined_because``, ``t`` and ``p_value`` (two-sided, unadjusted; null
        where the standard error is zero or undefined).
    key : str
        Break-down column whose values were compared.
    kind : str
        ``"dependent"`` or ``"independent"``.
    design : SurveyDesign
        Design of the estimates.
    """

    table: Table
    key: str
    kind: str
    design: SurveyDesign


@dataclass(frozen=True, slots=True, kw_only=True)
class _PairOfRows:
    """Rows of the estimates that are subtracted, and how the difference is labelled."""

    minuends: Integers
    subtrahends: Integers
    columns: dict[str, list[Any]]


def compare(
    estimates: Estimates, key: str, *, kind: str = "dependent", against: Estimates | None = None
) -> Comparison:
    """Compare the groups of one break-down column with each other, or each with the whole.

    Parameters
    ----------
    estimates : Estimates
        Estimates that were broken down by ``key`` (and perhaps other columns, within which is compared).
    key : str
        Break-down column whose values are compared.
    kind : {"dependent", "independent"}
        ``"dependent"``: groups of one sample; the difference is taken inside each replicate and plausible
        value, so the covariance is included. ``"independent"``: samples drawn apart (countries, cycles); the
        variances are added.
    against : Estimates, optional
        Estimates of the whole from the same table and design, broken down by the other columns only. Each
        group is then compared with the whole that contains it, instead of with the other groups.

    Returns
    -------
    Comparison
        For two values a < b of the key the row is ``a − b``; with ``against`` it is ``group − whole``.

    Raises
    ------
    EstimationError
        If the key is not a break-down column, has fewer than two values, or ``against`` does not fit.

    References
    ----------
    .. [1] OECD (2009), PISA Data Analysis Manual, 2nd ed., ch. 11 and 12.
    .. [2] docs/algorithms/comparisons.md

    Examples
    --------
    >>> from lsakit.estimation.means import estimate_means
    >>> rows = {"X": [1.0, 3.0, 5.0, 7.0, 2.0, 9.0], "G": ["a", "b"] * 3, "W": [1.0] * 6,
    ...         "ZONE": [1, 1, 1, 2, 2, 2], "HALF": [1, 0, 1, 0, 1, 1]}
    >>> design = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    >>> means = estimate_means(rows, "X", by="G", design=design)
    >>> compare(means, "G").table.select("statistic", "group", "reference", "estimate").rows()[0]
    ('mean', 'a', 'b', -3.6666666666666665)
    """
    if kind not in KINDS:
        raise EstimationError(
            f"The 'kind' is one of {', '.join(KINDS)}. Got {kind!r}.", param="kind", got=kind
        )
    if key not in estimates.by:
        raise EstimationError(
            f"The estimates are not broken down by {key!r}, but by: {', '.join(estimates.by) or 'nothing'}.",
            hint=f"Estimate again with by=[…, {key!r}].",
            param="key",
            got=key,
        )
    taken = [name for name in estimates.by if name != key and name in PAIR_COLUMNS]
    if taken:
        raise EstimationError(
            f"The break-down column {taken[0]!r} has the name of a column of the comparison.",
            hint="Rename it in the table before estimating.",
            param="by",
            got=taken[0],
        )
    if against is None:
        pairs = _pairs_among(estimates, key)
        second = estimates
    else:
        if kind == "independent":
            raise EstimationError(
                "A part and the whole that contains it are never independent.",
                hint="Leave kind='dependent'.",
                param="kind",
            )
        _refuse_other_source(estimates, against, key)
        pairs = _pairs_with_whole(estimates, against, key)
        second = against
    first_replicates = estimates.replicate_estimates[pairs.minuends]
    second_replicates = second.replicate_estimates[pairs.subtrahends]
    if kind == "dependent":
        combined = combine(first_replicates - second_replicates, estimates.design)
    else:
        combined = _independent(first_replicates, second_replicates, estimates.design)
    reasons = undefined_reasons(first_replicates - second_replicates)
    columns = pairs.columns | error_columns(combined, reasons) | _tests(combined)
    return Comparison(table=make_table(columns), key=key, kind=kind, design=estimates.design)


def benjamini_hochberg(p_values: ArrayLike, *, level: float = 0.05) -> NDArray[np.bool_]:
    """Reject hypotheses with the false discovery rate under control.

    Parameters
    ----------
    p_values : array_like of shape (n_tests,)
        Two-sided p-values, from 0 to 1.
    level : float, default 0.05
        False discovery rate.

    Returns
    -------
    ndarray of shape (n_tests,)
        True where the hypothesis is rejected, in the order given.

    Raises
    ------
    EstimationError
        If a p-value lies outside 0 to 1.

    References
    ----------
    .. [1] Benjamini & Hochberg (1995), Controlling the false discovery rate, Journal of the Royal
       Statistical Society B 57(1), 289-300.

    Examples
    --------
    >>> benjamini_hochberg([0.2, 0.001, 0.012]).tolist()
    [False, True, True]
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0.0) & (p <= 1.0)).all():
        raise EstimationError("p-values lie from 0 to 1.", param="p_values")
    order = np.argsort(p, kind="stable")
    below = np.flatnonzero(p[order] <= level * np.arange(1, p.size + 1) / max(p.size, 1))
    rejected = np.zeros(p.size, dtype=np.bool_)
    if below.size:
        rejected[order[: below[-1] + 1]] = True
    return rejected


def composite_standard_error(standard_errors: Sequence[float]) -> float:
    """Standard error of the unweighted mean of independent estimates, such as countries.

    Parameters
    ----------
    standard_errors : Sequence of float
        Standard error of each element, in the unit of the statistic.

    Returns
    -------
    float
        ``sqrt(Σ SE²) / C``, in the same unit.

    Raises
    ------
    EstimationError
        If there is none.

    References
    ----------
    .. [1] OECD (2009), PISA Data Analysis Manual, 2nd ed., ch. 12.

    Examples
    --------
    >>> round(composite_standard_error([3.1, 2.6, 4.0]), 7)
    1.896488
    """
    if not len(standard_errors):
        raise EstimationError("A composite needs at least one element.", param="standard_errors")
    return float(np.sqrt(np.sum(np.square(standard_errors))) / len(standard_errors))


def element_and_composite_standard_error(standard_errors: Sequence[float], element: int) -> float:
    """Standard error of the difference between one element and the composite that contains it.

    Parameters
    ----------
    standard_errors : Sequence of float
        Standard error of each element, in the unit of the statistic.
    element : int
        Which element is compared, from 0.

    Returns
    -------
    float
        ``sqrt(Σ SE² / C² + ((C − 1)² − 1) / C² · SE_element²)``, in the same unit.

    Raises
    ------
    EstimationError
        If there is no such element.

    References
    ----------
    .. [1] OECD (2009), PISA Data Analysis Manual, 2nd ed., ch. 12.

    Examples
    --------
    >>> round(element_and_composite_standard_error([3.1, 2.6, 4.0], 0), 7)
    2.607681
    """
    count = len(standard_errors)
    if not 0 <= element < count:
        raise EstimationError(f"There is no element {element} among {count}.", param="element", got=element)
    squares = np.square(np.asarray(standard_errors, dtype=np.float64))
    return float(np.sqrt((squares.sum() + ((count - 1) ** 2 - 1) * squares[element]) / count**2))


def part_and_whole_standard_error(share: float, part: float, rest: float) -> float:
    """Closed form of the error of (part − whole) when part and rest are independent.

    Parameters
    ----------
    share : float
        Weighted share of the part in the whole, from 0 to 1.
    part : float
        Standard error of the part, in the unit of the statistic.
    rest : float
        Standard error of the rest, in the same unit.

    Returns
    -------
    float
        ``(1 − share) sqrt(SE_part² + SE_rest²)``, in the same unit.

    Raises
    ------
    EstimationError
        If the share lies outside 0 to 1.

    Notes
    -----
    It takes the share as known. It checks :func:`compare` with ``against``, which assumes neither.

    References
    ----------
    .. [1] docs/algorithms/comparisons.md

    Examples
    --------
    >>> round(part_and_whole_standard_error(0.08, 6.0, 2.1), 4)
    5.8483
    """
    if not 0.0 <= share <= 1.0:
        raise EstimationError(f"The 'share' lies from 0 to 1. Got {share}.", param="share", got=share)
    return float((1.0 - share) * np.hypot(part, rest))


def _pairs_among(estimates: Estimates, key: str) -> _PairOfRows:
    """Pair the values of the key with each other inside the other break-downs and statistics."""
    others = [name for name in _identity(estimates) if name != key]
    places: dict[tuple[Any, ...], list[int]] = {}
    rows = list(zip(*(estimates.table.get_column(name).to_list() for name in others), strict=True))
    for row, identity in enumerate(rows):
        places.setdefault(identity, []).append(row)
    minuends: list[int] = []
    subtrahends: list[int] = []
    for members in places.values():
        for place, first in enumerate(members):
            minuends += [first] * (len(members) - place - 1)
            subtrahends += members[place + 1 :]
    if not minuends:
        raise EstimationError(f"The key {key!r} has fewer than two values to compare.", param="key", got=key)
    values = estimates.table.get_column(key).to_list()
    columns = {name: [rows[row][k] for row in minuends] for k, name in enumerate(others)}
    columns["group"] = [str(values[row]) for row in minuends]
    columns["reference"] = [str(values[row]) for row in subtrahends]
    return _PairOfRows(minuends=np.array(minuends), subtrahends=np.array(subtrahends), columns=columns)


def _pairs_with_whole(estimates: Estimates, against: Estimates, key: str) -> _PairOfRows:
    """Pair every row with the row of the whole that has the same other break-downs and statistic."""
    others = [name for name in _identity(estimates) if name != key]
    wholes = {
        identity: row
        for row, identity in enumerate(
            zip(*(against.table.get_column(name).to_list() for name in others), strict=True)
        )
    }
    rows = list(zip(*(estimates.table.get_column(name).to_list() for name in others), strict=True))
    absent = [row for row in rows if row not in wholes]
    if absent:
        raise EstimationError(
            f"The whole has no row for {len(absent)} of {len(rows)} estimates.",
            where=absent,
            hint="Estimate both with the same statistics and the same other break-downs.",
            param="against",
        )
    columns = {name: [row[k] for row in rows] for k, name in enumerate(others)}
    columns["group"] = [str(value) for value in estimates.table.get_column(key).to_list()]
    columns["reference"] = ["all"] * len(rows)
    return _PairOfRows(
        minuends=np.arange(len(rows)), subtrahends=np.array([wholes[row] for row in rows]), columns=columns
    )


def _identity(estimates: Estimates) -> list[str]:
    """Columns that together name a row of estimates."""
    return [*estimates.by, "statistic", *(name for name in ("category",) if name in estimates.table.columns)]


def _refuse_other_source(estimates: Estimates, against: Estimates, key: str) -> None:
    """Refuse a whole of another variable, design or break-down."""
    fits = (
        against.values == estimates.values
        and against.design == estimates.design
        and against.replicate_estimates.shape[1:] == estimates.replicate_estimates.shape[1:]
        and set(against.by) == set(estimates.by) - {key}
    )
    if not fits:
        raise EstimationError(
            f"The 'against' estimates are not the whole of these: they must be of {estimates.values!r}, under "
            f"the same design, broken down by {sorted(set(estimates.by) - {key})}.",
            param="against",
        )


def _independent(first: Floats, second: Floats, design: SurveyDesign) -> Combined:
    """Add the variances of two independent samples; degrees of freedom by Welch and Satterthwaite."""
    a, b = combine(first, design), combine(second, design)
    variances = a.standard_error**2, b.standard_error**2
    total = variances[0] + variances[1]
    inverse = variances[0] ** 2 / a.degrees_of_freedom + variances[1] ** 2 / b.degrees_of_freedom
    degrees = np.divide(total**2, inverse, out=np.full(total.shape, np.inf), where=inverse > 0.0)
    return Combined(
        estimate=a.estimate - b.estimate,
        sampling_variance=a.sampling_variance + b.sampling_variance,
        imputation_variance=a.imputation_variance + b.imputation_variance,
        standard_error=np.sqrt(total),
        degrees_of_freedom=np.where(np.isnan(total), np.nan, degrees),
    )


def _tests(combined: Combined) -> dict[str, Any]:
    """Two-sided t-tests against zero."""
    error = combined.standard_error
    known = error > 0.0
    t = np.divide(combined.estimate, error, out=np.full(error.shape, np.nan), where=known)
    degrees = np.where(np.isfinite(combined.degrees_of_freedom), combined.degrees_of_freedom, 1e9)
    p = np.where(known, 2.0 * stats.t.sf(np.abs(np.where(known, t, 0.0)), degrees), np.nan)
    return {"t": nullable(t), "p_value": nullable(p)}
