"""Passes over the covariates, and exact draws of ability under a latent regression, student by student.

Draws come from rejection under the tangent of the log-likelihood, student by student and stream by stream. See
docs/algorithms/latent_regression.md and plausible_values.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from lsakit.kernels.likelihood_tables import FALL, bend, climb, interpolate, sum_rows

MOST_PROPOSALS = 10_000_000
FIRST_PROPOSALS = 40  # under the covers of the fitted model; after them a draw gets covers of its own prior
SWEEPS = 12
PRIOR_REACH = 9.5  # standard deviations; a proposal is farther away once in 10^20
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST_MIX = np.uint64(0xBF58476D1CE4E5B9)
SECOND_MIX = np.uint64(0x94D049BB133111EB)
UNIT = 1.0 / 9007199254740992.0


@njit(cache=True, nogil=True, fastmath=True)
def row_products(x: Any, coefficients: Any, out: Any) -> None:
    """Write x times coefficients: ``x`` of shape (n, p), ``coefficients`` (d, p) and ``out`` (n, d) in 64 bits."""
    for i in range(x.shape[0]):
        for d in range(coefficients.shape[0]):
            total = 0.0
            for j in range(x.shape[1]):
                total += x[i, j] * coefficients[d, j]
            out[i, d] = total


@njit(cache=True, nogil=True)
def add_column_products(x: Any, values: Any, out: Any) -> None:
    """Add x'values to ``out``: ``values`` of shape (n, d), ``out`` (d, p), sums in 64 bits."""
    n = x.shape[0]
    whole = n - n % 4
    for i in range(0, whole, 4):
        for d in range(values.shape[1]):
            a, b, c, e = values[i, d], values[i + 1, d], values[i + 2, d], values[i + 3, d]
            for j in range(x.shape[1]):
                out[d, j] += (a * x[i, j] + b * x[i + 1, j]) + (c * x[i + 2, j] + e * x[i + 3, j])
    for i in range(whole, n):
        for d in range(values.shape[1]):
            for j in range(x.shape[1]):
                out[d, j] += values[i, d] * x[i, j]


@njit(cache=True, nogil=True)
def mix(value: Any) -> Any:
    """Scramble sixty-four bits (the finaliser of SplitMix64)."""
    value = (value ^ (value >> np.uint64(30))) * FIRST_MIX
    value = (value ^ (value >> np.uint64(27))) * SECOND_MIX
    return value ^ (value >> np.uint64(31))


@njit(cache=True, nogil=True)
def uniform(state: Any) -> float:
    """Advance a stream held in an array of one and give a number in (0, 1]."""
    state[0] += GOLDEN
    return (np.float64(mix(state[0]) >> np.uint64(11)) + 1.0) * UNIT


@njit(cache=True, nogil=True)
def _normal(state: Any, spare: Any) -> float:
    """Give one standard normal number (Box and Muller); ``spare`` is (the second of a pair, 1 where it is there)."""
    if spare[1] > 0.0:
        spare[1] = 0.0
        return float(spare[0])
    radius = np.sqrt(-2.0 * np.log(uniform(state)))
    angle = 6.283185307179586 * uniform(state)
    spare[0] = radius * np.sin(angle)
    spare[1] = 1.0
    return float(radius * np.cos(angle))


@njit(cache=True, nogil=True)
def _cover(own: Any, begin: int, end: int, shift: int, step: float, slope: float) -> Any:
    """Give the lowest height c at which c + slope · theta covers the log-likelihood on the points from begin to end.

    A quarter of each second difference is added for what lies between two points.
    """
    most = -np.inf
    for q in range(begin, end + 1):
        bulge = 0.25 * abs(own[q - 1] - 2.0 * own[q] + own[q + 1])
        most = max(most, own[q] + bulge - slope * (q - shift) * step)
    return most


