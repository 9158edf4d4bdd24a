"""The registry as plain rows for the engine: the whole nation, or some provinces or communes; few queries."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, FloatField, Q, Subquery
from django.db.models.functions import Cast
from django.utils import timezone

from dienrong.registry.models import (
    AdministrativeUnit,
    School,
    SchoolEnrolment,
    SchoolSite,
    SchoolVersion,
    UnitSuccession,
)
from dienrong.rosters.models import StudentPlace
from dienrong.scorecard.models import OfficialTotal, SchoolState
from dienrong.scorecard.numeric.register import RegisterRows, years_read

MOST_STEPS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The part of the nation that is read: everything, or whole provinces and communes (primary keys)."""

    is_nation: bool = False
    provinces: frozenset[int] = frozenset()
    communes: frozenset[int] = frozenset()

    def of(self, path: str = "") -> Q:
        """Limit rows whose school stands at ``path`` to this part."""
        if self.is_nation:
            return Q()
        inside = Q(pk__in=[])
        if self.provinces:
            inside |= Q(**{f"{path}province_id__in": self.provinces})
        if self.communes:
            inside |= Q(**{f"{path}commune_id__in": self.communes})
        return inside


NATION = Part(is_nation=True)


def part_of_schools(school_keys: Iterable[int]) -> Part:
    """Give the communes of some schools: where they are now, and where they were when last checked."""
    keys = list(school_keys)
    now = School.objects.filter(pk__in=keys).order_by().values_list("commune_id", flat=True)
    codes = SchoolState.objects.filter(school_id__in=keys).order_by().values_list("commune_code", flat=True)
    before = AdministrativeUnit.objects.filter(
        level=AdministrativeUnit.Level.COMMUNE, code__in=set(codes), valid_to__isnull=True
    )
    return Part(communes=frozenset([*now, *before.values_list("pk", flat=True)]))


def register_rows(part: Part, day: datetime.date) -> RegisterRows:
    """Read what the rules ask for."""
    years = years_read(day)
    schools = _schools(part)
    sites = _sites(part)
    versions = _versions(part)
    named = {row[5] for row in schools} | {row[6] for row in schools} | {row[4] for row in sites}
    units, successors = _units(part, named, {row[2] for row in versions}, day)
    return RegisterRows(
        day=day,
        schools=schools,
        enrolments=_enrolments(part, years),
        sites=sites,
        versions=versions,
        units=units,
        successors=successors,
        lists=_lists(part, years),
        collected=_collected(years),
        totals=_totals(part),
    )


def _float(name: str) -> Any:
    """A decimal column as a floating-point number."""
    return Cast(F(name), FloatField())


def _schools(part: Part) -> list[tuple[Any, ...]]:
    """Schools, open and closed."""
    names = [
        "pk",
        "school_id",
        "name",
        "kind",
        "levels",
        "commune_id",
        "province_id",
        "area",
        "sector",
        "managed_by",
        "is_disadvantaged",
        "is_border",
        "boarding",
    ]
    rows = School.objects.filter(part.of()).order_by("pk")
    found = rows.values_list(
        *names,
        _float("minority_share"),
        "n_satellite_sites",
        "address",
        "phone",
        "email",
        _float("latitude"),
        _float("longitude"),
        "founded_date",
        "opened_date",
        "closed_date",
        "is_open",
        "data_at",
        "confirmed_at",
    )
    return [
        (*row[:-1], timezone.localtime(row[-1]).date() if row[-1] else None) for row in found.iterator(5000)
    ]


