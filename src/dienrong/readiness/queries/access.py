"""Whose schools and money a person sees in this room."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.accounts.permissions import Scope
from dienrong.core.refusals import NotAllowed, SignInFirst
from dienrong.readiness.models import Budget, Survey
from dienrong.registry.models import AdministrativeUnit
from dienrong.registry.queries import within
from dienrong.rosters import charge


def scope_of(user: Any, permission: str = "view_readiness") -> Scope:
    """Give the units in which a person holds a permission of this room."""
    return charge.scope_with(user, permission)


def surveys_of(user: Any, cycle: Any, permission: str = "view_readiness") -> QuerySet[Survey]:
    """List the surveys of a cycle at the open schools of a person; a school that closed needs nothing any more."""
    found = Survey.objects.filter(within(scope_of(user, permission), "school__"), cycle=cycle)
    return found.filter(school__is_open=True)


def demand_survey(user: Any, survey: Survey, permission: str) -> None:
    """Refuse whoever does not hold a permission at the school of a survey.

    Raises
    ------
    SignInFirst
        If nobody is signed in.
    NotAllowed
        If the school is not in the person's charge.
    """
    charge.demand_at(user, permission, survey.school)


def budgets_of(user: Any) -> QuerySet[Budget]:
    """List the estimates of a person's provinces."""
    scope = scope_of(user, "manage_budgets")
    found = Budget.objects.select_related("province", "cycle")
    if scope.is_national:
        return found
    return found.filter(province__code__in=scope.provinces)


def demand_province(user: Any, permission: str, province: AdministrativeUnit) -> None:
    """Refuse whoever does not act for a province.

    Raises
    ------
    SignInFirst
        If nobody is signed in.
    NotAllowed
        If the person holds the permission in other provinces only, or not at all.
    """
    if not getattr(user, "is_authenticated", False):
        raise SignInFirst(_("Please sign in first."))
    permissions.demand(user, permission)
    scope = scope_of(user, permission)
    if not scope.is_national and province.code not in scope.provinces:
        raise NotAllowed(
            _("This belongs to another province: %(name)s.") % {"name": province.full_name},
            whom_to_ask=permissions.whom_to_ask(user),
        )
