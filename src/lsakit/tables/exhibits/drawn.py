"""Exhibits of the nation that are figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from lsakit.tables import charts
from lsakit.tables.exhibits.sheet import ALL, CHANGE, EARLIER, NATION, NothingToShowError, Sheet, is_clear
from lsakit.tables.figures import Figure, Place, caterpillar, group_means
from lsakit.tables.publication import PublicationTable
from lsakit.tables.standard_figures import (
    comparison_grid,
    gap_bars,
    gradient_lines,
    percentile_bars,
    province_map,
    scatter_mean_by_ses,
    stacked_levels,
    trend_levels,
    trend_lines,
)

if TYPE_CHECKING:
    from lsakit.tables.specification import ExhibitPlan

Made = list[Figure | PublicationTable]


def places_of(sheet: Sheet, plan: ExhibitPlan, population: str, subject: str) -> list[Place]:
    """List the nation and the groups of the groupings of an exhibit, each with its name.

    Parameters
    ----------
    sheet : Sheet
        The report.
    plan : ExhibitPlan
        The exhibit.
    population, subject : str
        Population and subject.

    Returns
    -------
    list of tuple of (str, str, str)
        Grouping, group, label.
    """
    found: list[Place] = []
    for by in plan.by:
        if by == NATION:
            found.append((NATION, ALL, sheet.label(NATION, ALL)))
            continue
        found += [(by, group, sheet.label(by, group)) for group in sheet.groups(population, subject, by)]
    if not found or (found == [(NATION, ALL, sheet.label(NATION, ALL))] and len(plan.by) > 1):
        raise NothingToShowError(plan.kind)
    return found


def percentiles(sheet: Sheet, plan: ExhibitPlan, population: str, subject: str) -> Made:
    """Draw percentile bars of groups.

    Parameters
    ----------
    sheet : Sheet
        The report.
    plan : ExhibitPlan
        The exhibit.
    population, subject : str
        Population and subject.

    Returns
    -------
    list of Figure or PublicationTable
        The exhibit.
    """
    (by,) = plan.by
    if not sheet.groups(population, subject, by, "p50"):
        raise NothingToShowError(plan.kind)
    return [percentile_bars(sheet.estimates, sheet.scope(population, subject), by=by)]


def levels(sheet: Sheet, plan: ExhibitPlan, population: str, subject: str) -> Made:
    """Draw the shares at each level of the nation and of groups.

    Parameters
    ----------
    sheet : Sheet
        The report.
    plan : ExhibitPlan
        The exhibit.
    population, subject : str
        Population and subject.

    Returns
    -------
    list of Figure or PublicationTable
        The exhibit.
    """
    places = places_of(sheet, plan, population, subject)
    return [stacked_levels(sheet.estimates, sheet.scope(population, subject), places=places)]


def means(sheet: Sheet, plan: ExhibitPlan, population: str, subject: str) -> Made:
    """Draw the means of groups against the nation.

    Parameters
    ----------
    sheet : Sheet
        The report.
    plan : ExhibitPlan
        The exhibit.
    population, subject : str
        Population and subject.

    Returns
    -------
    list of Figure or PublicationTable
        The exhibit.
    """
    places = [place for place in places_of(sheet, plan, population, subject) if place[0] != NATION]
    if not places:
        raise NothingToShowError(plan.kind)
    return [
        group_means(
            sheet.estimates,
            population=population,
            subject=subject,
            places=places,
            language=sheet.texts.language,
        )
    ]


def provinces(sheet: Sheet, plan: ExhibitPlan, population: str, subject: str) -> Made:
    """Draw the provinces against the nation, in the order of their codes.

    Parameters
    ----------
    sheet : Sheet
        The report.
    plan : ExhibitPlan
        The exhibit.
    population, subject : str
        Population and subject.

    Returns
    -------
    list of Figure or PublicationTable
        The exhibit.
    """
    if not sheet.groups(population, subject, "province_code"):
        raise NothingToShowError(plan.kind)
    return [
        caterpillar(
            sheet.estimates,
            population=population,
            subject=subject,
            names=sheet.names,
            language=sheet.texts.language,
        )
    ]


def tile_map(sheet: Sheet, plan: ExhibitPlan, population: str, subject: str) -> Made:
    """Draw the map of provinces above, not different from, below the nation.

    Parameters
    ----------
    sheet : Sheet
        The report.
    plan : ExhibitPlan
        The exhibit.
    population, subject : str
        Population and subject.

    Returns
    -------
    list of Figure or PublicationTable
        The exhibit.
    """
    if not sheet.groups(population, subject, "province_code", "difference_to_nation"):
        raise NothingToShowError(plan.kind)
    return [province_map(sheet.estimates, sheet.scope(population, subject))]


def gaps(sheet: Sheet, plan: ExhibitPlan, population: str, subject: str) -> Made:
    """Draw gaps between two groups around zero.

    Parameters
    ----------
    sheet : Sheet
        The report.
    plan : ExhibitPlan
        The exhibit.
    population, subject : str
        Population and subject.

    Returns
    -------
    list of Figure or PublicationTable
        The exhibit.
    """
    present = [by for by in plan.by if sheet.groups(population, subject, by, "gap")]
    if not present:
        raise NothingToShowError(plan.kind)
    return [gap_bars(sheet.estimates, sheet.scope(population, subject), gaps=present)]


def over_cycles(sheet: Sheet, population: str, subject: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give the figures of both cycles and the changes between them, as the figures of trends read them.

    Parameters
    ----------
    sheet : Sheet
        The report.
    population, subject : str
        Population and subject.

    Returns
    -------
    estimates : polars.DataFrame
        Rows of both cycles with ``cycle``.
    changes : polars.DataFrame
        Changes with ``from_cycle``, ``to_cycle``, ``linking_error``.

    Raises
    ------
    NothingToShowError
        If the estimates hold no earlier cycle.
    """
    own = sheet.estimates.filter((pl.col("population") == population) & (pl.col("subject") == subject))
    statistic = pl.col("statistic")
    before = own.filter(statistic.str.starts_with(EARLIER)).with_columns(
        statistic=statistic.str.strip_prefix(EARLIER), cycle=pl.lit(sheet.cycle.earlier_year)
    )
    changed = own.filter(statistic.str.starts_with(CHANGE))
    if not before.height or not changed.height:
        raise NothingToShowError("trend")
    now = own.join(before.select("statistic", "by", "group"), on=["statistic", "by", "group"], how="semi")
    changes = changed.with_columns(
        statistic=statistic.str.strip_prefix(CHANGE),
        from_cycle=pl.lit(sheet.cycle.earlier_year),
        to_cycle=pl.lit(sheet.cycle.year),
    )
    return pl.concat([before, now.with_columns(cycle=pl.lit(sheet.cycle.year))]), changes


