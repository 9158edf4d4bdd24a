"""Accounts, roles, passwords, and the browsers in which people are signed in."""

from __future__ import annotations

import datetime
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from dienrong.accounts import devices
from dienrong.accounts.models import (
    UNIT_KIND_OF_ROLE,
    Assignment,
    Role,
    SignIn,
    SignInFailure,
    UnitKind,
    User,
    normal_username,
)
from dienrong.core import clock, formats
from dienrong.core.recording import ObjectName, record
from dienrong.core.refusals import Refusal

KEEP_FAILURES = datetime.timedelta(days=2)


class PersonRefused(Refusal):
    """An account cannot be made or changed as asked."""

    code = "accounts.person_refused"


class AssignmentRefused(Refusal):
    """A role cannot be given as asked."""

    code = "accounts.assignment_refused"


class SignInLocked(Refusal):
    """Too many wrong passwords; the door is closed for a while."""

    code = "accounts.sign_in_locked"


@transaction.atomic
def create_person(
    *,
    username: str,
    full_name: str,
    password: str,
    by: User | None,
    email: str = "",
    language: str = "",
    is_demo: bool = False,
) -> User:
    """Make an account. The password passes the rules of the house.

    Raises
    ------
    PersonRefused
        If the user name is taken or malformed, or the password is too weak.
    """
    user = User(
        username=normal_username(username),
        full_name=full_name,
        email=email,
        language=language,
        is_demo=is_demo,
    )
    try:
        user.full_clean(exclude=["password"])
        validate_password(password, user)
    except ValidationError as error:
        raise PersonRefused(" ".join(error.messages)) from error
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        raise PersonRefused(_("This user name is taken.")) from error
    record(action="accounts.person_created", actor=by, obj=user, after=_facts(user))
    return user


@transaction.atomic
def assign_role(
    *,
    user: User,
    role: str,
    unit_code: str = "",
    by: User | None,
    unit_name: str = "",
    valid_from: datetime.date | None = None,
    valid_to: datetime.date | None = None,
) -> Assignment:
    """Give a person a role in a unit.

    Raises
    ------
    AssignmentRefused
        If the role is unknown, lacks the code of its unit, or is national and has one.
    """
    if role not in Role.values:
        raise AssignmentRefused(_("There is no role “%(role)s”.") % {"role": role})
    kinds = [kind for kind in UNIT_KIND_OF_ROLE[role] if (kind == UnitKind.NATION) == (unit_code == "")]
    if not kinds:
        raise AssignmentRefused(_("This role needs the code of its unit, and national roles have none."))
    assignment = Assignment(
        user=user,
        role=role,
        unit_kind=kinds[0],
        unit_code=unit_code,
        unit_name=unit_name,
        valid_from=valid_from or clock.today(),
        valid_to=valid_to,
    )
    try:
        assignment.full_clean()
    except ValidationError as error:
        raise AssignmentRefused(" ".join(error.messages)) from error
    assignment.save()
    user.__dict__.pop("_assignments_today", None)
    record(action="accounts.role_assigned", actor=by, obj=user, after=_assignment_facts(assignment))
    return assignment


@transaction.atomic
def end_role(*, assignment: Assignment, on: datetime.date, by: User | None) -> None:
    """End a role; a role that would end before it began never held and is removed."""
    before = _assignment_facts(assignment)
    if on <= assignment.valid_from:
        assignment.delete()
        after = None
    else:
        assignment.valid_to = on
        assignment.save(update_fields=["valid_to"])
        after = _assignment_facts(assignment)
    record(action="accounts.role_ended", actor=by, obj=assignment.user, before=before, after=after)


@transaction.atomic
def set_password(*, user: User, password: str, by: User | None) -> None:
    """Set a password that passes the rules; every other browser is signed out by it.

    Raises
    ------
    PersonRefused
        If the password is too weak.
    """
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise PersonRefused(" ".join(error.messages)) from error
    user.set_password(password)
    user.save(update_fields=["password"])
    record(action="accounts.password_changed", actor=by, obj=user)


