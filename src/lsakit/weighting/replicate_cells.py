"""Non-response factors in every replicate, and the cells that a replicate left without respondents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lsakit.weighting.cells import response_factor


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedInReplicate:
    """Tell that a cell had no respondents in one replicate and was joined with its stratum there."""

    stage: str
    cell: str
    replicate: int


def factors_by_replicate(
    everyone: NDArray[np.float64],
    responded: NDArray[np.float64],
    labels: Sequence[str],
    stratum: NDArray[np.int64],
    stage: str,
) -> tuple[NDArray[np.float64], list[JoinedInReplicate]]:
    """Divide totals cell by cell in every replicate; an emptied cell joins its stratum in that replicate.

    Parameters
    ----------
    everyone, responded : ndarray of shape (n_cells, n_replicates)
        Weighted totals of eligible units and of respondents.
    labels : Sequence of str of shape (n_cells,)
        Names of the cells.
    stratum : ndarray of shape (n_cells,)
        Number of the explicit stratum of each cell.
    stage : str
        "school" or "student", for the log.

    Returns
    -------
    factors : ndarray of shape (n_cells, n_replicates)
        Factors of 1 or more (dimensionless). In a replicate that leaves a cell with eligible units and no
        respondent, all cells of its stratum share the factor of the whole stratum, so the stratum's total is
        kept; in the other replicates nothing changes.
    joined : list of JoinedInReplicate
        What was joined.

    Raises
    ------
    DesignError
        If a whole stratum is left without respondents in a replicate.

    References
    ----------
    .. [1] ``docs/algorithms/replicate_weights.md``, section 3.

    Examples
    --------
    >>> everyone, responded = np.array([[2.0, 3.0], [4.0, 4.0]]), np.array([[2.0, 0.0], [4.0, 2.0]])
    >>> factors_by_replicate(everyone, responded, ["a", "b"], np.zeros(2, dtype=int), "school")[0]
    array([[1. , 3.5],
           [1. , 3.5]])
    """
    empty = (responded <= 0) & (everyone > 0)
    if not empty.any():
        return response_factor(everyone, responded, labels), []
    pooled_everyone, pooled_responded = everyone.copy(), responded.copy()
    joined = []
    for cell, replicate in np.argwhere(empty).tolist():
        inside = np.flatnonzero(stratum == stratum[cell])
        pooled_everyone[inside, replicate] = everyone[inside, replicate].sum()
        pooled_responded[inside, replicate] = responded[inside, replicate].sum()
        joined.append(JoinedInReplicate(stage=stage, cell=labels[cell], replicate=replicate + 1))
    return response_factor(pooled_everyone, pooled_responded, labels), joined
