"""Tables in one canonical form: what is hashed, stored and compared are values, never the bytes of a file.

A column is one of nine kinds (truth, whole number, real number, text, date, moment, duration, time of day,
empty). Two columns of the same kind with the same values in the same order are the same column, however wide
their storage: an ``Int8`` and an ``Int64`` column of ones agree, an integer and a real column do not.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lsakit.errors import FileFormatError, TableError
from lsakit.io.frames import as_table

_PREFIX = b"lsakit.table/1\n"
_FLOAT = np.dtype("<f8")
_INT = np.dtype("<i8")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDigest:
    """The name of a table's values.

    Parameters
    ----------
    hash : str
        ``sha256:`` and 64 hexadecimal digits over the whole table.
    n_rows : int
        Number of rows.
    columns : tuple of str of shape (n_columns,)
        Column names in order.
    kinds : tuple of str of shape (n_columns,)
        Canonical kind of each column.
    column_digests : tuple of str of shape (n_columns,)
        First 16 hexadecimal digits of the SHA-256 of each column's values; they say which column changed.
    """

    hash: str
    n_rows: int
    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    column_digests: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDifference:
    """Where one column of two tables differs.

    Parameters
    ----------
    column : str
        Name of the column; empty when the tables differ as a whole.
    n_rows : int
        Number of rows that differ by more than nothing at all.
    rows : tuple of int
        First rows that differ, counted from 1; those beyond the tolerance come first.
    left, right : tuple of object
        The two values in each of those rows.
    largest : float
        Largest difference relative to max(1, |value|), dimensionless; infinite when not numeric.
    sentence : str
        The difference in words when it is not one of values (another shape, name or kind).
    """

    column: str
    n_rows: int
    rows: tuple[int, ...] = ()
    left: tuple[object, ...] = ()
    right: tuple[object, ...] = ()
    largest: float = float("inf")
    sentence: str = ""


def column_kind(column: pl.Series) -> str:
    """Name the canonical kind of a column.

    Parameters
    ----------
    column : polars.Series of shape (n_rows,)
        The column.

    Returns
    -------
    str
        ``bool``, ``int``, ``float``, ``text``, ``date``, ``datetime[us,<zone>]``, ``duration[us]``, ``time``
        or ``null``.

    Raises
    ------
    TableError
        If the column holds lists, records, decimals or bytes, which have no canonical form here.
    """
    dtype = column.dtype
    if isinstance(dtype, pl.Datetime):
        unit = "ns" if dtype.time_unit == "ns" else "us"
        return f"datetime[{unit},{dtype.time_zone or ''}]"
    if isinstance(dtype, pl.Duration):
        return "duration[ns]" if dtype.time_unit == "ns" else "duration[us]"
    if isinstance(dtype, (pl.Categorical, pl.Enum)):
        return "text"
    simple = {pl.Boolean: "bool", pl.String: "text", pl.Date: "date", pl.Time: "time", pl.Null: "null"}
    if dtype in simple:
        return simple[dtype]  # type: ignore[index]
    if dtype.is_integer():
        return "int"
    if dtype.is_float():
        return "float"
    raise TableError(
        f"The column {column.name!r} holds {dtype}, which has no canonical form.",
        why="A value that cannot be named by its hash cannot be traced.",
        hint="Spread it over plain columns of numbers, text or dates.",
        param=column.name,
        got=str(dtype),
    )


def _whole_numbers(column: pl.Series) -> NDArray[np.int64]:
    """Take integers as 64-bit, refusing those that do not fit."""
    try:
        return column.cast(pl.Int64, strict=True).fill_null(0).to_numpy().astype(_INT, copy=False)
    except pl.exceptions.PolarsError as error:
        raise TableError(
            f"The column {column.name!r} holds whole numbers beyond 64 bits.",
            hint="Keep long identifiers as text.",
            param=column.name,
        ) from error


def _value_bytes(column: pl.Series, kind: str) -> list[bytes | memoryview]:
    """Lay a column's values out in canonical bytes; missing rows count as zero or empty."""
    if kind == "null":
        return []
    if kind == "bool":
        return [np.packbits(column.fill_null(False).to_numpy()).tobytes()]
    if kind == "float":
        values = column.cast(pl.Float64).fill_null(0.0).to_numpy() + 0.0  # a copy in which −0.0 is 0.0
        values[np.isnan(values)] = np.nan
        return [np.ascontiguousarray(values, dtype=_FLOAT).data.cast("B")] if len(values) else []
    if kind == "text":
        text = column.cast(pl.String)
        lengths = text.str.len_bytes().fill_null(0).cast(pl.Int64).to_numpy().astype(_INT, copy=False)
        joined = text.str.join("", ignore_nulls=True).item() or ""
        return [lengths.tobytes(), joined.encode()]
    if kind.startswith(("datetime", "duration")):
        unit: Any = "ns" if "[ns" in kind else "us"
        column = column.dt.cast_time_unit(unit)
    return [_whole_numbers(column.to_physical()).tobytes()]


