"""Stata files: values and labels through pyreadstat, user-missing codes as Stata's letters ``.a`` to ``.z``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pyreadstat

from lsakit.errors import TableError
from lsakit.io.codebook import Code, Codebook, Variable
from lsakit.io.contents import Note
from lsakit.io.missing_labels import lettered_label, letters_of, read_lettered
from lsakit.io.spss import settle_integers, unreadable

MAX_TEXT_BYTES = 2045
MAX_NAME_LETTERS = 32
MAX_NUMBER = 8.98e307
MAX_EXACT = 2**53
INT32 = 2**31 - 101
EPOCH_DAYS = 3653  # 1 January 1960 to 1 January 1970
EPOCH_MS = EPOCH_DAYS * 86_400_000
RESERVED = {
    *(
        "_all",
        "_b",
        "byte",
        "_coef",
        "_cons",
        "double",
        "float",
        "if",
        "in",
        "int",
        "long",
        "_n",
        "_N",
        "_pi",
    ),
    *("_pred", "_rc", "_skip", "strL", "using", "with"),
}
_NAME = re.compile(r"[^\W\d]\w*")
_LAST_DIGITS = {"V": 5, "R": 6, "N": 7, "I": 8, "M": 9}
_FAILURES = (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, OSError, UnicodeError, ValueError)


def read_dta(
    path: Path, *, columns: Sequence[str] | None, stated: Codebook | None, encoding: str | None = None
) -> tuple[pl.DataFrame, Codebook]:
    """Read a Stata file.

    Parameters
    ----------
    path : Path
        The file, of any version since 5.
    columns : Sequence of str, optional
        Columns to read; all by default.
    stated : Codebook, optional
        Says which code each letter ``.a`` to ``.z`` stands for; otherwise the labels say it, or the codes of
        the programme PISA at the top of the variable's width are taken.
    encoding : str, optional
        Character set of old files.

    Returns
    -------
    table : polars.DataFrame
        The rows; user-missing letters as codes.
    codebook : Codebook
        Labels and missing codes.

    Raises
    ------
    FileFormatError
        If the file is damaged or cut off.
    """
    _refuse_cut(path)
    try:
        found, metadata = pyreadstat.read_dta(
            str(path),
            usecols=list(columns) if columns else None,
            user_missing=True,
            disable_datetime_conversion=True,
            output_format="dict",
            encoding=encoding,
        )
    except _FAILURES as error:
        raise unreadable(path, error) from error
    series, variables = [], []
    for name in found:
        variable, letters = _variable(name, metadata, found[name], stated)
        variables.append(variable)
        series.append(_series(variable, found[name], letters))
    book = Codebook(variables=tuple(variables), file_label=metadata.file_label or "")
    return settle_integers(pl.DataFrame(series), book)


def read_dta_metadata(path: Path, encoding: str | None = None) -> Codebook:
    """Read labels and missing letters of a Stata file, whose codes depend on its data.

    Parameters
    ----------
    path : Path
        The file.
    encoding : str, optional
        Character set of old files.

    Returns
    -------
    Codebook
        The same as ``read_dta`` gives.
    """
    return read_dta(path, columns=None, stated=None, encoding=encoding)[1]


def _refuse_cut(path: Path) -> None:
    """Refuse a file of version 117 or later that lacks its closing mark."""
    with path.open("rb") as stream:
        start = stream.read(11)
        stream.seek(0, 2)
        stream.seek(max(0, stream.tell() - 12))
        end = stream.read()
    if start == b"<stata_dta>" and end != b"</stata_dta>":
        raise unreadable(path, ValueError("it ends before its closing mark"))


def _variable(
    name: str, metadata: Any, values: Sequence[Any], stated: Codebook | None
) -> tuple[Variable, dict[str, Code]]:
    """Describe one variable, and say which code each letter stands for."""
    form = metadata.original_variable_types.get(name) or ""
    storage = metadata.readstat_variable_types[name]
    labels = metadata.variable_value_labels.get(name, {})
    marks = {letter: label for letter, label in labels.items() if isinstance(letter, str)}
    used = {letter: marks.get(letter, "") for letter in metadata.missing_user_values.get(name, [])} | marks
    plain: dict[Code, str] = {code: label for code, label in labels.items() if not isinstance(code, str)}
    variable = Variable(
        name=name,
        label=metadata.column_names_to_labels.get(name) or "",
        type=_kind(form, storage),
        values=plain,
    )
    if storage == "string":
        return variable, {}
    if stated is not None and name in stated and stated[name].missing:
        letters = {letter: code for code, letter in letters_of(stated[name]).items()}
        if set(used) <= set(letters):
            return replace(
                variable, missing=stated[name].missing, values=stated[name].values or plain
            ), letters
    return _with_letters(variable, used, values)


def _with_letters(
    variable: Variable, used: Mapping[str, str], values: Sequence[Any]
) -> tuple[Variable, dict[str, Code]]:
    """Find a code for each letter: the one its label names, or one above all valid values."""
    numbers = [value for value in values if isinstance(value, int | float)]
    highest = max([0.0, *numbers, *(float(code) for code in variable.values)])
    width = 2
    while 10**width - 40 <= highest:
        width += 1
    taken = {float(value) for value in numbers} | {float(code) for code in variable.values}
    letters: dict[str, Code] = {}
    labels, missing = dict(variable.values), {}
    spare = 10**width - 6
    for letter, text in sorted(used.items()):
        label, code, kind = read_lettered(text, letter)
        if code is None or float(code) in taken:
            code = 10**width - 10 + _LAST_DIGITS[kind] if kind in _LAST_DIGITS else spare
            while float(code) in taken:
                code = spare
                spare -= 1
            label = text
        taken.add(float(code))
        letters[letter] = code
        missing[code] = kind
        if label:
            labels[code] = label
    return replace(variable, values=labels, missing=missing), letters


def _kind(form: str, storage: str) -> str:
    """Name a variable's kind by its display format and storage."""
    if storage == "string":
        return "text"
    if form.startswith(("%td", "%d")):
        return "date"
    if form.startswith(("%tc", "%tC")):
        return "datetime"
    return "integer" if storage in ("int8", "int16", "int32") or form.endswith(".0f") else "number"


