"""The national and the provincial report, as sections of sentences, figures and tables.

A report is data: the page, the PDF and the workbook are drawn from the same one. The provincial report has
the five headings that every officer expects; the first is filled from figures, the others offer evidence and
leave the judgment and the words to the unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from lsakit.errors import EstimationError
from lsakit.tables.figures import (
    DIFFERENCE,
    MINIMUM_PROFICIENCY,
    Figure,
    caterpillar,
    group_means,
    level_bars,
    state_of,
)
from lsakit.tables.publication import PublicationTable, Row, one, publication_table, reason_of, select
from lsakit.tables.texts import Texts

GROUPINGS = ("gender", "area", "ethnicity", "disadvantaged", "ses_quarter", "region6")
PERCENTILES = ("p05", "p25", "p50", "p75", "p95")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One heading of a report with what stands under it.

    Parameters
    ----------
    key : str
        Stable name of the section.
    heading : str
        Heading.
    paragraphs : tuple of str
        Sentences.
    figures : tuple of Figure
        Figures.
    tables : tuple of PublicationTable
        Tables without a picture.
    left_to_unit : bool
        Whether the words of this section are the unit's own.
    """

    key: str
    heading: str
    paragraphs: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[PublicationTable, ...] = ()
    left_to_unit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report ready to be shown or printed.

    Parameters
    ----------
    title : str
        Title.
    subtitle : str
        The cycle.
    language : str
        ``"vi"`` or ``"en"``.
    province : str or None
        Code of the province; None for the nation.
    sections : tuple of Section
        Sections in order.
    source_line : str
        Source and method in one sentence, printed under every page.
    """

    title: str
    subtitle: str
    language: str
    province: str | None
    sections: tuple[Section, ...]
    source_line: str


def in_print(section: Section, language: str) -> tuple[tuple[str, ...], tuple[PublicationTable, ...]]:
    """Give what of a section stands on paper: its sentences, and the tables that are not too long.

    Parameters
    ----------
    section : Section
        The section.
    language : str
        ``"vi"`` or ``"en"``.

    Returns
    -------
    sentences : tuple of str
        The section's, and one that names the tables of the workbook alone, where there are such.
    tables : tuple of PublicationTable
        The tables to print.
    """
    printed = tuple(table for table in section.tables if table.is_printed)
    others = "; ".join(table.caption for table in section.tables if not table.is_printed)
    if not others:
        return section.paragraphs, printed
    return (*section.paragraphs, Texts(language).say("report.in_workbook", tables=others)), printed


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCycle:
    """What a report must know of its cycle.

    Parameters
    ----------
    title : str
        Name of the cycle in the report's language.
    n_plausible_values : int
        Plausible values per student.
    n_replicates : int
        Replicate weights.
    minimum_students : int
        Suppression rule: students behind a figure.
    minimum_schools : int
        Suppression rule: schools behind a figure.
    """

    title: str
    n_plausible_values: int = 10
    n_replicates: int = 80
    minimum_students: int = 30
    minimum_schools: int = 5


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What every part of one report shares."""

    estimates: pl.DataFrame
    names: Mapping[str, str]
    texts: Texts
    cycle: ReportCycle
    pairs: tuple[tuple[str, str], ...] = field(default=())

    def words(self, population: str, subject: str) -> dict[str, str]:
        """Name a population and a subject."""
        return {
            "population": self.texts.say(f"population.{population}"),
            "subject": self.texts.subject(population, subject),
        }

    def at(self, population: str, subject: str, statistic: str, **where: str) -> Row:
        """Take one estimate."""
        return one(self.estimates, population=population, subject=subject, statistic=statistic, **where)

    def number(self, value: float) -> str:
        """Write a score with one decimal."""
        return self.texts.number(value, 1)

    def label(self, by: str, group: str) -> str:
        """Name a group."""
        return self.names.get(group) or self.texts.group(by, group)


