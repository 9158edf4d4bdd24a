"""Plausible values: draws of ability from what responses and background say together.

Each draw takes its own coefficients from their sampling distribution, then each student's ability from the posterior
by an exact rejection method. Algorithm and streams: docs/algorithms/plausible_values.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.io.frames import Table, make_table
from lsakit.irt.acceleration import Progress
from lsakit.irt.models import Floats
from lsakit.kernels import latent_regression
from lsakit.population.latent_regression import Population
from lsakit.randomness import stable_seeds, stream

PURPOSE = "plausible_values"
BLOCK = 8192


def draw_plausible_values(
    pop: Population,
    n: int = 10,
    seed: int | None = None,
    student_id: str = "student_id",
    *,
    draw_coefficients: bool = True,
    progress: Progress | None = None,
) -> Table:
    """Draw plausible values for every student of a population model.

    Parameters
    ----------
    pop : Population
        The fitted model.
    n : int, default 10
        Number of plausible values per student and dimension.
    seed : int
        Seed; each student's stream comes from (seed, student), so removing a student never moves another's
        values, and the first values do not depend on ``n``.
    student_id : str, default "student_id"
        Name of the identifier column of the result.
    draw_coefficients : bool, default True
        Whether each plausible value takes its own draw of the regression coefficients; False leaves their
        uncertainty out and is for tests and comparisons.
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
    The residual covariance stays at its estimate: its sampling error is of the order of the root of two over the
    number of students, far below that of the coefficients of small subgroups.

    References
    ----------
    .. [1] Mislevy (1991), Randomization-based inference about latent variables from complex samples, Psychometrika
       56(2).
    .. [2] von Davier, Gonzalez and Mislevy (2009), What are plausible values and why are they useful?, IERI
       Monograph 2.
    """
    _refuse(pop, n, seed)
    assert seed is not None
    ids = list(pop.student_ids)
    seeds = stable_seeds(seed, PURPOSE, ids)
    coefficients = _coefficient_draws(pop, n, seed if draw_coefficients else None)
    sigma = pop.residual_covariance
    prior = (np.linalg.inv(sigma), sigma, np.linalg.cholesky(sigma))
    values = np.empty((n, len(ids), len(sigma)))
    for first in range(0, len(ids), BLOCK):
        rows = np.arange(first, min(first + BLOCK, len(ids)))
        own = pop.answers.take(rows)
        base = pop.means[rows]
        means = base + np.einsum("ip,npd->nid", pop.basis.columns[rows], coefficients)
        part = np.empty_like(means)
        failed = latent_regression.draw_abilities(
            own.bounds,
            own.kernel_form,
            (means, *prior),
            seeds[rows],
            np.arange(1, n + 1),
            np.ascontiguousarray(pop.modes[rows]),
            part,
        )
        if failed >= 0:
            raise EstimationError(
                "No proposal was accepted for a student; his likelihood is too sharp for his prior.",
                where=[ids[first + failed]],
                hint="Check the item parameters and the residual covariance.",
                param="pop",
            )
        values[:, rows] = part
        if progress is not None:
            progress(f"plausible values of {rows[-1] + 1} students", float((rows[-1] + 1) / len(ids)))
    return make_table({student_id: ids, **_columns(values, pop.subjects)})


def _refuse(pop: Population, n: int, seed: int | None) -> None:
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


def _coefficient_draws(pop: Population, n: int, seed: int | None) -> Floats:
    """Deviations of the coefficients per draw: shape (n, n_terms, n_dimensions)."""
    n_dimensions = len(pop.subjects)
    n_terms = pop.basis.columns.shape[1]
    if seed is None:
        return np.zeros((n, n_terms, n_dimensions))
    values, vectors = np.linalg.eigh(pop.coefficient_covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    draws = [
        root @ stream(seed, f"{PURPOSE}/coefficients", str(draw)).standard_normal(len(root))
        for draw in range(1, n + 1)
    ]
    return np.array(draws).reshape(n, n_dimensions, n_terms).transpose(0, 2, 1)


def _columns(values: NDArray[Any], subjects: tuple[str, ...]) -> dict[str, Floats]:
    """Name the columns PV1, or PV1MATHS with subjects."""
    return {
        f"PV{draw + 1}{name.upper()}": np.ascontiguousarray(values[draw, :, d])
        for d, name in enumerate(subjects)
        for draw in range(len(values))
    }
