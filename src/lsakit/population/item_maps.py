"""Ordered item booklets and item maps: every score point at the ability that masters it.

Formulas and references: docs/algorithms/standard_setting.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lsakit.errors import EstimationError
from lsakit.io.frames import Table, as_table, make_table
from lsakit.io.text_columns import text_column
from lsakit.irt.calibration import Calibration
from lsakit.irt.item_parameters import ItemParameters, read_item_parameters
from lsakit.irt.models import Floats
from lsakit.irt.packs import probability_table

REACH = 40.0
RP67 = 2.0 / 3.0


def response_probability_location(
    slope: float, difficulty: float, *, probability: float = RP67, guessing: float = 0.0, scaling: float = 1.0
) -> float:
    """Give the ability at which a two-category item is solved with a stated probability.

    Parameters
    ----------
    slope : float
        Slope, per logit; positive.
    difficulty : float
        Difficulty, logits.
    probability : float, default 2/3
        The response probability (RP).
    guessing : float, default 0.0
        Lower asymptote, a probability.
    scaling : float, default 1.0
        The constant D.

    Returns
    -------
    float
        Ability, logits.

    Raises
    ------
    EstimationError
        If the slope is not positive, or the probability does not lie above the guessing parameter and below 1.

    References
    ----------
    .. [1] docs/algorithms/standard_setting.md.

    Examples
    --------
    >>> round(response_probability_location(1.2, 0.4, probability=0.62, scaling=1.7), 7)
    0.6399746
    """
    if not (slope > 0.0 and 0.0 <= guessing < probability < 1.0):
        raise EstimationError(
            f"An item of slope {slope:g} and guessing {guessing:g} has no ability that masters it with "
            f"probability {probability:g}.",
            why="The slope must be positive, and the probability lie above guessing and below 1.",
            hint="Choose another response probability, or leave the item out.",
            param="probability",
            got=probability,
        )
    return difficulty + float(np.log((probability - guessing) / (1.0 - probability))) / (scaling * slope)


def score_locations(items: ItemParameters, probability: float) -> tuple[Floats, list[tuple[str, int]]]:
    """Find, for every score point, the ability with P(score at least k) equal to the response probability.

    Parameters
    ----------
    items : ItemParameters
        The items.
    probability : float
        The response probability (RP).

    Returns
    -------
    locations : ndarray of shape (n_points,)
        Abilities, logits.
    points : list of tuple of (str, int)
        Item and score.

    Raises
    ------
    EstimationError
        If the probability lies outside (0, 1), or an item never reaches it.
    """
    if not 0.0 < probability < 1.0:
        raise EstimationError(
            f"The 'probability' parameter must lie between 0 and 1. Got {probability!r}.",
            param="probability",
            got=probability,
        )
    points = [
        (name, score)
        for name, own in zip(items.names, items.n_steps.tolist(), strict=True)
        for score in range(1, int(own) + 1)
    ]
    place = {name: row for row, name in enumerate(items.names)}
    item = np.array([place[name] for name, _ in points])
    score = np.array([number for _, number in points])
    low, high = np.full(len(points), -REACH), np.full(len(points), REACH)
    never = (_at_least(items, item, score, high) < probability) | (
        _at_least(items, item, score, low) > probability
    )
    if never.any():
        raise EstimationError(
            f"{int(never.sum())} score points are never mastered with probability {probability:g}.",
            where=[f"{points[row][0]}, score {points[row][1]}" for row in np.flatnonzero(never).tolist()],
            why="A slope near zero or below it, or guessing above the probability, gives no location.",
            hint="Leave these items out of the map.",
            param="items",
        )
    for _ in range(60):
        middle = 0.5 * (low + high)
        above = _at_least(items, item, score, middle) >= probability
        high, low = np.where(above, middle, high), np.where(above, low, middle)
    return 0.5 * (low + high), points


def _at_least(items: ItemParameters, item: Any, score: Any, theta: Floats) -> Floats:
    """P(score of the item at least k) at one ability for each point."""
    table = probability_table(items, theta)
    out = np.zeros(len(theta))
    for row in range(len(theta)):
        first = int(items.offset[item[row]])
        out[row] = table[first + score[row] : first + int(items.n_steps[item[row]]) + 1, row].sum()
    return out


def read_items(items: Any) -> ItemParameters:
    """Take item parameters from a calibration or a table.

    Parameters
    ----------
    items : Calibration or table
        Calibrated items, or a table in the form of ``cal.items``.

    Returns
    -------
    ItemParameters
        The items.
    """
    if isinstance(items, Calibration):
        return items.parameters
    return read_item_parameters(as_table(items, param="items"), param="items")


def ordered_item_booklet(items: Any, probability: float = RP67) -> Table:
    """Order the score points by the ability that masters them.

    Parameters
    ----------
    items : Calibration or table
        Calibrated items, or a table in the form of ``cal.items``.
    probability : float, default 2/3
        The response probability (RP67 is two thirds; PISA's maps use .62).

    Returns
    -------
    polars.DataFrame
        Columns page (from 1), item, score, location (logits).

    Raises
    ------
    EstimationError
        If the probability lies outside (0, 1), or an item never reaches it.

    References
    ----------
    .. [1] Cizek and Bunch (2007), Standard Setting, ch. 10.

    Examples
    --------
    >>> items = {"item": ["a", "b"], "slope": [1.0, 1.0], "difficulty": [0.5, -0.5]}
    >>> ordered_item_booklet(items)["item"].to_list()
    ['b', 'a']
    """
    location, points = score_locations(read_items(items), probability)
    order = sorted(range(len(points)), key=lambda row: (location[row], points[row]))
    return make_table(
        {
            "page": np.arange(1, len(points) + 1),
            "item": [points[row][0] for row in order],
            "score": np.array([points[row][1] for row in order], dtype=np.int64),
            "location": location[order],
        }
    )


def item_map(
    items: Any,
    cuts: Mapping[str, float] | None = None,
    *,
    probability: float = 0.62,
    slope: float = 1.0,
    intercept: float = 0.0,
) -> Table:
    """Place every score point on the reporting scale and in its proficiency level.

    Parameters
    ----------
    items : Calibration or table
        Calibrated items, or a table in the form of ``cal.items``.
    cuts : Mapping of str to float, optional
        Lower bound of each level, points of the scale; below the lowest the level is null.
    probability : float, default 0.62
        The response probability.
    slope : float, default 1.0
        Points per logit of the reporting scale.
    intercept : float, default 0.0
        Points at theta 0.

    Returns
    -------
    polars.DataFrame
        Columns page, item, score, location (logits), scale (points), proficiency_level; hardest first.

    Raises
    ------
    EstimationError
        If the slope is not positive, two cuts are equal, or an item never reaches the probability.

    Examples
    --------
    >>> items = {"item": ["a", "b"], "slope": [1.0, 1.0], "difficulty": [0.5, -0.5]}
    >>> item_map(items, {"Level 1": 450, "Level 2": 580}, slope=100, intercept=500).rows()[0][-2:]
    (598.9548225318706, 'Level 2')
    """
    if not slope > 0.0:
        raise EstimationError(
            f"The 'slope' parameter must be positive. Got {slope}.", param="slope", got=slope
        )
    bounds = sorted((float(value), name) for name, value in (cuts or {}).items())
    values = [value for value, _ in bounds]
    if len(set(values)) < len(values):
        raise EstimationError(
            "Two proficiency levels begin at the same point.",
            where=[name for value, name in bounds if values.count(value) > 1],
            hint="Give each level its own lower bound.",
            param="cuts",
        )
    booklet = ordered_item_booklet(items, probability)
    scale = intercept + slope * booklet.get_column("location").to_numpy()
    place = np.searchsorted(np.array(values), scale, side="right") - 1
    levels = [bounds[own][1] if own >= 0 else None for own in place.tolist()]
    columns: dict[str, Any] = {name: booklet.get_column(name)[::-1] for name in booklet.columns}
    columns["scale"] = scale[::-1]
    columns["proficiency_level"] = text_column(reversed(levels))
    return make_table(columns)


def characteristic_curve(items: ItemParameters, theta: ArrayLike) -> Floats:
    """Compute the expected sum score.

    Parameters
    ----------
    items : ItemParameters
        The items.
    theta : array of shape (n_values,)
        Abilities, logits.

    Returns
    -------
    ndarray of shape (n_values,)
        Expected sum scores, points.
    """
    return np.asarray(expected_scores(items, theta).sum(axis=0), dtype=float)


def expected_scores(items: ItemParameters, theta: ArrayLike) -> Floats:
    """Compute the expected score of every item.

    Parameters
    ----------
    items : ItemParameters
        The items.
    theta : array of shape (n_values,)
        Abilities, logits.

    Returns
    -------
    ndarray of shape (n_items, n_values)
        Expected scores, points.
    """
    table = probability_table(items, np.asarray(theta, dtype=float))
    scores = np.concatenate([np.arange(int(own) + 1, dtype=float) for own in items.n_steps])
    return np.asarray(np.add.reduceat(scores[:, None] * table, items.offset, axis=0), dtype=float)
