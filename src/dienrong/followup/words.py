"""Words of the room: actions, shapes of states."""

from __future__ import annotations

import datetime

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from dienrong.followup.drawing import shape_of
from dienrong.followup.models import Duty, Plan, Risk, Task

ACTIONS = {
    "followup.plan_made": _("Plan drafted"),
    "followup.plan_changed": _("Plan changed"),
    "followup.plan_adopted": _("Plan put in force"),
    "followup.plan_closed": _("Plan closed"),
    "followup.plan_deleted": _("Draft of a plan deleted"),
    "followup.plan_exported": _("Plan downloaded"),
    "followup.task_added": _("Task added"),
    "followup.task_changed": _("Task changed"),
    "followup.task_state_set": _("State of a task set"),
    "followup.task_deleted": _("Task deleted"),
    "followup.handed_out": _("Task handed to units"),
    "followup.duty_reported": _("Duty reported"),
    "followup.duty_returned": _("Duty returned"),
    "followup.duty_taken_back": _("Duty taken back"),
    "followup.risk_added": _("Risk added"),
    "followup.risk_changed": _("Risk changed"),
    "followup.risk_state_set": _("State of a risk set"),
    "followup.reminded": _("Reminders sent"),
    "followup.calendar_key_made": _("Address of a calendar made"),
    "followup.calendar_key_withdrawn": _("Address of a calendar ended"),
}
PLAN_SHAPES = {Plan.State.DRAFT: "not_started", Plan.State.IN_FORCE: "in_progress", Plan.State.CLOSED: "done"}
RISK_SHAPES = {Risk.State.WATCHED: "in_progress", Risk.State.HAPPENED: "attention", Risk.State.OVER: "done"}


def task_state(task: Task, today: datetime.date) -> dict[str, str]:
    """Give the shape and word of a task's state; late ones say so."""
    word = _now("Late") if task.is_late(today) else str(Task.State(task.state).label)
    return {"shape": shape_of(task, today), "word": word}


def duty_state(duty: Duty, today: datetime.date) -> dict[str, str]:
    """Give the shape and word of a duty's state."""
    if duty.state == Duty.State.DONE:
        return {"shape": "done", "word": str(Duty.State.DONE.label)}
    if duty.due_on < today:
        return {"shape": "attention", "word": _now("Late")}
    if duty.state == Duty.State.RETURNED:
        return {"shape": "attention", "word": str(Duty.State.RETURNED.label)}
    return {"shape": "not_started", "word": str(Duty.State.OPEN.label)}


def plan_state(plan: Plan) -> dict[str, str]:
    """Give the shape and word of a plan's state."""
    return {"shape": PLAN_SHAPES[Plan.State(plan.state)], "word": str(Plan.State(plan.state).label)}


def risk_state(risk: Risk) -> dict[str, str]:
    """Give the shape and word of a risk's state."""
    return {"shape": RISK_SHAPES[Risk.State(risk.state)], "word": str(Risk.State(risk.state).label)}
