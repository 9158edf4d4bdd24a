"""The population model under every item model, held against plain sums over fine grids written out here.

Guessing makes log-likelihoods that are not concave: flat below, or with two tops where hard items were solved and easy
ones were not. The grids of the tests are three to ten times finer and know nothing of the package.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import kstest, multivariate_normal, norm

from lsakit.irt.calibration import Calibration
from lsakit.population.latent_regression import Population, PopulationOptions, fit_population
from lsakit.population.plausible_values import draw_plausible_values

ITEMS: dict[str, list[Any]] = {
    "item": ["g1", "g2", "g3", "g4", "g5", "g6", "p1", "r1", "n1", "d1"],
    "model": ["3pl"] * 6 + ["gpcm", "graded", "nominal", "2pl"],
    "slope": [2.4, 2.0, 1.6, 2.2, 1.1, 2.6, 0.9, 1.4, 0.8, 1.2],
    "difficulty": [-1.2, -0.6, 0.0, 0.7, 1.1, 1.6, 0.1, -0.2, 0.3, 0.4],
    "step_1": [None] * 6 + [0.5, 0.7, 0.3, None],
    "step_2": [None] * 6 + [-0.5, -0.7, -0.3, None],
    "guessing": [0.2, 0.25, 0.15, 0.3, 0.2, 0.22, None, None, None, None],
    "score_1": [None] * 8 + [0.6, None],
}
NAMES = ITEMS["item"]
# right on the hard items and wrong on the easy ones: two tops; all wrong; all right; few answers
ODD = [
    [0, 0, 0, 1, 1, 1, None, None, None, None],
    [0, 0, 1, 1, 1, 1, 2, 0, 2, 1],
    [0] * 10,
    [1, 1, 1, 1, 1, 1, 2, 2, 2, 1],
    [1, None, None, None, None, None, None, None, None, None],
    [None, None, None, None, None, None, 1, 1, 1, 0],
]


def probabilities(place: int, theta: np.ndarray) -> np.ndarray:
    """P(category) of one item, shape (n_categories, n_nodes), from the textbook formulas."""
    model, a, b = ITEMS["model"][place], ITEMS["slope"][place], ITEMS["difficulty"][place]
    steps = [one for one in (ITEMS["step_1"][place], ITEMS["step_2"][place]) if one is not None]
    if model in ("2pl", "3pl"):
        c = ITEMS["guessing"][place] or 0.0
        right = c + (1 - c) / (1 + np.exp(-a * (theta - b)))
        return np.array([1 - right, right])
    if model == "graded":
        above = [1 / (1 + np.exp(-a * (theta - b + step))) for step in steps]
        return np.array([1 - above[0], above[0] - above[1], above[1]])
    if model == "gpcm":
        logits = np.array([0 * theta, a * (theta - b + steps[0]), a * (2 * (theta - b) + sum(steps))])
    else:  # nominal: category slopes a·score, intercepts of the partial credit form
        first, last = ITEMS["score_1"][place], 2.0
        logits = np.array(
            [0 * theta, a * first * theta + a * (steps[0] - b), a * last * theta + a * (sum(steps) - 2 * b)]
        )
    raised = np.exp(logits)
    return np.asarray(raised / raised.sum(axis=0))


def log_likelihood(codes: list[int | None], theta: np.ndarray, places: range) -> np.ndarray:
    """Log-likelihood of one student's answers to some items."""
    total = np.zeros_like(theta)
    for code, place in zip(codes, places, strict=True):
        if code is not None:
            total += np.log(probabilities(place, theta)[code])
    return total


