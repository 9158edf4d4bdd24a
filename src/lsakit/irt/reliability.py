"""Reliabilities: alpha and omega of scores, and those of abilities and plausible values.

Formulas and which peer is followed: docs/algorithms/classical_analysis.md and reliability.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from lsakit.errors import EstimationError
from lsakit.io.frames import Table, as_table, floats, require_columns
from lsakit.irt.models import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Consistency:
    """Internal consistency of a set of items.

    Parameters
    ----------
    alpha : float or None
        Cronbach's alpha; None where a pair of items was given to nobody or the scores do not vary.
    alpha_without : ndarray of shape (n_items,)
        Alpha of the other items; NaN where not defined.
    alpha_kind : str
        "complete" or "pairwise" (item covariances from the students given both items).
    omega : float or None
        McDonald's omega of one factor; None where there is no proper solution.
    undefined_because : str or None
        Why alpha or omega is None.
    """

    alpha: float | None
    alpha_without: Floats
    alpha_kind: str
    omega: float | None
    undefined_because: str | None


def internal_consistency(codes: NDArray[Any], weight: Floats) -> Consistency:
    """Compute alpha and omega from scores.

    Parameters
    ----------
    codes : ndarray of shape (n_students, n_items)
        Scores; negative where there is none.
    weight : ndarray of shape (n_students,)
        Weights, dimensionless.

    Returns
    -------
    Consistency
        Alpha, alpha without each item, omega.
    """
    complete = bool((codes >= 0).all())
    covariance = _item_covariance(codes, weight)
    n_items = covariance.shape[0]
    kind = "complete" if complete else "pairwise"
    none = np.full(n_items, np.nan)
    if np.isnan(covariance).any():
        apart = "at least one pair of items was given to nobody together"
        return Consistency(
            alpha=None, alpha_without=none, alpha_kind=kind, omega=None, undefined_because=apart
        )
    spread = np.diag(covariance)
    alpha = _alpha(float(spread.sum()), float(covariance.sum()), n_items)
    cross = covariance.sum(axis=0)
    for item in range(n_items if n_items > 2 else 0):
        total = float(covariance.sum() - 2.0 * cross[item] + spread[item])
        without = _alpha(float(spread.sum() - spread[item]), total, n_items - 1)
        none[item] = np.nan if without is None else without
    why = None if alpha is not None else "the total scores do not vary"
    omega = None
    if n_items < 3:
        why = why or "omega needs at least three items"
    elif (spread <= 1e-12).any():
        why = why or "an item's scores do not vary, so that there is no omega"
    else:
        root = np.sqrt(spread)
        omega = _omega(covariance / np.outer(root, root))
        if omega is None:
            why = why or "the one-factor solution is improper (a loading of 1 or more)"
    return Consistency(alpha=alpha, alpha_without=none, alpha_kind=kind, omega=omega, undefined_because=why)


def complete_alpha(codes: NDArray[Any], weight: Floats) -> float | None:
    """Compute alpha of scores without gaps.

    Parameters
    ----------
    codes : ndarray of shape (n_students, n_items)
        Scores.
    weight : ndarray of shape (n_students,)
        Weights, dimensionless.

    Returns
    -------
    float or None
        Alpha; None with fewer than two items, or where the sums do not vary.
    """
    covariance = _item_covariance(codes, weight)
    return _alpha(float(np.trace(covariance)), float(covariance.sum()), len(covariance))


def _alpha(sum_of_variances: float, variance_of_sum: float, n_items: int) -> float | None:
    """Alpha from the two sums; None where the sum does not vary."""
    if n_items < 2 or not variance_of_sum > 1e-12:
        return None
    return n_items / (n_items - 1) * (1.0 - sum_of_variances / variance_of_sum)


def _item_covariance(codes: NDArray[Any], weight: Floats) -> Floats:
    """Weighted covariances of pairs of items over the students given both; NaN where nobody was."""
    n_items = codes.shape[1]
    sums = np.zeros((4, n_items, n_items))
    for first in range(0, codes.shape[0], 8192):
        block = codes[first : first + 8192]
        there = (block >= 0).astype(float)
        score = np.where(block >= 0, block, 0).astype(float)
        heavy = weight[first : first + 8192, None]
        sums[0] += there.T @ (heavy * there)
        sums[1] += score.T @ (heavy * there)
        sums[2] += score.T @ (heavy * score)
    number = sums[0]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sums[1] / number  # row: mean of item j among those given item k as well
        covariance = sums[2] / number - mean * mean.T
    return np.asarray(np.where(number > 0.0, covariance, np.nan))


def _omega(matrix: Floats) -> float | None:
    """Omega of a one-factor minimum-residual solution of a correlation matrix."""
    n_items = len(matrix)
    off = ~np.eye(n_items, dtype=bool)
    values, vectors = np.linalg.eigh(matrix)
    first = vectors[:, -1] * np.sqrt(max(values[-1], 1e-6))
    start = np.clip(first * (1.0 if first.sum() >= 0.0 else -1.0), -0.9, 0.9)

    def residual(loading: Floats) -> tuple[float, Floats]:
        gap = np.where(off, matrix - np.outer(loading, loading), 0.0)
        return 0.5 * float((gap * gap).sum()), -2.0 * (gap @ loading)

    found = minimize(residual, start, jac=True, method="BFGS", options={"gtol": 1e-10, "maxiter": 2000})
    loading = np.asarray(found.x, dtype=float)
    unique = 1.0 - loading**2
    if (unique <= 0.0).any():
        return None
    common = float(loading.sum()) ** 2
    return common / (common + float(unique.sum()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """Reliability of abilities or plausible values.

    Parameters
    ----------
    value : float
        The reliability, dimensionless.
    method : str
        "eap", "wle", "mle" or "pv".
    variance : float
        Variance of the estimates (all draws together for plausible values), squared logits.
    error_variance : float
        Mean squared error of the estimates (within-student variance of plausible values), squared logits.
    n_students : int
        Students who count.
    n_left_out : int
        Students without an estimate.
    doubtful : str or None
        Why the number should not be used as it is.
    """

    value: float
    method: str
    variance: float
    error_variance: float
    n_students: int
    n_left_out: int
    doubtful: str | None


def reliability(
    abilities: Any, method: str = "wle", *, weights: str | ArrayLike | None = None
) -> Reliability:
    """Compute the reliability of abilities or plausible values.

    Parameters
    ----------
    abilities : table
        Columns theta and se (from `score`), or PV1, PV2 … (from `draw_plausible_values`).
    method : str, default "wle"
        "eap", "wle", "mle" or "pv".
    weights : str or array of shape (n_students,), optional
        Weights, dimensionless.

    Returns
    -------
    Reliability
        The reliability and its parts.

    Raises
    ------
    EstimationError
        If the method is unknown, there are fewer than two students or plausible values, the estimates do not vary,
        or weights are negative or all zero.
    UnknownColumnError
        If a column is absent.

    References
    ----------
    .. [1] Adams (2005), Reliability as a measurement design effect, Studies in Educational Evaluation 31.

    Examples
    --------
    >>> found = reliability({"theta": [-1.0, 0.0, 1.0], "se": [0.5, 0.5, 0.5]}, method="eap")
    >>> round(found.value, 4)
    0.7273
    """
    if method not in ("eap", "wle", "mle", "pv"):
        raise EstimationError(
            f"The 'method' parameter must be one of eap, wle, mle, pv. Got {method!r}.",
            param="method",
            got=method,
        )
    table = as_table(abilities, param="abilities")
    own = _weights(table, weights)
    if method == "pv":
        estimate, error, kept = _draws(table)
    else:
        require_columns(table, ["theta", "se"], param="abilities")
        estimate = floats(table, "theta", param="abilities", nulls=True)[:, None]
        error = floats(table, "se", param="abilities", nulls=True) ** 2
        kept = ~(np.isnan(estimate[:, 0]) | np.isnan(error))
    kept &= own > 0.0
    if int(kept.sum()) < 2:
        raise EstimationError(
            f"A reliability needs at least two students with an estimate. Got {int(kept.sum())}.",
            param="abilities",
        )
    share = own[kept] / own[kept].sum()
    values = estimate[kept]
    center = float(share @ values.mean(axis=1))
    variance = float(share @ ((values - center) ** 2).mean(axis=1))
    within = float(share @ error[kept])
    if not variance > 0.0:
        raise EstimationError(
            "The estimates do not vary, so they have no reliability.", param="abilities", got=variance
        )
    value = variance / (variance + within) if method == "eap" else 1.0 - within / variance
    return Reliability(
        value=value,
        method=method,
        variance=variance,
        error_variance=within,
        n_students=int(kept.sum()),
        n_left_out=int((~kept).sum()),
        doubtful="The error is larger than the spread of the estimates." if value < 0.0 else None,
    )


def _weights(table: Table, weights: str | ArrayLike | None) -> Floats:
    """Weights of all rows, refused where negative or all zero."""
    if weights is None:
        return np.ones(table.height)
    own = (
        floats(table, weights, param="abilities")
        if isinstance(weights, str)
        else np.asarray(weights, dtype=float)
    )
    if own.shape != (table.height,) or (own < 0.0).any() or not own.sum() > 0.0:
        raise EstimationError(
            f"The weights must give one number per student, none negative and not all zero. Got shape "
            f"{own.shape} for {table.height} students.",
            param="weights",
        )
    return own


def _draws(table: Table) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Plausible values, their within-student variance, and who has them."""
    names = [name for name in table.columns if name.startswith("PV")]
    if len(names) < 2:
        raise EstimationError(
            f"The reliability of plausible values needs at least two of them. Got {len(names)}.",
            hint="Give the columns PV1, PV2 … of one subject.",
            param="abilities",
        )
    values = np.column_stack([floats(table, name, param="abilities", nulls=True) for name in names])
    kept = np.asarray(~np.isnan(values).any(axis=1))
    return values, np.asarray(values.var(axis=1, ddof=1)), kept
