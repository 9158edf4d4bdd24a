"""Courses and their trainings: planned, opened for nominations, begun, cancelled, with quotas and materials."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.audit.operations import record
from dienrong.capacity import kept
from dienrong.capacity.models import Course, Enrolment, Kind, Material, Quota, Training
from dienrong.capacity.operations.refusals import CapacityRefusal, NotNow, demand_state, demand_text
from dienrong.capacity.queries import access
from dienrong.capacity.queries.training import HOLDING
from dienrong.core import clock
from dienrong.core.text import clean_text
from dienrong.registry.models import AdministrativeUnit, School

State = Training.State
MOST_BYTES = 10 * 1024 * 1024
ENDINGS = (".pdf", ".docx", ".xlsx", ".pptx", ".zip", ".odt", ".ods", ".odp", ".txt")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CourseFacts:
    """What a course is; marks are of ten, attendance in per cent."""

    code: str
    name_vi: str
    name_en: str
    reach: str
    topic: str
    audience: Sequence[str]
    n_hours: int
    has_test: bool = True
    pass_mark: Decimal = Decimal(5)
    least_attendance: Decimal = Decimal(80)
    is_certified: bool = True
    valid_months: int | None = None
    partner: str = ""
    legal_basis: str = ""


@transaction.atomic
def add_course(*, facts: CourseFacts, by: Any) -> Course:
    """Add a course to the catalog.

    Raises
    ------
    NotAllowed
        If the person does not organize trainings; national and international courses are the ministry's.
    CapacityRefusal
        If the code is taken, or nobody is named for whom it is.
    """
    values = _checked(facts, by)
    if Course.objects.filter(code=values["code"]).exists():
        raise CapacityRefusal(_("A course with the code %(code)s exists.") % {"code": values["code"]})
    course = Course.objects.create(**values)
    record(action="capacity.course_added", actor=by, obj=course, after={"code": course.code})
    return course


@transaction.atomic
def change_course(*, course: Course, facts: CourseFacts, is_open: bool, by: Any) -> Course:
    """Change a course; concluded trainings and issued certificates stay as they are.

    Raises
    ------
    NotAllowed
        As for ``add_course``.
    CapacityRefusal
        If the code is another course's.
    """
    course = Course.objects.select_for_update().get(pk=course.pk)
    values = _checked(facts, by)
    _demand_reach(course.reach, by)
    if Course.objects.filter(code=values["code"]).exclude(pk=course.pk).exists():
        raise CapacityRefusal(_("A course with the code %(code)s exists.") % {"code": values["code"]})
    before = {name: getattr(course, name) for name in values}
    for name, value in values.items():
        setattr(course, name, value)
    course.is_open = is_open
    course.save()
    changed = {name: value for name, value in values.items() if before[name] != value}
    record(
        action="capacity.course_changed",
        actor=by,
        obj=course,
        before={name: before[name] for name in changed},
        after=changed | {"is_open": is_open},
    )
    return course


def _checked(facts: CourseFacts, by: Any) -> dict[str, Any]:
    """Give the facts of a course in their clean form."""
    permissions.demand(by, "change_training")
    _demand_reach(facts.reach, by)
    if not facts.audience or set(facts.audience) - set(Kind.values):
        raise CapacityRefusal(_("Choose for whom the course is."))
    values = dataclasses.asdict(facts)
    for name in ("code", "name_vi", "name_en", "partner", "legal_basis"):
        values[name] = clean_text(values[name])
    values["audience"] = [kind for kind in Kind.values if kind in facts.audience]
    if not values["code"] or not values["name_vi"] or not values["name_en"]:
        raise CapacityRefusal(_("A course has a code and a name in both languages."))
    if facts.n_hours < 1:
        raise CapacityRefusal(_("A course lasts an hour at least."))
    return values


def _demand_reach(reach: str, by: Any) -> None:
    """Leave national and international courses to the ministry."""
    if reach not in Course.Reach.values:
        raise CapacityRefusal(_("Choose by whom the course is given."))
    if reach != Course.Reach.PROVINCIAL:
        access.demand_organizer(by, "change_training", None)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainingFacts:
    """When and where a course is given, to how many; without organizer by the ministry."""

    code: str
    place: str
    first_day: datetime.date
    last_day: datetime.date
    n_seats: int
    nominate_until: datetime.date
    organizer: AdministrativeUnit | None = None
    n_halves: int | None = None


@transaction.atomic
def plan_training(*, course: Course, facts: TrainingFacts, by: Any) -> Training:
    """Plan a training of a course.

    Raises
    ------
    NotAllowed
        If the person does not act for the organizer.
    CapacityRefusal
        If the code is taken, the days are turned round or lie in the past, or more half-days are taught than fit.
    NotNow
        If the course is no longer in use.
    """
    access.demand_organizer(by, "change_training", facts.organizer)
    if not course.is_open:
        raise NotNow(_("The course %(code)s is no longer in use.") % {"code": course.code})
    code = demand_text(facts.code, _("A training has a code."))[:30]
    if Training.objects.filter(code=code).exists():
        raise CapacityRefusal(_("A training with the code %(code)s exists.") % {"code": code})
    _demand_days(facts)
    training = Training.objects.create(
        course=course,
        code=code,
        organizer=facts.organizer,
        place=demand_text(facts.place, _("Write where the training takes place."))[:200],
        first_day=facts.first_day,
        last_day=facts.last_day,
        n_halves=facts.n_halves or _most_halves(facts),
        n_seats=facts.n_seats,
        nominate_until=facts.nominate_until,
        created_by=by,
    )
    after = {"course": course.code, "first_day": facts.first_day, "last_day": facts.last_day}
    record(action="capacity.training_planned", actor=by, obj=training, after=after)
    return training


def _most_halves(facts: TrainingFacts) -> int:
    """Give the half-days that fit between the first and the last day."""
    return 2 * ((facts.last_day - facts.first_day).days + 1)


def _demand_days(facts: TrainingFacts) -> None:
    """Refuse days that cannot be, and seats for nobody."""
    if facts.last_day < facts.first_day:
        raise CapacityRefusal(_("The last day lies before the first."), hint=_("Correct one of them."))
    if facts.nominate_until > facts.last_day:
        raise CapacityRefusal(_("Nominations end before the training does."))
    if facts.n_seats < 1:
        raise CapacityRefusal(_("A training has a seat at least."))
    if facts.n_halves is not None and not 1 <= facts.n_halves <= _most_halves(facts):
        raise CapacityRefusal(
            _("Between these days at most %(n)s half-days can be taught.") % {"n": _most_halves(facts)}
        )


@transaction.atomic
def set_quotas(
    *, training: Training, units: Mapping[AdministrativeUnit, int], schools: Mapping[School, int], by: Any
) -> None:
    """Set how many people units and schools may send; 0 takes a quota away.

    Raises
    ------
    NotAllowed
        If the person does not organize the training.
    NotNow
        If nominations are over.
    CapacityRefusal
        If a number is negative.
    """
    training = locked(training.pk)
    access.demand_organizer(by, "change_training", training.organizer)
    demand_state(training, (State.PLANNED, State.OPEN))
    wanted = [({"unit": unit, "school": None}, n) for unit, n in units.items()]
    wanted += [({"unit": None, "school": school}, n) for school, n in schools.items()]
    if any(n < 0 for _whose, n in wanted):
        raise CapacityRefusal(_("A quota is a number of places, 0 or more."))
    for whose, n in wanted:
        if n == 0:
            Quota.objects.filter(training=training, **whose).delete()
        else:
            Quota.objects.update_or_create(training=training, **whose, defaults={"n_places": n})
    record(
        action="capacity.quota_set",
        actor=by,
        obj=training,
        after={
            **{unit.code: n for unit, n in units.items()},
            **{school.school_id: n for school, n in schools.items()},
        },
    )


def locked(key: int) -> Training:
    """Give a training as it is now, held until the end of the transaction."""
    found = Training.objects.select_for_update(of=("self",)).select_related("course", "organizer")
    return found.get(pk=key)


@transaction.atomic
def open_training(*, training: Training, by: Any) -> None:
    """Open nominations.

    Raises
    ------
    NotAllowed
        If the person does not organize the training.
    NotNow
        If it was opened before.
    """
    training = locked(training.pk)
    access.demand_organizer(by, "change_training", training.organizer)
    demand_state(training, (State.PLANNED,))
    _set_state(training, State.OPEN, "capacity.training_opened", by)


@transaction.atomic
def begin_training(*, training: Training, by: Any) -> None:
    """Close nominations and begin; nominations that nobody confirmed stay unanswered.

    Raises
    ------
    NotAllowed
        If the person does not organize the training.
    NotNow
        If the first day has not come, or nobody is confirmed.
    """
    training = locked(training.pk)
    access.demand_organizer(by, "change_training", training.organizer)
    demand_state(training, (State.OPEN,))
    if clock.today() < training.first_day:
        raise NotNow(
            _("The training begins on %(day)s.") % {"day": f"{training.first_day:%d/%m/%Y}"},
            hint=_("Come back on that day."),
        )
    if not training.enrolments.filter(state=Enrolment.State.CONFIRMED).exists():
        raise NotNow(_("Nobody is confirmed for this training."), hint=_("Confirm nominations first."))
    _set_state(training, State.RUNNING, "capacity.training_began", by)


@transaction.atomic
def cancel_training(*, training: Training, reason: str, by: Any) -> None:
    """Cancel a training; its enrolments are withdrawn.

    Raises
    ------
    NotAllowed
        If the person does not organize the training.
    NotNow
        If it is concluded or cancelled.
    CapacityRefusal
        If no reason is written.
    """
    training = locked(training.pk)
    access.demand_organizer(by, "change_training", training.organizer)
    demand_state(training, (State.PLANNED, State.OPEN, State.RUNNING))
    training.reason = demand_text(reason, _("Write why the training is cancelled."))[:300]
    training.enrolments.filter(state__in=HOLDING).update(
        state=Enrolment.State.WITHDRAWN, reason=training.reason, updated_at=clock.now()
    )
    _set_state(training, State.CANCELLED, "capacity.training_cancelled", by)


def _set_state(training: Training, state: str, action: str, by: Any) -> None:
    """Move a training to a state, with its entry in the log."""
    before = training.state
    training.state = state
    training.save()
    after = {"state": state, "reason": training.reason}
    record(action=action, actor=by, obj=training, before={"state": before}, after=after)


@transaction.atomic
def add_material(
    *, training: Training, title: str, address: str = "", file_name: str = "", content: bytes = b"", by: Any
) -> Material:
    """Add a document to a training: a file of at most 10 MB, or an address.

    Raises
    ------
    NotAllowed
        If the person does not organize the training.
    CapacityRefusal
        If neither or both are given, the file is too large, or of a kind that offices do not open.
    """
    access.demand_organizer(by, "change_training", training.organizer)
    address = clean_text(address)
    if bool(address) == bool(content):
        raise CapacityRefusal(_("Give a file or an address, one of them."))
    name = clean_text(file_name).replace("/", "-").replace("\\", "-")[-160:]
    if content and not name.lower().endswith(ENDINGS):
        raise CapacityRefusal(
            _("Files of this kind are not taken: %(name)s.") % {"name": name},
            hint=_("Send one of: %(endings)s.") % {"endings": ", ".join(ENDINGS)},
        )
    if len(content) > MOST_BYTES:
        raise CapacityRefusal(
            _("The file is larger than 10 MB."), hint=_("Put it elsewhere and give its address.")
        )
    made = Material.objects.create(
        training=training,
        title=demand_text(title, _("Write what the material is called."))[:160],
        address=address,
        file_name=name if content else "",
        file_hash=kept.keep(content) if content else "",
        n_bytes=len(content),
        added_at=clock.now(),
        added_by=by,
    )
    after = {"title": made.title, "hash": made.file_hash, "address": made.address}
    record(action="capacity.material_added", actor=by, obj=training, after=after)
    return made
