"""Whose standing a person sees, and for whom a person writes."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.accounts.permissions import Scope
from dienrong.core import clock
from dienrong.core.refusals import NotAllowed
from dienrong.registry.models import AdministrativeUnit, School
from dienrong.registry.queries import unit_on
from dienrong.rosters import charge

KINDS = {"tinh": "province", "xa": "commune", "truong": "school"}
WORDS = {kind: word for word, kind in KINDS.items()}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit whose standing is asked for: the nation (no row), a province, a commune or a school."""

    kind: str
    row: AdministrativeUnit | School | None = None

    @property
    def code(self) -> str:
        """The code in addresses; empty for the nation."""
        if self.row is None:
            return ""
        return self.row.school_id if isinstance(self.row, School) else self.row.code

    @property
    def name(self) -> str:
        """The name on pages."""
        if self.row is None:
            return _("Whole country")
        return self.row.name if isinstance(self.row, School) else self.row.full_name

    @property
    def province(self) -> AdministrativeUnit | None:
        """The province whose targets hold; None for the nation."""
        if isinstance(self.row, School):
            return self.row.province
        if self.row is None or self.kind == "province":
            return self.row
        above = self.row.parent
        return above if above is None or above.level == "province" else above.parent

    @property
    def address(self) -> dict[str, str]:
        """The parts of an address."""
        return {"kind": WORDS[self.kind], "code": self.code}


NATION = Unit(kind="nation")


def scope_of(user: Any, permission: str = "view_plans") -> Scope:
    """Give the units in which a person holds a permission of this room."""
    return charge.scope_with(user, permission)


def find_unit(kind: str, code: str) -> Unit | None:
    """Find a unit of today by its kind and code."""
    if kind == "school":
        school = School.objects.select_related("province", "commune").filter(school_id=code).first()
        return Unit(kind=kind, row=school) if school is not None else None
    unit = unit_on(kind, code, clock.today())
    return Unit(kind=kind, row=unit) if unit is not None else None


def covers(scope: Scope, unit: Unit) -> bool:
    """Tell whether a scope covers a unit."""
    if unit.row is None:
        return scope.is_national
    if isinstance(unit.row, School):
        return scope.covers(unit.row.province.code, unit.row.commune.code, unit.row.school_id)
    if unit.kind == "province":
        return scope.covers(unit.row.code)
    province = unit.province
    return scope.covers(province.code if province else None, unit.row.code)


def demand_unit(user: Any, unit: Unit, permission: str = "view_plans") -> None:
    """Refuse whoever holds a permission in no unit that covers this one.

    Raises
    ------
    SignInFirst
        If nobody is signed in.
    NotAllowed
        If the role does not hold the permission, or holds it elsewhere.
    """
    permissions.demand(user, permission)
    if not covers(scope_of(user, permission), unit):
        raise NotAllowed(
            _("This belongs to a unit that is not in your charge."), whom_to_ask=permissions.whom_to_ask(user)
        )


def unit_of_row(row: AdministrativeUnit | None) -> Unit:
    """Give a province, or the nation, as a unit."""
    return Unit(kind="province", row=row) if row is not None else NATION


def units_of(user: Any, permission: str = "view_plans") -> list[Unit]:
    """List the units of a person, the widest first; for the whole country the nation alone."""
    scope = scope_of(user, permission)
    if scope.is_national:
        return [NATION]
    units = AdministrativeUnit.objects.filter(valid_to__isnull=True).select_related("parent__parent")
    found = [
        Unit(kind="province", row=one)
        for one in units.filter(level="province", code__in=scope.provinces).order_by("code")
    ]
    found += [
        Unit(kind="commune", row=one)
        for one in units.filter(level="commune", code__in=scope.communes).order_by("code")
    ]
    schools = School.objects.filter(school_id__in=scope.schools).select_related("province", "commune")
    return found + [Unit(kind="school", row=one) for one in schools.order_by("sort_key")]
