"""Sums of weights over runs of neighboring rows that belong to one (group, cell) pair.

In a file the students of a school stand together. Over such a run a sum stays in registers and several rows are
added at once, which reads the values at nearly the speed of the memory; adding each row to its pair's place in a
table is bound by the stores instead. Sums of a run are added in another order than row by row, which the compiler
may choose; they differ in the last digits. See ``docs/algorithms/replication_variance.md``.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Runs = tuple[Integers, Integers]
"""First row of each run and, last, the number of rows; pair of each run, −1 where its rows are left out."""

LONGEST = 512
IN_ANY_ORDER = {"reassoc", "contract", "nsz"}
"""What the compiler may do: add in another order, fuse products into sums, forget the sign of zero; NaN keeps its meaning."""


@njit(cache=True, nogil=True)
def find_runs(groups: Integers, pairs: Integers) -> Runs:
    """Find the runs of rows of one pair.

    Parameters
    ----------
    groups : ndarray of shape (n_rows,)
        Group of each row; −1 leaves the row out.
    pairs : ndarray of shape (n_rows,)
        (group, cell) pair of each row.

    Returns
    -------
    starts : ndarray of shape (n_runs + 1,)
        First row of each run; the last entry is the number of rows.
    owners : ndarray of shape (n_runs,)
        Pair of each run; −1 where its rows are left out.
    """
    n_rows = groups.size
    starts = np.empty(n_rows + 1, dtype=np.int64)
    owners = np.empty(n_rows, dtype=np.int64)
    count = 0
    begin = 0
    last = np.int64(-2)
    for i in range(n_rows):
        own = pairs[i] if groups[i] >= 0 else np.int64(-1)
        if own != last or i - begin >= LONGEST:
            starts[count] = i
            owners[count] = own
            count += 1
            last = own
            begin = i
    starts[count] = n_rows
    return starts[: count + 1].copy(), owners[:count].copy()


@njit(cache=True, nogil=True, fastmath=IN_ANY_ORDER)
def _moments(x: Floats, w: Floats, centre: float) -> tuple[float, float]:
    """Σ w(x − c) and Σ w(x − c)² of a run."""
    first = 0.0
    second = 0.0
    for i in range(x.size):
        deviation = x[i] - centre
        product = w[i] * deviation
        first += product
        second += product * deviation
    return first, second


@njit(cache=True, nogil=True)
def run_moments(values: Floats, centres: Floats, scale: Floats, runs: Runs, pair_groups: Integers) -> Floats:
    """Add up weighted first and second moments in each (group, cell) pair.

    Parameters
    ----------
    values : ndarray of shape (n_plausible_values, n_rows)
        Plausible values, in points of their scale.
    centres : ndarray of shape (n_groups, n_plausible_values)
        A rough mean of each group, subtracted first so that no digits are lost.
    scale : ndarray of shape (n_rows,)
        Final weight of each row.
    runs : tuple of (ndarray of shape (n_runs + 1,), ndarray of shape (n_runs,))
        Runs of rows of one pair (`find_runs`).
    pair_groups : ndarray of shape (n_pairs,)
        Group of each pair.

    Returns
    -------
    ndarray of shape (n_pairs, 2 * n_plausible_values)
        Σ w(x − c) of each plausible value, then Σ w(x − c)² of each.
    """
    starts, owners = runs
    n_values = values.shape[0]
    sums = np.zeros((pair_groups.size, 2 * n_values))
    for k in range(owners.size):
        pair = owners[k]
        if pair >= 0:
            a, b = starts[k], starts[k + 1]
            w = scale[a:b]
            for m in range(n_values):
                first, second = _moments(values[m, a:b], w, centres[pair_groups[pair], m])
                sums[pair, m] += first
                sums[pair, n_values + m] += second
    return sums


@njit(cache=True, nogil=True, fastmath=IN_ANY_ORDER)
def _above(x: Floats, w: Floats, first: float, second: float) -> tuple[float, float]:
    """Weight of the rows of a run at or above each of two bounds."""
    one = 0.0
    two = 0.0
    for i in range(x.size):
        one += w[i] * (1.0 if x[i] >= first else 0.0)
        two += w[i] * (1.0 if x[i] >= second else 0.0)
    return one, two


@njit(cache=True, nogil=True)
def run_levels(values: Floats, cuts: Floats, scale: Floats, runs: Runs, n_pairs: int) -> Floats:
    """Add up the weights of each level of a scale in each (group, cell) pair.

    Parameters
    ----------
    values : ndarray of shape (n_plausible_values, n_rows)
        Plausible values, in points of their scale.
    cuts : ndarray of shape (n_cuts,)
        Lower bounds of levels 1, 2 …, ascending; a value on a cut belongs above it.
    scale : ndarray of shape (n_rows,)
        Final weight of each row.
    runs : tuple of (ndarray of shape (n_runs + 1,), ndarray of shape (n_runs,))
        Runs of rows of one pair (`find_runs`).
    n_pairs : int
        Number of pairs.

    Returns
    -------
    ndarray of shape (n_pairs, n_plausible_values * (n_cuts + 1))
        Sums of weights; the levels of the first plausible value come first.
    """
    starts, owners = runs
    n_values = values.shape[0]
    n_levels = cuts.size + 1
    bounds = np.full(n_levels + 2, np.inf)
    bounds[0] = -np.inf
    bounds[1:n_levels] = cuts
    above = np.zeros(n_levels + 2)
    sums = np.zeros((n_pairs, n_values * n_levels))
    for k in range(owners.size):
        pair = owners[k]
        if pair >= 0:
            a, b = starts[k], starts[k + 1]
            w = scale[a:b]
            for m in range(n_values):
                x = values[m, a:b]
                for level in range(0, n_levels, 2):
                    above[level], above[level + 1] = _above(x, w, bounds[level], bounds[level + 1])
                # The weights above two bounds are added in the same order, so that an empty level has exactly zero.
                for level in range(n_levels):
                    sums[pair, m * n_levels + level] += above[level] - above[level + 1]
    return sums


@njit(cache=True, nogil=True, fastmath=IN_ANY_ORDER)
def _dot(x: Floats, y: Floats) -> float:
    """Σ x y of a run."""
    total = 0.0
    for i in range(x.size):
        total += x[i] * y[i]
    return total


@njit(cache=True, nogil=True, fastmath=IN_ANY_ORDER)
def _weighted(out: Floats, x: Floats, w: Floats, centre: float, inverse: float) -> float:
    """Write w(x − c)/s into a buffer; give Σ w((x − c)/s)²."""
    square = 0.0
    for i in range(x.size):
        deviation = (x[i] - centre) * inverse
        product = w[i] * deviation
        out[i] = product
        square += product * deviation
    return square


@njit(cache=True, nogil=True)
def run_outcome_products(
    columns: Floats,
    outcome: tuple[Floats, Floats, float],
    scale: Floats,
    runs: Runs,
    pair_groups: Integers,
) -> Floats:
    """Add up all products of predictors, and of an outcome with them and itself, in each (group, cell) pair.

    Parameters
    ----------
    columns : ndarray of shape (n_predictors, n_rows)
        Predictors, moved and scaled, the same for every plausible value.
    outcome : tuple of (ndarray of shape (n_plausible_values, n_rows), ndarray of shape (n_groups,), float)
        Plausible values of the outcome in points of their scale, what is subtracted from them in each group, and
        what they are divided by afterwards.
    scale : ndarray of shape (n_rows,)
        Final weight of each row.
    runs : tuple of (ndarray of shape (n_runs + 1,), ndarray of shape (n_runs,))
        Runs of rows of one pair (`find_runs`).
    pair_groups : ndarray of shape (n_pairs,)
        Group of each pair.

    Returns
    -------
    ndarray of shape (n_pairs, n_products)
        Σ w x_a x_b of every two predictors (b ≤ a); then for each plausible value Σ w x_k y of every predictor and
        Σ w y².
    """
    starts, owners = runs
    values, centres, size = outcome
    n_values = values.shape[0]
    p = columns.shape[0]
    n_fixed = p * (p + 1) // 2
    sums = np.zeros((pair_groups.size, n_fixed + n_values * (p + 1)))
    inverse = 1.0 / size
    buffer = np.empty(LONGEST)
    for r in range(owners.size):
        pair = owners[r]
        if pair >= 0:
            a, b = starts[r], starts[r + 1]
            w = scale[a:b]
            own = buffer[: b - a]
            target = sums[pair]
            place = 0
            for j in range(p):
                _weighted(own, columns[j, a:b], w, 0.0, 1.0)
                for k in range(j + 1):
                    target[place] += _dot(own, columns[k, a:b])
                    place += 1
            centre = centres[pair_groups[pair]]
            for m in range(n_values):
                square = _weighted(own, values[m, a:b], w, centre, inverse)
                for k in range(p):
                    target[place + k] += _dot(own, columns[k, a:b])
                target[place + p] += square
                place += p + 1
    return sums


@njit(cache=True, nogil=True)
def move_and_scale(out: Floats, values: Floats, centres: Floats, size: float, groups: Integers) -> None:
    """Move a column to its groups' centres and divide it by a size.

    Parameters
    ----------
    out : ndarray of shape (n_rows,)
        Changed in place.
    values : ndarray of shape (n_rows,)
        The column in its unit.
    centres : ndarray of shape (n_groups,)
        What is subtracted in each group.
    size : float
        What is divided by.
    groups : ndarray of shape (n_rows,)
        Group of each row; −1 counts as the first.
    """
    inverse = 1.0 / size
    for i in range(values.size):
        out[i] = (values[i] - centres[max(groups[i], 0)]) * inverse


def warm() -> None:
    """Compile the kernels of this module for the types that the estimates use."""
    groups = np.zeros(2, dtype=np.int64)
    runs = find_runs(groups, groups)
    values, scale = np.zeros((1, 2)), np.ones(2)
    move_and_scale(scale.copy(), scale, np.zeros(1), 1.0, groups)
    run_moments(values, np.zeros((1, 1)), scale, runs, groups[:1])
    run_levels(values, np.zeros(1), scale, runs, 1)
    run_outcome_products(values, (values, np.zeros(1), 1.0), scale, runs, groups[:1])
