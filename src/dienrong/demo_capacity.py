"""What the capacity room shows in the demonstration: a register, trainings at every stage, certificates, norms.

The second start finds its work done. Names are made up by rule, from the place of a school in the list.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction

from dienrong.core import clock

N_SCHOOLS = 24
"""Schools of the demonstration's province, and of a second one, with people in the register."""
N_OTHER_SCHOOLS = 6
FAMILIES = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Phan", "Vũ", "Đặng", "Bùi", "Lò", "Giàng", "Hồ")
MIDDLES = ("Thị", "Văn", "Thu", "Quốc", "Minh", "Ngọc", "Đức", "Khánh")
GIVENS = (
    "An",
    "Ánh",
    "Bình",
    "Chi",
    "Dung",
    "Đạt",
    "Hà",
    "Hòa",
    "Lan",
    "Mai",
    "Nam",
    "Páo",
    "Quân",
    "Sơn",
    "Út",
    "Yến",
)
BASIS = "Mức minh họa cho bản trình diễn; thay bằng văn bản của địa phương"
DAY = datetime.timedelta(days=1)


@transaction.atomic
def fill_capacity(*, by: Any, person: Callable[[str], Any]) -> int:
    """Fill the room, whole or not at all; give how many certificates there are."""
    from dienrong.capacity.models import Certificate, Person

    if Person.objects.exists():
        return int(Certificate.objects.count())
    officer = person("so")
    province = _province_of(officer)
    people = _register(province, by)
    _accounts(people, person)
    _norms(by)
    national, provincial = _courses(by)
    _numbering(province, by)
    _past(national, provincial, people, province, by)
    _running(provincial, people, province, by)
    _open(national, people, province, by)
    return int(Certificate.objects.count())


def _province_of(officer: Any) -> Any:
    """Give the province of the demonstration."""
    from dienrong.accounts.permissions import scope_of
    from dienrong.registry.models import AdministrativeUnit

    return AdministrativeUnit.objects.get(
        level="province", code__in=scope_of(officer).provinces, valid_to__isnull=True
    )


def _name(place: int) -> str:
    """Make a name up."""
    return f"{FAMILIES[place * 7 % 12]} {MIDDLES[place * 5 % 8]} {GIVENS[place * 11 % 16]}"


def _register(province: Any, by: Any) -> dict[str, list[Any]]:
    """Put people into the register by one file's worth of rows: the department, schools, the Ministry."""
    from dienrong.accounts.permissions import scope_of
    from dienrong.capacity import operations
    from dienrong.capacity.models import Person
    from dienrong.capacity.queries.comparing import compare_people
    from dienrong.registry.models import School

    schools = School.objects.filter(is_open=True).order_by("school_id")
    own = list(schools.filter(province=province)[:N_SCHOOLS])
    others = list(schools.exclude(province=province)[:N_OTHER_SCHOOLS])
    rows: list[dict[str, Any]] = []

    def add(kind: str, title: str, **place: Any) -> None:
        number = len(rows) + 1
        rows.append(
            {
                "staff_code": f"CB{number:08d}",
                "full_name": _name(number),
                "birth_date": f"{1966 + number % 34}-{1 + number % 12:02d}-{1 + number % 28:02d}",
                "kind": kind,
                "title": title,
                "phone": f"09{12_000_000 + number * 7_919:08d}"[:10],
                **place,
            }
        )

    for kind, title, n in (
        ("core_expert", "Chuyên viên phòng QLCL", 6),
        ("testing_staff", "Chuyên viên khảo thí", 4),
        ("monitor", "Thanh tra viên", 3),
    ):
        for _place in range(n):
            add(kind, title, province_code=province.code)
    for _place in range(4):
        add("core_expert", "Chuyên viên Cục QLCL")
    for school in (*own, *others):
        add("manager", "Hiệu trưởng", school_id=school.school_id)
        for kind in ("teacher", "teacher", "test_administrator"):
            add(kind, "Giáo viên", school_id=school.school_id)
    since = datetime.date(clock.today().year, 1, 5)
    changes = compare_people(list(enumerate(rows, start=2)), scope=scope_of(by), on_date=since.isoformat())
    operations.write_people(
        [one for one in changes if one.verdict == "new"], by=by, on_date=since.isoformat()
    )
    found = {one.staff_code: one for one in Person.objects.all()}
    groups: dict[str, list[Any]] = {}
    for row in rows:
        known = found.get(row["staff_code"])
        if known is None:
            continue
        groups.setdefault("all", []).append(known)
        groups.setdefault(row["kind"], []).append(known)
        if row.get("province_code") or row.get("school_id") in {one.school_id for one in own}:
            groups.setdefault("own", []).append(known)
    return groups


