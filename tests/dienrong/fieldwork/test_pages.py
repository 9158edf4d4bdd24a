"""Every page through HTTP: who sees what, what is done there, and what a stranger is told."""

from __future__ import annotations

import datetime
from io import BytesIO

import pytest
from pypdf import PdfReader

from dienrong.core import clock
from dienrong.fieldwork import operations
from dienrong.fieldwork.models import FieldSchool, Fieldwork, ListedPerson, TestSession
from dienrong.fieldwork.operations.sessions import SessionFacts
from dienrong.rosters.models import VaultAccess
from small_fieldwork import DAYS, N_STUDENTS, bring_to_selected, fill_list

pytestmark = pytest.mark.django_db
State = FieldSchool.State


def text(page) -> str:
    return page.content.decode()


@pytest.fixture
def selected(school, officer) -> FieldSchool:
    """The school with people selected."""
    bring_to_selected(school, officer, first=1)
    school.refresh_from_db()
    return school


@pytest.fixture
def session(selected, own_coordinator, administrator) -> TestSession:
    """A session of the school, given to its administrator."""
    facts = SessionFacts(on_date=DAYS.test_from, administrator=administrator)
    return operations.plan_session(school=selected, facts=facts, is_make_up=False, by=own_coordinator)


def addresses(session: TestSession) -> list[str]:
    """Every address of a school and its session that is opened by GET."""
    school, plan = session.field_school_id, session.field_school.plan_id
    person = session.people.first().pk
    return [
        f"/tham-gia/{plan}",
        f"/tham-gia/{plan}/goi",
        f"/tham-gia/{plan}/truong",
        f"/tham-gia/{plan}/truong.pdf",
        f"/tham-gia/{plan}/truong.docx",
        f"/tham-gia/{plan}/truong.xlsx",
        *(f"/tham-gia/truong/{school}?tab={tab}" for tab in ("viec", "nguoi", "buoi", "lich-su")),
        f"/tham-gia/truong/{school}/thu-moi.pdf",
        f"/tham-gia/truong/{school}/thu-moi.docx",
        *(f"/tham-gia/truong/{school}/{kind}.pdf" for kind in ("theo-doi", "buoi", "diem-danh", "nhan")),
        *(f"/tham-gia/truong/{school}/{kind}.xlsx" for kind in ("theo-doi", "buoi", "diem-danh", "nhan")),
        f"/tham-gia/truong/{school}/tra-loi/1",
        f"/tham-gia/truong/{school}/khong-tham-gia",
        f"/tham-gia/truong/{school}/buoi-moi",
        f"/tham-gia/truong/{school}/giam-sat",
        f"/tham-gia/nguoi/{person}",
        f"/buoi-khao-sat/{session.pk}",
        f"/buoi-khao-sat/{session.pk}/bao-cao/1",
        f"/buoi-khao-sat/{session.pk}/huy",
    ]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_officers_open_every_page_in_both_languages(session, signed_in, ministry, officer, language) -> None:
    for person in (ministry, officer):
        browser = signed_in(person)
        browser.cookies["language"] = language
        for address in addresses(session):
            assert browser.get(address).status_code == 200, (person.username, address)


def test_a_stranger_sees_nothing_of_another_province(
    session, signed_in, stranger, researcher, newcomer, visitor
) -> None:
    plan = session.field_school.plan_id
    shared = {
        f"/tham-gia/{plan}{end}"
        for end in ("", "/goi", "/truong", "/truong.pdf", "/truong.docx", "/truong.xlsx")
    }
    for address in addresses(session):
        page = signed_in(stranger).get(address)
        if address in shared:  # the stranger's own schools alone
            assert page.status_code == 200
            assert session.field_school.school.name.encode() not in page.content
            continue
        assert page.status_code == 403, address
    for person in (researcher, newcomer):
        for address in addresses(session):
            assert signed_in(person).get(address).status_code == 403, (person.username, address)
    for address in addresses(session):
        assert visitor.get(address).status_code in (302, 403), address


def test_a_test_administrator_sees_the_session_and_nothing_else(
    session, signed_in, administrator, officer
) -> None:
    own = {
        f"/buoi-khao-sat/{session.pk}",
        f"/buoi-khao-sat/{session.pk}/bao-cao/1",
    }
    browser = signed_in(administrator)
    for address in addresses(session):
        assert browser.get(address).status_code == (200 if address in own else 403), address
    assert [one.pk for one in browser.get("/buoi-khao-sat").context["later"]] == [session.pk]
    other = (
        FieldSchool.objects.exclude(pk=session.field_school_id).filter(school__province__code="01").first()
    )
    bring_to_selected(other, officer, first=500)
    facts = SessionFacts(on_date=DAYS.test_from)
    second = operations.plan_session(school=other, facts=facts, is_make_up=False, by=officer)
    assert browser.get(f"/buoi-khao-sat/{second.pk}").status_code == 403
    assert (
        browser.post(
            f"/buoi-khao-sat/{second.pk}/bao-cao/1", {"started": "07:00", "ended": "08:00"}
        ).status_code
        == 403
    )


