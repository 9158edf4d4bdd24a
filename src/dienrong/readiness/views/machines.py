"""The machine check of one school, for those at work: its code, the machines that reported, reports carried by hand."""

from __future__ import annotations

import datetime
from typing import Any

import segno
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from dienrong.accounts.permissions import requires
from dienrong.core import clock
from dienrong.core.formats import day_text
from dienrong.readiness import operations, words
from dienrong.readiness.forms import HandOverForm, LinkForm
from dienrong.readiness.models import MachineReport, Survey
from dienrong.readiness.queries import machines as reading
from dienrong.readiness.views import parts
from dienrong.rosters import charge

LINK_DAYS = 60


@require_safe
@requires("view_readiness")
def machines(request: HttpRequest, school_id: str) -> HttpResponse:
    """Show the code and the machines."""
    return _page(request, parts.survey_for(request, school_id))


def _page(
    request: HttpRequest, survey: Survey, form: Any = None, hand_over: Any = None, status: int = 200
) -> HttpResponse:
    """Draw the page of the machine check."""
    link = reading.open_link(survey)
    may = charge.may_at(request.user, "answer_readiness", survey.school)
    page = parts.page_of(request, reading.reports_of(survey))
    doubles = reading.doubles([one.machine_id for one in page.object_list])
    closes_on = clock.today() + datetime.timedelta(days=LINK_DAYS)
    context: dict[str, Any] = {
        "survey": survey,
        "tabs": parts.school_tabs(survey, "machines"),
        "page": page,
        "rows": [
            {
                "report": one,
                "verdict": words.verdict_state(one.verdict),
                "n_schools": doubles.get(one.machine_id, 1),
                "remarks": _remarks(one),
            }
            for one in page.object_list
        ],
        "form": form
        or LinkForm(
            initial={"closes_on": day_text(closes_on), "server_address": link.server_address if link else ""}
        ),
        "hand_over": hand_over or HandOverForm(),
        "may": may,
    }
    if link is not None and may:
        address = request.build_absolute_uri(reverse("readiness:check", args=[link.code]))
        context |= {
            "link": link,
            "code": operations.shown_code(link.code),
            "address": address,
            "entry": request.build_absolute_uri(reverse("readiness:check_enter")),
            "qr": mark_safe(segno.make(address, error="m").svg_inline(scale=4, border=1, omitsize=True)),  # noqa: S308 - drawn here from our own address
        }
    return render(request, "readiness/machines.html", context, status=status)


def _remarks(report: MachineReport) -> str:
    """Name what does not hold on a machine, the hindrances first."""
    found = [one for one in reading.report_findings(report, report.norm) if not one.holds]
    ordered = sorted(found, key=lambda one: not one.is_failure)
    return ", ".join(row["measure"] for row in words.finding_rows(ordered))


@require_POST
@requires("answer_readiness")
def make_link(request: HttpRequest, school_id: str) -> HttpResponse:
    """Make the code of the school anew."""
    survey = parts.survey_for(request, school_id, "answer_readiness")
    form = LinkForm(request.POST)
    if form.is_valid():
        try:
            operations.make_link(survey=survey, by=request.user, **form.cleaned_data)
        except operations.ReadinessRefusal as refusal:
            parts.told(form, refusal)
        else:
            return redirect(reverse("readiness:machines", args=[school_id]))
    return _page(request, survey, form=form, status=422)


@require_POST
@requires("answer_readiness")
def close_link(request: HttpRequest, school_id: str) -> HttpResponse:
    """Close the code of the school."""
    survey = parts.survey_for(request, school_id, "answer_readiness")
    operations.close_link(survey=survey, by=request.user)
    messages.success(request, _("The code is closed."))
    return redirect(reverse("readiness:machines", args=[school_id]))


@require_POST
@requires("answer_readiness")
def hand_over(request: HttpRequest, school_id: str) -> HttpResponse:
    """Take a report that was carried by hand; the ticket in it says to which link it belongs."""
    survey = parts.survey_for(request, school_id, "answer_readiness")
    form = HandOverForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            operations.receive_for(survey=survey, body=form.body())
        except (operations.ReportRefused, operations.NotNow) as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("The report was taken."))
            return redirect(reverse("readiness:machines", args=[school_id]))
    return _page(request, survey, hand_over=form, status=422)


@require_safe
@requires("view_readiness")
def report(request: HttpRequest, school_id: str, report_id: int) -> HttpResponse:
    """Show what one machine measured, rule by rule, and its earlier reports."""
    survey = parts.survey_for(request, school_id)
    found = (
        MachineReport.objects.select_related("link", "norm").filter(link__survey=survey, pk=report_id).first()
    )
    if found is None:
        raise Http404
    same = MachineReport.objects.filter(link__survey=survey, machine_id=found.machine_id).order_by(
        "-received_at"
    )
    context = {
        "survey": survey,
        "report": found,
        "verdict": words.verdict_state(found.verdict),
        "rows": words.finding_rows(reading.report_findings(found, found.norm)),
        "others": [{"report": one, "verdict": words.verdict_state(one.verdict)} for one in same[:20]],
        "n_schools": reading.doubles([found.machine_id]).get(found.machine_id, 1),
        "tabs": parts.school_tabs(survey, "machines"),
    }
    return render(request, "readiness/report.html", context)
