"""Scored responses as the engine reads them, and what is refused before any estimation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lsakit.errors import CalibrationError, ResponseError
from lsakit.io.frames import Table, floats, require_columns, strings
from lsakit.io.partly_right import codes_of, partly_right_items
from lsakit.irt.models import Floats
from lsakit.kernels import repeated_rows

ID_COLUMNS = ("student_id", "school_id", "class_id", "booklet")
MOST_CODE = 100
COLUMNS_AT_ONCE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseData:
    """Responses of the students who count, ready for the passes of the EM.

    Parameters
    ----------
    items : tuple of str
        Item names.
    codes : ndarray of shape (n_students, n_items)
        Scores; −1 where not administered, −2 where partly right.
    weight : ndarray of shape (n_students,)
        Weights with mean 1, dimensionless.
    group : ndarray of shape (n_students,)
        Number of each student's group.
    groups : tuple of str
        Group names; ("all",) without groups.
    n_left_out : int
        Students without any response or with weight zero.
    is_weighted : bool
        Whether weights were given.
    square_weight : ndarray of shape (n_students,) or None, optional
        Sums of squared weights where a row stands for several students; None where each stands for one.
    partly : ndarray of shape (n_items,) or None, optional
        How right a partly right answer (code −2) to each item is; 0 where there are none, None where nowhere.
    """

    items: tuple[str, ...]
    codes: NDArray[np.int8]
    weight: Floats
    group: NDArray[np.int64]
    groups: tuple[str, ...]
    n_left_out: int
    is_weighted: bool
    square_weight: Floats | None = None
    partly: Floats | None = None


def merge_repeated(data: ResponseData) -> ResponseData:
    """Let one row stand for all students of a group who answered alike, where at least half the rows can go.

    Parameters
    ----------
    data : ResponseData
        The responses.

    Returns
    -------
    ResponseData
        Fewer rows with the sums of their weights and squared weights; the data as they were where too few rows are
        alike to be worth it.
    """
    hashes = repeated_rows.hash_rows(data.codes, data.group)
    _, first, number = np.unique(hashes, return_index=True, return_inverse=True)
    if 2 * len(first) > len(hashes):
        return data
    same = first[number]
    if (data.codes[same] != data.codes).any() or (data.group[same] != data.group).any():
        return data  # two different rows met in one hash
    order = np.argsort(first, kind="stable")
    place = np.empty(len(first), dtype=np.int64)
    place[order] = np.arange(len(first))
    return replace(
        data,
        codes=np.ascontiguousarray(data.codes[first[order]]),
        weight=np.asarray(np.bincount(place[number], weights=data.weight), dtype=np.float64),
        group=data.group[first[order]],
        square_weight=np.asarray(np.bincount(place[number], weights=data.weight**2), dtype=np.float64),
    )


def item_columns(
    table: Table, items: Sequence[str] | None, *, other: Sequence[str | None] = ()
) -> tuple[str, ...]:
    """Say which columns are items.

    Parameters
    ----------
    table : polars.DataFrame
        Scored responses.
    items : Sequence of str or None
        Item columns by name; None for all but identifiers and ``other``.
    other : Sequence of str or None, optional
        Columns that are no items, such as the group's and the weights'.

    Returns
    -------
    tuple of str
        Item columns in their order.

    Raises
    ------
    UnknownColumnError
        If a named item is not in the table.
    CalibrationError
        If no item remains.
    """
    if items is not None:
        require_columns(table, list(items), param="responses")
        chosen = tuple(items)
    else:
        aside = {*ID_COLUMNS, *(name for name in other if name)}
        chosen = tuple(name for name in table.columns if name not in aside)
    if not chosen:
        raise CalibrationError(
            "The responses have no item column.",
            hint="Give one row per student and one column per item.",
            param="responses",
        )
    return chosen


def read_responses(
    table: Table,
    *,
    items: Sequence[str] | None = None,
    group: str | None = None,
    weights: str | ArrayLike | None = None,
    fractions: bool = False,
) -> ResponseData:
    """Read scored responses, weights and groups.

    Parameters
    ----------
    table : polars.DataFrame
        One row per student, one column per item; whole numbers from 0, empty where not administered.
    items : Sequence of str, optional
        Item columns; all but identifiers, group and weights by default.
    group : str, optional
        Column of the group.
    weights : str or array of shape (n_students,), optional
        Column of the weights, or the weights.
    fractions : bool, default False
        Whether partly right answers (a share between 0 and 1) are read; they are refused otherwise.

    Returns
    -------
    ResponseData
        Responses of students with a positive weight and at least one response.

    Raises
    ------
    ResponseError
        If a response is not a whole number from 0.
    CalibrationError
        If weights are negative or all zero, or no student answered anything.
    """
    named = weights if isinstance(weights, str) else None
    chosen = item_columns(table, items, other=(group, named))
    codes, partly = _read_codes(table, chosen, fractions=fractions)
    weight = _read_weights(table, weights)
    labels = strings(table, group, param="responses") if group else ["all"] * table.height
    groups = tuple(sorted(set(labels)))
    number = {name: place for place, name in enumerate(groups)}
    answered = codes.max(axis=1) >= 0 if partly is None else np.any(codes != -1, axis=1)
    kept = answered & (weight > 0.0)
    if not kept.any():
        raise CalibrationError(
            "No student of positive weight answered any item.",
            hint="Check that the item columns hold scores, not only missing values.",
            param="responses",
        )
    own = weight[kept]
    return ResponseData(
        items=chosen,
        codes=codes if kept.all() else codes[kept],
        weight=own * (len(own) / own.sum()),
        group=np.array([number[label] for label in labels], dtype=np.int64)[kept],
        groups=groups,
        n_left_out=int((~kept).sum()),
        is_weighted=weights is not None,
        partly=partly,
    )


def _read_codes(
    table: Table, items: Sequence[str], *, fractions: bool
) -> tuple[NDArray[np.int8], Floats | None]:
    """Take scores as bytes, some columns at a time, so that a nation's responses lie in memory once."""
    partly = partly_right_items(table, items) if fractions else {}
    out = np.empty((table.height, len(items)), dtype=np.int8)
    highest = np.full(len(items), -1, dtype=np.int64)
    for first in range(0, len(items), COLUMNS_AT_ONCE):
        here = slice(first, first + COLUMNS_AT_ONCE)
        part = codes_of(table, items[here], partly)
        highest[here] = part.max(axis=0, initial=-1)
        out[:, here] = part
    _refuse_large_codes(highest, items)
    return out, np.array([partly.get(name, 0.0) for name in items]) if partly else None


