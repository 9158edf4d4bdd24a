"""The population model: TV-8.10 by name, a plain grid, standard errors, students without items, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import multivariate_normal

from lsakit.errors import ConvergenceError, EstimationError, TableError
from lsakit.irt.calibration import Calibration
from lsakit.irt.models import category_probabilities
from lsakit.population.latent_regression import Population, PopulationOptions, fit_population

CAL = Calibration.from_items(
    {"item": list("abcde"), "slope": [1.0] * 5, "difficulty": [-1.0, -0.5, 0.0, 0.5, 1.0]}
)
PATTERNS = ["11110", "11100", "11000", "10111", "11111", "10000", "01000", "11010", "00000", "10100"]
IDS = [f"s{place}" for place in range(10)]
ANSWERS = {"student_id": IDS} | {
    name: [int(pattern[j]) for pattern in PATTERNS] for j, name in enumerate("abcde")
}
BACKGROUND = {"student_id": IDS, "group": [1] * 5 + [0] * 5, "w": [2.0] + [1.0] * 9}
TIGHT = PopulationOptions(tolerance=1e-9, n_nodes=21)


def simulate(
    n: int, *, seed: int, loading: float = 0.6
) -> tuple[dict[str, Calibration], pl.DataFrame, pl.DataFrame]:
    """Two subjects of eight items, one with three categories, and two background columns."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    region = rng.choice(["east", "north", "west"], n)
    mean = np.column_stack([0.5 * x + 0.4 * (region == "west"), loading * x - 0.3 * (region == "north")])
    theta = mean + rng.multivariate_normal([0, 0], [[0.8, 0.5], [0.5, 0.7]], n)
    ids = [f"s{i}" for i in range(n)]
    columns: dict[str, Any] = {"student_id": ids}
    cals = {}
    for d, subject in enumerate(("maths", "reading")):
        names = [f"{subject[0]}{j}" for j in range(8)]
        slope, difficulty = np.linspace(0.8, 1.5, 8), np.linspace(-1.2, 1.2, 8)
        step = [None] * 7 + [0.5]
        cals[subject] = Calibration.from_items(
            {
                "item": names,
                "slope": slope,
                "difficulty": difficulty,
                "step_1": step,
                "step_2": [None if one is None else -one for one in step],
            }
        )
        for j, name in enumerate(names):
            steps = (0.5, -0.5) if j == 7 else ()
            p = category_probabilities(theta[:, d], slope=slope[j], difficulty=difficulty[j], steps=steps)
            code = (rng.random((n, 1)) > np.cumsum(p, axis=1)[:, :-1]).sum(axis=1)
            columns[name] = [None if rng.random() < 0.2 else int(one) for one in code]
    background = pl.DataFrame({"student_id": ids, "x": x, "region": region.tolist()})
    return cals, pl.DataFrame(columns), background


def test_tv_8_10() -> None:
    pop = fit_population(CAL, ANSWERS, background=BACKGROUND, weights="w", options=TIGHT)
    assert pop.coefficients["term"].to_list() == ["intercept", "group"]
    assert pop.coefficients["estimate"].to_numpy() == pytest.approx([-1.066311, 2.207016], abs=1e-6)
    assert pop.residual_covariance[0, 0] == pytest.approx(0.079909, abs=1e-6)
    # The vector's log-likelihood is under the raw weights, whose sum is 11 over 10 students.
    assert pop.loglik * 11 / 10 == pytest.approx(-26.837086, abs=1e-6)
    expected = [1.1655, 1.0909, 1.0164, 1.1655, 1.2403, -1.0961, -1.0961, -0.9472, -1.1707, -1.0216]
    assert pop.students["eap"].to_numpy() == pytest.approx(expected, abs=6e-5)
    assert pop.students["sd"].to_numpy() == pytest.approx(np.full(10, 0.273), abs=6e-4)


