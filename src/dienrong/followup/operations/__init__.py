"""Writes of the room."""

from dienrong.followup.operations.duties import hand_out, report_duty, return_duty, take_back
from dienrong.followup.operations.plans import (
    PlanFacts,
    adopt_plan,
    change_plan,
    close_plan,
    delete_plan,
    make_plan,
)
from dienrong.followup.operations.reminding import make_calendar_key, remind, withdraw_calendar_key
from dienrong.followup.operations.risks import RiskFacts, add_risk, change_risk, set_risk_state
from dienrong.followup.operations.tasks import TaskFacts, add_task, change_task, delete_task, set_task_state
from dienrong.followup.refusals import FollowupRefusal, NotNow

__all__ = [
    "FollowupRefusal",
    "NotNow",
    "PlanFacts",
    "RiskFacts",
    "TaskFacts",
    "add_risk",
    "add_task",
    "adopt_plan",
    "change_plan",
    "change_risk",
    "change_task",
    "close_plan",
    "delete_plan",
    "delete_task",
    "hand_out",
    "make_calendar_key",
    "make_plan",
    "remind",
    "report_duty",
    "return_duty",
    "set_risk_state",
    "set_task_state",
    "take_back",
    "withdraw_calendar_key",
]
