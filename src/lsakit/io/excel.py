"""Excel workbooks: one table per sheet, identifiers as text, the codebook on a sheet of its own."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import python_calamine as calamine
import xlsxwriter

from lsakit.errors import FileFormatError, TableError
from lsakit.io.cleaning import clean_name
from lsakit.io.codebook import Codebook
from lsakit.io.contents import ReadOptions
from lsakit.io.csv_structure import refuse_header
from lsakit.io.spss import unreadable

CODEBOOK_SHEET = "codebook"
DATA_SHEET = "data"
MAX_ROWS = 1_048_576
MAX_COLUMNS = 16_384
MAX_LETTERS = 32_767
MAX_EXACT = 10**15
FIRST_DATE = dt.date(1900, 3, 1)


class _ExactNumber(float):
    """A number that Excel's file holds with all its digits; xlsxwriter formats to sixteen."""

    def __format__(self, spec: str) -> str:
        """Write the shortest digits that give the same number back."""
        return repr(float(self))


def read_excel(
    path: Path, options: ReadOptions, stated: Codebook | None = None
) -> tuple[pl.DataFrame, Codebook | None]:
    """Read one sheet of a workbook.

    Parameters
    ----------
    path : Path
        An ``.xlsx`` or ``.xls`` file.
    options : ReadOptions
        Its sheet, header row and identifier columns are used here.
    stated : Codebook, optional
        The caller's codebook, for its identifier columns.

    Returns
    -------
    table : polars.DataFrame
        Rows; a column that mixes text and numbers is text.
    codebook : Codebook or None
        What the sheet ``codebook`` holds, where there is one.

    Raises
    ------
    FileFormatError
        If the workbook is damaged, the sheet unclear or empty, cells are merged, or codes lost their zeros.
    """
    try:
        with calamine.CalamineWorkbook.from_path(str(path)) as workbook:
            sheet = _sheet(workbook, path, options.sheet)
            rows = sheet.to_python(skip_empty_area=False)
            merged = sheet.merged_cell_ranges or []
            codebook = _codebook(workbook, sheet.name)
    except (calamine.CalamineError, OSError, ValueError) as error:
        if isinstance(error, FileFormatError | TableError):
            raise
        raise unreadable(path, error) from error
    declared = options.identifier_widths(stated or codebook)
    return _table(rows, merged, path.name, options, declared), codebook


def _sheet(workbook: Any, path: Path, asked: str | None) -> Any:
    """Choose the sheet: the one asked for, or the only one with data."""
    names = [name for name in workbook.sheet_names if name != CODEBOOK_SHEET]
    if asked is not None:
        if asked not in workbook.sheet_names:
            raise FileFormatError(
                f"The workbook {path.name!r} has no sheet {asked!r}.",
                hint=f"Its sheets are: {', '.join(workbook.sheet_names)}.",
                param="sheet",
                got=asked,
            )
        return workbook.get_sheet_by_name(asked)
    filled = [name for name in names if workbook.get_sheet_by_name(name).height]
    if len(filled) > 1:
        raise FileFormatError(
            f"The workbook {path.name!r} has {len(filled)} sheets with data: {', '.join(filled)}.",
            hint=f"Say which one to read, such as sheet={filled[0]!r}.",
            param="sheet",
        )
    if not filled:
        raise FileFormatError(f"The workbook {path.name!r} is empty.", hint="Export it again.", param="path")
    return workbook.get_sheet_by_name(filled[0])


def _codebook(workbook: Any, read: str) -> Codebook | None:
    """Read the codebook sheet that ``write_excel`` adds."""
    if CODEBOOK_SHEET not in workbook.sheet_names or read == CODEBOOK_SHEET:
        return None
    rows = workbook.get_sheet_by_name(CODEBOOK_SHEET).to_python(skip_empty_area=False)
    return codebook_of_rows(rows)


def codebook_of_rows(rows: Sequence[Sequence[Any]]) -> Codebook | None:
    """Read a codebook from the cells of a sheet.

    Parameters
    ----------
    rows : Sequence of Sequence
        Cells; the first row holds the names of the codebook's fields.

    Returns
    -------
    Codebook or None
        The codebook; None where the sheet has no column ``name``.
    """
    if not rows or "name" not in rows[0]:
        return None
    names = [str(cell) for cell in rows[0]]
    cells = [
        {
            name: int(cell) if name in ("width", "decimals") and isinstance(cell, float) else cell
            for name, cell in zip(names, row, strict=True)
        }
        for row in rows[1:]
        if any(cell != "" for cell in row)
    ]
    columns: dict[str, list[Any]] = {
        name: [None if row[name] == "" else row[name] for row in cells] for name in names
    }
    return Codebook.from_table(pl.DataFrame(columns, strict=False))


