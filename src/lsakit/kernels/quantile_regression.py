"""Weighted quantile regression under many replicate weights: exact vertices, most rows out of the way.

A row far from the regression line keeps the sign of its residual when the line moves a little, and then enters
the objective as a linear term that is a sum over cells. Only the rows of a band about the line stay in the linear
program; that no other row has changed its side is verified afterwards. See
``docs/algorithms/quantile_regression.md``.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MOST_PIVOTS = 5000
JITTER = 1e-9
"""Size of the fixed disturbance that keeps vertices apart, in SDs of the outcome; the solution is free of it."""


@njit(cache=True, nogil=True)
def _residual(rows: Floats, y: Floats, beta: Floats, i: int) -> float:
    """Residual of one row."""
    total = y[i]
    for k in range(beta.size):
        total -= rows[i, k] * beta[k]
    return float(total)


@njit(cache=True, nogil=True)
def _independent_rows(rows: Floats, members: Integers, order: Integers, basis: Integers) -> bool:
    """Choose, in the given order, as many independent rows as there are predictors."""
    p = rows.shape[1]
    directions = np.zeros((p, p))
    found = 0
    left = np.zeros(p)
    for place in order:
        norm = 0.0
        for k in range(p):
            left[k] = rows[members[place], k]
            norm += left[k] * left[k]
        for j in range(found):
            along = 0.0
            for k in range(p):
                along += left[k] * directions[j, k]
            for k in range(p):
                left[k] -= along * directions[j, k]
        rest = 0.0
        for k in range(p):
            rest += left[k] * left[k]
        if rest > 1e-8 * norm and rest > 0.0:
            for k in range(p):
                directions[found, k] = left[k] / np.sqrt(rest)
            basis[found] = place
            found += 1
            if found == p:
                return True
    return False


@njit(cache=True, nogil=True)
def _edge(
    gradient: Floats, inverse: Floats, own: Floats, tau: float, slack: float
) -> tuple[int, float, float]:
    """Find the edge along which the objective falls fastest: basis place, sign and slope; −1 at the optimum."""
    p = gradient.size
    best, sign, slope = -1, 0.0, -slack
    for k in range(p):
        along = 0.0
        for j in range(p):
            along += gradient[j] * inverse[j, k]
        if along + own[k] * (1.0 - tau) < slope:
            best, sign, slope = k, 1.0, along + own[k] * (1.0 - tau)
        if -along + own[k] * tau < slope:
            best, sign, slope = k, -1.0, -along + own[k] * tau
    return best, sign, slope


Band = tuple[Floats, Floats, Floats, Floats]
"""Predictors, outcomes, disturbances and weights of the rows of a band."""


@njit(cache=True, nogil=True)
def _stand_on(band: Band, basis: Integers, disturbed: bool, beta: Floats) -> Floats:
    """Set beta to the vertex of a basis; give the inverse of the basis' predictors."""
    x, y, noise, _ = band
    p = basis.size
    square, target = np.zeros((p, p)), np.zeros(p)
    for k in range(p):
        square[k] = x[basis[k]]
        target[k] = y[basis[k]] + (noise[basis[k]] if disturbed else 0.0)
    inverse = np.asarray(np.linalg.inv(square), dtype=np.float64)
    for j in range(p):
        beta[j] = 0.0
        for k in range(p):
            beta[j] += inverse[j, k] * target[k]
    return inverse


@njit(cache=True, nogil=True)
def _look(
    band: Band, in_basis: NDArray[np.bool_], tau: float, beta: Floats, residuals: Floats, gradient: Floats
) -> None:
    """Fill the residuals of the rows outside the basis and add their part to the gradient."""
    x, y, noise, weights = band
    for i in range(x.shape[0]):
        if not in_basis[i]:
            residuals[i] = _residual(x, y, beta, i) + noise[i]
            factor = weights[i] * (tau if residuals[i] >= 0.0 else tau - 1.0)
            for k in range(beta.size):
                gradient[k] -= factor * x[i, k]


