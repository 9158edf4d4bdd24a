"""Each person sees the lists of their own units; names only where the role opens them, for a reason."""

from __future__ import annotations

import datetime
import re
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook

from dienrong.audit.models import AuditEntry
from dienrong.core import clock
from dienrong.jobs.models import Job
from dienrong.registry import operations as registry_operations
from dienrong.rosters.models import Consent, Purpose, Student, StudentPlace, VaultAccess, VaultEntry
from small_cycle import SCHOOLS, nation, school_row
from small_rosters import DUC_THANG, HOA_BINH, NGUYEN_TRAI, SOUTH, YEAR, pupil, teacher, write, write_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registry")]
LIST = f"/danh-sach/{HOA_BINH}"
NAME = "Nguyễn Thị Ánh"
ROW = {
    "student_code": "0100000077",
    "full_name": "Vừ A Dính",
    "birth_date": "2016-05-01",
    "sex": "male",
    "grade": "5",
    "class_name": "5 c",
}


@pytest.fixture
def study_id() -> str:
    """The study id of one pupil of the first school; there are a second pupil and two of the staff."""
    first = write([pupil(1), pupil(2, "Lê Bình", class_name="5B")])[0].key
    write_staff([teacher(1), teacher(2, "Mai Thị Hoa", role="manager", position="Hiệu trưởng", sex="male")])
    return first


def opened(browser, reason: str = "check_list"):
    """Open the names of the first school in a browser."""
    assert browser.post(f"{LIST}/ho-ten", {"reason": reason}).status_code == 302
    return browser


def text(page) -> str:
    return page.content.decode()


def cells(page) -> list[list[str]]:
    sheet = CalamineWorkbook.from_filelike(BytesIO(page.content)).get_sheet_by_index(0)
    return [[str(cell) for cell in row] for row in sheet.to_python()]


def test_everyone_sees_the_schools_of_their_units_alone(
    study_id, signed_in, ministry, officer, commune_officer, coordinator, stranger
) -> None:
    expected = {
        ministry: {HOA_BINH, NGUYEN_TRAI, DUC_THANG, SOUTH},
        officer: {HOA_BINH, NGUYEN_TRAI, DUC_THANG},
        commune_officer: {HOA_BINH, NGUYEN_TRAI},
        stranger: {SOUTH},
    }
    for person, codes in expected.items():
        page = signed_in(person).get("/danh-sach")
        assert {school.school_id for school in page.context["page"].object_list} == codes, person.username
        for code in (HOA_BINH, NGUYEN_TRAI, DUC_THANG, SOUTH):
            status = signed_in(person).get(f"/danh-sach/{code}").status_code
            assert status == (200 if code in codes else 403), (person.username, code)
    assert signed_in(coordinator).get("/danh-sach").headers["Location"] == LIST
    assert signed_in(coordinator).get(f"/danh-sach/{NGUYEN_TRAI}").status_code == 403


def test_the_list_counts_and_names_the_schools_that_wait(study_id, signed_in, officer) -> None:
    browser = signed_in(officer)
    page = browser.get("/danh-sach")
    row = next(school for school in page.context["page"].object_list if school.school_id == HOA_BINH)
    assert (row.n_classes, row.n_students, row.n_teachers, row.n_managers) == (2, 2, 1, 1)
    assert "Còn 2 trường chưa có danh sách học sinh năm học 2026-2027" in text(page)
    missing = browser.get("/danh-sach?state=missing")
    assert {school.school_id for school in missing.context["page"].object_list} == {NGUYEN_TRAI, DUC_THANG}
    found = browser.get("/danh-sach?q=hoa+binh")
    assert {school.school_id for school in found.context["page"].object_list} == {HOA_BINH}
    assert "Không tìm thấy trường" in text(browser.get("/danh-sach?q=khong+co"))
    assert "Còn 3 trường" in text(browser.get("/danh-sach?year=2025-2026"))


GETS = (
    "/danh-sach",
    "/danh-sach/bao-ve-du-lieu",
    "/danh-sach/bao-ve-du-lieu/luot-xem",
    "/danh-sach/bao-ve-du-lieu/student-lists",
    LIST,
    f"{LIST}?tab=teachers",
    f"{LIST}?tab=accesses",
    f"{LIST}/excel",
    f"{LIST}/them-hoc-sinh",
    "/danh-sach/nguoi/STUDY",
)
POSTS = (
    "/danh-sach/bao-ve-du-lieu/xoa-het-han",
    "/danh-sach/bao-ve-du-lieu/student-lists",
    LIST,
    f"{LIST}/ho-ten",
    f"{LIST}/excel",
    f"{LIST}/them-hoc-sinh",
    "/danh-sach/nguoi/STUDY/lop/PLACE",
    "/danh-sach/nguoi/STUDY/dinh-danh",
    "/danh-sach/nguoi/STUDY/xoa-dinh-danh",
    "/danh-sach/nguoi/STUDY/dong-y",
    "/danh-sach/nguoi/STUDY/dong-y/CONSENT",
)
OWN_FOR_ANY_OFFICER = {"/danh-sach", "/danh-sach/bao-ve-du-lieu", "/danh-sach/bao-ve-du-lieu/luot-xem"}