def _table(
    rows: list[list[Any]],
    merged: Iterable[tuple[tuple[int, int], tuple[int, int]]],
    source: str,
    options: ReadOptions,
    declared: Mapping[str, int | None],
) -> pl.DataFrame:
    """Make columns of the cells under the header."""
    top = options.header_row - 1
    if len(rows) <= top or not any(cell != "" for cell in rows[top]):
        raise FileFormatError(
            f"The row {options.header_row} of {source!r} should hold the column names, but is empty.",
            hint="Say header_row=, counted from 1.",
            param="header_row",
        )
    for (first_row, first_column), (last_row, last_column) in merged:
        if last_row >= top:
            span = f"{cell_name(first_row, first_column)}:{cell_name(last_row, last_column)}"
            raise FileFormatError(
                f"The sheet of {source!r} has merged cells at {span}.",
                why="Only the first of merged cells holds a value; the others would be read as empty.",
                hint="Unmerge them and fill each cell; a merged title above the names is passed by header_row=.",
                param="path",
                got=span,
            )
    header = [clean_name(str(cell), options.encoding) for cell in rows[top]]
    body = rows[top + 1 :]
    while body and all(cell == "" for cell in body[-1]):
        body.pop()
    while header and not header[-1] and all(row[len(header) - 1] == "" for row in body):
        header.pop()
    if len(header) > 1 and sum(bool(name) for name in header) == 1:
        raise FileFormatError(
            f"The row {options.header_row} of {source!r} holds one title, not the column names.",
            hint=f"Say header_row={options.header_row + 1}, or where the names stand.",
            param="header_row",
        )
    refuse_header(tuple(header), source)
    place = (source, top + 2)
    return pl.DataFrame(
        [
            _series(name, [row[column] for row in body], place, is_declared=name in declared)
            for column, name in enumerate(header)
        ]
    )


def cell_name(row: int, column: int) -> str:
    """Name a cell as Excel does.

    Parameters
    ----------
    row, column : int
        Counted from 0.

    Returns
    -------
    str
        Such as ``"B1"``.

    Examples
    --------
    >>> cell_name(0, 1), cell_name(9, 27)
    ('B1', 'AB10')
    """
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row + 1}"


def _series(name: str, cells: list[Any], place: tuple[str, int], *, is_declared: bool) -> pl.Series:
    """Type one column by what all its cells are."""
    values = [None if cell == "" else cell for cell in cells]
    kinds = {_kind(value) for value in values if value is not None}
    if not kinds:
        return pl.Series(name, values, dtype=pl.String)
    if kinds == {"number"}:
        is_whole = all(value is None or _is_whole(float(value)) for value in values)
        dtype: Any = pl.Int64 if is_whole else pl.Float64
        return pl.Series(name, values, dtype=pl.Float64).cast(dtype)
    if kinds == {"boolean"}:
        return pl.Series(name, values, dtype=pl.Boolean)
    if kinds == {"date"}:
        return pl.Series(name, values, dtype=pl.Date)
    if kinds <= {"date", "datetime"}:
        return pl.Series(name, [_moment(value) for value in values], dtype=pl.Datetime("us"))
    if kinds == {"text", "number"} and not is_declared:
        _refuse_partly_eaten(name, values, *place)
    return pl.Series(name, [None if value is None else _text(value) for value in values], dtype=pl.String)


def _is_whole(value: float) -> bool:
    """Tell whether a whole number type holds a cell without loss; it has no negative zero."""
    return value.is_integer() and abs(value) < MAX_EXACT and not (value == 0 and math.copysign(1, value) < 0)


