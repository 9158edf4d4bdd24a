"""Pages of duties: handing out, reporting, returning, and the text that asks units to report."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dienrong.accounts.models import UnitKind
from dienrong.accounts.permissions import requires
from dienrong.core import clock
from dienrong.core.formats import number_text
from dienrong.core.refusals import Refusal
from dienrong.followup import operations, words
from dienrong.followup.forms import HandOutForm, ReportForm, ReturnForm
from dienrong.followup.models import Duty, Task
from dienrong.followup.queries import access, units
from dienrong.followup.reminder_texts import chat
from dienrong.followup.views import parts

NAMED = "named"
MOST_NAMES = 60


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_tasks")
def hand_out(request: HttpRequest, task_id: int) -> HttpResponse:
    """Hand a task to units."""
    found = parts.own_task(request, task_id)
    kinds = units.BELOW[UnitKind(found.plan.unit_kind)]
    titles = {
        UnitKind.PROVINCE: _("All provinces"),
        UnitKind.COMMUNE: _("All communes"),
        UnitKind.SCHOOL: _("All open schools"),
    }
    reaches = [(str(kind), titles[kind]) for kind in kinds] + [(NAMED, _("The units named below"))]
    form = HandOutForm(
        request.POST or None, initial={"due_on": found.due_on, "reach": reaches[0][0]}, reaches=reaches
    )
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data

        def act() -> int:
            reach = values["reach"]
            chosen = (
                units.named(values["units"], kinds) if reach == NAMED else units.all_of(found.plan, reach)
            )
            return operations.hand_out(task=found, units=chosen, due_on=values["due_on"], by=request.user)

        n = parts.tried(form, act)
        if n is not None:
            messages.success(request, _("%(n)s units have the task now.") % {"n": number_text(n)})
            return redirect("followup:task", found.pk)
    back = reverse("followup:task", args=[found.pk])
    return parts.form_page(
        request, form, title=_("Hand the task to units"), button=_("Hand it out"), back=back, lead=found.title
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires("view_tasks")
def report(request: HttpRequest, duty_id: int) -> HttpResponse:
    """Show a duty; its unit reports it here."""
    found = parts.duty_for(request, duty_id)
    today = clock.today()
    may_report = access.may_report(request.user, found) and found.state != Duty.State.DONE
    form = ReportForm(request.POST or None, initial={"done_on": today, "outcome": found.outcome})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        if parts.tried(form, lambda: operations.report_duty(duty=found, by=request.user, **values)):
            messages.success(request, _("Reported. Thank you."))
            return redirect("followup:home")
    context = {
        "duty": found,
        "task": found.task,
        "plan": found.task.plan,
        "state": words.duty_state(found, today),
        "form": form,
        "may_report": may_report,
        "may_return": access.owns(request.user, found.task.plan) and found.state == Duty.State.DONE,
        "may_take_back": access.owns(request.user, found.task.plan) and found.state != Duty.State.DONE,
    }
    return render(request, "followup/duty.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_tasks")
def give_back(request: HttpRequest, duty_id: int) -> HttpResponse:
    """Return a reported duty."""
    found = parts.duty_for(request, duty_id)
    access.demand_owner(request.user, found.task.plan)
    form = ReturnForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        if parts.tried(form, lambda: operations.return_duty(duty=found, by=request.user, **values)):
            messages.success(request, _("Returned; the unit sees the reason."))
            return redirect("followup:task", found.task_id)
    back = reverse("followup:report", args=[found.pk])
    lead = f"{found.unit_name} · {found.task.title}"
    return parts.form_page(
        request, form, title=_("Return the duty"), button=_("Return it"), back=back, lead=lead
    )


@require_POST
@requires("change_tasks")
def take_back(request: HttpRequest, duty_id: int) -> HttpResponse:
    """Take a duty back that is not reported."""
    found = parts.duty_for(request, duty_id)
    access.demand_owner(request.user, found.task.plan)
    try:
        operations.take_back(duty=found, by=request.user)
    except Refusal as refusal:
        messages.error(request, f"{refusal.sentence} {refusal.hint}".strip())
    else:
        messages.success(request, _("The duty was taken back."))
    return redirect("followup:task", found.task_id)


@require_safe
@requires("change_tasks")
def chat_text(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Show a text to copy: which units have not reported which task."""
    found = parts.own_plan(request, plan_id)
    today = clock.today()
    only_late = request.GET.get("tat-ca") != "1"
    rows = []
    for task in found.tasks.exclude(state__in=(Task.State.DONE, Task.State.DROPPED)):
        duties = task.duties.exclude(state=Duty.State.DONE)
        duties = duties.filter(due_on__lt=today) if only_late else duties
        names = list(duties.values_list("unit_name", flat=True)[: MOST_NAMES + 1])
        if len(names) > MOST_NAMES:
            names = [*names[:MOST_NAMES], _("and others")]
        if names:
            first = duties.order_by("due_on").values_list("due_on", flat=True)[0]
            rows.append({"title": task.title, "units": names, "due_on": first})
    context = {
        "plan": found,
        "text": chat(found.title, rows, today) if rows else "",
        "only_late": only_late,
    }
    return render(request, "followup/chat.html", context)
