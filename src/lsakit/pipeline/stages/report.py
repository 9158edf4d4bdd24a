"""Stage "report": which figure stands where, and the national and provincial reports as files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from lsakit.datasets.units import REGIONS
from lsakit.lineage import Step, StepCall
from lsakit.tables.report import Report, ReportCycle, build_report
from lsakit.tables.report_files import report_pdf, report_xlsx

LANGUAGES = ("vi", "en")


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


def run_report(call: StepCall) -> dict[str, Any]:
    """Compose the national report in both languages, and one report per province in Vietnamese.

    Parameters
    ----------
    call : StepCall
        Inputs ``provinces`` and ``estimates_<grade>``; parameters ``titles``, ``with_files`` and the rules
        that the reports state.

    Returns
    -------
    dict of str to object
        ``specification`` (the reports as data); with files also ``national_<language>_pdf``,
        ``national_<language>_xlsx``, ``province_<code>_vi_pdf`` and ``province_<code>_vi_xlsx``.
    """
    names = unit_names(call.inputs["provinces"])
    estimates = pl.concat([table for role, table in sorted(call.inputs.items()) if role != "provinces"])
    by_province = estimates.filter((pl.col("by") == "province_code") & (pl.col("statistic") == "mean"))
    provinces = by_province.get_column("group").unique().sort().to_list()
    wanted = [(language, None) for language in LANGUAGES] + [(LANGUAGES[0], code) for code in provinces]
    outlines: dict[str, Any] = {}
    files: dict[str, Any] = {}
    for place, (language, province) in enumerate(wanted):
        call.progress(f"report {province or 'national'} ({language})", place / len(wanted))
        report = build_report(
            estimates,
            language=language,
            names=names,
            cycle=report_cycle(call.parameters, language),
            province=province,
        )
        name = f"national_{language}" if province is None else f"province_{province}_{language}"
        outlines[name] = outline(report)
        if call.parameters["with_files"]:
            files[f"{name}_pdf"] = report_pdf(report)
            files[f"{name}_xlsx"] = report_xlsx(report)
    return {"specification": outlines, **files}


REPORT = Step(
    name="report",
    version=1,
    title="national and provincial reports",
    run=run_report,
    inputs=("provinces",),
    optional_inputs=("estimates_5", "estimates_9"),
)
