"""Weighted two-level models with several random effects, by likelihood or restricted likelihood.

The pseudo-likelihood of a cluster depends on its rows only through weighted cross products. With coefficients and the
residual variance profiled out it is a function of L, the triangle of the covariance of the effects over the residual
variance, and its gradient has a closed form. See ``docs/algorithms/multilevel.md``.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

STEPS = 300
EDGE, RESTARTS = 0.1, 3
"""Below the edge a diagonal element of L is lifted to it before a search: at zero its derivative vanishes whatever the
data say, and a search that begins or ends there may have stopped at a saddle."""
GRADIENT = 1e-9
"""Largest derivative of the deviance by an element of L, over the number of rows, at which the search ends."""

PIVOT = 1e-11


@njit(cache=True, nogil=True)
def _cholesky(matrix: Floats, factor: Floats) -> bool:
    """Lower triangle of a positive definite matrix; false where it is not."""
    size = matrix.shape[0]
    for i in range(size):
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= factor[i, k] * factor[j, k]
            if i > j:
                factor[i, j] = total / factor[j, j]
            elif total > PIVOT * matrix[i, i]:
                factor[i, i] = np.sqrt(total)
            else:
                return False
    return True


@njit(cache=True, nogil=True)
def _solve(factor: Floats, right: Floats) -> None:
    """Solve F F' x = right in place, column by column."""
    size = factor.shape[0]
    for c in range(right.shape[1]):
        for i in range(size):
            total = right[i, c]
            for k in range(i):
                total -= factor[i, k] * right[k, c]
            right[i, c] = total / factor[i, i]
        for i in range(size - 1, -1, -1):
            total = right[i, c]
            for k in range(i + 1, size):
                total -= factor[k, i] * right[k, c]
            right[i, c] = total / factor[i, i]


@njit(cache=True, nogil=True)
def _times(a: Floats, b: Floats, out: Floats) -> None:
    """Write a b."""
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            total = 0.0
            for k in range(a.shape[1]):
                total += a[i, k] * b[k, j]
            out[i, j] = total


@njit(cache=True, nogil=True)
def _absorbed(
    low: Floats, products: Floats, places: Integers, inner: Floats, factor: Floats, solved: Floats
) -> float:
    """For one cluster: M = I + L'CL with its factor, M⁻¹L'S, and log |M|."""
    q = low.shape[0]
    width = products.shape[0]
    for a in range(q):
        for b in range(a + 1):
            total = 1.0 if a == b else 0.0
            for i in range(a, q):
                for j in range(b, q):
                    total += low[i, a] * products[places[i], places[j]] * low[j, b]
            inner[a, b] = total
            inner[b, a] = total
    _cholesky(inner, factor)
    for a in range(q):
        for c in range(width):
            total = 0.0
            for i in range(a, q):
                total += low[i, a] * products[places[i], c]
            solved[a, c] = total
    _solve(factor, solved)
    log_size = 0.0
    for a in range(q):
        log_size += 2.0 * np.log(factor[a, a])
    return log_size


@njit(cache=True, nogil=True)
def _left_over(low: Floats, products: Floats, places: Integers, solved: Floats, left: Floats) -> None:
    """K = S − C L M⁻¹ L' S of one cluster."""
    q = low.shape[0]
    for a in range(q):
        for c in range(left.shape[1]):
            total = products[places[a], c]
            for e in range(q):
                for i in range(e, q):
                    total -= products[places[a], places[i]] * low[i, e] * solved[e, c]
            left[a, c] = total


@njit(cache=True, nogil=True)
def _summed(low: Floats, products: Floats, weights: Floats, places: Integers, matrix: Floats) -> float:
    """Σ W (P − S'L M⁻¹ L'S) into a matrix; gives Σ W log |M|."""
    q, width = low.shape[0], products.shape[1]
    inner, factor, solved = np.zeros((q, q)), np.zeros((q, q)), np.zeros((q, width))
    log_sizes = 0.0
    for j in range(weights.size):
        if weights[j] > 0.0:
            log_sizes += weights[j] * _absorbed(low, products[j], places, inner, factor, solved)
            for a in range(width):
                for b in range(width):
                    total = products[j, a, b]
                    for e in range(q):
                        for i in range(e, q):
                            total -= products[j, a, places[i]] * low[i, e] * solved[e, b]
                    matrix[a, b] += weights[j] * total
    return log_sizes


