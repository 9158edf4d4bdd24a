"""Findings as an Excel workbook that officers can filter: text stays text, headings stand still."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import xlsxwriter

WIDEST, NARROWEST = 60, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One sheet: its name, a title, headings and rows."""

    name: str
    title: str
    headings: Sequence[str]
    rows: Iterable[Sequence[Any]]
    widths: Sequence[int] = ()


def write_workbook(sheets: Sequence[Sheet]) -> bytes:
    """Write sheets with a title row, a filter over the headings and frozen headings."""
    buffer = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_urls": False,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(buffer, options) as book:
        formats = {
            "title": book.add_format({"bold": True, "font_size": 14}),
            "heading": book.add_format(
                {"bold": True, "bg_color": "#e8f1fb", "border": 1, "text_wrap": True, "valign": "top"}
            ),
            "text": book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"}),
            "number": book.add_format({"num_format": "#,##0.##", "valign": "top"}),
        }
        for sheet in sheets:
            _write(book.add_worksheet(sheet.name[:31]), sheet, formats)
    return buffer.getvalue()


def _write(page: Any, sheet: Sheet, formats: dict[str, Any]) -> None:
    """Write one sheet."""
    page.write_string(0, 0, sheet.title, formats["title"])
    for column, heading in enumerate(sheet.headings):
        page.write_string(1, column, heading, formats["heading"])
        width = sheet.widths[column] if column < len(sheet.widths) else len(heading) + 4
        page.set_column(column, column, min(max(width, NARROWEST), WIDEST))
    last = 1
    for last, cells in enumerate(sheet.rows, start=2):
        for column, value in enumerate(cells):
            if isinstance(value, bool) or value is None or isinstance(value, str):
                page.write_string(last, column, "" if value is None else str(value), formats["text"])
            else:
                page.write_number(last, column, value, formats["number"])
    page.autofilter(1, 0, max(last, 1), max(len(sheet.headings) - 1, 0))
    page.freeze_panes(2, 0)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.repeat_rows(1)
