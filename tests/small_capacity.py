"""A small register of people, courses and trainings for the tests, made by the operations themselves."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from dienrong.capacity import operations
from dienrong.capacity.models import (
    Certificate,
    Course,
    Enrolment,
    IssueBatch,
    Kind,
    NumberSeries,
    Person,
    Training,
)
from dienrong.capacity.operations import (
    CourseFacts,
    IssueFacts,
    PersonFacts,
    PostFacts,
    SeriesFacts,
    TrainingFacts,
)
from dienrong.core import clock
from dienrong.registry.models import AdministrativeUnit, School

NOON = datetime.datetime(2026, 11, 22, 5, 0, tzinfo=datetime.UTC)
TODAY = datetime.date(2026, 11, 22)
SINCE = datetime.date(2026, 1, 5)
BIRTH = datetime.date(1985, 9, 5)
ADDRESS = "https://danhgia.example.vn/tra-cuu-chung-nhan"
NAMES = (
    "Nguyễn Thị Ánh", "Trần Văn Đức", "Lê Thị Hòa", "Phạm Quốc Bảo", "Hoàng Thu Trang", "Võ Minh Châu", "Đặng Thị Mến",
    "Bùi Văn Út", "Lò Thị Mai", "Giàng A Páo", "H'Hen Niê", "Y Moan Êban",
)  # fmt: skip


def school(code: str) -> School:
    return School.objects.select_related("commune", "province").get(school_id=code)


def province(code: str) -> AdministrativeUnit:
    return AdministrativeUnit.objects.get(level="province", code=code, valid_to__isnull=True)


def commune(code: str) -> AdministrativeUnit:
    return AdministrativeUnit.objects.get(level="commune", code=code, valid_to__isnull=True)


def add(
    number: int, *, by: Any, kind: str = Kind.TEACHER, at: Any = None, name: str = "", **facts: Any
) -> Person:
    """Put somebody into the register; ``at`` is a school, a unit, or None for the ministry."""
    is_school = isinstance(at, School)
    return operations.add_person(
        facts=PersonFacts(
            staff_code=f"CB{number:06d}",
            full_name=name or NAMES[number % len(NAMES)],
            birth_date=facts.pop(
                "birth_date", datetime.date(1970 + number % 30, 1 + number % 12, 1 + number % 28)
            ),
            **facts,
        ),
        post=PostFacts(
            kind=kind, from_day=SINCE, school=at if is_school else None, unit=None if is_school else at
        ),
        by=by,
        is_another=True,
    )


def make_course(by: Any, code: str = "DGDR-01", **changes: Any) -> Course:
    facts = {
        "code": code,
        "name_vi": "Bồi dưỡng nghiệp vụ đánh giá diện rộng",
        "name_en": "Large-scale assessment",
        "reach": Course.Reach.PROVINCIAL,
        "topic": Course.Topic.ASSESSMENT,
        "audience": list(Kind.values),
        "n_hours": 16,
    }
    return operations.add_course(facts=CourseFacts(**(facts | changes)), by=by)


def make_training(
    course: Course,
    by: Any,
    *,
    organizer: AdministrativeUnit | None,
    code: str = "BD-2026-01",
    days: tuple[datetime.date, datetime.date] = (datetime.date(2026, 11, 23), datetime.date(2026, 11, 24)),
    n_seats: int = 600,
) -> Training:
    """Plan a training and open nominations until its first day."""
    facts = TrainingFacts(
        code=code,
        place="Hội trường Sở",
        first_day=days[0],
        last_day=days[1],
        n_seats=n_seats,
        nominate_until=days[0],
        organizer=organizer,
    )
    training = operations.plan_training(course=course, facts=facts, by=by)
    operations.open_training(training=training, by=by)
    training.refresh_from_db()
    return training


@contextmanager
def on(day: datetime.date, hour: int = 9):
    """Hold the clock at an hour of Hanoi on a day."""
    moment = datetime.datetime.combine(day, datetime.time(hour - 7), tzinfo=datetime.UTC)
    with clock.fixed(moment) as held:
        yield held


def hold(training: Training, people: Sequence[Person], by: Any, *, score: float = 8) -> Training:
    """Nominate, confirm and train people: all present, all with one mark; concluded on the last day."""
    with on(training.nominate_until):
        made = operations.nominate(training=training, people=people, by=by)
        operations.confirm(training=training, enrolments=made, by=by)
        operations.begin_training(training=training, by=by)
    day = training.first_day
    while day <= training.last_day:
        with on(day, 18):
            for half in ("morning", "afternoon"):
                operations.note_by_list(
                    training=training, day=day, half=half, present=[one.pk for one in made], by=by
                )
        day += datetime.timedelta(days=1)
    with on(training.last_day, 18):
        if training.course.has_test:
            marks = {one.pk: Decimal(str(score)) for one in made}
            operations.record_scores(training=training, scores=marks, by=by)
        operations.conclude_training(training=training, by=by)
    training.refresh_from_db()
    return training


def number_series(by: Any, organizer: AdministrativeUnit | None, year: int = 2026) -> None:
    """Set the numbering of an issuer, unless it is set."""
    if NumberSeries.objects.filter(organizer=organizer, year=year).exists():
        return
    name = "Sở Giáo dục và Đào tạo Hà Nội" if organizer is not None else "Cục Quản lý chất lượng"
    facts = SeriesFacts(
        year=year,
        pattern="{serial:5}/{year}/CN-{issuer}",
        issuer_code=f"SGDĐT.{organizer.code}" if organizer is not None else "CQLCL",
        issuer_name=name,
        organizer=organizer,
    )
    operations.set_series(facts=facts, by=by)


def issue(training: Training, by: Any, *, day: datetime.date | None = None) -> IssueBatch:
    """Issue certificates to everybody who completed a training, in this process."""
    day = day or training.last_day
    with on(day, 19):
        facts = IssueFacts(
            issued_on=day,
            decision="45/QĐ-SGDĐT ngày 24/11/2026",
            place="Hà Nội",
            signer_title="Giám đốc",
            signer_name="Trần Thế Cương",
            address=ADDRESS,
        )
        batch = operations.start_issue(training=training, facts=facts, by=by)
        operations.issue_batch(batch=batch)
    batch.refresh_from_db()
    return batch


def certificate_of(person: Person, training: Training | None = None) -> Certificate:
    found = Certificate.objects.filter(person=person)
    return found.get(enrolment__training=training) if training is not None else found.get()


def enrolment_of(person: Person, training: Training) -> Enrolment:
    return Enrolment.objects.get(person=person, training=training)
