"""What disclosure control costs: values that changed, by variable, and the figures before and after."""

from __future__ import annotations

import numpy as np
import polars as pl

from lsakit.release.microdata import MicroData

LOSS_SCHEMA = {
    "file": pl.String, "variable": pl.String, "state": pl.String, "n_values": pl.Int64, "n_changed": pl.Int64,
    "share_changed": pl.Float64, "mean_shift": pl.Float64, "correlation": pl.Float64,
}  # fmt: skip


def changed_cells(before: MicroData, after: MicroData) -> int:
    """Count the values that differ between two states of the same files.

    Parameters
    ----------
    before, after : MicroData
        The files; rows in the same order.

    Returns
    -------
    int
        Values of columns that both have and that differ, missing ones included.
    """
    total = 0
    for name, table in before.tables.items():
        other = after.tables[name]
        if other is table:
            continue
        for column in table.columns:
            if column in other.columns:
                total += int(table.get_column(column).ne_missing(other.get_column(column)).sum())
    return total


def losses(before: MicroData, after: MicroData) -> pl.DataFrame:
    """Measure the loss of each variable.

    Parameters
    ----------
    before, after : MicroData
        The files; rows in the same order.

    Returns
    -------
    polars.DataFrame
        One row per variable that changed, was left out or is new: ``file``, ``variable``, ``state`` ("changed",
        "left_out" or "new"), ``n_values``, ``n_changed``, ``share_changed``; for numbers without labels ``mean_shift``, the mean
        absolute change in standard deviations of the variable, and ``correlation`` of old and new values.
    """
    rows: list[dict[str, object]] = []
    for name, table in before.tables.items():
        other = after.tables[name]
        if other is table:
            continue
        for column in table.columns:
            if column not in other.columns:
                rows.append(_row(name, column, "left_out", table.height, table.height))
                continue
            old, new = table.get_column(column), other.get_column(column)
            n_changed = int(old.ne_missing(new).sum())
            if n_changed:
                row = _row(name, column, "changed", table.height, n_changed)
                rows.append(row | _numeric(old, new, is_labelled=bool(before.codebooks[name][column].values)))
        rows.extend(
            _row(name, column, "new", other.height, 0)
            for column in other.columns
            if column not in table.columns
        )
    return pl.DataFrame(rows, schema=LOSS_SCHEMA)


def _row(file: str, variable: str, state: str, n_values: int, n_changed: int) -> dict[str, object]:
    """Lay one variable out."""
    share = n_changed / n_values if n_values else 0.0
    return {
        "file": file, "variable": variable, "state": state, "n_values": n_values, "n_changed": n_changed,
        "share_changed": share, "mean_shift": None, "correlation": None,
    }  # fmt: skip


def _numeric(old: pl.Series, new: pl.Series, *, is_labelled: bool) -> dict[str, object]:
    """Compare two columns of numbers where both have a value."""
    if is_labelled or not (old.dtype.is_numeric() and new.dtype.is_numeric()):
        return {}
    both = (old.is_not_null() & new.is_not_null()).to_numpy()
    x, y = old.cast(pl.Float64).to_numpy()[both], new.cast(pl.Float64).to_numpy()[both]
    spread = float(x.std()) if len(x) else 0.0
    if not spread or not y.std():
        return {}
    return {"mean_shift": float(np.abs(x - y).mean() / spread), "correlation": float(np.corrcoef(x, y)[0, 1])}
