"""Logistic regression of an item on the matching score and the group, from counts by stratum.

Formulas and references: docs/algorithms/differential_item_functioning.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from lsakit.irt.models import Floats

JODOIN_GIERL = (0.035, 0.070)
ZUMBO_THOMAS = (0.13, 0.26)
SIGNIFICANT = 0.05
SEPARATED = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Answers to one item, gathered where score, booklet and group are equal.

    Parameters
    ----------
    score : ndarray of shape (n_cells,)
        Matching score.
    booklet : ndarray of shape (n_cells,)
        Number of the booklet, from 0.
    focal : ndarray of shape (n_cells,)
        1 for the focal group, 0 for the reference group.
    right : ndarray of shape (n_cells,)
        Number (or weight) of right answers.
    total : ndarray of shape (n_cells,)
        Number (or weight) of answers.
    """

    score: Floats
    booklet: NDArray[np.int64]
    focal: Floats
    right: Floats
    total: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class LogisticDif:
    """Tests of an item by logistic regression.

    Parameters
    ----------
    uniform : float
        Likelihood ratio of the group effect, one degree of freedom.
    uniform_p : float
        Its probability.
    nonuniform : float
        Likelihood ratio of the interaction, one degree of freedom.
    nonuniform_p : float
        Its probability.
    both : float
        Likelihood ratio of both, two degrees of freedom.
    both_p : float
        Its probability.
    group_effect : float
        Log odds ratio of the focal group at equal score, in the uniform model.
    interaction : float
        Difference of the slopes, focal minus reference, in the full model.
    r2_uniform : float
        Difference of Nagelkerke's R2 by the group effect.
    r2_nonuniform : float
        Difference by the interaction.
    r2_both : float
        Difference by both.
    size_class : str
        "A", "B" or "C" of the two effects together.
    undefined_because : str or None
        Why the numbers are NaN.
    """

    uniform: float
    uniform_p: float
    nonuniform: float
    nonuniform_p: float
    both: float
    both_p: float
    group_effect: float
    interaction: float
    r2_uniform: float
    r2_nonuniform: float
    r2_both: float
    size_class: str
    undefined_because: str | None


def logistic_dif(cells: Cells, classes: tuple[float, float] = JODOIN_GIERL) -> LogisticDif:
    """Test one item.

    Parameters
    ----------
    cells : Cells
        Answers by score, booklet and group.
    classes : tuple of (float, float), default (0.035, 0.070)
        R2 differences from which an item is of class B and C.

    Returns
    -------
    LogisticDif
        Tests, effects and class; NaN with the reason where the likelihood has no finite maximum.
    """
    booklets = (cells.booklet[:, None] == np.unique(cells.booklet)[None, :]).astype(float)
    n = float(cells.total.sum())
    center = float(cells.total @ cells.score) / n
    spread = float(np.sqrt(cells.total @ (cells.score - center) ** 2 / n))
    if not spread > 0.0:
        return undefined("the matching score does not vary")
    score = (cells.score - center) / spread
    base = np.column_stack([booklets, score])
    with_group = np.column_stack([base, cells.focal])
    full = np.column_stack([with_group, cells.focal * score])
    fits = [_fit(design, cells) for design in (np.ones((len(score), 1)), base, with_group, full)]
    if any(fit is None for fit in fits):
        return undefined("the likelihood has no finite maximum: the score or the group tells the answers")
    null, first, second, third = (fit for fit in fits if fit is not None)
    logliks = (null[0], first[0], second[0], third[0])
    # The interaction is on the scale of the given score; the group effect is that of the uniform model.
    return tested(logliks, n, float(second[1][-1]), float(third[1][-1]) / spread, classes)


def tested(
    logliks: tuple[float, float, float, float],
    n: float,
    group_effect: float,
    interaction: float,
    classes: tuple[float, float],
) -> LogisticDif:
    """Turn four nested fits into tests, effects and class.

    Parameters
    ----------
    logliks : tuple of float
        Log-likelihoods without predictors, with the score, with the group, with their interaction.
    n : float
        Number (or weight) of answers.
    group_effect : float
        Log odds ratio of the focal group in the third model.
    interaction : float
        Difference of slopes in the fourth model.
    classes : tuple of (float, float)
        R2 differences from which an item is of class B and C.

    Returns
    -------
    LogisticDif
        Tests, effects and class.
    """
    null, first, second, third = logliks
    r2 = [_nagelkerke(one, null, n) for one in (first, second, third)]
    tests = (second - first, third - second, third - first)
    uniform, nonuniform, both = (max(2.0 * one, 0.0) for one in tests)
    size, p = r2[2] - r2[0], float(chi2.sf(both, 2))
    letter = "A"
    if p < SIGNIFICANT and size >= classes[0]:
        letter = "C" if size >= classes[1] else "B"
    return LogisticDif(
        uniform=uniform,
        uniform_p=float(chi2.sf(uniform, 1)),
        nonuniform=nonuniform,
        nonuniform_p=float(chi2.sf(nonuniform, 1)),
        both=both,
        both_p=p,
        group_effect=group_effect,
        interaction=interaction,
        r2_uniform=r2[1] - r2[0],
        r2_nonuniform=r2[2] - r2[1],
        r2_both=size,
        size_class=letter,
        undefined_because=None,
    )


def undefined(reason: str) -> LogisticDif:
    """Say that there are no numbers.

    Parameters
    ----------
    reason : str
        Why.

    Returns
    -------
    LogisticDif
        NaN throughout, with the reason.
    """
    none = float("nan")
    return LogisticDif(
        uniform=none,
        uniform_p=none,
        nonuniform=none,
        nonuniform_p=none,
        both=none,
        both_p=none,
        group_effect=none,
        interaction=none,
        r2_uniform=none,
        r2_nonuniform=none,
        r2_both=none,
        size_class="",
        undefined_because=reason,
    )


def _nagelkerke(loglik: float, null: float, n: float) -> float:
    """Nagelkerke's R2."""
    return (1.0 - float(np.exp(2.0 * (null - loglik) / n))) / (1.0 - float(np.exp(2.0 * null / n)))


def _fit(design: Floats, cells: Cells) -> tuple[float, Floats] | None:
    """Maximize the likelihood by Newton steps, halved where they overshoot; None where there is no finite maximum."""
    beta = np.zeros(design.shape[1])
    value = _loglik(design @ beta, cells)
    for _ in range(60):
        logit = design @ beta
        chance = 1.0 / (1.0 + np.exp(-logit))
        gradient = design.T @ (cells.right - cells.total * chance)
        hessian = design.T @ ((cells.total * chance * (1.0 - chance))[:, None] * design)
        try:
            step = np.linalg.solve(hessian, gradient)
        except np.linalg.LinAlgError:
            return None
        factor = 1.0
        while factor > 1e-8:
            moved = _loglik(design @ (beta + factor * step), cells)
            if moved >= value - 1e-12 * abs(value):
                break
            factor *= 0.5
        beta = beta + factor * step
        value = moved
        if float(np.abs(design @ beta).max()) > SEPARATED:
            return None
        if float(np.abs(step).max()) < 1e-9:
            return value, beta
    return None


def _loglik(logit: Floats, cells: Cells) -> float:
    """Binomial log-likelihood without its constant."""
    return float(cells.right @ logit - cells.total @ np.logaddexp(0.0, logit))
