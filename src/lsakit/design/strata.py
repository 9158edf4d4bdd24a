"""Explicit strata and the serpentine order of the schools inside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.design.options import Design
from lsakit.errors import DesignError, TableError
from lsakit.io.frames import Table, group_codes, strings

SEPARATOR = " / "
WHOLE_FRAME = "all"


def serpentine_order(keys: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Sort rows so that each key turns around whenever the key before it moves on.

    Parameters
    ----------
    keys : Sequence of ndarray of shape (n_rows,)
        Codes of the sort keys, outermost first, ascending in the order of their values. Rows that tie in
        all keys keep the order in which they stand.

    Returns
    -------
    ndarray of shape (n_rows,)
        Row numbers in serpentine order.

    Notes
    -----
    The direction of a key changes after every group of the keys before it, over the whole list: it is not
    set back when an outer key moves on, so neighbours are alike across every border.

    References
    ----------
    .. [1] ``docs/algorithms/school_sampling.md``, section 2.

    Examples
    --------
    >>> area, size = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    >>> serpentine_order([area, size]).tolist()
    [0, 1, 3, 2]
    """
    n_rows = len(keys[0]) if keys else 0
    order = np.arange(n_rows)
    group = np.zeros(n_rows, dtype=np.int64)
    for key in keys:
        turned = np.where(group % 2 == 0, key[order], -key[order])
        again = np.lexsort((turned, group))
        order, group, turned = order[again], group[again], turned[again]
        starts = np.ones(n_rows, dtype=bool)
        starts[1:] = (group[1:] != group[:-1]) | (turned[1:] != turned[:-1])
        group = np.cumsum(starts) - 1
    return order


def key_codes(table: Table, name: str, *, param: str) -> NDArray[np.int64]:
    """Number the values of one sort key in ascending order.

    Parameters
    ----------
    table : polars.DataFrame
        The frame.
    name : str
        Column.
    param : str
        What the table is called in a refusal.

    Returns
    -------
    ndarray of shape (n_rows,)
        Codes from 0.

    Raises
    ------
    TableError
        If the column is absent or has missing values; the first schools are named.
    """
    codes, _ = group_codes(table, [name], param=param)
    missing = np.flatnonzero(codes < 0)
    if len(missing):
        ids = strings(table, "school_id", param=param)
        raise TableError(
            f"The stratification column {name!r} of the {param} has no value in {len(missing)} of "
            f"{table.height} schools.",
            where=[ids[row] for row in missing.tolist()],
            why="A school without a stratum cannot be placed in the sorted list.",
            hint="Fill the value from the register, or exclude the school by name.",
            param=name,
        )
    return codes


def stratum_labels(table: Table, names: Sequence[str], *, param: str = "frame") -> list[str]:
    """Write the explicit stratum of each school as one text.

    Parameters
    ----------
    table : polars.DataFrame
        The frame.
    names : Sequence of str
        Explicit stratification columns; empty for one stratum, called ``"all"``.
    param : str, default "frame"
        What the table is called in a refusal.

    Returns
    -------
    list of str of shape (n_rows,)
        Values joined by ``" / "`` in the order of ``names``.

    Raises
    ------
    TableError
        If a column is absent or has missing values.
    """
    if not names:
        return [WHOLE_FRAME] * table.height
    for name in names:
        key_codes(table, name, param=param)
    columns = [strings(table, name, param=param) for name in names]
    return [SEPARATOR.join(values) for values in zip(*columns, strict=True)]


def label_of_key(key: Any) -> str:
    """Write one key of ``Design.n_schools`` as the label of its stratum.

    Parameters
    ----------
    key : object
        The value of the one stratum variable, or a tuple of values.

    Returns
    -------
    str
        Label as `stratum_labels` writes it; truth values become ``"true"`` and ``"false"``.

    Examples
    --------
    >>> label_of_key(("North", True))
    'North / true'
    """
    parts = key if isinstance(key, tuple) else (key,)
    return SEPARATOR.join(
        str(part).lower() if isinstance(part, (bool, np.bool_)) else str(part) for part in parts
    )


def wanted_by_label(counts: Mapping[Any, int], labels: Sequence[str], design: Design) -> dict[str, int]:
    """Match the asked numbers of schools with the strata that the frame has.

    Parameters
    ----------
    counts : Mapping
        ``Design.n_schools``.
    labels : Sequence of str
        Strata of the frame, each once.
    design : Design
        The plan, for the refusal's words.

    Returns
    -------
    dict of str to int
        Schools to draw by label.

    Raises
    ------
    DesignError
        If a stratum of the frame has no number, or a number has no stratum in the frame.
    """
    wanted = {label_of_key(key): int(count) for key, count in counts.items()}
    unknown = [label for label in wanted if label not in set(labels)]
    unasked = [label for label in labels if label not in wanted]
    if unknown or unasked:
        which, rows = (
            ("has no stratum of the frame for", unknown) if unknown else ("says nothing of", unasked)
        )
        raise DesignError(
            f"The 'n_schools' parameter {which} {rows[0]!r}.",
            where=rows,
            why=f"The explicit strata by {', '.join(design.explicit) or 'nothing'} are: "
            f"{', '.join(list(labels)[:12])}{' …' if len(labels) > 12 else ''}.",
            hint="Give one number for each stratum of the frame; leave excluded strata out of the frame.",
            param="n_schools",
        )
    return wanted
