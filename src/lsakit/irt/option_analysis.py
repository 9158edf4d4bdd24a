"""What each answer option of a keyed item does: shares, mean rest scores, point-biserials, curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lsakit.irt.booklet_patterns import correlation, within
from lsakit.irt.models import Floats

N_CLASSES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Options that students chose on one item, with their rest scores.

    Parameters
    ----------
    options : tuple of str
        The options in their order.
    choice : ndarray of shape (n_students,)
        Place of the option chosen.
    rest : ndarray of shape (n_students,)
        Rest scores, points or percent.
    weight : ndarray of shape (n_students,)
        Weights, dimensionless.
    booklet : ndarray of shape (n_students,)
        Number of the booklet.
    standing : ndarray of shape (n_students,), optional
        Middle ranks of the rest scores as deviations from the booklet's mean (`middle_ranks`); computed where absent.
    """

    options: tuple[str, ...]
    choice: NDArray[np.int64]
    rest: Floats
    weight: Floats
    booklet: NDArray[np.int64]
    standing: Floats | None = None


def option_statistics(chosen: Chosen) -> dict[str, Any]:
    """Describe the options of one item.

    Parameters
    ----------
    chosen : Chosen
        Who chose what.

    Returns
    -------
    dict of str to array of shape (n_options,)
        option; n (students); share; rest_mean (unit of the rest score; NaN where nobody chose it); point_biserial;
        share_low, share_high (among the lowest and the highest third of the rest score).
    """
    n_options = len(chosen.options)
    n_booklets = int(chosen.booklet.max(initial=0)) + 1
    rest = within(chosen.rest, chosen.weight, chosen.booklet, n_booklets)
    n = np.bincount(chosen.choice, minlength=n_options)
    mass = np.bincount(chosen.choice, weights=chosen.weight, minlength=n_options)
    mean = np.bincount(chosen.choice, weights=chosen.weight * chosen.rest, minlength=n_options)
    mean = np.divide(mean, mass, out=np.full(n_options, np.nan), where=mass > 0.0)
    biserial = np.empty(n_options)
    for place in range(n_options):
        took = within((chosen.choice == place).astype(float), chosen.weight, chosen.booklet, n_booklets)
        biserial[place] = correlation(took, rest, chosen.weight)
    thirds = _classes(chosen, rest, 3)
    low, high = _shares(chosen, thirds == 0), _shares(chosen, thirds == 2)
    return {
        "option": list(chosen.options),
        "n": n.astype(np.int64),
        "share": mass / mass.sum(),
        "rest_mean": mean,
        "point_biserial": biserial,
        "share_low": low,
        "share_high": high,
    }


def _shares(chosen: Chosen, rows: NDArray[np.bool_]) -> Floats:
    """Weighted shares of the options among some students."""
    mass = np.bincount(
        chosen.choice[rows], weights=chosen.weight[rows], minlength=len(chosen.options)
    ).astype(float)
    return mass / mass.sum() if mass.sum() > 0.0 else np.full(len(mass), np.nan)


def _classes(chosen: Chosen, rest: Floats, n_classes: int) -> NDArray[np.int64]:
    """Cut students into classes of about equal weight; equal rest scores stay together."""
    standing = middle_ranks(rest, chosen.weight) if chosen.standing is None else chosen.standing
    return np.asarray(np.minimum((standing * n_classes).astype(np.int64), n_classes - 1))


def middle_ranks(values: ArrayLike, weight: ArrayLike) -> Floats:
    """Give each student's place between the lowest and the highest; equal values share a place.

    Parameters
    ----------
    values : array of shape (n_students,)
        What to rank, any unit.
    weight : array of shape (n_students,)
        Weights, dimensionless.

    Returns
    -------
    ndarray of shape (n_students,)
        Share of the weight below, with half of the equals, between 0 and 1.
    """
    own, mass = np.asarray(values, dtype=float), np.asarray(weight, dtype=float)
    levels, place = np.unique(np.round(own, 9), return_inverse=True)
    at = np.bincount(place.ravel(), weights=mass, minlength=len(levels))
    middle = (np.cumsum(at) - 0.5 * at) / at.sum()
    return np.asarray(middle[place.ravel()])


def option_curves(chosen: Chosen, n_classes: int = N_CLASSES) -> dict[str, Any]:
    """Share of each option in classes of the rest score, for a plot of the distractors.

    Parameters
    ----------
    chosen : Chosen
        Who chose what.
    n_classes : int, default 5
        Number of classes of about equal weight.

    Returns
    -------
    dict of str to array of shape (n_points,)
        option; class (from 1); rest_mean (unit of the rest score); n (students); share.
    """
    rest = within(chosen.rest, chosen.weight, chosen.booklet, int(chosen.booklet.max(initial=0)) + 1)
    group = _classes(chosen, rest, n_classes)
    out: dict[str, list[Any]] = {name: [] for name in ("option", "class", "rest_mean", "n", "share")}
    for number in range(n_classes):
        rows = group == number
        if not rows.any():
            continue
        mass = _shares(chosen, rows)
        mean = float(np.average(chosen.rest[rows], weights=chosen.weight[rows]))
        for place, option in enumerate(chosen.options):
            values = (option, number + 1, mean, int(rows.sum()), float(mass[place]))
            for name, value in zip(out, values, strict=True):
                out[name].append(value)
    return {name: list(values) for name, values in out.items()}


def best_distractor(statistics: dict[str, Any], key: str, aside: Sequence[str]) -> tuple[float, bool, float]:
    """Tell how the distractors compare with the key.

    Parameters
    ----------
    statistics : dict of str to array of shape (n_options,)
        From `option_statistics`.
    key : str
        The key.
    aside : Sequence of str
        Options that are no distractors, such as the omissions.

    Returns
    -------
    highest : float
        Highest point-biserial of a distractor; minus infinity without one.
    is_abler : bool
        Whether the choosers of a distractor have a higher mean rest score than those of the key.
    highest_share : float
        Highest share of a distractor among the top third.
    """
    names = list(statistics["option"])
    own = names.index(key)
    others = [place for place, name in enumerate(names) if place != own and name not in aside]
    if not others:
        return float("-inf"), False, 0.0
    biserial = statistics["point_biserial"][others]
    mean, high = statistics["rest_mean"], statistics["share_high"]
    finite = biserial[np.isfinite(biserial)]
    return (
        float(finite.max()) if len(finite) else float("-inf"),
        bool(np.any(mean[others] > mean[own])),
        float(np.nan_to_num(high[others]).max()),
    )
