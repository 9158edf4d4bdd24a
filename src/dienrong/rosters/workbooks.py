"""The class list as an Excel file, with names or under study ids."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import xlsxwriter


def class_list(*, title: str, source: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """Write one sheet: title, headings, rows, source; every cell is text or a number, never a formula.

    Parameters
    ----------
    title : str
        First line.
    source : str
        Last line: where the list comes from and how it is to be treated.
    columns : sequence of str
        Headings.
    rows : sequence of sequence of object
        Cells; integers are written as numbers, all else as text, so that codes keep their zeros.

    Returns
    -------
    bytes
        An ``.xlsx`` file.
    """
    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        bold = book.add_format({"bold": True})
        head = book.add_format({"bold": True, "border": 1, "bg_color": "#e8f1fb", "text_wrap": True})
        cell = book.add_format({"border": 1})
        small = book.add_format({"italic": True, "font_size": 9})
        sheet.write_string(0, 0, title, bold)
        for place, column in enumerate(columns):
            sheet.write_string(2, place, column, head)
            longest = max([len(column), *(len(str(row[place])) for row in rows[:500])])
            sheet.set_column(place, place, min(max(longest + 2, 6), 40))
        for line, row in enumerate(rows, start=3):
            for place, value in enumerate(row):
                if isinstance(value, int) and not isinstance(value, bool):
                    sheet.write_number(line, place, value, cell)
                else:
                    sheet.write_string(line, place, str(value), cell)
        sheet.write_string(len(rows) + 4, 0, source, small)
        sheet.freeze_panes(3, 0)
        sheet.repeat_rows(2)
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
    return buffer.getvalue()
