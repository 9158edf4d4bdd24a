"""Keys of multiple-choice items, applied to the options that students chose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import ResponseError
from lsakit.io.frames import (
    Table,
    as_table,
    group_codes,
    make_table,
    nullable_column,
    refuse_duplicates,
    require_columns,
    strings,
)
from lsakit.irt.models import Floats
from lsakit.irt.scoring import INVALID, NOT_REACHED, OMITTED

SPECIAL = {str(OMITTED): "omitted", str(INVALID): "invalid", str(NOT_REACHED): "not_reached"}
NO_DISTRACTORS = ("omitted", "invalid")
MOST_OPTIONS = 20
NOT_GIVEN = -1
STOPPED = -2


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Key of one item.

    Parameters
    ----------
    key : str
        The right option.
    options : tuple of str
        All options; empty where they are those that occur.
    """

    key: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedItems:
    """Scores, and the options behind them.

    Parameters
    ----------
    scores : polars.DataFrame
        One column of scores per item; null where not administered or not reached.
    keys : dict of str to str
        The key of each keyed item.
    chosen : dict of str to ndarray of shape (n_students,)
        Place of every student's option, per keyed item: −1 where not administered, −2 where not reached.
    options : dict of str to tuple of str
        Options of each keyed item in their order.
    """

    scores: Table
    keys: dict[str, str]
    chosen: dict[str, NDArray[np.int8]]
    options: dict[str, tuple[str, ...]]

    def is_key(self, item: str, option: str) -> bool | None:
        """Tell whether an option is the key; None for items without one.

        Parameters
        ----------
        item : str
            Item.
        option : str
            Option.

        Returns
        -------
        bool or None
            Whether it is.
        """
        return None if item not in self.keys else self.keys[item] == option

    def choices(
        self, item: str, rows: NDArray[np.int64], codes: NDArray[np.int8]
    ) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """Give what students chose as places in a list.

        Parameters
        ----------
        item : str
            Item.
        rows : ndarray of shape (n_students,)
            Rows of the table.
        codes : ndarray of shape (n_students,)
            Their scores.

        Returns
        -------
        labels : tuple of str
            Options, or scores for an item without key.
        choice : ndarray of shape (n_students,)
            Place of each student's.
        """
        if item not in self.keys:
            return tuple(str(k) for k in range(int(codes.max()) + 1)), codes.astype(np.int64)
        return self.options[item], self.chosen[item][rows].astype(np.int64)

    def missing_rates(self, rows: NDArray[np.int64], weight: Floats) -> dict[str, Floats]:
        """Weighted rates of omitted, not reached and invalid answers among those who were given the item.

        Parameters
        ----------
        rows : ndarray of shape (n_students,)
            Rows of the students who count.
        weight : ndarray of shape (n_students,)
            Their weights, dimensionless.

        Returns
        -------
        dict of str to ndarray of shape (n_items,)
            omitted_rate, not_reached_rate, invalid_rate; NaN for items without key.
        """
        names = self.scores.columns
        out = {f"{kind}_rate": np.full(len(names), np.nan) for kind in SPECIAL.values()}
        for place, name in enumerate(names):
            if name in self.chosen:
                own = self.chosen[name][rows]
                given = float(weight[own != NOT_GIVEN].sum())
                places = {label: number for number, label in enumerate(self.options[name])}
                places["not_reached"] = STOPPED
                for kind in SPECIAL.values():
                    if given > 0.0:
                        hit = own == places.get(kind, len(places))
                        out[f"{kind}_rate"][place] = float(weight[hit].sum()) / given
        return out


def read_keys(keys: Any) -> dict[str, Key]:
    """Read keys in any of the forms that users hold.

    Parameters
    ----------
    keys : Mapping of str to object, or table, or None
        Item to key, or a table with the columns item, key and options.

    Returns
    -------
    dict of str to Key
        Key of each item.

    Raises
    ------
    TableError
        If the table lacks a column or an item stands twice.
    """
    if keys is None:
        return {}
    if isinstance(keys, Mapping) and "item" not in keys:
        return {str(item): Key(key=_text(key), options=()) for item, key in keys.items()}
    table = as_table(keys, param="keys")
    require_columns(table, ["item", "key"], param="keys")
    refuse_duplicates(table, "item", param="keys")
    names, given = strings(table, "item", param="keys"), strings(table, "key", param="keys", nulls=True)
    listed = (
        strings(table, "options", param="keys", nulls=True)
        if "options" in table.columns
        else [""] * len(names)
    )
    return {
        name: Key(key=_text(key), options=tuple(options.replace(",", " ").split()))
        for name, key, options in zip(names, given, listed, strict=True)
        if key
    }


