"""Pages of single decisions: opened, split, given a new code, closed; previewed, accepted, closed to strangers."""

from __future__ import annotations

from datetime import date

import pytest

from dienrong.audit.models import AuditEntry
from dienrong.registry import operations, queries
from dienrong.registry.models import AdministrativeUnit, MergerBatch, School, SchoolEvent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon", "registry")]
A, B, SOUTH, NEW = "01000001", "01000002", "79000001", "01000099"
DECISION = {"on_date": "01/07/2026", "decision_number": "12/QĐ-UBND", "decision_date": "15/06/2026"}
OPENING = {
    **DECISION,
    "province": "01",
    "code": NEW,
    "name": "Trường TH Ba Đình",
    "commune": "00008",
    "levels": ["TH"],
    "kind": "general",
    "sector": "public",
    "managed_by": "commune",
    "boarding": "none",
}
HALVES = {
    **DECISION,
    "n": "2",
    "keeps": "1",
    "code_1": NEW,
    "name_1": "Trường TH Ba Đình 2",
    "commune_1": "00008",
    "students_5_0": "70",
    "classes_5_0": "2",
    "students_5_1": "50",
    "classes_5_1": "2",
}
PAGES = {
    "/truong/thanh-lap": OPENING,
    f"/truong/{A}/tach": HALVES,
    f"/truong/{A}/doi-ma": {**DECISION, "code": NEW},
    f"/truong/{A}/giai-the": DECISION,
}
ACCEPT = {"accept": "1"}


def text(answer) -> str:
    return answer.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_a_preview_changes_nothing_and_accepting_writes_one_event(signed_in, officer, page) -> None:
    browser = signed_in(officer)
    before = list(School.objects.order_by("pk").values())
    assert browser.get(page).status_code == 200
    preview = text(browser.post(page, PAGES[page]))
    assert "Hiện chưa có gì thay đổi" in preview
    assert "12/QĐ-UBND" in preview
    assert (list(School.objects.order_by("pk").values()), SchoolEvent.objects.count()) == (before, 0)
    again = text(browser.post(page, {**PAGES[page], "change": "1"}))
    assert 'value="12/QĐ-UBND"' in again
    answer = browser.post(page, {**PAGES[page], **ACCEPT})
    assert answer.status_code == 302
    event = SchoolEvent.objects.get()
    assert (event.decision_number, event.on_date, event.recorded_by) == (
        "12/QĐ-UBND",
        date(2026, 7, 1),
        officer,
    )
    assert AuditEntry.objects.filter(actor=officer, after__event=event.pk).count() == 1
    assert browser.get(answer.headers["Location"]).status_code == 200


def test_every_hidden_field_of_the_preview_accepts_the_same(signed_in, officer) -> None:
    """What the preview carries is what accepting reads: the page's own form is sent back as it stands."""
    import re

    browser = signed_in(officer)
    page = f"/truong/{A}/tach"
    preview = text(browser.post(page, HALVES))
    assert "70" in preview
    carried = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', preview)
    sent = {name: value for name, value in carried if name not in ("csrfmiddlewaretoken", "next")}
    assert sent == HALVES
    browser.post(page, {**sent, **ACCEPT})
    frame = {row.school_id: sum(row.n_students.values()) for row in _frame()}
    assert (frame[A], frame[NEW]) == (70, 50)


def test_a_split_that_loses_a_pupil_is_refused_on_its_form(signed_in, officer) -> None:
    answer = signed_in(officer).post(f"/truong/{A}/tach", {**HALVES, "students_5_1": "49"})
    assert answer.status_code == 422
    assert "119" in text(answer)
    assert SchoolEvent.objects.count() == 0


def test_a_split_into_new_schools_alone_and_into_another_that_stands(signed_in, officer) -> None:
    browser = signed_in(officer)
    page = f"/truong/{A}/tach"
    assert text(browser.get(page, {"n": "3", "keeps": "0"})).count('name="code_') == 3
    assert browser.get(page, {"n": "99", "keeps": "x"}).status_code == 200
    taken = {**HALVES, "code_1": B, "name_1": "Trường khác", "commune_1": ""}
    refused = browser.post(page, taken)
    assert (refused.status_code, B in text(refused)) == (422, True)
    browser.post(page, {**taken, "name_1": "", **ACCEPT})
    frame = {row.school_id: sum(row.n_students.values()) for row in _frame()}
    assert (frame[A], frame[B]) == (70, 170)


def test_a_school_of_another_province_is_no_part_and_its_name_is_not_told(signed_in, officer) -> None:
    answer = signed_in(officer).post(
        f"/truong/{A}/tach", {**HALVES, "code_1": SOUTH, "name_1": "", "commune_1": ""}
    )
    assert answer.status_code == 422
    assert School.objects.get(school_id=SOUTH).name not in text(answer)
    taken = signed_in(officer).post("/truong/thanh-lap", {**OPENING, "code": SOUTH})
    assert taken.status_code == 422
    assert School.objects.get(school_id=SOUTH).name not in text(taken)


