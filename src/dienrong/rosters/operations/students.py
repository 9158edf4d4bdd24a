"""Writing rows of pupils, and taking them back."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction

from dienrong.accounts.permissions import Scope, scope_of
from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.recording import ObjectName
from dienrong.core.row_changes import RowChange, Written
from dienrong.rosters import bulk, codes, vault
from dienrong.rosters.models import PersonKind, Student, StudentPlace, VaultEntry, new_study_id
from dienrong.rosters.operations import people
from dienrong.rosters.purposes import purpose_of_lists
from dienrong.rosters.queries.students import CODE, STUDYING, StudentRow, plan_students

TRAITS = ("sex", "birth_year", "birth_month", "is_minority", "has_special_needs")
PLACE_FIELDS = ("grade", "class_name", "status", "since", "until")
PLACE_KEY = ("student", "school_year", "school")
EVERYWHERE = Scope(is_national=True)


@transaction.atomic
def write_students(
    changes: Sequence[RowChange], *, by: Any | None, school_year: str, on_date: datetime.date | None = None
) -> list[Written]:
    """Write what ``compare_students`` found: new and changed rows, all or nothing.

    The rows are compared again within the scope of ``by`` (None is the system itself), so a pupil who was
    written meanwhile is never written twice. A pupil who is found keeps the study id, at whatever school and in
    whatever year; one who studied at another school this year is marked there as moved.

    Parameters
    ----------
    changes : sequence of RowChange
        At most 2,000, as ``compare_students`` gave them; their ``values`` are personal data.
    by : User or None
        Who writes.
    school_year : str
        The year of the places.
    on_date : datetime.date, optional
        The day on which pupils came or went; today where it is not given.

    Returns
    -------
    list of Written
        What was and what is kept, for ``undo_students``. The key is the study id. No name stands there in
        plain text, but the sealed entries do: **they are personal data and go when their time is over**.

    Raises
    ------
    RosterChanged
        If a row can no longer be taken; nothing is written.
    """
    scope = EVERYWHERE if by is None else scope_of(by)
    plans = plan_students(people.rows_of(changes), scope=scope, school_year=school_year, are_clean=True)
    people.demand_nothing_refused(plans)
    rows = [row for row in plans if row.verdict != "unchanged"]
    if not rows:
        return []
    writing = _Writing(school_year=school_year, on_date=on_date or clock.today())
    written = [writing.take(row) for row in rows]
    try:
        with transaction.atomic():
            writing.write()
    except IntegrityError as error:  # somebody wrote the same pupil in the same moment
        raise people.changed_meanwhile([row.number for row in rows]) from error
    people.tell_schools(writing.school_keys)
    record(
        action="rosters.students_written",
        actor=by,
        obj=ObjectName("rosters.students", school_year, school_year),
        after={
            "n_new": sum(row.verdict == "new" for row in rows),
            "n_changed": sum(row.verdict == "changed" for row in rows),
            "n_moved_from_other_schools": writing.n_moved,
            "n_schools": len(writing.school_keys),
        },
    )
    return written


@transaction.atomic
def undo_students(written: Sequence[Written], *, by: Any | None) -> None:
    """Take back what ``write_students`` wrote, all or nothing.

    Raises
    ------
    RosterChanged
        If one of the pupils was changed since, or the retention time of the identity is over.
    """
    if not written:
        return
    school_year = written[0].after["school_year"]
    present = _present(written, school_year)
    people.demand_same(written, present)
    people.demand_no_consent(written)
    new = {item.key: item.number for item in written if item.before is None}
    later = StudentPlace.objects.filter(student__in=new).exclude(school_year=school_year)
    if numbers := [new[study_id] for study_id in later.values_list("student_id", flat=True)]:
        raise people.changed_meanwhile(numbers)
    keys = {int(key) for item in written for key in item.after["places"]}
    StudentPlace.objects.filter(student__in=new, school_year=school_year).delete()
    VaultEntry.objects.filter(study_id__in=new).delete()
    Student.objects.filter(study_id__in=new).delete()
    _restore([item for item in written if item.before is not None], school_year)
    people.tell_schools(keys)
    record(
        action="rosters.students_undone",
        actor=by,
        obj=ObjectName("rosters.students", school_year, school_year),
        after={"n_removed": len(new), "n_restored": len(written) - len(new)},
    )


class _Writing:
    """The rows of one call, collected so that each table is written at once."""

    def __init__(self, *, school_year: str, on_date: datetime.date) -> None:
        self.school_year, self.on_date = school_year, on_date
        self.purpose = purpose_of_lists(PersonKind.STUDENT)
        self.sealer = vault.sealer()
        self.until = people.keep_until(school_year, self.purpose)
        self.students: list[Student] = []
        self.entries: list[VaultEntry] = []
        self.ended: list[StudentPlace] = []
        self.places: list[StudentPlace] = []
        self.school_keys: set[int] = set()
        self.n_moved = 0

    def take(self, row: StudentRow) -> Written:
        """Prepare the rows of one pupil; give what was and what will be."""
        is_new = row.entry is None
        before = None if is_new else self.state(row.student, row.entry, row.places)
        study_id = new_study_id() if row.entry is None else row.entry.study_id
        entry = people.entry_after(
            row,
            kind=PersonKind.STUDENT,
            code_column=CODE,
            study_id=study_id,
            purpose=self.purpose,
            until=self.until,
            sealer=self.sealer,
        )
        student = _student_after(row, study_id)
        places = self._places_after(row, study_id)
        self.students.append(student)
        self.entries.append(entry)
        return Written(
            number=row.number, key=study_id, before=before, after=self.state(student, entry, places)
        )

    def _places_after(self, row: StudentRow, study_id: str) -> list[StudentPlace]:
        """Give the year's places of a pupil after a row."""
        assert row.school is not None
        here = row.here or StudentPlace(
            student_id=study_id, school_id=row.school.pk, school_year=self.school_year, since=self.on_date
        )
        if row.status != here.status or here.pk is None:
            here.status = row.status
            here.until = None if row.status == STUDYING else self.on_date
        here.grade, here.class_name = row.clean["grade"], row.clean["class_name"]
        places = [here, *(place for place in row.places if place is not row.here)]
        left = row.elsewhere if row.status == STUDYING else None
        if left is not None:
            left.status, left.until = StudentPlace.Status.MOVED, self.on_date
            self.ended.append(left)
            self.school_keys.add(left.school_id)
            self.n_moved += 1
        (self.places if here.status == STUDYING else self.ended).append(here)
        self.school_keys.add(row.school.pk)
        return places

    def state(
        self, student: Student | None, entry: VaultEntry | None, places: Sequence[StudentPlace]
    ) -> dict[str, Any]:
        """Give all that is kept of a pupil in the year."""
        return _state(student, entry, places, self.school_year)

    def write(self) -> None:
        """Write each table at once; places that end come before places that begin."""
        bulk.upsert(Student, self.students, key=("study_id",), fields=TRAITS)
        people.write_entries(self.entries)
        bulk.upsert(StudentPlace, self.ended, key=PLACE_KEY, fields=PLACE_FIELDS)
        bulk.upsert(StudentPlace, self.places, key=PLACE_KEY, fields=PLACE_FIELDS)


