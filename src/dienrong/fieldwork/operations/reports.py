"""The report of a session: a draft that grows screen by screen, and its submission."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.core import clock
from dienrong.core.refusals import NotAllowed
from dienrong.core.text import clean_text
from dienrong.fieldwork import numeric
from dienrong.fieldwork.models import FieldSchool, Incident, ListedPerson, TestSession
from dienrong.fieldwork.operations.refusals import FieldRefusal, NotNow, locked, note
from dienrong.fieldwork.operations.schools import settle_outcome
from dienrong.fieldwork.queries import access

PRESENT, PARTLY, ABSENT = 10, 11, 20
KEYS = ("started", "ended", "nobody_absent", "absent", "codes", "incidents")


def demand_reporter(by: Any, session: TestSession) -> None:
    """Refuse who neither leads the session nor answers for the school.

    Raises
    ------
    NotAllowed
        If the session is another's.
    """
    permissions_ok = access.may_report(by, session)
    if not permissions_ok:
        raise NotAllowed(
            _("This session was given to another person."),
            who_may=permissions.who_may("report_session"),
            whom_to_ask=permissions.whom_to_ask(by),
        )


@transaction.atomic
def save_report(*, session: TestSession, values: Mapping[str, Any], by: Any) -> TestSession:
    """Keep what was answered on one screen of the report; nothing about people is changed yet.

    Raises
    ------
    NotAllowed
        If the session is another's.
    NotNow
        If the session was reported or cancelled.
    FieldRefusal
        If times, people or codes do not fit.
    """
    session = _open_session(session, by)
    answers = dict(session.answers) | {name: values[name] for name in KEYS if name in values}
    _check(session, answers)
    session.answers = answers
    session.save(update_fields=["answers"])
    return session


def _open_session(session: TestSession, by: Any) -> TestSession:
    """Give a session that is not reported, held until the end of the transaction."""
    demand_reporter(by, session)
    session = TestSession.objects.select_for_update().get(pk=session.pk)
    if session.state != TestSession.State.PLANNED:
        raise NotNow(
            _("This session was reported or cancelled."),
            hint=_("An officer corrects single codes on the page of the school."),
        )
    return session


def _check(session: TestSession, answers: Mapping[str, Any]) -> None:
    """Refuse times that cannot be, people of other sessions, codes that do not fit attendance."""
    started, ended = _time(answers.get("started")), _time(answers.get("ended"))
    if started and ended and ended <= started:
        raise FieldRefusal(
            _("The session cannot end at %(ended)s, since it began at %(started)s.")
            % {"ended": f"{ended:%H:%M}", "started": f"{started:%H:%M}"},
            hint=_("Correct the times."),
        )
    mine = set(session.people.values_list("person_code", flat=True))
    strangers = set(answers.get("absent", ())) - mine
    if strangers:
        raise FieldRefusal(
            _("The code %(code)s belongs to nobody of this session.") % {"code": sorted(strangers)[0]},
            hint=_("Open the screen of attendance again."),
        )
    fitting = attendance_codes(session)
    wrong = [code for code in dict(answers.get("codes", {})).values() if code not in fitting]
    if wrong:
        raise FieldRefusal(_("The code %(code)s does not fit here.") % {"code": wrong[0]})


def attendance_codes(session: TestSession) -> tuple[int, ...]:
    """Give the codes that a report may give to who was not there for the whole session."""
    rules = session.field_school.plan.rules
    kept = ("nonrespondent", "excluded", "ineligible")
    return (
        PARTLY,
        *(one.code for one in numeric.codes(rules, "student") if one.treatment in kept),
    )


def _time(text: Any) -> datetime.time | None:
    """Read a time such as 07:30; None where none is given."""
    if not text:
        return None
    try:
        return datetime.time.fromisoformat(str(text))
    except ValueError:
        raise FieldRefusal(
            _("“%(text)s” is no time.") % {"text": text}, hint=_("Write hours and minutes, such as 07:30.")
        ) from None


@transaction.atomic
def submit_report(*, session: TestSession, by: Any) -> int:
    """Submit a report: people get their codes, the school is tested once all first sessions are in.

    Gives how many were present. A second submission of the same report changes nothing.

    Raises
    ------
    NotAllowed
        If the session is another's.
    NotNow
        If the session was cancelled.
    FieldRefusal
        If the times are missing, or it was not said who was absent.
    """
    demand_reporter(by, session)
    school = locked(session.field_school_id)
    if TestSession.objects.filter(pk=session.pk, state=TestSession.State.REPORTED).exists():
        return _n_present(session)
    session = _open_session(session, by)
    answers = session.answers
    if not answers.get("started") or not answers.get("ended"):
        raise FieldRefusal(
            _("Beginning and end of the session are missing."), hint=_("Fill in the first screen.")
        )
    absent = set(answers.get("absent", ()))
    if not absent and not answers.get("nobody_absent"):
        raise FieldRefusal(
            _("It is not said yet who was absent."), hint=_("Mark the absent, or say that nobody was.")
        )
    _check(session, answers)
    people = list(session.people.all())
    given = dict(answers.get("codes", {}))
    for one in people:
        one.status = given.get(one.person_code, ABSENT) if one.person_code in absent else PRESENT
    ListedPerson.objects.bulk_update(people, ["status"], batch_size=500)
    session.state, session.reported_at, session.reported_by = TestSession.State.REPORTED, clock.now(), by
    session.started_at, session.ended_at = _time(answers["started"]), _time(answers["ended"])
    session.administrator_name = session.administrator_name or str(by)[:120]
    session.save()
    _write_incidents(school, session, answers, by)
    _close_testing(school)
    note(school, "session_reported", by, number=session.number, n_present=_n_present(session), n=len(people))
    return _n_present(session)


def _n_present(session: TestSession) -> int:
    """Count who took part in a session."""
    return session.people.filter(status__in=(PRESENT, PARTLY)).count()


def _write_incidents(school: FieldSchool, session: TestSession, answers: Mapping[str, Any], by: Any) -> None:
    """Write the incidents of the report."""
    for one in answers.get("incidents", ()):
        if one.get("kind") not in Incident.Kind.values or not clean_text(one.get("text", "")):
            continue
        Incident.objects.create(
            field_school=school,
            test_session=session,
            kind=one["kind"],
            text=clean_text(one["text"])[:1000],
            n_affected=max(0, int(one.get("n_affected") or 0)),
            at=clock.now(),
            by=by,
        )


def _close_testing(school: FieldSchool) -> None:
    """Call a school tested once everybody selected has an outcome; keep its code in step."""
    people = ListedPerson.objects.filter(field_school=school, is_selected=True)
    if people.filter(status__isnull=True).exists():
        return
    if school.state == FieldSchool.State.SELECTED:
        school.state = FieldSchool.State.TESTED
        school.save(update_fields=["state"])
    settle_outcome(school)
