"""Cross products of columns in every group, under every weight and for every plausible value.

See ``docs/algorithms/regression.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lsakit.estimation.replication import Groups, Pairs, PreparedTable, sums_under_weights
from lsakit.kernels.replication_products import scale_into, sum_outcome_products, sum_products
from lsakit.kernels.replication_runs import move_and_scale, run_outcome_products

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SOME_ROWS = 20_000
"""Rows from which the spread of a column is taken; it only scales, and the results do not depend on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossProducts:
    """Cross products of columns that were moved and scaled so that no digits are lost.

    Parameters
    ----------
    products : ndarray of shape (n_groups, n_replicates + 1, n_plausible_values, n_columns, n_columns)
        Σ w x y of every pair of columns ``(x − centre) / scale``; the last axes are symmetric.
    centres : ndarray of shape (n_groups, n_columns)
        What was subtracted, in the unit of the column.
    scales : ndarray of shape (n_columns,)
        What was divided by, in the unit of the column.
    """

    products: Floats
    centres: Floats
    scales: Floats


def cross_products(
    ready: PreparedTable, groups: Groups, pairs: Pairs, columns: Sequence[Floats], *, is_centred: bool
) -> CrossProducts:
    """Add up all cross products in one pass per plausible value.

    Parameters
    ----------
    ready : PreparedTable
        Rows with their cells.
    groups : Groups
        Their groups.
    pairs : Pairs
        Their (group, cell) pairs.
    columns : Sequence of ndarray of shape (n_plausible_values, n_rows)
        Columns of one line, or of one line per plausible value.
    is_centred : bool
        Whether columns that vary are moved to a rough mean of their group; needs a constant among them.

    Returns
    -------
    CrossProducts
        The products, their centres and scales.
    """
    frame = column_frame(groups, columns, is_centred=is_centred)
    spread = sums_under_weights(ready, pairs, product_sums(ready, groups, pairs, columns, frame))
    return arranged(spread, tuple(column.shape[0] for column in columns), frame)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFrame:
    """What is subtracted from columns and what they are divided by.

    Parameters
    ----------
    centres : ndarray of shape (n_groups, n_columns)
        What is subtracted in each group, in the unit of the column.
    scales : ndarray of shape (n_columns,)
        What is divided by, in the unit of the column.
    """

    centres: Floats
    scales: Floats


def product_sums(
    ready: PreparedTable, groups: Groups, pairs: Pairs, columns: Sequence[Floats], frame: ColumnFrame
) -> Floats:
    """Add up the products of moved and scaled columns in every (group, cell) pair.

    Parameters
    ----------
    ready : PreparedTable
        Rows with their cells.
    groups : Groups
        Their groups.
    pairs : Pairs
        Their (group, cell) pairs.
    columns : Sequence of ndarray of shape (n_plausible_values, n_rows)
        Columns of one line, or of one line per plausible value.
    frame : ColumnFrame
        Centres and scales.

    Returns
    -------
    ndarray of shape (n_pairs, n_products)
        Products of the first plausible value, then those of each further one that differ from it.
    """
    n_values, varies, first, second, wanted = _products(tuple(column.shape[0] for column in columns))
    if n_values > 1 and varies[-1] and not varies[:-1].any():
        return _sums_of_outcome(ready, groups, pairs, columns, frame)
    rows = _scaled_rows(groups, columns, frame)
    parts = []
    for m in range(n_values):
        for k in np.flatnonzero(varies).tolist() if m else ():
            centres = frame.centres[:, k].copy()
            scale_into(rows, k, columns[k][m], centres, float(frame.scales[k]), groups.codes)
        a, b = first[wanted[m]].astype(np.int64), second[wanted[m]].astype(np.int64)
        parts.append(sum_products(rows, a, b, ready.scale, groups.codes, pairs.of_row, pairs.groups.size))
    return np.concatenate(parts, axis=1)


def arranged(spread: Floats, lines: tuple[int, ...], frame: ColumnFrame) -> CrossProducts:
    """Lay sums of products out as symmetric matrices.

    Parameters
    ----------
    spread : ndarray of shape (n_groups, n_replicates + 1, n_products)
        Sums under every weight, in the order of `product_sums`.
    lines : tuple of int
        Number of lines of each column: 1, or the number of plausible values.
    frame : ColumnFrame
        Centres and scales.

    Returns
    -------
    CrossProducts
        The products, their centres and scales.
    """
    n_values, _, first, second, wanted = _products(lines)
    width = len(lines)
    products: Floats = np.empty((*spread.shape[:2], n_values, width, width))
    begin = 0
    for m in range(n_values):
        if m:
            products[:, :, m] = products[:, :, 0]
        a, b = first[wanted[m]], second[wanted[m]]
        own = spread[:, :, begin : begin + a.size]
        products[:, :, m, a, b] = own
        products[:, :, m, b, a] = own
        begin += a.size
    return CrossProducts(products=products, centres=frame.centres, scales=frame.scales)


def _products(lines: tuple[int, ...]) -> tuple[int, NDArray[np.bool_], Integers, Integers, list[Integers]]:
    """Number of plausible values, which columns vary with them, and the products that are summed for each."""
    n_values = max(lines)
    varies = np.array([count > 1 for count in lines])
    first, second = np.tril_indices(len(lines))
    touched = varies[first] | varies[second]
    wanted = [np.arange(first.size) if m == 0 else np.flatnonzero(touched) for m in range(n_values)]
    return n_values, varies, first, second, wanted


