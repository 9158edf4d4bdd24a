"""Partly right answers: shares between 0 and 1 among scores, read as a code and the share of its item.

What they mean: docs/algorithms/partly_right.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import ResponseError
from lsakit.io.frames import Table, floats, nullable_column, require_columns, response_codes, with_columns

PARTLY_RIGHT = -2


def partly_right_items(table: Table, names: Sequence[str], *, param: str = "responses") -> dict[str, float]:
    """Find the items with partly right answers, and how right these are.

    Parameters
    ----------
    table : polars.DataFrame
        Scored responses.
    names : Sequence of str
        Item columns.
    param : str, default "responses"
        What the table is called in a refusal.

    Returns
    -------
    dict of str to float
        Share of each item that has such answers.

    Raises
    ------
    ResponseError
        If an item has several different shares, or more than two categories.
    """
    require_columns(table, names, param=param)
    out: dict[str, float] = {}
    for name in names:
        if not table.schema[name].is_float():
            continue
        values = floats(table, name, param=param, nulls=True)
        part = _is_part(values)
        if not part.any():
            continue
        shares = np.unique(np.round(values[part], 9))
        rest = values[~part & ~np.isnan(values)]
        if len(shares) > 1 or (len(rest) and rest.max() > 1.0):
            what = (
                f"several shares ({', '.join(f'{share:g}' for share in shares[:4])})"
                if len(shares) > 1
                else f"scores up to {rest.max():g}"
            )
            raise ResponseError(
                f"The {param} to the item {name!r} hold the share {shares[0]:g} beside {what}.",
                where=[f"row {row + 1}" for row in np.flatnonzero(part).tolist()],
                why="A partly right answer is one over the number of options of an item scored 0 or 1.",
                hint="Score the item by one rule (score_responses with rule 'naep'), or by whole points; if the column is no "
                "item, name the items with 'items'.",
                param=name,
                got=float(shares[-1]),
            )
        out[name] = float(values[part][0])
    return out


def _is_part(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark the values between 0 and 1."""
    return np.asarray((values > 0.0) & (values < 1.0))


def codes_of(table: Table, names: Sequence[str], partly: Mapping[str, float]) -> NDArray[np.int16]:
    """Take response codes, −2 where an answer is partly right.

    Parameters
    ----------
    table : polars.DataFrame
        Scored responses.
    names : Sequence of str
        Item columns.
    partly : Mapping of str to float
        Items with partly right answers.

    Returns
    -------
    ndarray of shape (n_rows, n_items)
        Codes; −1 where missing, −2 where partly right.

    Raises
    ------
    ResponseError
        If a code is no whole number from 0 and no such share.
    """
    own = [name for name in names if name in partly]
    if not own:
        return response_codes(table, names)
    marks: dict[str, NDArray[np.bool_]] = {}
    whole: dict[str, Any] = {}
    for name in own:
        values = floats(table, name, param="responses", nulls=True)
        marks[name] = _is_part(values)
        whole[name] = nullable_column(values, np.isnan(values) | marks[name])
    codes = response_codes(with_columns(table, whole), names)
    for place, name in enumerate(names):
        if name in marks:
            codes[marks[name], place] = PARTLY_RIGHT
    return codes
