"""Factors by which the replicates multiply the weight of each variance unit.

A variance unit is a school, half a school, or a student of a certainty school. The functions know zones and
roles only; who gets which is the matter of `variance_units`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import DesignError
from lsakit.randomness import stream
from lsakit.weighting.hadamard import hadamard_matrix

ROOT2 = float(np.sqrt(2.0))


def fay_factors(
    zone: NDArray[np.int64],
    role: NDArray[np.int64],
    n_in_zone: NDArray[np.int64],
    *,
    n_replicates: int,
    fay_factor: float,
) -> NDArray[np.float64]:
    """Build the factors of Fay's balanced repeated replication.

    Parameters
    ----------
    zone : ndarray of shape (n_units,)
        Number of the unit's pair or triplet, from 0. Zone ``z`` takes column ``1 + z mod (R − 1)`` of the
        Hadamard matrix; the constant column 0 serves none.
    role : ndarray of shape (n_units,)
        1 or 2 in a pair; in a triplet 1 for the single unit, 2 and 3 for the two others.
    n_in_zone : ndarray of shape (n_units,)
        Units in the zone, 2 or 3.
    n_replicates : int
        Replicates ``R``, the order of a Hadamard matrix.
    fay_factor : float
        Fay's ``k`` in [0, 1); 0 is plain balanced repeated replication.

    Returns
    -------
    ndarray of shape (n_units, n_replicates)
        ``1 ± (1 − k)`` in a pair; ``1 ± (1 − k)√2`` for the single unit of a triplet and ``1 ∓ (1 − k)/√2``
        for the two others (dimensionless). The mean over replicates of each unit's factor is 1 up to the
        matrix' balance.

    Raises
    ------
    DesignError
        If ``k`` is outside [0, 1), a triplet would get a negative factor, or the order has no matrix.

    References
    ----------
    .. [1] Judkins (1990), Fay's method for variance estimation, Journal of Official Statistics 6(3).
    .. [2] OECD (2020), PISA 2018 Technical Report, chapter 8.

    Examples
    --------
    >>> fay_factors(np.zeros(2, int), np.array([1, 2]), np.full(2, 2), n_replicates=4, fay_factor=0.5)
    array([[1.5, 0.5, 1.5, 0.5],
           [0.5, 1.5, 0.5, 1.5]])
    """
    if not 0.0 <= fay_factor < 1.0:
        raise DesignError(
            f"The 'fay_factor' parameter must be 0 or more and below 1. Got {fay_factor!r}.",
            why="It is the share of the weight that a unit keeps in the replicates that lower it.",
            hint="PISA uses 0.5; 0 is plain balanced repeated replication.",
            param="fay_factor",
            got=fay_factor,
        )
    if (n_in_zone == 3).any() and (1.0 - fay_factor) * ROOT2 > 1.0:
        raise DesignError(
            f"With fay_factor={fay_factor:g} the single school of a triplet would get a negative weight.",
            why="Negative weights are forbidden; a triplet needs a factor of 1 − 1/√2 = 0.293 or more.",
            hint="Use 0.5, or a jackknife.",
            param="fay_factor",
            got=fay_factor,
        )
    if n_replicates < 4:
        raise DesignError(
            f"Fay's method needs at least 4 replicates. Got {n_replicates}.", param="n_replicates"
        )
    signs = hadamard_matrix(n_replicates)[:, 1 + zone % (n_replicates - 1)].T
    single = np.where(role == 1, ROOT2, -1.0 / ROOT2)
    amplitude = np.where(n_in_zone == 3, single, np.where(role == 1, 1.0, -1.0))
    factors: NDArray[np.float64] = 1.0 + ((1.0 - fay_factor) * amplitude)[:, None] * signs
    return factors


def jk2_factors(
    zone: NDArray[np.int64], role: NDArray[np.int64], *, n_zones: int, both_halves: bool
) -> NDArray[np.float64]:
    """Build the factors of the paired jackknife.

    Parameters
    ----------
    zone : ndarray of shape (n_units,)
        Number of the unit's pair, from 0; zone ``z`` belongs to jackknife zone ``z mod n_zones``.
    role : ndarray of shape (n_units,)
        1 or 2; 3 in the odd zone of a certainty school, which goes with 2: one student against two, so that
        the variance of a mean is right in expectation and that of a total a little too large.
    n_zones : int
        Jackknife zones; a zone without a pair leaves all weights as they are.
    both_halves : bool
        Whether each zone gives a second replicate with the roles exchanged.

    Returns
    -------
    ndarray of shape (n_units, n_zones) or (n_units, 2 * n_zones)
        2 for the unit with role 1 and 0 for role 2 in their zone's replicate, else 1 (dimensionless); with
        both halves, replicate ``2 z`` doubles role 1 and ``2 z + 1`` role 2.

    References
    ----------
    .. [1] Foy and LaRoche (2019), Estimating Standard Errors in the TIMSS 2019 Results, in Methods and
       Procedures, chapter 14.

    Examples
    --------
    >>> jk2_factors(np.zeros(2, int), np.array([1, 2]), n_zones=1, both_halves=True)
    array([[2., 0.],
           [0., 2.]])
    """
    step = 2 if both_halves else 1
    factors = np.ones((len(zone), step * n_zones))
    units = np.arange(len(zone))
    column = step * (zone % n_zones)
    factors[units, column] = np.where(role == 1, 2.0, 0.0)
    if both_halves:
        factors[units, column + 1] = np.where(role == 1, 0.0, 2.0)
    return factors


def jackknife_factors(
    stratum: NDArray[np.int64], *, sampling_fraction: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Build the factors of the jackknife that leaves out one unit at a time.

    Parameters
    ----------
    stratum : ndarray of shape (n_units,)
        Stratum of each unit, from 0: the explicit strata for JKn, all zeros for JK1.
    sampling_fraction : ndarray of shape (n_units,), optional
        Share of the stratum's population that was drawn, for the finite population correction; by default
        no correction.

    Returns
    -------
    factors : ndarray of shape (n_units, n_units)
        0 for the unit left out, ``n_h / (n_h − 1)`` for the others of its stratum, else 1.
    coefficients : ndarray of shape (n_units,)
        ``(1 − f_h) (n_h − 1) / n_h`` for each replicate (dimensionless).

    Raises
    ------
    DesignError
        If a stratum has one unit.

    References
    ----------
    .. [1] Wolter (2007), Introduction to Variance Estimation, 2nd ed., sections 4.2 and 4.5.

    Examples
    --------
    >>> jackknife_factors(np.zeros(2, dtype=int))[0]
    array([[0., 2.],
           [2., 0.]])
    """
    size = np.bincount(stratum)[stratum]
    if (size < 2).any():
        raise DesignError(
            f"{int((size < 2).sum())} strata have one unit, which a jackknife cannot leave out.",
            param="stratum",
        )
    same = stratum[:, None] == stratum[None, :]
    factors = np.where(same, (size / (size - 1.0))[None, :], 1.0)
    np.fill_diagonal(factors, 0.0)
    coefficients = (size - 1.0) / size
    return factors, coefficients if sampling_fraction is None else coefficients * (1.0 - sampling_fraction)


