"""A file read into blocks of clean rows, with everything counted that was put right or left out."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dienrong.core.row_changes import CellProblem
from dienrong.core.text import search_key
from dienrong.imports import matching, sentences
from dienrong.imports.columns import Target
from dienrong.imports.numeric.cells import CellRule, clean
from dienrong.imports.numeric.faults import CellFault, Cleaned, FileFault
from dienrong.imports.numeric.headers import Header, find_header, is_total_row
from dienrong.imports.numeric.sheets import SEARCHED_ROWS_SHOWN, Book, Sheet
from dienrong.imports.numeric.texts import legacy_evidence

BLOCK_ROWS = 2_000
SAMPLE_ROWS = 200
EVIDENCE_CELLS = 4_000
REMEMBERED_CELLS = 2_000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a file is built, as far as its head tells.

    Parameters
    ----------
    sheet : str
        The sheet with the table; empty where a person has to choose.
    candidates : tuple of str
        Sheets that hold a table.
    left_out : tuple of str
        Other sheets with something on them.
    header : Header or None
        None where a sheet has to be chosen first.
    n_rows : int
        Last row with anything.
    samples : tuple of tuple
        Values of each column, from the first rows.
    charset, delimiter : str
        Of a text file.
    notes : tuple of dict
        What the officer is told about the reading.
    """

    sheet: str = ""
    candidates: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    header: Header | None = None
    n_rows: int = 0
    samples: tuple[tuple[Any, ...], ...] = ()
    charset: str = ""
    delimiter: str = ""
    notes: tuple[dict[str, Any], ...] = ()

    @property
    def n_data_rows(self) -> int:
        """How many rows may hold data."""
        return max(0, self.n_rows - self.header.first_data_row + 1) if self.header else 0


def layout_of(book: Book, target: Target, *, sheet: str = "") -> Layout:
    """Find the table of a file.

    Parameters
    ----------
    book : Book
        The file, opened.
    target : Target
        What it should hold.
    sheet : str
        Sheet that a person chose.

    Returns
    -------
    Layout
        With an empty ``sheet`` where several sheets hold a table.

    Raises
    ------
    FileFault
        ``empty``, ``no_header``, ``no_data``, ``no_such_sheet``.
    """
    known = matching.known_names(target)

    def is_known(name: str) -> bool:
        return matching.name_key(name) in known

    sheets = book.sheets()
    if not sheets:
        raise FileFault("empty")
    if sheet and sheet not in [found.name for found in sheets]:
        raise FileFault("no_such_sheet", sheet=sheet)
    headers = {found.name: find_header(found, is_known=is_known, key=search_key) for found in sheets}
    candidates = _candidates(sheets, headers)
    names = tuple(found.name for found in candidates)
    chosen = sheet or (names[0] if len(names) == 1 else "")
    if not chosen:
        if names:
            return Layout(candidates=names)
        raise FileFault("no_header", n=SEARCHED_ROWS_SHOWN)
    table = next(found for found in sheets if found.name == chosen)
    header = headers[chosen]
    if header is None:
        raise FileFault("no_header", n=SEARCHED_ROWS_SHOWN)
    data = list(
        itertools.islice((row for row in book.rows(chosen) if row[0] >= header.first_data_row), SAMPLE_ROWS)
    )
    if not data:
        raise FileFault("no_data")
    others = tuple(found.name for found in sheets if found.name != chosen)
    return Layout(
        sheet=chosen,
        candidates=names,
        left_out=others,
        header=header,
        n_rows=max(table.n_rows, data[-1][0]),
        samples=_samples(data, len(header.names)),
        charset=book.charset,
        delimiter=book.delimiter,
        notes=tuple(_notes(book, table, header, others)),
    )


def _candidates(sheets: Sequence[Sheet], headers: Mapping[str, Header | None]) -> list[Sheet]:
    """Keep the sheets that hold a table: those whose header is known best, code lists only where nothing else is."""
    tables = [sheet for sheet in sheets if headers[sheet.name] is not None and not sheet.is_code_list]
    if not tables:
        tables = [sheet for sheet in sheets if headers[sheet.name] is not None]
    known = {sheet.name: headers[sheet.name].n_known for sheet in tables}  # type: ignore[union-attr]
    most = max(known.values(), default=0)
    if most >= 2:
        tables = [sheet for sheet in tables if known[sheet.name] >= max(2, most / 2)]
    return tables


def _samples(rows: Sequence[tuple[int, list[Any]]], n: int) -> tuple[tuple[Any, ...], ...]:
    """Give the first filled cells of each column."""
    columns: list[list[Any]] = [[] for _place in range(n)]
    for _number, cells in rows:
        for place, value in enumerate(cells[:n]):
            if value not in ("", None) and len(columns[place]) < 20:
                columns[place].append(value)
    return tuple(tuple(values) for values in columns)


