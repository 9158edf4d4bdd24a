"""The press note: composed from the figures, with a paragraph that the ministry writes."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from dienrong.accounts import permissions
from dienrong.accounts.permissions import requires
from dienrong.core.refusals import Conflict
from dienrong.cycles.shell import cycle_of_request
from dienrong.reporting import numeric, official, operations, quoting
from dienrong.reporting.operations.press import LONGEST_NOTE
from dienrong.reporting.queries import press
from dienrong.reporting.queries.reports import ReadableReport
from dienrong.reporting.views.reports import DOCX, file_answer, language_now, readable_or_404


def _note(request: HttpRequest) -> tuple[ReadableReport, Any]:
    """Give the report and its note; to those who may not read it, there is none."""
    report = readable_or_404(request)
    note = press.press_note_of(report.cycle)
    if not press.may_read(request.user, report, note):
        raise Http404
    return report, note


def _composed(report: ReadableReport, note: Any) -> Any:
    """Compose the note with the ministry's words."""
    paragraphs = quoting.paragraphs(note.body) if note else ()
    return numeric.press_note(report.source, report.wording(language_now()), paragraphs)


@require_safe
def note(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the note; the ministry writes its paragraph beside it."""
    report, kept = _note(request)
    return _page(request, report, kept)


def _page(
    request: HttpRequest, report: ReadableReport, kept: Any, *, typed: str | None = None, refusal: Any = None
) -> HttpResponse:
    """Draw the page of the note."""
    composed = _composed(report, kept)
    slug = report.cycle.slug
    context = {
        "cycle": report.cycle,
        "report": report,
        "note": kept,
        "title": composed.title,
        "subtitle": composed.subtitle,
        "sections": composed.sections,
        "source_line": composed.source_line,
        "may_write": permissions.may_publish_report(request.user),
        "is_out": press.is_out(report, kept),
        "is_released": kept is not None and kept.released_run_id == report.run.pk,
        "body": typed if typed is not None else (kept.body if kept else ""),
        "edition": kept.edition if kept else 0,
        "longest": LONGEST_NOTE,
        "refusal": refusal,
        "trace_url": reverse("reporting:trace", args=[slug]),
    }
    status = 200 if refusal is None else 409 if isinstance(refusal, Conflict) else 422
    return render(request, "reporting/press.html", context, status=status)


@require_POST
@requires("publish_report")
def save(request: HttpRequest, slug: str) -> HttpResponse:
    """Save the ministry's paragraph."""
    report = readable_or_404(request)
    edition = request.POST.get("edition", "")
    typed = request.POST.get("body", "")
    try:
        operations.save_press_note(
            cycle=report.cycle,
            body=typed,
            edition=int(edition) if edition.isdecimal() and len(edition) < 10 else 0,
            by=request.user,
        )
    except (Conflict, operations.WritingRefusal) as refusal:
        return _page(request, report, press.press_note_of(report.cycle), typed=typed, refusal=refusal)
    messages.success(request, _("Saved."))
    return redirect("reporting:press", slug)


@require_POST
@requires("publish_report")
def release(request: HttpRequest, slug: str) -> HttpResponse:
    """Let the note go out with the report."""
    report = readable_or_404(request)
    try:
        operations.release_press_note(run=report.run, by=request.user)
    except Conflict as refusal:
        return _page(request, report, press.press_note_of(report.cycle), refusal=refusal)
    if report.publication is None:
        messages.success(request, _("The note goes out when the report is published."))
    else:
        messages.success(request, _("The note is out; everyone can read it now."))
    return redirect("reporting:press", slug)


@require_POST
@requires("publish_report")
def hold(request: HttpRequest, slug: str) -> HttpResponse:
    """Call the note back."""
    cycle = cycle_of_request(request)
    if cycle is None:
        raise Http404
    operations.hold_press_note(cycle=cycle, by=request.user)
    messages.success(request, _("The note is called back; only the ministry reads it now."))
    return redirect("reporting:press", slug)


@require_GET
def word(request: HttpRequest, slug: str) -> HttpResponse:
    """Give the note as a Word file in the official form."""
    report, kept = _note(request)
    content = numeric.word_of(_composed(report, kept), official.press(report.cycle))
    return file_answer(content, DOCX, f"{slug}-thong-tin-bao-chi.docx")


@require_GET
def pdf(request: HttpRequest, slug: str) -> HttpResponse:
    """Give the note as PDF."""
    report, kept = _note(request)
    return file_answer(
        numeric.printed_of(_composed(report, kept)), "application/pdf", f"{slug}-thong-tin-bao-chi.pdf"
    )
