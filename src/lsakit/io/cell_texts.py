"""Tables as text that anyone can write again: what a published hash is taken of, whatever file held the table."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from lsakit.io.frames import as_table, refuse_duplicates, require_columns, strings

WHOLE_BELOW = 2**53
FINGERPRINT_DIGITS = 6


def cell_texts(data: Any, name: str) -> list[str | None]:
    """Write the values of one column as text.

    Parameters
    ----------
    data : table
        Polars or pandas DataFrame, or mapping of columns.
    name : str
        Column.

    Returns
    -------
    list of str or None of shape (n_rows,)
        Text in Unicode NFC; ``true`` and ``false``; whole numbers in digits, real numbers with a whole value
        too; other real numbers in the shortest form that gives the same double; days and moments in ISO
        8601; None for a missing value and for empty text, which a text file does not tell apart.

    Raises
    ------
    UnknownColumnError
        If the column is absent.

    Examples
    --------
    >>> cell_texts({"x": [35.0, 0.1, None]}, "x")
    ['35', '0.1', None]
    """
    table = as_table(data)
    require_columns(table, [name])
    column = table.get_column(name)
    if column.dtype.is_float():
        known = {value: _real_text(value) for value in column.unique().drop_nulls().to_list()}
        return [None if value is None else known.get(value, "nan") for value in column.to_list()]
    if column.dtype == pl.Boolean:
        return [None if value is None else str(value).lower() for value in column.to_list()]
    if column.dtype.is_temporal() and column.dtype != pl.Duration:
        return [None if value is None else value.isoformat() for value in column.to_list()]
    written = column.cast(pl.String)
    known_texts = {
        value: unicodedata.normalize("NFC", value) or None for value in written.unique().drop_nulls()
    }
    return [None if value is None else known_texts[value] for value in written.to_list()]


def value_kinds(data: Any) -> dict[str, str]:
    """Say what each column holds, as far as it decides how its values sort.

    Parameters
    ----------
    data : table
        Polars or pandas DataFrame, or mapping of columns.

    Returns
    -------
    dict of str to str
        By column, ascending by name: ``"number"``, ``"truth"``, ``"time"``, ``"text"``, or ``"empty"`` where
        no value is.

    Examples
    --------
    >>> value_kinds({"school_id": ["01"], "size": [3]})
    {'school_id': 'text', 'size': 'number'}
    """
    table = as_table(data)
    return {name: _kind(table.get_column(name)) for name in sorted(table.columns)}


def _kind(column: pl.Series) -> str:
    """Name the kind of one column."""
    if column.null_count() == len(column):
        return "empty"
    if column.dtype == pl.Boolean:
        return "truth"
    if column.dtype.is_numeric():
        return "number"
    return "time" if column.dtype.is_temporal() else "text"


def with_kinds(data: Any, kinds: Mapping[str, str]) -> pl.DataFrame:
    """Bring columns to recorded kinds, so that a table read from a text file is the one that was written.

    Parameters
    ----------
    data : table
        Polars or pandas DataFrame, or mapping of columns.
    kinds : Mapping of str to str
        Kinds as `value_kinds` names them; columns not named stay.

    Returns
    -------
    polars.DataFrame
        The table; text in Unicode NFC. A column that cannot be brought to its kind stays as it is, and its
        values are then compared as they are.

    Examples
    --------
    >>> with_kinds({"code": [1, 2]}, {"code": "text"})["code"].to_list()
    ['1', '2']
    """
    table = as_table(data)
    return table.with_columns(
        [
            _as_kind(table, column.name, kinds.get(column.name, _kind(column)))
            for column in table.get_columns()
            if kinds.get(column.name, _kind(column)) in ("text", "number", "truth")
        ]
    )


def _as_kind(table: pl.DataFrame, name: str, kind: str) -> pl.Series:
    """Bring one column to a kind, or leave it."""
    column = table.get_column(name)
    if kind == "text":
        return pl.Series(name, cell_texts(table, name), dtype=pl.String)
    if _kind(column) != "text":
        return column
    written = column.cast(pl.String)
    if kind == "truth":
        made = written.replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
        return made if made.null_count() == written.null_count() else column
    for dtype in (pl.Int64, pl.Float64):
        made = written.cast(dtype, strict=False)
        if made.null_count() == written.null_count():
            return made
    return column


def _real_text(value: float) -> str:
    """Write one real number."""
    return str(int(value)) if value == value // 1 and abs(value) < WHOLE_BELOW else repr(value)


def table_text(data: Any, *, key: str, columns: Sequence[str] | None = None) -> str:
    """Write a table as lines of JSON, in an order that the file it came from does not decide.

    Parameters
    ----------
    data : table
        Polars or pandas DataFrame, or mapping of columns.
    key : str
        Column that identifies a row; rows stand in ascending order of its text (by code point).
    columns : Sequence of str, optional
        Columns in their order; all, ascending by name, by default.

    Returns
    -------
    str
        First line: the column names; then one line per row: its cells, as `cell_texts` writes them. Each line
        is a JSON array without spaces, letters unescaped, ended by a line feed.

    Raises
    ------
    TableError
        If the key is missing or stands twice.

    Examples
    --------
    >>> print(table_text({"school_id": ["B", "A"], "size": [2.0, None]}, key="school_id"), end="")
    ["school_id","size"]
    ["A",null]
    ["B","2"]
    """
    table = as_table(data)
    refuse_duplicates(table, key)
    keys = strings(table, key)
    names = sorted(table.columns) if columns is None else list(columns)
    cells = [cell_texts(table, name) for name in names]
    lines = [_json(names)]
    lines += [
        _json([column[row] for column in cells]) for row in sorted(range(len(keys)), key=keys.__getitem__)
    ]
    return "\n".join(lines) + "\n"


def _json(value: object) -> str:
    """Write JSON without spaces, letters unescaped, keys of an object ascending."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def json_text(value: object) -> str:
    """Write a JSON value in its one canonical form.

    Parameters
    ----------
    value : object
        Lists, mappings with text keys, texts, numbers, truth values, None.

    Returns
    -------
    str
        JSON without spaces, letters unescaped, keys ascending.

    Examples
    --------
    >>> json_text({"b": 1, "a": [True]})
    '{"a":[true],"b":1}'
    """
    return _json(value)


def text_hash(text: str) -> str:
    """Hash a text.

    Parameters
    ----------
    text : str
        The text.

    Returns
    -------
    str
        ``sha256:`` and 64 hexadecimal digits of the SHA-256 of its UTF-8 bytes.

    Examples
    --------
    >>> text_hash("")[:15]
    'sha256:e3b0c442'
    """
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def cell_fingerprints(cells: Sequence[str | None]) -> list[str]:
    """Give each cell a short fingerprint that tells whether it changed.

    Parameters
    ----------
    cells : Sequence of str or None of shape (n_rows,)
        Cells as `cell_texts` writes them.

    Returns
    -------
    list of str of shape (n_rows,)
        First six hexadecimal digits of the SHA-256 of the cell as JSON: two different cells agree once in
        sixteen million.

    Examples
    --------
    >>> cell_fingerprints(["35", None, "35"])
    ['4bf17f', '74234e', '4bf17f']
    """
    known = {
        cell: hashlib.sha256(_json(cell).encode("utf-8", "surrogatepass")).hexdigest()[:FINGERPRINT_DIGITS]
        for cell in set(cells)
    }
    return [known[cell] for cell in cells]