def filled(address: str, study_id: str) -> str:
    place = StudentPlace.objects.get(student=study_id).pk
    consent = Consent.objects.get_or_create(
        study_id=study_id,
        defaults={
            "purpose": Purpose.objects.first(),
            "given_by": "self",
            "given_on": datetime.date(2026, 9, 1),
        },
    )[0]
    return address.replace("STUDY", study_id).replace("PLACE", str(place)).replace("CONSENT", str(consent.pk))


def state():
    return [list(model.objects.order_by("pk").values()) for model in (Student, StudentPlace, Consent)] + [
        VaultEntry.objects.count(),
        VaultAccess.objects.count(),
        Job.objects.count(),
        list(Purpose.objects.order_by("pk").values()),
    ]


def test_strangers_get_no_page_and_change_nothing(
    study_id, signed_in, visitor, stranger, researcher, newcomer
) -> None:
    write([pupil(9, "Võ Thị Nam", school_id=SOUTH)])
    filled("", study_id)
    before = state()
    data = {**ROW, "reason": "request", "q": "anh", "9-grade": 5}
    for person in (stranger, researcher, newcomer, None):
        browser = visitor if person is None else signed_in(person)
        for address in GETS:
            page = browser.get(filled(address, study_id))
            own = person is stranger and address in OWN_FOR_ANY_OFFICER
            expected = 302 if person is None else (200 if own else 403)
            assert page.status_code == expected, (person, address)
            assert study_id not in text(page).replace(f"/nguoi/{study_id}", "")
            assert "Trường TH Hòa Bình" not in text(page)
        for address in POSTS:
            if person is stranger and address.endswith("xoa-het-han"):
                continue
            page = browser.post(filled(address, study_id), data)
            assert page.status_code == (302 if person is None else 403), (person, address)
            if person is None:
                assert page.headers["Location"].startswith("/dang-nhap")
    assert state() == before


def test_the_ministry_and_the_commune_see_study_ids_and_no_names(
    study_id, signed_in, ministry, commune_officer
) -> None:
    for person in (ministry, commune_officer):
        browser = signed_in(person)
        for address in (LIST, f"{LIST}?tab=teachers", f"{LIST}?tab=managers", f"/danh-sach/nguoi/{study_id}"):
            page = text(browser.get(address))
            assert "Ánh" not in page
            assert "Đức" not in page
            assert "0100000001" not in page
        assert study_id in text(browser.get(LIST))
        assert "Hiện họ tên" not in text(browser.get(LIST))
        for address in (f"{LIST}/ho-ten", f"{LIST}/excel"):
            assert browser.post(address, {"reason": "check_list"}).status_code == 403
        session = browser.session
        session["rosters_names"] = {"school": 1, "reason": "check_list", "until": "2099-01-01T00:00:00+00:00"}
        session.save()
        assert "Ánh" not in text(browser.get(LIST))
    assert not VaultAccess.objects.exists()


def test_names_open_for_a_reason_and_every_page_is_written_down(study_id, signed_in, coordinator) -> None:
    browser = signed_in(coordinator)
    assert NAME not in text(browser.get(LIST))
    assert browser.post(f"{LIST}/ho-ten", {"reason": "because"}).status_code == 422
    opened(browser)
    page = text(browser.get(LIST))
    assert NAME in page
    assert "05/03/2016" in page
    assert page.index("Ánh") < page.index("Lê Bình")
    assert [access.n_entries for access in VaultAccess.objects.all()] == [2]
    assert "Trần Văn Đức" in text(browser.get(f"{LIST}?tab=teachers"))
    assert "Mai Thị Hoa" in text(browser.get(f"{LIST}?tab=managers"))
    assert NAME in text(browser.get(f"/danh-sach/nguoi/{study_id}"))
    actions = list(VaultAccess.objects.order_by("pk").values_list("action", "n_entries"))
    assert actions == [("list_shown", 2), ("list_shown", 1), ("list_shown", 1), ("person_shown", 1)]
    accesses = text(browser.get(f"{LIST}?tab=accesses"))
    assert "Giàng A Páo" in accesses
    assert "Đối chiếu danh sách lớp" in accesses
    browser.post(f"{LIST}/ho-ten", {"close": "1"})
    assert NAME not in text(browser.get(LIST))