def build_report(
    estimates: pl.DataFrame,
    *,
    language: str,
    names: Mapping[str, str],
    cycle: ReportCycle,
    province: str | None = None,
) -> Report:
    """Compose the national report, or the report of one province.

    Parameters
    ----------
    estimates : polars.DataFrame
        The tidy table of estimates.
    language : str
        ``"vi"`` or ``"en"``.
    names : Mapping of str to str
        Names of provinces and regions by their codes.
    cycle : ReportCycle
        The cycle and its rules.
    province : str, optional
        Code of a province; the nation by default.

    Returns
    -------
    Report
        The report.

    Raises
    ------
    EstimationError
        If an estimate that the report needs is not in the table, or the province is not.
    """
    texts = Texts(language)
    found = (
        estimates.select("population", "subject").unique(maintain_order=True).sort("population", "subject")
    )
    sheet = _Sheet(estimates, names, texts, cycle, tuple(found.rows()))
    if province is None:
        title = texts.say("report.national_title")
        sections = _national(sheet)
    else:
        known = set(estimates.filter((pl.col("by") == "province_code") & (pl.col("statistic") == "mean")).get_column("group").to_list())
        if province not in known:
            raise EstimationError(
                f"The table of estimates holds nothing for the province {province!r}.",
                hint=f"It holds {len(known)} provinces: {', '.join(sorted(known)[:8])} …",
                param="province",
                got=province,
            )
        title = texts.say("report.provincial_title", place=names.get(province, province))
        sections = _provincial(sheet, province)
    counts = {"n_plausible_values": cycle.n_plausible_values, "n_replicates": cycle.n_replicates}
    return Report(
        title=title,
        subtitle=texts.say("report.subtitle", cycle=cycle.title),
        language=language,
        province=province,
        sections=sections,
        source_line=texts.say("report.source_line", cycle=cycle.title, **counts),
    )


def _national(sheet: _Sheet) -> tuple[Section, ...]:
    """Compose the sections of the national report."""
    say, language = sheet.texts.say, sheet.texts.language
    estimates, names = sheet.estimates, sheet.names
    provinces = [
        caterpillar(estimates, population=population, subject=subject, names=names, language=language)
        for population, subject in sheet.pairs
    ]
    levels = [
        level_bars(
            estimates,
            population=population,
            subject=subject,
            places=_places(sheet, population, subject, ("gender", "area", "ethnicity")),
            language=language,
        )
        for population, subject in sheet.pairs
    ]
    groups = [
        group_means(
            estimates,
            population=population,
            subject=subject,
            places=_places(sheet, population, subject, GROUPINGS)[1:],
            language=language,
        )
        for population, subject in sheet.pairs
    ]
    return (
        Section(key="headline", heading=say("section.headline"), paragraphs=_headlines(sheet)),
        Section(key="provinces", heading=say("section.provinces"), figures=tuple(provinces)),
        Section(key="levels", heading=say("section.levels"), figures=tuple(levels)),
        Section(key="groups", heading=say("section.groups"), paragraphs=_gaps(sheet), figures=tuple(groups)),
        Section(key="distribution", heading=say("section.distribution"), tables=(_distribution(sheet),)),
        _method(sheet),
    )


def _places(
    sheet: _Sheet, population: str, subject: str, groupings: Sequence[str]
) -> list[tuple[str, str, str]]:
    """List the nation and the groups of some groupings, each with its name."""
    places = [("nation", "all", sheet.label("nation", "all"))]
    for by in groupings:
        rows = select(sheet.estimates, population=population, subject=subject, by=by)
        places += [(by, row["group"], sheet.label(by, row["group"])) for row in rows]
    return places


def _headlines(sheet: _Sheet) -> tuple[str, ...]:
    """Say the mean and the share at minimum proficiency of each grade and subject."""
    said = []
    for population, subject in sheet.pairs:
        mean = sheet.at(population, subject, "mean")
        share = sheet.at(population, subject, MINIMUM_PROFICIENCY)
        said.append(
            sheet.texts.say(
                "sentence.headline",
                **sheet.words(population, subject),
                mean=sheet.number(mean["estimate"]),
                low=sheet.number(mean["ci_low"]),
                high=sheet.number(mean["ci_high"]),
                share=sheet.texts.share(share["estimate"]),
                margin=sheet.number(50 * (share["ci_high"] - share["ci_low"])),
            )
        )
    return tuple(said)


def _gaps(sheet: _Sheet) -> tuple[str, ...]:
    """Say each gap between two groups, and whether it differs from zero."""
    said = []
    for population, subject in sheet.pairs:
        for by in ("gender", "area", "ethnicity"):
            for row in select(
                sheet.estimates, population=population, subject=subject, by=by, statistics=["gap"]
            ):
                if row["suppressed_because"]:
                    continue
                said.append(_gap_sentence(sheet, row))
    return tuple(said)


