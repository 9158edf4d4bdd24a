"""Options and names of two-level models with random slopes, and their covariances in the units of the data.

See ``docs/algorithms/multilevel.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

METHODS = ("ml", "reml")


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectOptions:
    """What a user asks of a two-level model beside its formula.

    Parameters
    ----------
    cluster_weight : str, optional
        Column of the school's weight.
    slopes : tuple of str
        Predictors whose coefficients vary between schools.
    method : {"ml", "reml"}
        Likelihood or restricted likelihood.
    """

    cluster_weight: str | None = None
    slopes: tuple[str, ...] = ()
    method: str = "ml"

    @property
    def is_restricted(self) -> bool:
        """Whether the restricted likelihood is maximized."""
        return self.method == "reml"


def read_effects(options: Mapping[str, Any]) -> EffectOptions:
    """Read the options, and refuse what is none.

    Parameters
    ----------
    options : Mapping of str to object
        As the user gave them.

    Returns
    -------
    EffectOptions
        The options.

    Raises
    ------
    EstimationError
        If one is unknown or wrong.
    """
    unknown = sorted(set(options) - {"cluster_weight", "slopes", "method"})
    if unknown:
        raise EstimationError(
            f"A two-level model knows no option {unknown[0]!r}.",
            hint="It knows cluster_weight, slopes and method.",
            param=unknown[0],
        )
    slopes = options.get("slopes") or ()
    slopes = (slopes,) if isinstance(slopes, str) else tuple(slopes)
    if len(set(slopes)) < len(slopes):
        raise EstimationError(f"A random slope is named twice: {', '.join(slopes)}.", param="slopes")
    method = options.get("method", "ml")
    if method not in METHODS:
        raise EstimationError(
            f"The 'method' of a two-level model is one of {', '.join(METHODS)}. Got {method!r}.",
            param="method",
            got=method,
        )
    return EffectOptions(cluster_weight=options.get("cluster_weight"), slopes=slopes, method=method)


def places_of(slopes: Sequence[str], names: Sequence[str]) -> Integers:
    """Find the columns of the random effects: the constant and the predictors with random slopes.

    Parameters
    ----------
    slopes : Sequence of str
        Names of predictors.
    names : Sequence of str
        Names of all predictors, the constant first.

    Returns
    -------
    ndarray of shape (n_effects,)
        Numbers of columns.

    Raises
    ------
    EstimationError
        If a slope is no predictor of the formula.
    """
    wrong = [name for name in slopes if name not in names[1:]]
    if wrong:
        raise EstimationError(
            f"The random slope {wrong[0]!r} is no predictor of the formula. They are: {', '.join(names[1:])}.",
            param="slopes",
            got=wrong[0],
        )
    return np.array([0, *(names.index(name) for name in slopes)], dtype=np.int64)


def effect_names(names: Sequence[str], slopes: Sequence[str]) -> list[str]:
    """Name the statistics of a model with random effects.

    Parameters
    ----------
    names : Sequence of str
        Predictors.
    slopes : Sequence of str
        Predictors with random slopes.

    Returns
    -------
    list of str
        Coefficients, variances and covariances line by line, the residual variance, and the share between schools
        where there are no slopes.
    """
    effects = ["(Intercept)", *slopes]
    parts = ["variance_between"]
    for a in range(1, len(effects)):
        parts += [f"covariance:{effects[a]}:{effects[b]}" for b in range(a)]
        parts.append(f"variance:{effects[a]}")
    return [*names, *parts, "variance_within", *([] if slopes else ["icc"])]


def in_units(solution: Floats, centres: Floats, scales: Floats, places: Integers) -> Floats:
    """Turn the solution for moved and scaled columns into one for the columns themselves.

    Parameters
    ----------
    solution : ndarray of shape (n_weights, n_statistics)
        Coefficients, covariances line by line, residual variance.
    centres : ndarray of shape (n_columns,)
        What was subtracted from predictors and outcome.
    scales : ndarray of shape (n_columns,)
        What they were divided by.
    places : ndarray of shape (n_effects,)
        Columns of the random effects, the constant first.

    Returns
    -------
    ndarray of shape (n_weights, n_statistics)
        The same in the units of the data; with one random effect also its share of the variance, last.
    """
    p, q = centres.size - 1, places.size
    unit = scales[-1]
    slopes = solution[:, :p] * (unit / scales[:p])
    slopes[:, 0] += centres[-1] - slopes[:, 1:] @ centres[1:p]
    rows, columns = np.tril_indices(q)
    covariance = np.zeros((solution.shape[0], q, q))
    covariance[:, rows, columns] = solution[:, p : p + rows.size]
    covariance[:, columns, rows] = solution[:, p : p + rows.size]
    back = np.diag(
        unit / scales[places]
    )  # a slope of the scaled column is this many units of the column itself
    back[0, 1:] = -unit * centres[places[1:]] / scales[places[1:]]
    covariance = back @ covariance @ back.T
    within = solution[:, -1:] * unit**2
    parts = [slopes, covariance[:, rows, columns], within]
    if q == 1:
        parts.append(covariance[:, 0] / (covariance[:, 0] + within))
    return np.concatenate(parts, axis=1)
