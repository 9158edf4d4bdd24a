"""Reads of administrative units: who was in force on a day, under whom, and what became of the old ones."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date

from django.db.models import Case, Count, IntegerField, Q, QuerySet, Value, When

from dienrong.accounts.permissions import Scope
from dienrong.core import clock
from dienrong.core.text import search_key
from dienrong.registry.models import AdministrativeUnit, UnitSuccession, UnitVersion

LEVELS_DOWN = (
    AdministrativeUnit.Level.PROVINCE,
    AdministrativeUnit.Level.DISTRICT,
    AdministrativeUnit.Level.COMMUNE,
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Successor:
    """A unit of a day in which an older one lives on; partial where the old unit was divided on the way."""

    unit: AdministrativeUnit
    is_partial: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """An older unit that was found, and where it lies today.

    ``is_exact`` is false where the code was asked for a day before the list begins, and the first unit known by
    that code was taken.
    """

    unit: AdministrativeUnit
    successors: tuple[Successor, ...]
    is_exact: bool


def in_force(day: date) -> Q:
    """Limit units, or versions of units and schools, to those that hold on a day."""
    return Q(valid_from__lte=day) & (Q(valid_to__isnull=True) | Q(valid_to__gt=day))


def units_on(day: date, level: str) -> QuerySet[AdministrativeUnit]:
    """List the units of a level that are in force on a day, in administrative order."""
    return AdministrativeUnit.objects.filter(in_force(day), level=level).order_by("code")


def versions_on(day: date, level: str) -> QuerySet[UnitVersion]:
    """List the units of a level as they were called on a day, in administrative order."""
    found = UnitVersion.objects.filter(in_force(day), unit__level=level)
    return found.select_related("unit", "parent").order_by("unit__code")


def unit_on(level: str, code: str, day: date) -> AdministrativeUnit | None:
    """Give the unit that a code named on a day; None where it named none."""
    return AdministrativeUnit.objects.filter(in_force(day), level=level, code=code).first()


def version_on(level: str, code: str, day: date) -> UnitVersion | None:
    """Give what the unit of a code was called on a day, and to whom it belonged; None where there was none."""
    found = UnitVersion.objects.filter(in_force(day), unit__level=level, unit__code=code)
    return found.select_related("unit", "parent").first()


def children_on(unit: AdministrativeUnit, day: date) -> QuerySet[UnitVersion]:
    """List the units that belonged to a unit on a day, as they were called, in administrative order."""
    found = UnitVersion.objects.filter(in_force(day), parent=unit)
    return found.select_related("unit").order_by("unit__code")


def unit_by_key(level: str, code: str, valid_from: date) -> AdministrativeUnit | None:
    """Give a unit by what identifies it: level, code and first day."""
    found = AdministrativeUnit.objects.filter(level=level, code=code, valid_from=valid_from)
    return found.select_related("parent", "parent__parent").first()


def versions_of(unit: AdministrativeUnit) -> QuerySet[UnitVersion]:
    """List what a unit was called, first to last."""
    return unit.versions.select_related("parent").order_by("valid_from")


def origins_of(unit: AdministrativeUnit) -> QuerySet[UnitSuccession]:
    """List the units from which a unit came."""
    return unit.successions_back.select_related("predecessor", "predecessor__parent").order_by(
        "on_date", "predecessor__level", "predecessor__code"
    )


def fates_of(unit: AdministrativeUnit) -> QuerySet[UnitSuccession]:
    """List the units that a unit became."""
    return unit.successions_forward.select_related("successor", "successor__parent").order_by(
        "on_date", "successor__code"
    )


def present_successors(unit: AdministrativeUnit, day: date | None = None) -> list[Successor]:
    """List the units of a day (today) in which a unit lives on, itself if it is still in force.

    As many queries as generations, whatever the number of units.
    """
    return _successors_of([unit], day or clock.today())[unit.pk]


def _successors_of(units: Sequence[AdministrativeUnit], day: date) -> dict[int, list[Successor]]:
    """Follow the successions of many units at once, generation by generation."""
    found: dict[int, dict[int, Successor]] = {unit.pk: {} for unit in units}
    walking = {unit.pk: [(unit, False)] for unit in units}
    while walking:
        onward: dict[int, list[tuple[AdministrativeUnit, bool]]] = {}
        for origin, reached in walking.items():
            for unit, is_partial in reached:
                if _holds(unit, day):
                    found[origin].setdefault(unit.pk, Successor(unit=unit, is_partial=is_partial))
                else:
                    onward.setdefault(origin, []).append((unit, is_partial))
        ended = {unit.pk for reached in onward.values() for unit, _is_partial in reached}
        fates = _fates(ended, day)
        walking = {
            origin: [
                (fate.successor, is_partial or fate.is_partial)
                for unit, is_partial in reached
                for fate in fates.get(unit.pk, ())
            ]
            for origin, reached in onward.items()
        }
        walking = {origin: reached for origin, reached in walking.items() if reached}
    return {
        origin: sorted(successors.values(), key=lambda successor: successor.unit.code)
        for origin, successors in found.items()
    }


def _fates(keys: Iterable[int], day: date) -> dict[int, list[UnitSuccession]]:
    """Give the successions of ended units up to a day, by their keys."""
    fates: dict[int, list[UnitSuccession]] = {}
    found = UnitSuccession.objects.filter(predecessor_id__in=keys, on_date__lte=day)
    for fate in found.select_related("successor", "successor__parent"):
        fates.setdefault(fate.predecessor_id, []).append(fate)
    return fates


def _holds(unit: AdministrativeUnit, day: date) -> bool:
    """Tell whether a unit is in force on a day."""
    return unit.valid_from <= day and (unit.valid_to is None or unit.valid_to > day)


def resolve_old_unit(
    *,
    code: str = "",
    level: str = AdministrativeUnit.Level.COMMUNE,
    on: date | None = None,
    names: Sequence[str] = (),
    today: date | None = None,
) -> list[Resolved]:
    """Find an older unit by its code on a day, or by its old names, and say where it lies today.

    Parameters
    ----------
    code : str
        The code; with ``level``. Without ``on`` a unit that has ended is meant, else the one in force.
    level : str
        Level of the unit that is sought.
    on : date, optional
        The day on which the code was in use.
    names : sequence of str
        Names from above down to the unit itself, such as ("Hà Nội", "Quận Ba Đình", "Phường Phúc Xá"), those
        above may be left out; marks, capitals and the words before a name may be missing.
    today : date, optional
        The day whose units are wanted; today.

    Returns
    -------
    list of Resolved
        Empty where nothing is known; several where the names fit several units.
    """
    day = today or clock.today()
    units = _by_code(level, code, on) if code else _by_names(level, names, on)
    successors = _successors_of(units, day)
    return [
        Resolved(
            unit=unit,
            successors=tuple(successors[unit.pk]),
            is_exact=on is None or _holds(unit, on),
        )
        for unit in units
    ]


def _by_code(level: str, code: str, on: date | None) -> list[AdministrativeUnit]:
    """Give the unit that a code named on a day, else the oldest known by it."""
    known = list(
        AdministrativeUnit.objects.filter(level=level, code=code)
        .select_related("parent__parent")
        .order_by("valid_from")
    )
    if on is None:
        return known[:1]
    held = [unit for unit in known if _holds(unit, on)]
    return held or [unit for unit in known[:1] if on < unit.valid_from]


def _by_names(level: str, names: Sequence[str], on: date | None) -> list[AdministrativeUnit]:
    """Give the units whose own name and whose names above fit, ended ones before those in force."""
    keys = [search_key(name) for name in names if search_key(name)]
    if not keys:
        return []
    own, above = keys[-1], keys[:-1]
    found = AdministrativeUnit.objects.filter(
        Q(search_key=own) | Q(search_key__endswith=f" {own}"), level=level
    )
    if on is not None:
        found = found.filter(in_force(on))
    fitting = [
        unit
        for unit in found.select_related("parent__parent").order_by("code", "valid_from")
        if _is_named(unit, own) and _lies_under(unit, above)
    ]
    exact = [unit for unit in fitting if unit.search_key == own]
    chosen = exact or fitting
    ended = [unit for unit in chosen if unit.valid_to is not None]
    return ended if ended and on is None else chosen


def _is_named(unit: AdministrativeUnit, key: str) -> bool:
    """Tell whether a key is the unit's full name or its name alone."""
    return key in (unit.search_key, search_key(unit.name))


