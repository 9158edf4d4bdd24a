"""Responses laid out by dimension, and posterior moments of ability given them."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.io.frames import Table
from lsakit.irt.ability import item_responses
from lsakit.irt.calibration import Calibration
from lsakit.irt.models import Floats
from lsakit.kernels import latent_regression, likelihood_tables
from lsakit.kernels.item_families import GUESSING

NOT_ADMINISTERED = -1
BLOCK = 2048  # students whose covariates stay in the processor's cache between two products
COARSEST_STEP = 0.125
FINEST_STEP = 2.0**-11
FARTHEST = 400.0
STEP_OF_SPREAD = 0.8  # the trapezoid rule is exact to 1e-13 for a normal density of this step in its SD
INTERPOLATION_ERROR = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Responses of students, dimension by dimension, and the items they are to.

    Parameters
    ----------
    bounds : ndarray of shape (n_students, n_dimensions + 1)
        Where each dimension's responses begin in ``rows``; the last column is the end.
    rows : ndarray of shape (n_responses,)
        Row of the response in a table with one row per category of every item.
    kinds : ndarray of shape (n_items,)
        Form of each item's probabilities, as `lsakit.kernels.item_families` numbers them.
    native : ndarray of shape (n_items, n_most_native)
        Native parameters of the items.
    n_steps : ndarray of shape (n_items,)
        Highest scores.
    partly_right : ndarray of shape (n_items,)
        How right a partly right answer to the item is, a share; 0 where there are none.
    step : float
        Distance of the grid points of the tables, logits.
    """

    bounds: NDArray[np.int64]
    rows: NDArray[np.int32]
    kinds: NDArray[np.int64]
    native: Floats
    n_steps: NDArray[np.int64]
    partly_right: Floats
    step: float

    @property
    def n_items(self) -> NDArray[np.int64]:
        """Number of responses of shape (n_students, n_dimensions)."""
        return np.diff(self.bounds, axis=1)

    @property
    def is_concave(self) -> bool:
        """Whether every log-likelihood is concave: it is, but for items with guessing."""
        return not bool((self.kinds == GUESSING).any())

    def take(self, rows: NDArray[np.int64] | slice) -> Answers:
        """Keep some students; the responses themselves are shared.

        Parameters
        ----------
        rows : ndarray of shape (n_kept,) or slice
            Their places.

        Returns
        -------
        Answers
            The same answers, fewer students.
        """
        return Answers(
            bounds=np.ascontiguousarray(self.bounds[rows]),
            rows=self.rows,
            kinds=self.kinds,
            native=self.native,
            n_steps=self.n_steps,
            partly_right=self.partly_right,
            step=self.step,
        )

    def log_table(self, nodes: Floats) -> Floats:
        """Compute log P(category | node) of all items.

        Parameters
        ----------
        nodes : ndarray of shape (n_nodes,)
            Abilities, logits.

        Returns
        -------
        ndarray of shape (n_rows, n_nodes)
            Logarithms of probabilities, one row per category; then one per item with partly right answers, which
            weighs right and wrong by their shares.
        """
        first = _first_rows(self.n_steps)
        out = np.empty((int((self.n_steps + 1).sum()), len(nodes)))
        form = (self.kinds, first, self.n_steps)
        likelihood_tables.fill_log_table(form, self.native, np.ascontiguousarray(nodes), out)
        partly = np.flatnonzero(self.partly_right > 0.0)
        if not len(partly):
            return out
        share = self.partly_right[partly, None]
        return np.concatenate([out, share * out[first[partly] + 1] + (1.0 - share) * out[first[partly]]])

    def grid(self, reach: float, step: float) -> tuple[Floats, tuple[int, float]]:
        """Tabulate the items on equally spaced points.

        Parameters
        ----------
        reach : float
            The points run from about minus to plus this, logits.
        step : float
            Distance of the points, logits.

        Returns
        -------
        ndarray of shape (n_categories, n_points)
            The table.
        tuple of (int, float)
            Number of points below zero, and distance of the points, logits.
        """
        half = int(np.ceil(reach / step))
        nodes = np.arange(-half, half + 1, dtype=np.float64) * step
        return self.log_table(np.asarray(nodes, dtype=np.float64)), (half, step)


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
    """
    parameters = [cal.parameters for cal in cals.values()]
    n_steps = np.concatenate([one.n_steps for one in parameters]).astype(np.int64)
    offset = _first_rows(n_steps)
    blocks = []
    partly = []
    for cal in cals.values():
        codes, share = item_responses(scored, cal)
        partly.append(np.zeros(codes.shape[1]) if share is None else share)
        blocks.append(codes if _is_identity(order, len(codes)) else _reordered(codes, order))
    counts = np.column_stack([(block != NOT_ADMINISTERED).sum(axis=1) for block in blocks]).astype(np.int64)
    ends = np.cumsum(counts.ravel()).reshape(counts.shape)
    bounds = np.column_stack([np.concatenate([[0], ends[:-1, -1]]), ends]).astype(np.int64)
    rows = np.empty(int(ends[-1, -1]) if len(ends) else 0, dtype=np.int32)
    shares = np.concatenate(partly)
    partly_rows = int((n_steps + 1).sum()) + np.cumsum(shares > 0.0) - 1
    first_item = 0
    for d, block in enumerate(blocks):
        items = slice(first_item, first_item + block.shape[1])
        places = (np.ascontiguousarray(offset[items]), np.ascontiguousarray(partly_rows[items]))
        likelihood_tables.list_rows(block, places, np.ascontiguousarray(bounds[:, d]), rows)
        first_item += block.shape[1]
    width = max(one.native.shape[1] for one in parameters)
    native = [np.pad(one.native, ((0, 0), (0, width - one.native.shape[1]))) for one in parameters]
    found = Answers(
        bounds=bounds,
        rows=rows,
        kinds=np.concatenate([one.kinds for one in parameters]),
        native=np.concatenate(native),
        n_steps=n_steps,
        partly_right=shares,
        step=COARSEST_STEP,
    )
    return _with_fine_step(found)


def _first_rows(n_steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """First row of each item in a table with one row per category."""
    return np.concatenate([[0], np.cumsum(n_steps + 1)[:-1]]).astype(np.int64)


def _is_identity(order: NDArray[np.int64], height: int) -> bool:
    """Whether the students of both tables stand in the same order."""
    return len(order) == height and bool((order == np.arange(height)).all())


def _reordered(codes: NDArray[np.int8], order: NDArray[np.int64]) -> NDArray[np.int8]:
    """Put the rows into the order of the background; students without responses get none."""
    out = codes[order]
    out[order < 0] = -1
    return out


def _with_fine_step(answers: Answers) -> Answers:
    """Halve the step until interpolation errs by at most 1e-5 in the log-likelihood of any student."""
    most = int(answers.n_items.sum(axis=1).max(initial=1))
    step = COARSEST_STEP
    while step > FINEST_STEP:
        fine = answers.log_table(np.arange(-20.0, 20.0 + 0.25 * step, 0.5 * step))
        known, between = fine[:, ::2], fine[:, 1::2]
        middle = (
            3.0 * (known[:, :-5] + known[:, 5:])
            - 25.0 * (known[:, 1:-4] + known[:, 4:-1])
            + 150.0 * (known[:, 2:-3] + known[:, 3:-2])
        ) / 256.0
        if most * float(np.abs(middle - between[:, 2:-2]).max()) <= INTERPOLATION_ERROR:
            break
        step *= 0.5
    return Answers(
        bounds=answers.bounds,
        rows=answers.rows,
        kinds=answers.kinds,
        native=answers.native,
        n_steps=answers.n_steps,
        partly_right=answers.partly_right,
        step=step,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What the maximisation step needs of all students.

    Parameters
    ----------
    loglik : float
        Weighted sum of log-likelihoods.
    products : ndarray of shape (n_dimensions, n_columns)
        Weighted sums of posterior mean times covariate.
    squares : ndarray of shape (n_dimensions, n_dimensions)
        Weighted sums of the posterior second moments.
    """

    loglik: float
    products: Floats
    squares: Floats


