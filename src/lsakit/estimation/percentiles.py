"""Percentiles of plausible values or a plain column, by a named rule.

See ``docs/algorithms/percentiles.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.estimation.replication import form_groups, form_pairs, prepared, weight_sums
from lsakit.estimation.results import Estimates, gather
from lsakit.estimation.rows import complete_rows
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.kernels.replication_percentiles import MIDPOINT, STEP, STRICT, replicate_percentiles

RULES = {"step": STEP, "rrepest": STRICT, "midpoint": MIDPOINT}


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
    rule : {"step", "rrepest", "midpoint"}
        ``"step"``: first value whose cumulative weight is at least p of the total (RALSA);
        ``"rrepest"``: first value above it (OECD's Rrepest); ``"midpoint"``: linear between the midpoints of
        the cumulative weights of distinct values.

    Returns
    -------
    Estimates
        Statistics ``"p05"``, ``"p25"`` … of each group, in the unit of the values.

    Raises
    ------
    EstimationError
        If a percentile lies outside (0, 100) or stands twice, or the rule is unknown.
    TableError
        If a weight is missing, or a value is not a number or is missing beside other plausible values of its row.
    DesignError
        If no design is given.

    Notes
    -----
    A cumulative weight within 1e-12 of the total of its target counts as equal to it, so that ten weights of
    0.1 reach one half after five.

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
    ready, (matrix,), n_missing = complete_rows(prepared(table, design), [values])
    groups = form_groups(ready, by, cluster)
    weight_sums(ready, groups, form_pairs(ready, groups))
    starts = np.concatenate([[0], np.cumsum(groups.n)])
    rows = np.argsort(groups.codes, kind="stable")[groups.n_missing_by :]
    shape = (groups.n.size, wanted.size, matrix.shape[0], ready.n_replicates + 1)
    estimates: NDArray[np.float64] = np.empty(shape)
    for g in range(groups.n.size):
        members = rows[starts[g] : starts[g + 1]]
        for m, column in enumerate(matrix):
            order = members[np.argsort(column[members])]
            estimates[g, :, m] = replicate_percentiles(
                column, order, ready.scale, ready.cells, ready.ratios, wanted / 100.0, RULES[rule]
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