def test_names_close_by_themselves_after_half_an_hour(study_id, signed_in, coordinator) -> None:
    browser = opened(signed_in(coordinator))
    with clock.fixed(clock.now() + datetime.timedelta(minutes=29)):
        assert NAME in text(browser.get(LIST))
    with clock.fixed(clock.now() + datetime.timedelta(minutes=30)):
        assert NAME not in text(browser.get(LIST))


def test_names_of_one_school_open_no_other(study_id, signed_in, officer) -> None:
    write([pupil(8, "Đỗ Thị Tươi", school_id=NGUYEN_TRAI)])
    browser = opened(signed_in(officer))
    assert "Tươi" not in text(browser.get(f"/danh-sach/{NGUYEN_TRAI}"))


def test_search_by_name_knows_no_marks_and_puts_no_name_in_an_address(
    study_id, signed_in, coordinator
) -> None:
    browser = opened(signed_in(coordinator))
    page = text(browser.post(LIST, {"q": "anh nguyen"}))
    assert NAME in page
    assert "Lê Bình" not in page
    assert not re.search(r'href="[^"]*(?:anh|nguyen)', page.lower().replace("danh-sach", ""))
    assert "Lê Bình" in text(browser.post(LIST, {"q": "0100000002"}))
    assert "Không tìm thấy ai" in text(browser.post(LIST, {"q": "zzz"}))
    assert VaultAccess.objects.filter(action="searched").count() == 3


def test_a_class_is_listed_alone(study_id, signed_in, coordinator) -> None:
    browser = opened(signed_in(coordinator))
    page = text(browser.get(f"{LIST}?class=5B"))
    assert "Lê Bình" in page
    assert NAME not in page


def test_people_are_sorted_by_given_name_and_those_without_identity_stand_last(
    signed_in, coordinator
) -> None:
    names = ["Trần Văn Đông", "Trần An Bình", "Lê Bình", "Vũ Dũng", "Ngô Thị Ấm"]
    written = write([pupil(n, name) for n, name in enumerate(names)])
    VaultEntry.objects.filter(study_id=written[0].key).delete()
    page = text(opened(signed_in(coordinator)).get(LIST))
    found = re.findall(r"(Trần An Bình|Lê Bình|Vũ Dũng|Ngô Thị Ấm|" + written[0].key + r")</", page)
    assert found[:4] == ["Ngô Thị Ấm", "Lê Bình", "Trần An Bình", "Vũ Dũng"]
    assert "đã xóa thông tin định danh" in page


def test_excel_with_names_is_written_down_and_without_is_not(
    study_id, signed_in, coordinator, ministry
) -> None:
    bare = signed_in(ministry).get(f"{LIST}/excel?class=5A")
    assert cells(bare)[2] == ["STT", "Mã nghiên cứu", "Năm sinh", "Giới tính", "Khối", "Lớp", "Trạng thái"]
    assert cells(bare)[3][1] == study_id
    assert not VaultAccess.objects.exists()
    browser = signed_in(coordinator)
    assert browser.post(f"{LIST}/excel").status_code == 422
    full = browser.post(f"{LIST}/excel?class=5A", {"reason": "inspection"})
    assert cells(full)[3][1:] == [study_id, NAME, "05/03/2016", "0100000001", "Nữ", "5.0", "5A", "Đang học"]
    assert "no-store" in full.headers["Cache-Control"]
    assert "students-01000001-5A-2026-2027.xlsx" in full.headers["Content-Disposition"]
    assert VaultAccess.objects.get().action == "exported"
    staff = browser.post(f"{LIST}/excel?tab=teachers", {"reason": "inspection"})
    assert cells(staff)[3][2] == "Trần Văn Đức"


def test_a_pupil_is_added(signed_in, coordinator) -> None:
    browser = signed_in(coordinator)
    page = browser.post(f"{LIST}/them-hoc-sinh", {**ROW, "has_special_needs": "on"})
    student = Student.objects.get()
    assert page.headers["Location"] == f"/danh-sach/nguoi/{student.study_id}"
    assert student.has_special_needs
    assert student.places.get().class_name == "5C"
    again = browser.post(f"{LIST}/them-hoc-sinh", ROW)
    assert "đã có trong danh sách của trường" in text(again)
    wrong = browser.post(f"{LIST}/them-hoc-sinh", {**ROW, "student_code": "0100000078", "grade": "9"})
    assert "không dạy khối lớp này" in text(wrong)
    assert Student.objects.count() == 1
    assert "Dính" not in str(list(AuditEntry.objects.values()))


