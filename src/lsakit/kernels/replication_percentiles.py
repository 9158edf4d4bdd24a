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

CellWeights = tuple[Floats, Integers, Floats]
"""Scale and cell of each row, and the ratios of all cells."""

BLOCK = 64
TIE = 1e-12
"""Share of the total weight within which a cumulative weight counts as equal to its target."""

STEP, STRICT, MIDPOINT, AVERAGE, FREQUENCY, SYMMETRIC, UNBIASED = range(7)


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
def _average_at_jump(rows: SortedRows, ends: Floats, r: int, target: float) -> float:
    """First value above the target; the mean of both where the weight below it is the target exactly."""
    position, before = _first_reaching(rows, ends, r, target, STRICT)
    values = rows[0]
    below, own = _own_weight(rows, r, position, -1)
    before -= own - _weight(rows, r, position)
    while below >= 0 and _weight(rows, r, below) <= 0.0:
        below -= 1
    if below >= 0 and abs(before - target) <= TIE * ends[ends.shape[0] - 1, r]:
        return float((values[below] + values[position]) / 2.0)
    return float(values[position])


@njit(cache=True, nogil=True)
def _by_frequencies(rows: SortedRows, ends: Floats, r: int, probability: float) -> float:
    """Interpolate between the values at whole places of 1 + (W − 1) p, as if each weight counted copies of a row."""
    total = ends[ends.shape[0] - 1, r]
    place = 1.0 + (total - 1.0) * probability
    low = max(np.floor(place), 1.0)
    high = min(low + 1.0, total)
    share = place % 1.0
    first, _ = _first_reaching(rows, ends, r, low, STEP)
    second, _ = _first_reaching(rows, ends, r, high, STEP)
    return float((1.0 - share) * rows[0][first] + share * rows[0][second])


@njit(cache=True, nogil=True)
def _count_own(rows: SortedRows, r: int, position: int, step: int) -> int:
    """Count the rows with weight among equal values from a position in one direction."""
    values = rows[0]
    count = 0
    j = position
    while 0 <= j < values.size and values[j] == values[position]:
        count += 1 if _weight(rows, r, j) > 0.0 else 0
        j += step
    return count


@njit(cache=True, nogil=True)
def _between_ranks(
    rows: SortedRows, ends: Floats, r: int, probability: float, n_rows: float, rule: int
) -> float:
    """Interpolate between ranks of rows that weights stretch: EdSurvey's rules, see the page on percentiles."""
    values = rows[0]
    total = ends[ends.shape[0] - 1, r]
    if n_rows < 2.0 or total <= 1.0:
        return np.nan
    start = 0.5 if rule == SYMMETRIC else 1.0
    rank = probability * n_rows if rule == SYMMETRIC else probability * (n_rows + 1.0 / 3.0) + 1.0 / 3.0
    lowest, highest = 1.0, n_rows - 1.0
    stretch = (n_rows - 1.0) / (total - 1.0)
    slack = TIE * total
    if rank <= lowest:
        middle = 2.0 * slack
    elif rank > highest and rule == SYMMETRIC:
        middle = total
    else:
        middle = (min(rank, highest) - start) / stretch + 0.5
    position, before = _first_reaching(rows, ends, r, middle, STEP)
    below, own_below = _own_weight(rows, r, position, -1)
    above, own = _own_weight(rows, r, below + 1, 1)
    before -= own_below - _weight(rows, r, position)
    half = own / _count_own(rows, r, below + 1, 1) / 2.0
    value = values[position]
    is_lower = middle < before + half - slack
    is_upper = middle > before + own - half + slack
    if rank <= lowest or (rank > highest and rule == SYMMETRIC):
        return float(value)
    neighbor = below if is_lower else above
    step = -1 if is_lower else 1
    while 0 <= neighbor < values.size and _weight(rows, r, neighbor) <= 0.0:
        neighbor += step
    has_neighbor = 0 <= neighbor < values.size
    if rank > highest:  # from the first row at the highest rank to the last row at a share of one
        known = values[neighbor] if is_upper and has_neighbor else value
        last, _ = _first_reaching(rows, ends, r, total, STEP)
        share = (rank - highest) / (n_rows + 2.0 / 3.0 - highest)
        return float(known + share * (values[last] - known))
    if not has_neighbor or not (is_lower or is_upper):
        return float(value)
    under, _ = _own_weight(rows, r, neighbor, -1)
    _, other = _own_weight(rows, r, under + 1, 1)
    other_half = other / _count_own(rows, r, under + 1, 1) / 2.0
    edge = before + half if is_lower else before + own - half
    other_edge = before - other_half if is_lower else before + own + other_half
    own_rank = min(max(start + stretch * (edge - 0.5), lowest), highest)
    other_rank = min(max(start + stretch * (other_edge - 0.5), lowest), highest)
    if own_rank == other_rank:
        return float(value)
    share = (rank - own_rank) / (other_rank - own_rank)
    return float(value + share * (values[neighbor] - value))


