"""What the registry tells the accounts of units: their names, where they lie, and which a text may mean."""

from __future__ import annotations

from django.db.models import Q

from dienrong.accounts.directory import Place, UnitChoice
from dienrong.accounts.models import UnitKind
from dienrong.accounts.permissions import Scope
from dienrong.core import clock
from dienrong.core.text import search_key
from dienrong.registry.models import AdministrativeUnit, School
from dienrong.registry.queries.schools import within
from dienrong.registry.queries.units import in_force

LEVEL_OF_KIND = {
    UnitKind.PROVINCE: AdministrativeUnit.Level.PROVINCE,
    UnitKind.COMMUNE: AdministrativeUnit.Level.COMMUNE,
}


class RegistryDirectory:
    """The provider that the registry plugs into ``accounts.directory``."""

    def name_of(self, unit_kind: str, code: str) -> str | None:
        """Give the full name of a unit of today; None where there is none."""
        if unit_kind == UnitKind.SCHOOL:
            return School.objects.filter(school_id=code).values_list("name", flat=True).first()
        unit = _unit(unit_kind, code)
        return unit.full_name if unit is not None else None

    def place_of(self, unit_kind: str, code: str) -> Place | None:
        """Tell where a unit lies today; None where there is no such unit."""
        if unit_kind == UnitKind.SCHOOL:
            school = School.objects.select_related("commune", "province").filter(school_id=code).first()
            return _place_of_school(school) if school is not None else None
        unit = _unit(unit_kind, code)
        return _place_of_unit(unit) if unit is not None else None

    def search(self, scope: Scope, text: str, limit: int) -> list[UnitChoice]:
        """Find provinces, communes and open schools of a scope by words of their name, or by code."""
        words = search_key(text).split()
        if not words or limit <= 0:
            return []
        today = clock.today()
        units = AdministrativeUnit.objects.filter(
            in_force(today), _units_within(scope), level__in=LEVEL_OF_KIND.values()
        )
        schools = School.objects.filter(within(scope), is_open=True)
        for word in words:
            units = units.filter(Q(search_key__contains=word) | Q(code=word))
            schools = schools.filter(Q(search_key__contains=word))
        found = units.select_related("parent").order_by("-level", "code")[:limit]
        choices = [
            UnitChoice(kind=str(unit.level), code=unit.code, name=unit.full_name, place=_place_of_unit(unit))
            for unit in found
        ]
        more = schools.select_related("commune", "province").order_by("sort_key", "school_id")
        choices += [
            UnitChoice(
                kind=str(UnitKind.SCHOOL),
                code=school.school_id,
                name=f"{school.name} · {school.commune.full_name}",
                place=_place_of_school(school),
            )
            for school in more[: limit - len(choices)]
        ]
        return choices


def _unit(unit_kind: str, code: str) -> AdministrativeUnit | None:
    """Give the province or commune of today that a code names."""
    level = LEVEL_OF_KIND.get(UnitKind(unit_kind)) if unit_kind in UnitKind.values else None
    if level is None:
        return None
    units = AdministrativeUnit.objects.filter(in_force(clock.today()), level=level, code=code)
    return units.select_related("parent").first()


def _place_of_unit(unit: AdministrativeUnit) -> Place:
    """Tell where a province or a commune lies."""
    if unit.level == AdministrativeUnit.Level.PROVINCE:
        return Place(province_code=unit.code)
    return Place(province_code=unit.parent.code if unit.parent else None, commune_code=unit.code)


def _place_of_school(school: School) -> Place:
    """Tell where a school lies."""
    return Place(
        province_code=school.province.code, commune_code=school.commune.code, school_id=school.school_id
    )


def _units_within(scope: Scope) -> Q:
    """Limit units to those that lie in a scope."""
    if scope.is_national:
        return Q()
    province, commune = AdministrativeUnit.Level.PROVINCE, AdministrativeUnit.Level.COMMUNE
    return (
        Q(level=province, code__in=scope.provinces)
        | Q(level=commune, code__in=scope.communes)
        | Q(level=commune, parent__code__in=scope.provinces)
    )