@njit(cache=True, nogil=True)
def _entering(
    band: Band, in_basis: NDArray[np.bool_], residuals: Floats, direction: Floats, slope: float
) -> int:
    """Row at which the objective stops falling along a direction; −1 where it never does."""
    x, _, _, weights = band
    n = x.shape[0]
    times, jumps, numbers = np.zeros(n), np.zeros(n), np.zeros(n, dtype=np.int64)
    count = 0
    for i in range(n):
        if in_basis[i] or weights[i] == 0.0:
            continue
        speed = 0.0
        for k in range(direction.size):
            speed += x[i, k] * direction[k]
        if speed * residuals[i] > 0.0 and abs(speed) > 1e-13:
            times[count] = residuals[i] / speed
            jumps[count] = weights[i] * abs(speed)
            numbers[count] = i
            count += 1
    for j in np.argsort(times[:count]):
        slope += jumps[j]
        if slope >= 0.0:
            return int(numbers[j])
    return -1


@njit(cache=True, nogil=True)
def _vertex(band: Band, tau: float, linear: Floats, basis: Integers, beta: Floats) -> bool:
    """Walk from vertex to vertex until no edge leads down; False where the band does not bound the walk."""
    x, _, _, weights = band
    n, p = x.shape
    gradient, own, residuals = np.zeros(p), np.zeros(p), np.zeros(n)
    in_basis = np.zeros(n, dtype=np.bool_)
    for k in range(p):
        in_basis[basis[k]] = True
    slack = 1e-11 * weights.sum()
    for _ in range(MOST_PIVOTS):
        inverse = _stand_on(band, basis, True, beta)
        for k in range(p):
            own[k] = weights[basis[k]]
        gradient[:] = linear
        _look(band, in_basis, tau, beta, residuals, gradient)
        place, sign, slope = _edge(gradient, inverse, own, tau, slack)
        if place < 0:
            _stand_on(band, basis, False, beta)
            return True
        entering = _entering(band, in_basis, residuals, sign * inverse[:, place], slope)
        if entering < 0:
            return False
        in_basis[basis[place]] = False
        in_basis[entering] = True
        basis[place] = entering
    return False


@njit(cache=True, nogil=True)
def _band_sums(
    rows: Floats, residuals: Floats, width: float, tau: float, scale: Floats, cells: Integers, n_cells: int
) -> tuple[Integers, Floats]:
    """Rows of the band, and Σ scale x (τ or τ − 1) of the other rows in each cell."""
    n, p = rows.shape
    members = np.empty(n, dtype=np.int64)
    count = 0
    outside = np.zeros((n_cells, p))
    for i in range(n):
        if abs(residuals[i]) <= width:
            members[count] = i
            count += 1
        else:
            factor = scale[i] * (tau if residuals[i] > 0.0 else tau - 1.0)
            for k in range(p):
                outside[cells[i], k] += factor * rows[i, k]
    return members[:count].copy(), outside


@njit(cache=True, nogil=True)
def _keeps_its_side(
    rows: Floats, y: Floats, residuals: Floats, width: float, reach: Floats, before: Floats, after: Floats
) -> bool:
    """Whether no row outside the band has changed its side; a bound first, the rows only if it fails."""
    bound = 0.0
    for k in range(before.size):
        bound += abs(after[k] - before[k]) * reach[k]
    if bound < width:
        return True
    for i in range(rows.shape[0]):
        if abs(residuals[i]) > width:
            now = _residual(rows, y, after, i)
            if now * residuals[i] < 0.0:
                return False
    return True


@njit(cache=True, nogil=True)
def _fit(
    data: tuple[Floats, Floats, Floats, Floats, Integers, Floats],
    r: int,
    tau: float,
    guess: Floats,
    band: tuple[Floats, float, Integers, Floats],
    basis: Integers,
    beta: Floats,
) -> bool:
    """Solve under weight r with the given band about the guess; False where the band is too narrow."""
    rows, y, noise, scale, cells, ratios = data
    residuals, width, members, outside = band
    p = rows.shape[1]
    n = members.size
    x, values, jitter, weights = np.empty((n, p)), np.empty(n), np.empty(n), np.empty(n)
    total = 0.0
    for j in range(n):
        i = members[j]
        x[j] = rows[i]
        values[j] = y[i]
        jitter[j] = noise[i]
        weights[j] = scale[i] * ratios[cells[i], r]
        total += weights[j]
    if not total > 0.0:
        return False
    linear = np.zeros(p)
    for c in range(ratios.shape[0]):
        for k in range(p):
            linear[k] -= ratios[c, r] * outside[c, k]
    own = basis.copy()
    if not _vertex((x, values, jitter, weights), tau, linear, own, beta):
        return False
    if r == 0:
        basis[:] = own
    reach = np.zeros(p)
    for i in range(rows.shape[0]):
        for k in range(p):
            reach[k] = max(reach[k], abs(rows[i, k]))
    return _keeps_its_side(rows, y, residuals, width, reach, guess, beta)


