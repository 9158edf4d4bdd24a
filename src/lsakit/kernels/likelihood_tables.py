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
def list_rows(codes: Any, places: Any, first: Any, out: Any) -> None:
    """Write the table rows of each student's responses one after another; ``first`` is where each student begins.

    ``places`` is (first row of each item, row of its partly right answers); codes are scores, −1 where not
    administered, −2 where partly right.
    """
    offset, partly_row = places
    for student in range(codes.shape[0]):
        place = first[student]
        for item in range(codes.shape[1]):
            code = codes[student, item]
            if code != -1:
                out[place] = offset[item] + code if code >= 0 else partly_row[item]
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
    half, step = grid
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
            away = (left + q - half) * step - mean
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
def line_moments(responses: Any, tables: Any, prior: Any, where: Any, loglik: Any, out: Any) -> int:
    """Write each student's log-likelihood, posterior mean and variance in one dimension.

    ``responses`` is (bounds of shape (n_students, 2), rows of the table); ``tables`` is (table, (points below zero,
    distance of the points)); ``prior`` is (means, variance); ``where`` of shape (n_students, 2) holds centre and reach of the window to begin with and
    gets those of the posterior. Gives −1, or the first student for whom the grid is too short.
    """
    bounds, rows = responses
    table, grid = tables
    half, step = grid
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
        window = (int((centre - reach) / step) + half - 1, int((centre + reach) / step) + half + 1)
        left, size, top = _fill_window(
            bounds[student], rows, table, grid, (means[student], 1.0 / variance), window, own
        )
        if size == 0:
            return student
        raise_heights(own[:size], top, share[:size])
        origin = (left - half) * step
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
def _weights(s: float) -> Any:
    """Weights of the six points from two cells below to three above, at ``s`` cells above the third."""
    a, b, c, d, e = s + 2.0, s + 1.0, s - 1.0, s - 2.0, s - 3.0
    ab, de, cs = a * b, d * e, c * s
    return (
        -b * cs * de / 120.0,
        a * cs * de / 24.0,
        -ab * c * de / 12.0,
        ab * s * de / 12.0,
        -ab * cs * e / 24.0,
        ab * cs * d / 120.0,
    )


@njit(cache=True, nogil=True)
def interpolate(values: Any, shift: int, position: float) -> Any:
    """Give the polynomial through the six nearest points at an ability in grid cells.

    ``shift`` is the place in ``values`` of ability zero. The position within its cell does not depend on it, so that
    the same ability gives the same bits in any window.
    """
    floor = np.floor(position)
    cell = min(max(int(floor) + shift, 2), len(values) - 4)
    s = position - floor + (int(floor) + shift - cell)
    a, b, c, d, e, f = _weights(s)
    low = a * values[cell - 2] + b * values[cell - 1] + c * values[cell]
    return low + d * values[cell + 1] + e * values[cell + 2] + f * values[cell + 3]


@njit(cache=True, nogil=True)
def bend(values: Any, shift: int, position: float, step: float) -> Any:
    """Give the interpolated value with first and second derivative, by central differences of fourth order."""
    floor = np.floor(position)
    cell = min(max(int(floor) + shift, 4), len(values) - 6)
    a, b, c, d, e, f = _weights(position - floor + (int(floor) + shift - cell))
    v = values[cell - 4 : cell + 6]
    far_down = a * v[0] + b * v[1] + c * v[2] + d * v[3] + e * v[4] + f * v[5]
    down = a * v[1] + b * v[2] + c * v[3] + d * v[4] + e * v[5] + f * v[6]
    here = a * v[2] + b * v[3] + c * v[4] + d * v[5] + e * v[6] + f * v[7]
    up = a * v[3] + b * v[4] + c * v[5] + d * v[6] + e * v[7] + f * v[8]
    far_up = a * v[4] + b * v[5] + c * v[6] + d * v[7] + e * v[8] + f * v[9]
    first = (8.0 * (up - down) - (far_up - far_down)) / (12.0 * step)
    second = (16.0 * (up + down) - 30.0 * here - far_up - far_down) / (12.0 * step * step)
    return here, first, second


@njit(cache=True, nogil=True)
def _fill_windows(span: Any, tables: Any, where: Any, own: Any, first: Any) -> bool:
    """Write each dimension's log-likelihood around ``where`` (centres, then reaches); False if the grid is too short.

    ``span`` is (bounds of the student, rows); ``first`` gets the place of ability zero in the window, and its size.
    """
    bounds, rows = span
    table, grid = tables
    half, step = grid
    n = own.shape[0]
    for d in range(n):
        left = int(np.floor((where[d] - where[n + d]) / step - MARGIN)) + half
        right = int(np.ceil((where[d] + where[n + d]) / step + MARGIN)) + half
        if left < 0 or right >= table.shape[1]:
            return False
        first[d, 0] = half - left
        first[d, 1] = right - left + 1
        sum_rows(rows, bounds[d], bounds[d + 1], table, left, own[d, : right - left + 1])
    return True


