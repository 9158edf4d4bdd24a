"""What the room of plans shows in the demonstration: documents as written, two merged provinces with a past, reports.

The years before are lived through with the clock held on their days, through the real operations, so that values have
a history from before the mergers of 1 July 2025. The second start finds its work done.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction

from dienrong.core import clock

OFFICE_FROM = datetime.date(2024, 1, 2)
SCHOOL_FROM = datetime.date(2025, 9, 5)
N_SCHOOLS, N_TEACHERS = 8, 3
CA_MAU, BAC_NINH = "96", "24"
BASIS = "Công văn của Bộ Giáo dục và Đào tạo về báo cáo giai đoạn 2022 - 2026 (minh họa của bản trình diễn)"
WORDS = {
    "direction": "Sở Giáo dục và Đào tạo đã ban hành văn bản hướng dẫn hằng năm, phân công phòng Quản lý chất lượng làm đầu mối, "
    "phối hợp với Ủy ban nhân dân các xã, phường trong việc chuẩn bị danh sách và cơ sở vật chất.",
    "causes": "Đội ngũ có thay đổi sau khi sắp xếp đơn vị hành chính; một số trường mới sáp nhập chưa ổn định nhân sự.\n"
    "Kinh phí bồi dưỡng được giao vào cuối năm.",
    "proposals": "Đề nghị Bộ Giáo dục và Đào tạo tổ chức thêm lớp bồi dưỡng cán bộ cốt cán tại khu vực.\n"
    "Đề nghị Ủy ban nhân dân tỉnh bố trí kinh phí bồi dưỡng từ đầu năm.",
}


def fill_plans(*, size: str, by: Any, make: Callable[..., Any]) -> int:
    """Load the documents and live the past of two provinces; give how many targets there are.

    Parameters
    ----------
    size : str
        Size of the nation.
    by : User
        The ministry's expert.
    make : callable
        Makes a demonstration account: username, name, role, code, unit.
    """
    from dienrong.plans.models import ReportCall, Target
    from dienrong.plans.operations.documents import load_shipped

    load_shipped(by=by)
    if not ReportCall.objects.exists():
        with transaction.atomic():
            _lived(size, by, make)
            _reports(by)
    return int(Target.objects.count())


def _province(code: str) -> Any:
    """Give a province of today; None where the nation is too small to have it."""
    from dienrong.registry.models import AdministrativeUnit, School

    found = AdministrativeUnit.objects.filter(level="province", code=code, valid_to__isnull=True).first()
    return found if found is not None and School.objects.filter(province=found).exists() else None


def _lived(size: str, by: Any, make: Callable[..., Any]) -> None:
    """Give Cà Mau and Bắc Ninh people, trainings, certificates and schools in the field."""
    ca_mau, bac_ninh = _province(CA_MAU), _province(BAC_NINH)
    if ca_mau is None:
        return
    from dienrong.accounts import operations as accounts

    today = clock.today()
    # The expert held the role in the years that are lived through; it is given for these days alone.
    accounts.assign_role(user=by, role="ministry_expert", by=by, valid_from=OFFICE_FROM, valid_to=today)
    make("so-ca-mau", "Huỳnh Thị Diễm", "province_officer", CA_MAU, ca_mau.full_name)
    offices = _offices(CA_MAU, ("96", "95"), by)
    schools = _field_schools(ca_mau, by)
    staff = _staff(schools, by)
    _numbering(by)
    _given("QG-CC-2024", "DGDR-CC", datetime.date(2024, 11, 12), [*offices["core_expert"][:3]], by)
    _given("QG-KT-2025", "DGDR-CC", datetime.date(2025, 10, 21), offices["testing_staff"][:2], by)
    _given("QG-CC-2026", "DGDR-CC", datetime.date(2026, 3, 17), offices["core_expert"][3:6], by)
    _given("QG-TR-2026A", "DGDR-TR", datetime.date(2026, 4, 9), staff[:8], by)
    _given("QG-TR-2026B", "DGDR-TR", datetime.date(2026, 9, 24), staff[8:14], by, certify=6)
    _given("QG-TR-2026C", "DGDR-TR", datetime.date(2026, 10, 29), staff[14:17], by, certify=0)
    _surveyed(schools, size, by)
    if bac_ninh is not None:
        others = _offices(BAC_NINH, ("27", "24"), by)
        _given("QG-BN-2026", "DGDR-CC", datetime.date(2026, 5, 12), others["core_expert"], by)


def _offices(code: str, codes: Sequence[str], by: Any) -> dict[str, list[Any]]:
    """Put the staff of the departments that became one into the register, each at the province of its time."""
    from dienrong.capacity import operations
    from dienrong.capacity.operations import PersonFacts, PostFacts
    from dienrong.registry.queries import unit_on

    found: dict[str, list[Any]] = {"core_expert": [], "testing_staff": []}
    for place, old in enumerate(codes):
        unit = unit_on("province", old, OFFICE_FROM)
        if unit is None:
            continue
        for kind, n in (("core_expert", 4 - place), ("testing_staff", 3 - place)):
            for number in range(n):
                serial = (
                    int(code) * 1000 + place * 100 + len(found[kind]) + (50 if kind == "testing_staff" else 0)
                )
                person = operations.add_person(
                    facts=PersonFacts(staff_code=f"KH{serial:06d}", full_name=_name(serial + number)),
                    post=PostFacts(kind=kind, from_day=OFFICE_FROM, unit=unit, title="Chuyên viên"),
                    by=by,
                    is_another=True,
                )
                found[kind].append(person)
    return found


def _name(place: int) -> str:
    """Make a name up."""
    from dienrong.demo_capacity import FAMILIES, GIVENS, MIDDLES

    return f"{FAMILIES[place * 5 % 12]} {MIDDLES[place * 3 % 8]} {GIVENS[place * 7 % 16]}"


def _field_schools(province: Any, by: Any) -> list[Any]:
    """Give the schools of a province that are in the field, notified and confirmed."""
    from dienrong.fieldwork import operations
    from dienrong.fieldwork.models import FieldSchool

    found = FieldSchool.objects.filter(school__province=province).select_related(
        "school__province", "school__commune", "sampled", "plan"
    )
    schools = list(found.order_by("number")[:N_SCHOOLS])
    operations.mark_notified(schools=[one for one in schools if one.state == "to_notify"], by=by)
    for place, one in enumerate(schools):
        one.refresh_from_db()
        if one.state == "notified" and place < N_SCHOOLS - 1:
            operations.confirm_school(
                school=one,
                coordinator_name=_name(place + 3),
                coordinator_phone=f"0913 400 {100 + place}",
                test_date=None,
                by=by,
            )
            one.refresh_from_db()
    return schools


def _staff(schools: Sequence[Any], by: Any) -> list[Any]:
    """Put a manager and teachers of each school into the register."""
    from dienrong.capacity import operations
    from dienrong.capacity.operations import PersonFacts, PostFacts

    found = []
    for place, one in enumerate(schools):
        for number in range(1 + N_TEACHERS):
            serial = 960_500 + place * 10 + number
            found.append(
                operations.add_person(
                    facts=PersonFacts(staff_code=f"KH{serial:06d}", full_name=_name(serial)),
                    post=PostFacts(
                        kind="manager" if number == 0 else "teacher",
                        from_day=SCHOOL_FROM,
                        school=one.school,
                        title="Hiệu trưởng" if number == 0 else "Giáo viên",
                    ),
                    by=by,
                    is_another=True,
                )
            )
    return found


def _numbering(by: Any) -> None:
    """Set the ministry's numbering of the years before, where it is not set."""
    from dienrong.capacity import operations
    from dienrong.capacity.models import NumberSeries
    from dienrong.capacity.operations import SeriesFacts

    for year in (2024, 2025, 2026):
        if not NumberSeries.objects.filter(organizer__isnull=True, year=year).exists():
            facts = SeriesFacts(
                year=year,
                pattern="{serial:5}/{year}/CN-{issuer}",
                issuer_code="CQLCL",
                issuer_name="Cục Quản lý chất lượng",
            )
            operations.set_series(facts=facts, by=by)


