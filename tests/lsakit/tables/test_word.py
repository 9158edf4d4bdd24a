"""Word files read back: the form of Decree 30/2020, captions, heading rows, alternative texts, the same bytes."""

from __future__ import annotations

import dataclasses
import datetime
import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import docx
import polars as pl
import pytest
from docx.oxml.ns import qn
from docx.shared import Mm

from lsakit.errors import LsakitError
from lsakit.tables import OfficialForm, WordBlock, WordDocument, build_report, report_docx, word_file
from lsakit.tables.charts import drawing_size, picture, printed_width
from lsakit.tables.official_form import (
    addressed_lines,
    closed_lines,
    date_line,
    kind_and_summary,
    number_line,
)
from lsakit.tables.publication import numeric_columns
from lsakit.tables.report import ReportCycle
from lsakit.tables.texts import Texts

CYCLE = ReportCycle(title="Đánh giá diện rộng cấp quốc gia 2026")
FORM = OfficialForm(
    parent_agency="Ủy ban nhân dân\ntỉnh Cao Bằng",
    agency="Sở Giáo dục và Đào tạo",
    number="5",
    symbol="BC-SGDĐT",
    place="Cao Bằng",
    date=datetime.date(2027, 2, 5),
    kind="Báo cáo",
    bases=("Căn cứ Thông tư số 08/2026/TT-BGDĐT", "Căn cứ Kế hoạch số 12/KH-UBND;"),
    authority=("KT. Giám đốc", "Phó Giám đốc"),
    signer="Nguyễn Văn An",
    recipients=("Bộ Giáo dục và Đào tạo (để báo cáo)", "Lưu: VT"),
)
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="80" height="40"><rect width="80" height="40" fill="#000"/></svg>'


@pytest.fixture
def written(estimates: pl.DataFrame, names: dict[str, str]) -> bytes:
    """Write the report of a province."""
    return report_docx(
        build_report(estimates, language="vi", names=names, cycle=CYCLE, province="04"), form=FORM
    )


def opened(content: bytes) -> docx.document.Document:
    return docx.Document(io.BytesIO(content))


def cells_of(document: docx.document.Document, table: int) -> list[str]:
    return [cell.text for row in document.tables[table].rows for cell in row.cells]


def test_page_and_typeface_are_those_of_the_decree(written: bytes) -> None:
    document = opened(written)
    (section,) = document.sections
    # Twentieths of a point are the unit of the file: half a unit is 0.009 mm.
    assert (section.page_width.mm, section.page_height.mm) == pytest.approx((210, 297), abs=0.02)
    assert abs(section.left_margin - Mm(30)) < Mm(0.02)
    for margin, low, high in (
        (section.top_margin, 20, 25),
        (section.bottom_margin, 20, 25),
        (section.right_margin, 15, 20),
    ):
        assert Mm(low) - Mm(0.02) <= margin <= Mm(high) + Mm(0.02)
    fonts = document.styles.element.find(".//" + qn("w:rPrDefault")).find(".//" + qn("w:rFonts"))
    assert {fonts.get(qn(f"w:{kind}")) for kind in ("ascii", "hAnsi", "cs", "eastAsia")} == {
        "Times New Roman"
    }
    for name in ("Normal", "Body Text", "Title", "Heading 1", "Caption"):
        style = document.styles[name]
        assert style.font.name == "Times New Roman"
        assert style.font.color.rgb is None, f"{name} is not black"
        assert style.element.rPr.find(qn("w:rFonts")).get(qn("w:asciiTheme")) is None
    body = document.styles["Body Text"]
    assert body.font.size.pt in (13, 14)
    assert 1 <= body.paragraph_format.line_spacing <= 1.5
    assert body.paragraph_format.space_after.pt >= 6
    assert abs(body.paragraph_format.first_line_indent - Mm(10)) < Mm(0.02)


def test_the_page_number_stands_above_in_the_middle_and_not_on_the_first_page(written: bytes) -> None:
    section = opened(written).sections[0]
    assert section.different_first_page_header_footer
    (number,) = section.header.paragraphs
    assert "".join(one.text or "" for one in number._p.iter(qn("w:instrText"))).strip() == "PAGE"
    assert number.alignment == docx.enum.text.WD_ALIGN_PARAGRAPH.CENTER
    assert {run.font.size.pt for run in number.runs} == {13}
    assert section.header_distance < section.top_margin
    assert all(not one.text for one in section.first_page_header.paragraphs)


