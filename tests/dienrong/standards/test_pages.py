"""The facilitator's pages: who sees them, the whole way over HTTP, files, the map, counts of queries."""

from __future__ import annotations

import io
import re
import zipfile

import pytest

from dienrong.core import clock
from dienrong.core.formats import day_text
from dienrong.standards import operations, queries
from dienrong.standards.models import Entry, StandardSetting
from standards_people import code_of, come_in, pin_of, say

ADDRESSES = (
    "", "?tab=chuyen-gia", "?tab=ket-qua", "?tab=lich-su", "/cuon-cau-hoi", "/cuon-cau-hoi.xlsx", "/cuon-cau-hoi.pdf",
    "/mo-ta-cau-hoi", "/ban-do-cau-hoi", "/phieu-giay.pdf", "/vong/1", "/bang-so-lieu.xlsx",
)  # fmt: skip
POSTS = (
    "/lam/mo-vong", "/lam/dong-vong", "/lam/tinh-diem-cat", "/lam/thong-qua", "/lam/rut-lai", "/phieu-moi.pdf",
    "/mo-ta-cau-hoi", "/chuyen-gia/them", "/chuyen-gia/1/nhap-phieu", "/chuyen-gia/1/lien-ket-moi",
    "/chuyen-gia/1/phieu-moi", "/chuyen-gia/1/khoa-lien-ket", "/chuyen-gia/1/bo", "/chuyen-gia/1/lay-lai-phieu",
)  # fmt: skip


@pytest.fixture
def done(open_session, seat, ministry) -> StandardSetting:
    """A session whose cuts are computed."""
    setting = open_session()
    operations.describe_items(
        setting=setting, texts={queries.booklet_of(setting)[0].item: "=Cộng hai số"}, by=ministry
    )
    people = seat(setting)
    operations.open_round(setting=setting, by=ministry)
    for one in people:
        say(one, 20 + one.number, 55)
    operations.close_round(setting=setting, leave_out=False, by=ministry)
    operations.compute_cuts(setting=setting, by=ministry)
    setting.refresh_from_db()
    return setting


def text_of(answer) -> str:
    return answer.content.decode()


