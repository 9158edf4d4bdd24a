"""Achievement by socio-economic index: gradient lines, and means of groups against their mean index."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from lsakit.tables.figures import Figure, Place
from lsakit.tables.standard_figures.scope import ALL, NATION, Scope

QUARTER = "ses_quarter"
SLOPE, STRENGTH, LEVEL, INDEX = "slope", "strength", "level", "ses_mean"


def gradient_lines(
    estimates: pl.DataFrame,
    scope: Scope,
    *,
    places: Sequence[Place] = ((NATION, ALL, ""),),
    by: str = QUARTER,
) -> Figure:
    """Draw the means of the quarters of the socio-economic index, a line per place.

    Parameters
    ----------
    estimates : polars.DataFrame
        Tidy rows. Points: statistic ``"mean"`` by ``ses_quarter`` (of the nation; groups ``1`` … ``4``) and by
        ``<by of the place>+ses_quarter`` (groups such as ``01+1``). Slope and strength, where they are known:
        statistics ``"slope"`` (points per unit of the index) and ``"strength"`` (share of variance, 0 to 1) of the
        place itself. Where every quarter has a ``"ses_mean"``, it is the place on the x axis; else the four quarters
        stand at equal distance.
    scope : Scope
        Subject, language, names, width.
    places : Sequence of tuple of (str, str, str), optional
        Places as (grouping, group, label); the nation by default. An empty label is looked up.
    by : str, default "ses_quarter"
        Grouping of the points.

    Returns
    -------
    Figure
        The title tells the slope of the first place where its interval leaves out 0, says "no significant relation"
        where it does not, and nothing of the kind where no slope is given.

    Raises
    ------
    EstimationError
        If no place has a point.
    """
    raise NotImplementedError


def scatter_mean_by_ses(
    estimates: pl.DataFrame,
    scope: Scope,
    *,
    by: str = "province_code",
    groups: Sequence[str] | None = None,
    labeled: Sequence[str] | None = None,
) -> Figure:
    """Draw the means of groups against the means of their socio-economic index, both with intervals.

    Parameters
    ----------
    estimates : polars.DataFrame
        Tidy rows: statistics ``"mean"`` and ``"ses_mean"`` of the groups; where known ``"level"`` and ``"slope"`` of
        the nation, which give the trend line (the relation among students, not among groups), and
        ``"difference_to_nation"`` of the groups, which gives shape and color.
    scope : Scope
        Subject, language, names, width.
    by : str, default "province_code"
        Grouping.
    groups : Sequence of str, optional
        Groups; all by code by default.
    labeled : Sequence of str, optional
        Groups named in the drawing; by default all up to twelve, else none by name but every one by its code.

    Returns
    -------
    Figure
        Points with intervals; suppressed groups are named in the note and the table.

    Raises
    ------
    EstimationError
        If no group has both numbers.
    """
    raise NotImplementedError
