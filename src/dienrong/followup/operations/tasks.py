"""Tasks of a plan: added, changed, begun, done, dropped, with what they wait for."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.formats import day_text
from dienrong.core.text import clean_text
from dienrong.followup.models import Duty, Plan, Task, TaskLink
from dienrong.followup.operations.plans import held
from dienrong.followup.refusals import FollowupRefusal, NotNow


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TaskFacts:
    """What a task is; ``after`` holds the keys of the tasks of the same plan that it waits for."""

    title: str
    starts_on: datetime.date
    due_on: datetime.date
    detail: str = ""
    lead: str = ""
    support: str = ""
    product: str = ""
    fallback: str = ""
    after: Sequence[int] = ()


@transaction.atomic
def add_task(*, plan: Plan, facts: TaskFacts, by: Any) -> Task:
    """Add a task at the end of a plan.

    Raises
    ------
    FollowupRefusal
        If the title is empty, the days are the wrong way round, or it waits for a task of another plan.
    """
    plan = held(plan, by)
    values = _checked(facts)
    last = plan.tasks.aggregate(last=Max("position"))["last"] or 0
    task = Task.objects.create(plan=plan, position=last + 1, **values)
    _link(task, facts.after)
    record(action="followup.task_added", actor=by, obj=task, after=values)
    return task


def _checked(facts: TaskFacts) -> dict[str, Any]:
    """Give the facts in their clean form."""
    values = dataclasses.asdict(facts)
    del values["after"]
    for name in ("title", "lead", "support", "product"):
        values[name] = clean_text(values[name])
    for name in ("detail", "fallback"):
        values[name] = values[name].strip()
    if not values["title"]:
        raise FollowupRefusal(_("A task says what is to be done."), hint=_("Write it in a few words."))
    if facts.due_on < facts.starts_on:
        raise FollowupRefusal(
            _("The task would be due on %(due)s, before it begins on %(start)s.")
            % {"due": day_text(facts.due_on), "start": day_text(facts.starts_on)},
            hint=_("Correct one of the two days."),
        )
    return values


def _link(task: Task, after: Sequence[int]) -> None:
    """Set what a task waits for; refuse a circle.

    Raises
    ------
    FollowupRefusal
        If a key is of another plan, or the tasks would wait for each other.
    """
    wanted = set(after)
    known = set(Task.objects.filter(plan=task.plan_id, pk__in=wanted).values_list("pk", flat=True))
    if wanted - known or task.pk in wanted:
        raise FollowupRefusal(_("A task waits for other tasks of the same plan alone."))
    pairs = (
        TaskLink.objects.filter(task__plan=task.plan_id).exclude(task=task).values_list("after_id", "task_id")
    )
    followers: dict[int, set[int]] = {}
    for earlier, later in pairs:
        followers.setdefault(earlier, set()).add(later)
    reached, walking = set(), {task.pk}
    while walking:
        walking = {one for key in walking for one in followers.get(key, ())} - reached
        reached |= walking
    circle = Task.objects.filter(pk__in=reached & wanted).first()
    if circle is not None:
        raise FollowupRefusal(
            _("“%(task)s” waits for this task already, so this task cannot wait for it.")
            % {"task": circle.title},
            hint=_("Take one of the two dependencies away."),
        )
    TaskLink.objects.filter(task=task).exclude(after__in=wanted).delete()
    held_now = set(TaskLink.objects.filter(task=task).values_list("after_id", flat=True))
    TaskLink.objects.bulk_create(TaskLink(task=task, after_id=key) for key in sorted(wanted - held_now))


@transaction.atomic
def change_task(*, task: Task, facts: TaskFacts, by: Any) -> Task:
    """Change a task; duties keep their own days.

    Raises
    ------
    FollowupRefusal
        As for ``add_task``.
    """
    held(task.plan, by)
    task = Task.objects.select_for_update().get(pk=task.pk)
    values = _checked(facts)
    before = {name: getattr(task, name) for name in values}
    for name, value in values.items():
        setattr(task, name, value)
    task.save()
    earlier = sorted(task.links.values_list("after_id", flat=True))
    _link(task, facts.after)
    changed = {name: value for name, value in values.items() if before[name] != value}
    old = {name: before[name] for name in changed}
    if earlier != sorted(facts.after):
        old["after"], changed["after"] = earlier, sorted(facts.after)
    if changed:
        record(action="followup.task_changed", actor=by, obj=task, before=old, after=changed)
    return task


@transaction.atomic
def set_task_state(
    *, task: Task, state: str, outcome: str, by: Any, done_on: datetime.date | None = None
) -> Task:
    """Say how far a task is; done needs what came of it, dropped needs a reason.

    Raises
    ------
    NotNow
        If the plan is a draft.
    FollowupRefusal
        If the state is unknown, the words are missing, or the day lies in the future.
    """
    plan = held(task.plan, by)
    task = Task.objects.select_for_update().get(pk=task.pk)
    if plan.state == Plan.State.DRAFT:
        raise NotNow(
            _("The plan is a draft; its tasks have no state yet."), hint=_("Put the plan in force first.")
        )
    if state not in Task.State.values:
        raise FollowupRefusal(_("A task is open, under way, done or dropped."))
    words = clean_text(outcome)
    if state in (Task.State.DONE, Task.State.DROPPED) and not words:
        raise FollowupRefusal(
            _("Say what came of the task: the product, the document, or why it is dropped."),
            hint=_("A number of a document is enough."),
        )
    day = (done_on or clock.today()) if state == Task.State.DONE else None
    if day is not None and day > clock.today():
        raise FollowupRefusal(_("A task is done today or earlier."))
    before = {"state": task.state, "outcome": task.outcome}
    task.state, task.outcome, task.done_on = state, words[:500], day
    task.save()
    record(
        action="followup.task_state_set",
        actor=by,
        obj=task,
        before=before,
        after={"state": state, "outcome": task.outcome, "done_on": day},
    )
    return task


@transaction.atomic
def delete_task(*, task: Task, by: Any) -> None:
    """Delete a task of a draft; in a plan in force it is dropped with a reason instead.

    Raises
    ------
    NotNow
        If the plan is in force.
    """
    plan = held(task.plan, by)
    if plan.state != Plan.State.DRAFT:
        raise NotNow(_("The plan is in force."), hint=_("Drop the task, with the reason."))
    n_duties = Duty.objects.filter(task=task).count()
    record(
        action="followup.task_deleted", actor=by, obj=task, before={"title": task.title, "n_duties": n_duties}
    )
    task.delete()
