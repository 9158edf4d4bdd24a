"""Pages of those who keep the vault: purposes, periods, and who opened names."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dienrong.accounts.permissions import requires
from dienrong.core import clock
from dienrong.jobs.operations import enqueue
from dienrong.rosters import charge, operations, queries
from dienrong.rosters.forms import PurposeForm
from dienrong.rosters.models import Purpose
from dienrong.rosters.tasks import PURGE

ROWS_PER_PAGE = 50


@require_GET
@requires("view_rosters")
def protection(request: HttpRequest) -> HttpResponse:
    """Show the register of processing; those who keep the vault see the numbers and the button."""
    scope = charge.scope_with(request.user, "manage_vault")
    states = queries.purposes(scope, clock.today())
    context = {
        "states": states,
        "may_manage": bool(scope.roles),
        "is_national": scope.is_national,
        "n_expired": sum(state.n_expired for state in states),
    }
    return render(request, "rosters/protection.html", context)


@require_POST
@requires("manage_vault")
def purge(request: HttpRequest) -> HttpResponse:
    """Ask for the deletion of identities past their time, in the person's own units."""
    scope = charge.scope_with(request.user, "manage_vault")
    provinces = [] if scope.is_national else sorted(scope.provinces)
    job = enqueue(PURGE, {"provinces": provinces}, by=request.user)
    messages.success(request, _("The deletion is under way; this page may be left."))
    return redirect("jobs:job", job.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("manage_vault")
def purpose(request: HttpRequest, code: str) -> HttpResponse:
    """Change what is said of a purpose; for the whole country."""
    charge.demand_nation(request.user, "manage_vault")
    row = get_object_or_404(Purpose, code=code)
    fields = PurposeForm.base_fields
    form = PurposeForm(request.POST or None, initial={name: getattr(row, name) for name in fields})
    if request.method == "POST" and form.is_valid():
        operations.change_purpose(purpose=row, by=request.user, **form.cleaned_data)
        messages.success(request, _("The purpose was changed."))
        return redirect("rosters:protection")
    return render(request, "rosters/purpose.html", {"form": form, "purpose": row})


@require_GET
@requires("manage_vault")
def accesses(request: HttpRequest) -> HttpResponse:
    """List who opened names of the schools in the reader's charge."""
    scope = charge.scope_with(request.user, "manage_vault")
    page = Paginator(queries.accesses_in(scope), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "rosters/accesses.html", {"page": page})
