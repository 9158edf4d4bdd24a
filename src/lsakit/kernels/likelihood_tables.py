"""Posterior moments of ability from tables of log probabilities on an equally spaced grid.

A table has one row per category of every item and one column per grid point, whatever the model of the item; the
log-likelihood of a student is the sum of the rows of his responses over a window of the grid. In one dimension the
moments are sums over the window; in several they come from adaptive Gauss-Hermite quadrature, between the grid points
by the polynomial through six of them. See docs/algorithms/latent_regression.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from lsakit.kernels.item_families import log_probabilities
from lsakit.kernels.partial_credit import solve_positive

FALL = 30.0  # a window ends where the posterior has fallen by this in its logarithm, to 1e-13 of its height
LEAST_REACH = 7.8  # standard deviations that a window reaches at first; its ends are then checked
ROOT_TWO = 1.4142135623730951
MARGIN = 6.0  # grid cells that interpolation and its differences need beyond the farthest point


@njit(cache=True, nogil=True)
def fill_log_table(form: Any, native: Any, nodes: Any, out: Any) -> None:
    """Write log P(category | node) of all items, one row per category; ``form`` is (kind, first row, highest score)."""
    kinds, offset, n_steps = form
    for item in range(len(kinds)):
        steps = n_steps[item]
        log_p = np.empty(steps + 1)
        for q in range(len(nodes)):
            log_probabilities(kinds[item], native[item], steps, nodes[q], log_p)
            for k in range(steps + 1):
                out[offset[item] + k, q] = log_p[k]


@njit(cache=True, nogil=True)
def list_rows(codes: Any, offset: Any, first: Any, out: Any) -> None:
    """Write the table rows of each student's responses one after another; ``first`` is where each student begins."""
    for student in range(codes.shape[0]):
        place = first[student]
        for item in range(codes.shape[1]):
            if codes[student, item] >= 0:
                out[place] = offset[item] + codes[student, item]
                place += 1


@njit(cache=True, nogil=True)
def sum_rows(rows: Any, start: int, stop: int, table: Any, first: int, out: Any) -> None:
    """Write the sum of the table rows ``rows[start:stop]`` over the columns from ``first`` on, as many as ``out``."""
    size = len(out)
    for q in range(size):
        out[q] = 0.0
    place = start
    while place + 4 <= stop:
        one = table[rows[place], first : first + size]
        two = table[rows[place + 1], first : first + size]
        three = table[rows[place + 2], first : first + size]
        four = table[rows[place + 3], first : first + size]
        for q in range(size):
            out[q] += (one[q] + two[q]) + (three[q] + four[q])
        place += 4
    while place < stop:
        one = table[rows[place], first : first + size]
        for q in range(size):
            out[q] += one[q]
        place += 1


@njit(cache=True, nogil=True)
def raise_heights(heights: Any, top: float, out: Any) -> None:
    """Write exp(height − top), where no height is above the top.

    The exponential is the Taylor polynomial of degree seven at 1/256 of its argument, squared eight times, so that the
    loop runs in vector lanes; arguments below −30 are taken as −30. The relative error is below 1e-9 at −30 and
    falls with the eighth power of the argument.
    """
    for q in range(len(heights)):
        t = max(heights[q] - top, -FALL) * 0.00390625
        value = 1.0 / 5040.0
        value = value * t + 1.0 / 720.0
        value = value * t + 1.0 / 120.0
        value = value * t + 1.0 / 24.0
        value = value * t + 1.0 / 6.0
        value = value * t + 0.5
        value = value * t + 1.0
        value = value * t + 1.0
        value *= value
        value *= value
        value *= value
        value *= value
        value *= value
        value *= value
        value *= value
        value *= value
        out[q] = value


