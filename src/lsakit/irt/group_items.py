"""Items with parameters of their own in some groups: one response column becomes several items.

This is how an item is released for a group whose responses do not fit the common parameters (docs/algorithms/
item_models.md); linking a new cycle with some items free is the same thing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import CalibrationError
from lsakit.irt.response_data import ResponseData


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitItems:
    """Where the items of a calibration come from.

    Parameters
    ----------
    columns : tuple of str
        Response column of each item.
    groups_of : tuple of tuple of str
        Groups in which each item holds; empty for all.
    """

    columns: tuple[str, ...]
    groups_of: tuple[tuple[str, ...], ...]


def split_by_group(
    data: ResponseData, unique: Mapping[str, Sequence[str | Sequence[str]]]
) -> tuple[ResponseData, SplitItems | None]:
    """Give items parameters of their own in some groups.

    Parameters
    ----------
    data : ResponseData
        The responses.
    unique : Mapping of str to Sequence
        Per item the groups: a name for parameters of its own, a sequence of names for a shared set.

    Returns
    -------
    data : ResponseData
        Responses with one column per set of parameters, named "item@group".
    split : SplitItems or None
        Where the items come from; None without any of their own.

    Raises
    ------
    CalibrationError
        If an item or group is unknown, or a group stands in two sets of the same item.
    """
    if not unique:
        return data, None
    unknown = [name for name in unique if name not in data.items]
    if unknown:
        raise CalibrationError(
            f"{len(unknown)} items with parameters of their own are not among the responses.",
            where=unknown,
            hint="Name item columns.",
            param="unique",
        )
    names: list[str] = []
    columns: list[str] = []
    groups_of: list[tuple[str, ...]] = []
    codes: list[NDArray[np.int8]] = []
    places: list[int] = []
    for place, item in enumerate(data.items):
        for name, groups in _sets(item, unique.get(item, ()), data.groups):
            inside = np.isin(data.group, [data.groups.index(group) for group in groups])
            names.append(name)
            columns.append(item)
            places.append(place)
            groups_of.append(groups)
            codes.append(np.where(inside | (not groups), data.codes[:, place], np.int8(-1)).astype(np.int8))
    partly = None if data.partly is None else data.partly[places]
    return (
        replace(data, items=tuple(names), codes=np.ascontiguousarray(np.column_stack(codes)), partly=partly),
        SplitItems(columns=tuple(columns), groups_of=tuple(groups_of)),
    )


def _sets(
    item: str, wanted: Sequence[str | Sequence[str]], groups: tuple[str, ...]
) -> list[tuple[str, tuple[str, ...]]]:
    """List the sets of parameters of one item: the common one first, where a group keeps it."""
    if not wanted:
        return [(item, ())]
    sets = [(one,) if isinstance(one, str) else tuple(one) for one in wanted]
    taken = [group for one in sets for group in one]
    strange = sorted(set(taken) - set(groups))
    twice = sorted({group for group in taken if taken.count(group) > 1})
    if strange or twice:
        what = "are not among the groups" if strange else "stand in two sets of parameters"
        raise CalibrationError(
            f"{len(strange or twice)} groups named for the item {item!r} {what}.",
            where=strange or twice,
            hint="Name each group of the responses at most once per item.",
            param="unique",
        )
    rest = tuple(group for group in groups if group not in taken)
    common = [(item, rest)] if rest else []
    return [*common, *((f"{item}@{'+'.join(one)}", one) for one in sets)]


def place_responses(
    codes: NDArray[np.int16], groups_of: Sequence[tuple[str, ...]], labels: Sequence[str]
) -> NDArray[np.int16]:
    """Blank the responses to items that do not hold in a student's group.

    Parameters
    ----------
    codes : ndarray of shape (n_students, n_items)
        Scores of each item's column; −1 where not administered.
    groups_of : Sequence of tuple of str of shape (n_items,)
        Groups in which each item holds; empty for all.
    labels : Sequence of str of shape (n_students,)
        Group of each student.

    Returns
    -------
    ndarray of shape (n_students, n_items)
        Scores; −1 also where the item does not hold.
    """
    own = np.asarray(labels)
    out = codes.copy()
    for item, groups in enumerate(groups_of):
        if groups:
            out[~np.isin(own, groups), item] = -1
    return out