def _refuse_large_codes(highest: NDArray[np.int64], items: Sequence[str]) -> None:
    """Refuse scores that look like missing codes or identifiers."""
    if (highest > MOST_CODE - 10).any():
        where = [items[place] for place in np.flatnonzero(highest > MOST_CODE - 10).tolist()]
        raise ResponseError(
            f"The responses to {len(where)} items hold scores above {MOST_CODE - 10}; "
            f"the highest is {int(highest.max())}.",
            where=where,
            why="Codes such as 96 or 99 mean a missing answer, not a score.",
            hint="Score the raw responses first (score_responses), or name the item columns with 'items'.",
            param="responses",
            got=int(highest.max()),
        )


def _read_weights(table: Table, weights: str | ArrayLike | None) -> Floats:
    """Take weights from a column or an array; refuse negative and all-zero ones."""
    if weights is None:
        return np.ones(table.height)
    if isinstance(weights, str):
        value, name = floats(table, weights, param="responses"), weights
    else:
        value, name = np.asarray(weights, dtype=float), "weights"
        if value.shape != (table.height,) or not np.isfinite(value).all():
            raise CalibrationError(
                f"The 'weights' parameter must give one finite number per student. Got shape {value.shape} "
                f"for {table.height} students.",
                param="weights",
            )
    if (value < 0.0).any():
        rows = np.flatnonzero(value < 0.0)
        raise CalibrationError(
            f"The weights {name!r} must not be negative. Got {value[rows[0]]:g}; {len(rows)} are.",
            where=[f"row {row + 1}" for row in rows.tolist()],
            hint="Correct them; a student who should not count has weight 0.",
            param="weights",
            got=float(value[rows[0]]),
        )
    if not value.sum() > 0.0:
        raise CalibrationError(
            f"The weights {name!r} are all zero.",
            why="No student would count.",
            hint="Use the final or senate weights of the respondents.",
            param="weights",
        )
    return value


