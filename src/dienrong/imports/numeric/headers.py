"""Where the table of a sheet begins: its header row among titles, instructions and merged cells."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dienrong.imports.numeric.sheets import SEARCHED_ROWS_SHOWN, Row, Sheet
from dienrong.imports.numeric.texts import repaired

SEARCHED_ROWS = SEARCHED_ROWS_SHOWN
GUIDE_WORDS = ("huong dan", "guide", "instruction", "bat buoc", "required")
TOTAL_WORDS = ("tong", "cong", "total")
NUMBERED = re.compile(r"\(?\[?(\d{1,3})\]?\)?")

Key = Callable[[str], str]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The header of a table.

    Parameters
    ----------
    names : tuple of str
        Cleaned names by place, empty where a column has none.
    row : int
        Number of its first row in the file.
    first_data_row : int
        Number of the first row after header, instructions and column numbers.
    n_known : int
        Names that the caller knows.
    notes : tuple of str
        What was done to find it: ``titles_above``, ``merged_header``, ``guide_row``, ``numbered_row``.
    """

    names: tuple[str, ...]
    row: int
    first_data_row: int
    n_known: int
    notes: tuple[str, ...] = ()


def header_name(value: Any) -> str:
    """Clean one name of a header; the star of a required column goes.

    Examples
    --------
    >>> header_name(" MA_TRUONG* "), header_name("Mã trường (*)"), header_name(5.0)
    ('MA_TRUONG', 'Mã trường', '5')
    """
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text, _repairs = repaired(str(value))
    return re.sub(r"\s*(?:\(\s*\*\s*\)|\*)\s*", " ", text).strip(" :")


def find_header(sheet: Sheet, *, is_known: Callable[[str], bool], key: Key) -> Header | None:
    """Find the header of a sheet.

    Parameters
    ----------
    sheet : Sheet
        The sheet with its first rows.
    is_known : callable
        Tells whether a name is one of the wanted columns.
    key : callable
        Search key of a text.

    Returns
    -------
    Header or None
        None where no row looks like a header.

    Notes
    -----
    The row with the most known names wins, the upper one of equals; where none is known, the first row of at
    least two different texts over rows that are filled as widely. A row whose cells are merged sideways is
    joined with the row under it: *Lớp 5* over *Số học sinh* gives *Lớp 5 · Số học sinh*.
    """
    rows = [row for row in sheet.head if row[0] <= SEARCHED_ROWS + sheet.head[0][0]]
    if not rows:
        return None
    candidates = [_candidate(rows, place, sheet, is_known) for place in range(len(rows))]
    best = max(candidates, key=lambda found: (found[0].n_known, -found[0].row))
    if best[0].n_known < 2:
        fallback = next((found for found in candidates if _looks_like_header(found[0], rows)), None)
        if best[0].n_known and (fallback is None or best[0].row <= fallback[0].row):
            fallback = best
        if fallback is None:
            return None
        best = fallback
    header, depth = best
    return _after_header(header, [row for row in rows if row[0] >= header.row][depth:], key)


def _candidate(
    rows: Sequence[Row], place: int, sheet: Sheet, is_known: Callable[[str], bool]
) -> tuple[Header, int]:
    """Read one row as a header, alone or joined with the row under it; give it and its depth."""
    number, cells = rows[place]
    alone = [header_name(cell) for cell in cells]
    notes = ("titles_above",) if place else ()
    wide = [
        span
        for span in sheet.merged
        if span[0][0] == number - 1 and span[1][1] > span[0][1] and span[1][1] - span[0][1] < len(cells) - 1
    ]
    single = Header(
        names=tuple(alone),
        row=number,
        first_data_row=number + 1,
        n_known=len({name for name in alone if name and is_known(name)}),
        notes=notes,
    )
    tall = any(span[0][0] == number - 1 and span[1][0] == number for span in sheet.merged)
    is_two = bool(wide or tall) and place + 1 < len(rows) and rows[place + 1][0] == number + 1
    if not is_two:
        return single, 1
    joined = _joined(alone, rows[place + 1][1], wide)
    double = Header(
        names=joined,
        row=number,
        first_data_row=number + 2,
        n_known=len({name for name in joined if name and is_known(name)}),
        notes=(*notes, "merged_header"),
    )
    return (double, 2) if double.n_known >= single.n_known else (single, 1)


def _joined(upper: list[str], lower_cells: list[Any], wide: Iterable[Any]) -> tuple[str, ...]:
    """Spread merged cells of the upper row and join them with the lower row."""
    spread = list(upper)
    for (_row, first), (_last_row, last) in wide:
        for place in range(first, min(last + 1, len(spread))):
            spread[place] = upper[first]
    lower = [header_name(cell) for cell in lower_cells]
    n = max(len(spread), len(lower))
    spread += [""] * (n - len(spread))
    lower += [""] * (n - len(lower))
    return tuple(
        " · ".join(part for part in dict.fromkeys((top, below)) if part)
        for top, below in zip(spread, lower, strict=True)
    )


def _looks_like_header(header: Header, rows: Sequence[Row]) -> bool:
    """Tell whether a row of unknown names stands over filled rows."""
    names = [name for name in header.names if name]
    if (
        len(names) < 2
        or len(set(names)) < len(names)
        or any(name.replace(".", "").isdigit() for name in names)
    ):
        return False
    below = [cells for number, cells in rows if number > header.row][:3]
    return any(sum(cell not in ("", None) for cell in cells) >= 0.5 * len(names) for cells in below)


def _after_header(header: Header, below: Sequence[Row], key: Key) -> Header:
    """Step over a row of instructions and a row of column numbers."""
    notes, first = list(header.notes), header.first_data_row
    for number, cells in below[:2]:
        filled = [cell for cell in cells if cell not in ("", None)]
        if _is_guide(filled, key):
            notes.append("guide_row")
        elif _is_numbered(filled):
            notes.append("numbered_row")
        else:
            break
        first = number + 1
    return dataclasses.replace(header, first_data_row=first, notes=tuple(notes))


def _is_guide(cells: Sequence[Any], key: Key) -> bool:
    """Tell whether a row explains the columns instead of filling them."""
    words = [key(cell) for cell in cells if isinstance(cell, str)]
    return bool(words) and len(words) == len(cells) and words[0].startswith(GUIDE_WORDS)


def _is_numbered(cells: Sequence[Any]) -> bool:
    """Tell whether a row counts the columns: (1), (2), (3)."""
    matches = [NUMBERED.fullmatch(header_name(cell)) for cell in cells]
    numbers = [int(match.group(1)) for match in matches if match]
    return len(numbers) == len(cells) >= 3 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def is_total_row(cells: Sequence[Any], key: Key, *, has_key: bool) -> bool:
    """Tell whether a row sums up the table instead of belonging to it."""
    if has_key:
        return False
    first = next((cell for cell in cells if cell not in ("", None)), "")
    return isinstance(first, str) and key(first).startswith(TOTAL_WORDS)
