"""Test sessions of a school: planned, given to an administrator, cancelled; incidents and visits of monitors."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from dienrong.accounts.models import User
from dienrong.capacity import ports
from dienrong.capacity import queries as capacity
from dienrong.core import clock
from dienrong.core.text import clean_text, sort_key
from dienrong.fieldwork import numeric, visits
from dienrong.fieldwork.models import (
    FieldSchool,
    Fieldwork,
    Incident,
    ListedPerson,
    QualityVisit,
    TestSession,
)
from dienrong.fieldwork.operations.refusals import (
    FieldRefusal,
    NotNow,
    demand_state,
    demand_text,
    locked,
    note,
)
from dienrong.fieldwork.queries import access
from dienrong.rosters import charge

State = FieldSchool.State


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """When and where a session is, and who leads it; ``n_people`` is None for everybody without a session."""

    on_date: datetime.date
    begins_at: datetime.time | None = None
    room: str = ""
    administrator: User | None = None
    n_people: int | None = None


@transaction.atomic
def plan_session(*, school: FieldSchool, facts: SessionFacts, is_make_up: bool, by: Any) -> TestSession:
    """Plan a session: the first for people without one, a make-up session for those who were absent.

    Raises
    ------
    NotAllowed
        If the school is not in the person's charge.
    NotNow
        If people are not selected, nobody is left for a session, or the administrator is elsewhere on that day.
    FieldRefusal
        If the day lies before today or outside the tests, or the person chosen leads no sessions here.
    """
    school = locked(school.pk)
    charge.demand_at(by, "answer_fieldwork", school.school)
    demand_state(school, (State.TESTED,) if is_make_up else (State.SELECTED, State.TESTED))
    _demand_day(school, facts.on_date, is_make_up)
    if facts.administrator is not None and facts.administrator not in access.administrators_of(school.school):
        raise FieldRefusal(
            _("%(name)s is no test administrator of this school.") % {"name": facts.administrator},
            hint=_("Give the person this role for the school first, under “People and accounts”."),
        )
    if facts.administrator is not None:
        _demand_free(school, facts.administrator, facts.on_date)
    people = _without_session(school, is_make_up)[: facts.n_people]
    if not people:
        raise NotNow(
            _("Nobody was absent.") if is_make_up else _("Everybody who was selected has a session already."),
        )
    last = TestSession.objects.filter(field_school=school).aggregate(last=Max("number"))["last"] or 0
    session = TestSession.objects.create(
        field_school=school,
        number=last + 1,
        kind=TestSession.Kind.MAKE_UP if is_make_up else TestSession.Kind.MAIN,
        on_date=facts.on_date,
        begins_at=facts.begins_at,
        room=clean_text(facts.room)[:60],
        administrator=facts.administrator,
        administrator_name=str(facts.administrator or "")[:120],
    )
    ListedPerson.objects.filter(pk__in=[one.pk for one in people]).update(test_session=session)
    note(school, "session_planned", by, f"{facts.on_date:%d/%m/%Y}", number=session.number, n=len(people))
    return session


def _demand_free(school: FieldSchool, administrator: User, day: datetime.date) -> None:
    """Refuse an administrator who leads a session at another school on the day, is in a training, or away."""
    duties = ports.duties_of([administrator.pk], day, day)
    busy = [one.title for one in duties if one.school_key != school.school_id]
    person = capacity.person_of_account(administrator.pk)
    if person is not None:
        found = capacity.hindrances_of([person], day, day).get(person.pk, [])
        busy += [one.text for one in found if one.kind != "duty"]
    if busy:
        raise NotNow(
            _("%(name)s is not free on %(day)s: %(what)s.")
            % {"name": administrator, "day": f"{day:%d/%m/%Y}", "what": ", ".join(busy)},
            hint=_("Choose another day or another administrator."),
        )


def _without_session(school: FieldSchool, is_make_up: bool) -> list[ListedPerson]:
    """List who needs a session, class by class: nobody who is excluded or gone; the absent for a make-up."""
    people = ListedPerson.objects.filter(field_school=school, is_selected=True)
    if is_make_up:
        absent = [
            one.code
            for one in numeric.codes(school.plan.rules, "student")
            if one.treatment == "nonrespondent"
        ]
        open_make_up = TestSession.objects.filter(
            field_school=school, state=TestSession.State.PLANNED, kind=TestSession.Kind.MAKE_UP
        )
        people = people.filter(status__in=absent).exclude(test_session__in=open_make_up)
    else:
        people = people.filter(status__isnull=True, test_session__isnull=True)
    return sorted(people, key=lambda one: (sort_key(one.class_name), one.line))


def _demand_day(school: FieldSchool, day: datetime.date, is_make_up: bool) -> None:
    """Refuse a day in the past, or outside the days of tests (a make-up session may be later)."""
    fieldwork = Fieldwork.objects.get(plan=school.plan_id)
    if day < clock.today():
        raise FieldRefusal(
            _("The day of a session lies in the past."), hint=_("Choose today or a later day.")
        )
    if not is_make_up and not fieldwork.test_from <= day <= fieldwork.test_to:
        raise FieldRefusal(
            _("The day of the test must lie between %(first)s and %(last)s.")
            % {"first": f"{fieldwork.test_from:%d/%m/%Y}", "last": f"{fieldwork.test_to:%d/%m/%Y}"},
        )


@transaction.atomic
def cancel_session(*, session: TestSession, reason: str, by: Any) -> None:
    """Cancel a session that was not held; its people wait for another.

    Raises
    ------
    NotAllowed
        If the school is not in the person's charge.
    NotNow
        If the session was reported.
    """
    school = locked(session.field_school_id)
    charge.demand_at(by, "answer_fieldwork", school.school)
    session = TestSession.objects.select_for_update().get(pk=session.pk)
    if session.state != TestSession.State.PLANNED:
        raise NotNow(_("Only a session that is planned can be cancelled."))
    text = demand_text(reason, _("Write why the session is cancelled."))
    session.state = TestSession.State.CANCELLED
    session.save(update_fields=["state"])
    ListedPerson.objects.filter(test_session=session).update(test_session=None)
    note(school, "session_cancelled", by, text, number=session.number)


@transaction.atomic
def record_incident(
    *, school: FieldSchool, session: TestSession | None, kind: str, text: str, n_affected: int, by: Any
) -> Incident:
    """Write down something that went wrong at a school or in a session.

    Raises
    ------
    NotAllowed
        If neither school nor session is in the person's charge.
    FieldRefusal
        If the kind is unknown, or nothing is written.
    """
    school = locked(school.pk)
    if session is None or not access.may_report(by, session):
        charge.demand_at(by, "answer_fieldwork", school.school)
    if kind not in Incident.Kind.values:
        raise FieldRefusal(_("Choose what kind of incident it is."))
    if session is not None and session.field_school_id != school.pk:
        raise FieldRefusal(_("This session belongs to another school."))
    incident = Incident.objects.create(
        field_school=school,
        test_session=session,
        kind=kind,
        text=demand_text(text, _("Write what happened."))[:1000],
        n_affected=max(0, n_affected),
        at=clock.now(),
        by=by,
    )
    note(school, "incident", by, incident.text, of=kind)
    return incident


@transaction.atomic
def settle_incident(*, incident: Incident, text: str, by: Any) -> None:
    """Write down how an incident was settled.

    Raises
    ------
    NotAllowed
        If the school is not in the person's charge.
    NotNow
        If it was settled before.
    """
    school = locked(incident.field_school_id)
    charge.demand_at(by, "change_fieldwork", school.school)
    incident = Incident.objects.select_for_update().get(pk=incident.pk)
    if incident.settled_at is not None:
        raise NotNow(_("This incident was settled before."))
    incident.settled_text = demand_text(text, _("Write how it was settled."))[:500]
    incident.settled_at = clock.now()
    incident.save(update_fields=["settled_text", "settled_at"])
    note(school, "incident_settled", by, incident.settled_text)


@transaction.atomic
def record_visit(
    *, school: FieldSchool, on_date: datetime.date, answers: Mapping[str, str], text: str, by: Any
) -> QualityVisit:
    """Write down what a quality monitor saw; every question of the check list is answered.

    Raises
    ------
    NotAllowed
        If the school is not in the person's charge.
    FieldRefusal
        If a question is not answered, or the day lies in the future.
    """
    school = locked(school.pk)
    charge.demand_at(by, "change_fieldwork", school.school)
    missing = [name for name in visits.QUESTIONS if answers.get(name) not in visits.ANSWERS]
    if missing:
        raise FieldRefusal(
            _("%(n)d questions of the check list have no answer.") % {"n": len(missing)},
            hint=_("Answer each with yes, no or not seen."),
        )
    if on_date > clock.today():
        raise FieldRefusal(_("A visit is recorded after it was made."))
    visit = QualityVisit.objects.create(
        field_school=school,
        on_date=on_date,
        visitor=by,
        answers={name: answers[name] for name in visits.QUESTIONS},
        text=clean_text(text)[:1000],
        recorded_at=clock.now(),
    )
    note(school, "visited", by, visit.text, n_no=sum(one == "no" for one in visit.answers.values()))
    return visit
