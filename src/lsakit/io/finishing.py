"""What every table goes through after it was read, whatever its format."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from lsakit.io.cleaning import clean_text, legacy_name
from lsakit.io.codebook import Codebook, Variable
from lsakit.io.column_types import coerce
from lsakit.io.contents import Note, ReadOptions
from lsakit.io.identifiers import as_identifiers
from lsakit.io.vietnamese import convert_legacy, detect_legacy, refuse_legacy


def finish(
    table: pl.DataFrame,
    *,
    source: str,
    options: ReadOptions,
    stated: Codebook | None = None,
    first_row: int = 2,
) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    """Clean text, keep identifiers whole, and give columns the types that were stated.

    Parameters
    ----------
    table : polars.DataFrame
        Rows as read.
    source : str
        File name, for refusals.
    options : ReadOptions
        What the caller asked for.
    stated : Codebook, optional
        The caller's codebook.
    first_row : int, default 2
        Row number in the file of the first row, for refusals.

    Returns
    -------
    table : polars.DataFrame
        The finished rows.
    notes : tuple of Note
        What was changed.

    Raises
    ------
    FileFormatError
        If text is in an old character set, an identifier lost its zeros, or a value is not of its stated type.
    """
    table, notes = clean_text(table, source=source, encoding=options.encoding)
    widths = {
        name: width
        for name, width in options.identifier_widths(stated).items()
        if name in table.columns or options.columns is None
    }
    asked = options.text_columns or ()
    widths = {name: width for name, width in widths.items() if name in table.columns or name in asked}
    table, more = as_identifiers(
        table, widths, source=source, restore_zeros=options.restore_zeros, first_row=first_row
    )
    if stated is not None:
        table = coerce(table, stated, source=source)
    return table, (*notes, *more)


def null_missing(table: pl.DataFrame, codebook: Codebook) -> pl.DataFrame:
    """Turn user-missing codes into null.

    Parameters
    ----------
    table : polars.DataFrame
        Rows with codes.
    codebook : Codebook
        Says which codes are missing.

    Returns
    -------
    polars.DataFrame
        The same rows.
    """
    columns = []
    for variable in codebook:
        if variable.name not in table.columns or not (variable.missing or variable.missing_range):
            continue
        column = table.get_column(variable.name)
        is_text = column.dtype == pl.String
        codes = [code for code in variable.missing if isinstance(code, str) == is_text]
        gone = pl.col(variable.name).is_in(
            pl.Series(codes, dtype=pl.String if is_text else pl.Float64).implode()
        )
        if is_text:
            expression = gone
        else:
            number = pl.col(variable.name).cast(pl.Float64)
            expression = number.is_in(pl.Series(codes, dtype=pl.Float64).implode())
            if variable.missing_range is not None:
                expression = expression | number.is_between(*variable.missing_range)
        columns.append(pl.when(expression).then(None).otherwise(pl.col(variable.name)).alias(variable.name))
    return table.with_columns(columns)


_KINDS = {pl.String: "text", pl.Date: "date", pl.Datetime: "datetime", pl.Boolean: "boolean"}


def describe(table: pl.DataFrame, codebook: Codebook | None) -> Codebook:
    """Give every column of a table its entry in the codebook.

    Parameters
    ----------
    table : polars.DataFrame
        The rows.
    codebook : Codebook, optional
        What is known; other variables are left out.

    Returns
    -------
    Codebook
        One variable per column, in the columns' order.
    """
    known = {variable.name: variable for variable in codebook or ()}
    variables = tuple(
        known.get(name) or Variable(name=name, type=kind_of(dtype)) for name, dtype in table.schema.items()
    )
    return Codebook(variables=variables, file_label=codebook.file_label if codebook else "")


def kind_of(dtype: pl.DataType) -> str:
    """Name a column type as the codebook does.

    Parameters
    ----------
    dtype : polars.DataType
        Type of a column.

    Returns
    -------
    str
        One of the codebook's types.
    """
    if dtype.is_integer():
        return "integer"
    return _KINDS.get(dtype.base_type(), "number" if dtype.is_numeric() else "text")


def clean_labels(codebook: Codebook, *, source: str, encoding: str | None) -> Codebook:
    """Convert labels from an old character set, or refuse them.

    Parameters
    ----------
    codebook : Codebook
        Labels as read.
    source : str
        File name, for the refusal.
    encoding : str, optional
        ``"tcvn3"`` or ``"vni"`` to convert.

    Returns
    -------
    Codebook
        Labels in Unicode.

    Raises
    ------
    FileFormatError
        If the labels are in TCVN3 or VNI and no conversion was asked for.
    """
    wanted = legacy_name(encoding)
    texts = [text for item in codebook for text in (item.label, *item.values.values()) if not text.isascii()]
    found = detect_legacy(texts) if texts else None
    if found and found != wanted:
        raise refuse_legacy(source, found, column="labels", sample=texts[0][:40])
    if not found:
        return codebook
    return replace(
        codebook,
        variables=tuple(
            replace(
                item,
                label=convert_legacy(item.label, found),
                values={code: convert_legacy(text, found) for code, text in item.values.items()},
            )
            for item in codebook
        ),
    )