def _column_digest(column: pl.Series, kind: str) -> str:
    """Hash one column: which rows are missing, then the values."""
    digest = hashlib.sha256(f"{kind}\n{len(column)}\n{column.null_count()}\n".encode())
    if column.null_count() and kind != "null":
        digest.update(np.packbits(column.is_null().to_numpy()).tobytes())
    for part in _value_bytes(column, kind):
        digest.update(part)
    return digest.hexdigest()


def table_digest(data: Any) -> TableDigest:
    """Hash the values of a table in canonical form.

    Parameters
    ----------
    data : table
        Polars or pandas DataFrame, or mapping of columns.

    Returns
    -------
    TableDigest
        The hash of the whole and of each column. It depends on the column names and their order, the
        canonical kinds, the row order and the values: float64 little-endian with one NaN and no −0.0, whole
        numbers as int64, text as UTF-8 behind its lengths, a missing value apart from every value.

    Raises
    ------
    TableError
        If a column has no canonical form.

    Examples
    --------
    >>> import polars as pl
    >>> narrow = pl.DataFrame({"n": [1, 2]}, schema={"n": pl.Int8})
    >>> table_digest(narrow).hash == table_digest({"n": [1, 2]}).hash
    True
    >>> table_digest({"x": [0.0]}).hash == table_digest({"x": [-0.0]}).hash
    True
    >>> table_digest({"x": [1.0]}).hash == table_digest({"x": [1]}).hash
    False
    """
    table = as_table(data)
    kinds = tuple(column_kind(column) for column in table.get_columns())
    digests = [_column_digest(column, kind) for column, kind in zip(table.get_columns(), kinds, strict=True)]
    header = [table.height, [list(row) for row in zip(table.columns, kinds, digests, strict=True)]]
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    return TableDigest(
        hash="sha256:" + hashlib.sha256(_PREFIX + text).hexdigest(),
        n_rows=table.height,
        columns=tuple(table.columns),
        kinds=kinds,
        column_digests=tuple(digest[:16] for digest in digests),
    )


def is_table(value: Any) -> bool:
    """Say whether a value is a data frame, Polars or pandas.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    bool
        True for a Polars DataFrame or LazyFrame and for a pandas DataFrame.
    """
    if isinstance(value, (pl.DataFrame, pl.LazyFrame)):
        return True
    return type(value).__module__.split(".")[0] == "pandas" and hasattr(value, "columns")


def parquet_bytes(data: Any) -> bytes:
    """Write a table as the bytes of a Parquet file.

    Parameters
    ----------
    data : table
        The table.

    Returns
    -------
    bytes
        A Parquet file compressed with Zstandard.
    """
    buffer = io.BytesIO()
    as_table(data).write_parquet(buffer, compression="zstd", compression_level=3, statistics=False)
    return buffer.getvalue()