def grid_loglik(
    cals: dict[str, Calibration], responses: pl.DataFrame, means: np.ndarray, sigma: np.ndarray
) -> tuple[float, np.ndarray]:
    """Log-likelihood and posterior means of two dimensions on a plain fine grid."""
    nodes = np.linspace(-7.5, 7.5, 76)
    logs = []
    for cal in cals.values():
        total = np.zeros((responses.height, len(nodes)))
        for row in cal.items.iter_rows(named=True):
            steps = [] if row["step_1"] is None else [row["step_1"], row["step_2"]]
            p = category_probabilities(nodes, slope=row["slope"], difficulty=row["difficulty"], steps=steps)
            codes = responses[row["item"]].fill_null(-1).to_numpy()
            total[codes >= 0] += np.log(p[:, codes[codes >= 0]]).T
        logs.append(total)
    mesh = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), axis=-1)
    value, eap = 0.0, np.empty((responses.height, 2))
    for i in range(responses.height):
        density = multivariate_normal(means[i], sigma).pdf(mesh)
        weight = density * np.exp(logs[0][i][:, None] + logs[1][i][None, :]) * (nodes[1] - nodes[0]) ** 2
        value += np.log(weight.sum())
        eap[i] = (weight[..., None] * mesh).sum(axis=(0, 1)) / weight.sum()
    return value, eap


def test_two_dimensions_agree_with_a_plain_grid() -> None:
    cals, responses, background = simulate(60, seed=1)
    pop = fit_population(cals, responses, background=background, options=PopulationOptions(n_nodes=15))
    value, eap = grid_loglik(cals, responses, pop.means, pop.residual_covariance)
    assert pop.loglik == pytest.approx(value, abs=1e-5)
    assert pop.students["eap_maths"].to_numpy() == pytest.approx(eap[:, 0], abs=1e-5)
    assert pop.students["eap_reading"].to_numpy() == pytest.approx(eap[:, 1], abs=1e-5)
    default = fit_population(cals, responses, background=background)
    assert default.loglik == pytest.approx(pop.loglik, abs=2e-3)
    assert default.coefficients["estimate"].to_numpy() == pytest.approx(
        pop.coefficients["estimate"].to_numpy(), abs=2e-3
    )


def test_the_joint_model_recovers_what_was_put_in() -> None:
    cals, responses, background = simulate(4000, seed=2)
    pop = fit_population(cals, responses, background=background)
    truth = [0.0, 0.5, 0.0, 0.4, 0.0, 0.6, -0.3, 0.0]
    names = ["intercept", "x", "region=north", "region=west"]
    assert pop.coefficients["term"].to_list() == names * 2
    assert pop.coefficients["subject"].to_list() == ["maths"] * 4 + ["reading"] * 4
    away = (pop.coefficients["estimate"].to_numpy() - truth) / pop.coefficients["standard_error"].to_numpy()
    assert np.abs(away).max() < 3.5
    assert pop.residual_covariance == pytest.approx(np.array([[0.8, 0.5], [0.5, 0.7]]), abs=0.08)


def test_standard_errors_are_those_of_the_log_likelihood() -> None:
    # second differences of the log-likelihood in all seven parameters: four coefficients and the root of the covariance
    cals, responses, background = simulate(40, seed=3)
    pop = fit_population(
        cals, responses, background=background.drop("region"), options=PopulationOptions(n_nodes=15)
    )
    x = np.column_stack([np.ones(40), background["x"].to_numpy()])
    root = np.linalg.cholesky(pop.residual_covariance)
    solution = np.concatenate([pop.coefficients["estimate"].to_numpy(), root[np.tril_indices(2)]])
    h, hessian = 1e-2, np.empty((7, 7))

    def value(change: np.ndarray) -> float:
        there = solution + change
        lower = np.array([[there[4], 0.0], [there[5], there[6]]])
        return grid_loglik(cals, responses, x @ there[:4].reshape(2, 2).T, lower @ lower.T)[0]

    unit = np.eye(7) * h
    for j in range(7):
        for k in range(j + 1):
            found = (
                value(unit[j] + unit[k])
                - value(unit[j] - unit[k])
                - value(unit[k] - unit[j])
                + value(-unit[j] - unit[k])
            )
            hessian[j, k] = hessian[k, j] = found / (4 * h * h)
    covariance = np.linalg.inv(-hessian)
    expected = np.sqrt(np.diag(covariance))
    assert pop.coefficients["standard_error"].to_numpy() == pytest.approx(expected[:4], rel=3e-3)
    jacobian = np.array(
        [[2 * root[0, 0], 0, 0], [root[1, 0], root[0, 0], 0], [0, 2 * root[1, 0], 2 * root[1, 1]]]
    )
    spread = np.sqrt(np.diag(jacobian @ covariance[4:, 4:] @ jacobian.T))
    assert pop.residual_errors[np.tril_indices(2)] == pytest.approx(spread, rel=3e-3)


