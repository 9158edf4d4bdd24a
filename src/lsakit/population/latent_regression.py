"""The population model: ability regressed on what is known of the students, items held at their calibration.

theta_i ~ N(Γ'x_i, Σ) in one or several dimensions, fitted by accelerated EM with adaptive quadrature. The
algorithm stands in docs/algorithms/latent_regression.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from lsakit.errors import ConvergenceError, EstimationError
from lsakit.io.frames import Table, as_table, floats, make_table, refuse_duplicates, require_columns, strings
from lsakit.irt.acceleration import FixedPoint, Progress, accelerate
from lsakit.irt.calibration import Calibration
from lsakit.population.background import Background, Basis, Floats, code_background, uncorrelated
from lsakit.population.posterior import Answers, Moments, answers_of, posterior_moments

MOST_DIMENSIONS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationOptions:
    """How a population model is fitted.

    Parameters
    ----------
    n_nodes : int, optional
        Adaptive nodes per dimension; by default 15 in one dimension, 7 in two, 5 in more.
    tolerance : float, default 1e-6
        Largest change by one EM step of a coefficient of an uncorrelated column of mean square one (logits), or
        of an element of the log root of the residual covariance.
    max_iterations : int, default 500
        Most expectation steps.
    on_failure : str, default "raise"
        "raise" a `ConvergenceError`, or "return" the last state.
    progress : Callable, optional
        Called with a sentence and the share done; it may raise `CancelledError`.
    """

    n_nodes: int | None = None
    tolerance: float = 1e-6
    max_iterations: int = 500
    on_failure: str = "raise"
    progress: Progress | None = None

    def nodes_for(self, n_dimensions: int) -> int:
        """Say how many nodes per dimension to use.

        Parameters
        ----------
        n_dimensions : int
            Number of dimensions.

        Returns
        -------
        int
            Nodes per dimension.
        """
        return self.n_nodes or {1: 15, 2: 7}.get(n_dimensions, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """A fitted population model.

    Parameters
    ----------
    coefficients : polars.DataFrame
        Columns subject (only with several calibrations by name), term, estimate, standard_error; logits per unit.
    residual_covariance : ndarray of shape (n_dimensions, n_dimensions)
        Residual covariance of ability given the background, squared logits.
    loglik : float
        Log-likelihood at the solution, weights scaled to mean 1.
    converged : bool
        Whether the EM reached its fixed point.
    n_iterations : int
        Number of expectation steps.
    students : polars.DataFrame
        One row per row of the background: student_id, then per dimension eap, sd (logits) and n_items (with
        _subject where named), and prior_only: whether the student has no item, so that only the regression
        speaks.
    reliability : ndarray of shape (n_dimensions,)
        Weighted variance of the EAP over that plus the mean posterior variance, students with items.
    subjects : tuple of str
        Names of the dimensions; ("",) for one calibration given alone.
    n_students : int
        Students with responses and positive weight, who are fitted.
    history : tuple of tuple of (float, float)
        Log-likelihood and largest change per expectation step.
    student_ids : tuple of str
        Identifiers in the order of ``students``.
    answers : Answers
        Responses and item parameters as the draws need them.
    means : ndarray of shape (n_students, n_dimensions)
        Fitted means Γ'x, logits.
    basis : Basis
        Uncorrelated columns of all students, whose coefficients the draws vary.
    coefficient_covariance : ndarray of shape (n_dimensions * n_terms, n_dimensions * n_terms)
        Sampling covariance of the coefficients of the uncorrelated columns, dimension by dimension.
    modes : ndarray of shape (n_students, n_dimensions)
        Posterior modes, logits.
    schema : str
        Name and version of this form.
    """

    coefficients: Table
    residual_covariance: Floats
    loglik: float
    converged: bool
    n_iterations: int
    students: Table
    reliability: Floats
    subjects: tuple[str, ...]
    n_students: int
    history: tuple[tuple[float, float], ...] = field(repr=False)
    student_ids: tuple[str, ...] = field(repr=False)
    answers: Answers = field(repr=False)
    means: Floats = field(repr=False)
    basis: Basis = field(repr=False)
    coefficient_covariance: Floats = field(repr=False)
    modes: Floats = field(repr=False)
    schema: str = "lsakit.population/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Problem:
    """What the EM needs: students who are fitted, and everyone."""

    answers: Answers
    background: Background
    basis: Basis
    weight: Floats
    fitted: NDArray[np.bool_]
    is_weighted: bool
    subjects: tuple[str, ...]
    ids: tuple[str, ...]
    n_nodes: int


def fit_population(
    cal: Calibration | Mapping[str, Calibration],
    responses: Any,
    background: Any = None,
    weights: str | None = None,
    *,
    student_id: str = "student_id",
    options: PopulationOptions | None = None,
) -> Population:
    """Fit a latent regression with items held fixed.

    Parameters
    ----------
    cal : Calibration or Mapping of str to Calibration
        Calibrated items; a mapping from subject to calibration fits the subjects jointly, a dimension each.
    responses : table
        Scored responses with student_id and a column per calibrated item; empty where not administered.
    background : table, optional
        One row per student with student_id; all other columns (but the weights) enter the regression: numbers
        as they are, text as contrasts against the first level, missing values as 0 with an indicator. Students
        without responses stay, and only the regression speaks for them. Without it, the intercept alone.
    weights : str, optional
        Column of the weights, of the background or the responses; scaled to mean 1 over the fitted students.
    student_id : str, default "student_id"
        Identifier column of both tables.
    options : PopulationOptions, optional
        Quadrature, tolerance, progress.

    Returns
    -------
    Population
        Coefficients, residual covariance, posterior moments, and what plausible values need.

    Raises
    ------
    EstimationError
        If background columns are constant or perfectly collinear, weights negative or all zero, students of the
        responses absent from the background, or there are more than four dimensions.
    ConvergenceError
        If the EM does not converge; ``state`` holds the last population.
    ResponseError
        If a response is none of the item's scores.

    Notes
    -----
    Standard errors come from the observed information of the coefficients, the residual covariance held at its
    estimate; with weights from the sandwich with students as units. Items are taken as known.

    References
    ----------
    .. [1] Mislevy (1984), Estimating latent distributions, Psychometrika 49(3).
    .. [2] Thomas (1993), Asymptotic corrections for multivariate posterior moments with factored likelihood
       functions, Journal of Computational and Graphical Statistics 2(3).

    Examples
    --------
    >>> cal = Calibration.from_items({"item": ["a", "b"], "slope": [1.0, 1.0], "difficulty": [0.0, 0.5]})
    >>> answers = {"student_id": ["s1", "s2", "s3", "s4"], "a": [1, 0, 1, 0], "b": [1, 1, 0, 0]}
    >>> pop = fit_population(cal, answers, options=PopulationOptions(max_iterations=3, on_failure="return"))
    >>> pop.coefficients["term"].to_list()
    ['intercept']
    """
    chosen = options or PopulationOptions()
    problem = _read(cal, (responses, background, weights, student_id), chosen)
    n_dimensions = len(problem.subjects)
    n_terms = len(problem.background.terms)
    rows = np.flatnonzero(problem.fitted)
    answers = problem.answers.take(rows)
    columns = problem.basis.columns[rows]
    weight = problem.weight[rows]
    modes = np.zeros((len(rows), n_dimensions))

    def moments(vector: Floats) -> Moments:
        gamma, sigma = _unpack(vector, n_terms, n_dimensions)
        return posterior_moments(answers, columns @ gamma, sigma, modes, problem.n_nodes)

    def em_step(vector: Floats) -> tuple[float, Floats]:
        found = moments(vector)
        gamma = (columns * weight[:, None]).T @ found.mean / weight.sum()
        rest = found.mean - columns @ gamma
        within = np.einsum("i,ide->de", weight, found.covariance)
        sigma = ((rest * weight[:, None]).T @ rest + within) / weight.sum()
        return float(weight @ found.loglik), _pack(gamma, sigma)

    found = accelerate(
        em_step,
        _pack(np.zeros((n_terms, n_dimensions)), np.eye(n_dimensions)),
        tolerance=chosen.tolerance,
        max_iterations=chosen.max_iterations,
        progress=chosen.progress,
    )
    result = _result(problem, found, moments(found.parameters))
    if not found.converged and chosen.on_failure == "raise":
        raise ConvergenceError(
            f"The population model did not converge in {found.n_iterations} steps: the last one still moved a "
            f"parameter by {found.history[-1][1]:.2e}.",
            state=result,
            hint="Look at error.state, use fewer background columns, or raise max_iterations.",
        )
    return result


def _pack(gamma: Floats, sigma: Floats) -> Floats:
    """Join coefficients and the root of the covariance, its diagonal in logs."""
    root = np.linalg.cholesky(sigma)
    own = np.diag_indices(len(sigma))
    root[own] = np.log(root[own])
    return np.concatenate([gamma.ravel(), root[np.tril_indices(len(sigma))]])


def _unpack(vector: Floats, n_terms: int, n_dimensions: int) -> tuple[Floats, Floats]:
    """Undo `_pack`."""
    gamma = vector[: n_terms * n_dimensions].reshape(n_terms, n_dimensions)
    root = np.zeros((n_dimensions, n_dimensions))
    root[np.tril_indices(n_dimensions)] = vector[n_terms * n_dimensions :]
    own = np.diag_indices(n_dimensions)
    root[own] = np.exp(root[own])
    return gamma, root @ root.T


def _read(
    cal: Calibration | Mapping[str, Calibration],
    tables: tuple[Any, Any, str | None, str],
    options: PopulationOptions,
) -> _Problem:
    """Check and align calibrations, responses, background and weights."""
    responses, background, weights, student_id = tables
    named = {"": cal} if isinstance(cal, Calibration) else dict(cal)
    _refuse_dimensions(named)
    scored = as_table(responses, param="responses")
    refuse_duplicates(scored, student_id, param="responses")
    if background is None:
        keep = [student_id, *([weights] if weights and weights in scored.columns else [])]
        known = scored.select(keep)
    else:
        known = as_table(background, param="background")
        refuse_duplicates(known, student_id, param="background")
    ids = strings(known, student_id, param="background")
    order = _match(strings(scored, student_id, param="responses"), ids)
    answers = answers_of(named, scored, order)
    weight = _weights(known, scored, order, weights)
    answered = answers.n_items.sum(axis=1) > 0
    fitted = answered & (weight > 0.0)
    if not fitted.any():
        raise EstimationError(
            "No student of positive weight answered any item.",
            hint="Check identifiers and item columns.",
            param="responses",
        )
    covariates = [name for name in known.columns if name not in (student_id, weights)]
    coded = code_background(known, covariates)
    scaled = np.where(fitted, weight, 0.0)
    scaled *= fitted.sum() / scaled.sum()
    mine = np.flatnonzero(fitted)
    part = uncorrelated(Background(terms=coded.terms, matrix=coded.matrix[mine]), scaled[mine])
    return _Problem(
        answers=answers,
        background=coded,
        basis=Basis(to_terms=part.to_terms, columns=coded.matrix @ part.to_terms),
        weight=scaled,
        fitted=fitted,
        is_weighted=weights is not None,
        subjects=tuple(named),
        ids=tuple(ids),
        n_nodes=options.nodes_for(len(named)),
    )


def _refuse_dimensions(named: Mapping[str, Calibration]) -> None:
    """Refuse no calibration, too many, and an item in two of them."""
    if not 1 <= len(named) <= MOST_DIMENSIONS:
        raise EstimationError(
            f"The 'cal' parameter must give one to {MOST_DIMENSIONS} calibrations. Got {len(named)}.",
            why="The quadrature grows with the power of the number of dimensions.",
            hint="Fit the subjects in groups, or a model of one dimension for each.",
            param="cal",
            got=len(named),
        )
    names = [name for one in named.values() for name in one.parameters.names]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise EstimationError(
            f"{len(twice)} items stand in two calibrations.",
            where=twice,
            why="Each item measures one dimension.",
            hint="Calibrate each item with one subject.",
            param="cal",
        )


def _match(scored: list[str], ids: list[str]) -> NDArray[np.int64]:
    """Give each background row the row of its responses, or −1; refuse students without background."""
    row_of = {name: row for row, name in enumerate(scored)}
    absent = sorted(set(scored) - set(ids))
    if absent:
        raise EstimationError(
            f"{len(absent)} students of the responses are not in the background table.",
            where=absent,
            why="Their part of the population would be left out silently.",
            hint="Add their rows (values may be missing), or leave their responses out.",
            param="background",
        )
    return np.array([row_of.get(name, -1) for name in ids], dtype=np.int64)


def _weights(known: Table, scored: Table, order: NDArray[np.int64], name: str | None) -> Floats:
    """Take the weights in the order of the background."""
    if name is None:
        return np.ones(known.height)
    if name in known.columns:
        weight = floats(known, name, param="background")
    else:
        require_columns(scored, [name], param="responses")
        weight = np.where(order >= 0, floats(scored, name, param="responses")[order], 0.0)
    if (weight < 0.0).any() or not weight.sum() > 0.0:
        rows = np.flatnonzero(weight < 0.0)
        raise EstimationError(
            f"The weights {name!r} must not be negative, nor all zero. {len(rows)} are negative.",
            where=[f"row {row + 1}" for row in rows.tolist()],
            hint="Use the final or senate weights of the respondents.",
            param=name,
        )
    return weight


def _coefficient_covariance(problem: _Problem, moments: Moments, means: Floats, sigma: Floats) -> Floats:
    """Sampling covariance of the uncorrelated columns' coefficients, dimension by dimension."""
    rows = np.flatnonzero(problem.fitted)
    columns, weight = problem.basis.columns[rows], problem.weight[rows]
    precision = np.linalg.inv(sigma)
    known = precision - precision @ moments.covariance @ precision
    n_dimensions, n_terms = len(sigma), columns.shape[1]
    information = np.empty((n_dimensions, n_terms, n_dimensions, n_terms))
    for d in range(n_dimensions):
        for e in range(d + 1):
            block = (columns * (weight * known[:, d, e])[:, None]).T @ columns
            information[d, :, e, :] = block
            information[e, :, d, :] = block.T
    full = information.reshape(n_dimensions * n_terms, -1)
    factor = cho_factor(full)
    inverse = cho_solve(factor, np.eye(len(full)))
    if not problem.is_weighted:
        return np.asarray(inverse)
    residual = (moments.mean - means[rows]) @ precision
    scores = np.concatenate(
        [columns * (weight * residual[:, d])[:, None] for d in range(n_dimensions)], axis=1
    )
    return np.asarray(inverse @ (scores.T @ scores) @ inverse)


