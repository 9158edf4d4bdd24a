"""Background variables as columns of a regression: contrasts, missing indicators, no perfect collinearity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from lsakit.errors import EstimationError
from lsakit.io.frames import Table, floats, strings

Floats = NDArray[np.float64]
INTERCEPT = "intercept"
LEAST_OWN_VARIANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """Columns of the regression.

    Parameters
    ----------
    terms : tuple of str
        Names: the intercept, ``name`` of a number, ``name=level`` of a contrast, ``name:missing`` of an indicator.
    matrix : ndarray of shape (n_students, n_terms)
        Values, in the unit of each column.
    """

    terms: tuple[str, ...]
    matrix: Floats


def code_background(table: Table, columns: Sequence[str]) -> Background:
    """Code background columns for a regression.

    Parameters
    ----------
    table : polars.DataFrame
        One row per student.
    columns : Sequence of str
        Numbers stay; text and categories become one 0/1 contrast per level against the first level in sorted
        order; a missing value becomes 0 with a 0/1 indicator.

    Returns
    -------
    Background
        The coded columns, the intercept first.

    Raises
    ------
    TableError
        If a column is absent.
    """
    terms = [INTERCEPT]
    parts = [np.ones(table.height)]
    for name in columns:
        is_number = table.schema[name].is_numeric() or str(table.schema[name]) == "Boolean"
        if is_number:
            values = floats(table, name, param="background", nulls=True)
            gone = np.isnan(values)
            terms.append(name)
            parts.append(np.where(gone, 0.0, values))
        else:
            labels = np.array(strings(table, name, param="background", nulls=True))
            gone = table.get_column(name).is_null().to_numpy()
            for level in sorted(set(labels[~gone].tolist()))[1:]:
                terms.append(f"{name}={level}")
                parts.append(((labels == level) & ~gone).astype(float))
        if gone.any():
            terms.append(f"{name}:missing")
            parts.append(gone.astype(float))
    return Background(terms=tuple(terms), matrix=np.column_stack(parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """A change of the regression's columns to uncorrelated ones of mean square one.

    Parameters
    ----------
    to_terms : ndarray of shape (n_terms, n_terms)
        Turns coefficients of the uncorrelated columns into those of the terms; ``matrix @ to_terms`` are the
        uncorrelated columns themselves.
    columns : ndarray of shape (n_students, n_terms)
        The uncorrelated columns.
    """

    to_terms: Floats
    columns: Floats


def uncorrelated(background: Background, weight: Floats) -> Basis:
    """Make the columns uncorrelated under the weights, refusing perfect collinearity.

    Parameters
    ----------
    background : Background
        Coded columns.
    weight : ndarray of shape (n_students,)
        Weights with mean one, dimensionless.

    Returns
    -------
    Basis
        The uncorrelated columns and the way back.

    Raises
    ------
    EstimationError
        If a column is constant or a combination of others; both are named.
    """
    matrix = background.matrix
    n = weight.sum()
    centre = weight @ matrix / n
    centre[0] = 0.0
    spread = np.sqrt(np.maximum(weight @ (matrix - centre) ** 2 / n, 0.0))
    constant = [
        background.terms[j] for j in np.flatnonzero(spread <= 1e-12 * (1.0 + np.abs(centre))).tolist()
    ]
    if constant:
        raise EstimationError(
            f"{len(constant)} background columns are constant among the students with responses.",
            where=constant,
            why="They say nothing beside the intercept.",
            hint="Leave them out.",
            param=constant[0],
        )
    standard = (matrix - centre) / spread
    gram = (standard * weight[:, None]).T @ standard / n
    root = _guarded_root(gram, background.terms)
    inverse = solve_triangular(root, np.eye(len(root)), lower=True).T
    to_terms = inverse / spread[:, None]
    to_terms[0] -= (centre[1:] / spread[1:]) @ inverse[1:]
    return Basis(to_terms=to_terms, columns=np.ascontiguousarray(standard @ inverse))


def _guarded_root(gram: Floats, terms: Sequence[str]) -> Floats:
    """Cholesky factor of the columns' correlations; a column without variance of its own is refused."""
    size = len(gram)
    root = np.zeros((size, size))
    kept: list[int] = []
    sentences: list[str] = []
    for j in range(size):
        across = (
            solve_triangular(root[np.ix_(kept, kept)], gram[kept, j], lower=True) if kept else np.zeros(0)
        )
        own = gram[j, j] - across @ across
        if own < LEAST_OWN_VARIANCE:
            parts = solve_triangular(root[np.ix_(kept, kept)].T, across, lower=False)
            others = [terms[kept[k]] for k in np.flatnonzero(np.abs(parts) > 1e-6).tolist()]
            sentences.append(f"{terms[j]} is a combination of {', '.join(others)}")
            continue
        root[j, kept] = across
        root[j, j] = np.sqrt(own)
        kept.append(j)
    if sentences:
        raise EstimationError(
            f"{len(sentences)} background columns are perfectly collinear with others.",
            where=sentences,
            why="Their coefficients are not identified.",
            hint="Leave one column of each combination out.",
            param="background",
        )
    return root
