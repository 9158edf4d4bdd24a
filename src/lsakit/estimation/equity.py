"""Gradients, relative risk and resilience: how achievement follows advantage.

See ``docs/algorithms/equity.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.estimation.formula import Formula, read_formula
from lsakit.estimation.group_sums import Breakdown, GroupSums
from lsakit.estimation.model_columns import Model, formula_variables, model_columns
from lsakit.estimation.regression import estimate_regression
from lsakit.estimation.replication import (
    Groups,
    PreparedTable,
    form_groups,
    form_pairs,
    group_name,
    prepared,
    weight_sums,
)
from lsakit.estimation.results import Estimates, gather
from lsakit.estimation.rows import complete_rows
from lsakit.estimation.shard_sums import estimated
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.io.frames import select_rows, with_columns
from lsakit.kernels.replication import sum_categories
from lsakit.kernels.replication_percentiles import STEP, replicate_percentiles

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def estimate_gradient(
    table: Any,
    values: str,
    index: str,
    *,
    by: Sequence[str] | str | None = None,
    design: SurveyDesign | None = None,
    cluster: str | None = None,
) -> Estimates:
    """Estimate the socio-economic gradient: its level, slope and strength.

    Parameters
    ----------
    table : PreparedTable or polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        One row per student.
    values : str
        Achievement: a column or a pattern of plausible values.
    index : str
        Index of socio-economic status, such as ``"ESCS"``.
    by : Sequence of str or str, optional
        Break-down columns; one gradient per group.
    design : SurveyDesign, optional
        Where the weights are; may be left out for a prepared table.
    cluster : str, optional
        Column of the school, to count schools.

    Returns
    -------
    Estimates
        ``"level"`` (achievement where the index is 0), ``"slope"`` (points per unit of the index) and
        ``"strength"`` (share of the variance of achievement that the index accounts for, 0 to 1).

    Raises
    ------
    EstimationError
        As `estimate_regression` does.
    TableError
        If a column is absent or not numeric.
    DesignError
        If no design is given.

    References
    ----------
    .. [1] OECD (2009), PISA Data Analysis Manual, 2nd ed., ch. 6.
    .. [2] docs/algorithms/equity.md

    Examples
    --------
    >>> rows = {"Y": [2.0, 4.0, 6.0, 9.0], "X": [1.0, 2.0, 3.0, 4.0], "W": [1.0] * 4,
    ...         "ZONE": [1, 1, 2, 2], "HALF": [1, 0, 1, 0]}
    >>> design = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    >>> result = estimate_gradient(rows, "Y", "X", design=design)
    >>> [(name, round(value, 4)) for name, value in result.table.select("statistic", "estimate").rows()]
    [('level', -0.5), ('slope', 2.3), ('strength', 0.9888)]
    """
    formula = f"`{values}` ~ `{index}`"
    result = estimate_regression(table, formula, by=by, design=design, cluster=cluster)
    names = {"(Intercept)": "level", index: "slope", "r_squared": "strength"}
    statistics = result.table.get_column("statistic").to_list()
    kept = np.array([name in names for name in statistics])
    renamed = {"statistic": [names[name] for name in statistics if name in names]}
    return replace(
        result,
        table=with_columns(select_rows(result.table, kept), renamed),
        values=f"{values} by {index}",
        replicate_estimates=result.replicate_estimates[kept],
    )


def estimate_relative_risk(
    table: Any,
    outcome: str,
    exposure: str,
    *,
    by: Sequence[str] | str | None = None,
    design: SurveyDesign | None = None,
    cluster: str | None = None,
) -> Estimates:
    """Estimate how much likelier an outcome is for those exposed than for the others.

    Parameters
    ----------
    table : PreparedTable or polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        One row per student.
    outcome : str
        Condition such as ``"PV{m}MATH < 420.07"``, or a column of 0 and 1.
    exposure : str
        Condition such as ``"ESCS_QUARTER == 1"`` or ``"AREA == 'rural'"``, or a column of 0 and 1.
    by : Sequence of str or str, optional
        Break-down columns.
    design : SurveyDesign, optional
        Where the weights are; may be left out for a prepared table.
    cluster : str, optional
        Column of the school, to count schools.

    Returns
    -------
    Estimates
        ``"risk_exposed"`` and ``"risk_unexposed"`` (0 to 1), ``"relative_risk"``, ``"odds_ratio"``,
        ``"risk_difference"`` and ``"attributable_risk"`` (share of the outcome that would vanish if the exposed had
        the risk of the others).

    Raises
    ------
    EstimationError
        If a condition cannot be read, or a group has nobody exposed, nobody unexposed, or no outcome among the
        unexposed.
    TableError
        If a column is absent or not numeric.
    DesignError
        If no design is given.

    References
    ----------
    .. [1] OECD (2009), PISA Data Analysis Manual, 2nd ed., ch. 16.
    .. [2] docs/algorithms/equity.md

    Examples
    --------
    >>> rows = {"LOW": [1, 1, 0, 0, 1, 0, 0, 0], "POOR": [1, 1, 1, 1, 0, 0, 0, 0], "W": [1.0] * 8,
    ...         "ZONE": [1, 1, 1, 1, 2, 2, 2, 2], "HALF": [1, 0] * 4}
    >>> design = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    >>> result = estimate_relative_risk(rows, "LOW", "POOR", design=design)
    >>> [(name, round(value, 4)) for name, value in result.table.select("statistic", "estimate").rows()[2:4]]
    [('relative_risk', 2.0), ('odds_ratio', 3.0)]
    """
    statistic = RiskSums(outcome=outcome, exposure=exposure)
    return estimated(table, statistic, design, by=by, cluster=cluster)


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskSums:
    """Risks as sums of the weights of four cells.

    Parameters
    ----------
    outcome : str
        A condition, or a column of 0 and 1.
    exposure : str
        A condition, or a column of 0 and 1.
    """

    outcome: str
    exposure: str

    @property
    def formula(self) -> Formula:
        """Both conditions as one formula."""
        return read_formula(f"{self.outcome} ~ 1").crossed(f"{self.exposure} ~ 1")

    @property
    def variables(self) -> tuple[str, ...]:
        """Columns and patterns that are numbers."""
        return formula_variables(self.formula)[0]

    @property
    def categories(self) -> tuple[str, ...]:
        """Columns of categories."""
        return formula_variables(self.formula)[1]

    def learned(self, _ready: PreparedTable) -> RiskSums:
        """The same: nothing is to be learned."""
        return self

    def part(self, ready: PreparedTable, breakdown: Breakdown) -> GroupSums:
        """Sums of weights: exposed with and without the outcome, unexposed with and without it."""
        model = model_columns(ready, self.formula)
        cut = breakdown.cut(model.ready)
        codes = _two_by_two(model)
        sums = sum_categories(
            codes, model.ready.scale, cut.groups.codes, cut.pairs.of_row, (cut.pairs.groups.size, 4)
        )
        return cut.sums(cut.spread(sums), form=(codes.shape[0],), n_missing=model.n_missing)

    def finish(self, total: GroupSums) -> Estimates:
        """Risks, their ratio, odds ratio, difference, and the attributable risk."""
        shaped = total.sums.reshape(*total.totals.shape, total.form[0], 4)
        cells = shaped.transpose(0, 3, 2, 1)
        both, exposed_only, outcome_only, neither = (cells[:, k] for k in range(4))
        exposed, unexposed = both + exposed_only, outcome_only + neither
        names = (self.outcome, self.exposure)
        _refuse_without(total.groups, exposed, unexposed, outcome_only, names)
        with np.errstate(divide="ignore", invalid="ignore"):
            risk, other = both / exposed, outcome_only / unexposed
            ratio = risk / other
            share = exposed / (exposed + unexposed)
            odds = both * neither / (exposed_only * outcome_only)
            attributable = share * (ratio - 1.0) / (share * (ratio - 1.0) + 1.0)
        estimates = np.stack([risk, other, ratio, odds, risk - other, attributable], axis=1)
        statistics = ["risk_exposed", "risk_unexposed", "relative_risk", "odds_ratio"]
        statistics += ["risk_difference", "attributable_risk"]
        finite = np.where(np.isfinite(estimates), estimates, np.nan)
        label = f"{self.outcome} given {self.exposure}"
        return gather(total, total.groups, label, statistics, finite, n_missing_values=total.n_missing_values)


def estimate_resilience(
    table: Any,
    values: str,
    index: str,
    *,
    cut: float | None = None,
    by: Sequence[str] | str | None = None,
    design: SurveyDesign | None = None,
) -> Estimates:
    """Estimate the share of disadvantaged students who do well all the same.

    Parameters
    ----------
    table : PreparedTable or polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        One row per student.
    values : str
        Achievement: a column or a pattern of plausible values.
    index : str
        Index of socio-economic status; the disadvantaged are its lowest quarter within the group.
    cut : float, optional
        What counts as doing well, in the unit of the values. Left out, it is the highest quarter of the group.
    by : Sequence of str or str, optional
        Break-down columns, such as the country.
    design : SurveyDesign, optional
        Where the weights are; may be left out for a prepared table.

    Returns
    -------
    Estimates
        ``"resilient"``: share (0 to 1) of the disadvantaged at or above the cut, or above the 75th percentile.

    Raises
    ------
    EstimationError
        If a group's weights sum to zero.
    TableError
        If a column is absent or not numeric.
    DesignError
        If no design is given.

    Notes
    -----
    The bounds of both quarters are found anew under each weight and plausible value, so that their own error
    counts. Values equal to the 25th percentile of the index (rule ``step``) count as disadvantaged.

    References
    ----------
    .. [1] OECD (2019), PISA 2018 Results (Volume II), ch. 3.
    .. [2] docs/algorithms/equity.md

    Examples
    --------
    >>> rows = {"Y": [9.0, 1.0, 2.0, 8.0, 5.0, 6.0, 7.0, 3.0], "X": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
    ...         "W": [1.0] * 8, "ZONE": [1, 1, 1, 1, 2, 2, 2, 2], "HALF": [1, 0] * 4}
    >>> design = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    >>> estimate_resilience(rows, "Y", "X", design=design).table["estimate"].to_list()
    [0.5]
    """
    ready, (scores, status), n_missing = complete_rows(prepared(table, design), [values, index])
    if status.shape[0] > 1:
        raise EstimationError("The index is one column, not a pattern of plausible values.", param="index")
    groups = form_groups(ready, by, None)
    weight_sums(ready, groups, form_pairs(ready, groups))
    n_weights = ready.n_replicates + 1
    shares: Floats = np.full((groups.n.size, 1, scores.shape[0], n_weights), np.nan)
    for g in range(groups.n.size):
        members = np.flatnonzero(groups.codes == g)
        own = status[0, members]

        def bounds(column: Floats, share: float, rows: NDArray[np.int64] = members) -> Floats:
            order = rows[np.argsort(column[rows], kind="stable")]
            found: Floats = replicate_percentiles(
                column, order, (ready.scale, ready.cells, ready.ratios), np.array([share]), STEP, np.zeros(0)
            )
            return np.asarray(found[0])

        poor = bounds(status[0], 0.25)
        weights = ready.scale[members] * ready.ratios[ready.cells[members]].T
        for m in range(scores.shape[0]):
            high = bounds(scores[m], 0.75) if cut is None else np.full(n_weights, float(cut))
            for r in range(n_weights):
                below = weights[r] * (own <= poor[r])
                well = scores[m, members] > high[r] if cut is None else scores[m, members] >= high[r]
                total = below.sum()
                if total > 0.0:
                    shares[g, 0, m, r] = (below * well).sum() / total
    label = f"{values} by {index}"
    return gather(ready, groups, label, ["resilient"], shares, n_missing_values=n_missing)


def _two_by_two(model: Model) -> Integers:
    """Cell of each plausible value and row: both 0, exposed only 1, outcome only 2, neither 3."""
    outcome, exposure = model.outcome, model.predictors[0]
    for name, column in (("outcome", outcome), ("exposure", exposure)):
        wrong = np.unique(column[(column != 0.0) & (column != 1.0)])
        if wrong.size:
            raise EstimationError(
                f"The {name} of a risk is 0 or 1. Got {wrong[0]:g}.",
                hint="Write a condition, such as 'PV{m}MATH < 420.07'.",
                param=name,
            )
    codes = 3 - (2 * exposure + outcome).astype(np.int64)
    return np.ascontiguousarray(np.broadcast_to(codes, (model.n_plausible_values, codes.shape[1])))


def _refuse_without(
    groups: Groups, exposed: Floats, unexposed: Floats, outcome_only: Floats, names: tuple[str, str]
) -> None:
    """Refuse groups in which a risk is not defined under the final weight."""
    outcome, exposure = names
    for part, sentence in (
        (exposed, f"Nobody is exposed ({exposure})"),
        (unexposed, f"Everybody is exposed ({exposure})"),
        (outcome_only, f"Nobody of the unexposed has the outcome ({outcome})"),
    ):
        failed = np.flatnonzero((part[..., 0] <= 0.0).any(axis=1))
        if failed.size:
            raise EstimationError(
                f"{sentence} in {failed.size} of {groups.n.size} groups.",
                where=[group_name(groups, int(g)) for g in failed],
                why="The relative risk is not defined there.",
                hint="Leave those groups out.",
                param="exposure",
            )
