"""Trends: means and shares of levels over cycles, the linking error apart from the error of sampling."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from lsakit.tables.figures import Figure
from lsakit.tables.standard_figures.scope import ALL, NATION, Scope

CHANGE_COLUMNS = ("from_cycle", "to_cycle", "linking_error")


def trend_lines(
    estimates: pl.DataFrame,
    changes: pl.DataFrame,
    scope: Scope,
    *,
    by: str = NATION,
    groups: Sequence[str] | None = None,
) -> Figure:
    """Draw the means of one or more groups over cycles.

    Parameters
    ----------
    estimates : polars.DataFrame
        The tidy table of estimates with a further column ``cycle`` (year), statistic ``"mean"``.
    changes : polars.DataFrame
        Tidy rows of the changes with the further columns ``from_cycle``, ``to_cycle`` and ``linking_error``
        (null or 0 without one), statistic ``"mean"``; their ``standard_error`` and interval **hold the linking
        error**, as `lsakit.estimation.trends.trend` computes them. Cycles without a row of change between them
        are not on one scale: no line joins them.
    scope : Scope
        Subject, language, names, width.
    by : str, default "nation"
        Grouping.
    groups : Sequence of str, optional
        Groups in this order; all by code by default.

    Returns
    -------
    Figure
        Lines with direct labels; sampling intervals as thick bars, the interval that also holds the linking error
        to the latest cycle as a thin outlined bar. The title speaks of change from the first cycle that is on the scale
        of the latest, and only where its interval leaves out 0.

    Raises
    ------
    EstimationError
        If no group has an estimate.
    UnknownColumnError
        If a column is absent.
    """
    raise NotImplementedError


def trend_levels(
    estimates: pl.DataFrame,
    changes: pl.DataFrame,
    scope: Scope,
    *,
    by: str = NATION,
    group: str = ALL,
    statistics: Sequence[str] | None = None,
) -> Figure:
    """Draw the shares of students who reach each level over cycles.

    Parameters
    ----------
    estimates : polars.DataFrame
        Tidy rows with ``cycle``, statistics ``at_or_above_1`` … ``at_or_above_5``.
    changes : polars.DataFrame
        Changes of the same statistics, as for `trend_lines`; the linking error of a share is in the unit of the
        share.
    scope : Scope
        Subject, language, names, width.
    by : str, default "nation"
        Grouping.
    group : str, default "all"
        Group.
    statistics : Sequence of str, optional
        Shares to draw; every ``at_or_above_…`` that the table holds by default.

    Returns
    -------
    Figure
        A line per level, labeled at its end; the title speaks of the minimum level (2).

    Raises
    ------
    EstimationError
        If there is no estimate.
    UnknownColumnError
        If a column is absent.
    """
    raise NotImplementedError
