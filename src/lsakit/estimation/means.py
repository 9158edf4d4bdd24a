"""Means and standard deviations of plausible values or a plain column.

See ``docs/algorithms/means.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.estimation.group_sums import Breakdown, GroupSums
from lsakit.estimation.replication import Groups, PreparedTable, group_name
from lsakit.estimation.results import Estimates, gather
from lsakit.estimation.rows import complete_rows
from lsakit.estimation.shard_sums import estimated
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.kernels.replication import sum_moments
from lsakit.kernels.replication_runs import run_moments

Floats = NDArray[np.float64]

SOME_ROWS = 20_000
"""Rows from which rough means are taken; the results do not depend on them."""

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
    statistic = MomentSums(values=values, minus_one=sd_divisor != DIVISORS[0])
    return estimated(table, statistic, design, by=by, cluster=cluster)


@dataclass(frozen=True, slots=True, kw_only=True)
class MomentSums:
    """Means and standard deviations as sums about a rough mean.

    Parameters
    ----------
    values : str
        A column or a pattern of plausible values.
    minus_one : bool
        Whether the variance is divided by Σw − 1.
    centre : float, optional
        Rough mean of all groups; left out, each group has its own.
    """

    values: str
    minus_one: bool = False
    centre: float | None = None

    @property
    def variables(self) -> tuple[str, ...]:
        """The column or pattern."""
        return (self.values,)

    @property
    def categories(self) -> tuple[str, ...]:
        """None."""
        return ()

    def learned(self, ready: PreparedTable) -> MomentSums:
        """The same about the mean of these rows."""
        _, (matrix,), _ = complete_rows(ready, [self.values])
        return replace(self, centre=float(matrix[0].mean()))

    def part(self, ready: PreparedTable, breakdown: Breakdown) -> GroupSums:
        """Σ w(x − c) and Σ w(x − c)² of each plausible value."""
        rows, (matrix,), n_missing = complete_rows(ready, [self.values])
        cut = breakdown.cut(rows)
        centres = _rough_means(cut.groups, matrix)
        if self.centre is not None:
            centres[:] = self.centre
        if cut.pairs.runs is None:
            codes, of_row = cut.groups.codes, cut.pairs.of_row
            sums = sum_moments(matrix, centres, rows.scale, codes, of_row, cut.pairs.groups.size)
        else:
            sums = run_moments(matrix, centres, rows.scale, cut.pairs.runs, cut.pairs.groups)
        return cut.sums(cut.spread(sums), about=centres, n_missing=n_missing)

    def finish(self, total: GroupSums) -> Estimates:
        """Means and standard deviations of every group."""
        means, deviations = self._moments(total)
        estimates = np.stack([means, deviations], axis=1).transpose(0, 1, 3, 2)
        names = ["mean", "sd"]
        return gather(
            total, total.groups, self.values, names, estimates, n_missing_values=total.n_missing_values
        )

    def _moments(self, total: GroupSums) -> tuple[Floats, Floats]:
        """Mean and SD of shape (groups, weights, values)."""
        defined = total.totals > 0.0
        safe = np.where(defined, total.totals, 1.0)[:, :, np.newaxis]
        n_values = total.about.shape[1]
        shift = total.sums[:, :, :n_values] / safe
        variance = np.maximum(total.sums[:, :, n_values:] / safe - shift**2, 0.0)
        if self.minus_one:
            variance = variance * _minus_one_factor(total.groups, total.totals)[:, :, np.newaxis]
        means = total.about[:, np.newaxis, :] + shift
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
    """Unweighted mean of the first plausible value of some rows of each group: shape (groups, values).

    It only keeps digits, so some rows do; a group without any of them gets the mean of all.
    """
    step = max(groups.codes.size // (SOME_ROWS + 50 * groups.n.size), 1)
    codes, values = groups.codes[::step], matrix[0, ::step]
    kept = codes >= 0
    if not kept.all():
        codes, values = codes[kept], values[kept]
    count = np.bincount(codes, minlength=groups.n.size)
    sums = np.bincount(codes, weights=values, minlength=groups.n.size)
    common = values.mean() if values.size else matrix[0].mean()
    rough = np.where(count > 0, sums / np.maximum(count, 1), common)
    return np.ascontiguousarray(np.repeat(rough[:, np.newaxis], matrix.shape[0], axis=1))
