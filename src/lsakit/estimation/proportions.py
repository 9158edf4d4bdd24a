"""Shares of proficiency levels and of categories.

See ``docs/algorithms/proficiency_levels.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.estimation.model_columns import category_label
from lsakit.estimation.replication import (
    Groups,
    PreparedTable,
    form_groups,
    form_pairs,
    key_codes,
    prepared,
    sums_under_weights,
    weight_sums,
)
from lsakit.estimation.results import Estimates, gather
from lsakit.estimation.rows import complete_rows, rows_of
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.kernels.replication import sum_categories, sum_levels

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def estimate_levels(
    table: Any,
    values: str,
    *,
    cuts: Sequence[float],
    by: Sequence[str] | str | None = None,
    design: SurveyDesign | None = None,
    cluster: str | None = None,
) -> Estimates:
    """Estimate the shares of students in each proficiency level and at or above it.

    Parameters
    ----------
    table : PreparedTable or polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        One row per student.
    values : str
        A pattern of plausible values such as ``"PV{m}MATH"``, or a column.
    cuts : Sequence of float
        Lower bounds of levels 1, 2 …, ascending, in the unit of the values.
    by : Sequence of str or str, optional
        Break-down columns.
    design : SurveyDesign, optional
        Where the weights are; may be left out for a prepared table.
    cluster : str, optional
        Column of the school, to count schools.

    Returns
    -------
    Estimates
        Statistics ``"below_1"``, ``"level_1"`` …, ``"at_or_above_1"`` … of each group, shares from 0 to 1.

    Raises
    ------
    EstimationError
        If the cuts are not finite and ascending.
    TableError
        If a weight is missing, or a value is not a number or is missing beside other plausible values of its row.
    DesignError
        If no design is given.

    Notes
    -----
    Rows without a value are left out and counted in ``n_missing_values``. A value equal to a cut belongs to the level above it: level l is ``cut_l <= x < cut_(l+1)``.

    References
    ----------
    .. [1] OECD (2009), PISA Data Analysis Manual, 2nd ed., ch. 9.
    .. [2] docs/algorithms/proficiency_levels.md

    Examples
    --------
    >>> rows = {"X": [1.0, 3.0, 5.0, 7.0], "W": [1.0] * 4, "ZONE": [1, 1, 2, 2], "HALF": [1, 0, 1, 0]}
    >>> design = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    >>> estimate_levels(rows, "X", cuts=[3.0], design=design).table.select("statistic", "estimate").rows()
    [('below_1', 0.25), ('level_1', 0.75), ('at_or_above_1', 0.75)]
    """
    bounds = _checked_cuts(cuts)
    ready, (matrix,), n_missing = complete_rows(prepared(table, design), [values])
    groups = form_groups(ready, by, cluster)
    pairs = form_pairs(ready, groups)
    sums = sum_levels(matrix, bounds, ready.scale, groups.codes, pairs.of_row, pairs.groups.size)
    shares = _shares(ready, groups, sums, (matrix.shape[0], bounds.size + 1))
    above = np.cumsum(shares[:, ::-1], axis=1)[:, -2::-1]
    names = ["below_1", *(f"level_{k + 1}" for k in range(bounds.size))]
    names += [f"at_or_above_{k + 1}" for k in range(bounds.size)]
    estimates = np.concatenate([shares, above], axis=1)
    return gather(ready, groups, values, names, estimates, n_missing_values=n_missing)


def estimate_proportions(
    table: Any,
    values: str,
    *,
    by: Sequence[str] | str | None = None,
    design: SurveyDesign | None = None,
    cluster: str | None = None,
) -> Estimates:
    """Estimate the share of each category of a column.

    Parameters
    ----------
    table : PreparedTable or polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        One row per student.
    values : str
        Column of categories (text, whole numbers or truth values).
    by : Sequence of str or str, optional
        Break-down columns.
    design : SurveyDesign, optional
        Where the weights are; may be left out for a prepared table.
    cluster : str, optional
        Column of the school, to count schools.

    Returns
    -------
    Estimates
        Statistics ``"share_<category>"`` of each group, shares from 0 to 1, with the category as text in a
        column ``category``. Categories absent from a group have the share 0.

    Raises
    ------
    EstimationError
        If no row has a category, or a group's valid weights sum to zero.
    TableError
        If the column is absent, or a weight is missing or not a number.
    DesignError
        If no design is given.

    Notes
    -----
    Shares are of the valid answers: rows without a category leave the table and are counted in
    ``n_missing_values``.

    References
    ----------
    .. [1] docs/algorithms/proficiency_levels.md

    Examples
    --------
    >>> rows = {"S": ["a", "a", "b", "a"], "W": [1.0] * 4, "ZONE": [1, 1, 2, 2], "HALF": [1, 0, 1, 0]}
    >>> design = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    >>> estimate_proportions(rows, "S", design=design).table.select("category", "estimate").rows()
    [('a', 0.75), ('b', 0.25)]
    """
    ready = prepared(table, design)
    codes, categories = key_codes(ready.table, [values])
    valid = codes >= 0
    if not valid.any():
        raise EstimationError(f"No row has a value in {values!r}.", param=values)
    ready = rows_of(ready, valid)
    groups = form_groups(ready, by, cluster)
    pairs = form_pairs(ready, groups)
    shape = (pairs.groups.size, categories.height)
    sums = sum_categories(codes[valid][np.newaxis, :], ready.scale, groups.codes, pairs.of_row, shape)
    shares = _shares(ready, groups, sums, (1, categories.height))
    labels = [category_label(value) for value in categories.get_column(values).to_list()]
    return gather(
        ready,
        groups,
        values,
        [f"share_{label}" for label in labels],
        shares,
        labels={"category": labels},
        n_missing_values=int(np.count_nonzero(~valid)),
    )


def _shares(ready: PreparedTable, groups: Groups, sums: Floats, shape: tuple[int, int]) -> Floats:
    """Shares of shape (groups, categories, values, weights); NaN under a weight that sums to zero."""
    pairs = form_pairs(ready, groups)
    totals = weight_sums(ready, groups, pairs)
    spread = sums_under_weights(ready, pairs, sums)
    safe = np.where(totals > 0.0, totals, np.nan)[:, :, np.newaxis]
    shares = (spread / safe).reshape(groups.n.size, ready.n_replicates + 1, *shape)
    return np.asarray(shares.transpose(0, 3, 2, 1))


def _checked_cuts(cuts: Sequence[float]) -> Floats:
    """Refuse cuts that are not finite and ascending."""
    try:
        bounds = np.asarray(cuts, dtype=np.float64)
    except (TypeError, ValueError):
        bounds = np.array([np.nan])
    if bounds.ndim != 1 or bounds.size == 0 or not np.isfinite(bounds).all() or (np.diff(bounds) <= 0).any():
        raise EstimationError(
            f"The 'cuts' must be finite and ascending. Got {cuts!r}.",
            hint="Give the lower bound of level 1 first, such as [357.77, 420.07, 482.38].",
            param="cuts",
            got=cuts,
        )
    return bounds