def _result(problem: _Problem, found: FixedPoint, fitted: Moments) -> Population:
    """Put the tables together; give students without items the regression's distribution."""
    n_terms, n_dimensions = len(problem.background.terms), len(problem.subjects)
    gamma, sigma = _unpack(found.parameters, n_terms, n_dimensions)
    means = problem.basis.columns @ gamma
    covariance = _coefficient_covariance(problem, fitted, means, sigma)
    modes = means.copy()
    modes[problem.fitted] = fitted.mean
    everyone = posterior_moments(problem.answers, means, sigma, modes, problem.n_nodes)
    estimate = problem.basis.to_terms @ gamma
    errors = np.empty_like(estimate)
    for d in range(n_dimensions):
        own = slice(d * n_terms, (d + 1) * n_terms)
        spread = problem.basis.to_terms @ covariance[own, own] @ problem.basis.to_terms.T
        errors[:, d] = np.sqrt(np.diag(spread))
    return Population(
        coefficients=_coefficient_table(problem, estimate, errors),
        residual_covariance=sigma,
        loglik=float(problem.weight[problem.fitted] @ fitted.loglik),
        converged=found.converged,
        n_iterations=found.n_iterations,
        students=_student_table(problem, everyone),
        reliability=_reliability(problem, everyone),
        subjects=problem.subjects,
        n_students=int(problem.fitted.sum()),
        history=found.history,
        student_ids=problem.ids,
        answers=problem.answers,
        means=means,
        basis=problem.basis,
        coefficient_covariance=covariance,
        modes=modes,
    )


