"""Where a post lies on a day: the registry's identity followed through mergers, as of that day.

A post keeps the unit or school at which it was given. On a later day that school may have merged (the post then lies
in the successor), been divided (it lies in several, and somebody must decide), or closed without a successor.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet

from dienrong.accounts.permissions import Scope
from dienrong.capacity.models import Level, Posting
from dienrong.registry.models import (
    AdministrativeUnit,
    School,
    SchoolEvent,
    SchoolSuccession,
    SchoolVersion,
    UnitVersion,
)
from dienrong.registry.queries import in_force, present_successors
from dienrong.registry.queries.history import MOVING

KEYS_A_QUERY = 900


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something lies on a day, by keys of the registry; None where it lies in none."""

    province: int | None = None
    commune: int | None = None
    school: int | None = None
    school_kind: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Lying:
    """The places of a post on a day.

    ``places`` holds one place as a rule, several after a division, none after a closure without a successor.
    """

    places: tuple[Place, ...]

    @property
    def is_divided(self) -> bool:
        """Whether somebody must decide which successor the post belongs to."""
        return len(self.places) > 1

    @property
    def sure(self) -> Place | None:
        """What is certain: the one place, else what several have in common; None where nothing is left."""
        if not self.places:
            return None
        if len(self.places) == 1:
            return self.places[0]
        provinces = {one.province for one in self.places}
        communes = {one.commune for one in self.places}
        return Place(
            province=provinces.pop() if len(provinces) == 1 else None,
            commune=communes.pop() if len(communes) == 1 else None,
        )


NATION = Lying(places=(Place(),))


def schools_on(keys: Iterable[int], day: date) -> dict[int, Lying]:
    """Tell where schools (keys) lie on a day: themselves, or their successors by mergers and divisions up to the day.

    As many rounds as generations, two queries a round.
    """
    origins: dict[int, set[int]] = {key: {key} for key in keys}
    found: dict[int, dict[int, Place]] = {key: {} for key in origins}
    seen: dict[int, set[int]] = {key: {key} for key in origins}
    while origins:
        reached = {school for schools in origins.values() for school in schools}
        open_places = _open_on(reached, day)
        onward = _moves(reached - set(open_places), day)
        walking: dict[int, set[int]] = {}
        for origin, schools in origins.items():
            for school in schools:
                if school in open_places:
                    found[origin][school] = open_places[school]
                    continue
                fresh = onward.get(school, set()) - seen[origin]
                if fresh:
                    seen[origin] |= fresh
                    walking.setdefault(origin, set()).update(fresh)
        origins = walking
    return {
        key: Lying(places=tuple(places[school] for school in sorted(places))) for key, places in found.items()
    }


def _open_on(keys: set[int], day: date) -> dict[int, Place]:
    """Give the places of the schools that are open on a day.

    The history of a school begins with the registry, not with the school: on a day before its first version it lies
    where that version says, unless it was opened later.
    """
    found: dict[int, Place] = {}
    for part in _parts(keys):
        rows = SchoolVersion.objects.filter(in_force(day), school__in=part)
        found |= _as_places(rows)
        unknown = set(part) - set(found)
        if unknown:
            begun = SchoolVersion.objects.filter(school__in=unknown, valid_from__lte=day).values("school")
            later = SchoolVersion.objects.filter(school__in=unknown, valid_from__gt=day).exclude(
                school__in=begun
            )
            later = later.filter(Q(school__opened_date__isnull=True) | Q(school__opened_date__lte=day))
            found |= _as_places(later.order_by("-valid_from"))
    return found


def _as_places(versions: QuerySet[SchoolVersion]) -> dict[int, Place]:
    """Give versions as places by school; of several the last in order."""
    columns = ("school_id", "commune_id", "province_id", "kind")
    return {
        school: Place(school=school, commune=commune, province=province, school_kind=kind)
        for school, commune, province, kind in versions.values_list(*columns)
    }


