"""Weighted maximum likelihood of logistic and ordered logistic models under many replicate weights.

A logistic model is an ordered one with two categories. See ``docs/algorithms/response_models.md``.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

STEPS = 60
ENOUGH = 1e-12
"""Newton's decrement, as a share of the sum of weights, before the last step; the step leaves about its size."""
FAR = 35.0
"""Size of a coefficient per SD of its predictor at which a solution counts as infinite."""


@njit(cache=True, nogil=True)
def _tails(x: float) -> tuple[float, float]:
    """F(x) and 1 − F(x) of the logistic distribution, both without cancellation."""
    small = np.exp(-abs(x))
    large = 1.0 / (1.0 + small)
    return (large, small * large) if x >= 0.0 else (small * large, large)


@njit(cache=True, nogil=True)
def _row_terms(
    low: float, high: float, has_low: bool, has_high: bool
) -> tuple[float, float, float, float, float, float]:
    """Log probability of a category between two thresholds, with its derivatives by high and low.

    Gives log P, d/dhigh, d/dlow, d²/dhigh², d²/dlow², d²/dhigh dlow. The logistic function F has density
    f = F (1 − F) and f' = f (1 − 2F); P = F(high) − F(low) is formed from the tails that do not cancel.
    """
    upper, above, lower, beyond = 1.0, 0.0, 0.0, 1.0
    if has_high:
        upper, above = _tails(high)
    if has_low:
        lower, beyond = _tails(low)
    p = beyond - above if has_low and low > 0.0 else upper - lower
    inverse = 1.0 / max(p, 1e-300)
    f_high, f_low = upper * above, lower * beyond
    by_high, by_low = f_high * inverse, -f_low * inverse
    second_high = by_high * (above - upper - by_high)
    second_low = by_low * (beyond - lower - by_low)
    return np.log(max(p, 1e-300)), by_high, by_low, second_high, second_low, -by_high * by_low


@njit(cache=True, nogil=True)
def _derivatives(
    rows: Floats,
    outcome: Integers,
    weights: Floats,
    beta: Floats,
    n_categories: int,
    gradient: Floats,
    hessian: Floats,
) -> float:
    """Fill gradient and negative Hessian of the log-likelihood at beta (slopes, then thresholds)."""
    n, p = rows.shape
    size = beta.size
    free = size > p
    gradient[:] = 0.0
    hessian[:, :] = 0.0
    likelihood = 0.0
    for i in range(n):
        weight = weights[i]
        if weight == 0.0:
            continue
        eta = 0.0
        for k in range(p):
            eta += rows[i, k] * beta[k]
        y = outcome[i]
        has_low, has_high = y > 0, y < n_categories - 1
        low = (beta[p + y - 1] if free else 0.0) - eta if has_low else 0.0
        high = (beta[p + y] if free else 0.0) - eta if has_high else 0.0
        value, g_high, g_low, h_high, h_low, h_both = _row_terms(low, high, has_low, has_high)
        likelihood += weight * value
        slope = -(g_high + g_low) * weight
        curve = -(h_high + h_low + 2.0 * h_both) * weight
        for k in range(p):
            gradient[k] += slope * rows[i, k]
            for j in range(k + 1):
                hessian[k, j] += curve * rows[i, k] * rows[i, j]
        if free:
            if has_high:
                t = p + y
                gradient[t] += weight * g_high
                hessian[t, t] -= weight * h_high
                for k in range(p):
                    hessian[t, k] += weight * (h_high + h_both) * rows[i, k]
            if has_low:
                t = p + y - 1
                gradient[t] += weight * g_low
                hessian[t, t] -= weight * h_low
                for k in range(p):
                    hessian[t, k] += weight * (h_low + h_both) * rows[i, k]
            if has_high and has_low:
                hessian[p + y, p + y - 1] -= weight * h_both
    return likelihood


@njit(cache=True, nogil=True)
def _newton_step(gradient: Floats, hessian: Floats, step: Floats) -> bool:
    """Solve the step by Cholesky's factorization of the lower triangle, in place; say whether it is definite."""
    size = gradient.size
    for i in range(size):
        for j in range(i + 1):
            total = hessian[i, j]
            for k in range(j):
                total -= hessian[i, k] * hessian[j, k]
            if i == j:
                if not total > 1e-12 * abs(hessian[i, i]) or not np.isfinite(total):
                    return False
                hessian[i, i] = np.sqrt(total)
            else:
                hessian[i, j] = total / hessian[j, j]
    for i in range(size):
        total = gradient[i]
        for k in range(i):
            total -= hessian[i, k] * step[k]
        step[i] = total / hessian[i, i]
    for i in range(size - 1, -1, -1):
        total = step[i]
        for k in range(i + 1, size):
            total -= hessian[k, i] * step[k]
        step[i] = total / hessian[i, i]
    return True


