"""Every page through HTTP: who sees what, what is done there, what strangers are told."""

from __future__ import annotations

import datetime
from io import BytesIO

import pytest
from docx import Document
from python_calamine import CalamineWorkbook

from dienrong.accounts.directory import Place
from dienrong.followup import drawing, operations
from dienrong.followup.models import Duty, Plan, Task
from small_followup import DAY, TODAY, a_plan, a_risk, a_task, handed, in_force

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registry")]
PUBLIC_TEXT = "Nộp danh sách"


def text(page) -> str:
    return page.content.decode()


@pytest.fixture
def plan(officer) -> Plan:
    made = a_plan(officer, legal_bases="Căn cứ Quyết định số 468/QĐ-BGDĐT", recipients="Lưu: VT")
    first = a_task(made, officer, due=-2)
    a_task(made, officer, title="Báo cáo", starts=-1, due=8, after=[first.pk])
    operations.add_risk(plan=made, facts=a_risk(), by=officer)
    handed(first, officer, due=-1)
    return in_force(made, officer)


def addresses(plan: Plan) -> dict[str, str]:
    """Every address opened by GET, and what it asks for."""
    task, duty, risk = plan.tasks.first(), Duty.objects.get(unit_code="00004"), plan.risks.get()
    root = f"/cong-viec/ke-hoach/{plan.pk}"
    reads = [f"{root}?tab={tab}" for tab in ("nhiem-vu", "tien-do", "don-vi", "rui-ro", "lich-su")]
    reads += [f"{root}/ke-hoach.docx", f"{root}/ke-hoach.xlsx", f"/cong-viec/nhiem-vu/{task.pk}"]
    owns = [
        f"{root}/sua", f"{root}/ban-hanh", f"{root}/don-doc", f"{root}/nhiem-vu-moi", f"{root}/rui-ro-moi",
        f"/cong-viec/nhiem-vu/{task.pk}/sua", f"/cong-viec/nhiem-vu/{task.pk}/giao", f"/cong-viec/rui-ro/{risk.pk}",
        f"/cong-viec/rui-ro/{risk.pk}/tinh-trang", f"/cong-viec/viec-giao/{duty.pk}/tra-lai",
    ]  # fmt: skip
    room = ("/cong-viec", "/cong-viec/lich", "/cong-viec/lich/dia-chi")
    return {
        **dict.fromkeys(room, "room"),
        "/cong-viec/ke-hoach/moi": "officers",
        **dict.fromkeys(reads, "read"),
        **dict.fromkeys(owns, "own"),
        f"/cong-viec/viec-giao/{duty.pk}": "duty",
    }


ALLOWED = {
    "officer": {"room", "officers", "read", "own", "duty"},
    "colleague": {"room", "officers", "read", "own", "duty"},
    "ministry": {"room", "officers", "read", "duty"},
    "commune_officer": {"room", "officers", "read", "duty"},
    "coordinator": {"room", "read"},
    "stranger": {"room", "officers"},
    "researcher": set(),
    "newcomer": set(),
}


@pytest.mark.parametrize("who", list(ALLOWED))
def test_who_opens_which_page(plan, signed_in, request, who) -> None:
    browser = signed_in(request.getfixturevalue(who))
    for address, asks in addresses(plan).items():
        answer = browser.get(address)
        expected = 200 if asks in ALLOWED[who] else 403
        assert answer.status_code == expected, f"{who} {address}: {answer.status_code}"
        if who == "stranger" and "html" in answer["Content-Type"]:
            assert PUBLIC_TEXT not in text(answer), address


def test_the_public_is_led_to_sign_in(plan, visitor) -> None:
    for address in addresses(plan):
        answer = visitor.get(address)
        assert answer.status_code == 302, address
        assert "/dang-nhap" in answer["Location"]


def test_a_plan_from_template_to_force_in_the_browser(officer, signed_in) -> None:
    browser = signed_in(officer)
    page = browser.post(
        "/cong-viec/ke-hoach/moi",
        {"unit": "province:01", "programme": "project_468_year", "year": "2027", "title": ""},
    )
    plan = Plan.objects.get()
    assert page["Location"].endswith(f"/cong-viec/ke-hoach/{plan.pk}")
    assert "2027" in plan.title
    page = browser.post(
        f"/cong-viec/ke-hoach/{plan.pk}/ban-hanh", {"number": "08/KH-SGDĐT", "adopted_on": "23/11/2026"}
    )
    assert page.status_code == 422
    assert "hôm nay hoặc trước đó" in text(page)
    browser.post(
        f"/cong-viec/ke-hoach/{plan.pk}/ban-hanh", {"number": "08/KH-SGDĐT", "adopted_on": "22/11/2026"}
    )
    plan.refresh_from_db()
    assert plan.state == Plan.State.IN_FORCE
    task = plan.tasks.first()
    browser.post(f"/cong-viec/nhiem-vu/{task.pk}/giao", {"reach": "commune", "due_on": "31/01/2027"})
    assert task.duties.count() > 1
    page = browser.post(f"/cong-viec/nhiem-vu/{task.pk}/tinh-trang", {"state": "done", "outcome": ""})
    assert page.status_code == 422
    browser.post(f"/cong-viec/nhiem-vu/{task.pk}/tinh-trang", {"state": "done", "outcome": "KH 08"})
    task.refresh_from_db()
    assert task.state == Task.State.DONE


