"""The national and the provincial page: findings with intervals, five headings, no rank, files, two languages."""

from __future__ import annotations

import io
import re
import zipfile

import docx
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dienrong.core.templatetags.report_parts import as_one_picture
from dienrong.reporting import queries

pytestmark = pytest.mark.django_db
NATION = "/bao-cao/quoc-gia-2026/grade5/maths"
PROVINCE = f"{NATION}/tinh/01"


def estimates(run):
    from dienrong.reporting import numeric

    return numeric.estimates(queries.readable_report(None, run.cycle).source)


def mean_of(run, by: str = "nation", group: str = "all") -> float:
    table = estimates(run)
    chosen = table.filter(
        (table["subject"] == "maths")
        & (table["statistic"] == "mean")
        & (table["by"] == by)
        & (table["group"] == group)
    )
    return chosen["estimate"].item()


def written(value: float) -> str:
    return f"{value:.1f}".replace(".", ",")


def test_the_national_page_says_the_finding_with_its_interval(published, registry, visitor) -> None:
    page = visitor.get(NATION)
    html = page.content.decode()
    assert f"điểm trung bình {written(mean_of(published))} (khoảng tin cậy 95%" in html
    figures = figures_of(page)
    assert len(figures) >= 8  # the standard set, less what a cycle without an earlier one cannot show
    assert as_one_picture(figures[0].svg) in html
    for words in ("Mức năng lực", "Hà Nội", "Phân vị 95", "Nguồn gốc số liệu", "Cách tính và độ tin cậy"):
        assert words in html
    assert "12 trọng số lặp" in html
    assert "3 giá trị khả dĩ" in html


def figures_of(page) -> list:
    """Give the figures of a page, drawn with it or brought later."""
    return [block.figure for section in page.context["sections"] for block in section.figures]


def test_drawings_and_tables_come_when_they_are_looked_at(published, registry, visitor) -> None:
    """The first drawing stands on the page; each other, and every table, has an address that gives it."""
    page = visitor.get(NATION)
    html = page.content.decode()
    figures = figures_of(page)
    assert len(figures) >= 3
    drawings = re.findall(r'hx-get="([^"]+/ve\?figure=[^"]+)"', html)
    tables = re.findall(r'hx-get="([^"]+/bang\?figure=[^"]+)"', html)
    later = figures[1:]
    assert len(drawings) == len(later) + sum(bool(figure.narrow) for figure in later)
    assert len(tables) == len(figures)
    for address in drawings:
        drawing = visitor.get(address.replace("&amp;", "&")).content
        assert drawing.startswith(b"<svg")
        assert b"role=" not in drawing
    for address, figure in zip(tables, figures, strict=True):
        part = visitor.get(address, HTTP_HX_REQUEST="true").content.decode()
        assert "<html" not in part
        assert part.count("<tr>") == len(figure.table.rows) + 1
        assert "<html" in visitor.get(address).content.decode()
    whole = visitor.get(f"{NATION}?tat-ca=1").content.decode()
    assert len(re.findall(r'role="img"[^>]*><svg', whole)) == len(figures) + sum(
        bool(one.narrow) for one in figures
    )
    assert "hx-get" not in whole[whole.index("<main") :]


def test_the_contents_lead_to_every_section(published, registry, visitor) -> None:
    page = visitor.get(NATION)
    html = page.content.decode()
    contents = html[html.index('class="contents') : html.index("</nav>", html.index('class="contents'))]
    keys = re.findall(r'href="#([^"]+)"', contents)
    assert keys == [section.key for section in page.context["sections"]]
    assert all(f'<section id="{key}"' in html for key in keys)


def test_a_long_report_is_light_at_first(published, registry, visitor) -> None:
    assert len(visitor.get(NATION).content) < 110_000


def test_no_page_ranks_provinces(published, registry, visitor) -> None:
    page = visitor.get(f"{NATION}?tat-ca=1")
    html = page.content.decode()
    assert not re.search(r"(?i)\b(xếp thứ|đứng thứ|hạng \d|top \d)", html)
    section = next(section for section in page.context["sections"] if section.key == "provinces")
    figure = section.figures[0].figure
    codes = [code.rpartition("/")[2] for code in figure.table.figure_ids if "province_code" in code]
    assert codes == sorted(codes)


def test_every_row_of_every_table_leads_to_its_origin(published, registry, visitor) -> None:
    page = visitor.get(f"{NATION}?tat-ca=1")
    addresses = set(
        re.findall(r'href="(/bao-cao/quoc-gia-2026/nguon-goc\?figure=[^"]+)"', page.content.decode())
    )
    assert len(addresses) > 20
    for address in sorted(addresses)[::12]:
        assert visitor.get(address).status_code == 200, address


def test_a_province_has_the_five_headings_and_words_left_to_the_unit(published, registry, visitor) -> None:
    html = visitor.get(PROVINCE).content.decode()
    headings = ["Kết quả đạt được", "Tồn tại, hạn chế", "Nguyên nhân", "Giải pháp", "Kiến nghị"]
    places = [html.index(f">{heading}</h2>") for heading in headings]
    assert places == sorted(places)
    assert html.count("Phần này do đơn vị viết") == 4
    assert written(mean_of(published, "province_code", "01")) in html