POSTS = (
    "truong/SCHOOL/goi",
    "truong/SCHOOL/nop-danh-sach",
    "truong/SCHOOL/lam/chon",
    "truong/SCHOOL/lam/thay-the",
    "truong/SCHOOL/lam/mo-lai",
    "truong/SCHOOL/lam/quyet-dinh",
    "truong/SCHOOL/lam/ket-thuc",
    "truong/SCHOOL/khong-tham-gia",
    "truong/SCHOOL/tra-loi/1",
    "truong/SCHOOL/su-co",
    "truong/SCHOOL/buoi-moi",
    "truong/SCHOOL/giam-sat",
    "truong/SCHOOL/theo-doi.pdf",
    "truong/SCHOOL/nhan.xlsx",
)


def test_no_change_of_a_stranger_is_taken(session, signed_in, stranger, newcomer, commune_officer) -> None:
    school = session.field_school_id
    before = list(FieldSchool.objects.order_by("pk").values())
    for person in (stranger, newcomer):
        for address in POSTS:
            page = signed_in(person).post(
                f"/tham-gia/{address.replace('SCHOOL', str(school))}", {"text": "x"}
            )
            assert page.status_code == 403, (person.username, address)
    assert list(FieldSchool.objects.order_by("pk").values()) == before
    assert VaultAccess.objects.count() == 0


def test_a_school_answers_one_question_per_screen(school, signed_in, own_coordinator) -> None:
    browser = signed_in(own_coordinator)
    root = f"/tham-gia/truong/{school.pk}/tra-loi"
    assert browser.get("/tham-gia").status_code == 302
    assert "Trường có tham gia không?" in text(browser.get(f"{root}/1"))
    assert browser.post(f"{root}/1", {"answer": "yes"}).headers["Location"] == f"{root}/2"
    assert browser.post(f"{root}/2", {"coordinator_name": ""}).status_code == 200
    assert browser.post(f"{root}/2", {"coordinator_name": "Lò Thị Mai"}).headers["Location"] == f"{root}/3"
    assert browser.post(f"{root}/3", {"coordinator_phone": "0912345678"}).headers["Location"] == f"{root}/4"
    assert browser.post(f"{root}/4", {"test_date": "1/1/2027"}).status_code == 422
    assert browser.post(f"{root}/4", {"test_date": "3/3/2027"}).status_code == 302
    school.refresh_from_db()
    assert (school.state, school.test_date) == (State.CONFIRMED, datetime.date(2027, 3, 3))
    fill_list(school.school, 12, 1)
    page = browser.post(f"/tham-gia/truong/{school.pk}/nop-danh-sach")
    assert page.status_code == 422
    assert "12" in text(page)
    done = browser.post(
        f"/tham-gia/truong/{school.pk}/nop-danh-sach", {"explanation": "Một lớp chuyển trường"}
    )
    assert done.status_code == 302
    assert FieldSchool.objects.get(pk=school.pk).n_listed == 12


def test_a_report_takes_five_screens_on_a_phone(session, signed_in, administrator) -> None:
    browser = signed_in(administrator)
    root = f"/buoi-khao-sat/{session.pk}/bao-cao"
    assert browser.post(f"{root}/1", {"started": "9", "ended": ""}).status_code == 200
    assert (
        browser.post(f"{root}/1", {"started": "07:30", "ended": "09:40"}).headers["Location"] == f"{root}/2"
    )
    code = session.people.order_by("person_code").first().person_code
    assert code[9:] in text(browser.get(f"{root}/2"))
    assert browser.post(f"{root}/2", {"absent": [code]}).headers["Location"] == f"{root}/3"
    assert browser.post(f"{root}/3", {f"code_{code}": "22"}).headers["Location"] == f"{root}/4"
    assert browser.post(f"{root}/4", {"nothing": "1"}).headers["Location"] == f"{root}/5"
    assert f"{N_STUDENTS - 1} / {N_STUDENTS}" in text(browser.get(f"{root}/5")) or "7" in text(
        browser.get(f"{root}/5")
    )
    assert browser.post(f"{root}/5").headers["Location"] == f"/buoi-khao-sat/{session.pk}"
    assert ListedPerson.objects.get(person_code=code).status == 22
    assert browser.get(f"{root}/2").status_code == 302
    with_nobody = browser.get("/buoi-khao-sat")
    assert [one.pk for one in with_nobody.context["reported"]] == [session.pk]