def _notes(book: Book, table: Sheet, header: Header, others: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Say what was done to find the table."""
    for code in header.notes:
        yield {"code": code, "row": header.row} if code == "titles_above" else {"code": code}
    if table.n_formulas:
        yield {"code": "formulas", "n": table.n_formulas}
    if others:
        yield {"code": "other_sheets", "sheet": table.name, "others": ", ".join(others)}
    if book.charset and book.charset != "utf-8":
        yield {"code": "charset", "charset": book.charset}
    if any(span[0][0] + 1 >= header.first_data_row for span in table.merged):
        yield {"code": "merged_cells"}


@dataclasses.dataclass(slots=True)
class Tally:
    """What was put right and left out on the way."""

    repairs: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    n_total_rows: int = 0
    n_rows: int = 0

    def repaired(self, kind: str, example: str) -> None:
        """Count one repair; the first one is the example."""
        kept = self.repairs.get(kind)
        if kept is None:
            self.repairs[kind] = {"n": 1, "example": example}
        else:
            kept["n"] += 1


@dataclasses.dataclass(frozen=True, slots=True)
class ReadRow:
    """One row of the file after cleaning."""

    number: int
    values: Mapping[str, Any]
    problems: tuple[CellProblem, ...] = ()


class Reader:
    """Reads the rows of a table by a mapping of its columns.

    Parameters
    ----------
    book : Book
        The file, opened.
    layout : Layout
        Where its table stands.
    target : Target
        What the rows become.
    mapping : mapping of int to str
        Place in the file to column code.
    today : date
        Decides the century of years of two digits.
    """

    def __init__(
        self, book: Book, layout: Layout, target: Target, mapping: Mapping[int, str], *, today: dt.date
    ) -> None:
        self._book, self._layout, self._target, self._today = book, layout, target, today
        self._columns = [
            (place, column, column.rule())
            for place, code in sorted(mapping.items())
            if (column := target.column(code)) is not None
        ]
        self._required = target.required
        texts = (
            value
            for column in layout.samples
            for value in column
            if isinstance(value, str) and not value.isascii()
        )
        self._known = (
            legacy_evidence(itertools.islice(texts, EVIDENCE_CELLS)) if not layout.charset else frozenset()
        )

        self._seen: dict[int, dict[str | float, Cleaned]] = {
            place: {} for place, _column, _rule in self._columns
        }
        self.tally = Tally()

    def blocks(self) -> Iterator[list[ReadRow]]:
        """Give the rows in blocks of ``BLOCK_ROWS``."""
        rows = self.rows()
        while block := list(itertools.islice(rows, BLOCK_ROWS)):
            yield block

    def rows(self) -> Iterator[ReadRow]:
        """Give the rows one by one, with their problems."""
        header = self._layout.header
        assert header is not None
        places = [place for place, _column, _rule in self._columns]
        for number, cells in self._book.rows(self._layout.sheet):
            if number < header.first_data_row:
                continue
            if not any(place < len(cells) and cells[place] not in ("", None) for place in places):
                continue
            row = self._row(number, cells)
            has_key = any(row.values.get(code) is not None for code in self._target.key)
            if is_total_row(cells, search_key, has_key=has_key and not row.problems):
                self.tally.n_total_rows += 1
                continue
            self.tally.n_rows += 1
            yield row

    def _row(self, number: int, cells: Sequence[Any]) -> ReadRow:
        """Clean the cells of one row."""
        values: dict[str, Any] = {}
        problems: list[CellProblem] = []
        for place, column, rule in self._columns:
            raw = cells[place] if place < len(cells) else ""
            if raw == "" or raw is None:
                continue
            cleaned = self._clean(place, raw, rule)
            if cleaned.fault:
                problems.append(sentences.cell_problem(cleaned.fault, column, as_typed(raw)))
                continue
            if cleaned.value is not None:
                values[column.code] = cleaned.value
            for kind in cleaned.repairs:
                if kind in self.tally.repairs:
                    self.tally.repairs[kind]["n"] += 1
                else:
                    self.tally.repaired(kind, self._example(number, column, raw, cleaned.value))
        refused = {problem.column for problem in problems}
        problems += [
            sentences.cell_problem(CellFault("missing"), column, "")
            for column in self._required
            if values.get(column.code) is None and column.code not in refused
        ]
        return ReadRow(number, values, tuple(problems))

    def _clean(self, place: int, raw: Any, rule: CellRule) -> Cleaned:
        """Clean one cell; what stood in the column before is remembered, since most cells repeat."""
        if not isinstance(raw, str | float):
            return clean(raw, rule, today=self._today, known=self._known)
        seen = self._seen[place]
        found = seen.get(raw)
        if found is None:
            found = clean(raw, rule, today=self._today, known=self._known)
            if len(seen) < REMEMBERED_CELLS:
                seen[raw] = found
        return found

    def _example(self, number: int, column: Any, raw: Any, value: Any) -> str:
        """Write an example of a repair; personal data give the place alone."""
        if self._target.is_personal:
            return f"{column.title.vi} · {number}"
        return f"{column.title.vi} · {number}: “{as_typed(raw)[:60]}” → “{column.shown(value)[:60]}”"


def as_typed(value: Any) -> str:
    """Write a cell as a person sees it in Excel."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.datetime | dt.date):
        return value.strftime("%d/%m/%Y")
    return str(value)