def _accounts(people: dict[str, list[Any]], person: Callable[[str], Any]) -> None:
    """Say which person of the register the test administrator with an account is."""
    from dienrong.capacity.models import Person

    chosen = people["test_administrator"][0]
    account = person("coi-khao-sat")
    Person.objects.filter(pk=chosen.pk).update(account=account)


def _norms(by: Any) -> None:
    """Set norms and allowances, marked as samples."""
    from dienrong.capacity import operations
    from dienrong.capacity.operations import NormFacts

    for kind, n_people, per, n_work, n_days in (
        ("test_administrator", 2, "sitting", 1, "1"),
        ("monitor", 1, "school", 5, "5"),
        ("core_expert", 4, "province", 1, "10"),
        ("coder", 1, "student", 300, "5"),
        ("data_entry", 1, "student", 600, "4"),
    ):
        facts = NormFacts(
            kind=kind, n_people=n_people, per=per, n_work=n_work, n_days=Decimal(n_days), note="Minh họa"
        )
        operations.set_norm(facts=facts, by=by)
    for kind, amount in (
        ("test_administrator", 300_000),
        ("monitor", 350_000),
        ("core_expert", 400_000),
        ("coder", 300_000),
    ):
        operations.set_allowance(
            kind=kind,
            amount=amount,
            legal_basis=BASIS,
            from_day=datetime.date(clock.today().year, 1, 1),
            by=by,
        )


def _courses(by: Any) -> tuple[Any, Any]:
    """Add two courses: the Ministry's for core experts, the province's for schools."""
    from dienrong.capacity import operations
    from dienrong.capacity.operations import CourseFacts

    national = operations.add_course(
        facts=CourseFacts(
            code="DGDR-CC",
            name_vi="Bồi dưỡng cán bộ cốt cán đánh giá diện rộng",
            name_en="Core experts of large-scale assessment",
            reach="national",
            topic="assessment",
            audience=["core_expert", "testing_staff", "monitor"],
            n_hours=40,
            legal_basis="Quyết định số 468/QĐ-BGDĐT ngày 13/02/2023",
        ),
        by=by,
    )
    provincial = operations.add_course(
        facts=CourseFacts(
            code="DGDR-TR",
            name_vi="Tập huấn quy trình khảo sát tại trường",
            name_en="Running a survey at a school",
            reach="provincial",
            topic="fieldwork",
            audience=["manager", "teacher", "test_administrator", "it_staff"],
            n_hours=16,
            valid_months=24,
            legal_basis="Kế hoạch của UBND tỉnh triển khai Đề án 468",
        ),
        by=by,
    )
    return national, provincial


def _numbering(province: Any, by: Any) -> None:
    """Set the numbering of the Ministry and of the province for this year and the last."""
    from dienrong.capacity import operations
    from dienrong.capacity.operations import SeriesFacts

    for year in (clock.today().year - 1, clock.today().year):
        for organizer, code, name in (
            (None, "CQLCL", "Cục Quản lý chất lượng"),
            (province, "SGDĐT", f"Sở Giáo dục và Đào tạo {province.name}"),
        ):
            facts = SeriesFacts(
                year=year,
                pattern="{serial:5}/{year}/CN-{issuer}",
                issuer_code=code,
                issuer_name=name,
                organizer=organizer,
            )
            operations.set_series(facts=facts, by=by)


def _training(
    course: Any, code: str, days: tuple[datetime.date, datetime.date], organizer: Any, by: Any
) -> Any:
    """Plan a training and open nominations until its first day."""
    from dienrong.capacity import operations
    from dienrong.capacity.operations import TrainingFacts

    facts = TrainingFacts(
        code=code,
        place="Hội trường Sở GDĐT" if organizer is not None else "Hà Nội, trực tiếp",
        first_day=days[0],
        last_day=days[1],
        n_seats=120,
        nominate_until=max(days[0], clock.today()),
        organizer=organizer,
    )
    training = operations.plan_training(course=course, facts=facts, by=by)
    operations.open_training(training=training, by=by)
    training.refresh_from_db()
    return training


