"""Tables in, arrays out: the one place where the statistics meet data frames.

A table is a Polars DataFrame; pandas DataFrames and mappings of columns are accepted and copied. The other
rooms of lsakit ask here for checked columns as NumPy arrays and give back mappings of arrays.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from lsakit.errors import ResponseError, TableError, UnknownColumnError

Table = pl.DataFrame


class HasColumns(Protocol):
    """A table, or what stands for one: names of columns can be asked for."""

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""


def as_table(data: Any, *, param: str = "table") -> pl.DataFrame:
    """Accept a table in any of the forms that users hold.

    Parameters
    ----------
    data : polars.DataFrame or polars.LazyFrame or pandas.DataFrame or Mapping of str to sequence
        The table.
    param : str, default "table"
        Name of the parameter, used in the refusal.

    Returns
    -------
    polars.DataFrame
        The same rows and columns; floating NaN of pandas becomes null.

    Raises
    ------
    TableError
        If ``data`` is none of these or its columns differ in length.
    """
    if isinstance(data, pl.DataFrame):
        return data
    if isinstance(data, pl.LazyFrame):
        return data.collect()
    if isinstance(data, Mapping):
        return make_table(data)
    if type(data).__module__.split(".")[0] == "pandas" and hasattr(data, "columns"):
        return make_table({str(name): _pandas_column(data[name]) for name in data.columns})
    raise TableError(
        f"The '{param}' parameter must be a table. Got {type(data).__name__}.",
        hint="Pass a Polars DataFrame, a pandas DataFrame or a mapping of column names to arrays.",
        param=param,
        got=type(data).__name__,
    )


def _pandas_column(series: Any) -> Any:
    """Turn one pandas column into a list or array whose missing values are None."""
    values = series.to_numpy(dtype=object)
    missing = np.asarray(series.isna(), dtype=bool)
    if not missing.any() and series.dtype.kind in "iufb":
        return series.to_numpy()
    return [None if gone else value for gone, value in zip(missing.tolist(), values.tolist(), strict=True)]


def make_table(columns: Mapping[str, Any]) -> pl.DataFrame:
    """Build a table from named columns.

    Parameters
    ----------
    columns : Mapping of str to array of shape (n_rows,)
        Columns in their order.

    Returns
    -------
    polars.DataFrame
        The table.

    Raises
    ------
    TableError
        If the columns differ in length or one mixes kinds of values.
    """
    try:
        return pl.DataFrame({name: _series(name, values) for name, values in columns.items()})
    except (pl.exceptions.PolarsError, TypeError) as error:
        raise TableError(f"The columns do not form a table: {error}.") from error


def _series(name: str, values: Any) -> pl.Series:
    """Make one column, keeping the dtype of arrays and the nulls of lists."""
    if isinstance(values, np.ndarray) and values.dtype == object:
        values = values.tolist()
    if isinstance(values, np.ndarray) and values.dtype.kind == "U":
        values = values.tolist()
    return pl.Series(name, values, strict=False) if not isinstance(values, pl.Series) else values.alias(name)


def _some(names: Sequence[str], most: int = 12) -> str:
    """Name the first columns, and say when there are more."""
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")


def require_columns(table: HasColumns, names: Sequence[str], *, param: str = "table") -> None:
    """Refuse a table that lacks a column.

    Parameters
    ----------
    table : polars.DataFrame or HasColumns
        The table.
    names : Sequence of str
        Columns that must be there.
    param : str, default "table"
        What the table is called in the sentence.

    Raises
    ------
    UnknownColumnError
        If one is absent; the sentence names it and the nearest columns.
    """
    absent = [name for name in names if name not in table.columns]
    if absent:
        raise UnknownColumnError(
            f"The {param} has no column {absent[0]!r}.",
            hint=f"Its columns are: {_some(table.columns)}.",
            param=absent[0],
            got=tuple(table.columns),
        )


def floats(
    table: pl.DataFrame, name: str, *, param: str = "table", nulls: bool = False
) -> NDArray[np.float64]:
    """Take a numeric column.

    Parameters
    ----------
    table : polars.DataFrame
        The table.
    name : str
        Column.
    param : str, default "table"
        What the table is called in a refusal.
    nulls : bool, default False
        Whether missing values are allowed; they come back as NaN.

    Returns
    -------
    ndarray of shape (n_rows,)
        The values, in the column's unit.

    Raises
    ------
    TableError
        If the column is absent, not numeric, or holds missing values that are not allowed.
    """
    require_columns(table, [name], param=param)
    column = table.get_column(name)
    if not (column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null)):
        bad = column.cast(pl.Float64, strict=False).is_null() & column.is_not_null()
        rows = np.flatnonzero(bad.to_numpy()) if bad.any() else np.arange(min(1, len(column)))
        value = column[int(rows[0])] if len(rows) else None
        raise TableError(
            f"The column {name!r} of the {param} must be numeric. Got {value!r} ({column.dtype}).",
            where=[f"row {row + 1}" for row in rows.tolist()],
            hint="Correct the value, or read the column as a number.",
            param=name,
            got=value,
            expected="a number",
        )
    values = column.cast(pl.Float64).to_numpy()
    gone = column.is_null().to_numpy() | ~np.isfinite(values)
    if gone.any() and not nulls:
        rows = np.flatnonzero(gone)
        raise TableError(
            f"The column {name!r} of the {param} must have no missing values. "
            f"{len(rows)} of {len(column)} are.",
            where=[f"row {row + 1}" for row in rows.tolist()],
            hint="Fill them from the source or leave those rows out.",
            param=name,
        )
    return np.where(gone, np.nan, values) if gone.any() else np.ascontiguousarray(values)


def plain_floats(table: pl.DataFrame, name: str) -> NDArray[np.float64]:
    """Take a numeric column in place where it has no missing values, for callers that check the numbers themselves.

    Parameters
    ----------
    table : polars.DataFrame
        The table.
    name : str
        Column.

    Returns
    -------
    ndarray of shape (n_rows,)
        The values; infinite or NaN where the column holds such.

    Raises
    ------
    TableError
        If the column is absent, not numeric, or has missing values.
    """
    column = table.get_column(name) if name in table.columns else None
    if column is None or column.dtype != pl.Float64 or column.null_count():
        return floats(table, name)
    return column.to_numpy()


def strings(table: pl.DataFrame, name: str, *, param: str = "table", nulls: bool = False) -> list[str]:
    """Take a column of codes or identifiers as text.

    Parameters
    ----------
    table : polars.DataFrame
        The table.
    name : str
        Column.
    param : str, default "table"
        What the table is called in a refusal.
    nulls : bool, default False
        Whether missing values are allowed; they come back as the empty string.

    Returns
    -------
    list of str of shape (n_rows,)
        The values as text, unchanged otherwise.

    Raises
    ------
    TableError
        If the column is absent or holds missing values that are not allowed.
    """
    require_columns(table, [name], param=param)
    column = table.get_column(name)
    if column.null_count() and not nulls:
        rows = np.flatnonzero(column.is_null().to_numpy())
        raise TableError(
            f"The column {name!r} of the {param} must have no missing values. "
            f"{len(rows)} of {len(column)} are.",
            where=[f"row {row + 1}" for row in rows.tolist()],
            hint="Fill them from the source or leave those rows out.",
            param=name,
        )
    return column.cast(pl.String).fill_null("").to_list()


def group_codes(
    table: pl.DataFrame, names: Sequence[str], *, param: str = "table"
) -> tuple[NDArray[np.int64], pl.DataFrame]:
    """Number the groups that several key columns form.

    Parameters
    ----------
    table : polars.DataFrame
        The table.
    names : Sequence of str
        Key columns; empty for one group of all rows.
    param : str, default "table"
        What the table is called in a refusal.

    Returns
    -------
    codes : ndarray of shape (n_rows,)
        Number of each row's group; −1 where a key is missing.
    keys : polars.DataFrame
        One row per group, in ascending order of the keys.
    """
    require_columns(table, list(names), param=param)
    if not names:
        return np.zeros(table.height, dtype=np.int64), pl.DataFrame({"": [0]}).drop("")
    keys = table.select(names).drop_nulls().unique().sort(list(names)).with_row_index("__group")
    joined = table.select(names).join(keys, on=list(names), how="left", maintain_order="left")
    codes = joined.get_column("__group").cast(pl.Int64).fill_null(-1).to_numpy()
    return codes, keys.drop("__group")


def codes_among(table: pl.DataFrame, name: str, known: pl.DataFrame) -> NDArray[np.int64]:
    """Number the values of a column by their place in a list of known values.

    Parameters
    ----------
    table : polars.DataFrame
        The table.
    name : str
        Column.
    known : polars.DataFrame
        The known values, each once, in a column of the same name.

    Returns
    -------
    ndarray of shape (n_rows,)
        Place of each row's value; −1 where it is missing or not known.
    """
    require_columns(table, [name])
    wanted = known.select(name).with_row_index("__place")
    column = table.select(pl.col(name).cast(known.schema[name], strict=False))
    joined = column.join(wanted, on=name, how="left", maintain_order="left")
    return np.array(joined.get_column("__place").cast(pl.Int64).fill_null(-1).to_numpy())


def complete_values(
    table: pl.DataFrame, wanted: Sequence[str], needed: Sequence[str]
) -> dict[str, pl.DataFrame]:
    """List the distinct values of columns among the rows that have a value of every column needed.

    Parameters
    ----------
    table : polars.DataFrame
        The table.
    wanted : Sequence of str
        Columns whose values are listed.
    needed : Sequence of str
        Columns that must have a value; NaN and infinite numbers count as missing.

    Returns
    -------
    dict of str to polars.DataFrame
        Values of each column in ascending order, as a table of one column.
    """
    require_columns(table, [*wanted, *needed])
    names = list(dict.fromkeys([*wanted, *needed]))
    known = [pl.col(n).is_finite() for n in names if table.schema[n].is_float()]
    present = [pl.col(n).is_not_null() for n in names]
    kept = table.filter(pl.all_horizontal(*present, *known))
    return {name: kept.select(pl.col(name).unique().sort()) for name in wanted}


def refuse_duplicates(table: pl.DataFrame, name: str, *, param: str = "table") -> None:
    """Refuse a table in which an identifier stands twice.

    Parameters
    ----------
    table : polars.DataFrame
        The table.
    name : str
        Identifier column.
    param : str, default "table"
        What the table is called in the sentence.

    Raises
    ------
    TableError
        If a value stands more than once; the first five are named.
    """
    require_columns(table, [name], param=param)
    twice = table.get_column(name).value_counts().filter(pl.col("count") > 1).sort(name)
    if twice.height:
        ids = twice.get_column(name).to_list()
        raise TableError(
            f"The column {name!r} of the {param} must be unique. {len(ids)} values stand more than once.",
            where=ids,
            hint="Keep one row for each, or correct the identifiers.",
            param=name,
            got=ids[0],
        )


def with_columns(table: pl.DataFrame, columns: Mapping[str, ArrayLike]) -> pl.DataFrame:
    """Add or replace columns.

    Parameters
    ----------
    table : polars.DataFrame
        The table.
    columns : Mapping of str to array of shape (n_rows,)
        Columns to add.

    Returns
    -------
    polars.DataFrame
        A new table.
    """
    return table.with_columns([_series(name, values) for name, values in columns.items()])


def to_pandas(table: pl.DataFrame) -> Any:
    """Give a table as a pandas DataFrame.

    Parameters
    ----------
    table : polars.DataFrame
        The table.

    Returns
    -------
    pandas.DataFrame
        The same columns; missing numbers are NaN, other missing values None.

    Raises
    ------
    TableError
        If pandas is not installed.
    """
    try:
        pandas = import_module("pandas")
    except ImportError as error:
        raise TableError(
            "pandas is not installed here.", hint="Install it, or use the Polars table itself."
        ) from error
    columns = {
        name: column.to_numpy() if column.dtype.is_numeric() else column.to_list()
        for name, column in zip(table.columns, table.get_columns(), strict=True)
    }
    return pandas.DataFrame(columns)


def select_rows(table: pl.DataFrame, kept: NDArray[np.bool_]) -> pl.DataFrame:
    """Keep some rows of a table.

    Parameters
    ----------
    table : polars.DataFrame
        The table.
    kept : ndarray of shape (n_rows,)
        True where the row stays.

    Returns
    -------
    polars.DataFrame
        The rows that stay, in their order.
    """
    return table.filter(pl.Series(kept))


def stack_tables(tables: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Put tables with the same columns under each other.

    Parameters
    ----------
    tables : Sequence of polars.DataFrame
        One or more tables; columns of other kinds are widened.

    Returns
    -------
    polars.DataFrame
        All rows, in the order given.
    """
    return pl.concat(list(tables), how="vertical_relaxed")


