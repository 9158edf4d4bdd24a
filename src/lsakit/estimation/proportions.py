"""Shares of proficiency levels and of categories.

See ``docs/algorithms/proficiency_levels.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.estimation.group_sums import Breakdown, GroupSums
from lsakit.estimation.model_columns import category_codes, category_label, is_whole_known
from lsakit.estimation.replication import NoRowsError, PreparedTable
from lsakit.estimation.results import Estimates, gather
from lsakit.estimation.rows import complete_rows, rows_of
from lsakit.estimation.shard_sums import estimated
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.kernels.replication import sum_categories, sum_levels
from lsakit.kernels.replication_runs import run_levels

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
    statistic = LevelSums(values=values, cuts=tuple(bounds.tolist()))
    return estimated(table, statistic, design, by=by, cluster=cluster)


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelSums:
    """Shares of levels as sums of weights.

    Parameters
    ----------
    values : str
        A column or a pattern of plausible values.
    cuts : tuple of float
        Lower bounds of levels 1, 2 …, ascending.
    """

    values: str
    cuts: tuple[float, ...]

    @property
    def variables(self) -> tuple[str, ...]:
        """The column or pattern."""
        return (self.values,)

    @property
    def categories(self) -> tuple[str, ...]:
        """None."""
        return ()

    def learned(self, _ready: PreparedTable) -> LevelSums:
        """The same: nothing is to be learned."""
        return self

    def part(self, ready: PreparedTable, breakdown: Breakdown) -> GroupSums:
        """Sums of the weights of each level and plausible value."""
        rows, (matrix,), n_missing = complete_rows(ready, [self.values])
        cut = breakdown.cut(rows)
        bounds = np.array(self.cuts)
        n_pairs = cut.pairs.groups.size
        if cut.pairs.runs is None:
            sums = sum_levels(matrix, bounds, rows.scale, cut.groups.codes, cut.pairs.of_row, n_pairs)
        else:
            sums = run_levels(matrix, bounds, rows.scale, cut.pairs.runs, n_pairs)
        return cut.sums(cut.spread(sums), form=(matrix.shape[0],), n_missing=n_missing)

    def finish(self, total: GroupSums) -> Estimates:
        """Shares in each level and at or above it."""
        n_levels = len(self.cuts) + 1
        shares = _shares(total, (total.form[0], n_levels))
        above = np.cumsum(shares[:, ::-1], axis=1)[:, -2::-1]
        names = ["below_1", *(f"level_{k}" for k in range(1, n_levels))]
        names += [f"at_or_above_{k}" for k in range(1, n_levels)]
        estimates = np.concatenate([shares, above], axis=1)
        return gather(
            total, total.groups, self.values, names, estimates, n_missing_values=total.n_missing_values
        )


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
    return estimated(table, ShareSums(values=values), design, by=by, cluster=cluster)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareSums:
    """Shares of categories as sums of weights.

    Parameters
    ----------
    values : str
        Column of categories.
    """

    values: str

    @property
    def variables(self) -> tuple[str, ...]:
        """None."""
        return ()

    @property
    def categories(self) -> tuple[str, ...]:
        """The column."""
        return (self.values,)

    def learned(self, _ready: PreparedTable) -> ShareSums:
        """The same: nothing is to be learned."""
        return self

    def part(self, ready: PreparedTable, breakdown: Breakdown) -> GroupSums:
        """Sums of the weights of each category."""
        rows, (codes,), (labels,), n_missing = category_rows(ready, [self.values])
        cut = breakdown.cut(rows)
        shape = (cut.pairs.groups.size, len(labels))
        sums = sum_categories(codes[np.newaxis, :], rows.scale, cut.groups.codes, cut.pairs.of_row, shape)
        return cut.sums(cut.spread(sums), form=tuple(labels), n_missing=n_missing)

    def finish(self, total: GroupSums) -> Estimates:
        """The shares."""
        labels = list(total.form)
        return gather(
            total,
            total.groups,
            self.values,
            [f"share_{label}" for label in labels],
            _shares(total, (1, len(labels))),
            labels={"category": labels},
            n_missing_values=total.n_missing_values,
        )


def category_rows(
    ready: PreparedTable, names: Sequence[str]
) -> tuple[PreparedTable, list[Integers], list[list[str]], int]:
    """Keep the rows that have all of several columns of categories.

    Parameters
    ----------
    ready : PreparedTable
        Rows with their cells.
    names : Sequence of str
        Columns of categories.

    Returns
    -------
    ready : PreparedTable
        The rows that are complete.
    codes : list of ndarray of shape (n_complete_rows,)
        Category of each row, from 0.
    labels : list of list of str
        Categories of each column that occur among these rows, in ascending order; in a part of a larger table,
        those that occur in the larger one.
    n_missing : int
        Number of rows left out.

    Raises
    ------
    EstimationError
        If no row is complete.
    """
    read = [category_codes(ready, name) for name in names]
    valid = np.logical_and.reduce([codes >= 0 for codes, _ in read])
    if not valid.any():
        if len(names) == 1:
            raise NoRowsError(f"No row has a value in {names[0]!r}.", param=names[0])
        raise NoRowsError(f"No row has a value of {', '.join(names)}.", param=names[0])
    codes, labels = [], []
    for (found, keys), name in zip(read, names, strict=True):
        present, numbered = np.unique(found[valid], return_inverse=True)
        if is_whole_known(ready, name):
            present, numbered = np.arange(keys.height), found[valid]
        words = [category_label(value) for value in keys.get_column(name).to_list()]
        codes.append(numbered.astype(np.int64))
        labels.append([words[code] for code in present.tolist()])
    return rows_of(ready, valid), codes, labels, int(np.count_nonzero(~valid))


def _shares(total: GroupSums, shape: tuple[int, int]) -> Floats:
    """Shares of shape (groups, categories, values, weights); NaN under a weight that sums to zero."""
    safe = np.where(total.totals > 0.0, total.totals, np.nan)[:, :, np.newaxis]
    shares = (total.sums / safe).reshape(*total.totals.shape, *shape)
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
