"""Estimates, report parts and traces of lsakit as plain values for the pages; no ORM here.

Everything is read from the manifests of one run, named by the caller: a later run in the same store never
changes a page that was published from an earlier one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from dienrong.reporting.numeric.words import Words, with_words
from lsakit.errors import LineageError, LsakitError
from lsakit.lineage import Manifest, Store
from lsakit.tables import OfficialForm as Official
from lsakit.tables import report_docx
from lsakit.tables.exhibits import naming
from lsakit.tables.figures import MINIMUM_PROFICIENCY, Figure
from lsakit.tables.publication import one, reason_of
from lsakit.tables.report import Report, ReportCycle, Section, build_report
from lsakit.tables.report_files import report_pdf, report_xlsx
from lsakit.tables.texts import Texts

__all__ = ["Official"]
ESTIMATES_ROLE, PARTICIPATION_ROLE, GROUPS_ROLE = "estimates", "participation", "analysis_groups"
MOST_ROWS, MOST_PAIRS = 6, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a page rests on: a store, the manifests of a run's estimates by grade, and that of its report."""

    store_path: Path
    manifest_ids: tuple[str, ...]
    report_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """In which language a report speaks, and what it calls places and the cycle."""

    language: str
    names: tuple[tuple[str, str], ...]
    cycle_title: str


@lru_cache(maxsize=8)
def estimates(source: Source) -> Any:
    """Read the estimates of a run, all grades in one table; each read is checked against its hash."""
    store = Store(source.store_path, create=False)
    parts = []
    for manifest_id in source.manifest_ids:
        outputs = store.manifest(manifest_id).outputs
        parts.append(store.table(outputs[ESTIMATES_ROLE].hash))
    return pl.concat(parts, how="vertical_relaxed")


def provinces(source: Source) -> tuple[str, ...]:
    """List the codes of the provinces that the estimates speak of, in administrative order."""
    means = (pl.col("by") == "province_code") & (pl.col("statistic") == "mean")
    groups = estimates(source).filter(means).get_column("group")
    return tuple(sorted(set(groups.to_list())))


@lru_cache(maxsize=256)
def report(
    source: Source,
    wording: Wording,
    population: str = "",
    subject: str = "",
    province: str = "",
    words: Words | None = None,
) -> Report:
    """Compose the report of the nation or a province; of one grade and subject where they are named.

    What an office wrote stands in it where ``words`` are given.
    """
    table = estimates(source)
    if population:
        table = table.filter((pl.col("population") == population) & (pl.col("subject") == subject))
    found = build_report(
        table,
        language=wording.language,
        names=dict(wording.names),
        cycle=_rules(source, wording.cycle_title),
        province=province or None,
    )
    return with_words(found, words) if words else found


@lru_cache(maxsize=16)
def press_note(source: Source, wording: Wording, paragraphs: tuple[str, ...]) -> Report:
    """Compose the press note of the nation with the ministry's own paragraphs."""
    return build_report(
        estimates(source),
        language=wording.language,
        names=dict(wording.names),
        cycle=_rules(source, wording.cycle_title),
        specification="press_note",
        words={"follow": paragraphs} if paragraphs else {},
    )


def word_of(found: Report, official: Official) -> bytes:
    """Write a composed report as a Word file in the official form."""
    return report_docx(found, form=official)


def printed_of(found: Report) -> bytes:
    """Print a composed report as PDF."""
    return report_pdf(found)


@lru_cache(maxsize=8)
def participation(source: Source) -> Any:
    """Read the sampling outcomes of a run; None where the run did not count them."""
    store = Store(source.store_path, create=False)
    outputs = [store.manifest(manifest_id).outputs for manifest_id in source.manifest_ids]
    counted = [store.table(own[PARTICIPATION_ROLE].hash) for own in outputs if PARTICIPATION_ROLE in own]
    return pl.concat(counted, how="vertical_relaxed") if counted else None


RULES = ("n_plausible_values", "n_replicates", "minimum_students", "minimum_schools")
LATER_RULES = ("year", "earlier_year")


def _rules(source: Source, title: str) -> ReportCycle:
    """Give the rules under which a run was reported, from the manifest of its report."""
    parameters = Store(source.store_path, create=False).manifest(source.report_id).parameters
    known: dict[str, Any] = {name: int(parameters[name]) for name in RULES}
    known |= {name: int(parameters[name]) for name in LATER_RULES if name in parameters}
    return ReportCycle(
        title=title,
        cuts=tuple(float(cut) for cut in parameters.get("cuts", ())),
        regions=regions(source),
        participation=participation(source),
        **known,
    )


