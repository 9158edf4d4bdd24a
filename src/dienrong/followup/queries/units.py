"""The units below a plan's own: all of a level, or those that codes name."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.utils.translation import gettext as _

from dienrong.accounts import directory
from dienrong.accounts.directory import Place
from dienrong.accounts.models import UnitKind
from dienrong.core import clock
from dienrong.followup.models import Plan
from dienrong.followup.refusals import FollowupRefusal
from dienrong.registry.models import AdministrativeUnit, School
from dienrong.registry.queries import in_force

Unit = tuple[str, str, str, Place]
KINDS = (UnitKind.PROVINCE, UnitKind.COMMUNE, UnitKind.SCHOOL)
BELOW = {
    UnitKind.NATION: KINDS,
    UnitKind.PROVINCE: KINDS[1:],
    UnitKind.COMMUNE: KINDS[2:],
    UnitKind.SCHOOL: (),
}
SHOWN = 5


def all_of(plan: Plan, kind: str) -> list[Unit]:
    """List the units of today of a level that lie in the unit of a plan."""
    if kind == UnitKind.SCHOOL:
        schools = School.objects.filter(is_open=True).select_related("province", "commune")
        if plan.unit_kind == UnitKind.PROVINCE:
            schools = schools.filter(province__code=plan.unit_code)
        elif plan.unit_kind == UnitKind.COMMUNE:
            schools = schools.filter(commune__code=plan.unit_code)
        return [
            (
                str(UnitKind.SCHOOL),
                one.school_id,
                one.name,
                Place(
                    province_code=one.province.code, commune_code=one.commune.code, school_id=one.school_id
                ),
            )
            for one in schools
        ]
    level = AdministrativeUnit.Level(kind)
    units = AdministrativeUnit.objects.filter(in_force(clock.today()), level=level).select_related("parent")
    if plan.unit_kind == UnitKind.PROVINCE:
        units = units.filter(parent__code=plan.unit_code)
    return [(str(kind), one.code, one.full_name, _place(one)) for one in units]


def _place(unit: AdministrativeUnit) -> Place:
    """Give where a province or commune lies."""
    if unit.level == AdministrativeUnit.Level.PROVINCE:
        return Place(province_code=unit.code)
    return Place(province_code=unit.parent.code if unit.parent is not None else None, commune_code=unit.code)


def named(text: str, kinds: Iterable[str]) -> list[Unit]:
    """Find the units that codes name.

    Raises
    ------
    FollowupRefusal
        If nothing is named, or a code names no unit of today of these kinds.
    """
    codes = list(dict.fromkeys(re.split(r"[\s,;]+", text.strip()))) if text.strip() else []
    if not codes:
        raise FollowupRefusal(_("No unit is named."), hint=_("Write the codes of the units, or choose all."))
    found, unknown = [], []
    for code in codes:
        unit = _named(code, tuple(kinds))
        if unit is None:
            unknown.append(code)
        else:
            found.append(unit)
    if unknown:
        raise FollowupRefusal(
            _("No unit of today has these codes: %(codes)s.") % {"codes": ", ".join(unknown[:SHOWN])},
            hint=_("Correct or delete them."),
        )
    return found


def _named(code: str, kinds: tuple[str, ...]) -> Unit | None:
    """Give the unit that a code names: provinces have two digits, communes five, schools other codes."""
    by_length = {2: UnitKind.PROVINCE, 5: UnitKind.COMMUNE}
    kind = by_length.get(len(code), UnitKind.SCHOOL) if code.isdigit() else UnitKind.SCHOOL
    if kind not in kinds:
        return None
    place, name = directory.place_of(kind, code), directory.name_of(kind, code)
    return (str(kind), code, name, place) if place is not None and name else None