def table_from_parquet(content: bytes, *, name: str = "the table") -> pl.DataFrame:
    """Read a table from the bytes of a Parquet file.

    Parameters
    ----------
    content : bytes
        The file.
    name : str, default "the table"
        What it is called in a refusal.

    Returns
    -------
    polars.DataFrame
        The table.

    Raises
    ------
    FileFormatError
        If the bytes are not a readable Parquet file.
    """
    try:
        return pl.read_parquet(io.BytesIO(content), use_statistics=False)
    except (Exception, pl.exceptions.PanicException) as error:  # a damaged file may raise anything
        raise FileFormatError(
            f"{name} is not a readable Parquet file ({type(error).__name__}).",
            hint="Restore it from a copy, or make it again.",
            param=name,
        ) from error


def table_differences(left: Any, right: Any, *, most: int = 5) -> tuple[ColumnDifference, ...]:
    """Compare two tables value by value.

    Parameters
    ----------
    left, right : table
        The two tables.
    most : int, default 5
        Number of rows named per column.

    Returns
    -------
    tuple of ColumnDifference
        One entry per differing column in the order of ``left``; empty when all values agree. When names,
        kinds or the number of rows differ, that is said and the values of such columns are not compared.
    """
    first, second = as_table(left), as_table(right)
    if first.height != second.height:
        sentence = f"{first.height} rows against {second.height}"
        return (ColumnDifference(column="", n_rows=abs(first.height - second.height), sentence=sentence),)
    found: list[ColumnDifference] = []
    if first.columns != second.columns and sorted(first.columns) == sorted(second.columns):
        found.append(ColumnDifference(column="", n_rows=0, sentence="the columns stand in another order"))
    for name in second.columns:
        if name not in first.columns:
            found.append(ColumnDifference(column=name, n_rows=second.height, sentence="only in the second"))
    for name in first.columns:
        if name not in second.columns:
            found.append(ColumnDifference(column=name, n_rows=first.height, sentence="only in the first"))
            continue
        difference = _column_difference(first.get_column(name), second.get_column(name), most)
        if difference is not None:
            found.append(difference)
    return tuple(found)


def _column_difference(left: pl.Series, right: pl.Series, most: int) -> ColumnDifference | None:
    """Compare one column of two tables; None when equal."""
    kinds = column_kind(left), column_kind(right)
    if kinds[0] != kinds[1]:
        return ColumnDifference(column=left.name, n_rows=len(left), sentence=f"{kinds[0]} against {kinds[1]}")
    if kinds[0] == "null":
        return None
    if kinds[0] == "text":
        left, right = left.cast(pl.String), right.cast(pl.String)
    size = _relative_sizes(left, right, kinds[0])
    rows = np.flatnonzero(size)
    if not len(rows):
        return None
    first = np.sort(rows[np.argsort(-size[rows], kind="stable")[:most]]).tolist()
    return ColumnDifference(
        column=left.name,
        n_rows=len(rows),
        rows=tuple(row + 1 for row in first),
        left=tuple(left[row] for row in first),
        right=tuple(right[row] for row in first),
        largest=float(size.max()),
    )


def _relative_sizes(left: pl.Series, right: pl.Series, kind: str) -> NDArray[np.float64]:
    """Measure how far two columns stand apart in each row; infinite where not both are numbers."""
    if kind != "float":
        return np.where(left.ne_missing(right).to_numpy(), np.inf, 0.0)
    a, b = (part.cast(pl.Float64).fill_null(0.0).to_numpy() for part in (left, right))
    with np.errstate(invalid="ignore", over="ignore"):
        size = np.abs(a - b) / np.maximum(1.0, np.maximum(np.abs(a), np.abs(b)))
    size[(a == b) | (np.isnan(a) & np.isnan(b))] = 0.0
    size[np.isnan(size)] = np.inf
    size[left.is_null().to_numpy() != right.is_null().to_numpy()] = np.inf
    return np.asarray(size, dtype=np.float64)
