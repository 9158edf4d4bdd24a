"""S-X2: observed and expected categories of an item by total score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from lsakit.errors import CalibrationError
from lsakit.irt.booklet_patterns import find_patterns
from lsakit.irt.models import Floats
from lsakit.irt.posteriors import Answered
from lsakit.kernels import item_fit as kernels

# Estimated parameters of an item of s steps, by model.
PARAMETERS = {
    "rasch": (1, 0),
    "pcm": (1, 0),
    "rsm": (0, 1),  # the steps are shared by all items
    "2pl": (1, 1),
    "gpcm": (1, 1),
    "graded": (1, 1),
    "3pl": (1, 2),
    "nominal": (2, 0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreChiSquare:
    """S-X2 of every item.

    Parameters
    ----------
    statistic : ndarray of shape (n_items,)
        X2; NaN where there is none.
    df : ndarray of shape (n_items,)
        Degrees of freedom; 0 where there is none.
    p : ndarray of shape (n_items,)
        Upper tail probability; NaN where there is none.
    n : ndarray of shape (n_items,)
        Students whose score lies between the extremes, in booklets that are large enough.
    reason : tuple of (str or None)
        Why there is none.
    """

    statistic: Floats
    df: NDArray[np.int64]
    p: Floats
    n: NDArray[np.int64]
    reason: tuple[str | None, ...]


def score_chi_square(answered: Answered, *, fixed: Sequence[bool], least_n: int) -> ScoreChiSquare:
    """Compare categories by total score with the model.

    Parameters
    ----------
    answered : Answered
        Students and items.
    fixed : Sequence of bool of shape (n_items,)
        Whether the item was held fixed, so that no parameter was estimated.
    least_n : int
        Fewest students of a booklet.

    Returns
    -------
    ScoreChiSquare
        Statistics.

    Raises
    ------
    CalibrationError
        If the number of parameters of an item's model is not known.
    """
    items = answered.items
    n_items = len(items.names)
    statistic, cells, used = (
        np.zeros(n_items),
        np.zeros(n_items, dtype=np.int64),
        np.zeros(n_items, dtype=np.int64),
    )
    patterns = find_patterns(answered.codes)
    probability = answered.probability
    for number in np.flatnonzero(patterns.size >= least_n).tolist():
        members = np.flatnonzero(patterns.given[number])
        if len(members) < 2:
            continue
        rows = np.flatnonzero(patterns.number == number)
        expected, observed = _tables(answered, probability, members, rows)
        for place, item in enumerate(members.tolist()):
            own = int(items.n_steps[item]) + 1
            have, want = observed[place][1:-1, :own], expected[place][1:-1, :own]
            found, free = _compare(have, want)
            statistic[item] += found
            cells[item] += free
            used[item] += int(have.sum())
    own_parameters = np.array(
        [0 if held else _n_parameters(answered, item) for item, held in enumerate(fixed)]
    )
    df = np.where(cells > 0, cells - own_parameters, 0)
    good = df > 0
    reason = [
        None
        if good[item]
        else (
            f"no booklet with the item has {least_n} students"
            if used[item] == 0
            else "too few score groups remain for the parameters of the item"
        )
        for item in range(n_items)
    ]
    return ScoreChiSquare(
        statistic=np.where(good, statistic, np.nan),
        df=np.where(good, df, 0).astype(np.int64),
        p=np.where(good, chi2.sf(statistic, np.maximum(df, 1)), np.nan),
        n=used,
        reason=tuple(reason),
    )


def _n_parameters(answered: Answered, item: int) -> int:
    """Estimated parameters of an item."""
    model = answered.items.models[item]
    if model not in PARAMETERS:
        raise CalibrationError(
            f"S-X2 does not know how many parameters the model {model!r} has.",
            hint="Leave S-X2 out with FitOptions(with_score_test=False).",
            param="cal",
            got=model,
        )
    by_step, more = PARAMETERS[model]
    return by_step * int(answered.items.n_steps[item]) + more


def _tables(
    answered: Answered, probability: Floats, members: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Expected and observed counts of shape (n_members, n_scores, n_most_categories) in one booklet."""
    items = answered.items
    most = int(items.n_steps[members].max()) + 1
    n_scores = int(items.n_steps[members].sum()) + 1
    groups = np.bincount(answered.calibrated_group[rows], minlength=len(answered.prior)) / len(rows)
    joint = np.zeros((len(members), n_scores, most))
    kernels.joint_score_probabilities(
        probability, items.offset, items.n_steps, members, groups @ answered.prior, joint
    )
    codes = answered.codes[np.ix_(rows, members)].astype(np.int64)
    total = codes.sum(axis=1)
    observed = np.zeros_like(joint)
    for place in range(len(members)):
        cell = np.bincount(total * most + codes[:, place], minlength=n_scores * most)
        observed[place] = cell.reshape(n_scores, most)
    marginal = joint.sum(axis=2, keepdims=True)
    number = np.bincount(total, minlength=n_scores).astype(float)
    share = np.divide(joint, marginal, out=np.zeros_like(joint), where=marginal > 0.0)
    return share * number[None, :, None], observed


def _compare(observed: Floats, expected: Floats) -> tuple[float, int]:
    """Give the chi-square and its free cells after joining cells of small expectation."""
    if observed.shape[1] == 2:
        pairs = [(observed[own].sum(axis=0), expected[own].sum(axis=0)) for own in _join_scores(expected)]
    else:
        pairs = [_join_categories(have, want) for have, want in zip(observed, expected, strict=True)]
    value, free = 0.0, 0
    for have, want in pairs:
        if len(want) > 1:
            value += float((((have - want) ** 2) / want).sum())
            free += len(want) - 1
    return value, free


def _join_scores(expected: Floats) -> list[NDArray[np.int64]]:
    """Join scores from both ends towards the middle until every expectation is at least 1."""
    low: list[list[int]] = []
    high: list[list[int]] = []
    middle = int(np.searchsorted(np.cumsum(expected.sum(axis=1)), 0.5 * expected.sum()))
    spare: list[int] = []
    for closed, order in ((low, range(middle + 1)), (high, range(len(expected) - 1, middle, -1))):
        own: list[int] = []
        for score in order:
            own.append(score)
            if expected[own].sum(axis=0).min() >= 1.0:
                closed.append(own)
                own = []
        spare += own
    joined = [*low, *reversed(high)]
    if not joined:
        return []
    (low[-1] if low else high[-1]).extend(spare)
    return [np.array(sorted(own), dtype=np.int64) for own in joined]


def _join_categories(observed: Floats, expected: Floats) -> tuple[Any, Any]:
    """Join neighboring categories of one score until every expectation is at least 1."""
    have, want = list(observed.tolist()), list(expected.tolist())
    while len(want) > 1 and min(want) < 1.0:
        place = int(np.argmin(want))
        left = place > 0 and (place == len(want) - 1 or want[place - 1] <= want[place + 1])
        other = place - 1 if left else place + 1
        first = min(place, other)
        for cells in (have, want):
            cells[first : first + 2] = [cells[first] + cells[first + 1]]
    return np.array(have), np.array(want)
