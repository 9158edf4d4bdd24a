"""Every page through HTTP: who sees what, what is done there, what strangers and the public are told."""

from __future__ import annotations

import datetime

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from dienrong.audit.models import AuditEntry
from dienrong.capacity.models import Kind, Person, Posting
from dienrong.plans import cards
from dienrong.plans.models import Phase, PlanDocument, PlanReport, ReportCall, Target
from dienrong.plans.operations import reports as operations
from dienrong.plans.operations.reports import CallFacts, Sending
from small_capacity import SINCE, add, make_course, make_training, province, school

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registry", "project")]
A = "01000001"
HOME = "/ke-hoach-468"
PHASE = "2022-2026"
LARGEST = 150_000


def text(page) -> str:
    return page.content.decode()


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def experts(ministry) -> list[Person]:
    return [
        add(number, by=ministry, at=province("01"), kind=Kind.CORE_EXPERT, name=name)
        for number, name in ((1, "Nguyễn Thị Ánh"), (2, "Đặng Văn Đức"))
    ]


@pytest.fixture
def call(ministry) -> ReportCall:
    phase = Phase.objects.get(code=PHASE)
    facts = CallFacts(
        kind="phase", phase=phase, first_day=phase.first_day, last_day=phase.last_day,
        due_on=phase.last_day, basis="Công văn 100/BGDĐT-QLCL",
    )  # fmt: skip
    return operations.call_report(facts=facts, by=ministry)


@pytest.fixture
def report(call, officer) -> PlanReport:
    return operations.begin_report(call=call, unit=province("01"), by=officer)


def test_a_province_sees_where_it_stands_and_what_comes_next(officer, experts, call) -> None:
    page = text(signed_in(officer).get(HOME))
    for words in (
        "Cán bộ cốt cán được bồi dưỡng và cấp chứng nhận",
        "0,0%",
        "mục tiêu 100%",
        "Bước tiếp theo",
        "còn 39 ngày",
        "Lập báo cáo",
    ):
        assert words in page, words
    assert len(page.encode()) < LARGEST


def test_the_nation_sees_a_map_a_table_and_who_has_not_sent(ministry, experts, call) -> None:
    page = text(signed_in(ministry).get(HOME))
    assert "0/2 tỉnh đã gửi báo cáo." in page
    assert "Bản đồ các tỉnh" in page
    assert f"{HOME}/tinh/79" in page
    assert len(page.encode()) < LARGEST
    assert "Hồ Chí Minh" in text(signed_in(ministry).get(f"{HOME}/bao-cao/dot/{call.pk}"))


@pytest.mark.parametrize(
    ("who", "kind", "code"), [("commune_officer", "xa", "00004"), ("coordinator", "truong", A)]
)
def test_commune_and_school_see_their_own_part(request, who, kind, code, ministry) -> None:
    user = request.getfixturevalue(who)
    add(7, by=ministry, at=school(A), name="Lò Thị Mai")
    client = signed_in(user)
    page = text(client.get(HOME))
    assert "Cán bộ khảo thí của Sở" not in page
    assert client.get(f"{HOME}/{kind}/{code}").status_code == 200
    assert client.get(f"{HOME}/tinh/01").status_code == 403
    assert client.get(f"{HOME}/bao-cao").status_code == 403
    assert client.get(f"{HOME}/toan-quoc/{PHASE}/core_experts").status_code == 403


def addresses(report: PlanReport) -> list[str]:
    return [
        f"{HOME}/tinh/01",
        f"{HOME}/tinh/01/{PHASE}/core_experts",
        f"{HOME}/tinh/01/{PHASE}/core_experts/danh-sach",
        f"{HOME}/tinh/01/cach-tinh/core_experts",
        f"{HOME}/bao-cao/{report.pk}",
        f"{HOME}/bao-cao/{report.pk}/du-thao.docx",
        f"{HOME}/bao-cao/{report.pk}/ban/1",
        f"{HOME}/bao-cao/{report.pk}/ban/1.pdf",
        f"{HOME}/bao-cao/{report.pk}/ban/1/da-ky",
        f"{HOME}/bao-cao/{report.pk}/loi-van/causes",
    ]