def _gap_sentence(sheet: _Sheet, row: Row) -> str:
    """Say one gap; the group is written "first-second"."""
    first, _, second = str(row["group"]).partition("-")
    labels = [sheet.label(str(row["by"]), first), sheet.label(str(row["by"]), second)]
    if row["estimate"] < 0:
        labels.reverse()
    clear = row["ci_low"] > 0 or row["ci_high"] < 0
    return sheet.texts.say(
        "sentence.gap" if clear else "sentence.no_gap",
        **sheet.words(row["population"], row["subject"]),
        first=labels[0],
        second=labels[1],
        difference=sheet.number(abs(row["estimate"])),
        standard_error=sheet.number(row["standard_error"]),
    )


def _distribution(sheet: _Sheet) -> PublicationTable:
    """Tabulate standard deviation and percentiles of the nation."""
    texts = sheet.texts
    columns = [texts.say("column.subject"), texts.say("column.sd")]
    columns += [texts.say("column.percentile", p=int(word[1:])) for word in PERCENTILES]
    rows, codes = [], []
    for population, subject in sheet.pairs:
        cells = [sheet.at(population, subject, word) for word in ("sd", *PERCENTILES)]
        words = sheet.words(population, subject)
        rows.append(
            (
                f"{words['population']}, {words['subject']}",
                *(
                    f"{sheet.number(cell['estimate'])} ({sheet.number(cell['standard_error'])})"
                    for cell in cells
                ),
            )
        )
        codes.append(cells[0]["figure_id"])
    return PublicationTable(
        caption=texts.say("section.distribution"),
        columns=tuple(columns),
        rows=tuple(rows),
        figure_ids=tuple(codes),
        note=texts.say("note.in_brackets"),
    )


def _method(sheet: _Sheet) -> Section:
    """Say how the figures came about and what protects them."""
    say = sheet.texts.say
    paragraphs = []
    for population in dict.fromkeys(population for population, _ in sheet.pairs):
        subject = next(subject for grade, subject in sheet.pairs if grade == population)
        row = sheet.at(population, subject, "mean")
        counted = {"n": sheet.texts.number(row["n"]), "n_schools": sheet.texts.number(row["n_schools"])}
        paragraphs.append(
            say("sentence.method_sample", population=say(f"population.{population}"), **counted)
        )
    cycle = sheet.cycle
    paragraphs.append(
        say(
            "sentence.method_error",
            n_replicates=cycle.n_replicates,
            n_plausible_values=cycle.n_plausible_values,
        )
    )
    paragraphs.append(
        say(
            "sentence.method_rule",
            minimum_students=cycle.minimum_students,
            minimum_schools=cycle.minimum_schools,
        )
    )
    paragraphs.append(say("sentence.method_trace"))
    return Section(key="method", heading=say("section.method"), paragraphs=tuple(paragraphs))


def _provincial(sheet: _Sheet, province: str) -> tuple[Section, ...]:
    """Compose the five headings of a provincial report."""
    say = sheet.texts.say
    said: list[str] = []
    figures: list[Figure] = []
    tables: list[PublicationTable] = []
    place = sheet.label("province_code", province)
    for population, subject in sheet.pairs:
        said += _place_sentences(sheet, population, subject, province)
        places = [("province_code", province, place), ("nation", "all", sheet.label("nation", "all"))]
        if not sheet.at(population, subject, "mean", by="province_code", group=province)[
            "suppressed_because"
        ]:
            figures.append(
                level_bars(
                    sheet.estimates,
                    population=population,
                    subject=subject,
                    places=places,
                    language=sheet.texts.language,
                )
            )
            figures.append(_place_means(sheet, population, subject, province))
        else:
            tables.append(_place_table(sheet, population, subject, province))
    words = (say("sentence.to_be_written"),)
    return (
        Section(
            key="achieved",
            heading=say("section.achieved"),
            paragraphs=tuple(said),
            figures=tuple(figures),
            tables=tuple(tables),
        ),
        Section(
            key="shortcomings",
            heading=say("section.shortcomings"),
            paragraphs=(*_evidence(sheet, province), *words),
            left_to_unit=True,
        ),
        *(
            Section(key=key, heading=say(f"section.{key}"), paragraphs=words, left_to_unit=True)
            for key in ("causes", "solutions", "recommendations")
        ),
        _method(sheet),
    )


