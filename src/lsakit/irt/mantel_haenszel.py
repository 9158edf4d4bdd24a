"""Mantel-Haenszel statistics, standardization and ETS classes from counts by stratum, group and score.

Formulas and references: docs/algorithms/differential_item_functioning.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2

from lsakit.errors import CalibrationError
from lsakit.irt.models import Floats

D_SCALE = 2.35
SIGNIFICANT = 0.05
LARGE, SMALL, ONE_SIDED = 1.5, 1.0, 1.645
SMD_SMALL, SMD_LARGE = 0.17, 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class MantelHaenszel:
    """Statistics of a two-category item.

    Parameters
    ----------
    odds_ratio : float
        Common odds ratio, reference over focal.
    d_dif : float
        MH D-DIF = -2.35 ln(odds ratio), delta units; above 0 easier for the focal group.
    se : float
        Its standard error.
    chi_square : float
        Mantel-Haenszel chi-square, one degree of freedom.
    p : float
        Its upper tail probability.
    std_p_dif : float
        Standardized difference of the shares of right answers, focal minus reference.
    breslow_day : float
        Breslow-Day chi-square of unequal odds ratios; NaN where no stratum has all margins.
    breslow_day_df : int
        Its degrees of freedom.
    breslow_day_p : float
        Its upper tail probability.
    ets_class : str
        "A", "B+", "B-", "C+" or "C-".
    n_strata : int
        Strata with both groups.
    """

    odds_ratio: float
    d_dif: float
    se: float
    chi_square: float
    p: float
    std_p_dif: float
    breslow_day: float
    breslow_day_df: int
    breslow_day_p: float
    ets_class: str
    n_strata: int


def mantel_haenszel(counts: ArrayLike, *, continuity: float = 0.5) -> MantelHaenszel:
    """Compute the Mantel-Haenszel statistics of one item.

    Parameters
    ----------
    counts : array of shape (n_strata, 2, 2)
        Number (or weight) of students by stratum, group (reference, focal) and score (0, 1).
    continuity : float, default 0.5
        Continuity correction of the chi-square.

    Returns
    -------
    MantelHaenszel
        Statistics and class.

    Raises
    ------
    CalibrationError
        If no stratum has both groups, or the odds ratio is zero or infinite.

    Examples
    --------
    >>> found = mantel_haenszel([[[35, 25], [45, 10]], [[25, 50], [40, 30]], [[13, 72], [31, 52]]])
    >>> round(found.d_dif, 7), found.ets_class
    (-2.5908298, 'C-')
    """
    table = _checked(counts)
    if table.shape[2] != 2:
        raise CalibrationError(
            f"The Mantel-Haenszel statistic needs two categories. Got {table.shape[2]}.",
            hint="Use mantel_of_scores for items of several points.",
            param="counts",
        )
    a, b, c, d = table[:, 0, 1], table[:, 0, 0], table[:, 1, 1], table[:, 1, 0]
    n = a + b + c + d
    right, wrong = a * d / n, b * c / n
    if not (right.sum() > 0.0 and wrong.sum() > 0.0):
        raise CalibrationError(
            "The common odds ratio is zero or infinite: within every stratum one group has only right or only "
            "wrong answers.",
            hint="Use fewer strata ('matching'), or look at the item's facility in each group.",
            param="counts",
        )
    odds = float(right.sum() / wrong.sum())
    same, other = (a + d) / n, (b + c) / n
    r, s = float(right.sum()), float(wrong.sum())
    variance = (
        float((same * right).sum()) / (2 * r * r)
        + float((same * wrong + other * right).sum()) / (2 * r * s)
        + float((other * wrong).sum()) / (2 * s * s)
    )
    d_dif, se = -D_SCALE * float(np.log(odds)), D_SCALE * float(np.sqrt(variance))
    statistic = _mantel(table, np.array([0.0, 1.0]), continuity)
    p = float(chi2.sf(statistic, 1))
    day, df = breslow_day(table, odds)
    return MantelHaenszel(
        odds_ratio=odds,
        d_dif=d_dif,
        se=se,
        chi_square=statistic,
        p=p,
        std_p_dif=_standardized(table, np.array([0.0, 1.0])),
        breslow_day=day,
        breslow_day_df=df,
        breslow_day_p=float(chi2.sf(day, df)) if df > 0 else float("nan"),
        ets_class=ets_class(d_dif, se, p),
        n_strata=len(table),
    )


def ets_class(d_dif: float, se: float, p: float) -> str:
    """Give the ETS class of an MH D-DIF.

    Parameters
    ----------
    d_dif : float
        MH D-DIF, delta units.
    se : float
        Its standard error.
    p : float
        Probability of the chi-square of no difference.

    Returns
    -------
    str
        "A", "B+", "B-", "C+" or "C-"; plus is easier for the focal group.
    """
    size = abs(d_dif)
    if p >= SIGNIFICANT or size < SMALL:
        return "A"
    letter = "C" if size >= LARGE and (size - SMALL) / se > ONE_SIDED else "B"
    return letter + ("+" if d_dif > 0.0 else "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreDifference:
    """Statistics of an item of several points.

    Parameters
    ----------
    smd : float
        Standardized mean difference, focal minus reference, points.
    sd : float
        Standard deviation of the item over both groups, points.
    effect : float
        smd over sd.
    mantel : float
        Mantel's chi-square of the mean scores, one degree of freedom.
    mantel_p : float
        Its upper tail probability.
    generalized : float
        Generalized Mantel-Haenszel chi-square of the distributions.
    generalized_df : int
        Its degrees of freedom.
    generalized_p : float
        Its upper tail probability.
    ets_class : str
        "A", "B+", "B-", "C+" or "C-" (AA, BB, CC of NAEP).
    n_strata : int
        Strata with both groups.
    """

    smd: float
    sd: float
    effect: float
    mantel: float
    mantel_p: float
    generalized: float
    generalized_df: int
    generalized_p: float
    ets_class: str
    n_strata: int


def mantel_of_scores(counts: ArrayLike) -> ScoreDifference:
    """Compute the statistics of an item of several points.

    Parameters
    ----------
    counts : array of shape (n_strata, 2, n_categories)
        Number (or weight) of students by stratum, group (reference, focal) and score.

    Returns
    -------
    ScoreDifference
        Statistics and class.

    Raises
    ------
    CalibrationError
        If no stratum has both groups, or the scores do not vary within strata.
    """
    table = _checked(counts)
    scores = np.arange(table.shape[2], dtype=float)
    overall = table.sum(axis=(0, 1))
    share = overall / overall.sum()
    mean = float(share @ scores)
    sd = float(np.sqrt(share @ (scores - mean) ** 2))
    statistic = _mantel(table, scores, 0.0)
    smd = _standardized(table, scores)
    p = float(chi2.sf(statistic, 1))
    value, df = _generalized(table)
    effect = smd / sd
    letter = "A"
    if p < SIGNIFICANT and abs(effect) >= SMD_SMALL:
        letter = ("C" if abs(effect) >= SMD_LARGE else "B") + ("+" if effect > 0.0 else "-")
    return ScoreDifference(
        smd=smd,
        sd=sd,
        effect=effect,
        mantel=statistic,
        mantel_p=p,
        generalized=value,
        generalized_df=df,
        generalized_p=float(chi2.sf(value, df)),
        ets_class=letter,
        n_strata=len(table),
    )


def _checked(counts: ArrayLike) -> Floats:
    """Keep the strata in which both groups are."""
    table = np.asarray(counts, dtype=float)
    if table.ndim != 3 or table.shape[1] != 2 or table.shape[2] < 2 or (table < 0.0).any():
        raise CalibrationError(
            f"The counts must have the shape (n_strata, 2, n_categories) and not be negative. Got "
            f"{table.shape}.",
            param="counts",
        )
    number = table.sum(axis=2)
    kept = table[(number > 0.0).all(axis=1) & (number.sum(axis=1) > 1.0)]
    if not len(kept):
        raise CalibrationError(
            "No stratum holds students of both groups.",
            why="Students are compared at equal scores only.",
            hint="Use fewer strata ('matching'), or larger groups.",
            param="counts",
        )
    return np.asarray(kept)


def _mantel(table: Floats, scores: Floats, continuity: float) -> float:
    """Mantel's chi-square of the focal group's sum of scores."""
    group = table.sum(axis=2)
    n = group.sum(axis=1)
    margin = table.sum(axis=1)
    first, second = margin @ scores, margin @ scores**2
    observed = float((table[:, 1] @ scores).sum())
    expected = float((group[:, 1] * first / n).sum())
    spread = group[:, 0] * group[:, 1] * (n * second - first * first) / (n * n * (n - 1.0))
    variance = float(spread.sum())
    if not variance > 0.0:
        raise CalibrationError(
            "Within every stratum all students have the same score on the item.",
            hint="Use fewer strata ('matching'), or leave the item out.",
            param="counts",
        )
    return max(abs(observed - expected) - continuity, 0.0) ** 2 / variance


def _standardized(table: Floats, scores: Floats) -> float:
    """Difference of mean scores, focal minus reference, over the focal group's strata."""
    group = table.sum(axis=2)
    mean = table @ scores / group
    return float(group[:, 1] @ (mean[:, 1] - mean[:, 0]) / group[:, 1].sum())


