"""Reports that are asked for, who has not sent, reminders."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from dienrong.accounts.permissions import Scope, requires
from dienrong.core import clock
from dienrong.core.formats import day_text
from dienrong.core.refusals import NotAllowed, Refusal
from dienrong.plans.forms import CallForm, ReminderForm
from dienrong.plans.models import PlanReport, ReportCall
from dienrong.plans.operations import reports as operations
from dienrong.plans.queries import access, documents, reports
from dienrong.plans.views import parts
from dienrong.registry.models import AdministrativeUnit
from dienrong.registry.queries import provinces_in, unit_on


@require_http_methods(["GET", "HEAD", "POST"])
@requires("write_plan_reports")
def new_call(request: HttpRequest) -> HttpResponse:
    """Ask all provinces for a report (the ministry), or open one of the own province."""
    units = access.units_of(request.user, "write_plan_reports")
    row = units[0].row if units else None
    own = row if isinstance(row, AdministrativeUnit) else None
    form = CallForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            operations.call_report(facts=form.facts(), unit=own, by=request.user)
        except NotAllowed:
            raise
        except Refusal as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("The report is asked for."))
            return redirect("plans:reports")
    context = parts.form_page(
        form,
        title=_("Ask for a report") if own is None else _("Open a report of your province"),
        button=_("Ask all provinces") if own is None else _("Open it"),
        back=reverse("plans:reports"),
    )
    return render(request, "plans/form.html", context, status=422 if form.errors else 200)


def _call_or_404(key: int) -> ReportCall:
    """Give a call of the nation."""
    found = ReportCall.objects.select_related("phase").filter(pk=key, unit__isnull=True).first()
    if found is None:
        raise Http404
    return found


@require_safe
@requires("call_plan_reports")
def call(request: HttpRequest, pk: int) -> HttpResponse:
    """Show which provinces have sent a report, and which have not."""
    access.demand_unit(request.user, access.NATION, "call_plan_reports")
    found = _call_or_404(pk)
    units = provinces_in(Scope(is_national=True), clock.today())
    own = {
        one.unit_id: one
        for one in PlanReport.objects.filter(call=found, unit__isnull=False).prefetch_related("versions")
    }
    reminders = reports.reminders_of(found)
    rows = []
    for unit in units:
        report = own.get(unit.pk)
        versions = sorted(report.versions.all(), key=lambda one: one.number) if report is not None else []
        rows.append(
            {
                "unit": unit,
                "report": report,
                "state": parts.report_state(report.state if report is not None else ""),
                "version": versions[-1] if versions else None,
                "reminder": reminders.get(unit.pk),
            }
        )
    rows.sort(key=lambda row: (row["version"] is not None, row["unit"].code))
    n_sent = sum(row["version"] is not None for row in rows)
    context = {"tabs": parts.tabs(request), "call": found, "rows": rows, "n_sent": n_sent, "n_all": len(rows)}
    return render(request, "plans/call.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("call_plan_reports")
def remind(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Remind a province: the message is ready to be copied, and is noted."""
    access.demand_unit(request.user, access.NATION, "call_plan_reports")
    found = _call_or_404(pk)
    unit = unit_on("province", code, clock.today())
    if unit is None:
        raise Http404
    form = ReminderForm(request.POST or None, initial={"text": _message(found, unit)})
    if request.method == "POST" and form.is_valid():
        try:
            operations.remind(call=found, unit=unit, text=form.cleaned_data["text"], by=request.user)
        except NotAllowed:
            raise
        except Refusal as refusal:
            parts.told(form, refusal)
        else:
            messages.success(
                request, _("The reminder is noted; the province sees it on its page of reports.")
            )
            return redirect("plans:call", found.pk)
    context = parts.form_page(
        form,
        title=_("Remind %(name)s") % {"name": unit.full_name},
        button=_("Note the reminder"),
        back=reverse("plans:call", args=[found.pk]),
        lead=_("Copy the message into Zalo or an e-mail; it is also shown to the province."),
    )
    return render(request, "plans/form.html", context, status=422 if form.errors else 200)


def _message(found: ReportCall, unit: Any) -> str:
    """Write the message of a reminder."""
    phase = documents.phase_of(found.phase.code)
    return _(
        "The Department of Education and Training of %(name)s is kindly asked to send: %(kind)s, %(first)s – %(last)s "
        "(phase %(phase)s), by %(due)s. The numbers stand ready on the page “Plan 468”."
    ) % {
        "name": unit.full_name,
        "kind": found.get_kind_display(),
        "first": day_text(found.first_day),
        "last": day_text(found.last_day),
        "phase": phase.code if phase is not None else "",
        "due": day_text(found.due_on),
    }
