"""Who sees and who changes which plan and duty.

A plan is changed by who works in its unit. It is read by the units that contain it, and once in force by the units
that lie in it and by those that have a duty of it. A duty is reported by its unit and read by whoever reads its plan
as an owner, and by the units that contain it.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.accounts.models import UnitKind
from dienrong.accounts.permissions import Scope
from dienrong.core.refusals import NotAllowed
from dienrong.followup.models import Duty, Plan


def own_units(user: Any) -> list[tuple[str, str]]:
    """List the units, as kind and code, in which a person works with plans today."""
    rows = permissions.assignments_of(user)
    return list(
        dict.fromkeys((row.unit_kind, row.unit_code) for row in rows if row.role in permissions.DATA_KEEPERS)
    )


def at_units(units: list[tuple[str, str]]) -> Q:
    """Limit rows to those of some units."""
    found = Q(pk__in=[])
    for kind, code in units:
        found |= Q(unit_kind=kind, unit_code=code)
    return found


def below(scope: Scope) -> Q:
    """Limit rows to those whose unit lies in a scope."""
    if scope.is_national:
        return Q()
    return (
        Q(province_code__in=scope.provinces)
        | Q(commune_code__in=scope.communes)
        | Q(unit_kind=UnitKind.SCHOOL, unit_code__in=scope.schools)
    )


def _above(user: Any) -> Q:
    """Limit plans to those of the units that contain a person's own: the ministry, the province, the commune."""
    found = Q(unit_kind=UnitKind.NATION)
    for row in permissions.assignments_of(user):
        place = permissions.last_place(row)
        if place.province_code:
            found |= Q(unit_kind=UnitKind.PROVINCE, unit_code=place.province_code)
        if place.commune_code:
            found |= Q(unit_kind=UnitKind.COMMUNE, unit_code=place.commune_code)
    return found


def owns(user: Any, plan: Plan) -> bool:
    """Tell whether a person works in the unit of a plan."""
    return permissions.may(user, "change_tasks") and (plan.unit_kind, plan.unit_code) in own_units(user)


def demand_owner(user: Any, plan: Plan) -> None:
    """Refuse whoever does not work in the unit of a plan.

    Raises
    ------
    SignInFirst
        If nobody is signed in.
    NotAllowed
        If the person works elsewhere.
    """
    permissions.demand(user, "change_tasks")
    if not owns(user, plan):
        raise NotAllowed(
            _("This plan is changed by the staff of %(unit)s alone.") % {"unit": plan.unit_name},
            whom_to_ask=permissions.whom_to_ask(user),
        )


def plans_of(user: Any) -> QuerySet[Plan]:
    """List the plans that a person may read."""
    if not permissions.may(user, "view_tasks"):
        return Plan.objects.none()
    units = own_units(user)
    handed = Duty.objects.filter(at_units(units), task__plan=OuterRef("pk")).order_by()
    scope = permissions.scope_of(user)
    in_force = ~Q(state=Plan.State.DRAFT)
    if not scope.is_national:  # an empty Q joined by "or" would vanish, and with it the whole nation
        in_force &= below(scope) | _above(user) | Exists(handed)
    return Plan.objects.filter(at_units(units) | in_force)


def duties_of(user: Any) -> QuerySet[Duty]:
    """List the duties of a person's own units, of plans in force."""
    if not permissions.may(user, "view_tasks"):
        return Duty.objects.none()
    rows = Duty.objects.filter(at_units(own_units(user)), task__plan__state=Plan.State.IN_FORCE)
    return rows.select_related("task__plan").exclude(task__state="dropped")


def visible_duties(user: Any, plan: Plan) -> QuerySet[Duty]:
    """List the duties of a plan that a person may read: all for its owner, else those in the own units."""
    rows = Duty.objects.filter(task__plan=plan)
    if owns(user, plan) or permissions.scope_of(user).is_national:
        return rows
    return rows.filter(below(permissions.scope_of(user)))


def may_report(user: Any, duty: Duty) -> bool:
    """Tell whether a person works in the unit of a duty."""
    return permissions.may(user, "view_tasks") and (duty.unit_kind, duty.unit_code) in own_units(user)