@njit(cache=True, nogil=True)
def _deviance(
    low: Floats,
    data: tuple[Floats, Floats, Integers],
    n_rows: float,
    restricted: bool,
    gradient: Floats,
    gamma: Floats,
) -> float:
    """Deviance at L with its gradient, coefficients and residual variance; infinite where dependent."""
    products, weights, places = data
    width = products.shape[1]
    p = width - 1
    matrix = np.zeros((width, width))
    deviance = _summed(low, products, weights, places, matrix)
    triangle = np.zeros((p, p))
    if not _cholesky(matrix[:p, :p], triangle):
        return np.inf
    slopes = matrix[:p, p:].copy()
    _solve(triangle, slopes)
    residual = matrix[p, p]
    for k in range(p):
        residual -= slopes[k, 0] * matrix[k, p]
        gamma[k] = -slopes[k, 0]
        deviance += 2.0 * np.log(triangle[k, k]) if restricted else 0.0
    gamma[p] = 1.0
    if not residual > 0.0:
        return np.inf
    freedom = n_rows - p if restricted else n_rows
    gamma[width] = residual / freedom
    _gradient(low, data, (gamma, triangle), restricted, gradient)
    return float(deviance + freedom * np.log(residual))


@njit(cache=True, nogil=True)
def _gradient(
    low: Floats,
    data: tuple[Floats, Floats, Integers],
    solution: tuple[Floats, Floats],
    restricted: bool,
    gradient: Floats,
) -> None:
    """Derivatives of the deviance by the elements of L, in the lower triangle."""
    products, weights, places = data
    gamma, triangle = solution
    q, width = low.shape[0], products.shape[1]
    inner, factor, solved = np.zeros((q, q)), np.zeros((q, q)), np.zeros((q, width))
    left, outer, total_outer = np.zeros((q, width)), np.zeros((q, q)), np.zeros((q, q))
    gradient[:, :] = 0.0
    for j in range(weights.size):
        if weights[j] > 0.0:
            _absorbed(low, products[j], places, inner, factor, solved)
            _left_over(low, products[j], places, solved, left)
            _squared(left, gamma, triangle, restricted, outer)
            for a in range(q):
                for b in range(q):
                    total_outer[a, b] += weights[j] * outer[a, b]
                    # M⁻¹ L'C transposed is C L M⁻¹; the columns of C are among those of S.
                    gradient[a, b] += 2.0 * weights[j] * solved[b, places[a]]
    _times(total_outer, low, outer)
    for a in range(q):
        for b in range(q):
            gradient[a, b] = gradient[a, b] - 2.0 * outer[a, b] if b <= a else 0.0


@njit(cache=True, nogil=True)
def _squared(left: Floats, gamma: Floats, triangle: Floats, restricted: bool, outer: Floats) -> None:
    """k k'/σ² with k = Kγ, and, restricted, K A⁻¹ K' of the predictors beside it."""
    q, width = left.shape
    p = width - 1
    k = np.zeros(q)
    spare = np.zeros((p, q))
    for a in range(q):
        for c in range(width):
            k[a] += left[a, c] * gamma[c]
            if c < p:
                spare[c, a] = left[a, c]
    if restricted:
        _solve(triangle, spare)
    for a in range(q):
        for b in range(q):
            outer[a, b] = k[a] * k[b] / gamma[width]
            for c in range(p if restricted else 0):
                outer[a, b] += left[a, c] * spare[c, b]