def test_the_stranger_sees_nothing_of_another_province(
    stranger, newcomer, researcher, report, officer, visitor
) -> None:
    operations.save_text(report=report, part="causes", text="Kín", seen_version=None, by=officer)
    version = operations.send_report(report=report, sending=Sending(), by=officer)
    operations.keep_signed(version=version, name="a.pdf", content=b"%PDF-1", by=officer)
    for user in (stranger, newcomer, researcher):
        client = signed_in(user)
        for address in addresses(report):
            page = client.get(address)
            assert page.status_code == 403, address
            assert "Kín" not in text(page)
        for tail in ("luu/causes", "gui", "sua", "ban/1/da-ky"):
            assert client.post(f"{HOME}/bao-cao/{report.pk}/{tail}", {"text": "x"}).status_code == 403, tail
    for address in [HOME, f"{HOME}/van-ban", f"{HOME}/bao-cao", *addresses(report)]:
        assert visitor.get(address).status_code in (302, 403), address
    own = signed_in(officer)
    for address in addresses(report):
        assert own.get(address).status_code == 200, address


def test_a_target_page_tells_definition_readings_comparison_and_words(officer, experts) -> None:
    page = text(signed_in(officer).get(f"{HOME}/tinh/01/{PHASE}/core_experts"))
    for words in (
        "Cách tính",
        "So sánh các cách tính",
        "468/QĐ-BGDĐT",
        "Danh sách còn thiếu (2)",
        "Chưa có quyết định khác",
    ):
        assert words in page, words
    for wrong in ("wishes", "coders"):
        assert signed_in(officer).get(f"{HOME}/tinh/01/{PHASE}/{wrong}").status_code == 404
    assert signed_in(officer).get(f"{HOME}/tinh/01/1999/core_experts").status_code == 404
    assert signed_in(officer).get(f"{HOME}/nuoc/01").status_code == 404


def test_who_is_missing_is_named_sorted_and_written_into_the_log(officer, experts) -> None:
    page = text(signed_in(officer).get(f"{HOME}/tinh/01/{PHASE}/core_experts/danh-sach"))
    assert page.index("Nguyễn Thị Ánh") < page.index("Đặng Văn Đức"), "Ánh before Đức"
    entry = AuditEntry.objects.get(action="plans.people_looked_at")
    assert (entry.actor, entry.after["n"]) == (officer, 2)
    assert "Không có." in text(signed_in(officer).get(f"{HOME}/tinh/01/{PHASE}/core_experts/danh-sach?ai=co"))


def test_somebody_of_another_province_is_counted_but_not_named_there(stranger, experts, ministry) -> None:
    page = signed_in(stranger).get(f"{HOME}/tinh/79/{PHASE}/core_experts/danh-sach")
    assert page.status_code == 200
    assert "Nguyễn Thị Ánh" not in text(page)


def test_ten_thousand_people_are_paged(officer, registry) -> None:
    n = 10_000
    people = [Person(staff_code=f"X{number:06d}", full_name=f"Lò Văn {number}") for number in range(n)]
    for one in people:
        one.set_keys()
    Person.objects.bulk_create(people)
    made = Person.objects.filter(staff_code__startswith="X")
    Posting.objects.bulk_create(
        Posting(person=one, kind="core_expert", level="province", unit=province("01"), valid_from=SINCE)
        for one in made
    )
    client = signed_in(officer)
    page = client.get(f"{HOME}/tinh/01/{PHASE}/core_experts/danh-sach?page=200")
    assert page.status_code == 200
    assert "9.951–10.000" in text(page)
    assert len(page.content) < LARGEST
    home = client.get(HOME)
    assert "10.000" in text(home)
    assert len(home.content) < LARGEST