class Posterior:
    """The posteriors of a set of students, expectation step after expectation step.

    Keeps from step to step where each student's posterior lies, and how far and fine the tables must be; what it
    gives does not depend on that beyond the error of the quadrature (1e-13 in one dimension).

    Parameters
    ----------
    answers : Answers
        Responses of the students.
    n_nodes : int
        Adaptive nodes per dimension, in several dimensions.
    n_threads : int, default 1
        Threads; the result does not depend on it.
    """

    def __init__(self, answers: Answers, n_nodes: int, n_threads: int = 1) -> None:
        self._answers = answers
        self._n_threads = n_threads
        self._step = answers.step
        self._reach = 20.0
        self._where: Floats | None = None
        nodes, node_weights = np.polynomial.hermite.hermgauss(n_nodes)
        self._rule = (nodes, np.log(node_weights) + nodes**2, answers.is_concave)

    def sums(self, standard: NDArray[Any], coefficients: Floats, sigma: Floats, weight: Floats) -> Sums:
        """Carry out one expectation step, block by block, with one reading of the covariates.

        Parameters
        ----------
        standard : ndarray of shape (n_students, n_columns)
            Covariates.
        coefficients : ndarray of shape (n_columns, n_dimensions)
            Coefficients of the prior means, logits.
        sigma : ndarray of shape (n_dimensions, n_dimensions)
            Prior covariance, squared logits.
        weight : ndarray of shape (n_students,)
            Weights, dimensionless.

        Returns
        -------
        Sums
            Sums over students; blocks are summed in their order.

        Raises
        ------
        EstimationError
            If the covariance is not positive definite, or a posterior is too narrow or too far to integrate.
        """
        across = np.ascontiguousarray(coefficients.T)

        def work(rows: slice, part: Moments, means: Floats) -> tuple[float, Floats, Floats]:
            own = weight[rows]
            weighted = part.mean * own[:, None]
            products = np.zeros_like(across)
            latent_regression.add_column_products(standard[rows], weighted, products)
            squares = weighted.T @ part.mean + np.einsum("i,ide->de", own, part.covariance)
            return float(own @ part.loglik), products, squares

        parts = self._blocks((standard, across), sigma, work)
        return Sums(
            loglik=float(sum(part[0] for part in parts)),
            products=np.sum([part[1] for part in parts], axis=0),
            squares=np.sum([part[2] for part in parts], axis=0),
        )

    def moments(self, standard: NDArray[Any], coefficients: Floats, sigma: Floats) -> tuple[Moments, Floats]:
        """Integrate each student's posterior.

        Parameters
        ----------
        standard : ndarray of shape (n_students, n_columns)
            Covariates.
        coefficients : ndarray of shape (n_columns, n_dimensions)
            Coefficients of the prior means, logits.
        sigma : ndarray of shape (n_dimensions, n_dimensions)
            Prior covariance, squared logits.

        Returns
        -------
        Moments
            Log-likelihood, means and covariances.
        ndarray of shape (n_students, n_dimensions)
            Prior means, logits.

        Raises
        ------
        EstimationError
            If the covariance is not positive definite, or a posterior is too narrow or too far to integrate.
        """
        across = np.ascontiguousarray(coefficients.T)

        def work(rows: slice, part: Moments, means: Floats) -> tuple[Moments, Floats]:
            return part, means

        parts = self._blocks((standard, across), sigma, work)
        moments = Moments(
            loglik=np.concatenate([part.loglik for part, _ in parts]),
            mean=np.concatenate([part.mean for part, _ in parts]),
            covariance=np.concatenate([part.covariance for part, _ in parts]),
        )
        return moments, np.concatenate([means for _, means in parts])

    def _blocks(self, x: tuple[NDArray[Any], Floats], sigma: Floats, work: Any) -> list[Any]:
        """Do some work for each block of students, with tables as far and fine as all need."""
        sign, log_determinant = np.linalg.slogdet(sigma)
        if not (sign > 0 and np.isfinite(log_determinant)):
            raise EstimationError(
                "The residual covariance is not positive definite.",
                hint="Check that the dimensions are not the same, and that abilities vary given the background.",
                param="residual_covariance",
            )
        prior = (np.linalg.inv(sigma), np.ascontiguousarray(sigma), -float(log_determinant))
        n_students = len(self._answers.bounds)
        starts = range(0, n_students, BLOCK)
        while True:
            tables = self._answers.grid(self._reach, self._step)
            if self._where is None:
                self._where = np.full((n_students, 2 * len(sigma)), np.nan)

            def one(first: int, tables: Any = tables) -> tuple[float, Any]:
                rows = slice(first, min(first + BLOCK, n_students))
                return self._block(rows, x, prior, tables, work)

            if self._n_threads > 1 and len(starts) > 1:
                with ThreadPoolExecutor(self._n_threads) as pool:
                    parts = list(pool.map(one, starts))
            else:
                parts = [one(first) for first in starts]
            least = min(spread for spread, _ in parts)
            if least < 0.0:
                self._reach *= 2.0
            elif len(sigma) == 1 and self._step > STEP_OF_SPREAD * least:
                self._step *= 0.5
            else:
                return [result for _, result in parts]
            _refuse_extremes(self._reach, self._step)

    def _block(
        self, rows: slice, x: tuple[NDArray[Any], Floats], prior: Any, tables: Any, work: Any
    ) -> tuple[float, Any]:
        """Integrate one block; give its smallest posterior SD (−1 if the table is too short) and the work's result."""
        assert self._where is not None
        precision, sigma, log_determinant = prior
        standard, across = x
        n = len(sigma)
        number = rows.stop - rows.start
        means = np.empty((number, n))
        latent_regression.row_products(standard[rows], across, means)
        where = self._where[rows]
        new = np.isnan(where[:, 0])
        if new.any():
            where[new, :n] = means[new]
            where[new, n:] = 8.0 * np.sqrt(np.diag(sigma))
        loglik, out = np.empty(number), np.empty((number, n + n * n))
        responses = (self._answers.bounds[rows], self._answers.rows)
        if n == 1:
            line = (np.ascontiguousarray(means[:, 0]), float(sigma[0, 0]))
            failed = likelihood_tables.line_moments(responses, tables, line, where, loglik, out)
        else:
            space = (means, precision, sigma, log_determinant)
            failed = likelihood_tables.space_moments(responses, tables, space, self._rule, where, loglik, out)
        if failed >= 0:
            where[failed, 0] = np.nan
            return -1.0, None
        mean = np.ascontiguousarray(out[:, :n])
        part = Moments(loglik=loglik, mean=mean, covariance=out[:, n:].reshape(number, n, n))
        return float(np.sqrt(out[:, n].min())), work(rows, part, means)


def _refuse_extremes(reach: float, step: float) -> None:
    """Refuse posteriors too far away or too narrow to integrate."""
    if reach > FARTHEST:
        raise EstimationError(
            f"A student's posterior lies farther than {FARTHEST:.0f} logits from zero, or does not end.",
            why="The fitted mean or the residual variance has no sensible value.",
            hint="Check item parameters and the background columns; leave columns out.",
            param="background",
        )
    if step < FINEST_STEP:
        raise EstimationError(
            f"A student's posterior standard deviation is below {FINEST_STEP / STEP_OF_SPREAD:.1g} logits.",
            why="Nothing is left of the residual variance: the background columns tell each ability.",
            hint="Use fewer background columns, or check that none of them holds the result itself.",
            param="background",
        )