@lru_cache(maxsize=8)
def regions(source: Source) -> dict[str, str]:
    """Say which region each province of a run lies in, by the groups of its students."""
    store = Store(source.store_path, create=False)
    found: dict[str, str] = {}
    for manifest_id in source.manifest_ids:
        groups = store.table(store.manifest(manifest_id).outputs[GROUPS_ROLE].hash)
        pairs = groups.select("province_code", "region6").drop_nulls().unique(maintain_order=True).rows()
        found |= dict(pairs)
    return found


def figure_of(found: Report, key: str) -> Figure | None:
    """Find a figure of a report by its key."""
    figures = (figure for section in found.sections for figure in section.figures)
    return next((figure for figure in figures if figure.key == key), None)


def figure_workbook(found: Report, figure: Figure) -> bytes:
    """Write the table behind one figure as an Excel workbook."""
    section = Section(key="figure", heading=figure.title, figures=(figure,))
    return report_xlsx(replace(found, sections=(section,)))


def workbook(found: Report) -> bytes:
    """Write all tables of a report as an Excel workbook."""
    return report_xlsx(found)


@lru_cache(maxsize=40)
def printed(source: Source, wording: Wording, province: str = "", words: Words | None = None) -> bytes:
    """Print the whole report of the nation or a province as PDF."""
    return report_pdf(report(source, wording, province=province, words=words))


@lru_cache(maxsize=20)
def word(
    source: Source, wording: Wording, official: Official, province: str = "", words: Words | None = None
) -> bytes:
    """Write the whole report of the nation or a province as a Word file in the official form."""
    return report_docx(report(source, wording, province=province, words=words), form=official)


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The two numbers that people ask for first."""

    population: str
    subject: str
    label: str
    mean: float
    mean_low: float
    mean_high: float
    share: float
    share_low: float
    share_high: float
    n: int
    n_schools: int
    mean_figure: str
    share_figure: str


@lru_cache(maxsize=32)
def headlines(source: Source, language: str) -> tuple[Headline, ...]:
    """Give mean and share at minimum proficiency of each grade and subject of the nation."""
    table = estimates(source)
    pairs = table.select("population", "subject").unique().sort("population", "subject").rows()
    found = []
    for population, subject in pairs:
        mean = one(table, population=population, subject=subject, statistic="mean")
        share = one(table, population=population, subject=subject, statistic=MINIMUM_PROFICIENCY)
        found.append(
            Headline(
                population=population,
                subject=subject,
                label=pair_name(population, subject, language),
                mean=mean["estimate"],
                mean_low=mean["ci_low"],
                mean_high=mean["ci_high"],
                share=share["estimate"],
                share_low=share["ci_low"],
                share_high=share["ci_high"],
                n=mean["n"],
                n_schools=mean["n_schools"],
                mean_figure=mean["figure_id"],
                share_figure=share["figure_id"],
            )
        )
    return tuple(found)


def subject_name(population: str, subject: str, language: str) -> str:
    """Name a subject in a grade: reading is Tiếng Việt in grade 5, Ngữ văn in grade 9."""
    return Texts(language).subject(population, subject)


def pair_name(population: str, subject: str, language: str) -> str:
    """Name a subject with its grade."""
    texts = Texts(language)
    return f"{texts.subject(population, subject)}, {texts.say(f'population.{population}').lower()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureFacts:
    """One published number, written in the language of the page."""

    id: str
    population: str
    subject: str
    province: str
    place: str
    sentence: str
    value: str
    error: str
    interval: str
    reason: str
    n: int
    n_schools: int


def figure_facts(source: Source, wording: Wording, figure_id: str) -> FigureFacts | None:
    """Find a published number by its code and write it; a suppressed one gives its reason."""
    found = estimates(source).filter(pl.col("figure_id") == figure_id).to_dicts()
    if not found:
        return None
    row, texts, names = found[0], Texts(wording.language), dict(wording.names)
    is_share = naming.is_share(str(row["statistic"]))
    grouping, group = str(row["by"] or "nation"), str(row["group"])
    province = group.partition("+")[0] if grouping.startswith("province_code") else ""
    label = naming.group_name(grouping, group, names, texts)
    place = (
        f"{texts.subject(row['population'], row['subject'])}, {texts.say('population.' + row['population'])}"
    )
    reason = reason_of(row, texts)

    def say(value: float | None) -> str:
        if value is None or not math.isfinite(value):
            return "–"
        return texts.share(value) if is_share else texts.number(value, 1)

    error = None if row["standard_error"] is None else row["standard_error"] * (100 if is_share else 1)
    return FigureFacts(
        id=figure_id,
        population=row["population"],
        subject=row["subject"],
        province=province,
        place=place,
        sentence=f"{place} · {statistic_name(row['statistic'], texts)} · {label}",
        value=say(row["estimate"]),
        error="–" if error is None else texts.number(error, 2),
        interval=f"{say(row['ci_low'])} – {say(row['ci_high'])}",
        reason=reason,
        n=row["n"],
        n_schools=row["n_schools"],
    )


def statistic_name(statistic: str, texts: Texts) -> str:
    """Name a statistic in the language of the page, by the words of the tables."""
    return naming.statistic_name(statistic, texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceCard:
    """One step of the walk back from a figure."""

    stage: str
    title: str
    sentence: str
    explanation: str
    manifest_id: str
    inputs: tuple[tuple[str, str], ...]
    outputs: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    pairs: tuple[tuple[str, ...], ...]
    n_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """The walk from a figure to its inputs, or why it cannot be walked."""

    cards: tuple[TraceCard, ...] = ()
    student_id: str = ""
    school_id: str = ""
    refusal: str = ""


def walk(source: Source, figure_id: str, language: str, *, student_id: str = "", school_id: str = "") -> Walk:
    """Walk from a figure of one run to the frame and the answers, following a student or a school.

    Walks whose tables are large take seconds; the last ones are remembered.
    """
    return _walk(source, figure_id, language, student_id, school_id)


@lru_cache(maxsize=64)
def _walk(source: Source, figure_id: str, language: str, student_id: str, school_id: str) -> Walk:
    """Walk once; see :func:`walk`."""
    from lsakit.pipeline.trace_sources import StoreSource
    from lsakit.pipeline.tracing import trace_from

    class RunSource(StoreSource):
        """The store as one run left it, whatever was run later."""

        def estimates(self, grade: int) -> Manifest:
            """Give the estimates of the run, not those of the newest one."""
            return estimates_of_grade(self.store, source.manifest_ids, grade)

    try:
        found = trace_from(
            RunSource(Store(source.store_path, create=False)),
            figure_id,
            student_id=student_id or None,
            school_id=school_id or None,
            language=language,
        )
    except LsakitError as refusal:
        return Walk(refusal=refusal.sentence)
    cards = tuple(_card(step) for step in found.steps)
    return Walk(cards=cards, student_id=found.student_id, school_id=found.school_id)


def estimates_of_grade(store: Store, manifest_ids: tuple[str, ...], grade: int) -> Manifest:
    """Find the manifest of a grade's estimates among those of a run."""
    for manifest in map(store.manifest, manifest_ids):
        if manifest.parameters.get("population") == f"grade{grade}":
            return manifest
    raise LineageError(
        f"This report holds no estimates of grade {grade}.",
        param="figure",
        hint="Choose a figure of the report.",
    )