@njit(cache=True, nogil=True)
def _widths(residuals: Floats, share: float, least: int) -> float:
    """Width of a band that holds a share of the rows, and at least some."""
    n = residuals.size
    wanted = max(int(share * n), least)
    if wanted >= n:
        return np.inf
    return float(np.sort(np.abs(residuals))[wanted - 1])


@njit(cache=True, nogil=True)
def _solve(
    data: tuple[Floats, Floats, Floats, Floats, Integers, Floats],
    r: int,
    tau: float,
    guess: Floats,
    beta: Floats,
) -> bool:
    """Solve under one weight from a guess, with bands that widen until the solution is verified."""
    rows, y, _, scale, cells, ratios = data
    n, p = rows.shape
    residuals = np.empty(n)
    basis = np.zeros(p, dtype=np.int64)
    center = guess.copy()
    share = 0.1
    while True:
        for i in range(n):
            residuals[i] = _residual(rows, y, center, i)
        width = _widths(residuals, share, 40 * p)
        members, outside = _band_sums(rows, residuals, width, tau, scale, cells, ratios.shape[0])
        order = np.argsort(np.abs(residuals[members]))
        is_whole = members.size == n
        if _independent_rows(rows, members, order, basis):
            if _fit(data, r, tau, center, (residuals, width, members, outside), basis, beta):
                return True
            if not is_whole and np.isfinite(beta).all():
                center[:] = beta
        if is_whole:
            return False
        share *= 2.5


@njit(cache=True, nogil=True)
def replicate_quantile_regression(
    rows: Floats, y: Floats, scale: Floats, cells: Integers, ratios: Floats, tau: float, guess: Floats
) -> Floats:
    """Fit the quantile regression of one group and plausible value under every weight.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_predictors)
        Predictors of the group's rows, of a spread near 1.
    y : ndarray of shape (n_rows,)
        Outcome, of a spread near 1.
    scale : ndarray of shape (n_rows,)
        Final weight of each row.
    cells : ndarray of shape (n_rows,)
        Cell of each row, among the cells of the group.
    ratios : ndarray of shape (n_cells, n_weights)
        Weight over scale of each cell.
    tau : float
        Quantile between 0 and 1.
    guess : ndarray of shape (n_predictors,)
        Where to begin.

    Returns
    -------
    ndarray of shape (n_weights, n_predictors)
        Coefficients; NaN where the predictors are not independent or a weight sums to zero.
    """
    n, p = rows.shape
    n_weights = ratios.shape[1]
    solutions = np.full((n_weights, p), np.nan)
    noise = np.empty(n)
    for i in range(n):
        noise[i] = JITTER * ((0.6180339887498949 * (i + 1)) % 1.0 - 0.5)
    data = (rows, y, noise, scale, cells, ratios)
    beta = np.zeros(p)
    if not _solve(data, 0, tau, guess, beta):
        return solutions
    solutions[0] = beta
    center = beta.copy()
    residuals = np.empty(n)
    for i in range(n):
        residuals[i] = _residual(rows, y, center, i)
    width = _widths(residuals, 0.15, 40 * p)
    members, outside = _band_sums(rows, residuals, width, tau, scale, cells, ratios.shape[0])
    basis = np.zeros(p, dtype=np.int64)
    has_basis = _independent_rows(rows, members, np.argsort(np.abs(residuals[members])), basis)
    for r in range(1, n_weights):
        start = basis.copy()
        done = has_basis and _fit(data, r, tau, center, (residuals, width, members, outside), start, beta)
        if done or _solve(data, r, tau, center, beta):
            solutions[r] = beta
    return solutions
