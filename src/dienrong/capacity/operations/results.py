"""Marks of the test, and the end of a training: who completed it by the rules of its course."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.capacity.models import Enrolment, Training
from dienrong.capacity.operations.courses import locked
from dienrong.capacity.operations.refusals import CapacityRefusal, NotNow, demand_state
from dienrong.capacity.queries import access
from dienrong.capacity.queries.training import TAKING_PART
from dienrong.core import clock
from dienrong.core.formats import number_text

State = Enrolment.State
ONE_HUNDRED = Decimal(100)


@transaction.atomic
def record_scores(*, training: Training, scores: Mapping[int, Decimal | None], by: Any) -> int:
    """Write marks of ten by key of the enrolment; None takes a mark away. Give how many changed.

    Raises
    ------
    NotAllowed
        If the person does not organize the training.
    NotNow
        If the training does not run.
    CapacityRefusal
        If a mark lies outside 0 to 10, the course has no test, or somebody does not take part.
    """
    training = locked(training.pk)
    access.demand_organizer(by, "change_training", training.organizer)
    demand_state(training, (Training.State.RUNNING,))
    if not training.course.has_test:
        raise CapacityRefusal(_("This course does not end with a test."))
    found = (
        training.enrolments.select_for_update(of=("self",))
        .filter(state__in=TAKING_PART)
        .in_bulk(list(scores))
    )
    if len(found) != len(scores):
        raise CapacityRefusal(_("A mark is given for somebody who does not take part in this training."))
    changed: dict[str, Any] = {}
    for key, score in scores.items():
        if score is not None and not 0 <= score <= 10:
            raise CapacityRefusal(
                _("The mark %(mark)s is not between 0 and 10.") % {"mark": number_text(score, 2)},
                hint=_("Marks are of ten; decimals are allowed."),
            )
        if found[key].score != score:
            changed[str(key)] = {"before": found[key].score, "after": score}
            found[key].score = score
            found[key].save()
    if changed:
        record(action="capacity.results_recorded", actor=by, obj=training, after=changed)
    return len(changed)


@transaction.atomic
def conclude_training(*, training: Training, by: Any) -> dict[str, int]:
    """End a training: whoever was present enough, and passed the test where there is one, completed it on its last day.

    Raises
    ------
    NotAllowed
        If the person does not organize the training.
    NotNow
        If the last day has not come, or marks are missing of people who were present enough.
    """
    training = locked(training.pk)
    access.demand_organizer(by, "change_training", training.organizer)
    demand_state(training, (Training.State.RUNNING,))
    if clock.today() < training.last_day:
        raise NotNow(
            _("The training ends on %(day)s.") % {"day": f"{training.last_day:%d/%m/%Y}"},
            hint=_("Conclude it on that day or later."),
        )
    learners = list(
        training.enrolments.filter(state=State.CONFIRMED)
        .select_related("person")
        .annotate(n_present=Count("attendances"))
    )
    course = training.course
    outcomes = {one.pk: outcome_of(one.n_present, one.score, training) for one in learners}
    waiting = [one.person.full_name for one in learners if outcomes[one.pk] == "no_mark"]
    if waiting:
        raise NotNow(
            _("%(n)s people were present enough and have no mark: %(names)s.")
            % {"n": len(waiting), "names": ", ".join(waiting[:5])},
            hint=_("Write their marks down; who did not come to the test gets 0."),
        )
    for one in learners:
        outcome = outcomes[one.pk]
        one.state = State.COMPLETED if outcome == "completed" else State.NOT_COMPLETED
        one.completed_on = training.last_day if outcome == "completed" else None
        if outcome == "absent":
            one.reason = _("Present for less than %(share)s%% of the time") % {
                "share": number_text(course.least_attendance)
            }
        elif outcome == "failed":
            one.reason = _("Mark below %(mark)s") % {"mark": number_text(course.pass_mark, 2)}
        one.save()
    counts = {
        name: sum(one == name for one in outcomes.values()) for name in ("completed", "absent", "failed")
    }
    training.state = Training.State.CONCLUDED
    training.save()
    record(action="capacity.training_concluded", actor=by, obj=training, after=counts)
    return counts


def outcome_of(n_present: int, score: Decimal | None, training: Training) -> str:
    """Tell how a learner ends: completed, absent, failed, or no_mark where the test is not marked yet.

    The attended share is half-days present over half-days taught, compared in exact decimals.
    """
    course = training.course
    if n_present * ONE_HUNDRED < course.least_attendance * training.n_halves:
        return "absent"
    if not course.has_test:
        return "completed"
    if score is None:
        return "no_mark"
    return "completed" if score >= course.pass_mark else "failed"
