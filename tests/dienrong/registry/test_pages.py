"""Pages of units, of one school and its forms, and the list as of a day; the stranger is in every one."""

from __future__ import annotations

import io
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dienrong.registry import operations
from dienrong.registry.models import RegistryLoad, School, SchoolEvent, SchoolSite
from dienrong.registry.numeric import unit_history_rows
from dienrong.registry.operations import Decision, NewSchool

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon", "registry")]
A, B, C, SOUTH = "01000001", "01000002", "01000003", "79000001"
JULY = Decision(on_date=date(2026, 7, 1), number="12/QĐ-UBND")
NEW = NewSchool(code="01000099", name="Trường TH Ba Đình")
TRAITS = {
    "part": "traits",
    "on_date": "2026-07-01",
    "decision_number": "15/QĐ-SGDĐT",
    "decision_date": "",
    "name": "Trường TH Hòa Bình",
    "levels": ["TH"],
    "commune": "00004",
    "kind": "general",
    "sector": "public",
    "managed_by": "commune",
    "area": "urban",
    "boarding": "none",
}


def school(code: str) -> School:
    return School.objects.select_related("commune", "province").get(school_id=code)


def merge() -> School:
    return operations.merge_schools(schools=[school(A), school(B)], successor=NEW, decision=JULY, by=None)


def codes(page) -> list[str]:
    return [row.school_id for row in page.context["page"].object_list]


def test_units_of_a_day_and_of_every_time(signed_in, coordinator, researcher, newcomer, visitor) -> None:
    operations.load_units(rows=unit_history_rows(), by=None)
    browser = signed_in(coordinator)
    today = browser.get("/don-vi").content.decode()
    # One commune more than the country has: the small nation of the tests invents one.
    assert "34 tỉnh, thành phố, 3.322 xã" in today
    assert "Thành phố Đồng Nai" in today
    old = browser.get("/don-vi?day=2025-06-30").content.decode()
    assert "63 tỉnh, thành phố, 10.035 xã" in old
    assert "Tỉnh Yên Bái" in old
    assert "Tỉnh Đồng Nai" in browser.get("/don-vi", {"day": "29/04/2026"}).content.decode()
    found = browser.get("/don-vi?q=yen+bai").content.decode()
    assert "Tỉnh Yên Bái" in found
    assert "Phường Yên Bái" in found
    assert "Không tìm thấy đơn vị" in browser.get("/don-vi?q=khong+co+dau").content.decode()
    assert "Chưa có đơn vị vào ngày này" in browser.get("/don-vi?day=1990-01-01").content.decode()
    assert "không phải là ngày" in browser.get("/don-vi?day=abc").content.decode()
    assert signed_in(researcher).get("/don-vi").status_code == 200
    assert signed_in(newcomer).get("/don-vi").status_code == 403
    assert visitor.get("/don-vi").status_code == 302


def test_one_unit_with_its_three_tabs(signed_in, coordinator, visitor) -> None:
    operations.load_units(rows=unit_history_rows(), by=None)
    browser = signed_in(coordinator)
    dong_nai = "/don-vi/province/75/2025-07-01"
    assert "95 đơn vị trực thuộc" in browser.get(dong_nai).content.decode()
    versions = browser.get(f"{dong_nai}?tab=versions").content.decode()
    assert "Tỉnh Đồng Nai" in versions
    assert "NQ 30/2026/QH16" in versions
    assert "Tỉnh Bình Phước" in browser.get(f"{dong_nai}?tab=lineage").content.decode()
    assert "Tỉnh Đồng Nai" in browser.get(f"{dong_nai}?day=2026-04-29").content.decode()
    old = browser.get("/don-vi/commune/00007/2025-01-01?tab=lineage").content.decode()
    assert "Hiện nay thuộc" in old
    assert "một phần" in old
    assert "Quận Ba Đình" in browser.get("/don-vi/commune/00007/2025-01-01").content.decode()
    for address in ("/don-vi/province/75/2020-01-01", "/don-vi/x/75/2025-07-01", "/don-vi/province/75/heute"):
        assert browser.get(address).status_code == 404
    assert visitor.get(dong_nai).status_code == 302


def test_the_list_of_a_day_shows_schools_as_they_were(signed_in, officer, stranger) -> None:
    merge()
    operations.rename_school(school=school(C), name="Trường THCS Mới", decision=JULY, by=None)
    browser = signed_in(officer)
    assert codes(browser.get("/truong")) == ["01000099", C]
    before = browser.get("/truong?day=2026-06-30")
    assert codes(before) == [A, B, C] or sorted(codes(before)) == [A, B, C]
    assert "Trường THCS Đức Thắng" in before.content.decode()
    assert codes(browser.get("/truong?day=2020-01-01")) == []
    assert sorted(codes(browser.get("/truong?state=closed"))) == [A, B]
    assert len(codes(browser.get("/truong?state=all"))) == 4
    assert codes(browser.get(f"/truong?q={A}&state=all")) == [A]
    for query in ("day=2026-06-30", "state=closed", "state=all", "level=TH", "day=2026-06-30&province=01"):
        assert set(codes(signed_in(stranger).get(f"/truong?{query}"))) <= {SOUTH}, query