def test_the_head_has_agencies_nation_motto_number_and_date(written: bytes) -> None:
    left, right = cells_of(opened(written), 0)
    assert left.split("\n")[:3] == ["ỦY BAN NHÂN DÂN", "TỈNH CAO BẰNG", "SỞ GIÁO DỤC VÀ ĐÀO TẠO"]
    assert left.split("\n")[-1] == "Số: 05/BC-SGDĐT"
    assert right.split("\n")[:2] == ["CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"]
    assert right.split("\n")[-1] == "Cao Bằng, ngày 05 tháng 02 năm 2027"
    cells = opened(written).tables[0].rows[0].cells
    marks = {
        run.text: (run.bold, run.italic, run.font.size.pt) for p in cells[1].paragraphs for run in p.runs
    }
    assert marks["CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"] == (True, None, 12)
    assert marks["Độc lập - Tự do - Hạnh phúc"] == (True, None, 13)
    assert marks["Cao Bằng, ngày 05 tháng 02 năm 2027"] == (None, True, 13)


def test_the_text_begins_with_kind_summary_and_bases_in_italics(written: bytes) -> None:
    lines = [one for one in opened(written).paragraphs if one.text]
    assert [one.text for one in lines[:3]] == [
        "BÁO CÁO",
        "Kết quả đánh giá diện rộng của Tỉnh Cao Bằng",
        "Đánh giá diện rộng cấp quốc gia 2026",
    ]
    bases = [one for one in lines if one.text.startswith("Căn cứ")]
    assert [one.text[-1] for one in bases] == [";", "."]
    assert all(run.italic for one in bases for run in one.runs)
    headings = [one.text for one in lines if one.style.name == "Heading 1"]
    assert headings[:2] == ["1. Kết quả đạt được", "2. Tồn tại, hạn chế"]


def test_addressees_stand_above_the_bases_and_annexes_behind_the_signature() -> None:
    form = dataclasses.replace(FORM, addressees=("Bộ Giáo dục và Đào tạo", "Ủy ban nhân dân tỉnh"))
    document = WordDocument(
        title="Báo cáo kết quả", blocks=(WordBlock(kind="paragraph", text="Thân bài"),), language="vi", form=form,
        annexes=(WordBlock(kind="heading", text="Phụ lục"),),
    )  # fmt: skip
    content = word_file(document)
    assert word_file(document) == content
    body = opened(content).element.body
    lines = ["".join(one.itertext()) for one in body]
    places = [
        next(place for place, line in enumerate(lines) if words in line)
        for words in (
            "Kính gửi:",
            "- Bộ Giáo dục và Đào tạo;",
            "Căn cứ Thông tư",
            "Thân bài",
            "Nơi nhận:",
            "Phụ lục",
        )
    ]
    assert places == sorted(places)
    assert "- Ủy ban nhân dân tỉnh." in [one.text for one in opened(content).paragraphs]
    one = dataclasses.replace(FORM, addressees=("Bộ Giáo dục và Đào tạo",))
    assert addressed_lines(one, Texts("vi")) == ("Kính gửi: Bộ Giáo dục và Đào tạo",)
    assert addressed_lines(FORM, Texts("vi")) == ()


def test_it_ends_with_recipients_and_signature(written: bytes) -> None:
    left, right = cells_of(opened(written), -1)
    assert left.split("\n") == ["Nơi nhận:", "- Bộ Giáo dục và Đào tạo (để báo cáo);", "- Lưu: VT."]
    assert right.split("\n")[:2] == ["KT. GIÁM ĐỐC", "PHÓ GIÁM ĐỐC"]
    assert right.split("\n")[-1] == "Nguyễn Văn An"


def test_every_figure_has_its_words_and_300_dots_per_inch(written: bytes) -> None:
    document = opened(written)
    assert len(document.inline_shapes) == 8  # two figures for each of two grades and two subjects
    for shape in document.inline_shapes:
        words = shape._inline.docPr
        assert words.get("descr").startswith(("Biểu đồ thanh chồng", "Biểu đồ khoảng"))
        png = document.part.related_parts[shape._inline.graphic.graphicData.pic.blipFill.blip.embed].blob
        dots = int.from_bytes(png[16:20], "big")
        assert dots / (shape.width.mm / 25.4) == pytest.approx(300, abs=1)  # a picture has whole dots
    captions = [one.text for one in document.paragraphs if one.style.name == "Caption"]
    assert captions[0].startswith("Hình 1. Lớp 5, Toán, Tỉnh Cao Bằng: 75,0% học sinh")
    assert [line.split(".")[0] for line in captions] == [f"Hình {n}" for n in range(1, 9)]


