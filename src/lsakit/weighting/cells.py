"""Non-response cells, and how a cell that is too small joins its neighbour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import DesignError


def merge_small_cells(
    responding: Sequence[float],
    everyone: Sequence[float],
    responded: Sequence[float],
    *,
    minimum: int,
    maximum_factor: float,
) -> list[int]:
    """Merge neighbouring cells of one stratum until each is large enough.

    Parameters
    ----------
    responding : Sequence of float of shape (n_cells,)
        Respondents (schools or students) of each cell, cells in their order.
    everyone, responded : Sequence of float of shape (n_cells,)
        Weighted totals of all eligible units and of respondents.
    minimum : int
        Fewest respondents of a cell.
    maximum_factor : float
        Largest factor ``everyone / responded``.

    Returns
    -------
    list of int of shape (n_cells,)
        Number of the merged cell of each cell, from 0 in order.

    Notes
    -----
    Of the cells outside the limits the one with the fewest respondents (the first of them) joins the
    neighbour with fewer respondents (the one before, if equal); and again, until all cells keep the limits
    or one is left. The one that is left stays even if it is small: that is a property of the stratum.

    References
    ----------
    .. [1] ``docs/algorithms/weights.md``, section 3.

    Examples
    --------
    >>> merge_small_cells([20, 3, 9], [20, 4, 9], [20, 3, 9], minimum=6, maximum_factor=2.0)
    [0, 1, 1]
    """
    groups = [[cell] for cell in range(len(responding))]

    def count(group: Sequence[int]) -> float:
        return sum(responding[cell] for cell in group)

    def is_small(group: Sequence[int]) -> bool:
        total, reached = sum(everyone[cell] for cell in group), sum(responded[cell] for cell in group)
        return count(group) < minimum or total > maximum_factor * reached

    while len(groups) > 1:
        small = [place for place, group in enumerate(groups) if is_small(group)]
        if not small:
            break
        place = min(small, key=lambda one: (count(groups[one]), one))
        beside = [one for one in (place - 1, place + 1) if 0 <= one < len(groups)]
        other = min(beside, key=lambda one: (count(groups[one]), one))
        low, high = sorted((place, other))
        groups[low : high + 1] = [groups[low] + groups[high]]
    number = {cell: place for place, group in enumerate(groups) for cell in group}
    return [number[cell] for cell in range(len(responding))]


def response_factor(
    everyone: NDArray[np.float64], responded: NDArray[np.float64], labels: Sequence[str]
) -> NDArray[np.float64]:
    """Divide the total of all eligible units by that of respondents, cell by cell.

    Parameters
    ----------
    everyone, responded : ndarray of shape (n_cells,) or (n_cells, n_replicates)
        Weighted totals.
    labels : Sequence of str of shape (n_cells,)
        Names of the cells, for the refusal.

    Returns
    -------
    ndarray of shape (n_cells,) or (n_cells, n_replicates)
        Factors of 1 or more (dimensionless); 1 where a cell has no eligible unit at all.

    Raises
    ------
    DesignError
        If a cell has eligible units and no respondent.
    """
    empty = (responded <= 0) & (everyone > 0)
    if empty.any():
        cells = sorted({int(row) for row in np.argwhere(empty)[:, 0]})
        replicate = f" in replicate {np.argwhere(empty)[0, 1] + 1}" if everyone.ndim > 1 else ""
        raise DesignError(
            f"{len(cells)} non-response cells have no respondents{replicate}.",
            where=[labels[cell] for cell in cells],
            why="Nobody is there to carry the weight of those who did not take part.",
            hint="Merge the stratum with a neighbour before the draw's strata are used, or use larger cells."
            + (" Fay's method with a factor above 0 never empties a cell." if everyone.ndim > 1 else ""),
            param="cells",
        )
    return np.divide(everyone, responded, out=np.ones_like(everyone), where=responded > 0)


def totals(
    cell: NDArray[np.int64], values: NDArray[np.float64], n_cells: int, rows: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Add values by cell over some rows.

    Parameters
    ----------
    cell : ndarray of shape (n_rows,)
        Number of each row's cell, 0 or more on the chosen rows.
    values : ndarray of shape (n_rows,)
        What is added, in any unit.
    n_cells : int
        Cells.
    rows : ndarray of shape (n_rows,)
        Rows that count.

    Returns
    -------
    ndarray of shape (n_cells,)
        Sums, in the unit of ``values``.
    """
    sums: NDArray[np.float64] = np.bincount(cell[rows], values[rows], minlength=n_cells).astype(np.float64)
    return sums
