"""Exhibits of one province: beside its region and the nation, never beside another province."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsakit.tables.exhibits.drawn import Made
from lsakit.tables.exhibits.naming import group_name
from lsakit.tables.exhibits.sheet import ALL, NATION, Cell, NothingToShowError, Sheet, hidden_reason, is_clear
from lsakit.tables.figures import Place, group_means
from lsakit.tables.publication import PublicationTable, Row
from lsakit.tables.standard_figures import stacked_levels

if TYPE_CHECKING:
    from lsakit.tables.specification import ExhibitPlan

PROVINCE = "province_code"
WITHIN = ("gender", "area")


def here(sheet: Sheet) -> dict[str, str]:
    """Give the place of a province's figures.

    Parameters
    ----------
    sheet : Sheet
        The report.

    Returns
    -------
    dict of str to str
        ``by`` and ``group``.
    """
    return {"by": PROVINCE, "group": str(sheet.province)}


def own_places(sheet: Sheet, population: str, subject: str, *, groups: bool) -> list[Place]:
    """List the province, its groups where wanted, its region and the nation.

    Parameters
    ----------
    sheet : Sheet
        The report.
    population, subject : str
        Population and subject.
    groups : bool
        Whether girls and boys, town and country of the province are wanted.

    Returns
    -------
    list of tuple of (str, str, str)
        Grouping, group, label.
    """
    places: list[Place] = [(PROVINCE, str(sheet.province), sheet.place)]
    for by in WITHIN if groups else ():
        crossed = f"{PROVINCE}+{by}"
        found = [
            group
            for group in sheet.groups(population, subject, crossed)
            if group.startswith(f"{sheet.province}+")
        ]
        places += [(crossed, group, sheet.label(by, group.partition("+")[2])) for group in found]
    if sheet.region and sheet.find(population, subject, "mean", by="region6", group=sheet.region):
        places.append(
            (
                "region6",
                sheet.region,
                sheet.texts.say("word.region", name=sheet.label("region6", sheet.region)),
            )
        )
    return [*places, (NATION, ALL, sheet.label(NATION, ALL))]


def is_hidden(sheet: Sheet, population: str, subject: str) -> bool:
    """Tell whether the rule hides the results of the province.

    Parameters
    ----------
    sheet : Sheet
        The report.
    population, subject : str
        Population and subject.

    Returns
    -------
    bool
        True where its mean is not published.
    """
    return bool(sheet.at(population, subject, "mean", **here(sheet))["suppressed_because"])


def place_levels(sheet: Sheet, plan: ExhibitPlan, population: str, subject: str) -> Made:
    """Draw the levels of the province, its region and the nation.

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
    if is_hidden(sheet, population, subject):
        raise NothingToShowError(plan.kind)
    places = own_places(sheet, population, subject, groups=False)
    return [stacked_levels(sheet.estimates, sheet.scope(population, subject), places=places)]


