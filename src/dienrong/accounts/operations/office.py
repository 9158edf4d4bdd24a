"""What officers do with the accounts in their charge: roles, switching off, a fresh second factor."""

from __future__ import annotations

import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts import directory, permissions
from dienrong.accounts.models import Assignment, User
from dienrong.accounts.operations.invitations import (
    InvitationRefused,
    demand_giving,
    demand_managing,
    role_given_twice,
)
from dienrong.accounts.operations.people import AssignmentRefused, assign_role, end_role
from dienrong.accounts.operations.second_factor import drop_totp
from dienrong.accounts.operations.sign_in import end_all_sign_ins
from dienrong.core import clock
from dienrong.core.recording import record
from dienrong.core.refusals import NotAllowed


@transaction.atomic
def give_role(
    *, person: User, role: str, unit_kind: str, unit_code: str, until: datetime.date | None, by: User
) -> Assignment:
    """Give a person a further role, below the officer's own and in their charge.

    Raises
    ------
    NotAllowed
        If the role or the unit is not the officer's to give, or the person is the officer themselves.
    AssignmentRefused
        If the role is held in that unit already, does not belong there, or would end in the past.
    """
    _refuse_oneself(person, by)
    try:
        demand_giving(by, role, unit_kind, unit_code)
    except InvitationRefused as refusal:
        raise AssignmentRefused(refusal.sentence, hint=refusal.hint) from refusal
    if role_given_twice(person, role, unit_kind, unit_code):
        raise AssignmentRefused(_("%(name)s holds this role in this unit already.") % {"name": person})
    if until is not None and until < clock.today():
        raise AssignmentRefused(_("The last day of the role lies in the past."))
    return assign_role(
        user=person,
        role=role,
        unit_code=unit_code,
        unit_name=directory.name_of(unit_kind, unit_code) or "",
        by=by,
        valid_to=until + datetime.timedelta(days=1) if until else None,
    )


@transaction.atomic
def take_role(*, assignment: Assignment, by: User) -> None:
    """End a role of somebody in the officer's charge from today.

    Raises
    ------
    NotAllowed
        If the role is not the officer's to give, or is their own.
    """
    permissions.demand(by, "manage_people")
    _refuse_oneself(assignment.user, by)
    if not permissions.may_see_role(by, assignment):
        raise NotAllowed(_("This role is not in your charge."), whom_to_ask=permissions.whom_to_ask(by))
    if assignment.valid_to is None or assignment.valid_to > clock.today():
        end_role(assignment=assignment, on=clock.today(), by=by)


@transaction.atomic
def switch_account(*, person: User, is_active: bool, by: User) -> None:
    """Switch an account off, which signs it out everywhere, or on again; twice changes nothing.

    Raises
    ------
    NotAllowed
        If the officer does not look after the account.
    """
    demand_managing(by, person)
    if person.is_active == is_active:
        return
    person.is_active = is_active
    person.save(update_fields=["is_active"])
    n_ended = 0 if is_active else end_all_sign_ins(user=person)
    record(
        action="accounts.switched_on" if is_active else "accounts.switched_off",
        actor=by,
        obj=person,
        before={"is_active": not is_active},
        after={"is_active": is_active, "browsers_signed_out": n_ended},
    )


@transaction.atomic
def require_fresh_totp(*, person: User, by: User) -> None:
    """Forget a person's authenticator app, for a lost phone; they set up a new one at their next sign-in.

    Raises
    ------
    NotAllowed
        If the officer does not look after the account.
    """
    demand_managing(by, person)
    drop_totp(person=person, by=by)


def _refuse_oneself(person: User, by: User) -> None:
    """Refuse an officer who would change their own roles."""
    if person.pk == by.pk:
        raise NotAllowed(
            _("Nobody changes their own roles or resets their own sign-in."),
            whom_to_ask=permissions.whom_to_ask(by),
        )
