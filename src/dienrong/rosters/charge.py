"""Who may do what at which school: a permission counts only in the units of the roles that hold it.

Somebody who is an expert of the ministry and coordinates one school sees the names of that school, not of the
nation. What ``permissions.may`` answers for the person, this module answers for the person at a school.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.accounts.permissions import HOLDERS, Scope
from dienrong.core.refusals import NotAllowed, SignInFirst
from dienrong.registry.models import School


def scope_with(user: Any, permission: str) -> Scope:
    """Give the units in which a person holds a permission."""
    rows = [row for row in permissions.assignments_of(user) if row.role in HOLDERS[permission]]
    parts = [permissions.unit_scope(row) for row in rows]
    return Scope(
        roles=frozenset().union(*(part.roles for part in parts)),
        is_national=any(part.is_national for part in parts),
        provinces=frozenset().union(*(part.provinces for part in parts)),
        communes=frozenset().union(*(part.communes for part in parts)),
        schools=frozenset().union(*(part.schools for part in parts)),
    )


def may_at(user: Any, permission: str, school: School) -> bool:
    """Tell whether a person holds a permission at a school; a narrowed API key narrows this too."""
    place = (school.province.code, school.commune.code, school.school_id)
    return scope_with(user, permission).covers(*place) and permissions.scope_of(user).covers(*place)


def demand_at(user: Any, permission: str, school: School) -> None:
    """Refuse a person who does not hold a permission at a school.

    Raises
    ------
    SignInFirst
        If nobody is signed in.
    NotAllowed
        If the person's role there does not hold it, or the school is not in their charge.
    """
    if may_at(user, permission, school):
        return
    if not getattr(user, "is_authenticated", False):
        raise SignInFirst(_("Please sign in first."))
    permissions.demand_unit(user, school.province.code, school.commune.code, school.school_id)
    raise permissions.refusal_for(user, permission)


def demand_nation(user: Any, permission: str) -> None:
    """Refuse a person who does not hold a permission for the whole country.

    Raises
    ------
    NotAllowed
        If the person holds it in some units only, or not at all.
    """
    permissions.demand(user, permission)
    if not scope_with(user, permission).is_national:
        raise NotAllowed(
            _("Purposes and periods are set for the whole country."),
            whom_to_ask=permissions.whom_to_ask(user),
        )