def test_the_list_is_narrowed_by_level_and_kind_and_sorted_as_in_a_dictionary(signed_in, officer) -> None:
    School.objects.filter(school_id=C).update(levels="THCS-THPT", kind="specialised")
    browser = signed_in(officer)
    assert codes(browser.get("/truong?level=TH")) == [A, B]
    assert codes(browser.get("/truong?level=THPT")) == [C]
    assert codes(browser.get("/truong?kind=specialised")) == [C]
    assert codes(browser.get("/truong?level=x&kind=y&state=z")) == [A, B, C]


def test_the_excel_file_holds_the_filtered_list_with_codes_as_text(
    signed_in, officer, stranger, visitor
) -> None:
    import python_calamine

    answer = signed_in(officer).get("/truong/ket-xuat.xlsx?q=hoa")
    assert 'filename="truong-2026-11-22.xlsx"' in answer["Content-Disposition"]
    rows = (
        python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
        .get_sheet_by_index(0)
        .to_python()
    )
    assert rows[0][:2] == ["Mã", "Trường"]
    assert rows[1:] == [
        [A, "Trường TH Hòa Bình", "TH", "Trường phổ thông", "Phường Ba Đình", "Hà Nội", "Thành thị", "không",
         "đang hoạt động", 120.0],
    ]  # fmt: skip
    theirs = signed_in(stranger).get("/truong/ket-xuat.xlsx").content
    rows = (
        python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(theirs)).get_sheet_by_index(0).to_python()
    )
    assert [row[0] for row in rows[1:]] == [SOUTH]
    assert visitor.get("/truong/ket-xuat.xlsx").status_code == 302


def test_the_list_takes_as_many_queries_for_a_page_of_fifty_as_of_four(
    signed_in, ministry, bare_shell
) -> None:
    browser = signed_in(ministry)
    addresses = ("/truong?state=all", "/truong?day=2026-01-01", "/truong?q=truong")
    counts = []
    for _turn in range(2):
        for address in addresses:
            browser.get(address)
            with CaptureQueriesContext(connection) as asked:
                browser.get(address)
            counts.append(len(asked))
        operations.open_school(
            new=NewSchool(code="X", name="Trường X", commune=school(A).commune, traits={"levels": "TH"}),
            decision=JULY, by=None,
        ) if _turn == 0 else None  # fmt: skip
    assert counts[:3] == counts[3:]
    assert max(counts) <= 11


def test_a_merged_school_shows_both_predecessors_and_the_old_code_leads_to_where_it_goes_on(
    signed_in, officer, stranger, coordinator
) -> None:
    merged = merge()
    SchoolSite.objects.create(
        school=merged, code="01", name="Điểm trường Bản Xa", is_main=True, commune=merged.commune
    )
    browser = signed_in(officer)
    what = browser.get("/truong/01000099").content.decode()
    assert "Điểm trường Bản Xa" in what
    lineage = browser.get("/truong/01000099?tab=lineage").content.decode()
    assert "Trường TH Hòa Bình" in lineage
    assert "Trường TH Nguyễn Trãi" in lineage
    happened = browser.get("/truong/01000099?tab=happened").content.decode()
    assert "12/QĐ-UBND" in happened
    assert "Hoàn tác" in happened
    closed = browser.get(f"/truong/{A}").content.decode()
    assert "ngừng hoạt động từ ngày 01/07/2026" in closed
    assert "Trường TH Ba Đình" in closed
    own = signed_in(coordinator)
    assert own.get(f"/truong/{A}").status_code == 200
    assert "Hoàn tác" not in own.get(f"/truong/{A}?tab=happened").content.decode()
    assert own.get("/truong/01000099").status_code == 403
    for tab in ("what", "happened", "lineage"):
        assert signed_in(stranger).get(f"/truong/01000099?tab={tab}").status_code == 403


def test_an_old_code_leads_to_the_school(signed_in, officer, stranger) -> None:
    operations.recode_school(school=school(A), code="01099999", decision=JULY, by=None)
    answer = signed_in(officer).get(f"/truong/{A}")
    assert (answer.status_code, answer["Location"]) == (302, "/truong/01099999")
    assert codes(signed_in(officer).get(f"/truong?q={A}")) == ["01099999"]
    assert signed_in(stranger).get(f"/truong/{A}").status_code == 403


def test_an_officer_undoes_an_event_and_others_do_not(
    signed_in, officer, stranger, coordinator, visitor
) -> None:
    merge()
    event = SchoolEvent.objects.get()
    address = f"/truong/01000099/su-kien/{event.pk}/hoan-tac"
    assert visitor.post(address).status_code == 302
    for person in (stranger, coordinator):
        assert signed_in(person).post(address).status_code == 403
    assert signed_in(officer).post(f"/truong/{C}/su-kien/{event.pk}/hoan-tac").status_code == 404
    assert signed_in(officer).get(address).status_code == 405
    assert SchoolEvent.objects.get().state == "applied"
    assert signed_in(officer).post(address).headers["Location"] == "/truong"
    assert school(A).is_open


