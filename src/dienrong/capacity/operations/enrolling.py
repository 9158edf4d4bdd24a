"""People in a training: nominated within quota, confirmed within seats, declined, withdrawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.audit.operations import record
from dienrong.capacity.models import Enrolment, Person, Posting, Quota, Training
from dienrong.capacity.numbering import new_learner_code
from dienrong.capacity.operations.courses import locked
from dienrong.capacity.operations.refusals import CapacityRefusal, NotNow, demand_state, demand_text
from dienrong.capacity.queries import access
from dienrong.capacity.queries.people import hindrances_of
from dienrong.capacity.queries.training import (
    HOLDING,
    TAKING_PART,
    key_of_quota,
    places_of_enrolments,
    places_taken,
)
from dienrong.core import clock
from dienrong.registry.queries import in_force

State = Enrolment.State


@transaction.atomic
def nominate(*, training: Training, people: Sequence[Person], by: Any) -> list[Enrolment]:
    """Nominate people for a training: all of them or, where one cannot be, none.

    Raises
    ------
    NotAllowed
        If somebody works in no unit in charge.
    NotNow
        If nominations are not open, or over; if somebody is in this training, in another or on duty at that time.
    CapacityRefusal
        If the course is not for somebody, or a quota is used up.
    """
    training = locked(training.pk)
    permissions.demand(by, "nominate_people")
    if not access.trainings_of(by).filter(pk=training.pk).exists():
        access.demand_organizer(by, "change_training", training.organizer)
    demand_state(training, (Training.State.OPEN,))
    if clock.today() > training.nominate_until:
        raise NotNow(
            _("Nominations ended on %(day)s.") % {"day": f"{training.nominate_until:%d/%m/%Y}"},
            hint=_("Ask the organizer of the training."),
        )
    if not people:
        raise CapacityRefusal(_("Choose at least one person."))
    posts = _posts_for(training, people, by)
    _demand_free(training, people)
    made = [_enrol(training, one, posts[one.pk], by) for one in people]
    _demand_quota(training, made)
    names = [one.full_name for one in people]
    record(action="capacity.nominated", actor=by, obj=training, after={"n": len(made), "people": names})
    return made


def _posts_for(training: Training, people: Sequence[Person], by: Any) -> dict[int, Posting]:
    """Give the post by which each person is nominated; refuse whoever has none for whom the course is."""
    keys = [one.pk for one in people]
    mine = set(access.people_of(by, "nominate_people").filter(pk__in=keys).values_list("pk", flat=True))
    for one in people:
        if one.pk not in mine:
            access.demand_person(by, one, "nominate_people")
    posts = Posting.objects.filter(
        in_force(clock.today()), person__in=keys, kind__in=training.course.audience
    ).order_by("-valid_from", "pk")
    found = {post.person_id: post for post in reversed(posts)}
    missing = [one.full_name for one in people if one.pk not in found]
    if missing:
        raise CapacityRefusal(
            _("The course is not for the posts of: %(names)s.") % {"names": ", ".join(missing[:5])},
            hint=_("Give the person the fitting post first, or choose somebody else."),
        )
    already = Enrolment.objects.filter(training=training, person__in=keys).exclude(state=State.WITHDRAWN)
    names = list(already.order_by("person__sort_key").values_list("person__full_name", flat=True)[:5])
    if names:
        raise NotNow(_("Nominated for this training already: %(names)s.") % {"names": ", ".join(names)})
    return found


def _demand_free(training: Training, people: Sequence[Person]) -> None:
    """Refuse people who are elsewhere on one of the days of the training."""
    found = hindrances_of(people, training.first_day, training.last_day)
    for one in people:
        for hindrance in found.get(one.pk, ()):
            raise NotNow(
                _("%(name)s is not free: %(what)s, %(first)s – %(last)s.")
                % {
                    "name": one.full_name,
                    "what": hindrance.text,
                    "first": f"{hindrance.first_day:%d/%m/%Y}",
                    "last": f"{hindrance.last_day:%d/%m/%Y}",
                },
                hint=_("Choose somebody else, or withdraw the other nomination first."),
            )


def _enrol(training: Training, person: Person, post: Posting, by: Any) -> Enrolment:
    """Write a nomination; somebody who was withdrawn is nominated anew under the old code."""
    old = Enrolment.objects.filter(training=training, person=person).first()
    values = {"posting": post, "state": State.NOMINATED, "nominated_by": by, "nominated_at": clock.now()}
    if old is not None:
        for name, value in values.items():
            setattr(old, name, value)
        old.reason = ""
        old.save()
        return old
    taken = set(Enrolment.objects.filter(training=training).values_list("learner_code", flat=True))
    code = new_learner_code()
    while code in taken:
        code = new_learner_code()
    return Enrolment.objects.create(training=training, person=person, learner_code=code, **values)


def _demand_quota(training: Training, made: Sequence[Enrolment]) -> None:
    """Refuse nominations beyond a quota of any unit or school in which the posts lie.

    Where a training has quotas, whoever lies under none of them has no place.
    """
    quotas = list(Quota.objects.filter(training=training).select_related("unit", "school"))
    if not quotas:
        return
    keys = {key_of_quota(quota) for quota in quotas}
    lying = places_of_enrolments(made)
    for one in made:
        if not keys & set(lying.get(one.pk, ())):
            raise CapacityRefusal(
                _("No unit of %(name)s has places in this training.") % {"name": one.person.full_name},
                hint=_("Ask the organizer for a quota."),
            )
    taken: Counter[Any] = places_taken(Enrolment.objects.filter(training=training, state__in=HOLDING))
    for quota in quotas:
        n_taken = taken[key_of_quota(quota)]
        if n_taken > quota.n_places:
            name = quota.school.name if quota.school is not None else quota.unit.full_name  # type: ignore[union-attr]
            raise CapacityRefusal(
                _("%(unit)s may send %(n)s people; with these it would be %(taken)s.")
                % {"unit": name, "n": quota.n_places, "taken": n_taken},
                hint=_("Nominate fewer, withdraw somebody, or ask the organizer for more places."),
            )


@transaction.atomic
def confirm(*, training: Training, enrolments: Sequence[Enrolment], by: Any) -> int:
    """Accept nominations, as far as there are seats; give how many were accepted.

    Raises
    ------
    NotAllowed
        If the person does not organize the training.
    NotNow
        If the training is over.
    CapacityRefusal
        If there are fewer seats than people, or nobody is chosen.
    """
    training = locked(training.pk)
    access.demand_organizer(by, "change_training", training.organizer)
    demand_state(training, (Training.State.OPEN, Training.State.RUNNING))
    chosen = training.enrolments.filter(pk__in=[one.pk for one in enrolments], state=State.NOMINATED)
    n_chosen = chosen.count()
    if not n_chosen:
        raise CapacityRefusal(_("No open nomination was chosen."))
    n_left = training.n_seats - training.enrolments.filter(state__in=TAKING_PART).count()
    if n_chosen > n_left:
        raise CapacityRefusal(
            _("%(left)s seats are left for %(n)s people.") % {"left": max(0, n_left), "n": n_chosen},
            hint=_("Choose fewer people."),
        )
    keys = list(chosen.values_list("pk", flat=True))
    chosen.update(state=State.CONFIRMED, updated_at=clock.now())
    record(action="capacity.confirmed", actor=by, obj=training, after={"n": n_chosen, "enrolments": keys})
    return n_chosen


@transaction.atomic
def decline(*, enrolment: Enrolment, reason: str, by: Any) -> None:
    """Do not accept a nomination, and say why.

    Raises
    ------
    NotAllowed
        If the person does not organize the training.
    NotNow
        If the nomination was answered.
    CapacityRefusal
        If no reason is written.
    """
    enrolment = _locked(enrolment.pk)
    access.demand_organizer(by, "change_training", enrolment.training.organizer)
    if enrolment.state != State.NOMINATED:
        raise NotNow(_("This nomination was answered already."))
    _leave(enrolment, State.DECLINED, "capacity.declined", reason, by)


@transaction.atomic
def withdraw(*, enrolment: Enrolment, reason: str, by: Any) -> None:
    """Take a nomination back before the training is concluded.

    Raises
    ------
    NotAllowed
        If neither the person nor the training is in charge.
    NotNow
        If the person is out of the training, or it is concluded.
    CapacityRefusal
        If no reason is written.
    """
    enrolment = _locked(enrolment.pk)
    if not access.may_run(by, enrolment.training):
        access.demand_person(by, enrolment.person, "nominate_people")
    demand_state(enrolment.training, (Training.State.OPEN, Training.State.RUNNING))
    if enrolment.state not in (State.NOMINATED, State.CONFIRMED):
        raise NotNow(_("Only an open or confirmed nomination can be withdrawn."))
    _leave(enrolment, State.WITHDRAWN, "capacity.withdrawn", reason, by)


def _locked(key: int) -> Enrolment:
    """Give an enrolment as it is now, held until the end of the transaction."""
    found = Enrolment.objects.select_for_update(of=("self",))
    return found.select_related("person", "training__organizer", "training__course").get(pk=key)


def _leave(enrolment: Enrolment, state: str, action: str, reason: str, by: Any) -> None:
    """Move an enrolment out of a training."""
    enrolment.reason = demand_text(reason, _("Write why."))[:300]
    enrolment.state = state
    enrolment.save()
    after = {"person": enrolment.person.full_name, "reason": enrolment.reason}
    record(action=action, actor=by, obj=enrolment.training, after=after)
