"""Exhibits of the nation that are tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lsakit.estimation.closed_forms import benjamini_hochberg
from lsakit.tables.exhibits.drawn import Made, pairs_of
from lsakit.tables.exhibits.naming import group_name, is_share, statistic_name
from lsakit.tables.exhibits.sheet import (
    ALL,
    CHANGE,
    EARLIER,
    NATION,
    Cell,
    NothingToShowError,
    Sheet,
    hidden_reason,
    is_clear,
)
from lsakit.tables.figures import LEVELS
from lsakit.tables.publication import Row

if TYPE_CHECKING:
    from lsakit.tables.specification import ExhibitPlan

PERCENTILES = ("p05", "p25", "p50", "p75", "p95")
MOST_BESIDE = 4


def distribution(sheet: Sheet, plan: ExhibitPlan, pairs: list[tuple[str, str]]) -> Made:
    """Tabulate mean, standard deviation and percentiles of the nation.

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
        cells = [sheet.at(population, subject, word) for word in ("sd", *PERCENTILES)]
        written = [
            (f"{sheet.number(cell['estimate'])} ({sheet.number(cell['standard_error'])})", None, "")
            for cell in cells
        ]
        rows.append(
            (cells[0]["figure_id"], [sheet.text(f"{words['population']}, {words['subject']}"), *written])
        )
    columns = ["subject", "sd"]
    columns += [sheet.texts.say("column.percentile", p=int(word[1:])) for word in PERCENTILES]
    return [
        sheet.table(
            sheet.texts.say("section.distribution"), columns, rows, note=sheet.texts.say("note.in_brackets")
        )
    ]


def level_descriptions(sheet: Sheet, plan: ExhibitPlan, pairs: list[tuple[str, str]]) -> Made:
    """Say what the levels mean, and how many students of the nation stand at each.

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
    bounds = dict(zip(LEVELS[1:], sheet.cycle.cuts, strict=False))
    for level in reversed(LEVELS):
        shares = [sheet.find(population, subject, level) for population, subject in pairs]
        if all(row is None for row in shares):
            continue
        from_score = sheet.score(bounds[level]) if level in bounds else sheet.text("–")
        written: list[Cell] = [
            sheet.share(row["estimate"]) if row is not None else sheet.text("–") for row in shares
        ]
        name, means = sheet.texts.say(f"level.{level}"), sheet.texts.say(f"level_description.{level}")
        code = next((row["figure_id"] for row in shares if row is not None), "")
        rows.append((code, [sheet.text(name), sheet.text(means), from_score, *written]))
    columns = ["level", "description", "from_score"]
    columns += [
        "{subject}, {population}".format(
            **{**(w := sheet.words(*pair)), "population": w["population"].lower()}
        )
        for pair in pairs
    ]
    return [
        sheet.table(
            sheet.texts.say("exhibit_caption.levels"),
            columns,
            rows,
            note=sheet.texts.say("exhibit_note.level_descriptions"),
        )
    ]


def changes(sheet: Sheet, plan: ExhibitPlan, pairs: list[tuple[str, str]]) -> Made:
    """Tabulate the change of means, gaps and shares since the previous cycle, a table per subject.

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
    made: Made = []
    wanted = plan.statistics or ("mean", "gap", "at_or_above_2", "at_or_above_5")
    years = {"earlier": sheet.cycle.earlier_year, "year": sheet.cycle.year}
    headings = (
        "figure_of", str(years["earlier"]), str(years["year"]), "change", "error_with_link", "link", "verdict",
    )  # fmt: skip
    for population, subject in pairs:
        rows = []
        for by, statistic in [(by, statistic) for by in plan.by for statistic in wanted]:
            for group in sheet.groups(population, subject, by, CHANGE + statistic):
                where = {"by": by, "group": group}
                found = tuple(
                    sheet.at(population, subject, prefix + statistic, **where)
                    for prefix in (EARLIER, "", CHANGE)
                )
                name = f"{statistic_name(statistic, sheet.texts)}, {group_name(by, group, sheet.names, sheet.texts).lower()}"
                rows.append((found[2]["figure_id"], _change_cells(sheet, name, statistic, found)))
        if rows:
            caption = sheet.caption("changes", population, subject, **years)
            note, is_printed = sheet.texts.say("exhibit_note.changes"), plan.form == "table"
            made.append(sheet.table(caption, headings, rows, note=note, is_printed=is_printed))
    if not made:
        raise NothingToShowError(plan.kind)
    return made


