"""A Parquet file as a table whose columns are read when they are asked for.

A nation's responses then lie in memory once, as the engine's bytes, and not beside them as a table.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from lsakit.errors import FileFormatError
from lsakit.io.frames import as_table


class ParquetColumns:
    """Columns of a Parquet file, by the names that a table has.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    FileFormatError
        If the file is not there or no Parquet file.
    """

    def __init__(self, path: Path) -> None:
        self._path = Path(path)
        try:
            scan = pl.scan_parquet(self._path)
            self._schema = scan.collect_schema()
            self._height = int(scan.select(pl.len()).collect().item())
        except (OSError, pl.exceptions.PolarsError) as cause:
            raise FileFormatError(
                f"The file {self._path.name!r} cannot be read as Parquet.",
                why=f"The reader says: {str(cause).splitlines()[0]}",
                hint="Give the path of a Parquet file, or the table itself.",
                param="responses",
                got=str(self._path),
            ) from cause

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return self._schema.names()

    @property
    def schema(self) -> Any:
        """Type of each column."""
        return self._schema

    @property
    def height(self) -> int:
        """Number of rows."""
        return self._height

    def get_column(self, name: str) -> pl.Series:
        """Read one column.

        Parameters
        ----------
        name : str
            Column.

        Returns
        -------
        polars.Series
            Its values.
        """
        return pl.read_parquet(self._path, columns=[name]).to_series()


def as_columns(data: Any, *, param: str = "responses") -> Any:
    """Accept a table, or the path of a Parquet file whose columns are read one by one.

    Parameters
    ----------
    data : table or Path
        The table.
    param : str, default "responses"
        Name of the parameter, used in a refusal.

    Returns
    -------
    polars.DataFrame or ParquetColumns
        What gives columns by name.

    Raises
    ------
    FileFormatError
        If the file cannot be read.
    TableError
        If ``data`` is no table.
    """
    return ParquetColumns(data) if isinstance(data, Path) else as_table(data, param=param)
