"""The page of the audit log."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dienrong.accounts import permissions
from dienrong.audit import queries
from dienrong.audit.forms import EntriesForm

PAGE_SIZE = 50


@require_safe
@permissions.requires("view_audit")
def entries(request: HttpRequest) -> HttpResponse:
    """Show entries, newest first, one page at a time."""
    form = EntriesForm(request.GET, rooms=queries.rooms())
    chosen = form.cleaned_data if form.is_valid() else {}
    rows = queries.entries(
        action=chosen.get("action") or "", actor=chosen.get("actor") or "", day=chosen.get("day")
    )
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "audit/entries.html", {"form": form, "page": page})
