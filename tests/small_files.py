"""Small files as officers send them, made in memory."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import xlsxwriter


def workbook(
    *sheets: tuple[str, Sequence[Sequence[Any]]], merged: Sequence[str] = (), day_format: str = "dd/mm/yyyy"
) -> bytes:
    """Make an .xlsx; merged ranges belong to the first sheet. A formula is a text that begins with '='."""
    import datetime as dt

    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream)
    day = book.add_format({"num_format": day_format})
    for place, (name, rows) in enumerate(sheets):
        sheet = book.add_worksheet(name)
        for row, cells in enumerate(rows):
            for column, value in enumerate(cells):
                if isinstance(value, dt.date):
                    sheet.write_datetime(row, column, value, day)
                elif isinstance(value, str):
                    if value.startswith("="):
                        sheet.write_formula(row, column, value, None, 7)
                    else:
                        sheet.write_string(row, column, value)
                elif isinstance(value, bool):
                    sheet.write_boolean(row, column, value)
                elif value is not None:
                    sheet.write_number(row, column, value)
        for area in merged if place == 0 else ():
            first = area.split(":")[0]
            letters, number = first.rstrip("0123456789"), int(first.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
            value = rows[number - 1][ord(letters) - 65]
            sheet.merge_range(area, value)
    book.close()
    return stream.getvalue()


def text_file(rows: Sequence[Sequence[Any]], *, delimiter: str = ";", charset: str = "utf-8") -> bytes:
    """Make a CSV in a character set."""
    lines = [delimiter.join(str(cell) for cell in row) for row in rows]
    return ("\r\n".join(lines) + "\r\n").encode(charset)