def response_codes(
    table: pl.DataFrame, names: Sequence[str], *, param: str = "responses"
) -> NDArray[np.int16]:
    """Take columns of response codes as one matrix of small integers.

    Parameters
    ----------
    table : polars.DataFrame
        The table.
    names : Sequence of str
        Item columns.
    param : str, default "responses"
        What the table is called in a refusal.

    Returns
    -------
    ndarray of shape (n_rows, n_items)
        Codes, dimensionless; −1 where the value is missing.

    Raises
    ------
    ResponseError
        If a code is negative, not a whole number or above 32,000; item and rows are named.
    TableError
        If a column is absent or not numeric.
    """
    require_columns(table, names, param=param)
    out = np.empty((table.height, len(names)), dtype=np.int16, order="F")
    for place, name in enumerate(names):
        column = table.get_column(name)
        if column.dtype.is_integer() or column.dtype == pl.Boolean:
            values = column.cast(pl.Int64).fill_null(-1).to_numpy()
            wrong = ((values < 0) & column.is_not_null().to_numpy()) | (values > 32_000)
        else:
            given = floats(table, name, param=param, nulls=True)
            values = np.where(np.isnan(given), -1.0, given)
            wrong = ~np.isnan(given) & ((given < 0) | (given != np.floor(given)) | (given > 32_000))
        if wrong.any():
            _refuse_codes(name, column, np.flatnonzero(wrong), param)
        out[:, place] = values
    return out


