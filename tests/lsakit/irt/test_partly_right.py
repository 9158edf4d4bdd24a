"""Omitted items scored one over the number of options: likelihood, errors and abilities against plain loops."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize_scalar

from lsakit.errors import ResponseError, TableError
from lsakit.irt.ability import score
from lsakit.irt.calibration import Calibration, CalibrationOptions, calibrate
from lsakit.irt.classical import classical
from lsakit.irt.dif import dif
from lsakit.irt.item_fit import item_fit
from lsakit.irt.scoring import score_responses
from lsakit.population.latent_regression import fit_population

NODES = np.linspace(-6, 6, 41)
PARTLY = CalibrationOptions(partly_right=True)
NAMES = [f"q{j}" for j in range(6)]
HARD = np.array([-1.2, -0.5, 0.0, 0.3, 0.8, 1.4])
SLOPE = np.array([1.0, 1.3, 0.8, 1.1, 1.5, 0.9])
SHARE = np.array([0.25, 0.2, 0.25, 0.0, 0.5, 0.25])


def responses(n: int = 800, seed: int = 1) -> np.ndarray:
    """2PL answers; a tenth of the wrong ones to items with a share are omissions, and some are not administered."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=(n, 1))
    out = (SLOPE * (theta - HARD) + rng.logistic(size=(n, 6)) > 0).astype(float)
    omitted = (out == 0) & (rng.random((n, 6)) < 0.25) & (SHARE > 0)
    out = np.where(omitted, SHARE, out)
    out[rng.random((n, 6)) < 0.1] = np.nan
    return out


def table(values: np.ndarray) -> pl.DataFrame:
    return pl.DataFrame({name: values[:, j] for j, name in enumerate(NAMES)}).fill_nan(None)


def plain_loglik(values: np.ndarray, slope: np.ndarray, intercept: np.ndarray) -> np.ndarray:
    """Log-likelihood of each student: x ln P + (1 - x) ln(1 - P), whatever x between 0 and 1."""
    prior = np.exp(-(NODES**2) / 2)
    prior /= prior.sum()
    p = 1 / (1 + np.exp(-(slope[:, None] * NODES + intercept[:, None])))
    x = np.nan_to_num(values)
    given = ~np.isnan(values)
    log_l = np.where(given, x, 0.0) @ np.log(p) + np.where(given, 1 - x, 0.0) @ np.log(1 - p)
    return np.log(np.exp(log_l) @ prior)


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    return responses()


@pytest.fixture(scope="module")
def cal(values: np.ndarray) -> Calibration:
    return calibrate(table(values), "2pl", options=CalibrationOptions(tolerance=1e-10, partly_right=True))


def test_the_log_likelihood_is_the_plain_one_and_at_its_maximum(values: np.ndarray, cal: Calibration) -> None:
    free = np.concatenate([cal.parameters.slope, cal.parameters.intercepts[:, 0]])

    def total(x: np.ndarray) -> float:
        return float(plain_loglik(values, x[:6], x[6:]).sum())

    assert cal.loglik == pytest.approx(total(free), abs=1e-9 * abs(cal.loglik))
    for place in range(12):
        step = np.zeros(12)
        step[place] = 1e-4
        slope = (total(free + step) - total(free - step)) / 2e-4
        assert slope == pytest.approx(0.0, abs=1e-4)  # the difference of two sums near 3,000 loses ten digits


def test_the_errors_are_the_sandwich_by_numerical_derivatives(values: np.ndarray, cal: Calibration) -> None:
    free = np.concatenate([cal.parameters.slope, cal.parameters.intercepts[:, 0]])
    step = 1e-4

    def scores(x: np.ndarray) -> np.ndarray:
        out = np.empty((len(values), 12))
        for place in range(12):
            move = np.zeros(12)
            move[place] = step
            high = plain_loglik(values, (x + move)[:6], (x + move)[6:])
            low = plain_loglik(values, (x - move)[:6], (x - move)[6:])
            out[:, place] = (high - low) / (2 * step)
        return out

    hessian = np.empty((12, 12))
    for place in range(12):
        move = np.zeros(12)
        move[place] = step
        hessian[place] = (scores(free + move).sum(axis=0) - scores(free - move).sum(axis=0)) / (2 * step)
    bread = np.linalg.inv(-(hessian + hessian.T) / 2)
    one = scores(free)
    spread = bread @ one.T @ one @ bread
    assert cal.standard_errors == "sandwich"
    assert cal.items["se_slope"].to_numpy() == pytest.approx(np.sqrt(np.diag(spread)[:6]), rel=1e-4)
    plain = np.sqrt(np.diag(bread)[:6])
    assert np.abs(cal.items["se_slope"].to_numpy() / plain - 1).max() > 0.005, "the plain curvature differs"


