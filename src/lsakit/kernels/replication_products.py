"""Weighted cross products of model columns in cells, and the least squares problems they form.

See ``docs/algorithms/regression.md``.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

PIVOT = 1e-11
"""Share of its own sum of squares that must be left of a column once the columns before it are taken out."""


@njit(cache=True, nogil=True)
def scale_into(rows: Floats, k: int, values: Floats, centres: Floats, size: float, groups: Integers) -> None:
    """Write a column, moved to its groups' centres and divided by a size, into a matrix of rows.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
        Changed in place.
    k : int
        Number of the column.
    values : ndarray of shape (n_rows,)
        The column in its unit.
    centres : ndarray of shape (n_groups,)
        What is subtracted in each group.
    size : float
        What is divided by.
    groups : ndarray of shape (n_rows,)
        Group of each row; −1 counts as the first.
    """
    inverse = 1.0 / size
    for i in range(values.size):
        rows[i, k] = (values[i] - centres[max(groups[i], 0)]) * inverse


@njit(cache=True, nogil=True)
def sum_products(
    rows: Floats,
    first: Integers,
    second: Integers,
    scale: Floats,
    groups: Integers,
    pairs: Integers,
    n_pairs: int,
) -> Floats:
    """Add up weighted products of two columns in each (group, cell) pair.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
        Values of the model's columns, one row after another.
    first : ndarray of shape (n_products,)
        First factor of each product, as a column number.
    second : ndarray of shape (n_products,)
        Second factor of each product.
    scale : ndarray of shape (n_rows,)
        Final weight of each row.
    groups : ndarray of shape (n_rows,)
        Group of each row; −1 leaves the row out.
    pairs : ndarray of shape (n_rows,)
        (group, cell) pair of each row.
    n_pairs : int
        Number of pairs.

    Returns
    -------
    ndarray of shape (n_pairs, n_products)
        Σ w x y of each product.
    """
    n_products = first.size
    sums = np.zeros((n_pairs, n_products))
    for i in range(rows.shape[0]):
        if groups[i] >= 0:
            weight = scale[i]
            pair = pairs[i]
            for k in range(n_products):
                sums[pair, k] += weight * rows[i, first[k]] * rows[i, second[k]]
    return sums


@njit(cache=True, nogil=True)
def sum_outcome_products(
    rows: Floats,
    outcome: tuple[Floats, Floats, float],
    scale: Floats,
    groups: Integers,
    pairs: Integers,
    n_pairs: int,
) -> Floats:
    """Add up the products of an outcome with the predictors and with itself, for all plausible values in one pass.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_predictors)
        Predictors, the same for every plausible value.
    outcome : tuple of (ndarray of shape (n_plausible_values, n_rows), ndarray of shape (n_groups,), float)
        Plausible values of the outcome in points of their scale, what is subtracted from them in each group, and
        what they are divided by afterwards.
    scale : ndarray of shape (n_rows,)
        Final weight of each row.
    groups : ndarray of shape (n_rows,)
        Group of each row; −1 leaves the row out.
    pairs : ndarray of shape (n_rows,)
        (group, cell) pair of each row.
    n_pairs : int
        Number of pairs.

    Returns
    -------
    ndarray of shape (n_pairs, n_plausible_values * (n_predictors + 1))
        For each plausible value Σ w x_k y of every predictor, then Σ w y².
    """
    values, centres, size = outcome
    n_values, n_rows = values.shape
    p = rows.shape[1]
    sums = np.zeros((n_pairs, n_values * (p + 1)))
    inverse = 1.0 / size
    for i in range(n_rows):
        group = groups[i]
        if group >= 0:
            weight = scale[i]
            pair = pairs[i]
            place = 0
            for m in range(n_values):
                deviation = (values[m, i] - centres[group]) * inverse
                product = weight * deviation
                for k in range(p):
                    sums[pair, place + k] += product * rows[i, k]
                sums[pair, place + p] += product * deviation
                place += p + 1
    return sums


@njit(cache=True, nogil=True)
def solve_regressions(products: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Solve one least squares problem per matrix of cross products by Cholesky's factorization.

    Parameters
    ----------
    products : ndarray of shape (n_problems, n_predictors + 1, n_predictors + 1)
        Cross products of the predictors and, last, the outcome.

    Returns
    -------
    coefficients : ndarray of shape (n_problems, n_predictors)
        Solutions; NaN where a predictor depends linearly on those before it.
    residuals : ndarray of shape (n_problems,)
        Residual sums of squares, not negative; NaN likewise.
    is_solved : ndarray of shape (n_problems,)
        False where the predictors are not independent.
    """
    n_problems, size, _ = products.shape
    p = size - 1
    coefficients = np.full((n_problems, p), np.nan)
    residuals = np.full(n_problems, np.nan)
    is_solved = np.ones(n_problems, dtype=np.bool_)
    factor = np.zeros((size, size))
    for b in range(n_problems):
        for i in range(size):
            for j in range(i + 1):
                total = products[b, i, j]
                for k in range(j):
                    total -= factor[i, k] * factor[j, k]
                if i > j:
                    factor[i, j] = total / factor[j, j]
                elif i == p:
                    residuals[b] = max(total, 0.0)
                elif total > PIVOT * products[b, i, i]:
                    factor[i, i] = np.sqrt(total)
                else:
                    is_solved[b] = False
            if not is_solved[b]:
                break
        if not is_solved[b]:
            residuals[b] = np.nan
            continue
        for i in range(p - 1, -1, -1):
            total = factor[p, i]
            for k in range(i + 1, p):
                total -= factor[k, i] * coefficients[b, k]
            coefficients[b, i] = total / factor[i, i]
    return coefficients, residuals, is_solved
