"""Tables of a run as tables to be read: chosen columns, written numbers, the numbers themselves for the workbook."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lsakit.tables.publication import PublicationTable
from lsakit.tables.scaling_report.facts import Sheet

DIGITS = {"n": 0, "parameter": 3, "hundredth": 2, "score": 1}
LONGEST_PRINTED = 400
"""Rows beyond which a table stands in the workbook alone."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a written table.

    Parameters
    ----------
    name : str
        Column of the rows.
    kind : str, default "text"
        ``"text"``, ``"n"`` (whole), ``"parameter"`` (three decimals), ``"hundredth"``, ``"score"`` (one decimal),
        ``"share"``, ``"p"``, or a kind of words such as ``"flag"``, whose values are parted by semicolons.
    heading : str, default ""
        Name of its heading where it is not the column's.
    """

    name: str
    kind: str = "text"
    heading: str = ""


def written(
    sheet: Sheet,
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[Column],
    *,
    caption: str,
    note: str = "",
    is_printed: bool = True,
) -> PublicationTable:
    """Write rows as a table; columns that no row has a value of are left out.

    Parameters
    ----------
    sheet : Sheet
        The report's shared part.
    rows : Sequence of Mapping
        Rows.
    columns : Sequence of Column
        Columns wanted, the first of which names the row.
    caption : str
        Caption.
    note : str, default ""
        What holds for the whole table.
    is_printed : bool, default True
        Whether it stands on paper too; a very long one never does.

    Returns
    -------
    PublicationTable
        The table.
    """
    held = [
        column
        for place, column in enumerate(columns)
        if place == 0 or any(row.get(column.name) not in (None, "") for row in rows)
    ]
    values: dict[tuple[int, int], tuple[float, str]] = {}
    cells = []
    for line, row in enumerate(rows):
        cells.append(tuple(_cell(sheet, row.get(column.name), column.kind) for column in held))
        for place, column in enumerate(held):
            value = row.get(column.name)
            if column.kind in _NUMBERS and value is not None and value == value:
                values[line, place] = (float(value), column.kind)
    return PublicationTable(
        caption=caption,
        columns=tuple(sheet.word("column", column.heading or column.name) for column in held),
        rows=tuple(cells),
        figure_ids=(),
        note=note,
        values=values,
        is_printed=is_printed and len(cells) <= LONGEST_PRINTED,
    )


_NUMBERS = (*DIGITS, "share", "p")


def _cell(sheet: Sheet, value: Any, kind: str) -> str:
    """Write one cell."""
    if kind in DIGITS:
        return sheet.number(value, DIGITS[kind])
    ways: dict[str, Callable[[Any], str]] = {"share": sheet.share, "p": sheet.p_value}
    if kind in ways:
        return ways[kind](value)
    if value is None or value == "":
        return "–" if kind == "text" else ""
    if isinstance(value, bool):
        return sheet.say("word.yes" if value else "word.no")
    if kind == "text":
        return str(value)
    return "; ".join(sheet.word(kind, one) for one in str(value).split(";") if one)


def pairs(
    sheet: Sheet, rows: Sequence[tuple[str, str]], *, caption: str, heads: tuple[str, str]
) -> PublicationTable:
    """Write names and values as a table of two columns.

    Parameters
    ----------
    sheet : Sheet
        The report's shared part.
    rows : Sequence of tuple of str
        Names and values, written.
    caption : str
        Caption.
    heads : tuple of str
        Names of the two headings.

    Returns
    -------
    PublicationTable
        The table.
    """
    return PublicationTable(
        caption=caption,
        columns=tuple(sheet.word("column", head) for head in heads),
        rows=tuple(rows),
        figure_ids=(),
    )
