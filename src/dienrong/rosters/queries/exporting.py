"""Reads for whole rosters as files: every person of some schools and a year, each once."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from dienrong.accounts.permissions import Scope
from dienrong.registry import queries as registry
from dienrong.registry.models import School
from dienrong.rosters.models import PersonKind, StaffPlace, StudentPlace

STUDYING = StudentPlace.Status.STUDYING


def open_schools(scope: Scope, school_id: str = "") -> QuerySet[School]:
    """List the open schools of a scope by code, or the one of a code."""
    schools = registry.schools_in(scope).prefetch_related(None)
    if school_id:
        schools = schools.filter(school_id=school_id)
    return schools.order_by("school_id")


def n_exported(kind: PersonKind, schools: QuerySet[School], school_year: str) -> int:
    """Count the rows that ``exported_places`` would give."""
    return _places(kind, schools, school_year).count()


def exported_places(kind: PersonKind, schools: QuerySet[School], school_year: str) -> dict[int, list[Any]]:
    """Give the places of a year by school (keys), each person once: where a pupil studies, else the newest."""
    owner = "student" if kind == PersonKind.STUDENT else "staff"
    found: dict[int, list[Any]] = {}
    for place in _places(kind, schools, school_year).select_related(owner).order_by("school", "pk"):
        found.setdefault(place.school_id, []).append(place)
    return found


def _places(kind: PersonKind, schools: QuerySet[School], school_year: str) -> QuerySet[Any]:
    """Leave out the places of people who have a better one among these schools."""
    keys = schools.select_related(None).order_by().values("pk")
    of_year = {"school__in": keys, "school_year": school_year}
    if kind == PersonKind.STAFF:
        newer = StaffPlace.objects.filter(**of_year, staff=OuterRef("staff"), pk__gt=OuterRef("pk"))
        return StaffPlace.objects.filter(~Exists(newer), **of_year)
    others = StudentPlace.objects.filter(**of_year, student=OuterRef("student")).exclude(pk=OuterRef("pk"))
    better = others.filter(Q(status=STUDYING) | Q(pk__gt=OuterRef("pk")))
    return StudentPlace.objects.filter(Q(status=STUDYING) | ~Exists(better), **of_year)