def trend(sheet: Sheet, plan: ExhibitPlan, population: str, subject: str) -> Made:
    """Draw means over cycles.

    Parameters
    ----------
    sheet : Sheet
        The report.
    plan : ExhibitPlan
        The exhibit.
    population, subject : str
        Population and subject.

    Returns
    -------
    list of Figure or PublicationTable
        The exhibit.
    """
    (by,) = plan.by
    estimates, changes = over_cycles(sheet, population, subject)
    if not estimates.filter((pl.col("by") == by) & (pl.col("statistic") == "mean")).height:
        raise NothingToShowError(plan.kind)
    return [trend_lines(estimates, changes, sheet.scope(population, subject), by=by)]


def levels_over_cycles(sheet: Sheet, plan: ExhibitPlan, population: str, subject: str) -> Made:
    """Draw the shares who reach each level over cycles.

    Parameters
    ----------
    sheet : Sheet
        The report.
    plan : ExhibitPlan
        The exhibit.
    population, subject : str
        Population and subject.

    Returns
    -------
    list of Figure or PublicationTable
        The exhibit.
    """
    estimates, changes = over_cycles(sheet, population, subject)
    return [trend_levels(estimates, changes, sheet.scope(population, subject))]


def gradient(sheet: Sheet, plan: ExhibitPlan, population: str, subject: str) -> Made:
    """Draw the socio-economic gradient of the nation or of regions.

    Parameters
    ----------
    sheet : Sheet
        The report.
    plan : ExhibitPlan
        The exhibit.
    population, subject : str
        Population and subject.

    Returns
    -------
    list of Figure or PublicationTable
        The exhibit.
    """
    (by,) = plan.by
    if sheet.find(population, subject, "slope") is None:
        raise NothingToShowError(plan.kind)
    places: list[Place] = [(NATION, ALL, sheet.label(NATION, ALL))]
    if by != NATION:
        places += [
            (by, group, sheet.label(by, group)) for group in sheet.groups(population, subject, by, "slope")
        ]
    return [gradient_lines(sheet.estimates, sheet.scope(population, subject), places=places)]


def ses_scatter(sheet: Sheet, plan: ExhibitPlan, population: str, subject: str) -> Made:
    """Draw means of places against the mean of their socio-economic index.

    Parameters
    ----------
    sheet : Sheet
        The report.
    plan : ExhibitPlan
        The exhibit.
    population, subject : str
        Population and subject.

    Returns
    -------
    list of Figure or PublicationTable
        The exhibit.
    """
    (by,) = plan.by
    if not sheet.groups(population, subject, by, "ses_mean"):
        raise NothingToShowError(plan.kind)
    return [scatter_mean_by_ses(sheet.estimates, sheet.scope(population, subject), by=by)]


