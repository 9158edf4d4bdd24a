"""The public page that checks a certificate: number and check code together, never a list, never a name."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from dienrong.capacity import operations
from dienrong.capacity.forms import LookUpForm
from dienrong.core import requests


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def look_up(request: HttpRequest) -> HttpResponse:
    """Answer whoever holds a certificate in hand; the QR code opens the answer at once."""
    asked = request.POST if request.method == "POST" else request.GET
    is_asked = bool(asked.get("so") or asked.get("ma"))
    form = LookUpForm(asked if is_asked else None)
    context: dict[str, Any] = {"form": form}
    status = 200
    if is_asked and form.is_valid():
        try:
            context["answer"] = operations.look_up(
                number=form.cleaned_data["so"],
                check_code=form.cleaned_data["ma"],
                version=form.cleaned_data["ban"],
                name=form.cleaned_data["ten"],
                address=requests.address_of(request),
            )
            context["is_answered"] = True
        except operations.LookUpLocked as refusal:
            context["refusal"], status = refusal, 429
    response = render(request, "capacity/look_up.html", context, status=status)
    response["X-Robots-Tag"] = "noindex"
    return response
