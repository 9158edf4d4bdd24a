"""Old Excel files (.xls) are read in a process of their own, whose death is an answer.

One wrong byte in a cell's record makes the reader ask for 170 gigabytes, and the process that asks is ended by its
own runtime; others make it panic. Neither may end the site. So the bytes go to a child, which gives the sheets back
as JSON, within bounds of memory and time; a child that dies means a damaged file. Workbooks of today (.xlsx) are
walked part by part before they are opened and need no child.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from dienrong.imports.numeric.faults import FileFault

MOST_CELLS = 4_000_000
MOST_BYTES = 2 * 1024**3
MOST_SECONDS = 120
ENCRYPTED, TOO_LARGE = 3, 4
"""What a child says by its exit code; 0 is well, everything else a damaged file."""


@dataclasses.dataclass(frozen=True, slots=True)
class OldSheet:
    """One visible sheet, with the attributes of the reader's own sheets that are used."""

    name: str
    start: tuple[int, int] | None
    end: tuple[int, int] | None
    merged_cell_ranges: tuple[Any, ...]
    cells: list[list[Any]]

    def iter_rows(self) -> Iterator[list[Any]]:
        """Give the rows from the first one of the sheet on."""
        for row in self.cells:
            yield [_value(cell) for cell in row]


def sheets_of(data: bytes) -> list[OldSheet]:
    """Read the visible sheets of an .xls file.

    Raises
    ------
    FileFault
        ``encrypted``, ``too_large`` or ``damaged``; also where the reader died or took too long.
    """
    command = [sys.executable, "-m", "dienrong.imports.numeric.old_excel"]
    try:
        child = subprocess.run(  # noqa: S603 - our own module, the file comes by standard input
            command, input=data, capture_output=True, timeout=MOST_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise FileFault("damaged") from error
    if child.returncode == ENCRYPTED:
        raise FileFault("encrypted")
    if child.returncode == TOO_LARGE:
        raise FileFault("too_many_cells", limit=MOST_CELLS)
    if child.returncode != 0:
        raise FileFault("damaged")
    return [
        OldSheet(
            name=sheet["name"],
            start=tuple(sheet["start"]) if sheet["start"] else None,
            end=tuple(sheet["end"]) if sheet["end"] else None,
            merged_cell_ranges=tuple(
                ((first[0], first[1]), (last[0], last[1])) for first, last in sheet["merged"]
            ),
            cells=sheet["cells"],
        )
        for sheet in json.loads(child.stdout)
    ]


def _value(cell: Any) -> Any:
    """Give a cell back as the reader gave it."""
    if not isinstance(cell, dict):
        return cell
    kind, text = next(iter(cell.items()))
    if kind == "seconds":
        return dt.timedelta(seconds=text)
    return {"datetime": dt.datetime, "date": dt.date, "time": dt.time}[kind].fromisoformat(text)


def _json_of(value: Any) -> dict[str, Any]:
    """Write down what JSON has no word for."""
    if isinstance(value, dt.timedelta):
        return {"seconds": value.total_seconds()}
    kinds = ((dt.datetime, "datetime"), (dt.date, "date"), (dt.time, "time"))
    for kind, word in kinds:
        if isinstance(value, kind):
            return {word: value.isoformat()}
    raise TypeError(f"a cell of {type(value).__name__} cannot be given")


def _bound_memory() -> None:
    """Let this process have so much memory and no more, where the system can hold it to that."""
    try:
        import resource
    except ImportError:  # Windows has no such bound; there the child alone dies
        return
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))


def main() -> int:
    """Read a file from standard input and write its visible sheets to standard output."""
    import python_calamine as calamine

    _bound_memory()
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
    except calamine.PasswordError:
        return ENCRYPTED
    except calamine.CalamineError as error:
        return ENCRYPTED if "assword" in str(error) else 1
    found, n_cells = [], 0
    for seen in book.sheets_metadata:
        if seen.typ != calamine.SheetTypeEnum.WorkSheet or seen.visible != calamine.SheetVisibleEnum.Visible:
            continue
        sheet = book.get_sheet_by_name(seen.name)
        n_cells += sheet.total_height * sheet.total_width
        if n_cells > MOST_CELLS:
            return TOO_LARGE
        found.append(
            {
                "name": seen.name,
                "start": sheet.start,
                "end": sheet.end,
                "merged": sheet.merged_cell_ranges or (),
                "cells": [] if sheet.start is None else list(sheet.iter_rows()),
            }
        )
    sys.stdout.write(json.dumps(found, default=_json_of))
    return 0


if __name__ == "__main__":
    sys.exit(main())
