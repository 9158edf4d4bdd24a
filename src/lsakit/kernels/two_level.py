"""Weighted two-level models with a random intercept, under many replicate weights.

The pseudo-likelihood depends on the rows only through weighted cross products of each cluster, and with the slopes
and the residual variance profiled out it is a function of one number, λ = between / within variance. See
``docs/algorithms/multilevel.md``.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

STEPS = 200
TOLERANCE = 1e-13
PIVOT = 1e-11
HIGHEST = 1e8
"""Ratio of the variances above which nothing is left within the clusters."""


@njit(cache=True, nogil=True)
def _factorize(matrix: Floats, factor: Floats, gamma: Floats) -> float:
    """Residual sum of squares and (−coefficients, 1) of the last column on the others; −1 where dependent."""
    size = matrix.shape[0]
    last = size - 1
    residual = 0.0
    for i in range(size):
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= factor[i, k] * factor[j, k]
            if i > j:
                factor[i, j] = total / factor[j, j]
            elif i == last:
                residual = max(total, 0.0)
            elif total > PIVOT * matrix[i, i]:
                factor[i, i] = np.sqrt(total)
            else:
                return -1.0
    gamma[last] = 1.0
    for i in range(last - 1, -1, -1):
        total = factor[last, i]
        for k in range(i + 1, last):
            total += factor[k, i] * gamma[k]
        gamma[i] = -total / factor[i, i]
    return residual


@njit(cache=True, nogil=True)
def _slope(
    ratio: float,
    products: Floats,
    sums: Floats,
    sizes: Floats,
    weights: Floats,
    work: tuple[Floats, Floats],
    gamma: Floats,
) -> tuple[float, float]:
    """Derivative of the deviance by λ, and the residual sum of squares (−1 where dependent)."""
    n_clusters, size = sums.shape
    matrix, factor = work
    matrix[:, :] = 0.0
    for j in range(n_clusters):
        weight = weights[j]
        if weight > 0.0:
            shrink = ratio / (1.0 + sizes[j] * ratio)
            for a in range(size):
                for b in range(a + 1):
                    matrix[a, b] += weight * (products[j, a, b] - shrink * sums[j, a] * sums[j, b])
    residual = _factorize(matrix, factor, gamma)
    if residual < 0.0:
        return 0.0, -1.0
    total, by_log, by_residual = 0.0, 0.0, 0.0
    for j in range(n_clusters):
        weight = weights[j]
        if weight > 0.0:
            inner = 0.0
            for a in range(size):
                inner += gamma[a] * sums[j, a]
            spread = 1.0 + sizes[j] * ratio
            total += weight * sizes[j]
            by_log += weight * sizes[j] / spread
            by_residual -= weight * (inner / spread) ** 2
    return by_log + total * by_residual / max(residual, 1e-300), residual


@njit(cache=True, nogil=True)
def _fit(
    products: Floats, sums: Floats, sizes: Floats, weights: Floats, start: float, gamma: Floats
) -> tuple[float, float]:
    """Find λ where the derivative vanishes; give λ and the residual sum of squares (−1 where there is none)."""
    size = sums.shape[1]
    work = (np.zeros((size, size)), np.zeros((size, size)))
    low = 0.0
    low_slope, residual = _slope(low, products, sums, sizes, weights, work, gamma)
    if residual < 0.0 or low_slope >= 0.0:
        return 0.0, residual
    high = max(start, 1e-3)
    high_slope, residual = _slope(high, products, sums, sizes, weights, work, gamma)
    while residual >= 0.0 and high_slope < 0.0:
        low, low_slope = high, high_slope
        high *= 4.0
        if high > HIGHEST:
            return high, -1.0
        high_slope, residual = _slope(high, products, sums, sizes, weights, work, gamma)
    if residual < 0.0:
        return high, residual
    side = 0
    middle = high
    for _ in range(STEPS):
        middle = (low * high_slope - high * low_slope) / (high_slope - low_slope)
        if not low < middle < high:
            middle = 0.5 * (low + high)
        slope, residual = _slope(middle, products, sums, sizes, weights, work, gamma)
        if residual < 0.0 or slope == 0.0 or high - low <= TOLERANCE * high:
            return middle, residual
        if slope < 0.0:
            moved = middle - low
            low, low_slope = middle, slope
            if side < 0:
                high_slope /= 2.0
            side = -1
        else:
            moved = high - middle
            high, high_slope = middle, slope
            if side > 0:
                low_slope /= 2.0
            side = 1
        if moved <= TOLERANCE * middle:
            return middle, residual
    return middle, residual


@njit(cache=True, nogil=True)
def _cluster_products(
    sums: Floats, pair_clusters: Integers, pair_cells: Integers, ratios: Floats, r: int, n_clusters: int
) -> Floats:
    """Cross products of each cluster under weight r."""
    n_pairs, size, _ = sums.shape
    products = np.zeros((n_clusters, size, size))
    for p in range(n_pairs):
        ratio = ratios[pair_cells[p], r]
        if ratio != 0.0:
            products[pair_clusters[p]] += ratio * sums[p]
    return products


@njit(cache=True, nogil=True)
def replicate_two_level(
    sums: Floats,
    pair_clusters: Integers,
    pair_cells: Integers,
    ratios: Floats,
    counts: Floats,
    bases: Floats,
    first: int,
) -> Floats:
    """Fit a random intercept model of one group and plausible value under every weight.

    Parameters
    ----------
    sums : ndarray of shape (n_pairs, n_columns, n_columns)
        Cross products of the constant, the predictors and the outcome in each (cluster, cell) pair, final weight.
    pair_clusters : ndarray of shape (n_pairs,)
        Cluster of each pair.
    pair_cells : ndarray of shape (n_pairs,)
        Cell of each pair.
    ratios : ndarray of shape (n_cells, n_weights)
        Weight over scale of each cell.
    counts : ndarray of shape (n_clusters,)
        Number of rows of each cluster, to which its weights are scaled.
    bases : ndarray of shape (n_clusters,)
        Weight of the cluster under the final weight.
    first : int
        0 where the constant is a predictor, 1 where it is not.

    Returns
    -------
    ndarray of shape (n_weights, n_predictors + 2)
        Coefficients, then the variance between and within clusters; NaN where there is no solution.
    """
    n_pairs, size, _ = sums.shape
    n_clusters = counts.size
    n_weights = ratios.shape[1]
    width = size - first
    found = np.full((n_weights, width + 1), np.nan)
    full = np.zeros(n_clusters)
    for p in range(n_pairs):
        full[pair_clusters[p]] += ratios[pair_cells[p], 0] * sums[p, 0, 0]
    start = 0.1
    for r in range(n_weights):
        products = _cluster_products(sums, pair_clusters, pair_cells, ratios, r, n_clusters)
        weights = np.zeros(n_clusters)
        total = 0.0
        for j in range(n_clusters):
            own = products[j, 0, 0]
            if own > 0.0 and full[j] > 0.0:
                weights[j] = bases[j] * own / full[j]
                total += weights[j] * counts[j]
                products[j] *= counts[j] / own
        if not total > 0.0:
            continue
        column_sums = np.ascontiguousarray(products[:, first:, 0])
        gamma = np.zeros(width)
        inner = np.ascontiguousarray(products[:, first:, first:])
        ratio, residual = _fit(inner, column_sums, counts, weights, start, gamma)
        if residual < 0.0:
            continue
        for k in range(width - 1):
            found[r, k] = -gamma[k]
        within = residual / total
        found[r, width - 1] = ratio * within
        found[r, width] = within
        if r == 0:
            start = max(2.0 * ratio, 1e-3)
    return found