@njit(cache=True, nogil=True)
def _fill_window(span: Any, rows: Any, table: Any, grid: Any, prior: Any, window: Any, own: Any) -> Any:
    """Write log-likelihood plus log prior over a window wide enough; give its place, size and top, size 0 if none.

    ``window`` is (left, right) in grid points to try first; it grows where the posterior has not fallen at an end.
    """
    low, step = grid
    mean, precision = prior
    last = table.shape[1] - 1
    left, right = max(window[0], 0), min(window[1], last)
    if left > right - 2:
        left, right = max(min(left, last - 2), 0), min(max(right, 2), last)
    while True:
        size = right - left + 1
        sum_rows(rows, span[0], span[1], table, left, own[:size])
        top = -np.inf
        for q in range(size):
            away = low + (left + q) * step - mean
            own[q] -= 0.5 * precision * away * away
            top = max(top, own[q])
        more_left = own[0] > top - FALL
        more_right = own[size - 1] > top - FALL
        if (more_left and left == 0) or (more_right and right == last):
            return 0, 0, top
        if not more_left and not more_right:
            return left, size, top
        if more_left:
            left = max(left - size // 2 - 2, 0)
        if more_right:
            right = min(right + size // 2 + 2, last)


@njit(cache=True, nogil=True)
def line_moments(
    bounds: Any, rows: Any, table: Any, grid: Any, prior: Any, where: Any, loglik: Any, out: Any
) -> int:
    """Write each student's log-likelihood, posterior mean and variance in one dimension.

    ``bounds`` of shape (n_students, 2) delimits the responses; ``grid`` is (lowest point, distance); ``prior`` is
    (means, variance); ``where`` of shape (n_students, 2) holds centre and reach of the window to begin with and
    gets those of the posterior. Gives −1, or the first student for whom the grid is too short.
    """
    low, step = grid
    means, variance = prior
    own = np.empty(table.shape[1])
    share = np.empty(table.shape[1])
    constant = np.log(step) - 0.5 * np.log(6.283185307179586 * variance)
    for student in range(len(means)):
        if bounds[student, 0] == bounds[student, 1]:
            loglik[student] = 0.0
            out[student, 0] = means[student]
            out[student, 1] = variance
            continue
        centre, reach = where[student, 0], where[student, 1]
        window = (int((centre - reach - low) / step), int((centre + reach - low) / step) + 1)
        left, size, top = _fill_window(
            bounds[student], rows, table, grid, (means[student], 1.0 / variance), window, own
        )
        if size == 0:
            return student
        raise_heights(own[:size], top, share[:size])
        origin = low + left * step
        total, first, second = 0.0, 0.0, 0.0
        for q in range(size):
            away = q * step
            total += share[q]
            first += share[q] * away
            second += share[q] * away * away
        first /= total
        spread = second / total - first * first
        loglik[student] = np.log(total) + top + constant
        out[student, 0] = origin + first
        out[student, 1] = spread
        where[student, 0] = origin + first
        where[student, 1] = max(LEAST_REACH * np.sqrt(spread), 4.0 * step)
    return -1


@njit(cache=True, nogil=True)
def interpolate(values: Any, position: float) -> Any:
    """Give the polynomial through the six nearest points at a position in grid cells."""
    cell = min(max(int(position), 2), len(values) - 4)
    s = position - cell
    a, b, c, d, e = s + 2.0, s + 1.0, s - 1.0, s - 2.0, s - 3.0
    ab, de, cs = a * b, d * e, c * s
    value = -b * cs * de * values[cell - 2] / 120.0 + a * cs * de * values[cell - 1] / 24.0
    value += -ab * c * de * values[cell] / 12.0 + ab * s * de * values[cell + 1] / 12.0
    return value - ab * cs * e * values[cell + 2] / 24.0 + ab * cs * d * values[cell + 3] / 120.0


@njit(cache=True, nogil=True)
def bend(values: Any, position: float, step: float) -> Any:
    """Give the interpolated value with first and second derivative, by central differences of fourth order."""
    here = interpolate(values, position)
    up, down = interpolate(values, position + 1.0), interpolate(values, position - 1.0)
    far_up, far_down = interpolate(values, position + 2.0), interpolate(values, position - 2.0)
    first = (8.0 * (up - down) - (far_up - far_down)) / (12.0 * step)
    second = (16.0 * (up + down) - 30.0 * here - far_up - far_down) / (12.0 * step * step)
    return here, first, second


@njit(cache=True, nogil=True)
def _fill_windows(bounds: Any, rows: Any, table: Any, grid: Any, where: Any, own: Any, first: Any) -> bool:
    """Write each dimension's log-likelihood around ``where`` (centres, then reaches); False if the grid is too short."""
    low, step = grid
    n = own.shape[0]
    for d in range(n):
        left = int(np.floor((where[d] - where[n + d] - low) / step - MARGIN))
        right = int(np.ceil((where[d] + where[n + d] - low) / step + MARGIN))
        if left < 0 or right >= table.shape[1]:
            return False
        first[d, 0] = left
        first[d, 1] = right - left + 1
        sum_rows(rows, bounds[d], bounds[d + 1], table, left, own[d, : right - left + 1])
    return True


@njit(cache=True, nogil=True)
def _climb(theta: Any, prior: Any, own: Any, first: Any, grid: Any, hessian: Any) -> bool:
    """Move theta to the posterior mode inside the windows; write minus the Hessian; False where an end stopped it."""
    low, step = grid
    mean, precision = prior
    n = len(theta)
    move = np.empty(n)
    trial = np.empty(n)
    value = _height(theta, prior, own, first, grid)
    for _ in range(60):
        for d in range(n):
            size = first[d, 1]
            _, slope, bent = bend(own[d, :size], (theta[d] - low) / step - first[d, 0], step)
            move[d] = slope
            for e in range(n):
                move[d] -= precision[d, e] * (theta[e] - mean[e])
                hessian[d, e] = precision[d, e]
            hessian[d, d] += max(-bent, 0.0)
        solve_positive(hessian, move, n)
        largest = 0.0
        factor = 1.0
        for _half in range(30):
            for d in range(n):
                lowest = low + (first[d, 0] + 0.75 * MARGIN) * step
                highest = low + (first[d, 0] + first[d, 1] - 1 - 0.75 * MARGIN) * step
                trial[d] = min(max(theta[d] + factor * move[d], lowest), highest)
            new = _height(trial, prior, own, first, grid)
            if new >= value - 1e-9 * (1.0 + abs(value)):
                break
            factor *= 0.5
        value = new
        for d in range(n):
            largest = max(largest, abs(trial[d] - theta[d]))
            theta[d] = trial[d]
        if largest < 1e-6:
            break
    inside = True
    for d in range(n):
        size = first[d, 1]
        place = (theta[d] - low) / step - first[d, 0]
        inside = inside and MARGIN < place < size - 1 - MARGIN
        bent = bend(own[d, :size], place, step)[2]
        for e in range(n):
            hessian[d, e] = precision[d, e]
        hessian[d, d] += max(-bent, 0.0)
    return inside


@njit(cache=True, nogil=True)
def _height(theta: Any, prior: Any, own: Any, first: Any, grid: Any) -> float:
    """Log-likelihood plus log prior, up to the prior's constant."""
    low, step = grid
    mean, precision = prior
    n = len(theta)
    value = 0.0
    for d in range(n):
        value += interpolate(own[d, : first[d, 1]], (theta[d] - low) / step - first[d, 0])
        for e in range(n):
            value -= 0.5 * (theta[d] - mean[d]) * precision[d, e] * (theta[e] - mean[e])
    return value


@njit(cache=True, nogil=True)
def lower_root(matrix: Any, out: Any) -> bool:
    """Write the lower Cholesky factor of a small matrix; False where it is not positive definite."""
    n = len(matrix)
    out[:] = 0.0
    for i in range(n):
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= out[i, k] * out[j, k]
            if i == j:
                if not total > 0.0:
                    return False
                out[i, i] = np.sqrt(total)
            else:
                out[i, j] = total / out[j, j]
    return True


@njit(cache=True, nogil=True)
def _root_of_inverse(matrix: Any, out: Any) -> None:
    """Write the lower Cholesky factor of the inverse of a small positive definite matrix."""
    n = len(matrix)
    inverse = np.empty((n, n))
    for d in range(n):
        copy = matrix.copy()
        unit = np.zeros(n)
        unit[d] = 1.0
        solve_positive(copy, unit, n)
        inverse[:, d] = unit
    lower_root(inverse, out)


@njit(cache=True, nogil=True)
def _integrate(
    centre: Any, root: Any, prior: Any, own: Any, first: Any, grid: Any, rule: Any, work: Any, out: Any
) -> float:
    """Sum the posterior over the adapted nodes; ``out`` gets mean and covariance; the log of the integral is given."""
    low, step = grid
    mean, precision = prior
    nodes, log_weights = rule
    theta, value = work
    n, size = len(centre), len(nodes)
    n_points = 1
    for d in range(n):
        n_points *= size
        for point in range(n_points):
            rest = point
            here = centre[d]
            for e in range(d, -1, -1):
                here += ROOT_TWO * root[d, e] * nodes[rest % size]
                rest //= size
            theta[d, point] = here
            height = interpolate(own[d, : first[d, 1]], (here - low) / step - first[d, 0])
            height += log_weights[point % size] + (value[d - 1, point // size] if d > 0 else 0.0)
            # the part of the quadratic form that involves this dimension and earlier ones
            away = here - mean[d]
            height -= 0.5 * precision[d, d] * away * away
            rest = point // size
            for e in range(d - 1, -1, -1):
                height -= precision[d, e] * away * (theta[e, rest] - mean[e])
                rest //= size
            value[d, point] = height
    top = value[n - 1, :n_points].max()
    out[:] = 0.0
    total = 0.0
    for point in range(n_points):
        share = np.exp(value[n - 1, point] - top)
        total += share
        rest = point
        for d in range(n - 1, -1, -1):
            away = theta[d, rest] - centre[d]
            out[d] += share * away
            inner = rest
            for e in range(d, -1, -1):
                out[n + d * n + e] += share * away * (theta[e, inner] - centre[e])
                inner //= size
            rest //= size
    for place in range(n + n * n):
        out[place] /= total
    for d in range(n):
        for e in range(d + 1):
            out[n + d * n + e] -= out[d] * out[e]
            out[n + e * n + d] = out[n + d * n + e]
    for d in range(n):
        out[d] += centre[d]
    return float(np.log(total) + top)


@njit(cache=True, nogil=True)
def _place_windows(
    student: int, bounds: Any, rows: Any, table: Any, grid: Any, prior: Any, where: Any, rule: Any, work: Any
) -> bool:
    """Find mode and root of one student, with windows that hold all nodes; False if the grid is too short."""
    own, first, root, hessian = work
    n = len(root)
    farthest = ROOT_TWO * rule[0][-1]
    theta = where[:n].copy()
    for _ in range(60):
        if not _fill_windows(bounds[student], rows, table, grid, where, own, first):
            return False
        inside = _climb(theta, prior, own, first, grid, hessian)
        _root_of_inverse(hessian, root)
        for d in range(n):
            reach = 0.0
            for e in range(d + 1):
                reach += farthest * abs(root[d, e])
            held = abs(theta[d] - where[d]) + reach <= where[n + d]
            inside = inside and held
            where[d] = theta[d]
            if not held or where[n + d] > 1.5 * reach + 4.0 * grid[1]:
                where[n + d] = 1.15 * reach + 2.0 * grid[1]
        if inside:
            return True
    return False


@njit(cache=True, nogil=True)
def space_moments(
    bounds: Any,
    rows: Any,
    table: Any,
    grid: Any,
    prior: Any,
    rule: Any,
    is_concave: bool,
    where: Any,
    loglik: Any,
    out: Any,
) -> int:
    """Write each student's log-likelihood, posterior mean and covariance in several dimensions.

    ``bounds`` of shape (n_students, n_dimensions + 1) delimits the responses of each dimension; ``prior`` is (means,
    precision, covariance, log determinant of the precision); ``rule`` is (nodes, log weights plus squared nodes) of
    Gauss-Hermite; ``where`` of shape (n_students, 2 * n_dimensions) holds modes and reaches. Where the log-likelihood
    may not be concave, a second pass puts the nodes around the mean with the covariance that the first pass found.
    Gives −1, or the first student for whom the grid is too short.
    """
    means, precision, covariance, log_determinant = prior
    n = means.shape[1]
    most = len(rule[0]) ** n
    own = np.empty((n, table.shape[1]))
    first = np.empty((n, 2), dtype=np.int64)
    root = np.empty((n, n))
    hessian = np.empty((n, n))
    work = (np.empty((n, most)), np.empty((n, most)))
    for student in range(means.shape[0]):
        if bounds[student, 0] == bounds[student, n]:
            loglik[student] = 0.0
            out[student, :n] = means[student]
            out[student, n:] = covariance.ravel()
            continue
        own_prior = (means[student], precision)
        if not _place_windows(
            student, bounds, rows, table, grid, own_prior, where[student], rule, (own, first, root, hessian)
        ):
            return student
        centre = where[student, :n]
        value = _integrate(centre, root, own_prior, own, first, grid, rule, work, out[student])
        if not is_concave:
            again = out[student, :n].copy()
            if not lower_root(out[student, n:].copy().reshape(n, n), root):
                return student
            wide = where[student].copy()
            for d in range(n):
                wide[d] = again[d]
                wide[n + d] = 0.0
                for e in range(d + 1):
                    wide[n + d] += ROOT_TWO * rule[0][-1] * abs(root[d, e])
            if not _fill_windows(bounds[student], rows, table, grid, wide, own, first):
                return student
            value = _integrate(again, root, own_prior, own, first, grid, rule, work, out[student])
        for d in range(n):
            value += np.log(root[d, d])
        loglik[student] = value + 0.5 * log_determinant - 0.5 * n * 1.1447298858494002
    return -1