def refuse_unestimable(
    data: ResponseData, *, fixed: dict[str, int], binary: Sequence[bool], joined: Sequence[str] = ()
) -> NDArray[np.int64]:
    """Refuse items, groups and booklets that no model can estimate; give each item's highest score.

    Parameters
    ----------
    data : ResponseData
        The responses.
    fixed : dict of str to int
        Highest score of each item held fixed; such items may lack categories.
    binary : Sequence of bool of shape (n_items,)
        Whether each item's model allows two categories only.
    joined : Sequence of str, optional
        Items that share a metric by design, as sets of students drawn from one distribution do.

    Returns
    -------
    ndarray of shape (n_items,)
        Highest score of each item.

    Raises
    ------
    CalibrationError
        If an item has no response or one category, a category is never seen, a model meets too many
        categories, a group has fewer than two students, or booklets share no item.
    ResponseError
        If a fixed item has a response above its highest score.
    """
    codes, items = data.codes, data.items
    free = [place for place, name in enumerate(items) if name not in fixed]
    answered: NDArray[np.bool_] = np.any(codes >= 0, axis=0)
    _refuse_items(items, [j for j in free if not answered[j]], "were answered by nobody", "Leave them out.")
    highest: NDArray[np.int64] = codes.max(axis=0, initial=-1).astype(np.int64)
    counts = category_counts(codes, np.ones(len(codes)))
    seen = [counts[j, : highest[j] + 1] for j in range(len(items))]
    alone = [j for j in free if np.count_nonzero(seen[j]) == 1]
    _refuse_items(
        items,
        alone,
        "got the same score from everybody (all right or all wrong)",
        "Leave them out: their difficulty is not finite.",
    )
    gaps = [j for j in free if (seen[j] == 0).any()]
    _refuse_items(
        items,
        gaps,
        "have a category that is never seen below their highest score",
        "Collapse the category with its neighbour, and score from 0.",
    )
    many = [j for j in free if binary[j] and highest[j] > 1]
    _refuse_items(
        items, many, "have more than two categories under a two-category model", "Use pcm or gpcm for them."
    )
    for j, name in enumerate(items):
        if name in fixed:
            _refuse_above(data, j, fixed[name])
            highest[j] = fixed[name]
    _refuse_small_groups(data)
    _refuse_disconnected(data, {*fixed, *joined})
    return highest


def _refuse_items(items: Sequence[str], places: Sequence[int], what: str, hint: str) -> None:
    """Refuse the items at these places."""
    if places:
        where = [items[place] for place in places]
        raise CalibrationError(f"{len(where)} items {what}.", where=where, hint=hint, param=where[0])


def _refuse_above(data: ResponseData, item: int, most: int) -> None:
    """Refuse a response above the highest score of a fixed item."""
    above = np.flatnonzero(data.codes[:, item] > most)
    if len(above):
        value = int(data.codes[above[0], item])
        raise ResponseError(
            f"The item {data.items[item]!r} is held fixed with highest score {most}. Got {value} from "
            f"{len(above)} students.",
            hint="Score it as it was scored when its parameters were published, or free it.",
            param=data.items[item],
            got=value,
        )


