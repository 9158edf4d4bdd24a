"""The pages: a whole walk from the new plan to the record, and nothing of it for strangers."""

from __future__ import annotations

import io
import re

import pytest
from python_calamine import CalamineWorkbook

from dienrong.core import clock
from dienrong.sampling.models import Plan, SampledSchool
from sampling_moments import AFTER, DUE, NUMBER, SOURCE, YEAR

pytestmark = pytest.mark.django_db
STEPS = ("tong-the", "khung-mau", "loai-tru", "phan-tang", "do-chinh-xac", "dong-bang", "cam-ket", "rut-mau")
POSTS = (
    "khung-mau/so-dang-ky",
    "khung-mau/tep",
    "loai-tru/quy-tac",
    "loai-tru/truong",
    "loai-tru/0/bo",
    "dong-bang",
    "cam-ket",
    "rut-mau",
    "rut-lai",
    "kiem-chung",
)
FILES = (
    "record.json",
    "record.sig",
    "draw_key.pem",
    "record.pdf",
    "record.html",
    "frame.parquet",
    "frame.csv",
)


def text(page) -> str:
    return page.content.decode()


def test_strangers_open_nothing_of_a_plan(
    drawn, draft, visitor, signed_in, commune_officer, coordinator, researcher, newcomer
) -> None:
    addresses = [
        "/chon-mau",
        "/chon-mau/moi",
        f"/chon-mau/{drawn.pk}",
        f"/chon-mau/{drawn.pk}/mau",
        f"/chon-mau/{drawn.pk}/mau.xlsx",
    ]
    addresses += [f"/chon-mau/{drawn.pk}/{step}" for step in STEPS]
    addresses += [f"/chon-mau/{drawn.pk}/tep/{name}" for name in FILES]
    for address in addresses:
        assert visitor.get(address).status_code == 302, address
        for person in (commune_officer, coordinator, researcher, newcomer):
            page = signed_in(person).get(address)
            assert page.status_code == 403, (address, person.username)
            assert "Đống Đa" not in text(page)
    for person in (commune_officer, coordinator, researcher):
        assert "/chon-mau" not in text(signed_in(person).get("/"))


def test_a_province_sees_its_own_sampled_schools_of_drawn_plans_alone(
    drawn, signed_in, officer, stranger, make_plan
) -> None:
    other = make_plan("Bản thảo kín")
    for person, own, foreign in ((officer, "01", "79"), (stranger, "79", "01")):
        browser = signed_in(person)
        home = text(browser.get("/chon-mau"))
        assert drawn.title in home
        assert other.title not in home
        page = browser.get(f"/chon-mau/{drawn.pk}/mau")
        codes = set(re.findall(r'<td class="mono">(\d+)</td>', text(page)))
        expected = set(
            SampledSchool.objects.filter(draw=drawn.draw, province_code=own).values_list(
                "school_code", flat=True
            )
        )
        assert codes == expected
        assert len(expected) > 3
        hidden = SampledSchool.objects.filter(draw=drawn.draw, province_code=foreign).first()
        assert browser.get(f"/chon-mau/{drawn.pk}/mau/{hidden.school_code}").status_code == 404
        assert browser.get(f"/chon-mau/{drawn.pk}/mau?province={foreign}").content.count(b'class="mono"') == 0
        assert browser.get(f"/chon-mau/{other.pk}/mau").status_code == 404
        assert browser.get(f"/chon-mau/{other.pk}").status_code == 404
        book = browser.get(f"/chon-mau/{drawn.pk}/mau.xlsx").content
        rows = CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0).to_python()
        assert {row[0] for row in rows[1:]} == expected
        for step in STEPS:
            assert browser.get(f"/chon-mau/{drawn.pk}/{step}").status_code == 403
        for post in POSTS:
            assert browser.post(f"/chon-mau/{drawn.pk}/{post}").status_code == 403, post
        for name in FILES:
            assert browser.get(f"/chon-mau/{drawn.pk}/tep/{name}").status_code == 403
    assert Plan.objects.get(pk=drawn.pk).state == "drawn"