def _card(step: Any) -> TraceCard:
    """Reduce one step of a walk to plain values."""
    shown = step.rows.head(MOST_PAIRS if step.rows.width == 2 else MOST_ROWS)
    rows = tuple(tuple(cell_text(cell) for cell in row) for row in shown.iter_rows())
    one_row = step.rows.height == 1 and step.rows.width > 2
    pairs = tuple(zip(shown.columns, rows[0], strict=True)) if one_row else ()
    if step.rows.width == 2 and step.rows.height > MOST_ROWS:
        pairs = rows
    return TraceCard(
        stage=step.stage,
        title=step.title,
        sentence=step.sentence,
        explanation=step.explanation,
        manifest_id=step.manifest_id,
        inputs=tuple(sorted(step.inputs.items())),
        outputs=tuple(sorted(step.outputs.items())),
        columns=tuple(shown.columns),
        rows=() if pairs else rows,
        pairs=pairs,
        n_rows=step.rows.height,
    )


def cell_text(cell: Any) -> str:
    """Write a cell as it stands in the table: full identifiers, six significant digits, null as a dash."""
    if cell is None:
        return "–"
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One statistic of a real study, ours beside the reference."""

    study: str
    group: str
    statistic: str
    estimate: float
    standard_error: float | None
    reference_estimate: float
    reference_standard_error: float | None
    difference: float
    peer: str


def compare_real_data(folder: Path) -> tuple[Comparison, ...]:
    """Estimate the real studies of a folder and set each statistic beside its reference."""
    from lsakit.pipeline.real_data import compare_real_data as compare

    names = set(Comparison.__slots__) - {"group"}
    return tuple(
        Comparison(group=_compared_group(row), **{name: row[name] for name in names})
        for row in compare(folder).table.to_dicts()
    )


def _compared_group(row: dict[str, Any]) -> str:
    """Name what a row of the comparison is about: population, subject, group, rule of the standard error."""
    parts = [row["population"], row["subject"], "" if row["group"] == "all" else row["group"], row["rule"]]
    return " · ".join(str(part) for part in parts if part)