def _change_cells(sheet: Sheet, name: str, statistic: str, rows: tuple[Row, ...]) -> list[Cell]:
    """Write one change."""
    before, now, change = rows
    reason = hidden_reason(sheet, change)
    if reason:
        return [sheet.text(name), *(sheet.text("–") for _ in range(5)), sheet.text(reason)]
    share = is_share(statistic)

    def point(row: Row) -> Cell:
        value = sheet.texts.share(row["estimate"]) if share else sheet.number(row["estimate"])
        error = row["standard_error"] * (100 if share else 1)
        return f"{value} ({sheet.number(error)})", None, ""

    factor = 100 if share else 1
    verdict = "same" if not is_clear(change) else "up" if change["estimate"] > 0 else "down"
    link = change["linking_error"] or 0.0
    return [
        sheet.text(name),
        point(before),
        point(now),
        sheet.score(factor * change["estimate"], sign=True),
        sheet.score(factor * change["standard_error"]),
        sheet.score(factor * link),
        sheet.text(sheet.texts.say(f"change_state.{verdict}")),
    ]


def gradients(sheet: Sheet, plan: ExhibitPlan, pairs: list[tuple[str, str]]) -> Made:
    """Tabulate slope and strength of the gradient of the nation and of groups, a table per subject.

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
    made: Made = []
    for population, subject in pairs:
        rows = [
            (
                sheet.at(population, subject, "slope", by=by, group=group)["figure_id"],
                _gradient_cells(sheet, (population, subject), {"by": by, "group": group}),
            )
            for by in plan.by
            for group in sheet.groups(population, subject, by, "slope")
        ]
        if rows:
            made.append(
                sheet.table(
                    sheet.caption("gradients", population, subject),
                    ("group", "n", "slope", "standard_error", "strength", "standard_error_points"),
                    rows,
                    note=sheet.texts.say("exhibit_note.gradients"),
                    is_printed=plan.form == "table",
                )
            )
    if not made:
        raise NothingToShowError(plan.kind)
    return made


def _gradient_cells(sheet: Sheet, pair: tuple[str, str], where: dict[str, str]) -> list[Cell]:
    """Write one gradient."""
    slope, strength = (sheet.at(*pair, name, **where) for name in ("slope", "strength"))
    cells = [sheet.text(sheet.label(where["by"], where["group"])), sheet.count(slope["n"])]
    reason = hidden_reason(sheet, slope)
    if reason:
        return [*cells, sheet.text(reason), *[sheet.text("")] * 3]
    return [
        *cells,
        sheet.score(slope["estimate"]),
        sheet.score(slope["standard_error"]),
        sheet.share(strength["estimate"]),
        sheet.text(sheet.points(strength["standard_error"])),
    ]


def domains(sheet: Sheet, plan: ExhibitPlan, pairs: list[tuple[str, str]]) -> Made:
    """Tabulate percent correct by domain of the nation and of groups.

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
        for (own, about, statistic, by, group), row in sheet.rows().items():
            if (
                (own, about) != (population, subject)
                or by not in plan.by
                or not statistic.startswith("correct_")
            ):
                continue
            domain = sheet.texts.say(f"domain.{statistic.removeprefix('correct_')}")
            place = "" if by == NATION else f", {sheet.label(by, group)}"
            name = f"{words['population']}, {words['subject']}{place}: {domain}"
            reason = hidden_reason(sheet, row)
            cells = [sheet.text(name), sheet.count(row["n"])]
            if reason:
                cells += [sheet.text(reason), sheet.text(""), sheet.text("")]
            else:
                cells += [
                    sheet.share(row["estimate"]),
                    sheet.text(sheet.points(row["standard_error"])),
                    sheet.interval(row, as_share=True),
                ]
            rows.append((row["figure_id"], cells))
    headings = ("group_and_domain", "n", "percent_correct", "standard_error_points", "interval")
    return [
        sheet.table(
            sheet.texts.say("exhibit_caption.domains"),
            headings,
            rows,
            note=sheet.texts.say("exhibit_note.domains"),
            is_printed=plan.form == "table",
        )
    ]


