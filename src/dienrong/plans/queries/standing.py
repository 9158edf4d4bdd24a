"""Where a unit stands against each target of a phase: value, target, gap, forecast, what to do next."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dienrong.accounts import permissions
from dienrong.capacity.models import Enrolment, Training
from dienrong.capacity.queries import access as capacity_access
from dienrong.core.formats import number_text
from dienrong.core.refusals import Refusal
from dienrong.plans.models import Phase
from dienrong.plans.queries.access import Unit
from dienrong.plans.queries.documents import Aim, aims_of
from dienrong.plans.queries.history import Forecast, deadline_of, forecast
from dienrong.plans.queries.values import CannotCount, Counting, Value, choices_on
from dienrong.registry.models import AdministrativeUnit

STATES = ("reached", "on_the_way", "behind", "unknown")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """The next thing to do about a target."""

    text: str
    button: str
    url: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Where a unit stands against one target.

    ``state`` is reached, on_the_way (the forecast reaches it), behind, or unknown (nobody is meant, no share is named,
    or the value cannot be given; ``refusal`` then says why).
    """

    aim: Aim
    value: Value | None
    state: str
    refusal: Refusal | None = None
    forecast: Forecast | None = None
    deadline: datetime.date | None = None
    n_missing: int = 0
    act: Act | None = None

    @property
    def target_share(self) -> float | None:
        """The share to reach."""
        share = self.aim.target.share
        return float(share) if share is not None else None

    @property
    def gap(self) -> float | None:
        """Share still missing, in points of the share; 0 where it is reached."""
        if self.value is None or self.value.share is None or self.target_share is None:
            return None
        return max(0.0, self.target_share - self.value.share)


def province_row(unit: Unit) -> AdministrativeUnit | None:
    """Give the province whose targets and readings hold for a unit."""
    return unit.province


def stands_of(
    unit: Unit, phase: Phase, day: datetime.date, *, user: Any = None, with_forecast: bool = True
) -> list[Stand]:
    """Give where a unit stands against each target of a phase.

    Parameters
    ----------
    unit : Unit
        The nation, a province, a commune or a school of today.
    phase : Phase
        The phase.
    day : datetime.date
        The day of the values.
    user : User, optional
        For whom the next act is sought; none where left out.
    with_forecast : bool
        Whether forecasts are made; they ask the registers a second time.
    """
    province = province_row(unit)
    found = []
    for aim in aims_of(province, phase):
        if unit.kind in ("commune", "school") and aim.indicator.code == "testing_staff":
            continue
        choices = choices_on(aim.indicator.code, province, day)
        try:
            value = Counting(aim.indicator.code, choices, phase, day).of(unit.row)
        except CannotCount as refusal:
            found.append(Stand(aim=aim, value=None, state="unknown", refusal=refusal))
            continue
        found.append(_stand(aim, value, unit, phase, user, with_forecast))
    return found


def _stand(aim: Aim, value: Value, unit: Unit, phase: Phase, user: Any, with_forecast: bool) -> Stand:
    """Set a value beside its target."""
    share = aim.target.share
    seen = forecast(value, unit.row, phase) if with_forecast else None
    n_missing = value.n_to_reach(share) if share is not None else 0
    state = state_of(value, share, seen)
    act = None
    if user is not None and state in ("behind", "on_the_way"):
        act = next_act(value, unit, user)
    elif user is not None and state == "unknown":
        act = _fill_register(value, unit, user)
    return Stand(
        aim=aim,
        value=value,
        state=state,
        forecast=seen,
        deadline=deadline_of(value, phase),
        n_missing=n_missing,
        act=act,
    )


def state_of(value: Value, share: Any, seen: Forecast | None) -> str:
    """Tell how a value stands: by the exact share, else by where the forecast leads."""
    if share is None or not value.n_all:
        return "unknown"
    if value.reaches(share):
        return "reached"
    wanted = value.n_counted + value.n_to_reach(share)
    best = max((n for n in (seen.n_at_pace, seen.n_if_enrolled) if n is not None), default=-1) if seen else -1
    return "on_the_way" if best >= wanted else "behind"


def next_act(value: Value, unit: Unit, user: Any) -> Act | None:
    """Name the one thing that brings a value nearer to its target, for a person who may do it."""
    if value.indicator.counts != "people":
        return _field_act(value, user)
    for found in (_certify(value, user), _nominate(value, user), _plan(user)):
        if found is not None:
            return found
    return None


def _field_act(value: Value, user: Any) -> Act | None:
    """Lead to the schools in the field that are still open."""
    if not permissions.may(user, "view_fieldwork") or not value.missing:
        return None
    n = len(value.missing)
    return Act(
        text=ngettext("%(n)s sampled school is not done yet", "%(n)s sampled schools are not done yet", n)
        % {"n": number_text(n)},
        button=_("Follow the schools"),
        url=reverse("fieldwork:home"),
    )