def test_traits_are_changed_from_a_day_on(signed_in, officer, stranger, coordinator) -> None:
    address = f"/truong/{A}/sua"
    for person in (stranger, coordinator):
        assert signed_in(person).get(f"{address}?part=traits").status_code == 403
        assert signed_in(person).post(address, TRAITS).status_code == 403
    browser = signed_in(officer)
    page = browser.get(address)
    assert page.status_code == 200
    assert "Phường Ngọc Hà" in page.content.decode()
    assert "Chưa có nội dung nào thay đổi" in browser.post(address, TRAITS).content.decode()
    answer = browser.post(address, {**TRAITS, "name": "Trường TH Kim Đồng"})
    assert answer.headers["Location"] == f"/truong/{A}"
    assert SchoolEvent.objects.get().kind == "rename"
    changed = {**TRAITS, "name": "Trường TH Kim Đồng", "on_date": "01/08/2026", "commune": "00008",
               "levels": ["TH", "THCS"], "is_border": "on"}  # fmt: skip
    assert browser.post(address, changed).status_code == 302
    found = school(A)
    assert (found.commune.code, found.levels, found.is_border) == ("00008", "TH-THCS", True)
    assert found.versions.count() == 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"on_date": ""}, "Có hiệu lực từ ngày"),
        ({"on_date": "32/13/2026"}, "Có hiệu lực từ ngày"),
        ({"on_date": "2027-01-01", "name": "X"}, "Chưa đến ngày 01/01/2027"),
        ({"on_date": "2025-01-01", "name": "X"}, "05/09/2025"),
        ({"levels": []}, "Cấp học"),
        ({"decision_number": ""}, "Số quyết định"),
        ({"commune": "26734", "name": "X"}, "Xã, phường"),
    ],
)
def test_a_form_that_does_not_fit_says_what_to_mend(signed_in, officer, changes, words) -> None:
    page = signed_in(officer).post(f"/truong/{A}/sua", {**TRAITS, **changes})
    assert page.status_code == 422
    assert words in page.content.decode()
    assert not SchoolEvent.objects.exists()


def test_contacts_are_changed_at_once(signed_in, officer, stranger) -> None:
    contacts = {
        "part": "contacts", "address": "Số 1", "phone": "0243000001", "email": "a@example.edu.vn",
        "latitude": "21.04", "longitude": "105.83", "n_satellite_sites": "2", "founded_date": "1975-09-05",
    }  # fmt: skip
    address = f"/truong/{A}/sua"
    assert signed_in(stranger).post(address, contacts).status_code == 403
    browser = signed_in(officer)
    assert browser.get(f"{address}?part=contacts").status_code == 200
    assert browser.post(address, contacts).status_code == 302
    found = school(A)
    assert (found.phone, float(found.latitude), found.n_satellite_sites) == ("0243000001", 21.04, 2)
    assert found.versions.count() == 1
    assert not SchoolEvent.objects.exists()
    assert browser.post(address, {**contacts, "latitude": "121"}).status_code == 422
    assert browser.post(address, contacts).status_code == 422
    history = browser.get(f"/truong/{A}?tab=happened").content.decode()
    assert "Thay đổi liên hệ của trường" in history


def test_a_school_changes_its_contacts_and_nothing_else(signed_in, coordinator, newcomer) -> None:
    address, contacts = f"/truong/{A}/sua", {"part": "contacts", "phone": "0243000009"}
    browser = signed_in(coordinator)
    assert f"{address}" in browser.get(f"/truong/{A}").content.decode()
    page = browser.get(address).content.decode()
    assert "part=traits" not in page
    assert browser.post(address, contacts).status_code == 302
    assert school(A).phone == "0243000009"
    assert browser.post(address, {**TRAITS, "part": "traits"}).status_code == 403
    assert browser.post(address, TRAITS).status_code == 403
    assert browser.post(f"/truong/{B}/sua", contacts).status_code == 403
    assert signed_in(newcomer).post(address, contacts).status_code == 403
    assert not SchoolEvent.objects.exists()


def test_a_closed_school_is_not_edited(signed_in, officer) -> None:
    operations.close_school(school=school(A), decision=JULY, by=None)
    browser = signed_in(officer)
    assert "/sua" not in browser.get(f"/truong/{A}").content.decode()
    answer = browser.post(f"/truong/{A}/sua", {"part": "contacts", "phone": "1"})
    assert "ngừng hoạt động" in answer.content.decode()


def test_a_registry_that_no_load_filled_has_its_lineage_too(signed_in, officer) -> None:
    RegistryLoad.objects.all().delete()
    page = signed_in(officer).get(f"/truong/{A}?tab=lineage")
    assert page.status_code == 200
    assert "các tệp do cán bộ nhập" in page.content.decode()
