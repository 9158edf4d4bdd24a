"""Frequencies, cross-tables, and the Rao–Scott test of independence.

See ``docs/algorithms/cross_tables.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from lsakit.errors import EstimationError
from lsakit.estimation.group_sums import Breakdown, GroupSums
from lsakit.estimation.proportions import ShareSums, category_rows
from lsakit.estimation.replication import PreparedTable, group_name
from lsakit.estimation.results import Estimates, gather, nullable
from lsakit.estimation.shard_sums import estimated
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.io.frames import Table, make_table
from lsakit.kernels.replication import sum_categories

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossTable:
    """A cross-table with its test of independence.

    Parameters
    ----------
    cells : Estimates
        One row per group, cell and statistic: ``"total"`` (sum of weights), ``"share"`` (of the table),
        ``"row_share"`` and ``"column_share"``; the cell in the columns ``row`` and ``column``. ``n`` is the
        number of rows of the group.
    tests : polars.DataFrame
        One row per group: the break-down columns, ``pearson`` (X² of the weighted shares, times n),
        ``design_effect`` (mean eigenvalue), ``f``, ``df_1``, ``df_2``, ``p_value`` of the second-order
        Rao–Scott test; null where a replicate is undefined.
    """

    cells: Estimates
    tests: Table

    @property
    def table(self) -> Table:
        """The cells as a tidy table."""
        return self.cells.table


def estimate_frequencies(
    table: Any,
    values: str,
    *,
    by: Sequence[str] | str | None = None,
    design: SurveyDesign | None = None,
    cluster: str | None = None,
) -> Estimates:
    """Estimate totals, shares and cumulative shares of the categories of a column.

    Parameters
    ----------
    table : PreparedTable or polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        One row per student.
    values : str
        Column of categories.
    by : Sequence of str or str, optional
        Break-down columns.
    design : SurveyDesign, optional
        Where the weights are; may be left out for a prepared table.
    cluster : str, optional
        Column of the school, to count schools.

    Returns
    -------
    Estimates
        Statistics ``"total_<category>"`` (sum of weights: students), ``"share_<category>"`` and
        ``"cumulative_<category>"`` (0 to 1, categories in ascending order), with the category in a column
        ``category``.

    Raises
    ------
    EstimationError
        If no row has a category, or a group's valid weights sum to zero.
    TableError
        If the column is absent.
    DesignError
        If no design is given.

    References
    ----------
    .. [1] docs/algorithms/cross_tables.md

    Examples
    --------
    >>> rows = {"S": ["a", "a", "b", "a"], "W": [2.0] * 4, "ZONE": [1, 1, 2, 2], "HALF": [1, 0, 1, 0]}
    >>> design = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    >>> estimate_frequencies(rows, "S", design=design).table.select("statistic", "estimate").rows()[:2]
    [('total_a', 6.0), ('total_b', 2.0)]
    """
    return estimated(table, FrequencySums(values=values), design, by=by, cluster=cluster)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrequencySums(ShareSums):
    """Totals, shares and cumulative shares of categories as sums of weights."""

    def finish(self, total: GroupSums) -> Estimates:
        """Totals, shares and cumulative shares."""
        totals = total.sums.transpose(0, 2, 1)
        weights = totals.sum(axis=1, keepdims=True)
        shares = totals / np.where(weights > 0.0, weights, np.nan)
        estimates = np.concatenate([totals, shares, np.cumsum(shares, axis=1)], axis=1)
        names = [f"{word}_{label}" for word in ("total", "share", "cumulative") for label in total.form]
        return gather(
            total,
            total.groups,
            self.values,
            names,
            estimates[:, :, np.newaxis, :],
            labels={"category": list(total.form) * 3},
            n_missing_values=total.n_missing_values,
        )


def estimate_cross_table(
    table: Any,
    rows: str,
    columns: str,
    *,
    by: Sequence[str] | str | None = None,
    design: SurveyDesign | None = None,
    cluster: str | None = None,
) -> CrossTable:
    """Cross two columns of categories, and test whether they are independent.

    Parameters
    ----------
    table : PreparedTable or polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        One row per student.
    rows : str
        Column whose categories become rows.
    columns : str
        Column whose categories become columns.
    by : Sequence of str or str, optional
        Break-down columns; one cross-table and test per group.
    design : SurveyDesign, optional
        Where the weights are; may be left out for a prepared table.
    cluster : str, optional
        Column of the school, to count schools.

    Returns
    -------
    CrossTable
        The cells and the tests.

    Raises
    ------
    EstimationError
        If no row has both, a group's weights sum to zero, or a row or column of a group is empty.
    TableError
        If a column is absent.
    DesignError
        If no design is given.

    Notes
    -----
    The test is Rao and Scott's second-order correction in its F form. The covariance of the shares comes from the
    replicates; the degrees of freedom of the design are the rank of its replicate weights minus one. Both follow
    the R package ``survey`` (``svychisq``, ``statistic = "F"``).

    References
    ----------
    .. [1] Rao & Scott (1984), On chi-squared tests for multiway contingency tables with cell proportions
       estimated from survey data, Annals of Statistics 12(1), 46-60.
    .. [2] docs/algorithms/cross_tables.md

    Examples
    --------
    >>> data = {"A": list("xxyyxyxy"), "B": list("ppqqpqqp"), "W": [1.0] * 8,
    ...         "ZONE": [1, 1, 2, 2, 3, 3, 4, 4], "HALF": [1, 0] * 4}
    >>> design = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    >>> estimate_cross_table(data, "A", "B", design=design).tests["pearson"].to_list()
    [2.0]
    """
    if rows == columns:
        raise EstimationError(f"A cross-table needs two columns. Got {rows!r} twice.", param="columns")
    return estimated(table, CrossSums(rows=rows, columns=columns), design, by=by, cluster=cluster)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossSums:
    """A cross-table as sums of weights.

    Parameters
    ----------
    rows : str
        Column whose categories become rows.
    columns : str
        Column whose categories become columns.
    """

    rows: str
    columns: str

    @property
    def variables(self) -> tuple[str, ...]:
        """None."""
        return ()

    @property
    def categories(self) -> tuple[str, ...]:
        """Both columns."""
        return (self.rows, self.columns)

    def learned(self, _ready: PreparedTable) -> CrossSums:
        """The same: nothing is to be learned."""
        return self

    def part(self, ready: PreparedTable, breakdown: Breakdown) -> GroupSums:
        """Sums of the weights of each cell."""
        kept, codes, labels, n_missing = category_rows(ready, self.categories)
        cut = breakdown.cut(kept)
        n_rows, n_columns = len(labels[0]), len(labels[1])
        shape = (cut.pairs.groups.size, n_rows * n_columns)
        joint = (codes[0] * n_columns + codes[1])[np.newaxis]
        sums = sum_categories(joint, kept.scale, cut.groups.codes, cut.pairs.of_row, shape)
        form = (tuple(labels[0]), tuple(labels[1]))
        part = cut.sums(cut.spread(sums), form=form, n_missing=n_missing)
        return replace(part, root=ratio_root(ready))

    def finish(self, total: GroupSums) -> CrossTable:
        """Totals and shares of the cells, and the test of independence."""
        words = ("total", "share", "row_share", "column_share")
        cells = [(a, b) for a in total.form[0] for b in total.form[1]]
        totals = total.sums.transpose(0, 2, 1)
        square = totals.reshape(total.groups.n.size, len(total.form[0]), len(total.form[1]), -1)

        def part(of: Floats) -> Floats:
            return square / np.where(of > 0.0, of, np.nan)

        shares = part(square.sum(axis=(1, 2), keepdims=True))
        pieces = [
            square,
            shares,
            part(square.sum(axis=2, keepdims=True)),
            part(square.sum(axis=1, keepdims=True)),
        ]
        estimates = np.concatenate([piece.reshape(totals.shape) for piece in pieces], axis=1)
        cell_table = gather(
            total,
            total.groups,
            f"{self.rows} × {self.columns}",
            [word for word in words for _ in cells],
            estimates[:, :, np.newaxis, :],
            labels={"row": [a for a, _ in cells] * 4, "column": [b for _, b in cells] * 4},
            n_missing_values=total.n_missing_values,
        )
        return CrossTable(cells=cell_table, tests=_tests(total, shares))


def ratio_root(ready: PreparedTable) -> Floats:
    """A triangle with the same singular values as the cells' replicate ratios.

    Parameters
    ----------
    ready : PreparedTable
        Rows with their cells.

    Returns
    -------
    ndarray of shape (min(n_cells, n_replicates), n_replicates)
        Triangles of parts can be joined without keeping the cells.
    """
    return np.asarray(np.linalg.qr(ready.ratios[:, 1:], mode="r"))


def design_degrees(root: Floats) -> int:
    """Degrees of freedom of a design: the rank of its replicate weights minus one.

    Parameters
    ----------
    root : ndarray of shape (n_rows, n_replicates)
        Triangle of the replicate ratios (`ratio_root`).

    Returns
    -------
    int
        As `survey::degf` counts them.
    """
    return int(np.linalg.matrix_rank(root)) - 1


def _tests(total: GroupSums, shares: Floats) -> Table:
    """Second-order Rao–Scott test of each group from shares of shape (groups, rows, columns, weights)."""
    groups = total.groups
    degrees = max(design_degrees(total.root), 1)
    coefficients = total.design.variance_coefficients(total.n_replicates)
    columns: dict[str, list[float]] = {
        k: [] for k in ("pearson", "design_effect", "f", "df_1", "df_2", "p_value")
    }
    for g in range(groups.n.size):
        found = _rao_scott(shares[g], coefficients, int(groups.n[g]), degrees, group_name(groups, g))
        for name, value in zip(columns, found, strict=True):
            columns[name].append(value)
    keys: dict[str, Any] = dict(groups.keys)
    return make_table(keys | {name: nullable(np.array(values)) for name, values in columns.items()})


def _rao_scott(
    shares: Floats, coefficients: Floats, n: int, degrees: int, name: str
) -> tuple[float, float, float, float, float, float]:
    """X², mean eigenvalue, F, its degrees of freedom and p of one group."""
    full = shares[..., 0]
    row, column = full.sum(axis=1), full.sum(axis=0)
    if not ((row > 0.0).all() and (column > 0.0).all()):
        raise EstimationError(
            "A row or column of the cross-table is empty.",
            where=[name],
            why="The test of independence is not defined there.",
            hint="Leave the group out, or join categories.",
            param="by",
        )
    n_rows, n_columns = full.shape
    expected = np.outer(row, column)
    pearson = n * float(((full - expected) ** 2 / expected).sum())
    replicates = shares[..., 1:].reshape(n_rows * n_columns, -1)
    if n_rows < 2 or n_columns < 2:
        raise EstimationError("A cross-table needs two rows and two columns.", where=[name], param="rows")
    if not np.isfinite(replicates).all():
        return pearson, np.nan, np.nan, np.nan, np.nan, np.nan
    deviations = replicates - full.reshape(-1, 1)
    covariance = (deviations * coefficients) @ deviations.T
    eigenvalues = _generalized_design_effects(covariance, full, n)
    mean = float(eigenvalues.mean())
    if not mean > 0.0:
        return pearson, 0.0, np.nan, np.nan, np.nan, np.nan
    first = float(eigenvalues.sum() ** 2 / (eigenvalues**2).sum())
    f = pearson / float(eigenvalues.sum())
    return pearson, mean, f, first, first * degrees, float(stats.f.sf(f, first, first * degrees))


def _generalized_design_effects(covariance: Floats, full: Floats, n: int) -> Floats:
    """Eigenvalues of the design effects of the interaction contrasts, at the observed shares."""
    n_rows, n_columns = full.shape
    row = np.repeat(np.eye(n_rows)[:, 1:], n_columns, axis=0)
    column = np.tile(np.eye(n_columns)[:, 1:], (n_rows, 1))
    main = np.concatenate([np.ones((full.size, 1)), row, column], axis=1)
    crossed = (row[:, :, np.newaxis] * column[:, np.newaxis, :]).reshape(full.size, -1)
    contrasts = crossed - main @ np.linalg.lstsq(main, crossed, rcond=None)[0]
    p = full.reshape(-1)
    inverse = np.divide(1.0, p, out=np.zeros(p.size), where=p > 0.0)[:, np.newaxis]
    simple = contrasts.T @ (inverse * contrasts) / n
    observed = (inverse * contrasts).T @ covariance @ (inverse * contrasts)
    return np.asarray(np.linalg.eigvals(np.linalg.solve(simple, observed)).real)
