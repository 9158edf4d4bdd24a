"""The maximisation step of the generalised partial credit model, item by item.

In the form logit_k = k·slope·theta + intercept_k the expected log-likelihood of an item is concave, so Newton's
method with halved steps finds its only maximum. See docs/algorithms/calibration.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def solve_positive(matrix: Any, vector: Any, size: int) -> bool:
    """Solve in place by Cholesky; False where the leading block is not positive definite."""
    for j in range(size):
        for k in range(j):
            matrix[j, j] -= matrix[j, k] * matrix[j, k]
        if not matrix[j, j] > 1e-12:
            return False
        matrix[j, j] = np.sqrt(matrix[j, j])
        for i in range(j + 1, size):
            for k in range(j):
                matrix[i, j] -= matrix[i, k] * matrix[j, k]
            matrix[i, j] /= matrix[j, j]
    for j in range(size):
        for k in range(j):
            vector[j] -= matrix[j, k] * vector[k]
        vector[j] /= matrix[j, j]
    for j in range(size - 1, -1, -1):
        for k in range(j + 1, size):
            vector[j] -= matrix[k, j] * vector[k]
        vector[j] /= matrix[j, j]
    return True


@njit(cache=True, nogil=True)
def expected_loglik(counts: Any, nodes: Any, slope: float, intercepts: Any, steps: int) -> float:
    """Sum count times log probability over categories and nodes."""
    value = 0.0
    for q in range(len(nodes)):
        number = 0.0
        top = 0.0
        for k in range(1, steps + 1):
            logit = k * slope * nodes[q] + intercepts[k - 1]
            top = max(top, logit)
            value += counts[k, q] * logit
            number += counts[k, q]
        number += counts[0, q]
        total = np.exp(-top)
        for k in range(1, steps + 1):
            total += np.exp(k * slope * nodes[q] + intercepts[k - 1] - top)
        value -= number * (top + np.log(total))
    return value


@njit(cache=True, nogil=True)
def _derivatives(
    counts: Any, nodes: Any, slope: float, intercepts: Any, steps: int, gradient: Any, information: Any
) -> None:
    """Gradient and minus the Hessian in (intercept_1 …, slope), the slope last."""
    gradient[:] = 0.0
    information[:] = 0.0
    p = np.empty(steps + 1)
    for q in range(len(nodes)):
        theta = nodes[q]
        top = 0.0
        number = counts[0, q]
        for k in range(1, steps + 1):
            top = max(top, k * slope * theta + intercepts[k - 1])
            number += counts[k, q]
        if number <= 0.0:
            continue
        p[0] = np.exp(-top)
        total = p[0]
        for k in range(1, steps + 1):
            p[k] = np.exp(k * slope * theta + intercepts[k - 1] - top)
            total += p[k]
        mean = 0.0
        square = 0.0
        for k in range(steps + 1):
            p[k] /= total
            mean += k * p[k]
            square += k * k * p[k]
        for k in range(1, steps + 1):
            surplus = counts[k, q] - number * p[k]
            gradient[k - 1] += surplus
            gradient[steps] += k * theta * surplus
            information[k - 1, k - 1] += number * p[k]
            for other in range(1, steps + 1):
                information[k - 1, other - 1] -= number * p[k] * p[other]
            information[steps, k - 1] += number * theta * p[k] * (k - mean)
        information[steps, steps] += number * theta * theta * (square - mean * mean)


@njit(cache=True, nogil=True)
def _newton_item(
    counts: Any, nodes: Any, slope: float, intercepts: Any, steps: int, free_slope: bool
) -> float:
    """Move one item to its maximum; the intercepts change in place, the slope is returned."""
    gradient = np.empty(steps + 1)
    information = np.empty((steps + 1, steps + 1))
    size = steps + 1 if free_slope else steps
    trial = np.empty(steps)
    value = expected_loglik(counts, nodes, slope, intercepts, steps)
    for _ in range(50):
        _derivatives(counts, nodes, slope, intercepts, steps, gradient, information)
        for k in range(size):
            information[k, k] += 1e-10
        if not solve_positive(information, gradient, size):
            return slope
        largest = 0.0
        for k in range(size):
            largest = max(largest, abs(gradient[k]))
        factor = min(1.0, 2.0 / largest) if largest > 0.0 else 1.0
        accepted = False
        for _half in range(30):
            for k in range(steps):
                trial[k] = intercepts[k] + factor * gradient[k]
            moved = slope + (factor * gradient[steps] if free_slope else 0.0)
            new = expected_loglik(counts, nodes, moved, trial, steps)
            if new >= value - 1e-12 * abs(value):
                accepted = True
                break
            factor *= 0.5
        if not accepted:
            return slope
        slope = moved
        value = new
        for k in range(steps):
            intercepts[k] = trial[k]
        if largest * factor < 1e-9:
            break
    return slope


@njit(cache=True, nogil=True)
def maximise_items(
    counts: Any,
    place: Any,
    nodes: Any,
    slope: Any,
    intercepts: Any,
    free: Any,
) -> None:
    """Replace the free parameters of every item by the maximum of its expected log-likelihood.

    ``place`` is (first category row, highest score) and ``free`` is (slopes, intercepts), per item.
    """
    offset, n_steps = place
    free_slope, free_intercepts = free
    for item in range(len(slope)):
        if free_intercepts[item]:
            steps = n_steps[item]
            own = counts[offset[item] : offset[item] + steps + 1]
            slope[item] = _newton_item(
                own, nodes, slope[item], intercepts[item, :steps], steps, free_slope[item]
            )


@njit(cache=True, nogil=True)
def complete_information(
    counts: Any, offset: Any, n_steps: Any, nodes: Any, slope: Any, intercepts: Any
) -> Any:
    """Give each item's expected information in (intercept_1 …, slope), padded with zeros."""
    most = intercepts.shape[1]
    out = np.zeros((len(slope), most + 1, most + 1))
    for item in range(len(slope)):
        steps = n_steps[item]
        gradient = np.empty(steps + 1)
        information = np.empty((steps + 1, steps + 1))
        own = counts[offset[item] : offset[item] + steps + 1]
        _derivatives(own, nodes, slope[item], intercepts[item], steps, gradient, information)
        for j in range(steps + 1):
            for k in range(j + 1):
                out[item, j, k] = information[j, k]
                out[item, k, j] = information[j, k]
    return out


@njit(cache=True, nogil=True)
def fill_scores(
    codes: Any, students: Any, items: Any, table: Any, columns: Any, scale: Any, out: Any
) -> None:
    """Write scaled score contributions of the students' items at one node.

    ``table`` of shape (n_categories, n_most_params) holds, per item category, the derivative of the log
    probability in each free parameter; ``items`` lists (item, first category); ``columns`` is (first column, number of columns), per item.
    """
    slot, n_params = columns
    for row in range(len(students)):
        student = students[row]
        factor = scale[row]
        for place in range(items.shape[0]):
            code = codes[student, items[place, 0]]
            first = slot[place]
            for p in range(n_params[place]):
                out[row, first + p] = 0.0 if code < 0 else factor * table[items[place, 1] + code, p]
