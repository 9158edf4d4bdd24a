"""Which items were given together: the booklets as the responses show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lsakit.io.frames import Table, floats, response_codes
from lsakit.irt.models import Floats
from lsakit.irt.response_data import ResponseData


@dataclass(frozen=True, slots=True, kw_only=True)
class Patterns:
    """Students by the set of items that they have a score on.

    Parameters
    ----------
    number : ndarray of shape (n_students,)
        Number of each student's set.
    given : ndarray of shape (n_patterns, n_items)
        Whether the set holds the item.
    size : ndarray of shape (n_patterns,)
        Number of students.
    """

    number: NDArray[np.int64]
    given: NDArray[np.bool_]
    size: NDArray[np.int64]

    @property
    def is_complete(self) -> bool:
        """Whether every student has a score on every item."""
        return bool(self.given.all())


def find_patterns(codes: NDArray[Any]) -> Patterns:
    """Number the sets of items that occur.

    Parameters
    ----------
    codes : ndarray of shape (n_students, n_items)
        Scores; negative where there is none.

    Returns
    -------
    Patterns
        The sets, in a fixed order.
    """
    given = codes >= 0
    if given.all():
        n = codes.shape[0]
        return Patterns(
            number=np.zeros(n, dtype=np.int64),
            given=np.ones((1, codes.shape[1]), dtype=bool),
            size=np.array([n], dtype=np.int64),
        )
    packed = np.packbits(given, axis=1)
    wide = np.ascontiguousarray(packed).view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, number, size = np.unique(wide, return_index=True, return_inverse=True, return_counts=True)
    return Patterns(number=number.ravel().astype(np.int64), given=given[first], size=size.astype(np.int64))


def kept_rows(table: Table, data: ResponseData, weights: str | ArrayLike | None = None) -> NDArray[np.int64]:
    """List the rows of the table that count, in their order.

    Parameters
    ----------
    table : polars.DataFrame
        The responses that were read.
    data : ResponseData
        What was read from them.
    weights : str or array of shape (n_students,), optional
        The weights they were read with.

    Returns
    -------
    ndarray of shape (n_kept,)
        Row numbers from 0.
    """
    if data.n_left_out == 0:
        return np.arange(table.height)
    counts = (response_codes(table, data.items) >= 0).any(axis=1)
    if weights is not None:
        own = floats(table, weights, param="responses") if isinstance(weights, str) else np.asarray(weights)
        counts &= own > 0.0
    return np.flatnonzero(counts)


def within(values: Floats, weight: Floats, number: NDArray[np.int64], n_patterns: int) -> Floats:
    """Take the weighted mean of each student's booklet off.

    Parameters
    ----------
    values : ndarray of shape (n_students,)
        Values, in any unit.
    weight : ndarray of shape (n_students,)
        Weights, dimensionless.
    number : ndarray of shape (n_students,)
        Number of each student's booklet.
    n_patterns : int
        Number of booklets.

    Returns
    -------
    ndarray of shape (n_students,)
        Deviations, in the unit of the values.
    """
    total = np.bincount(number, weights=weight, minlength=n_patterns)
    mean = np.bincount(number, weights=weight * values, minlength=n_patterns)
    mean = np.divide(mean, total, out=np.zeros(n_patterns), where=total > 0.0)
    return np.asarray(values - mean[number], dtype=float)


def correlation(first: Floats, second: Floats, weight: Floats) -> float:
    """Correlate two centered variables.

    Parameters
    ----------
    first : ndarray of shape (n_students,)
        Deviations from a mean.
    second : ndarray of shape (n_students,)
        Deviations from a mean.
    weight : ndarray of shape (n_students,)
        Weights, dimensionless.

    Returns
    -------
    float
        Correlation; NaN where one of them does not vary.
    """
    one, two = float(weight @ (first * first)), float(weight @ (second * second))
    if not (one > 1e-12 and two > 1e-12):
        return float("nan")
    return float(weight @ (first * second)) / float(np.sqrt(one * two))
