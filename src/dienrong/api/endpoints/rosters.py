"""Rosters of a school: random study ids, never a name, a date of birth or a number of a person."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_noop as _
from ninja import Field, Path, Query, Router, Schema

from dienrong.accounts import permissions
from dienrong.api import queries
from dienrong.api.access import Caller
from dienrong.api.pages import page_of
from dienrong.api.problems import nothing_here
from dienrong.api.types import Code, Grade, Paging, SchoolYear

router = Router()
SCHOOL_ID = Path(..., description=_("Code of the school, of today or an old one."), examples=["01000001"])


class StudentOut(Schema):
    """A pupil as analysis knows one."""

    study_id: str = Field(description=_("Random id; the same through the years, derived from nothing."))
    school_year: str
    grade: int
    class_name: str
    status: str = Field(description=_("studying, moved or dropped_out."))
    sex: str
    birth_year: int


class StudentPage(Schema):
    """A page of pupils."""

    items: list[StudentOut]
    next: str | None = Field(description=_("Address of the next page; null at the end."))


class StudentFilters(Paging):
    """Which pupils."""

    school_year: SchoolYear = Field(..., description=_("School year."))
    grade: Grade | None = Field(None, description=_("Grade, 0 to 12."))


@router.get(
    "/rosters/{school_id}/students",
    response=StudentPage,
    operation_id="list_students",
    summary=_("Pupils of a school, under study ids"),
    description=_("No names, dates of birth or personal numbers: these stay in the vault."),
)
def list_students(
    request: HttpRequest, filters: Query[StudentFilters], school_id: Code = SCHOOL_ID
) -> dict[str, Any]:
    caller: Caller = request.auth  # type: ignore[attr-defined]
    permissions.demand(caller.user, "view_rosters")
    school = queries.school_of(caller.scope, school_id)
    if school is None:
        raise nothing_here()
    rows = queries.students_of(school, filters.school_year)
    if filters.grade is not None:
        rows = rows.filter(grade=filters.grade)
    return page_of(request, rows, keys=("student_id",), paging=filters, write=_student)


def _student(place: Any) -> dict[str, Any]:
    """Write a pupil's place."""
    return {
        "study_id": place.student_id,
        "sex": place.student.sex,
        "birth_year": place.student.birth_year,
        **{name: getattr(place, name) for name in ("school_year", "grade", "class_name", "status")},
    }
