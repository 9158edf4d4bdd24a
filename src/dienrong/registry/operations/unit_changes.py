"""One decision about one administrative unit: another name or kind, another province, other units taken in."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts import operations as people
from dienrong.accounts import permissions
from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.formats import day_text
from dienrong.core.text import clean_text, search_key
from dienrong.registry.models import (
    AdministrativeUnit,
    School,
    SchoolEvent,
    SchoolSite,
    UnitSuccession,
    UnitVersion,
)
from dienrong.registry.operations.applying import Decision, Happening, apply_happenings, demand_date
from dienrong.registry.operations.planning import place_in
from dienrong.registry.operations.refusals import CodeTaken, IncompleteEvent, OutOfScope, WrongDate
from dienrong.registry.queries.units import in_force
from dienrong.registry.versions import set_traits

Level, Kind = AdministrativeUnit.Level, AdministrativeUnit.Kind
KINDS: dict[str, tuple[str, ...]] = {
    Level.PROVINCE: (Kind.CITY, Kind.PROVINCE),
    Level.COMMUNE: (Kind.COMMUNE, Kind.WARD, Kind.SPECIAL_ZONE),
}
"""What the law calls units of the two levels that there are."""
TOLD = ("name", "full_name", "kind", "parent_id")
"""What a version tells of a unit."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UnitChange:
    """What a decision makes of a unit.

    Parameters
    ----------
    unit : AdministrativeUnit
        The unit in force.
    name, full_name, kind : str
        What it is called afterwards.
    parent : AdministrativeUnit or None
        Of a commune: its province afterwards.
    absorbed : tuple of AdministrativeUnit
        Communes that end and live on in it.
    new_code : str
        Where the decision gives a new code: the unit ends too, and a new one begins.
    """

    unit: AdministrativeUnit
    name: str
    full_name: str
    kind: str
    parent: AdministrativeUnit | None = None
    absorbed: tuple[AdministrativeUnit, ...] = ()
    new_code: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PlannedUnitChange:
    """A change that was checked: the unit afterwards, the units that end, the schools that follow."""

    after: AdministrativeUnit
    ending: tuple[AdministrativeUnit, ...]
    schools: tuple[School, ...]


def plan_unit_change(*, change: UnitChange, decision: Decision, by: Any | None) -> PlannedUnitChange:
    """Say what a decision about a unit would change; nothing is written.

    Raises
    ------
    OutOfScope
        If the person does not look after the whole country.
    Refusal
        If the day, the names, the code, the province or the units taken in do not fit, or nothing differs.
    """
    unit = change.unit
    if by is not None and not permissions.scope_of(by).is_national:
        raise OutOfScope(
            _("Administrative units are changed by the ministry."), whom_to_ask=permissions.whom_to_ask(by)
        )
    if unit.level not in KINDS:
        raise IncompleteEvent(
            _("Districts have ended; they are not changed any more."),
            hint=_("Choose a province or a commune."),
        )
    _demand_days([unit, *change.absorbed], decision)
    after = _after(change, decision)
    _demand_partners(change, decision)
    ending = (*change.absorbed, unit) if change.new_code else change.absorbed
    if not ending and all(getattr(after, name) == getattr(unit, name) for name in TOLD):
        raise IncompleteEvent(_("Nothing was changed."), hint=_("Change something, or go back."))
    moving = {other.pk for other in ending}
    if unit.parent_id != after.parent_id or (unit.kind == Kind.WARD) != (after.kind == Kind.WARD):
        moving.add(unit.pk)
    schools: tuple[School, ...] = ()
    if unit.level == Level.COMMUNE:
        found = School.objects.filter(commune__in=moving, is_open=True)
        schools = tuple(found.select_related("commune", "province").order_by("school_id"))
    demand_date(schools, decision.on_date)
    return PlannedUnitChange(after=after, ending=ending, schools=schools)


@transaction.atomic
def change_unit(*, change: UnitChange, decision: Decision, by: Any | None) -> AdministrativeUnit:
    """Write a decision about a unit down; give the unit as it is afterwards.

    Invariant: every day before keeps what it was; from the day on, every open school of a unit that ended lies in
    the unit in which it lives on, under that unit's province, with a version and an event of its own.

    Raises
    ------
    Refusal
        As ``plan_unit_change``.
    """
    planned = plan_unit_change(change=change, decision=decision, by=by)
    unit, after, day = change.unit, planned.after, decision.on_date
    before = {name: getattr(unit, name) for name in TOLD}
    if change.new_code or any(getattr(after, name) != before[name] for name in TOLD):
        UnitVersion.objects.filter(unit=unit, valid_to__isnull=True).update(valid_to=day)
        after.save()
        UnitVersion.objects.create(
            unit=after,
            valid_from=day,
            decision=decision.number[:120],
            **{name: getattr(after, name) for name in TOLD},
        )
    _end(planned.ending, after, decision)
    happenings = [_following(school, after, decision) for school in planned.schools]
    apply_happenings(happenings, decision=decision, by=by)
    people.refresh_places(unit_codes=[after.code, *(school.school_id for school in planned.schools)])
    record(
        action="registry.unit_changed",
        actor=by,
        obj=after,
        before={**before, "code": unit.code},
        after={
            **{name: getattr(after, name) for name in TOLD},
            "code": after.code,
            "on_date": day,
            "decision_number": decision.number,
            "ended": [other.code for other in planned.ending],
            "n_schools": len(planned.schools),
        },
    )
    return after