def _enrolments(part: Part, years: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """Current counts of three school years; of a part, the years are parted here, so that its index is used."""
    rows = SchoolEnrolment.objects.filter(part.of("school__"), is_current=True).order_by()
    if part.is_nation:
        rows = rows.filter(school_year__in=years)
    found = rows.values_list("school_id", "school_year", "grade", "n_students", "n_classes", "counted_on")
    return [row for row in found.iterator(20_000) if row[1] in years]


def _sites(part: Part) -> list[tuple[Any, ...]]:
    """Open sites."""
    rows = SchoolSite.objects.filter(part.of("school__"), is_open=True).order_by("school_id", "code")
    found = rows.values_list(
        "school_id",
        "code",
        "name",
        "is_main",
        "commune_id",
        "address",
        _float("latitude"),
        _float("longitude"),
        "n_students",
        "n_classes",
    )
    return list(found.iterator(20_000))


def _versions(part: Part) -> list[tuple[Any, ...]]:
    """Versions of the schools, and of every other school that once carried one of their codes."""
    rows = SchoolVersion.objects.all()
    if not part.is_nation:
        codes = SchoolVersion.objects.filter(part.of("school__")).values("code")
        rows = rows.filter(code__in=Subquery(codes))
    found = rows.order_by().values_list(
        "school_id", "code", "commune_id", "valid_from", "valid_to", "school__school_id"
    )
    return list(found.iterator(20_000))


def _units(part: Part, named: set[int], old: set[int], day: datetime.date) -> tuple[list[Any], list[Any]]:
    """The units that the schools name now or named once, and the present successors of those that ended."""
    wanted = set() if part.is_nation else named | old
    successors = _successors(None if part.is_nation else wanted, day)
    wanted |= {new for _old, new in successors}
    rows = (
        AdministrativeUnit.objects.all()
        if part.is_nation
        else AdministrativeUnit.objects.filter(pk__in=wanted)
    )
    found = rows.order_by("pk").values_list(
        "pk",
        "code",
        "name",
        "full_name",
        "kind",
        "parent_id",
        "parent__code",
        "parent__name",
        "valid_from",
        "valid_to",
    )
    return list(found.iterator(20_000)), successors


def _successors(units: set[int] | None, day: datetime.date) -> list[tuple[int, int]]:
    """Follow the successions of ended units to the units in force; units None follows all."""
    steps: dict[int, set[int]] = defaultdict(set)
    frontier = units
    for _step in range(MOST_STEPS):
        rows = UnitSuccession.objects.filter(on_date__lte=day)
        if frontier is not None:
            if not frontier:
                break
            rows = rows.filter(predecessor_id__in=frontier)
        pairs = list(rows.values_list("predecessor_id", "successor_id"))
        new = {after for _before, after in pairs} - set(steps)
        for before, after in pairs:
            if before != after:
                steps[before].add(after)
        if frontier is None or not pairs:
            break
        frontier = new
    return [(start, end) for start in steps for end in _ends(start, steps)]


def _ends(start: int, steps: dict[int, set[int]]) -> set[int]:
    """The units at the end of all ways that begin at a unit."""
    seen, ends, waiting = {start}, set(), [start]
    while waiting:
        for after in steps[waiting.pop()]:
            if after in seen:
                continue
            seen.add(after)
            if after in steps:
                waiting.append(after)
            else:
                ends.add(after)
    return ends


def _lists(part: Part, years: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """Pupils on class lists by class: numbers alone, no names."""
    studying = StudentPlace.Status.STUDYING
    rows = StudentPlace.objects.filter(
        part.of("school__"), school_year__in=years[1:], status=studying
    ).order_by()
    counted = rows.values("school_id", "school_year", "grade", "class_name").annotate(n=Count("pk"))
    return list(counted.values_list("school_id", "school_year", "grade", "class_name", "n").iterator(20_000))


def _collected(years: tuple[str, ...]) -> list[tuple[str, int]]:
    """The grades of which somebody in the country has counts: one look into the index for each, in one query."""
    asked = [(year, grade) for year in years[1:] for grade in range(13)]
    counts = SchoolEnrolment.objects.filter(is_current=True).order_by()
    looks = [Exists(counts.filter(school_year=year, grade=grade)) for year, grade in asked]
    answers = SchoolEnrolment.objects.order_by().values_list(*looks)[:1]
    return [one for row in answers for one, is_there in zip(asked, row, strict=True) if is_there]


def _totals(part: Part) -> list[tuple[Any, ...]]:
    """Official totals, where whole provinces are read."""
    if not (part.is_nation or part.provinces):
        return []
    rows = OfficialTotal.objects.order_by("pk")
    if not part.is_nation:
        codes = AdministrativeUnit.objects.filter(pk__in=part.provinces).values("code")
        rows = rows.filter(province_code__in=Subquery(codes))
    return list(rows.values_list("province_code", "school_year", "part", "n_schools", "n_students", "source"))