@njit(cache=True, nogil=True)
def _percentile(
    rows: SortedRows, ends: Floats, r: int, probability: float, n_rows: float, rule: int
) -> float:
    """One percentile under one weight."""
    target = probability * ends[ends.shape[0] - 1, r]
    if rule == AVERAGE:
        return _average_at_jump(rows, ends, r, target)
    if rule == FREQUENCY:
        return _by_frequencies(rows, ends, r, probability)
    if rule in (SYMMETRIC, UNBIASED):
        return _between_ranks(rows, ends, r, probability, n_rows, rule)
    position, before = _first_reaching(rows, ends, r, target, rule)
    if rule == MIDPOINT:
        return _between_midpoints(rows, r, position, before, target)
    return float(rows[0][position])


@njit(cache=True, nogil=True)
def replicate_percentiles(
    values: Floats,
    order: Integers,
    weights: CellWeights,
    probabilities: Floats,
    rule: int,
    n_rows: Floats,
) -> Floats:
    """Compute the percentiles of one group and one plausible value under every weight.

    Parameters
    ----------
    values : ndarray of shape (n_all_rows,)
        Values of the table, in points of their scale.
    order : ndarray of shape (n_rows,)
        Rows of the group in ascending order of their value.
    weights : tuple of (ndarray of shape (n_all_rows,), ndarray of shape (n_all_rows,), ndarray)
        Final weight of each row of the table, its cell, and the weight over scale of each cell, of shape
        (n_cells, n_weights).
    probabilities : ndarray of shape (n_percentiles,)
        Shares between 0 and 1, both excluded.
    rule : int
        ``STEP``: first value whose cumulative weight is at least the share of the total; ``STRICT``: first
        above it; ``MIDPOINT``: linear between the midpoints of the cumulative weights of distinct values;
        ``AVERAGE``, ``FREQUENCY``, ``SYMMETRIC``, ``UNBIASED``: see the page on percentiles.
    n_rows : ndarray of shape (n_weights,)
        Number of rows with weight under each weight, for ``SYMMETRIC`` and ``UNBIASED``; may be empty otherwise.

    Returns
    -------
    ndarray of shape (n_percentiles, n_weights)
        Percentiles in the unit of ``values``; NaN under a weight that sums to zero.
    """
    scale, cells, ratios = weights
    ends = block_weights(order, scale, cells, ratios)
    n_weights = ratios.shape[1]
    result = np.full((probabilities.size, n_weights), np.nan)
    rows = (values[order], scale[order], cells[order], ratios)
    for r in range(n_weights):
        total = ends[ends.shape[0] - 1, r]
        if total <= 0.0:
            continue
        known = n_rows[r] if n_rows.size else 0.0
        for k in range(probabilities.size):
            result[k, r] = _percentile(rows, ends, r, probabilities[k], known, rule)
    return result


@njit(cache=True, nogil=True)
def rows_with_weight(order: Integers, cells: Integers, ratios: Floats) -> Floats:
    """Count the rows of a group that have weight under each weight.

    Parameters
    ----------
    order : ndarray of shape (n_rows,)
        Rows of the group.
    cells : ndarray of shape (n_all_rows,)
        Cell of each row of the table.
    ratios : ndarray of shape (n_cells, n_weights)
        Weight over scale of each cell.

    Returns
    -------
    ndarray of shape (n_weights,)
        The counts, as floats.
    """
    in_cell = np.zeros(ratios.shape[0])
    for row in order:
        in_cell[cells[row]] += 1.0
    counts = np.zeros(ratios.shape[1])
    for cell in range(ratios.shape[0]):
        for r in range(ratios.shape[1]):
            if ratios[cell, r] > 0.0:
                counts[r] += in_cell[cell]
    return counts


def warm() -> None:
    """Compile the kernels of this module for the types that the estimates use."""
    values = np.arange(2.0)
    order = np.arange(2)
    cells = np.zeros(2, dtype=np.int64)
    counts = rows_with_weight(order, cells, np.ones((1, 2)))
    replicate_percentiles(values, order, (np.ones(2), cells, np.ones((1, 2))), np.array([0.5]), STEP, counts)