@transaction.atomic
def change_profile(*, user: User, full_name: str, email: str, language: str) -> None:
    """Change what a person says about themselves."""
    before = _facts(user)
    user.full_name, user.email, user.language = full_name, email, language
    user.save(update_fields=["full_name", "email", "language"])
    record(action="accounts.profile_changed", actor=user, obj=user, before=before, after=_facts(user))


@transaction.atomic
def note_failure(*, username: str, address: str) -> None:
    """Count a wrong password; the failure that reaches the limit is audited as a lock."""
    from dienrong.accounts import queries

    name = normal_username(username)[:150]
    now = clock.now()
    SignInFailure.objects.filter(failed_at__lt=now - KEEP_FAILURES).delete()
    SignInFailure.objects.create(username=name, address=address[:64], failed_at=now)
    ends_at = queries.lock_ends_at(username=name, address=address)
    if ends_at is not None:
        after = {"until": ends_at.isoformat()}
        record(
            action="accounts.sign_in_locked", actor=None, obj=ObjectName("accounts.user", name), after=after
        )


@transaction.atomic
def note_sign_in(*, user: User, session_key: str, address: str, device: str) -> None:
    """Remember the browser in which a person signed in, and forget the account's failures."""
    SignInFailure.objects.filter(username=user.username).delete()
    SignIn.objects.update_or_create(
        session_key=session_key,
        defaults={
            "user": user,
            "address": address[:64],
            "device": devices.device_name(device),
            "signed_in_at": clock.now(),
        },
    )
    user.last_login = clock.now()
    user.save(update_fields=["last_login"])
    record(action="accounts.signed_in", actor=user, obj=user)


@transaction.atomic
def note_sign_out(*, user: User, session_key: str) -> None:
    """Forget the browser that a person leaves."""
    SignIn.objects.filter(user=user, session_key=session_key).delete()
    record(action="accounts.signed_out", actor=user, obj=user)


@transaction.atomic
def move_sign_in(*, user: User, old_key: str, new_key: str) -> None:
    """Follow a browser whose session key changed with the password; forget the browsers it signed out."""
    SignIn.objects.filter(user=user).exclude(session_key=old_key).delete()
    SignIn.objects.filter(user=user, session_key=old_key).update(session_key=new_key)


@transaction.atomic
def end_sign_in(*, user: User, sign_in_id: int) -> bool:
    """Sign a person out of one of their browsers; False where it was not theirs."""
    sign_in = SignIn.objects.filter(user=user, pk=sign_in_id).first()
    if sign_in is None:
        return False
    Session.objects.filter(session_key=sign_in.session_key).delete()
    sign_in.delete()
    record(action="accounts.signed_out_elsewhere", actor=user, obj=user)
    return True


def refuse_if_locked(*, username: str, address: str) -> None:
    """Refuse a sign-in while the door is locked, in the same words whether the account exists or not.

    Raises
    ------
    SignInLocked
        With the time at which the door opens.
    """
    from dienrong.accounts import queries

    ends_at = queries.lock_ends_at(username=username, address=address)
    if ends_at is not None:
        sentence = _("Too many wrong passwords. Sign-in opens again at %(moment)s.")
        raise SignInLocked(sentence % {"moment": formats.moment_text(ends_at)})


def keep_language(*, request: Any, language: str, **_more: Any) -> None:
    """Keep the language that a signed-in person chose, for their next sign-in."""
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated and user.language != language:
        change_profile(user=user, full_name=user.full_name, email=user.email, language=language)


def _facts(user: User) -> dict[str, Any]:
    """Give the audited facts of an account; never the password."""
    return {name: getattr(user, name) for name in ("username", "full_name", "email", "language", "is_active")}


def _assignment_facts(row: Assignment) -> dict[str, Any]:
    """Give the audited facts of a role."""
    facts = {name: getattr(row, name) for name in ("role", "unit_kind", "unit_code")}
    dates = {"valid_from": row.valid_from.isoformat(), "valid_to": row.valid_to and row.valid_to.isoformat()}
    return facts | dates
