"""Non-response factors in every replicate, and the cells that a replicate left without respondents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lsakit.weighting.cells import response_factor
from lsakit.weighting.profiles import StudentCells


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedInReplicate:
    """Tell that a cell was joined with its stratum in one replicate.

    Parameters
    ----------
    stage : str
        "school" or "student".
    cell : str
        Name of the cell.
    replicate : int
        Number of the replicate, from 1.
    reason : str
        "no respondents", or "beyond the limits" where the rules have limits for replicates.
    """

    stage: str
    cell: str
    replicate: int
    reason: str


def factors_by_replicate(
    everyone: NDArray[np.float64],
    responded: NDArray[np.float64],
    labels: Sequence[str],
    stratum: NDArray[np.int64],
    stage: str,
    strained: NDArray[np.bool_] | None = None,
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
    strained : ndarray of shape (n_cells, n_replicates), optional
        Cells that are beyond the rules' limits in a replicate and join as emptied ones do.

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
    joining = empty if strained is None else empty | strained
    if not joining.any():
        return response_factor(everyone, responded, labels), []
    pooled_everyone, pooled_responded = everyone.copy(), responded.copy()
    joined = []
    for cell, replicate in np.argwhere(joining).tolist():
        inside = np.flatnonzero(stratum == stratum[cell])
        pooled_everyone[inside, replicate] = everyone[inside, replicate].sum()
        pooled_responded[inside, replicate] = responded[inside, replicate].sum()
        reason = "no respondents" if empty[cell, replicate] else "beyond the limits"
        joined.append(
            JoinedInReplicate(stage=stage, cell=labels[cell], replicate=replicate + 1, reason=reason)
        )
    return response_factor(pooled_everyone, pooled_responded, labels), joined


def strained_cells(
    totals: tuple[NDArray[np.float64], NDArray[np.float64]],
    count: NDArray[np.float64],
    factor: NDArray[np.float64],
    limits: StudentCells,
) -> NDArray[np.bool_]:
    """Mark the cells that a replicate pushes beyond the rules' limits.

    Parameters
    ----------
    totals : tuple of ndarray of shape (n_cells, n_replicates)
        Weighted totals of eligible students and of respondents.
    count : ndarray of shape (n_cells, n_replicates)
        Respondents with a weight.
    factor : ndarray of shape (n_cells,)
        Factors of the full sample (dimensionless).
    limits : StudentCells
        ``replicate_minimum``, ``replicate_factor``, ``replicate_growth``.

    Returns
    -------
    ndarray of shape (n_cells, n_replicates)
        True where respondents are too few though the full sample had enough, or the factor is above the
        larger of ``replicate_factor`` and ``replicate_growth`` times the full sample's.

    References
    ----------
    .. [1] NCES, NAEP Technical Documentation, student nonresponse adjustment of replicate weights.
    """
    everyone, responded = totals
    largest = np.maximum(
        np.inf if limits.replicate_factor is None else limits.replicate_factor,
        factor * (1.0 if limits.replicate_growth is None else limits.replicate_growth),
    )
    too_large = everyone > largest[:, None] * responded
    few = count < (limits.replicate_minimum or 0)
    had_enough = count.max(axis=1) >= (limits.replicate_minimum or 0)
    strained: NDArray[np.bool_] = (too_large | (few & had_enough[:, None])) & (everyone > 0)
    return strained