def test_a_pupil_who_comes_from_another_school_is_taken_over(signed_in, coordinator) -> None:
    study_id = write(
        [pupil(77, "Vừ A Dính", school_id=SOUTH, birth_date="2016-05-01", sex="male", personal_id=None)]
    )
    page = signed_in(coordinator).post(f"{LIST}/them-hoc-sinh", ROW, follow=True)
    assert "ở trường cũ, học sinh được ghi là chuyển đi" in text(page)
    places = dict(StudentPlace.objects.values_list("school__school_id", "status"))
    assert places == {SOUTH: "moved", HOA_BINH: "studying"}
    assert Student.objects.get().study_id == study_id[0].key
    assert "Trường TH Hoà Bình" not in text(page)


def change(browser, study_id, **values):
    place = StudentPlace.objects.filter(student=study_id).first()
    data = {"grade": 5, "class_name": "5A", "status": "studying", "on_date": "2026-11-20"} | values
    data = {f"{place.pk}-{name}": value for name, value in data.items()}
    return browser.post(f"/danh-sach/nguoi/{study_id}/lop/{place.pk}", data)


def test_class_and_state_of_a_pupil_are_changed(study_id, signed_in, coordinator) -> None:
    browser = signed_in(coordinator)
    assert change(browser, study_id, class_name="5 d").status_code == 302
    assert change(browser, study_id, class_name="5D", status="moved").status_code == 302
    place = StudentPlace.objects.get(student=study_id)
    assert (place.class_name, place.status, place.until) == ("5D", "moved", datetime.date(2026, 11, 20))
    entries = AuditEntry.objects.filter(action="rosters.place_changed")
    assert [entry.object_id for entry in entries] == [study_id, study_id]
    assert "không dạy khối lớp này" in text(change(browser, study_id, grade=7))
    assert "trong tương lai" in text(change(browser, study_id, on_date="2026-12-01"))
    assert change(browser, study_id, class_name="5D", status="studying").status_code == 302
    write([pupil(1, school_id=SOUTH)])
    refused = change(browser, study_id, class_name="5D", status="studying")
    assert refused.status_code == 409
    assert "đang học ở trường khác" in text(refused)


def test_an_identity_is_corrected_on_the_page(study_id, signed_in, coordinator) -> None:
    browser = opened(signed_in(coordinator))
    address = f"/danh-sach/nguoi/{study_id}/dinh-danh"
    data = {
        "full_name": "Nguyễn Thị Anh",
        "birth_date": "2016-03-05",
        "sex": "female",
        "personal_id": "001316000001",
        "ethnicity": "02",
    }
    assert browser.post(address, data).status_code == 302
    assert "Nguyễn Thị Anh" in text(browser.get(LIST))
    assert Student.objects.get(study_id=study_id).is_minority
    wrong = browser.post(address, {**data, "personal_id": "001316000002"})
    assert "đã thuộc về người khác" in text(wrong)
    wrong = browser.post(address, {**data, "sex": "male"})
    assert "Theo số định danh" in text(wrong)


def test_the_province_deletes_an_identity_and_the_page_says_so(
    study_id, signed_in, officer, coordinator
) -> None:
    address = f"/danh-sach/nguoi/{study_id}"
    assert "Xóa thông tin định danh" not in text(signed_in(coordinator).get(address))
    assert signed_in(coordinator).post(f"{address}/xoa-dinh-danh", {"reason": "request"}).status_code == 403
    page = signed_in(officer).post(f"{address}/xoa-dinh-danh", {"reason": "request"}, follow=True)
    assert "đã được xóa" in text(page)
    assert not VaultEntry.objects.filter(study_id=study_id).exists()


def test_a_consent_is_written_down_and_withdrawn(study_id, signed_in, coordinator) -> None:
    browser, address = signed_in(coordinator), f"/danh-sach/nguoi/{study_id}"
    assert "Ghi nhận sự đồng ý" not in text(browser.get(address))
    Purpose.objects.filter(code="student-lists").update(basis="consent")
    purpose = Purpose.objects.get(code="student-lists")
    data = {"purpose": purpose.pk, "given_by": "parent", "given_on": "2026-10-01", "evidence": "Tủ 3"}
    assert browser.post(f"{address}/dong-y", data).status_code == 302
    row = Consent.objects.get()
    assert "Tủ 3" in text(browser.get(address))
    assert browser.post(f"{address}/dong-y/{row.pk}").status_code == 302
    assert not VaultEntry.objects.filter(study_id=study_id).exists()


