"""A table in pieces that fit in memory one at a time: Parquet files, or what DuckDB can select.

A shard is a range of rows of one Parquet file; it can be sent to another process or machine that sees the same
file. See ``docs/beyond_one_machine.md``.
"""

from __future__ import annotations

import glob
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl

from lsakit.errors import FileFormatError, TableError, UnknownColumnError

ROWS_PER_SHARD = 150_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A range of rows of a Parquet file.

    Parameters
    ----------
    path : str
        The file, absolute.
    first : int
        First row, from 0.
    n_rows : int
        Number of rows.
    stamp : str
        Size and time of change of the file when it was opened, so that a changed file is not taken for the old one.
    """

    path: str
    first: int
    n_rows: int
    stamp: str

    def read(self, columns: Sequence[str]) -> pl.DataFrame:
        """Read columns of these rows."""
        try:
            scan = pl.scan_parquet(self.path, glob=False).slice(self.first, self.n_rows)
            table = scan.select(list(columns)).collect()
        except (OSError, pl.exceptions.PolarsError) as cause:
            raise _unreadable(self.path, cause) from cause
        if table.height != self.n_rows:
            raise FileFormatError(
                f"The file {Path(self.path).name!r} changed while it was read: {self.n_rows} rows were expected from "
                f"row {self.first + 1} on, {table.height} came.",
                hint="Open the files again when nothing writes to them.",
                param="source",
            )
        return table

    @property
    def label(self) -> str:
        """The file's name, for sentences."""
        return Path(self.path).name


def parquet_shards(
    files: Sequence[str | Path], *, rows_per_shard: int = ROWS_PER_SHARD
) -> tuple[tuple[Shard, ...], pl.Schema]:
    """Cut Parquet files into shards.

    Parameters
    ----------
    files : Sequence of str or Path
        Files, folders (all their ``.parquet`` files) and patterns such as ``"students/part-*.parquet"``.
    rows_per_shard : int, default 150_000
        Most rows of a shard; one shard at a time lies in the memory of a worker.

    Returns
    -------
    shards : tuple of Shard
        Shards in the order of the files' names.
    schema : polars.Schema
        Columns that every file has, with their types.

    Raises
    ------
    FileFormatError
        If a path is not there or no Parquet file, or no file is found.
    TableError
        If the files differ in the kind of a column, or ``rows_per_shard`` is below 1.
    """
    if rows_per_shard < 1:
        raise TableError(f"'rows_per_shard' is at least 1. Got {rows_per_shard}.", param="rows_per_shard")
    paths = _listed(files)
    shards: list[Shard] = []
    schema: pl.Schema | None = None
    for path in paths:
        try:
            scan = pl.scan_parquet(path, glob=False)
            own = scan.collect_schema()
            height = int(scan.select(pl.len()).collect().item())
        except (OSError, pl.exceptions.PolarsError) as cause:
            raise _unreadable(path, cause) from cause
        schema = own if schema is None else _common(schema, own, paths[0], path)
        status = path.stat()
        stamp = f"{status.st_size}:{status.st_mtime_ns}"
        for first in range(0, height, rows_per_shard):
            n_rows = min(rows_per_shard, height - first)
            shards.append(Shard(path=str(path.resolve()), first=first, n_rows=n_rows, stamp=stamp))
    if not shards or schema is None:
        raise FileFormatError("The Parquet files have no rows.", param="source")
    return tuple(shards), schema