def sheet_texts(content: bytes) -> str:
    """Give the shared texts and the sheets of a workbook."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_ministry_sees_every_page(done, signed_in, ministry, address) -> None:
    answer = signed_in(ministry).get(f"/dat-chuan/{done.pk}{address}")
    assert answer.status_code == 200
    assert len(answer.content) > 500


@pytest.mark.parametrize("address", ADDRESSES)
def test_strangers_see_nothing(done, signed_in, visitor, officer, researcher, newcomer, address) -> None:
    url = f"/dat-chuan/{done.pk}{address}"
    assert visitor.get(url).status_code == 302
    for person in (officer, researcher, newcomer):
        answer = signed_in(person).get(url)
        assert answer.status_code == 403
        assert "Lò Thị Mai" not in text_of(answer)


@pytest.mark.parametrize("address", POSTS)
def test_strangers_change_nothing(done, signed_in, visitor, officer, newcomer, address) -> None:
    url = f"/dat-chuan/{done.pk}{address}"
    before = (done.state, done.panelists.count(), done.notes.count(), done.rounds.count())
    assert visitor.post(url).status_code == 302
    for person in (officer, newcomer):
        assert signed_in(person).post(url, {"reason": "x", "people": "A"}).status_code == 403
    done.refresh_from_db()
    assert (done.state, done.panelists.count(), done.notes.count(), done.rounds.count()) == before


def test_a_panelist_sees_none_of_the_facilitators_pages(done) -> None:
    browser = come_in(done.panelists.first())
    for address in ADDRESSES:
        assert browser.get(f"/dat-chuan/{done.pk}{address}").status_code == 302


def test_the_whole_way_over_http(done_run, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    page = text_of(browser.get("/dat-chuan/moi"))
    choice = re.search(r'value="(analysis:\d+:5:maths)"', page)[1]
    sent = {
        "title": "Toán 5", "choice": choice, "method": "bookmark", "probability": "rp62", "n_panels": "1",
        "links_end_on": day_text(clock.today()), "left_out": "", "name_vi_1": "Đạt", "name_vi_2": "Khá",
    }  # fmt: skip
    assert browser.post("/dat-chuan/moi", sent | {"name_vi_2": "", "name_vi_3": "Khá"}).status_code == 422
    answer = browser.post("/dat-chuan/moi", sent)
    assert answer.status_code == 302
    setting = StandardSetting.objects.get()
    assert (setting.probability, setting.response_probability) == ("rp62", 0.62)
    root = f"/dat-chuan/{setting.pk}"
    refused = browser.post(f"{root}/lam/mo-vong", follow=True)
    assert "notice-error" in text_of(refused)
    people = "Nguyễn Thị Lan\tGiáo viên\tTrường TH A\nTrần Văn Nam; Tổ trưởng; Trường TH B\n\nLò Thị Mai"
    assert browser.post(f"{root}/chuyen-gia/them", {"people": people}).status_code == 302
    bad = browser.post(f"{root}/chuyen-gia/them", {"people": "Mới; ; ; 7"})
    assert bad.status_code == 422
    assert "Mới; ; ; 7" in text_of(bad)
    seated = list(setting.panelists.all())
    assert [(one.full_name, one.unit) for one in seated][1] == ("Trần Văn Nam", "Trường TH B")
    slips = browser.post(f"{root}/phieu-moi.pdf")
    assert slips.content.startswith(b"%PDF")
    assert browser.get(f"{root}/phieu-moi.pdf").status_code == 405
    browser.post(f"{root}/lam/mo-vong")
    for one in seated[:2]:
        come_in(one).post("/dat-chuan/phieu/nop", {"level_1|": "20", "level_2|": str(50 + one.number)})
    typed = browser.post(f"{root}/chuyen-gia/3/nhap-phieu", {"level_1|": "22", "level_2|": "x"})
    assert typed.status_code == 422
    typed = browser.post(f"{root}/chuyen-gia/3/nhap-phieu", {"level_1|": "22", "level_2|": "58"})
    assert typed.status_code == 302
    assert Entry.objects.filter(typed_by=ministry).count() == 1
    browser.post(f"{root}/lam/dong-vong", {"remark": "Bàn về câu 3"})
    browser.post(f"{root}/lam/tinh-diem-cat")
    page = text_of(browser.get(root))
    assert "thong-qua" in page
    browser.post(f"{root}/lam/thong-qua", {"adopt-reason": "Quyết định số 12"})
    setting.refresh_from_db()
    assert (setting.state, setting.reason) == ("adopted", "Quyết định số 12")
    artefact = browser.get(f"/ky-danh-gia/{setting.cycle.slug}/hien-vat/{setting.manifest_id}")
    page = text_of(browser.get(root))
    link = re.search(rf'href="([^"]*{setting.manifest_id}[^"]*)"', page)[1]
    artefact = browser.get(link)
    assert artefact.status_code == 200
    assert "standard_setting" in text_of(artefact)


def test_workbooks_hold_texts_never_formulas_and_no_names(done, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    booklet = sheet_texts(browser.get(f"/dat-chuan/{done.pk}/cuon-cau-hoi.xlsx").content)
    assert "=Cộng hai số" in booklet
    assert "<f>" not in booklet
    tables = sheet_texts(browser.get(f"/dat-chuan/{done.pk}/bang-so-lieu.xlsx").content)
    assert "P01" in tables
    assert "Lò Thị Mai" not in tables
    assert done.manifest_id in tables


def test_the_map_puts_every_point_into_its_level(done, signed_in, ministry) -> None:
    page = text_of(signed_in(ministry).get(f"/dat-chuan/{done.pk}/ban-do-cau-hoi"))
    assert page.count("<tr>") - page.count("<thead>") == len(queries.booklet_of(done))
    levels = queries.levels_of(done)
    assert page.index("Khá") < page.index("Đạt")  # the hardest first
    assert all(level.scale is not None for level in levels)


def test_slips_hold_the_link_and_the_pin_of_each(done, ministry, rf) -> None:
    from dienrong.standards.documents import papers

    slips = operations.open_slips(setting=done, by=ministry)
    assert [(one.code, one.pin) for one in slips] == [
        (code_of(one), pin_of(one)) for one in done.panelists.all()
    ]
    content = papers.slips_pdf(done, slips, lambda code: f"http://localhost/dat-chuan/phieu/{code}")
    assert content.startswith(b"%PDF")
    operations.revoke_link(panelist=done.panelists.first(), by=ministry)
    assert len(operations.open_slips(setting=done, by=ministry)) == 3


def test_one_slip_is_shown_and_its_opening_audited(done, signed_in, ministry) -> None:
    from dienrong.audit.models import AuditEntry

    one = done.panelists.first()
    browser = signed_in(ministry)
    page = browser.post(f"/dat-chuan/{done.pk}/chuyen-gia/{one.number}/phieu-moi")
    assert pin_of(one) in text_of(page)
    assert code_of(one) in text_of(page)
    assert "no-store" in page.headers["Cache-Control"]
    entry = AuditEntry.objects.filter(action="standards.slips_printed").latest("id")
    assert entry.after == {"panelists": [one.code]}
    operations.revoke_link(panelist=one, by=ministry)
    again = browser.post(f"/dat-chuan/{done.pk}/chuyen-gia/{one.number}/phieu-moi", follow=True)
    assert pin_of(one) not in text_of(again)


def test_the_list_asks_the_database_the_same_for_one_and_three(
    open_session, signed_in, ministry, bare_shell
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    open_session()
    browser = signed_in(ministry)
    browser.get("/dat-chuan")
    with CaptureQueriesContext(connection) as one:
        browser.get("/dat-chuan")
    open_session()
    open_session()
    with CaptureQueriesContext(connection) as three:
        browser.get("/dat-chuan")
    assert len(three) == len(one)


def test_the_board_shows_what_waits(open_session, seat, signed_in, ministry, officer) -> None:
    setting = open_session()
    seat(setting)
    operations.open_round(setting=setting, by=ministry)
    assert f"/dat-chuan/{setting.pk}" in text_of(signed_in(ministry).get("/"))
    assert "/dat-chuan" not in text_of(signed_in(officer).get("/"))


def test_a_cycle_without_runs_says_what_is_needed(cycle, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    assert "/dat-chuan/moi" not in text_of(browser.get("/dat-chuan"))
    assert browser.get("/dat-chuan/moi").status_code == 200
