"""Differences: the grid of multiple comparisons, and gaps around zero."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from lsakit.tables.figures import Figure
from lsakit.tables.standard_figures.scope import Scope

CORRECTIONS = ("none", "fdr")


def comparison_grid(
    differences: pl.DataFrame,
    scope: Scope,
    *,
    by: str = "region6",
    groups: Sequence[str] | None = None,
    statistic: str = "difference",
    correction: str = "none",
) -> Figure:
    """Draw which groups differ significantly from which.

    Parameters
    ----------
    differences : polars.DataFrame
        Tidy rows with the further columns ``reference`` (group compared with) and ``p_value`` (two-sided, not
        adjusted); ``estimate`` is group minus reference. One row per pair is enough, in either direction.
    scope : Scope
        Subject, language, names, width.
    by : str, default "region6"
        Grouping.
    groups : Sequence of str, optional
        Groups in the order of the grid; all by their codes by default. There is no order by score.
    statistic : str, default "difference"
        Statistic of the rows.
    correction : str, default "none"
        ``"none"``: each pair at 5 %; ``"fdr"``: false discovery rate of 5 % over the pairs shown
        (Benjamini and Hochberg).

    Returns
    -------
    Figure
        A cell per pair: triangle up (row significantly higher), triangle down (lower), circle (no significant
        difference), hatched (not published).

    Raises
    ------
    EstimationError
        If no pair is there, a pair stands twice with other numbers, or the correction is unknown.
    UnknownColumnError
        If a column is absent.
    """
    raise NotImplementedError


def gap_bars(
    estimates: pl.DataFrame, scope: Scope, *, gaps: Sequence[str | tuple[str, str]], statistic: str = "gap"
) -> Figure:
    """Draw gaps between two groups with their intervals around a line at zero.

    Parameters
    ----------
    estimates : polars.DataFrame
        Tidy rows whose group is ``<first>-<second>``, first minus second (within places ``01+F-M``).
    scope : Scope
        Subject, language, names, width.
    gaps : Sequence of str or tuple of (str, str)
        Groupings, all gaps of each, or (grouping, group), top to bottom.
    statistic : str, default "gap"
        Statistic of the rows.

    Returns
    -------
    Figure
        Bars with intervals; the title counts or names only gaps whose interval leaves out 0.

    Raises
    ------
    EstimationError
        If there is no gap.
    """
    raise NotImplementedError