def comparisons(sheet: Sheet, plan: ExhibitPlan, pairs: list[tuple[str, str]]) -> Made:
    """Tabulate the differences of all pairs of groups, with their significance.

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
    (by,) = plan.by
    made: Made = []
    for population, subject in pairs:
        found = pairs_of(sheet, population, subject, by).to_dicts()
        shown = [row for row in found if row["p_value"] is not None]
        rejected = {}
        if plan.correction == "fdr" and shown:
            flags = benjamini_hochberg([row["p_value"] for row in shown]).tolist()
            rejected = {row["figure_id"]: flag for row, flag in zip(shown, flags, strict=True)}
        rows = []
        for row in found:
            name = f"{sheet.label(by, row['group'])} – {sheet.label(by, row['reference'])}"
            reason = hidden_reason(sheet, row)
            if reason:
                cells = [sheet.text(name), sheet.text(reason), *[sheet.text("")] * 4]
            else:
                clear = rejected.get(row["figure_id"], False) if rejected else is_clear(row)
                state = "same" if not clear else "higher" if row["estimate"] > 0 else "lower"
                cells = [
                    sheet.text(name),
                    sheet.score(row["estimate"], sign=True),
                    sheet.score(row["standard_error"]),
                    sheet.interval(row),
                    (sheet.texts.number(row["p_value"], 4), row["p_value"], "p"),
                    sheet.text(sheet.texts.say(f"pair_state.{state}")),
                ]
            rows.append((row["figure_id"], cells))
        made.append(
            sheet.table(
                sheet.caption("comparisons", population, subject, by=sheet.texts.say(f"by.{by}")),
                ("pair", "difference", "standard_error", "interval", "p", "verdict"),
                rows,
                note=sheet.texts.say(f"exhibit_note.comparisons_{plan.correction}"),
                is_printed=plan.form == "table",
            )
        )
    return made


COUNTS = (
    "schools_drawn", "schools_taking_part", "schools_replaced", "students_selected", "students_excluded",
    "students_left", "students_absent", "students_taking_part",
)  # fmt: skip
RATES = ("school_rate_before", "school_rate_after", "student_rate")


def participation(sheet: Sheet, plan: ExhibitPlan, pairs: list[tuple[str, str]]) -> Made:
    """Tabulate who was drawn and who took part: a few places side by side, many below one another.

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
    if sheet.participation is None:
        raise NothingToShowError(plan.kind)
    populations = list(dict.fromkeys(population for population, _ in pairs))
    found = [
        row
        for row in sheet.participation.to_dicts()
        if row["population"] in populations
        and row["by"] in plan.by
        and not (sheet.province and row["by"] == "province_code" and row["group"] != sheet.province)
    ]
    note, is_printed = sheet.texts.say("exhibit_note.participation"), plan.form == "table"
    if len(found) <= MOST_BESIDE:
        heads = [f"{_population(sheet, row)}, {sheet.label(row['by'], row['group'])}" for row in found]
        upright = []
        for key in (*COUNTS, *RATES):
            write = sheet.count if key in COUNTS else sheet.share
            upright.append(
                ("", [sheet.text(sheet.texts.say(f"column.{key}")), *(write(row[key]) for row in found)])
            )
        caption = sheet.texts.say("exhibit_caption.participation")
        headings = ("sampling_outcome", *heads)
        return [sheet.table(caption, headings, upright, note=note, is_printed=is_printed)]
    made: Made = []
    for population in populations:
        rows: list[tuple[str, list[Cell]]] = []
        for row in found:
            if row["population"] == population:
                cells = [
                    sheet.text(sheet.label(row["by"], row["group"])),
                    *(sheet.count(row[key]) for key in COUNTS),
                ]
                rows.append(("", [*cells, *(sheet.share(row[key]) for key in RATES)]))
        named = sheet.texts.say(f"population.{population}")
        caption = sheet.texts.say("exhibit_caption.participation_of", population=named)
        made.append(sheet.table(caption, ("group", *COUNTS, *RATES), rows, note=note, is_printed=is_printed))
    return made


