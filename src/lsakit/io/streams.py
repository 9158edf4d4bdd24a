"""Files larger than memory: walked part by part, converted from one format to another as a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import polars as pl
from polars.io.plugins import register_io_source

from lsakit.errors import FileFormatError, LsakitError
from lsakit.io.atomic import replacing
from lsakit.io.codebook import Codebook
from lsakit.io.column_types import whole
from lsakit.io.contents import Note, Progress, ReadKeywords, ReadOptions, merge_notes
from lsakit.io.csv_tables import write_csv_part
from lsakit.io.files import boolean_notes, read_file, refuse_extension, write_table
from lsakit.io.sav_writer import SavWriter, plan_columns
from lsakit.io.sources import PARQUET_KEY, Source, opened, sidecar_path

STREAMED = (".csv", ".parquet", ".sav", ".zsav")
Parts = Iterator[pl.DataFrame]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What a conversion did.

    Parameters
    ----------
    n_rows, n_columns : int
        Size of the table.
    codebook : Codebook
        Labels and missing codes that were carried over.
    notes : tuple of Note
        What reading changed and what the new format could not keep.
    """

    n_rows: int
    n_columns: int
    codebook: Codebook
    notes: tuple[Note, ...]


def iterate_table(
    path: str | Path,
    *,
    rows: int | None = None,
    codebook: Codebook | None = None,
    progress: Progress | None = None,
    **options: Unpack[ReadKeywords],
) -> Iterator[pl.DataFrame]:
    """Walk a file part by part in bounded memory.

    Parameters
    ----------
    path : str or Path
        CSV, Parquet and SPSS files are streamed; workbooks and Stata files are read whole and then cut.
    rows : int, optional
        Rows per part; by default about three million cells.
    codebook : Codebook, optional
        What the columns hold.
    progress : Callable, optional
        Called with a word and a fraction between 0 and 1.
    **options
        As ReadOptions describes them.

    Yields
    ------
    polars.DataFrame
        The parts in order, all of one schema. Numbers of SPSS files stay doubles, because whether a column
        holds whole numbers only is known at its end.

    Raises
    ------
    FileFormatError
        As ``read_table``, at the part where it is met.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.parquet"
    >>> _ = write_table({"x": [1, 2, 3]}, path)
    >>> [part.height for part in iterate_table(path, rows=2)]
    [2, 1]
    """
    with opened(Path(path), stated=codebook, options=ReadOptions(**options), progress=progress) as source:
        n_read = 0
        for part, _ in source.parts(rows or source.rows_per_part):
            n_read += part.height
            yield part
            if progress is not None and source.n_rows > 0:
                progress("read", n_read / source.n_rows)


def convert_table(
    source: str | Path,
    target: str | Path,
    *,
    codebook: Codebook | None = None,
    progress: Progress | None = None,
    **options: Unpack[ReadKeywords],
) -> Conversion:
    """Turn a file of one format into another, in bounded memory where both can be streamed.

    Parameters
    ----------
    source : str or Path
        File to read.
    target : str or Path
        File to write; appears only when it is complete.
    codebook : Codebook, optional
        What the columns hold; by default what the source says.
    progress : Callable, optional
        Called with a word and a fraction between 0 and 1; may raise CancelledError.
    **options
        As ReadOptions describes them.

    Returns
    -------
    Conversion
        Size, codebook and notes.

    Raises
    ------
    FileFormatError
        If the source cannot be read or the target's extension is unknown.
    TableError
        If a value, name or label has no place in the new format.

    Notes
    -----
    CSV, Parquet and SPSS are streamed both ways; with an Excel or Stata file on either side the whole table is
    held in memory. Whole numbers of SPSS files stand in Parquet as doubles.
    """
    source, target = Path(source), Path(target)
    refuse_extension(target)
    if target.suffix.lower() not in STREAMED:
        contents = read_file(source, codebook=codebook, progress=progress, **options)
        lost = write_table(contents.table, target, codebook=contents.codebook, progress=progress)
        return Conversion(
            n_rows=contents.table.height,
            n_columns=contents.table.width,
            codebook=contents.codebook,
            notes=(*contents.notes, *lost),
        )
    with opened(source, stated=codebook, options=ReadOptions(**options), progress=progress) as found:
        return _streamed(found, target, progress)


def _streamed(found: Source, target: Path, progress: Progress | None) -> Conversion:
    """Hand the parts of an open file to the writer of the target's format."""
    notes: list[Note] = []
    n_rows = 0

    def parts() -> Parts:
        nonlocal n_rows
        for part, more in found.parts(found.rows_per_part):
            notes.extend(more)
            n_rows += part.height
            yield part.with_columns(
                [pl.col(name).fill_nan(None) for name, kind in part.schema.items() if kind.is_float()]
            )
            if progress is not None and found.n_rows > 0:
                progress("convert", n_rows / found.n_rows)

    suffix = target.suffix.lower()
    with replacing(target) as draft:
        if suffix == ".csv":
            _to_csv(parts(), draft)
        elif suffix == ".parquet":
            _to_parquet(parts, found, draft)
        else:
            notes.extend(_to_sav(parts(), found, draft))
    if suffix == ".csv":
        with replacing(sidecar_path(target)) as draft:
            draft.write_text(found.codebook.to_json(), encoding="utf-8")
    return Conversion(
        n_rows=n_rows,
        n_columns=len(found.codebook.variables),
        codebook=found.codebook,
        notes=merge_notes(notes),
    )


def _to_csv(parts: Parts, draft: Path) -> None:
    """Append part after part; whole numbers are written without a decimal point."""
    for number, part in enumerate(parts):
        plain = [
            column.cast(pl.Int64) if column.dtype == pl.Float64 and whole(column) else column
            for column in part.get_columns()
        ]
        write_csv_part(pl.DataFrame(plain), draft, append=number > 0)


def _to_sav(parts: Parts, found: Source, draft: Path) -> tuple[Note, ...]:
    """Write an SPSS file; its plan comes from the first part and the known text lengths."""
    first = next(parts)
    columns = plan_columns(first.schema, dict(found.text_bytes()), found.codebook)
    with draft.open("wb") as stream:
        writer = SavWriter(
            stream, columns, file_label=found.codebook.file_label, zlib=draft.suffix.lower() == ".zsav"
        )
        writer.write(first)
        for part in parts:
            writer.write(part)
        writer.close()
    return boolean_notes(first.schema)


def _to_parquet(parts: Callable[[], Parts], found: Source, draft: Path) -> None:
    """Sink parts into a Parquet file through the streaming engine."""
    running = parts()
    first = next(running)
    stopped: list[BaseException] = []

    def batches(with_columns: Any, predicate: Any, n_rows: Any, batch_size: Any) -> Parts:
        try:
            yield first
            yield from running
        except LsakitError as error:
            stopped.append(error)
            raise

    try:
        register_io_source(batches, schema=first.schema).sink_parquet(
            draft, engine="streaming", metadata={PARQUET_KEY: found.codebook.to_json()}
        )
    except (pl.exceptions.PolarsError, LsakitError) as error:
        if stopped:
            raise stopped[0] from None
        raise FileFormatError(
            f"The Parquet file cannot be written: {str(error).splitlines()[0]}.", param="target"
        ) from error