def test_a_document_stands_beside_its_targets_and_a_unit_adds_its_own(officer, stranger) -> None:
    client = signed_in(officer)
    page = text(client.get(f"{HOME}/van-ban/qd-468"))
    assert "100% cán bộ cốt cán được bồi dưỡng tập huấn" in page
    assert "Theo trích dẫn của văn bản khác" in page
    said = {
        "indicator": "coders", "phase": Phase.objects.get(code=PHASE).pk, "percent": "80", "number": "12/KH-UBND",
        "issued_on": "05/02/2026", "place": "II.2", "quote": "80% cán bộ mã hóa được cấp chứng nhận.",
    }  # fmt: skip
    assert client.post(f"{HOME}/chi-tieu/them", {**said, "percent": "180"}).status_code == 422
    assert client.post(f"{HOME}/chi-tieu/them", {**said, "issued_on": "05/02/2027"}).status_code == 422
    assert not Target.objects.filter(is_added=True).exists()
    assert client.post(f"{HOME}/chi-tieu/them", said).status_code == 302
    target = Target.objects.get(is_added=True)
    assert (float(target.share), target.document.unit.code, target.added_by) == (0.8, "01", officer)
    assert client.post(f"{HOME}/chi-tieu/them", said).status_code == 422, "twice"
    assert "Cán bộ mã hóa" in text(client.get(HOME))
    assert "Cán bộ mã hóa" not in text(signed_in(stranger).get(HOME))
    assert signed_in(stranger).get(f"{HOME}/van-ban/{target.document.code}").status_code == 403
    assert signed_in(stranger).post(f"{HOME}/chi-tieu/{target.pk}/rut", {"reason": "x"}).status_code == 403
    loaded = Target.objects.filter(is_added=False).first()
    assert client.post(f"{HOME}/chi-tieu/{loaded.pk}/rut", {"reason": "x"}).status_code == 403
    assert client.post(f"{HOME}/chi-tieu/{target.pk}/rut", {"reason": "Đã thay"}).status_code == 302
    assert "Cán bộ mã hóa" not in text(client.get(HOME))


def test_a_reading_is_set_on_its_page(officer, experts) -> None:
    client = signed_in(officer)
    address = f"{HOME}/tinh/01/cach-tinh/core_experts"
    said = {
        "option_measure": "trained",
        "option_period": "cumulative",
        "option_levels": "all",
        "reason": "Công văn 9",
    }
    assert client.post(address, {**said, "option_measure": "dreamt"}).status_code == 422
    assert client.post(address, said).status_code == 302
    page = text(client.get(f"{HOME}/tinh/01/{PHASE}/core_experts"))
    assert "Công văn 9" in page
    assert "Có: chỉ cần đã bồi dưỡng" in page


def test_from_begin_to_the_signed_copy(officer, call, ministry) -> None:
    client = signed_in(officer)
    assert "Lập báo cáo" in text(client.get(f"{HOME}/bao-cao"))
    client.post(f"{HOME}/bao-cao/dot/{call.pk}/lap")
    report = PlanReport.objects.get()
    address = f"{HOME}/bao-cao/{report.pk}"
    page = text(client.get(address))
    assert "Phần lời của đơn vị" in page
    assert len(page.encode()) < LARGEST
    saved = client.post(
        f"{address}/luu/causes",
        {"text": "Kinh phí giao muộn.", "version": "0"},
        headers={"HX-Request": "true"},
    )
    assert "đã lưu" in text(saved)
    clash = signed_in(ministry).post(
        f"{address}/luu/causes", {"text": "Khác", "version": "0"}, headers={"HX-Request": "true"}
    )
    assert "Trần Văn Đức" in text(clash)
    assert (
        client.post(
            f"{address}/luu/causes", {"text": "Kinh phí giao muộn, thiếu.", "version": "1"}
        ).status_code
        == 302
    )
    assert "Kinh phí giao muộn, thiếu." in text(client.get(f"{address}/loi-van/causes"))
    for ending in ("docx", "pdf", "xlsx"):
        assert client.get(f"{address}/du-thao.{ending}").status_code == 200
    assert client.post(f"{address}/gui", {"number": "5", "signed_on": "31/02/2026"}).status_code == 422
    assert client.post(f"{address}/gui", {"number": "5", "signed_on": "22/11/2026"}).status_code == 302
    assert "Đã gửi" in text(client.get(address))
    assert "Khớp" in text(client.get(f"{address}/ban/1"))
    scan = SimpleUploadedFile("ký.pdf", b"%PDF-1.7", content_type="application/pdf")
    assert client.post(f"{address}/ban/1/da-ky", {"file": scan}).status_code == 302
    assert client.get(f"{address}/ban/1/da-ky").content == b"%PDF-1.7"
    wrong = SimpleUploadedFile("ký.pdf", b"PK", content_type="application/pdf")
    assert "PDF" in text(client.post(f"{address}/ban/1/da-ky", {"file": wrong}, follow=True))
    assert client.post(f"{address}/sua", {"reason": "Bổ sung"}).status_code == 302
    assert client.post(f"{address}/gui", {"number": ""}).status_code == 422, "a correction says why"
    assert client.post(f"{address}/gui", {"number": "", "reason": "Bổ sung"}).status_code == 302
    assert "Không có số liệu thay đổi." in text(client.get(f"{address}/ban/2"))


