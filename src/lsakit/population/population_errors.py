"""Sampling covariance of the coefficients and of the residual covariance of a population model.

Formulas: docs/algorithms/latent_regression.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from lsakit.population.background import Floats, weighted_gram
from lsakit.population.population_data import PopulationData
from lsakit.population.posterior import Moments, Posterior

ROOT_STEP = 1e-3  # of the root, for central differences: their error is of order 1e-6


def pack_root(sigma: Floats) -> Floats:
    """Write a covariance as the lower triangle of its root, the diagonal in logs.

    Parameters
    ----------
    sigma : ndarray of shape (n_dimensions, n_dimensions)
        Covariance, squared logits.

    Returns
    -------
    ndarray of shape (n_dimensions * (n_dimensions + 1) / 2,)
        The root.
    """
    root = np.linalg.cholesky(sigma)
    own = np.diag_indices(len(sigma))
    root[own] = np.log(root[own])
    return np.asarray(root[np.tril_indices(len(sigma))])


def unpack_root(vector: Floats, n_dimensions: int) -> Floats:
    """Undo `pack_root`.

    Parameters
    ----------
    vector : ndarray of shape (n_dimensions * (n_dimensions + 1) / 2,)
        The root.
    n_dimensions : int
        Number of dimensions.

    Returns
    -------
    ndarray of shape (n_dimensions, n_dimensions)
        Covariance, squared logits.
    """
    root = np.zeros((n_dimensions, n_dimensions))
    root[np.tril_indices(n_dimensions)] = vector
    own = np.diag_indices(n_dimensions)
    root[own] = np.exp(root[own])
    return np.asarray(root @ root.T)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Sampling covariance of what was estimated.

    Parameters
    ----------
    joint : ndarray of shape (n_parameters, n_parameters)
        Covariance of the coefficients of the uncorrelated regressors, dimension by dimension, and behind them of the
        elements of the root of the residual covariance, as `pack_root` writes them.
    n_coefficients : int
        Number of coefficients.
    residual_covariance : ndarray of shape (n_dimensions, n_dimensions)
        Standard errors of the elements of the residual covariance, squared logits.
    """

    joint: Floats
    n_coefficients: int
    residual_covariance: Floats

    @property
    def coefficients(self) -> Floats:
        """Covariance of the coefficients of shape (n_coefficients, n_coefficients)."""
        return self.joint[: self.n_coefficients, : self.n_coefficients]

    @property
    def root(self) -> Floats:
        """Covariance of the elements of the root of shape (n_roots, n_roots)."""
        return self.joint[self.n_coefficients :, self.n_coefficients :]


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Where the EM ended.

    Parameters
    ----------
    gamma : ndarray of shape (n_terms, n_dimensions)
        Coefficients of the uncorrelated regressors, logits.
    sigma : ndarray of shape (n_dimensions, n_dimensions)
        Residual covariance, squared logits.
    moments : Moments
        Posterior moments of all students.
    means : ndarray of shape (n_students, n_dimensions)
        Fitted means, logits.
    """

    gamma: Floats
    sigma: Floats
    moments: Moments
    means: Floats


def sampling_of(data: PopulationData, posterior: Posterior, found: Solution, lone: str) -> Sampling:
    """Estimate the sampling covariance at the solution.

    Parameters
    ----------
    data : PopulationData
        What was fitted.
    posterior : Posterior
        The posteriors of its students.
    found : Solution
        Estimates and posterior moments.
    lone : str
        What a stratum's only cluster adds: "adjust" its deviation from zero, "certainty" nothing.

    Returns
    -------
    Sampling
        Covariances.

    Notes
    -----
    Inverse of the observed information of coefficients and residual covariance together; with weights or sampling
    clusters the sandwich, with students or clusters as units.
    """
    precision = np.asarray(np.linalg.inv(found.sigma), dtype=np.float64)
    joint = _inverse(_information(data, posterior, found, precision))
    away = found.moments.mean - found.means
    scores = _root_scores(found.moments, away, found.sigma)
    if data.is_weighted or data.cluster is not None:
        joint = joint @ _meat(data, away @ precision, scores, lone) @ joint
    size = found.gamma.size
    jacobian = _root_jacobian(found.sigma)
    spread = np.einsum("ijk,kl,ijl->ij", jacobian, joint[size:, size:], jacobian)
    return Sampling(joint=joint, n_coefficients=size, residual_covariance=np.sqrt(np.maximum(spread, 0.0)))


def _inverse(information: Floats) -> Floats:
    """Invert an information matrix; the generalized inverse where a direction has no information."""
    try:
        return np.asarray(cho_solve(cho_factor(information), np.eye(len(information))))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.pinv(information, hermitian=True))


def _information(data: PopulationData, posterior: Posterior, found: Solution, precision: Floats) -> Floats:
    """Observed information: of the coefficients by formula, with the root by differences of the derivatives."""
    known = precision - precision @ found.moments.covariance @ precision
    mixing, n_dimensions = data.regressors.mixing, len(precision)
    n_terms = mixing.shape[1]
    root = pack_root(found.sigma)
    size = n_terms * n_dimensions
    out = np.empty((size + len(root), size + len(root)))
    for d in range(n_dimensions):
        for e in range(d + 1):
            gram = weighted_gram(data.background.standard, data.weight * known[:, d, e])
            block = mixing.T @ gram @ mixing
            rows, columns = slice(d * n_terms, (d + 1) * n_terms), slice(e * n_terms, (e + 1) * n_terms)
            out[rows, columns] = block
            out[columns, rows] = block.T
    for place in range(len(root)):
        move = np.zeros(len(root))
        move[place] = ROOT_STEP
        up, down = (_derivatives(data, posterior, found.gamma, root + one) for one in (move, -move))
        out[:, size + place] = (down - up) / (2.0 * ROOT_STEP)
    out[size:, :size] = out[:size, size:].T
    out[size:, size:] = 0.5 * (out[size:, size:] + out[size:, size:].T)
    return out


def _derivatives(data: PopulationData, posterior: Posterior, gamma: Floats, root: Floats) -> Floats:
    """Derivatives of the log-likelihood in the coefficients, dimension by dimension, and in the root."""
    sigma = unpack_root(root, gamma.shape[1])
    sums = posterior.sums(data.background.standard, data.regressors.mixing @ gamma, sigma, data.weight)
    number = float(data.weight.sum())
    products = data.regressors.mixing.T @ sums.products.T
    by_gamma = (products - number * gamma) @ np.linalg.inv(sigma)
    across = products.T @ gamma
    inner = sums.squares - across - across.T + number * gamma.T @ gamma - number * sigma
    return np.concatenate([by_gamma.T.ravel(), _root_slopes(inner[None], sigma)[0]])


def _meat(data: PopulationData, residual: Floats, scores: Floats, lone: str) -> Floats:
    """Covariance of the weighted derivatives, students or clusters as units."""
    mixing, standard = data.regressors.mixing, data.background.standard
    n_terms, n_dimensions = mixing.shape[1], residual.shape[1]
    weighted = np.column_stack([residual, scores]) * data.weight[:, None]
    if data.cluster is not None:
        sums = [_cluster_sums(standard, weighted[:, d], data.cluster) @ mixing for d in range(n_dimensions)]
        n_clusters = len(sums[0])
        sums += [
            np.asarray(np.bincount(data.cluster, weights=one, minlength=n_clusters), dtype=float)[:, None]
            for one in weighted[:, n_dimensions:].T
        ]
        return _spread_of_clusters(np.concatenate(sums, axis=1), data, lone)
    size = n_terms * n_dimensions
    meat = np.empty((size + scores.shape[1],) * 2)
    for d in range(n_dimensions):
        rows = slice(d * n_terms, (d + 1) * n_terms)
        for e in range(d + 1):
            columns = slice(e * n_terms, (e + 1) * n_terms)
            block = mixing.T @ weighted_gram(standard, weighted[:, d] * weighted[:, e]) @ mixing
            meat[rows, columns] = block
            meat[columns, rows] = block.T
        for place in range(scores.shape[1]):
            both = weighted[:, d] * weighted[:, n_dimensions + place]
            meat[rows, size + place] = mixing.T @ (both @ standard)
            meat[size + place, rows] = meat[rows, size + place]
    roots = weighted[:, n_dimensions:]
    meat[size:, size:] = roots.T @ roots
    return meat


def _cluster_sums(standard: NDArray[np.floating], values: Floats, cluster: NDArray[np.int64]) -> Floats:
    """Sum values times columns within clusters, some columns at a time."""
    n_clusters = int(cluster.max()) + 1
    out = np.empty((n_clusters, standard.shape[1]))
    for column in range(standard.shape[1]):
        out[:, column] = np.bincount(cluster, weights=values * standard[:, column], minlength=n_clusters)
    return out


def _spread_of_clusters(sums: Floats, data: PopulationData, lone: str) -> Floats:
    """Sum over strata n/(n − 1) times the products of deviations from the stratum's mean."""
    assert data.stratum is not None
    number = np.bincount(data.stratum).astype(float)
    total = np.zeros((len(number), sums.shape[1]))
    np.add.at(total, data.stratum, sums)
    alone = number == 1.0
    mean = np.where(alone[:, None], 0.0, total / number[:, None])
    factor = np.where(alone, float(lone == "adjust"), number / np.maximum(number - 1.0, 1.0))
    away = sums - mean[data.stratum]
    return np.asarray((away * factor[data.stratum][:, None]).T @ away)


def _root_scores(moments: Moments, away: Floats, sigma: Floats) -> Floats:
    """Derivative of each student's log-likelihood in the elements of the root."""
    return _root_slopes(moments.covariance + away[:, :, None] * away[:, None, :] - sigma, sigma)


def _root_slopes(inner: Floats, sigma: Floats) -> Floats:
    """Turn second moments about the means, less the covariance, into derivatives in the elements of its root."""
    n = len(sigma)
    precision, root = np.linalg.inv(sigma), np.linalg.cholesky(sigma)
    slope = precision @ inner @ precision @ root
    own = np.arange(n)
    slope[:, own, own] *= root[own, own]
    rows, columns = np.tril_indices(n)
    return np.ascontiguousarray(slope[:, rows, columns])


def _root_jacobian(sigma: Floats) -> Floats:
    """Derivative of the covariance in the elements of its root, of shape (n, n, n_roots)."""
    n = len(sigma)
    root = np.linalg.cholesky(sigma)
    rows, columns = np.tril_indices(n)
    out = np.empty((n, n, len(rows)))
    for place, (row, column) in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
        change = np.zeros((n, n))
        change[row, column] = root[row, row] if row == column else 1.0
        out[:, :, place] = change @ root.T + root @ change.T
    return out
