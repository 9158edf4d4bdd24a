"""Reads about people: who is at work, what is locked, where a person is signed in."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from dienrong.accounts import keys, permissions
from dienrong.accounts.models import (
    ApiToken,
    Assignment,
    ExternalIdentity,
    FailureKind,
    Invitation,
    RecoveryCode,
    Role,
    SignIn,
    SignInFailure,
    Totp,
    UnitKind,
    User,
    normal_username,
)
from dienrong.core import clock, text
from dienrong.core.shell import Identity, Link


def identity_of_request(request: HttpRequest) -> Identity | None:
    """Give the shell the person at work."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    held = permissions.assignments_of(user)
    first = held[0] if held else None
    return Identity(
        name=str(user),
        role=str(first.get_role_display()) if first else "",
        unit=(first.unit_name or str(first.get_unit_kind_display())) if first else "",
        url=reverse("accounts:profile"),
        sign_out_url=reverse("accounts:logout"),
    )


def links_of_request(request: HttpRequest) -> Iterable[Link]:
    """Offer the people pages in the menu to those who look after people."""
    user = getattr(request, "user", None)
    if user is None or not permissions.may(user, "manage_people"):
        return ()
    url = reverse("accounts:people")
    is_current = request.path.startswith(url)
    return (
        Link(
            title=_("People and accounts"),
            url=url,
            is_current=is_current,
            order=80,
            in_menu=True,
            icon="user",
        ),
    )


def lock_ends_at(
    *, username: str, address: str, kind: str = FailureKind.PASSWORD
) -> datetime.datetime | None:
    """Tell until when an attempt of this kind is locked for this account or address; None where it is open.

    The lock lasts ``lockout_minutes`` from the failure that reached the limit, and counts failures of the
    ``lockout_minutes`` before it. Attempts while locked are not failures: they do not prolong the lock. Wrong
    links belong to no account and count by address alone.
    """
    span = datetime.timedelta(minutes=settings.OPTIONS.lockout_minutes)
    now = clock.now()
    recent = SignInFailure.objects.filter(kind=kind, failed_at__gt=now - span).order_by("-failed_at")
    ends: list[datetime.datetime] = []
    limits = [(recent.filter(address=address), settings.OPTIONS.lockout_address_failures)]
    if kind != FailureKind.LINK:
        by_name = recent.filter(username=normal_username(username))
        limits.append((by_name, settings.OPTIONS.lockout_failures))
    for failures, limit in limits:
        moments = list(failures.values_list("failed_at", flat=True)[:limit])
        if len(moments) == limit:
            ends.append(moments[0] + span)
    return max(ends, default=None)


def person(user_id: int) -> User | None:
    """Give one person."""
    return User.objects.filter(pk=user_id).first()


def demo_people() -> QuerySet[User]:
    """Give the demonstration accounts, for the login page of a demonstration."""
    return User.objects.filter(is_demo=True, is_active=True).prefetch_related("assignments").order_by("id")


def sign_ins_of(user: Any) -> QuerySet[SignIn]:
    """Give the browsers in which a person is signed in, newest first."""
    oldest = clock.now() - datetime.timedelta(seconds=settings.SESSION_COOKIE_AGE)
    return SignIn.objects.filter(user=user, signed_in_at__gt=oldest)


def person_of_token(raw: str) -> User | None:
    """Give the person in whose name a program works, from the key it sent; None where the key opens nothing.

    The person carries the key as ``api_token``; ``permissions.scope_of`` then gives no more than the key's unit.
    Whether their roles may use the API at all is asked of ``permissions.demand(user, "use_api")``; the caller
    notes the use by ``operations.note_token_use``.
    """
    if not raw.startswith(keys.API_PREFIX) or len(raw) > 200:
        return None
    token = (
        ApiToken.objects.select_related("user")
        .filter(token_hash=keys.hash_of_secret(raw), revoked_at=None, expires_at__gt=clock.now())
        .first()
    )
    if token is None or not token.user.is_active:
        return None
    token.user.__dict__["api_token"] = token
    return token.user


def tokens_of(user: Any) -> QuerySet[ApiToken]:
    """Give the API keys of a person, newest first."""
    return ApiToken.objects.filter(user=user)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    """Where a person stands with the second step of signing in."""

    is_needed: bool
    set_up_at: datetime.datetime | None
    n_recovery_codes: int


def second_factor_of(user: Any) -> SecondFactor:
    """Tell whether a person needs a second factor, has one, and how many recovery codes are left."""
    set_up_at = Totp.objects.filter(user=user).values_list("confirmed_at", flat=True).first()
    left = RecoveryCode.objects.filter(user=user, used_at=None).count() if set_up_at else 0
    return SecondFactor(
        is_needed=permissions.needs_second_factor(user), set_up_at=set_up_at, n_recovery_codes=left
    )


def has_totp(user: Any) -> bool:
    """Tell whether a person set up an authenticator app."""
    return Totp.objects.filter(user=user).exclude(confirmed_at=None).exists()


def identity_of(user: Any, issuer: str) -> ExternalIdentity | None:
    """Give the link of a person to a provider."""
    return ExternalIdentity.objects.filter(user=user, issuer=issuer).first()


def identity_by_subject(*, issuer: str, subject: str) -> ExternalIdentity | None:
    """Find whose account a provider's subject is linked to."""
    return ExternalIdentity.objects.select_related("user").filter(issuer=issuer, subject=subject).first()