def _begin(training: Any, people: Sequence[Any], by: Any) -> list[Any]:
    """Nominate and confirm people, and begin."""
    from dienrong.capacity import operations

    made = operations.nominate(training=training, people=people, by=by)
    operations.confirm(training=training, enrolments=made, by=by)
    operations.begin_training(training=training, by=by)
    return made


def _past(national: Any, provincial: Any, people: dict[str, list[Any]], province: Any, by: Any) -> None:
    """Two trainings that are over: certificates, one corrected, one revoked; some absent, some failed."""
    from dienrong.capacity import operations
    from dienrong.capacity.models import Certificate
    from dienrong.capacity.operations import Correction

    own = {one.pk for one in people["own"]}
    schools = [one for kind in ("manager", "teacher") for one in people[kind] if one.pk in own]
    _whole(national, "QG-CC-01", [*people["core_expert"][:8], *people["testing_staff"][:3]], None, by)
    _whole(provincial, "TR-01", schools[:36], province, by)
    first, second = Certificate.objects.filter(batch__training__code="TR-01").order_by("pk")[:2]
    operations.correct_certificate(
        certificate=first,
        correction=Correction(
            holder_name=first.person.full_name, workplace="Trường (tên mới)", reason="Ghi sai đơn vị công tác"
        ),
        by=by,
    )
    operations.revoke_certificate(certificate=second, reason="Cấp nhầm người", decision="12/QĐ-SGDĐT", by=by)


def _whole(course: Any, code: str, people: Sequence[Any], organizer: Any, by: Any) -> None:
    """Give a training from its plan to its certificates; roles hold from today on, so it ends today."""
    from dienrong.capacity import operations
    from dienrong.capacity.operations import IssueFacts

    last = clock.today()
    first = last - DAY
    training = _training(course, code, (first, last), organizer, by)
    made = _begin(training, people, by)
    absent = {one.pk for one in made[::9]}
    for day in (first, last):
        for half in ("morning", "afternoon"):
            present = [one.pk for one in made if one.pk not in absent or half == "morning"]
            operations.note_by_list(training=training, day=day, half=half, present=present, by=by)
    marks = {one.pk: min(Decimal(10), Decimal(8 + place * 7 % 13) / 2) for place, one in enumerate(made)}
    operations.record_scores(training=training, scores=marks, by=by)
    operations.conclude_training(training=training, by=by)
    training.refresh_from_db()
    facts = IssueFacts(
        issued_on=last,
        decision=f"45/QĐ ngày {last:%d/%m/%Y}",
        place=organizer.name if organizer is not None else "Hà Nội",
        signer_title="Giám đốc" if organizer is not None else "Cục trưởng",
        signer_name="Trần Văn Hùng" if organizer is not None else "Nguyễn Thị Minh",
        address="https://danhgia.example.vn/tra-cuu-chung-nhan",
    )
    operations.issue_now(training=training, facts=facts, by=by)


def _running(course: Any, people: dict[str, list[Any]], province: Any, by: Any) -> None:
    """A training that runs today: the morning is noted, marks are to come."""
    from dienrong.capacity import operations

    own = {one.pk for one in people["own"]}
    learners = [one for one in people["test_administrator"] if one.pk in own and one.account_id is None][1:16]
    today = clock.today()
    training = _training(course, "TR-02", (today, today + DAY), province, by)
    made = _begin(training, learners, by)
    operations.note_by_list(
        training=training, day=today, half="morning", present=[one.pk for one in made[:-2]], by=by
    )


def _open(course: Any, people: dict[str, list[Any]], province: Any, by: Any) -> None:
    """Trainings whose nominations are open: the Ministry's, with a quota of the province; the province's for schools."""
    from dienrong.capacity import operations
    from dienrong.capacity.models import Course

    first = clock.today() + 14 * DAY
    training = _training(course, "QG-CC-02", (first, first + 2 * DAY), None, by)
    operations.set_quotas(training=training, units={province: 5}, schools={}, by=by)
    operations.nominate(training=training, people=people["monitor"][:2], by=by)
    schools = Course.objects.get(code="DGDR-TR")
    _training(schools, "TR-03", (first + 7 * DAY, first + 8 * DAY), province, by)
