"""Attendance: by a short-lived code on a phone, or from the list; and the evaluation, which nobody can trace."""

from __future__ import annotations

import datetime
import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.capacity import words
from dienrong.capacity.models import Attendance, Enrolment, EvaluationAnswer, Half, LookUpAttempt, Training
from dienrong.capacity.numbering import typed_code
from dienrong.capacity.operations.courses import locked
from dienrong.capacity.operations.looking_up import note_attempt, refuse_if_locked
from dienrong.capacity.operations.refusals import CapacityRefusal, NotNow, demand_state
from dienrong.capacity.queries import access
from dienrong.capacity.queries.training import TAKING_PART, enrolment_by_code, half_now, training_of
from dienrong.core import clock, sealing
from dienrong.core.text import clean_text

PURPOSE = "capacity.attendance"
LIFE = datetime.timedelta(minutes=10)
CODE = re.compile(r"(\d{1,9})-(\d{8})-([ma])-(\d{1,12})-([0-9a-f]{24})")
HALVES = {"m": Half.MORNING, "a": Half.AFTERNOON}


def attendance_code(*, training: Training, by: Any) -> str:
    """Make the code that phones scan: it names training, day and half, is signed, and lives ten minutes.

    Raises
    ------
    NotAllowed
        If the person does not organize the training.
    NotNow
        If the training does not run, or not today.
    """
    access.demand_organizer(by, "change_training", training.organizer)
    demand_state(training, (Training.State.RUNNING,))
    now = clock.now()
    today = clock.today()
    if not training.first_day <= today <= training.last_day:
        raise NotNow(
            _("Attendance is taken on the days of the training: %(first)s – %(last)s.")
            % {"first": f"{training.first_day:%d/%m/%Y}", "last": f"{training.last_day:%d/%m/%Y}"},
            hint=_("Note it from the list where it was forgotten."),
        )
    letter = next(letter for letter, half in HALVES.items() if half == half_now(now))
    head = f"{training.pk}-{today:%Y%m%d}-{letter}-{int(now.timestamp())}"
    return f"{head}-{_digest(head)}"


def _digest(head: str) -> str:
    """Sign the head of a code: 96 bits of a keyed digest."""
    return sealing.keyed_digest(PURPOSE, head)[:24]


