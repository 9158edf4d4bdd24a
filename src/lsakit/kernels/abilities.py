"""Weighted likelihood and maximum likelihood estimates of ability, student by student.

The maximum likelihood estimate is the only root of a falling function. Warm's equation can have several roots where
few items of very different slopes were answered: then the root of the highest weighted likelihood is the estimate.
See docs/algorithms/ability.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

FARTHEST = 200.0
FLAT = 0.2


@njit(cache=True, nogil=True)
def item_moments(theta: float, slope: float, intercepts: Any, steps: int, out: Any) -> None:
    """Write the mean, variance and third central moment of the score of one item."""
    top = 0.0
    for k in range(1, steps + 1):
        top = max(top, k * slope * theta + intercepts[k - 1])
    total = np.exp(-top)
    first = 0.0
    second = 0.0
    third = 0.0
    for k in range(1, steps + 1):
        raised = np.exp(k * slope * theta + intercepts[k - 1] - top)
        total += raised
        first += k * raised
        second += k * k * raised
        third += k * k * k * raised
    mean = first / total
    second /= total
    third /= total
    out[0] = mean
    out[1] = second - mean * mean
    out[2] = third - 3.0 * mean * second + 2.0 * mean * mean * mean


@njit(cache=True, nogil=True)
def _score_function(
    theta: float, codes: Any, slope: Any, intercepts: Any, n_steps: Any, correct: bool, moments: Any
) -> Any:
    """Give the estimating function and the test information at theta."""
    value = 0.0
    information = 0.0
    third = 0.0
    for item in range(len(codes)):
        if codes[item] >= 0:
            a = slope[item]
            item_moments(theta, a, intercepts[item], n_steps[item], moments)
            value += a * (codes[item] - moments[0])
            information += a * a * moments[1]
            third += a * a * a * moments[2]
    if correct and information > 0.0:
        value += third / (2.0 * information)
    return value, information


@njit(cache=True, nogil=True)
def _range(codes: Any, slope: Any, intercepts: Any, n_steps: Any) -> Any:
    """Give an interval four logits beyond the difficulties, and a step finer than the steepest item.

    The difficulty of an item without slope to speak of lies anywhere; it counts only where there is no other.
    """
    low = np.inf
    high = -np.inf
    steepest = 0.0
    for item in range(len(codes)):
        if codes[item] >= 0:
            steepest = max(steepest, abs(slope[item]))
    least = FLAT if steepest >= FLAT else 0.5 * steepest
    for item in range(len(codes)):
        if codes[item] >= 0 and abs(slope[item]) >= least:
            difficulty = -intercepts[item, n_steps[item] - 1] / (slope[item] * n_steps[item])
            low = min(low, difficulty)
            high = max(high, difficulty)
    return low - 4.0, high + 4.0, 0.4 / max(steepest, 1.0)


@njit(cache=True, nogil=True)
def _root_between(low: float, high: float, codes: Any, items: Any, correct: bool, moments: Any) -> float:
    """Find a root where the function falls from plus to minus: scoring steps inside the bracket, then halving."""
    slope, intercepts, n_steps = items
    theta = 0.5 * (low + high)
    for iteration in range(200):
        value, information = _score_function(theta, codes, slope, intercepts, n_steps, correct, moments)
        if value > 0.0:
            low = theta
        else:
            high = theta
        moved = theta + value / information if information > 1e-12 else 0.5 * (low + high)
        if iteration >= 20 or not low < moved < high:
            moved = 0.5 * (low + high)
        change = abs(moved - theta)
        theta = moved
        if change < 1e-12 * (1.0 + abs(theta)):
            break
    return theta


@njit(cache=True, nogil=True)
def _weighted_log_likelihood(theta: float, codes: Any, items: Any, moments: Any) -> Any:
    """Log-likelihood plus half the log of the information: what the WLE maximises."""
    slope, intercepts, n_steps = items
    value = 0.0
    information = 0.0
    for item in range(len(codes)):
        if codes[item] >= 0:
            top = 0.0
            for k in range(1, n_steps[item] + 1):
                top = max(top, k * slope[item] * theta + intercepts[item, k - 1])
            total = np.exp(-top)
            for k in range(1, n_steps[item] + 1):
                total += np.exp(k * slope[item] * theta + intercepts[item, k - 1] - top)
            if codes[item] >= 1:
                value += codes[item] * slope[item] * theta + intercepts[item, int(codes[item]) - 1]
            elif codes[item] > 0:  # partly right
                value += codes[item] * (slope[item] * theta + intercepts[item, 0])
            value -= top + np.log(total)
            item_moments(theta, slope[item], intercepts[item], n_steps[item], moments)
            information += slope[item] * slope[item] * moments[1]
    return value + 0.5 * np.log(information)


@njit(cache=True, nogil=True)
def _solve(codes: Any, items: Any, correct: bool, is_single: bool, moments: Any) -> Any:
    """Find the estimate; NaN where it is not finite. Of several roots the one of highest likelihood is taken."""
    slope, intercepts, n_steps = items
    low, high, step = _range(codes, slope, intercepts, n_steps)
    while _score_function(low, codes, slope, intercepts, n_steps, correct, moments)[0] < 0.0:
        low -= high - low
        if low < -FARTHEST:
            return np.nan, np.nan
    while _score_function(high, codes, slope, intercepts, n_steps, correct, moments)[0] > 0.0:
        high += high - low
        if high > FARTHEST:
            return np.nan, np.nan
    if is_single:
        theta = _root_between(low, high, codes, items, correct, moments)
        information = _score_function(theta, codes, slope, intercepts, n_steps, correct, moments)[1]
        return theta, 1.0 / np.sqrt(information)
    theta = np.nan
    best = -np.inf
    left = low
    was_rising = True
    while left < high:
        right = min(left + step, high)
        is_rising = _score_function(right, codes, slope, intercepts, n_steps, correct, moments)[0] > 0.0
        if was_rising and not is_rising:
            root = _root_between(left, right, codes, items, correct, moments)
            value = _weighted_log_likelihood(root, codes, items, moments)
            if value > best:
                theta, best = root, value
        left, was_rising = right, is_rising
    information = _score_function(theta, codes, slope, intercepts, n_steps, correct, moments)[1]
    return theta, 1.0 / np.sqrt(information)


@njit(cache=True, nogil=True)
def falls_everywhere(codes: Any, slope: Any, intercepts: Any, n_steps: Any, out: Any) -> None:
    """Say for each row whether Warm's function falls over the whole interval, so that it has one root.

    The answer depends on which items were answered, not on the answers.
    """
    moments = np.empty(3)
    for row in range(codes.shape[0]):
        low, high, step = _range(codes[row], slope, intercepts, n_steps)
        out[row] = low < high
        last = np.inf
        theta = low
        while theta < high + 0.25 * step and out[row]:
            value = _score_function(theta, codes[row], slope, intercepts, n_steps, True, moments)[0]
            out[row] = value < last
            last = value
            theta += 0.25 * step


@njit(cache=True, nogil=True)
def estimate_abilities(codes: Any, items: Any, correct: bool, is_single: Any, out: Any) -> None:
    """Write theta and its standard error per student; NaN where there is none.

    ``items`` is (slope, intercepts, highest score); ``correct`` adds Warm's term; ``is_single`` tells for whom the
    function has one root. A maximum likelihood estimate of a lowest or highest possible score is not finite and is
    not searched for.
    """
    slope, _, n_steps = items
    moments = np.empty(3)
    for student in range(codes.shape[0]):
        answered = False
        bottom = True
        top = True
        for item in range(codes.shape[1]):
            code = codes[student, item]
            if code >= 0 and slope[item] != 0.0:
                answered = True
                rising = slope[item] > 0.0
                bottom = bottom and code == (0 if rising else n_steps[item])
                top = top and code == (n_steps[item] if rising else 0)
        if answered and (correct or not (bottom or top)):
            theta, error = _solve(codes[student], items, correct, is_single[student], moments)
        else:
            theta, error = np.nan, np.nan
        out[student, 0] = theta
        out[student, 1] = error
