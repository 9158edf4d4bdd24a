"""The page of a report's approval, its rows of work, and the list of approved reports for the ministry."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dienrong.accounts.permissions import requires
from dienrong.accounts.queries import person
from dienrong.core.refusals import Conflict
from dienrong.reporting import numeric, operations
from dienrong.reporting.forms import MeasureForm
from dienrong.reporting.headings import BY_KEY
from dienrong.reporting.models import Measure
from dienrong.reporting.operations.approving import hindered
from dienrong.reporting.queries import writing
from dienrong.reporting.views.parts import Desk, State, common, desk_for, place_name, steps
from dienrong.reporting.views.reports import language_now, readable_or_404


@never_cache
@require_safe
def overview(request: HttpRequest, slug: str, province: str) -> HttpResponse:
    """Show where a report stands: its headings, what hinders it, who has it, what was approved."""
    return _overview(request, desk_for(request, province))


def _overview(request: HttpRequest, desk: Desk, *, refusal: Any = None) -> HttpResponse:
    """Draw the page of a report's state."""
    text, sections = desk.text, writing.sections_of(desk.text)
    open_things = hindered(text, desk.report) if text.state != State.FINAL else []
    context = {
        **common(desk, request),
        "steps": steps(desk, sections, "approval"),
        "refusal": refusal,
        "hindrances": [
            {
                "found": one,
                "title": BY_KEY[one.key].title,
                "url": desk.url("write_section", BY_KEY[one.key].address),
            }
            for one in open_things
        ],
        "colleagues": writing.colleagues(request.user, desk.province),
        "is_mine_to_approve": text.state == State.HANDED_OVER and text.handed_to_id == request.user.pk,
        "frozen": writing.frozen_of(desk.report.cycle, desk.province),
        "run": desk.report.run,
    }
    return render(request, "reporting/writing/overview.html", context, status=422 if refusal else 200)


@require_POST
def hand_over(request: HttpRequest, slug: str, province: str) -> HttpResponse:
    """Hand a report over for approval."""
    desk = desk_for(request, province)
    key = request.POST.get("to", "")
    to = person(int(key)) if key.isdecimal() and len(key) < 10 else None
    try:
        operations.hand_over(text=desk.text, to=to, report=desk.report, by=request.user)
    except (operations.WritingRefusal, Conflict) as refusal:
        return _overview(request, desk, refusal=refusal)
    messages.success(request, _("Handed over. %(name)s sees it among the things to do.") % {"name": to})
    return redirect(desk.url("write"))


@require_POST
def take_back(request: HttpRequest, slug: str, province: str) -> HttpResponse:
    """Take a report back that waits for approval."""
    desk = desk_for(request, province)
    operations.take_back(text=desk.text, by=request.user)
    messages.success(request, _("The report is yours to write again."))
    return redirect(desk.url("write"))


@require_POST
def give_back(request: HttpRequest, slug: str, province: str) -> HttpResponse:
    """Give a report back to its drafter with a note."""
    desk = desk_for(request, province)
    try:
        operations.return_text(text=desk.text, note=request.POST.get("note", ""), by=request.user)
    except operations.WritingRefusal as refusal:
        return _overview(request, desk, refusal=refusal)
    messages.success(request, _("Given back with your note."))
    return redirect(desk.url("write"))


@require_POST
def approve(request: HttpRequest, slug: str, province: str) -> HttpResponse:
    """Approve a report and freeze its words."""
    desk = desk_for(request, province)
    try:
        operations.approve(text=desk.text, report=desk.report, by=request.user)
    except Conflict as refusal:
        return _overview(request, desk, refusal=refusal)
    messages.success(request, _("Approved. The words are frozen; the ministry can read them now."))
    return redirect(desk.url("write"))


@require_POST
def reopen(request: HttpRequest, slug: str, province: str) -> HttpResponse:
    """Open an approved report again."""
    desk = desk_for(request, province)
    try:
        operations.reopen(text=desk.text, note=request.POST.get("note", ""), by=request.user)
    except operations.WritingRefusal as refusal:
        return _overview(request, desk, refusal=refusal)
    messages.success(request, _("The report is open again. What was approved holds until the next approval."))
    return redirect(desk.url("write"))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def measures(request: HttpRequest, slug: str, province: str, measure: int | None = None) -> HttpResponse:
    """Show the rows of what is to be done; add one, or change one."""
    desk = desk_for(request, province)
    chosen = writing.measure_of(desk.text, measure) if measure is not None else None
    if measure is not None and chosen is None:
        raise Http404
    initial = {name: getattr(chosen, name) for name in MeasureForm.base_fields} if chosen else None
    form = MeasureForm(request.POST or None, initial=initial)
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            facts = operations.MeasureFacts(**form.cleaned_data)
            operations.save_measure(text=desk.text, facts=facts, measure=chosen, by=request.user)
        except operations.WritingRefusal as found:
            refusal = found
        else:
            messages.success(request, _("The row is kept."))
            return redirect(desk.url("measures"))
    context = {
        **common(desk, request),
        "steps": steps(desk, writing.sections_of(desk.text), "measures"),
        "rows": [_row(desk, one) for one in writing.measures_of(desk.text)],
        "form": form,
        "chosen": chosen,
        "refusal": refusal,
        "measures_url": desk.url("measures"),
        "next_url": desk.url("write"),
    }
    status = 422 if form.errors or refusal else 200
    return render(request, "reporting/writing/measures.html", context, status=status)


def _row(desk: Desk, measure: Measure) -> dict[str, Any]:
    """Give a row with its addresses."""
    return {
        "measure": measure,
        "url": desk.url("measure", measure.pk),
        "remove_url": desk.url("remove_measure", measure.pk),
    }


@require_POST
def remove_measure(request: HttpRequest, slug: str, province: str, measure: int) -> HttpResponse:
    """Take a row out."""
    desk = desk_for(request, province)
    chosen = writing.measure_of(desk.text, measure)
    if chosen is None:
        raise Http404
    operations.remove_measure(text=desk.text, measure=chosen, by=request.user)
    messages.success(request, _("The row is taken out."))
    return redirect(desk.url("measures"))


@require_safe
@requires("read_every_province")
def approved(request: HttpRequest, slug: str) -> HttpResponse:
    """List the approved reports of the provinces, for the ministry."""
    report = readable_or_404(request)
    first = numeric.headlines(report.source, language_now())[0]
    codes = numeric.provinces(report.source)
    known = {one.text.province_code: one for one in writing.approved_texts(report.cycle)}
    rows = [
        {
            "place": place_name(code),
            "frozen": known.get(code),
            "is_of_run": code in known and known[code].run_id == report.run.pk,
            "url": reverse("reporting:provincial", args=[slug, first.population, first.subject, code]),
            "word_url": reverse("reporting:province_word", args=[slug, code]),
        }
        for code in codes
    ]
    context = {"cycle": report.cycle, "rows": rows, "n_approved": len(known), "n_provinces": len(codes)}
    return render(request, "reporting/approved.html", context)
