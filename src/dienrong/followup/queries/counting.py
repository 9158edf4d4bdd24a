"""Counts and lists: how far plans are, what is due, who is late, what a calendar shows."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from dienrong.core import clock
from dienrong.followup.models import Duty, Plan, Risk, Task
from dienrong.followup.queries import access

OPEN = (Task.State.OPEN, Task.State.RUNNING)
SOON = datetime.timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How far a plan is: tasks in all, done, late; duties in all, done, late."""

    n_tasks: int = 0
    n_done: int = 0
    n_late: int = 0
    n_duties: int = 0
    n_duties_done: int = 0
    n_duties_late: int = 0

    @property
    def share(self) -> float:
        """Tasks done over all that are not dropped, 0 where there are none."""
        return self.n_done / self.n_tasks if self.n_tasks else 0.0


def tallies(plans: Iterable[int]) -> dict[int, Tally]:
    """Count tasks and duties of plans, by their keys; two queries."""
    today = clock.today()
    keys = list(plans)
    tasks = Task.objects.filter(plan__in=keys).exclude(state=Task.State.DROPPED).order_by().values("plan")
    counted = tasks.annotate(
        n=Count("pk"),
        done=Count("pk", filter=Q(state=Task.State.DONE)),
        late=Count("pk", filter=Q(state__in=OPEN, due_on__lt=today)),
    )
    duties = Duty.objects.filter(task__plan__in=keys).exclude(task__state=Task.State.DROPPED).order_by()
    handed = {
        row["task__plan"]: row
        for row in duties.values("task__plan").annotate(
            n=Count("pk"),
            done=Count("pk", filter=Q(state=Duty.State.DONE)),
            late=Count("pk", filter=~Q(state=Duty.State.DONE) & Q(due_on__lt=today)),
        )
    }
    found: dict[int, Tally] = {}
    for row in counted:
        other = handed.get(row["plan"], {})
        found[row["plan"]] = Tally(
            n_tasks=row["n"],
            n_done=row["done"],
            n_late=row["late"],
            n_duties=other.get("n", 0),
            n_duties_done=other.get("done", 0),
            n_duties_late=other.get("late", 0),
        )
    return found


def with_duties(tasks: QuerySet[Task]) -> QuerySet[Task]:
    """Count the duties of tasks beside them: handed out, done, late."""
    today = clock.today()
    return tasks.annotate(
        n_duties=Count("duties"),
        n_duties_done=Count("duties", filter=Q(duties__state=Duty.State.DONE)),
        n_duties_late=Count("duties", filter=~Q(duties__state=Duty.State.DONE) & Q(duties__due_on__lt=today)),
    ).order_by("position", "pk")


def due_tasks(user: Any, until: datetime.date | None = None) -> QuerySet[Task]:
    """List open tasks of a person's own plans in force that are due up to a day; late ones first."""
    own = Plan.objects.filter(access.at_units(access.own_units(user)), state=Plan.State.IN_FORCE)
    last = until or clock.today() + SOON
    rows = Task.objects.filter(plan__in=own, state__in=OPEN, due_on__lte=last)
    return rows.select_related("plan").order_by("due_on", "position")


def due_duties(user: Any, until: datetime.date | None = None) -> QuerySet[Duty]:
    """List open duties of a person's own units that are due up to a day; late ones first."""
    last = until or clock.today() + SOON
    rows = access.duties_of(user).exclude(state=Duty.State.DONE).filter(due_on__lte=last)
    return rows.order_by("due_on", "task__position")


def risks_to_review(user: Any) -> QuerySet[Risk]:
    """List risks of a person's own plans whose day of review has come."""
    own = Plan.objects.filter(access.at_units(access.own_units(user)), state=Plan.State.IN_FORCE)
    rows = Risk.objects.filter(plan__in=own, state=Risk.State.WATCHED, review_on__lte=clock.today())
    return rows.select_related("plan")


def late_units(plan: Plan, rows: QuerySet[Duty]) -> list[dict[str, Any]]:
    """Count duties by unit: handed out, done, late; the units with most late ones first, then the Vietnamese way."""
    today = clock.today()
    counted = (
        rows.filter(task__plan=plan)
        .exclude(task__state=Task.State.DROPPED)
        .order_by()
        .values("unit_kind", "unit_code", "unit_name", "sort_key")
        .annotate(
            n=Count("pk"),
            n_done=Count("pk", filter=Q(state=Duty.State.DONE)),
            n_late=Count("pk", filter=~Q(state=Duty.State.DONE) & Q(due_on__lt=today)),
        )
    )
    return list(counted.order_by("-n_late", "sort_key", "unit_code"))


def blocked_by(task: Task) -> list[Task]:
    """List the tasks that a task waits for and that are not done."""
    return [link.after for link in task.links.select_related("after") if link.after.state in OPEN]


def links_of(plan: Plan) -> list[tuple[int, int]]:
    """List the dependencies of a plan: key of the earlier task, key of the later one."""
    rows = Task.objects.filter(plan=plan, links__isnull=False).order_by()
    return list(rows.values_list("links__after_id", "pk").distinct().order_by("links__after_id", "pk"))


def slips(plan: Plan) -> list[tuple[Task, Task]]:
    """List pairs of tasks in which the later one begins before the earlier one ends."""
    rows = (
        Task.objects.filter(plan=plan, links__after__due_on__gt=F("starts_on"))
        .order_by("position")
        .distinct()
    )
    found = []
    for task in rows.prefetch_related("links__after"):
        found += [(link.after, task) for link in task.links.all() if link.after.due_on > task.starts_on]
    return found
