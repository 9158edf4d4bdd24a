"""A file of officers opened: its sheets, and their rows one after the other as Excel counts them."""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import python_calamine as calamine

from dienrong.core.text import search_key
from dienrong.imports.numeric import containers, old_excel, texts
from dienrong.imports.numeric.faults import FileFault

CSV_SHEET = "CSV"
DELIMITERS = (";", ",", "\t", "|")
HEAD_ROWS = 60
SEARCHED_ROWS_SHOWN = 30
MIN_ROWS_OF_A_TABLE = 2
CODE_SHEETS = (
    "danh muc",
    "ma va ten",
    "huong dan",
    "code list",
    "codes",
    "guide",
    "dm ",
    "codebook",
    "ghi chu",
)
csv.field_size_limit(1 << 20)

Row = tuple[int, list[Any]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One sheet with something on it.

    Parameters
    ----------
    name : str
        Its name; ``CSV`` for a text file.
    n_rows : int
        Last row that holds anything.
    head : tuple of (int, list)
        The first rows with their numbers.
    merged : tuple of ((row, column), (row, column))
        Merged ranges, counted from 0.
    is_code_list : bool
        Whether its name says that it lists codes or gives instructions.
    n_formulas : int
        Formulas on it; their last computed values are read.
    """

    name: str
    n_rows: int
    head: tuple[Row, ...]
    merged: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()
    is_code_list: bool = False
    n_formulas: int = 0


class Book:
    """A file opened for reading. Rows come one by one; nothing but the sheet asked for is held.

    Parameters
    ----------
    data : bytes
        The file.
    charset : str, default ""
        Character set of a text file, where a person chose one.
    """

    def __init__(self, data: bytes, charset: str = "") -> None:
        self.kind = containers.kind_of(data)
        self.charset, self.delimiter = "", ""
        self._text, self._workbook = "", None
        self._open_name, self._open_sheet = "", None
        self._scans: dict[str, containers.SheetScan] = {}
        self._old: dict[str, old_excel.OldSheet] = {}
        if self.kind == "csv":
            self.charset = charset or texts.charset_of(data)
            self._text = texts.decoded(data, self.charset)
            self.delimiter = _delimiter(self._text)
            return
        if self.kind == "xls":
            self._old = {sheet.name: sheet for sheet in old_excel.sheets_of(data)}
            return
        self._scans = containers.scan_workbook(data)
        with _reading():
            self._workbook = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))

    def sheets(self) -> list[Sheet]:
        """Look at every visible sheet that holds a row."""
        if self.kind == "csv":
            found = self._seen(CSV_SHEET, ())
            return [found] if found.n_rows else []
        opened = [self._seen(name, None) for name in self._visible()]
        return [sheet for sheet in opened if sheet.n_rows]

    def _visible(self) -> list[str]:
        """Name the sheets that a person sees in Excel."""
        if self.kind == "xls":
            return list(self._old)
        return [
            sheet.name
            for sheet in self._workbook.sheets_metadata  # type: ignore[union-attr]
            if sheet.typ == calamine.SheetTypeEnum.WorkSheet
            and sheet.visible == calamine.SheetVisibleEnum.Visible
        ]

    def _seen(self, name: str, merged: Any) -> Sheet:
        """Look at the head of one sheet and count its rows."""
        head = list(itertools.islice(self.rows(name), HEAD_ROWS))
        if self.kind == "csv":
            last = max(head[-1][0] if head else 0, len(self._text.splitlines()) if head else 0)
        else:
            last = self._opened(name).end[0] + 1 if head else 0
        scan = self._scans.get(name)
        key = search_key(name) + " "
        if merged is None:
            merged = self._opened(name).merged_cell_ranges or ()
        return Sheet(
            name=name,
            n_rows=last,
            head=tuple(head),
            merged=tuple(merged),
            is_code_list=any(key.startswith(word) for word in CODE_SHEETS),
            n_formulas=scan.n_formulas if scan else 0,
        )

    def _opened(self, name: str) -> Any:
        """Open one sheet of the workbook; the last one stays open, one alone is held."""
        if self.kind == "xls":
            if name not in self._old:
                raise FileFault("no_such_sheet", sheet=name)
            return self._old[name]
        if self._open_name == name:
            return self._open_sheet
        self._open_name, self._open_sheet = "", None
        try:
            with _reading():
                self._open_sheet = self._workbook.get_sheet_by_name(name)  # type: ignore[union-attr]
        except calamine.WorksheetNotFound as error:
            raise FileFault("no_such_sheet", sheet=name) from error
        self._open_name = name
        return self._open_sheet

    def rows(self, name: str) -> Iterator[Row]:
        """Give the rows of a sheet that hold anything, with the numbers Excel shows.

        Raises
        ------
        FileFault
            ``uncalculated`` where formulas have no computed value, ``no_such_sheet``, ``damaged``.
        """
        if self.kind == "csv":
            yield from self._csv_rows()
            return
        scan = self._scans.get(name, containers.SheetScan())
        if scan.n_uncalculated:
            raise FileFault("uncalculated", sheet=name, n=scan.n_uncalculated)
        sheet = self._opened(name)
        if sheet.start is None:
            return
        offset = [""] * sheet.start[1]
        errors: dict[int, list[int]] = {}
        for row, column in scan.errors:
            errors.setdefault(row, []).append(column)
        for number, cells in enumerate(sheet.iter_rows(), start=1):
            if offset:
                cells = [*offset, *cells]
            for column in errors.get(number, ()):
                if column <= len(cells):
                    cells[column - 1] = "#N/A"
            if any(cell != "" and cell is not None for cell in cells):
                yield number, cells

    def _csv_rows(self) -> Iterator[Row]:
        """Give the records of a text file; a record is numbered by its place, as Excel would."""
        try:
            reader = csv.reader(io.StringIO(self._text, newline=""), delimiter=self.delimiter, strict=False)
            for number, cells in enumerate(reader, start=1):
                if number > containers.MAX_ROWS:
                    raise FileFault("too_many_rows", row=number, limit=containers.MAX_ROWS)
                if len(cells) > containers.MAX_COLUMNS:
                    raise FileFault("too_many_columns", n=len(cells), limit=containers.MAX_COLUMNS)
                if number == 1 and len(cells) == 1 and cells[0].lower().startswith("sep="):
                    continue
                if any(cell.strip() for cell in cells):
                    yield number, cells
        except csv.Error as error:
            raise FileFault("damaged") from error


@contextmanager
def _reading() -> Iterator[None]:
    """Turn what the reader says of a broken or locked workbook into a fault.

    A panic of the reader's Rust arrives as a ``BaseException`` without a public name.
    """
    try:
        yield
    except calamine.WorksheetNotFound:
        raise
    except calamine.PasswordError as error:
        raise FileFault("encrypted") from error
    except (calamine.CalamineError, calamine.ZipError, calamine.XmlError, OSError, ValueError) as error:
        raise FileFault("encrypted" if "assword" in str(error) else "damaged") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise FileFault("damaged") from error


def _delimiter(text: str) -> str:
    """Take the delimiter that stands equally often in most of the first lines."""
    lines = [line for line in text[:65_536].splitlines()[:30] if line.strip()]
    if lines and lines[0].lower().startswith("sep=") and len(lines[0]) == 5:
        return lines[0][4]
    plain = ["".join(line.split('"')[::2]) for line in lines]

    def score(delimiter: str) -> tuple[int, int]:
        counts = [line.count(delimiter) for line in plain]
        usual = max(set(counts), key=counts.count) if counts else 0
        return (counts.count(usual) if usual else 0), usual

    best = max(DELIMITERS, key=score)
    return best if score(best)[0] else ","
