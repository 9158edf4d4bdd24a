"""The report of a run: composed by lsakit from the tables of its stages, then shown, printed or written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from dienrong.scaling.numeric.results import ResultGoneError
from lsakit.errors import LsakitError
from lsakit.lineage import Manifest, Store
from lsakit.tables import OfficialForm, report_docx, report_pdf, report_xlsx
from lsakit.tables.report import Report, in_print
from lsakit.tables.scaling_report import DecisionFact, ScalingFacts, StageFact, build_scaling_report

__all__ = ["Report", "compose", "figure_of", "sections_of", "written"]


def compose(
    store_path: Path, manifests: Mapping[str, str], facts: Mapping[str, Any], language: str
) -> Report:
    """Compose the report of a run; the same run and words are composed once per process.

    Parameters
    ----------
    store_path : Path
        Folder of the store.
    manifests : Mapping of str to str
        Manifest by stage.
    facts : Mapping of str to object
        What `lsakit.tables.scaling_report.ScalingFacts` asks for as plain values; dates in ISO form; ``items`` is the
        hash of the table of items or empty.
    language : str
        ``"vi"`` or ``"en"``.

    Returns
    -------
    Report
        The report.

    Raises
    ------
    ResultGoneError
        If an artefact is missing or was changed.
    """
    try:
        return _composed(
            Path(store_path),
            tuple(manifests.items()),
            json.dumps(facts, ensure_ascii=False, sort_keys=True),
            language,
        )
    except LsakitError as error:
        raise ResultGoneError(error.sentence) from error


@lru_cache(maxsize=16)
def _composed(store_path: Path, manifests: tuple[tuple[str, str], ...], facts: str, language: str) -> Report:
    """Read the outputs of the stages and compose."""
    store = Store(store_path, create=False)
    read = {stage: store.manifest(manifest_id) for stage, manifest_id in manifests}
    outputs = {
        stage: {role: store.load(one.hash) for role, one in manifest.outputs.items()}
        for stage, manifest in read.items()
    }
    return build_scaling_report(outputs, _facts(store, read, json.loads(facts)), language=language)


def _facts(store: Store, manifests: Mapping[str, Manifest], given: dict[str, Any]) -> ScalingFacts:
    """Turn plain values into what the report asks for."""
    items = given.pop("items")
    decisions = tuple(
        DecisionFact(**{**one, "groups": tuple(one["groups"]), "day": _day(one["day"])})
        for one in given.pop("decisions")
    )
    stages = tuple(
        StageFact(
            stage=stage,
            manifest_id=manifest.id,
            step=manifest.step,
            version=str(manifest.step_version),
            outputs={role: one.hash for role, one in manifest.outputs.items()},
        )
        for stage, manifest in manifests.items()
    )
    return ScalingFacts(
        items=store.table(items) if items else None,
        decisions=decisions,
        stages=stages,
        day=_day(given.pop("day")),
        **given,
    )


def _day(text: str) -> date | None:
    """Read a day."""
    return date.fromisoformat(text) if text else None


def sections_of(report: Report) -> list[dict[str, Any]]:
    """Give the sections as a page shows them: tables that are too long for paper are named, not shown."""
    shown = []
    for section in report.sections:
        sentences, tables = in_print(section, report.language)
        shown.append(
            {
                "key": section.key,
                "heading": section.heading,
                "paragraphs": sentences,
                "figures": section.figures,
                "tables": tables,
            }
        )
    return shown


def figure_of(report: Report, key: str) -> str:
    """Give the drawing of a figure by its key; empty where there is none."""
    figures = (figure for section in report.sections for figure in section.figures)
    return next((figure.svg for figure in figures if figure.key == key), "")


def written(report: Report, ending: str, form: Mapping[str, Any]) -> bytes:
    """Write the report as a file.

    Parameters
    ----------
    report : Report
        The report.
    ending : str
        ``"pdf"``, ``"docx"`` or ``"xlsx"``.
    form : Mapping of str to object
        What the Word file bears as an official document, as `lsakit.tables.OfficialForm` names it.

    Returns
    -------
    bytes
        The file.
    """
    if ending == "docx":
        return report_docx(report, form=OfficialForm(**form))
    return report_pdf(report) if ending == "pdf" else report_xlsx(report)