def _sums_of_outcome(
    ready: PreparedTable,
    groups: Groups,
    pairs: Pairs,
    columns: Sequence[Floats],
    frame: ColumnFrame,
) -> Floats:
    """Sums where the last column alone has plausible values: the predictors once, the outcome in one pass."""
    if pairs.runs is not None:
        predictors = _scaled_columns(groups, columns[:-1], frame)
        last = (columns[-1], np.ascontiguousarray(frame.centres[:, -1]), float(frame.scales[-1]))
        return run_outcome_products(predictors, last, ready.scale, pairs.runs, pairs.groups)
    rows = _scaled_rows(groups, columns[:-1], frame)
    first, second = (index.astype(np.int64) for index in np.tril_indices(len(columns) - 1))
    fixed = sum_products(rows, first, second, ready.scale, groups.codes, pairs.of_row, pairs.groups.size)
    outcome = sum_outcome_products(
        rows,
        (columns[-1], np.ascontiguousarray(frame.centres[:, -1]), float(frame.scales[-1])),
        ready.scale,
        groups.codes,
        pairs.of_row,
        pairs.groups.size,
    )
    return np.concatenate([fixed, outcome], axis=1)


def column_frame(groups: Groups, columns: Sequence[Floats], *, is_centred: bool) -> ColumnFrame:
    """Take a rough mean of each group and a rough spread of each column, from the first plausible value.

    Parameters
    ----------
    groups : Groups
        Groups of the rows.
    columns : Sequence of ndarray of shape (n_plausible_values, n_rows)
        The columns.
    is_centred : bool
        Whether columns that vary are moved to a rough mean of their group.

    Returns
    -------
    ColumnFrame
        They only move and scale; the results do not depend on them.
    """
    step = max(groups.codes.size // (SOME_ROWS + 50 * groups.n.size), 1)
    kept = np.flatnonzero(groups.codes[::step] >= 0) * step
    if not kept.size:
        kept = np.flatnonzero(groups.codes >= 0)
    codes = groups.codes[kept]
    count = np.bincount(codes, minlength=groups.n.size)
    centres: Floats = np.zeros((groups.n.size, len(columns)))
    scales: Floats = np.ones(len(columns))
    for k, column in enumerate(columns):
        values = column[0][kept]
        spread = float(values.std())
        if spread > 0.0:
            scales[k] = spread
            if is_centred:
                sums = np.bincount(codes, values, minlength=groups.n.size)
                centres[:, k] = np.where(count > 0, sums / np.maximum(count, 1), values.mean())
        elif values.size and values[0] != 0.0:
            scales[k] = abs(float(values[0]))
    return ColumnFrame(centres=centres, scales=scales)


def _scaled_rows(groups: Groups, columns: Sequence[Floats], frame: ColumnFrame) -> Floats:
    """All columns of the first plausible value side by side, moved to their groups' centres and scaled."""
    rows: Floats = np.empty((groups.codes.size, len(columns)))
    for k, column in enumerate(columns):
        scale_into(rows, k, column[0], frame.centres[:, k].copy(), float(frame.scales[k]), groups.codes)
    return rows


def _scaled_columns(groups: Groups, columns: Sequence[Floats], frame: ColumnFrame) -> Floats:
    """All columns of the first plausible value under each other, moved to their groups' centres and scaled."""
    rows: Floats = np.empty((len(columns), groups.codes.size))
    for k, column in enumerate(columns):
        centres = np.ascontiguousarray(frame.centres[:, k])
        move_and_scale(rows[k], column[0], centres, float(frame.scales[k]), groups.codes)
    return rows


def common_frame(
    columns: Sequence[Floats], *, is_centred: bool
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Take centres and scales that hold for all groups, from some of the rows.

    Parameters
    ----------
    columns : Sequence of ndarray of shape (n_plausible_values, n_rows)
        The columns.
    is_centred : bool
        Whether columns that vary are moved to their rough mean.

    Returns
    -------
    tuple of (tuple of float, tuple of float)
        Centres and scales of the columns.
    """
    n_rows = columns[0].shape[1]
    one = Groups(
        by=(),
        keys={},
        codes=np.zeros(n_rows, dtype=np.int64),
        n=np.array([n_rows]),
        n_schools=None,
        n_missing_by=0,
    )
    frame = column_frame(one, columns, is_centred=is_centred)
    return tuple(frame.centres[0].tolist()), tuple(frame.scales.tolist())


def stated_frame(common: tuple[tuple[float, ...], tuple[float, ...]], n_groups: int) -> ColumnFrame:
    """Lay centres that hold for all groups out for each of them.

    Parameters
    ----------
    common : tuple of (tuple of float, tuple of float)
        Centres and scales (`common_frame`).
    n_groups : int
        Number of groups.

    Returns
    -------
    ColumnFrame
        The frame.
    """
    centres = np.repeat(np.array(common[0])[np.newaxis], n_groups, axis=0)
    return ColumnFrame(centres=centres, scales=np.array(common[1]))
