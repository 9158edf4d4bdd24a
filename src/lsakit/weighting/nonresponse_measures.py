"""Measures of non-response bias: bias, effect size, representativity, a test for clustered samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from lsakit.errors import DesignError

MOST_STEPS = 60
# Deviance moves by less than this share: fitted chances of separated groups creep to 0 or 1 without end.
DEVIANCE_TOLERANCE = 1e-12


def bias_of_mean(response_rate: float, mean_respondents: float, mean_nonrespondents: float) -> float:
    """Estimate the bias of the respondents' mean from what respondents and others are known to be.

    Parameters
    ----------
    response_rate : float
        Weighted response rate (proportion).
    mean_respondents, mean_nonrespondents : float
        Weighted means of a characteristic known for both, in its unit.

    Returns
    -------
    float
        ``(1 − RR) (mean of respondents − mean of others)``, in the unit of the characteristic.

    Raises
    ------
    DesignError
        If the rate is outside 0 to 1.

    References
    ----------
    .. [1] Groves and Couper (1998), Nonresponse in Household Interview Surveys, chapter 1.

    Examples
    --------
    >>> round(bias_of_mean(0.85, 505.0, 470.0), 10)
    5.25
    """
    if not 0.0 <= response_rate <= 1.0:
        raise DesignError(
            f"The 'response_rate' parameter must be a proportion. Got {response_rate!r}.",
            param="response_rate",
            got=response_rate,
        )
    return (1.0 - response_rate) * (mean_respondents - mean_nonrespondents)


@dataclass(frozen=True, slots=True, kw_only=True)
class Representativity:
    """Hold the R-indicator and what it bounds.

    Parameters
    ----------
    r_indicator : float
        ``1 − 2 S(ρ)``, 1 for a response that is equal everywhere (dimensionless).
    bias_bound : float
        ``S(ρ) / mean(ρ)``: largest absolute standardized bias of any mean (dimensionless).
    mean_propensity : float
        Weighted mean of the response propensities (proportion).
    """

    r_indicator: float
    bias_bound: float
    mean_propensity: float


def representativity(propensities: ArrayLike, weights: ArrayLike | None = None) -> Representativity:
    """Compute the R-indicator of response propensities.

    Parameters
    ----------
    propensities : array-like of shape (n_units,)
        Response propensities (proportions).
    weights : array-like of shape (n_units,), optional
        Design weights, units; by default 1.

    Returns
    -------
    Representativity
        R-indicator, bound, mean.

    Raises
    ------
    DesignError
        If there are fewer than two units, or a propensity is outside 0 to 1, or all are 0.

    Notes
    -----
    ``S² = Σ w (ρ − mean)² / (Σw − 1)``, the mean being weighted.

    References
    ----------
    .. [1] Schouten, Cobben and Bethlehem (2009), Indicators for the representativeness of survey response,
       Survey Methodology 35(1).

    Examples
    --------
    >>> found = representativity([0.95, 0.90, 0.85, 0.70, 0.92, 0.88])
    >>> round(found.r_indicator, 5), round(found.bias_bound, 5)
    (0.82306, 0.10208)
    """
    rho = np.asarray(propensities, dtype=np.float64)
    w = np.ones_like(rho) if weights is None else np.asarray(weights, dtype=np.float64)
    total = float(w.sum())
    if rho.ndim != 1 or len(rho) < 2 or w.shape != rho.shape or total <= 1.0:
        raise DesignError("An R-indicator needs the propensities of two units or more.", param="propensities")
    if not ((rho >= 0) & (rho <= 1)).all() or not rho.any():
        raise DesignError("Response propensities must be proportions, not all 0.", param="propensities")
    mean = float(w @ rho / total)
    spread = float(np.sqrt(w @ (rho - mean) ** 2 / (total - 1.0)))
    return Representativity(r_indicator=1.0 - 2.0 * spread, bias_bound=spread / mean, mean_propensity=mean)


def response_propensities(
    responded: NDArray[np.bool_], design: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Fit response propensities by weighted logistic regression.

    Parameters
    ----------
    responded : ndarray of shape (n_units,)
        Who responded.
    design : ndarray of shape (n_units, n_terms)
        Characteristics, an intercept among them.
    weights : ndarray of shape (n_units,)
        Design weights, units.

    Returns
    -------
    ndarray of shape (n_units,)
        Fitted propensities (proportions). Where a group responded wholly the coefficients have no end but
        the propensities have: they come as near to 1 as the deviance can tell.

    References
    ----------
    .. [1] McCullagh and Nelder (1989), Generalized Linear Models, 2nd ed., section 4.4.
    """
    y, w = responded.astype(np.float64), weights / weights.mean()
    mean = float(w @ y / w.sum())
    if mean in (0.0, 1.0):
        return np.full(len(y), mean)
    predictor = np.full(len(y), np.log(mean / (1.0 - mean)))
    deviance = np.inf
    for _ in range(MOST_STEPS):
        rho = 1.0 / (1.0 + np.exp(-np.clip(predictor, -35.0, 35.0)))
        now = float(-2.0 * (w @ (y * np.log(rho) + (1.0 - y) * np.log1p(-rho))))
        if abs(deviance - now) <= DEVIANCE_TOLERANCE * (abs(now) + 0.1):
            break
        deviance = now
        spread = np.maximum(rho * (1.0 - rho), 1e-12)
        root = np.sqrt(w * spread)
        working = predictor + (y - rho) / spread
        coefficients = np.linalg.lstsq(design * root[:, None], working * root, rcond=None)[0]
        predictor = design @ coefficients
    fitted: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-np.clip(predictor, -35.0, 35.0)))
    return fitted


