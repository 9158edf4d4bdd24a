"""Read and write tables in the formats that users have.

``read_table`` gives the rows, ``read_file`` the rows with their codebook and notes, ``write_table`` writes
either whole or not at all. What each format keeps and loses: docs/algorithms/files.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack

import polars as pl
import pyreadstat

from lsakit.errors import FileFormatError, TableError
from lsakit.io.atomic import replacing
from lsakit.io.codebook import Codebook
from lsakit.io.contents import FileContents, Note, Progress, ReadKeywords, ReadOptions, merge_notes
from lsakit.io.csv_tables import write_csv_part
from lsakit.io.excel import write_excel
from lsakit.io.finishing import describe
from lsakit.io.frames import as_table
from lsakit.io.sav_writer import SavWriter, plan_columns
from lsakit.io.sources import PARQUET_KEY, longest_texts, opened, sidecar_path
from lsakit.io.spss import settle_integers
from lsakit.io.stata import write_dta

WRITABLE = (".csv", ".xlsx", ".parquet", ".sav", ".zsav", ".dta")
PART_ROWS = 20_000


def read_table(
    path: str | Path,
    *,
    codebook: Codebook | None = None,
    progress: Progress | None = None,
    **options: Unpack[ReadKeywords],
) -> pl.DataFrame:
    """Read a table from a file, its kind told by the extension.

    Parameters
    ----------
    path : str or Path
        A ``.csv``, ``.tsv``, ``.txt``, ``.xlsx``, ``.xls``, ``.parquet``, ``.sav``, ``.zsav`` or ``.dta`` file.
    codebook : Codebook, optional
        What the columns hold; its types, identifiers and missing codes stand above the file's own.
    progress : Callable, optional
        Called with a word and a fraction between 0 and 1; may raise CancelledError.
    **options
        ``sheet``, ``columns``, ``text_columns``, ``encoding``, ``user_missing``, ``restore_zeros`` and
        ``header_row``, as ReadOptions describes them.

    Returns
    -------
    polars.DataFrame
        The rows. Text is in Unicode NFC; empty text is null; user-missing codes stay values unless
        ``user_missing="null"``.

    Raises
    ------
    FileFormatError
        If the file is absent, damaged, cut off, in an old character set, or lost leading zeros.
    UnknownColumnError
        If a column asked for is not there.

    See Also
    --------
    read_file : The same with the codebook and notes of what was changed.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.csv").write_text("province_code;score\\n01;498,5\\n79;512,25\\n", encoding="utf-8")
    >>> read_table(folder / "a.csv").rows()
    [('01', 498.5), ('79', 512.25)]
    """
    return read_file(path, codebook=codebook, progress=progress, **options).table


def read_file(
    path: str | Path,
    *,
    codebook: Codebook | None = None,
    progress: Progress | None = None,
    **options: Unpack[ReadKeywords],
) -> FileContents:
    """Read a table with its codebook and notes of what reading changed.

    Parameters
    ----------
    path : str or Path
        The file.
    codebook : Codebook, optional
        What the columns hold.
    progress : Callable, optional
        Called with a word and a fraction between 0 and 1.
    **options
        As ReadOptions describes them.

    Returns
    -------
    FileContents
        Table, codebook and notes.

    Raises
    ------
    FileFormatError
        As ``read_table``.
    """
    path = Path(path)
    chosen = ReadOptions(**options)
    notes: list[Note] = []
    parts: list[pl.DataFrame] = []
    n_read = 0
    with opened(path, stated=codebook, options=chosen, progress=progress) as source:
        for part, more in source.parts(source.rows_per_part):
            parts.append(part)
            notes.extend(more)
            n_read += part.height
            if progress is not None and source.n_rows > 0:
                progress("read", n_read / source.n_rows)
        book = source.codebook
    table = pl.concat(parts, rechunk=True)
    if path.suffix.lower() in (".sav", ".zsav"):
        table, settled = settle_integers(table, book)
        book = settled if codebook is None else book
    return FileContents(table=table, codebook=describe(table, book), notes=merge_notes(notes))


def write_table(
    table: Any, path: str | Path, *, codebook: Codebook | None = None, progress: Progress | None = None
) -> tuple[Note, ...]:
    """Write a table to a file, its kind told by the extension.

    Parameters
    ----------
    table : polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        The rows.
    path : str or Path
        A ``.csv``, ``.xlsx``, ``.parquet``, ``.sav``, ``.zsav`` or ``.dta`` file; replaced if it is there.
    codebook : Codebook, optional
        Labels and missing codes. A CSV file gets them in ``<stem>.codebook.json`` beside it, Parquet in its
        metadata, Excel on a sheet of its own.
    progress : Callable, optional
        Called with a word and a fraction between 0 and 1; may raise CancelledError, which leaves no file.

    Returns
    -------
    tuple of Note
        What the format could not keep; empty when it keeps everything.

    Raises
    ------
    FileFormatError
        If the extension is unknown or the folder cannot be written.
    TableError
        If a value, name or label has no place in the format. Nothing is written then.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.sav"
    >>> write_table({"school_id": ["07", "11"], "enrolment": [312, None]}, path)
    ()
    >>> read_table(path).rows()
    [('07', 312), ('11', None)]
    """
    path = Path(path)
    rows = as_table(table)
    suffix = path.suffix.lower()
    refuse_extension(path)
    if not rows.width:
        raise TableError(
            "The table has no columns.", hint="Write a table of at least one column.", param="table"
        )
    book = codebook.select(rows.columns) if codebook is not None else Codebook()
    rows = rows.with_columns(
        [pl.col(name).fill_nan(None) for name, kind in rows.schema.items() if kind.is_float()]
    )
    notes: tuple[Note, ...] = ()
    with replacing(path) as draft:
        if suffix == ".csv":
            _refuse_infinite(rows)
            _in_parts(rows, lambda part, n: write_csv_part(part, draft, append=n > 0), progress)
        elif suffix == ".parquet":
            metadata = {PARQUET_KEY: book.to_json()} if codebook is not None else None
            rows.write_parquet(draft, metadata=metadata)
        elif suffix == ".xlsx":
            write_excel(rows, draft, codebook and book)
        elif suffix == ".dta":
            notes = _stata(rows, draft, book)
        else:
            notes = _sav(rows, draft, book, progress)
    if suffix == ".csv" and codebook is not None:
        with replacing(sidecar_path(path)) as draft:
            draft.write_text(book.to_json(), encoding="utf-8")
    return notes


def refuse_extension(path: Path) -> None:
    """Refuse a file name whose extension nobody writes.

    Parameters
    ----------
    path : Path
        Where to write.

    Raises
    ------
    FileFormatError
        If the extension is not one of WRITABLE.
    """
    if path.suffix.lower() not in WRITABLE:
        raise FileFormatError(
            f"The extension {path.suffix or '(none)'!r} of {path.name!r} is not one that can be written.",
            hint=f"Use one of {', '.join(WRITABLE)}.",
            param="path",
            got=path.suffix,
        )


def _in_parts(rows: pl.DataFrame, write: Any, progress: Progress | None) -> None:
    """Hand a table over part by part, telling the progress."""
    for start in range(0, max(1, rows.height), PART_ROWS):
        write(rows.slice(start, PART_ROWS), start)
        if progress is not None:
            progress("write", min(1.0, (start + PART_ROWS) / max(1, rows.height)))


def _refuse_infinite(rows: pl.DataFrame) -> None:
    """Refuse numbers that a text of digits cannot hold."""
    for name, dtype in rows.schema.items():
        if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
            raise TableError(
                f"The column {name!r} is of type {dtype}, which a CSV file cannot hold.",
                hint="Write Parquet, or one column for each part.",
                param=name,
            )
        column = rows.get_column(name)
        if dtype.is_float() and column.is_infinite().any():
            raise TableError(
                f"The column {name!r} holds an infinite number.",
                where=[f"row {row + 1}" for row in column.is_infinite().arg_true().to_list()],
                hint="Correct it or leave it empty.",
                param=name,
            )


def _stata(rows: pl.DataFrame, draft: Path, book: Codebook) -> tuple[Note, ...]:
    """Write Stata, turning its writer's errors into refusals."""
    try:
        return write_dta(rows, draft, book)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, OverflowError) as error:
        raise TableError(
            f"The table cannot be written as a Stata file: {error}.", hint="Write Parquet or SPSS instead."
        ) from error


def _sav(rows: pl.DataFrame, draft: Path, book: Codebook, progress: Progress | None) -> tuple[Note, ...]:
    """Write SPSS, part by part."""
    columns = plan_columns(rows.schema, longest_texts(rows), book)
    with draft.open("wb") as stream:
        writer = SavWriter(stream, columns, file_label=book.file_label, zlib=draft.suffix.lower() == ".zsav")
        _in_parts(rows, lambda part, _: writer.write(part), progress)
        writer.close()
    return boolean_notes(rows.schema)


def boolean_notes(schema: pl.Schema) -> tuple[Note, ...]:
    """Say which columns a statistical file holds as 0 and 1.

    Parameters
    ----------
    schema : polars.Schema
        Column names and types.

    Returns
    -------
    tuple of Note
        One per truth-valued column.
    """
    names: Sequence[str] = [name for name, dtype in schema.items() if dtype == pl.Boolean]
    return tuple(Note(column=name, sentence="Truth values were written as 1 and 0.") for name in names)
