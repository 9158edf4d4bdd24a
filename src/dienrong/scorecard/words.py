"""Findings, states and messages in words, in the reader's language."""

from __future__ import annotations

import datetime
import string
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext
from django.utils.translation import gettext as _

from dienrong.core.formats import day_text, number_text, percent_text
from dienrong.registry.models import School
from dienrong.scorecard import rule_set
from dienrong.scorecard.models import Finding, OfficialTotal, SchoolState
from dienrong.scorecard.numeric import tables
from dienrong.scorecard.numeric.rules import Rule

CELLS = {
    "school_id": gettext_lazy("Code"),
    "name": gettext_lazy("School name"),
    "kind": gettext_lazy("Kind of institution"),
    "levels": gettext_lazy("Levels"),
    "commune_code": gettext_lazy("Commune"),
    "province_code": gettext_lazy("Province"),
    "area": gettext_lazy("Area"),
    "sector": gettext_lazy("Owner"),
    "managed_by": gettext_lazy("Managing body"),
    "boarding": gettext_lazy("Boarding"),
    "minority_share": gettext_lazy("Ethnic minority pupils"),
    "n_satellite_sites": gettext_lazy("Number of satellite sites"),
    "address": gettext_lazy("Postal address"),
    "phone": gettext_lazy("Telephone"),
    "email": gettext_lazy("E-mail"),
    "latitude": gettext_lazy("Coordinates"),
    "founded_date": gettext_lazy("Founding date"),
    "data_date": gettext_lazy("Day of the data"),
    "confirmed_date": gettext_lazy("Confirmation"),
    "school_year": gettext_lazy("School year"),
    "n_students": gettext_lazy("Pupils"),
    "n_classes": gettext_lazy("Classes"),
    "n_schools": gettext_lazy("Schools"),
    "counted_date": gettext_lazy("Day of the count"),
    "site_code": gettext_lazy("Site"),
    "n_listed": gettext_lazy("Pupils on class lists"),
    "n_listed_classes": gettext_lazy("Classes on class lists"),
    "largest_class": gettext_lazy("Class on class lists"),
}
OPEN_PLACES = {
    "name": "name",
    "site_name": "site_code",
    "commune_name": "commune_code",
    "old_commune_name": "commune_code",
    "commune_code": "school_id",
    "province_code": "school_id",
    "province_name": "province_code",
    "old_province_name": "province_code",
    "commune_province_name": "province_code",
    "part": "levels",
    "levels": "levels",
    "area": "area",
    "sector": "sector",
    "school_year": "school_year",
}
"""Columns whose open place is named in the general sentence of a rule, by the cell whose name stands for it."""
CODES: dict[str, Mapping[str, Any]] = {
    "kind": dict(School.Kind.choices),
    "area": dict(School.Area.choices),
    "sector": dict(School.Sector.choices),
    "managed_by": dict(School.ManagedBy.choices),
    "boarding": dict(School.Boarding.choices),
    "part": dict(OfficialTotal.Part.choices),
}


def language() -> str:
    """Give the language of the rules' texts that is spoken now."""
    return "en" if (get_language() or "vi").startswith("en") else "vi"


class _Filled(string.Formatter):
    """Fills a text with values as people here write them."""

    def __init__(self, kinds: Mapping[str, str]) -> None:
        self.kinds = kinds

    def get_value(self, key: Any, args: Any, kwargs: Any) -> Any:
        """Give a value in words; a dash where it is not known."""
        return value_text(str(key), kwargs.get(key), self.kinds.get(str(key), "text"))


def value_text(column: str, value: Any, kind: str) -> str:
    """Write one value of a wide table."""
    if value is None or value == "":
        return "–"
    if column in CODES:
        return str(CODES[column].get(value, value))
    if kind == "whole":
        return number_text(value)
    if kind == "number":
        return number_text(value, 2 if abs(value) < 1000 and value != int(value) else 0)
    if kind == "share":
        return percent_text(value, 1)
    if kind == "date":
        return day_text(datetime.date.fromisoformat(value)) if isinstance(value, str) else day_text(value)
    return str(value)


