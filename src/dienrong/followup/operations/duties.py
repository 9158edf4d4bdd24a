"""Duties: a task handed to units, which report themselves; returned with a reason, taken back."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.accounts.directory import Place
from dienrong.accounts.models import UnitKind
from dienrong.accounts.permissions import Scope
from dienrong.audit.operations import record
from dienrong.core import clock, text
from dienrong.core.refusals import NotAllowed
from dienrong.core.text import clean_text
from dienrong.followup.models import Duty, Plan, Task
from dienrong.followup.operations.plans import held
from dienrong.followup.queries import access
from dienrong.followup.refusals import FollowupRefusal, NotNow

MOST_AT_ONCE = 20_000


@transaction.atomic
def hand_out(
    *, task: Task, units: Iterable[tuple[str, str, str, Place]], due_on: datetime.date, by: Any
) -> int:
    """Hand a task to units; a unit that has it already keeps its duty with its day.

    Parameters
    ----------
    task : Task
        The task.
    units : Iterable of tuple
        Kind, code, name and place of each unit.
    due_on : datetime.date
        Day until which they report.
    by : User
        Who hands it out.

    Returns
    -------
    int
        How many units have a new duty.

    Raises
    ------
    FollowupRefusal
        If a unit does not lie in the unit of the plan, or nothing new is handed out.
    """
    plan = held(task.plan, by)
    if task.state in (Task.State.DONE, Task.State.DROPPED):
        raise NotNow(_("The task is done or dropped; nothing of it is handed out any more."))
    if due_on < task.starts_on:
        raise FollowupRefusal(
            _("The duty would be due before the task begins."), hint=_("Choose a later day.")
        )
    known = set(task.duties.values_list("unit_kind", "unit_code"))
    rows = []
    for kind, code, name, place in units:
        if (kind, code) in known:
            continue
        if not _lies_in(plan, place) or (kind, code) == (plan.unit_kind, plan.unit_code):
            raise FollowupRefusal(
                _("%(unit)s does not lie below %(owner)s.") % {"unit": name, "owner": plan.unit_name},
                hint=_("A plan hands tasks to the units below its own alone."),
            )
        known.add((kind, code))
        rows.append(
            Duty(
                task=task,
                unit_kind=kind,
                unit_code=code,
                unit_name=name[:200],
                province_code=place.province_code or "",
                commune_code=place.commune_code or "",
                due_on=due_on,
                sort_key=text.sort_key(name)[:2000],
            )
        )
    if not rows:
        raise FollowupRefusal(_("Each of these units has the task already."))
    if len(rows) > MOST_AT_ONCE:
        raise FollowupRefusal(
            _("More than 20,000 units at once."), hint=_("Hand the task to provinces or communes.")
        )
    Duty.objects.bulk_create(rows, batch_size=500)
    record(action="followup.handed_out", actor=by, obj=task, after={"n_units": len(rows), "due_on": due_on})
    return len(rows)


def _lies_in(plan: Plan, place: Place) -> bool:
    """Tell whether a place lies in the unit of a plan."""
    code = frozenset({plan.unit_code})
    scope = Scope(
        is_national=plan.unit_kind == UnitKind.NATION,
        provinces=code if plan.unit_kind == UnitKind.PROVINCE else frozenset(),
        communes=code if plan.unit_kind == UnitKind.COMMUNE else frozenset(),
    )
    return scope.covers(place.province_code, place.commune_code, place.school_id)


@transaction.atomic
def report_duty(*, duty: Duty, outcome: str, by: Any, done_on: datetime.date | None = None) -> Duty:
    """Report a duty as done, by its unit.

    Raises
    ------
    NotAllowed
        If the person does not work in the unit of the duty.
    NotNow
        If the plan is not in force, or the duty is reported already.
    FollowupRefusal
        If nothing is said of what was done, or the day lies in the future.
    """
    duty = _locked(duty)
    permissions.demand(by, "view_tasks")
    if not access.may_report(by, duty):
        raise NotAllowed(
            _("This duty is reported by the staff of %(unit)s.") % {"unit": duty.unit_name},
            whom_to_ask=permissions.whom_to_ask(by),
        )
    if duty.task.plan.state != Plan.State.IN_FORCE or duty.task.state == Task.State.DROPPED:
        raise NotNow(_("The plan is not in force, or the task was dropped."))
    if duty.state == Duty.State.DONE:
        raise NotNow(_("The duty is reported already."))
    words = clean_text(outcome)
    day = done_on or clock.today()
    if not words:
        raise FollowupRefusal(
            _("Say in a few words what was done."), hint=_("A number of a document is enough.")
        )
    if day > clock.today():
        raise FollowupRefusal(_("A duty is done today or earlier."))
    before = {"state": duty.state}
    duty.state, duty.outcome, duty.done_on, duty.returned_because = Duty.State.DONE, words[:500], day, ""
    duty.save()
    record(
        action="followup.duty_reported",
        actor=by,
        obj=duty,
        before=before,
        after={"state": duty.state, "outcome": duty.outcome, "done_on": day},
    )
    return duty


def _locked(duty: Duty) -> Duty:
    """Lock a duty."""
    return Duty.objects.select_for_update(of=("self",)).select_related("task__plan").get(pk=duty.pk)


@transaction.atomic
def return_duty(*, duty: Duty, reason: str, by: Any, due_on: datetime.date | None = None) -> Duty:
    """Return a reported duty to its unit, with the reason and, where wanted, a new day.

    Raises
    ------
    NotAllowed
        If the person does not work in the unit of the plan.
    NotNow
        If the duty is not reported.
    FollowupRefusal
        If no reason is given.
    """
    held(duty.task.plan, by)
    duty = _locked(duty)
    if duty.state != Duty.State.DONE:
        raise NotNow(_("The duty is not reported as done."))
    words = clean_text(reason)
    if not words:
        raise FollowupRefusal(_("Say why the duty is returned."), hint=_("Write it in a few words."))
    before = {"state": duty.state, "outcome": duty.outcome, "due_on": duty.due_on}
    duty.state, duty.done_on, duty.returned_because = Duty.State.RETURNED, None, words[:300]
    duty.due_on = due_on or duty.due_on
    duty.save()
    record(
        action="followup.duty_returned",
        actor=by,
        obj=duty,
        before=before,
        after={"reason": duty.returned_because, "due_on": duty.due_on},
    )
    return duty


@transaction.atomic
def take_back(*, duty: Duty, by: Any) -> None:
    """Take a duty back that its unit has not reported.

    Raises
    ------
    NotNow
        If it is reported.
    """
    held(duty.task.plan, by)
    duty = _locked(duty)
    if duty.state == Duty.State.DONE:
        raise NotNow(_("The unit has reported this duty; it stays on record."))
    record(action="followup.duty_taken_back", actor=by, obj=duty, before={"unit": duty.unit_name})
    duty.delete()