def read_code(code: str) -> tuple[Training, datetime.date, str]:
    """Read a scanned code: its training, day and half.

    Raises
    ------
    CapacityRefusal
        If the code was not made here, was changed, or is older than ten minutes.
    """
    found = CODE.fullmatch(code)
    head = code.rpartition("-")[0]
    if found is None or not hmac.compare_digest(found.group(5), _digest(head)):
        raise CapacityRefusal(
            _("This attendance code is not one of ours."), hint=_("Scan the code on the trainer's screen.")
        )
    made_at = datetime.datetime.fromtimestamp(int(found.group(4)), tz=datetime.UTC)
    if not datetime.timedelta(minutes=-1) <= clock.now() - made_at <= LIFE:
        raise CapacityRefusal(
            _("This attendance code is over."), hint=_("Scan the code that the trainer's screen shows now.")
        )
    training = training_of(int(found.group(1)))
    if training is None:
        raise CapacityRefusal(_("This training is gone."))
    day = datetime.datetime.strptime(found.group(2), "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
    return training, day, HALVES[found.group(3)]


def note_by_phone(*, code: str, learner_code: str, address: str) -> Attendance:
    """Note that somebody is present, by the scanned code and the own learner code; twice is once.

    Raises
    ------
    LookUpLocked
        If too many wrong codes came from the address.
    CapacityRefusal
        If the scanned code is over or forged, or the learner code is nobody's in this training.
    NotNow
        If the training does not run.
    """
    refuse_if_locked(address, LookUpAttempt.What.LEARNER)
    try:
        found = _note_by_phone(code, learner_code)
    except CapacityRefusal:
        note_attempt(address, LookUpAttempt.What.LEARNER, was_found=False)
        raise
    note_attempt(address, LookUpAttempt.What.LEARNER, was_found=True)
    return found


@transaction.atomic
def _note_by_phone(code: str, learner_code: str) -> Attendance:
    """Write the presence, whole or not at all; a miss is counted outside, so that it stays counted."""
    training, day, half = read_code(code)
    demand_state(training, (Training.State.RUNNING,))
    enrolment = learner_of(training, learner_code)
    found, is_new = Attendance.objects.get_or_create(
        enrolment=enrolment,
        on_date=day,
        half=half,
        defaults={"way": Attendance.Way.PHONE, "noted_at": clock.now()},
    )
    if is_new:
        after = {"enrolment": enrolment.pk, "day": day, "half": half, "way": "phone"}
        record(action="capacity.attendance_noted", actor=None, obj=training, after=after)
    return found


def learner_of(training: Training, learner_code: str) -> Enrolment:
    """Give the learner of a code.

    Raises
    ------
    CapacityRefusal
        If it is nobody's code in this training.
    """
    enrolment = enrolment_by_code(training, typed_code(learner_code))
    if enrolment is None:
        raise CapacityRefusal(
            _("No confirmed learner of this training has the code “%(code)s”.")
            % {"code": typed_code(learner_code)[:10]},
            hint=_("The code stands on your invitation and on the list at the entrance."),
        )
    return enrolment


@transaction.atomic
def note_by_list(
    *, training: Training, day: datetime.date, half: str, present: Iterable[int], by: Any
) -> int:
    """Set who was present in one half-day from the list (keys of enrolments); give how many were.

    Raises
    ------
    NotAllowed
        If the person does not organize the training.
    NotNow
        If the training does not run.
    CapacityRefusal
        If the day is none of the training's, or lies ahead; if the half is unknown.
    """
    training = locked(training.pk)
    access.demand_organizer(by, "change_training", training.organizer)
    demand_state(training, (Training.State.RUNNING,))
    if not training.first_day <= day <= training.last_day or day > clock.today():
        raise CapacityRefusal(
            _("%(day)s is no past or present day of this training.") % {"day": f"{day:%d/%m/%Y}"}
        )
    if half not in Half.values:
        raise CapacityRefusal(_("Choose morning or afternoon."))
    learners = set(training.enrolments.filter(state__in=TAKING_PART).values_list("pk", flat=True))
    wanted = learners & set(present)
    rows = Attendance.objects.filter(enrolment__training=training, on_date=day, half=half)
    kept = set(rows.values_list("enrolment_id", flat=True))
    rows.filter(enrolment__in=kept - wanted).delete()
    Attendance.objects.bulk_create(
        Attendance(
            enrolment_id=key,
            on_date=day,
            half=half,
            way=Attendance.Way.LIST,
            noted_at=clock.now(),
            noted_by=by,
        )
        for key in sorted(wanted - kept)
    )
    after = {
        "day": day,
        "half": half,
        "n": len(wanted),
        "added": sorted(wanted - kept),
        "removed": sorted(kept - wanted),
    }
    record(action="capacity.attendance_noted", actor=by, obj=training, after=after)
    return len(wanted)


def evaluate(
    *, training: Training, learner_code: str, marks: Mapping[str, int], remark: str, address: str
) -> None:
    """Take an evaluation: once a learner, kept apart from the learner.

    The log tells that an evaluation of the training came in, not from whom; the learner is marked as having
    answered without the moment, so that the two cannot be put together.

    Raises
    ------
    LookUpLocked
        If too many wrong codes came from the address.
    NotNow
        If the learner has answered, or the training has not begun.
    CapacityRefusal
        If a question has no answer, or the code is nobody's.
    """
    refuse_if_locked(address, LookUpAttempt.What.LEARNER)
    try:
        _evaluate(training, learner_code, marks, remark)
    except CapacityRefusal:
        note_attempt(address, LookUpAttempt.What.LEARNER, was_found=False)
        raise


@transaction.atomic
def _evaluate(training: Training, learner_code: str, marks: Mapping[str, int], remark: str) -> None:
    """Write an evaluation, whole or not at all."""
    demand_state(training, (Training.State.RUNNING, Training.State.CONCLUDED))
    enrolment = learner_of(training, learner_code)
    enrolment = Enrolment.objects.select_for_update().get(pk=enrolment.pk)
    if enrolment.evaluated_at is not None:
        raise NotNow(_("You have sent your evaluation in already. Thank you."))
    missing = [name for name in words.QUESTIONS if marks.get(name) not in words.MARKS]
    if missing:
        raise CapacityRefusal(_("%(n)s questions have no answer.") % {"n": len(missing)})
    EvaluationAnswer.objects.create(
        training=training,
        marks={name: int(marks[name]) for name in words.QUESTIONS},
        remark=clean_text(remark)[:1000],
    )
    midnight = datetime.datetime.combine(training.last_day, datetime.time(), tzinfo=datetime.UTC)
    Enrolment.objects.filter(pk=enrolment.pk).update(evaluated_at=midnight)
    record(action="capacity.evaluated", actor=None, obj=training)
