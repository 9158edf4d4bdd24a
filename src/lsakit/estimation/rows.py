"""Which rows a statistic is computed from when some of its columns have missing values.

A row without a value of a column leaves the statistic and is counted. A row that has some plausible values and
lacks others is refused: it is a damaged file, and leaving the row out of some values only would make them
describe different students. See ``docs/algorithms/missing_values.md``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import TableError
from lsakit.estimation.replication import NoRowsError, PreparedTable
from lsakit.estimation.variables import value_columns
from lsakit.io.frames import Table, floats, plain_floats

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def rows_of(ready: PreparedTable, kept: Mask) -> PreparedTable:
    """Keep some rows of a prepared table; the replicates stay those of the whole table.

    Parameters
    ----------
    ready : PreparedTable
        Rows with their cells.
    kept : ndarray of shape (n_rows,)
        True where the row stays.

    Returns
    -------
    PreparedTable
        The same table where every row stays.
    """
    if kept.all():
        return ready
    return PreparedTable(
        table=ready.table[np.flatnonzero(kept)],
        design=ready.design,
        scale=ready.scale[kept],
        cells=ready.cells[kept],
        ratios=ready.ratios,
        lonely_zones=ready.lonely_zones,
    )


def variable_rows(table: Table, values: str) -> tuple[Floats, Mask]:
    """Take a column or a pattern of plausible values, and say which rows have it.

    Parameters
    ----------
    table : polars.DataFrame
        The rows.
    values : str
        A column, or a pattern such as ``"PV{m}MATH"``.

    Returns
    -------
    matrix : ndarray of shape (n_plausible_values, n_rows)
        The values in their unit; one line for a plain column; NaN where missing.
    valid : ndarray of shape (n_rows,)
        True where the row has all values.

    Raises
    ------
    TableError
        If a column is absent or not numeric, or a row has some plausible values and lacks others.
    EstimationError
        If the pattern is wrong.
    """
    columns = value_columns(table, values)
    matrix = np.empty((len(columns), table.height))
    is_complete = True
    for m, name in enumerate(columns):
        column = (
            floats(table, name, nulls=True)
            if table.get_column(name).null_count()
            else plain_floats(table, name)
        )
        matrix[m] = column
        is_complete &= bool(np.isfinite(column.sum()))
    if is_complete:
        return matrix, np.ones(table.height, dtype=np.bool_)
    matrix[~np.isfinite(matrix)] = np.nan
    gone = np.isnan(matrix)
    valid = ~gone[0]
    if len(columns) > 1:
        partly = np.flatnonzero(gone.any(axis=0) & ~gone.all(axis=0))
        if partly.size:
            name = columns[int(np.flatnonzero(gone[:, partly[0]])[0])]
            raise TableError(
                f"The plausible values {values!r} must have no missing values in a row that has others. "
                f"{name!r} is missing in {partly.size} such rows.",
                where=[f"row {row + 1}" for row in partly.tolist()],
                why="Plausible values that describe different students cannot be combined.",
                hint="Fill them from the source, or leave those rows out.",
                param=name,
            )
    return matrix, valid


def remembered_variable(ready: PreparedTable, values: str) -> tuple[Floats, Mask]:
    """Take a variable as `variable_rows` does, once for all statistics of a prepared table.

    Parameters
    ----------
    ready : PreparedTable
        Rows with their cells.
    values : str
        A column, or a pattern such as ``"PV{m}MATH"``.

    Returns
    -------
    matrix : ndarray of shape (n_plausible_values, n_rows)
        The values; not to be changed.
    valid : ndarray of shape (n_rows,)
        True where the row has all values.
    """
    found: tuple[Floats, Mask] = ready.remembered(
        ("variable", values), lambda: variable_rows(ready.table, values)
    )
    return found


def complete_rows(ready: PreparedTable, variables: Sequence[str]) -> tuple[PreparedTable, list[Floats], int]:
    """Keep the rows that have a value of every variable.

    Parameters
    ----------
    ready : PreparedTable
        Rows with their cells.
    variables : Sequence of str
        Columns and patterns of plausible values.

    Returns
    -------
    ready : PreparedTable
        The rows that are complete.
    matrices : list of ndarray of shape (n_plausible_values, n_complete_rows)
        Values of each variable.
    n_missing : int
        Number of rows left out.

    Raises
    ------
    EstimationError
        If no row is complete, or a pattern is wrong.
    TableError
        If a column is absent or not numeric.
    """
    found: tuple[PreparedTable, list[Floats], int] = ready.remembered(
        ("complete", *variables), lambda: _complete(ready, variables), most=4
    )
    return found


def _complete(ready: PreparedTable, variables: Sequence[str]) -> tuple[PreparedTable, list[Floats], int]:
    """Read the variables and keep the rows that have them all."""
    read = [remembered_variable(ready, name) for name in variables]
    valid = np.logical_and.reduce([mask for _, mask in read])
    n_missing = int(np.count_nonzero(~valid))
    if n_missing == valid.size:
        raise NoRowsError(
            f"No row has a value of {', '.join(variables)}.",
            hint="Check the file and its missing codes.",
            param=variables[0],
        )
    if not n_missing:
        return ready, [matrix for matrix, _ in read], 0
    matrices = [np.ascontiguousarray(matrix[:, valid]) for matrix, _ in read]
    return rows_of(ready, valid), matrices, n_missing
