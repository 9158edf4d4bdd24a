"""Reports: a specification filled with estimates gives sections of sentences, figures and tables.

A report is data: the page, the PDF, the Word file and the workbook are drawn from the same one. Judgment stays with
the unit: sections that are left to it hold evidence, and the unit's own words where they are given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from lsakit.errors import EstimationError
from lsakit.tables.exhibits.catalogue import FOR_THE_UNIT, KINDS, SENTENCES
from lsakit.tables.exhibits.sheet import NothingToShowError, Sheet
from lsakit.tables.figures import Figure
from lsakit.tables.publication import NEEDED, PublicationTable
from lsakit.tables.report_parts import Report, ReportCycle, Section, in_print
from lsakit.tables.specification import (
    ExhibitPlan,
    ReportSpecification,
    SectionPlan,
    in_language,
    read_specification,
)
from lsakit.tables.texts import Texts

__all__ = ["Report", "ReportCycle", "Section", "build_report", "in_print"]
Words = Mapping[str, Sequence[str]]
Made = tuple[tuple[Figure, ...], tuple[PublicationTable, ...]]
LATER = ("p_value", "linking_error")


def build_report(
    estimates: pl.DataFrame,
    *,
    language: str,
    names: Mapping[str, str],
    cycle: ReportCycle,
    province: str | None = None,
    specification: ReportSpecification | str | None = None,
    words: Words | None = None,
) -> Report:
    """Compose a report by its specification.

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
    specification : ReportSpecification or str, optional
        The specification or the name of a standard one; ``"province"`` for a province and ``"national"`` for the
        nation by default.
    words : Mapping of str to Sequence of str, optional
        The unit's own paragraphs by key of section; they stand in every form in the place that was left for them.

    Returns
    -------
    Report
        The report; the same arguments give the same report.

    Raises
    ------
    EstimationError
        If an estimate that the report needs is not in the table, the province is not, the specification is of another
        scope, or words are given for a section that is not the unit's.
    LsakitError
        If the specification is not known.
    """
    plan = specification
    if plan is None or isinstance(plan, str):
        plan = read_specification(plan or ("national" if province is None else "province"))
    _refuse_other_scope(plan, province)
    own_words = _checked_words(plan, words or {})
    texts = Texts(language)
    if province is not None:
        _refuse_unknown(estimates, province)
    region = cycle.regions.get(province or "")
    sheet = Sheet(
        estimates=_by_rule(_of_place(estimates, province, region), plan),
        names=names,
        texts=texts,
        cycle=cycle,
        province=province,
        region=region,
        participation=cycle.participation,
    )
    place = names.get(province, province) if province else ""
    counts = {"n_plausible_values": cycle.n_plausible_values, "n_replicates": cycle.n_replicates}
    made = [_exhibits(sheet, section) for section in plan.sections]
    return Report(
        title=in_language(plan.title, texts, place=place),
        subtitle=texts.say("report.subtitle", cycle=cycle.title),
        language=language,
        province=province,
        sections=tuple(
            _section(sheet, section, own, own_words.get(section.key, ()))
            for section, own in zip(plan.sections, made, strict=True)
        ),
        source_line=texts.say("report.source_line", cycle=cycle.title, **counts),
    )


def _refuse_other_scope(plan: ReportSpecification, province: str | None) -> None:
    """Refuse a specification of the nation for a province, and the reverse."""
    wanted = "nation" if province is None else "province"
    if plan.scope != wanted:
        raise EstimationError(
            f"The specification {plan.name!r} is of a {plan.scope}, but the report is of a {wanted}.",
            hint="Name the province, or take the other specification.",
            param="specification",
            got=plan.scope,
        )


def _checked_words(plan: ReportSpecification, words: Words) -> dict[str, tuple[str, ...]]:
    """Refuse words for sections that are not the unit's own."""
    unknown = sorted(set(words) - set(plan.own_sections))
    if unknown:
        raise EstimationError(
            f"The report {plan.name!r} has no section {unknown[0]!r} for the unit's own words.",
            hint=f"Such sections are: {', '.join(plan.own_sections) or 'none'}.",
            param="words",
            got=unknown[0],
        )
    return {key: tuple(line for line in lines if line.strip()) for key, lines in words.items()}


