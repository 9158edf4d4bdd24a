"""One-time links: for a new account with its role, and for a new password.

The secret of a link is shown once, to the officer who made it; the database keeps its SHA-256. A link is used
once, ends by itself, and can be revoked. Whether the officer may still give what the link promises is asked
again when it is used.
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts import directory, keys, permissions, queries
from dienrong.accounts.models import (
    UNIT_KIND_OF_ROLE,
    Assignment,
    FailureKind,
    Invitation,
    InvitationPurpose,
    Role,
    SignInFailure,
    User,
)
from dienrong.accounts.operations.people import assign_role, create_person, set_password
from dienrong.accounts.operations.sign_in import end_all_sign_ins
from dienrong.core import clock, text
from dienrong.core.recording import record
from dienrong.core.refusals import Conflict, NotAllowed, Refusal


class InvitationRefused(Refusal):
    """A link cannot be made as asked."""

    code = "accounts.invitation_refused"


class LinkClosed(Conflict):
    """A link was used, was revoked, or is past its days; the hint says whom to ask."""

    code = "accounts.link_closed"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NewPerson:
    """Whom an officer invites, and for what."""

    full_name: str
    role: str
    unit_kind: str
    unit_code: str = ""
    email: str = ""
    role_until: datetime.date | None = None


@transaction.atomic
def invite(*, new: NewPerson, by: User) -> tuple[Invitation, str]:
    """Invite a person to a role in a unit; give the invitation and, this once, the secret of its link.

    Raises
    ------
    NotAllowed
        If the role is not below the officer's own, or the unit not in their charge.
    InvitationRefused
        If the role does not belong into such a unit, the unit does not exist, or a field is malformed.
    """
    demand_giving(by, new.role, new.unit_kind, new.unit_code)
    place = directory.place_of(new.unit_kind, new.unit_code) or directory.Place()
    if new.role_until is not None and new.role_until < clock.today():
        raise InvitationRefused(_("The last day of the role lies in the past."))
    raw = keys.new_secret()
    invitation = Invitation(
        purpose=InvitationPurpose.NEW_ACCOUNT,
        token_hash=keys.hash_of_secret(raw),
        full_name=text.clean_text(new.full_name),
        email=new.email,
        role=new.role,
        unit_kind=new.unit_kind,
        unit_code=new.unit_code,
        unit_name=(directory.name_of(new.unit_kind, new.unit_code) or "")[:200],
        province_code=place.province_code or "",
        commune_code=place.commune_code or "",
        role_until=new.role_until,
        invited_by=by,
        expires_at=_end_of_link(),
    )
    try:
        invitation.full_clean()
    except ValidationError as error:
        raise InvitationRefused(" ".join(error.messages)) from error
    invitation.save()
    record(action="accounts.person_invited", actor=by, obj=invitation, after=_facts(invitation))
    return invitation, raw


@transaction.atomic
def reset_sign_in(*, person: User, by: User) -> tuple[Invitation, str]:
    """Make a link with which a person sets a new password; earlier such links are revoked.

    Raises
    ------
    NotAllowed
        If the officer does not look after the account.
    InvitationRefused
        If the account is switched off.
    """
    demand_managing(by, person)
    if not person.is_active:
        raise InvitationRefused(
            _("This account is switched off."), hint=_("Switch it on first, then make the link.")
        )
    now = clock.now()
    earlier = Invitation.objects.filter(purpose=InvitationPurpose.RESET, person=person, used_at=None)
    earlier.filter(revoked_at=None).update(revoked_at=now, updated_at=now)
    raw = keys.new_secret()
    invitation = Invitation.objects.create(
        purpose=InvitationPurpose.RESET,
        token_hash=keys.hash_of_secret(raw),
        full_name=person.full_name,
        email=person.email,
        person=person,
        invited_by=by,
        expires_at=_end_of_link(),
    )
    record(action="accounts.sign_in_reset", actor=by, obj=person, after={"expires_at": invitation.expires_at})
    return invitation, raw


@transaction.atomic
def revoke_invitation(*, invitation: Invitation, by: User) -> None:
    """Revoke a link that nobody used.

    Raises
    ------
    NotAllowed
        If the officer may not give what the link promises, and did not make it.
    LinkClosed
        If it was used or revoked before.
    """
    invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if invitation.invited_by_id != by.pk:
        if invitation.purpose == InvitationPurpose.RESET and invitation.person is not None:
            demand_managing(by, invitation.person)
        else:
            demand_giving(by, invitation.role, invitation.unit_kind, invitation.unit_code)
    if invitation.state in ("used", "revoked"):
        raise LinkClosed(_("This link was used or revoked before."))
    invitation.revoked_at = clock.now()
    invitation.save(update_fields=["revoked_at"])
    record(action="accounts.link_revoked", actor=by, obj=invitation, after=_facts(invitation))


@transaction.atomic
def accept_invitation(*, raw: str, username: str, password: str | None) -> User:
    """Make the account that an invitation promises, with its role; the link is used up.

    ``password`` is None where the person signs in through a provider instead; the caller then links it in the
    same transaction.

    Raises
    ------
    LinkClosed
        If the link does not open this any more.
    PersonRefused
        If the user name is taken or malformed, or the password too weak; the link stays open.
    """
    invitation = _hold_link(raw, InvitationPurpose.NEW_ACCOUNT)
    giver = invitation.invited_by
    if giver is None or not permissions.may_give(
        giver, invitation.role, invitation.unit_kind, invitation.unit_code
    ):
        raise LinkClosed(
            _("Whoever made this link may not give this role any more."), hint=_whom_to_ask(invitation)
        )
    user = create_person(
        username=username,
        full_name=invitation.full_name,
        email=invitation.email,
        password=password,
        by=giver,
    )
    until = invitation.role_until
    assign_role(
        user=user,
        role=invitation.role,
        unit_code=invitation.unit_code,
        unit_name=invitation.unit_name,
        by=giver,
        valid_to=until + datetime.timedelta(days=1) if until else None,
    )
    invitation.used_at, invitation.person = clock.now(), user
    invitation.save(update_fields=["used_at", "person"])
    record(action="accounts.link_used", actor=user, obj=invitation)
    return user


@transaction.atomic
def accept_reset(*, raw: str, password: str) -> User:
    """Set the new password of whom a link was made for; every browser is signed out, the link is used up.

    Raises
    ------
    LinkClosed
        If the link does not open this any more.
    PersonRefused
        If the password is too weak; the link stays open.
    """
    invitation = _hold_link(raw, InvitationPurpose.RESET)
    user, giver = invitation.person, invitation.invited_by
    if user is None or giver is None or not user.is_active:
        raise LinkClosed(_("This account is switched off."), hint=_whom_to_ask(invitation))
    if not permissions.may_manage_person(giver, user, queries.all_roles_of(user)):
        raise LinkClosed(
            _("Whoever made this link does not look after this account any more."),
            hint=_whom_to_ask(invitation),
        )
    set_password(user=user, password=password, by=user)
    end_all_sign_ins(user=user)
    SignInFailure.objects.filter(username=user.username, kind=FailureKind.PASSWORD).delete()
    invitation.used_at = clock.now()
    invitation.save(update_fields=["used_at"])
    record(action="accounts.link_used", actor=user, obj=invitation)
    return user


def demand_giving(user: User, role: str, unit_kind: str, unit_code: str) -> None:
    """Refuse an officer who may not give this role in this unit.

    Raises
    ------
    SignInFirst, NotAllowed
        If they manage nobody, the role is not below their own, or the unit is not in their charge.
    InvitationRefused
        If there is no such role, or it is not held in this kind of unit.
    """
    permissions.demand(user, "manage_people")
    if role not in Role.values or unit_kind not in UNIT_KIND_OF_ROLE[role]:
        raise InvitationRefused(_("This role is not held in this kind of unit."))
    if bool(unit_code) == (unit_kind == "nation"):
        raise InvitationRefused(_("This role needs the code of its unit, and national roles have none."))
    if permissions.may_give(user, role, unit_kind, unit_code):
        return
    if role not in permissions.roles_given_by(user):
        raise NotAllowed(
            _("This role is given by a level above yours."), whom_to_ask=permissions.whom_to_ask(user)
        )
    raise NotAllowed(
        _("This unit is not in your charge, or there is no such unit."),
        whom_to_ask=permissions.whom_to_ask(user),
    )


def demand_managing(user: User, person: User) -> None:
    """Refuse an officer who does not look after an account.

    Raises
    ------
    SignInFirst, NotAllowed
        If they manage nobody, or the person works above them, elsewhere too, or is they themselves.
    """
    permissions.demand(user, "manage_people")
    rows = queries.all_roles_of(person)
    if permissions.may_manage_person(user, person, rows):
        return
    if person.pk == user.pk:
        raise NotAllowed(
            _("Nobody changes their own roles or resets their own sign-in."),
            whom_to_ask=permissions.whom_to_ask(user),
        )
    raise NotAllowed(
        _("This account is not in your charge, or its person also works for another unit."),
        whom_to_ask=permissions.whom_to_ask(user),
    )


def closed_because(invitation: Invitation) -> LinkClosed | None:
    """Say why a link is closed; None where it is open."""
    sentences = {
        "used": _("This link was used already; each link works once."),
        "revoked": _("This link was revoked."),
        "expired": _("This link is past its days."),
    }
    sentence = sentences.get(invitation.state)
    return LinkClosed(sentence, hint=_whom_to_ask(invitation)) if sentence else None


def _hold_link(raw: str, purpose: str) -> Invitation:
    """Hold an open link until the transaction ends, so that it is used once."""
    invitation = (
        Invitation.objects.select_for_update(of=("self",))
        .select_related("invited_by", "person")
        .filter(token_hash=keys.hash_of_secret(raw), purpose=purpose)
        .first()
    )
    if invitation is None:
        raise LinkClosed(_("This link opens nothing."), hint=_("Please ask for a new one."))
    closed = closed_because(invitation)
    if closed is not None:
        raise closed
    return invitation


def _whom_to_ask(invitation: Invitation) -> str:
    """Say who can make a new link."""
    if invitation.invited_by is None:
        return _("Please ask for a new one.")
    return _("Please ask %(name)s for a new one.") % {"name": invitation.invited_by.full_name}


def _end_of_link() -> datetime.datetime:
    """Give the moment at which a link made now ends."""
    return clock.now() + datetime.timedelta(days=settings.OPTIONS.invitation_days)


def _facts(invitation: Invitation) -> dict[str, Any]:
    """Give the audited facts of a link; never its secret."""
    names = (
        "purpose",
        "full_name",
        "role",
        "unit_kind",
        "unit_code",
        "role_until",
        "expires_at",
        "revoked_at",
    )
    return {name: getattr(invitation, name) for name in names}


def role_given_twice(person: User, role: str, unit_kind: str, unit_code: str) -> bool:
    """Tell whether a person holds a role in a unit today by their own right."""
    today = clock.today()
    rows = Assignment.objects.filter(user=person, role=role, unit_kind=unit_kind, unit_code=unit_code)
    return any(permissions.holds_on(row, today) for row in rows.filter(delegated_from=None))