def test_a_commune_sees_its_duty_first_and_reports_it(plan, commune_officer, signed_in) -> None:
    browser = signed_in(commune_officer)
    duty = Duty.objects.get(unit_code="00004")
    home = text(browser.get("/cong-viec"))
    assert "Việc được giao cho đơn vị" in home
    assert f"/cong-viec/viec-giao/{duty.pk}" in home
    page = browser.post(
        f"/cong-viec/viec-giao/{duty.pk}", {"outcome": "Đã nộp CV 15", "done_on": "22/11/2026"}
    )
    assert page.status_code == 302
    duty.refresh_from_db()
    assert duty.state == Duty.State.DONE
    assert f"/cong-viec/viec-giao/{duty.pk}" not in text(browser.get("/cong-viec"))


def test_a_form_posted_for_another_province_is_refused(stranger, signed_in) -> None:
    page = signed_in(stranger).post(
        "/cong-viec/ke-hoach/moi",
        {"unit": "province:01", "programme": "", "year": "2027", "title": "Của người khác"},
    )
    assert page.status_code == 422
    assert not Plan.objects.exists()


def test_the_word_file_has_the_form_of_the_decree(plan, officer, signed_in) -> None:
    content = signed_in(officer).get(f"/cong-viec/ke-hoach/{plan.pk}/ke-hoach.docx").content
    document = Document(BytesIO(content))
    section = document.sections[0]
    assert section.page_width > section.page_height
    words = "\n".join(
        [paragraph.text for paragraph in document.paragraphs]
        + [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    )
    for expected in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "SỞ GIÁO DỤC VÀ ĐÀO TẠO", "Số: 05/KH-SGDĐT", "KẾ HOẠCH",
        "Căn cứ Quyết định số 468/QĐ-BGDĐT.", "Nộp danh sách", "Nơi nhận:", "Mất điện trong buổi khảo sát",
    ):  # fmt: skip
        assert expected in words, expected


def test_the_workbook_holds_days_as_days_and_only_the_readers_units(
    plan, officer, commune_officer, signed_in
) -> None:
    address = f"/cong-viec/ke-hoach/{plan.pk}/ke-hoach.xlsx"
    book = CalamineWorkbook.from_filelike(BytesIO(signed_in(officer).get(address).content))
    tasks, duties = (book.get_sheet_by_index(place).to_python() for place in (0, 1))
    assert tasks[1][5] == TODAY - 2 * DAY
    assert len(duties) == 1 + Duty.objects.count()
    own = CalamineWorkbook.from_filelike(BytesIO(signed_in(commune_officer).get(address).content))
    assert [row[2] for row in own.get_sheet_by_index(1).to_python()[1:]] == ["00004"]


def test_the_text_to_copy_names_the_late_units(plan, officer, signed_in) -> None:
    page = text(signed_in(officer).get(f"/cong-viec/ke-hoach/{plan.pk}/don-doc"))
    assert Duty.objects.get(unit_code="00004").unit_name in page
    assert "Kính đề nghị" in page


def test_ten_thousand_units_are_paged_and_take_few_queries(
    plan, officer, signed_in, django_assert_max_num_queries
) -> None:
    task = plan.tasks.last()
    rows = [
        (
            "school",
            f"0199{number:05d}",
            f"Trường {number}",
            Place(province_code="01", commune_code="00004", school_id=f"0199{number:05d}"),
        )
        for number in range(10_000)
    ]
    operations.hand_out(task=task, units=rows, due_on=TODAY, by=officer)
    browser = signed_in(officer)
    with django_assert_max_num_queries(45):
        page = browser.get(f"/cong-viec/nhiem-vu/{task.pk}?page=3")
    assert page.status_code == 200
    assert len(page.content) < 150_000
    with django_assert_max_num_queries(45):
        assert browser.get(f"/cong-viec/ke-hoach/{plan.pk}?tab=don-vi").status_code == 200


def test_the_chart_is_laid_out_in_proportion(plan) -> None:
    tasks = list(plan.tasks.all())
    chart = drawing.gantt(tasks, [(tasks[0].pk, tasks[1].pk)], TODAY)
    first, second = chart["bars"]
    days = (second.task.starts_on - first.task.starts_on).days
    per_day = (second.x - first.x) / days
    assert first.width == pytest.approx(
        per_day * ((first.task.due_on - first.task.starts_on).days + 1), abs=0.3
    )
    assert chart["today_x"] == pytest.approx(first.x + per_day * (TODAY - first.task.starts_on).days, abs=0.3)
    assert (first.shape, second.shape) == ("attention", "not_started")
    assert len(chart["arrows"]) == 1
    assert drawing.gantt([], [], TODAY) == {}


@pytest.mark.parametrize(
    ("year", "month", "n_weeks", "first"), [(2026, 11, 6, 26), (2027, 2, 4, 1), (2026, 2, 5, 26)]
)
def test_a_month_is_laid_out_in_weeks_from_monday(year, month, n_weeks, first) -> None:
    day = datetime.date(year, month, 15)
    weeks = drawing.month_weeks(year, month, [{"due_on": day, "title": "a"}])
    assert (len(weeks), weeks[0][0]["day"].day) == (n_weeks, first)
    assert all(len(week) == 7 for week in weeks)
    held = [one for week in weeks for one in week if one["entries"]]
    assert [one["day"] for one in held] == [day]