def test_students_without_items_get_the_regression_alone() -> None:
    more = {
        "student_id": [*IDS, "t1", "t0"],
        "group": [*BACKGROUND["group"], 1, 0],
        "w": [*BACKGROUND["w"], 1.0, 1.0],
    }
    plain = fit_population(CAL, ANSWERS, background=BACKGROUND, weights="w", options=TIGHT)
    pop = fit_population(CAL, ANSWERS, background=more, weights="w", options=TIGHT)
    assert pop.loglik == pytest.approx(plain.loglik, abs=1e-9)
    last = pop.students.tail(2)
    assert last["prior_only"].to_list() == [True, True]
    assert last["n_items"].to_list() == [0, 0]
    assert last["eap"].to_numpy() == pytest.approx([-1.066311 + 2.207016, -1.066311], abs=1e-5)
    assert last["sd"].to_numpy() == pytest.approx(np.full(2, np.sqrt(0.079909)), abs=1e-5)
    assert not pop.students["prior_only"][0]


def test_missing_background_becomes_zero_and_an_indicator() -> None:
    given = {"student_id": IDS, "x": [1.0, None, 0.5, 2.0, 1.5, 0.2, None, 0.1, 0.4, 0.9]}
    given["kind"] = ["p", "p", "q", None, "q", "p", "q", "p", None, "q"]
    few = PopulationOptions(max_iterations=5, on_failure="return")
    pop = fit_population(CAL, ANSWERS, background=given, options=few)
    assert pop.coefficients["term"].to_list() == ["intercept", "x", "x:missing", "kind=q", "kind:missing"]


def test_the_intercept_alone_without_background() -> None:
    pop = fit_population(CAL, ANSWERS, options=TIGHT)
    assert pop.coefficients["term"].to_list() == ["intercept"]
    assert 0.0 < pop.reliability[0] < 1.0


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (
            {"x": [1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10], "y": [2.0, 4, 6, 8, 10, 12, 14, 16, 18, 20]},
            "y is a combination of x",
        ),
        ({"p": [1, 0] * 5, "q": [0, 1] * 5}, "q is a combination of p"),
        ({"flat": [3.0] * 10}, "1 background columns are constant.*flat"),
    ],
)
def test_perfect_collinearity_names_the_columns(columns: dict[str, Any], words: str) -> None:
    with pytest.raises(EstimationError, match=words):
        fit_population(CAL, ANSWERS, background={"student_id": IDS} | columns)


def test_what_else_is_refused() -> None:
    with pytest.raises(
        EstimationError, match=r"1 students of the responses are not in the background table. See: s9"
    ):
        fit_population(CAL, ANSWERS, background={"student_id": IDS[:9]})
    with pytest.raises(EstimationError, match=r"must not be negative"):
        fit_population(CAL, ANSWERS, background=BACKGROUND | {"w": [-1.0] + [1.0] * 9}, weights="w")
    with pytest.raises(EstimationError, match=r"items stand in two calibrations. See: a, b"):
        fit_population({"maths": CAL, "reading": CAL}, ANSWERS)
    with pytest.raises(EstimationError, match=r"one to 4 calibrations. Got 5"):
        fit_population({str(k): CAL for k in range(5)}, ANSWERS)
    with pytest.raises(TableError, match=r"'student_id' of the responses must be unique"):
        fit_population(CAL, ANSWERS | {"student_id": ["s0"] * 10})
    with pytest.raises(ConvergenceError, match=r"did not converge in 2 steps") as caught:
        fit_population(CAL, ANSWERS, background=BACKGROUND, options=PopulationOptions(max_iterations=2))
    assert isinstance(caught.value.state, Population)