def _demand_days(units: Sequence[AdministrativeUnit], decision: Decision) -> None:
    """Refuse a day in the future, on which a unit is not in force, or not after its last change."""
    day = decision.on_date
    if day > clock.today():
        raise WrongDate(
            _("%(day)s has not come yet.") % {"day": day_text(day)}, hint=_("Record it on that day or later.")
        )
    since = dict(
        UnitVersion.objects.filter(unit__in=units, valid_to__isnull=True).values_list("unit", "valid_from")
    )
    for unit in units:
        if unit.valid_to is not None:
            raise WrongDate(
                _("%(name)s has ended on %(day)s.")
                % {"name": unit.full_name, "day": day_text(unit.valid_to)},
                hint=_("Choose the unit in which it lives on."),
            )
        last = max(since.get(unit.pk, unit.valid_from), unit.valid_from)
        if day <= last:
            raise WrongDate(
                _("Something is known of %(name)s from %(day)s on; the day must be later.")
                % {"name": unit.full_name, "day": day_text(last)},
                hint=_("Choose a later day."),
            )


def _after(change: UnitChange, decision: Decision) -> AdministrativeUnit:
    """Make the unit as it is afterwards; not saved."""
    unit = change.unit
    name, full_name = clean_text(change.name), clean_text(change.full_name)
    if not name or len(name) > 120 or len(full_name) > 160 or not full_name.endswith(name):
        raise IncompleteEvent(
            _("The full name must end with the name, such as “Phường Ba Đình” with “Ba Đình”."),
            hint=_("Write both as they stand in the decision."),
        )
    if change.kind not in KINDS[unit.level]:
        raise IncompleteEvent(
            _("A unit of this level cannot be of this kind."), hint=_("Choose another kind of unit.")
        )
    after = copy.copy(unit)
    after.name, after.full_name, after.kind = name, full_name, change.kind
    after.search_key = search_key(full_name)[:200]
    if unit.level == Level.COMMUNE and change.parent is not None:
        after.parent = change.parent
    if change.new_code:
        after.pk, after.code, after.valid_from = None, change.new_code, decision.on_date
        after._state.adding = True
    return after


def _demand_partners(change: UnitChange, decision: Decision) -> None:
    """Refuse a province, a code or units taken in that do not fit."""
    unit, parent = change.unit, change.parent
    if unit.level == Level.PROVINCE and (change.absorbed or change.new_code or parent is not None):
        raise IncompleteEvent(
            _("Provinces merge with all their communes at once, which one page cannot record."),
            hint=_("Load the new list of units; here a province gets another name or kind."),
        )
    if parent is not None and (parent.level != Level.PROVINCE or parent.valid_to is not None):
        raise IncompleteEvent(
            _("%(name)s is not a province in force.") % {"name": parent.full_name},
            hint=_("Choose a province in force."),
        )
    for other in change.absorbed:
        if other.level != Level.COMMUNE or other.pk == unit.pk or other.parent_id != unit.parent_id:
            raise IncompleteEvent(
                _("%(name)s is not another commune of the same province.") % {"name": other.full_name},
                hint=_("Take in communes of the same province; move a commune to its new province first."),
            )
    if len({other.pk for other in change.absorbed}) != len(change.absorbed):
        raise IncompleteEvent(_("A commune is named twice."), hint=_("Name every commune once."))
    if change.new_code:
        _demand_code(change, decision)


def _demand_code(change: UnitChange, decision: Decision) -> None:
    """Refuse a new code that is none, without need, or in use."""
    code = change.new_code
    if not change.absorbed:
        raise IncompleteEvent(
            _("A new code is given where communes merge into a new one."),
            hint=_("Leave the code empty, or name the communes that are taken in."),
        )
    if not (code.isascii() and code.isdigit() and len(code) == 5):
        raise IncompleteEvent(
            _("“%(code)s” is no code of a commune.") % {"code": code}, hint=_("A code has five digits.")
        )
    if AdministrativeUnit.objects.filter(in_force(decision.on_date), level=Level.COMMUNE, code=code).exists():
        raise CodeTaken(
            _("Code %(code)s is in use.") % {"code": code}, hint=_("Check the code in the decision.")
        )


def _end(ending: Sequence[AdministrativeUnit], after: AdministrativeUnit, decision: Decision) -> None:
    """End units that live on in another; their sites lie there from now on."""
    keys = [unit.pk for unit in ending]
    UnitVersion.objects.filter(unit__in=keys, valid_to__isnull=True).update(valid_to=decision.on_date)
    AdministrativeUnit.objects.filter(pk__in=keys).update(valid_to=decision.on_date)
    SchoolSite.objects.filter(commune__in=keys).update(commune=after)
    UnitSuccession.objects.bulk_create(
        UnitSuccession(
            predecessor=unit, successor=after, on_date=decision.on_date, decision=decision.number[:120]
        )
        for unit in ending
    )


def _following(school: School, commune: AdministrativeUnit, decision: Decision) -> Happening:
    """Let a school follow its commune."""
    moved = copy.copy(school)
    place_in(moved, commune, decision)
    set_traits(moved, {})
    return Happening(kind=SchoolEvent.Kind.CHANGE, predecessors=(school,), successors=(moved,))