def _given(
    code: str, course: str, day: datetime.date, people: Sequence[Any], by: Any, certify: int | None = None
) -> None:
    """Give a training of one day from its plan to its certificates, on its day."""
    from dienrong.capacity import operations
    from dienrong.capacity.models import Course
    from dienrong.capacity.operations import IssueFacts, TrainingFacts

    moment = datetime.datetime.combine(day, datetime.time(10, 0), tzinfo=datetime.UTC)
    if not people or day > clock.today():
        return
    with clock.fixed(moment):
        training = operations.plan_training(
            course=Course.objects.get(code=course),
            facts=TrainingFacts(
                code=code, place="Trực tuyến", first_day=day, last_day=day, n_seats=60, nominate_until=day
            ),
            by=by,
        )
        operations.open_training(training=training, by=by)
        made = operations.nominate(training=training, people=people, by=by)
        operations.confirm(training=training, enrolments=made, by=by)
        operations.begin_training(training=training, by=by)
        for half in ("morning", "afternoon"):
            operations.note_by_list(
                training=training, day=day, half=half, present=[one.pk for one in made], by=by
            )
        operations.record_scores(training=training, scores={one.pk: Decimal(8) for one in made}, by=by)
        operations.conclude_training(training=training, by=by)
        training.refresh_from_db()
        if certify == 0:
            return
        facts = IssueFacts(
            issued_on=day,
            decision=f"{day.day + 20}/QĐ-QLCL ngày {day:%d/%m/%Y}",
            place="Hà Nội",
            signer_title="Cục trưởng",
            signer_name="Nguyễn Thị Minh",
            address="https://danhgia.example.vn/tra-cuu-chung-nhan",
        )
        operations.issue_now(training=training, facts=facts, by=by)


