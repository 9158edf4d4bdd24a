"""A report as files: PDF for reading and printing, Excel for working on."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime
from functools import cache
from importlib.resources import as_file, files
from typing import Any

import typst
import xlsxwriter

from lsakit.tables import charts
from lsakit.tables.publication import PublicationTable, natural_widths, numeric_columns
from lsakit.tables.report import Report, Section, in_print
from lsakit.tables.texts import Texts

AUTHOR = "Diện Rộng"
LINE_MM = 162.0  # A4 less the margins of report.typ
HALF_PAGE_MM = 97.0  # half of its height less title and note of a figure
LEAST_SCALE = 0.88  # the smallest letters of a drawing stay at 7 points
_UNDATED = datetime(2000, 1, 1, tzinfo=UTC)  # the same report gives the same bytes, whenever it is written


@cache
def _template() -> bytes:
    """Read the printed form of a report."""
    return files("lsakit.tables").joinpath("report.typ").read_bytes()


def _printed(section: Section, language: str) -> dict[str, Any]:
    """Reduce a section to what is printed: words and drawings."""
    sentences, tables = in_print(section, language)
    return {
        "heading": section.heading,
        "paragraphs": sentences,
        "left_to_unit": section.left_to_unit,
        "figures": [
            {
                "title": figure.title,
                "svg": figure.svg,
                "note": figure.note,
                "alternative": figure.alternative,
                "width_mm": _width(figure.svg),
            }
            for figure in section.figures
        ],
        "tables": [
            {
                "caption": table.caption,
                "columns": table.columns,
                "rows": [[_LONG.sub(_breakable, cell) for cell in row] for row in table.rows],
                "note": table.note,
                "is_number": numeric_columns(table.columns, table.rows),
                "widths": natural_widths(table.columns, table.rows),
            }
            for table in tables
        ],
    }


def _width(svg: str) -> float:
    """Width of a figure: the line, or a little less where two figures would then share a page."""
    width, height = charts.drawing_size(svg)
    whole = LINE_MM * height / width
    if HALF_PAGE_MM < whole <= HALF_PAGE_MM / LEAST_SCALE:
        return LINE_MM * HALF_PAGE_MM / whole
    return charts.printed_width(svg, line_mm=LINE_MM)


_LONG = re.compile(r"\S{30,}")


def _breakable(found: re.Match[str]) -> str:
    """Let a hash break over lines: a space of no width after every 16 letters."""
    letters = found.group()
    return "\u200b".join(letters[start : start + 16] for start in range(0, len(letters), 16))


def report_pdf(report: Report) -> bytes:
    """Print a report as PDF.

    Parameters
    ----------
    report : Report
        The report.

    Returns
    -------
    bytes
        A tagged PDF document, A4, with page numbers and the source line; the same report gives the same
        bytes, because the document carries no date of its making.
    """
    data: dict[str, Any] = {
        "title": report.title,
        "author": AUTHOR,
        "subtitle": report.subtitle,
        "language": report.language,
        "source_line": report.source_line,
        "page": Texts(report.language).say("report.page"),
        "sections": [_printed(section, report.language) for section in report.sections],
    }
    inputs = {"data": json.dumps(data, ensure_ascii=False)}
    with as_file(files("lsakit.tables").joinpath("fonts")) as fonts:
        make: Any = typst.Compiler
        compiler = make(_template(), font_paths=[str(fonts)], ignore_system_fonts=True, sys_inputs=inputs)
        return bytes(compiler.compile(format="pdf", timestamp=0))


def report_xlsx(report: Report) -> bytes:
    """Write the tables of a report as an Excel workbook, one sheet per table.

    Parameters
    ----------
    report : Report
        The report.

    Returns
    -------
    bytes
        The workbook: a sheet of contents, then a sheet per table; where rows can be traced, the last column
        has their code.
    """
    texts = Texts(report.language)
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties({"created": _UNDATED, "author": AUTHOR, "title": report.title})
    tables = [(figure.table, figure.note) for section in report.sections for figure in section.figures]
    tables += [(table, table.note) for section in report.sections for table in section.tables]
    forms = {
        "bold": book.add_format({"bold": True, "text_wrap": True, "valign": "top"}),
        "title": book.add_format({"bold": True, "font_size": 13}),
        "note": book.add_format({"font_color": "#5a6675"}),
        **{kind: book.add_format({"num_format": form}) for kind, form in NUMBER_FORMS.items()},
    }
    contents = book.add_worksheet(texts.say("report.contents"))
    contents.write_string(0, 0, report.title, forms["title"])
    for line, (table, _remark) in enumerate(tables, start=2):
        contents.write_url(line, 0, f"internal:'{line - 1}'!A1", string=f"{line - 1}")
        contents.write_string(line, 1, table.caption)
    contents.write_string(len(tables) + 3, 0, report.source_line, forms["note"])
    contents.set_column(1, 1, 110)
    for number, (table, remark) in enumerate(tables, start=1):
        sheet = book.add_worksheet(f"{number}")
        _write_table(sheet, table, (remark, report.source_line if table.is_sourced else ""), forms, texts)
    book.close()
    return buffer.getvalue()


NUMBER_FORMS = {
    "n": "#,##0",
    "score": "#,##0.0",
    "share": "0.0%",
    "hundredth": "#,##0.00",
    "parameter": "#,##0.000",
    "p": "0.0000",
}


def _write_table(
    sheet: Any, table: PublicationTable, remarks: tuple[str, ...], forms: dict[str, Any], texts: Texts
) -> None:
    """Write a table on its sheet; where rows have codes, they stand in a last column."""
    sheet.write_string(0, 0, table.caption, forms["title"])
    heads = [*table.columns, *([texts.say("column.figure")] if table.figure_ids else [])]
    codes: list[tuple[str, ...]] = [(code,) for code in table.figure_ids] or [()] * len(table.rows)
    for column, heading in enumerate(heads):
        sheet.write_string(2, column, heading, forms["bold"])
    for line, (cells, code) in enumerate(zip(table.rows, codes, strict=True)):
        for column, cell in enumerate([*cells, *code]):
            value, kind = table.values.get((line, column), (None, ""))
            if value is None:
                sheet.write_string(line + 3, column, cell)
            else:
                sheet.write_number(line + 3, column, value, forms[kind])
    for line, remark in enumerate(remarks, start=len(table.rows) + 4):
        sheet.write_string(line, 0, remark, forms["note"])
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, len(table.columns), 18)
    sheet.freeze_panes(3, 1)
