"""What happens around every request: marks, content policy, language, refusals."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode

from dienrong.core import requests, views
from dienrong.core.refusals import Refusal, SignInFirst

Handler = Callable[[HttpRequest], HttpResponse]

CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


def content_policy() -> str:
    """Give the policy of pages; forms may lead to the provider of sign-in as well, where there is one."""
    provider = settings.OPTIONS.oidc_origin
    return (
        CONTENT_POLICY.replace("form-action 'self'", f"form-action 'self' {provider}")
        if provider
        else CONTENT_POLICY
    )


class RequestContextMiddleware:
    """Give each request a reference number, known to the logs, the audit log and the error pages."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        context = requests.RequestContext(requests.new_reference(), requests.address_of(request))
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=context.reference)
        with requests.serving(context):
            response = self.get_response(request)
        response["X-Request-Id"] = context.reference
        return response


class ContentPolicyMiddleware:
    """Let pages load only what this site itself serves; no inline script, no inline style."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", content_policy())
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        return response


class ChosenLanguageMiddleware:
    """Speak the language that the visitor chose, else the language of the installation.

    The browser's own preference is not followed: many office machines in the country run an English browser
    for people who read Vietnamese.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        known = dict(settings.LANGUAGES)
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        language = chosen if chosen in known else settings.LANGUAGE_CODE
        with translation.override(language):
            request.LANGUAGE_CODE = language  # type: ignore[attr-defined]
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ("Cookie",))
        return response


class RefusalMiddleware:
    """Show anticipated refusals as pages with a way out."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Translate a refusal into its page; leave every other exception alone."""
        if isinstance(exception, SignInFirst):
            query = urlencode({"next": request.get_full_path()}) if request.method == "GET" else ""
            return redirect(f"{views.login_address()}{'?' + query if query else ''}")
        if isinstance(exception, Refusal):
            return views.refused(request, exception)
        return None