def test_a_table_repeats_its_heading_row_and_puts_numbers_at_the_right(
    estimates: pl.DataFrame, names: dict[str, str]
) -> None:
    report = build_report(estimates, language="vi", names=names, cycle=CYCLE)
    document = opened(report_docx(report))
    table = next(table for table in document.tables if table.rows[0].cells[1].text == "Độ lệch chuẩn")
    marks = [row._tr.trPr.find(qn("w:tblHeader")) is not None for row in table.rows]
    assert marks == [True] + [False] * (len(marks) - 1)
    assert all(row._tr.trPr.find(qn("w:cantSplit")) is not None for row in table.rows)
    assert [cell.text for cell in table.rows[1].cells][:2] == ["Lớp 5, Toán", "95,0 (3,0)"]
    sides = [cell.paragraphs[0].alignment for cell in table.rows[1].cells]
    assert [str(side).split(" ")[0] for side in sides] == ["LEFT"] + ["RIGHT"] * 6
    below = [one.text for one in document.paragraphs if one.style.name == "Quote"]
    assert any(
        one.startswith("Trong ngoặc: sai số chuẩn.\nNguồn: Đánh giá diện rộng cấp quốc gia 2026.")
        for one in below
    )


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_same_report_gives_the_same_bytes(
    estimates: pl.DataFrame, names: dict[str, str], language: str
) -> None:
    report = build_report(estimates, language=language, names=names, cycle=CYCLE, province="04")
    first, second = report_docx(report), report_docx(report)
    assert first == second
    package = zipfile.ZipFile(io.BytesIO(first))
    assert {entry.date_time for entry in package.infolist()} == {(2000, 1, 1, 0, 0, 0)}
    properties = opened(first).core_properties
    assert (properties.author, properties.title) == ("Diện Rộng", report.title)
    assert not any("thumbnail" in name for name in package.namelist())


def test_open_places_stay_open() -> None:
    texts, empty = Texts("vi"), OfficialForm(agency="Sở", place="Hà Nội", symbol="BC-SGDĐT")
    assert date_line(empty, texts).replace("\u00a0", "") == "Hà Nội, ngày  tháng  năm "
    assert number_line(empty, texts).replace("\u00a0", "") == "Số: /BC-SGDĐT"


def test_dates_take_their_leading_zeros() -> None:
    """Days below 10 and the months 1 and 2 alone have a zero before them."""
    for day, expected in (
        (datetime.date(2026, 1, 9), "Huế, ngày 09 tháng 01 năm 2026"),
        (datetime.date(2026, 3, 10), "Huế, ngày 10 tháng 3 năm 2026"),
        (datetime.date(2026, 12, 31), "Huế, ngày 31 tháng 12 năm 2026"),
    ):
        assert date_line(OfficialForm(agency="A", place="Huế", date=day), Texts("vi")) == expected
    english = OfficialForm(agency="A", place="Hue", date=datetime.date(2026, 9, 5))
    assert date_line(english, Texts("en")) == "Hue, 05 September 2026"


def test_lines_are_closed_and_titles_parted() -> None:
    assert closed_lines(("a;", "b.", "c"), before="- ") == ("- a;", "- b;", "- c.")
    assert kind_and_summary("Báo cáo", "Báo cáo kết quả") == ("Báo cáo", "Kết quả")
    assert kind_and_summary("Báo cáo", "Báo cáoviên") == ("Báo cáo", "Báo cáoviên")
    assert kind_and_summary("", "Báo cáo kết quả") == ("", "Báo cáo kết quả")


def test_columns_of_numbers_are_told_from_words() -> None:
    rows = [
        ("a", "1.234", "2,0 – 3,5", "0,3 (0,1)", "−1,5%", "", "x"),
        ("b", "–", "−2 – 3", "1", "< 0,001", "", "1"),
    ]
    assert numeric_columns(("",) * 7, rows) == (False, True, True, True, True, False, False)