def simulated(n: int, seed: int, *, apart: float = 0.0) -> tuple[list[list[int | None]], np.ndarray]:
    """Draw answers of ordinary students behind the odd ones, and a covariate; two abilities ``apart`` from each other."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n + len(ODD))
    rows = list(ODD)
    for one in x[len(ODD) :]:
        theta = 0.6 * one + 0.8 * rng.normal()
        other = theta + apart * rng.normal()
        row: list[int | None] = []
        for place in range(10):
            p = probabilities(place, np.array([theta if place < 6 else other]))[:, 0]
            row.append(None if rng.random() < 0.2 else int(rng.choice(len(p), p=p)))
        rows.append(row)
    return rows, x


def table(rows: list[list[int | None]], names: list[str]) -> pl.DataFrame:
    ids = [f"s{i:03d}" for i in range(len(rows))]
    return pl.DataFrame(
        {"student_id": ids, **{name: [row[j] for row in rows] for j, name in enumerate(names)}}
    )


ROWS, X = simulated(150, 3)
BACKGROUND = {"student_id": [f"s{i:03d}" for i in range(len(ROWS))], "x": X}


@pytest.fixture(scope="module")
def line() -> Population:
    """One dimension, all models."""
    cal = Calibration.from_items(ITEMS)
    return fit_population(cal, table(ROWS, NAMES), background=BACKGROUND)


def posterior_on_grid(pop: Population, student: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Nodes, posterior probabilities and log marginal likelihood of one student."""
    theta = np.linspace(-14, 14, 28_001)
    sd = float(np.sqrt(pop.residual_covariance[0, 0]))
    value = log_likelihood(ROWS[student], theta, range(10)) + norm.logpdf(
        theta, float(pop.means[student, 0]), sd
    )
    density = np.exp(value)
    total = float(density.sum() * (theta[1] - theta[0]))
    return theta, density / density.sum(), np.log(total)


def test_moments_agree_with_a_fine_grid_under_every_model(line: Population) -> None:
    total, eap, sd = 0.0, [], []
    for student in range(len(ROWS)):
        theta, share, value = posterior_on_grid(line, student)
        total += value
        mean = share @ theta
        eap.append(mean)
        sd.append(np.sqrt(share @ (theta - mean) ** 2))
    assert line.loglik == pytest.approx(total, abs=1e-8)
    assert line.students["eap"].to_numpy() == pytest.approx(eap, abs=1e-9)
    assert line.students["sd"].to_numpy() == pytest.approx(sd, abs=1e-9)


@pytest.fixture(scope="module")
def two_tops() -> tuple[Population, np.ndarray, np.ndarray]:
    """A student who solved six hard items and missed two easy ones; his posterior on a fine grid."""
    rng = np.random.default_rng(2)
    names = [f"h{j}" for j in range(6)] + ["e0", "e1"]
    slope, difficulty = np.array([3.0] * 6 + [1.2] * 2), np.array([1.0] * 6 + [-1.2] * 2)
    guessing = np.array([0.25] * 6 + [0.0] * 2)
    ability = rng.normal(size=400)
    chance = guessing + (1 - guessing) / (1 + np.exp(-slope * (ability[:, None] - difficulty)))
    codes = (rng.random(chance.shape) < chance).astype(int)
    codes[0] = [1] * 6 + [0] * 2
    cal = Calibration.from_items(
        {
            "item": names,
            "model": ["3pl"] * 6 + ["2pl"] * 2,
            "slope": slope,
            "difficulty": difficulty,
            "guessing": [0.25] * 6 + [None] * 2,
        }
    )
    pop = fit_population(cal, table([row.tolist() for row in codes], names))
    theta = np.linspace(-14, 14, 28_001)
    right = guessing[:, None] + (1 - guessing[:, None]) / (
        1 + np.exp(-slope[:, None] * (theta - difficulty[:, None]))
    )
    value = np.log(right[:6]).sum(axis=0) + np.log(1 - right[6:]).sum(axis=0)
    value += norm.logpdf(theta, float(pop.means[0, 0]), float(np.sqrt(pop.residual_covariance[0, 0])))
    return pop, theta, value


