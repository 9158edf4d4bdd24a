"""The arithmetic of planning: design effects, standard errors, needed schools, detectable differences, cost."""

from __future__ import annotations

import math

from scipy.stats import norm

from lsakit.errors import DesignError


def cluster_design_effect(n_students: float, icc: float) -> float:
    """Give the design effect of clusters of equal size, ``1 + (m - 1) ICC``.

    Parameters
    ----------
    n_students : float
        Students tested in a school.
    icc : float
        Intraclass correlation, from 0 to 1 (dimensionless).

    Returns
    -------
    float
        Design effect (dimensionless).

    Raises
    ------
    DesignError
        If a value lies outside its range.

    References
    ----------
    .. [1] Kish (1965), Survey Sampling, section 5.4.

    Examples
    --------
    >>> round(cluster_design_effect(35, 0.35), 10)
    12.9
    """
    _refuse(n_students >= 1, "n_students", n_students, "1 or more")
    _refuse(0 <= icc <= 1, "icc", icc, "from 0 to 1")
    return 1 + (n_students - 1) * icc


def mean_error(n_schools: float, n_students: float, *, icc: float, sd: float) -> float:
    """Give the standard error of a mean, ``sd / sqrt(n_eff)``, without finite population correction.

    Parameters
    ----------
    n_schools : float
        Schools.
    n_students : float
        Students tested in each.
    icc : float
        Intraclass correlation (dimensionless).
    sd : float
        Standard deviation of the students' scores, in points.

    Returns
    -------
    float
        Standard error, in points.

    Raises
    ------
    DesignError
        If a value lies outside its range.

    Examples
    --------
    >>> round(mean_error(150, 35, icc=0.35, sd=100), 3)
    4.957
    """
    _refuse(n_schools > 0, "n_schools", n_schools, "above 0")
    _refuse(sd > 0, "sd", sd, "above 0")
    deff = cluster_design_effect(n_students, icc)
    return sd / math.sqrt(n_schools * n_students / deff)


def proportion_error(n_schools: float, n_students: float, *, icc: float, proportion: float = 0.5) -> float:
    """Give the standard error of a proportion.

    Parameters
    ----------
    n_schools : float
        Schools.
    n_students : float
        Students tested in each.
    icc : float
        Intraclass correlation (dimensionless).
    proportion : float, default 0.5
        The proportion.

    Returns
    -------
    float
        Standard error of the proportion (dimensionless; times 100 for points of a percentage).

    Raises
    ------
    DesignError
        If a value lies outside its range.

    Examples
    --------
    >>> round(100 * proportion_error(150, 35, icc=0.35), 3)
    2.478
    """
    _refuse(0 < proportion < 1, "proportion", proportion, "between 0 and 1")
    sd = math.sqrt(proportion * (1 - proportion))
    return mean_error(n_schools, n_students, icc=icc, sd=sd)


def two_stage_error(n_schools: float, n_frame: float, n_students: float, *, icc: float, sd: float) -> float:
    """Give the standard error of a mean when a large part of the schools is drawn.

    Parameters
    ----------
    n_schools : float
        Schools drawn.
    n_frame : float
        Schools in the frame.
    n_students : float
        Students tested in each.
    icc : float
        Intraclass correlation (dimensionless).
    sd : float
        Standard deviation, in points.

    Returns
    -------
    float
        ``sd sqrt((1 - n / N) ICC / n + (1 - ICC) / (n m))``, in points.

    Raises
    ------
    DesignError
        If a value lies outside its range.

    References
    ----------
    .. [1] Cochran (1977), Sampling Techniques, 3rd ed., section 10.3.

    Examples
    --------
    >>> round(two_stage_error(60, 400, 30, icc=0.35, sd=100), 3)
    7.293
    """
    mean_error(n_schools, n_students, icc=icc, sd=sd)
    _refuse(n_frame >= n_schools, "n_frame", n_frame, f"at least the {n_schools:g} schools drawn")
    between = (1 - n_schools / n_frame) * icc / n_schools
    return sd * math.sqrt(between + (1 - icc) / (n_schools * n_students))


def schools_needed(
    standard_error: float,
    n_students: float,
    *,
    icc: float,
    sd: float,
    student_rate: float = 1.0,
    school_rate: float = 1.0,
) -> float:
    """Give the number of schools with which a mean reaches a wanted standard error.

    Parameters
    ----------
    standard_error : float
        Wanted standard error, in points.
    n_students : float
        Students drawn in each school.
    icc : float
        Intraclass correlation (dimensionless).
    sd : float
        Standard deviation, in points.
    student_rate, school_rate : float, default 1.0
        Expected response rates, above 0 and at most 1.

    Returns
    -------
    float
        Schools to draw, before rounding up.

    Raises
    ------
    DesignError
        If a value lies outside its range.

    Examples
    --------
    >>> round(schools_needed(5, 35, icc=0.35, sd=100), 2)
    147.43
    """
    _refuse(standard_error > 0, "standard_error", standard_error, "above 0")
    _refuse(sd > 0, "sd", sd, "above 0")
    for name, rate in (("student_rate", student_rate), ("school_rate", school_rate)):
        _refuse(0 < rate <= 1, name, rate, "above 0 and at most 1")
    answered = n_students * student_rate
    deff = cluster_design_effect(answered, icc)
    return (sd / standard_error) ** 2 * deff / answered / school_rate