def bootstrap_factors(
    stratum: NDArray[np.int64],
    names: list[str],
    *,
    n_replicates: int,
    seed: int,
    sampling_fraction: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Build the factors of the rescaled bootstrap.

    Parameters
    ----------
    stratum : ndarray of shape (n_units,)
        Stratum of each unit, from 0.
    names : list of str of shape (n_units,)
        Identifiers of the units; the first of a stratum names its stream of random numbers.
    n_replicates : int
        Replicates.
    seed : int
        Seed of the draws.
    sampling_fraction : ndarray of shape (n_units,), optional
        Share of the stratum's population that was drawn, the same for all units of a stratum.

    Returns
    -------
    ndarray of shape (n_units, n_replicates)
        ``1 − λ + λ n/m t`` with ``t`` the times that the unit was drawn among ``m = n − 1`` draws with
        replacement and ``λ = √(m (1 − f) / (n − 1))`` (dimensionless, 0 or more).

    Raises
    ------
    DesignError
        If a stratum has one unit, or there is less than one replicate.

    References
    ----------
    .. [1] Rao, Wu and Yue (1992), Some recent work on resampling methods for complex surveys, Survey
       Methodology 18(2).

    Examples
    --------
    >>> factors = bootstrap_factors(np.zeros(3, dtype=int), ["a", "b", "c"], n_replicates=4, seed=1)
    >>> factors.sum(axis=0).round(12).tolist()
    [3.0, 3.0, 3.0, 3.0]
    """
    if n_replicates < 1:
        raise DesignError(
            f"The bootstrap needs at least 1 replicate. Got {n_replicates}.", param="n_replicates"
        )
    size = np.bincount(stratum)
    if (size == 1).any():
        raise DesignError(
            f"{int((size == 1).sum())} strata have one unit, which a bootstrap cannot draw among.",
            param="stratum",
        )
    factors = np.empty((len(stratum), n_replicates))
    for number in np.flatnonzero(size).tolist():
        rows = np.flatnonzero(stratum == number)
        n, draws = len(rows), len(rows) - 1
        fraction = 0.0 if sampling_fraction is None else float(sampling_fraction[rows[0]])
        scale = np.sqrt(draws * (1.0 - fraction) / (n - 1))
        rng = stream(seed, "bootstrap", names[int(rows[0])])
        times = rng.multinomial(draws, np.full(n, 1.0 / n), size=n_replicates).T
        factors[rows] = 1.0 - scale + scale * (n / draws) * times
    return factors