@njit(cache=True, nogil=True)
def climb(theta: Any, prior: Any, held: Any, limits: Any, hessian: Any) -> bool:
    """Move theta to the posterior mode between limits; write minus the Hessian; False where it ends near a limit.

    ``held`` is (log-likelihoods, their windows, distance of the points); ``limits`` of shape (n, 2) must lie inside the
    windows.
    """
    own, first, step = held
    mean, precision = prior
    n = len(theta)
    move = np.empty(n)
    trial = np.empty(n)
    value = _height(theta, prior, own, first, step)
    for _ in range(60):
        for d in range(n):
            _, slope, bent = bend(own[d, : first[d, 1]], first[d, 0], theta[d] / step, step)
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
                trial[d] = min(max(theta[d] + factor * move[d], limits[d, 0]), limits[d, 1])
            new = _height(trial, prior, own, first, step)
            if new >= value - 1e-9 * (1.0 + abs(value)):
                break
            factor *= 0.5
        value = new
        for d in range(n):
            largest = max(largest, abs(trial[d] - theta[d]))
            theta[d] = trial[d]
        if largest < 1e-5:  # nodes are placed there, no more
            break
    inside = True
    for d in range(n):
        inside = inside and limits[d, 0] + 2.0 * step < theta[d] < limits[d, 1] - 2.0 * step
        bent = bend(own[d, : first[d, 1]], first[d, 0], theta[d] / step, step)[2]
        for e in range(n):
            hessian[d, e] = precision[d, e]
        hessian[d, d] += max(-bent, 0.0)
    return inside


@njit(cache=True, nogil=True)
def _height(theta: Any, prior: Any, own: Any, first: Any, step: float) -> float:
    """Log-likelihood plus log prior, up to the prior's constant."""
    mean, precision = prior
    n = len(theta)
    value = 0.0
    for d in range(n):
        value += interpolate(own[d, : first[d, 1]], first[d, 0], theta[d] / step)
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
def _spread_nodes(place: Any, prior: Any, held: Any, rule: Any, work: Any) -> Any:
    """Write the log of the posterior times the rule's weight at all adapted nodes; give their number and the largest.

    The nodes form a tree, one dimension after the other; a branch carries the parts of its later dimensions that are
    settled already: their ability, and their product with the precision.
    """
    centre, root = place
    mean, precision = prior
    own, first, step = held
    nodes, log_weights = rule[0], rule[1]
    ability, product, value = work[0], work[1], work[2]
    n, size = len(centre), len(nodes)
    for d in range(n):
        ability[0, d, 0] = centre[d]
        product[0, d, 0] = 0.0
    value[0, 0] = 0.0
    n_branches = 1
    for d in range(n):
        now, after = d % 2, (d + 1) % 2
        branch = 0
        for parent in range(n_branches):
            for q in range(size):
                move = ROOT_TWO * nodes[q]
                theta = ability[now, d, parent] + root[d, d] * move
                away = theta - mean[d]
                height = interpolate(own[d, : first[d, 1]], first[d, 0], theta / step)
                height -= away * (0.5 * precision[d, d] * away + product[now, d, parent])
                value[after, branch] = value[now, parent] + height + log_weights[q]
                for later in range(d + 1, n):
                    ability[after, later, branch] = ability[now, later, parent] + root[later, d] * move
                    product[after, later, branch] = product[now, later, parent] + precision[later, d] * away
                branch += 1
        n_branches *= size
    return n_branches, value[n % 2, :n_branches].max()


@njit(cache=True, nogil=True)
def _fold_nodes(n: int, n_points: int, nodes: Any, mass: Any, one: Any, two: Any) -> None:
    """Sum the tree of nodes from its leaves: mass[0], and first and second moments of the nodes, not yet divided."""
    size = len(nodes)
    for d in range(n - 1, -1, -1):
        n_points //= size
        for parent in range(n_points):
            start = parent * size
            for e in range(d + 1, n):
                for f in range(e, n):
                    total = 0.0
                    for q in range(size):
                        total += two[e, f, start + q]
                    two[e, f, parent] = total
                total = 0.0
                across = 0.0
                for q in range(size):
                    total += one[e, start + q]
                    across += one[e, start + q] * nodes[q]
                one[e, parent] = total
                two[d, e, parent] = across
            total = 0.0
            first = 0.0
            second = 0.0
            for q in range(size):
                total += mass[start + q]
                first += mass[start + q] * nodes[q]
                second += mass[start + q] * nodes[q] * nodes[q]
            mass[parent] = total
            one[d, parent] = first
            two[d, d, parent] = second


