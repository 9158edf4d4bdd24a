"""Item models beyond the plain partial credit form: derivatives, priors and the maximisation step.

An item has a vector ``xi`` of native parameters, by kind: partial credit (intercept_1 …, slope), guessing
(intercept, slope, logit of the lower asymptote), graded (intercept_1 …, slope), nominal (intercept_1 …,
category slope_1 …). See docs/algorithms/item_models.md for the formulas.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from lsakit.kernels.partial_credit import solve_positive

PARTIAL_CREDIT, GUESSING, GRADED, NOMINAL = 0, 1, 2, 3
TINY = 1e-300  # a probability that has run out of digits divides by this, not by zero
NO_PRIOR, NORMAL, LOGNORMAL, BETA = 0, 1, 2, 3


@njit(cache=True, nogil=True)
def logistic(x: float) -> float:
    """Give 1 / (1 + exp(-x)) without overflow."""
    if x >= 0.0:
        return float(1.0 / (1.0 + np.exp(-x)))
    raised = np.exp(x)
    return float(raised / (1.0 + raised))


@njit(cache=True, nogil=True)
def log_logistic(x: float) -> float:
    """Give the log of the logistic function without losing small values."""
    return float(-np.log1p(np.exp(-x))) if x >= 0.0 else float(x - np.log1p(np.exp(x)))


@njit(cache=True, nogil=True)
def _linear_logits(kind: int, xi: Any, steps: int, theta: float, log_p: Any) -> None:
    """Write the log probabilities of a partial credit or nominal item."""
    top = 0.0
    log_p[0] = 0.0
    for k in range(1, steps + 1):
        slope = xi[steps + k - 1] if kind == NOMINAL else k * xi[steps]
        log_p[k] = slope * theta + xi[k - 1]
        top = max(top, log_p[k])
    total = 0.0
    for k in range(steps + 1):
        total += np.exp(log_p[k] - top)
    shift = top + np.log(total)
    for k in range(steps + 1):
        log_p[k] -= shift


@njit(cache=True, nogil=True)
def log_probabilities(kind: int, xi: Any, steps: int, theta: float, log_p: Any) -> bool:
    """Write the log probability of each category; False where graded intercepts do not fall."""
    if kind == GUESSING:
        z = xi[1] * theta + xi[0]
        guess = logistic(xi[2])
        log_p[0] = log_logistic(-xi[2]) + log_logistic(-z)
        log_p[1] = np.log(guess + (1.0 - guess) * logistic(z))
    elif kind == GRADED:
        for k in range(1, steps):
            if not xi[k] < xi[k - 1]:
                return False
        for k in range(steps + 1):
            value = 0.0
            if k > 0:
                value += log_logistic(xi[steps] * theta + xi[k - 1])
            if k < steps:
                value += log_logistic(-(xi[steps] * theta + xi[k]))
            if 0 < k < steps:
                value += np.log(-np.expm1(xi[k] - xi[k - 1]))
            log_p[k] = value
    else:
        _linear_logits(kind, xi, steps, theta, log_p)
    return True


@njit(cache=True, nogil=True)
def _guessing_derivatives(xi: Any, theta: float, first: Any, second: Any) -> None:
    """Differentiate the log probabilities of a guessing item in (intercept, slope, logit of guessing)."""
    s = logistic(xi[1] * theta + xi[0])
    g = logistic(xi[2])
    p = max(g + (1.0 - g) * s, TINY)
    by_z = (1.0 - g) * s * (1.0 - s) / p
    by_g = g * (1.0 - g) * (1.0 - s) / p
    zz = by_z * (1.0 - 2.0 * s) - by_z * by_z
    gg = by_g * (1.0 - 2.0 * g) - by_g * by_g
    zg = -g * (1.0 - g) * s * (1.0 - s) / p - by_z * by_g
    z_of = (1.0, theta)
    for j in range(2):
        first[0, j] = -s * z_of[j]
        first[1, j] = by_z * z_of[j]
        for other in range(2):
            second[0, j, other] = -s * (1.0 - s) * z_of[j] * z_of[other]
            second[1, j, other] = zz * z_of[j] * z_of[other]
        second[0, j, 2] = 0.0
        second[0, 2, j] = 0.0
        second[1, j, 2] = zg * z_of[j]
        second[1, 2, j] = zg * z_of[j]
    first[0, 2] = -g
    first[1, 2] = by_g
    second[0, 2, 2] = -g * (1.0 - g)
    second[1, 2, 2] = gg


@njit(cache=True, nogil=True)
def _graded_category(xi: Any, steps: int, theta: float, k: int, first: Any, second: Any) -> None:
    """Differentiate the log probability of one graded category in (intercept_1 …, slope)."""
    dx = 0.0
    dy = 0.0
    xx = 0.0
    yy = 0.0
    xy = 0.0
    gap = 1.0
    if 0 < k < steps:
        gap = -np.expm1(xi[k] - xi[k - 1])
    if k > 0:
        upper = logistic(xi[steps] * theta + xi[k - 1])
        beyond = logistic(-(xi[steps] * theta + xi[k])) if k < steps else 1.0
        dx = logistic(-(xi[steps] * theta + xi[k - 1])) / max(beyond * gap, TINY)
        xx = dx * (1.0 - 2.0 * upper) - dx * dx
    if k < steps:
        lower = logistic(xi[steps] * theta + xi[k])
        below = logistic(xi[steps] * theta + xi[k - 1]) if k > 0 else 1.0
        dy = -lower / max(below * gap, TINY)
        yy = dy * (1.0 - 2.0 * lower) - dy * dy
    if 0 < k < steps:
        xy = -dx * dy
    first[:] = 0.0
    second[:] = 0.0
    if k > 0:
        first[k - 1] = dx
        second[k - 1, k - 1] = xx
        second[k - 1, steps] = theta * (xx + xy)
        second[steps, k - 1] = second[k - 1, steps]
    if k < steps:
        first[k] = dy
        second[k, k] = yy
        second[k, steps] = theta * (yy + xy)
        second[steps, k] = second[k, steps]
    if 0 < k < steps:
        second[k - 1, k] = xy
        second[k, k - 1] = xy
    first[steps] = theta * (dx + dy)
    second[steps, steps] = theta * theta * (xx + 2.0 * xy + yy)


@njit(cache=True, nogil=True)
def _linear_derivatives(kind: int, log_p: Any, steps: int, theta: float, first: Any, second: Any) -> None:
    """Differentiate the log probabilities of a partial credit or nominal item."""
    size = 2 * steps if kind == NOMINAL else steps + 1
    base = np.zeros((steps + 1, size))
    for k in range(1, steps + 1):
        base[k, k - 1] = 1.0
        if kind == NOMINAL:
            base[k, steps + k - 1] = theta
        else:
            base[k, steps] = k * theta
    mean = np.zeros(size)
    for k in range(steps + 1):
        for j in range(size):
            mean[j] += np.exp(log_p[k]) * base[k, j]
    for j in range(size):
        for other in range(size):
            product = 0.0
            for k in range(steps + 1):
                product += np.exp(log_p[k]) * base[k, j] * base[k, other]
            for k in range(steps + 1):
                second[k, j, other] = mean[j] * mean[other] - product
    for k in range(steps + 1):
        for j in range(size):
            first[k, j] = base[k, j] - mean[j]


@njit(cache=True, nogil=True)
def log_derivatives(
    kind: int, xi: Any, steps: int, theta: float, log_p: Any, first: Any, second: Any
) -> None:
    """Write the first and second derivatives of each category's log probability in the native parameters."""
    log_probabilities(kind, xi, steps, theta, log_p)
    if kind == GUESSING:
        _guessing_derivatives(xi, theta, first, second)
    elif kind == GRADED:
        for k in range(steps + 1):
            _graded_category(xi, steps, theta, k, first[k], second[k])
    else:
        _linear_derivatives(kind, log_p, steps, theta, first, second)