def _lies_under(unit: AdministrativeUnit, above: Sequence[str]) -> bool:
    """Tell whether every name above is that of a parent, or of a parent's parent."""
    parents = [unit.parent, unit.parent and unit.parent.parent]
    return all(any(parent and _is_named(parent, key) for parent in parents) for key in above)


def search_units(text: str, *, day: date, limit: int = 100) -> list[AdministrativeUnit]:
    """Find units of every time by words of their full name, or by code; those in force on the day come first."""
    words = search_key(text).split()
    if not words:
        return []
    found = AdministrativeUnit.objects.all()
    for word in words:
        found = found.filter(Q(search_key__contains=word) | Q(code=word))
    now = Case(When(in_force(day), then=Value(0)), default=Value(1), output_field=IntegerField())
    rank = Case(
        *(When(level=level, then=Value(place)) for place, level in enumerate(LEVELS_DOWN)),
        output_field=IntegerField(),
    )
    return list(
        found.annotate(is_past=now, rank=rank)
        .select_related("parent", "parent__parent")
        .order_by("is_past", "rank", "code", "valid_from")[:limit]
    )


def province_names(day: date) -> dict[str, str]:
    """Name the provinces in force on a day by their codes."""
    return dict(units_on(day, AdministrativeUnit.Level.PROVINCE).values_list("code", "name"))


def region_names() -> dict[str, str]:
    """Name the six regions in the reader's language."""
    return {code: str(label) for code, label in AdministrativeUnit.Region.choices}


def provinces_in(scope: Scope, day: date) -> list[AdministrativeUnit]:
    """List the provinces among which a person may choose."""
    units = units_on(day, AdministrativeUnit.Level.PROVINCE)
    if scope.is_national:
        return list(units)
    return list(units.filter(code__in=scope.provinces))


def communes_in(scope: Scope, day: date, province_code: str) -> list[AdministrativeUnit]:
    """List the communes of a province among which a person may choose."""
    units = units_on(day, AdministrativeUnit.Level.COMMUNE)
    if scope.is_national or province_code in scope.provinces:
        return list(units.filter(parent__code=province_code)) if province_code else []
    return list(units.filter(code__in=scope.communes)) if len(scope.communes) > 1 else []


def count_children(day: date) -> dict[int, int]:
    """Count the communes under each province on a day, those of its districts included."""
    level = AdministrativeUnit.Level
    below = UnitVersion.objects.filter(in_force(day), unit__level=level.COMMUNE)
    counts: Counter[int] = Counter()
    rows = below.values("parent_id", "parent__level", "parent__parent_id").annotate(n=Count("pk"))
    for row in rows:
        province = row["parent_id"] if row["parent__level"] == level.PROVINCE else row["parent__parent_id"]
        counts[province] += row["n"]
    return dict(counts)
