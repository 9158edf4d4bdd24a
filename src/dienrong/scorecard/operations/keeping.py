"""What people write: a confirmation, a reminder, official totals."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.recording import ObjectName
from dienrong.core.refusals import Conflict, Refusal
from dienrong.core.text import clean_text
from dienrong.registry.models import AdministrativeUnit, School
from dienrong.scorecard.models import Finding, OfficialTotal, Reminder, Severity
from dienrong.scorecard.operations.checking import check_provinces, check_schools

MOST_LINES = 2000


class ErrorsOpen(Conflict):
    """The school's data hold errors; they are mended before they are confirmed."""

    code = "scorecard.errors_open"


class TotalsRefused(Refusal):
    """Lines of official totals are malformed; nothing was written."""

    code = "scorecard.totals_refused"


@transaction.atomic
def confirm_school(*, school: School, by: Any) -> School:
    """Let a person confirm that a school's data are right; the school is checked anew before and after.

    Raises
    ------
    ErrorsOpen
        If an error is open, or the school is closed; nothing is written.
    """
    held = School.objects.select_for_update().get(pk=school.pk)
    if not held.is_open:
        raise ErrorsOpen(_("The school is closed; there is nothing to confirm."))
    check_schools(school_keys=[held.pk])
    n_errors = open_errors(held)
    if n_errors:
        raise ErrorsOpen(
            ngettext(
                "%(n)d error is still open, so the data cannot be confirmed yet.",
                "%(n)d errors are still open, so the data cannot be confirmed yet.",
                n_errors,
            )
            % {"n": n_errors},
            hint=_("Please mend what stands under “What is missing”, then confirm."),
        )
    before = {"confirmed_at": held.confirmed_at, "confirmed_by": str(held.confirmed_by or "")}
    held.confirmed_at, held.confirmed_by = clock.now(), by
    held.save(update_fields=["confirmed_at", "confirmed_by"])
    record(
        action="scorecard.school_confirmed",
        actor=by,
        obj=held,
        before=before,
        after={"confirmed_at": held.confirmed_at, "n_warnings": open_warnings(held)},
    )
    check_schools(school_keys=[held.pk])
    return held


def open_errors(school: School) -> int:
    """Count the open errors of a school."""
    return Finding.objects.filter(school=school, is_open=True, severity=Severity.ERROR).count()


def open_warnings(school: School) -> int:
    """Count the open warnings of a school."""
    return Finding.objects.filter(school=school, is_open=True, severity=Severity.WARNING).count()


@transaction.atomic
def remind_school(*, school: School, by: Any) -> Reminder:
    """Write down that a school was reminded, with what stood open."""
    reminder = Reminder.objects.create(
        school=school,
        sent_at=clock.now(),
        sent_by=by,
        n_errors=open_errors(school),
        n_warnings=open_warnings(school),
    )
    record(
        action="scorecard.school_reminded",
        actor=by,
        obj=school,
        after={"n_errors": reminder.n_errors, "n_warnings": reminder.n_warnings},
    )
    return reminder


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTotal:
    """One official total."""

    province_code: str
    school_year: str
    part: str
    n_students: int
    n_schools: int | None
    source: str


@transaction.atomic
def set_total(*, total: NewTotal, by: Any) -> OfficialTotal:
    """Write one official total, new or in place of the present one; the province is checked anew."""
    (row,) = write_all([total], by)
    return row


@transaction.atomic
def remove_total(*, total: OfficialTotal, by: Any) -> None:
    """Take an official total away."""
    record(
        action="scorecard.total_removed",
        actor=by,
        obj=ObjectName("scorecard.officialtotal", str(total.pk), str(total)),
        before=_facts(total),
    )
    code = total.province_code
    total.delete()
    check_provinces(codes=[code])


