"""Distributions: percentile bars of groups and a fan over cycles, each with the interval of the mean."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from lsakit.tables.figures import Figure
from lsakit.tables.standard_figures.scope import ALL, NATION, Scope

PERCENTILES = ("p05", "p25", "p50", "p75", "p95")


def percentile_bars(
    estimates: pl.DataFrame, scope: Scope, *, by: str = "province_code", groups: Sequence[str] | None = None
) -> Figure:
    """Draw percentiles 5, 25, 75 and 95, the median and the interval of the mean of each group.

    Parameters
    ----------
    estimates : polars.DataFrame
        Tidy rows: ``p05``, ``p25``, ``p50``, ``p75``, ``p95`` and ``mean`` of the groups, and of the nation where
        it shall stand first.
    scope : Scope
        Subject, language, names, width.
    by : str, default "province_code"
        Grouping.
    groups : Sequence of str, optional
        Groups in this order; all by code by default.

    Returns
    -------
    Figure
        Bars; a group whose percentiles are suppressed stands with its reason.

    Raises
    ------
    EstimationError
        If no group has percentiles.
    """
    raise NotImplementedError


def percentile_fan(
    estimates: pl.DataFrame, changes: pl.DataFrame | None, scope: Scope, *, by: str = NATION, group: str = ALL
) -> Figure:
    """Draw the percentiles of one group over cycles as a fan about the mean with its interval.

    Parameters
    ----------
    estimates : polars.DataFrame
        Tidy rows with ``cycle``: percentiles and mean.
    changes : polars.DataFrame or None
        Changes as for `trend_lines`, of ``mean`` and percentiles; decides what the title may say and which cycles
        are joined. None where there is one cycle.
    scope : Scope
        Subject, language, names, width.
    by : str, default "nation"
        Grouping.
    group : str, default "all"
        Group.

    Returns
    -------
    Figure
        The fan; its title tells significant changes of percentiles 5 and 95, else the middle half.

    Raises
    ------
    EstimationError
        If no cycle has percentiles.
    """
    raise NotImplementedError
