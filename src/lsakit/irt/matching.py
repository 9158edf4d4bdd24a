"""Two groups of students, compared at equal total score on the same items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import CalibrationError
from lsakit.io.frames import Table, floats, group_codes
from lsakit.irt.booklet_patterns import find_patterns
from lsakit.irt.models import Floats

MOST_ROUNDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoGroups:
    """Scores of two groups.

    Parameters
    ----------
    items : tuple of str
        Item names.
    codes : ndarray of shape (n_items, n_students)
        Scores, an item's students side by side; −1 where there is none.
    focal : ndarray of shape (n_students,)
        1 in the focal group, 0 in the reference group.
    weight : ndarray of shape (n_students,)
        Weights, dimensionless.
    highest : ndarray of shape (n_items,)
        Highest score of each item.
    booklet : ndarray of shape (n_students,)
        Number of the set of items given.
    n_booklets : int
        Number of sets.
    stratum : ndarray of shape (n_students,) or None
        Number of each student's stratum where strata were given, in place of booklet and score.
    strata : ndarray of shape (n_strata,)
        Values of the strata; empty without.
    """

    items: tuple[str, ...]
    codes: NDArray[np.int8]
    focal: NDArray[np.int64]
    weight: Floats
    highest: NDArray[np.int64]
    booklet: NDArray[np.int64]
    n_booklets: int
    stratum: NDArray[np.int64] | None
    strata: Floats

    def anchor_score(self, anchor: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Sum the scores on the items of the anchor.

        Parameters
        ----------
        anchor : ndarray of shape (n_items,)
            Whether the item belongs to it.

        Returns
        -------
        ndarray of shape (n_students,)
            Points.
        """
        total = np.zeros(self.codes.shape[1], dtype=np.int64)
        for item in np.flatnonzero(anchor).tolist():
            total += np.maximum(self.codes[item], 0)
        return total

    def rows(self, item: int) -> NDArray[np.int64]:
        """List the students with a score on an item.

        Parameters
        ----------
        item : int
            Place of the item.

        Returns
        -------
        ndarray of shape (n_answers,)
            Places of the students.
        """
        return np.flatnonzero(self.codes[item] >= 0)

    def score(
        self, item: int, rows: NDArray[np.int64], base: NDArray[np.int64], is_anchor: bool
    ) -> NDArray[np.int64]:
        """Give the matching score, to which the studied item belongs.

        Parameters
        ----------
        item : int
            Place of the item.
        rows : ndarray of shape (n_answers,)
            Places of the students.
        base : ndarray of shape (n_students,)
            Scores on the anchor.
        is_anchor : bool
            Whether the item is in the anchor.

        Returns
        -------
        ndarray of shape (n_answers,)
            Points.
        """
        own = base[rows]
        return own if is_anchor else own + self.codes[item, rows]


def two_groups(
    table: Table,
    labels: Sequence[str],
    pair: tuple[str, str],
    scored: tuple[tuple[str, ...], NDArray[Any], Floats],
    columns: tuple[str | None, str | None],
) -> TwoGroups:
    """Take the students of two groups.

    Parameters
    ----------
    table : polars.DataFrame
        The responses.
    labels : Sequence of str of shape (n_students,)
        Group of every student.
    pair : tuple of (str, str)
        Reference and focal group.
    scored : tuple of (tuple of str, ndarray of shape (n_students, n_items), ndarray of shape (n_students,))
        Item names, scores and weights.
    columns : tuple of (str or None, str or None)
        Column of strata, and column of the booklet; without the latter students with the same set of items are
        taken to have had the same booklet.

    Returns
    -------
    TwoGroups
        Students with a response and a positive weight.

    Raises
    ------
    CalibrationError
        If one of the groups has fewer than two students.
    """
    items, codes, weight = scored
    own = np.array(labels)
    inside = ((own == pair[0]) | (own == pair[1])) & (weight > 0.0) & (codes >= 0).any(axis=1)
    matching, booklet = columns
    stratum: NDArray[np.int64] | None = None
    strata = np.empty(0)
    if matching is not None:
        values = floats(table, matching, param="responses", nulls=True)
        inside &= np.isfinite(values)
        strata, place = np.unique(values[inside], return_inverse=True)
        stratum = place.astype(np.int64)
    focal = (own[inside] == pair[1]).astype(np.int64)
    for name, number in ((pair[1], int(focal.sum())), (pair[0], int((1 - focal).sum()))):
        if number < 2:
            raise CalibrationError(
                f"The group {name!r} has {number} students with responses and weight.",
                why="Two groups are compared.",
                hint="Name other groups with 'reference', or join small groups.",
                param="group",
                got=number,
            )
    kept = codes[inside]
    own_booklet, n_booklets = _booklets(table, kept, inside, booklet)
    return TwoGroups(
        items=items,
        codes=np.ascontiguousarray(kept.T.astype(np.int8)),
        focal=focal,
        weight=weight[inside],
        highest=np.maximum(kept.max(axis=0), 1).astype(np.int64),
        booklet=own_booklet,
        n_booklets=n_booklets,
        stratum=stratum,
        strata=strata,
    )


