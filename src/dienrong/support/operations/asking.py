"""Questions: asked, answered, passed up by hand or because no answer came in time, settled."""

from __future__ import annotations

import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.accounts.models import UnitKind
from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.refusals import NotAllowed
from dienrong.core.text import clean_text
from dienrong.support import access
from dienrong.support.models import Message, Question, Topic
from dienrong.support.operations.telling import own_place
from dienrong.support.refusals import NotNow, SupportRefusal

WORKING_DAYS = {UnitKind.COMMUNE: 1, UnitKind.PROVINCE: 2, UnitKind.NATION: 3}
"""Working days in which each level answers; an urgent question is due on the next working day at every level."""
MOST_LETTERS = 4000
SATURDAY = 5


def due_day(today: datetime.date, level: str, *, is_urgent: bool) -> datetime.date:
    """Give the day on which a level's answer is due; Saturdays and Sundays do not count."""
    left = 1 if is_urgent else WORKING_DAYS[UnitKind(level)]
    day = today
    while left:
        day += datetime.timedelta(days=1)
        left -= day.weekday() < SATURDAY
    return day


@transaction.atomic
def ask(*, topic: str, subject: str, words: str, by: Any, is_urgent: bool = False) -> Question:
    """Ask a question for the own unit; it goes to the level above.

    Raises
    ------
    NotAllowed
        If the person works in no unit that asks.
    SupportRefusal
        If the subject or the words are missing, or the topic is unknown.
    """
    permissions.demand(by, "ask_questions")
    place = own_place(by)
    line, body = clean_text(subject), words.strip()
    if not line or not body:
        raise SupportRefusal(_("A question has a line that names it, and words that explain it."))
    if topic not in Topic.values or len(body) > MOST_LETTERS:
        raise SupportRefusal(_("Choose what the question is about, and keep it below 4,000 letters."))
    level = access.ABOVE[UnitKind(place["unit_kind"])]
    question = Question.objects.create(
        **place,
        topic=topic,
        subject=line[:200],
        level=level,
        is_urgent=is_urgent,
        due_on=due_day(clock.today(), level, is_urgent=is_urgent),
        asked_by=by,
    )
    _write(question, Message.Kind.ASKED, body, by)
    record(action="support.asked", actor=by, obj=question, after={"level": level, "is_urgent": is_urgent})
    return question


def _write(question: Question, kind: str, words: str, by: Any) -> None:
    """Add an entry to a question."""
    Message.objects.create(
        question=question, kind=kind, words=words, level=question.level, at=clock.now(), by=by
    )


def _locked(question: Question) -> Question:
    """Lock a question that is not settled."""
    found = Question.objects.select_for_update(of=("self",)).get(pk=question.pk)
    if found.state == Question.State.CLOSED:
        raise NotNow(_("The question is settled."), hint=_("Ask a new one."))
    return found


def _demand_answerer(question: Question, by: Any) -> None:
    """Refuse whoever does not work at the level where the question stands."""
    permissions.demand(by, "answer_questions")
    if not access.answerable_by(by).filter(pk=question.pk).exists():
        raise NotAllowed(
            _("This question stands at another level or unit."), whom_to_ask=permissions.whom_to_ask(by)
        )


@transaction.atomic
def answer(*, question: Question, words: str, by: Any) -> Question:
    """Answer a question, by the level at which it stands.

    Raises
    ------
    NotAllowed
        If the question stands elsewhere.
    NotNow
        If it is settled.
    SupportRefusal
        If nothing is written.
    """
    question = _locked(question)
    _demand_answerer(question, by)
    body = _body(words)
    before = question.state
    question.state = Question.State.ANSWERED
    question.save()
    _write(question, Message.Kind.ANSWERED, body, by)
    record(
        action="support.answered",
        actor=by,
        obj=question,
        before={"state": before},
        after={"state": question.state},
    )
    return question


def _body(words: str) -> str:
    """Give what was written; refuse nothing and too much."""
    body = words.strip()
    if not body or len(body) > MOST_LETTERS:
        raise SupportRefusal(_("Write the answer or the reason, below 4,000 letters."))
    return body


@transaction.atomic
def pass_up(*, question: Question, words: str, by: Any) -> Question:
    """Pass a question to the level above, with the reason.

    Raises
    ------
    NotAllowed
        If the question stands elsewhere.
    NotNow
        If it is settled, or stands at the ministry already.
    """
    question = _locked(question)
    _demand_answerer(question, by)
    if question.level == UnitKind.NATION:
        raise NotNow(_("The question stands at the ministry; there is no level above."))
    return _raised(question, Message.Kind.PASSED_UP, _body(words), by)


def _raised(question: Question, kind: str, words: str, by: Any) -> Question:
    """Move a question one level up."""
    before = question.level
    question.level = access.ABOVE[UnitKind(question.level)]
    question.state = Question.State.OPEN
    question.due_on = due_day(clock.today(), question.level, is_urgent=question.is_urgent)
    question.save()
    _write(question, kind, words, by)
    record(
        action="support.passed_up",
        actor=by,
        obj=question,
        before={"level": before},
        after={"level": question.level, "kind": kind},
    )
    return question


def pass_late_ones_up(today: datetime.date) -> int:
    """Pass every question up whose answer is late; give how many. One that stands at the ministry stays there."""
    late = Question.objects.filter(state=Question.State.OPEN, due_on__lt=today).exclude(level=UnitKind.NATION)
    n = 0
    for key in list(late.values_list("pk", flat=True)):
        with transaction.atomic():
            question = Question.objects.select_for_update(of=("self",)).get(pk=key)
            if question.state == Question.State.OPEN and question.due_on < today:
                _raised(question, Message.Kind.LATE, "", None)
                n += 1
    return n


@transaction.atomic
def settle(*, question: Question, by: Any) -> Question:
    """Say that a question is settled, by the unit that asked.

    Raises
    ------
    NotAllowed
        If the person works elsewhere.
    """
    question = _locked(question)
    if not access.is_of_own_unit(by, question):
        permissions.demand(by, "ask_questions")
        raise NotAllowed(
            _("The unit that asked says when its question is settled."),
            whom_to_ask=permissions.whom_to_ask(by),
        )
    before = question.state
    question.state = Question.State.CLOSED
    question.save()
    _write(question, Message.Kind.CLOSED, "", by)
    record(
        action="support.settled",
        actor=by,
        obj=question,
        before={"state": before},
        after={"state": question.state},
    )
    return question