@njit(cache=True, nogil=True)
def _integrate(place: Any, prior: Any, held: Any, rule: Any, work: Any, out: Any) -> float:
    """Sum the posterior over the adapted nodes; ``out`` gets mean and covariance; the log of the integral is given."""
    centre, root = place
    n = len(centre)
    n_points, top = _spread_nodes(place, prior, held, rule, work)
    value, mass, one, two = work[2], work[3], work[4], work[5]
    raise_heights(value[n % 2, :n_points], top, mass[:n_points])
    _fold_nodes(n, n_points, rule[0], mass, one, two)
    total = mass[0]
    for d in range(n):
        out[d] = centre[d]
        for e in range(d + 1):
            out[d] += ROOT_TWO * root[d, e] * one[e, 0] / total
    for d in range(n):
        for e in range(d + 1):
            spread = 0.0
            for a in range(d + 1):
                for b in range(e + 1):
                    inner = two[min(a, b), max(a, b), 0] / total - one[a, 0] * one[b, 0] / (total * total)
                    spread += 2.0 * root[d, a] * root[e, b] * inner
            out[n + d * n + e] = spread
            out[n + e * n + d] = spread
    return float(np.log(total) + top)


@njit(cache=True, nogil=True)
def _place_windows(span: Any, tables: Any, prior: Any, where: Any, farthest: float, work: Any) -> bool:
    """Find mode and root of one student, with windows that hold all nodes; False if the grid is too short."""
    own, first, root, hessian, limits = work
    step = tables[1][1]
    n = len(root)
    theta = where[:n].copy()
    for _ in range(60):
        if not _fill_windows(span, tables, where, own, first):
            return False
        for d in range(n):
            limits[d, 0] = (0.75 * MARGIN - first[d, 0]) * step
            limits[d, 1] = (first[d, 1] - 1 - 0.75 * MARGIN - first[d, 0]) * step
        inside = climb(theta, prior, (own, first, step), limits, hessian)
        _root_of_inverse(hessian, root)
        for d in range(n):
            reach = 0.0
            for e in range(d + 1):
                reach += farthest * abs(root[d, e])
            held = abs(theta[d] - where[d]) + reach <= where[n + d]
            inside = inside and held
            where[d] = theta[d]
            if not held or where[n + d] > 1.5 * reach + 4.0 * step:
                where[n + d] = 1.15 * reach + 2.0 * step
        if inside:
            return True
    return False


@njit(cache=True, nogil=True)
def _around_mean(span: Any, tables: Any, prior: Any, held: Any, root: Any, rule: Any, work: Any) -> Any:
    """Integrate again around the mean with the covariance of a first pass, which ``work[-1]`` holds and gets anew."""
    own, first = held[0], held[1]
    out = work[6]
    n = len(root)
    where = np.empty(2 * n)
    where[:n] = out[:n]
    if not lower_root(out[n:].copy().reshape(n, n), root):
        return False, 0.0
    for d in range(n):
        where[n + d] = 0.0
        for e in range(d + 1):
            where[n + d] += ROOT_TWO * rule[0][-1] * abs(root[d, e])
    if not _fill_windows(span, tables, where, own, first):
        return False, 0.0
    return True, _integrate((where[:n], root), prior, held, rule, work, out)


@njit(cache=True, nogil=True)
def space_moments(
    responses: Any, tables: Any, prior: Any, rule: Any, where: Any, loglik: Any, out: Any
) -> int:
    """Write each student's log-likelihood, posterior mean and covariance in several dimensions.

    ``responses`` is (bounds of shape (n_students, n_dimensions + 1), rows of the table); ``tables`` as for one
    dimension; ``prior`` is (means, precision, covariance, log determinant of the precision); ``rule`` is (nodes, log
    weights plus squared nodes, whether log-likelihoods are concave) of Gauss-Hermite; ``where`` of shape (n_students,
    2 * n_dimensions) holds modes and reaches. Where the log-likelihood may not be concave, a second pass puts the
    nodes around the mean with the covariance that the first pass found. Gives −1, or the first student for whom the
    grid is too short.
    """
    bounds, rows = responses
    means, precision, covariance, log_determinant = prior
    n = means.shape[1]
    most = len(rule[0]) ** n
    own = np.empty((n, tables[0].shape[1]))
    first = np.empty((n, 2), dtype=np.int64)
    root = np.empty((n, n))
    hessian = np.empty((n, n))
    result = np.empty(n + n * n)
    held = (own, first, tables[1][1])
    places = (own, first, root, hessian, np.empty((n, 2)))
    work = (
        np.empty((2, n, most)),
        np.empty((2, n, most)),
        np.empty((2, most)),
        np.empty(most),
        np.empty((n, most)),
        np.empty((n, n, most)),
        result,
    )
    for student in range(means.shape[0]):
        if bounds[student, 0] == bounds[student, n]:
            loglik[student] = 0.0
            out[student, :n] = means[student]
            out[student, n:] = covariance.ravel()
            continue
        span = (bounds[student], rows)
        here = (means[student], precision)
        farthest = ROOT_TWO * rule[0][-1]
        if not _place_windows(span, tables, here, where[student], farthest, places):
            return student
        value = _integrate((where[student, :n], root), here, held, rule, work, result)
        if not rule[2]:
            good, value = _around_mean(span, tables, here, held, root, rule, work)
            if not good:
                return student
        for d in range(n):
            value += np.log(root[d, d])
        loglik[student] = value + 0.5 * log_determinant - 0.5 * n * 1.1447298858494002
        out[student] = result
    return -1