def relation_shards(
    relation: Any, *, rows_per_shard: int = ROWS_PER_SHARD
) -> tuple[tuple[Shard, ...], pl.Schema, Any]:
    """Let DuckDB write a relation as Parquet files in one pass, and cut them into shards.

    Parameters
    ----------
    relation : duckdb.DuckDBPyRelation
        What DuckDB selects: a table, a view, a join, CSV files.
    rows_per_shard : int, default 150_000
        Most rows of a shard.

    Returns
    -------
    shards : tuple of Shard
        The shards.
    schema : polars.Schema
        Columns with their types.
    folder : tempfile.TemporaryDirectory
        Where the files lie; they vanish with it.

    Raises
    ------
    FileFormatError
        If DuckDB cannot compute the relation.
    """
    folder = tempfile.TemporaryDirectory(prefix="lsakit-relation-")
    path = str(Path(folder.name) / "rows.parquet")
    try:
        # Large row groups would have to be unpacked whole for every shard.
        relation.to_parquet(path, row_group_size=min(rows_per_shard, 122_880))
    except Exception as cause:
        folder.cleanup()
        raise FileFormatError(
            "DuckDB cannot compute the relation.",
            why=f"It says: {str(cause).splitlines()[0]}",
            param="source",
        ) from cause
    shards, schema = parquet_shards([path], rows_per_shard=rows_per_shard)
    return shards, schema, folder


def is_relation(source: object) -> bool:
    """Whether something is a relation of DuckDB, without importing DuckDB.

    Parameters
    ----------
    source : object
        Anything.

    Returns
    -------
    bool
        True for a ``DuckDBPyRelation``.
    """
    return type(source).__name__ == "DuckDBPyRelation"


def database_relation(path: str | Path, query: str) -> Any:
    """Select from a DuckDB database file.

    Parameters
    ----------
    path : str or Path
        The database.
    query : str
        What to select, such as ``"SELECT * FROM students WHERE grade = 9"``.

    Returns
    -------
    duckdb.DuckDBPyRelation
        The relation.

    Raises
    ------
    TableError
        If DuckDB is not installed.
    FileFormatError
        If the database or the query is wrong.
    """
    try:
        duckdb = import_module("duckdb")
    except ImportError as error:
        raise TableError(
            "DuckDB is not installed here.", hint="Install dienrong[warehouse].", param="source"
        ) from error
    try:
        return duckdb.connect(str(path), read_only=True).sql(query)
    except Exception as cause:
        raise FileFormatError(
            f"DuckDB cannot select from {Path(path).name!r}.",
            why=f"It says: {str(cause).splitlines()[0]}",
            param="query",
        ) from cause


def _listed(files: Sequence[str | Path]) -> list[Path]:
    """Files of folders and patterns, each once, in the order of their names within each entry."""
    found: dict[Path, None] = {}
    for entry in files:
        path = Path(entry)
        if path.is_dir():
            own = sorted(path.rglob("*.parquet"))
        elif path.is_file():
            own = [path]
        else:
            own = sorted(Path(name) for name in glob.glob(str(entry), recursive=True) if Path(name).is_file())
        if not own:
            raise FileFormatError(
                f"No Parquet file is found at {str(entry)!r}.",
                hint="Give a file, a folder, or a pattern such as 'students/part-*.parquet'.",
                param="source",
                got=str(entry),
            )
        found |= dict.fromkeys(own)
    return list(found)


def _common(schema: pl.Schema, own: pl.Schema, first: Path, path: Path) -> pl.Schema:
    """Columns of both; a text in one file and a number in another is refused."""
    shared = {name: kind for name, kind in schema.items() if name in own}
    for name, kind in shared.items():
        if kind.is_numeric() != own[name].is_numeric() and pl.Null not in (kind, own[name]):
            raise TableError(
                f"The column {name!r} is {kind} in {first.name!r} but {own[name]} in {path.name!r}.",
                hint="Write the files with the same types.",
                param=name,
            )
        if kind == pl.Null:
            shared[name] = own[name]
    return pl.Schema(shared)


def _unreadable(path: str | Path, cause: Exception) -> Exception:
    """What to raise when a file cannot be read."""
    words = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
    if isinstance(cause, pl.exceptions.ColumnNotFoundError):
        return UnknownColumnError(f"A column is absent from {Path(path).name!r}: {words}.", param="source")
    return FileFormatError(
        f"The file {Path(path).name!r} cannot be read as Parquet.",
        why=f"The reader says: {words}",
        hint="Give the path of a Parquet file.",
        param="source",
        got=str(path),
    )