def _place_sentences(sheet: _Sheet, population: str, subject: str, province: str) -> list[str]:
    """Say a province's mean and share at minimum proficiency beside the nation's."""
    where: dict[str, Any] = {"by": "province_code", "group": province}
    mean = sheet.at(population, subject, "mean", **where)
    words = sheet.words(population, subject)
    place = sheet.label("province_code", province)
    reason = reason_of(mean, sheet.texts)
    if reason:
        suppressed = sheet.texts.say("column.suppressed", reason=reason)
        return [f"{words['population']}, {words['subject']}: {suppressed}."]
    share = sheet.at(population, subject, MINIMUM_PROFICIENCY, **where)
    against = sheet.at(population, subject, DIFFERENCE, **where)
    state = state_of(against)
    return [
        sheet.texts.say(
            "sentence.place_mean",
            **words,
            place=place,
            mean=sheet.number(mean["estimate"]),
            low=sheet.number(mean["ci_low"]),
            high=sheet.number(mean["ci_high"]),
            nation=sheet.number(sheet.at(population, subject, "mean")["estimate"]),
            comparison=sheet.texts.say(
                f"sentence.{state}", difference=sheet.number(abs(against["estimate"]))
            ),
        ),
        sheet.texts.say(
            "sentence.place_levels",
            **words,
            share=sheet.texts.share(share["estimate"]),
            margin=sheet.number(50 * (share["ci_high"] - share["ci_low"])),
            nation=sheet.texts.share(sheet.at(population, subject, MINIMUM_PROFICIENCY)["estimate"]),
        ),
    ]


def _place_rows(sheet: _Sheet, population: str, subject: str, province: str) -> list[Row]:
    """Take the means of a province, of its groups and of the nation."""
    rows = [sheet.at(population, subject, "mean")]
    rows.append(sheet.at(population, subject, "mean", by="province_code", group=province))
    for by in ("gender", "area"):
        found = select(sheet.estimates, population=population, subject=subject, by=f"province_code+{by}")
        rows += [row for row in found if str(row["group"]).startswith(f"{province}+")]
    return rows


def _place_label(sheet: _Sheet, row: Row, province: str) -> str:
    """Name a row of a provincial table."""
    by, group = str(row["by"] or "nation"), str(row["group"])
    if by.startswith("province_code+"):
        return sheet.label(by.partition("+")[2], group.partition("+")[2])
    return sheet.label(by, group if by != "province_code" else province)


def _place_means(sheet: _Sheet, population: str, subject: str, province: str) -> Figure:
    """Draw the means of a province and its groups against the nation."""
    rows = _place_rows(sheet, population, subject, province)[1:]
    places = [(str(row["by"]), str(row["group"]), _place_label(sheet, row, province)) for row in rows]
    words = sheet.words(population, subject)
    title = sheet.texts.say("figure.place_title", **words, place=sheet.label("province_code", province))
    return group_means(
        sheet.estimates,
        population=population,
        subject=subject,
        places=places,
        language=sheet.texts.language,
        title=title,
    )


def _place_table(sheet: _Sheet, population: str, subject: str, province: str) -> PublicationTable:
    """Tabulate the means of a province and its groups."""
    rows = _place_rows(sheet, population, subject, province)
    words = sheet.words(population, subject)
    caption = f"{words['population']}, {words['subject']}"
    table = publication_table(rows, caption=caption, texts=sheet.texts, names=sheet.names)
    named = tuple(
        (_place_label(sheet, row, province), *cells[1:]) for row, cells in zip(rows, table.rows, strict=True)
    )
    return PublicationTable(
        caption=caption,
        columns=table.columns,
        rows=named,
        figure_ids=table.figure_ids,
        values=table.values,
    )


def _evidence(sheet: _Sheet, province: str) -> tuple[str, ...]:
    """List figures of a province that lie clearly below the nation's."""
    said = []
    for population, subject in sheet.pairs:
        nation = sheet.at(population, subject, "mean")
        words = sheet.words(population, subject)
        for row in _place_rows(sheet, population, subject, province)[1:]:
            if row["suppressed_because"] or row["ci_high"] >= nation["ci_low"]:
                continue
            said.append(
                sheet.texts.say(
                    "sentence.group_below",
                    **words,
                    group=_place_label(sheet, row, province),
                    mean=sheet.number(row["estimate"]),
                    low=sheet.number(row["ci_low"]),
                    high=sheet.number(row["ci_high"]),
                    nation=sheet.number(nation["estimate"]),
                )
            )
    if not said:
        return (sheet.texts.say("sentence.no_evidence"),)
    return (sheet.texts.say("sentence.evidence"), *said)