def _certify(value: Value, user: Any) -> Act | None:
    """Lead to the issue of certificates where people completed a training and have none."""
    if value.choices.get("measure") != "certified" or not permissions.may(user, "issue_certificates"):
        return None
    waiting = Enrolment.objects.filter(
        person__in=list(value.missing)[:20_000],
        state=Enrolment.State.COMPLETED,
        certificate__isnull=True,
        training__course__is_certified=True,
    )
    for training in Training.objects.filter(Exists(waiting.filter(training=OuterRef("pk")))).order_by("pk"):
        if capacity_access.may_issue(user, training):
            n = waiting.filter(training=training).order_by().values("person").distinct().count()
            return Act(
                text=ngettext(
                    "%(n)s person completed a training and has no certificate",
                    "%(n)s people completed a training and have no certificate",
                    n,
                )
                % {"n": number_text(n)},
                button=_("Issue certificates"),
                url=reverse("capacity:issue", args=[training.pk]),
            )
    return None


def _nominate(value: Value, user: Any) -> Act | None:
    """Lead to a training that is open for those who are missing."""
    from dienrong.capacity.queries.training import candidates
    from dienrong.core import clock

    if not permissions.may(user, "nominate_people"):
        return None
    kinds = set(value.indicator.people(value.choices).kinds)
    open_ones = capacity_access.trainings_of(user).filter(
        state=Training.State.OPEN, nominate_until__gte=clock.today()
    )
    for training in open_ones.order_by("nominate_until", "pk"):
        if not kinds & set(training.course.audience):
            continue
        n = candidates(user, training).filter(pk__in=list(value.missing)[:20_000]).count()
        if n:
            return Act(
                text=ngettext(
                    "%(n)s person can be nominated for “%(name)s”",
                    "%(n)s people can be nominated for “%(name)s”",
                    n,
                )
                % {"n": number_text(n), "name": training.course.name},
                button=_("Nominate"),
                url=reverse("capacity:nominate", args=[training.pk]),
            )
    return None


def _fill_register(value: Value, unit: Unit, user: Any) -> Act | None:
    """Lead a school or commune whose people nobody has put into the register to the register."""
    is_theirs = unit.kind in ("school", "commune") and value.indicator.code == "school_staff"
    if not is_theirs or value.n_all or not permissions.may(user, "change_people"):
        return None
    if capacity_access.people_of(user, "change_people").exists():
        return None
    return Act(
        text=_("Nobody of your unit stands in the register of staff yet"),
        button=_("Put your staff in"),
        url=reverse("capacity:people"),
    )


def _plan(user: Any) -> Act | None:
    """Lead to planning a training where none is open."""
    if not permissions.may(user, "change_training"):
        return None
    return Act(
        text=_("No open training reaches those who are missing"),
        button=_("Plan a training"),
        url=reverse("capacity:trainings"),
    )


def most_urgent(stands: Sequence[Stand]) -> Stand | None:
    """Give the target that needs an act first: behind before on the way, the widest gap first."""
    waiting = [one for one in stands if one.act is not None]
    order = {"behind": 0, "on_the_way": 1}
    waiting.sort(key=lambda one: (order.get(one.state, 2), -(one.gap or 0.0)))
    return waiting[0] if waiting else None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NationRow:
    """One province in the table of the nation: its values by indicator."""

    unit: AdministrativeUnit
    values: dict[str, Value]
    states: dict[str, str]


def nation_rows(
    phase: Phase, day: datetime.date, units: Iterable[AdministrativeUnit]
) -> tuple[list[Aim], list[NationRow], dict[str, Refusal]]:
    """Give the values of all provinces against the national targets, under the nation's reading.

    Returns
    -------
    aims : list of Aim
        The national targets.
    rows : list of NationRow
        A row for each province.
    refused : dict
        By indicator, why no value can be given.
    """
    aims = aims_of(None, phase)
    counted: dict[str, Counting] = {}
    refused: dict[str, Refusal] = {}
    for aim in aims:
        code = aim.indicator.code
        try:
            counted[code] = Counting(code, choices_on(code, None, day), phase, day)
        except CannotCount as refusal:
            refused[code] = refusal
    rows = []
    for unit in units:
        values = {code: counting.of(unit) for code, counting in counted.items()}
        states = {
            aim.indicator.code: state_of(values[aim.indicator.code], aim.target.share, None)
            for aim in aims
            if aim.indicator.code in values
        }
        rows.append(NationRow(unit=unit, values=values, states=states))
    return aims, rows, refused
