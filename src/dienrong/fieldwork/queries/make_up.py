"""Make-up sessions: which schools need one by the programme's rules, and until when."""

from __future__ import annotations

import dataclasses
import datetime

from dienrong.fieldwork import numeric
from dienrong.fieldwork.models import FieldSchool, ListedPerson, TestSession


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MakeUp:
    """Attendance of a tested school against the rules."""

    n_eligible: int
    n_present: int
    minimum: float
    until: datetime.date

    @property
    def share(self) -> float:
        """Share of the eligible selected people who took part."""
        return self.n_present / self.n_eligible

    @property
    def n_absent(self) -> int:
        """How many were absent."""
        return self.n_eligible - self.n_present


def make_up_of(school: FieldSchool) -> MakeUp | None:
    """Give what is due of a tested school; None where attendance suffices, the rules ask for none, or one is planned."""
    minimum = numeric.attended_minimum(school.plan.rules)
    if minimum is None or school.state != FieldSchool.State.TESTED:
        return None
    kinds = {one.code: one.treatment for one in numeric.codes(school.plan.rules, "student")}
    found = [
        kinds.get(code)
        for code in ListedPerson.objects.filter(field_school=school, is_selected=True).values_list(
            "status", flat=True
        )
    ]
    n_present = found.count("respondent")
    n_eligible = n_present + found.count("nonrespondent")
    if not n_eligible or n_present / n_eligible >= minimum:
        return None
    sessions = list(school.test_sessions.exclude(state=TestSession.State.CANCELLED))
    if any(one.kind == TestSession.Kind.MAKE_UP for one in sessions):
        return None
    last = max((one.on_date for one in sessions), default=None)
    if last is None:
        return None
    days = numeric.make_up_days(school.plan.rules)
    return MakeUp(
        n_eligible=n_eligible, n_present=n_present, minimum=minimum, until=working_days_after(last, days)
    )


def working_days_after(day: datetime.date, n_days: int) -> datetime.date:
    """Give the day that lies so many working days (Monday to Friday) later; public holidays are not known here.

    Examples
    --------
    >>> working_days_after(datetime.date(2026, 11, 27), 10)
    datetime.date(2026, 12, 11)
    """
    while n_days > 0:
        day += datetime.timedelta(days=1)
        n_days -= day.weekday() < 5
    return day
