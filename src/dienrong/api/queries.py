"""What the endpoints ask of the registry: schools of a scope as of a day, their counts, their frame."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from dienrong.accounts.permissions import Scope
from dienrong.core import clock
from dienrong.core.text import search_key
from dienrong.imports import queries as uploads
from dienrong.imports.models import Upload
from dienrong.registry import queries as registry
from dienrong.registry.models import (
    School,
    SchoolEnrolment,
    SchoolEvent,
    SchoolSite,
    SchoolVersion,
    UnitVersion,
)
from dienrong.registry.queries.schools import within
from dienrong.rosters.models import StudentPlace
from dienrong.scorecard.models import Finding, SchoolState, Score, UnitKind


def units_named(rows: QuerySet[UnitVersion], text: str) -> QuerySet[UnitVersion]:
    """Keep the units whose name or code holds every word."""
    for word in search_key(text).split():
        rows = rows.filter(Q(unit__search_key__contains=word) | Q(unit__code=word))
    return rows


def schools_on(scope: Scope, day: datetime.date) -> QuerySet[SchoolVersion]:
    """List the schools of a scope that were open on a day, as they were on that day.

    The scope is held against where a school lies today, wherever it lay on that day: codes of units return with
    another meaning, so the units of a version are never asked for a permission.
    """
    found = SchoolVersion.objects.filter(registry.in_force(day), within(scope, "school__"))
    return found.select_related("school", "commune", "province")


def schools_named(rows: QuerySet[SchoolVersion], text: str) -> QuerySet[SchoolVersion]:
    """Keep the schools whose present name or code holds every word."""
    for word in search_key(text).split():
        rows = rows.filter(Q(school__search_key__contains=word) | Q(code__startswith=word))
    return rows


def schools_updated(rows: QuerySet[SchoolVersion], since: datetime.date) -> QuerySet[SchoolVersion]:
    """Keep the schools whose data changed, that confirmed them, or to which something happened, since a day."""
    begin = timezone.make_aware(datetime.datetime.combine(since, datetime.time()))
    events = SchoolEvent.objects.filter(
        Q(successions__predecessor=OuterRef("school")) | Q(successions__successor=OuterRef("school")),
        recorded_at__gte=begin,
    )
    return rows.filter(Q(school__data_at__gte=since) | Q(school__confirmed_at__gte=begin) | Exists(events))


def schools_closed(scope: Scope, since: datetime.date, until: datetime.date) -> QuerySet[School]:
    """List the schools of a scope that closed between two days, both included."""
    closed = School.objects.filter(registry.within(scope), closed_date__gte=since, closed_date__lte=until)
    return closed.select_related("province", "commune")


def school_of(scope: Scope, code: str, day: datetime.date | None = None) -> School | None:
    """Give the school of a code that it has, or had on a day; None where it is not in the scope."""
    school = registry.school_by_code(code, day)
    if school is None or not scope.covers(school.province.code, school.commune.code, school.school_id):
        return None
    return school


def version_on(school: School, day: datetime.date) -> SchoolVersion | None:
    """Give what a school was on a day; of a closed school the last it was; None before it opened."""
    versions = registry.school_versions(school).filter(valid_from__lte=day)
    return versions.first()


def sites_of(school: School) -> QuerySet[SchoolSite]:
    """List the open sites of a school, the main one first."""
    return SchoolSite.objects.filter(school=school, is_open=True).select_related("commune")


def enrolments_of(scope: Scope, school_year: str) -> QuerySet[SchoolEnrolment]:
    """List the newest counts of a school year in the schools of a scope."""
    found = SchoolEnrolment.objects.filter(
        within(scope, "school__"), school_year=school_year, is_current=True
    )
    return found.select_related("school")


def history_of(school: School) -> dict[str, Any]:
    """Give what a school was and what happened to it, applied events alone, the first first."""
    events = registry.events_of(school).filter(state=SchoolEvent.State.APPLIED)
    return {
        "versions": list(reversed(registry.school_versions(school))),
        "events": list(reversed(events)),
    }


def students_of(school: School, school_year: str) -> QuerySet[StudentPlace]:
    """List the pupils of a school in a school year; the vault is never opened."""
    return StudentPlace.objects.filter(school=school, school_year=school_year).select_related("student")


def upload_of(user: Any, scope: Scope, import_id: uuid.UUID | str) -> Upload | None:
    """Give an import of a person that was previewed within the very scope of now; None where there is none.

    A token narrower than its person thus never sees what the person sent on a page for all units.
    """
    upload = uploads.upload_for(user, import_id)
    return upload if upload is not None and upload.scope == uploads.scope_as_json(scope) else None


def school_scores(scope: Scope) -> QuerySet[SchoolState]:
    """List the present scores of the schools of a scope."""
    return SchoolState.objects.filter(within(scope, "school__")).select_related("school")


def unit_scores(scope: Scope, kind: str, *, province_code: str = "") -> QuerySet[Score]:
    """List the scores of units that lie in a scope as a whole, of today and of earlier days."""
    rows = Score.objects.filter(unit_kind=kind)
    if kind == UnitKind.NATION:
        return rows if scope.is_national else rows.none()
    if kind == UnitKind.PROVINCE:
        rows = rows if scope.is_national else rows.filter(unit_code__in=scope.provinces)
        return rows.filter(unit_code=province_code) if province_code else rows
    communes = registry.units_on(clock.today(), "commune").order_by()
    if not scope.is_national:
        allowed = communes.filter(Q(parent__code__in=scope.provinces) | Q(code__in=scope.communes))
        rows = rows.filter(unit_code__in=allowed.values("code"))
    if province_code:
        rows = rows.filter(unit_code__in=communes.filter(parent__code=province_code).values("code"))
    return rows


def findings_of(school: School) -> QuerySet[Finding]:
    """List the open findings of a school."""
    return Finding.objects.filter(school=school, is_open=True)