def test_what_does_not_exist_is_not_found(published, registry, visitor) -> None:
    for address in (
        "/bao-cao/quoc-gia-2026/grade5/physics", "/bao-cao/quoc-gia-2026/grade9/maths", f"{NATION}/tinh/99",
        "/bao-cao/khong-co/grade5/maths", f"{NATION}/hinh.svg?figure=x", f"{NATION}/hinh.svg",
        "/bao-cao/quoc-gia-2026/tinh/99/bao-cao.pdf", "/bao-cao/quoc-gia-2026/tinh/99/bao-cao.docx",
        "/bao-cao/quoc-gia-2026/nguon-goc?figure=x",
        "/bao-cao/quoc-gia-2026/nguon-goc",
    ):  # fmt: skip
        assert visitor.get(address).status_code == 404, address


def test_a_chosen_province_leads_to_its_page(published, registry, visitor) -> None:
    assert visitor.get(f"{NATION}?province=01").headers["Location"] == PROVINCE


def test_figures_and_reports_are_given_as_files(published, registry, visitor) -> None:
    key = figures_of(visitor.get(NATION))[0].key
    svg = visitor.get(f"{NATION}/hinh.svg?figure={key}")
    assert svg.headers["Content-Type"].startswith("image/svg+xml")
    assert svg.content.startswith(b"<svg")
    for address in (f"{NATION}/hinh.xlsx?figure={key}", "/bao-cao/quoc-gia-2026/bao-cao.xlsx"):
        book = visitor.get(address)
        assert "attachment" in book.headers["Content-Disposition"]
        assert "xl/workbook.xml" in zipfile.ZipFile(io.BytesIO(book.content)).namelist()
    assert visitor.get("/bao-cao/quoc-gia-2026/tinh/01/bao-cao.pdf").content.startswith(b"%PDF-")


def test_reports_are_word_files_in_the_official_form(published, registry, visitor) -> None:
    """The ministry's and the province's report bear their agency; number and date stay open."""
    for place, agency, symbol in (
        ("", "BỘ GIÁO DỤC VÀ ĐÀO TẠO", "BC-BGDĐT"),
        ("tinh/01/", "SỞ GIÁO DỤC VÀ ĐÀO TẠO", "BC-SGDĐT"),
    ):
        answer = visitor.get(f"/bao-cao/quoc-gia-2026/{place}bao-cao.docx")
        assert "attachment" in answer.headers["Content-Disposition"]
        assert answer.content == visitor.get(f"/bao-cao/quoc-gia-2026/{place}bao-cao.docx").content
        document = docx.Document(io.BytesIO(answer.content))
        left, right = (cell.text for cell in document.tables[0].rows[0].cells)
        assert agency in left.split("\n")
        assert ("THÀNH PHỐ HÀ NỘI" in left.split("\n")) == bool(place)
        assert left.split("\n")[-1].replace("\u00a0", "") == f"Số: /{symbol}"
        assert right.startswith("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nĐộc lập - Tự do - Hạnh phúc")
        assert right.split("\n")[-1].replace("\u00a0", "") == "Hà Nội, ngày  tháng  năm "
        lines = [one.text for one in document.paragraphs if one.text]
        assert lines[0] == "BÁO CÁO"
        mean = mean_of(published, "province_code", "01") if place else mean_of(published)
        assert any(written(mean) in line for line in lines)
        assert document.tables[-1].rows[0].cells[0].text.startswith("Nơi nhận:")


def test_the_report_speaks_english_wholly(published, registry, visitor) -> None:
    visitor.cookies["dienrong_language"] = "en"
    html = visitor.get(NATION).content.decode()
    main = html[html.index("<main") : html.index("</main>")]
    assert "Mathematics" in main
    assert "Where does this come from" in main
    for word in ("Điểm", "Lớp", "khoảng tin cậy", "Nguồn gốc"):
        assert word not in main


def test_a_suppressed_figure_gives_its_reason_and_no_number(
    published, registry, visitor, monkeypatch
) -> None:
    import polars as pl

    from dienrong.reporting import numeric

    table = estimates(published).with_columns(
        suppressed_because=pl.when((pl.col("by") == "province_code") & (pl.col("group") == "01"))
        .then(pl.lit("too_few_students:30"))
        .otherwise("suppressed_because")
    )
    hidden = table.filter(pl.col("figure_id") == "grade5/maths/mean/province_code/01").row(0, named=True)
    monkeypatch.setattr(numeric.reports, "estimates", lambda source: table)
    numeric.report.cache_clear()
    try:
        html = visitor.get(NATION).content.decode()
        trace = visitor.get(f"/bao-cao/quoc-gia-2026/nguon-goc?figure={hidden['figure_id']}").content.decode()
    finally:
        numeric.report.cache_clear()
    assert "Không công bố: ít hơn 30 học sinh" in html
    assert "ít hơn 30 học sinh" in trace
    assert f"<dd>{written(hidden['estimate'])}</dd>" not in trace


def test_pages_ask_as_often_for_a_province_as_for_another(published, registry, visitor) -> None:
    for address in (PROVINCE, f"{NATION}/tinh/79", NATION):
        visitor.get(address)
    counts = []
    for address in (PROVINCE, NATION):
        with CaptureQueriesContext(connection) as asked:
            visitor.get(address)
        counts.append(len(asked))
    assert max(counts) <= 16, counts