def _kind(value: Any) -> str:
    """Name what a cell holds."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, dt.datetime):
        return "datetime"
    return "date" if isinstance(value, dt.date) else "text"


def _moment(value: Any) -> dt.datetime | None:
    """Turn a date into its midnight."""
    if value is None or isinstance(value, dt.datetime):
        return value
    return dt.datetime.combine(value, dt.time())


def _text(value: Any) -> str:
    """Write a cell of a mixed column as text."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _refuse_partly_eaten(name: str, values: list[Any], source: str, first_row: int) -> None:
    """Refuse a column in which some codes are text with leading zeros and others are shorter numbers."""
    widths = {
        len(value) for value in values if isinstance(value, str) and value.isdigit() and value[0] == "0"
    }
    if len(widths) != 1:
        return
    width = widths.pop()
    rows = [
        row
        for row, value in enumerate(values)
        if value is not None and not isinstance(value, str) and len(_text(value)) < width
    ]
    if rows:
        value = _text(values[rows[0]])
        raise FileFormatError(
            f"The column {name!r} of {source!r} holds codes of {width} digits as text, but {value!r} as a number in "
            f"row {rows[0] + first_row}: leading zeros were lost.",
            where=[f"row {row + first_row}" for row in rows],
            hint=f"Format the column as text in the source, or say text_columns={{{name!r}: {width}}} and "
            "restore_zeros=True.",
            param=name,
            got=value,
            expected=value.zfill(width),
        )


def write_excel(table: pl.DataFrame, draft: Path, codebook: Codebook | None) -> None:
    """Write a workbook: the rows on the sheet ``data``, the codebook beside it.

    Parameters
    ----------
    table : polars.DataFrame
        Rows; text stays text, also where it is made of digits.
    draft : Path
        File to write.
    codebook : Codebook, optional
        Written to the sheet ``codebook``.

    Raises
    ------
    TableError
        If the table is too large for a sheet, or a value has no place in one.
    """
    if table.height >= MAX_ROWS or table.width > MAX_COLUMNS:
        raise TableError(
            f"A sheet holds {MAX_ROWS - 1} rows and {MAX_COLUMNS} columns; the table has {table.height} and {table.width}.",
            hint="Write CSV, Parquet or SPSS, or fewer columns.",
            param="table",
        )
    options = {"constant_memory": True, "strings_to_urls": False, "nan_inf_to_errors": False}
    with xlsxwriter.Workbook(str(draft), options) as workbook:
        _write_sheet(workbook, DATA_SHEET, table)
        if codebook is not None:
            _write_sheet(workbook, CODEBOOK_SHEET, codebook.to_table())


def _write_sheet(workbook: Any, name: str, table: pl.DataFrame) -> None:
    """Write one table to one sheet, row by row."""
    sheet = workbook.add_worksheet(name)
    bold = workbook.add_format({"bold": True})
    text = workbook.add_format({"num_format": "@"})
    date = workbook.add_format({"num_format": "dd/mm/yyyy"})
    moment = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss.000"})
    for place, column in enumerate(table.get_columns()):
        _refuse_cells(column)
        sheet.set_column(place, place, 12, text if column.dtype == pl.String else None)
        sheet.write_string(0, place, column.name, bold)
    for row, cells in enumerate(table.iter_rows(), start=1):
        for place, value in enumerate(cells):
            if isinstance(value, str):
                sheet.write_string(row, place, value, text)
            elif isinstance(value, bool):
                sheet.write_boolean(row, place, value)
            elif isinstance(value, dt.datetime):
                sheet.write_datetime(row, place, value, moment)
            elif isinstance(value, dt.date):
                sheet.write_datetime(row, place, value, date)
            elif value is not None:
                sheet.write_number(row, place, _ExactNumber(value))


def _refuse_cells(column: pl.Series) -> None:
    """Refuse values that a cell cannot hold."""
    name = column.name
    if column.dtype == pl.String:
        bad, what = column.str.len_chars() > MAX_LETTERS, f"a text of more than {MAX_LETTERS} letters"
    elif column.dtype.is_integer():
        bad, what = column.cast(pl.Float64).abs() > MAX_EXACT, "a whole number of more than 15 digits"
    elif column.dtype.is_float():
        bad, what = ~column.is_finite(), "a number that is not finite"
    elif column.dtype in (pl.Date, pl.Datetime):
        bad, what = column.cast(pl.Date) < FIRST_DATE, "a date before March 1900"
    elif column.dtype in (pl.Boolean, pl.Null):
        return
    else:
        bad, what = pl.Series([True]), f"values of type {column.dtype}"
    if bad.fill_null(value=False).any():
        raise TableError(
            f"The column {name!r} holds {what}, which a cell cannot.",
            where=[f"row {row + 1}" for row in bad.fill_null(value=False).arg_true().to_list()],
            hint="Write it as text, or use CSV or Parquet.",
            param=name,
        )
