"""Studies of a cycle, one study with what comes next, its history."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from dienrong.accounts import permissions
from dienrong.accounts.permissions import requires
from dienrong.audit.queries import history_of
from dienrong.core.refusals import Refusal
from dienrong.cycles.shell import cycle_of_request
from dienrong.scaling import operations, pages, queries
from dienrong.scaling.forms import StudyForm
from dienrong.scaling.views import parts

ROWS_PER_PAGE = 30
HISTORY_ROWS = 50


@require_GET
@requires("view_analysis")
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the studies of the cycle at hand."""
    cycle = cycle_of_request(request)
    if cycle is None:
        raise Http404
    return redirect("scaling:studies", cycle.slug)


@require_GET
@requires("view_analysis")
def studies(request: HttpRequest, slug: str) -> HttpResponse:
    """List the studies of a cycle, each with what comes next."""
    cycle = parts.cycle_of(request)
    page = Paginator(queries.studies_of(cycle), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    page.object_list = [pages.study_row(one) for one in page.object_list]
    context = {"cycle": cycle, "page": page, "may_run": permissions.may_run_analysis(request.user)}
    return render(request, "scaling/studies.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("run_analysis")
def new(request: HttpRequest, slug: str) -> HttpResponse:
    """Make a study and lead to its data."""
    cycle = parts.cycle_of(request)
    form = StudyForm(request.POST or None, cycle=cycle, previous=queries.possible_previous(cycle))
    if request.method == "POST" and form.is_valid():
        try:
            study = operations.create_study(cycle=cycle, new=form.study(), by=request.user)
        except Refusal as refusal:
            form.add_error(None, f"{refusal.sentence} {refusal.hint}".strip())
        else:
            messages.success(request, _("The study is made. Next: its data."))
            return redirect(parts.address("data", study))
    context = {"cycle": cycle, "form": form}
    return render(request, "scaling/new.html", context, status=422 if form.is_bound else 200)


@require_GET
@requires("view_analysis")
def study(request: HttpRequest, slug: str, study: int) -> HttpResponse:
    """Show one study: how far it is, what comes next, the last run in a few figures."""
    found = parts.study_of(request, study)
    run = queries.last_done(found)
    context: dict[str, Any] = {
        "cycle": found.cycle,
        "study": found,
        "tabs": parts.tabs(request, found),
        "steps": pages.steps_of(found),
        "next": pages.next_step(found, may_run=permissions.may_run_analysis(request.user)),
        "run": run,
        "headline": pages.headline(run) if run else [],
        "result_tabs": parts.result_tabs(run)[1:] if run else [],
    }
    return render(request, "scaling/study.html", context)


@require_GET
@requires("view_analysis")
def history(request: HttpRequest, slug: str, study: int) -> HttpResponse:
    """Show what happened to a study."""
    found = parts.study_of(request, study)
    entries = history_of(kind="scaling.scalingstudy", key=str(found.pk))
    page = Paginator(entries, HISTORY_ROWS).get_page(request.GET.get("page"))
    context = {"cycle": found.cycle, "study": found, "tabs": parts.tabs(request, found), "page": page}
    return render(request, "scaling/history.html", context)