def place_means(sheet: Sheet, plan: ExhibitPlan, population: str, subject: str) -> Made:
    """Draw the means of the province, its groups and its region against the nation; a table where it is hidden.

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
    places = own_places(sheet, population, subject, groups=True)
    if is_hidden(sheet, population, subject):
        rows = [sheet.at(population, subject, "mean", by=by, group=group) for by, group, _ in places]
        return [_means_table(sheet, (population, subject), places, rows)]
    words = sheet.words(population, subject)
    title = sheet.texts.say("figure.place_title", **words, place=sheet.place)
    return [
        group_means(
            sheet.estimates,
            population=population,
            subject=subject,
            places=[place for place in places if place[0] != NATION],
            language=sheet.texts.language,
            title=title,
        )
    ]


def _means_table(
    sheet: Sheet, pair: tuple[str, str], places: list[Place], rows: list[Row]
) -> PublicationTable:
    """Tabulate the means of the province and its groups."""
    written: list[tuple[str, list[Cell]]] = []
    for (_by, _group, label), row in zip(places, rows, strict=True):
        reason = hidden_reason(sheet, row)
        cells = [sheet.text(label), sheet.count(row["n"])]
        if reason:
            cells += [sheet.text(reason), sheet.text(""), sheet.text("")]
        else:
            cells += [sheet.score(row["estimate"]), sheet.score(row["standard_error"]), sheet.interval(row)]
        written.append((row["figure_id"], cells))
    words = sheet.words(*pair)
    return sheet.table(
        f"{words['population']}, {words['subject']}",
        ("group", "n", "estimate", "standard_error", "interval"),
        written,
    )


def place_gaps(sheet: Sheet, plan: ExhibitPlan, pairs: list[tuple[str, str]]) -> Made:
    """Tabulate the gaps of the province between girls and boys, town and country, beside the nation's.

    Parameters
    ----------
    sheet : Sheet
        The report.
    plan : ExhibitPlan
        The exhibit.
    pairs : list of tuple of (str, str)
        Populations and subjects that it is about.

    Returns
    -------
    list of Figure or PublicationTable
        The exhibit.
    """
    rows = []
    for population, subject in pairs:
        words = sheet.words(population, subject)
        for by in plan.by:
            crossed = f"{PROVINCE}+{by}"
            for group in sheet.groups(population, subject, crossed, "gap"):
                if not group.startswith(f"{sheet.province}+"):
                    continue
                pair = group.partition("+")[2]
                own = sheet.at(population, subject, "gap", by=crossed, group=group)
                nation = sheet.find(population, subject, "gap", by=by, group=pair)
                name = f"{words['population']}, {words['subject']}: {group_name(by, pair, sheet.names, sheet.texts)}"
                rows.append((own["figure_id"], _gap_cells(sheet, name, own, nation)))
    return [
        sheet.table(
            sheet.texts.say("exhibit_caption.place_gaps", place=sheet.place),
            ("gap_of", "difference", "standard_error", "interval", "nation", "verdict"),
            rows,
            note=sheet.texts.say("exhibit_note.place_gaps"),
            is_printed=plan.form == "table",
        )
    ]


def _gap_cells(sheet: Sheet, name: str, own: Row, nation: Row | None) -> list[Cell]:
    """Write one gap beside the nation's."""
    reason = hidden_reason(sheet, own)
    beside = sheet.score(nation["estimate"], sign=True) if nation else sheet.text("–")
    if reason:
        return [sheet.text(name), sheet.text(reason), sheet.text(""), sheet.text(""), beside, sheet.text("")]
    verdict = "clear" if is_clear(own) else "same"
    return [
        sheet.text(name),
        sheet.score(own["estimate"], sign=True),
        sheet.score(own["standard_error"]),
        sheet.interval(own),
        beside,
        sheet.text(sheet.texts.say(f"gap_state.{verdict}")),
    ]


def place_domains(sheet: Sheet, plan: ExhibitPlan, pairs: list[tuple[str, str]]) -> Made:
    """Tabulate percent correct of the province by domain beside the nation's, with its relative strengths.

    Parameters
    ----------
    sheet : Sheet
        The report.
    plan : ExhibitPlan
        The exhibit.
    pairs : list of tuple of (str, str)
        Populations and subjects that it is about.

    Returns
    -------
    list of Figure or PublicationTable
        The exhibit.
    """
    rows = []
    for population, subject in pairs:
        words = sheet.words(population, subject)
        statistics = [
            key[2]
            for key in sheet.rows()
            if key[:2] == (population, subject)
            and key[3:] == (PROVINCE, sheet.province)
            and key[2].startswith("correct_")
        ]
        for statistic in statistics:
            domain = statistic.removeprefix("correct_")
            own = sheet.at(population, subject, statistic, **here(sheet))
            nation = sheet.find(population, subject, statistic)
            relative = sheet.find(population, subject, f"relative_{domain}", **here(sheet))
            name = f"{words['population']}, {words['subject']}: {sheet.texts.say(f'domain.{domain}')}"
            rows.append((own["figure_id"], _domain_cells(sheet, name, (own, nation, relative))))
    return [
        sheet.table(
            sheet.texts.say("exhibit_caption.place_domains", place=sheet.place),
            ("domain", "percent_correct", "standard_error_points", "nation", "relative", "verdict"),
            rows,
            note=sheet.texts.say("exhibit_note.place_domains"),
            is_printed=plan.form == "table",
        )
    ]


def _domain_cells(sheet: Sheet, name: str, rows: tuple[Row, Row | None, Row | None]) -> list[Cell]:
    """Write one domain of the province."""
    own, nation, relative = rows
    beside = sheet.share(nation["estimate"] if nation else None)
    reason = hidden_reason(sheet, own)
    if reason:
        return [sheet.text(name), sheet.text(reason), sheet.text(""), beside, sheet.text(""), sheet.text("")]
    state, difference = "", sheet.text("–")
    if relative is not None:
        known = "same" if not is_clear(relative) else "above" if relative["estimate"] > 0 else "below"
        state = sheet.texts.say(f"relative_state.{known}")
        written = f"{sheet.points(relative['estimate'])} ({sheet.points(relative['standard_error'])})"
        difference = (("+" if relative["estimate"] > 0 else "") + written, None, "")
    return [
        sheet.text(name),
        sheet.share(own["estimate"]),
        sheet.text(sheet.points(own["standard_error"])),
        beside,
        difference,
        sheet.text(state),
    ]


__all__ = ["here", "is_hidden", "own_places", "place_domains", "place_gaps", "place_levels", "place_means"]
