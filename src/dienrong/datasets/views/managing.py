"""Pages of the custodian: the board, freezes, releases with their risk."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from dienrong.accounts.permissions import requires
from dienrong.core import recording
from dienrong.core.refusals import Refusal
from dienrong.datasets import kept, numeric, operations, queries, words
from dienrong.datasets.forms import FreezeForm, PlanForm, ReleaseForm, ReviewForm
from dienrong.datasets.models import Release
from dienrong.datasets.operations import ReleaseFacts
from dienrong.datasets.views import parts
from dienrong.jobs.queries import card_of, job_for

ROWS = 50


@require_safe
@requires("manage_datasets")
def board(request: HttpRequest) -> HttpResponse:
    """Show what waits: requests, releases to review, freezes without a release."""
    page = Paginator(queries.requests_all().order_by("-asked_at", "-pk"), ROWS).get_page(
        request.GET.get("page")
    )
    context = {
        "waiting": queries.waiting_requests(),
        "releases": [
            {"release": one, "shape": words.SHAPES[one.state], "title": queries.title_of(one)}
            for one in queries.releases()
        ],
        "freezes": queries.freezes(),
        "page": page,
        "rows": [{"request": one, "shape": words.SHAPES[one.state]} for one in page.object_list],
    }
    return render(request, "datasets/board.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("manage_datasets")
def freeze(request: HttpRequest) -> HttpResponse:
    """Freeze a grade of a run."""
    offered = queries.runs_to_freeze()
    choices = [
        (
            key,
            _("%(cycle)s, run %(n)s, grade %(grade)s")
            % {"cycle": run.cycle.name, "n": run.number, "grade": grade},
        )
        for key, run, grade in offered
    ]
    form = FreezeForm(request.POST or None, choices=choices)
    if request.method == "POST" and form.is_valid():
        chosen = next((run, grade) for key, run, grade in offered if key == form.cleaned_data["source"])
        try:
            made = operations.freeze_run(
                run=chosen[0], grade=chosen[1], note=form.cleaned_data["note"], by=request.user
            )
        except Refusal as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("The data are frozen; make the files from them now."))
            return redirect("datasets:make", made.pk)
    return parts.form_page(
        request,
        form,
        title=_("Freeze the data of a run"),
        button=_("Freeze"),
        back=reverse("datasets:manage"),
        hint=_("Frozen data never change: each table is held by the hash of its values.")
        if choices
        else _("Every finished run is frozen already."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires("manage_datasets")
def make(request: HttpRequest, freeze_id: int) -> HttpResponse:
    """Ask for files from a freeze."""
    found = queries.freeze_of(freeze_id)
    if found is None:
        raise Http404
    cycle = found.run.cycle
    initial = {
        "title_vi": f"{cycle.name_vi}, lớp {found.grade}: tệp dữ liệu",
        "title_en": f"{cycle.name_en}, grade {found.grade}: data files",
    }
    form = ReleaseForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = {**form.cleaned_data, "formats": tuple(form.cleaned_data["formats"])}
        choice = values.pop("plan_choice")
        values["plan_text"] = values["plan_text"] or (numeric.shipped_plan(choice) if choice else "")
        try:
            made = operations.make_release(freeze=found, facts=ReleaseFacts(**values), by=request.user)
        except Refusal as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("The files are being built; this page may be left."))
            return redirect("datasets:managed", made.pk)
    lead = _("%(cycle)s, grade %(grade)s") % {"cycle": cycle.name, "grade": found.grade}
    return parts.form_page(
        request,
        form,
        title=_("Make data files"),
        lead=lead,
        button=_("Build the files"),
        back=reverse("datasets:manage"),
    )


def _managed(key: int) -> Release:
    """Give a release in whatever state."""
    found = queries.releases().filter(pk=key).first()
    if found is None:
        raise Http404
    return found


@require_safe
@requires("manage_datasets")
def release(request: HttpRequest, release_id: int) -> HttpResponse:
    """Show a release with its risk, before and after, and what comes next."""
    found = _managed(release_id)
    folder = kept.folder_of(found)
    is_built = found.files.exists()
    user: Any = request.user
    job = job_for(user, found.job_id) if found.job_id and found.state == Release.State.BUILDING else None
    entries = recording.history_of(kind="datasets.release", key=str(found.pk), limit=20)
    context: dict[str, Any] = {
        "release": found,
        "title": queries.title_of(found),
        "shape": words.SHAPES[found.state],
        "is_maker": found.made_by_id == user.pk,
        "review_form": ReviewForm(),
        "files": found.files.all(),
        "card": card_of(job, user) if job is not None else None,
        "entries": [{"entry": one, "word": recording.action_word(one.action)} for one in entries],
    }
    if is_built:
        record = numeric.record_of(folder)
        context |= {"risk": _risk_rows(record), "steps": _step_rows(record), "record": record}
        context["rows"] = numeric.table_of(folder, parts.language_now())
    return render(request, "datasets/managed.html", context)


def _risk_rows(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Lay out the risk before and after, one row per key set."""
    rows = []
    for need in record["requirements"]:
        later = [one["risk"][need["file"]] for one in record["steps"] if need["file"] in one["risk"]]
        before, after = (
            record["before"].get(need["file"], later[0] if later else None),
            record["after"].get(need["file"]),
        )
        rows.append({"need": need, "keys": ", ".join(need["keys"]), "before": before, "after": after})
    return rows


def _step_rows(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Lay out the steps with the risk that each left."""
    language = parts.language_now()
    return [
        {
            "number": one["number"],
            "word": words.STEP_WORDS.get(one["kind"], one["kind"]),
            "variables": ", ".join(dict.fromkeys(one["variables"])),
            "because": one["because"].get(language, ""),
            "n_changed": one["n_changed"],
            "student": one["risk"].get("student"),
            "school": one["risk"].get("school"),
        }
        for one in record["steps"]
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@requires("manage_datasets")
def rebuild(request: HttpRequest, release_id: int) -> HttpResponse:
    """Build again under a corrected plan."""
    found = _managed(release_id)
    form = PlanForm(request.POST or None, initial={"plan_text": found.plan_text})
    if request.method == "POST" and form.is_valid():
        try:
            operations.rebuild_release(
                release=found, plan_text=form.cleaned_data["plan_text"], by=request.user
            )
        except Refusal as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("The files are being built; this page may be left."))
            return redirect("datasets:managed", found.pk)
    return parts.form_page(
        request,
        form,
        title=_("Correct the plan and build again"),
        lead=queries.title_of(found),
        hint=found.refusal or found.review_note,
        button=_("Build the files"),
        back=reverse("datasets:managed", args=[found.pk]),
    )
