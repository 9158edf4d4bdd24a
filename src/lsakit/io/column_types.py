"""From text to numbers, dates and truth values, column by column, without guessing.

A column of a text file gets a type only if *every* value fits it; otherwise it stays text. A leading zero
anywhere keeps the whole column as text, because identifiers begin that way. Evidence can be added up over the
parts of a file, so that a file larger than memory is typed like a small one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from lsakit.errors import FileFormatError
from lsakit.io.codebook import Codebook

PATTERNS = {
    "integer": r"^(?:0|-?[1-9]\d{0,17})$",
    "number": r"^-?(?:0|[1-9]\d{0,17}|(?:0|[1-9]\d*)?\.\d*)(?:[eE][+-]?\d{1,3})?$",
    "comma": r"^-?(?:0|[1-9]\d*|[1-9]\d{0,2}(?:\.\d{3})+)(?:,\d+)?$",
    "date": r"^\d{4}-\d{2}-\d{2}$",
    "datetime": r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?$",
    "boolean": r"^(?:true|false)$",
}
ORDER = ("boolean", "integer", "number", "comma", "date", "datetime")
DATE_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y")
EXCEL_EPOCH_DAYS = 25569
SAMPLE = 200


@dataclass(frozen=True, slots=True)
class ColumnEvidence:
    """How many values of a text column fit each type.

    Parameters
    ----------
    n : int
        Values that are not null.
    n_na : int
        Values ``NA``, which are missing in a column of numbers and text elsewhere.
    fits : Mapping of str to int
        Number of values that fit each type of ORDER.
    n_decimal_commas : int
        Values with a decimal comma.
    """

    n: int
    n_na: int
    fits: Mapping[str, int]
    n_decimal_commas: int

    def __add__(self, other: ColumnEvidence) -> ColumnEvidence:
        """Add the evidence of another part of the same column."""
        return ColumnEvidence(
            self.n + other.n,
            self.n_na + other.n_na,
            {kind: self.fits[kind] + other.fits[kind] for kind in ORDER},
            self.n_decimal_commas + other.n_decimal_commas,
        )

    def kind(self, *, decimal_comma: bool) -> str:
        """Name the type that every value fits, or ``"text"``."""
        if self.n == self.n_na:
            return "text"
        for kind in ORDER:
            numeric = kind in ("integer", "number", "comma")
            if kind == "comma" and not (decimal_comma and self.n_decimal_commas):
                continue
            if self.fits[kind] == self.n - (self.n_na if numeric else 0):
                return kind
        return "text"


def evidence(table: pl.DataFrame) -> dict[str, ColumnEvidence]:
    """Count, for each text column, how many values fit each type.

    Parameters
    ----------
    table : polars.DataFrame
        Rows as text.

    Returns
    -------
    dict of str to ColumnEvidence
        By column name.
    """
    return {name: _column_evidence(table.get_column(name).drop_nulls()) for name in table.columns}


def _column_evidence(column: pl.Series) -> ColumnEvidence:
    """Count one column; a type that the first values exclude is not counted further."""
    head = column.head(SAMPLE)
    fits = dict.fromkeys(ORDER, 0)
    for kind in ORDER:
        numeric = kind in ("integer", "number", "comma")
        plain = head.filter(head != "NA") if numeric else head
        if _n_fitting(plain, kind) == len(plain):
            fits[kind] = _n_fitting(column, kind)
            if kind == "integer" and fits[kind] == len(column):
                fits |= {"number": len(column), "comma": len(column)}
                break
    n_na = int((column == "NA").sum())
    return ColumnEvidence(len(column), n_na, fits, int(column.str.contains(r"\d,\d").sum()))


def _n_fitting(column: pl.Series, kind: str) -> int:
    """Count the values that a type can hold."""
    n = int(column.str.contains(PATTERNS[kind]).sum())
    if n and kind in ("number", "date", "datetime"):
        n = min(n, int(_parsed(column, kind).is_not_null().sum()))
    return n


def _parsed(column: pl.Series, kind: str) -> pl.Series:
    """Turn text into values of a type; null where it does not fit."""
    if kind == "boolean":
        return column == "true"
    if kind == "integer":
        return column.cast(pl.Int64, strict=False)
    if kind == "number":
        return column.cast(pl.Float64, strict=False)
    if kind == "comma":
        plain = column.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
        return plain.cast(pl.Float64, strict=False)
    if kind == "date":
        return column.str.to_date("%Y-%m-%d", strict=False)
    if kind == "datetime":
        iso = column.str.replace("T", " ", literal=True)
        with_seconds = iso.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
        return with_seconds.fill_null(iso.str.to_datetime("%Y-%m-%d %H:%M", time_unit="us", strict=False))
    return column


def apply_kinds(table: pl.DataFrame, kinds: Mapping[str, str]) -> pl.DataFrame:
    """Give each text column its type.

    Parameters
    ----------
    table : polars.DataFrame
        Rows as text.
    kinds : Mapping of str to str
        Type of each column, as ColumnEvidence.kind names it; other columns stay.

    Returns
    -------
    polars.DataFrame
        Typed rows; ``NA`` is null in columns of numbers.
    """
    schema = table.schema
    return table.with_columns(
        [
            _parsed(table.get_column(name), kind)
            for name, kind in kinds.items()
            if kind != "text" and schema.get(name) == pl.String
        ]
    )


def coerce(table: pl.DataFrame, codebook: Codebook, *, source: str) -> pl.DataFrame:
    """Give columns the types that a codebook states.

    Parameters
    ----------
    table : polars.DataFrame
        Rows as read.
    codebook : Codebook
        Types wanted.
    source : str
        File name, for the refusal.

    Returns
    -------
    polars.DataFrame
        The same rows; dates may stand as yyyy-mm-dd, dd/mm/yyyy or Excel's day number.

    Raises
    ------
    FileFormatError
        If a value does not fit; its row is named.
    """
    for variable in codebook:
        if variable.name not in table.columns:
            continue
        column = table.get_column(variable.name)
        wanted = _coerced(column, variable.type)
        lost = column.is_not_null() & wanted.is_null()
        if lost.any():
            row = int(lost.arg_true()[0])
            raise FileFormatError(
                f"The value {column[row]!r} of column {variable.name!r} in {source!r} is not of type "
                f"{variable.type!r}.",
                where=[f"row {index + 1}" for index in lost.arg_true().to_list()],
                why="The codebook says what the column holds.",
                hint="Correct the value, or the type in the codebook.",
                param=variable.name,
                got=column[row],
                expected=variable.type,
            )
        table = table.with_columns(wanted)
    return table


def _coerced(column: pl.Series, kind: str) -> pl.Series:
    """Convert one column; null marks what does not fit."""
    if column.dtype == pl.Null:
        return column
    if kind == "text":
        return column if column.dtype == pl.String else _as_text(column)
    if kind in ("integer", "number"):
        return _as_number(column, kind)
    if kind == "date":
        return _as_date(column)
    if kind == "datetime" and column.dtype == pl.String:
        return _parsed(column, "datetime")
    if kind == "boolean" and column.dtype.is_integer():
        return pl.Series(
            column.name, [None if value not in (0, 1) else bool(value) for value in column.to_list()]
        )
    if kind == "boolean" and column.dtype == pl.String:
        lower = column.str.to_lowercase()
        return pl.Series(
            column.name, [{"true": True, "false": False}.get(text or "") for text in lower.to_list()]
        )
    return column


def _as_text(column: pl.Series) -> pl.Series:
    """Write numbers without a decimal point where they are whole."""
    if column.dtype.is_float() and whole(column):
        column = column.cast(pl.Int64)
    return column.cast(pl.String)


def whole(column: pl.Series) -> bool:
    """Tell whether every value of a column of floats is a whole number.

    Parameters
    ----------
    column : polars.Series
        Floats; nulls do not count.

    Returns
    -------
    bool
        Whether all are whole and small enough to be exact, none being negative zero.
    """
    some = column.drop_nulls()
    if not len(some):
        return False
    values = some.to_numpy()
    exact = (values == np.round(values)) & (np.abs(values) < 2**53) & ~((values == 0) & np.signbit(values))
    return bool(exact.all())


def _as_number(column: pl.Series, kind: str) -> pl.Series:
    """Read text as numbers, with a decimal point or comma."""
    if column.dtype == pl.String:
        column = column.replace({"NA": None})
        parsed = column.cast(pl.Float64, strict=False)
        if parsed.null_count() > column.null_count():
            parsed = parsed.fill_null(_parsed(column, "comma"))
        column = parsed
    if kind == "integer" and column.dtype.is_float():
        some = column.drop_nulls()
        return column.cast(pl.Int64) if not len(some) or whole(column) else column.set(column % 1 != 0, None)
    if kind == "number" and column.dtype.is_integer():
        return column.cast(pl.Float64)
    return column


def _as_date(column: pl.Series) -> pl.Series:
    """Read dates from text in the accepted forms, from moments or from Excel's day numbers."""
    if column.dtype == pl.Datetime:
        return column.cast(pl.Date)
    if column.dtype.is_integer() or column.dtype.is_float():
        return (column.cast(pl.Int32, strict=False) - EXCEL_EPOCH_DAYS).cast(pl.Date)
    if column.dtype != pl.String:
        return column
    parsed = column.str.to_date(DATE_FORMATS[0], strict=False)
    for form in DATE_FORMATS[1:]:
        parsed = parsed.fill_null(column.str.to_date(form, strict=False))
    return parsed
