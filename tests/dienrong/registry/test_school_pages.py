"""Each person finds the schools of their own units, and nobody else's."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dienrong.registry import operations
from small_cycle import nation, school_row

pytestmark = pytest.mark.django_db
HOA_BINH, NGUYEN_TRAI, DUC_THANG, SOUTH = "01000001", "01000002", "01000003", "79000001"


def listed(page) -> set[str]:
    return {school.school_id for school in page.context["page"].object_list}


def test_everyone_sees_the_schools_of_their_units_alone(
    registry, signed_in, ministry, officer, commune_officer, coordinator, stranger
) -> None:
    expected = {
        ministry: {HOA_BINH, NGUYEN_TRAI, DUC_THANG, SOUTH},
        officer: {HOA_BINH, NGUYEN_TRAI, DUC_THANG},
        commune_officer: {HOA_BINH, NGUYEN_TRAI},
        coordinator: {HOA_BINH},
        stranger: {SOUTH},
    }
    for person, schools in expected.items():
        page = signed_in(person).get("/truong")
        assert page.status_code == 200
        assert listed(page) == schools, person.username
        for school in {HOA_BINH, NGUYEN_TRAI, DUC_THANG, SOUTH}:
            status = signed_in(person).get(f"/truong/{school}").status_code
            assert status == (200 if school in schools else 403), (person.username, school)


def test_nobody_signed_in_and_people_without_schools_see_none(
    registry, visitor, signed_in, researcher, newcomer
) -> None:
    for address in ("/truong", f"/truong/{HOA_BINH}"):
        assert visitor.get(address).headers["Location"].startswith("/dang-nhap?next=")
        for person in (researcher, newcomer):
            page = signed_in(person).get(address)
            assert page.status_code == 403
            assert "Hòa Bình" not in page.content.decode()


def test_a_filter_never_widens_the_scope(registry, signed_in, stranger) -> None:
    browser = signed_in(stranger)
    for query in ("province=01", "commune=00004", "q=Nguyen+Trai", f"q={HOA_BINH}"):
        assert listed(browser.get(f"/truong?{query}")) == set(), query


@pytest.mark.parametrize("words", ["hoa binh", "HÒA BÌNH", "hoà bình", "binh hoa", "th hoa"])
def test_search_knows_neither_marks_nor_capitals(registry, signed_in, ministry, words) -> None:
    page = signed_in(ministry).get("/truong", {"q": words})
    assert listed(page) == {HOA_BINH, SOUTH}


def test_search_knows_that_d_with_a_stroke_is_d(registry, signed_in, ministry) -> None:
    assert listed(signed_in(ministry).get("/truong", {"q": "duc thang"})) == {DUC_THANG}
    assert listed(signed_in(ministry).get("/truong", {"q": "010000"})) == {HOA_BINH, NGUYEN_TRAI, DUC_THANG}


def test_nothing_found_says_what_to_try(registry, signed_in, ministry) -> None:
    html = signed_in(ministry).get("/truong", {"q": "khong co"}).content.decode()
    assert "Không tìm thấy trường" in html
    assert "Bỏ bộ lọc" in html


def test_an_empty_registry_says_what_will_stand_here(signed_in, ministry) -> None:
    assert "Chưa có trường" in signed_in(ministry).get("/truong").content.decode()


def test_a_school_has_three_tabs(registry, signed_in, officer) -> None:
    browser = signed_in(officer)
    what = browser.get(f"/truong/{NGUYEN_TRAI}").content.decode()
    assert "vùng khó khăn" in what
    assert "12,5%" in what
    assert "Đã nạp danh mục" in browser.get(f"/truong/{NGUYEN_TRAI}?tab=happened").content.decode()
    assert "sha256:1" in browser.get(f"/truong/{NGUYEN_TRAI}?tab=lineage").content.decode()
    assert browser.get("/truong/00000000").status_code == 404


def test_ten_thousand_schools_are_paged_with_as_many_queries_as_four(registry, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    browser.get("/truong")
    with CaptureQueriesContext(
        connection,
    ) as few:
        browser.get("/truong")
    many = tuple(school_row(f"{n:08d}", f"Trường TH số {n}", "00004") for n in range(10_000))
    operations.load_nation(rows=nation(many, "sha256:many"), school_year="2025-2026", by=None)
    with CaptureQueriesContext(connection) as more:
        page = browser.get("/truong?page=200")
    assert len(listed(page)) == 50
    assert page.context["page"].paginator.count == 10_000
    assert len(more) == len(few)
    assert len(more) <= 14


def test_pages_speak_english_wholly(registry, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    browser.cookies["dienrong_language"] = "en"
    html = browser.get("/truong").content.decode()
    assert "4 schools in your charge" in html
    assert "Tìm" not in html
