"""A report as files: PDF for reading and printing, Excel for working on."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from functools import cache
from importlib.resources import as_file, files
from typing import Any

import typst
import xlsxwriter

from lsakit.tables.report import Report, Section
from lsakit.tables.texts import Texts

AUTHOR = "Diện Rộng"
_UNDATED = datetime(2000, 1, 1, tzinfo=UTC)  # the same report gives the same bytes, whenever it is written


@cache
def _template() -> bytes:
    """Read the printed form of a report."""
    return files("lsakit.tables").joinpath("report.typ").read_bytes()


def _printed(section: Section) -> dict[str, Any]:
    """Reduce a section to what is printed: words and drawings."""
    return {
        "heading": section.heading,
        "paragraphs": section.paragraphs,
        "left_to_unit": section.left_to_unit,
        "figures": [
            {"title": figure.title, "svg": figure.svg, "note": figure.note, "alternative": figure.alternative}
            for figure in section.figures
        ],
        "tables": [
            {"caption": table.caption, "columns": table.columns, "rows": table.rows}
            for table in section.tables
        ],
    }


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
        "sections": [_printed(section) for section in report.sections],
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
        The workbook; the last column of each sheet is the code that traces the row's figure.
    """
    texts = Texts(report.language)
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties({"created": _UNDATED, "author": AUTHOR, "title": report.title})
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    title = book.add_format({"bold": True, "font_size": 13})
    note = book.add_format({"font_color": "#5a6675"})
    whole = book.add_format({"num_format": "#,##0"})
    decimal = book.add_format({"num_format": "#,##0.0"})
    percent = book.add_format({"num_format": "0.0%"})
    tables = [(figure.table, figure.note) for section in report.sections for figure in section.figures]
    tables += [(table, table.note) for section in report.sections for table in section.tables]
    for number, (table, remark) in enumerate(tables, start=1):
        sheet = book.add_worksheet(f"{number}")
        sheet.write_string(0, 0, table.caption, title)
        for column, heading in enumerate([*table.columns, texts.say("column.figure")]):
            sheet.write_string(2, column, heading, bold)
        formats = {"n": whole, "score": decimal, "share": percent}
        for line, (cells, code) in enumerate(zip(table.rows, table.figure_ids, strict=True), start=3):
            for column, cell in enumerate([*cells, code]):
                value, kind = table.values.get((line - 3, column), (None, ""))
                if value is None:
                    sheet.write_string(line, column, cell)
                else:
                    sheet.write_number(line, column, value, formats[kind])
        sheet.write_string(len(table.rows) + 4, 0, remark, note)
        sheet.write_string(len(table.rows) + 5, 0, report.source_line, note)
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, len(table.columns), 18)
        sheet.freeze_panes(3, 1)
    book.close()
    return buffer.getvalue()