def test_the_ministry_asks_and_reminds(ministry, officer, registry) -> None:
    client = signed_in(ministry)
    said = {
        "kind": "year", "phase": Phase.objects.get(code=PHASE).pk, "first_day": "01/01/2026", "last_day": "31/12/2026",
        "due_on": "15/12/2026", "basis": "Công văn 7",
    }  # fmt: skip
    assert client.post(f"{HOME}/bao-cao/mo", {**said, "last_day": "31/12/2025"}).status_code == 422
    assert client.post(f"{HOME}/bao-cao/mo", said).status_code == 302
    call = ReportCall.objects.get()
    form = text(client.get(f"{HOME}/bao-cao/dot/{call.pk}/nhac/01"))
    assert "Kính đề nghị Sở Giáo dục và Đào tạo Thành phố Hà Nội" in form
    assert client.post(f"{HOME}/bao-cao/dot/{call.pk}/nhac/01", {"text": "Nhắc gửi."}).status_code == 302
    assert "Nhắc gửi." in text(signed_in(officer).get(f"{HOME}/bao-cao"))
    assert signed_in(officer).get(f"{HOME}/bao-cao/dot/{call.pk}").status_code == 403
    assert client.get(f"{HOME}/bao-cao/dot/{call.pk}/nhac/98").status_code == 404


def test_the_board_has_a_card_for_each(ministry, officer, commune_officer, coordinator, call, cycle) -> None:
    course = make_course(officer)
    make_training(course, officer, organizer=province("01"))
    add(7, by=ministry, at=school(A), name="Lò Thị Mai")
    assert [card.title for card in cards.cards(officer, cycle)] == ["Gửi báo cáo: Báo cáo giai đoạn"]
    assert "2" in next(iter(cards.cards(ministry, cycle))).number
    for user in (commune_officer, coordinator):
        for card in cards.target_cards(user):
            assert card.url
            assert card.button
    assert list(cards.cards(AnonymousUser(), cycle)) == []


def test_the_head_of_reports_is_changed(officer) -> None:
    client = signed_in(officer)
    page = text(client.get(f"{HOME}/bao-cao/the-thuc"))
    assert "BC-SGDĐT" in page
    said = {
        "parent_agency": "", "agency": "Sở GDĐT", "symbol": "BC-SGDĐT", "place": "Hà Nội", "addressees": "A\nB",
        "bases": "Căn cứ 1", "authority": "Giám đốc", "signer": "", "recipients": "Như trên\nLưu: VT",
    }  # fmt: skip
    assert client.post(f"{HOME}/bao-cao/the-thuc", {**said, "agency": ""}).status_code == 422
    assert client.post(f"{HOME}/bao-cao/the-thuc", said).status_code == 302


def test_before_anything_is_loaded_the_page_says_what_to_do(db, officer) -> None:
    PlanDocument.objects.all().delete()
    Phase.objects.all().delete()
    page = signed_in(officer).get(HOME)
    assert page.status_code == 200
    assert "Chưa nạp mục tiêu" in text(page)


def test_yesterday_is_shown_as_of_its_day(officer, experts) -> None:
    page = text(signed_in(officer).get(f"{HOME}?ngay=01/01/2026"))
    assert "chưa có người thuộc diện tính" in page
    assert datetime.date(2026, 1, 1) < SINCE