def test_the_ministry_chooses_the_province_first(signed_in, ministry) -> None:
    browser = signed_in(ministry)
    first = text(browser.get("/truong/thanh-lap"))
    assert 'name="code"' not in first
    assert 'name="code"' in text(browser.get("/truong/thanh-lap", {"province": "79"}))
    there = {**OPENING, "province": "79", "commune": "26734", **ACCEPT}
    assert browser.post("/truong/thanh-lap", there).status_code == 302
    assert School.objects.get(school_id=NEW).province.code == "79"


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("who", ["stranger", "commune_officer", "coordinator", "researcher", "newcomer"])
def test_strangers_and_those_below_see_and_do_nothing(signed_in, request, page, who) -> None:
    """Another province may open schools of its own, but none here; those below change contacts alone."""
    browser = signed_in(request.getfixturevalue(who))
    answer = browser.post(page, {**PAGES[page], **ACCEPT})
    if who == "stranger" and page == "/truong/thanh-lap":
        assert answer.status_code == 422
    else:
        assert answer.status_code in (403, 404)
        assert browser.get(page).status_code in (403, 404)
    assert SchoolEvent.objects.count() == 0
    if who != "coordinator":  # whose own menu names the school
        assert "Trường TH Hòa Bình" not in text(answer)


def test_visitors_are_asked_to_sign_in(visitor) -> None:
    for page in PAGES:
        assert visitor.get(page).status_code in (302, 401, 403)


def test_unknown_codes_are_not_found(signed_in, officer) -> None:
    for part in ("tach", "doi-ma", "giai-the"):
        assert signed_in(officer).get(f"/truong/00000000/{part}").status_code == 404


def test_pages_are_offered_to_those_who_may(signed_in, officer, coordinator) -> None:
    browser = signed_in(officer)
    assert "/truong/thanh-lap" in text(browser.get("/truong"))
    edit = text(browser.get(f"/truong/{A}/sua"))
    assert all(f"/truong/{A}/{part}" in edit for part in ("tach", "doi-ma", "giai-the"))
    below = signed_in(coordinator)
    assert "/truong/thanh-lap" not in text(below.get("/truong"))
    assert f"/truong/{A}/tach" not in text(below.get(f"/truong/{A}/sua"))


def test_splits_and_openings_are_written_into_a_batch_on_their_own_pages(
    signed_in, officer, stranger
) -> None:
    batch = _batch(date(2026, 7, 1))
    browser, add = signed_in(officer), f"/sap-nhap/{batch.pk}/them"
    assert f"{add}/tach/{A}" in text(browser.get(add, {"chosen": [A]}))
    for page in (f"{add}/tach/{A}", f"{add}/thanh-lap"):
        assert browser.get(page).status_code == 200
    split = {key: value for key, value in HALVES.items() if key not in DECISION}
    assert browser.post(f"{add}/tach/{A}", split).status_code == 302
    opening = {"code": "01000098", "name": "Trường THPT Mới", "commune": "00008", "levels": ["THPT"]}
    assert browser.post(f"{add}/thanh-lap", opening).headers["Location"] == add
    assert browser.post(f"{add}/thanh-lap", {**opening, "levels": []}).status_code == 422
    preview = text(browser.get(f"/sap-nhap/{batch.pk}"))
    assert "3 → 5" in preview
    assert "120 → 120" in preview
    lines = text(browser.get(f"/sap-nhap/{batch.pk}?tab=lines"))
    assert "Trường TH Ba Đình 2" in lines
    assert "Trường THPT Mới" in lines
    other = signed_in(stranger)
    for page in (f"{add}/tach/{A}", f"{add}/thanh-lap"):
        assert other.get(page).status_code == 403
        assert other.post(page, split).status_code == 403
    assert batch.lines.count() == 2
    browser.post(f"/sap-nhap/{batch.pk}/thuc-hien")
    applied = text(browser.get(f"/sap-nhap/{batch.pk}?tab=lines"))
    assert "Trường TH Ba Đình 2" in applied
    assert School.objects.get(school_id="01000098").is_open


def test_a_school_of_another_province_is_not_split_in_a_batch(signed_in, officer) -> None:
    batch = _batch(date(2026, 7, 1))
    assert signed_in(officer).get(f"/sap-nhap/{batch.pk}/them/tach/{SOUTH}").status_code == 404


def test_a_batch_of_a_later_day_is_accepted_on_its_page(signed_in, officer, stranger) -> None:
    batch = _batch(date(2027, 1, 1))
    operations.add_line(
        batch=batch,
        line=queries.Line(line_number=0, kind="close", predecessor_codes=(B,)),
        by=officer,
    )
    browser, page = signed_in(officer), f"/sap-nhap/{batch.pk}"
    assert "Chấp nhận, có hiệu lực 01/01/2027" in text(browser.get(page))
    assert "01/01/2027" in text(browser.post(f"{page}/thuc-hien", follow=True))
    assert "Rút chấp nhận" in text(browser.get(page))
    assert "Đã chấp nhận, chờ đến ngày" in text(browser.get("/sap-nhap"))
    assert "01/01/2027" in text(browser.get(f"/truong/{B}"))
    assert "chưa đến" in text(browser.post(f"{page}/den-ngay", follow=True)).lower()
    assert signed_in(stranger).post(f"{page}/den-ngay").status_code == 403
    assert signed_in(stranger).post(f"{page}/hoan-tac").status_code == 403
    browser.post(f"{page}/hoan-tac")
    batch.refresh_from_db()
    assert batch.state == "undone"


def _frame():
    return queries.frame_on(date(2026, 7, 1), "2025-2026", province_code="01")


def _batch(day: date) -> MergerBatch:
    return operations.plan_batch(
        AdministrativeUnit.objects.get(level="province", code="01"),
        (),
        title="Đợt 1",
        decision_number="12/QĐ-UBND",
        decision_date=date(2026, 6, 15),
        effective_date=day,
        by=None,
    )