def comparison(sheet: Sheet, plan: ExhibitPlan, population: str, subject: str) -> Made:
    """Draw which groups differ significantly from which.

    Parameters
    ----------
    sheet : Sheet
        The report.
    plan : ExhibitPlan
        The exhibit.
    population, subject : str
        Population and subject.

    Returns
    -------
    list of Figure or PublicationTable
        The exhibit.
    """
    (by,) = plan.by
    differences = pairs_of(sheet, population, subject, by)
    return [comparison_grid(differences, sheet.scope(population, subject), by=by, correction=plan.correction)]


def pairs_of(sheet: Sheet, population: str, subject: str, by: str) -> pl.DataFrame:
    """Give the differences of all pairs of groups, with the two groups apart.

    Parameters
    ----------
    sheet : Sheet
        The report.
    population, subject, by : str
        Population, subject and grouping.

    Returns
    -------
    polars.DataFrame
        Tidy rows with ``group`` and ``reference``.
    """
    own = sheet.estimates.filter(
        (pl.col("population") == population)
        & (pl.col("subject") == subject)
        & (pl.col("by") == by)
        & (pl.col("statistic") == "difference")
    )
    if not own.height:
        raise NothingToShowError("comparison")
    parts = pl.col("group").str.split_exact("-", 1)
    return own.with_columns(group=parts.struct.field("field_0"), reference=parts.struct.field("field_1"))


def relative_strengths(sheet: Sheet, plan: ExhibitPlan, population: str, subject: str) -> Made:
    """Draw in which domains groups are stronger or weaker than their own result over all items lets expect.

    Parameters
    ----------
    sheet : Sheet
        The report.
    plan : ExhibitPlan
        The exhibit.
    population, subject : str
        Population and subject.

    Returns
    -------
    list of Figure or PublicationTable
        The exhibit.
    """
    rows = []
    for by in plan.by:
        for (own, about, statistic, grouping, group), row in sheet.rows().items():
            if (own, about, grouping) == (population, subject, by) and statistic.startswith("relative_"):
                rows.append((by, group, statistic.removeprefix("relative_"), row))
    if not rows:
        raise NothingToShowError(plan.kind)
    texts = sheet.texts
    points, behind = [], []
    order: list[str] = []
    for by, group, domain, row in sorted(rows, key=lambda one: (plan.by.index(one[0]), one[1])):
        name = f"{sheet.label(by, group)}: {texts.say(f'domain.{domain}').lower()}"
        order.append(name)
        hidden = row["suppressed_because"] is not None
        state = (
            "untested"
            if hidden
            else "same"
            if not is_clear(row)
            else "above"
            if row["estimate"] > 0
            else "below"
        )
        if not hidden:
            scaled = {
                key: 100 * row[at]
                for key, at in (("estimate", "estimate"), ("low", "ci_low"), ("high", "ci_high"))
            }
            points.append({"name": name, "state": state, **scaled})
        cells = [
            sheet.text(name),
            sheet.count(row["n"]),
            sheet.text("–" if hidden else texts.number(100 * row["estimate"], 1)),
            sheet.text("–" if hidden else texts.number(100 * row["standard_error"], 1)),
            sheet.text(
                "–"
                if hidden
                else f"{texts.number(100 * row['ci_low'], 1)} – {texts.number(100 * row['ci_high'], 1)}"
            ),
            sheet.text(texts.say(f"relative_state.{state}")),
        ]
        behind.append((row["figure_id"], cells))
    clear = sum(point["state"] in ("above", "below") for point in points)
    title = sheet.caption("relative_title", population, subject, count=len(points), clear=clear)
    spec = charts.intervals_chart(
        points,
        axis_title=texts.say("axis.relative"),
        state_names={state: texts.say(f"relative_state.{state}") for state in charts.STATES},
        reference={"estimate": 0.0, "low": 0.0, "high": 0.0, "label": "0"},
    )
    spec["width"], spec["config"]["axis"]["labelLimit"] = 400, 330  # names of a region and a domain are long
    headings = ("group_and_domain", "n", "relative", "standard_error", "interval", "verdict")
    return [
        Figure(
            key=f"{population}-{subject}-relative-{plan.by[0]}".replace("_", "-"),
            title=title,
            svg=charts.draw(spec, language=texts.language),
            note=texts.say("exhibit_note.relative"),
            alternative=texts.say("exhibit_note.relative_alternative", count=len(points), clear=clear),
            table=sheet.table(title, headings, behind),
        )
    ]
