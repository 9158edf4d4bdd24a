"""The population model: ability regressed on what is known of the students, items held at their calibration.

theta_i ~ N(Γ'x_i, Σ) in one or several dimensions, fitted by accelerated EM. The algorithm stands in
docs/algorithms/latent_regression.md.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from lsakit.errors import ConvergenceError, EstimationError
from lsakit.io.frames import Table, make_table
from lsakit.irt.acceleration import FixedPoint, Progress, accelerate
from lsakit.irt.calibration import Calibration
from lsakit.population.background import Background, Floats
from lsakit.population.population_data import Columns, PopulationData, read_population
from lsakit.population.population_errors import Sampling, Solution, pack_root, sampling_of, unpack_root
from lsakit.population.posterior import Answers, Moments, Posterior
from lsakit.population.regressors import ComponentRule, Conditioning, Regressors

NEAR_ZERO = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationOptions:
    """How a population model is fitted.

    Parameters
    ----------
    pca_share : float, optional
        Share of the variance of the coded background columns that principal components must hold, such as 0.9;
        without it the columns themselves are the regressors.
    most_components : int, optional
        Most components; by default one per twenty students.
    direct : tuple of str, optional
        Background variables that stay regressors of their own, by name, beside the components.
    reported : tuple of str, optional
        Variables by which results will be reported: each must be in the background, and each of its group
        contrasts be explained by the regressors.
    least_explained : float, default 0.8
        Least share of a reported contrast's variance that the regressors must explain.
    cluster : str, optional
        Column of the background with the sampling clusters (schools): standard errors and draws then take clusters
        as units. It is no covariate.
    stratum : str, optional
        Column of the background with the strata of the clusters. It is no covariate.
    lone_cluster : str, default "adjust"
        What the only cluster of a stratum adds to the variance: "adjust" its deviation from the mean of all, which
        is too much rather than too little; "certainty" nothing.
    n_nodes : int, optional
        Adaptive nodes per dimension; by default 7 in two dimensions, 5 in more, two more of each where items have
        guessing. One dimension needs none: there the sums run over all points of a grid.
    tolerance : float, default 1e-6
        Largest change by one EM step of a coefficient of an uncorrelated column of mean square one (logits), or
        of an element of the log root of the residual covariance.
    max_iterations : int, default 500
        Most expectation steps.
    on_failure : str, default "raise"
        "raise" a `ConvergenceError`, or "return" the last state.
    n_threads : int, optional
        Threads of the expectation step; the processor's number by default. Results do not depend on it.
    progress : Callable, optional
        Called with a sentence and the share done; it may raise `CancelledError`.
    """

    pca_share: float | None = None
    most_components: int | None = None
    direct: tuple[str, ...] = ()
    reported: tuple[str, ...] = ()
    least_explained: float = 0.8
    cluster: str | None = None
    stratum: str | None = None
    lone_cluster: str = "adjust"
    n_nodes: int | None = None
    tolerance: float = 1e-6
    max_iterations: int = 500
    on_failure: str = "raise"
    n_threads: int | None = None
    progress: Progress | None = None

    def __post_init__(self) -> None:
        """Refuse options outside their range."""
        checks = {
            "n_nodes": self.n_nodes is None or 2 <= self.n_nodes <= 40,
            "tolerance": self.tolerance > 0.0,
            "max_iterations": self.max_iterations >= 1,
            "lone_cluster": self.lone_cluster in ("adjust", "certainty"),
            "on_failure": self.on_failure in ("raise", "return"),
            "n_threads": self.n_threads is None or self.n_threads >= 1,
        }
        for name, good in checks.items():
            if not good:
                raise EstimationError(
                    f"The option {name!r} of the population model cannot be {getattr(self, name)!r}.",
                    hint="See PopulationOptions for what it accepts.",
                    param=name,
                    got=getattr(self, name),
                )

    @property
    def rule(self) -> ComponentRule:
        """How columns become regressors."""
        return ComponentRule(
            share=self.pca_share,
            most=self.most_components,
            direct=tuple(self.direct),
            reported=tuple(self.reported),
            least_explained=self.least_explained,
        )

    @property
    def threads(self) -> int:
        """Number of threads of the expectation step."""
        return self.n_threads or os.cpu_count() or 1

    def nodes_for(self, n_dimensions: int, is_concave: bool = True) -> int:
        """Say how many nodes per dimension to use.

        Parameters
        ----------
        n_dimensions : int
            Number of dimensions.
        is_concave : bool, default True
            Whether all items have concave log-likelihoods.

        Returns
        -------
        int
            Nodes per dimension.
        """
        if self.n_nodes is not None:
            return self.n_nodes
        return (7 if n_dimensions <= 2 else 5) + (0 if is_concave else 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """A fitted population model.

    Parameters
    ----------
    coefficients : polars.DataFrame
        Columns subject (only with several calibrations by name), term, estimate, standard_error; logits per unit
        (of a component: per standard deviation).
    residual_covariance : ndarray of shape (n_dimensions, n_dimensions)
        Residual covariance of ability given the background, squared logits.
    residual_errors : ndarray of shape (n_dimensions, n_dimensions)
        Standard errors of its elements, squared logits.
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
    conditioning : Conditioning
        Columns, components, share of variance reached, and what is explained of the reported contrasts.
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
    background : Background
        Coded columns of all students.
    regressors : Regressors
        How the columns make the uncorrelated regressors.
    gamma : ndarray of shape (n_terms, n_dimensions)
        Coefficients of the uncorrelated regressors, logits.
    sampling : Sampling
        Sampling covariances of ``gamma`` and of the residual covariance, which the draws take.
    centres : ndarray of shape (n_students, n_dimensions)
        Posterior means, logits.
    group : str, default ""
        Name of the group, where each group has a model of its own.
    schema : str
        Name and version of this form.
    """

    coefficients: Table
    residual_covariance: Floats
    residual_errors: Floats
    loglik: float
    converged: bool
    n_iterations: int
    students: Table
    conditioning: Conditioning
    reliability: Floats
    subjects: tuple[str, ...]
    n_students: int
    history: tuple[tuple[float, float], ...] = field(repr=False)
    student_ids: tuple[str, ...] = field(repr=False)
    answers: Answers = field(repr=False)
    background: Background = field(repr=False)
    regressors: Regressors = field(repr=False)
    gamma: Floats = field(repr=False)
    sampling: Sampling = field(repr=False)
    centres: Floats = field(repr=False)
    group: str = ""
    schema: str = "lsakit.population/2"

    @property
    def means(self) -> Floats:
        """Fitted means of shape (n_students, n_dimensions), logits."""
        return np.asarray(self.background.standard @ (self.regressors.mixing @ self.gamma), dtype=float)


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
        Components, direct and reported variables, clusters, quadrature, tolerance, progress.

    Returns
    -------
    Population
        Coefficients, residual covariance, posterior moments, and what plausible values need.

    Raises
    ------
    EstimationError
        If background columns are constant or perfectly collinear, a reported variable is not in the model, weights
        are negative or all zero, students of the responses absent from the background, there are more than four
        dimensions, or fewer than two students with responses.
    ConvergenceError
        If the EM does not converge; ``state`` holds the last population.
    ResponseError
        If a response is none of the item's scores.

    Notes
    -----
    Standard errors come from the observed information of coefficients and residual covariance together; with weights
    from the sandwich with students as units, or clusters where they are named. Items are taken as known. Models may
    differ by item: all that `calibrate` knows.

    References
    ----------
    .. [1] Mislevy (1984), Estimating latent distributions, Psychometrika 49(3).
    .. [2] Mislevy, Beaton, Kaplan and Sheehan (1992), Estimating population characteristics from sparse matrix
       samples of item responses, Journal of Educational Measurement 29(2).

    Examples
    --------
    >>> cal = Calibration.from_items({"item": ["a", "b"], "slope": [1.0, 1.0], "difficulty": [0.0, 0.5]})
    >>> answers = {"student_id": ["s1", "s2", "s3", "s4"], "a": [1, 0, 1, 0], "b": [1, 1, 0, 0]}
    >>> pop = fit_population(cal, answers, options=PopulationOptions(max_iterations=3, on_failure="return"))
    >>> pop.coefficients["term"].to_list()
    ['intercept']
    """
    chosen = options or PopulationOptions()
    named = {"": cal} if isinstance(cal, Calibration) else dict(cal)
    columns = Columns(student_id=student_id, weights=weights, stratum=chosen.stratum, cluster=chosen.cluster)
    with threadpool_limits(1, user_api="blas"):  # threads take blocks; and the same bits on any machine
        data = read_population(named, responses, background, columns, chosen.rule)
        return _fit(data, chosen)


