"""Figures of a scaling report, where the run has the tables behind them."""

from __future__ import annotations

from lsakit.tables.figures import Figure
from lsakit.tables.scaling_report.facts import Sheet


def of_calibration(sheet: Sheet) -> tuple[Figure, ...]:
    """Draw the way of the log-likelihood."""
    return ()


def of_items(sheet: Sheet) -> tuple[Figure, ...]:
    """Draw the item map and the information."""
    return ()


def of_fit(sheet: Sheet) -> tuple[Figure, ...]:
    """Draw the curves of the items that fit least."""
    return ()


def of_dif(sheet: Sheet) -> tuple[Figure, ...]:
    """Draw the statistics of each variable with intervals."""
    return ()


def of_link(sheet: Sheet) -> tuple[Figure, ...]:
    """Draw old against new difficulties."""
    return ()


def of_scale(sheet: Sheet) -> tuple[Figure, ...]:
    """Draw the distribution of the groups."""
    return ()