def sentence(finding: Finding) -> str:
    """Say what is wrong."""
    return _text(finding, "sentence")


def hint(finding: Finding) -> str:
    """Say what to do."""
    return _text(finding, "hint")


def _text(finding: Finding, which: str) -> str:
    """Fill a text of the finding's rule; a rule that is gone is named by its id."""
    rule = rule_set.rules().get(finding.rule)
    if rule is None:
        return finding.rule if which == "sentence" else ""
    text = getattr(rule, which)[language()]
    return _Filled(tables.kinds(rule.entity)).vformat(text, (), finding.params)


def rule_sentence(rule: Rule) -> str:
    """Say a rule in general: places of values are left open, those of units and codes are named."""
    parts = string.Formatter().parse(rule.sentence[language()])
    return "".join(
        text + ("" if place is None else _open_place(place)) for text, place, _form, _kind in parts
    )


def _open_place(column: str) -> str:
    """Write the open place of a column."""
    cell = OPEN_PLACES.get(column)
    return f"[{str(CELLS[cell]).lower()}]" if cell else "…"


def cell_title(cell: str) -> str:
    """Name a cell."""
    return str(CELLS.get(cell, cell))


def row_title(finding: Finding) -> str:
    """Name the row of a finding within its school: a grade, a site, a part of a total."""
    rule = rule_set.rules().get(finding.rule)
    if not finding.row or rule is None:
        return ""
    if rule.entity in ("enrolment", "roster"):
        return grade_title(int(finding.row))
    if rule.entity == "site":
        return _("Site %(code)s") % {"code": finding.row}
    first, _slash, rest = finding.row.partition("/")
    column = tables.ROW_KEYS[rule.entity][0]
    names = [str(CODES.get(column, {}).get(first, first)), str(CODES["sector"].get(rest, rest))]
    return " · ".join(name for name in names if name)


def grade_title(grade: int) -> str:
    """Name a grade; grade 0 is the kindergarten."""
    return (
        _("Kindergarten")
        if grade == 0
        else pgettext("group of classes", "Grade %(grade)s") % {"grade": grade}
    )


def score_text(value: float | None) -> str:
    """Write a score; what could not be computed is said, and what is less than 100 never reads 100."""
    if value is None:
        return _("not computed")
    return number_text(value if value >= 100 else min(value, 99.9), 1)


def state_of(state: SchoolState | None, confirmed_at: datetime.datetime | None) -> tuple[str, str]:
    """Give (shape, words) of a school's state: what stands between it and a confirmation."""
    if state is None:
        return "not_started", _("Not checked yet")
    if not state.has_data:
        return "attention", _("No pupils of this school year yet")
    if state.n_errors:
        return "attention", ngettext("%(n)s error to mend", "%(n)s errors to mend", state.n_errors) % {
            "n": number_text(state.n_errors)
        }
    if state.is_confirmed and confirmed_at:
        return "done", _("Confirmed on %(day)s") % {"day": day_text(confirmed_at)}
    return "in_progress", _("Ready to be confirmed")


MESSAGE_LINES = 8


def message(school: School, findings: Sequence[Finding], address: str) -> str:
    """Write the message to a school: formal, what is missing, where to go; no pupil's data."""
    lines = [
        _("Dear colleagues of %(school)s,") % {"school": school.name},
        "",
        _("The data of your school in the registry still need your care:"),
    ]
    if not findings:
        lines[-1] = _("The data of your school are complete and wait for your confirmation.")
    lines += [f"- {sentence(one)}" for one in findings[:MESSAGE_LINES]]
    more = len(findings) - MESSAGE_LINES
    if more > 0:
        lines.append("- " + ngettext("%(n)d more thing", "%(n)d more things", more) % {"n": more})
    lines += [
        "",
        _("Please look through them, mend them and confirm here: %(address)s") % {"address": address},
        _("Thank you very much."),
    ]
    return "\n".join(lines)