@njit(cache=True, nogil=True)
def n_native(kind: int, steps: int) -> int:
    """Count the native parameters of an item."""
    if kind == NOMINAL:
        return 2 * steps
    return steps + 2 if kind == GUESSING else steps + 1


@njit(cache=True, nogil=True)
def prior_terms(x: float, prior: Any) -> Any:
    """Give the log density of a prior with its first derivative and minus its second; a beta one is on a logit."""
    kind, one, other = prior[0], prior[1], prior[2]
    if kind == NORMAL:
        z = (x - one) / other
        return -0.5 * z * z - np.log(other) - 0.9189385332046727, -z / other, 1.0 / (other * other)
    if kind == LOGNORMAL:
        if x <= 0.0:
            return -np.inf, 0.0, 0.0
        z = (np.log(x) - one) / (other * other)
        value = -0.5 * z * (np.log(x) - one) - np.log(x * other) - 0.9189385332046727
        return value, -(1.0 + z) / x, (1.0 / (other * other) - 1.0 - z) / (x * x)
    if kind == BETA:
        g = logistic(x)
        value = (one - 1.0) * log_logistic(x) + (other - 1.0) * log_logistic(-x)
        value += math.lgamma(one + other) - math.lgamma(one) - math.lgamma(other)
        return value, (one - 1.0) * (1.0 - g) - (other - 1.0) * g, (one + other - 2.0) * g * (1.0 - g)
    return 0.0, 0.0, 0.0


@njit(cache=True, nogil=True)
def item_objective(kind: int, counts: Any, nodes: Any, xi: Any, steps: int, priors: Any) -> float:
    """Sum count times log probability over categories and nodes, plus the log priors."""
    log_p = np.empty(steps + 1)
    value = 0.0
    for q in range(len(nodes)):
        if not log_probabilities(kind, xi, steps, nodes[q], log_p):
            return -np.inf
        for k in range(steps + 1):
            if counts[k, q] > 0.0:
                value += counts[k, q] * log_p[k]
    for j in range(n_native(kind, steps)):
        value += prior_terms(xi[j], priors[j])[0]
    return value


