"""What would become of rows of teachers and managers."""

from __future__ import annotations

import dataclasses

from dienrong.accounts.permissions import Scope
from dienrong.core.row_changes import RowChange
from dienrong.rosters.models import PersonKind, Staff, StaffPlace
from dienrong.rosters.queries import people
from dienrong.rosters.queries.people import Row, Rows

KIND = PersonKind.STAFF
CODE = people.CODE_COLUMN[KIND]
PLACE_CELLS = ("role", "position", "subjects", "grades")


@dataclasses.dataclass(slots=True)
class StaffRow(Row):
    """A row of a teacher or manager, with what is kept of the person and of the place at that school."""

    staff: Staff | None = None
    here: StaffPlace | None = None


def compare_staff(
    rows: Rows, *, scope: Scope, school_year: str, seen: dict[str, int] | None = None
) -> list[RowChange]:
    """Tell what would become of rows of teachers and managers; nothing is changed.

    Parameters and result are those of ``compare_students``. One person may work at several schools, so a place
    at another school stays as it is.
    """
    plans = plan_staff(rows, scope=scope, school_year=school_year, seen=seen)
    return [row.as_change(CODE) for row in plans]


def plan_staff(
    rows: Rows,
    *,
    scope: Scope,
    school_year: str,
    seen: dict[str, int] | None = None,
    are_clean: bool = False,
) -> list[StaffRow]:
    """Compare rows and keep beside each what is in the database; five queries at most, whatever their number."""
    people.check_school_year(school_year)
    plans = people.read_rows(rows, KIND, seen=seen, are_clean=are_clean, row_class=StaffRow)
    people.find_schools(plans, scope)
    people.find_people(plans, KIND)
    study_ids = {row.entry.study_id for row in plans if row.entry is not None}
    people.refuse_strangers(plans, people.people_within(StaffPlace, "staff", study_ids, scope), CODE)
    staff = {person.pk: person for person in Staff.objects.filter(pk__in=study_ids)}
    found = StaffPlace.objects.filter(staff__in=study_ids, school_year=school_year)
    places = {(place.staff_id, place.school_id): place for place in found}
    open_names = people.opens_names(scope)
    for row in plans:
        if row.entry is not None and not row.problems and row.school is not None:
            row.staff = staff.get(row.entry.study_id)
            row.here = places.get((row.entry.study_id, row.school.pk))
            _compare(row, open_names=open_names)
        row.settle()
    return plans


def _compare(row: StaffRow, *, open_names: bool) -> None:
    """Note every cell that differs from what is kept."""
    people.compare_identity(row, CODE, open_names=open_names)
    kept = {"sex": row.staff.sex if row.staff else None, "school_id": None}
    if row.here is not None:
        kept["school_id"] = row.clean["school_id"]
    kept |= {name: getattr(row.here, name) if row.here else None for name in PLACE_CELLS}
    for column, value in kept.items():
        said = row.clean.get(column)
        if said is not None and said != value:
            row.changes[column] = (value, said)
