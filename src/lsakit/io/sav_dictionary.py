"""The dictionary of an SPSS system file: what stands before its data.

Written from the public description of the format (PSPP developers' guide, "System File Format"): record types
2, 3, 4, 7 and 999, in UTF-8 and little-endian order.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from sys import float_info

import numpy as np

from lsakit.errors import TableError
from lsakit.io.codebook import Code, Variable
from lsakit.io.missing_labels import marked_labels

SEGMENT = 8
MAX_TEXT_BYTES = 32767
MAX_NAME_BYTES = 64
MAX_LABEL_BYTES = 255
VERY_LONG = 255
PIECE = 252
SYSTEM_MISSING = -float_info.max
LOWEST = float(np.nextafter(SYSTEM_MISSING, 0.0))
BIAS = 100.0
FORMATS = {"text": 1, "numeric": 5, "date": 38, "datetime": 22}
RESERVED = {"ALL", "AND", "BY", "EQ", "GE", "GT", "LE", "LT", "NE", "NOT", "OR", "TO", "WITH"}
_NAME = re.compile(r"[^\W\d_][\w.$#@]*|[@#$][\w.$#@]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class SavColumn:
    """One column of a system file.

    Parameters
    ----------
    name : str
        Long name.
    kind : {"numeric", "text", "date", "datetime"}
        How its values are stored.
    width : int
        Bytes of a text column; shown characters of a number.
    decimals : int
        Shown digits after the decimal mark.
    variable : Variable
        Labels and missing codes.
    """

    name: str
    kind: str
    width: int
    decimals: int
    variable: Variable

    @property
    def pieces(self) -> tuple[int, ...]:
        """Widths in bytes of the variables that a text column is stored as; ``(0,)`` for a number."""
        if self.kind != "text":
            return (0,)
        if self.width <= VERY_LONG:
            return (self.width,)
        n_pieces = (self.width + PIECE - 1) // PIECE
        return (VERY_LONG,) * (n_pieces - 1) + (self.width - (n_pieces - 1) * PIECE,)

    @property
    def n_segments(self) -> int:
        """Number of 8-byte segments that one value takes."""
        return sum(max(1, -(-piece // SEGMENT)) for piece in self.pieces)


def refuse_names(names: Sequence[str]) -> None:
    """Refuse column names that SPSS does not allow.

    Parameters
    ----------
    names : Sequence of str of shape (n_columns,)
        Column names.

    Raises
    ------
    TableError
        If a name is too long, holds a space or a sign, is a reserved word, or differs from another only in case.
    """
    seen: dict[str, str] = {}
    for name in names:
        upper = name.upper()
        fits = _NAME.fullmatch(name) and not name.endswith(".") and len(name.encode()) <= MAX_NAME_BYTES
        if not fits or upper in RESERVED:
            raise TableError(
                f"The column name {name!r} cannot stand in an SPSS file.",
                hint="Begin with a letter and use letters, digits and '_', at most 64 bytes, no reserved word.",
                param=name,
                got=name,
            )
        if upper in seen:
            raise TableError(
                f"The column names {seen[upper]!r} and {name!r} are one name for SPSS.",
                hint="Rename one of them.",
                param=name,
                got=name,
            )
        seen[upper] = name


def dictionary_bytes(
    columns: Sequence[SavColumn], *, n_rows: int, file_label: str = "", is_zlib: bool = False
) -> bytes:
    """Write everything that stands before the data.

    Parameters
    ----------
    columns : Sequence of SavColumn of shape (n_columns,)
        The columns.
    n_rows : int
        Number of cases; −1 while unknown.
    file_label : str, default ""
        What the file is; 64 bytes are kept.
    is_zlib : bool, default False
        Whether the data are in ZLIB blocks (``.zsav``).

    Returns
    -------
    bytes
        Header and dictionary, to the end of record 999.
    """
    short = _short_names(columns)
    return b"".join(
        [
            _header(columns, n_rows, file_label, is_zlib=is_zlib),
            *(_variable_records(column, short[column.name]) for column in columns),
            *_value_label_records(columns),
            _information(3, "i", [20, 0, 0, -1, 1, 1, 2, 65001]),
            _information(4, "d", [SYSTEM_MISSING, float_info.max, LOWEST]),
            _information(11, "i", _display(columns)),
            _text_information(13, "\t".join(f"{short[column.name][0]}={column.name}" for column in columns)),
            _very_long(columns, short),
            _information(16, "q", [1, n_rows]) if n_rows >= 0 else b"",
            _text_information(20, "UTF-8"),
            _long_text_labels(columns),
            _long_text_missing(columns),
            struct.pack("<ii", 999, 0),
        ]
    )


def _header(columns: Sequence[SavColumn], n_rows: int, file_label: str, *, is_zlib: bool) -> bytes:
    """Write record 1; its date is fixed, because the time belongs to the manifest."""
    return struct.pack(
        "<4s60siiiiid9s8s64s3s",
        b"$FL3" if is_zlib else b"$FL2",
        b"@(#) SPSS DATA FILE Dien Rong lsakit".ljust(60),
        2,
        sum(column.n_segments for column in columns),
        2 if is_zlib else 1,
        0,
        n_rows,
        BIAS,
        b"01 Jan 70",
        b"00:00:00",
        clipped(file_label, 64).ljust(64),
        b"   ",
    )


def clipped(text: str, n_bytes: int) -> bytes:
    """Encode text in UTF-8 without cutting a letter.

    Parameters
    ----------
    text : str
        Text.
    n_bytes : int
        Most bytes allowed.

    Returns
    -------
    bytes
        The longest beginning that fits.
    """
    raw = text.encode()
    return raw if len(raw) <= n_bytes else raw[:n_bytes].decode(errors="ignore").encode()


def _short_names(columns: Sequence[SavColumn]) -> dict[str, list[str]]:
    """Give every piece of every column a name of eight ASCII letters; own names where they fit."""
    plain = {column.name: column.name.upper() for column in columns}
    own = {name: upper for name, upper in plain.items() if re.fullmatch(r"[A-Z@][A-Z0-9_@.]{0,7}", upper)}
    taken = set(own.values())
    names: dict[str, list[str]] = {}
    number = 0
    for column in columns:
        chosen = [own[column.name]] if column.name in own else []
        while len(chosen) < len(column.pieces):
            number += 1
            fresh = f"V{number:X}_"
            if fresh not in taken:
                chosen.append(fresh)
                taken.add(fresh)
        names[column.name] = chosen
    return names


def _padded(raw: bytes, unit: int) -> bytes:
    """Fill up to a multiple of a number of bytes with spaces."""
    return raw.ljust(-(-len(raw) // unit) * unit)


def _variable_records(column: SavColumn, short: Sequence[str]) -> bytes:
    """Write the records 2 of one column, continuation records included."""
    out = []
    for piece, name in zip(column.pieces, short, strict=True):
        shown = min(piece, 255) if column.kind == "text" else column.width
        form = struct.pack("<BBBB", column.decimals, shown, FORMATS[column.kind], 0)
        label = clipped(column.variable.label, MAX_LABEL_BYTES) if name == short[0] else b""
        n_missing, missing = _missing_field(column)
        out.append(struct.pack("<iiiii", 2, piece, int(bool(label)), n_missing, 0)[:16] + form + form)
        out.append(name.encode().ljust(8))
        if label:
            out.append(struct.pack("<i", len(label)) + _padded(label, 4))
        out.append(missing)
        blank = struct.pack("<iiii", 2, -1, 0, 0) + bytes(8) + b" " * 8
        out.extend([blank] * (max(1, -(-piece // SEGMENT)) - 1))
    return b"".join(out)


def _missing_field(column: SavColumn) -> tuple[int, bytes]:
    """Write the missing codes of a number or a short text, and their count."""
    variable = column.variable
    if column.kind == "text":
        texts = list(variable.missing) if column.width <= SEGMENT else []
        _refuse_many(variable, len(texts))
        return len(texts), b"".join(str(code).encode().ljust(8) for code in texts)
    codes, span = missing_form(variable)
    if span is None:
        return len(codes), struct.pack(f"<{len(codes)}d", *codes)
    ends = (LOWEST if np.isneginf(span[0]) else span[0], float_info.max if np.isposinf(span[1]) else span[1])
    return -2 - len(codes), struct.pack(f"<{2 + len(codes)}d", *ends, *codes)


def missing_form(variable: Variable) -> tuple[list[float], tuple[float, float] | None]:
    """Fit the missing codes of a numeric variable into what SPSS allows.

    Parameters
    ----------
    variable : Variable
        The variable.

    Returns
    -------
    codes : list of float
        At most three single codes, at most one beside a range.
    span : tuple of float or None
        The range.

    Raises
    ------
    TableError
        If three codes, or one range and one code, are not enough.

    Notes
    -----
    More than three codes become a range if no labelled valid value lies between them, leaving out at most the one
    farthest from the others.
    """
    codes = sorted(float(code) for code in variable.missing)
    span = variable.missing_range
    if span is not None:
        outside = [code for code in codes if not span[0] <= code <= span[1]]
        _refuse_many(variable, len(outside), most=1)
        return outside, span
    if len(codes) <= 3:
        return codes, None
    valid = [float(code) for code in variable.values if code not in variable.missing]
    if variable.valid_range:
        valid.extend(variable.valid_range)
    for inner, rest in ((codes, []), (codes[1:], codes[:1]), (codes[:-1], codes[-1:])):
        if not any(inner[0] <= value <= inner[-1] for value in valid):
            return rest, (inner[0], inner[-1])
    _refuse_many(variable, len(codes))
    return codes, None


def _refuse_many(variable: Variable, n_codes: int, most: int = 3) -> None:
    """Refuse more missing codes than the format has room for."""
    if n_codes > most:
        raise TableError(
            f"The variable {variable.name!r} has {n_codes} missing codes; an SPSS file holds {most}.",
            hint="Use neighboring codes, which make a range, or write Parquet, Stata or Excel.",
            param=variable.name,
        )


def _labels(column: SavColumn) -> dict[Code, str]:
    """Collect the value labels of a column, kinds of missing marked."""
    return marked_labels(column.variable)


def _value_label_records(columns: Sequence[SavColumn]) -> list[bytes]:
    """Write records 3 and 4 of numbers and short texts."""
    out, place = [], 1
    for column in columns:
        labels = _labels(column)
        if labels and (column.kind != "text" or column.width <= SEGMENT):
            parts = [struct.pack("<ii", 3, len(labels))]
            for code, label in labels.items():
                raw = clipped(label, MAX_LABEL_BYTES)
                value = (
                    str(code).encode().ljust(8) if column.kind == "text" else struct.pack("<d", float(code))
                )
                parts.append(value + _padded(bytes([len(raw)]) + raw, 8))
            parts.append(struct.pack("<iii", 4, 1, place))
            out.append(b"".join(parts))
        place += column.n_segments
    return out


def _information(subtype: int, form: str, values: Sequence[float]) -> bytes:
    """Write a record 7 of numbers."""
    size = struct.calcsize(form)
    return struct.pack(f"<iiii{len(values)}{form}", 7, subtype, size, len(values), *values)


def _text_information(subtype: int, text: str) -> bytes:
    """Write a record 7 of text; none where there is none."""
    raw = text.encode()
    return struct.pack("<iiii", 7, subtype, 1, len(raw)) + raw if raw else b""


def _display(columns: Sequence[SavColumn]) -> list[int]:
    """Say measure, width and alignment of every piece."""
    out = []
    for column in columns:
        nominal = column.kind == "text" or bool(column.variable.values)
        measure = 1 if nominal else 3 if column.decimals else 0
        for piece in column.pieces:
            out += [
                measure,
                min(max(piece or column.width, 6), 40),
                int(column.kind != "text"),
            ]
    return out


def _very_long(columns: Sequence[SavColumn], short: Mapping[str, Sequence[str]]) -> bytes:
    """Name the texts of more than 255 bytes."""
    long = [column for column in columns if column.kind == "text" and column.width > VERY_LONG]
    return _text_information(
        14, "".join(f"{short[column.name][0]}={column.width:05d}\0\t" for column in long)
    )


def _sized(raw: bytes) -> bytes:
    """Put the length before bytes."""
    return struct.pack("<i", len(raw)) + raw


def _long_text_labels(columns: Sequence[SavColumn]) -> bytes:
    """Write the value labels of texts of more than eight bytes."""
    out = []
    for column in columns:
        labels = _labels(column)
        if labels and column.kind == "text" and column.width > SEGMENT:
            out.append(_sized(column.name.encode()) + struct.pack("<ii", column.width, len(labels)))
            for code, label in labels.items():
                out.append(
                    _sized(str(code).encode().ljust(column.width)) + _sized(clipped(label, MAX_LABEL_BYTES))
                )
    raw = b"".join(out)
    return struct.pack("<iiii", 7, 21, 1, len(raw)) + raw if raw else b""


def _long_text_missing(columns: Sequence[SavColumn]) -> bytes:
    """Write the missing codes of texts of more than eight bytes; the format keeps eight bytes of each."""
    out = []
    for column in columns:
        codes = [str(code).encode() for code in column.variable.missing]
        if codes and column.kind == "text" and column.width > SEGMENT:
            _refuse_many(column.variable, len(codes))
            out.append(_sized(column.name.encode()) + struct.pack("<Bi", len(codes), SEGMENT))
            out.extend(code.ljust(SEGMENT)[:SEGMENT] for code in codes)
    raw = b"".join(out)
    return struct.pack("<iiii", 7, 22, 1, len(raw)) + raw if raw else b""
