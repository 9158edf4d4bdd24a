"""What the registers say for a report: read once, as plain values."""

from __future__ import annotations

import dataclasses
import datetime
from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from dienrong.capacity.models import Certificate, Enrolment, Training
from dienrong.capacity.queries import places
from dienrong.core import clock
from dienrong.plans import ports
from dienrong.plans.models import PlanDocument, PlanReport, ReportCall
from dienrong.plans.ports import Annex
from dienrong.plans.queries import taking_part
from dienrong.plans.queries.access import Unit, unit_of_row
from dienrong.plans.queries.documents import Ancestor, ancestors_of, documents_of
from dienrong.plans.queries.history import Point, month_ends, quarter_ends, series
from dienrong.plans.queries.standing import NationRow, Stand, nation_rows, stands_of
from dienrong.plans.queries.values import choices_on
from dienrong.registry.queries import provinces_in
from dienrong.sampling.models import Plan

QUARTERS_BEFORE = 6


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """The sampled schools of one sample in the unit, by what became of them."""

    title: str
    n_drawn: int
    n_full: int
    n_replaced: int
    n_open: int
    n_out: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRow:
    """A training of the period with how many people of the unit took part, completed it and hold a certificate."""

    code: str
    course: str
    first_day: datetime.date
    last_day: datetime.date
    organizer: str
    n_people: int
    n_completed: int
    n_certified: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that a report tells, as of its day."""

    report: PlanReport
    unit: Unit
    day: datetime.date
    stands: tuple[Stand, ...]
    documents: tuple[PlanDocument, ...]
    ancestors: tuple[Ancestor, ...]
    progress: dict[str, tuple[Point, ...]]
    months: tuple[datetime.date, ...]
    programmes: tuple[Programme, ...]
    trainings: tuple[TrainingRow, ...]
    annexes: dict[str, Annex | None]
    nation: tuple[NationRow, ...] = ()
    sent: dict[str, datetime.datetime | None] = dataclasses.field(default_factory=dict)


def day_of(call: ReportCall) -> datetime.date:
    """Give the day as of which a report tells: the last of its period, or today while that has not come."""
    return min(call.last_day, clock.today())


def moments_of(call: ReportCall, day: datetime.date) -> list[datetime.date]:
    """List the days of which a report tells the progress: the months of the year, before them quarters for a phase."""
    first = max(call.first_day, datetime.date(day.year, 1, 1))
    months = month_ends(first, day)
    if call.kind != ReportCall.Kind.PHASE or first <= call.first_day:
        return months
    return [*quarter_ends(call.first_day, first - datetime.timedelta(days=1))[-QUARTERS_BEFORE:], *months]


def facts_of(report: PlanReport) -> Facts:
    """Read what the registers say for a report."""
    call, unit = report.call, unit_of_row(report.unit)
    day = day_of(call)
    stands = stands_of(unit, call.phase, day)
    ancestors = ancestors_of(report.unit)
    months = moments_of(call, day)
    progress = {
        one.aim.indicator.code: tuple(
            series(one.aim.indicator.code, one.value.choices, report.unit, call.phase, months, ancestors)
        )
        for one in stands
        if one.value is not None
    }
    rows: list[NationRow] = []
    if report.unit is None:
        from dienrong.accounts.permissions import Scope
        from dienrong.plans.queries.access import NATION

        assert unit == NATION
        _aims, rows, _refused = nation_rows(call.phase, day, provinces_in(Scope(is_national=True), day))
    return Facts(
        report=report,
        unit=unit,
        day=day,
        stands=tuple(stands),
        documents=(*documents_of(report.unit), *(documents_of(None) if report.unit else ())),
        ancestors=tuple(ancestors),
        progress=progress,
        months=tuple(months),
        programmes=tuple(programmes_of(report, day)),
        trainings=tuple(trainings_of(report, day)),
        annexes={key: ports.annex_of(key, report.unit, day) for key in ports.KEYS},
        nation=tuple(rows),
        sent=sent_by_province(call) if report.unit is None else {},
    )


def sent_by_province(call: ReportCall) -> dict[str, datetime.datetime | None]:
    """Give when each province sent its report last, by code; None where it has not."""
    found: dict[str, datetime.datetime | None] = {}
    reports = PlanReport.objects.filter(call=call, unit__isnull=False).select_related("unit")
    for one in reports.prefetch_related("versions"):
        versions = list(one.versions.all())
        found[one.unit.code] = max((row.sent_at for row in versions), default=None)  # type: ignore[union-attr]
    return found


def programmes_of(report: PlanReport, day: datetime.date) -> list[Programme]:
    """Count the sampled schools of each sample in the unit."""
    choices = choices_on("participation", report.unit, day)
    turns = taking_part.collect(choices, report.call.phase, day).within(report.unit)
    by_plan: dict[int, Counter[str]] = {}
    for one in turns:
        by_plan.setdefault(one.plan, Counter())[one.state] += 1
    plans = (
        Plan.objects.filter(pk__in=by_plan).select_related("cycle").order_by("cycle__first_test_date", "pk")
    )
    return [
        Programme(
            title=f"{plan.cycle.name_vi} · {plan.title}",
            n_drawn=sum(by_plan[plan.pk].values()),
            n_full=by_plan[plan.pk]["full"],
            n_replaced=by_plan[plan.pk]["replaced"],
            n_open=by_plan[plan.pk]["open"],
            n_out=by_plan[plan.pk]["out"],
        )
        for plan in plans
    ]


def trainings_of(report: PlanReport, day: datetime.date) -> list[TrainingRow]:
    """Count the people of the unit in the trainings of the period, each by where the post of the nomination lies."""
    call = report.call
    rows = list(
        Enrolment.objects.filter(
            training__first_day__lte=day,
            training__last_day__gte=call.first_day,
            training__state__in=(Training.State.RUNNING, Training.State.CONCLUDED),
        )
        .exclude(state__in=(Enrolment.State.NOMINATED, Enrolment.State.DECLINED, Enrolment.State.WITHDRAWN))
        .select_related("posting")
        .order_by("pk")
    )
    posts = {one.posting.pk: one.posting for one in rows if one.posting is not None}
    lying = places.lying_of(posts.values(), day)
    certified = set(
        Certificate.objects.filter(enrolment__in=[one.pk for one in rows], issued_on__lte=day)
        .exclude(revoked_on__lte=day)
        .values_list("enrolment_id", flat=True)
    )
    counts: dict[int, Counter[str]] = {}
    for one in rows:
        here = lying[one.posting_id].sure if one.posting_id in lying else None
        if not taking_part.lies_in(here, report.unit):
            continue
        cell = counts.setdefault(one.training_id, Counter())
        cell["people"] += 1
        cell["completed"] += one.state == Enrolment.State.COMPLETED
        cell["certified"] += one.pk in certified
    trainings = Training.objects.filter(pk__in=counts).select_related("course", "organizer")
    return [
        TrainingRow(
            code=one.code,
            course=one.course.name_vi,
            first_day=one.first_day,
            last_day=one.last_day,
            organizer=one.organizer.full_name if one.organizer is not None else _("Ministry"),
            n_people=counts[one.pk]["people"],
            n_completed=counts[one.pk]["completed"],
            n_certified=counts[one.pk]["certified"],
        )
        for one in trainings.order_by("first_day", "code")
    ]


def values_for_snapshot(
    stands: Sequence[Stand], report: PlanReport, day: datetime.date
) -> list[dict[str, Any]]:
    """Give the values of a report as they are kept: definition, counts, target, and hash of who stood behind."""
    from dienrong.plans.queries.values import Counting

    found = []
    for one in stands:
        if one.value is None:
            found.append({"indicator": one.aim.indicator.code, "refused": str(one.refusal)})
            continue
        choices = dict(one.value.choices)
        counting = Counting(one.aim.indicator.code, choices, report.call.phase, day)
        value = counting.of(report.unit, with_hash=True)
        found.append(
            {
                "indicator": value.indicator.code,
                "choices": choices,
                "definition_version": value.version,
                "definition_hash": value.definition_hash,
                "phase": report.call.phase.code,
                "n_counted": value.n_counted,
                "n_all": value.n_all,
                "target": str(one.aim.target.share) if one.aim.target.share is not None else None,
                "target_document": one.aim.target.document.code,
                "sides": dict(value.sides),
                "state_hash": value.state_hash,
            }
        )
    return found
