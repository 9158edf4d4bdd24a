"""From text to numbers, dates and truth values, column by column, without guessing.

A column of a text file gets a type only if *every* value fits it; otherwise it stays text. A leading zero
anywhere keeps the whole column as text, because identifiers begin that way. Evidence can be added up over the
parts of a file, so that a file larger than memory is typed like a small one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
NUMERIC = ("integer", "number", "comma")
EXTRAS = ("NA", "decimal_commas")


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
            numeric = kind in NUMERIC
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
    head = table.head(SAMPLE)
    first = _fitting(head, dict.fromkeys(table.columns, ORDER))
    alive = {}
    for name, n in zip(table.columns, head.select(pl.all().count()).row(0), strict=True):
        n_numbers = n - first[name]["NA"]
        alive[name] = [kind for kind in ORDER if first[name][kind] == (n_numbers if kind in NUMERIC else n)]
    full = _fitting(table, alive)
    counts = table.select(pl.all().count()).row(0)
    return {
        name: ColumnEvidence(n, full[name]["NA"], full[name], full[name]["decimal_commas"])
        for name, n in zip(table.columns, counts, strict=True)
    }


def _fitting(table: pl.DataFrame, kinds: Mapping[str, Sequence[str]]) -> dict[str, dict[str, int]]:
    """Count in one pass, for each column, the values that fit each of the kinds asked for."""
    asked = [(name, kind) for name, some in kinds.items() for kind in (*some, *(EXTRAS if some else ()))]
    counts = table.select(
        [_fits(pl.col(name), kind).sum().alias(str(place)) for place, (name, kind) in enumerate(asked)]
    )
    numbers = counts.row(0) if asked else ()
    found = {name: dict.fromkeys((*ORDER, *EXTRAS), 0) for name in kinds}
    for (name, kind), number in zip(asked, numbers, strict=True):
        found[name][kind] = int(number or 0)
    return found


def _fits(column: pl.Expr, kind: str) -> pl.Expr:
    """Tell which values fit a kind."""
    if kind == "NA":
        return column == "NA"
    if kind == "decimal_commas":
        return column.str.contains(r"\d,\d")
    fits = column.str.contains(PATTERNS[kind])
    return (
        fits & _parsed_expression(column, kind).is_not_null()
        if kind in ("number", "date", "datetime")
        else fits
    )


def _parsed(column: pl.Series, kind: str) -> pl.Series:
    """Turn text into values of a type; null where it does not fit."""
    return column.to_frame().select(_parsed_expression(pl.col(column.name), kind)).to_series()


def _parsed_expression(column: pl.Expr, kind: str) -> pl.Expr:
    """Say how text becomes values of a type; null where it does not fit."""
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
            _parsed_expression(pl.col(name), kind)
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
