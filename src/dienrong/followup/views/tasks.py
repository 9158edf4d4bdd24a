"""Pages of one task."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dienrong.accounts.permissions import requires
from dienrong.core import clock, recording
from dienrong.followup import operations, words
from dienrong.followup.forms import TaskForm, TaskStateForm
from dienrong.followup.models import Duty, Plan, Task
from dienrong.followup.operations import TaskFacts
from dienrong.followup.queries import access, counting
from dienrong.followup.views import parts

FACTS = ("title", "detail", "lead", "support", "starts_on", "due_on", "product", "fallback")


@require_safe
@requires("view_tasks")
def task(request: HttpRequest, task_id: int) -> HttpResponse:
    """Show a task: what, who, until when, what it waits for, the units that carry it."""
    found = parts.task_for(request, task_id)
    today = clock.today()
    chosen = request.GET.get("tinh-trang", "")
    duties = access.visible_duties(request.user, found.plan).filter(task=found)
    chips = [("", _("All"), duties.count())]
    late = duties.exclude(state=Duty.State.DONE).filter(due_on__lt=today)
    chips.append(("late", _("Late"), late.count()))
    chips += [(value, title, duties.filter(state=value).count()) for value, title in Duty.State.choices]
    shown = (
        late if chosen == "late" else duties.filter(state=chosen) if chosen in Duty.State.values else duties
    )
    page = parts.page_of(request, shown)
    entries = recording.history_of(kind="followup.task", key=str(found.pk), limit=20)
    is_own = access.owns(request.user, found.plan)
    context = {
        "task": found,
        "plan": found.plan,
        "state": words.task_state(found, today),
        "waits_for": [
            {"task": link.after, "state": words.task_state(link.after, today)}
            for link in found.links.select_related("after").order_by("after__position")
        ],
        "page": page,
        "rows": [
            {
                "duty": one,
                "state": words.duty_state(one, today),
                "is_mine": access.may_report(request.user, one) and one.state != Duty.State.DONE,
            }
            for one in page.object_list
        ],
        "chips": [
            {
                "title": title,
                "url": f"?tinh-trang={value}" if value else "?",
                "is_current": value == chosen,
                "count": n,
            }
            for value, title, n in chips
        ],
        "n_duties": chips[0][2],
        "entries": [{"entry": one, "word": recording.action_word(one.action)} for one in entries],
        "is_own": is_own,
        "may_act": is_own and found.plan.state == Plan.State.IN_FORCE,
        "may_hand_out": is_own and found.plan.state != Plan.State.CLOSED and found.state in counting.OPEN,
        "form": TaskStateForm(initial={"state": found.state, "outcome": found.outcome}),
        "blocked": counting.blocked_by(found) if found.state in counting.OPEN else [],
    }
    return render(request, "followup/task.html", context)


def _form(request: HttpRequest, plan: Plan, found: Task | None = None) -> TaskForm:
    """Make the form of a task."""
    others = plan.tasks.exclude(pk=found.pk) if found is not None else plan.tasks.all()
    initial: dict[str, Any] = {}
    if found is not None:
        initial = {name: getattr(found, name) for name in FACTS}
        initial["after"] = list(found.links.values_list("after_id", flat=True))
    return TaskForm(request.POST or None, initial=initial, others=[(one.pk, one.title) for one in others])


def _facts(form: TaskForm) -> TaskFacts:
    """Give what a form says of a task."""
    values = {name: form.cleaned_data[name] for name in FACTS}
    return TaskFacts(**values, after=tuple(form.cleaned_data.get("after", ())))


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_tasks")
def add(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Add a task."""
    plan = parts.own_plan(request, plan_id)
    form = _form(request, plan)
    if request.method == "POST" and form.is_valid():
        made = parts.tried(form, lambda: operations.add_task(plan=plan, facts=_facts(form), by=request.user))
        if made is not None:
            messages.success(request, _("The task is in the plan."))
            return redirect("followup:plan", plan.pk)
    back = reverse("followup:plan", args=[plan.pk])
    return parts.form_page(request, form, title=_("New task"), button=_("Add"), back=back, lead=plan.title)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_tasks")
def change(request: HttpRequest, task_id: int) -> HttpResponse:
    """Change a task."""
    found = parts.own_task(request, task_id)
    form = _form(request, found.plan, found)
    if request.method == "POST" and form.is_valid():
        made = parts.tried(
            form, lambda: operations.change_task(task=found, facts=_facts(form), by=request.user)
        )
        if made is not None:
            messages.success(request, _("Saved."))
            return redirect("followup:task", found.pk)
    back = reverse("followup:task", args=[found.pk])
    return parts.form_page(
        request, form, title=_("Change the task"), button=_("Save"), back=back, lead=found.title
    )


@require_POST
@requires("change_tasks")
def set_state(request: HttpRequest, task_id: int) -> HttpResponse:
    """Say how far a task is."""
    found = parts.own_task(request, task_id)
    form = TaskStateForm(request.POST)
    if form.is_valid():
        values = form.cleaned_data
        if parts.tried(form, lambda: operations.set_task_state(task=found, by=request.user, **values)):
            messages.success(request, _("Saved."))
            return redirect("followup:task", found.pk)
    back = reverse("followup:task", args=[found.pk])
    return parts.form_page(
        request, form, title=_("State of the task"), button=_("Save"), back=back, lead=found.title
    )


@require_POST
@requires("change_tasks")
def delete(request: HttpRequest, task_id: int) -> HttpResponse:
    """Delete a task of a draft."""
    found = parts.own_task(request, task_id)
    plan = found.plan
    try:
        operations.delete_task(task=found, by=request.user)
    except operations.NotNow as refusal:
        messages.error(request, f"{refusal.sentence} {refusal.hint}".strip())
        return redirect("followup:task", found.pk)
    messages.success(request, _("The task was deleted."))
    return redirect("followup:plan", plan.pk)
