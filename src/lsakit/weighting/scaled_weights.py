"""House and senate weights: the same weights on another scale."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lsakit.errors import DesignError
from lsakit.io.frames import floats
from lsakit.weighting.weighted import FinalWeights


def house_weights(weights: FinalWeights | ArrayLike, *, by: Any = None) -> NDArray[np.float64]:
    """Scale weights so that they add up to the number of respondents.

    Parameters
    ----------
    weights : FinalWeights or array-like of shape (n_students,)
        Final weights, students.
    by : array-like of shape (n_students,), optional
        Population of each respondent (country, province); by default there is one.

    Returns
    -------
    ndarray of shape (n_students,)
        ``w n / Σw`` inside each population (dimensionless).

    Raises
    ------
    DesignError
        If a population's weights do not add up to a positive number.

    References
    ----------
    .. [1] Martin, von Davier and Mullis (2020), Methods and Procedures: TIMSS 2019, chapter 3 (HOUWGT).

    Examples
    --------
    >>> house_weights([10.0, 20.0, 30.0, 40.0]).tolist()
    [0.4, 0.8, 1.2, 1.6]
    """
    given, codes, labels = _populations(weights, by)
    return _scaled(given, codes, np.bincount(codes, minlength=len(labels)).astype(np.float64), labels)


def senate_weights(
    weights: FinalWeights | ArrayLike, *, total: float | None = None, by: Any = None
) -> NDArray[np.float64]:
    """Scale weights so that each population counts the same.

    Parameters
    ----------
    weights : FinalWeights or array-like of shape (n_students,)
        Final weights, students.
    total : float, optional
        Sum of the weights of each population: 5,000 in PISA, 500 in TIMSS. By default that of the rules of
        the weights.
    by : array-like of shape (n_students,), optional
        Population of each respondent; by default there is one.

    Returns
    -------
    ndarray of shape (n_students,)
        ``w total / Σw`` inside each population (dimensionless).

    Raises
    ------
    DesignError
        If no total is known, or a population's weights do not add up to a positive number.

    References
    ----------
    .. [1] Martin, von Davier and Mullis (2020), Methods and Procedures: TIMSS 2019, chapter 3 (SENWGT).

    Examples
    --------
    >>> senate_weights([10.0, 20.0, 30.0, 40.0], total=500).tolist()
    [50.0, 100.0, 150.0, 200.0]
    """
    if total is None and isinstance(weights, FinalWeights):
        total = weights.rules.scaling.senate_total
    if total is None or not 0 < total < np.inf:
        raise DesignError(
            f"The 'total' of senate weights must be a positive number. Got {total!r}.",
            hint="PISA uses 5000, TIMSS 500.",
            param="total",
            got=total,
        )
    given, codes, labels = _populations(weights, by)
    return _scaled(given, codes, np.full(len(labels), float(total)), labels)


def _populations(
    weights: FinalWeights | ArrayLike, by: Any
) -> tuple[NDArray[np.float64], NDArray[np.int64], list[str]]:
    """Take the weights and number the populations."""
    if isinstance(weights, FinalWeights):
        given = floats(weights.table, "final_weight")
    else:
        given = np.asarray(weights, dtype=np.float64)
    if given.ndim != 1 or not len(given):
        raise DesignError(f"Weights must be one column of numbers. Got shape {given.shape}.", param="weights")
    if by is None:
        return given, np.zeros(len(given), dtype=np.int64), ["the sample"]
    labels, codes = np.unique(np.asarray(by, dtype=np.str_), return_inverse=True)
    if len(codes) != len(given):
        raise DesignError(
            f"The 'by' parameter must have one value for each weight. Got {len(codes)} for {len(given)}.",
            param="by",
        )
    return given, codes.astype(np.int64), labels.tolist()


def _scaled(
    given: NDArray[np.float64], codes: NDArray[np.int64], target: NDArray[np.float64], labels: list[str]
) -> NDArray[np.float64]:
    """Scale each population to its target, refusing sums that cannot be scaled."""
    bad = np.flatnonzero(~(given >= 0) | ~np.isfinite(given))
    sums = np.bincount(codes, np.where(np.isfinite(given), given, 0.0), minlength=len(target))
    if len(bad) or (sums <= 0).any():
        raise DesignError(
            "The weights do not add up to a positive number in every population, or one is negative or "
            "missing.",
            where=[f"row {row + 1}" for row in bad.tolist()]
            or [labels[one] for one in np.flatnonzero(sums <= 0).tolist()],
            hint="Leave out rows without a weight.",
            param="weights",
        )
    scaled: NDArray[np.float64] = given * (target / sums)[codes]
    return scaled
