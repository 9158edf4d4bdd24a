"""Schools drawn into samples, and which of them took part fully, as of a day and by unit."""

from __future__ import annotations

import dataclasses
import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Max, Q
from django.utils import timezone

from dienrong.capacity.indicators import CONTINUING
from dienrong.capacity.queries import places
from dienrong.capacity.queries.places import Place
from dienrong.fieldwork.models import FieldEvent, FieldSchool, Fieldwork, TestSession
from dienrong.fieldwork.numeric import codes
from dienrong.plans.models import Phase
from dienrong.registry.models import AdministrativeUnit, School
from dienrong.sampling.models import SampledSchool

LEAVES = ("ineligible", "excluded", "not_sampled")
"""Treatments of a school's code by which it leaves the denominator."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A drawn school in one sample on the day.

    Parameters
    ----------
    sampled, plan : int
        Keys of the sampled school and of its plan.
    place : Place or None
        Where the school lies on the day; None where nowhere is certain.
    school_code, school_name : str
        As drawn.
    state : {"full", "replaced", "open", "out"}
        Took part fully; its replacement did; still open; does not take part.
    """

    sampled: int
    plan: int
    place: Place | None
    school_code: str
    school_name: str
    state: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """Every turn of the country that a definition counts on a day, read once."""

    day: datetime.date
    rows: tuple[Turn, ...]

    def within(self, unit: AdministrativeUnit | School | None) -> list[Turn]:
        """List the turns of a unit of the day."""
        return [one for one in self.rows if lies_in(one.place, unit)]


def lies_in(place: Place | None, unit: AdministrativeUnit | School | None) -> bool:
    """Tell whether a place lies in a unit or school; everything lies in the country."""
    if unit is None:
        return True
    if place is None:
        return False
    if isinstance(unit, School):
        return place.school == unit.pk
    key = place.province if unit.level == AdministrativeUnit.Level.PROVINCE else place.commune
    return key == unit.pk


def collect(choices: Mapping[str, str], phase: Phase, day: datetime.date) -> Turns:
    """Read the turns of a day: schools drawn by then into samples that are tested in the phase, or in the year.

    Parameters
    ----------
    choices : mapping
        ``full``, ``period``, and where they are open ``replaced``, ``with_continuing``, ``with_inclusion``.
    phase : Phase
        The phase whose samples count.
    day : datetime.date
        Everything counts as it stood at the end of this day.
    """
    first, last = phase.first_day, phase.last_day
    if choices["period"] == "year":
        first, last = max(first, datetime.date(day.year, 1, 1)), min(last, datetime.date(day.year, 12, 31))
    fieldworks = Fieldwork.objects.filter(test_from__lte=last, test_to__gte=first)
    plans = dict(
        fieldworks.filter(plan__draw__drawn_at__lt=end_of(day)).values_list("plan_id", "plan__rules")
    )
    drawn = list(
        SampledSchool.objects.filter(draw__plan__in=plans, school__isnull=False, role="original")
        .order_by("draw__plan_id", "selection_order")
        .values_list("pk", "draw__plan_id", "school_id", "school_code", "name")
    )
    outcomes = _outcomes(plans, choices["full"], day)
    lying = places.schools_on({row[2] for row in drawn}, day)
    rows = []
    for sampled, plan, school, code, name in drawn:
        state = outcomes.get(sampled, "open")
        sure = lying[school].sure
        kinds = {one.school_kind for one in lying[school].places}
        if state == "left" or not any(_counts(kind, choices) for kind in kinds or {""}):
            continue
        rows.append(
            Turn(sampled=sampled, plan=plan, place=sure, school_code=code, school_name=name, state=state)
        )
    return Turns(day=day, rows=tuple(rows))


def _counts(kind: str, choices: Mapping[str, str]) -> bool:
    """Tell whether a school of a kind is counted."""
    if kind in CONTINUING:
        return choices.get("with_continuing", "yes") == "yes"
    return kind != School.Kind.INCLUSION or choices.get("with_inclusion", "yes") == "yes"


def end_of(day: datetime.date) -> datetime.datetime:
    """Give the first moment after a day, in the time zone of the pages."""
    return timezone.make_aware(datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time()))


def _outcomes(plans: Mapping[int, str], full: str, day: datetime.date) -> dict[int, str]:
    """Give what had become of each drawn school by the end of a day, by the key of the sampled school."""
    field = list(
        FieldSchool.objects.filter(plan__in=plans)
        .order_by("number")
        .values_list("pk", "sampled_id", "sampled__original_id", "plan__rules", "state", "participation_code")
    )
    done_by = _done_by(plans, full, day)
    declined_by = _declined_by(plans, day)
    own: dict[int, str] = {}
    replaced: set[int] = set()
    for key, sampled, original, rules, state, code in field:
        reached = _reached(state, code, _treatments(rules), key in done_by, key in declined_by)
        if original is None:
            own[sampled] = reached
        elif reached == "full":
            replaced.add(original)
    return {
        sampled: "replaced" if state in ("out", "open") and sampled in replaced else state
        for sampled, state in own.items()
    }


def _reached(state: str, code: int | None, treatments: Mapping[int, Any], is_done: bool, is_out: bool) -> str:
    """Give what one school had reached: full, left (not counted), out, or open."""
    if state == FieldSchool.State.NOT_TAKING_PART and is_out:
        return "left" if treatments.get(code or 0) in LEAVES else "out"
    if state in (FieldSchool.State.TESTED, FieldSchool.State.CLOSED) and is_done:
        if treatments.get(code or 0) in LEAVES:
            return "left"
        return "full" if treatments.get(code or 0) == "participant" else "out"
    return "open"


def _treatments(rules: str) -> dict[int, str | None]:
    """Give how a programme treats each code of schools."""
    return {one.code: one.treatment for one in codes(rules, "school")}


def _done_by(plans: Iterable[int], full: str, day: datetime.date) -> set[int]:
    """Give the schools whose sessions were all reported, or that were concluded, by the end of a day."""
    until = end_of(day)
    if full == "concluded":
        events = FieldEvent.objects.filter(field_school__plan__in=plans, kind="concluded", at__lt=until)
        closed = FieldSchool.objects.filter(
            plan__in=plans, state=FieldSchool.State.CLOSED, pk__in=events.order_by().values("field_school")
        )
        return set(closed.values_list("pk", flat=True))
    held = TestSession.objects.filter(field_school__plan__in=plans, state=TestSession.State.REPORTED)
    last = held.order_by().values("field_school").annotate(last=Max("reported_at"))
    return {row["field_school"] for row in last if row["last"] is not None and row["last"] < until}


def _declined_by(plans: Iterable[int], day: datetime.date) -> set[int]:
    """Give the schools that had declined by the end of a day and not come back since."""
    kinds = Q(kind="declined") | Q(kind="reopened") | Q(kind="settled")
    rows = FieldEvent.objects.filter(kinds, field_school__plan__in=plans, at__lt=end_of(day)).order_by(
        "at", "pk"
    )
    last: dict[int, str] = defaultdict(str)
    for school, kind in rows.values_list("field_school_id", "kind"):
        last[school] = kind
    return {school for school, kind in last.items() if kind != "reopened"}
