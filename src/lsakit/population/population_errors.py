"""Sampling covariances of the coefficients and of the residual covariance of a population model.

Formulas: docs/algorithms/latent_regression.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from lsakit.population.background import Floats, weighted_gram
from lsakit.population.population_data import PopulationData
from lsakit.population.posterior import Moments


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
    """Sampling covariances of what was estimated.

    Parameters
    ----------
    coefficients : ndarray of shape (n_dimensions * n_terms, n_dimensions * n_terms)
        Covariance of the coefficients of the uncorrelated regressors, dimension by dimension.
    root : ndarray of shape (n_roots, n_roots)
        Covariance of the elements of the root of the residual covariance, as `pack_root` writes them.
    residual_covariance : ndarray of shape (n_dimensions, n_dimensions)
        Standard errors of the elements of the residual covariance, squared logits.
    """

    coefficients: Floats
    root: Floats
    residual_covariance: Floats


def sampling_of(data: PopulationData, moments: Moments, means: Floats, sigma: Floats) -> Sampling:
    """Estimate the sampling covariances at the solution.

    Parameters
    ----------
    data : PopulationData
        What was fitted.
    moments : Moments
        Posterior moments of all students.
    means : ndarray of shape (n_students, n_dimensions)
        Fitted means, logits.
    sigma : ndarray of shape (n_dimensions, n_dimensions)
        Residual covariance, squared logits.

    Returns
    -------
    Sampling
        Covariances.

    Notes
    -----
    Coefficients: observed information with the residual covariance at its estimate. Residual covariance: cross
    products of the students' derivatives. With weights or sampling clusters the sandwich, with students or
    clusters as units.
    """
    precision = np.asarray(np.linalg.inv(sigma), dtype=np.float64)
    residual = (moments.mean - means) @ precision
    coefficients = _inverse_information(data, moments, precision)
    scores = _root_scores(moments, moments.mean - means, sigma)
    root = _inverse(scores.T @ (scores * data.weight[:, None]))
    if data.is_weighted or data.cluster is not None:
        coefficients = coefficients @ _coefficient_meat(data, residual) @ coefficients
        root = root @ _between(scores * data.weight[:, None], data) @ root
    jacobian = _root_jacobian(sigma)
    spread = np.einsum("ijk,kl,ijl->ij", jacobian, root, jacobian)
    return Sampling(
        coefficients=coefficients, root=root, residual_covariance=np.sqrt(np.maximum(spread, 0.0))
    )


def _inverse(information: Floats) -> Floats:
    """Invert an information matrix; the generalised inverse where a direction has no information."""
    try:
        return np.asarray(cho_solve(cho_factor(information), np.eye(len(information))))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.pinv(information, hermitian=True))


def _inverse_information(data: PopulationData, moments: Moments, precision: Floats) -> Floats:
    """Inverse of the observed information of the coefficients of the uncorrelated regressors."""
    known = precision - precision @ moments.covariance @ precision
    mixing, n_dimensions = data.regressors.mixing, len(precision)
    n_terms = mixing.shape[1]
    information = np.empty((n_dimensions, n_terms, n_dimensions, n_terms))
    for d in range(n_dimensions):
        for e in range(d + 1):
            gram = weighted_gram(data.background.standard, data.weight * known[:, d, e])
            block = mixing.T @ gram @ mixing
            information[d, :, e, :] = block
            information[e, :, d, :] = block.T
    return _inverse(information.reshape(n_dimensions * n_terms, -1))


def _coefficient_meat(data: PopulationData, residual: Floats) -> Floats:
    """Covariance of the weighted derivatives in the coefficients, students or clusters as units."""
    mixing, n_dimensions = data.regressors.mixing, residual.shape[1]
    standard = data.background.standard
    weighted = residual * data.weight[:, None]
    if data.cluster is not None:
        sums = [_cluster_sums(standard, weighted[:, d], data.cluster) @ mixing for d in range(n_dimensions)]
        return _spread_of_clusters(np.concatenate(sums, axis=1), data)
    n_terms = mixing.shape[1]
    meat = np.empty((n_dimensions, n_terms, n_dimensions, n_terms))
    for d in range(n_dimensions):
        for e in range(d + 1):
            block = mixing.T @ weighted_gram(standard, weighted[:, d] * weighted[:, e]) @ mixing
            meat[d, :, e, :] = block
            meat[e, :, d, :] = block.T
    return meat.reshape(n_dimensions * n_terms, -1)


def _cluster_sums(standard: NDArray[np.floating], values: Floats, cluster: NDArray[np.int64]) -> Floats:
    """Sum values times columns within clusters, some columns at a time."""
    n_clusters = int(cluster.max()) + 1
    out = np.empty((n_clusters, standard.shape[1]))
    for column in range(standard.shape[1]):
        out[:, column] = np.bincount(cluster, weights=values * standard[:, column], minlength=n_clusters)
    return out


def _between(weighted: Floats, data: PopulationData) -> Floats:
    """Covariance of a sum over students, with students or clusters as units."""
    if data.cluster is None:
        return np.asarray(weighted.T @ weighted)
    n_clusters = int(data.cluster.max()) + 1
    sums = [np.bincount(data.cluster, weights=one, minlength=n_clusters) for one in weighted.T]
    return _spread_of_clusters(np.column_stack(sums), data)


def _spread_of_clusters(sums: Floats, data: PopulationData) -> Floats:
    """Sum over strata n/(n − 1) times the products of deviations from the stratum's mean; a lone cluster from zero."""
    assert data.stratum is not None
    number = np.bincount(data.stratum).astype(float)
    total = np.zeros((len(number), sums.shape[1]))
    np.add.at(total, data.stratum, sums)
    alone = number == 1.0
    mean = np.where(alone[:, None], 0.0, total / number[:, None])
    factor = np.where(alone, 1.0, number / np.maximum(number - 1.0, 1.0))
    away = sums - mean[data.stratum]
    return np.asarray((away * factor[data.stratum][:, None]).T @ away)


def _root_scores(moments: Moments, away: Floats, sigma: Floats) -> Floats:
    """Derivative of each student's log-likelihood in the elements of the root."""
    n = len(sigma)
    precision, root = np.linalg.inv(sigma), np.linalg.cholesky(sigma)
    inner = moments.covariance + away[:, :, None] * away[:, None, :] - sigma
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