def _student_after(row: StudentRow, study_id: str) -> Student:
    """Give the pupil's traits after a row."""
    student = row.student or Student(study_id=study_id)
    student.sex = row.clean["sex"]
    student.birth_year, student.birth_month = (int(part) for part in row.clean["birth_date"].split("-")[:2])
    if "ethnicity" in row.clean:
        student.is_minority = codes.is_minority(row.clean["ethnicity"])
    if "has_special_needs" in row.clean:
        student.has_special_needs = row.clean["has_special_needs"]
    return student


def _state(
    student: Student | None, entry: VaultEntry | None, places: Sequence[StudentPlace], school_year: str
) -> dict[str, Any]:
    """Give all that is kept of a pupil in one school year, as JSON."""
    return {
        "school_year": school_year,
        "student": people.fields_state(student, TRAITS) if student else None,
        "vault": people.entry_state(entry),
        "places": {str(place.school_id): people.fields_state(place, PLACE_FIELDS) for place in places},
    }


def _present(written: Sequence[Written], school_year: str) -> dict[str, dict[str, Any]]:
    """Give what is kept now of the pupils that were written."""
    keys = [item.key for item in written]
    students = {student.pk: student for student in Student.objects.filter(pk__in=keys)}
    entries = {entry.study_id: entry for entry in VaultEntry.objects.filter(study_id__in=keys)}
    places: dict[str, list[StudentPlace]] = {}
    for place in StudentPlace.objects.filter(student__in=keys, school_year=school_year):
        places.setdefault(place.student_id, []).append(place)
    return {
        key: _state(students.get(key), entries.get(key), places.get(key, []), school_year) for key in keys
    }


def _restore(written: Sequence[Written], school_year: str) -> None:
    """Write back what was kept before of pupils who were there already."""
    students, entries, places = [], [], []
    for item in written:
        assert item.before is not None
        if item.before["student"] is not None:
            students.append(Student(study_id=item.key, **item.before["student"]))
        entries.append(people.entry_of_state(item.key, PersonKind.STUDENT, item.before["vault"]))
        places += [
            StudentPlace(student_id=item.key, school_year=school_year, school_id=int(key), **kept)
            for key, kept in item.before["places"].items()
        ]
    bulk.upsert(Student, students, key=("study_id",), fields=TRAITS)
    people.write_entries(entries)
    kept = {(place.student_id, place.school_id) for place in places}
    present = StudentPlace.objects.filter(student__in=[item.key for item in written], school_year=school_year)
    added = [place.pk for place in present if (place.student_id, place.school_id) not in kept]
    StudentPlace.objects.filter(pk__in=added).delete()
    for is_studying in (False, True):  # a pupil leaves one school before studying at another
        some = [place for place in places if (place.status == STUDYING) == is_studying]
        bulk.upsert(StudentPlace, some, key=PLACE_KEY, fields=PLACE_FIELDS)
