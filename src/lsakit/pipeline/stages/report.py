"""Stage "report": which figure stands where, and the national and provincial reports as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import polars as pl

from lsakit.datasets.units import REGIONS
from lsakit.lineage import Step, StepCall
from lsakit.tables import charts
from lsakit.tables.report import Report, ReportCycle, build_report
from lsakit.tables.report_files import report_pdf, report_xlsx
from lsakit.tables.word import report_docx

LANGUAGES = ("vi", "en")
DEFAULT_YEARS = (2023, 2026)
OF_THE_NATION = ("national", "press_note")


def unit_names(provinces: pl.DataFrame) -> dict[str, str]:
    """Name provinces and regions by their codes.

    Parameters
    ----------
    provinces : polars.DataFrame
        Columns code, name.

    Returns
    -------
    dict of str to str
        Names by code.
    """
    return {**REGIONS, **dict(provinces.select("code", "name").rows())}


def region_of(provinces: pl.DataFrame) -> dict[str, str]:
    """Name the region of each province, where the table of provinces says it.

    Parameters
    ----------
    provinces : polars.DataFrame
        Columns code and, where known, region6.

    Returns
    -------
    dict of str to str
        Regions by code of the province.
    """
    if "region6" not in provinces.columns:
        return {}
    return dict(provinces.select(pl.col("code").cast(pl.String), "region6").rows())


def report_cycle(parameters: Mapping[str, Any], language: str) -> ReportCycle:
    """Give a report what it must know of its cycle.

    Parameters
    ----------
    parameters : Mapping of str to object
        Parameters of the stage.
    language : str
        ``"vi"`` or ``"en"``.

    Returns
    -------
    ReportCycle
        Title and rules.
    """
    return ReportCycle(
        title=str(parameters["titles"][language]),
        n_plausible_values=int(parameters["n_plausible_values"]),
        n_replicates=int(parameters["n_replicates"]),
        minimum_students=int(parameters["minimum_students"]),
        minimum_schools=int(parameters["minimum_schools"]),
        year=int(parameters.get("year", DEFAULT_YEARS[1])),
        earlier_year=int(parameters.get("earlier_year", DEFAULT_YEARS[0])),
        cuts=tuple(float(cut) for cut in parameters.get("cuts", ())),
    )


def outline(report: Report) -> dict[str, Any]:
    """Reduce a report to its headings, sentences and the codes of its figures.

    Parameters
    ----------
    report : Report
        The report.

    Returns
    -------
    dict of str to object
        ``title``, ``language``, ``province`` and ``sections`` with ``figure_ids``: the report as data, to be
        drawn anywhere.
    """
    sections = []
    for section in report.sections:
        tables = [figure.table for figure in section.figures] + list(section.tables)
        codes = [code for table in tables for code in table.figure_ids if code]
        sections.append(
            {
                "key": section.key,
                "heading": section.heading,
                "paragraphs": list(section.paragraphs),
                "figures": [figure.key for figure in section.figures],
                "figure_ids": list(dict.fromkeys(codes)),
                "left_to_unit": section.left_to_unit,
            }
        )
    return {
        "title": report.title,
        "subtitle": report.subtitle,
        "language": report.language,
        "province": report.province,
        "source_line": report.source_line,
        "sections": sections,
    }


def run_language(call: StepCall) -> dict[str, Any]:
    """Compose every report of a cycle in one language: national, press note, one per province.

    Parameters
    ----------
    call : StepCall
        Inputs ``provinces``, ``estimates_<grade>`` and where there are such ``participation_<grade>``; parameters
        ``language``, ``titles``, ``with_files`` and the rules that the reports state.

    Returns
    -------
    dict of str to object
        ``specification`` (the reports as data); with files also ``national_<language>_pdf`` and ``…_xlsx``,
        ``press_note_<language>_pdf`` and ``…_docx``, ``province_<code>_<language>_pdf`` and ``…_xlsx``.
    """
    return _composed(call, (str(call.parameters["language"]),))


def run_report(call: StepCall) -> dict[str, Any]:
    """Put the reports of all languages together, or compose them where no stage has done so.

    Parameters
    ----------
    call : StepCall
        Inputs ``outline_<language>``; or those of `run_language`.

    Returns
    -------
    dict of str to object
        ``specification``; the files too, where they were not written by the stages of the languages.
    """
    outlines = [value for role, value in sorted(call.inputs.items()) if role.startswith("outline_")]
    if not outlines:
        return _composed(call, LANGUAGES)
    merged: dict[str, Any] = {}
    for one in outlines:
        merged |= one
    return {"specification": merged}


def _composed(call: StepCall, languages: Sequence[str]) -> dict[str, Any]:
    """Compose the reports of some languages."""
    inputs, with_files = call.inputs, bool(call.parameters["with_files"])
    names = unit_names(inputs["provinces"])
    estimates = pl.concat([table for role, table in sorted(inputs.items()) if role.startswith("estimates_")])
    counted = [table for role, table in sorted(inputs.items()) if role.startswith("participation_")]
    participation = pl.concat(counted) if counted else None
    by_province = estimates.filter((pl.col("by") == "province_code") & (pl.col("statistic") == "mean"))
    codes = by_province.get_column("group").unique().sort().to_list()
    regions = region_of(inputs["provinces"])
    outlines: dict[str, Any] = {}
    files: dict[str, Any] = {}
    wanted = [(language, kind, None) for language in languages for kind in OF_THE_NATION]
    wanted += [(language, "province", code) for language in languages for code in codes]
    for place, (language, kind, code) in enumerate(wanted):
        call.progress(f"report {code or kind} ({language})", place / len(wanted))
        with nullcontext() if with_files else charts.undrawn():
            report = build_report(
                estimates,
                language=language,
                names=names,
                cycle=replace(
                    report_cycle(call.parameters, language), participation=participation, regions=regions
                ),
                province=code,
                specification=kind,
            )
        name = f"{kind}_{language}" if code is None else f"province_{code}_{language}"
        outlines[name] = outline(report)
        if with_files:
            files[f"{name}_pdf"] = report_pdf(report)
            if kind == "press_note":
                files[f"{name}_docx"] = report_docx(report)
            else:
                files[f"{name}_xlsx"] = report_xlsx(report)
    return {"specification": outlines, **files}


_TABLES = ("estimates_5", "estimates_9", "participation_5", "participation_9")
LANGUAGE_REPORTS = Step(
    name="language_reports",
    version=1,
    title="national and provincial reports and press note of one language",
    run=run_language,
    inputs=("provinces",),
    optional_inputs=_TABLES,
)
REPORT = Step(
    name="report",
    version=2,
    title="national and provincial reports",
    run=run_report,
    inputs=(),
    optional_inputs=("provinces", "outline_vi", "outline_en", *_TABLES),
)
