"""The plan as a Word file in the form of Decree 30/2020 and as a workbook; lsakit writes the Word file."""

from __future__ import annotations

import datetime
import io
from collections.abc import Sequence
from typing import Any

import xlsxwriter

from lsakit.tables import OfficialForm, WordBlock, WordDocument
from lsakit.tables import word_file as write_word

WIDTHS = (0.6, 3.4, 2.0, 2.2, 1.4, 2.2)


def plan_document(
    *,
    title: str,
    form: dict[str, Any],
    sections: Sequence[tuple[str, str]],
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    caption: str,
) -> bytes:
    """Write a plan as a Word file: legal bases, sections of text, the table of tasks, signature, recipients."""
    blocks = [
        block
        for heading, text in sections
        for block in (
            WordBlock(kind="heading", text=heading),
            *(WordBlock(kind="paragraph", text=line) for line in text.splitlines() if line.strip()),
        )
    ]
    blocks.append(
        WordBlock(
            kind="table",
            text=caption,
            columns=tuple(columns),
            rows=tuple(tuple(row) for row in rows),
            widths=WIDTHS,
        )
    )
    return write_word(
        WordDocument(
            title=title, blocks=tuple(blocks), language="vi", form=OfficialForm(**form), is_landscape=True
        )
    )


def workbook(sheets: Sequence[tuple[str, Sequence[str], Sequence[Sequence[Any]]]]) -> bytes:
    """Write sheets of a workbook: name, headings, rows; days stand as days, the heading row stays in sight."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    text = book.add_format({"text_wrap": True, "valign": "top"})
    day = book.add_format({"num_format": "dd/mm/yyyy", "valign": "top"})
    for name, columns, rows in sheets:
        sheet = book.add_worksheet(name[:31])
        sheet.freeze_panes(1, 1)
        for place, column in enumerate(columns):
            sheet.write(0, place, column, head)
            sheet.set_column(place, place, 34 if place == 1 else 18)
        for number, row in enumerate(rows, start=1):
            for place, cell in enumerate(row):
                if isinstance(cell, datetime.date):
                    sheet.write_datetime(number, place, datetime.datetime.combine(cell, datetime.time()), day)
                elif isinstance(cell, str):
                    sheet.write_string(number, place, cell, text)
                else:
                    sheet.write(number, place, cell, text)
        sheet.autofilter(0, 0, max(len(rows), 1), len(columns) - 1)
    book.close()
    return out.getvalue()
