"""The downloads: errors by school, and the table of the provinces."""

from __future__ import annotations

import datetime
from typing import Any

from django.utils.translation import gettext as _

from dienrong.accounts.permissions import Scope
from dienrong.core.formats import day_text
from dienrong.scorecard import words
from dienrong.scorecard.models import Dimension, Severity
from dienrong.scorecard.numeric.workbook import Sheet, write_workbook
from dienrong.scorecard.queries import schools, units

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def errors_of_province(scope: Scope, *, unit: Any, today: datetime.date, commune_code: str = "") -> bytes:
    """Write the open findings of a province's schools, and a summary by commune."""
    findings = schools.findings_for_file(scope, province_code=unit.code, commune_code=commune_code)
    rows = (
        (
            one.school.commune.full_name,
            one.school.school_id,
            one.school.name,
            str(Severity(one.severity).label),
            str(Dimension(one.dimension).label),
            " · ".join(part for part in (words.row_title(one), words.cell_title(one.cell)) if part),
            one.value,
            words.sentence(one),
            words.hint(one),
            day_text(one.found_at),
        )
        for one in findings.iterator(2000)
    )
    title = _("Data to mend, %(unit)s, %(day)s") % {"unit": unit.full_name, "day": day_text(today)}
    found = Sheet(
        name=_("Data to mend"),
        title=title,
        headings=(
            _("Commune"),
            _("Code"),
            _("School"),
            _("Severity"),
            _("Dimension"),
            _("Cell"),
            _("Value"),
            _("What is wrong"),
            _("What to do"),
            _("Found on"),
        ),
        rows=rows,
        widths=(22, 12, 34, 11, 11, 22, 20, 60, 50, 12),
    )
    communes = [row for row in units.commune_rows(unit.code, today) if commune_code in ("", row.code)]
    summary = Sheet(
        name=_("By commune"),
        title=title,
        headings=(_("Commune"), *score_headings()),
        rows=[(row.name, *_numbers(row)) for row in communes],
        widths=(30, 10, 12, 10, 12, 10, 10, 10, 10, 10, 10),
    )
    return write_workbook((found, summary))


def provinces(today: datetime.date) -> bytes:
    """Write the table of the provinces."""
    sheet = Sheet(
        name=_("Provinces"),
        title=_("Data quality by province, %(day)s") % {"day": day_text(today)},
        headings=(_("Code"), _("Province"), *score_headings()),
        rows=[(row.code, row.name, *_numbers(row)) for row in units.province_rows(today)],
        widths=(8, 24, 10, 12, 10, 12, 10, 10, 10, 10, 10, 10),
    )
    return write_workbook((sheet,))


def score_headings() -> tuple[str, ...]:
    """Name the columns of a score."""
    return (
        _("Score"),
        _("Coverage (%)"),
        _("Schools"),
        _("Confirmed"),
        _("Errors"),
        _("Warnings"),
        *(str(dimension.label) for dimension in Dimension),
    )


def _numbers(row: units.UnitRow) -> tuple[Any, ...]:
    """The numbers of one unit; what could not be computed is said."""
    score = row.score
    if score is None:
        return (_("not computed"), None, 0, 0, 0, 0)
    return (
        words.score_text(None) if score.total is None else round(score.total, 1),
        None if score.coverage is None else round(100 * score.coverage, 1),
        score.n_schools,
        score.n_confirmed,
        score.n_errors,
        score.n_warnings,
        *(None if (value := getattr(score, one)) is None else round(value, 1) for one in Dimension.values),
    )