def test_what_xml_cannot_hold_is_left_out() -> None:
    """A control character in a school's name once made the whole file unreadable."""
    content = word_file(
        WordDocument(
            title="<A> & \x0bB" + "ă" * 300,
            language="vi",
            blocks=(
                WordBlock(kind="paragraph", text="a\x00b"),
                WordBlock(kind="table", text="x\x1f", columns=("<c>",), rows=(("d\x08 & e",),)),
            ),
        )
    )
    document = opened(content)
    assert [one.text for one in document.paragraphs if one.text][:2] == ["<A> &  B" + "ă" * 300, "a b"]
    assert cells_of(document, 0) == ["<c>", "d  & e"]


def test_what_cannot_be_a_document_is_refused() -> None:
    with pytest.raises(LsakitError, match=r"Row 2 of the table 'T' has 1 cells for 2 columns"):
        WordBlock(kind="table", text="T", columns=("a", "b"), rows=(("1", "2"), ("1",)))
    with pytest.raises(LsakitError, match=r"must be one of heading.*Got 'picture'"):
        WordBlock(kind="picture")
    with pytest.raises(LsakitError, match="has no text alternative"):
        WordBlock(kind="figure", text="F", svg=SVG)
    with pytest.raises(LsakitError, match="'agency' of an official document is empty"):
        OfficialForm(number="5")
    with pytest.raises(LsakitError, match="nor a viewBox"):
        picture("<svg xmlns='http://www.w3.org/2000/svg'/>", width_mm=10)
    assert drawing_size('<svg viewBox="0 0 120 60"></svg>') == (120, 60)
    assert drawing_size(SVG) == (80, 40)


def test_a_tall_drawing_is_made_narrower_so_that_it_fits_a_page() -> None:
    tall = SVG.replace('height="40"', 'height="240"')
    assert printed_width(SVG, line_mm=162) == 162
    assert printed_width(tall, line_mm=162, tallest_mm=210) == 70
    block = WordBlock(kind="figure", text="F", svg=tall, alternative="Cột đen")
    document = opened(word_file(WordDocument(title="t", language="vi", blocks=(block,))))
    (shape,) = document.inline_shapes
    assert shape.height.mm == pytest.approx(200, abs=0.5)


def test_a_lying_page_has_its_sides_changed() -> None:
    blocks = (WordBlock(kind="signature", columns=("A", "B")), WordBlock(kind="page"), WordBlock(kind="room"))
    section = opened(
        word_file(WordDocument(title="t", language="en", blocks=blocks, is_landscape=True))
    ).sections[0]
    assert (section.page_width.mm, section.page_height.mm) == pytest.approx((297, 210), abs=0.02)
    assert section.orientation == docx.enum.section.WD_ORIENT.LANDSCAPE


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_another_program_opens_it_and_numbers_its_pages(written: bytes, tmp_path: Path) -> None:
    reader = pytest.importorskip("pypdf", reason="pypdf reads what LibreOffice printed")
    (tmp_path / "report.docx").write_bytes(written)
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    asked = [
        "soffice",
        profile,
        "--headless",
        "--convert-to",
        "pdf",
        "--outdir",
        str(tmp_path),
        "report.docx",
    ]
    subprocess.run(asked, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    pages = reader.PdfReader(tmp_path / "report.pdf").pages
    texts = [page.extract_text() for page in pages]
    assert len(texts) > 2
    assert "05/BC-SGD" in texts[0]  # marks above letters come out of place when this PDF is read back
    assert [text.lstrip().split("\n")[0].strip() for text in texts[1:]] == [
        str(number) for number in range(2, len(texts) + 1)
    ]
    assert "KT. GIÁM" in texts[-1]


def test_a_paragraph_with_a_hash_is_not_torn_apart() -> None:
    """A justified line before a hash of 64 digits once had gaps as wide as words."""
    blocks = tuple(WordBlock(kind="paragraph", text=text) for text in ("Tệp: sha256:" + "0a" * 32, "Một câu"))
    document = opened(word_file(WordDocument(title="t", language="vi", blocks=blocks)))
    hashed, plain = [one for one in document.paragraphs if one.style.name == "Body Text"]
    assert hashed.alignment == docx.enum.text.WD_ALIGN_PARAGRAPH.LEFT
    assert plain.alignment is None
