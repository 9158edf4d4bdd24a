"""The month on a page, and the personal address that calendar programs read."""

from __future__ import annotations

import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from dienrong.accounts.permissions import may, requires
from dienrong.core import clock
from dienrong.followup import calendars, drawing, operations, words
from dienrong.followup.models import CalendarKey, Duty, Plan, Task
from dienrong.followup.operations.reminding import digest_of
from dienrong.followup.queries import access


def entries_of(user: Any, first: datetime.date, last: datetime.date) -> list[dict[str, Any]]:
    """List the tasks of a person's own plans and the duties of the own units that are due in some days."""
    today = clock.today()
    own = Plan.objects.filter(access.at_units(access.own_units(user)), state=Plan.State.IN_FORCE)
    tasks = Task.objects.filter(plan__in=own, due_on__gte=first, due_on__lte=last).select_related("plan")
    found = [
        {
            "uid": f"task-{one.pk}@dienrong",
            "title": one.title,
            "plan": one.plan.title,
            "first": one.starts_on,
            "due_on": one.due_on,
            "is_done": one.state in (Task.State.DONE, Task.State.DROPPED),
            "state": words.task_state(one, today),
            "path": reverse("followup:task", args=[one.pk]),
        }
        for one in tasks.exclude(state=Task.State.DROPPED)
    ]
    duties = access.duties_of(user).filter(due_on__gte=first, due_on__lte=last)
    found += [
        {
            "uid": f"duty-{one.pk}@dienrong",
            "title": one.task.title,
            "plan": one.task.plan.title,
            "first": one.due_on,
            "due_on": one.due_on,
            "is_done": one.state == Duty.State.DONE,
            "state": words.duty_state(one, today),
            "path": reverse("followup:report", args=[one.pk]),
        }
        for one in duties
    ]
    return sorted(found, key=lambda entry: (entry["due_on"], entry["title"]))


def _month_of(text: str) -> datetime.date:
    """Read a month such as 2026-11; this month where none can be read."""
    try:
        return datetime.date.fromisoformat(f"{text}-01")
    except ValueError:
        return clock.today().replace(day=1)


@require_safe
@requires("view_tasks")
def month(request: HttpRequest) -> HttpResponse:
    """Show what is due in a month."""
    first = _month_of(request.GET.get("thang", ""))
    following = (first.replace(day=28) + datetime.timedelta(days=4)).replace(day=1)
    before = (first - datetime.timedelta(days=1)).replace(day=1)
    entries = entries_of(request.user, first, following - datetime.timedelta(days=1))
    context = {
        "first": first,
        "weeks": drawing.month_weeks(first.year, first.month, entries),
        "entries": entries,
        "today": clock.today(),
        "before": f"{before:%Y-%m}",
        "following": f"{following:%Y-%m}",
        "has_key": CalendarKey.objects.filter(user=request.user).exists(),
    }
    return render(request, "followup/month.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("view_tasks")
def address(request: HttpRequest) -> HttpResponse:
    """Make or end the personal address of the calendar; it is shown once."""
    made = ""
    if request.method == "POST":
        if request.POST.get("action") == "end":
            operations.withdraw_calendar_key(by=request.user)
        else:
            made = request.build_absolute_uri(
                reverse("followup:feed", args=[operations.make_calendar_key(by=request.user)])
            )
    context = {"made": made, "key": CalendarKey.objects.filter(user=request.user).first()}
    response = render(request, "followup/address.html", context)
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def feed(request: HttpRequest, key: str) -> HttpResponse:
    """Give the calendar behind a personal address; an address that ended, or a closed account, is not found."""
    found = CalendarKey.objects.select_related("user").filter(digest=digest_of(key)).first()
    if found is None or not found.user.is_active or not may(found.user, "view_tasks"):
        raise Http404
    today = clock.today()
    with translation.override(found.user.language or "vi"):
        rows = entries_of(
            found.user, today - datetime.timedelta(days=60), today + datetime.timedelta(days=400)
        )
        entries = [
            {
                **row,
                "last": row["due_on"],
                "first": row["due_on"],
                "text": f"{row['plan']} · {row['state']['word']}",
                "url": request.build_absolute_uri(row["path"]),
            }
            for row in rows
        ]
        content = calendars.calendar(_("Tasks of my unit"), entries, stamp=clock.now())
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    response["Cache-Control"] = "private, max-age=900"
    return response
