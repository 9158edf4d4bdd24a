"""What the pages of the room share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from dienrong.core.refusals import NotAllowed, Refusal

PAGE_SIZE = 50


def tabs(request: HttpRequest) -> list[dict[str, Any]]:
    """Make the tabs of the room."""
    titles = {
        "questions": _("Questions"),
        "frequent": _("Frequent questions"),
        "contacts": _("Directory"),
        "kit": _("Letters and texts"),
        "log": _("What was told"),
    }
    current = request.resolver_match.url_name if request.resolver_match else ""
    return [
        {"title": title, "url": reverse(f"support:{name}"), "is_current": name == current}
        for name, title in titles.items()
    ]


def page_of(request: HttpRequest, rows: Any) -> Page:
    """Give the page of a list that the address names."""
    return Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))


def tried(form: Any, act: Callable[[], Any]) -> Any:
    """Call an operation; a refusal goes into the error summary of the form, and None comes back."""
    try:
        return act()
    except Refusal as refusal:
        if isinstance(refusal, NotAllowed):
            raise
        form.add_error(None, f"{refusal.sentence} {refusal.hint}".strip())
        return None


def form_page(request: HttpRequest, form: Any, **context: Any) -> HttpResponse:
    """Draw a page that is one form; a form with errors comes back with 422."""
    page = {"form": form, **context}
    return render(request, "support/form.html", page, status=422 if form.errors else 200)