@njit(cache=True, nogil=True)
def _is_ordered(beta: Floats, first: int) -> bool:
    """Whether the thresholds ascend."""
    rises = True
    for k in range(first + 1, beta.size):
        rises &= beta[k] > beta[k - 1]
    return rises


@njit(cache=True, nogil=True)
def fit_ordered_response(
    rows: Floats, outcome: Integers, weights: Floats, n_categories: int, beta: Floats
) -> bool:
    """Maximize the weighted log-likelihood by Newton's method with halved steps.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_predictors)
        Predictors without a constant, of a spread near 1.
    outcome : ndarray of shape (n_rows,)
        Category of each row, from 0.
    weights : ndarray of shape (n_rows,)
        Weights, not negative.
    n_categories : int
        Number of categories.
    beta : ndarray of shape (n_predictors + n_thresholds,)
        Where to begin, and on return the solution: slopes, then ascending thresholds. With no place for
        thresholds the one threshold of two categories is 0.

    Returns
    -------
    bool
        Whether a finite maximum was found.
    """
    size = beta.size
    p = rows.shape[1]
    gradient, hessian, step = np.zeros(size), np.zeros((size, size)), np.zeros(size)
    total = weights.sum()
    if not total > 0.0:
        return False
    likelihood = _derivatives(rows, outcome, weights, beta, n_categories, gradient, hessian)
    for _ in range(STEPS):
        if not _newton_step(gradient, hessian, step):
            return False
        ends = (gradient * step).sum() <= ENOUGH * total
        length = 1.0
        while True:
            trial = beta + length * step
            reached = -np.inf
            if _is_ordered(trial, p):
                reached = _derivatives(rows, outcome, weights, trial, n_categories, gradient, hessian)
            if reached >= likelihood - 1e-9 * abs(likelihood) * length:
                break
            length /= 2.0
            if length < 1e-6:
                return False
        beta[:] = trial
        likelihood = reached
        if not np.abs(beta).max() < FAR:
            return False
        if ends:
            return True
    return False


@njit(cache=True, nogil=True)
def replicate_ordered_response(
    rows: Floats,
    outcome: Integers,
    scale: Floats,
    cells: Integers,
    ratios: Floats,
    n_categories: int,
    size: int,
) -> Floats:
    """Fit one group and plausible value under every weight, replicates starting at the final weight's solution.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_predictors)
        Predictors of the group's rows without a constant, of a spread near 1.
    outcome : ndarray of shape (n_rows,)
        Category of each row, from 0.
    scale : ndarray of shape (n_rows,)
        Final weight of each row.
    cells : ndarray of shape (n_rows,)
        Cell of each row.
    ratios : ndarray of shape (n_cells, n_weights)
        Weight over scale of each cell.
    n_categories : int
        Number of categories.
    size : int
        Number of predictors and thresholds.

    Returns
    -------
    ndarray of shape (n_weights, size)
        Slopes, then thresholds; NaN where no finite maximum exists.
    """
    n = rows.shape[0]
    n_weights = ratios.shape[1]
    p = rows.shape[1]
    solutions = np.full((n_weights, size), np.nan)
    weights = np.zeros(n)
    beta = np.zeros(size)
    first = np.zeros(size)
    shares = np.zeros(n_categories)
    for i in range(n):
        shares[outcome[i]] += scale[i] * ratios[cells[i], 0]
    below = 0.0
    for k in range(size - p):
        below += shares[k]
        share = min(max(below / shares.sum(), 1e-6), 1.0 - 1e-6)
        first[p + k] = np.log(share / (1.0 - share)) + 1e-9 * k
    for r in range(n_weights):
        for i in range(n):
            weights[i] = scale[i] * ratios[cells[i], r]
        beta[:] = first
        found = fit_ordered_response(rows, outcome, weights, n_categories, beta)
        if found:
            solutions[r] = beta
        if r == 0:
            if not found:
                return solutions
            first[:] = beta
    return solutions