def test_names_are_printed_by_those_who_may_and_each_time_is_written_down(
    session, signed_in, ministry, officer, own_coordinator
) -> None:
    school = session.field_school
    sheet = f"/tham-gia/truong/{school.pk}/diem-danh.pdf"
    plain = "".join(
        page.extract_text() for page in PdfReader(BytesIO(signed_in(officer).get(sheet).content)).pages
    )
    assert "Nguyễn Văn" not in plain
    assert session.people.first().person_code in plain
    assert signed_in(ministry).post(sheet, {"reason": "prepare_survey"}).status_code == 403
    assert signed_in(own_coordinator).post(sheet, {"reason": ""}).status_code == 422
    assert VaultAccess.objects.count() == 0
    named = signed_in(own_coordinator).post(sheet, {"reason": "prepare_survey"})
    words = "".join(page.extract_text() for page in PdfReader(BytesIO(named.content)).pages)
    assert "Nguyễn Văn" in words
    assert (
        named.headers["Cache-Control"].startswith("no-store") or "no-store" in named.headers["Cache-Control"]
    )
    access = VaultAccess.objects.get()
    assert (access.action, access.n_entries, access.reason) == ("exported", N_STUDENTS, "prepare_survey")
    assert school.events.filter(kind="printed").count() == 1


def test_the_board_narrows_by_the_address_and_counts_open_lists(
    fieldwork, signed_in, ministry, officer
) -> None:
    browser = signed_in(ministry)
    page = browser.get(f"/tham-gia/{fieldwork.plan_id}")
    assert [row["title"] for row in page.context["rows"]] == ["Hà Nội", "Hồ Chí Minh"]
    north = browser.get(f"/tham-gia/{fieldwork.plan_id}?tinh=01")
    assert {row["title"] for row in north.context["rows"]} <= {"Phường Ba Đình", "Phường Ngọc Hà"}
    url = north.context["rows"][0]["url"]
    schools = browser.get(url)
    assert all(row["url"].startswith("/tham-gia/truong/") for row in schools.context["rows"])
    listed = browser.get(page.context["rows"][0]["cells"][0]["url"])
    assert len(listed.context["rows"]) == page.context["rows"][0]["cells"][0]["count"] == 4
    own = signed_in(officer).get(f"/tham-gia/{fieldwork.plan_id}")
    assert {row["title"] for row in own.context["rows"]} <= {"Phường Ba Đình", "Phường Ngọc Hà"}


def test_the_board_asks_the_same_queries_for_more_schools(
    fieldwork, signed_in, ministry, bare_shell, django_assert_max_num_queries
) -> None:
    browser = signed_in(ministry)
    with django_assert_max_num_queries(18):
        assert browser.get(f"/tham-gia/{fieldwork.plan_id}").status_code == 200


def test_calls_are_noted(fieldwork, signed_in, ministry, officer) -> None:
    operations.mark_notified(schools=list(FieldSchool.objects.all()), by=ministry)
    with clock.fixed(datetime.datetime(2026, 12, 8, 3, tzinfo=datetime.UTC)):
        browser = signed_in(officer)
        page = browser.get(f"/tham-gia/{fieldwork.plan_id}/goi")
        assert len(page.context["rows"]) == 4
        first = page.context["rows"][0]["call"].school
        assert browser.post(f"/tham-gia/truong/{first.pk}/goi", {"text": "Hẹn chiều nay"}).status_code == 302
        assert "Hẹn chiều nay" in text(browser.get(f"/tham-gia/{fieldwork.plan_id}/goi"))


def test_the_ministry_starts_and_others_wait(plan, signed_in, ministry, officer) -> None:
    assert "Bắt đầu" in text(signed_in(ministry).get("/tham-gia"))
    assert "Chưa có mẫu" in text(signed_in(officer).get("/tham-gia"))
    days = {
        "answer_due": "4/12/2026",
        "list_due": "11/12/2026",
        "test_from": "1/3/2027",
        "test_to": "31/3/2027",
    }
    assert signed_in(officer).post(f"/tham-gia/{plan.pk}/bat-dau", days).status_code == 403
    assert (
        signed_in(ministry).post(f"/tham-gia/{plan.pk}/bat-dau", days | {"list_due": "x"}).status_code == 200
    )
    assert signed_in(ministry).post(f"/tham-gia/{plan.pk}/bat-dau", days).status_code == 302
    assert Fieldwork.objects.count() == 1