@dataclass(frozen=True, slots=True, kw_only=True)
class RaoScott:
    """Hold a Rao–Scott test of independence.

    Parameters
    ----------
    pearson : float
        Pearson's statistic of the weighted table scaled to the number of units.
    chi_square, df, p_value : float
        First-order corrected statistic, its degrees of freedom and p-value.
    f_statistic, f_df1, f_df2, f_p_value : float
        Second-order corrected statistic as F.
    """

    pearson: float
    chi_square: float
    df: int
    p_value: float
    f_statistic: float
    f_df1: float
    f_df2: float
    f_p_value: float


def rao_scott(
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    weights: NDArray[np.float64],
    psu: NDArray[np.int64],
    stratum: NDArray[np.int64],
) -> RaoScott:
    """Test independence of two categorical variables in a stratified sample of clusters.

    Parameters
    ----------
    rows, columns : ndarray of shape (n_units,)
        Codes from 0 of the two variables; each has two values or more.
    weights : ndarray of shape (n_units,)
        Weights, in any unit.
    psu, stratum : ndarray of shape (n_units,)
        Primary sampling unit and stratum.

    Returns
    -------
    RaoScott
        Both corrections.

    Raises
    ------
    DesignError
        If a variable has one value, or there are not more PSUs than strata.

    Notes
    -----
    The variance of the cell proportions is that of linearization with PSUs drawn with replacement in each
    stratum; a stratum with one PSU is centred at the mean of the whole sample.

    References
    ----------
    .. [1] Rao and Scott (1984), On chi-squared tests for multiway contingency tables, Annals of Statistics 12(1).
    .. [2] Thomas and Rao (1987), Small-sample comparisons of level and power, JASA 82(398).
    """
    n_rows, n_columns = int(rows.max()) + 1, int(columns.max()) + 1
    psus, psu_code = np.unique(np.column_stack([stratum, psu]), axis=0, return_inverse=True)
    n_strata = len(np.unique(stratum))
    if n_rows < 2 or n_columns < 2 or len(psus) <= n_strata:
        raise DesignError(
            "A test of independence needs two values of each variable and more sampled units than strata.",
            param="by",
        )
    cell = rows * n_columns + columns
    n_cells, n = n_rows * n_columns, len(cell)
    p = np.bincount(cell, weights, minlength=n_cells) / weights.sum()
    table = p.reshape(n_rows, n_columns)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0))
    pearson = float(n * ((table - expected) ** 2 / expected).sum())
    variance = _variance_of_shares(cell, p, weights, (psu_code.ravel(), psus[:, 0]))
    contrasts = _interaction_contrasts(n_rows, n_columns)
    inverse = np.diag(np.divide(1.0, p, out=np.zeros_like(p), where=p > 0))
    simple = contrasts.T @ (inverse / n) @ contrasts
    clustered = contrasts.T @ inverse @ variance @ inverse @ contrasts
    delta = np.linalg.solve(simple, clustered)
    trace, df = float(np.trace(delta)), contrasts.shape[1]
    if trace <= 0:
        raise DesignError("The sampling variance of the table is zero, so it cannot be tested.", param="by")
    chi_square = pearson / (trace / df)
    d0 = trace**2 / float(np.trace(delta @ delta))
    d2 = d0 * (len(psus) - n_strata)
    return RaoScott(
        pearson=pearson,
        chi_square=chi_square,
        df=df,
        p_value=float(stats.chi2.sf(chi_square, df)),
        f_statistic=pearson / trace,
        f_df1=d0,
        f_df2=d2,
        f_p_value=float(stats.f.sf(pearson / trace, d0, d2)),
    )


def _variance_of_shares(
    cell: NDArray[np.int64],
    p: NDArray[np.float64],
    weights: NDArray[np.float64],
    clusters: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> NDArray[np.float64]:
    """Linearized covariance of the cells' shares: PSU totals around their stratum's mean."""
    psu, stratum_of_psu = clusters
    n_psu = len(stratum_of_psu)
    scores = np.zeros((n_psu, len(p)))
    np.add.at(scores, (psu, cell), weights)
    scores -= np.bincount(psu, weights, minlength=n_psu)[:, None] * p
    scores /= weights.sum()
    variance = np.zeros((len(p), len(p)))
    for stratum in np.unique(stratum_of_psu).tolist():
        inside = scores[stratum_of_psu == stratum]
        size = len(inside)
        centre = inside.mean(axis=0) if size > 1 else scores.mean(axis=0)
        away = inside - centre
        variance += (size / (size - 1) if size > 1 else 1.0) * (away.T @ away)
    return variance


def _interaction_contrasts(n_rows: int, n_columns: int) -> NDArray[np.float64]:
    """Columns that span the interactions: orthogonal to both margins."""

    def centred(size: int) -> NDArray[np.float64]:
        return np.eye(size)[:, 1:] - 1.0 / size

    return np.asarray(np.kron(centred(n_rows), centred(n_columns)), dtype=np.float64)
