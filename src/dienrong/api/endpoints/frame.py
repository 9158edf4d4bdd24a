"""The list of open schools with their pupils on a day: what samples are drawn from."""

from __future__ import annotations

import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_noop as _
from ninja import Field, Query, Router, Schema

from dienrong.accounts import permissions
from dienrong.api import queries
from dienrong.api.access import Caller
from dienrong.api.pages import cut
from dienrong.api.types import Code, Day, Grade, Paging, SchoolYear
from dienrong.core import clock
from dienrong.registry import queries as registry

router = Router()


class CountOut(Schema):
    """Pupils and classes of one grade."""

    grade: int
    n_students: int
    n_classes: int


class FrameRowOut(Schema):
    """A school open on the day, with its traits and pupils of that day; each pupil of the nation counts once."""

    school_id: str
    name: str
    kind: str
    levels: str
    province_code: str
    commune_code: str
    area: str
    sector: str
    managed_by: str
    is_disadvantaged: bool
    is_border: bool
    boarding: str
    counts: list[CountOut]
    joined: list[str] = Field(
        description=_("Codes of the schools whose pupils came in by a merger or a division.")
    )
    counted_on: datetime.date | None = Field(
        description=_("Newest day on which any of the counts was taken.")
    )


class FramePage(Schema):
    """A page of the frame."""

    items: list[FrameRowOut]
    next: str | None = Field(description=_("Address of the next page; null at the end."))


class FrameFilters(Paging):
    """Which frame."""

    school_year: SchoolYear = Field(..., description=_("School year of the counts."))
    on: Day | None = Field(None, description=_("Day of the frame; today where absent."))
    grade: Grade | None = Field(None, description=_("Only this grade is counted; all where absent."))
    province: Code | None = Field(
        None, description=_("Code of the province in which the schools lay on that day.")
    )


@router.get(
    "/frame",
    response=FramePage,
    operation_id="list_frame",
    summary=_("The frame of a day: open schools with their pupils"),
    description=_("A merged school appears once, with the pupils of its predecessors."),
)
def list_frame(request: HttpRequest, filters: Query[FrameFilters]) -> dict[str, Any]:
    caller: Caller = request.auth  # type: ignore[attr-defined]
    permissions.demand(caller.user, "view_schools")
    day = filters.on or clock.today()
    versions = queries.schools_on(caller.scope, day)
    if filters.province:
        versions = versions.filter(province__code=filters.province)
    shown, following = cut(request, versions, keys=("code", "id"), paging=filters)
    grades = range(13) if filters.grade is None else (filters.grade,)
    rows = registry.frame_of([version.school_id for version in shown], day, filters.school_year, grades)
    return {"items": [_row(row) for row in rows], "next": following}


def _row(row: Any) -> dict[str, Any]:
    """Write a row of the frame."""
    names = ("school_id", "name", "kind", "levels", "province_code", "commune_code", "area", "sector")
    more = ("managed_by", "is_disadvantaged", "is_border", "boarding", "joined", "counted_on")
    return {
        **{name: getattr(row, name) for name in (*names, *more)},
        "counts": [
            {"grade": grade, "n_students": n_students, "n_classes": row.n_classes[grade]}
            for grade, n_students in sorted(row.n_students.items())
        ],
    }