@pytest.mark.parametrize("model", ["2pl", "3pl"])
def test_abilities_are_those_of_the_plain_function(values: np.ndarray, model: str) -> None:
    items = pl.DataFrame(
        {
            "item": NAMES,
            "model": [model] * 6,
            "slope": SLOPE,
            "difficulty": HARD,
            "guessing": [0.2 * (model == "3pl")] * 6,
        }
    )
    cal = Calibration.from_items(items, partly_right=True)
    guess = 0.2 if model == "3pl" else 0.0
    some = values[:60]
    data = table(some)

    def curves(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        s = 1 / (1 + np.exp(-SLOPE * (theta - HARD)))
        return guess + (1 - guess) * s, (1 - guess) * s * (1 - s) * SLOPE

    def log_l(theta: float, x: np.ndarray, *, warm: bool) -> float:
        p, rise = curves(np.array(theta))
        given = ~np.isnan(x)
        value = float((x * np.log(p) + (1 - x) * np.log(1 - p))[given].sum())
        return value + (0.5 * np.log((rise**2 / (p * (1 - p)))[given].sum()) if warm else 0.0)

    prior = np.exp(-(np.linspace(-6, 6, 121) ** 2) / 2)
    eap = score(cal, data, "eap")["theta"]
    wle = score(cal, data, "wle")["theta"]
    for row, x in enumerate(some):
        nodes = np.linspace(-6, 6, 121)
        post = prior * np.exp([log_l(theta, x, warm=False) for theta in nodes])
        assert eap[row] == pytest.approx(float(nodes @ post / post.sum()), abs=1e-9)
        if model == "2pl" and not np.isnan(x).all():  # Warm's function maximises log L + log(I)/2 for the 2PL
            best = minimize_scalar(
                lambda theta, x=x: -log_l(theta, x, warm=True),
                bounds=(-6, 6),
                method="bounded",
                options={"xatol": 1e-9},
            )
            assert wle[row] == pytest.approx(best.x, abs=1e-5)


def test_the_guessing_estimate_is_a_root_of_the_plain_function() -> None:
    items = pl.DataFrame(
        {"item": NAMES, "model": ["3pl"] * 6, "slope": SLOPE, "difficulty": HARD, "guessing": [0.2] * 6}
    )
    x = np.array([[1.0, 0.2, 1.0, 0.0, 0.5, 0.25]])
    theta = score(Calibration.from_items(items, partly_right=True), table(x), "mle")["theta"][0]

    def log_l(at: float) -> float:
        p = 0.2 + 0.8 / (1 + np.exp(-SLOPE * (at - HARD)))
        return float((x[0] * np.log(p) + (1 - x[0]) * np.log(1 - p)).sum())

    assert log_l(theta) > log_l(theta - 0.01)
    assert log_l(theta) > log_l(theta + 0.01)
    assert (log_l(theta + 1e-5) - log_l(theta - 1e-5)) / 2e-5 == pytest.approx(0.0, abs=1e-5)


def test_a_half_is_the_geometric_mean_of_right_and_wrong() -> None:
    items = pl.DataFrame({"item": NAMES, "slope": SLOPE, "difficulty": HARD})
    cal = Calibration.from_items(items, partly_right=True)
    rows = table(np.array([[1, 0, 1, 0, x, 1] for x in (0.0, 0.5, 1.0)], dtype=float))
    low, half, high = score(cal, rows, "eap")["theta"]
    assert low < half < high
    wrong = score(cal, rows, "mle")["theta"]
    assert wrong[0] < wrong[1] < wrong[2]


def test_all_omitted_has_a_finite_estimate() -> None:
    items = pl.DataFrame({"item": NAMES, "slope": SLOPE, "difficulty": HARD})
    found = score(Calibration.from_items(items, partly_right=True), table(np.full((1, 6), 0.25)), "mle")
    assert found["status"][0] == "estimated"
    assert found["n_items"][0] == 6
    assert found["theta"][0] < -0.5


def test_the_population_model_has_the_same_likelihood(values: np.ndarray, cal: Calibration) -> None:
    data = table(values).with_columns(student_id=pl.Series([f"s{i}" for i in range(len(values))]))
    background = data.select("student_id").with_columns(one=pl.Series(np.arange(len(values)) % 2))
    found = fit_population(cal, data, background)
    gamma, variance = found.coefficients, float(np.asarray(found.residual_covariance).ravel()[0])
    numbers = gamma.select(pl.col(pl.Float64)).to_numpy()[:, 0]
    mean = numbers[0] + numbers[1] * (np.arange(len(values)) % 2)
    nodes = np.linspace(-7, 7, 281)
    p = 1 / (1 + np.exp(-(cal.parameters.slope[:, None] * nodes + cal.parameters.intercepts[:, :1])))
    x, given = np.nan_to_num(values), ~np.isnan(values)
    log_l = np.where(given, x, 0.0) @ np.log(p) + np.where(given, 1 - x, 0.0) @ np.log(1 - p)
    density = np.exp(-((nodes - mean[:, None]) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance) * 0.05
    assert found.loglik == pytest.approx(float(np.log((np.exp(log_l) * density).sum(axis=1)).sum()), abs=1e-3)


def test_fit_keeps_them_in_the_posterior_and_leaves_them_out_of_the_observed(
    values: np.ndarray, cal: Calibration
) -> None:
    found = item_fit(cal, table(values))
    whole = [int(np.isin(values[:, j], [0.0, 1.0]).sum()) for j in range(6)]
    assert found.items["n"].to_list() == whole
    assert found.items["infit"].is_between(0.8, 1.2).all()


def test_naep_scores_omissions_by_the_number_of_options() -> None:
    raw = {"student_id": ["a", "b", "c"], "M1": [2, 99, 96], "M2": [1, 99, 2], "M3": [4, 3, 98]}
    items = {
        "item": ["M1", "M2", "M3"],
        "format": ["mc", "cr", "mc"],
        "key": [2, None, 3],
        "max_score": [1, 2, 1],
        "n_options": [5, None, 4],
    }
    found = score_responses(raw, items, "naep")
    assert found.table.rows() == [("a", 1.0, 1, 0), ("b", 0.2, 0, 1), ("c", None, 2, 0)]
    assert found.summary["mean_score"].to_list() == pytest.approx([0.6, 0.5, 1 / 3])
    with pytest.raises(TableError, match="no n_options, though students omitted them") as refusal:
        score_responses(raw, {name: own for name, own in items.items() if name != "n_options"}, "naep")
    assert refusal.value.where == ("M1",)


def test_what_cannot_be_partly_right_is_refused(values: np.ndarray) -> None:
    data = table(values)
    with pytest.raises(ResponseError, match=r"hold the share 0\.2 beside several shares"):
        calibrate(data.with_columns(q3=pl.Series([0.2, 0.25] * 400)), "2pl", options=PARTLY)
    with pytest.raises(ResponseError, match="beside scores up to 2"):
        calibrate(data.with_columns(q3=pl.Series([0.2, 2.0] * 400)), "gpcm", options=PARTLY)
    with pytest.raises(ResponseError, match="whole numbers"):
        classical(data)
    with pytest.raises(ResponseError, match="whole numbers"):
        calibrate(data, "2pl")
    plain = Calibration.from_items({"item": NAMES, "slope": SLOPE, "difficulty": HARD})
    with pytest.raises(ResponseError, match="whole numbers"):
        score(plain, data)
    with pytest.raises(ResponseError, match="whole numbers"):
        dif(data.with_columns(g=pl.Series(["a", "b"] * 400)), "g")
    steps = pl.DataFrame(
        {"item": ["q0"], "slope": [1.0], "difficulty": [0.0], "step_1": [0.5], "step_2": [-0.5]}
    )
    with pytest.raises(ResponseError, match="has 2 points; a partly right answer is for items of one"):
        score(Calibration.from_items(steps, partly_right=True), data.select("q0"))


def test_rasch_takes_the_long_way_to_the_same_place_without_them(values: np.ndarray) -> None:
    """Where the share is nearly 0 the answers are nearly wrong ones, which the cells of equal points would count."""
    nearly = np.where((values > 0) & (values < 1), 1e-9, values)
    wrong = np.where((values > 0) & (values < 1), 0.0, values)
    one, other = calibrate(table(nearly), "rasch", options=PARTLY), calibrate(table(wrong), "rasch")
    assert one.items["difficulty"].to_numpy() == pytest.approx(other.items["difficulty"].to_numpy(), abs=1e-5)
    assert one.loglik == pytest.approx(other.loglik, abs=1e-4)