@njit(cache=True, nogil=True)
def _reachable(own: Any, shift: int, step: float, centre: float, prior: Any, is_line: bool) -> Any:
    """First and last point that matter: those near centre and prior, in one dimension those of the posterior only.

    ``prior`` is (mean, standard deviation). The posterior ends where it is below 1e-13 of its height.
    """
    mean, sd = prior
    begin = max(int(np.floor((min(centre, mean) - PRIOR_REACH * sd) / step)) + shift, 1)
    end = min(int(np.ceil((max(centre, mean) + PRIOR_REACH * sd) / step)) + shift, len(own) - 2)
    if is_line:
        top = -np.inf
        for q in range(begin, end + 1):
            z = ((q - shift) * step - mean) / sd
            top = max(top, own[q] - 0.5 * z * z)
        while begin < end and own[begin] - 0.5 * (((begin - shift) * step - mean) / sd) ** 2 < top - FALL:
            begin += 1
        while begin < end and own[end] - 0.5 * (((end - shift) * step - mean) / sd) ** 2 < top - FALL:
            end -= 1
    return begin, end


@njit(cache=True, nogil=True)
def _best_slopes(held: Any, step: float, centre: Any, prior: Any, n_sweeps: int, gradient: Any) -> float:
    """Choose the slopes whose cover, times the prior, has the least mass; give the sum of the covers' heights.

    The log of that mass, c(g) + m'g + g'Σg/2, is convex in the slopes g: golden sections, dimension after dimension.
    """
    own, first = held
    mean, covariance = prior
    n = len(centre)
    height = 0.0
    for _sweep in range(n_sweeps):
        height = 0.0
        for d in range(n):
            values, shift = own[d, : first[d, 1]], first[d, 0]
            sd = np.sqrt(covariance[d, d])
            begin, end = _reachable(values, shift, step, centre[d], (mean[d], sd), n == 1)
            middle = mean[d]
            for e in range(n):
                if e != d:
                    middle += covariance[d, e] * gradient[e]
            low = ((begin - shift) * step - middle) / covariance[d, d]
            high = ((end - shift) * step - middle) / covariance[d, d]
            for _ in range(30):
                left, right = low + 0.381966 * (high - low), low + 0.618034 * (high - low)
                at_left = _cover(values, begin, end, shift, step, left) + left * (
                    middle + 0.5 * covariance[d, d] * left
                )
                at_right = _cover(values, begin, end, shift, step, right) + right * (
                    middle + 0.5 * covariance[d, d] * right
                )
                if at_left < at_right:
                    high = right
                else:
                    low = left
            gradient[d] = 0.5 * (low + high)
            height += _cover(values, begin, end, shift, step, gradient[d]) + gradient[d] * centre[d]
    return height


@njit(cache=True, nogil=True)
def _prepare(
    span: Any, tables: Any, reach: Any, centre: Any, prior: Any, is_concave: bool, work: Any
) -> float:
    """Write one student's log-likelihoods and the slopes of their covers; give the sum of the covers at the centre.

    ``reach`` of shape (n, 2) holds the lowest and highest ability needed in each dimension. A concave log-likelihood is
    covered by its tangent at the centre.
    """
    bounds, rows = span
    table, (half, step) = tables
    own, first, gradient = work
    n = len(centre)
    height = 0.0
    for d in range(n):
        left = max(int(reach[d, 0] / step) + half - 6, 0)
        right = min(int(reach[d, 1] / step) + half + 7, table.shape[1] - 1)
        size = right - left + 1
        first[d, 0], first[d, 1] = half - left, size
        sum_rows(rows, bounds[d], bounds[d + 1], table, left, own[d, :size])
        here, slope, _ = bend(own[d, :size], half - left, centre[d] / step, step)
        gradient[d] = slope
        height += here
    if not is_concave:
        height = _best_slopes((own, first), step, centre, prior, 1 if n == 1 else 3, gradient)
    return height


@njit(cache=True, nogil=True)
def _draw_one(state: Any, most: int, prior: Any, tangent: Any, step: float, held: Any, out: Any) -> bool:
    """Draw one vector of abilities by rejection under the covers; False where no proposal of the most is accepted."""
    mean, covariance, root = prior
    point, gradient, height = tangent
    own, first = held
    n = len(mean)
    normal = np.empty(n)
    spare = np.zeros(2)
    for _ in range(most):
        for d in range(n):
            normal[d] = _normal(state, spare)
        surplus = -height
        for d in range(n):
            theta = mean[d]
            for e in range(n):
                theta += covariance[d, e] * gradient[e]
            for e in range(d + 1):
                theta += root[d, e] * normal[e]
            out[d] = theta
            if not 0.0 <= theta / step + first[d, 0] <= first[d, 1] - 1:
                surplus = -np.inf
                break
            surplus += interpolate(own[d, : first[d, 1]], first[d, 0], theta / step)
            surplus -= gradient[d] * (theta - point[d])
        if surplus >= 0.0 or np.log(uniform(state)) <= surplus:
            return True
    return False