def detectable_difference(
    first: float, second: float, *, link_error: float = 0.0, power: float = 0.8, level: float = 0.05
) -> float:
    """Give the smallest difference between two cycles that a test would find.

    Parameters
    ----------
    first, second : float
        Standard errors of the two means, in points.
    link_error : float, default 0.0
        Standard error of the link between the two scales, in points.
    power : float, default 0.8
        Wanted chance to find it; 0.5 gives the difference that is just significant.
    level : float, default 0.05
        Two-sided level of the test.

    Returns
    -------
    float
        ``(z_(1 - level / 2) + z_power) sqrt(first² + second² + link_error²)``, in points.

    Raises
    ------
    DesignError
        If a value lies outside its range.

    Notes
    -----
    The two normal quantiles are taken with two decimals, as printed tables give them: 1.96 + 0.84 = 2.8 by
    default, 1.96 with a power of one half.

    Examples
    --------
    >>> round(detectable_difference(3, 3, link_error=2.24), 1)
    13.4
    """
    _refuse(first >= 0 and second >= 0, "first, second", (first, second), "0 or more")
    _refuse(link_error >= 0, "link_error", link_error, "0 or more")
    _refuse(0.5 <= power < 1, "power", power, "from 0.5 to below 1")
    _refuse(0 < level < 1, "level", level, "between 0 and 1")
    factor = round(float(norm.ppf(1 - level / 2)), 2) + round(float(norm.ppf(power)), 2)
    return factor * math.sqrt(first**2 + second**2 + link_error**2)


def weighting_loss(weights: list[float]) -> float:
    """Give Kish's design effect of unequal weights, ``1 + CV(w)²``.

    Parameters
    ----------
    weights : list of float
        Weights of students, 0 or more.

    Returns
    -------
    float
        Design effect (dimensionless).

    Raises
    ------
    DesignError
        If there is no weight, or all are 0.

    Examples
    --------
    >>> weighting_loss([1.0, 1.0, 2.0])
    1.125
    """
    total, squares = math.fsum(weights), math.fsum(weight * weight for weight in weights)
    _refuse(total > 0, "weights", total, "weights with a positive sum")
    return len(weights) * squares / total**2


def best_cluster_size(cost_per_school: float, cost_per_student: float, *, icc: float) -> float:
    """Give the number of students per school that buys most precision for the money.

    Parameters
    ----------
    cost_per_school : float
        Cost of one more school, in money.
    cost_per_student : float
        Cost of one more student in a school, in money.
    icc : float
        Intraclass correlation, between 0 and 1 (dimensionless).

    Returns
    -------
    float
        ``sqrt(cost_per_school / cost_per_student * (1 - ICC) / ICC)``, in students.

    Raises
    ------
    DesignError
        If a value lies outside its range.

    References
    ----------
    .. [1] Cochran (1977), Sampling Techniques, 3rd ed., section 10.6.

    Examples
    --------
    >>> best_cluster_size(900, 1, icc=0.5)
    30.0
    """
    _refuse(cost_per_school > 0, "cost_per_school", cost_per_school, "above 0")
    _refuse(cost_per_student > 0, "cost_per_student", cost_per_student, "above 0")
    _refuse(0 < icc < 1, "icc", icc, "between 0 and 1")
    return math.sqrt(cost_per_school / cost_per_student * (1 - icc) / icc)


def intraclass_correlation(between: float, within: float) -> float:
    """Give the intraclass correlation from two variances.

    Parameters
    ----------
    between, within : float
        Variance between and within schools, in squared points.

    Returns
    -------
    float
        ``between / (between + within)`` (dimensionless).

    Raises
    ------
    DesignError
        If a variance is negative or both are 0.

    Examples
    --------
    >>> round(intraclass_correlation(3200, 6400), 4)
    0.3333
    """
    _refuse(between >= 0 and within >= 0, "between, within", (between, within), "0 or more")
    _refuse(between + within > 0, "between, within", (between, within), "not both 0")
    return between / (between + within)


def _refuse(condition: bool, param: str, got: object, expected: str) -> None:
    """Refuse one value in the common sentence."""
    if not condition:
        raise DesignError(
            f"The '{param}' of a sampling plan must be {expected}. Got {got!r}.",
            param=param,
            got=got,
            expected=expected,
        )
