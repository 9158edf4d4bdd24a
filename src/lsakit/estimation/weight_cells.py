"""The weights of a table, collapsed into cells of rows that share a vector of weight ratios.

See ``docs/algorithms/replication_variance.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import DesignError, EstimationError, TableError
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.io.frames import (
    Table,
    codes_among,
    floats,
    group_codes,
    plain_floats,
    require_columns,
    with_columns,
)
from lsakit.kernels.replication import fold_ratios, mark_rows_off_their_cell, number_hashes

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

RATIO_TOLERANCE = 2e-14
"""Relative difference up to which two weight ratios are one: rounding of a chain of double multiplications."""


class WeightCells(NamedTuple):
    """Weights as a scale of each row times the ratios of its cell.

    Parameters
    ----------
    scale : ndarray of shape (n_rows,)
        Weight by which each row's ratios are taken: the final weight where it is positive.
    cells : ndarray of shape (n_rows,)
        Cell of each row.
    ratios : ndarray of shape (n_cells, n_replicates + 1)
        Weight over scale of each cell; the first column is the final weight's (1, or 0 where it is 0).
    lonely_zones : tuple of str
        Jackknife zones of which only one half is present in the table.
    """

    scale: Floats
    cells: Integers
    ratios: Floats
    lonely_zones: tuple[str, ...] = ()


def weight_cells(table: Table, design: SurveyDesign, *, zones: Table | None = None) -> WeightCells:
    """Read and check the weights of a table and collapse them into cells.

    Parameters
    ----------
    table : polars.DataFrame
        The rows.
    design : SurveyDesign
        Where the weights are.
    zones : polars.DataFrame, optional
        All jackknife zones in their order, where the rows are a part of a larger table.

    Returns
    -------
    WeightCells
        The cells.

    Raises
    ------
    EstimationError
        If a weight is negative.
    TableError
        If a weight is missing or not a number, or a column is absent.
    DesignError
        If the halves of the zones are not 0 and 1, or the file says that another design holds.
    """
    _refuse_other_designs(table, design)
    weight = _weights(table, design.weight)
    return (
        _zone_cells(table, design, weight, zones)
        if design.is_derived
        else _stored_cells(table, design, weight)
    )


def key_codes(table: Table, names: Sequence[str]) -> tuple[Integers, Table]:
    """Number the groups that key columns form; NaN counts as missing.

    Parameters
    ----------
    table : polars.DataFrame
        The rows.
    names : Sequence of str
        Key columns; empty for one group of all rows.

    Returns
    -------
    codes : ndarray of shape (n_rows,)
        Number of each row's group; −1 where a key is missing.
    keys : polars.DataFrame
        One row per group, in ascending order of the keys.
    """
    require_columns(table, list(names))
    columns = {name: table.get_column(name) for name in names}
    floating = {name: column.fill_nan(None) for name, column in columns.items() if column.dtype.is_float()}
    codes, keys = group_codes(with_columns(table, floating) if floating else table, names)
    return np.array(codes, dtype=np.int64), keys  # writable, so that the kernels are compiled for one type


def _refuse_other_designs(table: Table, design: SurveyDesign) -> None:
    """Refuse a file whose own columns say that another variance method holds."""
    for name, value in design.requires:
        if name not in table.columns:
            continue
        found = floats(table, name, nulls=True)
        wrong = np.flatnonzero(~np.isnan(found) & (found != value))
        if wrong.size:
            raise DesignError(
                f"The profile {design.name!r} holds where {name!r} is {value:g}. "
                f"Got {found[wrong[0]]:g} in {wrong.size} of {found.size} rows.",
                where=[f"row {row + 1}" for row in wrong.tolist()],
                why="Those rows have replicate weights of another method.",
                hint="Take the rows of each method apart and read the profile of each.",
                param=name,
            )


def _weights(table: Table, name: str) -> Floats:
    """Take a weight column and refuse negative weights."""
    values = floats(table, name)
    if values.size and values.min() < 0.0:
        rows = np.flatnonzero(values < 0.0)
        raise EstimationError(
            f"The weight {name!r} must not be negative. Got {values[rows[0]]:g} in {rows.size} of "
            f"{values.size} rows.",
            where=[f"row {row + 1}" for row in rows.tolist()],
            why="A negative weight makes totals and percentiles meaningless.",
            hint="Correct the weighting step that made it.",
            param=name,
            got=float(values[rows[0]]),
        )
    return values


def _stored_cells(table: Table, design: SurveyDesign, weight: Floats) -> WeightCells:
    """Find the rows that share a vector of stored weight ratios; the columns are read in place, twice."""
    columns = design.replicate_columns()
    require_columns(table, columns)
    stored = [weight, *(plain_floats(table, name) for name in columns)]
    scale = weight
    if not weight.all():
        scale = np.where(weight > 0.0, weight, np.maximum.reduce([_weights(table, name) for name in columns]))
        scale = np.where(scale > 0.0, scale, 1.0)
    hashes = np.zeros(weight.size, dtype=np.uint64)
    inverse = 1.0 / scale
    for name, column in zip((design.weight, *columns), stored, strict=True):
        if not fold_ratios(column, inverse, hashes):
            _weights(table, name)
    cells, first_rows = number_hashes(hashes)
    ratios = np.empty((first_rows.size, len(stored)))
    off = np.zeros(weight.size, dtype=np.bool_)
    for r, column in enumerate(stored):
        ratios[:, r] = column[first_rows] / scale[first_rows]
        mark_rows_off_their_cell(column, scale, cells, ratios[:, r].copy(), RATIO_TOLERANCE, off)
    alone = np.flatnonzero(off)
    if alone.size:
        cells[alone] = first_rows.size + np.arange(alone.size)
        own = np.stack([column[alone] / scale[alone] for column in stored], axis=1)
        ratios = np.concatenate([ratios, own])
    return WeightCells(scale.copy(), cells, ratios)


def _zone_cells(table: Table, design: SurveyDesign, weight: Floats, zones: Table | None) -> WeightCells:
    """Derive jackknife replicates: in each zone one half is doubled and the other dropped."""
    zone_column, half_column = str(design.zone), str(design.half)
    codes, names = key_codes(table, [zone_column])
    if codes.size and codes.min() < 0:
        rows = np.flatnonzero(codes < 0)
        raise TableError(
            f"The zone {zone_column!r} is missing in {rows.size} of {codes.size} rows.",
            where=[f"row {row + 1}" for row in rows.tolist()],
            why="A row without a zone would never be dropped, and the variance would be too small.",
            param=zone_column,
        )
    half = floats(table, half_column)
    wrong = np.flatnonzero((half != 0.0) & (half != 1.0))
    if wrong.size:
        raise DesignError(
            f"The half {half_column!r} must be 0 or 1. Got {half[wrong[0]]:g} in {wrong.size} rows.",
            where=[f"row {row + 1}" for row in wrong.tolist()],
            hint="1 marks the half that is doubled first, 0 the half that is dropped first.",
            param=half_column,
        )
    if zones is not None:
        codes, names = codes_among(table, zone_column, zones), zones
    n_zones = names.height
    if n_zones < 2:
        raise DesignError(
            f"A jackknife needs at least two zones. {zone_column!r} has {n_zones}.", param="zone"
        )
    ratios = _zone_ratios(n_zones, both=design.method == "jk2_both")
    cells = 2 * codes + half.astype(np.int64)
    present = np.bincount(cells, minlength=2 * n_zones).reshape(n_zones, 2) > 0
    zone_names = names.get_column(zone_column).to_list()
    lonely = [str(zone_names[z]) for z in np.flatnonzero(~present.all(axis=1)).tolist()]
    return WeightCells(weight.copy(), cells, ratios, tuple(lonely))


def _zone_ratios(n_zones: int, *, both: bool) -> Floats:
    """Ratios of the cells (zone, half): 1 everywhere, 2 and 0 in the replicate of the own zone."""
    ratios = np.ones((2 * n_zones, 1 + n_zones * (2 if both else 1)))
    for zone in range(n_zones):
        ratios[2 * zone, 1 + zone] = 0.0
        ratios[2 * zone + 1, 1 + zone] = 2.0
        if both:
            ratios[2 * zone, 1 + n_zones + zone] = 2.0
            ratios[2 * zone + 1, 1 + n_zones + zone] = 0.0
    return ratios