def _coefficient_table(problem: _Problem, estimate: Floats, errors: Floats) -> Table:
    """Write coefficients and standard errors, one row per dimension and term."""
    columns: dict[str, Any] = {}
    if problem.subjects != ("",):
        columns["subject"] = [name for name in problem.subjects for _ in problem.background.terms]
    columns["term"] = list(problem.background.terms) * len(problem.subjects)
    columns["estimate"] = estimate.T.ravel()
    columns["standard_error"] = errors.T.ravel()
    return make_table(columns)


def _student_table(problem: _Problem, moments: Moments) -> Table:
    """Write posterior means and standard deviations of all students."""
    columns: dict[str, Any] = {"student_id": list(problem.ids)}
    for d, name in enumerate(problem.subjects):
        tail = f"_{name}" if name else ""
        columns[f"eap{tail}"] = np.ascontiguousarray(moments.mean[:, d])
        columns[f"sd{tail}"] = np.sqrt(moments.covariance[:, d, d])
        columns[f"n_items{tail}"] = np.ascontiguousarray(problem.answers.n_items[:, d])
    columns["prior_only"] = problem.answers.n_items.sum(axis=1) == 0
    return make_table(columns)


def _reliability(problem: _Problem, moments: Moments) -> Floats:
    """Weighted variance of the EAP over that plus the mean posterior variance."""
    weight = problem.weight / problem.weight.sum()
    average = weight @ moments.mean
    between = weight @ (moments.mean - average) ** 2
    within = weight @ np.einsum("idd->id", moments.covariance)
    return np.asarray(between / (between + within))
