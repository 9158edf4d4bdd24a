"""Proportional odds regression of an item of several points on the matching score and the group.

Formulas and references: docs/algorithms/differential_item_functioning.md. With two categories it is the logistic
regression of `lsakit.irt.logistic_dif`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lsakit.irt.logistic_dif import JODOIN_GIERL, SEPARATED, LogisticDif, tested, undefined
from lsakit.irt.models import Floats

MOST_STEPS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdinalCells:
    """Answers to one item, gathered where score, booklet and group are equal.

    Parameters
    ----------
    score : ndarray of shape (n_cells,)
        Matching score.
    booklet : ndarray of shape (n_cells,)
        Number of the booklet, from 0.
    focal : ndarray of shape (n_cells,)
        1 for the focal group, 0 for the reference group.
    counts : ndarray of shape (n_cells, n_categories)
        Number (or weight) of answers by category.
    """

    score: Floats
    booklet: NDArray[np.int64]
    focal: Floats
    counts: Floats


def ordinal_dif(cells: OrdinalCells, classes: tuple[float, float] = JODOIN_GIERL) -> LogisticDif:
    """Test one item.

    Parameters
    ----------
    cells : OrdinalCells
        Answers by score, booklet and group.
    classes : tuple of (float, float), default (0.035, 0.070)
        R2 differences from which an item is of class B and C.

    Returns
    -------
    LogisticDif
        Tests, effects and class; NaN with the reason where the likelihood has no finite maximum.
    """
    counts = cells.counts[:, cells.counts.sum(axis=0) > 0.0]  # a category that nobody has is none
    total = counts.sum(axis=1)
    n = float(total.sum())
    if counts.shape[1] < 2:
        return undefined("everybody has the same score")
    center = float(total @ cells.score) / n
    spread = float(np.sqrt(total @ (cells.score - center) ** 2 / n))
    if not spread > 0.0:
        return undefined("the matching score does not vary")
    score = (cells.score - center) / spread
    others = np.unique(cells.booklet)[1:]
    base = np.column_stack([cells.booklet[:, None] == others, score]).astype(float)
    with_group = np.column_stack([base, cells.focal])
    full = np.column_stack([with_group, cells.focal * score])
    fits = [
        proportional_odds(design, counts) for design in (np.zeros((len(score), 0)), base, with_group, full)
    ]
    if any(fit is None for fit in fits):
        return undefined("the likelihood has no finite maximum: the score or the group tells the answers")
    known = [fit for fit in fits if fit is not None]
    logliks = (known[0][0], known[1][0], known[2][0], known[3][0])
    return tested(logliks, n, float(known[2][1][-1]), float(known[3][1][-1]) / spread, classes)


def proportional_odds(design: Floats, counts: Floats) -> tuple[float, Floats] | None:
    """Fit logit P(X >= k) = alpha_k + x'beta by Newton steps, halved where they overshoot.

    Parameters
    ----------
    design : ndarray of shape (n_cells, n_predictors)
        Predictors, without intercept.
    counts : ndarray of shape (n_cells, n_categories)
        Number (or weight) of answers by category; every category occurs.

    Returns
    -------
    tuple of (float, ndarray of shape (n_thresholds + n_predictors,)) or None
        Log-likelihood and estimates, thresholds first; None where there is no finite maximum.

    References
    ----------
    .. [1] McCullagh (1980), Regression models for ordinal data, JRSS B 42(2).
    """
    n_thresholds = counts.shape[1] - 1
    share = counts[:, ::-1].sum(axis=0).cumsum()[:-1][::-1] / counts.sum()
    beta = np.concatenate([np.log(share / (1.0 - share)), np.zeros(design.shape[1])])
    found = _derivatives(beta, design, counts)
    for _ in range(MOST_STEPS):
        value, gradient, information = found
        try:
            step = np.linalg.solve(information, gradient)
        except np.linalg.LinAlgError:
            return None
        factor = 1.0
        while factor > 1e-8:
            trial = beta + factor * step
            if (np.diff(trial[:n_thresholds]) < 0.0).all():
                found = _derivatives(trial, design, counts)
                if found[0] >= value - 1e-12 * abs(value):
                    break
            factor *= 0.5
        beta = beta + factor * step
        found = _derivatives(beta, design, counts)
        if float(np.abs(design @ beta[n_thresholds:]).max(initial=0.0)) > SEPARATED:
            return None
        if float(np.abs(step).max()) < 1e-9:
            return found[0], beta
    return None


def _derivatives(beta: Floats, design: Floats, counts: Floats) -> tuple[float, Floats, Floats]:
    """Log-likelihood, gradient and observed information; X = k lies between two cumulative logits."""
    n_thresholds = counts.shape[1] - 1
    n_predictors = design.shape[1]
    line = design @ beta[n_thresholds:]
    size = n_thresholds + n_predictors
    gradient, information = np.zeros(size), np.zeros((size, size))
    value = 0.0
    for category in range(n_thresholds + 1):
        weight = counts[:, category]
        upper = _logistic(beta[category - 1] + line) if category else np.ones_like(line)
        lower = _logistic(beta[category] + line) if category < n_thresholds else np.zeros_like(line)
        chance = np.maximum(upper - lower, 1e-300)
        value += float(weight @ np.log(chance))
        rise, fall = upper * (1.0 - upper), lower * (1.0 - lower)
        first = np.zeros((len(line), 2))
        first[:, 0], first[:, 1] = rise / chance, -fall / chance
        second = np.zeros((len(line), 2, 2))
        second[:, 0, 0] = rise * (1.0 - 2.0 * upper) / chance
        second[:, 1, 1] = -fall * (1.0 - 2.0 * lower) / chance
        second -= first[:, :, None] * first[:, None, :]
        places = [place for place in (category - 1, category) if 0 <= place < n_thresholds]
        kept = [k for k, place in enumerate((category - 1, category)) if 0 <= place < n_thresholds]
        # The two logits share the predictors: their derivatives add up there.
        own = first[:, kept]
        gradient[places] += weight @ own
        gradient[n_thresholds:] += (weight * own.sum(axis=1)) @ design
        curve = second[:, kept][:, :, kept]
        information[np.ix_(places, places)] -= np.einsum("i,iab->ab", weight, curve)
        mixed = (weight[:, None] * curve.sum(axis=2)).T @ design
        information[places, n_thresholds:] -= mixed
        information[n_thresholds:, places] -= mixed.T
        information[n_thresholds:, n_thresholds:] -= design.T @ (
            (weight * curve.sum(axis=(1, 2)))[:, None] * design
        )
    return value, gradient, information


def _logistic(x: Floats) -> Floats:
    """Logistic function without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))