@njit(cache=True, nogil=True)
def _own_covers(
    prior: Any, step: float, held: Any, centre: Any, point: Any, is_concave: bool, gradient: Any
) -> float:
    """Choose covers for the prior of one draw, from its posterior mode, which ``point`` gets; give their height there.

    Nothing here depends on how far the windows reach, which other draws of the student determine too.
    """
    own, first = held
    mean, covariance = prior
    n = len(mean)
    hessian = np.empty((n, n))
    limits = np.empty((n, 2))
    for d in range(n):
        point[d] = centre[d]
        sd = np.sqrt(covariance[d, d])
        limits[d, 0] = min(centre[d], mean[d]) - PRIOR_REACH * sd
        limits[d, 1] = max(centre[d], mean[d]) + PRIOR_REACH * sd
    climb(point, (mean, np.linalg.inv(covariance)), (own, first, step), limits, hessian)
    height = 0.0
    for d in range(n):
        here, slope, _ = bend(own[d, : first[d, 1]], first[d, 0], point[d] / step, step)
        gradient[d] = slope
        height += here
    if not is_concave:
        height = _best_slopes(held, step, centre, prior, 1 if n == 1 else SWEEPS, gradient)
        for d in range(n):
            height += gradient[d] * (point[d] - centre[d])
    return height


@njit(cache=True, nogil=True)
def draw_abilities(
    responses: Any, tables: Any, prior: Any, streams: Any, centres: Any, is_concave: bool, out: Any
) -> int:
    """Draw plausible values; return −1, or the first student for whom no proposal was accepted.

    ``prior`` is (means of shape (n_draws, n_students, n_dimensions), covariances and their lower roots of shape
    (n_draws, n_dimensions, n_dimensions), means and covariance of the fitted model of shape (n_students,
    n_dimensions) and (n_dimensions, n_dimensions)); ``streams`` is (seeds of the students, numbers of the draws);
    ``centres`` are the points of the tangents; ``out`` has the shape of the means. What a draw gives depends on its
    own number, prior and student alone.
    """
    bounds, rows = responses
    means, covariances, roots, fitted, covariance = prior
    seeds, numbers = streams
    n_draws, n_students, n = means.shape
    state = np.zeros(1, dtype=np.uint64)
    own = np.empty((n, tables[0].shape[1]))
    first = np.empty((n, 2), dtype=np.int64)
    gradient = np.empty(n)
    own_gradient = np.empty(n)
    point = np.empty(n)
    reach = np.empty((n, 2))
    step = tables[1][1]
    wide = np.sqrt(np.diag(covariance))
    for draw in range(n_draws):
        for d in range(n):
            wide[d] = max(wide[d], np.sqrt(covariances[draw, d, d]))
    for student in range(n_students):
        for d in range(n):
            reach[d, 0] = min(centres[student, d], fitted[student, d])
            reach[d, 1] = max(centres[student, d], fitted[student, d])
            for draw in range(n_draws):
                reach[d, 0] = min(reach[d, 0], means[draw, student, d])
                reach[d, 1] = max(reach[d, 1], means[draw, student, d])
            reach[d, 0] -= PRIOR_REACH * wide[d]
            reach[d, 1] += PRIOR_REACH * wide[d]
        centre = centres[student]
        work = (own, first, gradient)
        common = (fitted[student], covariance)
        height = _prepare((bounds[student], rows), tables, reach, centre, common, is_concave, work)
        for draw in range(n_draws):
            state[0] = mix(seeds[student] ^ mix(np.uint64(numbers[draw]) * GOLDEN + FIRST_MIX))
            own_prior = (means[draw, student], covariances[draw], roots[draw])
            result = out[draw, student]
            tangent = (centre, gradient, height)
            if _draw_one(state, FIRST_PROPOSALS, own_prior, tangent, step, (own, first), result):
                continue
            own_height = _own_covers(
                (means[draw, student], covariances[draw]),
                step,
                (own, first),
                centre,
                point,
                is_concave,
                own_gradient,
            )
            tangent = (point, own_gradient, own_height)
            if not _draw_one(state, MOST_PROPOSALS, own_prior, tangent, step, (own, first), result):
                return student
    return -1