def _series(variable: Variable, values: list[Any], letters: Mapping[str, Code]) -> pl.Series:
    """Make one column of what the reader gave."""
    if variable.type == "text":
        return pl.Series(variable.name, values, dtype=pl.String)
    plain = [letters[value] if isinstance(value, str) else value for value in values]
    numbers = pl.Series(variable.name, plain, dtype=pl.Float64, strict=False)
    if variable.type == "date":
        return (numbers - EPOCH_DAYS).cast(pl.Int32).cast(pl.Date)
    if variable.type == "datetime":
        return ((numbers - EPOCH_MS) * 1e3).round().cast(pl.Int64).cast(pl.Datetime("us"))
    return numbers


def write_dta(table: pl.DataFrame, draft: Path, codebook: Codebook) -> tuple[Note, ...]:
    """Write a Stata file, version 118.

    Parameters
    ----------
    table : polars.DataFrame
        Rows.
    draft : Path
        File to write.
    codebook : Codebook
        Labels and missing codes.

    Returns
    -------
    tuple of Note
        What the format could not keep.

    Raises
    ------
    TableError
        If a column name, type or value has no place in the format.
    """
    _refuse_names(table.columns)
    notes: list[Note] = []
    columns: list[pl.Series] = []
    labels: dict[str, dict[Any, str]] = {}
    letters: dict[str, list[str]] = {}
    forms: dict[str, str] = {}
    for series in table.get_columns():
        variable = codebook[series.name] if series.name in codebook else Variable(name=series.name)
        if series.dtype.is_integer():
            forms[series.name] = "%12.0f"
        if series.dtype in (pl.String, pl.Null) and (variable.values or variable.missing):
            n = len(variable.values) + len(variable.missing)
            notes.append(Note(column=series.name, sentence="Stata keeps no labels of text values.", n=n))
            variable = Variable(name=series.name, label=variable.label)
        stored, used = _stored(series, variable)
        columns.append(stored)
        if used:
            letters[series.name] = sorted(used.values())
        marks = _labels(variable, used, notes)
        if marks:
            labels[series.name] = marks
    pyreadstat.write_dta(
        pl.DataFrame(columns),
        str(draft),
        file_label=codebook.file_label[:80],
        column_labels={variable.name: variable.label[:80] for variable in codebook if variable.label},
        variable_value_labels=labels,
        missing_user_values=letters,
        variable_format=forms,
    )
    return tuple(notes)


