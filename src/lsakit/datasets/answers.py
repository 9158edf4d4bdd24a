"""What pupils write into their booklets: credit from the true model, then the shapes that answers take.

Credit is drawn first. An answer is left out or made invalid only where it would have earned nothing, so that
scoring those as 0 does not distort the measure; how far a pupil gets is independent of ability, so that
treating the rest as not administered does not either.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lsakit.datasets.counter_random import uniforms
from lsakit.datasets.population_model import SUBJECTS

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]

NOT_REACHED, INVALID, OMITTED = 96, 98, 99
NOT_ADMINISTERED = -1

SLOW_SHARE = 0.05
LONGEST_TAIL = 12
OMISSION_OF_WRONG = {"mc": 0.032, "cr": 0.095}
LARGEST_OMISSION = 0.5
INVALID_OF_WRONG = 0.008
_TAIL, _TAIL_LENGTH, _FIRST_ITEM = 0, 1, 2
_CREDIT, _OMISSION, _INVALID, _OPTION = range(4)
_DRAWS_PER_ITEM = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """Hold the items of one grade as arrays, in the order of the items table.

    Parameters
    ----------
    names : tuple of str of shape (n_items,)
        Items.
    subject : ndarray of shape (n_items,)
        Row of the item's subject in ``SUBJECTS``.
    slope, difficulty, step : ndarray of shape (n_items,)
        True parameters (logit metric, D = 1); ``step`` is step_1, 0 for one-point items.
    key : ndarray of shape (n_items,)
        Correct option 1 … 4; 0 where the pupil writes.
    max_score : ndarray of shape (n_items,)
        1 or 2.
    omission : ndarray of shape (n_items,)
        Chance that an answer worth nothing is left out by a pupil of ability equal to the difficulty.
    booklets : tuple of ndarray of shape (n_items_of_booklet,)
        Items of each booklet in the order of presentation.
    """

    names: tuple[str, ...]
    subject: NDArray[np.int64]
    slope: Floats
    difficulty: Floats
    step: Floats
    key: NDArray[np.int64]
    max_score: NDArray[np.int64]
    omission: Floats
    booklets: tuple[NDArray[np.int64], ...]


def as_instrument(items: pl.DataFrame, true_items: pl.DataFrame, booklets: pl.DataFrame) -> Instrument:
    """Arrange the tables of an instrument as arrays.

    Parameters
    ----------
    items, true_items, booklets : polars.DataFrame
        As ``make_items`` and ``make_booklets`` give them.

    Returns
    -------
    Instrument
        The same facts as arrays.
    """
    cluster = items.get_column("cluster").to_numpy()
    order = booklets.sort("booklet", "position").group_by("booklet", maintain_order=True).agg("cluster")
    inside = [
        np.concatenate([np.flatnonzero(cluster == name) for name in names])
        for names in order.get_column("cluster").to_list()
    ]
    return Instrument(
        names=tuple(items.get_column("item").to_list()),
        subject=np.array([SUBJECTS.index(name) for name in items.get_column("subject").to_list()]),
        slope=true_items.get_column("slope").to_numpy(),
        difficulty=true_items.get_column("difficulty").to_numpy(),
        step=true_items.get_column("step_1").fill_null(0.0).to_numpy(),
        key=items.get_column("key").fill_null(0).to_numpy(),
        max_score=items.get_column("max_score").to_numpy(),
        omission=np.array([OMISSION_OF_WRONG[name] for name in items.get_column("format").to_list()]),
        booklets=tuple(inside),
    )


def category_chances(theta: Floats, slope: Floats, difficulty: Floats, step: Floats) -> Floats:
    """Compute the chances of earning at least one and at least two points.

    Parameters
    ----------
    theta : ndarray of shape (n_pupils, n_items)
        Ability of the pupil on the item's subject.
    slope, difficulty, step : ndarray of shape (n_items,)
        Parameters; ``step`` is NaN for items of one point.

    Returns
    -------
    ndarray of shape (2, n_pupils, n_items)
        Chance of one point or more, and of two; for items of one point the second is 0. The generalised
        partial credit model: the log odds of one point against none are slope · (θ − difficulty + step), of
        two against one slope · (θ − difficulty − step).

    References
    ----------
    Muraki (1992), A generalized partial credit model, Applied Psychological Measurement 16, 159-176.
    """
    one_point = np.isnan(step)
    offset = np.where(one_point, 0.0, step)
    away = theta - difficulty
    first = np.exp(slope * (away + offset))
    second = np.where(one_point, 0.0, first * np.exp(slope * (away - offset)))
    total = 1.0 + first + second
    return np.stack([(first + second) / total, second / total])


def answer(instrument: Instrument, booklet: int, keys: NDArray[np.uint64], theta: Floats) -> Codes:
    """Draw the raw responses of the pupils who hold one booklet.

    Parameters
    ----------
    instrument : Instrument
        The items.
    booklet : int
        Booklet, from 1.
    keys : ndarray of shape (n_pupils,)
        Random key of each pupil.
    theta : ndarray of shape (2, n_pupils)
        Abilities.

    Returns
    -------
    ndarray of shape (n_pupils, n_items_of_booklet)
        Response codes in the order of presentation: option 1 … 4 or credit 0 … 2, 96 not reached, 98 invalid,
        99 omitted.
    """
    inside = instrument.booklets[booklet - 1]
    ability = theta[instrument.subject[inside]].T
    draws = [_item_uniforms(keys, inside, kind) for kind in range(_DRAWS_PER_ITEM)]
    step = np.where(instrument.max_score[inside] == 2, instrument.step[inside], np.nan)
    chance = category_chances(ability, instrument.slope[inside], instrument.difficulty[inside], step)
    credit = (draws[_CREDIT] < chance[0]).astype(np.int8) + (draws[_CREDIT] < chance[1])
    key = instrument.key[inside]
    wrong_option = 1 + (key - 1 + _distractor(draws[_OPTION], inside)) % 4
    codes = np.where(key == 0, credit, np.where(credit > 0, key, wrong_option)).astype(np.int8)
    nothing = credit == 0
    rise = np.exp(0.35 * (instrument.difficulty[inside] - ability))
    leaves_out = draws[_OMISSION] < np.minimum(LARGEST_OMISSION, instrument.omission[inside] * rise)
    reached = _reached(keys, len(inside))
    place = np.arange(1, len(inside) + 1)
    omitted = nothing & leaves_out & (place < reached[:, None])
    invalid = nothing & ~omitted & (key > 0) & (draws[_INVALID] < INVALID_OF_WRONG)
    codes[invalid] = INVALID
    codes[omitted] = OMITTED
    codes[place > reached[:, None]] = NOT_REACHED
    return codes


def _item_uniforms(keys: NDArray[np.uint64], inside: NDArray[np.int64], kind: int) -> Floats:
    """Draw one uniform per pupil and item; an item's draw does not depend on the booklet it stands in."""
    columns = [uniforms(keys, _FIRST_ITEM + _DRAWS_PER_ITEM * item + kind) for item in inside.tolist()]
    return np.stack(columns, axis=1)


def _distractor(draw: Floats, inside: NDArray[np.int64]) -> NDArray[np.int64]:
    """Choose a wrong option, 1 to 3 places after the key; each item has its more and less attractive ones."""
    first = 0.25 + 0.05 * (inside % 6)
    second = first + (1 - first) * (0.35 + 0.1 * (inside % 4))
    return 1 + (draw >= first).astype(np.int64) + (draw >= second)


def _reached(keys: NDArray[np.uint64], n_items: int) -> NDArray[np.int64]:
    """Draw how many items each pupil reaches: all, or for a few all but a tail."""
    tail = 1 + np.floor(uniforms(keys, _TAIL_LENGTH) * LONGEST_TAIL).astype(np.int64)
    slow = uniforms(keys, _TAIL) < SLOW_SHARE
    return np.where(slow, n_items - tail, n_items)