def _fit(data: PopulationData, options: PopulationOptions) -> Population:
    """Iterate the EM to its fixed point and write the result."""
    mixing, n_dimensions = data.regressors.mixing, len(data.subjects)
    n_terms = mixing.shape[1]
    posterior = Posterior(
        data.answers, options.nodes_for(n_dimensions, data.answers.is_concave), options.threads
    )
    number = float(data.weight.sum())

    def em_step(vector: Floats) -> tuple[float, Floats]:
        gamma, sigma = _unpack(vector, n_terms, n_dimensions)
        found = posterior.sums(data.background.standard, mixing @ gamma, sigma, data.weight)
        moved = mixing.T @ found.products.T / number
        rest = found.squares / number - moved.T @ moved
        return found.loglik, np.concatenate([moved.ravel(), pack_root(0.5 * (rest + rest.T))])

    found = accelerate(
        em_step,
        np.concatenate([np.zeros(n_terms * n_dimensions), pack_root(np.eye(n_dimensions))]),
        tolerance=options.tolerance,
        max_iterations=options.max_iterations,
        progress=options.progress,
    )
    result = _result(data, found, posterior, options.lone_cluster)
    if not found.converged and options.on_failure == "raise":
        raise ConvergenceError(
            f"The population model did not converge in {found.n_iterations} steps: the last one still moved a "
            f"parameter by {found.history[-1][1]:.2e}.",
            state=result,
            why=_why(result.residual_covariance),
            hint="Look at error.state, use fewer background columns, or raise max_iterations.",
        )
    return result