@njit(cache=True, nogil=True)
def item_information(
    kind: int, counts: Any, nodes: Any, xi: Any, steps: int, priors: Any, observed: bool
) -> Any:
    """Give gradient and information of one item's objective: expected for the iteration, or observed."""
    size = n_native(kind, steps)
    gradient = np.zeros(size)
    information = np.zeros((size, size))
    log_p = np.empty(steps + 1)
    first = np.zeros((steps + 1, size))
    second = np.zeros((steps + 1, size, size))
    for q in range(len(nodes)):
        number = 0.0
        for k in range(steps + 1):
            number += counts[k, q]
        if number <= 0.0:
            continue
        log_derivatives(kind, xi, steps, nodes[q], log_p, first, second)
        for k in range(steps + 1):
            share = number * np.exp(log_p[k])
            for j in range(size):
                gradient[j] += counts[k, q] * first[k, j]
                for other in range(j + 1):
                    if observed:
                        information[j, other] -= counts[k, q] * second[k, j, other]
                    else:
                        information[j, other] += share * first[k, j] * first[k, other]
    for j in range(size):
        for other in range(j):
            information[other, j] = information[j, other]
        _, slope, curvature = prior_terms(xi[j], priors[j])
        gradient[j] += slope
        information[j, j] += curvature if observed else max(curvature, 0.0)
    return gradient, information


@njit(cache=True, nogil=True)
def _scoring_step(kind: int, counts: Any, nodes: Any, xi: Any, steps: int, free: Any, priors: Any) -> Any:
    """Solve for one step of Fisher scoring in the free parameters; zero elsewhere."""
    size = n_native(kind, steps)
    gradient, information = item_information(kind, counts, nodes, xi, steps, priors, False)
    place = np.flatnonzero(free[:size])
    small = np.empty((len(place), len(place)))
    step = np.empty(len(place))
    for j in range(len(place)):
        step[j] = gradient[place[j]]
        for other in range(len(place)):
            small[j, other] = information[place[j], place[other]]
        small[j, j] += 1e-8 * small[j, j] + 1e-10
    out = np.zeros(size)
    if solve_positive(small, step, len(place)):
        for j in range(len(place)):
            out[place[j]] = step[j]
    return out


@njit(cache=True, nogil=True)
def _climb_item(kind: int, counts: Any, nodes: Any, xi: Any, steps: int, free: Any, priors: Any) -> None:
    """Move one item to its maximum by Fisher scoring with halved steps; ``xi`` changes in place."""
    size = n_native(kind, steps)
    value = item_objective(kind, counts, nodes, xi, steps, priors)
    trial = xi.copy()
    for _ in range(60):
        step = _scoring_step(kind, counts, nodes, xi, steps, free, priors)
        largest = np.abs(step).max()
        factor = min(1.0, 2.0 / largest) if largest > 0.0 else 1.0
        accepted = False
        for _half in range(30):
            for j in range(size):
                trial[j] = xi[j] + factor * step[j]
            new = item_objective(kind, counts, nodes, trial, steps, priors)
            if new >= value - 1e-12 * abs(value):
                accepted = True
                break
            factor *= 0.5
        if not accepted:
            break
        value = new
        for j in range(size):
            xi[j] = trial[j]
        if largest * factor < 1e-9:
            break


@njit(cache=True, nogil=True)
def maximise_families(
    places: Any, counts: Any, nodes: Any, form: Any, native: Any, free: Any, priors: Any
) -> None:
    """Replace the free native parameters of the listed items by the maximum of their objective.

    ``form`` is (kind, first category row, highest score) per item.
    """
    kinds, offset, n_steps = form
    for item in places:
        steps = n_steps[item]
        own = counts[offset[item] : offset[item] + steps + 1]
        _climb_item(kinds[item], own, nodes, native[item], steps, free[item], priors[item])


@njit(cache=True, nogil=True)
def fill_family_table(places: Any, form: Any, native: Any, nodes: Any, out: Any) -> None:
    """Write P(category | theta) of the listed items, one row per category; ``form`` as above."""
    kinds, offset, n_steps = form
    for item in places:
        steps = n_steps[item]
        log_p = np.empty(steps + 1)
        for q in range(len(nodes)):
            good = log_probabilities(kinds[item], native[item], steps, nodes[q], log_p)
            for k in range(steps + 1):
                out[offset[item] + k, q] = np.exp(log_p[k]) if good else np.nan


@njit(cache=True, nogil=True)
def fill_family_scores(item: int, form: Any, native: Any, nodes: Any, out: Any) -> None:
    """Write the derivatives of one item's log probabilities, shape (n_nodes, n_categories, n_native)."""
    kinds, _, n_steps = form
    steps = n_steps[item]
    size = n_native(kinds[item], steps)
    log_p = np.empty(steps + 1)
    first = np.zeros((steps + 1, size))
    second = np.zeros((steps + 1, size, size))
    for q in range(len(nodes)):
        log_derivatives(kinds[item], native[item], steps, nodes[q], log_p, first, second)
        out[q, :, :] = first
