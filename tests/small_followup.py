"""A small plan of a province for the tests, made by the operations themselves."""

from __future__ import annotations

import datetime
from typing import Any

from dienrong.followup import operations
from dienrong.followup.models import Duty, Plan, Task
from dienrong.followup.operations import PlanFacts, RiskFacts, TaskFacts
from dienrong.followup.queries import units

TODAY = datetime.date(2026, 11, 22)
DAY = datetime.timedelta(days=1)


def a_plan(by: Any, *, unit: tuple[str, str] = ("province", "01"), programme: str = "", **facts: Any) -> Plan:
    facts = {"year": 2026, "title": "Kế hoạch năm 2026", **facts}
    return operations.make_plan(
        unit_kind=unit[0], unit_code=unit[1], facts=PlanFacts(**facts), programme=programme, by=by
    )


def a_task(
    plan: Plan, by: Any, *, title: str = "Nộp danh sách", starts: int = -20, due: int = 5, **facts: Any
) -> Task:
    days = {"starts_on": TODAY + starts * DAY, "due_on": TODAY + due * DAY}
    return operations.add_task(plan=plan, facts=TaskFacts(title=title, **days, **facts), by=by)


def in_force(plan: Plan, by: Any) -> Plan:
    return operations.adopt_plan(plan=plan, number="05/KH-SGDĐT", adopted_on=TODAY - 30 * DAY, by=by)


def a_risk(**changes: Any) -> RiskFacts:
    facts: dict[str, Any] = {
        "title": "Mất điện trong buổi khảo sát",
        "likelihood": 3,
        "impact": 5,
        "prevention": "Kiểm tra máy phát điện",
        "fallback": "Chuyển sang bài giấy",
        "owner": "Tổ kỹ thuật",
        "review_on": TODAY,
    }
    return RiskFacts(**{**facts, **changes})


def handed(task: Task, by: Any, kind: str = "commune", due: int = 5) -> list[Duty]:
    operations.hand_out(task=task, units=units.all_of(task.plan, kind), due_on=TODAY + due * DAY, by=by)
    return list(task.duties.all())