def _text(value: Any) -> str:
    """Write a code as text; 3.0 is 3."""
    text = str(value).strip()
    return text[:-2] if text.endswith(".0") and text[:-2].lstrip("-").isdigit() else text


def apply_keys(table: Table, items: Sequence[str], keys: Mapping[str, Key]) -> KeyedItems:
    """Score the keyed items; leave the others as they are.

    Parameters
    ----------
    table : polars.DataFrame
        Responses.
    items : Sequence of str
        Item columns.
    keys : Mapping of str to Key
        Keys; items without one hold scores already.

    Returns
    -------
    KeyedItems
        Scores and options.

    Raises
    ------
    ResponseError
        If a key belongs to no item, the key is not among the options, or a code is not; item and rows are named.
    """
    strange = [name for name in keys if name not in items]
    if strange:
        raise ResponseError(
            f"{len(strange)} keys belong to no item of the responses.",
            where=strange,
            hint="Check the item names of both tables.",
            param="keys",
        )
    columns: dict[str, Any] = {}
    chosen: dict[str, NDArray[np.int8]] = {}
    options: dict[str, tuple[str, ...]] = {}
    for name in items:
        if name not in keys:
            columns[name] = table.get_column(name)
            continue
        code, labels = group_codes(table, [name], param="responses")
        seen = [_text(value) for value in strings(labels, name, param="responses")]
        seen = [SPECIAL.get(value, value) for value in seen]
        options[name] = _options_of(name, (code, seen), keys[name])
        places = {label: number for number, label in enumerate(options[name])}
        places["not_reached"] = STOPPED
        place = np.array([*(places[value] for value in seen), NOT_GIVEN], dtype=np.int64)[code]
        chosen[name] = place.astype(np.int8)  # at most twenty options
        right = options[name].index(keys[name].key)
        columns[name] = nullable_column((place == right).astype(np.int64), place < 0)
    return KeyedItems(
        scores=make_table(columns),
        keys={name: keys[name].key for name in chosen},
        chosen=chosen,
        options=options,
    )


def _options_of(name: str, own: tuple[NDArray[np.int64], list[str]], key: Key) -> tuple[str, ...]:
    """List the options of an item, refusing codes outside them."""
    code, labels = own
    special = set(SPECIAL.values())
    seen = {value for value in labels if value not in special}
    listed = key.options or tuple(sorted(seen | {key.key}, key=_order))
    if key.key not in listed:
        raise ResponseError(
            f"The key {key.key!r} of the item {name!r} is not among its options {', '.join(listed)}.",
            hint="Correct the key or the list of options.",
            param="keys",
            got=key.key,
        )
    strange = sorted(seen - set(listed))
    if strange or len(listed) > MOST_OPTIONS:
        bad = np.array([*(value in strange for value in labels), False])
        rows = [f"row {row + 1}" for row in np.flatnonzero(bad[code]).tolist()]
        what = (
            f"The responses to the item {name!r} hold the code {strange[0]!r}, which is none of its options "
            f"{', '.join(listed)}."
            if strange
            else f"The responses to the item {name!r} hold {len(listed)} different codes."
        )
        raise ResponseError(
            what,
            where=rows,
            hint="Correct the code, add the option to 'options', or score the item first.",
            param=name,
            got=strange[0] if strange else len(listed),
        )
    extra = tuple(kind for kind in NO_DISTRACTORS if kind in labels)
    return (*listed, *extra)


def _order(value: str) -> tuple[int, float, str]:
    """Numbers before letters, each in their order."""
    return (0, float(value), "") if value.lstrip("-").isdigit() else (1, 0.0, value)
