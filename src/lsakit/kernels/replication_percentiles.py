"""Weighted percentiles under many replicate weights from one sort and one scan.

The rows of a group are sorted once per plausible value. The cumulative weights of all replicates are kept at
the end of each block of rows; only the block in which a percentile falls is walked row by row.
See ``docs/algorithms/percentiles.md``.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
SortedRows = tuple[Floats, Floats, Integers, Floats]
"""Values, scales and cells of sorted rows, and the ratios of all cells."""

BLOCK = 64
TIE = 1e-12
"""Share of the total weight within which a cumulative weight counts as equal to its target."""

STEP, STRICT, MIDPOINT = 0, 1, 2


@njit(cache=True, nogil=True)
def block_weights(order: Integers, scale: Floats, cells: Integers, ratios: Floats) -> Floats:
    """Cumulate all weights over sorted rows and keep the end of each block.

    Parameters
    ----------
    order : ndarray of shape (n_rows,)
        Rows of the group in ascending order of their value.
    scale : ndarray of shape (n_all_rows,)
        Final weight of each row of the table.
    cells : ndarray of shape (n_all_rows,)
        Cell of each row of the table.
    ratios : ndarray of shape (n_cells, n_weights)
        Weight over scale of each cell.

    Returns
    -------
    ndarray of shape (n_blocks + 1, n_weights)
        Sum of weights before each block; the last line holds the totals.
    """
    n_rows = order.size
    n_weights = ratios.shape[1]
    n_blocks = (n_rows + BLOCK - 1) // BLOCK
    ends = np.zeros((n_blocks + 1, n_weights))
    for b in range(n_blocks):
        for r in range(n_weights):
            ends[b + 1, r] = ends[b, r]
        for j in range(b * BLOCK, min(n_rows, (b + 1) * BLOCK)):
            row = order[j]
            weight = scale[row]
            cell = cells[row]
            for r in range(n_weights):
                ends[b + 1, r] += weight * ratios[cell, r]
    return ends


@njit(cache=True, nogil=True)
def _reaches(cumulative: float, target: float, slack: float, rule: int) -> bool:
    """Say whether a cumulative weight has reached its target under the rule."""
    if rule == STRICT:
        return cumulative > target + slack
    return cumulative >= target - slack


@njit(cache=True, nogil=True)
def _weight(rows: SortedRows, r: int, j: int) -> float:
    """Weight r of sorted row j."""
    return float(rows[1][j] * rows[3][rows[2][j], r])


@njit(cache=True, nogil=True)
def _first_reaching(rows: SortedRows, ends: Floats, r: int, target: float, rule: int) -> tuple[int, float]:
    """Find the first sorted position that reaches the target, and the weight before it."""
    slack = TIE * ends[ends.shape[0] - 1, r]
    low, high = 1, ends.shape[0] - 1
    while low < high:
        middle = (low + high) // 2
        if _reaches(ends[middle, r], target, slack, rule):
            high = middle
        else:
            low = middle + 1
    position = (low - 1) * BLOCK
    before = ends[low - 1, r]
    weight = _weight(rows, r, position)
    while position < rows[0].size - 1 and not _reaches(before + weight, target, slack, rule):
        before += weight
        position += 1
        weight = _weight(rows, r, position)
    while position > 0 and _weight(rows, r, position) <= 0.0:
        position -= 1
        before -= _weight(rows, r, position)
    return position, before


@njit(cache=True, nogil=True)
def _own_weight(rows: SortedRows, r: int, position: int, step: int) -> tuple[int, float]:
    """Add up the weights of equal values from a position in one direction; give the next position too."""
    values = rows[0]
    j = position
    own = 0.0
    while 0 <= j < values.size and values[j] == values[position]:
        own += _weight(rows, r, j)
        j += step
    return j, own


@njit(cache=True, nogil=True)
def _between_midpoints(rows: SortedRows, r: int, position: int, before: float, target: float) -> float:
    """Interpolate between the midpoints of the cumulative weights of distinct values."""
    values = rows[0]
    below, own_below = _own_weight(rows, r, position, -1)
    above, own = _own_weight(rows, r, below + 1, 1)
    before -= own_below - _weight(rows, r, position)
    value = values[position]
    middle = before + own / 2.0
    step = -1 if target < middle else 1
    neighbor = below if target < middle else above
    while 0 <= neighbor < values.size and _weight(rows, r, neighbor) <= 0.0:
        neighbor += step
    if neighbor < 0 or neighbor >= values.size:
        return float(value)
    lowest, _ = _own_weight(rows, r, neighbor, -1)
    _, other = _own_weight(rows, r, lowest + 1, 1)
    share = abs(target - middle) / ((own + other) / 2.0)
    return float(value + share * (values[neighbor] - value))


@njit(cache=True, nogil=True)
def replicate_percentiles(
    values: Floats,
    order: Integers,
    scale: Floats,
    cells: Integers,
    ratios: Floats,
    probabilities: Floats,
    rule: int,
) -> Floats:
    """Compute the percentiles of one group and one plausible value under every weight.

    Parameters
    ----------
    values : ndarray of shape (n_all_rows,)
        Values of the table, in points of their scale.
    order : ndarray of shape (n_rows,)
        Rows of the group in ascending order of their value.
    scale : ndarray of shape (n_all_rows,)
        Final weight of each row of the table.
    cells : ndarray of shape (n_all_rows,)
        Cell of each row of the table.
    ratios : ndarray of shape (n_cells, n_weights)
        Weight over scale of each cell.
    probabilities : ndarray of shape (n_percentiles,)
        Shares between 0 and 1, both excluded.
    rule : int
        ``STEP``: first value whose cumulative weight is at least the share of the total; ``STRICT``: first
        above it; ``MIDPOINT``: linear between the midpoints of the cumulative weights of distinct values.

    Returns
    -------
    ndarray of shape (n_percentiles, n_weights)
        Percentiles in the unit of ``values``; NaN under a weight that sums to zero.
    """
    ends = block_weights(order, scale, cells, ratios)
    n_weights = ratios.shape[1]
    result = np.full((probabilities.size, n_weights), np.nan)
    rows = (values[order], scale[order], cells[order], ratios)
    for r in range(n_weights):
        total = ends[ends.shape[0] - 1, r]
        if total <= 0.0:
            continue
        for k in range(probabilities.size):
            target = probabilities[k] * total
            position, before = _first_reaching(rows, ends, r, target, rule)
            if rule == MIDPOINT:
                result[k, r] = _between_midpoints(rows, r, position, before, target)
            else:
                result[k, r] = rows[0][position]
    return result


def warm() -> None:
    """Compile the kernels of this module for the types that the estimates use."""
    values = np.arange(2.0)
    order = np.arange(2)
    cells = np.zeros(2, dtype=np.int64)
    replicate_percentiles(values, order, np.ones(2), cells, np.ones((1, 2)), np.array([0.5]), STEP)
