"""A stored table as an Excel workbook: every cell a number, a truth value or text, never a formula."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from math import isfinite
from typing import Any

import polars as pl
import xlsxwriter

MOST_ROWS = 1_000_000
WIDEST = 40


def workbook(table: pl.DataFrame, *, title: str, titles: Sequence[str], notes: Sequence[str]) -> bytes:
    """Write a table with its headings; a second sheet says where it comes from.

    Parameters
    ----------
    table : polars.DataFrame
        The rows.
    title : str
        Name of the first sheet.
    titles : Sequence of str
        Headings, one per column.
    notes : Sequence of str
        Lines of the second sheet: run, manifest, hash.

    Returns
    -------
    bytes
        An ``.xlsx`` file.
    """
    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, {"constant_memory": True, "nan_inf_to_errors": False}) as book:
        bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        sheet = book.add_worksheet(sheet_name(title))
        for place, heading in enumerate(titles):
            sheet.set_column(place, place, min(max(len(heading) + 2, 9), WIDEST))
            sheet.write_string(0, place, heading, bold)
        for line, row in enumerate(table.head(MOST_ROWS).iter_rows(), start=1):
            for place, value in enumerate(row):
                _write(sheet, line, place, value)
        sheet.freeze_panes(1, 1)
        source = book.add_worksheet("source" if title != "source" else "notes")
        source.set_column(0, 0, 110)
        for line, text in enumerate(notes):
            source.write_string(line, 0, text)
    return buffer.getvalue()


def text_workbook(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str, notes: Sequence[str]
) -> bytes:
    """Write rows of text with their headings, as they stand behind a figure."""
    table = pl.DataFrame(
        [list(row) for row in rows], schema=[str(place) for place in range(len(columns))], orient="row"
    )
    return workbook(table, title=title, titles=columns, notes=notes)


def _write(sheet: Any, line: int, place: int, value: Any) -> None:
    """Write a cell as what it is; an empty one stays empty."""
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(line, place, value)
    elif isinstance(value, int | float):
        if isfinite(value):
            sheet.write_number(line, place, value)
    else:
        sheet.write_string(line, place, str(value))


def sheet_name(title: str) -> str:
    """Give a title as Excel accepts it: no marks of its own, 31 letters at most."""
    return "".join(" " if mark in "[]:*?/\\'" else mark for mark in title).strip()[:31] or "table"
