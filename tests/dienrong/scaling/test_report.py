"""The report of a run: page and files say the same, in two languages; strangers open none of it."""

from __future__ import annotations

import io
import re

import docx
import pytest
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from dienrong.scaling import operations, queries, report_facts
from dienrong.scaling.numeric import results

pytestmark = pytest.mark.django_db
ROOT = "/dinh-co/quoc-gia-2026/1/luot/1/bao-cao"
ENDINGS = ("pdf", "docx", "xlsx")
REASON = "Đáp án in sai ở đề <số 2> & đã báo trường"


@pytest.fixture
def decided(study, frozen, ministry, make_scaling):
    """A run with two decisions, one of them withdrawn after the run."""
    for item, kind in (("T12", "drop"), ("T01", "keep")):
        operations.take_decision(
            study=study,
            new=operations.NewDecision(item=item, kind=kind, reason=REASON),
            known=operations.KnownItem(item=item, max_score=1),
            run=None,
            by=ministry,
        )
    run = make_scaling()
    assert run.state == "done", run.refusal
    return run


def written(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace(".", ",").replace("-", "−")


def test_strangers_open_neither_page_nor_file(
    scaled, visitor, signed_in, officer, coordinator, researcher
) -> None:
    addresses = [
        ROOT,
        *(f"{ROOT}.{ending}" for ending in ENDINGS),
        f"{ROOT}/hinh.svg?figure=figure-wright-map",
    ]
    for address in addresses:
        assert visitor.get(address).status_code == 302, address
        for person in (officer, coordinator, researcher):
            assert signed_in(person).get(address).status_code == 403, address


def test_the_page_tells_the_numbers_of_the_run(scaled, signed_in, ministry) -> None:
    page = signed_in(ministry).get(ROOT)
    html = page.content.decode()
    assert page.status_code == 200
    assert "Báo cáo định cỡ: Toán lớp 5" in html
    convergence = results.record(
        queries.store_path(scaled.study), queries.manifests_of(scaled), "calibration", "convergence"
    )
    assert f"sau {convergence['n_iterations']} vòng lặp" in html
    assert "900 học sinh trả lời 14 câu hỏi" in html
    assert "tệp tra-loi.csv, cau-hoi.csv" in html
    items = results.item_table(queries.store_path(scaled.study), queries.manifest_of(scaled, "calibration"))
    for row in items.to_dicts():
        assert written(row["slope"], 3) in html, row["item"]
    for ending in ENDINGS:
        assert f'href="{ROOT}.{ending}"' in html
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids)), sorted(one for one in ids if ids.count(one) > 1)


def test_decisions_stand_with_reason_and_person_in_every_form(decided, study, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    html = browser.get(ROOT).content.decode()
    assert "Đáp án in sai ở đề &lt;số 2&gt; &amp; đã báo trường" in html
    assert ministry.full_name in html
    document = docx.Document(io.BytesIO(browser.get(f"{ROOT}.docx").content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    assert cells.count(REASON) == 2
    assert "Bỏ câu hỏi" in cells
    text = "".join(
        page.extract_text() for page in PdfReader(io.BytesIO(browser.get(f"{ROOT}.pdf").content)).pages
    )
    assert "Đáp án in sai" in text
    book = CalamineWorkbook.from_filelike(io.BytesIO(browser.get(f"{ROOT}.xlsx").content))
    whole = [
        cell for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python() for cell in row
    ]
    assert REASON in whole


def test_a_withdrawn_decision_stays_in_the_report_of_its_run(decided, study, ministry) -> None:
    """The report tells what the run had, whatever was decided later."""
    before = report_facts.report_of(decided)
    operations.withdraw_decision(decision=queries.holding(study).get(item="T12"), by=ministry)
    after = report_facts.report_of(decided)
    assert [one for one in after.sections if one.key == "decisions"] == [
        one for one in before.sections if one.key == "decisions"
    ]


def test_the_word_file_is_an_official_document(scaled, signed_in, ministry) -> None:
    answer = signed_in(ministry).get(f"{ROOT}.docx")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="bao-cao-dinh-co-1-1.docx"'
    assert answer.content == signed_in(ministry).get(f"{ROOT}.docx").content
    document = docx.Document(io.BytesIO(answer.content))
    left, right = (cell.text for cell in document.tables[0].rows[0].cells)
    assert "BỘ GIÁO DỤC VÀ ĐÀO TẠO" in left
    assert right.startswith("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM")
    lines = [one.text for one in document.paragraphs if one.text]
    assert lines[:2] == ["BÁO CÁO", "Định cỡ: Toán lớp 5"]


def test_a_figure_is_given_as_a_file(scaled, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    drawing = browser.get(f"{ROOT}/hinh.svg?figure=figure-wright-map")
    assert drawing.content.startswith(b"<svg")
    assert browser.get(f"{ROOT}/hinh.svg?figure=x").status_code == 404


def test_the_report_speaks_english_wholly(scaled, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    browser.cookies["dienrong_language"] = "en"
    html = browser.get(ROOT).content.decode()
    main = html[html.index("<main") : html.index("</main>")]
    assert "Scaling report: Toán lớp 5" in main
    assert "900 students answered 14 items" in main
    for word in ("học sinh", "câu hỏi", "Độ "):
        assert word not in main


def test_what_does_not_exist_is_not_found_and_a_waiting_run_says_so(
    scaled, study, signed_in, ministry
) -> None:
    browser = signed_in(ministry)
    assert browser.get(f"{ROOT}.odt").status_code == 404
    assert browser.get("/dinh-co/quoc-gia-2026/1/luot/9/bao-cao").status_code == 404
    assert browser.get("/dinh-co/quoc-gia-2026/9/luot/1/bao-cao.pdf").status_code == 404
    scaled.state = "queued"
    scaled.save(update_fields=["state"])
    assert browser.get(f"{ROOT}.pdf").status_code == 409
