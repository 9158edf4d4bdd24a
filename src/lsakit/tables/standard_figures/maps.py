"""A map of equal tiles: how each province stands to the nation."""

from __future__ import annotations

import polars as pl

from lsakit.tables.figures import DIFFERENCE, Figure
from lsakit.tables.standard_figures.scope import Scope


def province_tiles() -> pl.DataFrame:
    """Read the layout of the tile map.

    Returns
    -------
    polars.DataFrame
        ``code``, ``column`` (from the west), ``row`` (from the north), ``short`` (name on the tile), ``islands``
        (names of archipelagos and island zones that belong to it, empty without).
    """
    raise NotImplementedError


def province_map(estimates: pl.DataFrame, scope: Scope, *, statistic: str = DIFFERENCE) -> Figure:
    """Draw the 34 provinces as tiles: above, not different from, below the nation, or not published.

    Parameters
    ----------
    estimates : polars.DataFrame
        Tidy rows by ``province_code``: the difference to the nation and the ``mean``.
    scope : Scope
        Subject, language, names (of the table; tiles have their own short names), width.
    statistic : str, default "difference_to_nation"
        Statistic of the differences.

    Returns
    -------
    Figure
        The map; each tile bears name, mean, and the sign of its class.

    Raises
    ------
    EstimationError
        If no province has a difference, or a code has no tile.
    """
    raise NotImplementedError
