"""The page that explains the API to people, and its description for machines."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.views.decorators.http import require_GET

from dienrong.accounts import permissions
from dienrong.api.reference import sections_of
from dienrong.api.specification import in_language, written


@require_GET
def openapi(request: HttpRequest) -> HttpResponse:
    """Give the OpenAPI 3.1 description, its sentences in the caller's language; open to everyone."""
    text = written(in_language(translation.get_language() or settings.LANGUAGE_CODE))
    return HttpResponse(text, content_type="application/json; charset=utf-8")


@require_GET
def reference(request: HttpRequest) -> HttpResponse:
    """Explain the API to people: how to get a token, each address, its parameters, an example."""
    language = translation.get_language() or settings.LANGUAGE_CODE
    host = request.build_absolute_uri("/").rstrip("/")
    context = {
        "sections": sections_of(in_language(language), host),
        "host": host,
        "rate": settings.OPTIONS.api_rate,
        "may_use": permissions.may(request.user, "use_api"),
        "account_url": reverse("accounts:api_tokens"),
    }
    return render(request, "api/reference.html", context)
