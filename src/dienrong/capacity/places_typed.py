"""A place as people type it: the code of a school, commune or province, or words of its name."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from dienrong.accounts import directory
from dienrong.accounts.models import UnitKind
from dienrong.accounts.permissions import Scope
from dienrong.capacity.operations.refusals import CapacityRefusal
from dienrong.capacity.queries import access
from dienrong.core import clock
from dienrong.core.text import clean_text
from dienrong.registry.models import AdministrativeUnit, School
from dienrong.registry.queries import school_by_code, unit_on

MOST_CHOICES = 300
LEVELS = {2: AdministrativeUnit.Level.PROVINCE, 5: AdministrativeUnit.Level.COMMUNE}


def place_of(text: str, scope: Scope) -> tuple[AdministrativeUnit | None, School | None]:
    """Find the unit or school that was typed; nothing typed is the ministry.

    Raises
    ------
    CapacityRefusal
        If nothing, or more than one thing, fits.
    """
    typed = clean_text(text)
    if not typed:
        return None, None
    code = typed.rpartition("(")[2].rstrip(")").strip() if typed.endswith(")") else typed
    if code.isdigit() and len(code) in LEVELS:
        unit = unit_on(LEVELS[len(code)], code, clock.today())
        if unit is not None:
            return unit, None
    school = school_by_code(code)
    if school is not None:
        return None, school
    found = directory.search(scope, typed, 6)
    if len(found) == 1:
        return _chosen(found[0])
    if not found:
        raise CapacityRefusal(
            _("No unit in your charge is called “%(text)s”.") % {"text": typed},
            hint=_("Type the code of the school, commune or province, or words of its name."),
        )
    names = "; ".join(f"{one.name} ({one.code})" for one in found[:5])
    raise CapacityRefusal(
        _("“%(text)s” fits several units: %(names)s.") % {"text": typed, "names": names},
        hint=_("Type the code of the one that is meant."),
    )


def _chosen(choice: Any) -> tuple[AdministrativeUnit | None, School | None]:
    """Give the row of the registry behind a choice."""
    if choice.kind == UnitKind.SCHOOL:
        return None, school_by_code(choice.code)
    level = (
        AdministrativeUnit.Level.PROVINCE
        if choice.kind == UnitKind.PROVINCE
        else AdministrativeUnit.Level.COMMUNE
    )
    return unit_on(level, choice.code, clock.today()), None


def typed_place(unit: AdministrativeUnit | None, school: School | None) -> str:
    """Write a place as it is typed."""
    if school is not None:
        return f"{school.name} ({school.school_id})"
    return f"{unit.full_name} ({unit.code})" if unit is not None else ""


def own_place(user: Any) -> str:
    """Give the place that a form proposes: the school or unit of somebody who has one alone."""
    scope = access.scope_of(user, "change_people")
    if scope.is_national:
        return ""
    codes = [*scope.schools, *scope.communes, *scope.provinces]
    if len(codes) != 1:
        return ""
    unit, school = place_of(codes[0], scope)
    return typed_place(unit, school)


def choices_for(scope: Scope) -> list[str]:
    """List the places of a small scope, for the choice below the field; nothing where there are too many."""
    from dienrong.registry.queries import schools_in

    if scope.is_national or scope.is_empty:
        return []
    rows = list(schools_in(scope).values_list("name", "school_id")[: MOST_CHOICES + 1])
    units = AdministrativeUnit.objects.filter(valid_to__isnull=True)
    own = [
        *units.filter(level="province", code__in=scope.provinces),
        *units.filter(level="commune", code__in=scope.communes),
    ]
    names = [typed_place(unit, None) for unit in own]
    return names + ([f"{name} ({code})" for name, code in rows] if len(rows) <= MOST_CHOICES else [])
