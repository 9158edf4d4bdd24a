"""Closed forms that go with comparisons: composites, parts of a whole, false discovery rates.

See ``docs/algorithms/comparisons.md``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lsakit.errors import EstimationError
from lsakit.io.frames import Table, floats, with_columns


def benjamini_hochberg(p_values: ArrayLike, *, level: float = 0.05) -> NDArray[np.bool_]:
    """Reject hypotheses with the false discovery rate under control.

    Parameters
    ----------
    p_values : array_like of shape (n_tests,)
        Two-sided p-values, from 0 to 1.
    level : float, default 0.05
        False discovery rate.

    Returns
    -------
    ndarray of shape (n_tests,)
        True where the hypothesis is rejected, in the order given.

    Raises
    ------
    EstimationError
        If a p-value lies outside 0 to 1.

    References
    ----------
    .. [1] Benjamini & Hochberg (1995), Controlling the false discovery rate, Journal of the Royal
       Statistical Society B 57(1), 289-300.

    Examples
    --------
    >>> benjamini_hochberg([0.2, 0.001, 0.012]).tolist()
    [False, True, True]
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0.0) & (p <= 1.0)).all():
        raise EstimationError("p-values lie from 0 to 1.", param="p_values")
    order = np.argsort(p, kind="stable")
    below = np.flatnonzero(p[order] <= level * np.arange(1, p.size + 1) / max(p.size, 1))
    rejected = np.zeros(p.size, dtype=np.bool_)
    if below.size:
        rejected[order[: below[-1] + 1]] = True
    return rejected


def with_discoveries(table: Table, level: float) -> Table:
    """Mark the rows of a table of tests that are discoveries at a false discovery rate.

    Parameters
    ----------
    table : polars.DataFrame
        Rows with a ``p_value``, null where there is none.
    level : float
        False discovery rate of the family of all rows.

    Returns
    -------
    polars.DataFrame
        The table with the column ``is_significant``, false where there is no p-value.

    Raises
    ------
    EstimationError
        If the level does not lie between 0 and 1.
    """
    if not 0.0 < level < 1.0:
        raise EstimationError(f"The 'level' lies between 0 and 1. Got {level}.", param="level", got=level)
    p = floats(table, "p_value", nulls=True)
    known = ~np.isnan(p)
    found = np.zeros(p.size, dtype=np.bool_)
    found[known] = benjamini_hochberg(p[known], level=level)
    return with_columns(table, {"is_significant": found})


def composite_standard_error(standard_errors: Sequence[float]) -> float:
    """Standard error of the unweighted mean of independent estimates, such as countries.

    Parameters
    ----------
    standard_errors : Sequence of float
        Standard error of each element, in the unit of the statistic.

    Returns
    -------
    float
        ``sqrt(Σ SE²) / C``, in the same unit.

    Raises
    ------
    EstimationError
        If there is none.

    References
    ----------
    .. [1] OECD (2009), PISA Data Analysis Manual, 2nd ed., ch. 12.

    Examples
    --------
    >>> round(composite_standard_error([3.1, 2.6, 4.0]), 7)
    1.896488
    """
    if not len(standard_errors):
        raise EstimationError("A composite needs at least one element.", param="standard_errors")
    return float(np.sqrt(np.sum(np.square(standard_errors))) / len(standard_errors))


def element_and_composite_standard_error(standard_errors: Sequence[float], element: int) -> float:
    """Standard error of the difference between one element and the composite that contains it.

    Parameters
    ----------
    standard_errors : Sequence of float
        Standard error of each element, in the unit of the statistic.
    element : int
        Which element is compared, from 0.

    Returns
    -------
    float
        ``sqrt(Σ SE² / C² + ((C − 1)² − 1) / C² · SE_element²)``, in the same unit.

    Raises
    ------
    EstimationError
        If there is no such element.

    References
    ----------
    .. [1] OECD (2009), PISA Data Analysis Manual, 2nd ed., ch. 12.

    Examples
    --------
    >>> round(element_and_composite_standard_error([3.1, 2.6, 4.0], 0), 7)
    2.607681
    """
    count = len(standard_errors)
    if not 0 <= element < count:
        raise EstimationError(f"There is no element {element} among {count}.", param="element", got=element)
    squares = np.square(np.asarray(standard_errors, dtype=np.float64))
    return float(np.sqrt((squares.sum() + ((count - 1) ** 2 - 1) * squares[element]) / count**2))


def part_and_whole_standard_error(share: float, part: float, rest: float) -> float:
    """Closed form of the error of (part − whole) when part and rest are independent.

    Parameters
    ----------
    share : float
        Weighted share of the part in the whole, from 0 to 1.
    part : float
        Standard error of the part, in the unit of the statistic.
    rest : float
        Standard error of the rest, in the same unit.

    Returns
    -------
    float
        ``(1 − share) sqrt(SE_part² + SE_rest²)``, in the same unit.

    Raises
    ------
    EstimationError
        If the share lies outside 0 to 1.

    Notes
    -----
    It takes the share as known. It checks :func:`compare` with ``against``, which assumes neither.

    References
    ----------
    .. [1] docs/algorithms/comparisons.md

    Examples
    --------
    >>> round(part_and_whole_standard_error(0.08, 6.0, 2.1), 4)
    5.8483
    """
    if not 0.0 <= share <= 1.0:
        raise EstimationError(f"The 'share' lies from 0 to 1. Got {share}.", param="share", got=share)
    return float((1.0 - share) * np.hypot(part, rest))
