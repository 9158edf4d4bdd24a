"""What the room of plans and tasks shows in the demonstration: a plan of the ministry's round, the yearly plan of a province.

The second start finds its work done.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from django.db import transaction

from dienrong.core import clock

DAY = datetime.timedelta(days=1)
FREQUENT = (
    (
        "Bài khảo sát có tính điểm vào học bạ không?",
        "Không. Kết quả không ghi vào học bạ và không xếp hạng học sinh, lớp, trường.",
    ),
    (
        "Vì sao trường tôi được chọn?",
        "Trường được rút ngẫu nhiên, công khai; ai cũng có thể chạy lại việc rút mẫu để kiểm tra.",
    ),
    (
        "Tên con tôi có bị công bố không?",
        "Không. Bài làm lưu dưới mã số; tên giữ riêng, không nằm trong dữ liệu phân tích.",
    ),
    (
        "Con tôi ốm đúng ngày khảo sát thì sao?",
        "Nhà trường báo vắng; nếu số vắng vượt mức quy định sẽ có buổi khảo sát bù.",
    ),
)
WORDS = "Đã hoàn thành theo kế hoạch"


@transaction.atomic
def fill_followup(*, by: Any, cycle: Any, person: Callable[[str], Any]) -> int:
    """Fill the room, whole or not at all; give how many tasks there are."""
    from dienrong.followup import operations
    from dienrong.followup.models import Plan, Task
    from dienrong.followup.operations import PlanFacts

    if Plan.objects.exists():
        return int(Task.objects.count())
    today = clock.today()
    officer = person("so")
    national = operations.make_plan(
        unit_kind="nation",
        unit_code="",
        facts=PlanFacts(year=today.year, title=""),
        programme="national_tt08",
        cycle=cycle,
        by=by,
    )
    code = _province_code(officer)
    provincial = operations.make_plan(
        unit_kind="province",
        unit_code=code,
        facts=PlanFacts(year=today.year, title=""),
        programme="project_468_year",
        by=officer,
    )
    _risks(provincial, officer, today)
    operations.adopt_plan(plan=national, number="48/KH-BGDĐT", adopted_on=today - 200 * DAY, by=by)
    operations.adopt_plan(plan=provincial, number="12/KH-SGDĐT", adopted_on=today - 200 * DAY, by=officer)
    _hand_out(national, "province", by, today)
    _hand_out(provincial, "commune", officer, today)
    _close_past(national, by, today)
    _close_past(provincial, officer, today)
    _report(provincial, person("xa"), today)
    _support(by, person, today)
    return int(Task.objects.count())


def _province_code(officer: Any) -> str:
    """Give the code of the demonstration's province."""
    from dienrong.accounts.permissions import scope_of

    return str(min(scope_of(officer).provinces))


def _risks(plan: Any, by: Any, today: datetime.date) -> None:
    """Write two risks down."""
    from dienrong.followup.operations import RiskFacts, add_risk

    add_risk(
        plan=plan,
        facts=RiskFacts(
            title="Mất điện, mất mạng trong buổi khảo sát trên máy tính",
            cause="Lưới điện và đường truyền ở xã xa trung tâm chưa ổn định",
            likelihood=3,
            impact=5,
            prevention="Kiểm tra phòng máy trước bốn tuần; chuẩn bị máy phát điện ở cụm trường",
            fallback="Làm tiếp trên máy khi có điện trong buổi; quá 30 phút thì chuyển sang buổi khảo sát bù",
            owner="Tổ kỹ thuật của Hội đồng khảo sát",
            review_on=today + 3 * DAY,
        ),
        by=by,
    )
    add_risk(
        plan=plan,
        facts=RiskFacts(
            title="Mưa bão, dịch bệnh làm học sinh nghỉ học",
            likelihood=2,
            impact=4,
            prevention="Theo dõi dự báo; thống nhất lịch dự phòng với Ủy ban nhân dân cấp xã",
            fallback="Tổ chức khảo sát bù trong hai tuần",
            owner="Phòng Quản lý chất lượng",
            review_on=today - DAY,
        ),
        by=by,
    )


def _hand_out(plan: Any, kind: str, by: Any, today: datetime.date) -> None:
    """Hand the tasks of the last and the coming weeks to the units below."""
    from dienrong.followup.operations import hand_out
    from dienrong.followup.queries.units import all_of

    near = plan.tasks.filter(due_on__gte=today - 40 * DAY).order_by("due_on")[:2]
    for task in near:
        hand_out(task=task, units=all_of(plan, kind), due_on=task.due_on, by=by)


def _close_past(plan: Any, by: Any, today: datetime.date) -> None:
    """Say of the tasks that are past that they are done."""
    from dienrong.followup.operations import set_task_state

    for task in plan.tasks.filter(due_on__lt=today - 40 * DAY):
        set_task_state(task=task, state="done", outcome=WORDS, by=by, done_on=task.due_on)
    for task in plan.tasks.filter(starts_on__lte=today, state="open"):
        set_task_state(task=task, state="running", outcome="", by=by)


def _report(plan: Any, by: Any, today: datetime.date) -> None:
    """Let the commune of the demonstration report one of its duties."""
    from dienrong.followup.operations import report_duty
    from dienrong.followup.queries import duties_of

    first = duties_of(by).filter(task__plan=plan).order_by("due_on").first()
    if first is not None:
        report_duty(duty=first, outcome="Đã hoàn thành, báo cáo số 21/BC-UBND", by=by, done_on=today)


def _support(by: Any, person: Callable[[str], Any], today: datetime.date) -> None:
    """Ask and answer, write frequent questions, contacts and what was told."""
    from dienrong.support import operations
    from dienrong.support.operations import ContactFacts, FrequentFacts, TellingFacts

    school, commune, officer = person("truong"), person("xa"), person("so")
    question = operations.ask(
        topic="rooms",
        subject="Hai máy trong phòng máy không mở được trang kiểm tra",
        words="Máy dùng Windows 7, đã khởi động lại, đã thử mạng khác. Trường còn 24 máy mở được.",
        by=school,
    )
    operations.pass_up(question=question, words="Xã không có cán bộ kỹ thuật, xin Sở hướng dẫn.", by=commune)
    other = operations.ask(
        topic="data",
        subject="Lớp 5B mới tách, nộp danh sách thế nào?",
        words="Trường tách lớp 5A thành 5A và 5B từ tuần trước.",
        by=school,
    )
    operations.answer(
        question=other, words="Nộp lại danh sách theo mẫu; hệ thống tự so với danh sách cũ.", by=commune
    )
    for place, (title, reply) in enumerate(FREQUENT, start=1):
        facts = FrequentFacts(topic="other", question_vi=title, answer_vi=reply, position=place)
        operations.save_frequent(facts=facts, by=by)
    operations.save_contact(
        facts=ContactFacts(
            full_name="Trần Văn Hùng",
            position="Chuyên viên",
            duty="Đánh giá diện rộng",
            phone="0237 000 0000",
        ),
        by=officer,
    )
    operations.write_telling(
        facts=TellingFacts(
            on_day=today - 5 * DAY,
            channel="chat",
            audience="parents",
            title="Tin nhắn gửi phụ huynh các trường trong mẫu",
            n_reached=2400,
        ),
        by=officer,
    )
