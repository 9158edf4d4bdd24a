"""Files opened for reading part by part: one form for every format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lsakit.errors import FileFormatError, UnknownColumnError
from lsakit.io.cleaning import clean_text, legacy_name
from lsakit.io.codebook import Codebook, Variable
from lsakit.io.column_types import ColumnEvidence
from lsakit.io.contents import Note, Progress, ReadOptions
from lsakit.io.csv_structure import CsvStructure, opened_csv
from lsakit.io.csv_tables import add_evidence, kinds_of, text_chunks, typed
from lsakit.io.excel import read_excel
from lsakit.io.finishing import clean_labels, describe, finish, null_missing
from lsakit.io.spss import read_sav_metadata, sav_chunks, unreadable
from lsakit.io.stata import read_dta

PARQUET_KEY = "lsakit.codebook"
CELLS_PER_PART = 3_000_000
READABLE = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".parquet", ".sav", ".zsav", ".dta")
TEXT_FILES = (".csv", ".tsv", ".txt")
SAV_FILES = (".sav", ".zsav")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file opened for reading part by part.

    Parameters
    ----------
    codebook : Codebook
        One variable per column that will be read.
    n_rows : int
        Number of rows; −1 where the file does not say.
    parts : Callable
        Gives, for a number of rows, the finished parts with the notes of each.
    text_bytes : Callable
        Gives an upper bound of the bytes of each text column.
    """

    codebook: Codebook
    n_rows: int
    parts: Callable[[int], Iterator[tuple[pl.DataFrame, tuple[Note, ...]]]]
    text_bytes: Callable[[], Mapping[str, int]]

    @property
    def rows_per_part(self) -> int:
        """Rows that make a part of moderate size, however many columns there are."""
        return max(500, CELLS_PER_PART // max(1, len(self.codebook.variables)))


@contextmanager
def opened(
    path: Path, *, stated: Codebook | None, options: ReadOptions, progress: Progress | None = None
) -> Iterator[Source]:
    """Open a file of any readable format.

    Parameters
    ----------
    path : Path
        The file.
    stated : Codebook, optional
        The caller's codebook.
    options : ReadOptions
        What the caller asked for.
    progress : Callable, optional
        Told while a CSV file is examined.

    Yields
    ------
    Source
        The file's parts.

    Raises
    ------
    FileFormatError
        If the file is absent, empty, damaged or of an unknown extension.
    """
    suffix = _checked(path)
    if suffix in TEXT_FILES:
        with opened_csv(path, encoding=options.encoding) as structure:
            yield _csv_source(path, structure, stated or sidecar(path), options, progress)
    elif suffix in SAV_FILES:
        yield _sav_source(path, stated, options)
    elif suffix == ".parquet":
        yield _parquet_source(path, stated, options)
    else:
        yield _whole_source(path, suffix, stated, options)


def _checked(path: Path) -> str:
    """Refuse a file that is absent, empty or of an extension that nobody reads."""
    suffix = path.suffix.lower()
    if suffix not in READABLE:
        raise FileFormatError(
            f"The extension {path.suffix or '(none)'!r} of {path.name!r} is not one that can be read.",
            hint=f"Use one of {', '.join(READABLE)}.",
            param="path",
            got=path.suffix,
        )
    if not path.is_file():
        raise FileFormatError(
            f"There is no file {path.name!r}.",
            hint="Check the folder and the spelling of its name.",
            param="path",
        )
    if path.stat().st_size == 0:
        raise FileFormatError(
            f"The file {path.name!r} is empty.", hint="Export it again from its source.", param="path"
        )
    return suffix


def sidecar(path: Path) -> Codebook | None:
    """Read the codebook that lies beside a CSV file.

    Parameters
    ----------
    path : Path
        The CSV file; its codebook is named ``<stem>.codebook.json``.

    Returns
    -------
    Codebook or None
        The codebook, where there is one.
    """
    beside = sidecar_path(path)
    return Codebook.from_json(beside.read_text(encoding="utf-8")) if beside.is_file() else None


def sidecar_path(path: Path) -> Path:
    """Name the codebook that lies beside a CSV file.

    Parameters
    ----------
    path : Path
        The CSV file.

    Returns
    -------
    Path
        In the same folder.
    """
    return path.with_name(f"{path.stem}.codebook.json")


def _wanted(names: tuple[str, ...], options: ReadOptions, source: str) -> list[str]:
    """List the columns to read, refusing one that is not there."""
    if options.columns is None:
        return list(names)
    absent = [name for name in options.columns if name not in names]
    if absent:
        raise UnknownColumnError(
            f"The file {source!r} has no column {absent[0]!r}.",
            hint=f"Its columns are: {', '.join(names[:12])}{' …' if len(names) > 12 else ''}.",
            param=absent[0],
            got=names,
        )
    return list(options.columns)


def _finished(
    chunks: Iterator[pl.DataFrame],
    source: str,
    options: ReadOptions,
    stated: Codebook | None,
    missing: Codebook,
) -> Iterator[tuple[pl.DataFrame, tuple[Note, ...]]]:
    """Finish the parts of a file, counting its rows for refusals."""
    row = 1
    for chunk in chunks:
        table, notes = finish(chunk, source=source, options=options, stated=stated, first_row=row)
        row += chunk.height
        yield (null_missing(table, missing) if options.user_missing == "null" else table), notes


def _csv_source(
    path: Path,
    structure: CsvStructure,
    stated: Codebook | None,
    options: ReadOptions,
    progress: Progress | None,
) -> Source:
    """Walk a CSV file once for its types, then open it."""
    wanted = _wanted(structure.columns, options, path.name)
    stated = stated.select(wanted) if stated else None
    collected: dict[str, ColumnEvidence] = {}
    widths: dict[str, int] = {}
    empty = pl.DataFrame(schema=dict.fromkeys(wanted, pl.String))
    n_seen = 0

    def cleaned(rows: int) -> Iterator[pl.DataFrame]:
        for chunk in text_chunks(structure, rows):
            yield clean_text(chunk.select(wanted), source=path.name, encoding=options.encoding)[0]

    rows = max(500, CELLS_PER_PART // len(structure.columns))
    for chunk in cleaned(rows):
        collected = add_evidence(collected, chunk)
        for name, n_bytes in longest_texts(chunk).items():
            widths[name] = max(widths.get(name, 1), n_bytes)
        n_seen += chunk.height
        if progress is not None and structure.n_rows:
            progress("examine", n_seen / structure.n_rows)
    kinds = kinds_of(collected, structure, set(options.identifier_widths(stated)))
    example = finish(typed(empty, kinds), source=path.name, options=options, stated=stated)[0]
    book = describe(example, stated)

    def parts(rows: int) -> Iterator[tuple[pl.DataFrame, tuple[Note, ...]]]:
        row = 2
        for chunk in text_chunks(structure, rows):
            clean, notes = clean_text(chunk.select(wanted), source=path.name, encoding=options.encoding)
            table, more = finish(
                typed(clean, kinds), source=path.name, options=options, stated=stated, first_row=row
            )
            row += chunk.height
            yield (null_missing(table, book) if options.user_missing == "null" else table), (*notes, *more)

    return Source(codebook=book, n_rows=structure.n_rows, parts=parts, text_bytes=lambda: widths)


def _sav_source(path: Path, stated: Codebook | None, options: ReadOptions) -> Source:
    """Open an SPSS file."""
    encoding = None if legacy_name(options.encoding) else options.encoding
    own, n_rows = read_sav_metadata(path, encoding)
    wanted = _wanted(own.names, options, path.name)
    own = clean_labels(own.select(wanted), source=path.name, encoding=options.encoding)
    book = _merged(own, stated)
    factor = 3 if options.encoding else 1

    def parts(rows: int) -> Iterator[tuple[pl.DataFrame, tuple[Note, ...]]]:
        chunks = sav_chunks(path, own, rows=rows, n_rows=n_rows, encoding=encoding)
        ordered = (chunk.select(wanted) for chunk in chunks)
        return _finished(ordered, path.name, options, stated, book)

    def text_bytes() -> Mapping[str, int]:
        return {item.name: factor * (item.width or 1) for item in own if item.type == "text"}

    return Source(codebook=book, n_rows=n_rows, parts=parts, text_bytes=text_bytes)


def _merged(own: Codebook, stated: Codebook | None) -> Codebook:
    """Let the caller's entries stand for the file's."""
    if stated is None:
        return own
    known: dict[str, Variable] = {item.name: item for item in stated}
    variables = tuple(known.get(item.name, item) for item in own)
    return Codebook(variables=variables, file_label=stated.file_label or own.file_label)


def parquet_codebook(path: Path) -> Codebook | None:
    """Read the codebook that a Parquet file carries.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Codebook or None
        The codebook, where there is one.

    Raises
    ------
    FileFormatError
        If the file is damaged.
    """
    try:
        text = pl.read_parquet_metadata(path).get(PARQUET_KEY)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise unreadable(path, error) from error
    return Codebook.from_json(text) if text else None


def _parquet_source(path: Path, stated: Codebook | None, options: ReadOptions) -> Source:
    """Open a Parquet file."""
    own = parquet_codebook(path)
    try:
        lazy = pl.scan_parquet(path)
        schema = lazy.collect_schema()
        n_rows = int(lazy.select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, OSError) as error:
        raise unreadable(path, error) from error
    wanted = _wanted(tuple(schema), options, path.name)
    example = pl.DataFrame(schema={name: schema[name] for name in wanted})
    book = describe(example, stated or own)

    def parts(rows: int) -> Iterator[tuple[pl.DataFrame, tuple[Note, ...]]]:
        try:
            if n_rows == 0:
                yield from _finished(iter([example]), path.name, options, stated, book)
            else:
                chosen = lazy.select(wanted)
                slices = (chosen.slice(start, rows).collect() for start in range(0, n_rows, rows))
                yield from _finished(slices, path.name, options, stated, book)
        except pl.exceptions.PolarsError as error:
            raise unreadable(path, error) from error

    def text_bytes() -> Mapping[str, int]:
        texts = [name for name in wanted if schema[name] == pl.String]
        if not texts or not n_rows:
            return dict.fromkeys(texts, 1)
        longest = lazy.select([pl.col(name).str.len_bytes().max() for name in texts]).collect(
            engine="streaming"
        )
        return {name: int(longest.get_column(name)[0] or 1) for name in texts}

    return Source(codebook=book, n_rows=n_rows, parts=parts, text_bytes=text_bytes)


def _whole_source(path: Path, suffix: str, stated: Codebook | None, options: ReadOptions) -> Source:
    """Read a workbook or a Stata file, which come as a whole."""
    if suffix == ".dta":
        encoding = None if legacy_name(options.encoding) else options.encoding
        first_row = 1
        raw, own = read_dta(path, columns=None, stated=stated, encoding=encoding)
        known: Codebook | None = _merged(
            clean_labels(own, source=path.name, encoding=options.encoding), stated
        )
    else:
        first_row = options.header_row + 1
        raw, own_or_none = read_excel(path, options, stated)
        stated = stated or own_or_none
        known = stated
    wanted = _wanted(tuple(raw.columns), options, path.name)
    raw = raw.select(wanted)
    stated = stated.select(wanted) if stated else None
    table, notes = finish(raw, source=path.name, options=options, stated=stated, first_row=first_row)
    book = describe(table, known)
    finished = null_missing(table, book) if options.user_missing == "null" else table

    def parts(rows: int) -> Iterator[tuple[pl.DataFrame, tuple[Note, ...]]]:
        for start in range(0, max(1, finished.height), rows):
            yield finished.slice(start, rows), notes if start == 0 else ()

    def text_bytes() -> Mapping[str, int]:
        return longest_texts(finished)

    return Source(codebook=book, n_rows=finished.height, parts=parts, text_bytes=text_bytes)


def longest_texts(table: pl.DataFrame) -> dict[str, int]:
    """Measure the longest value of each text column.

    Parameters
    ----------
    table : polars.DataFrame
        Rows.

    Returns
    -------
    dict of str to int
        Bytes of UTF-8, at least 1.
    """
    texts = [name for name, dtype in table.schema.items() if dtype == pl.String]
    longest = table.select([pl.col(name).str.len_bytes().max() for name in texts])
    return {name: max(1, longest.get_column(name)[0] or 1) for name in texts}
