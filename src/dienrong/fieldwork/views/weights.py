"""Weights of a fieldwork, their files, and the sampling and weighting report."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from dienrong.accounts.permissions import requires
from dienrong.fieldwork import drawing
from dienrong.fieldwork.documents import printing, word
from dienrong.fieldwork.documents import report as documents
from dienrong.fieldwork.models import FieldSchool, WeightRun
from dienrong.fieldwork.operations.weights import JOB, demand_complete, read_file
from dienrong.fieldwork.views import parts
from dienrong.jobs.operations import enqueue
from dienrong.jobs.queries import card_of, jobs_for


@require_GET
@requires("compute_weights")
def weights(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Show the weights of a fieldwork and what is missing for them."""
    fieldwork = parts.fieldwork_of(request, plan_id)
    runs = list(WeightRun.objects.filter(plan=plan_id).select_related("made_by"))
    done = (FieldSchool.State.CLOSED, FieldSchool.State.NOT_TAKING_PART)
    job = jobs_for(request.user).filter(kind=JOB, params__fieldwork_id=fieldwork.pk).first()
    context: dict[str, Any] = {
        "fieldwork": fieldwork,
        "tabs": parts.tabs(request, fieldwork),
        "runs": runs,
        "n_open": FieldSchool.objects.filter(plan=plan_id).exclude(state__in=done).count(),
        "job": card_of(job) if job and job.state != "done" else None,
        "figure": drawing.histogram_of(runs[0].summary) if runs else None,
    }
    return render(request, "fieldwork/weights.html", context)


@require_POST
@requires("compute_weights")
def compute(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Ask for the weights as a job."""
    fieldwork = parts.fieldwork_of(request, plan_id)
    demand_complete(fieldwork)
    enqueue(JOB, {"fieldwork_id": fieldwork.pk}, by=request.user)
    messages.success(request, _("The weights are being computed; this page may be left."))
    return redirect("fieldwork:weights", plan_id)


@require_GET
@requires("compute_weights")
def weight_file(request: HttpRequest, plan_id: int, number: int, name: str) -> HttpResponse:
    """Give a file of weights, checked against its hash."""
    parts.fieldwork_of(request, plan_id)
    run = WeightRun.objects.filter(plan=plan_id, number=number).first()
    digest = None if run is None else (run.manifest_hash if name == "manifest.json" else run.files.get(name))
    if digest is None:
        raise Http404
    return parts.file(read_file(digest), name, "application/octet-stream")


@require_GET
@requires("compute_weights")
def report(request: HttpRequest, plan_id: int, ending: str = "") -> HttpResponse:
    """Show the sampling and weighting report as a page, PDF or Word."""
    fieldwork = parts.fieldwork_of(request, plan_id)
    document = documents.report(fieldwork)
    if ending == "pdf":
        return parts.file(printing.pdf(document), "bao-cao-mau-trong-so.pdf", parts.PDF)
    if ending == "docx":
        return parts.file(word.docx(document), "bao-cao-mau-trong-so.docx", parts.WORD)
    blocks = [
        {"block": one, "svg": mark_safe(one.svg) if one.svg else ""}  # noqa: S308 - drawn by drawing.py
        for one in document.blocks
    ]
    context = {
        "fieldwork": fieldwork,
        "tabs": parts.tabs(request, fieldwork),
        "document": document,
        "blocks": blocks,
    }
    return render(request, "fieldwork/report.html", context)
