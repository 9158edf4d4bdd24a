"""What would become of rows of pupils."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.utils.translation import gettext as _

from dienrong.accounts.permissions import Scope
from dienrong.core.row_changes import RowChange
from dienrong.registry.models import School
from dienrong.rosters import codes
from dienrong.rosters.models import PersonKind, Student, StudentPlace
from dienrong.rosters.queries import people
from dienrong.rosters.queries.people import Row, Rows

KIND = PersonKind.STUDENT
CODE = people.CODE_COLUMN[KIND]
STUDYING = StudentPlace.Status.STUDYING


@dataclasses.dataclass(slots=True)
class StudentRow(Row):
    """A row of a pupil, with what is kept of the pupil and of the year's places."""

    student: Student | None = None
    places: list[StudentPlace] = dataclasses.field(default_factory=list)

    @property
    def here(self) -> StudentPlace | None:
        """The place at the school of the row."""
        key = self.school.pk if self.school else None
        return next((place for place in self.places if place.school_id == key), None)

    @property
    def elsewhere(self) -> StudentPlace | None:
        """The other school at which the pupil studies this year."""
        key = self.school.pk if self.school else None
        places = (place for place in self.places if place.school_id != key and place.status == STUDYING)
        return next(places, None)

    @property
    def status(self) -> str:
        """The state after the row."""
        return str(self.clean.get("status") or (self.here.status if self.here else STUDYING))


def compare_students(
    rows: Rows, *, scope: Scope, school_year: str, seen: dict[str, int] | None = None
) -> list[RowChange]:
    """Tell what would become of rows of pupils; nothing is changed.

    Parameters
    ----------
    rows : iterable of (int, mapping)
        At most 2,000 rows: the number in the file, and the cells by column code. Optional cells that are
        absent or None leave what is kept.
    scope : Scope
        Schools outside it are refused. A pupil who never had a place inside it is taken in only where name and
        date of birth agree, so that nothing can be learnt from a code alone.
    school_year : str
        The year of the places, such as ``"2026-2027"``.
    seen : dict, optional
        Hand the same dict to every call for one file: a code that an earlier call saw is refused as a double.
        It holds digests, no codes.

    Returns
    -------
    list of RowChange
        One per row, in order. **Names, dates of birth and numbers stand in ``values`` and ``changes``**:
        whoever keeps them seals them.
    """
    return [
        row.as_change(CODE) for row in plan_students(rows, scope=scope, school_year=school_year, seen=seen)
    ]


def plan_students(
    rows: Rows,
    *,
    scope: Scope,
    school_year: str,
    seen: dict[str, int] | None = None,
    are_clean: bool = False,
) -> list[StudentRow]:
    """Compare rows and keep beside each what is in the database; seven queries at most, whatever their number."""
    people.check_school_year(school_year)
    plans = people.read_rows(rows, KIND, seen=seen, are_clean=are_clean, row_class=StudentRow)
    people.find_schools(plans, scope)
    people.find_people(plans, KIND)
    study_ids = {row.entry.study_id for row in plans if row.entry is not None}
    people.refuse_strangers(plans, people.people_within(StudentPlace, "student", study_ids, scope), CODE)
    students = {student.pk: student for student in Student.objects.filter(pk__in=study_ids)}
    places: dict[str, list[StudentPlace]] = {}
    for place in StudentPlace.objects.filter(student__in=study_ids, school_year=school_year):
        places.setdefault(place.student_id, []).append(place)
    school_codes = _codes_of({place.school_id for found in places.values() for place in found})
    open_names = people.opens_names(scope)
    for row in plans:
        _check_grade(row)
        if row.entry is not None and not row.problems:
            row.student = students.get(row.entry.study_id)
            row.places = places.get(row.entry.study_id, [])
            _compare(row, school_codes, open_names=open_names)
        row.settle()
    return plans


def _codes_of(school_keys: set[int]) -> dict[int, str]:
    """Give the codes of schools by their keys."""
    return dict(School.objects.filter(pk__in=school_keys).values_list("pk", "school_id"))


def _check_grade(row: StudentRow) -> None:
    """Refuse a grade that the school does not teach."""
    if row.school is None or "grade" not in row.clean:
        return
    taught = codes.grades_taught(row.school.levels)
    if row.clean["grade"] not in taught:
        row.refuse(
            "grade",
            _("The school (%(levels)s) does not teach this grade.") % {"levels": row.school.levels},
            _("Check the grade; if the school teaches it now, its levels are changed first."),
        )


def _compare(row: StudentRow, school_codes: dict[int, str], *, open_names: bool) -> None:
    """Note every cell that differs from what is kept."""
    people.compare_identity(row, CODE, open_names=open_names)
    kept_of_student: dict[str, Any] = {
        "sex": row.student.sex if row.student else None,
        "has_special_needs": row.student.has_special_needs if row.student else None,
    }
    here, elsewhere = row.here, row.elsewhere
    before = here or (elsewhere if row.status == STUDYING else None)
    kept_of_place = {
        "school_id": school_codes[before.school_id] if before else None,
        "grade": before.grade if before else None,
        "class_name": before.class_name if before else None,
    }
    for column, kept in (kept_of_student | kept_of_place).items():
        said = row.clean.get(column)
        if said is not None and said != kept:
            row.changes[column] = (kept, said)
    if here is not None and row.status != here.status:
        row.changes["status"] = (here.status, row.status)
    elif here is None and row.status != STUDYING:
        row.changes["status"] = (None, row.status)