def _why(sigma: Floats) -> str:
    """Say what a residual covariance near its bound means."""
    least = float(np.linalg.eigvalsh(sigma)[0])
    if least >= NEAR_ZERO:
        return ""
    if len(sigma) == 1:
        return f"The residual variance is {least:.1e} and falls: the background tells abilities as well as the items do."
    return (
        f"The smallest variance of a combination of the dimensions is {least:.1e} and falls: two dimensions may be "
        "the same, or the background tells abilities as well as the items do."
    )


def _unpack(vector: Floats, n_terms: int, n_dimensions: int) -> tuple[Floats, Floats]:
    """Take coefficients and residual covariance out of the vector that the EM moves."""
    size = n_terms * n_dimensions
    return vector[:size].reshape(n_terms, n_dimensions), unpack_root(vector[size:], n_dimensions)


def _result(data: PopulationData, found: FixedPoint, posterior: Posterior, lone: str) -> Population:
    """Put the tables together; students without items have the regression's distribution."""
    n_terms, n_dimensions = len(data.regressors.terms), len(data.subjects)
    gamma, sigma = _unpack(found.parameters, n_terms, n_dimensions)
    moments, means = posterior.moments(data.background.standard, data.regressors.mixing @ gamma, sigma)
    solution = Solution(gamma=gamma, sigma=sigma, moments=moments, means=means)
    sampling = sampling_of(data, posterior, solution, lone)
    to_terms = data.regressors.to_terms
    errors = np.empty((n_terms, n_dimensions))
    for d in range(n_dimensions):
        own = slice(d * n_terms, (d + 1) * n_terms)
        spread = np.einsum("ij,jk,ik->i", to_terms, sampling.coefficients[own, own], to_terms)
        errors[:, d] = np.sqrt(np.maximum(spread, 0.0))
    return Population(
        coefficients=_coefficient_table(data, to_terms @ gamma, errors),
        residual_covariance=sigma,
        residual_errors=sampling.residual_covariance,
        loglik=float(data.weight @ moments.loglik),
        converged=found.converged,
        n_iterations=found.n_iterations,
        students=_student_table(data, moments),
        conditioning=data.conditioning,
        reliability=_reliability(data, moments),
        subjects=data.subjects,
        n_students=int(data.fitted.sum()),
        history=found.history,
        student_ids=data.ids,
        answers=data.answers,
        background=data.background,
        regressors=data.regressors,
        gamma=gamma,
        sampling=sampling,
        centres=moments.mean,
    )


def _coefficient_table(data: PopulationData, estimate: Floats, errors: Floats) -> Table:
    """Write coefficients and standard errors, one row per dimension and term."""
    columns: dict[str, Any] = {}
    terms = data.regressors.terms
    if data.subjects != ("",):
        columns["subject"] = [name for name in data.subjects for _ in terms]
    columns["term"] = list(terms) * len(data.subjects)
    columns["estimate"] = estimate.T.ravel()
    columns["standard_error"] = errors.T.ravel()
    return make_table(columns)


def _student_table(data: PopulationData, moments: Moments) -> Table:
    """Write posterior means and standard deviations of all students."""
    columns: dict[str, Any] = {"student_id": list(data.ids)}
    for d, name in enumerate(data.subjects):
        tail = f"_{name}" if name else ""
        columns[f"eap{tail}"] = np.ascontiguousarray(moments.mean[:, d])
        columns[f"sd{tail}"] = np.sqrt(moments.covariance[:, d, d])
        columns[f"n_items{tail}"] = np.ascontiguousarray(data.answers.n_items[:, d])
    columns["prior_only"] = data.answers.n_items.sum(axis=1) == 0
    return make_table(columns)


def _reliability(data: PopulationData, moments: Moments) -> Floats:
    """Weighted variance of the EAP over that plus the mean posterior variance."""
    weight = data.weight / data.weight.sum()
    average = weight @ moments.mean
    between = weight @ (moments.mean - average) ** 2
    within = weight @ np.einsum("idd->id", moments.covariance)
    return np.asarray(between / (between + within))