def _refuse_unknown(estimates: pl.DataFrame, province: str) -> None:
    """Refuse a province that the estimates do not speak of."""
    means = (pl.col("by") == "province_code") & (pl.col("statistic") == "mean")
    known = set(estimates.filter(means).get_column("group").to_list())
    if province not in known:
        raise EstimationError(
            f"The table of estimates holds nothing for the province {province!r}.",
            hint=f"It holds {len(known)} provinces: {', '.join(sorted(known)[:8])} …",
            param="province",
            got=province,
        )


def _of_place(estimates: pl.DataFrame, province: str | None, region: str | None) -> pl.DataFrame:
    """Keep what a report may look at: of a province only itself, its region and the nation."""
    absent = [pl.lit(None, dtype=pl.Float64).alias(name) for name in LATER if name not in estimates.columns]
    table = estimates.with_columns(absent) if absent else estimates
    if province is None:
        return table
    by, group = pl.col("by").fill_null("nation"), pl.col("group")
    own = by.str.starts_with("province_code") & (group.str.split("+").list.first() == province)
    around = (by == "region6") & (group == region) if region else pl.lit(False)
    return table.filter((by == "nation") | by.is_in(["gender", "area"]) | own | around)


def _by_rule(estimates: pl.DataFrame, plan: ReportSpecification) -> pl.DataFrame:
    """Hide what the specification asks to hide beside what the estimates hide already."""
    if not plan.minimum_students and not plan.minimum_schools:
        return estimates
    reason = (
        pl.when(pl.col("suppressed_because").is_not_null())
        .then("suppressed_because")
        .when(pl.col("n") < plan.minimum_students)
        .then(pl.lit(f"too_few_students:{plan.minimum_students}"))
        .when(pl.col("n_schools") < plan.minimum_schools)
        .then(pl.lit(f"too_few_schools:{plan.minimum_schools}"))
    )
    hidden = estimates.with_columns(suppressed_because=reason)
    numbers = [
        name
        for name, kind in hidden.schema.items()
        if name not in NEEDED[:8] and kind == pl.Float64 and name != "truth"
    ] + ["estimate", "standard_error", "ci_low", "ci_high"]
    keep = pl.col("suppressed_because").is_null()
    return hidden.with_columns(
        pl.when(keep).then(pl.col(name)).alias(name) for name in dict.fromkeys(numbers)
    )


def _exhibits(sheet: Sheet, section: SectionPlan) -> Made:
    """Make the exhibits of a section."""
    figures: list[Figure] = []
    tables: list[PublicationTable] = []
    for plan in section.exhibits:
        for one in _exhibit(sheet, plan):
            if isinstance(one, Figure):
                figures.append(one)
            else:
                tables.append(one)
    return tuple(figures), tuple(tables)


def _exhibit(sheet: Sheet, plan: ExhibitPlan) -> list[Figure | PublicationTable]:
    """Make one exhibit for every population and subject that it is about."""
    kind = KINDS[plan.kind]
    pairs = [
        (population, subject)
        for population, subject in sheet.pairs
        if (not plan.populations or population in plan.populations)
        and (not plan.subjects or subject in plan.subjects)
    ]
    made: list[Figure | PublicationTable] = []
    if not kind.is_of_pair:
        try:
            return list(kind.make(sheet, plan, pairs))
        except NothingToShowError:
            pairs = []
    for population, subject in pairs:
        try:
            made += kind.make(sheet, plan, population, subject)
        except NothingToShowError:
            continue
    if made:
        return made
    if plan.if_missing == "refuse":
        raise EstimationError(
            f"The table of estimates holds nothing for the exhibit {plan.kind!r} by {', '.join(plan.by)}.",
            hint='Estimate it, take the exhibit out of the specification, or set if_missing = "leave_out".',
            param="estimates",
            got=plan.kind,
        )
    sheet.left_out[plan.kind] = None
    return []


def _section(sheet: Sheet, plan: SectionPlan, made: Made, words: tuple[str, ...]) -> Section:
    """Put sentences, figures, tables and the unit's own words together."""
    rules = [name for name in plan.sentences if not (words and name in FOR_THE_UNIT)]
    said = [sentence for name in rules for sentence in SENTENCES[name].write(sheet)]
    figures, tables = made
    return Section(
        key=plan.key,
        heading=in_language(plan.heading, sheet.texts),
        paragraphs=(*said, *words),
        figures=figures,
        tables=tables,
        left_to_unit=plan.left_to_unit and not words,
    )