def _population(sheet: Sheet, row: Mapping[str, Any]) -> str:
    """Name the population of a row."""
    return sheet.texts.say(f"population.{row['population']}")


def every_estimate(sheet: Sheet, plan: ExhibitPlan, pairs: list[tuple[str, str]]) -> Made:
    """List every figure with its number of students and standard error, a sheet per subject.

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
    made: Made = []
    for population, subject in pairs:
        rows = []
        for (own, about, statistic, by, group), row in sheet.rows().items():
            if (own, about) != (population, subject) or (statistic == "difference" and by == "province_code"):
                continue
            reason = hidden_reason(sheet, row)
            kind = "share" if is_share(statistic) else "hundredth"
            numbers = [row[key] for key in ("estimate", "standard_error", "ci_low", "ci_high")]
            cells = [
                sheet.text(statistic_name(statistic, sheet.texts)),
                sheet.text(sheet.texts.say(f"by.{by}") if sheet.texts.has(f"by.{by}") else by),
                sheet.text(group_name(by, group, sheet.names, sheet.texts)),
                (str(row["n"]), float(row["n"]), "n"),
                (str(row["n_schools"]), float(row["n_schools"] or 0), "n"),
                *(("", number, kind) for number in numbers),
                sheet.text(reason),
            ]
            rows.append((row["figure_id"], cells))
        made.append(
            sheet.table(
                sheet.caption("every_estimate", population, subject),
                (
                    "statistic",
                    "by",
                    "group",
                    "n",
                    "n_schools",
                    "estimate",
                    "standard_error",
                    "low",
                    "high",
                    "rule",
                ),
                rows,
                note=sheet.texts.say("exhibit_note.every_estimate"),
                is_printed=False,
            )
        )
    return made


def results(sheet: Sheet, plan: ExhibitPlan, pairs: list[tuple[str, str]]) -> Made:
    """Tabulate mean, change, and the shares at minimum and at high proficiency: the table of a press note.

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
        mean = sheet.at(population, subject, "mean")
        change = sheet.find(population, subject, f"{CHANGE}mean")
        shares = [sheet.find(population, subject, name) for name in ("at_or_above_2", "at_or_above_5")]
        changed = "–"
        if change is not None:
            changed = (
                f"{sheet.score(change['estimate'], sign=True)[0]} ({sheet.number(change['standard_error'])})"
            )
            changed += " *" if is_clear(change) else ""
        cells = [
            sheet.text(f"{words['population']}, {words['subject']}"),
            (f"{sheet.number(mean['estimate'])} ({sheet.number(mean['standard_error'])})", None, ""),
            (changed, None, ""),
            *(
                ("–", None, "")
                if row is None
                else (
                    f"{sheet.texts.share(row['estimate'])} ({sheet.points(row['standard_error'])})",
                    None,
                    "",
                )
                for row in shares
            ),
        ]
        rows.append((mean["figure_id"], cells))
    headings = (
        "subject", "mean", sheet.texts.say("column.change_since", earlier=sheet.cycle.earlier_year),
        "reach_2", "reach_5",
    )  # fmt: skip
    return [
        sheet.table(
            sheet.texts.say("exhibit_caption.results"),
            headings,
            rows,
            note=sheet.texts.say("exhibit_note.results"),
        )
    ]


__all__ = ["ALL", "changes", "distribution", "domains", "every_estimate", "gradients", "results"]
