"""Q3: correlations of residuals of pairs of items."""

from __future__ import annotations

from typing import Any

import numpy as np

from lsakit.io.text_columns import text_column
from lsakit.irt.models import Floats
from lsakit.irt.packs import probability_table
from lsakit.irt.posteriors import BLOCK, Answered
from lsakit.kernels import item_fit as kernels

FLAG = 0.2


def residual_correlations(answered: Answered, theta: Floats, *, least_n: int) -> dict[str, Any]:
    """Correlate the residuals of every pair of items.

    Parameters
    ----------
    answered : Answered
        Students and items.
    theta : ndarray of shape (n_students,)
        Abilities, logits; a student with NaN does not count.
    least_n : int
        Fewest students given both items.

    Returns
    -------
    dict of str to array of shape (n_pairs,)
        item_1, item_2, n, q3, q3_adjusted (less the mean of all), flagged; the largest first.
    """
    items = answered.items
    n_items = len(items.names)
    sums = np.zeros((4, n_items, n_items))
    known = np.flatnonzero(np.isfinite(theta))
    for first in range(0, len(known), BLOCK):
        rows = known[first : first + BLOCK]
        residual = np.empty((len(rows), n_items))
        there = np.empty_like(residual)
        kernels.residuals(
            answered.codes[rows],
            items.offset,
            items.n_steps,
            probability_table(items, theta[rows]),
            residual,
            there,
        )
        sums[0] += there.T @ there
        sums[1] += residual.T @ there
        sums[2] += (residual * residual).T @ there
        sums[3] += residual.T @ residual
    number, total, square, cross = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / number
        variance = square / number - mean * mean
        q3 = (cross / number - mean * mean.T) / np.sqrt(variance * variance.T)
    first_item, second_item = np.triu_indices(n_items, 1)
    value, n = q3[first_item, second_item], number[first_item, second_item]
    good = (n >= least_n) & np.isfinite(value)
    first_item, second_item, value, n = first_item[good], second_item[good], value[good], n[good]
    adjusted = value - (value.mean() if len(value) else 0.0)
    order = np.argsort(-np.abs(adjusted), kind="stable")
    names = np.array(items.names)
    return {
        "item_1": text_column(names[first_item[order]].tolist()),
        "item_2": text_column(names[second_item[order]].tolist()),
        "n": n[order].astype(np.int64),
        "q3": value[order],
        "q3_adjusted": adjusted[order],
        "flagged": adjusted[order] > FLAG,
    }
