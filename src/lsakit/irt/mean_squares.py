"""Weighted and unweighted mean squares of items, with their t."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lsakit.irt.models import Floats
from lsakit.irt.packs import probability_table
from lsakit.irt.posteriors import BLOCK, Answered
from lsakit.kernels import item_fit as kernels


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanSquares:
    """Mean squares.

    Parameters
    ----------
    infit : ndarray of shape (n_items,)
        Weighted mean square; NaN without a response.
    infit_t : ndarray of shape (n_items,)
        Its cube-root t, about standard normal under the model.
    outfit : ndarray of shape (n_items,)
        Unweighted mean square.
    outfit_t : ndarray of shape (n_items,)
        Its t.
    """

    infit: Floats
    infit_t: Floats
    outfit: Floats
    outfit_t: Floats


def mean_squares(sums: Floats) -> MeanSquares:
    """Turn sums over responses into mean squares.

    Parameters
    ----------
    sums : ndarray of shape (n_units, 6)
        Weight, squares, variance, standardized squares, variance of the squares' sum, of the standardized ones' sum.

    Returns
    -------
    MeanSquares
        Mean squares and their t.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        infit, outfit = sums[:, 1] / sums[:, 2], sums[:, 3] / sums[:, 0]
        infit_sd, outfit_sd = np.sqrt(sums[:, 4]) / sums[:, 2], np.sqrt(sums[:, 5]) / sums[:, 0]
        return MeanSquares(
            infit=infit,
            infit_t=cube_root_t(infit, infit_sd),
            outfit=outfit,
            outfit_t=cube_root_t(outfit, outfit_sd),
        )


def cube_root_t(mean_square: Floats, sd: Floats) -> Floats:
    """Transform mean squares towards a standard normal (Wilson and Hilferty).

    Parameters
    ----------
    mean_square : ndarray of shape (n_units,)
        Mean squares with expectation 1.
    sd : ndarray of shape (n_units,)
        Their standard deviations.

    Returns
    -------
    ndarray of shape (n_units,)
        t values; NaN where the standard deviation is 0.
    """
    safe = np.where(sd > 0.0, sd, np.nan)
    return np.asarray((np.cbrt(mean_square) - 1.0) * 3.0 / safe + safe / 3.0)


def known_ability_sums(answered: Answered, theta: Floats) -> tuple[Floats, Floats]:
    """Sum squares at known abilities.

    Parameters
    ----------
    answered : Answered
        Students and items.
    theta : ndarray of shape (n_students,)
        Abilities, logits; a student with NaN does not count.

    Returns
    -------
    by_item : ndarray of shape (n_items, 6)
        Sums for `mean_squares`.
    by_student : ndarray of shape (n_students, 6)
        The same for students.
    """
    items = answered.items
    by_item = np.zeros((len(items.names), 6))
    by_student = np.zeros((len(theta), 6))
    for first in range(0, len(theta), BLOCK):
        part = slice(first, min(first + BLOCK, len(theta)))
        known = np.isfinite(theta[part])
        own = np.zeros((int(known.sum()), 6))
        kernels.add_known_squares(
            answered.codes[part][known],
            items.offset,
            items.n_steps,
            answered.weight[part][known],
            probability_table(items, theta[part][known]),
            by_item,
            own,
        )
        by_student[part][known] = own
    return by_item, by_student
