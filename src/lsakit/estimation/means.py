"""Means and standard deviations of plausible values or a plain column.

See ``docs/algorithms/means.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.estimation.replication import (
    Groups,
    PreparedTable,
    form_groups,
    form_pairs,
    group_name,
    prepared,
    sums_under_weights,
    weight_sums,
)
from lsakit.estimation.results import Estimates, gather
from lsakit.estimation.rows import complete_rows
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.kernels.replication import sum_moments

Floats = NDArray[np.float64]

DIVISORS = ("sum_of_weights", "sum_of_weights_minus_one")


def estimate_means(
    table: Any,
    values: str,
    *,
    by: Sequence[str] | str | None = None,
    design: SurveyDesign | None = None,
    cluster: str | None = None,
    sd_divisor: str = "sum_of_weights",
) -> Estimates:
    """Estimate weighted means and standard deviations with their standard errors.

    Parameters
    ----------
    table : PreparedTable or polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        One row per student.
    values : str
        A column, or a pattern of plausible values such as ``"PV{m}MATH"``.
    by : Sequence of str or str, optional
        Break-down columns; one group per combination that occurs.
    design : SurveyDesign, optional
        Where the weights are; may be left out for a prepared table.
    cluster : str, optional
        Column of the school, to count schools.
    sd_divisor : {"sum_of_weights", "sum_of_weights_minus_one"}
        Divisor of the variance; the second is what BIFIEsurvey and ILSAstats use.

    Returns
    -------
    Estimates
        Statistics ``"mean"`` and ``"sd"`` of each group, in the unit of the values.

    Raises
    ------
    EstimationError
        If a weight is negative, a group's weights sum to zero, or the pattern is wrong.
    TableError
        If a weight is missing, or a value is not a number or is missing beside other plausible values of its row.
    DesignError
        If no design is given.

    Notes
    -----
    The standard deviation is ``sqrt(Σ w (x − mean)² / Σ w)``, computed for each plausible value and then
    averaged, not the root of an averaged variance. Rows without a value are left out and counted in
    ``n_missing_values``.

    References
    ----------
    .. [1] OECD (2009), PISA Data Analysis Manual, 2nd ed., ch. 8.
    .. [2] docs/algorithms/means.md

    Examples
    --------
    >>> rows = {"X": [1.0, 3.0, 5.0, 7.0], "W": [1.0] * 4, "ZONE": [1, 1, 2, 2], "HALF": [1, 0, 1, 0]}
    >>> design = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    >>> estimate_means(rows, "X", design=design).table.select("statistic", "estimate").rows()
    [('mean', 4.0), ('sd', 2.23606797749979)]
    """
    if sd_divisor not in DIVISORS:
        raise EstimationError(
            f"The 'sd_divisor' is one of {', '.join(DIVISORS)}. Got {sd_divisor!r}.",
            param="sd_divisor",
            got=sd_divisor,
        )
    ready, (matrix,), n_missing = complete_rows(prepared(table, design), [values])
    groups = form_groups(ready, by, cluster)
    means, deviations = _moments(ready, groups, matrix, minus_one=sd_divisor != DIVISORS[0])
    estimates = np.stack([means, deviations], axis=1).transpose(0, 1, 3, 2)
    return gather(ready, groups, values, ["mean", "sd"], estimates, n_missing_values=n_missing)


def _moments(
    ready: PreparedTable, groups: Groups, matrix: Floats, *, minus_one: bool
) -> tuple[Floats, Floats]:
    """Mean and SD of shape (groups, weights, values), from sums about a rough mean of each group."""
    pairs = form_pairs(ready, groups)
    totals = weight_sums(ready, groups, pairs)
    centres = _rough_means(groups, matrix)
    sums = sum_moments(matrix, centres, ready.scale, groups.codes, pairs.of_row, pairs.groups.size)
    spread = sums_under_weights(ready, pairs, sums)
    defined = totals > 0.0
    safe = np.where(defined, totals, 1.0)[:, :, np.newaxis]
    n_values = matrix.shape[0]
    shift = spread[:, :, :n_values] / safe
    variance = np.maximum(spread[:, :, n_values:] / safe - shift**2, 0.0)
    if minus_one:
        variance = variance * _minus_one_factor(groups, totals)[:, :, np.newaxis]
    means = centres[:, np.newaxis, :] + shift
    missing = ~defined[:, :, np.newaxis]
    return np.where(missing, np.nan, means), np.where(missing, np.nan, np.sqrt(variance))


def _minus_one_factor(groups: Groups, totals: Floats) -> Floats:
    """Σw / (Σw − 1), refused where the final weights sum to one or less."""
    small = np.flatnonzero(totals[:, 0] <= 1.0)
    if small.size:
        raise EstimationError(
            "The divisor 'sum_of_weights_minus_one' needs weights that sum to more than 1.",
            where=[group_name(groups, int(g)) for g in small],
            hint="Use weights that sum to the population, or sd_divisor='sum_of_weights'.",
            param="sd_divisor",
        )
    return np.asarray(np.where(totals > 1.0, totals / np.where(totals > 1.0, totals - 1.0, 1.0), np.nan))


def _rough_means(groups: Groups, matrix: Floats) -> Floats:
    """Unweighted mean of the first plausible value in each group, for all of them: shape (groups, values)."""
    kept = groups.codes >= 0
    codes, values = (groups.codes, matrix[0]) if kept.all() else (groups.codes[kept], matrix[0, kept])
    sums = np.bincount(codes, weights=values, minlength=groups.n.size)
    rough = sums / np.maximum(groups.n, 1)
    return np.ascontiguousarray(np.repeat(rough[:, np.newaxis], matrix.shape[0], axis=1))