def _moves(keys: set[int], day: date) -> dict[int, set[int]]:
    """Give the successors of schools by what happened up to a day."""
    found: dict[int, set[int]] = defaultdict(set)
    for part in _parts(keys):
        rows = SchoolSuccession.objects.filter(
            predecessor__in=part,
            successor__isnull=False,
            event__state=SchoolEvent.State.APPLIED,
            event__kind__in=MOVING,
            event__on_date__lte=day,
        )
        for before, after in rows.order_by().values_list("predecessor_id", "successor_id"):
            found[before].add(after)
    return found


def _parts(keys: Iterable[int]) -> Iterable[list[int]]:
    """Cut keys into parts that one statement takes."""
    ordered = sorted(keys)
    for start in range(0, len(ordered), KEYS_A_QUERY):
        yield ordered[start : start + KEYS_A_QUERY]


def units_lying_on(keys: Iterable[int], day: date) -> dict[int, Lying]:
    """Tell where units (keys) lie on a day: themselves, or the units in which they live on.

    Two queries for all units that are in force; an ended one asks for its successions besides.
    """
    units = AdministrativeUnit.objects.filter(pk__in=set(keys)).select_related("parent__parent")
    reached = {unit.pk: _reached_by(unit, day) for unit in units}
    above = _parents_on({one.pk for found in reached.values() for one in found}, day)
    return {
        key: Lying(places=tuple(_place_of_unit(one, above.get(one.pk, one.parent)) for one in found))
        for key, found in reached.items()
    }


def _reached_by(unit: AdministrativeUnit, day: date) -> list[AdministrativeUnit]:
    """Give the units of a day in which one lives on; a unit asked for before its first day counts as itself."""
    holds = unit.valid_to is None or unit.valid_to > day
    return [unit] if holds else [one.unit for one in present_successors(unit, day)]


def _parents_on(keys: set[int], day: date) -> dict[int, AdministrativeUnit | None]:
    """Give the parents of units by what holds of them on a day; units without a version of that day are left out."""
    found: dict[int, AdministrativeUnit | None] = {}
    for part in _parts(keys):
        rows = UnitVersion.objects.filter(in_force(day), unit__in=part).select_related("parent__parent")
        for row in rows:
            found.setdefault(row.unit_id, row.parent)
    return found


def _place_of_unit(unit: AdministrativeUnit, above: AdministrativeUnit | None) -> Place:
    """Give the place of a unit that is in force: province and commune by its parent of the day."""
    commune = unit.pk if unit.level == AdministrativeUnit.Level.COMMUNE else None
    walk = unit if unit.level == AdministrativeUnit.Level.PROVINCE else above
    while walk is not None and walk.level != AdministrativeUnit.Level.PROVINCE:
        walk = walk.parent
    return Place(province=walk.pk if walk is not None else None, commune=commune)


def lying_of(postings: Iterable[Posting], day: date) -> dict[int, Lying]:
    """Tell where posts lie on a day, by their keys."""
    rows = [(one.pk, one.level, one.unit_id, one.school_id) for one in postings]
    return lying_of_rows(rows, day)


def lying_of_rows(rows: Iterable[tuple[int, str, int | None, int | None]], day: date) -> dict[int, Lying]:
    """Tell where posts lie on a day; each row is key, level, key of the unit, key of the school."""
    kept = list(rows)
    schools = schools_on({school for _key, _level, _unit, school in kept if school is not None}, day)
    units = units_lying_on({unit for _key, _level, unit, _school in kept if unit is not None}, day)
    found: dict[int, Lying] = {}
    for key, level, unit, school in kept:
        if level == Level.NATION:
            found[key] = NATION
        else:
            found[key] = schools[school] if school is not None else units[unit]  # type: ignore[index]
    return found