def _refuse_codes(name: str, column: pl.Series, rows: NDArray[np.int64], param: str) -> None:
    """Name the item, the value and the rows of codes that are no whole numbers from zero."""
    value = column[int(rows[0])]
    raise ResponseError(
        f"The {param} to the item {name!r} must be whole numbers from 0. Got {value!r} in {len(rows)} rows.",
        where=[f"row {row + 1}" for row in rows.tolist()],
        hint="Score the responses first, and leave what was not administered empty.",
        param=name,
        got=value,
        expected="0, 1, 2 … or empty",
    )


def nullable_column(values: NDArray[Any], missing: NDArray[np.bool_]) -> Any:
    """Make one column of numbers whose marked values are missing.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        Numbers; their dtype stays.
    missing : ndarray of shape (n_rows,)
        Where the value is missing.

    Returns
    -------
    polars.Series
        The column, for `make_table` or `with_columns`.
    """
    column = pl.Series(values)
    return column if not missing.any() else pl.select(pl.when(pl.lit(~missing)).then(column)).to_series()


def table_bytes(columns: Any) -> bytes:
    """Write a table as Arrow, to be kept.

    Parameters
    ----------
    columns : polars.DataFrame or Mapping of str to list
        The table.

    Returns
    -------
    bytes
        For `table_from_bytes`.
    """
    stream = io.BytesIO()
    as_table(columns).write_ipc(stream)
    return stream.getvalue()


def table_from_bytes(content: bytes) -> pl.DataFrame:
    """Read a table that `table_bytes` wrote.

    Parameters
    ----------
    content : bytes
        Arrow.

    Returns
    -------
    polars.DataFrame
        The table.

    Raises
    ------
    ValueError
        If the bytes are no table.
    """
    try:
        return pl.read_ipc(io.BytesIO(content))
    except pl.exceptions.PolarsError as error:
        raise ValueError("These bytes are no table.") from error
