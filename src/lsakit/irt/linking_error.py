"""Linking errors: of items, of units of items, and of country means.

Formulas and references: docs/algorithms/linking.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from lsakit.errors import CalibrationError
from lsakit.io.frames import as_table, floats, refuse_duplicates, require_columns, strings

S_N = 1.1926
N_QUANTILES = 2001


def item_linking_error(shifts: ArrayLike) -> float:
    """Give the standard error of the mean shift of items.

    Parameters
    ----------
    shifts : array of shape (n_items,)
        New minus old difficulty of each common item on one scale, logits.

    Returns
    -------
    float
        Linking error, logits.

    Raises
    ------
    CalibrationError
        If there are fewer than two items or one is not finite.

    References
    ----------
    .. [1] OECD (2014), PISA 2012 Technical Report, ch. 9.

    Examples
    --------
    >>> round(item_linking_error([0.10, -0.05, 0.02, -0.12, 0.07, 0.00, 0.15, -0.08]), 7)
    0.0327565
    """
    own = _finite(shifts, "shifts")
    gap = own - own.mean()
    return float(np.sqrt(gap @ gap / (len(own) * (len(own) - 1))))


def unit_linking_error(shifts: ArrayLike, points: ArrayLike) -> float:
    """Give the standard error of the mean shift of units of items.

    Parameters
    ----------
    shifts : array of shape (n_units,)
        Mean shift of each unit, logits.
    points : array of shape (n_units,)
        Score points of each unit.

    Returns
    -------
    float
        Linking error, logits.

    Raises
    ------
    CalibrationError
        If there are fewer than two units, or points are not positive.

    References
    ----------
    .. [1] OECD (2014), PISA 2012 Technical Report, ch. 9.

    Examples
    --------
    >>> round(unit_linking_error([0.10, -0.06, 0.03, -0.08], [3, 2, 4, 1]), 7)
    0.0352288
    """
    own, mass = _finite(shifts, "shifts"), _finite(points, "points")
    if own.shape != mass.shape or (mass <= 0.0).any():
        raise CalibrationError(
            f"The 'points' parameter must give a positive number for each of the {len(own)} units.",
            param="points",
        )
    center = float(mass @ own / mass.sum())
    gap = mass * (own - center)
    n_units = len(own)
    return float(np.sqrt(gap @ gap / (n_units * (n_units - 1))) / mass.mean())


def robust_spread(values: ArrayLike) -> float:
    """Give Rousseeuw and Croux's S_n, without small-sample factor.

    Parameters
    ----------
    values : array of shape (n_values,)
        Values.

    Returns
    -------
    float
        1.1926 times the low median over i of the high median over j of the distances; the unit of the values.

    Raises
    ------
    CalibrationError
        If there are fewer than two values or one is not finite.

    References
    ----------
    .. [1] Rousseeuw and Croux (1993), Alternatives to the median absolute deviation, JASA 88(424), eq. 2.1.

    Examples
    --------
    >>> round(robust_spread([1.0, 2.0, 4.0, 8.0]), 4)
    3.5778
    """
    own = _finite(values, "values")
    n = len(own)
    distance = np.sort(np.abs(own[:, None] - own[None, :]), axis=1)
    high = np.sort(distance[:, n // 2])
    return S_N * float(high[(n + 1) // 2 - 1])


def country_linking_error(old: Any, new: Any, *, on: str = "country", mean: str = "mean") -> float:
    """Give the linking error of PISA since 2015: robust spread of the differences of country means.

    Parameters
    ----------
    old : table
        Means of the old cycle as they were published, a row per country, points of the scale.
    new : table
        Means of the old cycle's students under the new calibration, a row per country, points of the scale.
    on : str, default "country"
        Column of the country.
    mean : str, default "mean"
        Column of the mean.

    Returns
    -------
    float
        Linking error, points of the scale.

    Raises
    ------
    CalibrationError
        If fewer than three countries are in both, or the tables hold different countries.
    TableError
        If a country stands twice or a mean is missing.

    References
    ----------
    .. [1] OECD (2017), PISA 2015 Technical Report, ch. 12.

    Examples
    --------
    >>> round(country_linking_error({"country": ["A", "B", "C"], "mean": [500, 480, 510]},
    ...     {"country": ["A", "B", "C"], "mean": [501, 483, 509]}), 4)
    2.3852
    """
    sides = []
    for table, name in ((as_table(old, param="old"), "old"), (as_table(new, param="new"), "new")):
        require_columns(table, [on, mean], param=name)
        refuse_duplicates(table, on, param=name)
        keys, values = strings(table, on, param=name), floats(table, mean, param=name)
        sides.append(dict(zip(keys, values.tolist(), strict=True)))
    different = sorted(set(sides[0]) ^ set(sides[1]))
    if different or len(sides[0]) < 3:
        raise CalibrationError(
            f"The two tables must hold the same countries, at least three. Got {len(sides[0])} and "
            f"{len(sides[1])}; {len(different)} are in one only.",
            where=different,
            hint="Keep the countries that both hold.",
            param="new",
        )
    return robust_spread([sides[1][key] - sides[0][key] for key in sorted(sides[0])])


def share_linking_error(
    values: ArrayLike, cut: float, linking_error: float, *, weights: ArrayLike | None = None
) -> float:
    """Give the linking error of the share of students at or above a cut.

    Parameters
    ----------
    values : array of shape (n_students,)
        Plausible values or scores, points of the scale.
    cut : float
        Lower bound of the level, points.
    linking_error : float
        Linking error of the scale, points.
    weights : array of shape (n_students,), optional
        Final weights, dimensionless.

    Returns
    -------
    float
        Standard deviation of the share (0 to 1) when the cut moves by a normal of this standard deviation.

    Raises
    ------
    CalibrationError
        If values are not finite, the linking error is negative, or weights are negative or all zero.

    Notes
    -----
    The normal is represented by its 2,001 quantiles of equal probability instead of random draws, so that the number
    does not depend on a seed.

    References
    ----------
    .. [1] OECD (2017), PISA 2015 Technical Report, ch. 12.

    Examples
    --------
    >>> round(share_linking_error(np.arange(0.0, 1000.0), 500.0, 10.0), 4)
    0.01
    """
    own = _finite(values, "values")
    mass = np.ones(len(own)) if weights is None else np.asarray(weights, dtype=float).ravel()
    if mass.shape != own.shape or (mass < 0.0).any() or not mass.sum() > 0.0 or not linking_error >= 0.0:
        raise CalibrationError(
            f"The share's linking error needs one weight per value, none negative and not all zero, and a linking "
            f"error of 0 or more. Got {mass.shape} weights and {linking_error}.",
            param="weights",
        )
    order = np.argsort(own, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(mass[order])]) / mass.sum()
    moved = cut + linking_error * norm.ppf((np.arange(N_QUANTILES) + 0.5) / N_QUANTILES)
    share = 1.0 - below[np.searchsorted(own[order], moved, side="left")]
    return float(share.std())


def _finite(values: ArrayLike, param: str) -> Any:
    """Take at least two finite numbers."""
    own = np.asarray(values, dtype=float).ravel()
    if len(own) < 2 or not np.isfinite(own).all():
        raise CalibrationError(
            f"The '{param}' parameter must give at least two finite numbers. Got {len(own)}.",
            param=param,
            got=len(own),
        )
    return own
