"""Reads of units and schools; whoever asks for schools brings the scope within which they may be seen."""

from __future__ import annotations

from django.db.models import Prefetch, Q, QuerySet

from dienrong.accounts.permissions import Scope
from dienrong.core.text import search_key
from dienrong.registry.models import RegistryLoad, School, SchoolEnrolment


def schools_in(
    scope: Scope, *, search: str = "", province_code: str = "", commune_code: str = ""
) -> QuerySet[School]:
    """List the schools of a scope, narrowed by words of the name or code, by province and by commune."""
    schools = School.objects.filter(_within(scope), is_open=True)
    for word in search_key(search).split():
        schools = schools.filter(Q(search_key__contains=word) | Q(school_id__startswith=word))
    if province_code:
        schools = schools.filter(province__code=province_code)
    if commune_code:
        schools = schools.filter(commune__code=commune_code)
    return schools.select_related("commune", "province").prefetch_related(
        Prefetch("enrolments", queryset=SchoolEnrolment.objects.filter(is_current=True).order_by("grade"))
    )


def school_by_id(school_id: str) -> School | None:
    """Give a school by its code, whoever asks; the caller asks whether it may be shown."""
    return School.objects.select_related("commune", "province").filter(school_id=school_id).first()


def _within(scope: Scope) -> Q:
    """Limit schools to a scope; an empty scope lets nothing through."""
    if scope.is_national:
        return Q()
    if scope.is_empty:
        return Q(pk__in=[])
    return (
        Q(province__code__in=scope.provinces)
        | Q(commune__code__in=scope.communes)
        | Q(school_id__in=scope.schools)
    )


def assessed_grades() -> list[int]:
    """List the grades for which enrolments are known."""
    return list(SchoolEnrolment.objects.order_by("grade").values_list("grade", flat=True).distinct())


def last_load() -> RegistryLoad | None:
    """Give the load from which the registry's present content came."""
    return RegistryLoad.objects.select_related("loaded_by").first()


def loads() -> QuerySet[RegistryLoad]:
    """List the loads, the last first."""
    return RegistryLoad.objects.select_related("loaded_by")


def counts_of_grades(schools: list[School], grades: list[int]) -> None:
    """Put on each school its pupils by grade, in the order of the grades, 0 where it has none."""
    for school in schools:
        found = {row.grade: row.n_students for row in school.enrolments.all()}
        school.counts = [found.get(grade, 0) for grade in grades]
