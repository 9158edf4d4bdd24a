"""Accounts, roles and passwords."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from dienrong.accounts import directory
from dienrong.accounts.models import (
    UNIT_KIND_OF_ROLE,
    ApiToken,
    Assignment,
    Invitation,
    Role,
    UnitKind,
    User,
    normal_username,
)
from dienrong.core import clock
from dienrong.core.recording import record
from dienrong.core.refusals import Refusal


class PersonRefused(Refusal):
    """An account cannot be made or changed as asked."""

    code = "accounts.person_refused"


class AssignmentRefused(Refusal):
    """A role cannot be given as asked."""

    code = "accounts.assignment_refused"


@transaction.atomic
def create_person(
    *,
    username: str,
    full_name: str,
    password: str | None,
    by: User | None,
    email: str = "",
    language: str = "",
    is_demo: bool = False,
) -> User:
    """Make an account. The password passes the rules of the house; None leaves other ways of signing in.

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
        if password is not None:
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
    place = directory.place_of(kinds[0], unit_code) or directory.own_place(kinds[0], unit_code)
    assignment = Assignment(
        user=user,
        role=role,
        unit_kind=kinds[0],
        unit_code=unit_code,
        unit_name=(unit_name or directory.name_of(kinds[0], unit_code) or "")[:200],
        province_code=place.province_code or "",
        commune_code=place.commune_code or "",
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


def keep_language(*, request: Any, language: str, **_more: Any) -> None:
    """Keep the language that a signed-in person chose, for their next sign-in."""
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated and user.language != language:
        change_profile(user=user, full_name=user.full_name, email=user.email, language=language)


@transaction.atomic
def follow_code(*, old: str, new: str) -> int:
    """Let the roles, links and keys of a school follow it to its new code; give the rows written.

    The registry calls this in the transaction of the new code, whose audit entry tells of it.
    """
    return sum(
        model.objects.filter(unit_kind=UnitKind.SCHOOL, unit_code=old).update(unit_code=new)
        for model in (Assignment, Invitation, ApiToken)
    )


@transaction.atomic
def refresh_places(*, unit_codes: Iterable[str] | None = None) -> int:
    """Write anew where the units of roles and of open links lie; the registry calls this after it moved units.

    Parameters
    ----------
    unit_codes : iterable of str, optional
        Communes and schools that moved; None fills the places that were never known.

    Returns
    -------
    int
        Rows written. No audit entry: the change of the unit itself has its own.
    """
    n_written = 0
    for model in (Assignment, Invitation):
        rows = model.objects.filter(unit_kind__in=(UnitKind.PROVINCE, UnitKind.COMMUNE, UnitKind.SCHOOL))
        rows = (
            rows.filter(province_code="")
            if unit_codes is None
            else rows.filter(unit_code__in=list(unit_codes))
        )
        for kind, code in set(rows.order_by().values_list("unit_kind", "unit_code")):
            place = directory.place_of(kind, code)
            if place is not None:
                n_written += model.objects.filter(unit_kind=kind, unit_code=code).update(
                    province_code=place.province_code or "", commune_code=place.commune_code or ""
                )
    return n_written


def _facts(user: User) -> dict[str, Any]:
    """Give the audited facts of an account; never the password."""
    return {name: getattr(user, name) for name in ("username", "full_name", "email", "language", "is_active")}


def _assignment_facts(row: Assignment) -> dict[str, Any]:
    """Give the audited facts of a role."""
    facts = {name: getattr(row, name) for name in ("role", "unit_kind", "unit_code")}
    dates = {"valid_from": row.valid_from.isoformat(), "valid_to": row.valid_to and row.valid_to.isoformat()}
    return facts | dates
