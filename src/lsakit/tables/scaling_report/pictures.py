"""Figures of a scaling report, where the run has the tables behind them."""

from __future__ import annotations

import re
from dataclasses import replace

import polars as pl

from lsakit.tables.figures import Figure
from lsakit.tables.scaling_figures import (
    convergence_plot,
    dif_plot,
    item_curve,
    link_plot,
    test_information,
    values_distribution,
    wright_map,
)
from lsakit.tables.scaling_report.facts import Sheet

MOST_CURVES, MOST_PLOTS = 6, 6
"""Items whose curves, and pairs of groups whose differential functioning, are drawn."""


def _named(figure: Figure) -> Figure:
    """Give a figure a key that no section has and that can stand in an address, whatever the item is called."""
    return replace(figure, key="figure-" + re.sub(r"[^A-Za-z0-9]+", "-", figure.key).strip("-"))


def _group_names(sheet: Sheet) -> dict[str, str]:
    """Name the groups of the calibration."""
    groups = sheet.table("calibration", "groups")
    return {} if groups is None else {str(one): sheet.group(one) for one in groups.get_column("group")}


def _dif_names(sheet: Sheet, found: pl.DataFrame, variable: str) -> dict[str, str]:
    """Name a variable and its groups."""
    own = found.filter(pl.col("variable") == variable)
    codes = {str(one) for side in ("focal", "reference") for one in own.get_column(side)}
    return {
        variable: sheet.variable(variable),
        **{code: sheet.level(variable, code) for code in sorted(codes)},
    }


def of_calibration(sheet: Sheet) -> tuple[Figure, ...]:
    """Draw how the calibration came to rest.

    Parameters
    ----------
    sheet : Sheet
        The report's shared part.

    Returns
    -------
    tuple of Figure
        One figure; none for a calibration of a single step.
    """
    history = sheet.table("calibration", "history")
    if history is None or history.height < 2:
        return ()
    return (_named(convergence_plot(history, language=sheet.texts.language)),)


def of_items(sheet: Sheet) -> tuple[Figure, ...]:
    """Draw the map of persons and items and the information.

    Parameters
    ----------
    sheet : Sheet
        The report's shared part.

    Returns
    -------
    tuple of Figure
        The figures that the run has tables for.
    """
    made = []
    wright, information = sheet.table("fit", "wright"), sheet.table("fit", "information")
    if wright is not None and wright.filter(pl.col("location").is_not_null()).height:
        made.append(_named(wright_map(wright, language=sheet.texts.language)))
    if information is not None:
        made.append(_named(test_information(information, language=sheet.texts.language)))
    return tuple(made)


def of_fit(sheet: Sheet) -> tuple[Figure, ...]:
    """Draw the curves of the items that leave their model most in a group.

    Parameters
    ----------
    sheet : Sheet
        The report's shared part.

    Returns
    -------
    tuple of Figure
        Items with an RMSD above the threshold, the farthest first; six at most.
    """
    groups, curves = sheet.table("fit", "group_fit"), sheet.table("fit", "curves")
    items = sheet.table("calibration", "item_parameters")
    if groups is None or curves is None or items is None:
        return ()
    beyond = groups.filter(pl.col("exceeds")).sort("rmsd", descending=True)
    names = dict.fromkeys(str(name).partition("@")[0] for name in beyond.get_column("item"))
    return tuple(
        _named(
            item_curve(
                curves,
                items,
                item=name,
                language=sheet.texts.language,
                group_fit=groups,
                names=_group_names(sheet),
            )
        )
        for name in list(names)[:MOST_CURVES]
    )


def of_dif(sheet: Sheet) -> tuple[Figure, ...]:
    """Draw the differential functioning of the items, a figure for each focal group.

    Parameters
    ----------
    sheet : Sheet
        The report's shared part.

    Returns
    -------
    tuple of Figure
        Pairs of groups in the order of the table; six at most.
    """
    found = sheet.table("dif", "dif")
    if found is None:
        return ()
    known = found.filter(pl.col("statistic").is_not_null())
    pairs = known.select("variable", "focal").unique(maintain_order=True).rows()
    return tuple(
        _named(
            dif_plot(
                found,
                variable=variable,
                focal=focal,
                language=sheet.texts.language,
                names=_dif_names(sheet, found, variable),
            )
        )
        for variable, focal in pairs[:MOST_PLOTS]
    )


def of_link(sheet: Sheet) -> tuple[Figure, ...]:
    """Draw the difficulties of the common items in both cycles.

    Parameters
    ----------
    sheet : Sheet
        The report's shared part.

    Returns
    -------
    tuple of Figure
        One figure, where something was linked.
    """
    items, found = sheet.table("link", "link_items"), sheet.record("link", "link")
    if items is None or not found:
        return ()
    drift = float(sheet.facts.options.get("drift") or 0.0)
    return (_named(link_plot(items, found, language=sheet.texts.language, drift=drift)),)


def of_scale(sheet: Sheet) -> tuple[Figure, ...]:
    """Draw the percentiles on the reporting scale, in all and by group.

    Parameters
    ----------
    sheet : Sheet
        The report's shared part.

    Returns
    -------
    tuple of Figure
        One figure, where values are on a scale.
    """
    table = sheet.table("values", "distribution")
    return (
        ()
        if table is None
        else (_named(values_distribution(table, language=sheet.texts.language, names=_group_names(sheet))),)
    )