def _labels(variable: Variable, used: Mapping[Code, str], notes: list[Note]) -> dict[Any, str]:
    """Collect value labels: whole numbers, and letters for missing codes."""
    marks: dict[Any, str] = {}
    lost = 0
    for code, label in variable.values.items():
        if code in used:
            continue
        if isinstance(code, str) or not float(code).is_integer() or abs(code) > INT32:
            lost += 1
        else:
            marks[int(code)] = label
    marks |= {letter: lettered_label(code, letter, variable) for code, letter in used.items()}
    if lost:
        notes.append(Note(column=variable.name, sentence="Stata labels whole numbers only.", n=lost))
    return marks


def _stored(series: pl.Series, variable: Variable) -> tuple[pl.Series, dict[Code, str]]:
    """Prepare one column: missing codes as letters, values that the format can hold."""
    if series.dtype in (pl.String, pl.Null):
        text = series.cast(pl.String)
        if (text.str.len_bytes() > MAX_TEXT_BYTES).any():
            raise TableError(
                f"The column {series.name!r} holds a text of more than {MAX_TEXT_BYTES} bytes, too long for Stata.",
                hint="Shorten it or write Parquet.",
                param=series.name,
            )
        return text, {}
    if series.dtype == pl.Boolean or series.dtype in (pl.Date, pl.Datetime):
        return series, {}
    if not series.dtype.is_numeric():
        raise TableError(
            f"The column {series.name!r} is of type {series.dtype}, which a Stata file cannot hold.",
            hint="Turn it into text or a number first.",
            param=series.name,
        )
    _refuse_large(series)
    wide = series.cast(pl.Int64 if series.dtype.is_integer() else pl.Float64)
    used = letters_of(variable)
    return (_lettered(wide, used), used) if used else (wide, {})


def _refuse_large(series: pl.Series) -> None:
    """Refuse numbers that Stata would round or take for missing."""
    limit = MAX_EXACT if series.dtype.is_integer() else MAX_NUMBER
    beyond = (series.cast(pl.Float64).abs() > limit).fill_null(value=False)
    if beyond.any():
        rows = beyond.arg_true().to_list()
        raise TableError(
            f"The value {series[rows[0]]!r} of column {series.name!r} is too large for a Stata file.",
            where=[f"row {row + 1}" for row in rows],
            hint="Correct it, or write it as text.",
            param=series.name,
            got=series[rows[0]],
        )


def _lettered(series: pl.Series, used: Mapping[Code, str]) -> pl.Series:
    """Put letters in the place of missing codes; pyreadstat wants one kind of number in such a column."""
    values = series.to_list()
    as_float = series.dtype.is_float() or any(value is not None and abs(value) > INT32 for value in values)
    found = [None if value is None else float(value) if as_float else value for value in values]
    return pl.Series(
        series.name,
        [used.get(value, value) if value is not None else None for value in found],
        dtype=pl.Object,
    )


def _refuse_names(names: Sequence[str]) -> None:
    """Refuse column names that Stata does not allow."""
    for name in names:
        if not _NAME.fullmatch(name) or len(name) > MAX_NAME_LETTERS or name in RESERVED:
            raise TableError(
                f"The column name {name!r} cannot stand in a Stata file.",
                hint="Begin with a letter and use letters, digits and '_', at most 32, no reserved word.",
                param=name,
                got=name,
            )
