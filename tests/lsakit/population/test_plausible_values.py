"""Plausible values: the distribution with a negative control, the streams, and what is refused."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import kstest, norm

from lsakit.errors import CancelledError, EstimationError
from lsakit.irt.calibration import Calibration
from lsakit.irt.models import category_probabilities
from lsakit.population.latent_regression import Population, fit_population
from lsakit.population.plausible_values import draw_plausible_values

ITEMS = {"item": ["a", "b", "c"], "slope": [1.5, 1.0, 2.0], "difficulty": [-1.0, 0.5, 0.8]}
CAL = Calibration.from_items(ITEMS | {"step_1": [None, None, 0.6], "step_2": [None, None, -0.6]})
N_DRAWS = 20_000


RNG = np.random.default_rng(4)
IDS = [f"s{i:02d}" for i in range(40)]
X = RNG.normal(size=40)
ANSWERS = {
    "student_id": IDS[:39],
    "a": RNG.integers(0, 2, 39),
    "b": (X[:39] + RNG.normal(size=39) > 0).astype(int),
    "c": np.clip(np.round(X[:39] + RNG.normal(size=39) + 1), 0, 2).astype(int),
}


@pytest.fixture(scope="module")
def pop() -> Population:
    """Forty students of one test, one of them absent."""
    return fit_population(CAL, ANSWERS, background={"student_id": IDS, "x": X})


def exact_cdf(pop: Population, student: int) -> tuple[np.ndarray, np.ndarray]:
    """Posterior distribution function of one student by a very fine grid."""
    nodes = np.linspace(-9, 9, 20_001)
    mean, sd = float(pop.means[student, 0]), float(np.sqrt(pop.residual_covariance[0, 0]))
    value = norm.logpdf(nodes, mean, sd)
    for place, name in enumerate("abc"):
        if student < 39:
            p = category_probabilities(
                nodes,
                slope=ITEMS["slope"][place],
                difficulty=ITEMS["difficulty"][place],
                steps=(0.6, -0.6) if name == "c" else (),
            )
            value += np.log(p[:, ANSWERS[name][student]])
    density = np.exp(value - value.max())
    cdf = np.cumsum(density) - 0.5 * density
    return nodes, cdf / density.sum()


def test_draws_follow_the_exact_posterior_and_a_shifted_one_is_found_out(pop: Population) -> None:
    values = draw_plausible_values(pop, n=N_DRAWS, seed=1, draw_parameters=False)
    draws = values.drop("student_id").to_numpy()
    p_values, controls = [], []
    for student in (0, 7, 20, 38, 39):
        nodes, cdf = exact_cdf(pop, student)
        p_values.append(kstest(draws[student], lambda t, n=nodes, c=cdf: np.interp(t, n, c)).pvalue)
        sd = draws[student].std()
        wrong = draws[student].mean() + (draws[student] - draws[student].mean()) * 1.04 + 0.02 * sd
        controls.append(kstest(wrong, lambda t, n=nodes, c=cdf: np.interp(t, n, c)).pvalue)
    # Five tests at level 0.001 each; the control is 4 % too wide and 2 % of an SD off.
    assert min(p_values) > 0.001
    assert min(controls) < 0.001


def test_tv_8_10_mean_and_sd_of_twenty_thousand_draws(pop: Population) -> None:
    values = draw_plausible_values(pop, n=N_DRAWS, seed=2, draw_parameters=False)
    draws = values.drop("student_id").to_numpy()
    eap, sd = pop.students["eap"].to_numpy(), pop.students["sd"].to_numpy()
    # The vector allows 0.01 for a posterior SD of 0.27; here SDs are near 0.7, so 0.02 is four standard errors.
    assert np.abs(draws.mean(axis=1) - eap).max() < 0.02
    assert np.abs(draws.std(axis=1) / sd - 1).max() < 0.02


def test_two_dimensions_have_the_posterior_covariance() -> None:
    second = Calibration.from_items({"item": ["d", "e"], "slope": [1.2, 0.9], "difficulty": [0.0, 0.3]})
    rng = np.random.default_rng(6)
    theta = rng.multivariate_normal([0, 0], [[2.0, 0.9], [0.9, 2.0]], 300)
    answers = {"student_id": [f"s{i}" for i in range(300)]} | {
        name: (theta[:, int(name in "de")] + rng.logistic(size=300) > 0).astype(int) for name in "abcde"
    }
    pop = fit_population({"maths": CAL, "reading": second}, answers)
    values = draw_plausible_values(pop, n=4000, seed=3, draw_parameters=False)
    maths = values.select([f"PV{m}MATHS" for m in range(1, 4001)]).to_numpy()
    reading = values.select([f"PV{m}READING" for m in range(1, 4001)]).to_numpy()
    assert np.abs(maths.mean(axis=1) - pop.students["eap_maths"].to_numpy()).max() < 0.07
    assert np.abs(reading.std(axis=1) / pop.students["sd_reading"].to_numpy() - 1).max() < 0.06
    # Total covariance of draws = residual covariance, in a model without background at its maximum.
    total = np.cov(maths.ravel(), reading.ravel())
    assert total == pytest.approx(pop.residual_covariance, rel=0.03)


def test_a_removed_student_moves_nobody_else(pop: Population) -> None:
    from dataclasses import replace

    kept = np.array([i for i in range(40) if i != 5])
    fewer = replace(
        pop,
        student_ids=tuple(pop.student_ids[i] for i in kept),
        answers=pop.answers.take(kept),
        background=replace(pop.background, standard=pop.background.standard[kept]),
        centres=pop.centres[kept],
    )
    all_values = draw_plausible_values(pop, n=10, seed=2026)
    assert draw_plausible_values(fewer, n=10, seed=2026).equals(
        all_values.filter(pl.col("student_id") != "s05")
    )


def test_the_first_values_do_not_depend_on_their_number(pop: Population) -> None:
    ten = draw_plausible_values(pop, n=10, seed=2026)
    assert draw_plausible_values(pop, n=3, seed=2026).equals(ten.select("student_id", "PV1", "PV2", "PV3"))
    assert draw_plausible_values(pop, n=10, seed=2026).equals(ten)
    assert not draw_plausible_values(pop, n=10, seed=2027).equals(ten)


def test_values_of_a_student_are_independent_of_each_other(pop: Population) -> None:
    values = draw_plausible_values(pop, n=2000, seed=5, draw_parameters=False).drop("student_id").to_numpy()
    values = (values - values.mean(axis=1, keepdims=True)) / values.std(axis=1, keepdims=True)
    within = np.mean(values[:, :-1] * values[:, 1:])
    across = np.mean(values[:-1] * values[1:])
    assert abs(within) < 4 / np.sqrt(values.size)
    assert abs(across) < 4 / np.sqrt(values.size)


def test_the_uncertainty_of_the_regression_is_in_the_values(pop: Population) -> None:
    absent = {}
    for drawn in (True, False):
        values = draw_plausible_values(pop, n=4000, seed=7, draw_parameters=drawn)
        absent[drawn] = values.filter(pl.col("student_id") == "s39").drop("student_id").to_numpy().var()
    row = pop.background.standard[39] @ pop.regressors.mixing
    extra = row @ pop.sampling.coefficients @ row
    # four standard errors of a variance of 4,000 draws are 9 %
    assert absent[False] == pytest.approx(pop.residual_covariance[0, 0], rel=0.09)
    assert absent[True] == pytest.approx(pop.residual_covariance[0, 0] + extra, rel=0.09)
    assert extra > 0.02


def test_the_uncertainty_of_the_residual_variance_is_in_the_values() -> None:
    # Twelve absent students: the variance among them within a draw is that draw's own residual variance.
    rng = np.random.default_rng(8)
    theta = rng.normal(size=400)
    difficulty = np.linspace(-1.5, 1.5, 12)
    cal = Calibration.from_items(
        {"item": [f"i{j}" for j in range(12)], "slope": [1.2] * 12, "difficulty": difficulty}
    )
    right = theta[:, None] + rng.logistic(size=(400, 12)) / 1.2 > difficulty
    ids = [f"s{i}" for i in range(2400)]
    answers = {"student_id": ids[:400]} | {f"i{j}": right[:, j].astype(int) for j in range(12)}
    pop = fit_population(cal, answers, background={"student_id": ids})
    error = float(pop.residual_errors[0, 0])
    spread = {}
    for drawn in (True, False):
        values = draw_plausible_values(pop, n=300, seed=9, draw_parameters=drawn).tail(2000)
        spread[drawn] = values.drop("student_id").to_numpy().var(axis=0)
    noise = pop.residual_covariance[0, 0] * np.sqrt(2 / 2000)
    # 300 draws: a standard deviation has a standard error of 4 %, four of them are 16 %
    assert spread[False].std() == pytest.approx(noise, rel=0.16)
    assert spread[True].std() == pytest.approx(np.hypot(error, noise), rel=0.16)
    assert spread[True].mean() == pytest.approx(pop.residual_covariance[0, 0], abs=4 * error / np.sqrt(300))
    assert error > 2 * noise


def test_a_seed_is_required_and_cancelling_works(pop: Population) -> None:
    with pytest.raises(EstimationError, match=r"'seed' parameter must be given"):
        draw_plausible_values(pop)
    with pytest.raises(EstimationError, match=r"'n' parameter must be at least 1"):
        draw_plausible_values(pop, n=0, seed=1)

    def stop(sentence: str, share: float) -> None:
        raise CancelledError("Stopped on request.")

    with pytest.raises(CancelledError):
        draw_plausible_values(pop, seed=1, progress=stop)
