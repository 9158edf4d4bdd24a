"""A training from its plan to its end: quotas, nominations, attendance by phone and list, marks, who completed it."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest

from dienrong.audit.models import AuditEntry
from dienrong.capacity import operations
from dienrong.capacity.models import (
    Attendance,
    Course,
    Enrolment,
    EvaluationAnswer,
    Kind,
    LookUpAttempt,
    Training,
)
from dienrong.capacity.operations import CapacityRefusal, LookUpLocked, NotNow, TrainingFacts
from dienrong.capacity.operations.results import outcome_of
from dienrong.capacity.queries import access
from dienrong.capacity.queries import training as reads
from dienrong.capacity.words import QUESTIONS
from dienrong.core.refusals import NotAllowed
from small_capacity import (
    TODAY,
    add,
    commune,
    enrolment_of,
    hold,
    make_course,
    make_training,
    on,
    province,
    school,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registry")]
A, C, SOUTH = "01000001", "01000003", "79000001"
FIRST, LAST = datetime.date(2026, 11, 23), datetime.date(2026, 11, 24)
State = Enrolment.State
PHONE = "203.0.113.7"


@pytest.fixture
def course(officer) -> Course:
    return make_course(officer)


@pytest.fixture
def training(course, officer) -> Training:
    """A training of the first province, nominations open."""
    return make_training(course, officer, organizer=province("01"), n_seats=3)


@pytest.fixture
def people(ministry) -> list:
    """Three teachers of one school and one of another, in the first province."""
    return [add(number, by=ministry, at=school(A)) for number in (1, 2, 3)] + [
        add(4, by=ministry, at=school(C))
    ]


@pytest.fixture
def running(training, people, officer) -> Training:
    """The training with three learners, on its first day."""
    made = operations.nominate(training=training, people=people[:3], by=officer)
    operations.confirm(training=training, enrolments=made, by=officer)
    with on(FIRST):
        operations.begin_training(training=training, by=officer)
    training.refresh_from_db()
    return training


def test_courses_of_the_nation_are_the_ministrys(officer, ministry, commune_officer) -> None:
    with pytest.raises(NotAllowed):
        make_course(officer, reach=Course.Reach.NATIONAL)
    with pytest.raises(NotAllowed):
        make_course(commune_officer)
    made = make_course(ministry, reach=Course.Reach.INTERNATIONAL, partner="ACER")
    assert AuditEntry.objects.filter(action="capacity.course_added", object_id=str(made.pk)).exists()
    with pytest.raises(CapacityRefusal):
        make_course(ministry)  # the code is taken
    with pytest.raises(CapacityRefusal):
        make_course(ministry, code="X", audience=[])


@pytest.mark.parametrize(
    "changed",
    [
        {"last_day": datetime.date(2026, 11, 1)},
        {"nominate_until": datetime.date(2027, 1, 1)},
        {"n_seats": 0},
        {"n_halves": 5},
        {"place": " "},
    ],
)
def test_a_training_that_cannot_be_is_refused(course, officer, changed) -> None:
    values = {
        "code": "BD-1",
        "place": "Hội trường",
        "first_day": FIRST,
        "last_day": LAST,
        "n_seats": 10,
        "nominate_until": FIRST,
        "organizer": province("01"),
    }
    with pytest.raises(CapacityRefusal):
        operations.plan_training(course=course, facts=TrainingFacts(**(values | changed)), by=officer)


def test_another_province_organizes_nothing_here(training, course, stranger, people) -> None:
    for act in (
        lambda: operations.plan_training(course=course, facts=_facts("BD-9"), by=stranger),
        lambda: operations.begin_training(training=training, by=stranger),
        lambda: operations.cancel_training(training=training, reason="vì", by=stranger),
        lambda: operations.conclude_training(training=training, by=stranger),
        lambda: operations.record_scores(training=training, scores={}, by=stranger),
        lambda: operations.attendance_code(training=training, by=stranger),
        lambda: operations.note_by_list(
            training=training, day=TODAY, half="morning", present=[], by=stranger
        ),
        lambda: operations.set_quotas(training=training, units={province("79"): 3}, schools={}, by=stranger),
        lambda: operations.nominate(training=training, people=people[:1], by=stranger),
        lambda: operations.add_material(training=training, title="x", address="https://x.vn", by=stranger),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert not access.trainings_of(stranger).exists()
    assert Enrolment.objects.count() == 0


def _facts(code: str) -> TrainingFacts:
    return TrainingFacts(
        code=code,
        place="x",
        first_day=FIRST,
        last_day=LAST,
        n_seats=1,
        nominate_until=FIRST,
        organizer=province("01"),
    )


def test_a_school_nominates_its_own_people_alone(training, people, coordinator) -> None:
    made = operations.nominate(training=training, people=people[:2], by=coordinator)
    assert [one.state for one in made] == [State.NOMINATED] * 2
    assert len({one.learner_code for one in made}) == 2
    with pytest.raises(NotAllowed):
        operations.nominate(training=training, people=[people[3]], by=coordinator)
    with pytest.raises(NotAllowed):
        operations.confirm(training=training, enrolments=made, by=coordinator)
    assert set(reads.candidates(coordinator, training)) == {people[2]}


def test_all_or_none_are_nominated(training, people, officer, ministry) -> None:
    operations.record_absence(person=people[2], first_day=FIRST, last_day=FIRST, reason="phép", by=ministry)
    with pytest.raises(NotNow):
        operations.nominate(training=training, people=people, by=officer)
    assert not Enrolment.objects.exists()
    operations.nominate(training=training, people=people[:2], by=officer)
    with pytest.raises(NotNow):
        operations.nominate(training=training, people=people[:1], by=officer)


def test_somebody_in_another_training_on_the_same_day_is_busy(training, people, officer, course) -> None:
    other = make_training(course, officer, organizer=province("01"), code="BD-2", days=(LAST, LAST))
    operations.nominate(training=other, people=people[:1], by=officer)
    with pytest.raises(NotNow, match="BD-2"):
        operations.nominate(training=training, people=people[:1], by=officer)
    later = make_training(
        course, officer, organizer=province("01"), code="BD-3", days=(datetime.date(2026, 12, 7),) * 2
    )
    operations.nominate(training=later, people=people[:1], by=officer)


def test_whom_a_course_is_not_for(officer, ministry, people) -> None:
    course = make_course(officer, code="MA-HOA", audience=[Kind.CODER])
    training = make_training(course, officer, organizer=province("01"), code="BD-4")
    with pytest.raises(CapacityRefusal):
        operations.nominate(training=training, people=people[:1], by=officer)
    coder = add(9, by=ministry, at=school(A), kind=Kind.CODER)
    operations.nominate(training=training, people=[coder], by=officer)


def test_nominations_end_on_their_day(training, people, officer) -> None:
    with on(LAST), pytest.raises(NotNow):
        operations.nominate(training=training, people=people[:1], by=officer)


def test_quotas_hold_at_every_level(training, people, officer, ministry) -> None:
    operations.set_quotas(
        training=training, units={province("01"): 3, commune("00004"): 2}, schools={school(A): 1}, by=officer
    )
    operations.nominate(training=training, people=people[:1], by=officer)
    with pytest.raises(CapacityRefusal, match="Hòa Bình"):
        operations.nominate(training=training, people=people[1:2], by=officer)
    operations.set_quotas(training=training, units={}, schools={school(A): 3}, by=officer)
    operations.nominate(training=training, people=people[1:2], by=officer)
    with pytest.raises(CapacityRefusal, match="Ba Đình"):
        operations.nominate(training=training, people=people[2:3], by=officer)
    operations.nominate(training=training, people=people[3:], by=officer)
    uses = {use.name: (use.quota.n_places, use.n_taken) for use in reads.quota_uses(training)}
    assert uses == {"Thành phố Hà Nội": (3, 3), "Phường Ba Đình": (2, 2), "Trường TH Hòa Bình": (3, 2)}
    withdrawn = enrolment_of(people[0], training)
    operations.withdraw(enrolment=withdrawn, reason="Bận việc trường", by=officer)
    operations.nominate(training=training, people=people[2:3], by=officer)
    outsider = add(20, by=ministry, at=school(SOUTH))
    with pytest.raises(CapacityRefusal):
        operations.nominate(training=training, people=[outsider], by=ministry)


def test_no_more_people_than_seats(training, people, officer) -> None:
    made = operations.nominate(training=training, people=people, by=officer)
    with pytest.raises(CapacityRefusal):
        operations.confirm(training=training, enrolments=made, by=officer)
    assert operations.confirm(training=training, enrolments=made[:3], by=officer) == 3
    with pytest.raises(CapacityRefusal):
        operations.confirm(training=training, enrolments=made[3:], by=officer)
    operations.decline(enrolment=made[3], reason="Hết chỗ", by=officer)
    made[3].refresh_from_db()
    assert (made[3].state, made[3].reason) == (State.DECLINED, "Hết chỗ")
    with pytest.raises(NotNow):
        operations.decline(enrolment=made[3], reason="Hết chỗ", by=officer)
    with pytest.raises(CapacityRefusal):
        operations.withdraw(enrolment=made[0], reason="  ", by=officer)


def test_a_training_begins_on_its_day_with_somebody(training, people, officer) -> None:
    with pytest.raises(NotNow):
        operations.begin_training(training=training, by=officer)  # the day before
    with on(FIRST), pytest.raises(NotNow):
        operations.begin_training(training=training, by=officer)  # nobody is confirmed


def test_attendance_by_phone(running, people, officer) -> None:
    learner = enrolment_of(people[0], running)
    with on(FIRST, 8):
        code = operations.attendance_code(training=running, by=officer)
        typed = f" {learner.learner_code[:3].lower()}-{learner.learner_code[3:]} "
        noted = operations.note_by_phone(code=code, learner_code=typed, address=PHONE)
        again = operations.note_by_phone(code=code, learner_code=learner.learner_code, address=PHONE)
    assert noted.pk == again.pk
    assert (noted.enrolment_id, noted.on_date, noted.half, noted.way) == (
        learner.pk,
        FIRST,
        "morning",
        "phone",
    )
    assert AuditEntry.objects.filter(action="capacity.attendance_noted").count() == 1
    with on(FIRST, 14):
        operations.note_by_phone(
            code=operations.attendance_code(training=running, by=officer),
            learner_code=learner.learner_code,
            address=PHONE,
        )
    assert list(learner.attendances.values_list("half", flat=True).order_by("pk")) == ["morning", "afternoon"]


def test_an_attendance_code_lives_ten_minutes_and_is_not_forged(running, people, officer) -> None:
    learner = enrolment_of(people[0], running)
    with on(FIRST, 8):
        code = operations.attendance_code(training=running, by=officer)
    with on(FIRST, 9), pytest.raises(CapacityRefusal):
        operations.note_by_phone(code=code, learner_code=learner.learner_code, address=PHONE)
    head, _, digest = code.rpartition("-")
    later = head.replace("-m-", "-a-")
    forged = (
        f"{later}-{digest}",
        f"{head}-{'0' * 24}",
        f"9{code}",
        "",
        "x" * 80,
        code.replace("20261123", "20261124"),
    )
    with on(FIRST, 8):
        for one in forged:
            with pytest.raises(CapacityRefusal):
                operations.note_by_phone(code=one, learner_code=learner.learner_code, address="203.0.113.9")
    assert not Attendance.objects.exists()


def test_learner_codes_cannot_be_tried_out(running, people, officer) -> None:
    learner = enrolment_of(people[0], running)
    with on(FIRST, 8):
        code = operations.attendance_code(training=running, by=officer)
        for number in range(10):
            with pytest.raises(CapacityRefusal):
                operations.note_by_phone(code=code, learner_code=f"ZZZZ{number}2", address=PHONE)
        with pytest.raises(LookUpLocked):
            operations.note_by_phone(code=code, learner_code=learner.learner_code, address=PHONE)
        operations.note_by_phone(code=code, learner_code=learner.learner_code, address="203.0.113.8")
    assert LookUpAttempt.objects.filter(was_found=False).count() == 10
    assert AuditEntry.objects.filter(action="capacity.look_ups_locked").count() == 1


def test_attendance_from_the_list_adds_and_takes_away(running, people, officer) -> None:
    keys = [enrolment_of(one, running).pk for one in people[:3]]
    with on(FIRST, 18):
        assert (
            operations.note_by_list(training=running, day=FIRST, half="morning", present=keys, by=officer)
            == 3
        )
        assert (
            operations.note_by_list(training=running, day=FIRST, half="morning", present=keys[:1], by=officer)
            == 1
        )
        with pytest.raises(CapacityRefusal):
            operations.note_by_list(training=running, day=LAST, half="morning", present=keys, by=officer)
        with pytest.raises(CapacityRefusal):
            operations.note_by_list(training=running, day=FIRST, half="night", present=keys, by=officer)
    assert list(Attendance.objects.values_list("enrolment_id", flat=True)) == keys[:1]


@pytest.mark.parametrize(
    ("n_present", "score", "outcome"),
    [
        (4, Decimal("5"), "completed"),
        (4, Decimal("4.99"), "failed"),
        (4, None, "no_mark"),
        (3, Decimal("10"), "absent"),  # 3 of 4 half-days are 75 %, the course asks for 80 %
        (0, None, "absent"),
    ],
)
def test_what_completes_a_course(training, n_present, score, outcome) -> None:
    assert outcome_of(n_present, score, training) == outcome


def test_least_attendance_is_met_exactly(officer) -> None:
    course = make_course(officer, code="KHONG-KT", has_test=False, least_attendance=Decimal("75"))
    training = make_training(course, officer, organizer=province("01"), code="BD-5")
    assert outcome_of(3, None, training) == "completed"
    assert outcome_of(2, None, training) == "absent"


def test_a_training_is_concluded_by_its_rules(running, people, officer) -> None:
    enrolments = [enrolment_of(one, running) for one in people[:3]]
    for day, halves in ((FIRST, ("morning", "afternoon")), (LAST, ("morning", "afternoon"))):
        with on(day, 18):
            for half in halves:
                present = [one.pk for one in enrolments[: 2 if (day, half) == (LAST, "afternoon") else 3]]
                operations.note_by_list(training=running, day=day, half=half, present=present, by=officer)
    with on(FIRST, 19), pytest.raises(NotNow):
        operations.conclude_training(training=running, by=officer)  # the last day has not come
    with on(LAST, 19):
        with pytest.raises(NotNow):
            operations.conclude_training(training=running, by=officer)  # marks are missing
        for wrong in (Decimal("10.01"), Decimal("-1")):
            with pytest.raises(CapacityRefusal):
                operations.record_scores(training=running, scores={enrolments[0].pk: wrong}, by=officer)
        with pytest.raises(CapacityRefusal):
            operations.record_scores(training=running, scores={999_999: Decimal(5)}, by=officer)
        marks = {enrolments[0].pk: Decimal("7.5"), enrolments[1].pk: Decimal("4")}
        assert operations.record_scores(training=running, scores=marks, by=officer) == 2
        assert operations.record_scores(training=running, scores=marks, by=officer) == 0
        assert operations.conclude_training(training=running, by=officer) == {
            "completed": 1,
            "absent": 1,
            "failed": 1,
        }
    states = [enrolment_of(one, running) for one in people[:3]]
    assert [(one.state, one.completed_on) for one in states] == [
        (State.COMPLETED, LAST),
        (State.NOT_COMPLETED, None),
        (State.NOT_COMPLETED, None),
    ]
    with pytest.raises(NotNow):
        operations.record_scores(training=running, scores={}, by=officer)


def test_a_cancelled_training_frees_its_people(running, people, officer, course) -> None:
    with pytest.raises(CapacityRefusal):
        operations.cancel_training(training=running, reason="", by=officer)
    operations.cancel_training(training=running, reason="Bão lũ", by=officer)
    assert set(Enrolment.objects.values_list("state", flat=True)) == {State.WITHDRAWN}
    other = make_training(course, officer, organizer=province("01"), code="BD-6")
    operations.nominate(training=other, people=people[:2], by=officer)


def test_an_evaluation_is_sent_once_and_stands_apart(running, people, officer) -> None:
    learner = enrolment_of(people[0], running)
    marks = dict.fromkeys(QUESTIONS, 4)
    with on(LAST, 17):
        with pytest.raises(CapacityRefusal):
            _evaluate(running, learner, {"useful": 3})
        _evaluate(running, learner, marks, remark="Cần thêm thực hành")
        with pytest.raises(NotNow):
            _evaluate(running, learner, marks)
    answer = EvaluationAnswer.objects.get()
    assert answer.marks == marks
    assert not {field.name for field in EvaluationAnswer._meta.get_fields()} & {"enrolment", "person", "at"}
    entry = AuditEntry.objects.get(action="capacity.evaluated")
    assert (entry.actor, entry.after) == (None, None)
    assert reads.evaluation_of(running).means is None  # one answer would tell who said what


def _evaluate(training, learner, marks, remark: str = "") -> None:
    operations.evaluate(
        training=training, learner_code=learner.learner_code, marks=marks, remark=remark, address=PHONE
    )


def test_means_of_evaluations_from_five_answers_on(running) -> None:
    for mark in (1, 2, 3, 4, 5):
        EvaluationAnswer.objects.create(training=running, marks=dict.fromkeys(QUESTIONS, mark), remark="")
    found = reads.evaluation_of(running)
    assert found.n_answers == 5
    assert {mean for _sentence, mean in found.means or ()} == {3.0}


def test_materials_are_kept_sealed_under_their_hash(training, officer, settings) -> None:
    from dienrong.capacity import kept

    content = "Tài liệu tập huấn".encode() * 100
    made = operations.add_material(
        training=training, title="Sổ tay", file_name="so-tay.pdf", content=content, by=officer
    )
    assert kept.read(made.file_hash) == content
    lying = next((settings.DATA_DIR / "capacity").iterdir())
    assert content[:20] not in lying.read_bytes()
    lying.chmod(0o600)
    lying.write_bytes(b"x" + lying.read_bytes()[1:])
    with pytest.raises(kept.FileGone):
        kept.read(made.file_hash)
    for wrong in (
        {"file_name": "virus.exe", "content": b"x"},
        {},
        {"address": "https://x.vn", "content": b"x", "file_name": "a.pdf"},
    ):
        with pytest.raises(CapacityRefusal):
            operations.add_material(training=training, title="x", by=officer, **wrong)


def test_a_national_training_takes_people_of_two_provinces(ministry, officer, stranger, people) -> None:
    course = make_course(ministry, code="QG-01", reach=Course.Reach.NATIONAL)
    training = make_training(course, ministry, organizer=None, code="QG-2026-01")
    south = add(30, by=ministry, at=school(SOUTH))
    operations.nominate(training=training, people=people[:1], by=officer)
    operations.nominate(training=training, people=[south], by=stranger)
    assert [one.person for one in reads.enrolments_of(stranger, training)] == [south]
    assert reads.enrolments_of(ministry, training).count() == 2
    with pytest.raises(NotAllowed):
        operations.confirm(training=training, enrolments=list(training.enrolments.all()), by=officer)


def test_hold_brings_people_to_the_end(training, people, officer) -> None:
    hold(training, people[:3], officer)
    assert set(training.enrolments.values_list("state", flat=True)) == {State.COMPLETED}