def test_the_whole_wizard_walked_by_hand(cycle, country, signed_in, ministry, visitor) -> None:
    browser = signed_in(ministry)
    assert "Chưa có kế hoạch" in text(browser.get("/chon-mau"))
    values = {
        "title": "Lớp 5 chính thức",
        "population": "students",
        "grade": "5",
        "phase": "main_survey",
        "rules": "pisa",
        "school_year": YEAR,
        "frame_date": "22/11/2026",
        "within": "students",
        "n_classes": "1",
        "n_booklets": "6",
    }
    page = browser.post("/chon-mau/moi", {**values, "grade": ""})
    assert page.status_code == 422
    assert "Hãy chọn lớp" in text(page)
    page = browser.post("/chon-mau/moi", values, follow=True)
    plan = Plan.objects.get()
    assert page.redirect_chain[-1][0] == f"/chon-mau/{plan.pk}/khung-mau"
    assert plan.design["certainty"] == "cap"
    base = f"/chon-mau/{plan.pk}"
    for step in ("loai-tru", "phan-tang", "do-chinh-xac"):
        assert browser.get(f"{base}/{step}").status_code == 200
    assert "Kế hoạch này chưa có khung mẫu" in text(browser.get(f"{base}/loai-tru"))
    html = text(browser.post(f"{base}/khung-mau/so-dang-ky", {"direction": "minimize"}, follow=True))
    assert "Đã lập khung mẫu" in html
    rule = {"column": "enrolment", "op": "below", "value": "20", "reason": "small"}
    assert browser.post(f"{base}/loai-tru/quy-tac", {**rule, "value": "hai mươi"}).status_code == 422
    html = text(browser.post(f"{base}/loai-tru/quy-tac", rule, follow=True))
    assert "nhỏ hơn 20" in html
    page = browser.post(f"{base}/loai-tru/truong", {"school_id": "99999999", "reason": "remote"})
    assert page.status_code == 422
    assert "99999999" in text(page)
    browser.post(f"{base}/loai-tru/truong", {"school_id": "01000003", "reason": "remote"})
    plan.refresh_from_db()
    assert [entry["kind"] for entry in plan.excludes] == ["rule", "school"]
    design = {
        "explicit": ["province"],
        "implicit": ["area"],
        "allocation": "proportional",
        "n_schools": "12",
        "n_students": "30",
        "certainty": "recompute",
        "small_schools": "floor",
        "zero_size": "refuse",
        "n_replacements": "2",
    }
    assert browser.post(f"{base}/phan-tang", {**design, "n_schools": ""}).status_code == 422
    assert browser.post(f"{base}/phan-tang", {**design, "implicit": ["province"]}).status_code == 422
    html = text(browser.post(f"{base}/phan-tang", design, follow=True))
    assert "Hồ Chí Minh" in html
    own = {**design, "use_own": "1", "own-0": "5", "own-1": "8"}
    browser.post(f"{base}/phan-tang", own)
    plan.refresh_from_db()
    assert plan.design["n_schools"] == {"Hà Nội": 5, "Hồ Chí Minh": 8}
    page = browser.post(f"{base}/phan-tang", {**own, "own-1": "nhiều"})
    assert page.status_code == 422
    html = text(browser.get(f"{base}/do-chinh-xac"))
    assert "sai số chuẩn của trung bình cả nước" in html
    assert "<svg" in html
    assumed = {
        "icc": "0.2",
        "sd": "100",
        "school_rate": "1",
        "student_rate": "0.9",
        "wanted_error": "5",
        "per_school": "10",
        "per_student": "1",
    }
    assert browser.post(f"{base}/do-chinh-xac", {**assumed, "icc": "2"}).status_code == 422
    assert "trường cần có" in text(browser.post(f"{base}/do-chinh-xac", assumed, follow=True))
    page = browser.post(f"{base}/dong-bang", follow=True)
    assert "Khung mẫu đã chốt: sha256:" in text(page)
    assert visitor.get(f"/chon-mau/cong-khai/{plan.pk}").status_code == 404
    due = {"source_name": SOURCE, "due_day": "22/11/2026", "due_time": "18:00"}
    page = browser.post(f"{base}/cam-ket", {**due, "due_time": "11:00"})
    assert page.status_code == 422
    assert "đã qua" in text(page)
    browser.post(f"{base}/cam-ket", due)
    draw = Plan.objects.get().draw
    assert draw.source_due_at == DUE
    public = text(visitor.get(f"/chon-mau/cong-khai/{plan.pk}"))
    assert draw.commitment in public
    assert "Chưa rút mẫu" in public
    assert visitor.get(f"/chon-mau/cong-khai/{plan.pk}/record.json").status_code == 404
    assert visitor.get(f"/chon-mau/cong-khai/{plan.pk}/frame.parquet").status_code == 200
    assert "Biểu mẫu mở từ lúc đó" in text(browser.get(f"{base}/rut-mau"))
    assert browser.post(f"{base}/rut-mau", {"source_text": NUMBER}).status_code == 422
    with clock.fixed(AFTER):
        assert "đã được công bố" in text(browser.get("/"))
        page = browser.post(
            f"{base}/rut-mau", {"source_text": NUMBER, "witnesses": "Bà A\nÔng B"}, follow=True
        )
        assert "Đã rút mẫu" in text(page)
        assert "đúng từng bit" in text(browser.post(f"{base}/kiem-chung", follow=True))
    plan = Plan.objects.get()
    assert plan.draw.witnesses == ["Bà A", "Ông B"]
    public = text(visitor.get(f"/chon-mau/cong-khai/{plan.pk}"))
    assert plan.draw.seed in public
    for row in SampledSchool.objects.filter(draw=plan.draw, role="original"):
        assert row.school_code in public
    kinds = {
        "record.pdf": b"%PDF",
        "record.html": b"<!doctype html>",
        "frame.parquet": b"PAR1",
        "draw_key.pem": b"-----BEGIN PUBLIC KEY",
    }
    for name in FILES:
        answer = visitor.get(f"/chon-mau/cong-khai/{plan.pk}/{name}")
        assert answer.status_code == 200, name
        assert answer.content.startswith(kinds.get(name, b"")), name