@njit(cache=True, nogil=True)
def _packed(matrix: Floats) -> Floats:
    """Elements of a lower triangle in a line."""
    q = matrix.shape[0]
    line = np.zeros(q * (q + 1) // 2)
    place = 0
    for a in range(q):
        for b in range(a + 1):
            line[place] = matrix[a, b]
            place += 1
    return line


@njit(cache=True, nogil=True)
def _unpacked(line: Floats, q: int) -> Floats:
    """A lower triangle from its elements."""
    matrix = np.zeros((q, q))
    place = 0
    for a in range(q):
        for b in range(a + 1):
            matrix[a, b] = line[place]
            place += 1
    return matrix


@njit(cache=True, nogil=True)
def _improve(inverse: Floats, change: Floats, bend: Floats) -> None:
    """Take a step and the change of the gradient into the inverse of the second derivatives."""
    curvature = (change * bend).sum()
    if curvature <= 1e-14 * np.sqrt((change**2).sum() * (bend**2).sum()):
        return
    size = change.size
    toward = np.zeros(size)
    for a in range(size):
        for b in range(size):
            toward[a] += inverse[a, b] * bend[b]
    extra = 1.0 + (bend * toward).sum() / curvature
    for a in range(size):
        for b in range(size):
            both = change[a] * toward[b] + toward[a] * change[b]
            inverse[a, b] += (extra * change[a] * change[b] - both) / curvature


@njit(cache=True, nogil=True)
def _direction(inverse: Floats, slope: Floats, n_rows: float) -> Floats:
    """Where to go; straight down, with a short step, where the second derivatives are no longer trusted."""
    size = slope.size
    step = np.zeros(size)
    for a in range(size):
        for b in range(size):
            step[a] -= inverse[a, b] * slope[b]
    if (step * slope).sum() >= 0.0:
        inverse[:, :] = np.eye(size) / max(np.abs(slope).max(), n_rows * 1e-3)
        step = -inverse[0, 0] * slope
    return step


@njit(cache=True, nogil=True)
def _search(
    data: tuple[Floats, Floats, Integers], n_rows: float, restricted: bool, start: Floats
) -> tuple[Floats, Floats, bool, float]:
    """Search from one start: what `fit_random_effects` gives, and the deviance at the end."""
    q, width = start.shape[0], data[0].shape[1]
    gradient, gamma, next_gamma = np.zeros((q, q)), np.zeros(width + 1), np.zeros(width + 1)
    point = _packed(start)
    value = _deviance(start, data, n_rows, restricted, gradient, gamma)
    if not np.isfinite(value):
        return start, gamma, False, value
    slope = _packed(gradient)
    inverse = np.eye(point.size) / max(np.abs(slope).max(), n_rows * 1e-3)
    for _ in range(STEPS):
        if np.abs(slope).max() <= GRADIENT * n_rows:
            break
        step = _direction(inverse, slope, n_rows)
        along = (step * slope).sum()
        share = 1.0
        after = _deviance(_unpacked(point + step, q), data, n_rows, restricted, gradient, next_gamma)
        while after > value + 1e-4 * share * along and share > 1e-14:
            share *= 0.5
            after = _deviance(
                _unpacked(point + share * step, q), data, n_rows, restricted, gradient, next_gamma
            )
        if share <= 1e-14:
            break  # nothing lower is left within rounding
        next_slope = _packed(gradient)
        _improve(inverse, share * step, next_slope - slope)
        point, value, slope = point + share * step, after, next_slope
        gamma[:] = next_gamma
    return _unpacked(point, q), gamma, bool(np.abs(slope).max() <= 1e3 * GRADIENT * n_rows), value


@njit(cache=True, nogil=True)
def _lifted(low: Floats) -> Floats:
    """A triangle away from the edge: where an effect does not vary, its row has a gradient of zero, low or not."""
    found = low.copy()
    for a in range(low.shape[0]):
        if abs(found[a, a]) < EDGE:
            found[a, a] = EDGE
    return found


@njit(cache=True, nogil=True)
def fit_random_effects(
    data: tuple[Floats, Floats, Integers], n_rows: float, restricted: bool, start: Floats
) -> tuple[Floats, Floats, bool]:
    """Fit one model by the quasi-Newton method of Broyden, Fletcher, Goldfarb and Shanno.

    Parameters
    ----------
    data : tuple of (ndarray of shape (n_clusters, n_columns, n_columns), ndarray of shape (n_clusters,), ndarray)
        Weighted cross products of predictors and, last, the outcome in each cluster, its rows' weights summing to
        its number of rows; weight of each cluster; and the predictors whose coefficients vary between clusters, as
        column numbers, of shape (n_effects,).
    n_rows : float
        Weighted number of rows.
    restricted : bool
        Whether the restricted likelihood is maximized.
    start : ndarray of shape (n_effects, n_effects)
        Lower triangle from which the search begins.

    Returns
    -------
    low : ndarray of shape (n_effects, n_effects)
        Triangle of the covariance of the effects over the residual variance.
    solution : ndarray of shape (n_columns + 1,)
        Minus the coefficients, 1, and the residual variance.
    is_found : bool
        False where the predictors are dependent or the search did not end.

    Notes
    -----
    A solution at the edge (an effect that hardly varies) is tried again from a start away from it, and the lower
    deviance is taken; so the order of rows, which moves the last digits, does not choose between a saddle and the
    minimum.
    """
    low, solution, is_found, value = _search(data, n_rows, restricted, _lifted(start))
    for _ in range(RESTARTS):
        if not is_found or np.abs(np.diag(low)).min() >= EDGE:
            break
        again, other, is_other, lower = _search(data, n_rows, restricted, _lifted(low))
        if not is_other or lower >= value - 1e-9 * n_rows:
            break
        low, solution, value = again, other, lower
    return low, solution, is_found


@njit(cache=True, nogil=True)
def replicate_random_effects(
    sums: Floats,
    pairs: tuple[Integers, Integers],
    ratios: Floats,
    clusters: tuple[Floats, Floats],
    places: Integers,
    restricted: bool,
) -> Floats:
    """Fit a model with random effects of one group and plausible value under every weight.

    Parameters
    ----------
    sums : ndarray of shape (n_pairs, n_columns, n_columns)
        Cross products of the constant, the predictors and the outcome in each (cluster, cell) pair, final weight.
    pairs : tuple of (ndarray of shape (n_pairs,), ndarray of shape (n_pairs,))
        Cluster and cell of each pair.
    ratios : ndarray of shape (n_cells, n_weights)
        Weight over scale of each cell.
    clusters : tuple of (ndarray of shape (n_clusters,), ndarray of shape (n_clusters,))
        Number of rows of each cluster, to which its weights are scaled, and its weight under the final weight.
    places : ndarray of shape (n_effects,)
        Columns whose coefficients vary between clusters; the constant is 0.
    restricted : bool
        Whether the restricted likelihood is maximized; the weights of the clusters are then scaled to a mean of 1.

    Returns
    -------
    ndarray of shape (n_weights, n_predictors + n_effects * (n_effects + 1) / 2 + 1)
        Coefficients, the covariances of the effects line by line, and the residual variance; NaN where there is no
        solution.
    """
    pair_clusters, pair_cells = pairs
    counts, bases = clusters
    n_pairs, size, _ = sums.shape
    n_clusters, n_weights, q = counts.size, ratios.shape[1], places.size
    n_effects = q * (q + 1) // 2
    found = np.full((n_weights, size - 1 + n_effects + 1), np.nan)
    full = np.zeros(n_clusters)
    for p in range(n_pairs):
        full[pair_clusters[p]] += ratios[pair_cells[p], 0] * sums[p, 0, 0]
    start = 0.3 * np.eye(q)
    for r in range(n_weights):
        products = np.zeros((n_clusters, size, size))
        for p in range(n_pairs):
            products[pair_clusters[p]] += ratios[pair_cells[p], r] * sums[p]
        weights = np.zeros(n_clusters)
        present = 0
        for j in range(n_clusters):
            own = products[j, 0, 0]
            if own > 0.0 and full[j] > 0.0:
                weights[j] = bases[j] * own / full[j]
                products[j] *= counts[j] / own
                present += 1
        if present < 2:
            continue
        if restricted:
            weights *= present / weights.sum()
        n_rows = (weights * counts).sum()
        low, solution, is_found = fit_random_effects((products, weights, places), n_rows, restricted, start)
        if not is_found:
            continue
        found[r, : size - 1] = -solution[: size - 1]
        covariance = np.zeros((q, q))
        _times(low, np.ascontiguousarray(low.T), covariance)
        found[r, size - 1 : size - 1 + n_effects] = _packed(covariance * solution[size])
        found[r, size - 1 + n_effects] = solution[size]
        if r == 0:
            start = low
    return found
