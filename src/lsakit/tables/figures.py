"""Figures: a title that says the finding, a chart with intervals, a note, a text alternative, a table behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl

from lsakit.tables import charts
from lsakit.tables.figure import DIFFERENCE, LEVELS, MINIMUM_PROFICIENCY, Figure, Place
from lsakit.tables.publication import PublicationTable, Row, one, publication_table, reason_of, select
from lsakit.tables.standard_figures.light_svg import finished
from lsakit.tables.standard_figures.scope import Scope, at_both_widths
from lsakit.tables.standard_figures.standings import standings_of
from lsakit.tables.texts import Texts

__all__ = [
    "DIFFERENCE",
    "LEVELS",
    "MINIMUM_PROFICIENCY",
    "Figure",
    "Place",
    "caterpillar",
    "group_means",
    "level_bars",
    "state_of",
    "states",
]


def state_of(difference: Row | None) -> str:
    """Say how a group stands to the nation by the interval of its difference.

    Parameters
    ----------
    difference : dict or None
        The estimate of the difference to the nation, computed within each replicate.

    Returns
    -------
    str
        ``"above"``, ``"below"``, ``"same"``, or ``"untested"`` where no difference was estimated.
    """
    if difference is None or difference["suppressed_because"]:
        return "untested"
    if difference["ci_low"] > 0:
        return "above"
    return "below" if difference["ci_high"] < 0 else "same"


def states(estimates: pl.DataFrame, *, population: str, subject: str, by: str) -> dict[str, str]:
    """Say for every group of a grouping how it stands to the nation.

    Parameters
    ----------
    estimates : polars.DataFrame
        The tidy table of estimates.
    population : str
        Population.
    subject : str
        Subject.
    by : str
        Grouping.

    Returns
    -------
    dict of str to str
        State of each group.
    """
    rows = select(estimates, population=population, subject=subject, by=by, statistics=[DIFFERENCE])
    return {row["group"]: state_of(row) for row in rows}


def caterpillar(
    estimates: pl.DataFrame, *, population: str, subject: str, names: Mapping[str, str], language: str
) -> Figure:
    """Draw the means of the provinces with their intervals around the national mean.

    Parameters
    ----------
    estimates : polars.DataFrame
        The tidy table of estimates.
    population : str
        Population.
    subject : str
        Subject.
    names : Mapping of str to str
        Province names by code.
    language : str
        ``"vi"`` or ``"en"``.

    Returns
    -------
    Figure
        `lsakit.tables.standard_figures.standings_of` of the provinces, at both widths.
    """
    scope = Scope(population=population, subject=subject, language=language, names=names)
    return at_both_widths(partial(standings_of, estimates), scope)


def _point(row: Row, name: str, state: str) -> dict[str, Any]:
    """Reduce an estimate to what a chart draws."""
    return {
        "name": name,
        "estimate": row["estimate"],
        "low": row["ci_low"],
        "high": row["ci_high"],
        "state": state,
    }


def _reference(nation: Row, texts: Texts) -> dict[str, Any]:
    """Make the national line and band."""
    label = texts.say("figure.reference", mean=texts.number(nation["estimate"], 1))
    return {
        "estimate": nation["estimate"],
        "low": nation["ci_low"],
        "high": nation["ci_high"],
        "label": label,
    }


def _students_behind(rows: Sequence[Row], nation: Row) -> int:
    """Count the students behind a figure: those of its place, which stands first, or of the nation."""
    of_a_place = bool(rows) and str(rows[0]["by"]) == "province_code"
    return int(rows[0]["n"] if of_a_place else nation["n"])


def level_bars(
    estimates: pl.DataFrame,
    *,
    population: str,
    subject: str,
    places: Sequence[Place],
    language: str,
) -> Figure:
    """Draw the shares of students at each proficiency level for a few groups.

    Parameters
    ----------
    estimates : polars.DataFrame
        The tidy table of estimates.
    population : str
        Population.
    subject : str
        Subject.
    places : Sequence of tuple of str
        Groups as (grouping, group, label), top to bottom.
    language : str
        ``"vi"`` or ``"en"``.

    Returns
    -------
    Figure
        Stacked bars; the table behind gives each share with its standard error.
    """
    texts = Texts(language)
    drawn: list[dict[str, Any]] = []
    behind: list[tuple[str, ...]] = []
    values: dict[tuple[int, int], tuple[float, str]] = {}
    codes: list[str] = []
    count = 0
    for by, group, label in places:
        rows = select(
            estimates, population=population, subject=subject, by=by, statistics=LEVELS, groups=[group]
        )
        for row in sorted(rows, key=lambda row: LEVELS.index(row["statistic"])):
            word = texts.say(f"level.{row['statistic']}")
            reason = reason_of(row, texts)
            codes.append(row["figure_id"])
            if reason:
                behind.append((label, word, texts.say("column.suppressed", reason=reason), "", ""))
                continue
            order = LEVELS.index(row["statistic"])
            drawn.append({"name": label, "level": word, "order": order, "share": 100 * row["estimate"]})
            values[len(behind), 2] = (row["estimate"], "share")
            values[len(behind), 3] = (row["standard_error"], "share")
            interval = f"{texts.share(row['ci_low'])} – {texts.share(row['ci_high'])}"
            behind.append(
                (
                    label,
                    word,
                    texts.share(row["estimate"]),
                    texts.number(100 * row["standard_error"], 1),
                    interval,
                )
            )
        count = count or max((row["n"] for row in rows), default=0)
    first_by, first_group, first_label = places[0]
    reached = one(
        estimates,
        population=population,
        subject=subject,
        statistic=MINIMUM_PROFICIENCY,
        by=first_by,
        group=first_group,
    )
    title = texts.say(
        "figure.levels_title" if first_by == "nation" else "figure.place_levels_title",
        place=first_label,
        population=texts.say(f"population.{population}"),
        subject=texts.subject(population, subject),
        share=reason_of(reached, texts) or texts.share(reached["estimate"]),
    )
    level_names = [texts.say(f"level.{word}") for word in LEVELS]
    spec = charts.stacked_levels_chart(drawn, axis_title=texts.say("axis.share"), level_names=level_names)
    headings = ("group", "estimate", "standard_error", "interval")
    columns = [texts.say(f"column.{word}") for word in headings]
    columns.insert(1, texts.say("section.levels"))
    return Figure(
        key=f"{population}-{subject}-levels",
        title=title,
        svg=finished(spec, key=f"{population}-{subject}-levels", language=language),
        note=texts.say("figure.levels_note", n=texts.number(count)),
        alternative=texts.say("figure.levels_alternative", count=len(LEVELS)),
        table=PublicationTable(
            caption=title,
            columns=tuple(columns),
            rows=tuple(behind),
            figure_ids=tuple(codes),
            values=values,
        ),
    )


def group_means(
    estimates: pl.DataFrame,
    *,
    population: str,
    subject: str,
    places: Sequence[Place],
    language: str,
    title: str | None = None,
) -> Figure:
    """Draw the means of a few groups with their intervals against the nation.

    Parameters
    ----------
    estimates : polars.DataFrame
        The tidy table of estimates.
    population : str
        Population.
    subject : str
        Subject.
    places : Sequence of tuple of str
        Groups as (grouping, group, label), top to bottom.
    language : str
        ``"vi"`` or ``"en"``.
    title : str, optional
        Title; "means of groups" by default.

    Returns
    -------
    Figure
        Points with intervals and the national line.
    """
    texts = Texts(language)
    nation = one(estimates, population=population, subject=subject, statistic="mean")
    rows, labels = [], {}
    for by, group, label in places:
        for row in select(estimates, population=population, subject=subject, by=by, groups=[group]):
            rows.append(row)
            labels[row["figure_id"]] = label
    title = title or texts.say(
        "figure.groups_title",
        population=texts.say(f"population.{population}"),
        subject=texts.subject(population, subject),
    )
    shown = [row for row in rows if not row["suppressed_because"]]
    spec = charts.intervals_chart(
        [_point(row, labels[row["figure_id"]], "untested") for row in shown],
        axis_title=texts.say("axis.score"),
        state_names={word: texts.say(f"state.{word}") for word in charts.STATES},
        reference=_reference(nation, texts),
    )
    table = publication_table(rows, caption=title, texts=texts, names={})
    named = [(labels[code], *cells[1:]) for code, cells in zip(table.figure_ids, table.rows, strict=True)]
    return Figure(
        key=f"{population}-{subject}-groups",
        title=title,
        svg=finished(spec, key=f"{population}-{subject}-groups", language=language),
        note=texts.say("figure.groups_note", n=texts.number(_students_behind(rows, nation))),
        alternative=texts.say("figure.groups_alternative", count=len(shown)),
        table=PublicationTable(
            caption=title,
            columns=table.columns,
            rows=tuple(named),
            figure_ids=table.figure_ids,
            values=table.values,
        ),
    )
