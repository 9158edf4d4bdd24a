"""Workbooks for officers: templates with dropdowns, data in the template's layout, refused rows as they came."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, BinaryIO

import xlsxwriter

from dienrong.imports.numeric.containers import column_letters
from dienrong.imports.numeric.sheets import CSV_SHEET, Book

DROPDOWN_ROWS = 5_000
COPIED_ROWS = 3_000
FIRST_DATE = dt.date(1900, 3, 1)
RED, PALE_RED, GREY, GROUND = "#B3261E", "#FBE9E7", "#5A6675", "#E8F1FB"
STRING_LIMIT = 32_767


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WrittenColumn:
    """One column of a workbook that we write.

    Parameters
    ----------
    title, guide : str
        Header and instruction.
    is_required : bool
        Whether the header gets a star.
    is_text : bool
        Whether cells are text, so that zeros and long codes stay.
    is_date : bool
        Whether cells are dates.
    words : tuple of str
        Entries of the dropdown.
    """

    title: str
    guide: str
    is_required: bool = False
    is_text: bool = False
    is_date: bool = False
    words: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SheetTitles:
    """What the sheets are called, and the word before the instructions."""

    data: str
    codes: str
    guide: str


def write_table(
    stream: BinaryIO,
    columns: Sequence[WrittenColumn],
    rows: Iterable[Sequence[Any]],
    *,
    titles: SheetTitles,
    made_at: dt.datetime,
) -> int:
    """Write a template, filled with rows or empty.

    Parameters
    ----------
    stream : BinaryIO
        Where to write.
    columns : sequence of WrittenColumn
        The columns in their order.
    rows : iterable of sequence
        Cells in the order of the columns: text, whole numbers, numbers, dates, None.
    titles : SheetTitles
        Names of the sheets.
    made_at : datetime
        Written into the file's properties.

    Returns
    -------
    int
        Rows written.
    """
    book = xlsxwriter.Workbook(stream, {"constant_memory": True, "default_date_format": "dd/mm/yyyy"})
    book.set_properties({"created": made_at.replace(tzinfo=None)})
    sheet = book.add_worksheet(titles.data)
    plain = {"font_name": "Arial", "font_size": 10, "valign": "top"}
    text = book.add_format({**plain, "num_format": "@"})
    day = book.add_format({**plain, "num_format": "dd/mm/yyyy"})
    other = book.add_format(plain)
    bold = {
        **plain,
        "bold": True,
        "bg_color": GROUND,
        "border": 1,
        "border_color": "#D9DEE5",
        "text_wrap": True,
    }
    head, needed = book.add_format(bold), book.add_format({**bold, "font_color": RED})
    guide = book.add_format({**plain, "italic": True, "font_color": GREY, "text_wrap": True})
    forms = [text if column.is_text else day if column.is_date else other for column in columns]
    for place, (column, form) in enumerate(zip(columns, forms, strict=True)):
        sheet.set_column(place, place, min(36, max(13, len(column.title) + 4)), form)
    sheet.set_row(0, 32)
    sheet.set_row(1, 44)
    for place, column in enumerate(columns):
        title = f"{column.title}*" if column.is_required else column.title
        sheet.write_string(0, place, title, needed if column.is_required else head)
    for place, column in enumerate(columns):
        words = f"{titles.guide}: {column.guide}" if place == 0 else column.guide
        sheet.write_string(1, place, words, guide)
    n = 0
    for n, cells in enumerate(rows, start=1):
        for place, (value, form) in enumerate(zip(cells, forms, strict=True)):
            _write(sheet, n + 1, place, value, (form, day))
    sheet.freeze_panes(2, 1)
    _dropdowns(book, sheet, columns, titles.codes, max(n + 500, DROPDOWN_ROWS))
    book.close()
    return n


def _dropdowns(book: Any, sheet: Any, columns: Sequence[WrittenColumn], title: str, last_row: int) -> None:
    """Put the code lists on a sheet of their own and dropdowns over the columns that use them."""
    listed = [(place, column) for place, column in enumerate(columns) if column.words]
    if not listed:
        return
    codes = book.add_worksheet(title)
    bold = book.add_format({"bold": True, "bg_color": GROUND})
    for row in range(max(len(column.words) for _place, column in listed) + 1):
        for at, (_place, column) in enumerate(listed):
            if row == 0:
                codes.write_string(0, at, column.title, bold)
            elif row <= len(column.words):
                codes.write_string(row, at, column.words[row - 1])
    for at, (place, column) in enumerate(listed):
        codes.set_column(at, at, 30)
        letters = column_letters(at + 1)
        sheet.data_validation(
            2,
            place,
            last_row,
            place,
            {
                "validate": "list",
                "source": f"='{title}'!${letters}$2:${letters}${len(column.words) + 1}",
                "error_type": "warning",
                "ignore_blank": True,
            },
        )


def _write(sheet: Any, row: int, place: int, value: Any, formats: tuple[Any, Any]) -> None:
    """Write one cell by the type of its value; text never becomes a formula."""
    form, day = formats
    if value is None or value == "":
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, place, value, form)
    elif isinstance(value, dt.datetime):
        sheet.write_datetime(row, place, value.replace(tzinfo=None), day)
    elif isinstance(value, dt.date) and value >= FIRST_DATE:
        sheet.write_datetime(row, place, value, day)
    elif isinstance(value, int | float) and value == value and abs(value) != float("inf"):
        sheet.write_number(row, place, value, form)
    else:
        sheet.write_string(row, place, str(value)[:STRING_LIMIT], form)


def write_refused(
    stream: BinaryIO,
    book: Book,
    *,
    sheet_name: str,
    first_data_row: int,
    comments: Mapping[int, tuple[str, frozenset[int]]],
    title: str,
) -> int:
    """Give refused rows back as they came, with what is wrong in a red column at the end.

    Parameters
    ----------
    stream : BinaryIO
        Where to write.
    book : Book
        The file as it was sent.
    sheet_name : str
        Sheet of the table.
    first_data_row : int
        What stands above is copied whole.
    comments : mapping of int to (str, frozenset of int)
        By row: what is wrong, and the places of the cells in question.
    title : str
        Header of the column of comments.

    Returns
    -------
    int
        Rows given back.
    """
    target = xlsxwriter.Workbook(stream, {"constant_memory": True})
    forms = _RefusedForms(target)
    n = 0
    for source in book.sheets():
        sheet = target.add_worksheet("Sheet1" if source.name == CSV_SHEET else source.name[:31])
        if source.name != sheet_name:
            for row, (_number, cells) in enumerate(itertools.islice(book.rows(source.name), COPIED_ROWS)):
                forms.row(sheet, row, cells)
            continue
        width = max((len(cells) for _number, cells in source.head), default=1)
        sheet.set_column(0, width - 1, 16)
        sheet.set_column(width, width, 70)
        row = 0
        for number, cells in book.rows(sheet_name):
            if number < first_data_row:
                forms.row(sheet, number - 1, cells)
                row = number
                if not any(number < other < first_data_row for other, _cells in source.head):
                    sheet.write_string(number - 1, width, title, forms.red_head)
            elif number in comments:
                row = max(row, first_data_row - 1)
                text, places = comments[number]
                forms.row(sheet, row, cells, places)
                sheet.write_string(row, width, text[:STRING_LIMIT], forms.red)
                row, n = row + 1, n + 1
    target.close()
    return n


class _RefusedForms:
    """Formats of a workbook of refused rows."""

    def __init__(self, book: Any) -> None:
        self.text = book.add_format({"num_format": "@"})
        self.day = book.add_format({"num_format": "dd/mm/yyyy"})
        self.bad = book.add_format({"num_format": "@", "bg_color": PALE_RED})
        self.bad_day = book.add_format({"num_format": "dd/mm/yyyy", "bg_color": PALE_RED})
        self.red = book.add_format({"font_color": RED, "text_wrap": True, "valign": "top"})
        self.red_head = book.add_format({"font_color": RED, "bold": True})

    def row(self, sheet: Any, row: int, cells: Sequence[Any], bad: frozenset[int] = frozenset()) -> None:
        """Write one row as it came; cells in question are shaded."""
        for place, value in enumerate(cells):
            is_bad = place in bad
            if is_bad and value in ("", None):
                sheet.write_blank(row, place, None, self.bad)
            form = self.bad if is_bad else self.text if isinstance(value, str) else None
            _write(sheet, row, place, value, (form, self.bad_day if is_bad else self.day))
