"""Differences between groups, and between a group and the whole, with the right error.

See ``docs/algorithms/comparisons.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from lsakit.errors import EstimationError
from lsakit.estimation.closed_forms import with_discoveries
from lsakit.estimation.combine import Combined, combine
from lsakit.estimation.explanations import explained_difference
from lsakit.estimation.results import (
    Estimates,
    TidyResult,
    error_columns,
    identity_columns,
    nullable,
    undefined_reasons,
)
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.io.frames import Table, make_table

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

KINDS = ("dependent", "independent")
PAIR_COLUMNS = ("group", "reference", "t", "p_value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(TidyResult):
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

    def explain(self, row: int = 0, *, language: str = "en") -> str:
        """Tell in words where the difference of a row and its standard error come from, in ``"en"`` or ``"vi"``."""
        return explained_difference(self.table, row, language, kind=self.kind, key=self.key)

    def adjusted(self, *, level: float = 0.05) -> Comparison:
        """Add ``is_significant``: rejected with the false discovery rate of the whole table at ``level``."""
        return replace(self, table=with_discoveries(self.table, level))


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
        combined = independent_difference(first_replicates, second_replicates, estimates.design)
    reasons = undefined_reasons(first_replicates - second_replicates)
    columns = pairs.columns | error_columns(combined, reasons) | against_zero(combined)
    return Comparison(table=make_table(columns), key=key, kind=kind, design=estimates.design)


def _pairs_among(estimates: Estimates, key: str) -> _PairOfRows:
    """Pair the values of the key with each other inside the other break-downs and statistics."""
    others = [name for name in identity_columns(estimates) if name != key]
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
    others = [name for name in identity_columns(estimates) if name != key]
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


def independent_difference(first: Floats, second: Floats, design: SurveyDesign) -> Combined:
    """Subtract estimates of samples drawn apart; degrees of freedom by Welch and Satterthwaite.

    Parameters
    ----------
    first : ndarray of shape (n_estimates, n_plausible_values, n_replicates + 1)
        Replicate estimates of the minuends.
    second : ndarray of shape (n_estimates, n_plausible_values, n_replicates + 1)
        Replicate estimates of the subtrahends.
    design : SurveyDesign
        Their design.

    Returns
    -------
    Combined
        Differences whose variances are the sums of both.
    """
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
        n_plausible_values=a.n_plausible_values,
    )


def against_zero(combined: Combined) -> dict[str, Any]:
    """Two-sided t-tests of differences against zero.

    Parameters
    ----------
    combined : Combined
        Differences with their errors.

    Returns
    -------
    dict of str to polars.Series
        Columns ``t`` and ``p_value``, null where the standard error is zero or undefined.
    """
    error = combined.standard_error
    known = error > 0.0
    t = np.divide(combined.estimate, error, out=np.full(error.shape, np.nan), where=known)
    degrees = np.where(np.isfinite(combined.degrees_of_freedom), combined.degrees_of_freedom, np.inf)
    p = np.where(known, 2.0 * stats.t.sf(np.abs(np.where(known, t, 0.0)), degrees), np.nan)
    return {"t": nullable(t), "p_value": nullable(p)}