def test_weights_and_report_are_the_ministrys(fieldwork, signed_in, ministry, officer, stranger) -> None:
    root = f"/tham-gia/{fieldwork.plan_id}"
    for person in (officer, stranger):
        for end in ("/trong-so", "/bao-cao", "/bao-cao.pdf", "/bao-cao.docx", "/trong-so/1/students.parquet"):
            assert signed_in(person).get(root + end).status_code == 403
        assert signed_in(person).post(f"{root}/trong-so/tinh").status_code == 403
    browser = signed_in(ministry)
    for end in ("/trong-so", "/bao-cao", "/bao-cao.pdf", "/bao-cao.docx"):
        assert browser.get(root + end).status_code == 200
    assert browser.get(f"{root}/trong-so/1/students.parquet").status_code == 404
    assert browser.post(f"{root}/trong-so/tinh").status_code == 409


def test_today_tells_each_role_what_is_due(
    session, signed_in, officer, administrator, own_coordinator, stranger
) -> None:
    from dienrong.fieldwork.cards import cards

    cycle = session.field_school.plan.cycle
    with clock.fixed(datetime.datetime(2027, 3, 1, 9, tzinfo=datetime.UTC)):
        assert [card.order for card in cards(administrator, cycle)] == [4]
        assert [card.order for card in cards(own_coordinator, cycle)] == [4]
        assert [card.number or card.title for card in cards(officer, cycle)] == ["3 trường đang trễ"]
        assert [card.title for card in cards(stranger, cycle)] == ["2 trường đang trễ"]


def test_incidents_and_visits_are_written_down_and_settled(
    session, signed_in, officer, own_coordinator
) -> None:
    from dienrong.fieldwork.models import Incident, QualityVisit
    from dienrong.fieldwork.visits import QUESTIONS

    school = session.field_school
    root = f"/tham-gia/truong/{school.pk}"
    browser = signed_in(own_coordinator)
    assert browser.post(f"{root}/su-co", {"kind": "power", "text": ""}).status_code == 422
    assert (
        browser.post(
            f"{root}/su-co", {"kind": "power", "text": "Mất điện 10 phút", "n_affected": 8}
        ).status_code
        == 302
    )
    incident = Incident.objects.get()
    assert browser.post(f"/tham-gia/su-co/{incident.pk}", {"text": "Đã xong"}).status_code == 403
    assert signed_in(officer).post(f"/tham-gia/su-co/{incident.pk}", {"text": "Bù giờ"}).status_code == 302
    assert signed_in(officer).post(f"/tham-gia/su-co/{incident.pk}", {"text": "Bù giờ"}).status_code == 409
    answers = dict.fromkeys(QUESTIONS, "yes")
    assert browser.post(f"{root}/giam-sat", answers | {"on_date": "22/11/2026"}).status_code == 403
    officers = signed_in(officer)
    assert officers.post(f"{root}/giam-sat", {"on_date": "22/11/2026"}).status_code == 422
    assert officers.post(f"{root}/giam-sat", answers | {"on_date": "23/11/2026"}).status_code == 422
    assert (
        officers.post(f"{root}/giam-sat", answers | {"on_date": "22/11/2026", "text": "Tốt"}).status_code
        == 302
    )
    assert QualityVisit.objects.get().answers == answers
    assert "Mất điện 10 phút" in text(officers.get(f"{root}?tab=buoi"))


def test_a_cancelled_session_gives_its_people_back(session, signed_in, own_coordinator) -> None:
    browser = signed_in(own_coordinator)
    assert browser.post(f"/buoi-khao-sat/{session.pk}/huy", {"text": "Bão"}).status_code == 302
    assert ListedPerson.objects.filter(test_session__isnull=False).count() == 0
    new = {"on_date": "2/3/2027", "begins_at": "7:30", "room": "P2", "administrator": "", "n_people": "5"}
    assert browser.post(f"/tham-gia/truong/{session.field_school_id}/buoi-moi", new).status_code == 302
    assert TestSession.objects.get(state="planned").people.count() == 5


def test_a_commune_sees_its_own_schools_and_changes_nothing(fieldwork, signed_in, commune_officer) -> None:
    browser = signed_in(commune_officer)
    listed = browser.get(f"/tham-gia/{fieldwork.plan_id}/truong").context["rows"]
    own = FieldSchool.objects.filter(school__commune__code="00004")
    assert {row["school"].pk for row in listed} == set(own.values_list("pk", flat=True))
    first = own.first()
    assert browser.get(f"/tham-gia/truong/{first.pk}").status_code == 200
    assert browser.post(f"/tham-gia/truong/{first.pk}/lam/chon").status_code == 403
    assert (
        browser.post(f"/tham-gia/truong/{first.pk}/khong-tham-gia", {"code": 2, "reason": "x"}).status_code
        == 403
    )
    assert browser.post(f"/tham-gia/{fieldwork.plan_id}/da-gui-thu").status_code == 403
