"""Where a province stands on a day: surveyed schools, modes, the gap, the newest estimates. For rooms above."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone

from dienrong.readiness.models import Budget, Mode, ModeDecision, Stream, Survey
from dienrong.readiness.queries.surveys import LACKS


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Readiness of a province (the country where none is named) in a cycle, as of a day.

    Parameters
    ----------
    n_asked, n_submitted, n_accepted : int
        Schools asked, those that had handed in by the day, those whose survey is accepted.
    n_by_mode : mapping of str to int
        Schools by the mode that holds: decided by the day, else what the rules suggest today; all four modes.
    gap : mapping of str to int
        What is missing in all, by column: lack_machines, lack_headphones, lack_power, lack_server, lack_network.
    budgets : mapping of str to int
        Total in đồng of the newest version of each stream, over all budget years of the cycle.
    approved : mapping of str to int
        The same of the newest approved versions.
    """

    n_asked: int
    n_submitted: int
    n_accepted: int
    n_by_mode: Mapping[str, int]
    gap: Mapping[str, int]
    budgets: Mapping[str, int]
    approved: Mapping[str, int]

    @property
    def n_decided_ready(self) -> int:
        """Schools that hold or are suggested for computers."""
        return self.n_by_mode[Mode.COMPUTER]


def state_of(cycle: Any, province: Any, day: datetime.date) -> State:
    """Tell where a province stands on a day; nine queries whatever the number of schools.

    Parameters
    ----------
    cycle : Cycle
        The cycle.
    province : AdministrativeUnit or None
        A province; the whole country where None.
    day : datetime.date
        Submissions and decisions after this day do not count. Suggestions and gaps are those of now: they follow
        the survey and the reports, which are not kept by day.
    """
    end = timezone.make_aware(datetime.datetime.combine(day, datetime.time.max))
    surveys = Survey.objects.filter(cycle=cycle, school__is_open=True).order_by()
    if province is not None:
        surveys = surveys.filter(school__province=province)
    handed_in = Q(submitted_at__lte=end) & ~Q(state__in=(Survey.State.DRAFT, Survey.State.RETURNED))
    lacks = surveys.filter(handed_in).aggregate(**{name: Sum(name) for name in LACKS})
    return State(
        n_asked=surveys.count(),
        n_submitted=surveys.filter(handed_in).count(),
        n_accepted=surveys.filter(state=Survey.State.ACCEPTED, reviewed_at__lte=end).count(),
        n_by_mode=_modes(surveys, end),
        gap={name: value or 0 for name, value in lacks.items()},
        budgets=_totals(cycle, province, end, approved_only=False),
        approved=_totals(cycle, province, end, approved_only=True),
    )


def _modes(surveys: QuerySet[Survey], end: datetime.datetime) -> dict[str, int]:
    """Count schools by the mode that held at a moment."""
    decided = ModeDecision.objects.filter(survey=OuterRef("pk"), decided_at__lte=end).order_by(
        "-decided_at", "-pk"
    )
    counts = dict.fromkeys(Mode.values, 0)
    rows = surveys.annotate(then=Subquery(decided.values("mode")[:1])).values_list("then", "suggested")
    for then, suggested in rows.iterator(chunk_size=5000):
        counts[then or suggested] += 1
    return counts


def _totals(cycle: Any, province: Any, end: datetime.datetime, *, approved_only: bool) -> dict[str, int]:
    """Sum up the newest versions of the estimates of each stream, in đồng."""
    found = Budget.objects.filter(cycle=cycle, created_at__lte=end).prefetch_related("lines")
    if province is not None:
        found = found.filter(province=province)
    if approved_only:
        found = found.filter(state=Budget.State.APPROVED)
    newest: dict[tuple[int, int, str], Budget] = {}
    for one in found.order_by("version"):
        newest[one.province_id, one.year, one.stream] = one
    totals = dict.fromkeys(Stream.values, 0)
    for one in newest.values():
        totals[one.stream] += sum(line.amount for line in one.lines.all())
    return totals
