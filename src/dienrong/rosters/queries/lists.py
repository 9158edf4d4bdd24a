"""Lists of schools with the size of their rosters, and the roster of one school."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from dienrong.accounts.permissions import Scope
from dienrong.registry import queries as registry
from dienrong.registry.models import School
from dienrong.rosters.models import PersonKind, Staff, StaffPlace, Student, StudentPlace

STUDYING = StudentPlace.Status.STUDYING


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SchoolClass:
    """A class of a school in a year."""

    grade: int
    name: str
    n_students: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PersonPlaces:
    """A person as the rosters know one, with all places, the newest first."""

    kind: str
    person: Student | Staff
    places: Sequence[Any]


def schools_of(
    scope: Scope, school_year: str, *, search: str = "", only_missing: bool = False
) -> QuerySet[School]:
    """List the schools of a scope; those without a pupil on this year's list alone where that is asked."""
    schools = registry.schools_in(scope, search=search).prefetch_related(None)
    if only_missing:
        schools = schools.filter(~Exists(_students_of(school_year)))
    return schools


def n_missing(scope: Scope, school_year: str) -> int:
    """Count the schools of a scope that have no pupil on this year's list."""
    return registry.schools_in(scope).filter(~Exists(_students_of(school_year))).count()


def put_counts(schools: Sequence[School], school_year: str) -> None:
    """Put on each school its classes, pupils, teachers and managers of the year; two queries."""
    keys = [school.pk for school in schools]
    studying = StudentPlace.objects.filter(school__in=keys, school_year=school_year, status=STUDYING)
    pupils = {
        row["school"]: row
        for row in studying.order_by()
        .values("school")
        .annotate(n_students=Count("pk"), n_classes=Count("class_name", distinct=True))
    }
    staff = {
        row["school"]: row
        for row in StaffPlace.objects.filter(school__in=keys, school_year=school_year)
        .order_by()
        .values("school")
        .annotate(
            n_teachers=Count("pk", filter=Q(role=StaffPlace.Role.TEACHER)),
            n_managers=Count("pk", filter=Q(role=StaffPlace.Role.MANAGER)),
        )
    }
    for school in schools:
        found = pupils.get(school.pk, {}) | staff.get(school.pk, {})
        for name in ("n_students", "n_classes", "n_teachers", "n_managers"):
            setattr(school, name, found.get(name, 0))


def classes_of(school: School, school_year: str) -> list[SchoolClass]:
    """List the classes of a school with their pupils."""
    rows = (
        StudentPlace.objects.filter(school=school, school_year=school_year, status=STUDYING)
        .order_by("grade", "class_name")
        .values_list("grade", "class_name")
        .annotate(n=Count("pk"))
    )
    return [SchoolClass(grade=grade, name=name, n_students=n) for grade, name, n in rows]


def students_of(school: School, school_year: str, *, class_name: str = "") -> QuerySet[StudentPlace]:
    """List the pupils of a school, or of one class, by grade, class and study id; those who left come last."""
    places = StudentPlace.objects.filter(school=school, school_year=school_year).select_related("student")
    if class_name:
        places = places.filter(class_name=class_name)
    return places.order_by("-status", "grade", "class_name", "student")


def staff_of(school: School, school_year: str, role: str) -> QuerySet[StaffPlace]:
    """List the teachers or managers of a school."""
    places = StaffPlace.objects.filter(school=school, school_year=school_year, role=role)
    return places.select_related("staff").order_by("staff")


def find_person(study_id: str) -> PersonPlaces | None:
    """Find a person by study id with all places, whoever asks; the caller asks whether they may be shown."""
    person: Student | Staff | None = Student.objects.filter(study_id=study_id).first()
    kind = PersonKind.STUDENT
    if person is None:
        person, kind = Staff.objects.filter(study_id=study_id).first(), PersonKind.STAFF
    if person is None:
        return None
    places = person.places.select_related("school__province", "school__commune")
    return PersonPlaces(kind=kind, person=person, places=list(places.order_by("-school_year", "-pk")))


def at_school(kind: str, school: School, study_ids: Iterable[str]) -> set[str]:
    """Give those of the people who have a place at a school, in whatever year."""
    wanted = list(study_ids)
    if kind == PersonKind.STUDENT:
        students = StudentPlace.objects.filter(school=school, student__in=wanted)
        return set(students.values_list("student_id", flat=True))
    staff = StaffPlace.objects.filter(school=school, staff__in=wanted)
    return set(staff.values_list("staff_id", flat=True))


def present_schools(kind: str, study_id: str) -> set[int]:
    """Give the keys of the schools where a person is now: in the newest year, pupils where they study."""
    if kind == PersonKind.STUDENT:
        places = StudentPlace.objects.filter(student=study_id)
    else:
        places = StaffPlace.objects.filter(staff=study_id)
    rows = list(places.order_by("-school_year"))
    newest = [row for row in rows if row.school_year == rows[0].school_year]
    studying = [row for row in newest if getattr(row, "status", STUDYING) == STUDYING]
    return {row.school_id for row in studying or newest}


def _students_of(school_year: str) -> QuerySet[StudentPlace]:
    """Give the pupils of the school of the outer query."""
    return StudentPlace.objects.filter(school=OuterRef("pk"), school_year=school_year, status=STUDYING)
