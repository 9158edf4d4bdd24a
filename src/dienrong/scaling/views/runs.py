"""Runs of a study: the list, the form of options, one run, the comparison of two."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from dienrong.accounts import permissions
from dienrong.accounts.permissions import requires
from dienrong.core.refusals import Refusal
from dienrong.jobs.queries import card_of, job_for, lines_of
from dienrong.scaling import adopted, comparing, operations, pages, queries, sections, words
from dienrong.scaling.forms import OptionsForm
from dienrong.scaling.models import ScalingRun, ScalingStudy, StudyData
from dienrong.scaling.numeric import results
from dienrong.scaling.views import parts

ROWS_PER_PAGE = 30


@require_GET
@requires("view_analysis")
def runs(request: HttpRequest, slug: str, study: int) -> HttpResponse:
    """List the runs of a study."""
    found = parts.study_of(request, study)
    page = Paginator(queries.runs_of(found), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    page.object_list = [pages.run_row(one) for one in page.object_list]
    context = {
        "cycle": found.cycle,
        "study": found,
        "tabs": parts.tabs(request, found),
        "page": page,
        "has_data": queries.data_of(found) is not None,
        "may_run": permissions.may_run_analysis(request.user),
        "done": list(queries.runs_of(found).filter(state=ScalingRun.State.DONE)[:ROWS_PER_PAGE]),
    }
    return render(request, "scaling/runs.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("run_analysis")
def run_new(request: HttpRequest, slug: str, study: int) -> HttpResponse:
    """Ask for a run, or only for what it would cost."""
    found = parts.study_of(request, study)
    data = queries.data_of(found)
    if data is None:
        messages.warning(request, _("Choose the data of the study and freeze them first."))
        return redirect(parts.address("data", found))
    levels = adopted.levels_for(found)
    first = pages.first_options(found, data, levels)
    form = _form(request, found, data, first)
    plan: list[dict[str, Any]] = []
    if request.method == "POST" and form.is_valid():
        if "look" in request.POST:
            plan, refusal_text = pages.plan_rows(found, form.options())
            if refusal_text:
                form.add_error(None, refusal_text)
        else:
            try:
                run = operations.request_run(study=found, options=form.options(), by=request.user)
            except Refusal as refusal:
                form.add_error(None, f"{refusal.sentence} {refusal.hint}".strip())
            else:
                messages.success(
                    request, _("Scaling run %(number)d waits in the queue.") % {"number": run.number}
                )
                return redirect(parts.address("run", found, run.number))
    elif request.method != "POST":
        plan, _text = pages.plan_rows(found, first)
    context = {
        "cycle": found.cycle,
        "study": found,
        "tabs": parts.tabs(request, found),
        "form": form,
        "levels": levels,
        "cuts_text": words.option_value("cuts", levels.cuts) if levels else "",
        "may_see_levels": permissions.may(request.user, "view_standards"),
        "data": pages.data_card(data),
        "decisions": pages.decision_rows(queries.holding(found).order_by("item")),
        "plan": plan,
        "has_runs": found.runs.exists(),
    }
    return render(request, "scaling/run_new.html", context, status=422 if form.errors else 200)


def _form(request: HttpRequest, study: ScalingStudy, data: StudyData, first: dict[str, Any]) -> OptionsForm:
    """Make the form of options with the columns that the data have."""
    return OptionsForm(
        request.POST or None,
        initial=OptionsForm.initial_of(first),
        cuts=first["cuts"],
        columns=pages.student_columns(study, data),
        may_link=study.previous is not None or "old_items" in data.artefacts,
        is_scored="scored_responses" in data.artefacts,
    )


@require_GET
@requires("view_analysis")
def run(request: HttpRequest, slug: str, study: int, run: int) -> HttpResponse:
    """Show one run: its job while it is under way, its results in a few figures, options, decisions, stages."""
    found = parts.study_of(request, study)
    one = parts.run_of(found, run)
    job = job_for(request.user, one.job_id) if one.job_id else None
    is_open = one.state in queries.OPEN
    is_done = one.state == ScalingRun.State.DONE
    others = queries.runs_of(found).filter(state=ScalingRun.State.DONE).exclude(pk=one.pk)
    context = {
        "cycle": found.cycle,
        "study": found,
        "tabs": parts.tabs(request, found),
        "run": one,
        "seconds": queries.seconds_of(one),
        "is_open": is_open,
        "is_done": is_done,
        "alarms": _alarms(one) if is_done else [],
        "has_fit": bool(queries.manifest_of(one, "fit")),
        "card": card_of(job, request.user) if job and not is_done else None,
        "lines": lines_of(job) if job and not is_done else (),
        "headline": pages.headline(one),
        "options": pages.option_rows(one),
        "decisions": pages.snapshot_rows(one),
        "stages": [
            {"stage": stage, "title": words.stage_title(stage.stage)} for stage in queries.stages_of(one)
        ],
        "result_tabs": parts.result_tabs(one) if is_done else [],
        "others": list(others[:ROWS_PER_PAGE]) if is_done else [],
        "may_run": permissions.may_run_analysis(request.user),
    }
    return render(request, "scaling/run.html", context)


def _alarms(run: ScalingRun) -> list[str]:
    """Say the alarms of a run; a run whose artefacts are gone says so on the pages of its results."""
    try:
        return sections.alarms(run)
    except results.ResultGoneError:
        return []


@require_GET
@requires("view_analysis")
def compare(request: HttpRequest, slug: str, study: int, run: int, other: int = 0) -> HttpResponse:
    """Show what changed between two runs; the other comes by the form or the address."""
    found = parts.study_of(request, study)
    chosen = request.GET.get("with", "")
    if not other and chosen.isdigit():
        return redirect(parts.address("compare", found, run, int(chosen)))
    new, old = parts.done_run_of(found, run), parts.done_run_of(found, other)
    context = {
        "cycle": found.cycle,
        "study": found,
        "tabs": parts.tabs(request, found),
        "new": new,
        "old": old,
        **comparing.compare(old, new),
    }
    return render(request, "scaling/compare.html", context)
