"""Sums over students that fit statistics are made of, and the distribution of total scores.

See docs/algorithms/item_fit.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def add_counts(posterior: Any, codes: Any, students: Any, offset: Any, counts: Any) -> None:
    """Add each student's weighted posterior to the category rows of the items answered.

    ``students`` is (group, weight); ``counts`` has the shape (n_groups, n_categories, n_nodes).
    """
    group, weight = students
    n_nodes = posterior.shape[1]
    for student in range(codes.shape[0]):
        own = group[student]
        factor = weight[student]
        for item in range(codes.shape[1]):
            code = codes[student, item]
            if code >= 0:
                row = offset[item] + code
                for q in range(n_nodes):
                    counts[own, row, q] += factor * posterior[student, q]


@njit(cache=True, nogil=True)
def add_squares(
    codes: Any, offset: Any, weight: Any, squares: Any, standardized: Any, variance: Any, sums: Any
) -> None:
    """Add the parts of the mean squares in the posterior form.

    ``squares`` and ``standardized`` of shape (n_students, n_categories) and ``variance`` of shape
    (n_students, n_items) are posterior means of (k - E)^2, of the same over V, and of V. Columns of ``sums`` of shape (n_items, 6):
    weight, squares, variance, standardized squares, squared contributions of infit, of outfit.
    """
    for student in range(codes.shape[0]):
        w = weight[student]
        for item in range(codes.shape[1]):
            code = codes[student, item]
            if code >= 0:
                row = offset[item] + code
                square = squares[student, row]
                own = variance[student, item]
                z = standardized[student, row]
                sums[item, 0] += w
                sums[item, 1] += w * square
                sums[item, 2] += w * own
                sums[item, 3] += w * z
                sums[item, 4] += w * w * (square - own) * (square - own)
                sums[item, 5] += w * w * (z - 1.0) * (z - 1.0)


@njit(cache=True, nogil=True)
def add_known_squares(
    codes: Any, offset: Any, n_steps: Any, weight: Any, probability: Any, by_item: Any, by_student: Any
) -> None:
    """Add the parts of the mean squares at known abilities, for items and for students.

    ``probability`` has the shape (n_categories, n_students). Columns of the sums: weight, squares, variance,
    standardized squares, C - V^2, C / V^2 - 1, with C the fourth central moment; students count with weight 1.
    """
    for student in range(codes.shape[0]):
        w = weight[student]
        for item in range(codes.shape[1]):
            code = codes[student, item]
            if code < 0:
                continue
            first = offset[item]
            mean = 0.0
            for k in range(1, n_steps[item] + 1):
                mean += k * probability[first + k, student]
            variance = 0.0
            fourth = 0.0
            for k in range(n_steps[item] + 1):
                square = (k - mean) * (k - mean)
                variance += square * probability[first + k, student]
                fourth += square * square * probability[first + k, student]
            variance = max(variance, 1e-12)
            square = (code - mean) * (code - mean)
            z = square / variance
            spread = fourth - variance * variance
            tail = fourth / (variance * variance) - 1.0
            by_item[item, 0] += w
            by_item[item, 1] += w * square
            by_item[item, 2] += w * variance
            by_item[item, 3] += w * z
            by_item[item, 4] += w * w * spread
            by_item[item, 5] += w * w * tail
            by_student[student, 0] += 1.0
            by_student[student, 1] += square
            by_student[student, 2] += variance
            by_student[student, 3] += z
            by_student[student, 4] += spread
            by_student[student, 5] += tail


@njit(cache=True, nogil=True)
def residuals(codes: Any, offset: Any, n_steps: Any, probability: Any, out: Any, there: Any) -> None:
    """Write score minus expected score, and 1 where there is a score; zeros elsewhere."""
    for student in range(codes.shape[0]):
        for item in range(codes.shape[1]):
            code = codes[student, item]
            out[student, item] = 0.0
            there[student, item] = 0.0
            if code >= 0:
                mean = 0.0
                for k in range(1, n_steps[item] + 1):
                    mean += k * probability[offset[item] + k, student]
                out[student, item] = code - mean
                there[student, item] = 1.0


@njit(cache=True, nogil=True)
def total_score_distribution(probability: Any, offset: Any, n_steps: Any, members: Any, skip: int) -> Any:
    """Give P(total score | node) of some items without one of them, by the Lord-Wingersky recursion.

    ``members`` lists items; ``skip`` is left out (−1 for none). The result has the shape (n_scores, n_nodes).
    """
    most = 0
    for place in range(len(members)):
        most += n_steps[members[place]]
    n_nodes = probability.shape[1]
    out = np.zeros((most + 1, n_nodes))
    out[0] = 1.0
    reach = 0
    for place in range(len(members)):
        item = members[place]
        if item == skip:
            continue
        steps = n_steps[item]
        reach += steps
        for score in range(reach, -1, -1):
            for q in range(n_nodes):
                value = 0.0
                for k in range(min(steps, score) + 1):
                    value += out[score - k, q] * probability[offset[item] + k, q]
                out[score, q] = value
    return out


@njit(cache=True, nogil=True)
def joint_score_probabilities(
    probability: Any, offset: Any, n_steps: Any, members: Any, prior: Any, out: Any
) -> None:
    """Write P(total score, category of the item) for every member item.

    ``out`` has the shape (n_members, n_scores, n_most_categories).
    """
    n_nodes = probability.shape[1]
    for place in range(len(members)):
        item = members[place]
        rest = total_score_distribution(probability, offset, n_steps, members, item)
        for score in range(out.shape[1]):
            for k in range(n_steps[item] + 1):
                value = 0.0
                if score >= k:
                    for q in range(n_nodes):
                        value += prior[q] * probability[offset[item] + k, q] * rest[score - k, q]
                out[place, score, k] = value