def test_the_frame_that_is_published_holds_no_contact(drawn, visitor) -> None:
    head = (
        visitor.get(f"/chon-mau/cong-khai/{drawn.pk}/frame.csv").content.decode("utf-8-sig").splitlines()[0]
    )
    assert not {"phone", "email", "address", "latitude"} & set(head.split(","))


def test_errors_of_the_frame_are_shown_by_school_and_hold_up_the_freezing(
    draft, signed_in, ministry, country
) -> None:
    from dienrong.registry.models import SchoolEnrolment

    SchoolEnrolment.objects.filter(school__school_id="01000004", grade=5).delete()
    SchoolEnrolment.objects.filter(school__school_id="79000005", grade=5).update(n_students=0)
    browser = signed_in(ministry)
    base = f"/chon-mau/{draft.pk}"
    browser.post(f"{base}/khung-mau/so-dang-ky", {"direction": "minimize"})
    html = text(browser.get(f"{base}/loai-tru"))
    assert "01000004" in html
    assert "79000005" in html
    page = browser.post(f"{base}/dong-bang")
    assert page.status_code == 422
    assert "01000004" in text(page)
    assert Plan.objects.get(pk=draft.pk).state == "draft"
    rule = {"column": "enrolment", "op": "empty", "value": "", "reason": "other"}
    browser.post(f"{base}/loai-tru/quy-tac", rule)
    assert browser.post(f"{base}/dong-bang").status_code == 302
    assert Plan.objects.get(pk=draft.pk).frame.n_schools == 78


