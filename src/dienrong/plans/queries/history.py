"""The past of a value by quarter or month, and where it leads by the deadline; rules in docs/algorithms/plan_indicators.md."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from math import floor

from django.db.models import Min

from dienrong.capacity.models import Enrolment, Posting, Training
from dienrong.fieldwork.models import Fieldwork
from dienrong.plans.models import Phase
from dienrong.plans.queries.documents import Ancestor
from dienrong.plans.queries.values import CannotCount, Counting, Value
from dienrong.registry.models import AdministrativeUnit, School

MOST_QUARTERS = 8
FEWEST_DAYS = 28
"""Days of observation below which no pace is told."""
LONGEST_PACE = 365


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A value of the past: the unit as it was called then, its counts; None where they cannot be given."""

    day: datetime.date
    name: str
    n_counted: int | None
    n_all: int | None
    is_before_merger: bool = False

    @property
    def share(self) -> float | None:
        """The share; None where nobody was in the denominator."""
        return self.n_counted / self.n_all if self.n_all and self.n_counted is not None else None


def quarter_ends(first: datetime.date, last: datetime.date) -> list[datetime.date]:
    """List the last days of the quarters between two days, and the last of the two itself."""
    found = []
    for year in range(first.year, last.year + 1):
        for month, day in ((3, 31), (6, 30), (9, 30), (12, 31)):
            end = datetime.date(year, month, day)
            if first <= end < last:
                found.append(end)
    return [*found[-(MOST_QUARTERS - 1) :], last]


def month_ends(first: datetime.date, last: datetime.date) -> list[datetime.date]:
    """List the last days of the months between two days, and the last of the two itself; twelve at most."""
    found = []
    month = datetime.date(first.year, first.month, 1)
    while month <= last:
        after = (month.replace(day=28) + datetime.timedelta(days=4)).replace(day=1)
        found.append(min(after - datetime.timedelta(days=1), last))
        month = after
    return found[-12:]


def first_record() -> datetime.date | None:
    """Give the first day of which the registers know anything: the first post, or the first fieldwork."""
    days = [
        Posting.objects.aggregate(first=Min("valid_from"))["first"],
        Fieldwork.objects.aggregate(first=Min("answer_due"))["first"],
    ]
    known = [day for day in days if day is not None]
    return min(known) if known else None


def series(
    code: str,
    choices: Mapping[str, str],
    unit: AdministrativeUnit | School | None,
    phase: Phase,
    days: Sequence[datetime.date],
    ancestors: Sequence[Ancestor] = (),
) -> list[Point]:
    """Give the values of past days; before a merger one point for each province that became the present one."""
    known = first_record()
    found: list[Point] = []
    for day in days:
        if known is None or day < known:
            continue
        try:
            counting = Counting(code, choices, phase, day)
        except CannotCount:
            continue
        before = [one for one in ancestors if day < one.until]
        for ancestor in sorted(before, key=lambda one: one.unit.code):
            found.append(_point(counting.of(ancestor.unit), ancestor.unit.full_name, is_before_merger=True))
        if not before:
            name = "" if unit is None else getattr(unit, "full_name", "") or unit.name
            found.append(_point(counting.of(unit), name))
    return found


def _point(value: Value, name: str, *, is_before_merger: bool = False) -> Point:
    """Give a value as a point of the past."""
    return Point(
        day=value.day,
        name=name,
        n_counted=value.n_counted,
        n_all=value.n_all,
        is_before_merger=is_before_merger,
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Where a value leads by a deadline.

    Parameters
    ----------
    until : datetime.date
        The deadline.
    n_at_pace : int or None
        How many would count at the pace so far; None where too little was observed.
    n_if_enrolled : int or None
        How many would count if everybody in an open training completes it and is certified; people alone.
    since : datetime.date
        The day from which the pace is taken.
    n_all : int
        The denominator of today, which is held.
    """

    until: datetime.date
    n_at_pace: int | None
    n_if_enrolled: int | None
    since: datetime.date
    n_all: int

    def share(self, n: int | None) -> float | None:
        """Give a count as a share of the denominator."""
        return n / self.n_all if n is not None and self.n_all else None

    @property
    def share_at_pace(self) -> float | None:
        """The share at the pace so far."""
        return self.share(self.n_at_pace)

    @property
    def share_if_enrolled(self) -> float | None:
        """The share if everybody enrolled is certified."""
        return self.share(self.n_if_enrolled)


def deadline_of(value: Value, phase: Phase) -> datetime.date:
    """Give the deadline: the end of the phase; of a yearly share the end of the year, if that comes first."""
    if value.choices.get("period") == "year":
        return min(phase.last_day, datetime.date(value.day.year, 12, 31))
    return phase.last_day


def forecast(value: Value, unit: AdministrativeUnit | School | None, phase: Phase) -> Forecast | None:
    """Tell where a value leads by its deadline; None where the deadline is over or nobody is meant.

    The pace is (counted today - counted at the start) / days between; the start is the first of January for a yearly
    share, else a year ago, or the first day of the phase or of the records if these came later.
    """
    until = deadline_of(value, phase)
    if value.day >= until or not value.n_all:
        return None
    is_yearly = value.choices.get("period") == "year"
    since = max(
        datetime.date(value.day.year, 1, 1)
        if is_yearly
        else value.day - datetime.timedelta(days=LONGEST_PACE),
        phase.first_day,
    )
    known = first_record()
    since = max(since, known) if known is not None else since
    n_days = (value.day - since).days
    at_pace = None
    if n_days >= FEWEST_DAYS:
        n_before = 0 if is_yearly else _counted_then(value, unit, phase, since)
        gained = max(0, value.n_counted - n_before)
        more = floor(gained * (until - value.day).days / n_days)
        at_pace = min(value.n_all, value.n_counted + more)
    enrolled = None
    if value.indicator.counts == "people":
        enrolled = value.n_counted + len(on_the_way(value, until))
    return Forecast(until=until, n_at_pace=at_pace, n_if_enrolled=enrolled, since=since, n_all=value.n_all)


def _counted_then(
    value: Value, unit: AdministrativeUnit | School | None, phase: Phase, day: datetime.date
) -> int:
    """Give how many of a unit counted on an earlier day: of people those of today's denominator.

    A merger or a move changes who belongs to a unit; the pace is that of the people who are meant today.
    """
    try:
        counting = Counting(value.indicator.code, value.choices, phase, day)
    except CannotCount:
        return 0
    if value.indicator.counts != "people":
        return counting.of(unit).n_counted
    everybody = counting.of(None)
    return len(everybody.behind & (value.behind | value.missing))


def on_the_way(value: Value, until: datetime.date) -> frozenset[int]:
    """Give the people who do not count yet, and would: in an open training that ends in time, or awaiting a certificate."""
    topics = value.indicator.people(value.choices).topics
    rows = Enrolment.objects.filter(person__in=list(value.missing)[:20_000]).order_by()
    if topics:
        rows = rows.filter(training__course__topic__in=topics)
    open_states = (Training.State.OPEN, Training.State.RUNNING)
    coming = rows.filter(
        state__in=(Enrolment.State.NOMINATED, Enrolment.State.CONFIRMED),
        training__state__in=open_states,
        training__last_day__lte=until,
    )
    found = set(coming.values_list("person_id", flat=True))
    if value.choices.get("measure") == "certified":
        coming_certificates = rows.filter(
            state=Enrolment.State.COMPLETED,
            completed_on__lte=value.day,
            certificate__isnull=True,
            training__course__is_certified=True,
        )
        found |= set(coming_certificates.values_list("person_id", flat=True))
    return frozenset(found)
