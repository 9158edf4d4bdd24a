"""Nobody whose role asks for a second factor works without having shown it in this browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from dienrong.accounts import permissions, queries

SECOND_FACTOR_SHOWN = "accounts.second_factor"
OPEN_PAGES = frozenset({"accounts:second_step", "accounts:totp_setup", "accounts:logout", "core:language"})


class SecondFactorMiddleware:
    """Lead a person who is signed in by a password alone, and may not be, to the second step.

    Signing in asks for the second step by itself; this catches the session that was open when a role was given
    or an app was forgotten.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        """Lead away from every page but those of the second step."""
        if SESSION_KEY not in request.session or request.session.get(SECOND_FACTOR_SHOWN):
            return None
        match = request.resolver_match
        if match is not None and match.view_name in OPEN_PAGES:
            return None
        user = request.user
        if not user.is_authenticated or not permissions.needs_second_factor(user):
            return None
        return redirect("accounts:second_step" if queries.has_totp(user) else "accounts:totp_setup")
