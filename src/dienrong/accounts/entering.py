"""The two steps of signing in, kept in the session: who showed the first, and what is shown once and never again."""

from __future__ import annotations

import base64
import dataclasses
import secrets

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from dienrong.accounts import operations, permissions, queries
from dienrong.accounts.middleware import SECOND_FACTOR_SHOWN
from dienrong.accounts.models import User
from dienrong.core import clock, requests, sealing
from dienrong.core.views import safe_next, set_language_cookie

BACKEND = "dienrong.accounts.backends.LockingBackend"
PENDING = "accounts.pending"
PENDING_SECONDS = 600
SHOWN_ONCE_PURPOSE = "accounts.shown_once"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A person who showed the first step and not yet the second."""

    user: User
    way: str
    target: str


def proceed(
    request: HttpRequest, *, user: User, way: str, target: str, has_second_factor: bool = False
) -> HttpResponse:
    """Let a person in who showed the first step, or lead them to the second where one is asked for.

    Parameters
    ----------
    user : User
        Who showed the first step.
    way : {"password", "oidc", "link"}
        By what.
    target : str
        Address on this site to which they want to go.
    has_second_factor : bool
        Whether the provider vouches for a second factor.
    """
    has_app = queries.has_totp(user)
    if has_second_factor or not (has_app or permissions.needs_second_factor(user)):
        return let_in(request, user=user, way=way, target=target, second_factor=has_second_factor)
    request.session.flush()
    request.session[PENDING] = {
        "user": user.pk,
        "way": way,
        "target": target,
        "at": clock.now().timestamp(),
        "password": user.get_session_auth_hash(),
    }
    return redirect("accounts:second_step" if has_app else "accounts:totp_setup")


def pending_of(request: HttpRequest) -> Pending | None:
    """Give who is between the two steps in this browser: for ten minutes, while the password stays the same."""
    kept = request.session.get(PENDING)
    if not kept or clock.now().timestamp() - kept["at"] > PENDING_SECONDS:
        return None
    user = queries.person(kept["user"])
    if user is None or not user.is_active:
        return None
    if not secrets.compare_digest(user.get_session_auth_hash(), kept["password"]):
        return None
    return Pending(user=user, way=kept["way"], target=kept["target"])


def let_in(request: HttpRequest, *, user: User, way: str, target: str, second_factor: bool) -> HttpResponse:
    """Open the session of a person who showed all that is asked of them."""
    request.session.pop(PENDING, None)
    auth.login(request, user, backend=BACKEND)
    if second_factor:
        request.session[SECOND_FACTOR_SHOWN] = True
    operations.note_sign_in(
        user=user,
        session_key=request.session.session_key or "",
        address=requests.address_of(request),
        device=request.headers.get("User-Agent", ""),
        way=way,
        second_factor=second_factor,
    )
    response = redirect(target or "/")
    if user.language in dict(settings.LANGUAGES):
        set_language_cookie(response, user.language)
    return response


def target_of(request: HttpRequest) -> str:
    """Give the address on this site to which a person wants to go."""
    return safe_next(request)


def keep_to_show(request: HttpRequest, name: str, secret: str) -> None:
    """Keep a secret for the next page, sealed, so that the page can be reached by a redirect."""
    sealed = sealing.seal(SHOWN_ONCE_PURPOSE, secret.encode())
    request.session[f"accounts.show.{name}"] = base64.b64encode(sealed).decode()


def take_to_show(request: HttpRequest, name: str) -> str:
    """Take a secret that is to be shown; empty the second time."""
    sealed = request.session.pop(f"accounts.show.{name}", "")
    return sealing.open_sealed(SHOWN_ONCE_PURPOSE, base64.b64decode(sealed)).decode() if sealed else ""
