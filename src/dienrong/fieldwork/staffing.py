"""What the fieldwork tells the capacity room: which schools take part, who is on duty where, how much work there is."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db.models import Count, Q

from dienrong.capacity.ports import Duty, Work
from dienrong.fieldwork.models import FieldSchool, ListedPerson, QualityVisit, TestSession
from dienrong.sampling.models import SampledSchool

OUT = FieldSchool.State.NOT_TAKING_PART


def participating_schools(first: datetime.date, last: datetime.date) -> set[int]:
    """Give the schools in the field that do not decline and whose tests fall, or may fall, into some days.

    A school belongs to the days in which its fieldwork tests; it takes part from the letter on until it declines.
    """
    found = FieldSchool.objects.exclude(state=OUT).filter(
        plan__fieldwork__test_from__lte=datetime.date(last.year, 12, 31),
        plan__fieldwork__test_to__gte=first,
    )
    return set(found.order_by().values_list("school_id", flat=True))


def duties(users: Iterable[int], first: datetime.date, last: datetime.date) -> Iterator[Duty]:
    """Give the planned and reported sessions that people lead, and the visits that they made, in some days."""
    keys = list(users)
    sessions = TestSession.objects.filter(administrator__in=keys, on_date__range=(first, last)).exclude(
        state=TestSession.State.CANCELLED
    )
    for one in sessions.select_related("field_school__school"):
        yield Duty(
            user_id=one.administrator_id or 0,
            day=one.on_date,
            title=one.field_school.school.name,
            begins_at=one.begins_at,
            school_key=one.field_school.school_id,
        )
    visits = QualityVisit.objects.filter(visitor__in=keys, on_date__range=(first, last))
    for visit in visits.select_related("field_school__school"):
        yield Duty(
            user_id=visit.visitor_id,
            day=visit.on_date,
            title=visit.field_school.school.name,
            school_key=visit.field_school.school_id,
        )


def work_of(cycle: Any) -> Mapping[str, Work] | None:
    """Count the sampled schools of a cycle by province, with sessions and selected students; None before a draw.

    A school has one session where none is planned yet, and as many students as the plan takes of a school where
    none are selected yet; so the need is known before the fieldwork begins.
    """
    sampled = SampledSchool.objects.filter(draw__plan__cycle=cycle, role="original").order_by()
    rows = list(sampled.values_list("pk", "school__province__code", "draw__plan_id", "draw__plan__design"))
    if not rows:
        return None
    known = _known(cycle)
    found: dict[str, Work] = {}
    for key, province, _plan, design in rows:
        n_sessions, n_people = known.get(key, (0, 0))
        so_far = found.get(province, Work())
        found[province] = Work(
            n_schools=so_far.n_schools + 1,
            n_sittings=so_far.n_sittings + (n_sessions or 1),
            n_students=so_far.n_students + (n_people or int(design.get("n_students") or 0)),
        )
    return found


def _known(cycle: Any) -> dict[int, tuple[int, int]]:
    """Give, by sampled school, the sessions planned and the people selected so far; a replacement stands for its own."""
    field = FieldSchool.objects.filter(plan__cycle=cycle).exclude(state=OUT)
    sessions = dict(
        field.annotate(n=Count("test_sessions", filter=~Q(test_sessions__state=TestSession.State.CANCELLED)))
        .order_by()
        .values_list("pk", "n")
    )
    people = dict(
        ListedPerson.objects.filter(field_school__plan__cycle=cycle, is_selected=True)
        .order_by()
        .values("field_school")
        .annotate(n=Count("pk"))
        .values_list("field_school", "n")
    )
    rows = field.order_by().values_list("pk", "sampled_id", "sampled__original_id")
    return {
        original or sampled: (sessions.get(key, 0), people.get(key, 0)) for key, sampled, original in rows
    }


def students_by_school(cycle: Any) -> Mapping[int, int | None] | None:
    """Give the schools of a cycle with the students that sit there, all plans together; None before a draw.

    Schools in the field count as they are (a replacement in place of its own, none that declined); a plan whose
    fieldwork has not begun counts its sampled schools. Where nobody is selected yet the design says how many.
    """
    field = FieldSchool.objects.filter(plan__cycle=cycle).select_related("plan").order_by()
    selected = dict(
        ListedPerson.objects.filter(field_school__plan__cycle=cycle, is_selected=True)
        .order_by()
        .values("field_school")
        .annotate(n=Count("pk"))
        .values_list("field_school", "n")
    )
    found: dict[int, int | None] = {}
    plans: set[int] = set()
    for one in field:
        plans.add(one.plan_id)
        if one.state != OUT:
            n = selected.get(one.pk) or int(one.plan.design.get("n_students") or 0)
            found[one.school_id] = (found.get(one.school_id) or 0) + n or None
    sampled = SampledSchool.objects.filter(draw__plan__cycle=cycle, role="original").exclude(
        draw__plan__in=plans
    )
    for school, design in sampled.order_by().values_list("school_id", "draw__plan__design"):
        found[school] = (found.get(school) or 0) + int(design.get("n_students") or 0) or None
    return found if found or plans else None
