"""Delegation: a person lends a role to somebody of the same unit, until a day."""

from __future__ import annotations

import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts import permissions, queries
from dienrong.accounts.models import Assignment, UnitKind, User
from dienrong.accounts.operations.people import end_role
from dienrong.core import clock
from dienrong.core.recording import record
from dienrong.core.refusals import NotAllowed, Refusal

LONGEST_DAYS = 90


class DelegationRefused(Refusal):
    """A role cannot be delegated as asked."""

    code = "accounts.delegation_refused"


@transaction.atomic
def delegate_role(*, assignment: Assignment, to: User, last_day: datetime.date, by: User) -> Assignment:
    """Lend one's own role to another person, today until a last day.

    It ends by itself, ends when the role it came from ends, and can be revoked at any time. A delegated role is
    not delegated further.

    Raises
    ------
    NotAllowed
        If the role is not the person's own, or not held today.
    DelegationRefused
        If the other person does not work in that unit, holds the role already, or the last day is past or more
        than 90 days away.
    """
    today = clock.today()
    if assignment.user_id != by.pk or not permissions.holds_on(assignment, today):
        raise NotAllowed(_("You delegate a role that you hold yourself."))
    if assignment.delegated_from_id is not None:
        raise DelegationRefused(_("A delegated role is not delegated further."))
    if not today <= last_day <= today + datetime.timedelta(days=LONGEST_DAYS - 1):
        raise DelegationRefused(_("A delegation lasts at most %(n)d days, from today.") % {"n": LONGEST_DAYS})
    if to.pk == by.pk or not to.is_active or not _works_in(to, assignment):
        raise DelegationRefused(
            _("A role is delegated to a person with an account in the same unit."),
            hint=_("The officer who looks after the unit invites people who have no account yet."),
        )
    if queries.holds_role(to, assignment.role, assignment.unit_kind, assignment.unit_code):
        raise DelegationRefused(_("%(name)s holds this role in this unit already.") % {"name": to})
    last = assignment.valid_to
    end = last_day + datetime.timedelta(days=1)
    delegated = Assignment.objects.create(
        user=to,
        role=assignment.role,
        unit_kind=assignment.unit_kind,
        unit_code=assignment.unit_code,
        unit_name=assignment.unit_name,
        province_code=assignment.province_code,
        commune_code=assignment.commune_code,
        valid_from=today,
        valid_to=min(end, last) if last else end,
        delegated_from=assignment,
    )
    after = {
        "role": delegated.role,
        "unit_kind": delegated.unit_kind,
        "unit_code": delegated.unit_code,
        "delegated_by": by.username,
        "valid_from": delegated.valid_from,
        "valid_to": delegated.valid_to,
    }
    record(action="accounts.role_delegated", actor=by, obj=to, after=after)
    return delegated


@transaction.atomic
def revoke_delegation(*, delegated: Assignment, by: User) -> None:
    """End a delegation from this moment; the person who gave it, or who received it, may.

    Raises
    ------
    NotAllowed
        If neither is asking.
    """
    source = delegated.delegated_from
    if source is None or by.pk not in (source.user_id, delegated.user_id):
        raise NotAllowed(_("A delegation is ended by the person who gave it or who received it."))
    if delegated.valid_to is None or delegated.valid_to > clock.today():
        end_role(assignment=delegated, on=clock.today(), by=by)


def _works_in(person: User, assignment: Assignment) -> bool:
    """Tell whether a person holds a role of their own today in a role's unit, or in a unit inside it.

    National roles go to people with a national role alone: everything lies in the nation.
    """
    own = [row for row in permissions.assignments_of(person) if row.delegated_from_id is None]
    if assignment.unit_kind == UnitKind.NATION:
        return any(row.unit_kind == UnitKind.NATION for row in own)
    unit = permissions.unit_scope(assignment)
    for row in own:
        place = permissions.last_place(row)
        if unit.covers(place.province_code, place.commune_code, place.school_id):
            return True
    return False
