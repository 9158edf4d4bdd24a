"""Reads of schools; whoever asks brings the scope within which they may be seen."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import Prefetch, Q, QuerySet, Sum

from dienrong.accounts.permissions import Scope
from dienrong.core import clock
from dienrong.core.text import search_key
from dienrong.registry.models import RegistryLoad, School, SchoolEnrolment, SchoolVersion
from dienrong.registry.queries.units import in_force

STATES = ("open", "closed", "all")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SchoolFilter:
    """What narrows a list of schools; the empty text narrows nothing. ``day`` is None for today."""

    search: str = ""
    province_code: str = ""
    commune_code: str = ""
    level: str = ""
    kind: str = ""
    state: str = "open"
    day: date | None = None

    @property
    def is_used(self) -> bool:
        """Whether anything is narrowed."""
        return self != SchoolFilter()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SchoolRow:
    """A school as a list shows it: as of the day of the list, with its newest pupils."""

    school_key: int
    address_code: str
    school_id: str
    name: str
    commune: str
    province: str
    levels: str
    kind: str
    area: str
    is_disadvantaged: bool
    is_open: bool
    closed_date: date | None
    n_students: int | None = None


def within(scope: Scope, prefix: str = "") -> Q:
    """Limit schools (rows that lead to them by ``prefix``) to a scope; an empty scope lets nothing through."""
    if scope.is_national:
        return Q()
    if scope.is_empty:
        return Q(pk__in=[])
    return (
        Q(**{f"{prefix}province__code__in": scope.provinces})
        | Q(**{f"{prefix}commune__code__in": scope.communes})
        | Q(**{f"{prefix}school_id__in": scope.schools})
    )


def schools_in(
    scope: Scope, *, search: str = "", province_code: str = "", commune_code: str = ""
) -> QuerySet[School]:
    """List the open schools of a scope with their current counts, narrowed by words of the name or code, by province and by commune."""
    narrowed = SchoolFilter(search=search, province_code=province_code, commune_code=commune_code)
    return (
        listed_schools(scope, narrowed)
        .select_related("commune", "province")
        .prefetch_related(
            Prefetch("enrolments", queryset=SchoolEnrolment.objects.filter(is_current=True).order_by("grade"))
        )
    )


def listed_schools(scope: Scope, narrowed: SchoolFilter) -> QuerySet[School]:
    """List schools as they are today, by the Vietnamese order of their names."""
    schools = School.objects.filter(within(scope))
    if narrowed.state in ("open", "closed"):
        schools = schools.filter(is_open=narrowed.state == "open")
    for word in search_key(narrowed.search).split():
        former = SchoolVersion.objects.filter(code=word).values("school")
        schools = schools.filter(Q(search_key__contains=word) | Q(pk__in=former))
    schools = schools.filter(_traits(narrowed))
    return schools.order_by("sort_key", "school_id")


def versions_of_day(scope: Scope, narrowed: SchoolFilter, day: date) -> QuerySet[SchoolVersion]:
    """List schools as they were on a day; words are sought in the name of today and in the code of the day."""
    versions = SchoolVersion.objects.filter(in_force(day), within(scope, "school__"))
    for word in search_key(narrowed.search).split():
        versions = versions.filter(Q(school__search_key__contains=word) | Q(code=word))
    return versions.filter(_traits(narrowed)).order_by("school__sort_key", "code")


def _traits(narrowed: SchoolFilter) -> Q:
    """Limit schools or their versions by place, level and kind."""
    found = Q()
    if narrowed.province_code:
        found &= Q(province__code=narrowed.province_code)
    if narrowed.commune_code:
        found &= Q(commune__code=narrowed.commune_code)
    if narrowed.kind:
        found &= Q(kind=narrowed.kind)
    if narrowed.level:
        level = narrowed.level
        found &= (
            Q(levels=level)
            | Q(levels__startswith=f"{level}-")
            | Q(levels__endswith=f"-{level}")
            | Q(levels__contains=f"-{level}-")
        )
    return found


def find_schools(scope: Scope, narrowed: SchoolFilter) -> QuerySet[Any]:
    """List schools, or the versions that held on the day of the filter."""
    if narrowed.day is not None and narrowed.day != clock.today():
        return versions_of_day(scope, narrowed, narrowed.day)
    return listed_schools(scope, narrowed)


def rows_of(found: QuerySet[Any], *, with_pupils: bool = True) -> list[SchoolRow]:
    """Give schools or versions as rows of a list: two queries, whatever their number."""
    if found.model is SchoolVersion:
        things = list(found.select_related("commune", "province", "school"))
        rows = [_row(version, version.school, version.code) for version in things]
    else:
        rows = [
            _row(school, school, school.school_id) for school in found.select_related("commune", "province")
        ]
    if not with_pupils:
        return rows
    pupils = pupils_of(row.school_key for row in rows)
    return [dataclasses.replace(row, n_students=pupils.get(row.school_key)) for row in rows]


def _row(traits: Any, school: School, code: str) -> SchoolRow:
    """Give one row."""
    return SchoolRow(
        school_key=school.pk,
        address_code=school.school_id,
        school_id=code,
        name=traits.name,
        commune=traits.commune.full_name,
        province=traits.province.name,
        levels=traits.levels,
        kind=str(traits.get_kind_display()),
        area=str(traits.get_area_display()),
        is_disadvantaged=traits.is_disadvantaged,
        is_open=school.is_open,
        closed_date=school.closed_date,
    )


def pupils_of(schools: Iterable[int]) -> dict[int, int]:
    """Add up the current counts of the newest school year of each school; schools never counted are left out."""
    counts = SchoolEnrolment.objects.filter(school__in=list(schools), is_current=True)
    newest: dict[int, int] = {}
    by_year = counts.values("school_id", "school_year").annotate(n=Sum("n_students"))
    for row in by_year.order_by("school_year"):
        newest[row["school_id"]] = row["n"]
    return newest


def school_by_id(school_id: str) -> School | None:
    """Give a school by its code, whoever asks; the caller asks whether it may be shown."""
    return School.objects.select_related("commune", "province").filter(school_id=school_id).first()


def enrolment_table(school: School) -> dict[str, Any]:
    """Give the current counts of a school as a table: a row a grade, a column a school year, newest last."""
    counts = list(school.enrolments.filter(is_current=True).order_by("school_year", "grade"))
    years = list(dict.fromkeys(count.school_year for count in counts))[-6:]
    cells = {(count.grade, count.school_year): count for count in counts}
    grades = sorted({count.grade for count in counts if count.school_year in years})
    totals = [sum(count.n_students for count in counts if count.school_year == year) for year in years]
    return {
        "years": years,
        "rows": [(grade, [cells.get((grade, year)) for year in years]) for grade in grades],
        "totals": totals,
    }


def last_load() -> RegistryLoad | None:
    """Give the load from which the registry's present content came."""
    return RegistryLoad.objects.select_related("loaded_by").first()


def loads() -> QuerySet[RegistryLoad]:
    """List the loads, the last first."""
    return RegistryLoad.objects.select_related("loaded_by")
