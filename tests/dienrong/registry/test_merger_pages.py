"""A province officer writes a batch down, adds lines, sees what it changes, applies and undoes it."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dienrong.registry import operations
from dienrong.registry.models import AdministrativeUnit, MergerBatch, School
from dienrong.registry.queries import Line

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon", "registry")]
A, B, C, SOUTH = "01000001", "01000002", "01000003", "79000001"
BATCH = {
    "province": "01",
    "title": "Sắp xếp trường năm học 2026–2027",
    "decision_number": "12/QĐ-UBND",
    "decision_date": "2026-06-15",
    "effective_date": "01/07/2026",
}
MERGE = {
    "chosen": [A, B],
    "kind": "merge",
    "successor": "+",
    "new_code": "01000099",
    "new_name": "Trường TH Ba Đình",
    "commune": "",
}


def made(*lines: Line) -> MergerBatch:
    return operations.plan_batch(
        AdministrativeUnit.objects.get(level="province", code="01"),
        lines,
        title="Đợt 1",
        decision_number="12/QĐ-UBND",
        decision_date=date(2026, 6, 15),
        effective_date=date(2026, 7, 1),
        by=None,
    )


def test_from_the_decision_to_the_undoing(signed_in, officer) -> None:
    browser = signed_in(officer)
    assert "Chưa có đợt sáp nhập" in browser.get("/sap-nhap").content.decode()
    assert browser.get("/sap-nhap/moi").status_code == 200
    answer = browser.post("/sap-nhap/moi", BATCH)
    batch = MergerBatch.objects.get()
    assert (batch.created_by, batch.effective_date) == (officer, date(2026, 7, 1))
    add = f"/sap-nhap/{batch.pk}/them"
    assert answer.headers["Location"] == add
    assert "Chưa có dòng nào" in browser.get(f"/sap-nhap/{batch.pk}").content.decode()
    found = browser.get(add, {"q": "hoa binh"}).content.decode()
    assert A in found
    assert SOUTH not in found
    chosen = browser.get(add, {"q": "nguyen trai", "chosen": [A, SOUTH]}).content.decode()
    assert "Trường TH Nguyễn Trãi" in chosen
    assert "Trường TH Hoà Bình" not in chosen
    assert browser.post(add, MERGE).headers["Location"] == add
    assert browser.post(add, {"chosen": [C], "kind": "rename", "new_name": "Trường Mới"}).status_code == 302
    page = f"/sap-nhap/{batch.pk}"
    preview = browser.get(page).content.decode()
    assert "3 → 2" in preview
    assert "440 → 440" in preview
    assert "Mỗi học sinh được tính đúng một lần" in preview
    assert "Thực hiện đợt này" in preview
    lines = browser.get(f"{page}?tab=lines").content.decode()
    assert "Trường TH Nguyễn Trãi" in lines
    assert browser.post(f"{page}/thuc-hien").headers["Location"] == page
    applied = browser.get(page).content.decode()
    assert "Hoàn tác cả đợt" in applied
    assert "Đã thực hiện" in browser.get("/sap-nhap").content.decode()
    assert not School.objects.get(school_id=A).is_open
    assert "Đã hoàn tác cả đợt" in browser.post(f"{page}/hoan-tac", follow=True).content.decode()
    assert School.objects.get(school_id=A).is_open
    happened = browser.get(f"{page}?tab=happened").content.decode()
    for words in ("Lập đợt sáp nhập", "Thực hiện đợt sáp nhập", "Hoàn tác đợt sáp nhập"):
        assert words in happened


def test_conflicts_are_shown_by_their_lines_and_apply_is_not_offered(signed_in, officer) -> None:
    batch = made(
        Line(line_number=1, kind="merge", predecessor_codes=(A, "00000000"), successor_code=A),
        Line(line_number=2, kind="close", predecessor_codes=(SOUTH,)),
    )
    browser = signed_in(officer)
    page = browser.get(f"/sap-nhap/{batch.pk}").content.decode()
    assert "Dòng 1:" in page
    assert "00000000" in page
    assert f"Không có trường nào của tỉnh có mã {SOUTH}" in page
    assert "Thực hiện đợt này" not in page
    refused = browser.post(f"/sap-nhap/{batch.pk}/thuc-hien", follow=True).content.decode()
    assert "Các dòng còn vướng: 1, 2" in refused
    assert "Hoàn tác cả đợt" not in refused
    assert browser.post(f"/sap-nhap/{batch.pk}/dong/2/bo").status_code == 302
    assert (
        f"Không có trường nào của tỉnh có mã {SOUTH}"
        not in browser.get(f"/sap-nhap/{batch.pk}").content.decode()
    )
    assert browser.post(f"/sap-nhap/{batch.pk}/xoa").headers["Location"] == "/sap-nhap"
    assert not MergerBatch.objects.exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"title": ""}, "Tên đợt"),
        ({"effective_date": ""}, "Có hiệu lực"),
        ({"effective_date": "2036-07-01"}, "hơn một năm"),
        ({"province": "79"}, "province"),
    ],
)
def test_a_batch_that_does_not_fit_is_refused(signed_in, officer, changes, words) -> None:
    page = signed_in(officer).post("/sap-nhap/moi", {**BATCH, **changes})
    assert page.status_code == 422
    assert words in page.content.decode()
    assert not MergerBatch.objects.exists()


def test_strangers_and_lower_roles_see_and_do_nothing(
    signed_in, officer, stranger, commune_officer, coordinator, newcomer, visitor
) -> None:
    batch = made(Line(line_number=1, kind="close", predecessor_codes=(A,)))
    page = f"/sap-nhap/{batch.pk}"
    for person in (commune_officer, coordinator, newcomer):
        for address in ("/sap-nhap", "/sap-nhap/moi", page, f"{page}/them"):
            assert signed_in(person).get(address).status_code == 403, (person.username, address)
    theirs = signed_in(stranger)
    assert "Đợt 1" not in theirs.get("/sap-nhap").content.decode()
    for address in (page, f"{page}?tab=lines", f"{page}/them"):
        answer = theirs.get(address)
        assert answer.status_code == 403
        assert "Đợt 1" not in answer.content.decode()
    for person in (stranger, commune_officer, coordinator):
        for act in ("them", "thuc-hien", "hoan-tac", "xoa", "dong/1/bo"):
            assert signed_in(person).post(f"{page}/{act}", MERGE).status_code == 403
    assert visitor.get(page).status_code == 302
    assert signed_in(officer).get("/sap-nhap/999999").status_code == 404
    assert batch.lines.count() == 1
    assert School.objects.get(school_id=A).is_open


def test_the_page_of_a_batch_takes_as_many_queries_for_many_lines(signed_in, officer, bare_shell) -> None:
    browser = signed_in(officer)

    def cost(*lines: Line) -> list[int]:
        batch = made(*lines)
        counts = []
        for tab in ("preview", "lines"):
            browser.get(f"/sap-nhap/{batch.pk}?tab={tab}")
            with CaptureQueriesContext(connection) as asked:
                browser.get(f"/sap-nhap/{batch.pk}?tab={tab}")
            counts.append(len(asked))
        return counts

    one = Line(line_number=1, kind="merge", predecessor_codes=(A, B), successor_code=A)
    more = Line(line_number=2, kind="rename", predecessor_codes=(C,), successor_name="Trường Mới")
    assert cost(one) == cost(one, more)
