"""Responses laid out by dimension, and posterior moments of ability given them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.io.frames import Table
from lsakit.irt.ability import item_responses, values_of
from lsakit.irt.calibration import Calibration
from lsakit.irt.item_parameters import ItemParameters
from lsakit.irt.models import Floats
from lsakit.kernels import latent_regression


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Responses of students, dimension by dimension.

    Parameters
    ----------
    bounds : ndarray of shape (n_students, n_dimensions + 1)
        Where each dimension's responses begin in ``item`` and ``score``; the last column is the end.
    item : ndarray of shape (n_responses,)
        Place of the item.
    score : ndarray of shape (n_responses,)
        Score.
    slope : ndarray of shape (n_items,)
        Slopes, per logit.
    intercepts : ndarray of shape (n_items, n_most_steps)
        Intercepts, logits.
    n_steps : ndarray of shape (n_items,)
        Highest scores.
    """

    bounds: NDArray[np.int64]
    item: NDArray[np.int32]
    score: NDArray[np.int8]
    slope: Floats
    intercepts: Floats
    n_steps: NDArray[np.int64]

    @property
    def n_items(self) -> NDArray[np.int64]:
        """Number of responses of shape (n_students, n_dimensions)."""
        return np.diff(self.bounds, axis=1)

    def take(self, rows: NDArray[np.int64]) -> Answers:
        """Keep some students; the responses themselves are shared.

        Parameters
        ----------
        rows : ndarray of shape (n_kept,)
            Their places.

        Returns
        -------
        Answers
            The same answers, fewer students.
        """
        return Answers(
            bounds=np.ascontiguousarray(self.bounds[rows]),
            item=self.item,
            score=self.score,
            slope=self.slope,
            intercepts=self.intercepts,
            n_steps=self.n_steps,
        )

    @property
    def kernel_form(self) -> tuple[tuple[NDArray[Any], ...], tuple[NDArray[Any], ...]]:
        """The nested tuples that the kernels read."""
        items = (self.slope, self.intercepts, self.n_steps, np.exp(self.intercepts))
        return (self.item, self.score), items


def answers_of(cals: Mapping[str, Calibration], scored: Table, order: NDArray[np.int64]) -> Answers:
    """Lay scored responses out by dimension, in the order of the background.

    Parameters
    ----------
    cals : Mapping of str to Calibration
        One calibration per dimension.
    scored : polars.DataFrame
        Scored responses.
    order : ndarray of shape (n_students,)
        Row of the responses of each student; −1 for none.

    Returns
    -------
    Answers
        The responses.

    Raises
    ------
    ResponseError
        If a response is none of the item's scores.
    EstimationError
        If an item follows a model outside the partial credit family.
    """
    parameters = [cal.parameters for cal in cals.values()]
    for one in parameters:
        _refuse_other_models(one)
    blocks = []
    for cal in cals.values():
        values = values_of(*item_responses(scored, cal))
        blocks.append(np.where((order >= 0)[:, None], values[order], values.dtype.type(-1)))
    together = np.concatenate(blocks, axis=1)
    given = together >= 0
    counts = np.column_stack([(block >= 0).sum(axis=1) for block in blocks])
    ends = np.cumsum(counts.ravel()).reshape(counts.shape)
    first = np.concatenate([[0], ends[:-1, -1]])
    most = max(one.intercepts.shape[1] for one in parameters)
    intercepts = [np.pad(one.intercepts, ((0, 0), (0, most - one.intercepts.shape[1]))) for one in parameters]
    return Answers(
        bounds=np.column_stack([first, ends]).astype(np.int64),
        item=np.nonzero(given)[1].astype(np.int32),
        score=together[given],
        slope=np.concatenate([one.slope for one in parameters]),
        intercepts=np.concatenate(intercepts),
        n_steps=np.concatenate([one.n_steps for one in parameters]),
    )


def _refuse_other_models(items: ItemParameters) -> None:
    """Refuse items whose log-likelihood is not that of the partial credit family."""
    if len(items.beyond):
        raise EstimationError(
            f"{len(items.beyond)} items follow a model that the population model does not compute.",
            where=[f"{items.names[item]} ({items.models[item]})" for item in items.beyond.tolist()],
            why="Its kernels know Rasch, 2PL, PCM, RSM and GPCM items.",
            hint="Calibrate these items by one of them, or leave them out.",
            param="cal",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Posterior moments per student.

    Parameters
    ----------
    loglik : ndarray of shape (n_students,)
        Log marginal likelihood.
    mean : ndarray of shape (n_students, n_dimensions)
        Posterior means, logits.
    covariance : ndarray of shape (n_students, n_dimensions, n_dimensions)
        Posterior covariances, squared logits.
    """

    loglik: Floats
    mean: Floats
    covariance: Floats


def posterior_moments(answers: Answers, means: Floats, sigma: Floats, modes: Floats, n_nodes: int) -> Moments:
    """Integrate each student's posterior by adaptive Gauss-Hermite quadrature.

    Parameters
    ----------
    answers : Answers
        Responses.
    means : ndarray of shape (n_students, n_dimensions)
        Prior means, logits.
    sigma : ndarray of shape (n_dimensions, n_dimensions)
        Prior covariance, squared logits.
    modes : ndarray of shape (n_students, n_dimensions)
        Where the search for each mode starts, logits; the modes are written back into it.
    n_nodes : int
        Nodes per dimension.

    Returns
    -------
    Moments
        Log-likelihood, means and covariances.

    Raises
    ------
    EstimationError
        If the covariance is not positive definite.
    """
    n_students, n_dimensions = means.shape
    sign, log_determinant = np.linalg.slogdet(sigma)
    if not (sign > 0 and np.isfinite(log_determinant)):
        raise EstimationError(
            "The residual covariance is not positive definite.",
            hint="Check that the dimensions are not the same, and that abilities vary given the background.",
            param="residual_covariance",
        )
    nodes, node_weights = np.polynomial.hermite.hermgauss(n_nodes)
    loglik = np.empty(n_students)
    out = np.empty((n_students, n_dimensions + n_dimensions**2))
    latent_regression.posterior_moments(
        answers.bounds,
        answers.kernel_form,
        (np.ascontiguousarray(means), np.linalg.inv(sigma), -float(log_determinant)),
        (nodes, np.log(node_weights) + nodes**2),
        modes,
        loglik,
        out,
    )
    covariance = out[:, n_dimensions:].reshape(n_students, n_dimensions, n_dimensions)
    return Moments(loglik=loglik, mean=np.ascontiguousarray(out[:, :n_dimensions]), covariance=covariance)