def within(scope: Scope, day: date, prefix: str = "") -> Q:
    """Limit posts (rows that lead to them by ``prefix``) to those that lie in a scope on a day.

    Schools and units that ended are followed to where they live on; those that closed without a successor stay with
    the unit in which they lay, so that nobody is lost.
    """
    if scope.is_national:
        return Q()
    if scope.is_empty:
        return Q(pk__in=[])
    keys = _keys_of(scope)
    schools = School.objects.filter(
        Q(pk__in=keys["school"]) | Q(commune__in=keys["commune"]) | Q(province__in=keys["province"]),
        is_open=True,
    )
    units = AdministrativeUnit.objects.filter(in_force(day)).filter(
        Q(pk__in=keys["commune"])
        | Q(pk__in=keys["province"])
        | Q(level=AdministrativeUnit.Level.COMMUNE, parent__in=keys["province"])
    )
    ended_schools, ended_units = _ended_inside(keys, day)
    found = Q(**{f"{prefix}school__in": schools.order_by().values("pk")})
    found |= Q(**{f"{prefix}unit__in": units.order_by().values("pk")})
    if ended_schools:
        found |= Q(**{f"{prefix}school__in": ended_schools})
    if ended_units:
        found |= Q(**{f"{prefix}unit__in": ended_units})
    return found


def _keys_of(scope: Scope) -> dict[str, list[int]]:
    """Give the keys of today's units and schools of a scope."""
    unit = AdministrativeUnit.objects.filter(valid_to__isnull=True)
    level = AdministrativeUnit.Level
    return {
        "province": list(
            unit.filter(level=level.PROVINCE, code__in=scope.provinces).values_list("pk", flat=True)
        ),
        "commune": list(
            unit.filter(level=level.COMMUNE, code__in=scope.communes).values_list("pk", flat=True)
        ),
        "school": list(School.objects.filter(school_id__in=scope.schools).values_list("pk", flat=True)),
    }


def _ended_inside(keys: Mapping[str, list[int]], day: date) -> tuple[list[int], list[int]]:
    """List ended schools and units that have posts and live on in a scope (or ended there)."""
    posts = Posting.objects.order_by()
    closed = list(
        School.objects.filter(is_open=False, pk__in=posts.filter(school__isnull=False).values("school"))
        .order_by()
        .values_list("pk", "commune_id", "province_id")
    )
    lying = schools_on([key for key, _commune, _province in closed], day)
    schools = [
        key
        for key, commune, province in closed
        if _is_inside(keys, lying[key].places or (Place(school=key, commune=commune, province=province),))
    ]
    past = list(
        AdministrativeUnit.objects.filter(
            valid_to__lte=day, pk__in=posts.filter(unit__isnull=False).values("unit")
        ).values_list("pk", flat=True)
    )
    units = [key for key, one in units_lying_on(past, day).items() if _is_inside(keys, one.places)]
    return schools, units


def _is_inside(keys: Mapping[str, list[int]], places: Iterable[Place]) -> bool:
    """Tell whether one of some places lies in the units of a scope."""
    return any(
        one.school in keys["school"] or one.commune in keys["commune"] or one.province in keys["province"]
        for one in places
    )


def names_of(postings: Iterable[Posting]) -> dict[int, str]:
    """Name where posts were given, by their keys; the nation by the word for the ministry."""
    names: dict[int, str] = {}
    for one in postings:
        names[one.pk] = place_name(one)
    return names


def place_name(posting: Posting) -> str:
    """Name where a post was given."""
    if posting.school is not None:
        return posting.school.name
    if posting.unit is not None:
        return posting.unit.full_name
    return str(Level.NATION.label)


def covers(scope: Scope, lying: Lying) -> bool:
    """Tell whether a scope covers one of the places of a post."""
    if scope.is_national:
        return True
    return _is_inside(_keys_of(scope), lying.places)


def as_units(lying: Lying) -> dict[str, Any]:
    """Give the registry's rows behind the sure place of a post: province, commune, school; for pages."""
    place = lying.sure
    if place is None:
        return {}
    units = AdministrativeUnit.objects.in_bulk([key for key in (place.province, place.commune) if key])
    return {
        "province": units.get(place.province or 0),
        "commune": units.get(place.commune or 0),
        "school": School.objects.filter(pk=place.school).first() if place.school else None,
    }
