"""Pages that belong to no room: errors, refusals, the choice of language."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from dienrong.core import requests
from dienrong.core.refusals import Conflict, NotAllowed, Refusal
from dienrong.core.signals import language_chosen


def login_address() -> str:
    """Give the address of the login page."""
    return str(resolve_url(settings.LOGIN_URL))


def safe_next(request: HttpRequest, default: str = "/") -> str:
    """Give the address to return to, if it belongs to this site."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if safe else default


def set_language_cookie(response: HttpResponse, language: str) -> None:
    """Keep a chosen language in the browser."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite=settings.LANGUAGE_COOKIE_SAMESITE,
    )


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Keep the chosen language and return to the same page."""
    response = HttpResponseRedirect(safe_next(request))
    language = request.POST.get("language", "")
    if language in dict(settings.LANGUAGES):
        set_language_cookie(response, language)
        language_chosen.send(choose_language, request=request, language=language)
    return response


def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Show a refusal: what, who may, whom to ask."""
    status = 403 if isinstance(refusal, NotAllowed) else 409 if isinstance(refusal, Conflict) else 422
    return render(request, "core/errors/refusal.html", {"refusal": refusal, **_marks()}, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Show that the request could not be understood."""
    return _plain_page(request, "core/errors/400.html", 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Show that the page is not for this person."""
    refusal = NotAllowed(_("This page is not open to your account."))
    return render(request, "core/errors/refusal.html", {"refusal": refusal, **_marks()}, status=403)


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Show that a form came back without its mark, as it does when cookies are off or a page is old."""
    return _plain_page(request, "core/errors/form_expired.html", 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Show that there is nothing at this address."""
    return render(request, "core/errors/404.html", _marks(), status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Show that we failed, with the number under which the log knows it; asks no database."""
    return _plain_page(request, "core/errors/500.html", 500)


def _plain_page(request: HttpRequest, template: str, status: int) -> HttpResponse:
    """Draw a page without the shell, so that a failing part cannot fail it again."""
    from django.template.loader import render_to_string

    context = {**_marks(), "language": getattr(request, "LANGUAGE_CODE", settings.LANGUAGE_CODE)}
    return HttpResponse(render_to_string(template, context), status=status)


def _marks() -> dict[str, Any]:
    """Give the reference number of this request."""
    return {"reference": requests.current().reference}
