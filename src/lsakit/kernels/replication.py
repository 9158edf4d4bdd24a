"""Sums under many replicate weights, computed once per cell instead of once per weight.

Students of one school share the vector ``replicate weight / final weight``. Rows with the same vector form a
*cell*; every statistic that is a sum is added up once per (group, cell) and multiplied by the cell's ratios
afterwards. See ``docs/algorithms/replication_variance.md``.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

HASH_STEPS = float(2**30)
"""Ratios are rounded to 1/2**30 before hashing, so that rounding noise of 1e-15 does not split a cell."""


@njit(cache=True, nogil=True)
def fold_ratios(weights: Floats, inverse_scale: Floats, hashes: NDArray[np.uint64]) -> bool:
    """Take the ratios of one weight column into the hashes of the rows.

    Parameters
    ----------
    weights : ndarray of shape (n_rows,)
        One weight of each row.
    inverse_scale : ndarray of shape (n_rows,)
        One over the weight by which the row's ratios are taken; dimensionless ratios result.
    hashes : ndarray of shape (n_rows,)
        64-bit hashes, changed in place; they stay equal for rows whose ratios round to the same multiples of
        2**-30.

    Returns
    -------
    bool
        Whether every weight is finite and not negative; the hashes mean nothing otherwise.
    """
    prime = np.uint64(0x9E3779B97F4A7C15)
    shift = np.uint64(29)
    is_good = True
    for i in range(weights.size):
        is_good &= 0.0 <= weights[i] < np.inf
        step = np.uint64(np.int64(weights[i] * inverse_scale[i] * HASH_STEPS + 0.5))
        mixed = (hashes[i] ^ step) * prime
        hashes[i] = mixed ^ (mixed >> shift)
    return is_good


@njit(cache=True, nogil=True)
def number_hashes(hashes: NDArray[np.uint64]) -> tuple[Integers, Integers]:
    """Number equal hashes in the order of their first row.

    Parameters
    ----------
    hashes : ndarray of shape (n_rows,)
        64-bit hashes.

    Returns
    -------
    numbers : ndarray of shape (n_rows,)
        Number of each row's hash, from 0.
    first_rows : ndarray of shape (n_numbers,)
        First row of each number.
    """
    n_rows = hashes.size
    size = 16
    while size < 2 * n_rows:
        size *= 2
    mask = np.uint64(size - 1)
    slots = np.full(size, np.int64(-1))
    numbers = np.empty(n_rows, dtype=np.int64)
    first_rows = np.empty(n_rows, dtype=np.int64)
    count = 0
    for i in range(n_rows):
        slot = hashes[i] & mask
        while slots[slot] >= 0 and hashes[first_rows[slots[slot]]] != hashes[i]:
            slot = (slot + np.uint64(1)) & mask
        if slots[slot] < 0:
            slots[slot] = count
            first_rows[count] = i
            count += 1
        numbers[i] = slots[slot]
    return numbers, first_rows[:count].copy()


@njit(cache=True, nogil=True)
def mark_rows_off_their_cell(
    weights: Floats, scale: Floats, cells: Integers, ratios: Floats, tolerance: float, off: NDArray[np.bool_]
) -> None:
    """Mark the rows whose weight is not the ratio of their cell times their scale.

    Parameters
    ----------
    weights : ndarray of shape (n_rows,)
        One weight of each row, as stored.
    scale : ndarray of shape (n_rows,)
        Weight by which the ratios are taken.
    cells : ndarray of shape (n_rows,)
        Number of each row's cell.
    ratios : ndarray of shape (n_cells,)
        Ratio of this weight in each cell.
    tolerance : float
        Largest relative difference that counts as rounding, dimensionless.
    off : ndarray of shape (n_rows,)
        Set to true where the weight differs by more than ``tolerance``; such a row needs a cell of its own.
    """
    for i in range(weights.size):
        rebuilt = ratios[cells[i]] * scale[i]
        off[i] |= abs(weights[i] - rebuilt) > tolerance * max(weights[i], rebuilt)


@njit(cache=True, nogil=True)
def sum_moments(
    values: Floats, centres: Floats, scale: Floats, groups: Integers, pairs: Integers, n_pairs: int
) -> Floats:
    """Add up weighted first and second moments in each (group, cell) pair.

    Parameters
    ----------
    values : ndarray of shape (n_plausible_values, n_rows)
        Plausible values, in points of their scale.
    centres : ndarray of shape (n_groups, n_plausible_values)
        A rough mean of each group, subtracted first so that no digits are lost.
    scale : ndarray of shape (n_rows,)
        Final weight of each row.
    groups : ndarray of shape (n_rows,)
        Group of each row; −1 leaves the row out.
    pairs : ndarray of shape (n_rows,)
        (group, cell) pair of each row.
    n_pairs : int
        Number of pairs.

    Returns
    -------
    ndarray of shape (n_pairs, 2 * n_plausible_values)
        Σ w(x − c) of each plausible value, then Σ w(x − c)² of each.
    """
    n_values, n_rows = values.shape
    sums = np.zeros((n_pairs, 2 * n_values))
    for i in range(n_rows):
        group = groups[i]
        if group >= 0:
            weight = scale[i]
            pair = pairs[i]
            for m in range(n_values):
                deviation = values[m, i] - centres[group, m]
                product = weight * deviation
                sums[pair, m] += product
                sums[pair, n_values + m] += product * deviation
    return sums


@njit(cache=True, nogil=True)
def sum_categories(
    codes: Integers, scale: Floats, groups: Integers, pairs: Integers, shape: tuple[int, int]
) -> Floats:
    """Add up the weights of each category in each (group, cell) pair.

    Parameters
    ----------
    codes : ndarray of shape (n_plausible_values, n_rows)
        Category of each plausible value, from 0.
    scale : ndarray of shape (n_rows,)
        Final weight of each row.
    groups : ndarray of shape (n_rows,)
        Group of each row; −1 leaves the row out.
    pairs : ndarray of shape (n_rows,)
        (group, cell) pair of each row.
    shape : tuple of (int, int)
        Number of pairs and of categories.

    Returns
    -------
    ndarray of shape (n_pairs, n_plausible_values * n_categories)
        Sums of weights; the categories of the first plausible value come first.
    """
    n_pairs, n_categories = shape
    n_values, n_rows = codes.shape
    sums = np.zeros((n_pairs, n_values * n_categories))
    for m in range(n_values):
        for i in range(n_rows):
            if groups[i] >= 0:
                sums[pairs[i], m * n_categories + codes[m, i]] += scale[i]
    return sums


@njit(cache=True, nogil=True)
def sum_levels(
    values: Floats, cuts: Floats, scale: Floats, groups: Integers, pairs: Integers, n_pairs: int
) -> Floats:
    """Add up the weights of each level of a scale in each (group, cell) pair.

    Parameters
    ----------
    values : ndarray of shape (n_plausible_values, n_rows)
        Plausible values, in points of their scale.
    cuts : ndarray of shape (n_cuts,)
        Lower bounds of levels 1, 2 …, ascending; a value on a cut belongs above it.
    scale : ndarray of shape (n_rows,)
        Final weight of each row.
    groups : ndarray of shape (n_rows,)
        Group of each row; −1 leaves the row out.
    pairs : ndarray of shape (n_rows,)
        (group, cell) pair of each row.
    n_pairs : int
        Number of pairs.

    Returns
    -------
    ndarray of shape (n_pairs, n_plausible_values * (n_cuts + 1))
        Sums of weights; the levels of the first plausible value come first.
    """
    n_values, n_rows = values.shape
    n_levels = cuts.size + 1
    sums = np.zeros((n_pairs, n_values * n_levels))
    for i in range(n_rows):
        if groups[i] >= 0:
            weight = scale[i]
            pair = pairs[i]
            for m in range(n_values):
                value = values[m, i]
                level = 0
                for cut in cuts:
                    level += value >= cut
                sums[pair, m * n_levels + level] += weight
    return sums


@njit(cache=True, nogil=True)
def spread_over_replicates(
    sums: Floats, pair_groups: Integers, pair_cells: Integers, ratios: Floats, n_groups: int
) -> Floats:
    """Turn sums of (group, cell) pairs into sums of each group under each weight.

    Parameters
    ----------
    sums : ndarray of shape (n_pairs, n_sums)
        Sums under the final weight's scale.
    pair_groups : ndarray of shape (n_pairs,)
        Group of each pair.
    pair_cells : ndarray of shape (n_pairs,)
        Cell of each pair.
    ratios : ndarray of shape (n_cells, n_weights)
        Weight over scale of each cell; the first column is the final weight's.
    n_groups : int
        Number of groups.

    Returns
    -------
    ndarray of shape (n_groups, n_weights, n_sums)
        The same sums under each weight.
    """
    n_pairs, n_sums = sums.shape
    n_weights = ratios.shape[1]
    spread = np.zeros((n_groups, n_weights, n_sums))
    for p in range(n_pairs):
        target = spread[pair_groups[p]]
        for r in range(n_weights):
            ratio = ratios[pair_cells[p], r]
            if ratio != 0.0:
                for k in range(n_sums):
                    target[r, k] += ratio * sums[p, k]
    return spread


def warm() -> None:
    """Compile the kernels of this module for the types that the estimates use."""
    weights = np.ones((2, 2))
    scale = np.ones(2)
    hashes = np.zeros(2, dtype=np.uint64)
    fold_ratios(scale, scale, hashes)
    cells, _ = number_hashes(hashes)
    mark_rows_off_their_cell(scale, scale, cells, scale, 1e-14, np.zeros(2, dtype=np.bool_))
    groups = np.zeros(2, dtype=np.int64)
    sums = sum_moments(weights, np.zeros((1, 2)), scale, groups, groups, 1)
    sum_categories(np.zeros((1, 2), dtype=np.int64), scale, groups, groups, (1, 1))
    sum_levels(weights, scale, scale, groups, groups, 1)
    spread_over_replicates(sums, groups[:1], groups[:1], np.ones((1, 2)), 1)
