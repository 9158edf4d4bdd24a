"""Each person sees the data quality of their own units, and what to do next; strangers see nothing."""

from __future__ import annotations

import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook

from dienrong.audit.models import AuditEntry
from dienrong.jobs.models import Job
from dienrong.registry.models import School, SchoolEnrolment
from dienrong.scorecard import operations
from dienrong.scorecard.models import Finding, OfficialTotal, Reminder

from .conftest import DUC_THANG, HOA_BINH, NGUYEN_TRAI, SOUTH, YEAR

pytestmark = pytest.mark.django_db
ROOT = "/chat-luong-du-lieu"
PROVINCE, COMMUNE, SCHOOL = f"{ROOT}/tinh/01", f"{ROOT}/xa/00004", f"{ROOT}/truong/{HOA_BINH}"


def sheets(answer) -> list[list[list]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    return [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]


@pytest.fixture
def checked(good):
    """Four schools, two of them with something to mend, one not confirmed."""
    School.objects.filter(school_id=HOA_BINH).update(phone="12", confirmed_at=None)
    SchoolEnrolment.objects.filter(school=good[HOA_BINH], school_year=YEAR, grade=1).update(n_classes=0)
    School.objects.filter(school_id=SOUTH).update(email="")
    operations.check_nation()
    return good


def test_everyone_lands_on_the_page_of_their_unit(
    checked, signed_in, ministry, officer, commune_officer, coordinator, stranger
) -> None:
    def landing(person) -> str:
        return signed_in(person).get(ROOT).headers.get("Location", ROOT)

    assert landing(ministry) == ROOT
    assert landing(officer) == PROVINCE
    assert landing(commune_officer) == COMMUNE
    assert landing(coordinator) == SCHOOL
    assert landing(stranger) == f"{ROOT}/tinh/79"


def test_who_sees_which_page(
    checked,
    signed_in,
    visitor,
    ministry,
    officer,
    commune_officer,
    coordinator,
    stranger,
    researcher,
    newcomer,
) -> None:
    pages = {
        PROVINCE: {ministry, officer},
        f"{PROVINCE}/loi.xlsx": {ministry, officer},
        f"{PROVINCE}?tab=xa": {ministry, officer},
        COMMUNE: {ministry, officer, commune_officer},
        f"{COMMUNE}/loi.xlsx": {ministry, officer, commune_officer},
        SCHOOL: {ministry, officer, commune_officer, coordinator},
        f"{ROOT}/truong/{NGUYEN_TRAI}": {ministry, officer, commune_officer},
        f"{ROOT}/truong/{SOUTH}": {ministry, stranger},
        f"{ROOT}/cac-tinh.xlsx": {ministry},
        f"{ROOT}/so-chinh-thuc": {ministry, officer, stranger},
        f"{ROOT}/quy-tac": {ministry, officer, commune_officer, coordinator, stranger},
    }
    for address, allowed in pages.items():
        for person in (ministry, officer, commune_officer, coordinator, stranger, researcher, newcomer):
            status = signed_in(person).get(address).status_code
            assert status == (200 if person in allowed else 403), (address, person.username)
        assert visitor.get(address).headers["Location"].startswith("/dang-nhap?next=")


def test_what_is_not_there_is_not_told_to_strangers(checked, signed_in, ministry, stranger) -> None:
    for address in (f"{ROOT}/tinh/99", f"{ROOT}/xa/99999", f"{ROOT}/truong/99999999"):
        assert signed_in(ministry).get(address).status_code == 404
        assert signed_in(stranger).get(address).status_code == 403
    assert signed_in(ministry).get(f"{ROOT}/quy-tac/khong-co").status_code == 404


@pytest.mark.parametrize("what", ["xac-nhan", "kiem-tra", "da-nhac"])
def test_strangers_change_nothing(checked, signed_in, visitor, stranger, researcher, newcomer, what) -> None:
    address = f"{ROOT}/truong/{NGUYEN_TRAI}/{what}"
    for person in (stranger, researcher, newcomer):
        assert signed_in(person).post(address).status_code == 403
    assert visitor.post(address).status_code == 302
    assert not Reminder.objects.exists()
    assert School.objects.get(school_id=NGUYEN_TRAI).confirmed_by is None
    assert not AuditEntry.objects.filter(action__startswith="scorecard.school").exists()


def test_the_ministry_sees_a_map_and_the_worst_first(checked, signed_in, ministry) -> None:
    page = signed_in(ministry).get(ROOT)
    html = page.content.decode()
    assert "Dữ liệu cần quan tâm nhất ở Hà Nội" in html
    assert [row["unit"].code for row in page.context["rows"]] == ["01", "79"]
    assert html.count('<a href="/chat-luong-du-lieu/tinh/') >= 4
    assert 'class="tile-map"' in html
    (rows,) = sheets(signed_in(ministry).get(f"{ROOT}/cac-tinh.xlsx"))
    assert [row[0] for row in rows[2:]] == ["01", "79"]


def test_before_the_first_check_nothing_is_called_good(
    good, signed_in, ministry, officer, coordinator
) -> None:
    html = signed_in(ministry).get(ROOT).content.decode()
    assert "Chưa có điểm" in html
    assert "100,0" not in html
    assert "chưa tính được" in html
    assert "Chưa kiểm tra" in signed_in(officer).get(PROVINCE).content.decode()
    assert "Chưa kiểm tra" in signed_in(coordinator).get(SCHOOL).content.decode()


def test_only_the_ministry_asks_for_a_check_of_the_country(checked, signed_in, ministry, officer) -> None:
    assert signed_in(officer).post(f"{ROOT}/kiem-tra").status_code == 403
    assert not Job.objects.exists()
    assert signed_in(ministry).post(f"{ROOT}/kiem-tra").status_code == 302
    assert Job.objects.get().kind == "scorecard.check_nation"


def test_the_province_nudges_the_worst_first_and_filters(checked, signed_in, officer) -> None:
    browser = signed_in(officer)

    def listed(query: str = "") -> list[str]:
        return [
            row["school"].school_id for row in browser.get(f"{PROVINCE}?tab=truong&{query}").context["rows"]
        ]

    assert listed() == [HOA_BINH]
    School.objects.filter(school_id=DUC_THANG).update(address="")
    operations.check_schools(school_keys=[checked[DUC_THANG].pk])
    assert listed() == [HOA_BINH, DUC_THANG]
    assert listed("commune=00008") == [DUC_THANG]
    assert listed("dimension=clean") == [HOA_BINH]
    assert listed("rule=address_missing") == [DUC_THANG]
    assert listed("text=duc+thang") == [DUC_THANG]
    assert listed("rule=email_missing") == []
    assert "Không có trường nào phù hợp" in browser.get(f"{PROVINCE}?rule=email_missing").content.decode()


def test_the_message_is_formal_and_names_no_child(checked, signed_in, officer) -> None:
    message = signed_in(officer).get(PROVINCE).context["rows"][0]["message"]
    assert message.startswith("Kính gửi Trường TH Hòa Bình,")
    assert "- Khối 1 có 101 học sinh nhưng 0 lớp." in message
    assert f"http://testserver{SCHOOL}" in message
    assert "Trân trọng cảm ơn" in message


def test_a_reminder_is_kept_and_shown(checked, signed_in, commune_officer, coordinator) -> None:
    address = f"{SCHOOL}/da-nhac"
    assert signed_in(coordinator).post(address).status_code == 403
    answer = signed_in(commune_officer).post(address, {"back": COMMUNE})
    assert answer.headers["Location"] == COMMUNE
    kept = Reminder.objects.get()
    assert (kept.school.school_id, kept.sent_by, kept.n_errors) == (HOA_BINH, commune_officer, 1)
    assert "đã nhắc ngày 22/11/2026" in signed_in(commune_officer).get(COMMUNE).content.decode()
    assert AuditEntry.objects.filter(action="scorecard.school_reminded").count() == 1
    outside = signed_in(commune_officer).post(address, {"back": "//la.example/x"})
    assert outside.headers["Location"] == COMMUNE


def test_the_commune_says_first_what_is_left(checked, signed_in, commune_officer) -> None:
    html = signed_in(commune_officer).get(COMMUNE).content.decode()
    assert "Còn 1 trường chưa xác nhận dữ liệu" in html
    assert html.index("Trường TH Hòa Bình") < html.index("Trường TH Nguyễn Trãi")
    assert html.count("Nhắc trường") == 1
    assert "Đã xác nhận ngày 05/10/2026" in html
    assert "Đức Thắng" not in html


def test_a_school_sees_what_is_missing_and_cannot_confirm_errors(checked, signed_in, coordinator) -> None:
    browser = signed_in(coordinator)
    page = browser.get(SCHOOL)
    html = page.content.decode()
    assert "Khối 1 có 101 học sinh nhưng 0 lớp." in html
    assert "Nhập số lớp." in html
    assert [row["finding"].rule for row in page.context["findings"]] == [
        "pupils_without_classes",
        "not_confirmed",
        "phone_malformed",
    ]
    refused = browser.post(f"{SCHOOL}/xac-nhan")
    assert refused.status_code == 409
    assert "Còn 1 lỗi chưa sửa" in refused.content.decode()
    assert School.objects.get(school_id=HOA_BINH).confirmed_at is None


def test_a_school_confirms_and_the_findings_close(checked, signed_in, coordinator) -> None:
    SchoolEnrolment.objects.filter(school=checked[HOA_BINH], grade=1).update(n_classes=3)
    browser = signed_in(coordinator)
    assert browser.post(f"{SCHOOL}/xac-nhan").status_code == 302
    kept = School.objects.get(school_id=HOA_BINH)
    assert (kept.confirmed_by, kept.confirmed_at is not None) == (coordinator, True)
    assert AuditEntry.objects.get(action="scorecard.school_confirmed").actor == coordinator
    assert list(Finding.objects.filter(school=kept, is_open=True).values_list("rule", flat=True)) == [
        "phone_malformed"
    ]
    html = browser.get(SCHOOL).content.decode()
    assert "Đã xác nhận ngày 22/11/2026" in html
    assert "Giàng A Páo" in html


def test_the_file_of_errors_names_school_cell_and_way_out(checked, signed_in, officer) -> None:
    rows, summary = sheets(signed_in(officer).get(f"{PROVINCE}/loi.xlsx"))
    assert {row[1] for row in rows[2:]} == {HOA_BINH}
    row = next(row for row in rows[2:] if row[3] == "Lỗi")
    assert row[2] == "Trường TH Hòa Bình"
    assert row[5] == "Khối 1 · Số lớp"
    assert row[7:9] == ["Khối 1 có 101 học sinh nhưng 0 lớp.", "Nhập số lớp."]
    assert [row[0] for row in summary[2:]] == ["Phường Ba Đình", "Phường Ngọc Hà"]


def test_rules_count_the_findings_of_the_persons_units_alone(
    checked, signed_in, ministry, officer, stranger, coordinator
) -> None:
    def count(person, rule: str) -> int:
        groups = signed_in(person).get(f"{ROOT}/quy-tac").context["groups"]
        return next(row["count"] for group in groups for row in group["rules"] if row["rule"].id == rule)

    assert [count(person, "phone_malformed") for person in (ministry, officer, stranger, coordinator)] == [
        1,
        1,
        0,
        1,
    ]
    assert [count(person, "email_missing") for person in (ministry, officer, stranger, coordinator)] == [
        1,
        0,
        1,
        0,
    ]
    html = signed_in(stranger).get(f"{ROOT}/quy-tac/phone_malformed").content.decode()
    assert "Hòa Bình" not in html
    assert "Hòa Bình" in signed_in(officer).get(f"{ROOT}/quy-tac/phone_malformed").content.decode()


def test_official_totals_are_pasted_edited_and_removed(checked, signed_in, officer, stranger) -> None:
    address = f"{ROOT}/so-chinh-thuc"
    browser = signed_in(officer)
    lines = f"01\t{YEAR}\tTH\t2\t1.030\n1;{YEAR};THCS;;430\n"
    assert browser.post(address, {"what": "lines", "lines": lines, "source": "Đầu năm"}).status_code == 302
    assert sorted(OfficialTotal.objects.values_list("part", "n_schools", "n_students")) == [
        ("TH", 2, 1030),
        ("THCS", None, 430),
    ]
    bad = browser.post(
        address, {"what": "lines", "lines": f"79\t{YEAR}\tTH\t2\t10\n01\t2026\tTH\t1\t5", "source": "x"}
    )
    assert bad.status_code == 422
    assert "dòng 1" in bad.content.decode()
    assert "dòng 2" in bad.content.decode()
    one = {
        "what": "one",
        "province_code": "01",
        "school_year": YEAR,
        "part": "TH",
        "n_students": 9,
        "source": "x",
    }
    assert browser.post(address, one).status_code == 302
    assert Finding.objects.filter(rule="total_far_off", is_open=True).count() == 1
    html = browser.get(f"{PROVINCE}?tab=tinh").content.decode()
    assert "9" in html
    assert browser.post(address, {**one, "province_code": "79"}).status_code == 422
    kept = OfficialTotal.objects.get(part="TH")
    assert signed_in(stranger).post(f"{address}/{kept.pk}/xoa").status_code == 403
    assert "1.030" not in signed_in(stranger).get(address).content.decode()
    assert browser.post(f"{address}/{kept.pk}/xoa").status_code == 302
    assert OfficialTotal.objects.count() == 1
    assert {entry.action for entry in AuditEntry.objects.filter(object_kind="scorecard.officialtotal")} == {
        "scorecard.totals_written",
        "scorecard.total_removed",
    }


def make_many(good, n: int) -> None:
    model = good[NGUYEN_TRAI]
    rows = []
    for at in range(n):
        one = School.objects.get(pk=model.pk)
        one.pk, one.school_id, one.name = None, f"2{at:07d}", f"Trường TH số {at}"
        one.phone = "12"
        rows.append(one)
    School.objects.bulk_create(rows)
    operations.check_nation()


def test_lists_take_as_many_queries_for_four_hundred_schools(
    checked, bare_shell, signed_in, ministry, officer, commune_officer
) -> None:
    addresses = [
        (ministry, ROOT),
        (officer, PROVINCE),
        (officer, f"{PROVINCE}?tab=xa"),
        (commune_officer, COMMUNE),
        (ministry, f"{ROOT}/quy-tac"),
        (ministry, f"{ROOT}/quy-tac/phone_malformed"),
        (officer, f"{PROVINCE}/loi.xlsx"),
    ]

    def counts() -> list[int]:
        found = []
        for person, address in addresses:
            browser = signed_in(person)
            browser.get(address)
            with CaptureQueriesContext(connection) as asked:
                assert browser.get(address).status_code == 200
            found.append(len(asked))
        return found

    few = counts()
    make_many(checked, 400)
    assert counts() == few
    assert max(few) <= 20


def test_pages_speak_english_wholly(checked, signed_in, ministry, officer, coordinator) -> None:
    for person, address in (
        (ministry, ROOT),
        (officer, PROVINCE),
        (coordinator, SCHOOL),
        (officer, f"{ROOT}/quy-tac"),
        (officer, f"{ROOT}/so-chinh-thuc"),
    ):
        browser = signed_in(person)
        browser.cookies["dienrong_language"] = "en"
        main = browser.get(address).content.decode().split("<main")[1]
        for word in ("Điểm", "Lỗi", "Xác nhận", "Chưa"):
            assert word not in main, (address, word)