def invitation_by_secret(raw: str) -> Invitation | None:
    """Find the one-time link that a person opened, open or closed."""
    return (
        Invitation.objects.select_related("invited_by", "person")
        .filter(token_hash=keys.hash_of_secret(raw))
        .first()
    )


def invitation(invitation_id: int) -> Invitation | None:
    """Give one link by its number."""
    return Invitation.objects.select_related("invited_by", "person").filter(pk=invitation_id).first()


def all_roles_of(person: Any) -> list[Assignment]:
    """Give every role that a person held, holds or will hold, newest first."""
    rows = Assignment.objects.filter(user=person).select_related("user", "delegated_from__user")
    return list(rows.order_by("-valid_from", "-id"))


def role(assignment_id: int) -> Assignment | None:
    """Give one role of somebody."""
    rows = Assignment.objects.select_related("user", "delegated_from__user")
    return rows.filter(pk=assignment_id).first()


def holds_role(person: Any, role: str, unit_kind: str, unit_code: str) -> bool:
    """Tell whether a person holds a role in a unit today, by their own right or by delegation."""
    return any(
        (row.role, row.unit_kind, row.unit_code) == (role, unit_kind, unit_code)
        for row in permissions.assignments_of(person)
    )


def delegations_given_by(user: Any) -> list[Assignment]:
    """Give the roles that a person lent to others and that have not ended."""
    today = clock.today()
    rows = Assignment.objects.filter(delegated_from__user=user).select_related("user", "delegated_from__user")
    return [row for row in rows.order_by("valid_to", "id") if permissions.holds_on(row, today)]


def looked_after_by(user: Any) -> Q:
    """Give the condition under which a role, or an invitation to one, is an officer's business.

    It reads the places kept with the rows, so that a list needs one query whatever its length; a single person
    is checked again against the units of today (``permissions.may_see_role``).
    """
    asked = Q(pk__in=())
    for row in permissions.assignments_of(user):
        gives = [str(role) for role in permissions.GIVES.get(row.role, ())]
        if not gives:
            continue
        where = Q(role__in=gives)
        if row.unit_kind == UnitKind.PROVINCE:
            where &= Q(province_code=row.unit_code)
        elif row.unit_kind == UnitKind.COMMUNE:
            where &= Q(commune_code=row.unit_code)
        elif row.unit_kind != UnitKind.NATION:
            continue
        asked |= where
    return asked


def people_in_charge_of(user: Any, *, search: str = "", role: str = "", state: str = "") -> QuerySet[User]:
    """Give the people in an officer's charge, in Vietnamese order: with a role now or once; the ministry, all.

    Parameters
    ----------
    user : User
        The officer.
    search : str
        Words of the name or user name, without marks; all must occur.
    role : str
        Keep those who hold this role today.
    state : {"", "on", "off", "ended"}
        Keep open accounts, accounts switched off, or those without any role today.
    """
    today = clock.today()
    theirs = Assignment.objects.filter(user=OuterRef("pk"))
    today_q = Q(valid_from__lte=today) & (Q(valid_to=None) | Q(valid_to__gt=today))
    people = User.objects.all()
    condition = looked_after_by(user)
    if not any(row.role == Role.MINISTRY_EXPERT for row in permissions.assignments_of(user)):
        people = people.filter(Exists(theirs.filter(condition)))
    for word in text.search_key(search).split():
        people = people.filter(search_key__contains=word)
    if role:
        people = people.filter(Exists(theirs.filter(condition, today_q, role=role)))
    if state in ("on", "off"):
        people = people.filter(is_active=state == "on")
    elif state == "ended":
        people = people.filter(~Exists(theirs.filter(today_q)))
    shown = Assignment.objects.filter(condition, today_q).select_related("delegated_from__user")
    return people.prefetch_related(
        Prefetch("assignments", shown.order_by("id"), to_attr="roles_in_charge")
    ).select_related("totp")


def invitations_in_charge_of(user: Any) -> QuerySet[Invitation]:
    """Give the links for new accounts in an officer's charge, and those of their own making, newest first."""
    mine = Q(invited_by=user)
    invitations = Invitation.objects.filter(mine | looked_after_by(user))
    return invitations.select_related("invited_by", "person")


def candidates_for_delegation(assignment: Assignment, *, search: str, limit: int = 20) -> list[User]:
    """Give people who work in a role's unit or inside it today, by name, for the choice of a delegate."""
    today = clock.today()
    theirs = Assignment.objects.filter(user=OuterRef("pk"), valid_from__lte=today, delegated_from=None)
    theirs = theirs.filter(Q(valid_to=None) | Q(valid_to__gt=today))
    if assignment.unit_kind == UnitKind.NATION:
        theirs = theirs.filter(unit_kind=UnitKind.NATION)
    elif assignment.unit_kind == UnitKind.PROVINCE:
        theirs = theirs.filter(province_code=assignment.unit_code)
    elif assignment.unit_kind == UnitKind.COMMUNE:
        theirs = theirs.filter(commune_code=assignment.unit_code)
    else:
        theirs = theirs.filter(unit_kind=UnitKind.SCHOOL, unit_code=assignment.unit_code)
    people = User.objects.filter(Exists(theirs), is_active=True).exclude(pk=assignment.user_id)
    for word in text.search_key(search).split():
        people = people.filter(search_key__contains=word)
    held = Assignment.objects.filter(valid_from__lte=today, delegated_from=None).order_by("id")
    held = held.filter(Q(valid_to=None) | Q(valid_to__gt=today))
    return list(people.prefetch_related(Prefetch("assignments", held, to_attr="roles_today"))[:limit])
