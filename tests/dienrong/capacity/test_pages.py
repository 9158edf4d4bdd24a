"""Every page through HTTP: who sees what, what is done there, what strangers and the public are told."""

from __future__ import annotations

import datetime
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from python_calamine import CalamineWorkbook

from dienrong.audit.models import AuditEntry
from dienrong.capacity import operations
from dienrong.capacity.models import (
    Certificate,
    Course,
    Enrolment,
    Kind,
    NumberSeries,
    Person,
    StaffNorm,
    Training,
)
from dienrong.jobs.models import Job
from small_capacity import (
    add,
    certificate_of,
    enrolment_of,
    hold,
    issue,
    make_course,
    make_training,
    number_series,
    on,
    province,
    school,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registry")]
A, C, SOUTH = "01000001", "01000003", "79000001"
FIRST, LAST = datetime.date(2026, 11, 23), datetime.date(2026, 11, 24)


def text(page) -> str:
    return page.content.decode()


@pytest.fixture
def people(ministry) -> list[Person]:
    return [
        add(number, by=ministry, at=school(A), name=name)
        for number, name in ((1, "Nguyễn Thị Ánh"), (2, "Trần Văn Đức"))
    ]


@pytest.fixture
def training(officer) -> Training:
    """A training of the first province, nominations open."""
    return make_training(make_course(officer), officer, organizer=province("01"))


@pytest.fixture
def certificate(training, people, officer) -> Certificate:
    hold(training, people, officer)
    number_series(officer, province("01"))
    issue(training, officer)
    return certificate_of(people[0])


def addresses(certificate: Certificate) -> dict[str, str]:
    """Every address that is opened by GET, and the permission that it asks for."""
    training, person = certificate.enrolment.training_id, certificate.person_id
    post = certificate.person.postings.get().pk
    course = certificate.enrolment.training.course_id
    own = (
        "/boi-duong",
        "/boi-duong/nhan-su",
        "/boi-duong/nhan-su.xlsx",
        "/boi-duong/chuong-trinh",
        "/boi-duong/dot",
        "/chung-nhan",
    )
    found = dict.fromkeys(own, "view")
    found |= {f"/boi-duong/chi-tieu/{code}": "view" for code in ("core_experts", "test_administrators")}
    found |= {f"/boi-duong/nhan-su/{person}?tab={tab}": "person" for tab in ("ho-so", "boi-duong", "lich-su")}
    found |= {
        f"/boi-duong/dot/{training}?tab={tab}": "training"
        for tab in ("hoc-vien", "chi-tieu", "tai-lieu", "danh-gia")
    }
    found |= {
        f"/boi-duong/chuong-trinh/{course}": "view",
        "/boi-duong/nhan-su/moi": "view",
        "/boi-duong/nhan-su/can-quyet-dinh": "view",
        f"/boi-duong/nhan-su/{person}/sua": "person",
        f"/boi-duong/nhan-su/{person}/vi-tri": "person",
        f"/boi-duong/vi-tri/{post}/chuyen": "person",
        f"/boi-duong/vi-tri/{post}/ket-thuc": "person",
        f"/boi-duong/dot/{training}/cu": "training",
        f"/boi-duong/dot/{training}/diem-danh": "organizer",
        f"/boi-duong/dot/{training}/ket-qua": "organizer",
        f"/boi-duong/dot/{training}/hoc-vien.xlsx": "organizer",
        f"/boi-duong/dot/{training}/cap-chung-nhan": "organizer",
        "/boi-duong/chuong-trinh/moi": "officer",
        f"/boi-duong/chuong-trinh/{course}/sua": "officer",
        f"/boi-duong/chuong-trinh/{course}/mo-dot": "officer",
        "/boi-duong/dinh-muc": "officer",
        "/chung-nhan/danh-so": "officer",
        f"/chung-nhan/{certificate.pk}": "person",
        f"/chung-nhan/{certificate.pk}/ban-1.pdf": "person",
        f"/chung-nhan/{certificate.pk}/chinh-sua": "organizer",
        f"/chung-nhan/{certificate.pk}/thu-hoi": "organizer",
        f"/chung-nhan/dot-cap/{certificate.batch_id}.pdf": "organizer",
    }
    return found


ALLOWED = {
    "ministry": {"view", "person", "training", "organizer", "officer"},
    "officer": {"view", "person", "training", "organizer", "officer"},
    "coordinator": {"view", "person", "training"},
    "commune_officer": {"view", "person", "training"},
    "stranger": {"view", "officer"},
    "researcher": set(),
    "newcomer": set(),
}


@pytest.mark.parametrize("who", list(ALLOWED))
def test_who_opens_which_page(certificate, signed_in, request, who) -> None:
    browser = signed_in(request.getfixturevalue(who))
    with on(LAST, 20):
        for address, asks in addresses(certificate).items():
            expected = 200 if asks in ALLOWED[who] else 403
            answer = browser.get(address)
            assert answer.status_code == expected, f"{who} {address}: {answer.status_code}"
            if expected == 200 and "html" in answer["Content-Type"] and who == "stranger":
                assert "Nguyễn Thị Ánh" not in text(answer), address


def test_a_visitor_is_asked_to_sign_in_except_on_the_public_pages(certificate, visitor) -> None:
    for address in addresses(certificate):
        assert visitor.get(address).status_code == 302, address
    assert visitor.get("/tra-cuu-chung-nhan").status_code == 200
    assert visitor.get(f"/danh-gia-boi-duong/{certificate.enrolment.training_id}").status_code == 200
    assert visitor.get("/danh-gia-boi-duong/999999").status_code == 404


def test_pages_speak_english_wholly(certificate, signed_in, officer) -> None:
    browser = signed_in(officer)
    browser.cookies["dienrong_language"] = "en"
    with on(LAST, 20):
        page = text(browser.get(f"/boi-duong/dot/{certificate.enrolment.training_id}"))
    assert "What comes next" in page
    assert "Bước tiếp theo" not in page


def test_a_coordinator_puts_a_teacher_into_the_register(signed_in, coordinator) -> None:
    browser = signed_in(coordinator)
    form = browser.get("/boi-duong/nhan-su/moi")
    assert "Trường TH Hòa Bình (01000001)" in text(form)  # the own school is proposed
    values = {
        "full_name": "Lò Thị Mai", "staff_code": "GV00012", "birth_date": "5/9/1990", "kind": "teacher",
        "place": "Trường TH Hòa Bình (01000001)", "from_day": "5/1/2026", "title": "Giáo viên",
    }  # fmt: skip
    refused = browser.post("/boi-duong/nhan-su/moi", values | {"place": "hoà bình", "full_name": "Mai"})
    assert refused.status_code == 422
    assert "data-errors" in text(refused)
    outside = browser.post("/boi-duong/nhan-su/moi", values | {"place": C})
    assert outside.status_code == 403
    assert browser.post("/boi-duong/nhan-su/moi", values).status_code == 302
    person = Person.objects.get()
    assert person.postings.get().school.school_id == A
    page = text(browser.get(f"/boi-duong/nhan-su/{person.pk}"))
    assert "05/09/1990" in page
    twin = browser.post("/boi-duong/nhan-su/moi", values | {"staff_code": "GV00013"})
    assert twin.status_code == 422
    assert (
        browser.post(
            "/boi-duong/nhan-su/moi", values | {"staff_code": "GV00013", "is_another": "on"}
        ).status_code
        == 302
    )


def test_places_are_found_by_name_and_doubt_is_told(signed_in, officer) -> None:
    browser = signed_in(officer)
    values = {"full_name": "Lò Thị Mai", "staff_code": "GV00012", "kind": "teacher", "from_day": "5/1/2026"}
    assert browser.post("/boi-duong/nhan-su/moi", values | {"place": "nguyen trai"}).status_code == 302
    doubt = browser.post("/boi-duong/nhan-su/moi", values | {"staff_code": "GV2", "place": "truong"})
    assert doubt.status_code == 422
    assert "01000002" in text(doubt)
    nothing = browser.post("/boi-duong/nhan-su/moi", values | {"staff_code": "GV2", "place": "khong co"})
    assert nothing.status_code == 422


def test_somebody_is_moved_and_a_post_ends(signed_in, officer, people) -> None:
    browser = signed_in(officer)
    post = people[0].postings.get()
    values = {"kind": "teacher", "place": C, "from_day": "01/09/2026"}
    assert browser.post(f"/boi-duong/vi-tri/{post.pk}/chuyen", values).status_code == 302
    assert people[0].postings.get(valid_to=None).school.school_id == C
    later = people[0].postings.get(valid_to=None)
    assert (
        browser.post(f"/boi-duong/vi-tri/{later.pk}/ket-thuc", {"last_day": "31/10/2026"}).status_code == 302
    )
    page = text(browser.get(f"/boi-duong/nhan-su/{people[0].pk}"))
    assert "31/10/2026" in page
    assert people[0].full_name in text(browser.get("/boi-duong/nhan-su?tinh-trang=left"))
    assert people[0].full_name not in text(browser.get("/boi-duong/nhan-su"))


def test_competence_and_absence_on_the_page_of_a_person(signed_in, officer, people) -> None:
    browser, root = signed_in(officer), f"/boi-duong/nhan-su/{people[0].pk}"
    assert (
        browser.post(
            f"{root}/nang-luc", {"area": "coding", "grade": "2", "ground": "Mã hóa 2025"}
        ).status_code
        == 302
    )
    assert (
        browser.post(
            f"{root}/vang", {"first_day": "23/11/2026", "last_day": "24/11/2026", "reason": "Nghỉ phép"}
        ).status_code
        == 302
    )
    assert (
        browser.post(
            f"{root}/vang", {"first_day": "24/11/2026", "last_day": "23/11/2026", "reason": "x"}
        ).status_code
        == 422
    )
    page = text(browser.get(root))
    assert "Mã hóa 2025" in page
    assert "Nghỉ phép" in page
    assert "Ghi ngày vắng" in text(browser.get(f"{root}?tab=lich-su"))


def test_ten_thousand_people_are_paged_and_searched(signed_in, officer, ministry) -> None:
    from time import perf_counter

    from dienrong.capacity.models import Posting

    homes = [school(A), school(C)]
    rows = []
    for number in range(10_000):
        row = Person(
            staff_code=f"T{number:07d}",
            full_name=f"{('Nguyễn', 'Trần', 'Lê')[number % 3]} Văn {('An', 'Ánh', 'Út')[number % 3]}",
        )
        row.set_keys()
        rows.append(row)
    made = Person.objects.bulk_create(rows)
    Posting.objects.bulk_create(
        Posting(
            person=one,
            kind=Kind.TEACHER,
            level="school",
            school=homes[place % 2],
            valid_from=datetime.date(2026, 1, 1),
        )
        for place, one in enumerate(made)
    )
    browser = signed_in(officer)
    began = perf_counter()
    page = browser.get("/boi-duong/nhan-su")
    first = perf_counter() - began
    began = perf_counter()
    found = browser.get("/boi-duong/nhan-su?q=ut+T0000002&page=1")
    second = perf_counter() - began
    assert text(page).count('<th scope="row">') == 50
    assert "10.000" in text(page)
    assert text(found).count('<th scope="row">') == 1
    assert max(first, second) < 3  # under a second on an idle machine; the bound leaves room for a busy one
    assert len(text(page)) < 150_000


def test_the_list_as_excel_is_written_into_the_log(signed_in, officer, people, stranger) -> None:
    answer = signed_in(officer).get("/boi-duong/nhan-su.xlsx?q=anh")
    rows = CalamineWorkbook.from_filelike(BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert [row[2] for row in rows if "CB000001" in row] == ["Nguyễn Thị Ánh"]
    assert not any("Trần Văn Đức" in row for row in rows)
    assert "no-store" in answer["Cache-Control"]
    assert AuditEntry.objects.get(action="capacity.people_exported").after["n"] == 1
    nothing = signed_in(stranger).get("/boi-duong/nhan-su.xlsx")
    assert b"Nguy" not in nothing.content
    assert not any(
        "Nguyễn Thị Ánh" in row
        for row in CalamineWorkbook.from_filelike(BytesIO(nothing.content)).get_sheet_by_index(0).to_python()
    )


def test_from_a_course_to_certificates_through_the_pages(
    signed_in, officer, coordinator, people, visitor
) -> None:
    browser, own = signed_in(officer), signed_in(coordinator)
    course = {
        "code": "TR-1", "name_vi": "Tập huấn", "name_en": "Training", "reach": "provincial", "topic": "fieldwork",
        "audience": ["teacher", "manager"], "n_hours": "8", "has_test": "on", "pass_mark": "5,5",
        "least_attendance": "80", "is_certified": "on",
    }  # fmt: skip
    assert browser.post("/boi-duong/chuong-trinh/moi", course | {"audience": []}).status_code == 422
    assert browser.post("/boi-duong/chuong-trinh/moi", course).status_code == 302
    kept = Course.objects.get()
    assert str(kept.pass_mark) == "5.50"
    root = f"/boi-duong/chuong-trinh/{kept.pk}"
    assert browser.post(f"{root}/sua", course | {"n_hours": "12"}).status_code == 302
    kept.refresh_from_db()
    assert (kept.n_hours, kept.is_open) == (12, False)
    assert browser.post(f"{root}/sua", course | {"is_open": "on"}).status_code == 302
    plan = {
        "code": "BD-1", "organizer": "01", "place": "Sở", "first_day": "23/11/2026", "last_day": "23/11/2026",
        "n_seats": "40", "nominate_until": "23/11/2026",
    }  # fmt: skip
    assert (
        browser.post(
            f"/boi-duong/chuong-trinh/{kept.pk}/mo-dot", plan | {"last_day": "1/11/2026"}
        ).status_code
        == 422
    )
    assert browser.post(f"/boi-duong/chuong-trinh/{kept.pk}/mo-dot", plan).status_code == 302
    training = Training.objects.get()
    root = f"/boi-duong/dot/{training.pk}"
    assert browser.post(f"{root}/chi-tieu", {"place": A, "n_places": "1"}).status_code == 302
    assert browser.post(f"{root}/lam/mo").status_code == 302
    assert "Cử người" in text(own.get("/boi-duong"))  # the card of today
    keys = [str(one.pk) for one in people]
    too_many = own.post(f"{root}/cu", {"person": keys})
    assert too_many.status_code == 422
    assert "được cử 1 người" in text(too_many)
    assert own.post(f"{root}/cu", {"person": keys[:1]}).status_code == 302
    assert own.post(f"{root}/lam/xac-nhan").status_code == 403
    learner = enrolment_of(people[0], training)
    assert browser.post(f"{root}/lam/xac-nhan", {"enrolment": [str(learner.pk)]}).status_code == 302
    with on(FIRST, 8):
        assert browser.post(f"{root}/lam/bat-dau").status_code == 302
        code_page = text(browser.get(f"{root}/ma-diem-danh"))
        address = code_page.partition("/diem-danh/")[2].partition('"')[0]
        phone = visitor.get(f"/diem-danh/{address}")
        assert phone.status_code == 200
        assert "Nguyễn" not in text(phone)
        wrong = visitor.post(f"/diem-danh/{address}", {"learner_code": "ZZZZZZ"})
        assert wrong.status_code == 422
        done = visitor.post(f"/diem-danh/{address}", {"learner_code": learner.learner_code})
        assert "N. T. Á." in text(done)
        assert visitor.get("/diem-danh/gia-mao").status_code == 410
        assert own.get(f"{root}/ma-diem-danh").status_code == 403
    with on(FIRST, 14):
        present = {"ngay": "2026-11-23", "buoi": "afternoon", "enrolment": [str(learner.pk)]}
        assert browser.post(f"{root}/diem-danh", present).status_code == 302
        bad = browser.post(f"{root}/ket-qua", {f"diem-{learner.pk}": "mười"})
        assert bad.status_code == 422
        assert browser.post(f"{root}/ket-qua", {f"diem-{learner.pk}": "11"}).status_code == 422
        assert browser.post(f"{root}/ket-qua", {f"diem-{learner.pk}": "7,25"}).status_code == 302
        early = browser.post(f"{root}/lam/ket-thuc")
        assert early.status_code == 302
    with on(FIRST, 16):
        series = {
            "organizer": "01",
            "year": "2026",
            "issuer_name": "Sở GDĐT Hà Nội",
            "issuer_code": "SGDĐT",
            "pattern": "{serial:4}-{year}",
            "next_serial": "1",
        }
        assert browser.post("/chung-nhan/danh-so", series | {"pattern": "x"}).status_code == 422
        assert browser.post("/chung-nhan/danh-so", series).status_code == 302
        issue_form = {
            "issued_on": "23/11/2026",
            "decision": "1/QĐ",
            "place": "Hà Nội",
            "signer_title": "GĐ",
            "signer_name": "Lê An",
        }
        assert browser.post(f"{root}/cap-chung-nhan", issue_form | {"decision": ""}).status_code == 422
        assert browser.post(f"{root}/cap-chung-nhan", issue_form).status_code == 302
        assert Job.objects.get(kind="capacity.issue").state == "queued"
        operations.issue_batch(batch=NumberSeries.objects.get().batches.get())
        assert Certificate.objects.get().number == "0001-2026"
        assert Enrolment.objects.get().score == 7.25


def test_a_material_is_sent_and_fetched(signed_in, officer, coordinator, stranger, training) -> None:
    root = f"/boi-duong/dot/{training.pk}"
    sent = {"title": "Sổ tay", "file": SimpleUploadedFile("sổ tay.pdf", b"%PDF-1.4 x")}
    assert signed_in(officer).post(f"{root}/tai-lieu", sent).status_code == 302
    material = training.materials.get()
    assert signed_in(coordinator).get(f"/boi-duong/tai-lieu/{material.pk}").content == b"%PDF-1.4 x"
    assert signed_in(stranger).get(f"/boi-duong/tai-lieu/{material.pk}").status_code == 403
    both = {"title": "x", "address": "https://x.vn", "file": SimpleUploadedFile("a.pdf", b"x")}
    assert signed_in(officer).post(f"{root}/tai-lieu", both).status_code == 422
    assert (
        signed_in(coordinator).post(f"{root}/tai-lieu", {"title": "x", "address": "https://x.vn"}).status_code
        == 403
    )


def test_withdrawing_and_declining_on_the_page(
    signed_in, officer, coordinator, stranger, training, people
) -> None:
    made = operations.nominate(training=training, people=people, by=coordinator)
    first, second = (f"/boi-duong/hoc-vien/{one.pk}" for one in made)
    assert signed_in(stranger).post(f"{first}/rut", {"text": "x"}).status_code == 403
    assert signed_in(coordinator).post(f"{first}/khong-nhan", {"text": "x"}).status_code == 403
    assert signed_in(coordinator).post(f"{first}/rut", {"text": ""}).status_code == 422
    assert signed_in(coordinator).post(f"{first}/rut", {"text": "Bận"}).status_code == 302
    assert signed_in(officer).post(f"{second}/khong-nhan", {"text": "Hết chỗ"}).status_code == 302
    assert signed_in(officer).post(f"{second}/xoa", {"text": "x"}).status_code == 404
    assert [enrolment_of(one, training).state for one in people] == ["withdrawn", "declined"]


def test_the_public_page_answers_without_names(certificate, visitor, officer, signed_in) -> None:
    asked = {"so": certificate.number, "ma": certificate.check_code, "ban": "1"}
    with on(LAST, 20):
        page = visitor.get("/tra-cuu-chung-nhan", asked)
        assert "Còn giá trị" in text(page)
        assert "N. T. Á." in text(page)
        assert "Nguyễn" not in text(page)
        assert "1971" not in text(page)
        assert (page["X-Robots-Tag"], page["Cache-Control"].split(",")[0]) == ("noindex", "max-age=0")
        wrong = text(visitor.get("/tra-cuu-chung-nhan", asked | {"ma": "A" * 10}))
        unknown = text(visitor.get("/tra-cuu-chung-nhan", asked | {"so": "00009/2026/CN-SGDĐT.01"}))
        for one in (wrong, unknown):
            assert "Không có giấy chứng nhận này" in one
            assert "N. T. Á." not in one
            assert "Bồi dưỡng nghiệp vụ" not in one
        named = text(visitor.post("/tra-cuu-chung-nhan", asked | {"ten": "NGUYEN THI ANH"}))
        assert "khớp tên người được cấp" in named
        form = {"reason": "Thi hộ", "decision": "2/QĐ"}
        assert signed_in(officer).post(f"/chung-nhan/{certificate.pk}/thu-hoi", form).status_code == 302
        revoked = text(visitor.get("/tra-cuu-chung-nhan", asked))
        assert "Đã thu hồi" in revoked
        assert "Thi hộ" not in revoked  # the reason is no business of the public


def test_guessing_is_locked_out(certificate, visitor) -> None:
    with on(LAST, 20):
        for number in range(10):
            assert (
                visitor.get(
                    "/tra-cuu-chung-nhan", {"so": certificate.number, "ma": f"AAAAAAAAA{number}"}
                ).status_code
                == 200
            )
        locked = visitor.get("/tra-cuu-chung-nhan", {"so": certificate.number, "ma": certificate.check_code})
        assert locked.status_code == 429
        assert "N. T. Á." not in text(locked)
        elsewhere = Client(REMOTE_ADDR="198.51.100.7")
        assert (
            elsewhere.get(
                "/tra-cuu-chung-nhan", {"so": certificate.number, "ma": certificate.check_code}
            ).status_code
            == 200
        )


def test_a_correction_through_the_page(certificate, signed_in, officer, stranger, visitor) -> None:
    with on(LAST, 21):
        form = {"holder_name": "Nguyễn Thị Ánh Tuyết", "workplace": "Trường TH Hòa Bình", "reason": "Sai tên"}
        assert signed_in(stranger).post(f"/chung-nhan/{certificate.pk}/chinh-sua", form).status_code == 403
        assert signed_in(officer).post(f"/chung-nhan/{certificate.pk}/chinh-sua", form).status_code == 302
        page = text(signed_in(officer).get(f"/chung-nhan/{certificate.pk}"))
        assert "Sai tên" in page
        old = visitor.get(
            "/tra-cuu-chung-nhan", {"so": certificate.number, "ma": certificate.check_code, "ban": 1}
        )
        assert "đã được chỉnh sửa" in text(old)


def test_norms_and_needs(signed_in, ministry, officer, cycle) -> None:
    browser = signed_in(ministry)
    norm = {"kind": "test_administrator", "n_people": "2", "n_work": "1", "per": "sitting", "n_days": "1,5"}
    assert signed_in(officer).post("/boi-duong/dinh-muc/so-nguoi", norm).status_code == 403
    assert browser.post("/boi-duong/dinh-muc/so-nguoi", norm | {"n_work": "0"}).status_code == 422
    assert browser.post("/boi-duong/dinh-muc/so-nguoi", norm).status_code == 302
    assert str(StaffNorm.objects.get().n_days) == "1.5"
    allowance = {
        "kind": "test_administrator",
        "amount": "300000",
        "legal_basis": "NQ 01",
        "from_day": "1/1/2026",
    }
    assert browser.post("/boi-duong/dinh-muc/chi", allowance).status_code == 302
    assert browser.post("/boi-duong/dinh-muc/chi", allowance).status_code == 422
    assert "300.000" in text(browser.get("/boi-duong/dinh-muc"))
    page = browser.get("/boi-duong/nhu-cau")
    assert page.status_code == 200
    assert "Chưa biết khối lượng công việc" in text(page)
    assert browser.get("/boi-duong/nhu-cau.xlsx").status_code == 422
    assert signed_in(officer).get("/boi-duong/nhu-cau?ky=khong-co").status_code == 404
