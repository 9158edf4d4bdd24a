"""Plausible values: draws of ability from what responses and background say together.

Each draw takes its own coefficients and residual covariance from their sampling distributions, then each student's
ability from the posterior by an exact rejection method. Algorithm and streams: docs/algorithms/plausible_values.md.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from lsakit.errors import EstimationError
from lsakit.io.frames import Table, make_table
from lsakit.irt.acceleration import Progress
from lsakit.irt.models import Floats
from lsakit.kernels import latent_regression
from lsakit.population.latent_regression import Population
from lsakit.population.population_errors import pack_root, unpack_root
from lsakit.population.population_groups import GroupedPopulation
from lsakit.randomness import stable_seeds, stream

PURPOSE = "plausible_values"
BLOCK = 8192


def draw_plausible_values(
    pop: Population | GroupedPopulation,
    n: int = 10,
    seed: int | None = None,
    student_id: str = "student_id",
    *,
    draw_parameters: bool = True,
    progress: Progress | None = None,
) -> Table:
    """Draw plausible values for every student of a population model.

    Parameters
    ----------
    pop : Population or GroupedPopulation
        The fitted model, or one per group.
    n : int, default 10
        Number of plausible values per student and dimension.
    seed : int
        Seed; each student's stream comes from (seed, student), so removing a student never moves another's
        values, and the first values do not depend on ``n``.
    student_id : str, default "student_id"
        Name of the identifier column of the result.
    draw_parameters : bool, default True
        Whether each plausible value takes its own draw of the regression coefficients and of the residual
        covariance; False leaves their uncertainty out and is for tests and comparisons.
    progress : Callable, optional
        Called with a sentence and the share done; it may raise `CancelledError`.

    Returns
    -------
    polars.DataFrame
        Column ``student_id``, then PV1 … PVn, or PV1MATHS … with the upper-case subject where dimensions are
        named; logits.

    Raises
    ------
    EstimationError
        If no seed is given, ``n`` is not positive, the model did not converge, or a likelihood is too far from
        concave or too sharp to draw from.

    Notes
    -----
    Without the draws of the residual covariance the standard error of a standard deviation is too small
    (docs/recovery_of_population.md).

    References
    ----------
    .. [1] Mislevy (1991), Randomization-based inference about latent variables from complex samples, Psychometrika
       56(2).
    .. [2] von Davier, Gonzalez and Mislevy (2009), What are plausible values and why are they useful?, IERI
       Monograph 2.
    """
    _refuse(pop, n, seed)
    assert seed is not None
    if isinstance(pop, GroupedPopulation):
        drawn = {
            name: draw_plausible_values(
                model, n, seed, student_id, draw_parameters=draw_parameters, progress=progress
            )
            for name, model in pop.populations.items()
        }
        return _gathered(drawn, student_id, list(pop.student_ids))
    values = _values_of(pop, n, seed, draw_parameters, progress)
    return make_table({student_id: list(pop.student_ids), **_columns(values, pop.subjects)})


def _values_of(
    pop: Population, n: int, seed: int, draw_parameters: bool, progress: Progress | None
) -> Floats:
    """Draw from one model, block by block: shape (n, n_students, n_dimensions)."""
    ids = list(pop.student_ids)
    seeds = stable_seeds(seed, PURPOSE, ids)
    coefficients, covariances = _parameter_draws(pop, n, seed if draw_parameters else None)
    roots = np.linalg.cholesky(covariances)
    sigma = np.ascontiguousarray(pop.residual_covariance)
    widest = float(np.sqrt(max(np.einsum("mdd->md", covariances).max(), sigma.max())))
    base = np.ascontiguousarray((pop.regressors.mixing @ pop.gamma).T)
    values = np.empty((n, len(ids), len(pop.subjects)))
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        # coefficients of the standardised columns, all draws and dimensions beside each other
        across = np.concatenate(
            [(pop.regressors.mixing @ (pop.gamma + own)).T for own in coefficients], dtype=float
        )

        def draw_block(first: int) -> int:
            rows = slice(first, min(first + BLOCK, len(ids)))
            means = np.empty((rows.stop - rows.start, len(across)))
            latent_regression.row_products(pop.background.standard[rows], across, means)
            shaped = means.reshape(len(means), n, len(pop.subjects)).transpose(1, 0, 2)
            fitted = np.empty((len(means), len(pop.subjects)))
            latent_regression.row_products(pop.background.standard[rows], base, fitted)
            farthest = max(np.abs(means).max(), np.abs(pop.centres[rows]).max())
            tables = pop.answers.grid(
                float(farthest) + 10.0 * widest + 10.0 * pop.answers.step, pop.answers.step
            )
            part = np.empty(shaped.shape)
            failed = latent_regression.draw_abilities(
                (np.ascontiguousarray(pop.answers.bounds[rows]), pop.answers.rows),
                tables,
                (np.ascontiguousarray(shaped), covariances, roots, fitted, sigma),
                (seeds[rows], np.arange(1, n + 1)),
                np.ascontiguousarray(pop.centres[rows]),
                pop.answers.is_concave,
                part,
            )
            values[:, rows] = part
            return first + int(failed) if failed >= 0 else -1

        for done, failed in enumerate(pool.map(draw_block, range(0, len(ids), BLOCK)), start=1):
            if failed >= 0:
                raise EstimationError(
                    "No proposal was accepted for a student; his likelihood is too sharp for his prior.",
                    where=[ids[failed]],
                    hint="Check the item parameters and the residual covariance.",
                    param="pop",
                )
            if progress is not None:
                number = min(done * BLOCK, len(ids))
                progress(f"plausible values of {number} students", number / len(ids))
    return values


def _gathered(drawn: Mapping[str, Table], student_id: str, ids: list[str]) -> Table:
    """Put the values of all groups into the order of the background."""
    parts = list(drawn.values())
    known = [name for part in parts for name in part.get_column(student_id).to_list()]
    row_of = {name: row for row, name in enumerate(known)}
    order = np.array([row_of[name] for name in ids], dtype=np.int64)
    columns: dict[str, Any] = {student_id: ids}
    for name in parts[0].columns[1:]:
        columns[name] = np.concatenate([part.get_column(name).to_numpy() for part in parts])[order]
    return make_table(columns)


def _refuse(pop: Population | GroupedPopulation, n: int, seed: int | None) -> None:
    """Refuse a missing seed, no draws, and a model that did not converge."""
    if seed is None:
        raise EstimationError(
            "The 'seed' parameter must be given.",
            why="Without it nobody could draw the same values again.",
            hint="Use the seed of the cycle, such as seed=2026.",
            param="seed",
        )
    if n < 1:
        raise EstimationError(f"The 'n' parameter must be at least 1. Got {n}.", param="n", got=n)
    if not pop.converged:
        raise EstimationError(
            "The population model did not converge.",
            why="Its values would not be draws from the posterior.",
            hint="Fit it to convergence first.",
            param="pop",
        )


def _parameter_draws(pop: Population, n: int, seed: int | None) -> tuple[Floats, Floats]:
    """Deviations of the coefficients, shape (n, n_terms, n_dimensions), and residual covariances, per draw.

    The expectation of the residual covariances is the estimate.
    """
    n_terms, n_dimensions = pop.gamma.shape
    sigma = pop.residual_covariance
    if seed is None:
        return np.zeros((n, n_terms, n_dimensions)), np.repeat(sigma[None], n, axis=0)
    purpose = f"{PURPOSE}/parameters/{pop.group}" if pop.group else f"{PURPOSE}/parameters"
    draws = _normal_draws(pop.sampling.joint, n, seed, purpose)
    size = pop.sampling.n_coefficients
    root = pack_root(sigma)
    plain = np.array([unpack_root(root + one, n_dimensions) for one in draws[:, size:]])
    # draws of a logarithm have too large a mean; its second-order term is taken out
    values, vectors = np.linalg.eigh(pop.sampling.root)
    moves = (vectors * np.sqrt(np.maximum(values, 0.0))).T
    expected = sigma + sum(
        0.5 * (unpack_root(root + one, n_dimensions) + unpack_root(root - one, n_dimensions)) - sigma
        for one in moves
    )
    back = np.linalg.cholesky(sigma) @ np.linalg.inv(np.linalg.cholesky(expected))
    coefficients = draws[:, :size].reshape(n, n_dimensions, n_terms).transpose(0, 2, 1)
    return coefficients, np.asarray(back @ plain @ back.T)


def _normal_draws(covariance: Floats, n: int, seed: int, purpose: str) -> Floats:
    """Draws from a normal distribution, each from a stream of its own number: shape (n, n_parameters)."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.array(
        [root @ stream(seed, purpose, str(draw)).standard_normal(len(root)) for draw in range(1, n + 1)]
    )


def _columns(values: NDArray[Any], subjects: tuple[str, ...]) -> dict[str, Floats]:
    """Name the columns PV1, or PV1MATHS with subjects."""
    return {
        f"PV{draw + 1}{name.upper()}": np.ascontiguousarray(values[draw, :, d])
        for d, name in enumerate(subjects)
        for draw in range(len(values))
    }
