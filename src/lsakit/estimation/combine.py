"""From replicate estimates and plausible values to a variance, its parts and its degrees of freedom.

See ``docs/algorithms/replication_variance.md`` and ``docs/algorithms/plausible_value_combination.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lsakit.errors import EstimationError
from lsakit.estimation.survey_design import SurveyDesign

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Combined:
    """Estimates with the parts of their variance.

    Parameters
    ----------
    estimate : ndarray of shape (n_estimates,)
        Mean over the plausible values, in the unit of the statistic.
    sampling_variance : ndarray of shape (n_estimates,)
        Sampling variance, in squared units; NaN where a replicate is undefined.
    imputation_variance : ndarray of shape (n_estimates,)
        Variance between plausible values with divisor M − 1 (0 for a column without plausible values), in
        squared units.
    standard_error : ndarray of shape (n_estimates,)
        ``sqrt(U + (1 + 1/M) B)``, in the unit of the statistic.
    degrees_of_freedom : ndarray of shape (n_estimates,)
        Johnson–Rust degrees of freedom combined with M − 1; infinite where the variance is zero.
    n_plausible_values : int
        Number of plausible values, 1 for a plain column.
    """

    estimate: Floats
    sampling_variance: Floats
    imputation_variance: Floats
    standard_error: Floats
    degrees_of_freedom: Floats
    n_plausible_values: int = 1

    @property
    def fraction_missing_information(self) -> Floats:
        """Share (1 + 1/M) B / V of shape (n_estimates,); 0 where the variance is zero."""
        inflated = (1.0 + 1.0 / self.n_plausible_values) * self.imputation_variance
        total = self.standard_error**2
        share = np.divide(inflated, total, out=np.zeros(total.shape), where=total > 0.0)
        return np.asarray(np.where(np.isnan(total), np.nan, share), dtype=np.float64)


def replicate_variance(estimate: float, replicate_estimates: ArrayLike, coefficients: ArrayLike) -> float:
    """Estimate the sampling variance of a statistic from its replicates.

    Parameters
    ----------
    estimate : float
        The statistic under the final weight, in the unit of the statistic.
    replicate_estimates : array_like of shape (n_replicates,)
        The same statistic under each replicate weight.
    coefficients : array_like of shape (n_replicates,)
        ``1`` for JK2 with one replicate per zone; ``1 / (n_replicates (1 − k)²)`` for Fay's method.

    Returns
    -------
    float
        Sampling variance, in squared units of the statistic.

    Raises
    ------
    EstimationError
        If the arrays differ in length or a number is not finite.

    Notes
    -----
    Deviations are taken from the full-sample estimate, not from the mean of the replicates.

    References
    ----------
    .. [1] Wolter (2007), Introduction to Variance Estimation, 2nd ed., ch. 3-4.

    Examples
    --------
    >>> replicate_variance(500.0, [501.0, 498.0], [1.0, 1.0])
    5.0
    """
    replicates = np.asarray(replicate_estimates, dtype=np.float64)
    factors = np.asarray(coefficients, dtype=np.float64)
    if replicates.ndim != 1 or replicates.shape != factors.shape:
        raise EstimationError(
            f"There are {replicates.size} replicate estimates and {factors.size} coefficients.",
            param="coefficients",
        )
    if not (np.isfinite(replicates).all() and np.isfinite(factors).all() and np.isfinite(estimate)):
        raise EstimationError("A replicate estimate is not finite.", param="replicate_estimates")
    return float(np.sum(factors * (replicates - estimate) ** 2))


def combine_plausible_values(estimates: ArrayLike, sampling_variances: ArrayLike) -> Combined:
    """Combine one statistic over plausible values by Rubin's rules.

    Parameters
    ----------
    estimates : array_like of shape (n_plausible_values,)
        The statistic under the final weight for each plausible value.
    sampling_variances : array_like of shape (n_plausible_values,)
        Its sampling variance for each plausible value, in squared units.

    Returns
    -------
    Combined
        Arrays of shape (1,); the degrees of freedom are Rubin's ``(M − 1)(1 + U / ((1 + 1/M) B))²``.

    Raises
    ------
    EstimationError
        If there are fewer than two plausible values or the arrays differ in length.

    References
    ----------
    .. [1] Rubin (1987), Multiple Imputation for Nonresponse in Surveys, ch. 3.

    Examples
    --------
    >>> result = combine_plausible_values([502.1, 503.4, 501.7, 502.9, 503.1], [9.6, 9.1, 9.9, 9.4, 9.5])
    >>> round(float(result.standard_error[0]), 7)
    3.1795597
    """
    values = np.asarray(estimates, dtype=np.float64)
    variances = np.asarray(sampling_variances, dtype=np.float64)
    if values.ndim != 1 or values.size < 2 or values.shape != variances.shape:
        raise EstimationError(
            "Rubin's rules need at least two plausible values, each with its sampling variance. "
            f"Got {values.size} and {variances.size}.",
            param="estimates",
        )
    sampling, between = variances.mean(), values.var(ddof=1)
    inflated = (1.0 + 1.0 / values.size) * between
    degrees = (values.size - 1) * (1.0 + sampling / inflated) ** 2 if inflated > 0.0 else np.inf
    return Combined(
        estimate=np.array([values.mean()]),
        sampling_variance=np.array([sampling]),
        imputation_variance=np.array([between]),
        standard_error=np.sqrt(np.array([sampling + inflated])),
        degrees_of_freedom=np.array([degrees]),
        n_plausible_values=values.size,
    )


def johnson_rust_degrees_of_freedom(deviations: ArrayLike) -> float:
    """Estimate the degrees of freedom of a replicate variance from its spread over replicates.

    Parameters
    ----------
    deviations : array_like of shape (n_replicates,)
        Replicate estimate minus full-sample estimate, one per zone.

    Returns
    -------
    float
        ``(3.16 − 2.77/√R) (Σd²)² / Σd⁴``, dimensionless; infinite where all deviations are zero.

    References
    ----------
    .. [1] Johnson & Rust (1992), Population inferences and variance estimation for NAEP data, Journal of
       Educational Statistics 17(2), 175-190.

    Examples
    --------
    >>> round(johnson_rust_degrees_of_freedom([1.2, -0.8, 0.5, 2.1, -1.4, 0.3, 0.9, -0.6]), 7)
    8.1235889
    """
    squares = np.asarray(deviations, dtype=np.float64) ** 2
    fourth = float(np.sum(squares**2))
    if fourth == 0.0:
        return float("inf")
    return float((3.16 - 2.77 / np.sqrt(squares.size)) * np.sum(squares) ** 2 / fourth)


def combine(replicate_estimates: Floats, design: SurveyDesign) -> Combined:
    """Combine many statistics over replicates and plausible values.

    Parameters
    ----------
    replicate_estimates : ndarray of shape (n_estimates, n_plausible_values, n_replicates + 1)
        Each statistic under the final weight (first) and each replicate weight, for each plausible value.
    design : SurveyDesign
        Method, factors, and whether the sampling variance comes from the first plausible value alone.

    Returns
    -------
    Combined
        One entry per statistic.

    Notes
    -----
    The number of replicates is the last axis of the array and never the number of plausible values.
    The degrees of freedom are ``1 / (f²/(M − 1) + (1 − f)²/ν)`` with ``f = (1 + 1/M) B / V`` and ν by Johnson
    and Rust; without plausible values they are ν.

    References
    ----------
    .. [1] Rubin (1987), Multiple Imputation for Nonresponse in Surveys, ch. 3.
    .. [2] Johnson & Rust (1992), Journal of Educational Statistics 17(2), 175-190.
    """
    full = replicate_estimates[:, :, 0]
    n_values = full.shape[1]
    weighted = _weighted_squares(replicate_estimates, design)
    sampling = weighted.sum(axis=2).mean(axis=1)
    between = full.var(axis=1, ddof=1) if n_values > 1 else np.zeros(full.shape[0])
    inflated = (1.0 + 1.0 / n_values) * between
    return Combined(
        estimate=full.mean(axis=1),
        sampling_variance=sampling,
        imputation_variance=between,
        standard_error=np.sqrt(sampling + inflated),
        degrees_of_freedom=_degrees_of_freedom(weighted, inflated, n_values, design),
        n_plausible_values=n_values,
    )


def barnard_rubin_degrees_of_freedom(
    share: ArrayLike, n_plausible_values: int, complete: ArrayLike
) -> Floats:
    """Degrees of freedom of a combined estimate when the complete data have few themselves.

    Parameters
    ----------
    share : array_like of shape (n_estimates,)
        Fraction of missing information ``(1 + 1/M) B / V``, 0 to 1.
    n_plausible_values : int
        M, at least 2.
    complete : array_like of shape (n_estimates,)
        Degrees of freedom if nothing were missing, such as Johnson and Rust's of the sampling variance.

    Returns
    -------
    ndarray of shape (n_estimates,)
        ``1 / (1/ν_M + 1/ν_obs)`` with ``ν_M = (M − 1)/λ²`` and ``ν_obs = (ν + 1)/(ν + 3) ν (1 − λ)``.

    Raises
    ------
    EstimationError
        If a share lies outside 0 to 1, or there are fewer than two plausible values.

    References
    ----------
    .. [1] Barnard & Rubin (1999), Small-sample degrees of freedom with multiple imputation, Biometrika 86(4),
       948-955.

    Examples
    --------
    >>> round(float(barnard_rubin_degrees_of_freedom([0.25], 5, [40.0])[0]), 4)
    19.769
    """
    fraction = np.atleast_1d(np.asarray(share, dtype=np.float64))
    known = np.atleast_1d(np.asarray(complete, dtype=np.float64))
    if n_plausible_values < 2 or not ((fraction >= 0.0) & (fraction <= 1.0) | np.isnan(fraction)).all():
        raise EstimationError(
            f"Barnard and Rubin's degrees of freedom need shares from 0 to 1 and at least two plausible values. "
            f"Got {n_plausible_values} plausible values.",
            param="share",
        )
    inverse = fraction**2 / (n_plausible_values - 1)
    finite = np.isfinite(known)
    ratio = np.where(finite, (np.where(finite, known, 0.0) + 1.0) / (np.where(finite, known, 0.0) + 3.0), 1.0)
    observed = ratio * known * (1.0 - fraction)
    with np.errstate(divide="ignore"):
        return np.asarray(1.0 / (inverse + 1.0 / observed), dtype=np.float64)


DEGREES_RULES = ("johnson_rust", "rubin", "barnard_rubin")


def degrees_of_freedom(replicate_estimates: Floats, design: SurveyDesign, rule: str) -> Floats:
    """Degrees of freedom of many statistics by a named rule.

    Parameters
    ----------
    replicate_estimates : ndarray of shape (n_estimates, n_plausible_values, n_replicates + 1)
        Each statistic under the final weight (first) and each replicate weight.
    design : SurveyDesign
        Method and factors.
    rule : {"johnson_rust", "rubin", "barnard_rubin"}
        Johnson and Rust's joined with M − 1 (what tables state); Rubin's, which takes the sampling variance as
        known; Barnard and Rubin's, with Johnson and Rust's as those of the complete data.

    Returns
    -------
    ndarray of shape (n_estimates,)
        Degrees of freedom; infinite where nothing limits them, NaN where the variance is undefined.

    Raises
    ------
    EstimationError
        If the rule is unknown.
    """
    if rule not in DEGREES_RULES:
        raise EstimationError(
            f"The 'rule' of degrees of freedom is one of {', '.join(DEGREES_RULES)}. Got {rule!r}.",
            param="rule",
            got=rule,
        )
    combined = combine(replicate_estimates, design)
    n_values = combined.n_plausible_values
    if rule == "johnson_rust" or (n_values == 1 and rule == "barnard_rubin"):
        return combined.degrees_of_freedom
    share = combined.fraction_missing_information
    if rule == "rubin":
        with np.errstate(divide="ignore"):
            return np.asarray(max(n_values - 1, 1) / share**2, dtype=np.float64)
    sampling = _weighted_squares(replicate_estimates, design)
    complete = _degrees_of_freedom(sampling, np.zeros(share.shape), 1, design)
    return barnard_rubin_degrees_of_freedom(share, n_values, complete)


def _weighted_squares(replicate_estimates: Floats, design: SurveyDesign) -> Floats:
    """Squares c (θ_r − θ_0)² of shape (n, values, replicates), of the first value alone where the design says so."""
    weighted = replicate_estimates[:, :, 1:] - replicate_estimates[:, :, :1]
    weighted = weighted**2 * design.variance_coefficients(replicate_estimates.shape[2] - 1)
    return weighted[:, :1] if design.sampling_variance == "first_pv" else weighted


def _degrees_of_freedom(weighted: Floats, inflated: Floats, n_values: int, design: SurveyDesign) -> Floats:
    """Johnson–Rust on the weighted squares of shape (n, values, replicates), joined with M − 1."""
    n_replicates = weighted.shape[2]
    halves = 2.0 if design.method == "jk2_both" else 1.0
    sampling = weighted.sum(axis=2).mean(axis=1)
    fourth = (weighted**2).sum(axis=2).mean(axis=1)
    known = fourth > 0.0
    spread = np.divide(sampling**2, fourth, out=np.full(sampling.shape, np.inf), where=known)
    sampling_degrees = (3.16 - 2.77 / np.sqrt(n_replicates / halves)) * spread / halves
    if n_values == 1:
        return np.asarray(np.where(np.isnan(sampling), np.nan, sampling_degrees), dtype=np.float64)
    total = sampling + inflated
    share = np.divide(inflated, total, out=np.zeros(total.shape), where=total > 0.0)
    inverse = share**2 / (n_values - 1) + (1.0 - share) ** 2 / sampling_degrees
    degrees = np.divide(1.0, inverse, out=np.full(total.shape, np.inf), where=inverse > 0.0)
    return np.asarray(np.where(np.isnan(sampling), np.nan, degrees), dtype=np.float64)