def test_a_posterior_of_two_tops_is_integrated(
    two_tops: tuple[Population, np.ndarray, np.ndarray],
) -> None:
    pop, theta, value = two_tops
    assert ((value[1:-1] > value[:-2]) & (value[1:-1] > value[2:])).sum() == 2
    share = np.exp(value) / np.exp(value).sum()
    mean = share @ theta
    assert pop.students["eap"][0] == pytest.approx(mean, abs=1e-9)
    assert pop.students["sd"][0] == pytest.approx(np.sqrt(share @ (theta - mean) ** 2), abs=1e-9)


def test_draws_visit_both_tops(two_tops: tuple[Population, np.ndarray, np.ndarray]) -> None:
    pop, theta, value = two_tops
    values = draw_plausible_values(pop, n=20_000, seed=5, draw_parameters=False).head(1)
    share = np.exp(value) / np.exp(value).sum()
    cdf = np.cumsum(share) - 0.5 * share
    draws = values.drop("student_id").to_numpy()[0]
    assert kstest(draws, lambda t: np.interp(t, theta, cdf)).pvalue > 0.001


def test_draws_follow_the_posterior_under_guessing(line: Population) -> None:
    draws = draw_plausible_values(line, n=20_000, seed=5, draw_parameters=False).head(6)
    values = draws.drop("student_id").to_numpy()
    p_values, controls = [], []
    for student in range(6):
        theta, share, _ = posterior_on_grid(line, student)
        cdf = np.cumsum(share) - 0.5 * share
        p_values.append(kstest(values[student], lambda t, n=theta, c=cdf: np.interp(t, n, c)).pvalue)
        # the negative control: the normal of the same mean and standard deviation
        eap, sd = line.students["eap"][student], line.students["sd"][student]
        normal = np.random.default_rng(student).normal(eap, sd, 20_000)
        controls.append(kstest(normal, lambda t, n=theta, c=cdf: np.interp(t, n, c)).pvalue)
    assert min(p_values) > 0.001  # six tests
    assert min(controls) < 0.001


def test_two_dimensions_agree_with_a_plain_grid_under_every_model() -> None:
    first, second = range(6), range(6, 10)
    cut = [{key: value[part.start : part.stop] for key, value in ITEMS.items()} for part in (first, second)]
    cals = {"guessing": Calibration.from_items(cut[0]), "others": Calibration.from_items(cut[1])}
    rows, x = simulated(150, 3, apart=0.8)
    background = {"student_id": BACKGROUND["student_id"], "x": x}
    nodes = np.linspace(-7.5, 7.5, 151)
    mesh = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), axis=-1)
    errors = {}
    for n_nodes in (None, 15):
        pop = fit_population(
            cals, table(rows, NAMES), background=background, options=PopulationOptions(n_nodes=n_nodes)
        )
        total, eap, sd = 0.0, [], []
        for i, row in enumerate(rows):
            value = (
                log_likelihood(row[:6], nodes, first)[:, None] + log_likelihood(row[6:], nodes, second)[None]
            )
            weight = multivariate_normal(pop.means[i], pop.residual_covariance).pdf(mesh) * np.exp(value)
            weight *= (nodes[1] - nodes[0]) ** 2
            total += np.log(weight.sum())
            weight /= weight.sum()
            mean = (weight[..., None] * mesh).sum(axis=(0, 1))
            eap.append(mean)
            sd.append(np.sqrt((weight[..., None] * (mesh - mean) ** 2).sum(axis=(0, 1))))
        found = pop.students.select("eap_guessing", "eap_others").to_numpy()
        spread = pop.students.select("sd_guessing", "sd_others").to_numpy()
        errors[n_nodes] = (
            abs(pop.loglik - total) / len(rows),
            np.abs(found - np.array(eap)).max(),
            np.abs(spread - np.array(sd)).max(),
        )
    # six 3PL items a student, some of two tops: nine nodes (the default) err by thousandths, fifteen by less
    print(errors)
    assert max(errors[15]) < 5e-4
    assert max(errors[None]) < 5e-3