def _refuse_small_groups(data: ResponseData) -> None:
    """Refuse a group of one student: it has no mean and spread."""
    size = np.bincount(data.group, minlength=len(data.groups))
    small = [data.groups[place] for place in np.flatnonzero(size < 2).tolist()]
    if small:
        raise CalibrationError(
            f"{len(small)} groups have fewer than two students with responses.",
            where=small,
            why="A group's mean and standard deviation are estimated.",
            hint="Join them with another group or leave their students out.",
            param="group",
        )


def category_counts(codes: NDArray[np.int8], weight: Floats) -> Floats:
    """Sum weights by item and category.

    Parameters
    ----------
    codes : ndarray of shape (n_students, n_items)
        Scores; −1 where not administered.
    weight : ndarray of shape (n_students,)
        Weights, dimensionless.

    Returns
    -------
    ndarray of shape (n_items, n_most_categories)
        Sums; zero beyond an item's own categories.
    """
    out = np.zeros((codes.shape[1], max(int(codes.max(initial=0)), 0) + 1))
    repeated_rows.count_categories(codes, weight, out)
    return out


def numbered_rows(bits: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Number the kinds of rows.

    Parameters
    ----------
    bits : ndarray of shape (n_students, n_bytes)
        Rows of bytes.

    Returns
    -------
    number : ndarray of shape (n_students,)
        Kind of each row.
    distinct : ndarray of shape (n_distinct, n_bytes)
        One row of each kind.
    """
    _, first, number = np.unique(repeated_rows.hash_bits(bits), return_index=True, return_inverse=True)
    distinct = bits[first]
    if (distinct[number] != bits).any():  # two different rows met in one hash
        distinct, number = np.unique(bits, axis=0, return_inverse=True)
    return np.asarray(number.ravel(), dtype=np.int64), distinct


def connected_parts(codes: NDArray[np.int8], anchors: Sequence[int] = ()) -> list[list[int]]:
    """Split items into parts that no student and no anchor joins.

    Parameters
    ----------
    codes : ndarray of shape (n_students, n_items)
        Scores; −1 where not administered.
    anchors : Sequence of int, optional
        Places of items that published parameters join.

    Returns
    -------
    list of list of int
        Places of the items of each part, in order; one part where the booklets hang together.
    """
    parent = list(range(codes.shape[1]))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    _, patterns = numbered_rows(np.packbits(codes >= 0, axis=1))
    taken: list[Any] = [
        np.flatnonzero(row) for row in np.unpackbits(patterns, axis=1, count=codes.shape[1]).astype(bool)
    ]
    for together in [*taken, np.array(sorted(anchors), dtype=int)]:
        for place in together[1:].tolist():
            parent[root(place)] = root(int(together[0]))
    parts: dict[int, list[int]] = {}
    for place in range(codes.shape[1]):
        parts.setdefault(root(place), []).append(place)
    return sorted(parts.values())


def _refuse_disconnected(data: ResponseData, joined: set[str]) -> None:
    """Refuse booklets that share no item, naming the parts."""
    anchors = [place for place, name in enumerate(data.items) if name in joined]
    answered: NDArray[np.bool_] = np.any(data.codes >= 0, axis=0)
    parts = [part for part in connected_parts(data.codes, anchors) if answered[part].any()]
    if len(parts) > 1:
        named = [f"part {n + 1}: {_some_items(data.items, part)}" for n, part in enumerate(parts)]
        raise CalibrationError(
            f"The booklets fall into {len(parts)} parts that share no item and no student.",
            where=named,
            why="Without a common item the parts have no common metric.",
            hint="Calibrate each part alone, or link them by items with fixed parameters.",
            param="responses",
            got=len(parts),
        )


def _some_items(items: Sequence[str], part: Sequence[int]) -> str:
    """Name the first items of a part."""
    names = [items[place] for place in part[:4]]
    return " ".join(names) + (f" and {len(part) - 4} more" if len(part) > 4 else "")
