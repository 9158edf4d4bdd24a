"""Questions climb from school to ministry; nobody reads or answers what is not theirs."""

from __future__ import annotations

import datetime

import pytest

from dienrong.accounts.models import UnitKind
from dienrong.audit.models import AuditEntry
from dienrong.core import clock
from dienrong.core.refusals import NotAllowed
from dienrong.support import access, operations
from dienrong.support.models import Message, Question
from dienrong.support.operations.asking import due_day

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registry")]
TODAY = datetime.date(2026, 11, 22)  # a Sunday


def asked(by, **facts) -> Question:
    facts = {"topic": "rooms", "subject": "Máy không mở được", "words": "Đã thử khởi động lại.", **facts}
    return operations.ask(by=by, **facts)


@pytest.mark.parametrize(
    ("day", "level", "is_urgent", "due"),
    [
        ("2026-11-20", "commune", False, "2026-11-23"),  # Friday: the next working day is Monday
        ("2026-11-22", "commune", False, "2026-11-23"),
        ("2026-11-19", "province", False, "2026-11-23"),
        ("2026-11-19", "nation", False, "2026-11-24"),
        ("2026-11-19", "nation", True, "2026-11-20"),
    ],
)
def test_answers_are_due_after_working_days(day, level, is_urgent, due) -> None:
    found = due_day(datetime.date.fromisoformat(day), level, is_urgent=is_urgent)
    assert found == datetime.date.fromisoformat(due)


def test_a_question_of_a_school_stands_at_its_commune(
    coordinator, commune_officer, officer, ministry, stranger
) -> None:
    question = asked(coordinator)
    assert question.level == UnitKind.COMMUNE
    readers = [
        one
        for one in (coordinator, commune_officer, officer, ministry, stranger)
        if access.questions_of(one).exists()
    ]
    assert readers == [coordinator, commune_officer, officer, ministry]
    answerers = [
        one
        for one in (coordinator, commune_officer, officer, ministry, stranger)
        if access.answerable_by(one).exists()
    ]
    assert answerers == [commune_officer]


def test_the_whole_way_up_and_back(coordinator, commune_officer, officer, ministry) -> None:
    question = asked(coordinator)
    operations.pass_up(question=question, words="Cần Sở hướng dẫn", by=commune_officer)
    with pytest.raises(NotAllowed):
        operations.answer(question=question, words="x", by=commune_officer)
    operations.pass_up(question=question, words="Cần Bộ hướng dẫn", by=officer)
    with pytest.raises(operations.NotNow, match="cấp Bộ"):
        operations.pass_up(question=question, words="x", by=ministry)
    with pytest.raises(operations.SupportRefusal):
        operations.answer(question=question, words="  ", by=ministry)
    operations.answer(question=question, words="Cập nhật trình duyệt.", by=ministry)
    with pytest.raises(NotAllowed, match="Đơn vị hỏi"):
        operations.settle(question=question, by=officer)
    operations.settle(question=question, by=coordinator)
    with pytest.raises(operations.NotNow):
        operations.answer(question=question, words="thêm", by=ministry)
    kinds = list(question.messages.values_list("kind", "level"))
    assert kinds == [
        ("asked", "commune"), ("passed_up", "province"), ("passed_up", "nation"), ("answered", "nation"), ("closed", "nation"),
    ]  # fmt: skip
    actions = (
        AuditEntry.objects.filter(object_kind="support.question")
        .order_by("pk")
        .values_list("action", flat=True)
    )
    assert list(actions) == [
        "support.asked", "support.passed_up", "support.passed_up", "support.answered", "support.settled",
    ]  # fmt: skip


def test_what_is_late_climbs_by_itself_once_a_day(coordinator, officer) -> None:
    question, own = asked(coordinator), asked(officer, subject="Của Sở")
    assert operations.pass_late_ones_up(TODAY) == 0
    with clock.fixed(datetime.datetime(2026, 11, 24, 5, tzinfo=datetime.UTC)):
        assert operations.pass_late_ones_up(datetime.date(2026, 11, 24)) == 1
        assert operations.pass_late_ones_up(datetime.date(2026, 11, 24)) == 0
    question.refresh_from_db()
    assert (question.level, question.due_on) == (UnitKind.PROVINCE, datetime.date(2026, 11, 26))
    assert question.messages.last().kind == Message.Kind.LATE
    own.refresh_from_db()
    assert own.level == UnitKind.NATION


@pytest.mark.parametrize("who", ["researcher", "newcomer"])
def test_who_works_in_no_unit_asks_nothing(request, who) -> None:
    with pytest.raises(NotAllowed):
        asked(request.getfixturevalue(who))
    assert not Question.objects.exists()


def test_an_empty_question_is_refused(coordinator) -> None:
    with pytest.raises(operations.SupportRefusal):
        asked(coordinator, words=" ")
    with pytest.raises(operations.SupportRefusal):
        asked(coordinator, topic="khac-han")
