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
from dienrong.registry.models import AdministrativeUnit, RegistryLoad, School, SchoolEnrolment, SchoolVersion
from dienrong.registry.queries.units import in_force

STATES = ("open", "closed", "all")
KEYS_A_QUERY = 5000
ROW_COLUMNS = (
    *("name", "commune__full_name", "province__name", "levels", "kind", "area"),
    "is_disadvantaged",
)


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
    found = Q(**{f"{prefix}school_id__in": scope.schools})
    # Units by their keys: an index over schools tells these, where codes would need the units beside it.
    if scope.provinces:
        found |= Q(**{f"{prefix}province__in": _units(AdministrativeUnit.Level.PROVINCE, scope.provinces)})
    if scope.communes:
        found |= Q(**{f"{prefix}commune__in": _units(AdministrativeUnit.Level.COMMUNE, scope.communes)})
    return found


def _units(level: str, codes: Iterable[str]) -> QuerySet[Any]:
    """Give the keys of the units that codes name, of whatever time."""
    return AdministrativeUnit.objects.filter(level=level, code__in=codes).order_by().values("pk")


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
    if narrowed.state != "open":
        # A school of an accepted batch is neither open nor closed before its day.
        schools = schools.exclude(is_open=False, closed_date__isnull=True, opened_date__gt=clock.today())
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
        found &= Q(province__in=_units(AdministrativeUnit.Level.PROVINCE, [narrowed.province_code]))
    if narrowed.commune_code:
        found &= Q(commune__in=_units(AdministrativeUnit.Level.COMMUNE, [narrowed.commune_code]))
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


def rows_of(found: QuerySet[Any]) -> list[SchoolRow]:
    """Give schools or versions as rows of a list: three queries, whatever their number.

    The page is found by its keys first, which an index alone can tell; then the rows behind them are read.
    """
    keys = list(found.values_list("pk", flat=True))
    rows = found.model.objects.all() if len(keys) > KEYS_A_QUERY else found.model.objects.filter(pk__in=keys)
    prefix = "school__" if found.model is SchoolVersion else ""
    code = "code" if found.model is SchoolVersion else "school_id"
    columns = ("pk", f"{prefix}pk", f"{prefix}school_id", code, *ROW_COLUMNS)
    last = (f"{prefix}is_open", f"{prefix}closed_date")
    values = {row[0]: row[1:] for row in rows.values_list(*columns, *last).iterator(chunk_size=5000)}
    pupils = pupils_of([values[key][0] for key in keys])
    kinds, areas = (
        {code: str(word) for code, word in choices.choices} for choices in (School.Kind, School.Area)
    )
    return [_row(values[key], kinds, areas, pupils) for key in keys]


def _row(
    values: tuple[Any, ...], kinds: dict[str, str], areas: dict[str, str], pupils: dict[int, int]
) -> SchoolRow:
    """Give one row of its columns."""
    key, address_code, code, name, commune, province, levels, kind, area, is_disadvantaged, *ending = values
    return SchoolRow(
        school_key=key,
        address_code=address_code,
        school_id=code,
        name=name,
        commune=commune,
        province=province,
        levels=levels,
        kind=kinds.get(kind, kind),
        area=areas.get(area, area),
        is_disadvantaged=is_disadvantaged,
        is_open=ending[0],
        closed_date=ending[1],
        n_students=pupils.get(key),
    )


def pupils_of(schools: Iterable[int]) -> dict[int, int]:
    """Add up the current counts of the newest school year of each school; schools never counted are left out."""
    keys = list(schools)
    counts = SchoolEnrolment.objects.filter(is_current=True)
    if len(keys) <= KEYS_A_QUERY:
        counts = counts.filter(school__in=keys)
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