def test_a_stratum_with_fewer_schools_than_asked_is_named(draft, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    base = f"/chon-mau/{draft.pk}"
    Plan.objects.filter(pk=draft.pk).update(
        design={**draft.design, "n_schools": {"Hà Nội": 41, "Hồ Chí Minh": 5}}
    )
    html = text(browser.get(f"{base}/phan-tang"))
    assert "khung chỉ có 40" in html
    page = browser.post(f"{base}/dong-bang")
    assert page.status_code == 422
    assert "Hà Nội" in text(page)


def test_a_file_becomes_a_frame(make_plan, signed_in, ministry) -> None:
    plan = make_plan()
    browser = signed_in(ministry)
    base = f"/chon-mau/{plan.pk}"
    rows = ["SKZ,stratum,NSchueler,Telefon"] + [
        f"{number:05d},{number % 2},{10 + number},0123" for number in range(60)
    ]

    def send(content: str, name: str = "khung.csv"):
        return browser.post(f"{base}/khung-mau/tep", {"file": _file(content, name)}, follow=True)

    assert send("x", "khung.doc").status_code == 422
    assert "Vài giá trị đầu" in text(send("\n".join(rows)))
    chosen = {"of_school_id": "SKZ", "of_enrolment": "NSchueler", "kept": ["stratum"]}
    page = browser.post(f"{base}/khung-mau/cot", {"of_school_id": "SKZ"})
    assert page.status_code == 422
    page = browser.post(f"{base}/khung-mau/cot", chosen, follow=True)
    assert "Đã lập khung mẫu từ tệp" in text(page)
    html = text(browser.get(f"{base}/khung-mau"))
    assert "00003" in html
    assert "Telefon" not in html
    send("\n".join([*rows[:5], "00099,1,mười,0"]))
    page = browser.post(f"{base}/khung-mau/cot", chosen)
    assert page.status_code == 422
    assert "mười" in text(page)
    assert "NSchueler" in text(page)


def _file(content: str, name: str):
    file = io.BytesIO(content.encode())
    file.name = name
    return file


def test_the_list_is_searched_sorted_and_paged(drawn, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    base = f"/chon-mau/{drawn.pk}/mau"
    html = text(browser.get(f"{base}?order=name"))
    names = re.findall(r"Trường TH ([^<]+?) \d+</a>", html)
    assert names.index("Ánh Dương") < names.index("Đống Đa")
    one = SampledSchool.objects.filter(draw=drawn.draw).first()
    found = text(browser.get(f"{base}?q={one.school_code}"))
    assert re.findall(r'<td class="mono">(\d+)</td>', found) == [one.school_code]
    assert "Không tìm thấy trường" in text(browser.get(f"{base}?q=zzz"))
    role = text(browser.get(f"{base}?role=replacement_1"))
    assert (
        role.count('class="mono"')
        == SampledSchool.objects.filter(draw=drawn.draw, role="replacement_1").count()
    )


def test_ten_thousand_schools_are_paged(drawn, signed_in, ministry) -> None:
    rows = [
        SampledSchool(
            draw=drawn.draw,
            school_code=f"X{number:05d}",
            name=f"Trường {number}",
            stratum="Hà Nội",
            role="original",
            selection_order=100 + number,
            n_people=30,
            probability=0.5,
            base_weight=2.0,
        )
        for number in range(10_000)
    ]
    SampledSchool.objects.bulk_create(rows, batch_size=1000)
    html = text(signed_in(ministry).get(f"/chon-mau/{drawn.pk}/mau?page=100"))
    assert html.count('class="mono"') == 50
    assert "10.036" in html


def test_a_school_tells_how_its_probability_came_about(drawn, signed_in, ministry) -> None:
    school = SampledSchool.objects.filter(draw=drawn.draw, role="original", is_certainty=False).first()
    html = text(signed_in(ministry).get(f"/chon-mau/{drawn.pk}/mau/{school.school_code}"))
    assert "Xác suất được tính thế nào" in html
    assert "Trường được chọn." in html
    certain = SampledSchool.objects.get(draw=drawn.draw, school_code="79000040")
    assert certain.is_certainty
    assert "chắc chắn được chọn: xác suất 1" in text(
        signed_in(ministry).get(f"/chon-mau/{drawn.pk}/mau/79000040")
    )


def test_a_withdrawn_draw_stays_public_and_says_so(drawn, signed_in, ministry, officer, visitor) -> None:
    page = signed_in(ministry).post(f"/chon-mau/{drawn.pk}/rut-lai", {"reason": "Sai năm học"}, follow=True)
    assert "Sai năm học" in text(page)
    assert "Sai năm học" in text(visitor.get(f"/chon-mau/cong-khai/{drawn.pk}"))
    assert visitor.get(f"/chon-mau/cong-khai/{drawn.pk}/record.json").status_code == 200
    assert signed_in(officer).get(f"/chon-mau/{drawn.pk}/mau").status_code == 404
    assert signed_in(ministry).post(f"/chon-mau/{drawn.pk}/rut-lai", {"reason": "Lại"}).status_code == 409


def test_pages_speak_english_too(drawn, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    browser.cookies["dienrong_language"] = "en"
    for address in (
        "",
        f"/{drawn.pk}",
        f"/{drawn.pk}/mau",
        f"/{drawn.pk}/phan-tang",
        f"/cong-khai/{drawn.pk}",
    ):
        html = text(browser.get(f"/chon-mau{address}"))
        assert 'lang="en"' in html
        assert "Rút mẫu" not in html.split("<main")[1], address


def test_a_longer_list_of_plans_asks_no_more(drawn, make_plan, signed_in, ministry, bare_shell) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    browser = signed_in(ministry)

    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert browser.get("/chon-mau").status_code == 200
        return len(found)

    asked()
    before = asked()
    for number in range(6):
        make_plan(f"Bản thảo {number}")
    assert asked() == before


def test_teachers_are_counted_from_the_rosters(make_plan, signed_in, ministry) -> None:
    from dienrong.registry.models import School
    from dienrong.rosters.models import Staff, StaffPlace

    plan = make_plan("Giáo viên", population="teachers", grade=None)
    for number, school in enumerate(School.objects.order_by("school_id")[:30]):
        for place in range(3 + number % 4):
            person = Staff.objects.create(study_id=f"G{number:03d}{place}", birth_year=1980)
            StaffPlace.objects.create(staff=person, school=school, school_year=YEAR, role="teacher")
    browser = signed_in(ministry)
    base = f"/chon-mau/{plan.pk}"
    browser.post(f"{base}/khung-mau/so-dang-ky", {"direction": "minimize"})
    html = text(browser.get(f"{base}/loai-tru"))
    assert "F2" in html, "a school without a roster has no size, and the check names it"
    rule = {"column": "enrolment", "op": "empty", "value": "", "reason": "other"}
    html = text(browser.post(f"{base}/loai-tru/quy-tac", rule, follow=True))
    assert "F2" not in html.split("Loại trừ</h2>")[0].split("Kiểm tra khung mẫu</h2>")[1]
    assert '<span class="card-number">30</span>' in html


def test_a_withdrawn_plan_gives_a_new_draft(drawn, signed_in, ministry, officer) -> None:
    browser = signed_in(ministry)
    base = f"/chon-mau/{drawn.pk}"
    assert signed_in(officer).post(f"{base}/sao-chep", {"title": "Bản sao"}).status_code == 403
    browser.post(f"{base}/rut-lai", {"reason": "Sai năm học"})
    page = browser.post(f"{base}/sao-chep", {"title": drawn.title}, follow=True)
    made = Plan.objects.exclude(pk=drawn.pk).get()
    assert page.redirect_chain[-1][0] == f"/chon-mau/{made.pk}"
    assert (made.state, made.design, made.title) == ("draft", drawn.design, drawn.title)
    assert not hasattr(made, "frame")
    assert "80" in text(browser.get(f"/chon-mau/{made.pk}/loai-tru"))
    assert browser.post(f"{base}/sao-chep", {"title": made.title}).status_code == 409
    assert browser.post(f"{base}/sao-chep", {"title": " "}).status_code == 409


def test_the_public_home_leads_to_the_draw(committed, visitor) -> None:
    html = text(visitor.get("/"))
    assert f"/chon-mau/cong-khai/{committed.pk}" in html
    assert "Rút mẫu công khai" in html


def test_pages_refuse_to_show_a_changed_frame(drawn, signed_in, ministry, visitor) -> None:
    from dienrong.sampling import kept

    path = kept.frame_path(drawn.frame)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace("Ánh Dương 6".encode(), "Ánh Dương 7".encode()))
    browser = signed_in(ministry)
    for address in ("phan-tang", "do-chinh-xac", "mau/79000040", "tep/frame.parquet"):
        page = browser.get(f"/chon-mau/{drawn.pk}/{address}")
        assert page.status_code == 422, address
        assert "000006" in text(page)
    assert visitor.get(f"/chon-mau/cong-khai/{drawn.pk}/frame.csv").status_code == 422
    assert browser.post(f"/chon-mau/{drawn.pk}/kiem-chung").status_code == 422
