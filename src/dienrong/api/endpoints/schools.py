"""Schools of the token's units, as of any day, with their history and their counts."""

from __future__ import annotations

import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_noop as _
from ninja import Field, Path, Query, Router, Schema

from dienrong.accounts import permissions
from dienrong.api import queries
from dienrong.api.access import Caller
from dienrong.api.pages import page_of
from dienrong.api.problems import nothing_here
from dienrong.api.types import Code, Day, Grade, Paging, SchoolYear, Words
from dienrong.core import clock
from dienrong.registry import queries as registry

router = Router()
SCHOOL_ID = Path(..., description=_("Code of the school, of today or of the day."), examples=["01000001"])


class SchoolOut(Schema):
    """A school as it was on the day asked for, with the contact of today."""

    school_id: str = Field(description=_("Code on that day; opaque text."))
    present_id: str = Field(description=_("Code of today."))
    name: str
    kind: str
    levels: str = Field(description=_("Levels taught, such as TH, THCS, THPT, joined by a comma."))
    province_code: str
    commune_code: str
    area: str
    sector: str
    managed_by: str
    is_disadvantaged: bool
    is_border: bool
    boarding: str
    valid_from: datetime.date = Field(description=_("Since when it has been so."))
    valid_to: datetime.date | None = Field(description=_("First day on which it was no longer so."))
    is_open: bool = Field(description=_("Whether it is open today."))
    address: str
    phone: str
    email: str
    latitude: float | None
    longitude: float | None
    founded_date: datetime.date | None
    data_at: datetime.date | None = Field(description=_("Day to which its newest data belong."))
    confirmed_at: datetime.datetime | None = Field(description=_("When the school last confirmed its data."))


class SchoolPage(Schema):
    """A page of schools."""

    items: list[SchoolOut]
    next: str | None = Field(description=_("Address of the next page; null at the end."))


class SiteOut(Schema):
    """A place where a school teaches."""

    site_code: str
    name: str
    is_main: bool
    commune_code: str
    address: str
    latitude: float | None
    longitude: float | None
    n_students: int | None
    n_classes: int | None


class SchoolDetail(SchoolOut):
    """A school with its sites and, where it ended, its successors."""

    sites: list[SiteOut]
    successors: list[str] = Field(
        description=_("Codes of the open schools in which it lives on; itself left out.")
    )


class VersionOut(Schema):
    """What a school was from a day until a day."""

    school_id: str
    name: str
    kind: str
    levels: str
    province_code: str
    commune_code: str
    valid_from: datetime.date
    valid_to: datetime.date | None


class EventOut(Schema):
    """Something that happened to a school by a decision."""

    kind: str = Field(description=_("open, merge, split, close, rename, recode or change."))
    on_date: datetime.date
    decision_number: str
    decision_date: datetime.date | None
    predecessors: list[str] = Field(description=_("Codes of the schools before."))
    successors: list[str] = Field(description=_("Codes of the schools after."))


class HistoryOut(Schema):
    """The history of a school, the first first."""

    school_id: str
    versions: list[VersionOut]
    events: list[EventOut]


class ClosureOut(Schema):
    """A school that is open no longer."""

    school_id: str
    name: str
    province_code: str
    commune_code: str
    closed_date: datetime.date


class ClosurePage(Schema):
    """A page of closed schools."""

    items: list[ClosureOut]
    next: str | None = Field(description=_("Address of the next page; null at the end."))


class EnrolmentOut(Schema):
    """Pupils and classes of one grade of a school in one school year."""

    school_id: str
    school_year: str
    grade: int = Field(description=_("1 to 12; 0 is nursery and kindergarten."))
    n_students: int
    n_classes: int
    counted_on: datetime.date


class EnrolmentPage(Schema):
    """A page of enrolments."""

    items: list[EnrolmentOut]
    next: str | None = Field(description=_("Address of the next page; null at the end."))


class SchoolFilters(Paging):
    """Which schools."""

    on: Day | None = Field(None, description=_("Day on which they were open; today where absent."))
    province: Code | None = Field(None, description=_("Code of the province in which they lay on that day."))
    commune: Code | None = Field(None, description=_("Code of the commune in which they lay on that day."))
    q: Words | None = Field(
        None, description=_("Words of the name or beginning of the code; marks may be missing.")
    )
    updated_since: Day | None = Field(
        None, description=_("Only schools whose data changed, or that confirmed them, on this day or later.")
    )


class ClosureFilters(Paging):
    """Which closed schools."""

    since: Day = Field(..., description=_("Only schools that closed on this day or later."))
    province: Code | None = Field(None, description=_("Code of the province in which they lay last."))


class EnrolmentFilters(Paging):
    """Which enrolments."""

    school_year: SchoolYear = Field(..., description=_("School year."))
    grade: Grade | None = Field(None, description=_("Grade, 0 to 12."))
    province: Code | None = Field(None, description=_("Code of the province in which the school lies today."))
    school_id: Code | None = Field(None, description=_("Code of one school."))


class AsOf(Schema):
    """The day as of which something is told."""

    on: Day | None = Field(None, description=_("Day as of which it is told; today where absent."))


