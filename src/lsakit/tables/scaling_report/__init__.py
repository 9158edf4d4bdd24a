"""The report of a scaling: what was scaled, how, what was found and decided, and where it lies.

A report is data (`lsakit.tables.report.Report`): its sections are written by rules from the tables of a run, so that
the page, the PDF, the Word file and the workbook say the same. The sentences give findings with their numbers and
judge nothing. No table of single students is ever in it.
"""

from __future__ import annotations

from lsakit.errors import LsakitError
from lsakit.tables.report import Report
from lsakit.tables.scaling_report import closing, design, items, results
from lsakit.tables.scaling_report.facts import DecisionFact, Outputs, ScalingFacts, Sheet, StageFact
from lsakit.tables.texts import Texts

__all__ = ["DecisionFact", "ScalingFacts", "StageFact", "build_scaling_report"]

PARTS = (
    closing.summary,
    design.data,
    design.options,
    items.classical,
    design.calibration,
    items.parameters,
    items.fit,
    items.dif,
    results.link,
    results.population,
    results.values,
    results.scale,
    closing.decisions,
    closing.lineage,
)
"""The sections in order; one that has nothing to tell is left out."""


def build_scaling_report(outputs: Outputs, facts: ScalingFacts, *, language: str) -> Report:
    """Compose the report of a scaling run.

    Parameters
    ----------
    outputs : Mapping of str to Mapping
        Tables and records of the run, by stage and role, as `lsakit.pipeline.scaling.run_scaling` left them.
    facts : ScalingFacts
        What is known beside them.
    language : str
        ``"vi"`` or ``"en"``.

    Returns
    -------
    Report
        The report, to be shown or handed to `report_pdf`, `report_docx` or `report_xlsx`.

    Raises
    ------
    LsakitError
        If the run has no stage that could be told.
    """
    if not outputs:
        raise LsakitError(
            "The run has left no stage, so there is nothing to report.",
            hint="Report a run that is done, or one that was stopped after its first stage.",
            param="outputs",
        )
    sheet = Sheet(outputs, facts, Texts(language))
    sections = tuple(section for section in (part(sheet) for part in PARTS) if section is not None)
    words = {"title": facts.title, "cycle": facts.cycle, "subject": facts.subject, "run": facts.run}
    return Report(
        title=sheet.say("report.title", **words),
        subtitle=sheet.say("report.subtitle", **words),
        language=language,
        province=None,
        sections=sections,
        source_line=sheet.say("report.source_line", software=facts.software, **words),
    )