@transaction.atomic
def import_totals(*, text: str, source: str, by: Any, allowed: frozenset[str] | None = None) -> int:
    """Take lines pasted from a sheet: province code, school year, level or grade, schools, pupils.

    Parameters
    ----------
    allowed : frozenset of str or None
        Provinces whose totals the person may write; None is all.

    Raises
    ------
    TotalsRefused
        If a line is malformed; the sentence names up to five lines, and nothing is written.
    """
    lines = [(at, line) for at, line in enumerate(text.splitlines(), start=1) if line.strip()][
        : MOST_LINES + 1
    ]
    if not lines:
        raise TotalsRefused(_("There is no line to take."), hint=_("Paste the lines of the sheet."))
    if len(lines) > MOST_LINES:
        raise TotalsRefused(_("At most %(n)d lines are taken at once.") % {"n": MOST_LINES})
    known = set(
        AdministrativeUnit.objects.filter(
            level=AdministrativeUnit.Level.PROVINCE, valid_to__isnull=True
        ).values_list("code", flat=True)
    )
    totals, faults = [], []
    for at, line in lines:
        try:
            totals.append(_read_line(line, source, known if allowed is None else known & allowed))
        except ValueError as error:
            faults.append(_("line %(at)d: %(what)s") % {"at": at, "what": error})
    if faults:
        raise TotalsRefused(
            _("Some lines cannot be taken; nothing was written."), hint="; ".join(faults[:5]) + "."
        )
    return len(write_all(totals, by))


def _read_line(line: str, source: str, provinces: set[str]) -> NewTotal:
    """Read one line; the cells are parted by tabs or semicolons."""
    cells = [clean_text(cell) for cell in re.split(r"[\t;]", line)]
    if len(cells) != 5:
        raise ValueError(_("five cells are expected, %(n)d found") % {"n": len(cells)})
    code, year, part, n_schools, n_students = cells
    code = code.zfill(2)
    if code not in provinces:
        raise ValueError(_("%(code)s is no province of yours") % {"code": code})
    if not re.fullmatch(r"20\d\d-20\d\d", year) or int(year[5:]) != int(year[:4]) + 1:
        raise ValueError(_("%(year)s is no school year") % {"year": year})
    part = part.upper()
    if part not in OfficialTotal.Part.values:
        raise ValueError(_("%(part)s is no level or grade") % {"part": part})
    return NewTotal(
        province_code=code,
        school_year=year,
        part=part,
        n_schools=_whole(n_schools) if n_schools else None,
        n_students=_whole(n_students),
        source=source,
    )


def _whole(text: str) -> int:
    """Read a whole number, whatever parts its thousands."""
    digits = re.sub(r"[.,\s]", "", text)
    if not re.fullmatch(r"[0-9]{1,9}", digits):
        raise ValueError(_("%(text)s is no whole number") % {"text": text})
    return int(digits)


def write_all(totals: list[NewTotal], by: Any) -> list[OfficialTotal]:
    """Write totals with one audit entry, and check their provinces."""
    rows, before, after = [], [], []
    for total in totals:
        key = {"province_code": total.province_code, "school_year": total.school_year, "part": total.part}
        present = OfficialTotal.objects.filter(**key).first()
        if present is not None:
            before.append(_facts(present))
        row, _is_new = OfficialTotal.objects.update_or_create(
            **key,
            defaults={
                "n_students": total.n_students,
                "n_schools": total.n_schools,
                "source": total.source,
                "changed_at": clock.now(),
                "changed_by": by,
            },
        )
        rows.append(row)
        after.append(_facts(row))
    record(
        action="scorecard.totals_written",
        actor=by,
        obj=ObjectName("scorecard.officialtotal", "", source_of(totals)),
        before=before[:20],
        after={"n": len(after), "first": after[:20]},
    )
    check_provinces(codes={total.province_code for total in totals})
    return rows


def source_of(totals: list[NewTotal]) -> str:
    """Name the source of some totals."""
    return totals[0].source if totals else ""


def _facts(row: OfficialTotal) -> dict[str, Any]:
    """The facts of a total for the audit log."""
    return {
        "province": row.province_code,
        "school_year": row.school_year,
        "part": row.part,
        "n_schools": row.n_schools,
        "n_students": row.n_students,
        "source": row.source,
    }
