"""Calibration in several dimensions: log-likelihood, maximum, errors, agreement with the population model."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from irt_plain_loops import probabilities, read_row, simulate
from lsakit.errors import CalibrationError, ConvergenceError
from lsakit.irt.calibration import CalibrationOptions, Prior
from lsakit.irt.dimensions import DimensionalCalibration, calibrate_dimensions
from lsakit.population.latent_regression import fit_population

ITEMS: list[tuple[str, dict[str, Any]]] = [
    ("2pl", {"slope": 1.4, "difficulty": -0.8}),
    ("2pl", {"slope": 1.1, "difficulty": 0.3}),
    ("gpcm", {"slope": 1.2, "difficulty": 0.1, "steps": [0.6, -0.6]}),
]


def several(
    n: int, correlation: float, *, seed: int, n_dimensions: int = 2
) -> tuple[pl.DataFrame, dict[str, str]]:
    rng = np.random.default_rng(seed)
    matrix = np.full((n_dimensions,) * 2, correlation) + (1 - correlation) * np.eye(n_dimensions)
    theta = rng.multivariate_normal(np.zeros(n_dimensions), matrix, n)
    columns: dict[str, Any] = {"student_id": [f"s{i}" for i in range(n)]}
    dimensions = {}
    for d in range(n_dimensions):
        codes = simulate(ITEMS, theta[:, d], rng)
        for j in range(len(ITEMS)):
            name = f"{'wxyz'[d]}{j}"
            columns[name] = [None if rng.random() < 0.1 else int(c) for c in codes[:, j]]
            dimensions[name] = "wxyz"[d]
    return pl.DataFrame(columns), dimensions


def plain_loglik(cal: DimensionalCalibration, responses: pl.DataFrame, nodes: np.ndarray) -> float:
    """A loop over the whole product grid."""
    names = list(cal.calibrations)
    axes = np.stack([a.ravel() for a in np.meshgrid(*([nodes] * len(names)), indexing="ij")], axis=1)
    matrix = np.diag([float(cal.calibrations[d].groups["sd"][0]) ** 2 for d in names])
    for row in cal.correlations.iter_rows(named=True):
        j, k = names.index(row["dimension"]), names.index(row["other"])
        matrix[j, k] = matrix[k, j] = row["covariance"]
    mean = np.array([float(cal.calibrations[d].groups["mean"][0]) for d in names])
    away = axes - mean
    prior = np.exp(-0.5 * np.einsum("qd,de,qe->q", away, np.linalg.inv(matrix), away))
    total = np.tile(np.log(prior / prior.sum()), (responses.height, 1))
    for d, name in enumerate(names):
        for row in cal.calibrations[name].items.iter_rows(named=True):
            chance = probabilities(row["model"], axes[:, d], read_row(row))
            codes = responses[row["item"]].fill_null(-1).to_numpy()
            total[codes >= 0] += np.log(chance[:, codes[codes >= 0]]).T
    top = total.max(axis=1)
    return float((np.log(np.exp(total - top[:, None]).sum(axis=1)) + top).sum())


@pytest.mark.parametrize("n_dimensions", [2, 3, 4])
def test_the_log_likelihood_is_that_of_a_plain_loop(n_dimensions: int) -> None:
    responses, dimensions = several(300, 0.5, seed=1, n_dimensions=n_dimensions)
    options = CalibrationOptions(n_nodes=11, node_range=4.0, standard_errors="none")
    cal = calibrate_dimensions(responses, dimensions, model="pcm", options=options)
    # The log-likelihood told is that one step of 1e-6 before the parameters, on a grid that is coarse on purpose.
    assert cal.loglik == pytest.approx(plain_loglik(cal, responses, np.linspace(-4, 4, 11)), abs=1e-5)
    assert cal.correlations.height == n_dimensions * (n_dimensions - 1) / 2


@pytest.fixture(scope="module")
def solved() -> tuple[pl.DataFrame, DimensionalCalibration]:
    responses, dimensions = several(900, 0.6, seed=3)
    options = CalibrationOptions(n_nodes=31, tolerance=1e-8)
    return responses, calibrate_dimensions(responses, dimensions, options=options)


def test_the_solution_has_the_plain_log_likelihood_and_no_better_neighbour(
    solved: tuple[pl.DataFrame, DimensionalCalibration],
) -> None:
    responses, cal = solved
    nodes = np.linspace(-6, 6, 31)
    assert cal.loglik == pytest.approx(plain_loglik(cal, responses, nodes), abs=1e-7)
    for change in (0.02, -0.02):
        moved = cal.correlations.with_columns(pl.col("covariance") + change)
        other = DimensionalCalibration(
            calibrations=cal.calibrations,
            correlations=moved,
            loglik=0.0,
            converged=True,
            n_iterations=0,
            n_parameters=0,
        )
        assert plain_loglik(other, responses, nodes) < cal.loglik - 0.02


def test_the_population_model_finds_the_same_covariance(
    solved: tuple[pl.DataFrame, DimensionalCalibration],
) -> None:
    responses, cal = solved
    population = fit_population(cal.calibrations, responses)
    correlation = cal.correlations.row(0, named=True)["correlation"]
    expected = np.array([[1.0, correlation], [correlation, 1.0]])
    # Other quadrature (adaptive Gauss-Hermite) and another EM.
    assert population.residual_covariance == pytest.approx(expected, abs=1e-3)
    assert population.loglik == pytest.approx(cal.loglik, abs=0.02)


def test_recovery_and_the_two_kinds_of_errors() -> None:
    responses, dimensions = several(2500, 0.7, seed=4)
    fast = {"n_nodes": 25, "node_range": 5.0}
    observed = calibrate_dimensions(responses, dimensions, options=CalibrationOptions(**fast))
    crossed = calibrate_dimensions(
        responses, dimensions, options=CalibrationOptions(**fast, standard_errors="cross_product")
    )
    row = observed.correlations.row(0, named=True)
    assert row["correlation"] == pytest.approx(0.7, abs=4 * row["se_correlation"])
    assert 0.01 < row["se_correlation"] < 0.06
    assert crossed.correlations["se_correlation"][0] == pytest.approx(row["se_correlation"], rel=0.1)
    for name in ("w", "x"):
        items = observed.calibrations[name].items
        truth = [par["slope"] for _, par in ITEMS]
        away = (items["slope"].to_numpy() - truth) / items["se_slope"].to_numpy()
        assert np.abs(away).max() < 4.0
        ratio = (crossed.calibrations[name].items["se_slope"] / items["se_slope"]).to_numpy()
        assert ratio == pytest.approx(np.ones(3), abs=0.15)
        assert observed.calibrations[name].groups.row(0, named=True)["sd"] == pytest.approx(1.0, abs=1e-5)


def test_rasch_dimensions_fixed_items_groups_and_weights() -> None:
    first, dimensions = several(900, 0.5, seed=5)
    second, _ = several(900, 0.5, seed=6)
    both = pl.concat([first.with_columns(g=pl.lit("a")), second.with_columns(g=pl.lit("b"))]).drop(
        "student_id"
    )
    options = CalibrationOptions(n_nodes=25, node_range=5.0, standard_errors="cross_product")
    rasch = calibrate_dimensions(both, dimensions, model="pcm", group="g", options=options)
    assert rasch.calibrations["x"].items["slope"].to_list() == [1.0] * 3
    assert rasch.calibrations["x"].groups["se_sd"].null_count() == 0
    assert rasch.correlations.height == 2
    free = calibrate_dimensions(both, dimensions, group="g", options=options)
    assert free.calibrations["w"].groups["se_sd"].to_list()[0] is None
    held = calibrate_dimensions(
        both,
        dimensions,
        group="g",
        fixed=free.calibrations["x"].items,
        weights=np.ones(1800),
        options=options,
    )
    assert held.calibrations["x"].items["fixed"].all()
    assert held.calibrations["x"].groups["se_mean"].null_count() == 0
    assert held.calibrations["x"].groups["mean"].to_list() == pytest.approx(
        free.calibrations["x"].groups["mean"].to_list(), abs=1e-3
    )
    assert held.loglik == pytest.approx(free.loglik, abs=1e-3)


def test_two_dimensions_that_are_one_are_refused() -> None:
    responses, dimensions = several(400, 1.0, seed=9)
    with pytest.raises(
        CalibrationError, match=r"correlation of 'w' and 'x' in the group 'all' reached .*Join them"
    ):
        calibrate_dimensions(responses, dimensions, model="pcm", options=CalibrationOptions(n_nodes=21))


def test_what_is_refused() -> None:
    responses, dimensions = several(100, 0.5, seed=7)
    with pytest.raises(CalibrationError, match=r"1 dimensions; from 2 to 4"):
        calibrate_dimensions(responses, dict.fromkeys(dimensions, "x"))
    with pytest.raises(CalibrationError, match=r"'unique' does not apply"):
        calibrate_dimensions(responses, dimensions, options=CalibrationOptions(unique={"w0": ["a"]}))
    slope = Prior(parameter="slope", distribution="normal", numbers=(1, 1))
    with pytest.raises(CalibrationError, match=r"'priors' does not apply"):
        calibrate_dimensions(responses, dimensions, options=CalibrationOptions(priors=(slope,)))
    with pytest.raises(ConvergenceError, match=r"did not converge in 2 steps") as caught:
        calibrate_dimensions(responses, dimensions, options=CalibrationOptions(n_nodes=15, max_iterations=2))
    assert isinstance(caught.value.state, DimensionalCalibration)
