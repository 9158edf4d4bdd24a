"""How far judges lie apart on each item: what a panel looks at between the rounds of an Angoff session.

Formulas and references: docs/algorithms/standard_setting.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lsakit.errors import EstimationError
from lsakit.io.frames import Table, as_table, floats, make_table, nullable_column, require_columns, strings
from lsakit.population.panels import read_entries


def rating_spread(judgments: Any) -> Table:
    """Summarize the ratings of each item by round and level.

    Parameters
    ----------
    judgments : table
        Columns judge, item and rating, as for ``angoff``; round, panel and level may be there.

    Returns
    -------
    polars.DataFrame
        Columns round, level, item, n_judges, mean, median, sd (divisor n − 1; null for one judge), minimum,
        maximum (points of the item); rounds ascending, levels and items in the order in which they were first named.

    Raises
    ------
    EstimationError
        If there is no row, or a rating lies below 0.
    TableError
        If a column is absent, or a rating is missing or not a number.

    References
    ----------
    .. [1] Cizek and Bunch (2007), Standard Setting, ch. 6 (feedback between rounds).

    Examples
    --------
    >>> rows = [("J1", "a", 0.6), ("J1", "b", 0.4), ("J2", "a", 0.8), ("J2", "b", 0.4)]
    >>> table = {"judge": [r[0] for r in rows], "item": [r[1] for r in rows], "rating": [r[2] for r in rows]}
    >>> rating_spread(table).select("item", "mean", "maximum").rows()
    [('a', 0.7, 0.8), ('b', 0.4, 0.4)]
    """
    table = as_table(judgments, param="judgments")
    require_columns(table, ["judge", "item", "rating"], param="judgments")
    entries = read_entries(table, "judgments")
    items = strings(table, "item", param="judgments")
    rating = floats(table, "rating", param="judgments")
    wrong = rating < 0.0
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise EstimationError(
            f"The rating of the item {items[row]!r} must not lie below 0. Got {rating[row]:g}.",
            where=[f"row {one + 1}" for one in np.flatnonzero(wrong).tolist()],
            hint="A rating is an expected score; write 60 percent as 0.6.",
            param="rating",
            got=float(rating[row]),
        )
    found: dict[tuple[int, str, str], list[float]] = {}
    for number, level, item, value in zip(
        entries.round_number.tolist(), entries.level, items, rating.tolist(), strict=True
    ):
        found.setdefault((number, level, item), []).append(value)
    keys = sorted(found, key=lambda key: key[0])
    values = [np.array(found[key]) for key in keys]
    sd = np.array([own.std(ddof=1) if len(own) > 1 else np.nan for own in values])
    return make_table(
        {
            "round": [key[0] for key in keys],
            "level": [key[1] for key in keys],
            "item": [key[2] for key in keys],
            "n_judges": [len(own) for own in values],
            "mean": np.array([own.mean() for own in values]),
            "median": np.array([np.median(own) for own in values]),
            "sd": nullable_column(sd, np.isnan(sd)),
            "minimum": np.array([own.min() for own in values]),
            "maximum": np.array([own.max() for own in values]),
        }
    )
