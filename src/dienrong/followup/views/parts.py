"""What the pages of the room share: finding things, refusing strangers, forms, files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.core.refusals import NotAllowed, Refusal
from dienrong.followup.models import Duty, Plan, Risk, Task
from dienrong.followup.queries import access

PAGE_SIZE = 100
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def plan_for(request: HttpRequest, key: int) -> Plan:
    """Give a plan that the person may read; refuse others."""
    found = Plan.objects.select_related("cycle").filter(pk=key).first()
    if found is None:
        raise Http404
    if not access.plans_of(request.user).filter(pk=key).exists():
        raise NotAllowed(
            _("This plan is not of your unit, nor of one above or below it."),
            whom_to_ask=permissions.whom_to_ask(request.user),
        )
    return found


def own_plan(request: HttpRequest, key: int) -> Plan:
    """Give a plan of the person's own unit; refuse others."""
    found = plan_for(request, key)
    access.demand_owner(request.user, found)
    return found


def task_for(request: HttpRequest, key: int) -> Task:
    """Give a task of a plan that the person may read."""
    found = Task.objects.select_related("plan").filter(pk=key).first()
    if found is None:
        raise Http404
    plan_for(request, found.plan_id)
    return found


def own_task(request: HttpRequest, key: int) -> Task:
    """Give a task of a plan of the person's own unit."""
    found = task_for(request, key)
    access.demand_owner(request.user, found.plan)
    return found


def duty_for(request: HttpRequest, key: int) -> Duty:
    """Give a duty of the person's unit, or of a plan whose duties the person reads; refuse others."""
    found = Duty.objects.select_related("task__plan").filter(pk=key).first()
    if found is None:
        raise Http404
    plan = plan_for(request, found.task.plan_id)
    mine = access.may_report(request.user, found)
    if not mine and not access.visible_duties(request.user, plan).filter(pk=key).exists():
        raise NotAllowed(
            _("This duty is of a unit that is not in your charge."),
            whom_to_ask=permissions.whom_to_ask(request.user),
        )
    return found


def own_risk(request: HttpRequest, key: int) -> Risk:
    """Give a risk of a plan of the person's own unit."""
    found = Risk.objects.select_related("plan").filter(pk=key).first()
    if found is None:
        raise Http404
    own_plan(request, found.plan_id)
    return found


def page_of(request: HttpRequest, rows: Any) -> Page:
    """Give the page of a list that the address names."""
    return Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))


def file(content: bytes, name: str, kind: str) -> HttpResponse:
    """Give bytes as a file to save; nothing on the way keeps it."""
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def tried(form: Any, act: Callable[[], Any]) -> Any:
    """Call an operation; a refusal goes into the error summary of the form, and None comes back."""
    try:
        return act()
    except Refusal as refusal:
        if isinstance(refusal, NotAllowed):
            raise
        form.add_error(None, f"{refusal.sentence} {refusal.hint}".strip())
        return None


def form_page(request: HttpRequest, form: Any, **context: Any) -> HttpResponse:
    """Draw a page that is one form; a form with errors comes back with 422."""
    page = {"form": form, **context}
    return render(request, "followup/form.html", page, status=422 if form.errors else 200)
