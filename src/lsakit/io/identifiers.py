"""Identifiers are text: what Excel makes of ``01`` is found, refused, or put right on request."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from lsakit.errors import FileFormatError
from lsakit.io.contents import Note
from lsakit.io.frames import require_columns

EXCEL_DIGITS = 15


def as_identifiers(
    table: pl.DataFrame,
    widths: Mapping[str, int | None],
    *,
    source: str,
    restore_zeros: bool = False,
    first_row: int = 2,
) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    """Make identifier columns text of their full width.

    Parameters
    ----------
    table : polars.DataFrame
        Rows as read.
    widths : Mapping of str to int or None
        Number of characters by column; None where any length is right.
    source : str
        File name, for the refusal.
    restore_zeros : bool, default False
        Whether lost leading zeros are put back.
    first_row : int, default 2
        Row number in the file of the table's first row.

    Returns
    -------
    table : polars.DataFrame
        The same rows; the identifiers are text.
    notes : tuple of Note
        How many were numbers, and how many got their zeros back.

    Raises
    ------
    FileFormatError
        If an identifier lost its zeros and ``restore_zeros`` is false, is longer than its width, has a
        fraction, or has more digits than Excel keeps.
    UnknownColumnError
        If a column is not in the table.
    """
    require_columns(table, list(widths), param=f"file {source!r}")
    notes: list[Note] = []
    for name, width in widths.items():
        column = table.get_column(name)
        text = column if column.dtype == pl.String else _digits(column, source, first_row)
        if column.dtype != pl.String and column.dtype != pl.Null:
            n = len(column) - column.null_count()
            notes.append(Note(column=name, sentence="Identifiers that stood as numbers became text.", n=n))
        if width is not None:
            text, n_restored = _full_width(text, column, width, (source, restore_zeros, first_row))
            if n_restored:
                notes.append(Note(column=name, sentence="Leading zeros were put back.", n=n_restored))
        table = table.with_columns(text.alias(name))
    return table, tuple(notes)


def _digits(column: pl.Series, source: str, first_row: int) -> pl.Series:
    """Write numbers as digits, refusing fractions and numbers that Excel has rounded."""
    if column.dtype.is_float():
        bad = (column % 1 != 0) | (column.abs() >= 10**EXCEL_DIGITS)
        if bad.fill_null(value=False).any():
            rows = bad.fill_null(value=False).arg_true().to_list()
            raise FileFormatError(
                f"The identifier column {column.name!r} of {source!r} holds {column[rows[0]]!r}, "
                "which is no code.",
                where=[f"row {row + first_row}" for row in rows],
                why=f"A spreadsheet keeps {EXCEL_DIGITS} digits of a number; further digits are lost.",
                hint="Format the column as text in the source and enter these codes again.",
                param=column.name,
                got=column[rows[0]],
            )
        column = column.cast(pl.Int64)
    return column.cast(pl.String)


def _full_width(
    text: pl.Series, column: pl.Series, width: int, asked: tuple[str, bool, int]
) -> tuple[pl.Series, int]:
    """Check that every code has its width; pad the short numbers where that was asked for."""
    source, restore_zeros, first_row = asked
    wrong = (text.str.len_chars() != width).fill_null(value=False)
    if not wrong.any():
        return text, 0
    short = wrong & text.str.contains(r"^\d+$").fill_null(value=False) & (text.str.len_chars() < width)
    rows = (wrong & ~short).arg_true().to_list()
    if rows:
        raise FileFormatError(
            f"The column {column.name!r} of {source!r} must hold codes of {width} characters. "
            f"Got {text[rows[0]]!r}.",
            where=[f"row {row + first_row}" for row in rows],
            hint="Correct the code, or the width declared for the column.",
            param=column.name,
            got=text[rows[0]],
            expected=f"{width} characters",
        )
    if restore_zeros:
        return text.str.zfill(width), int(short.sum())
    rows = short.arg_true().to_list()
    value = str(text[rows[0]])
    full = value.zfill(width)
    others = f", and {len(rows) - 1} more" if len(rows) > 1 else ""
    raise FileFormatError(
        f"The column {column.name!r} of {source!r} must hold codes of {width} characters. Got {value!r} in "
        f"row {rows[0] + first_row}{others}: leading zeros were lost.",
        where=[f"row {row + first_row}" for row in rows],
        why=f"A spreadsheet that takes codes for numbers drops the zeros; {value!r} would not match {full!r}.",
        hint="Format the column as text in the source, or read it with restore_zeros=True to put them back.",
        param=column.name,
        got=value,
        expected=full,
    )
