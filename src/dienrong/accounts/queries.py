"""Reads about people: who is at work, what is locked, where a person is signed in."""

from __future__ import annotations

import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from dienrong.accounts import keys, permissions
from dienrong.accounts.models import ApiToken, SignIn, SignInFailure, User, normal_username
from dienrong.core import clock
from dienrong.core.shell import Identity


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


def lock_ends_at(*, username: str, address: str) -> datetime.datetime | None:
    """Tell until when sign-in is locked for this account or from this address; None where it is open.

    The lock lasts ``lockout_minutes`` from the failure that reached the limit, and counts failures of the
    ``lockout_minutes`` before it. Attempts while locked are not failures: they do not prolong the lock.
    """
    span = datetime.timedelta(minutes=settings.OPTIONS.lockout_minutes)
    now = clock.now()
    recent = SignInFailure.objects.filter(failed_at__gt=now - span).order_by("-failed_at")
    ends: list[datetime.datetime] = []
    limits = (
        (recent.filter(username=normal_username(username)), settings.OPTIONS.lockout_failures),
        (recent.filter(address=address), settings.OPTIONS.lockout_address_failures),
    )
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