def _surveyed(schools: Sequence[Any], size: str, by: Any) -> None:
    """Bring some schools through list, selection and test; the first ones are concluded."""
    from dienrong import demo_fieldwork
    from dienrong.fieldwork import operations
    from dienrong.fieldwork.operations.sessions import SessionFacts

    ready = [one for one in schools if one.state == "confirmed"][:5]
    demo_fieldwork._lists(ready, seed=2026, size=size, by=by)
    for place, one in enumerate(ready):
        one.refresh_from_db()
        if not one.people.filter(is_selected=True).exists():
            continue
        facts = SessionFacts(on_date=clock.today(), begins_at=datetime.time(7, 30), room="Phòng 1")
        session = operations.plan_session(school=one, facts=facts, is_make_up=False, by=by)
        values = {"started": "07:30", "ended": "09:45", "absent": [], "nobody_absent": True}
        operations.save_report(session=session, values=values, by=by)
        operations.submit_report(session=session, by=by)
        one.refresh_from_db()
        if place < 4:
            operations.conclude_school(school=one, by=by)


def _reports(by: Any) -> None:
    """Ask for the report of the first phase; Cà Mau has written its words, Bắc Ninh has sent."""
    from dienrong.plans.models import Phase
    from dienrong.plans.operations import reports

    phase = Phase.objects.get(code="2022-2026")
    call = reports.call_report(
        facts=reports.CallFacts(
            kind="phase",
            phase=phase,
            first_day=phase.first_day,
            last_day=phase.last_day,
            due_on=max(phase.last_day, clock.today()),
            basis=BASIS,
        ),
        by=by,
    )
    for code in (CA_MAU, BAC_NINH):
        unit = _province(code)
        if unit is None:
            continue
        report = reports.begin_report(call=call, unit=unit, by=by)
        for part, text in WORDS.items():
            reports.save_text(report=report, part=part, text=text, seen_version=None, by=by)
        if code == BAC_NINH:
            sending = reports.Sending(number="", signed_on=None)
            reports.send_report(report=report, sending=sending, by=by)
