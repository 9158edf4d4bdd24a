"""SPSS files in: values through pyreadstat part by part, labels and missing codes into a codebook."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyreadstat

from lsakit.errors import FileFormatError
from lsakit.io.codebook import Code, Codebook, Variable
from lsakit.io.column_types import whole
from lsakit.io.missing_labels import read_marked
from lsakit.io.sav_dictionary import LOWEST, SYSTEM_MISSING
from lsakit.io.sav_writer import DAY_SECONDS, EPOCH_SECONDS

_FORMAT = re.compile(r"([A-Z]+)(\d*)(?:\.(\d+))?")
DATE_FORMATS = {"DATE", "ADATE", "EDATE", "SDATE", "JDATE"}
MAX_RANGE_CODES = 20


def unreadable(path: Path, error: Exception) -> FileFormatError:
    """Word the refusal of a file that its format's reader cannot read.

    Parameters
    ----------
    path : Path
        The file.
    error : Exception
        What the reader said.

    Returns
    -------
    FileFormatError
        The error, for the caller to raise.
    """
    return FileFormatError(
        f"The file {path.name!r} cannot be read as {path.suffix or 'a table'}: {str(error).splitlines()[0]}.",
        why="It is cut off, damaged, or of another format than its extension says.",
        hint="Copy or export it again from its source, and compare its size with the original.",
        param="path",
        got=path.name,
    )


def read_sav_metadata(path: Path, encoding: str | None = None) -> tuple[Codebook, int]:
    """Read the dictionary of an SPSS file.

    Parameters
    ----------
    path : Path
        A ``.sav`` or ``.zsav`` file.
    encoding : str, optional
        Character set, where the file states a wrong one.

    Returns
    -------
    codebook : Codebook
        One variable per column.
    n_rows : int
        Number of cases; −1 where the file does not say.

    Raises
    ------
    FileFormatError
        If the file is damaged.
    """
    try:
        _, found = pyreadstat.read_sav(
            str(path), metadataonly=True, user_missing=True, encoding=encoding, output_format="dict"
        )
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, OSError, UnicodeError, ValueError) as error:
        raise unreadable(path, error) from error
    variables = tuple(_variable(name, found) for name in found.column_names)
    n_rows = -1 if found.number_rows is None else int(found.number_rows)
    return Codebook(variables=variables, file_label=found.file_label or ""), n_rows


def _variable(name: str, found: Any) -> Variable:
    """Describe one variable from the reader's metadata."""
    shape = _FORMAT.match(found.original_variable_types.get(name) or "")
    letters, width, decimals = shape.groups() if shape else ("", "", None)
    is_text = found.readstat_variable_types[name] == "string"
    kind = _kind(letters, int(decimals or 0), is_text=is_text)
    labels = {_code(code): label for code, label in found.variable_value_labels.get(name, {}).items()}
    codes, span = _missing(found.missing_ranges.get(name, []), labels)
    plain, kinds = read_marked(labels, codes)
    return Variable(
        name=name,
        label=found.column_names_to_labels.get(name) or "",
        type=kind,
        width=int(width) if width else None,
        decimals=int(decimals or 0) if kind in ("integer", "number") else None,
        values=plain,
        missing=kinds,
        missing_range=span,
    )


def _kind(letters: str, decimals: int, *, is_text: bool) -> str:
    """Name a variable's kind by its print format."""
    if is_text:
        return "text"
    if letters in DATE_FORMATS:
        return "date"
    if letters in ("DATETIME", "YMDHMS"):
        return "datetime"
    return "integer" if decimals == 0 and letters in ("F", "N", "") else "number"


def _code(value: Any) -> Code:
    """Write whole numbers as integers."""
    if isinstance(value, str):
        return value.rstrip()
    return int(value) if float(value).is_integer() else float(value)


def _missing(
    ranges: Sequence[Any], labels: Mapping[Code, str]
) -> tuple[list[Code], tuple[float, float] | None]:
    """List the missing codes; a range whose whole numbers all have labels becomes codes."""
    codes: list[Code] = []
    span: tuple[float, float] | None = None
    for entry in ranges:
        if not isinstance(entry, Mapping):
            codes.append(_code(entry))
        elif entry["lo"] == entry["hi"]:
            codes.append(_code(entry["lo"]))
        else:
            inside = [
                code for code in labels if not isinstance(code, str) and entry["lo"] <= code <= entry["hi"]
            ]
            codes.extend(inside)
            if not _is_listed(inside, entry["lo"], entry["hi"]):
                span = (_end(entry["lo"]), _end(entry["hi"]))
    return sorted(set(codes), key=lambda code: (isinstance(code, str), code)), span