def _generalized(table: Floats) -> tuple[float, int]:
    """Give the generalized Mantel-Haenszel chi-square and its degrees of freedom."""
    seen = table.sum(axis=(0, 1)) > 0.0
    own = table[:, :, seen]
    group = own.sum(axis=2)
    n = group.sum(axis=1)
    margin = own.sum(axis=1)
    gap = (own[:, 1] - group[:, 1:2] * margin / n[:, None]).sum(axis=0)[1:]
    factor = group[:, 0] * group[:, 1] / (n * n * (n - 1.0))
    covariance = np.diag((factor * n) @ margin) - (margin * factor[:, None]).T @ margin
    rank = int(np.linalg.matrix_rank(covariance[1:, 1:]))
    return float(gap @ np.linalg.pinv(covariance[1:, 1:]) @ gap), rank


def breslow_day(counts: ArrayLike, odds_ratio: float) -> tuple[float, int]:
    """Test that the odds ratios are alike over strata.

    Parameters
    ----------
    counts : array of shape (n_strata, 2, 2)
        Counts by stratum, group and score.
    odds_ratio : float
        Common odds ratio, reference over focal.

    Returns
    -------
    statistic : float
        Chi-square; NaN without a stratum that has all margins.
    df : int
        Strata that have all margins, less one.
    """
    table = np.asarray(counts, dtype=float)
    full = (table.sum(axis=1) > 0.0).all(axis=1) & (table.sum(axis=2) > 0.0).all(axis=1)
    own = table[full]
    if len(own) < 2:
        return float("nan"), 0
    reference, focal = own[:, 0].sum(axis=1), own[:, 1].sum(axis=1)
    right = own[:, :, 1].sum(axis=1)
    # Expected right answers of the reference group: root of A (n_F - m + A) = odds (n_R - A)(m - A).
    square = 1.0 - odds_ratio
    linear = focal - right + odds_ratio * (reference + right)
    if abs(square) < 1e-12:
        expected = reference * right / (reference + focal)
    else:
        root = np.sqrt(linear**2 + 4.0 * square * odds_ratio * reference * right)
        expected = (-linear + root) / (2.0 * square)
    cells = np.stack([expected, reference - expected, right - expected, focal - right + expected])
    variance = 1.0 / (1.0 / cells).sum(axis=0)
    return float((((own[:, 0, 1] - expected) ** 2) / variance).sum()), len(own) - 1
