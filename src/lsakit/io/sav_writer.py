"""SPSS system files written part by part, so that a file may be larger than memory.

Data are stored with the format's bytecode compression: one byte for a small whole number, a blank or a missing
value, eight bytes for anything else. Whole parts are compressed at once as arrays of 8-byte words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lsakit.errors import TableError
from lsakit.io.codebook import Codebook, Variable
from lsakit.io.sav_dictionary import (
    BIAS,
    MAX_TEXT_BYTES,
    SEGMENT,
    VERY_LONG,
    SavColumn,
    dictionary_bytes,
    refuse_names,
)
from lsakit.io.zlib_blocks import ZlibBlocks

Words = NDArray[np.uint64]
Codes = NDArray[np.uint8]

END_OF_DATA, RAW, BLANK, NO_VALUE = 252, 253, 254, 255
PADDING = 0
CODES_PER_WORD = 8
MAX_WHOLE = 2**53
SPANS = np.float64(1.0e308)
EPOCH_SECONDS = 12_219_379_200  # 14 October 1582 to 1 January 1970
DAY_SECONDS = 86_400
_SPACES = np.frombuffer(b" " * SEGMENT, dtype="<u8")[0]


def plan_columns(schema: pl.Schema, text_bytes: dict[str, int], codebook: Codebook) -> tuple[SavColumn, ...]:
    """Decide how each column of a table is stored.

    Parameters
    ----------
    schema : polars.Schema
        Column names and types.
    text_bytes : dict of str to int
        Longest value of each text column, in bytes of UTF-8.
    codebook : Codebook
        Labels, missing codes, and shown widths.

    Returns
    -------
    tuple of SavColumn of shape (n_columns,)
        The plan.

    Raises
    ------
    TableError
        If a name, a type or a text's length has no place in the format.
    """
    refuse_names(list(schema))
    columns = []
    for name, dtype in schema.items():
        variable = codebook[name] if name in codebook else Variable(name=name)
        kind, width, decimals = _storage(name, dtype, variable, text_bytes)
        columns.append(SavColumn(name=name, kind=kind, width=width, decimals=decimals, variable=variable))
    return tuple(columns)


def _storage(
    name: str, dtype: pl.DataType, variable: Variable, text_bytes: dict[str, int]
) -> tuple[str, int, int]:
    """Choose storage, shown width and decimals of one column."""
    if dtype in (pl.String, pl.Null):
        codes = [len(str(code).encode()) for code in [*variable.values, *variable.missing]]
        width = max([1, text_bytes.get(name, 1), *codes])
        if width > MAX_TEXT_BYTES:
            raise TableError(
                f"The column {name!r} holds a text of {width} bytes; an SPSS file holds {MAX_TEXT_BYTES}.",
                hint="Shorten it or write Parquet.",
                param=name,
            )
        return "text", width, 0
    if dtype == pl.Date:
        return "date", 10, 0
    if dtype == pl.Datetime:
        return "datetime", 26, 6
    if dtype == pl.Boolean:
        return "numeric", 1, 0
    if dtype.is_integer():
        return "numeric", min(max(variable.width or 11, 1), 40), 0
    if dtype.is_float():
        decimals = min(variable.decimals or 2, 16)
        return "numeric", min(max(variable.width or 12, decimals + 2), 40), decimals
    raise TableError(
        f"The column {name!r} is of type {dtype}, which an SPSS file cannot hold.",
        hint="Turn it into text or a number first.",
        param=name,
        got=str(dtype),
    )


class SavWriter:
    """An SPSS file in the making.

    Parameters
    ----------
    stream : binary file
        Where to write; must allow seeking, because the number of cases is filled in at the end.
    columns : Sequence of SavColumn of shape (n_columns,)
        What ``plan_columns`` gave.
    file_label : str, default ""
        What the file is.
    zlib : bool, default False
        Whether the bytecode is packed further into ZLIB blocks (``.zsav``).

    Notes
    -----
    ``write`` takes rows, ``close`` completes the file. Nothing is kept in memory but the codes of an unfinished
    word of eight.
    """

    def __init__(
        self, stream: BinaryIO, columns: Sequence[SavColumn], *, file_label: str = "", zlib: bool = False
    ) -> None:
        self._stream = stream
        self._zlib = zlib
        self._columns = tuple(columns)
        self._file_label = file_label
        self._n_rows = 0
        self._codes: Codes = np.zeros(0, dtype=np.uint8)
        self._words: Words = np.zeros(0, dtype=np.uint64)
        self._start = stream.tell()
        stream.write(self._dictionary())
        self._data: ZlibBlocks | None = ZlibBlocks(stream) if zlib else None

    def _dictionary(self) -> bytes:
        """Write the dictionary with the number of cases so far."""
        return dictionary_bytes(
            self._columns, n_rows=self._n_rows, file_label=self._file_label, is_zlib=self._zlib
        )

    def _put(self, data: bytes) -> None:
        """Write compressed data."""
        if self._data is None:
            self._stream.write(data)
        else:
            self._data.write(data)

    def write(self, table: pl.DataFrame) -> None:
        """Append rows.

        Parameters
        ----------
        table : polars.DataFrame
            Rows with the planned columns, in the planned order.
        """
        n_segments = sum(column.n_segments for column in self._columns)
        words = np.zeros((table.height, n_segments), dtype=np.uint64)
        codes = np.zeros((table.height, n_segments), dtype=np.uint8)
        at = 0
        for column in self._columns:
            stop = at + column.n_segments
            series = table.get_column(column.name)
            if column.kind == "text":
                words[:, at:stop], codes[:, at:stop] = _text_words(series, column)
            else:
                words[:, at], codes[:, at] = _number_words(series, column)
            at = stop
        self._n_rows += table.height
        self._append(words.ravel(), codes.ravel())

    def _append(self, words: Words, codes: Codes) -> None:
        """Compress whole groups of eight codes and keep the rest for later."""
        codes = np.concatenate([self._codes, codes])
        words = np.concatenate([self._words, words])
        n_whole = len(codes) // CODES_PER_WORD * CODES_PER_WORD
        self._put(compressed(words[:n_whole], codes[:n_whole]))
        self._codes, self._words = codes[n_whole:], words[n_whole:]

    def close(self) -> None:
        """Write the unfinished word and the number of cases."""
        n_padding = -len(self._codes) % CODES_PER_WORD
        if n_padding:
            codes = np.concatenate([self._codes, np.full(n_padding, PADDING, dtype=np.uint8)])
            words = np.concatenate([self._words, np.zeros(n_padding, dtype=np.uint64)])
            self._put(compressed(words, codes))
        if self._data is not None:
            self._data.close()
        end = self._stream.tell()
        self._stream.seek(self._start)
        self._stream.write(self._dictionary())
        self._stream.seek(end)


def compressed(words: Words, codes: Codes) -> bytes:
    """Lay out compressed data: a word of eight codes, then the raw words that its codes announce.

    Parameters
    ----------
    words : ndarray of shape (n_values,)
        Values as 8-byte words.
    codes : ndarray of shape (n_values,)
        One code per value, ``n_values`` a multiple of eight; 253 announces the raw word.

    Returns
    -------
    bytes
        The compressed stream.
    """
    groups = codes.reshape(-1, CODES_PER_WORD)
    is_raw = groups == RAW
    n_raw = is_raw.sum(axis=1)
    starts = np.concatenate([[0], np.cumsum(n_raw + 1)])
    out = np.empty(int(starts[-1]), dtype="<u8")
    out[starts[:-1]] = np.ascontiguousarray(groups).view("<u8").ravel()
    places = (starts[:-1, None] + np.cumsum(is_raw, axis=1))[is_raw]
    out[places] = words.reshape(-1, CODES_PER_WORD)[is_raw]
    return out.tobytes()


def _number_words(series: pl.Series, column: SavColumn) -> tuple[Words, Codes]:
    """Turn a column of numbers or dates into words and codes."""
    values = _as_seconds(series) if column.kind != "numeric" else _as_floats(series)
    gone = np.isnan(values)
    small = (values >= 1 - BIAS) & (values <= 251 - BIAS) & (values == np.floor(values))
    small &= ~((values == 0) & np.signbit(values))
    shifted = np.where(small, values, 0.0) + BIAS
    codes = np.where(gone, NO_VALUE, np.where(small, shifted, RAW)).astype(np.uint8)
    return values.view(np.uint64), codes


def _as_floats(series: pl.Series) -> NDArray[np.float64]:
    """Turn numbers into doubles without loss, missing ones into NaN."""
    values = np.array(series.cast(pl.Float64).to_numpy(), dtype=np.float64)
    if series.dtype.is_integer():
        large = np.abs(values) > MAX_WHOLE
        if large.any():
            what = "is a whole number that doubles cannot hold exactly"
            _refuse_value(series, pl.Series(large), what, "Write it as text.")
    beyond = np.abs(values) > SPANS
    if beyond.any():
        _refuse_value(series, pl.Series(beyond), "is too large or infinite", "Correct it or leave it empty.")
    return values


def _refuse_value(series: pl.Series, bad: pl.Series, what: str, hint: str) -> None:
    """Refuse a value that the format cannot hold."""
    rows = bad.arg_true().to_list()
    raise TableError(
        f"The value {series[rows[0]]!r} of column {series.name!r} {what}.",
        where=[f"row {row + 1}" for row in rows],
        hint=hint,
        param=series.name,
        got=series[rows[0]],
    )


def _as_seconds(series: pl.Series) -> NDArray[np.float64]:
    """Turn dates and moments into seconds since 14 October 1582."""
    if series.dtype == pl.Date:
        seconds = series.cast(pl.Int64).cast(pl.Float64) * DAY_SECONDS + EPOCH_SECONDS
    else:
        micros = series.cast(pl.Datetime("us")).cast(pl.Int64).cast(pl.Float64)
        seconds = micros / 1e6 + EPOCH_SECONDS
    return np.array(seconds.fill_null(float("nan")).to_numpy(), dtype=np.float64)


def _text_words(series: pl.Series, column: SavColumn) -> tuple[Words, Codes]:
    """Turn a text column into words of eight bytes, filled with spaces, and their codes."""
    raw = [text.encode() for text in series.cast(pl.String).fill_null("").to_list()]
    if max(map(len, raw), default=0) > column.width or any(b"\0" in text for text in raw):
        raise TableError(
            f"The column {series.name!r} holds a text that does not fit its {column.width} bytes.",
            hint="Plan the columns again with the longest text, and leave out zero bytes.",
            param=series.name,
        )
    n_rows, n_pieces = len(raw), len(column.pieces)
    stored = (VERY_LONG + 1) * (n_pieces - 1) + -(-column.pieces[-1] // SEGMENT) * SEGMENT
    if n_pieces > 1:
        starts = range(0, VERY_LONG * n_pieces, VERY_LONG)
        raw = [
            b" ".join(text[at : at + VERY_LONG].ljust(VERY_LONG) for at in starts)[:stored] for text in raw
        ]
    block = np.array(raw, dtype=f"S{stored}")
    letters = np.frombuffer(block.tobytes(), dtype=np.uint8).reshape(n_rows, stored)
    words = np.ascontiguousarray(np.where(letters == 0, ord(" "), letters).astype(np.uint8)).view("<u8")
    codes = np.where(words == _SPACES, BLANK, RAW).astype(np.uint8)
    return words, codes
