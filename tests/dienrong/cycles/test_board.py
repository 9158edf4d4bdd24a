"""The board: 14 steps with word and shape, today's cards, the way to each step; nothing for strangers."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dienrong.cycles import operations

pytestmark = pytest.mark.django_db
BOARD = "/ky-danh-gia/quoc-gia-2026"


def test_home_is_the_board_for_people_at_work(cycle, signed_in, ministry, officer, researcher) -> None:
    for person in (ministry, officer, researcher):
        html = signed_in(person).get("/").content.decode()
        assert "Việc cần làm hôm nay" in html
        assert html.count("buoc/") >= 28  # the rail and the board
        assert html.count('class="state state-not_started"') == 14
        assert "Lấy ý kiến phản hồi" in html


def test_the_public_sees_no_board(cycle, visitor, signed_in, newcomer) -> None:
    for browser in (visitor, signed_in(newcomer)):
        html = browser.get("/").content.decode()
        assert "Chưa có báo cáo nào được công bố" in html
        assert "buoc/" not in html
    assert visitor.get(BOARD).headers["Location"].startswith("/dang-nhap?next=")
    assert visitor.get(f"{BOARD}/buoc/1").status_code == 302
    assert signed_in(newcomer).get(BOARD).status_code == 403
    assert signed_in(newcomer).get(f"{BOARD}/buoc/1").status_code == 403


def test_without_a_cycle_home_says_the_first_step(signed_in, ministry) -> None:
    html = signed_in(ministry).get("/").content.decode()
    assert "Chưa có kỳ đánh giá nào" in html
    assert "dienrong demo" in html


def test_cards_follow_the_role(cycle, signed_in, ministry, officer, researcher) -> None:
    def titles(person) -> list[str]:
        return [card.title for card in signed_in(person).get("/").context["cards"]]

    assert "Lập Ban chỉ đạo đánh giá quốc gia" in titles(ministry)
    assert titles(officer)[:2] == ["Tập huấn", "Tổ chức đánh giá chính thức"]
    assert "Trường của tôi" in titles(officer)
    assert titles(researcher) == []
    assert all(len(titles(person)) <= 5 for person in (ministry, officer))


def test_nothing_to_do_is_said(cycle, signed_in, researcher) -> None:
    assert "Hôm nay không có việc nào chờ thầy/cô" in signed_in(researcher).get("/").content.decode()


def test_a_late_step_says_so_in_words(noon, cycle, signed_in, ministry) -> None:
    html = signed_in(ministry).get("/").content.decode()
    assert "quá hạn" in html
    for step in cycle.steps.all():
        operations.change_step(step=step, state="done", note="", by=None)
    html = signed_in(ministry).get("/").content.decode()
    assert "quá hạn" not in html
    assert "Đã xong 14 trên 14 bước" in html


def test_the_board_asks_as_often_with_notes_and_artefacts_as_without(cycle, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    browser.get("/")
    with CaptureQueriesContext(connection) as before:
        browser.get("/")
    outputs = [
        operations.StageOutput(
            stage=stage, grade=5, role=f"role{n}", kind="table", manifest_id=f"m{n}", artefact_hash="h",
            n_rows=1, n_bytes=1, step_version="1",
        )
        for stage in ("frame", "sample", "weights")
        for n in range(5)
    ]  # fmt: skip
    operations.register_artefacts(cycle=cycle, outputs=outputs, by=ministry)
    with CaptureQueriesContext(connection) as after:
        browser.get("/")
    # Each room asks once or twice for its cards, whatever the number of rows.
    assert len(after) <= len(before) <= 34, "\n".join(
        query["sql"][:110] + "…" + query["sql"][-90:] for query in before
    )


def test_a_step_has_three_tabs_and_only_the_ministry_a_form(cycle, signed_in, ministry, officer) -> None:
    address = f"{BOARD}/buoc/7"
    assert "Lưu trạng thái" in signed_in(ministry).get(address).content.decode()
    assert "Lưu trạng thái" not in signed_in(officer).get(address).content.decode()
    assert "Chưa có thay đổi nào" in signed_in(officer).get(f"{address}?tab=happened").content.decode()
    assert "chưa có sản phẩm" in signed_in(officer).get(f"{address}?tab=lineage").content.decode()
    assert signed_in(officer).get(f"{BOARD}/buoc/15").status_code == 404
    assert signed_in(officer).get("/ky-danh-gia/khong-co").status_code == 404


def test_a_state_is_saved_through_the_page_and_told_in_the_log(cycle, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    address = f"{BOARD}/buoc/7"
    seen = re.search(r'name="seen_at"[^>]*value="([^"]*)"', browser.get(address).content.decode())
    form = {"state": "in_progress", "note": "Đợt 1", "seen_at": seen.group(1) if seen else ""}
    answer = browser.post(f"{address}/trang-thai", form, follow=True)
    assert "Đã lưu trạng thái của bước 7" in answer.content.decode()
    history = browser.get(f"{address}?tab=happened").content.decode()
    assert "Nguyễn Thị Hương Giang" in history
    assert "Đang thực hiện · Đợt 1" in history
    again = browser.post(f"{address}/trang-thai", {**form, "state": "done"})
    assert again.status_code == 409
    assert "Có người đã thay đổi bước này" in again.content.decode()


def test_a_wrong_state_is_said_on_top_and_beside_the_field(cycle, signed_in, ministry) -> None:
    page = signed_in(ministry).post(f"{BOARD}/buoc/7/trang-thai", {"state": "xong"})
    assert page.status_code == 422
    assert "data-errors" in page.content.decode()


def test_strangers_cannot_save_a_state(cycle, visitor, signed_in, officer) -> None:
    address = f"{BOARD}/buoc/7/trang-thai"
    assert signed_in(officer).post(address, {"state": "done"}).status_code == 403
    assert visitor.post(address, {"state": "done"}).status_code == 302
    assert signed_in(officer).get(address).status_code == 405
    assert cycle.steps.get(number=7).state == "not_started"


def test_the_board_speaks_english_wholly(cycle, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    browser.cookies["dienrong_language"] = "en"
    html = browser.get("/").content.decode()
    for word in ("Build the data base for sampling", "To do today", "Not started", "0 of 14 steps done"):
        assert word in html
    assert "Bước" not in html
