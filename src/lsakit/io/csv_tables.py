"""Rows of CSV files: typed chunks in, whole files out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from lsakit.errors import FileFormatError
from lsakit.io.column_types import ColumnEvidence, apply_kinds, evidence
from lsakit.io.csv_structure import CsvStructure, outside_quotes

PART_BYTES = 1 << 23


def text_chunks(structure: CsvStructure, rows: int) -> Iterator[pl.DataFrame]:
    """Walk a CSV file, all values as text.

    Parameters
    ----------
    structure : CsvStructure
        How the file is built.
    rows : int
        Most rows per part.

    Yields
    ------
    polars.DataFrame
        Text columns; an empty field is null.

    Raises
    ------
    FileFormatError
        If the file does not hold the number of rows that its line ends announce.
    """
    names = list(structure.columns)
    n_read = 0
    if structure.n_rows == 0:
        yield pl.DataFrame(schema=dict.fromkeys(names, pl.String))
        return
    for block in _record_blocks(structure.path):
        try:
            chunk = pl.read_csv(
                block, has_header=False, separator=structure.delimiter, infer_schema=False, new_columns=names
            )
        except pl.exceptions.PolarsError as error:
            raise FileFormatError(
                f"The CSV file cannot be parsed after row {n_read}: {str(error).splitlines()[0]}.",
                hint="Check its quotation marks, or export it again.",
                param="path",
            ) from error
        n_read += chunk.height
        yield from chunk.iter_slices(rows)
    if n_read != structure.n_rows:
        raise FileFormatError(
            f"The CSV file has {structure.n_rows} lines after its header, but {n_read} records.",
            why="A quotation mark inside a value probably joins lines.",
            hint="Export it again with quotation marks doubled inside values.",
            param="path",
        )


def _record_blocks(path: Path) -> Iterator[bytes]:
    """Cut a file, after its header, into blocks of whole records."""
    rest, is_first = b"", True
    with path.open("rb") as stream:
        while block := stream.read(PART_BYTES):
            data = rest + block
            ends = outside_quotes(data, "\n", is_quoted=False)[1]
            start = 0
            if is_first and len(ends):
                start, is_first = int(ends[0]) + 1, False
            cut = int(ends[-1]) + 1 if len(ends) else start
            if cut > start:
                yield data[start:cut]
            rest = data[cut:]
    if rest and not is_first:
        yield rest


def kinds_of(
    collected: dict[str, ColumnEvidence], structure: CsvStructure, keep_text: set[str]
) -> dict[str, str]:
    """Decide the type of every column.

    Parameters
    ----------
    collected : dict of str to ColumnEvidence
        Evidence over the whole file.
    structure : CsvStructure
        Its delimiter tells whether decimal commas are possible.
    keep_text : set of str
        Columns that are identifiers or declared as text.

    Returns
    -------
    dict of str to str
        Type by column.
    """
    decimal_comma = structure.delimiter in (";", "\t")
    kinds = {name: found.kind(decimal_comma=decimal_comma) for name, found in collected.items()}
    digits_as_text = {name for name in structure.quoted if kinds.get(name) in ("integer", "number", "comma")}
    return {name: "text" if name in keep_text | digits_as_text else kind for name, kind in kinds.items()}


def add_evidence(collected: dict[str, ColumnEvidence], chunk: pl.DataFrame) -> dict[str, ColumnEvidence]:
    """Add what one part of the file shows about its columns.

    Parameters
    ----------
    collected : dict of str to ColumnEvidence
        Evidence so far; empty at first.
    chunk : polars.DataFrame
        Cleaned text.

    Returns
    -------
    dict of str to ColumnEvidence
        The sums.
    """
    seen = evidence(chunk)
    return {name: collected[name] + found if name in collected else found for name, found in seen.items()}


def typed(chunk: pl.DataFrame, kinds: dict[str, str]) -> pl.DataFrame:
    """Give the columns of one part their types.

    Parameters
    ----------
    chunk : polars.DataFrame
        Cleaned text.
    kinds : dict of str to str
        Type by column.

    Returns
    -------
    polars.DataFrame
        Typed rows.
    """
    return apply_kinds(chunk, kinds)


def write_csv_part(table: pl.DataFrame, draft: Path, *, append: bool) -> None:
    """Write rows as UTF-8 CSV; text is quoted, so that codes of digits stay text.

    Parameters
    ----------
    table : polars.DataFrame
        Rows.
    draft : Path
        File to write; the first part carries the byte order mark that Excel needs, and the header.
    append : bool
        Whether this is a later part.
    """
    with draft.open("ab" if append else "wb") as stream:
        if not append:
            stream.write(b"\xef\xbb\xbf")
        table.write_csv(stream, include_header=not append, quote_style="non_numeric")