def _booklets(
    table: Table, kept: NDArray[Any], inside: NDArray[np.bool_], booklet: str | None
) -> tuple[NDArray[np.int64], int]:
    """Number the booklets, as named or as the sets of items show them."""
    if booklet is None:
        patterns = find_patterns(kept)
        return patterns.number, len(patterns.size)
    number, names = group_codes(table, [booklet], param="responses")
    own = number[inside]
    if (own < 0).any():
        raise CalibrationError(
            f"{int((own < 0).sum())} students have no booklet in the column {booklet!r}.",
            where=[f"row {row + 1}" for row in np.flatnonzero(inside)[own < 0].tolist()],
            why="Scores are compared within booklets.",
            hint="Fill the column, or leave it out.",
            param=booklet,
        )
    return own, names.height


def stratified_counts(
    groups: TwoGroups, item: int, base: NDArray[np.int64], is_anchor: bool
) -> tuple[Floats, Floats, int]:
    """Count an item's answers by stratum, group and score.

    Parameters
    ----------
    groups : TwoGroups
        The students.
    item : int
        Place of the item.
    base : ndarray of shape (n_students,)
        Scores on the anchor.
    is_anchor : bool
        Whether the item is in the anchor.

    Returns
    -------
    counts : ndarray of shape (n_strata, 2, n_categories)
        Weights, scaled to mean 1 over the students.
    stratum : ndarray of shape (n_strata, 2)
        Booklet and matching score of each stratum.
    n_matched : int
        Students in strata with both groups.
    """
    rows = groups.rows(item)
    n_categories = int(groups.highest[item]) + 1
    if groups.stratum is not None:
        place = groups.stratum[rows]
        n_strata = len(groups.strata)
        known = np.column_stack([np.zeros(n_strata), groups.strata])
    else:
        score = groups.score(item, rows, base, is_anchor)
        wide = int(score.max(initial=0)) + 1
        place = groups.booklet[rows] * wide + score
        n_strata = groups.n_booklets * wide
        known = np.column_stack(
            [np.repeat(np.arange(groups.n_booklets), wide), np.tile(np.arange(wide), groups.n_booklets)]
        )
    cell = (place * 2 + groups.focal[rows]) * n_categories + groups.codes[item, rows]
    weight = groups.weight[rows]
    size = n_strata * 2 * n_categories
    counts = np.bincount(cell, weights=weight * (len(rows) / weight.sum()), minlength=size)
    shape = (n_strata, 2, n_categories)
    counts = counts.reshape(shape)
    seen = counts.sum(axis=(1, 2)) > 0.0
    both = (counts.sum(axis=2) > 0.0).all(axis=1)
    students = np.bincount(place, minlength=n_strata)
    return counts[seen], known[seen].astype(float), int(students[both].sum())


def purify(
    evaluate: Callable[[NDArray[np.bool_]], tuple[Any, NDArray[np.bool_]]],
    start: NDArray[np.bool_],
    how: str,
) -> tuple[Any, NDArray[np.bool_], int, bool]:
    """Take biased items out of the matching score.

    Parameters
    ----------
    evaluate : Callable
        Gives the results under an anchor, and which items are biased.
    start : ndarray of shape (n_items,)
        First anchor.
    how : str
        "none", "two_step" or "iterate".

    Returns
    -------
    results : object
        Results under the last anchor.
    anchor : ndarray of shape (n_items,)
        The last anchor.
    n_rounds : int
        How often the anchor was changed.
    is_stable : bool
        Whether the items that the results call biased are those outside the anchor.

    Raises
    ------
    CalibrationError
        If fewer than two items remain in the anchor.
    """
    anchor = start
    results, biased = evaluate(anchor)
    most = {"none": 0, "two_step": 1, "iterate": MOST_ROUNDS}[how]
    rounds = 0
    while rounds < most and not np.array_equal(start & ~biased, anchor):
        anchor = start & ~biased
        if int(anchor.sum()) < 2:
            raise CalibrationError(
                f"Purification leaves {int(anchor.sum())} items in the matching score.",
                why="Without items that work alike in both groups there is nothing to match on.",
                hint="Use purification='none', name trusted items with 'anchor', or give strata with 'matching'.",
                param="purification",
            )
        results, biased = evaluate(anchor)
        rounds += 1
    return results, anchor, rounds, bool(np.array_equal(start & ~biased, anchor))
