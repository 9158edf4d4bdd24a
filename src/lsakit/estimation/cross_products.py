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

Floats = NDArray[np.float64]

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
    n_values = max(column.shape[0] for column in columns)
    centres, scales = _centres_and_scales(groups, columns, is_centred=is_centred)
    varies = np.array([column.shape[0] > 1 for column in columns])
    first, second = np.tril_indices(len(columns))
    touched = varies[first] | varies[second]
    width = len(columns)
    wanted = [np.arange(first.size) if m == 0 else np.flatnonzero(touched) for m in range(n_values)]
    if n_values > 1 and varies[-1] and not varies[:-1].any():
        sums = _sums_of_outcome(ready, groups, pairs, columns, centres, scales)
    else:
        rows = _scaled_rows(groups, columns, centres, scales)
        parts = []
        for m in range(n_values):
            for k in np.flatnonzero(varies).tolist() if m else ():
                scale_into(rows, k, columns[k][m], centres[:, k].copy(), float(scales[k]), groups.codes)
            a, b = first[wanted[m]].astype(np.int64), second[wanted[m]].astype(np.int64)
            parts.append(sum_products(rows, a, b, ready.scale, groups.codes, pairs.of_row, pairs.groups.size))
        sums = np.concatenate(parts, axis=1)
    spread = sums_under_weights(ready, pairs, sums)
    products: Floats = np.empty((groups.n.size, ready.n_replicates + 1, n_values, width, width))
    begin = 0
    for m in range(n_values):
        if m:
            products[:, :, m] = products[:, :, 0]
        a, b = first[wanted[m]], second[wanted[m]]
        own = spread[:, :, begin : begin + a.size]
        products[:, :, m, a, b] = own
        products[:, :, m, b, a] = own
        begin += a.size
    return CrossProducts(products=products, centres=centres, scales=scales)


def _sums_of_outcome(
    ready: PreparedTable,
    groups: Groups,
    pairs: Pairs,
    columns: Sequence[Floats],
    centres: Floats,
    scales: Floats,
) -> Floats:
    """Sums where the last column alone has plausible values: the predictors once, the outcome in one pass."""
    rows = _scaled_rows(groups, columns[:-1], centres, scales)
    first, second = (index.astype(np.int64) for index in np.tril_indices(len(columns) - 1))
    fixed = sum_products(rows, first, second, ready.scale, groups.codes, pairs.of_row, pairs.groups.size)
    outcome = sum_outcome_products(
        rows,
        (columns[-1], np.ascontiguousarray(centres[:, -1]), float(scales[-1])),
        ready.scale,
        groups.codes,
        pairs.of_row,
        pairs.groups.size,
    )
    return np.concatenate([fixed, outcome], axis=1)


def _centres_and_scales(
    groups: Groups, columns: Sequence[Floats], *, is_centred: bool
) -> tuple[Floats, Floats]:
    """A rough mean of each group and a rough spread of each column, from the first plausible value."""
    kept = groups.codes >= 0
    codes = groups.codes[kept]
    centres: Floats = np.zeros((groups.n.size, len(columns)))
    scales: Floats = np.ones(len(columns))
    for k, column in enumerate(columns):
        values = column[0] if kept.all() else column[0][kept]
        spread = float(values[:: max(values.size // SOME_ROWS, 1)].std())
        if spread > 0.0:
            scales[k] = spread
            if is_centred:
                centres[:, k] = np.bincount(codes, values, minlength=groups.n.size) / np.maximum(groups.n, 1)
        elif values.size and values[0] != 0.0:
            scales[k] = abs(float(values[0]))
    return centres, scales


def _scaled_rows(groups: Groups, columns: Sequence[Floats], centres: Floats, scales: Floats) -> Floats:
    """All columns of the first plausible value side by side, moved to their groups' centres and scaled."""
    rows: Floats = np.empty((groups.codes.size, len(columns)))
    for k, column in enumerate(columns):
        scale_into(rows, k, column[0], centres[:, k].copy(), float(scales[k]), groups.codes)
    return rows