def test_the_register_of_processing_is_open_and_the_numbers_are_for_those_who_keep_the_vault(
    study_id, signed_in, ministry, officer, coordinator
) -> None:
    plain = text(signed_in(coordinator).get("/danh-sach/bao-ve-du-lieu"))
    assert "Căn cứ Luật Bảo vệ dữ liệu cá nhân" in plain
    assert "Số người đang lưu thông tin" not in plain
    with clock.fixed(datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)):
        page = text(signed_in(officer).get("/danh-sach/bao-ve-du-lieu"))
        assert "Thông tin của 4 người đã hết hạn" in page
        job = signed_in(officer).post("/danh-sach/bao-ve-du-lieu/xoa-het-han")
    assert job.headers["Location"].startswith("/viec-nen/")
    assert Job.objects.get().params == {"provinces": ["01"]}
    assert signed_in(officer).get("/danh-sach/bao-ve-du-lieu/student-lists").status_code == 403
    browser = signed_in(ministry)
    form = browser.get("/danh-sach/bao-ve-du-lieu/student-lists").context["form"]
    data = {**form.initial, "retention_months": 12}
    assert browser.post("/danh-sach/bao-ve-du-lieu/student-lists", data).status_code == 302
    assert Purpose.objects.get(code="student-lists").retention_months == 12


def test_the_job_of_one_province_is_nothing_to_another(study_id, signed_in, officer, stranger) -> None:
    mine = signed_in(officer).post("/danh-sach/bao-ve-du-lieu/xoa-het-han").headers["Location"]
    other = signed_in(stranger).post("/danh-sach/bao-ve-du-lieu/xoa-het-han").headers["Location"]
    assert mine != other
    assert signed_in(stranger).get(mine).status_code in (403, 404)


def test_officers_see_who_opened_names_in_their_own_schools(
    study_id, signed_in, coordinator, officer, stranger
) -> None:
    opened(signed_in(coordinator)).get(LIST)
    assert "Giàng A Páo" in text(signed_in(officer).get("/danh-sach/bao-ve-du-lieu/luot-xem"))
    page = text(signed_in(stranger).get("/danh-sach/bao-ve-du-lieu/luot-xem"))
    assert "Giàng A Páo" not in page
    assert "Chưa có ai xem họ tên" in page
    assert signed_in(coordinator).get("/danh-sach/bao-ve-du-lieu/luot-xem").status_code == 403


def test_empty_lists_say_what_will_stand_here(signed_in, coordinator) -> None:
    browser = signed_in(coordinator)
    assert "Danh sách này chưa có ai" in text(browser.get(LIST))
    assert "Chưa có ai xem họ tên của trường" in text(browser.get(f"{LIST}?tab=accesses"))
    assert browser.get("/danh-sach/99999999").status_code == 404
    assert browser.get("/danh-sach/nguoi/XXXX").status_code == 404


def test_many_schools_and_pupils_take_as_many_queries_as_few(
    signed_in, ministry, officer, bare_shell
) -> None:
    write([pupil(1)])
    browser, keeper = signed_in(ministry), opened(signed_in(officer))

    def count() -> list[int]:
        found = []
        for client, address in ((browser, "/danh-sach"), (browser, LIST), (keeper, LIST)):
            client.get(address)
            with CaptureQueriesContext(connection) as queries:
                client.get(address)
            found.append(len(queries))
        return found

    few = count()
    many = tuple(school_row(f"02{n:06d}", f"Trường TH số {n}", "00004") for n in range(200))
    registry_operations.load_nation(rows=nation((*SCHOOLS, *many), "sha256:many"), school_year=YEAR, by=None)
    write([pupil(n) for n in range(300)])
    assert count() == few
    assert few[0] <= 14


def test_pages_speak_english_wholly(study_id, signed_in, coordinator) -> None:
    browser = signed_in(coordinator)
    browser.cookies["dienrong_language"] = "en"
    page = text(browser.get(LIST))
    assert "Study id" in page
    assert "Mã nghiên cứu" not in page


def test_a_form_names_every_cell_at_once_and_takes_days_as_people_write_them(signed_in, coordinator) -> None:
    browser = signed_in(coordinator)
    page = text(browser.post(f"{LIST}/them-hoc-sinh", {"student_code": "12", "birth_date": "31/02/2016"}))
    assert "10 chữ số" in page
    assert "ngày/tháng/năm" in page
    assert page.count("Thầy/cô vui lòng điền mục này.") == 2 * 4
    assert browser.post(f"{LIST}/them-hoc-sinh", {**ROW, "birth_date": "1/5/2016"}).status_code == 302
    assert Student.objects.get().birth_month == 5
