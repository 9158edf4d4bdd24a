"""Ability estimates where some items are 3PL, graded or nominal: any mixture of models.

The estimating function is the derivative of the log-likelihood, with Warm's term J/(2I) added for the weighted
likelihood. With guessing it can have several roots or none; the interval is scanned, and of several the root under
the highest integral of the function is the estimate. See docs/algorithms/ability.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from lsakit.kernels.item_families import GRADED, GUESSING, NOMINAL, logistic

FARTHEST = 30.0
NEAR = 8.0
SCAN = 0.2


@njit(cache=True, nogil=True)
def _guessing_terms(xi: Any, theta: float, terms: Any) -> None:
    """Write P, P' and P'' in theta of a guessing item."""
    s = logistic(xi[1] * theta + xi[0])
    g = logistic(xi[2])
    rise = (1.0 - g) * s * (1.0 - s) * xi[1]
    bend = rise * (1.0 - 2.0 * s) * xi[1]
    terms[0, 1] = g + (1.0 - g) * s
    terms[0, 0] = (1.0 - g) * (1.0 - s)
    terms[1, 1], terms[1, 0] = rise, -rise
    terms[2, 1], terms[2, 0] = bend, -bend


@njit(cache=True, nogil=True)
def _graded_terms(xi: Any, steps: int, theta: float, terms: Any) -> None:
    """Write P, P' and P'' in theta of a graded item."""
    a = xi[steps]
    terms[:, : steps + 1] = 0.0
    for k in range(steps + 1):
        upper = logistic(a * theta + xi[k - 1]) if k > 0 else 1.0
        beyond = logistic(-(a * theta + xi[k])) if k < steps else 1.0
        gap = -np.expm1(xi[k] - xi[k - 1]) if 0 < k < steps else 1.0
        terms[0, k] = upper * beyond * gap
        if k > 0:
            rise = a * upper * (1.0 - upper)
            terms[1, k] += rise
            terms[2, k] += a * rise * (1.0 - 2.0 * upper)
        if k < steps:
            rise = a * beyond * (1.0 - beyond)
            terms[1, k] -= rise
            terms[2, k] -= a * rise * (2.0 * beyond - 1.0)


@njit(cache=True, nogil=True)
def _linear_terms(kind: int, xi: Any, steps: int, theta: float, terms: Any) -> None:
    """Write P, P' and P'' in theta of a partial credit or nominal item."""
    top = 0.0
    terms[0, 0] = 0.0
    for k in range(1, steps + 1):
        slope = xi[steps + k - 1] if kind == NOMINAL else k * xi[steps]
        terms[1, k] = slope
        terms[0, k] = slope * theta + xi[k - 1]
        top = max(top, terms[0, k])
    terms[1, 0] = 0.0
    total = 0.0
    for k in range(steps + 1):
        terms[0, k] = np.exp(terms[0, k] - top)
        total += terms[0, k]
    mean = 0.0
    square = 0.0
    for k in range(steps + 1):
        terms[0, k] /= total
        mean += terms[0, k] * terms[1, k]
        square += terms[0, k] * terms[1, k] * terms[1, k]
    spread = square - mean * mean
    for k in range(steps + 1):
        away = terms[1, k] - mean
        terms[2, k] = terms[0, k] * (away * away - spread)
        terms[1, k] = terms[0, k] * away


@njit(cache=True, nogil=True)
def estimating_function(theta: float, codes: Any, items: Any, correct: bool, terms: Any) -> Any:
    """Give the estimating function and the test information at theta; ``items`` is (kind, native, highest score)."""
    kinds, native, n_steps = items
    value = 0.0
    information = 0.0
    bias = 0.0
    for item in range(len(codes)):
        if codes[item] < 0:
            continue
        steps = n_steps[item]
        if kinds[item] == GUESSING:
            _guessing_terms(native[item], theta, terms)
        elif kinds[item] == GRADED:
            _graded_terms(native[item], steps, theta, terms)
        else:
            _linear_terms(kinds[item], native[item], steps, theta, terms)
        for k in range(steps + 1):
            if terms[0, k] > 1e-300:
                information += terms[1, k] * terms[1, k] / terms[0, k]
                bias += terms[1, k] * terms[2, k] / terms[0, k]
        whole = int(codes[item])
        part = codes[item] - whole  # a partly right answer is part right and the rest wrong
        if terms[0, whole] > 1e-300:
            value += (1.0 - part) * terms[1, whole] / terms[0, whole]
        if part > 0.0 and terms[0, whole + 1] > 1e-300:
            value += part * terms[1, whole + 1] / terms[0, whole + 1]
    if correct and information > 0.0:
        value += bias / (2.0 * information)
    return value, information


@njit(cache=True, nogil=True)
def _halve(low: float, high: float, codes: Any, items: Any, correct: bool, terms: Any) -> float:
    """Find the root between a positive and a negative value."""
    for _ in range(60):
        middle = 0.5 * (low + high)
        if estimating_function(middle, codes, items, correct, terms)[0] > 0.0:
            low = middle
        else:
            high = middle
        if high - low < 1e-12 * (1.0 + abs(low)):
            break
    return 0.5 * (low + high)


@njit(cache=True, nogil=True)
def scan_points() -> Any:
    """List the abilities at which the function is looked at: every fifth of a logit up to 8, every logit to 30."""
    n_inner = round(2.0 * NEAR / SCAN) + 1
    n_outer = round(FARTHEST - NEAR)
    out = np.empty(n_inner + 2 * n_outer)
    for k in range(n_outer):
        out[k] = -FARTHEST + k
        out[n_outer + n_inner + k] = NEAR + 1.0 + k
    for k in range(n_inner):
        out[n_outer + k] = -NEAR + k * SCAN
    return out


@njit(cache=True, nogil=True)
def _estimate(codes: Any, items: Any, correct: bool, points: Any, terms: Any) -> float:
    """Give the root under the highest integral of the function; NaN where an end lies higher or there is none."""
    area = 0.0
    highest = 0.0
    theta = np.nan
    last = estimating_function(points[0], codes, items, correct, terms)[0]
    for place in range(1, len(points)):
        value = estimating_function(points[place], codes, items, correct, terms)[0]
        if last > 0.0 and value <= 0.0 and area > highest:
            highest = area
            theta = _halve(points[place - 1], points[place], codes, items, correct, terms)
        area += 0.5 * (points[place] - points[place - 1]) * (last + value)
        last = value
    return np.nan if area > highest else theta


@njit(cache=True, nogil=True)
def estimate_abilities(codes: Any, items: Any, correct: bool, out: Any) -> None:
    """Write theta and its standard error per student; NaN where no finite estimate lies within thirty logits."""
    terms = np.empty((3, items[2].max() + 1))
    points = scan_points()
    for student in range(codes.shape[0]):
        out[student] = np.nan
        if codes[student].max() >= 0:
            theta = _estimate(codes[student], items, correct, points, terms)
            if not np.isnan(theta):
                information = estimating_function(theta, codes[student], items, correct, terms)[1]
                if information > 0.0:  # where no item tells anything there is no estimate
                    out[student, 0] = theta
                    out[student, 1] = 1.0 / np.sqrt(information)
