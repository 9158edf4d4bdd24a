"""Data of a study: from a run of the cycle or from files; columns, preview, freezing."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dienrong.accounts import permissions
from dienrong.accounts.permissions import requires
from dienrong.analysis import queries as analysis
from dienrong.analysis.models import AnalysisRun
from dienrong.core.refusals import Conflict, Refusal
from dienrong.scaling import kept, operations, pages, queries
from dienrong.scaling.forms import FilesForm, MatchForm
from dienrong.scaling.models import ScalingStudy, StudyData
from dienrong.scaling.numeric import uploads
from dienrong.scaling.operations import SentFile
from dienrong.scaling.views import parts


@require_GET
@requires("view_analysis")
def data(request: HttpRequest, slug: str, study: int) -> HttpResponse:
    """Show the data of a study and the two ways to choose others."""
    return _page(request, parts.study_of(request, study))


def _page(
    request: HttpRequest, study: ScalingStudy, form: FilesForm | None = None, *, status: int = 200
) -> HttpResponse:
    """Draw the page of a study's data."""
    runs = analysis.runs_of(study.cycle).filter(state=AnalysisRun.State.DONE) if study.grade else []
    context = {
        "cycle": study.cycle,
        "study": study,
        "tabs": parts.tabs(request, study),
        "data": pages.data_card(queries.data_of(study)),
        "earlier": [pages.data_card(one) for one in queries.frozen_data(study)[1:]],
        "draft": queries.draft_of(study),
        "runs": runs,
        "form": form or FilesForm(),
        "may_run": permissions.may_run_analysis(request.user),
    }
    return render(request, "scaling/data.html", context, status=status)


@require_POST
@requires("run_analysis")
def take_run(request: HttpRequest, slug: str, study: int) -> HttpResponse:
    """Take the data from a run of the cycle."""
    found = parts.study_of(request, study)
    number = request.POST.get("run", "")
    run = analysis.run_of(found.cycle, int(number)) if number.isdigit() else None
    if run is None:
        raise Conflict(_("Choose a run of the cycle."), hint=_("Go back and choose one."))
    operations.take_run(study=found, run=run, by=request.user)
    return redirect(parts.address("preview", found))


@require_POST
@requires("run_analysis")
def send_files(request: HttpRequest, slug: str, study: int) -> HttpResponse:
    """Take files as the data of a study; their columns come next."""
    found = parts.study_of(request, study)
    form = FilesForm(request.POST, request.FILES)
    if form.is_valid():
        sent = {
            role: SentFile(name=file.name, chunks=file.chunks())
            for role, file in form.cleaned_data.items()
            if file
        }
        try:
            operations.send_files(study=found, files=sent, by=request.user)
        except Refusal as refusal:
            form.add_error("responses", f"{refusal.sentence} {refusal.hint}".strip())
        else:
            return redirect(parts.address("columns", found))
    return _page(request, found, form, status=422)


def _draft(study: ScalingStudy, source: str = "") -> StudyData:
    """Give the draft of a study's data.

    Raises
    ------
    Conflict
        If there is none, or it comes from elsewhere.
    """
    draft = queries.draft_of(study)
    if draft is None or (source and draft.source != source):
        raise Conflict(_("No data are being prepared."), hint=_("Choose a run or send files first."))
    return draft


@require_http_methods(["GET", "HEAD", "POST"])
@requires("run_analysis")
def columns(request: HttpRequest, slug: str, study: int) -> HttpResponse:
    """Say which column of the files is what."""
    found = parts.study_of(request, study)
    draft = _draft(found, StudyData.Source.FILES)
    try:
        described, n_rows = _described(draft)
    except uploads.FileRefusedError:
        messages.error(request, _("The files that were sent cannot be read any more. Send them again."))
        return redirect(parts.address("data", found))
    initial = MatchForm.initial_of(uploads.Matching.from_json(draft.mapping))
    form = MatchForm(request.POST or None, initial=initial, columns=described, files=draft.files)
    if request.method == "POST" and form.is_valid():
        try:
            operations.match_columns(data=draft, matching=form.matching(), by=request.user)
        except Refusal as refusal:
            form.add_error(None, f"{refusal.sentence} {refusal.hint}".strip())
        else:
            return redirect(parts.address("preview", found))
    context = {
        "cycle": found.cycle,
        "study": found,
        "tabs": parts.tabs(request, found),
        "draft": draft,
        "form": form,
        "rows": form.rows(),
        "n_rows": n_rows,
        "files": [{"role": role, "name": one["name"]} for role, one in draft.files.items()],
    }
    return render(request, "scaling/columns.html", context, status=422 if form.is_bound else 200)


def _described(draft: StudyData) -> tuple[list[Any], int]:
    """Describe the columns of responses and students, and count the rows of the responses."""
    described: list[Any] = []
    n_rows = 0
    for role in ("responses", "students"):
        if role in draft.files:
            own, n = uploads.columns_of(kept.path_of(draft.files[role]["kept"]), role)
            described += own
            n_rows = n if role == "responses" else n_rows
    return described, n_rows


@require_GET
@requires("run_analysis")
def preview(request: HttpRequest, slug: str, study: int) -> HttpResponse:
    """Show what the data would be, and what is wrong with them."""
    found = parts.study_of(request, study)
    draft = _draft(found)
    if draft.source == StudyData.Source.FILES and not draft.counts:
        return redirect(parts.address("columns", found))
    context = {
        "cycle": found.cycle,
        "study": found,
        "tabs": parts.tabs(request, found),
        "draft": draft,
        "card": pages.data_card(draft),
        "faults": pages.fault_rows(draft),
        "n_faults": draft.counts.get("faults", {}).get("n", 0),
    }
    return render(request, "scaling/preview.html", context)


@require_POST
@requires("run_analysis")
def freeze(request: HttpRequest, slug: str, study: int) -> HttpResponse:
    """Freeze the data that were looked at."""
    found = parts.study_of(request, study)
    operations.freeze_data(data=_draft(found), by=request.user)
    messages.success(request, _("The data are frozen. Next: the first run."))
    return redirect(parts.address("run_new", found))


@require_POST
@requires("run_analysis")
def throw_away(request: HttpRequest, slug: str, study: int) -> HttpResponse:
    """Throw the draft away."""
    found = parts.study_of(request, study)
    operations.throw_away(data=_draft(found), by=request.user)
    messages.success(request, _("The draft is thrown away; nothing of it is kept."))
    return redirect(parts.address("data", found))