def _is_listed(inside: Sequence[Code], low: float, high: float) -> bool:
    """Tell whether every whole number of a short range has its label."""
    if not (float(low).is_integer() and float(high).is_integer()) or high - low > MAX_RANGE_CODES:
        return False
    return set(inside) == set(range(int(low), int(high) + 1))


def _end(value: float) -> float:
    """Write SPSS's LOWEST and HIGHEST as infinities."""
    if value <= LOWEST:
        return -np.inf
    return np.inf if value >= -SYSTEM_MISSING else float(value)


def sav_chunks(
    path: Path, codebook: Codebook, *, rows: int, n_rows: int, encoding: str | None = None
) -> Iterator[pl.DataFrame]:
    """Walk the cases of an SPSS file.

    Parameters
    ----------
    path : Path
        The file.
    codebook : Codebook
        Its dictionary, restricted to the columns wanted.
    rows : int
        Cases per part.
    n_rows : int
        Number of cases; −1 where unknown.
    encoding : str, optional
        Character set, where the file states a wrong one.

    Yields
    ------
    polars.DataFrame
        Numbers as doubles, dates and moments as such, text; user-missing codes as they stand.

    Raises
    ------
    FileFormatError
        If the file is damaged or holds fewer cases than it announces.
    """
    n_read = 0
    if n_rows == 0:
        yield pl.DataFrame([_series(variable, []) for variable in codebook])
        return
    while n_rows < 0 or n_read < n_rows:
        try:
            found, _ = pyreadstat.read_sav(
                str(path),
                usecols=list(codebook.names),
                user_missing=True,
                disable_datetime_conversion=True,
                row_offset=n_read,
                row_limit=rows,
                output_format="dict",
                encoding=encoding,
            )
        except (
            pyreadstat.ReadstatError,
            pyreadstat.PyreadstatError,
            OSError,
            UnicodeError,
            ValueError,
        ) as error:
            raise unreadable(path, error) from error
        chunk = pl.DataFrame([_series(variable, found[variable.name]) for variable in codebook])
        del found
        if not chunk.height:
            break
        n_read += chunk.height
        yield chunk
    if 0 <= n_read < n_rows:
        raise unreadable(path, ValueError(f"it holds {n_read} of the {n_rows} cases that it announces"))


def _series(variable: Variable, values: list[Any]) -> pl.Series:
    """Make one column of what the reader gave."""
    if variable.type == "text":
        return pl.Series(variable.name, values, dtype=pl.String)
    numbers = pl.Series(variable.name, values, dtype=pl.Float64).fill_nan(None)
    if variable.type == "date":
        return ((numbers - EPOCH_SECONDS) / DAY_SECONDS).floor().cast(pl.Int32).cast(pl.Date)
    if variable.type == "datetime":
        return ((numbers - EPOCH_SECONDS) * 1e6).round().cast(pl.Int64).cast(pl.Datetime("us"))
    return numbers


def settle_integers(table: pl.DataFrame, codebook: Codebook) -> tuple[pl.DataFrame, Codebook]:
    """Make columns of whole numbers integers, where the print format has no decimals.

    Parameters
    ----------
    table : polars.DataFrame
        All rows, numbers as doubles.
    codebook : Codebook
        Kinds by the print formats.

    Returns
    -------
    table : polars.DataFrame
        Integers where every value is whole.
    codebook : Codebook
        ``"number"`` where some value is not, whatever the print format says.
    """
    variables = []
    columns = []
    for variable in codebook:
        column = table.get_column(variable.name)
        if variable.type == "integer" and column.dtype == pl.Float64:
            if column.null_count() == len(column) or whole(column):
                column = column.cast(pl.Int64)
            else:
                variable = replace(variable, type="number")
        variables.append(variable)
        columns.append(column)
    return pl.DataFrame(columns), Codebook(variables=tuple(variables), file_label=codebook.file_label)
