"""The three standard reports of a whole cycle: their numbers, their words, their files."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import docx
import polars as pl
import pytest
from docx.shared import Mm
from python_calamine import CalamineWorkbook

from lsakit.cli.app import run
from lsakit.pipeline import load_estimates
from lsakit.pipeline.stages.report import region_of, report_cycle, unit_names
from lsakit.tables import charts, report_docx, report_pdf, report_xlsx
from lsakit.tables.report import Report, build_report
from lsakit.tables.texts import LANGUAGES, Texts

SPECIFICATIONS = ("national", "press_note", "province")
RANKS = re.compile(
    r"xếp thứ|đứng thứ|đứng đầu|dẫn đầu|cao nhất cả nước|thấp nhất cả nước|tốt nhất|kém nhất|hạng \d|"
    r"\branked (first|last|\d)|\b(best|worst) (province|school|region)|\btop \d|\bbottom \d",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def compose(two_cycles: Any) -> Any:
    """Compose a report of the cycle, drawn or not."""
    store = two_cycles.store
    estimates = load_estimates(store)
    units = store.table(store.manifest(store.ref("nation")).outputs["provinces"].hash)
    participation = store.table(store.manifest(store.ref("estimates/grade5")).outputs["participation"].hash)
    parameters = store.manifest(store.ref("report")).parameters
    code = units["code"][0]

    def make(specification: str, language: str, *, drawn: bool = False, **more: Any) -> Report:
        cycle = report_cycle(parameters, language)
        arguments: dict[str, Any] = {
            "language": language,
            "names": unit_names(units),
            "cycle": replace(cycle, participation=participation, regions=region_of(units)),
            "province": code if specification == "province" else None,
            "specification": specification,
            **more,
        }
        if drawn:
            return build_report(estimates, **arguments)
        with charts.undrawn():
            return build_report(estimates, **arguments)

    make.estimates = estimates  # type: ignore[attr-defined]
    return make


def said(report: Report) -> list[str]:
    texts = [report.title]
    for section in report.sections:
        texts += [section.heading, *section.paragraphs]
        for figure in section.figures:
            texts += [figure.title, figure.note, figure.alternative]
        tables = [*(figure.table for figure in section.figures), *section.tables]
        texts += [table.caption + table.note for table in tables]
        texts += [cell for table in tables for row in table.rows for cell in row]
    return texts


def test_the_national_report_holds_the_standard_set(compose: Any) -> None:
    report = compose("national", "en")
    keys = [section.key for section in report.sections]
    assert keys == [
        "headline", "distribution", "provinces", "levels", "trend", "groups", "comparison", "gradient", "domains",
        "method", "annex",
    ]  # fmt: skip
    families = {figure.key.split("-", 2)[2] for section in report.sections for figure in section.figures}
    assert len(families) >= 13, families
    left_out = Texts("en").say("sentence.left_out", exhibits="").strip(" .")
    assert not [line for line in said(report) if left_out in line]


@pytest.mark.parametrize("specification", SPECIFICATIONS)
def test_both_languages_hold_the_same_exhibits_and_codes(compose: Any, specification: str) -> None:
    outlines = []
    for language in LANGUAGES:
        report = compose(specification, language)
        outlines.append(
            [
                (
                    section.key,
                    len(section.paragraphs),
                    [figure.key for figure in section.figures],
                    [table.figure_ids for table in section.tables],
                    [table.values for table in section.tables],
                )
                for section in report.sections
            ]
        )
    assert outlines[0] == outlines[1]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("specification", SPECIFICATIONS)
def test_nobody_is_ranked_and_no_row_is_a_student_s(
    compose: Any, two_cycles: Any, specification: str, language: str
) -> None:
    texts = said(compose(specification, language))
    assert [line for line in texts if RANKS.search(line)] == []
    store = two_cycles.store
    weights = store.table(store.manifest(store.ref("weights/grade5")).outputs["weights"].hash)
    hidden = set(weights["student_id"].to_list()) | set(weights["school_id"].to_list())
    assert not [line for line in texts if hidden & set(re.findall(r"\w+", line))]


def test_every_code_of_every_table_is_an_estimate(compose: Any) -> None:
    known = set(compose.estimates["figure_id"].to_list())
    for specification in SPECIFICATIONS:
        report = compose(specification, "vi")
        for section in report.sections:
            for table in [*(figure.table for figure in section.figures), *section.tables]:
                assert {code for code in table.figure_ids if code} <= known
                assert not table.figure_ids or len(table.figure_ids) == len(table.rows)


def estimate(compose: Any, figure_id: str) -> dict[str, Any]:
    return compose.estimates.filter(pl.col("figure_id") == figure_id).row(0, named=True)


def test_the_numbers_of_sentences_are_those_of_the_estimates(compose: Any) -> None:
    texts = Texts("vi")
    lines = said(compose("national", "vi"))
    change = estimate(compose, "grade5/maths/change_mean/nation/all")
    (line,) = [one for one in lines if one.startswith("Lớp 5, Toán: so với năm 2023, điểm trung bình")]
    for value in (abs(change["estimate"]), change["standard_error"], change["linking_error"]):
        assert texts.number(value, 1) in line
    clear = change["ci_low"] > 0 or change["ci_high"] < 0
    assert ("không thay đổi có ý nghĩa" in line) == (not clear)
    slope, strength = (estimate(compose, f"grade5/maths/{name}/nation/all") for name in ("slope", "strength"))
    (line,) = [one for one in lines if one.startswith("Lớp 5, Toán: chỉ số kinh tế")]
    assert texts.number(slope["estimate"], 1) in line
    assert texts.share(strength["estimate"]) in line
    press = said(compose("press_note", "vi"))
    mean = estimate(compose, "grade5/reading/mean/nation/all")
    assert any(
        f"Lớp 5, Tiếng Việt: điểm trung bình {texts.number(mean['estimate'], 1)}" in line for line in press
    )
    low, high = (estimate(compose, f"grade5/maths/at_or_above_{level}/nation/all") for level in (2, 5))
    (line,) = [one for one in press if "mức tối thiểu (mức 2)" in one]
    assert texts.share(low["estimate"]) in line
    assert texts.share(high["estimate"]) in line


def test_the_numbers_of_the_workbook_are_those_of_the_estimates(compose: Any) -> None:
    report = compose("national", "en")
    book = CalamineWorkbook.from_filelike(io.BytesIO(report_xlsx(report)))
    contents = {
        row[1]: str(row[0]) for row in book.get_sheet_by_index(0).to_python()[2:] if len(row) > 1 and row[1]
    }
    sheet = book.get_sheet_by_name(
        contents["Grade 5, Mathematics: all figures with students and standard errors"]
    )
    rows = {row[-1]: row for row in sheet.to_python()[3:] if str(row[-1]).startswith("grade5/")}
    own = compose.estimates.filter((pl.col("subject") == "maths") & pl.col("suppressed_because").is_null())
    own = own.filter(~((pl.col("statistic") == "difference") & (pl.col("by") == "province_code")))
    assert own.height > 200
    for row in own.to_dicts():
        found = rows[row["figure_id"]]
        assert found[3] == row["n"]
        assert found[5:9] == pytest.approx(
            [row[key] for key in ("estimate", "standard_error", "ci_low", "ci_high")]
        )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("specification", ["press_note", "province"])
def test_word_in_the_form_of_the_decree(compose: Any, specification: str, language: str) -> None:
    words = {"follow" if specification == "press_note" else "solutions": ["Lời của đơn vị."]}
    report = compose(specification, language, drawn=True, words=words)
    content = report_docx(report)
    assert content == report_docx(report)
    document = docx.Document(io.BytesIO(content))
    (section,) = document.sections
    assert (section.page_width.mm, section.page_height.mm) == pytest.approx((210, 297), abs=0.02)
    for margin, low, high in (
        (section.left_margin, 30, 35), (section.right_margin, 15, 20), (section.top_margin, 20, 25),
        (section.bottom_margin, 20, 25),
    ):  # fmt: skip
        assert Mm(low) - Mm(0.02) <= margin <= Mm(high) + Mm(0.02)
    assert document.styles["Normal"].font.name == "Times New Roman"
    assert section.different_first_page_header_footer
    assert "PAGE" in section.header._element.xml
    assert "PAGE" not in section.first_page_header._element.xml
    text = "\n".join(paragraph.text for paragraph in document.paragraphs)
    texts = Texts(language)
    assert texts.say("official.nation") in text
    assert texts.say("official.motto") in text
    assert "Lời của đơn vị." in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_press_note_stands_on_two_pages_with_the_second_half_empty(compose: Any, language: str) -> None:
    reader = pytest.importorskip("pypdf", reason="pypdf reads the printed report back")
    pages = reader.PdfReader(io.BytesIO(report_pdf(compose("press_note", language, drawn=True)))).pages
    assert len(pages) <= 2
    if len(pages) == 2:
        lines = [line for line in pages[1].extract_text().splitlines() if line.strip()]
        assert len(lines) <= 25


def test_an_own_specification_is_composed_from_a_store_and_from_files(
    two_cycles: Any, compose: Any, tmp_path: Path
) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        'name = "own"\nscope = "nation"\ntitle = { vi = "Riêng", en = "Own" }\n[[section]]\nkey = "levels"\n'
        '[[section.exhibit]]\nkind = "results"\n',
        encoding="utf-8",
    )
    table = tmp_path / "estimates.parquet"
    compose.estimates.write_parquet(table)
    for source in (["--store", str(two_cycles.store.path)], ["--estimates", str(table)]):
        out = tmp_path / source[0].strip("-")
        assert run(["compose", str(own), *source, "--language", "en", "--out", str(out)]) == 0
        assert (out / "own_en.pdf").read_bytes().startswith(b"%PDF")
        assert (out / "own_en.docx").read_bytes().startswith(b"PK")
        assert (out / "own_en.xlsx").read_bytes().startswith(b"PK")
    assert run(["compose", str(own)]) == 2
    assert run(["compose", str(tmp_path / "nowhere.toml"), "--estimates", str(table)]) == 2
