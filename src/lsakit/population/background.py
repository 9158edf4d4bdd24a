"""Background variables as standardised columns of a regression: contrasts and missing indicators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.io.frames import Table, floats, require_columns, strings

Floats = NDArray[np.float64]
INTERCEPT = "intercept"
LARGE = 20_000_000  # cells; beyond, the covariates are kept in 32 bits
CHUNK = 16  # columns written at a time, a cache line of 32-bit numbers
GRAM_BLOCK = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """Coded columns of all students, standardised under the weights.

    Parameters
    ----------
    columns : tuple of str
        Names: the intercept, ``name`` of a number, ``name=level`` of a contrast, ``name:missing`` of an indicator.
    variables : tuple of str
        Variable that each column comes from; empty for the intercept.
    first_levels : Mapping of str to str
        The level of each category that has no contrast of its own.
    centre : ndarray of shape (n_columns,)
        Weighted means of the coded columns, 0 for the intercept, in the unit of each column.
    spread : ndarray of shape (n_columns,)
        Weighted standard deviations, 1 for the intercept, in the unit of each column.
    standard : ndarray of shape (n_students, n_columns)
        Columns less centre, over spread; 64-bit numbers, or 32-bit ones beyond twenty million cells.
    """

    columns: tuple[str, ...]
    variables: tuple[str, ...]
    first_levels: Mapping[str, str]
    centre: Floats
    spread: Floats
    standard: NDArray[Any]

    def places_of(self, variables: Sequence[str]) -> list[int]:
        """Find the columns of some variables.

        Parameters
        ----------
        variables : Sequence of str
            Names of variables.

        Returns
        -------
        list of int
            Places of their columns, in the order of the columns.
        """
        wanted = set(variables)
        return [place for place, name in enumerate(self.variables) if place > 0 and name in wanted]


def code_background(table: Table, variables: Sequence[str], weight: Floats) -> Background:
    """Code background variables for a regression.

    Parameters
    ----------
    table : polars.DataFrame
        One row per student.
    variables : Sequence of str
        Numbers stay; text and categories become one 0/1 contrast per level against the first level in sorted
        order; a missing or infinite value becomes 0 with a 0/1 indicator.
    weight : ndarray of shape (n_students,)
        Weights, dimensionless; 0 for students who do not count towards centre and spread.

    Returns
    -------
    Background
        The coded columns, the intercept first.

    Raises
    ------
    TableError
        If a column is absent.
    EstimationError
        If a column is constant among the students with positive weight.

    Notes
    -----
    A 32-bit column differs from the number by at most 6e-8 of it; sums over students are taken in 64 bits.
    """
    require_columns(table, list(variables), param="background")
    shapes = {name: _shape(table, name) for name in variables}
    width = 1 + sum(len(levels) - 1 + gone for levels, gone in shapes.values())
    kind = np.float32 if table.height * width > LARGE else np.float64
    standard = np.ones((table.height, width), dtype=kind)
    names, owners = [INTERCEPT], [""]
    centre, spread = np.zeros(width), np.ones(width)
    held: list[Floats] = []
    share = weight / weight.sum()
    for variable, name, values in _coded(table, shapes):
        place = len(names)
        centre[place] = share @ values
        spread[place] = np.sqrt(share @ (values - centre[place]) ** 2)
        held.append((values - centre[place]) / (spread[place] or 1.0))
        names.append(name)
        owners.append(variable)
        if len(held) == CHUNK:
            standard[:, len(names) - CHUNK : len(names)] = np.column_stack(held)
            held.clear()
    if held:
        standard[:, len(names) - len(held) :] = np.column_stack(held)
    flat = spread <= 1e-12 * (1.0 + np.abs(centre))
    _refuse_constant(
        [names[place] for place in np.flatnonzero(flat).tolist()]
        + [name for name, (levels, gone) in shapes.items() if len(levels) < 2 and not gone]
    )
    return Background(
        columns=tuple(names),
        variables=tuple(owners),
        first_levels={name: levels[0] for name, (levels, _) in shapes.items() if levels and levels[0] != ""},
        centre=centre,
        spread=spread,
        standard=standard,
    )


def _is_number(table: Table, name: str) -> bool:
    """Whether a column enters as a number."""
    return bool(table.schema[name].is_numeric()) or str(table.schema[name]) == "Boolean"


def _shape(table: Table, name: str) -> tuple[tuple[str, ...], bool]:
    """Sorted levels of a category (two nameless ones for a number), and whether values are missing."""
    if _is_number(table, name):
        values = floats(table, name, param="background", nulls=True)
        return ("", ""), bool(np.isnan(values).any())
    column = table.get_column(name)
    return tuple(sorted(column.cast(str).drop_nulls().unique().to_list())), column.null_count() > 0


def _coded(
    table: Table, shapes: dict[str, tuple[tuple[str, ...], bool]]
) -> Iterator[tuple[str, str, Floats]]:
    """Go through the coded columns: variable, name, values."""
    for name, (levels, has_gone) in shapes.items():
        if levels == ("", ""):
            values = floats(table, name, param="background", nulls=True)
            gone = np.isnan(values)
            yield name, name, np.where(gone, 0.0, values)
        else:
            labels = np.array(strings(table, name, param="background", nulls=True))
            gone = table.get_column(name).is_null().to_numpy()
            for level in levels[1:]:
                yield name, f"{name}={level}", ((labels == level) & ~gone).astype(float)
        if has_gone:
            yield name, f"{name}:missing", gone.astype(float)


def _refuse_constant(constant: Sequence[str]) -> None:
    """Refuse columns that do not vary."""
    if constant:
        raise EstimationError(
            f"{len(constant)} background columns are constant among the students with responses.",
            where=constant,
            why="They say nothing beside the intercept.",
            hint="Leave them out.",
            param=constant[0],
        )


def weighted_gram(standard: NDArray[Any], weight: Floats) -> Floats:
    """Sum weighted products of the columns in 64 bits, block by block.

    Parameters
    ----------
    standard : ndarray of shape (n_students, n_columns)
        Columns.
    weight : ndarray of shape (n_students,)
        Weights, dimensionless.

    Returns
    -------
    ndarray of shape (n_columns, n_columns)
        Sums of weight times the product of two columns.
    """
    total = np.zeros((standard.shape[1], standard.shape[1]))
    for first in range(0, len(standard), GRAM_BLOCK):
        block = np.asarray(standard[first : first + GRAM_BLOCK], dtype=np.float64)
        total += (block * weight[first : first + GRAM_BLOCK, None]).T @ block
    return total
