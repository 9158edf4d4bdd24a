"""Percentiles of plausible values or a plain column, by a named rule.

See ``docs/algorithms/percentiles.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.estimation.group_sums import as_breakdown
from lsakit.estimation.percentile_rules import RULES, refuse_uncountable
from lsakit.estimation.replication import form_groups, form_pairs, prepared, weight_sums
from lsakit.estimation.results import Estimates, gather
from lsakit.estimation.rows import complete_rows
from lsakit.estimation.sharded import ShardedTable
from lsakit.estimation.sharded_percentiles import HistogramSums, percentiles_of_shards
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.kernels.replication_percentiles import replicate_percentiles, rows_with_weight


def estimate_percentiles(
    table: Any,
    values: str,
    percentiles: Sequence[float],
    *,
    by: Sequence[str] | str | None = None,
    design: SurveyDesign | None = None,
    cluster: str | None = None,
    rule: str = "step",
) -> Estimates:
    """Estimate weighted percentiles with their standard errors.

    Parameters
    ----------
    table : PreparedTable or polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        One row per student.
    values : str
        A column, or a pattern of plausible values such as ``"PV{m}MATH"``.
    percentiles : Sequence of float
        Percentiles between 0 and 100, both excluded, such as ``[5, 25, 50, 75, 95]``.
    by : Sequence of str or str, optional
        Break-down columns.
    design : SurveyDesign, optional
        Where the weights are; may be left out for a prepared table.
    cluster : str, optional
        Column of the school, to count schools.
    rule : {"step", "rrepest", "midpoint", "average", "intsvy", "edsurvey_symmetric", "edsurvey_unbiased"}
        ``"step"``: first value whose cumulative weight is at least p of the total (RALSA, ILSAstats, EdSurvey's
        "simple"); ``"rrepest"``: first value above it (OECD's Rrepest); ``"midpoint"``: linear between the midpoints
        of the cumulative weights of distinct values; ``"average"``: as ``"rrepest"``, the mean of both neighbors
        where the target is met exactly (Stata); ``"intsvy"``: linear between whole places of 1 + (W − 1) p (Hmisc);
        the last two are EdSurvey's interpolating rules.

    Returns
    -------
    Estimates
        Statistics ``"p05"``, ``"p25"`` … of each group, in the unit of the values.

    Raises
    ------
    EstimationError
        If a percentile lies outside (0, 100) or stands twice, the rule is unknown, or it counts weights and those of
        a group sum to one or less.
    TableError
        If a weight is missing, or a value is not a number or is missing beside other plausible values of its row.
    DesignError
        If no design is given.

    Notes
    -----
    A cumulative weight within 1e-12 of the total of its target counts as equal to it, so that ten weights of
    0.1 reach one half after five. Shards are read twice, and the values under ``"step"`` and ``"rrepest"`` are exactly
    those of the table in memory.

    References
    ----------
    .. [1] Hyndman & Fan (1996), Sample quantiles in statistical packages, The American Statistician 50(4).
    .. [2] docs/algorithms/percentiles.md

    Examples
    --------
    >>> rows = {"X": [1.0, 3.0, 5.0, 7.0], "W": [1.0] * 4, "ZONE": [1, 1, 2, 2], "HALF": [1, 0, 1, 0]}
    >>> design = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    >>> estimate_percentiles(rows, "X", [50], design=design).table["estimate"].to_list()
    [3.0]
    >>> estimate_percentiles(rows, "X", [50], design=design, rule="rrepest").table["estimate"].to_list()
    [5.0]
    """
    if rule not in RULES:
        raise EstimationError(
            f"The 'rule' of percentiles is one of {', '.join(RULES)}. Got {rule!r}.", param="rule", got=rule
        )
    wanted = checked_percentiles(percentiles)
    if isinstance(table, ShardedTable):
        asked = HistogramSums(values=values, percentiles=tuple(wanted.tolist()), rule=rule)
        groups, found, total = percentiles_of_shards(table, asked, design, as_breakdown(by, cluster))
        names = [percentile_name(p) for p in wanted.tolist()]
        return gather(total, groups, values, names, found, n_missing_values=total.n_missing_values)
    ready, (matrix,), n_missing = complete_rows(prepared(table, design), [values])
    groups = form_groups(ready, by, cluster)
    totals = weight_sums(ready, groups, form_pairs(ready, groups))
    refuse_uncountable(groups, totals, rule)
    starts = np.concatenate([[0], np.cumsum(groups.n)])
    rows = np.argsort(groups.codes, kind="stable")[groups.n_missing_by :]
    shape = (groups.n.size, wanted.size, matrix.shape[0], ready.n_replicates + 1)
    estimates: NDArray[np.float64] = np.empty(shape)
    weights = (ready.scale, ready.cells, ready.ratios)
    for g in range(groups.n.size):
        members = rows[starts[g] : starts[g + 1]]
        counts = rows_with_weight(members, ready.cells, ready.ratios)
        for m, column in enumerate(matrix):
            order = members[np.argsort(column[members])]
            estimates[g, :, m] = replicate_percentiles(
                column, order, weights, wanted / 100.0, RULES[rule], counts
            )
    names = [percentile_name(p) for p in wanted.tolist()]
    return gather(ready, groups, values, names, estimates, n_missing_values=n_missing)


def percentile_name(percentile: float) -> str:
    """Name the statistic of a percentile.

    Parameters
    ----------
    percentile : float
        Percentile between 0 and 100.

    Returns
    -------
    str
        Such as ``"p05"`` or ``"p97.5"``.

    Examples
    --------
    >>> percentile_name(5), percentile_name(97.5)
    ('p05', 'p97.5')
    """
    whole, _, fraction = f"{percentile:g}".partition(".")
    return f"p{int(whole):02d}" + (f".{fraction}" if fraction else "")


def checked_percentiles(percentiles: Sequence[float]) -> NDArray[np.float64]:
    """Refuse percentiles outside (0, 100), twice the same, or none.

    Parameters
    ----------
    percentiles : Sequence of float
        As the user gave them.

    Returns
    -------
    ndarray of shape (n_percentiles,)
        The percentiles.

    Raises
    ------
    EstimationError
        If one is wrong.
    """
    try:
        wanted = np.atleast_1d(np.asarray(percentiles, dtype=np.float64))
    except (TypeError, ValueError):
        wanted = np.array([np.nan])
    names = [percentile_name(p) if 0.0 < p < 100.0 else "" for p in wanted.tolist()]
    if wanted.ndim != 1 or not names or "" in names or len(set(names)) < len(names):
        raise EstimationError(
            f"Percentiles lie between 0 and 100, both excluded, each once. Got {percentiles!r}.",
            hint="Such as [5, 25, 50, 75, 95].",
            param="percentiles",
            got=percentiles,
        )
    return wanted
