"""Stacked bars of proficiency levels that part at the minimum level."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from lsakit.tables.figures import Figure, Place
from lsakit.tables.standard_figures.scope import Scope


def stacked_levels(
    estimates: pl.DataFrame, scope: Scope, *, places: Sequence[Place], minimum: str = "level_2"
) -> Figure:
    """Draw the shares of students at each level, those below the minimum to the left of zero.

    Parameters
    ----------
    estimates : polars.DataFrame
        Tidy rows: ``below_1``, ``level_1`` … ``level_5`` and ``at_or_above_2`` of the places.
    scope : Scope
        Subject, language, names, width.
    places : Sequence of tuple of (str, str, str)
        Places as (grouping, group, label), top to bottom; an empty label is looked up.
    minimum : str, default "level_2"
        First level to the right of zero.

    Returns
    -------
    Figure
        Bars whose parts bear their shares; striped below the minimum, light to dark above it.

    Raises
    ------
    EstimationError
        If no place has a share, or the minimum is no level.
    """
    raise NotImplementedError
