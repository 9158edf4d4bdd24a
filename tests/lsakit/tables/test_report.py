"""Reports: headings, evidence, files read back."""

from __future__ import annotations

import io

import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from lsakit.errors import EstimationError
from lsakit.tables import build_report, report_pdf, report_xlsx
from lsakit.tables.report import ReportCycle

CYCLE = ReportCycle(title="Đánh giá diện rộng cấp quốc gia 2026")


def test_the_provincial_report_has_the_five_headings(estimates: pl.DataFrame, names: dict[str, str]) -> None:
    report = build_report(estimates, language="vi", names=names, cycle=CYCLE, province="04")
    headings = [section.heading for section in report.sections]
    assert headings[:5] == ["Kết quả đạt được", "Tồn tại, hạn chế", "Nguyên nhân", "Giải pháp", "Kiến nghị"]
    assert report.title == "Báo cáo kết quả đánh giá diện rộng của Tỉnh Cao Bằng"
    assert [section.left_to_unit for section in report.sections[:5]] == [False, True, True, True, True]


def test_evidence_names_what_lies_below_the_nation(estimates: pl.DataFrame, names: dict[str, str]) -> None:
    below = build_report(estimates, language="vi", names=names, cycle=CYCLE, province="04").sections[1]
    above = build_report(estimates, language="vi", names=names, cycle=CYCLE, province="01").sections[1]
    assert any("Tỉnh Cao Bằng" in line and "thấp hơn mức 500,0" in line for line in below.paragraphs)
    assert above.paragraphs[0].startswith("Không có nhóm nào thấp hơn cả nước")


def test_the_first_section_says_mean_interval_and_comparison(
    estimates: pl.DataFrame, names: dict[str, str]
) -> None:
    report = build_report(estimates, language="vi", names=names, cycle=CYCLE, province="01")
    first = report.sections[0].paragraphs[0]
    assert "điểm trung bình của Thành phố Hà Nội là 540,0 (khoảng tin cậy 95% từ 532,2 đến 547,8)" in first
    assert "Cao hơn cả nước 40,0 điểm, khác biệt có ý nghĩa thống kê" in first


def test_gap_sentences_say_when_a_gap_may_be_nothing(estimates: pl.DataFrame, names: dict[str, str]) -> None:
    report = build_report(estimates, language="vi", names=names, cycle=CYCLE)
    groups = next(section for section in report.sections if section.key == "groups")
    assert "Lớp 5, Toán: Nữ hơn Nam 12,0 điểm (sai số chuẩn 2,0)." in groups.paragraphs
    assert any("Nông thôn và Thành thị không khác biệt có ý nghĩa" in line for line in groups.paragraphs)


def test_an_unknown_province_is_refused(estimates: pl.DataFrame, names: dict[str, str]) -> None:
    with pytest.raises(EstimationError, match="nothing for the province '99'"):
        build_report(estimates, language="vi", names=names, cycle=CYCLE, province="99")


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_pdf_reads_back_and_is_the_same_each_time(
    estimates: pl.DataFrame, names: dict[str, str], language: str
) -> None:
    reader = pytest.importorskip("pypdf", reason="pypdf reads the printed report back")
    report = build_report(estimates, language=language, names=names, cycle=CYCLE, province="04")
    printed = report_pdf(report)
    assert printed == report_pdf(report)
    document = reader.PdfReader(io.BytesIO(printed))
    text = "\n".join(page.extract_text() for page in document.pages)
    assert report.sections[1].heading in text
    assert "Tỉnh Cao Bằng" in text
    assert document.metadata.title == report.title
    assert all(float(page.mediabox.width) == pytest.approx(595.28, abs=0.5) for page in document.pages)  # A4
    embedded = {str(font["/BaseFont"]) for page in document.pages for font in fonts(page)}
    assert any("BeVietnamPro" in name for name in embedded), embedded


def fonts(page: object) -> list:
    return [font.get_object() for font in page["/Resources"]["/Font"].values()]


def test_the_workbook_holds_each_table_with_its_codes(estimates: pl.DataFrame, names: dict[str, str]) -> None:
    report = build_report(estimates, language="vi", names=names, cycle=CYCLE)
    book = CalamineWorkbook.from_filelike(io.BytesIO(report_xlsx(report)))
    figures = sum(len(section.figures) + len(section.tables) for section in report.sections)
    assert book.sheet_names == ["Nội dung", *(str(number) for number in range(1, figures + 1))]
    contents = book.get_sheet_by_index(0).to_python()
    first = next(figure for section in report.sections for figure in section.figures)
    assert contents[2][1] == first.title
    rows = book.get_sheet_by_name("1").to_python()
    assert rows[2][-1] == "Mã số liệu"
    assert rows[4][-1] == "grade5/maths/mean/province_code/01"
    assert rows[4][2] == 540.0  # a number, not its writing