@router.get(
    "/schools", response=SchoolPage, operation_id="list_schools", summary=_("Schools of the key's units")
)
def list_schools(request: HttpRequest, filters: Query[SchoolFilters]) -> dict[str, Any]:
    rows = queries.schools_on(_scope(request), filters.on or clock.today())
    if filters.province:
        rows = rows.filter(province__code=filters.province)
    if filters.commune:
        rows = rows.filter(commune__code=filters.commune)
    if filters.q:
        rows = queries.schools_named(rows, filters.q)
    if filters.updated_since:
        rows = queries.schools_updated(rows, filters.updated_since)
    return page_of(request, rows, keys=("code", "id"), paging=filters, write=_school)


@router.get(
    "/closures",
    response=ClosurePage,
    operation_id="list_closures",
    summary=_("Schools of the key's units that closed"),
)
def list_closures(request: HttpRequest, filters: Query[ClosureFilters]) -> dict[str, Any]:
    rows = queries.schools_closed(_scope(request), filters.since, clock.today())
    if filters.province:
        rows = rows.filter(province__code=filters.province)
    return page_of(request, rows, keys=("closed_date", "id"), paging=filters, write=_closure)


@router.get(
    "/schools/{school_id}",
    response=SchoolDetail,
    operation_id="get_school",
    summary=_("One school with its sites"),
)
def get_school(request: HttpRequest, filters: Query[AsOf], school_id: Code = SCHOOL_ID) -> dict[str, Any]:
    school = queries.school_of(_scope(request), school_id, filters.on)
    version = queries.version_on(school, filters.on or clock.today()) if school else None
    if school is None or version is None:
        raise nothing_here()
    version.school = school
    heirs = [] if school.is_open else registry.present_successors_of_school(school)
    return {
        **_school(version),
        "sites": [_site(site) for site in queries.sites_of(school)],
        "successors": [heir.school_id for heir in heirs],
    }


@router.get(
    "/schools/{school_id}/history",
    response=HistoryOut,
    operation_id="get_school_history",
    summary=_("What a school was, and what happened to it"),
)
def get_school_history(request: HttpRequest, school_id: Code = SCHOOL_ID) -> dict[str, Any]:
    school = queries.school_of(_scope(request), school_id)
    if school is None:
        raise nothing_here()
    history = queries.history_of(school)
    return {
        "school_id": school.school_id,
        "versions": [_version(version) for version in history["versions"]],
        "events": [_event(event) for event in history["events"]],
    }


@router.get(
    "/enrolments",
    response=EnrolmentPage,
    operation_id="list_enrolments",
    summary=_("Pupils and classes by school and grade"),
)
def list_enrolments(request: HttpRequest, filters: Query[EnrolmentFilters]) -> dict[str, Any]:
    rows = queries.enrolments_of(_scope(request), filters.school_year)
    if filters.grade is not None:
        rows = rows.filter(grade=filters.grade)
    if filters.province:
        rows = rows.filter(school__province__code=filters.province)
    if filters.school_id:
        rows = rows.filter(school__school_id=filters.school_id)
    return page_of(request, rows, keys=("grade", "school_id"), paging=filters, write=_enrolment)


def _scope(request: HttpRequest) -> permissions.Scope:
    """Give the scope of the caller, who must hold the permission to see schools."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    permissions.demand(caller.user, "view_schools")
    return caller.scope


def _closure(school: Any) -> dict[str, Any]:
    """Write a closed school."""
    return {
        "school_id": school.school_id,
        "name": school.name,
        "province_code": school.province.code,
        "commune_code": school.commune.code,
        "closed_date": school.closed_date,
    }


def _school(version: Any) -> dict[str, Any]:
    """Write a school as it was in a version."""
    school = version.school
    traits = (
        "name",
        "kind",
        "levels",
        "area",
        "sector",
        "managed_by",
        "is_disadvantaged",
        "is_border",
        "boarding",
    )
    contact = (
        "address",
        "phone",
        "email",
        "latitude",
        "longitude",
        "founded_date",
        "data_at",
        "confirmed_at",
    )
    return {
        "school_id": version.code,
        "present_id": school.school_id,
        "province_code": version.province.code,
        "commune_code": version.commune.code,
        "valid_from": version.valid_from,
        "valid_to": version.valid_to,
        "is_open": school.is_open,
        **{name: getattr(version, name) for name in traits},
        **{name: getattr(school, name) for name in contact},
    }


def _site(site: Any) -> dict[str, Any]:
    """Write a site."""
    names = ("name", "is_main", "address", "latitude", "longitude", "n_students", "n_classes")
    return {
        "site_code": site.code,
        "commune_code": site.commune.code,
        **{name: getattr(site, name) for name in names},
    }


def _version(version: Any) -> dict[str, Any]:
    """Write a version."""
    return {
        "school_id": version.code,
        "province_code": version.province.code,
        "commune_code": version.commune.code,
        **{name: getattr(version, name) for name in ("name", "kind", "levels", "valid_from", "valid_to")},
    }


def _event(event: Any) -> dict[str, Any]:
    """Write an event; of other schools it tells the codes alone."""
    parts = list(event.successions.all())
    return {
        "kind": event.kind,
        "on_date": event.on_date,
        "decision_number": event.decision_number,
        "decision_date": event.decision_date,
        "predecessors": sorted({part.predecessor.school_id for part in parts if part.predecessor}),
        "successors": sorted({part.successor.school_id for part in parts if part.successor}),
    }


def _enrolment(row: Any) -> dict[str, Any]:
    """Write a count."""
    names = ("school_year", "grade", "n_students", "n_classes", "counted_on")
    return {"school_id": row.school.school_id, **{name: getattr(row, name) for name in names}}
