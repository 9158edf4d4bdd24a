"""Non-response cells, and how a cell that is too small joins its neighbour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import DesignError


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Tell of one joining of cells: which group was too small, which neighbour took it, and why.

    Parameters
    ----------
    cells, into : tuple of int
        Numbers of the cells of the small group and of the neighbour.
    n_responding : float
        Respondents of the small group.
    factor : float
        Its factor; infinite without respondents.
    reason : str
        Which limit it broke, with the limit.
    """

    cells: tuple[int, ...]
    into: tuple[int, ...]
    n_responding: float
    factor: float
    reason: str


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
    numbers, _ = join_small_cells(
        responding, everyone, responded, minimum=minimum, maximum_factor=maximum_factor
    )
    return numbers


def join_small_cells(
    responding: Sequence[float],
    everyone: Sequence[float],
    responded: Sequence[float],
    *,
    minimum: int,
    maximum_factor: float,
) -> tuple[list[int], list[Joined]]:
    """Merge as `merge_small_cells` does, and keep the log.

    Parameters
    ----------
    responding, everyone, responded : Sequence of float of shape (n_cells,)
        Respondents; weighted totals of all eligible units and of respondents.
    minimum : int
        Fewest respondents of a cell.
    maximum_factor : float
        Largest factor ``everyone / responded``.

    Returns
    -------
    numbers : list of int of shape (n_cells,)
        Number of the merged cell of each cell.
    log : list of Joined
        What was joined and why, in order.
    """
    groups = [[cell] for cell in range(len(responding))]
    log: list[Joined] = []
    counts = responding, everyone, responded

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
        log.append(_joined(groups[place], groups[other], counts, minimum, maximum_factor))
        low, high = sorted((place, other))
        groups[low : high + 1] = [groups[low] + groups[high]]
    number = {cell: place for place, group in enumerate(groups) for cell in group}
    return [number[cell] for cell in range(len(responding))], log


def _joined(
    group: Sequence[int],
    into: Sequence[int],
    counts: tuple[Sequence[float], Sequence[float], Sequence[float]],
    minimum: int,
    maximum_factor: float,
) -> Joined:
    """Say which limit a group broke."""
    n, total, reached = (sum(values[cell] for cell in group) for values in counts)
    factor = total / reached if reached > 0 else float("inf")
    few = f"{n:g} respondents, fewer than {minimum}" if n < minimum else ""
    large = f"factor {factor:.4g}, above {maximum_factor:g}" if total > maximum_factor * reached else ""
    return Joined(
        cells=tuple(group),
        into=tuple(into),
        n_responding=n,
        factor=factor,
        reason="; ".join(part for part in (few, large) if part),
    )


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
