"""Pages of runs and of the artefacts that they leave."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dienrong.accounts import permissions
from dienrong.analysis import numeric, operations, queries
from dienrong.analysis.forms import RunForm
from dienrong.analysis.models import AnalysisRun
from dienrong.cycles.models import Cycle
from dienrong.cycles.queries import artefacts_of_manifest
from dienrong.cycles.shell import cycle_of_request
from dienrong.cycles.words import role_title, stage_title
from dienrong.jobs.queries import card_of, job_for, lines_of

ROWS_PER_PAGE = 30


@require_GET
@permissions.requires("view_analysis")
def runs(request: HttpRequest, slug: str) -> HttpResponse:
    """List the runs of a cycle."""
    cycle = _cycle(request)
    page = Paginator(queries.runs_of(cycle), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    page.object_list = list(page.object_list)
    for row in page.object_list:
        row.seconds = queries.seconds_of(row)
    context = {"cycle": cycle, "page": page, "may_run": permissions.may_run_analysis(request.user)}
    return render(request, "analysis/runs.html", context)


@require_http_methods(["GET", "POST"])
@permissions.requires("run_analysis")
def new(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for a run and lead to its page."""
    cycle = _cycle(request)
    form = RunForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        asked = operations.request_run(cycle=cycle, options=form.options(), by=request.user)
        messages.success(request, _("Run %(number)d waits in the queue.") % {"number": asked.number})
        return redirect("analysis:run", slug, asked.number)
    status = 422 if form.is_bound else 200
    return render(request, "analysis/new.html", {"cycle": cycle, "form": form}, status=status)


@require_GET
@permissions.requires("view_analysis")
def run(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Show one run: its job while it is under way, its options, its stages."""
    cycle = _cycle(request)
    found = queries.run_of(cycle, number)
    if found is None:
        raise Http404
    found.seconds = queries.seconds_of(found)
    job = job_for(request.user, found.job_id) if found.job_id else None
    stages = queries.stages_of(found)
    for stage in stages:
        stage.title = stage_title(stage.stage)
    context = {
        "cycle": cycle,
        "run": found,
        "is_open": found.state in {AnalysisRun.State.QUEUED, AnalysisRun.State.RUNNING},
        "card": card_of(job, request.user) if job else None,
        "lines": lines_of(job) if job else (),
        "stages": stages,
        "defaults": numeric.default_numbers(found.size),
    }
    return render(request, "analysis/run.html", context)


@require_GET
@permissions.requires("view_artefacts")
def artefact(request: HttpRequest, slug: str, manifest_id: str) -> HttpResponse:
    """Show a manifest: how it was made, from what, what came out, the first rows."""
    cycle = _cycle(request)
    path = queries.store_path(cycle)
    card = numeric.manifest_card(path, manifest_id)
    if card is None:
        raise Http404
    behind = artefacts_of_manifest(cycle, card.id)
    context = {
        "cycle": cycle,
        "card": card,
        "stage_title": stage_title(behind[0].stage) if behind else card.step,
        "grade": behind[0].grade if behind else None,
        "step": behind[0].step if behind else None,
        "inputs": [(role_title(role), value, maker) for role, value, maker in card.inputs],
        "outputs": [(role_title(row.role), row, numeric.excerpt(path, row)) for row in card.outputs],
    }
    return render(request, "analysis/artefact.html", context)


@require_POST
@permissions.requires("view_artefacts")
def verify(request: HttpRequest, slug: str, manifest_id: str) -> HttpResponse:
    """Check the files of a manifest, byte for byte, and say what was found."""
    cycle = _cycle(request)
    path = queries.store_path(cycle)
    if numeric.manifest_card(path, manifest_id) is None:
        raise Http404
    checks = numeric.verify_manifest(path, manifest_id)
    damaged = [check for check in checks if check.state != "whole"]
    if not damaged:
        n_files = len(checks)
        text = ngettext(
            "%(n)d file is as it was written.", "All %(n)d files are as they were written.", n_files
        )
        messages.success(request, text % {"n": n_files})
    words = {"changed": _("was changed after it was written"), "missing": _("is missing")}
    for check in damaged:
        facts = {"role": check.role, "hash": check.hash[:19], "what": words.get(check.state, check.state)}
        messages.error(request, _("The file of '%(role)s' (%(hash)s…) %(what)s.") % facts)
    return redirect("analysis:artefact", slug, manifest_id)


def _cycle(request: HttpRequest) -> Cycle:
    """Give the cycle of the address."""
    cycle = cycle_of_request(request)
    if cycle is None:
        raise Http404
    return cycle
