"""Calibration of 3PL, graded, nominal and rating scale items: maximum, standard errors, mixtures, priors."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from irt_plain_loops import log_likelihood, read_row, simulate
from lsakit.errors import CalibrationError
from lsakit.irt.ability import score
from lsakit.irt.calibration import Calibration, CalibrationOptions, Prior, calibrate

TRUTH: dict[str, tuple[str, dict[str, Any]]] = {
    "g1": ("gpcm", {"slope": 1.1, "difficulty": -0.4, "steps": [0.6, -0.6]}),
    "t1": ("2pl", {"slope": 1.4, "difficulty": -0.8}),
    "c1": ("3pl", {"slope": 1.5, "difficulty": 0.2, "guessing": 0.2}),
    "o1": ("graded", {"slope": 1.3, "difficulty": 0.1, "steps": [0.9, 0.1, -1.0]}),
    "n1": ("nominal", {"slope": 0.9, "difficulty": 0.0, "steps": [0.5, -0.5], "scores": [1.4]}),
    "r1": ("rasch", {"slope": 1.0, "difficulty": 0.5}),
}
MODELS = {name: model for name, (model, _) in TRUTH.items()}
FINE = CalibrationOptions(n_nodes=61, tolerance=1e-9)


def mixed(n: int, seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    codes = simulate(list(TRUTH.values()), rng.normal(0, 1.1, n), rng)
    seen = rng.random(codes.shape) < 0.85
    return pl.DataFrame(
        {
            name: [int(x) if s else None for x, s in zip(codes[:, j], seen[:, j], strict=True)]
            for j, name in enumerate(TRUTH)
        }
    )


def objective(cal: Calibration, responses: pl.DataFrame, change: dict[tuple[str, str], float]) -> float:
    """Log-likelihood of the plain loop after changing what users read, plus the beta prior of guessing."""
    items = []
    for row in cal.items.iter_rows(named=True):
        par = read_row(row)
        for (name, key), move in change.items():
            if name != row["item"]:
                continue
            if key.startswith("step_"):  # the last step takes the opposite move, so that they sum to zero
                par["steps"][int(key[5:]) - 1] += move
                par["steps"][-1] -= move
            elif key.startswith("score_"):
                par["scores"][int(key[6:]) - 1] += move
            else:
                par[key] += move
        items.append((row["model"], par))
    codes = responses.select(cal.items["item"].to_list()).fill_null(-1).to_numpy()
    sd = float(cal.groups["sd"][0]) + change.get(("group", "sd"), 0.0)
    value = log_likelihood(items, codes, 0.0, sd, np.linspace(-6, 6, 61))
    for model, par in items:
        if model == "3pl":
            value += 4 * np.log(par["guessing"]) + 16 * np.log(1 - par["guessing"])
    return value


@pytest.fixture(scope="module")
def solved() -> tuple[pl.DataFrame, Calibration]:
    responses = mixed(800, 1)
    return responses, calibrate(responses, model=MODELS, options=FINE)


def told(cal: Calibration) -> list[tuple[str, str]]:
    """What is free, as users read it; the last step follows from the others."""
    out = []
    for row in cal.items.iter_rows(named=True):
        keys = [key for key in row if f"se_{key}" in row and row[f"se_{key}"] is not None]
        last = max((key for key in keys if key.startswith("step_")), default=None)
        out += [(row["item"], key) for key in keys if key != last]
    return [*out, ("group", "sd")]


def test_a_mixture_of_all_models_reaches_the_maximum_of_a_plain_loop(
    solved: tuple[pl.DataFrame, Calibration],
) -> None:
    responses, cal = solved
    assert cal.items["model"].to_list() == list(MODELS.values())
    assert cal.loglik == pytest.approx(
        objective(cal, responses, {})
        - 4 * np.log(cal.items["guessing"][2])
        - 16 * np.log(1 - cal.items["guessing"][2]),
        abs=1e-6,
    )
    names = told(cal)
    assert len(names) == cal.n_parameters
    h = 1e-4
    for name in names:
        slope = (objective(cal, responses, {name: h}) - objective(cal, responses, {name: -h})) / (2 * h)
        assert abs(slope) < 1e-3, name  # the information is of the order of 100: within 1e-5 of the maximum


def test_standard_errors_of_a_mixture_come_from_the_hessian(solved: tuple[pl.DataFrame, Calibration]) -> None:
    responses, cal = solved
    names = told(cal)
    h = 2e-3
    hessian = np.empty((len(names),) * 2)
    for j, one in enumerate(names):
        for k in range(j + 1):
            corners = []
            for left, right in ((h, h), (h, -h), (-h, h), (-h, -h)):
                change = {one: left}
                change[names[k]] = change.get(names[k], 0.0) + right
                corners.append(objective(cal, responses, change))
            hessian[j, k] = hessian[k, j] = (corners[0] - corners[1] - corners[2] + corners[3]) / (4 * h * h)
    expected = np.sqrt(np.diag(np.linalg.inv(-hessian)))
    rows = cal.items.rows_by_key("item", named=True, unique=True)
    found = [cal.groups["se_sd"][0] if name == "group" else rows[name][f"se_{key}"] for name, key in names]
    assert found == pytest.approx(expected, rel=5e-3)  # second differences with step 2e-3


def test_published_items_of_every_model_come_back(solved: tuple[pl.DataFrame, Calibration]) -> None:
    responses, cal = solved
    again = Calibration.from_items(cal.items, sd=float(cal.groups["sd"][0]))
    for method in ("wle", "mle", "eap"):
        one, other = score(cal, responses, method=method), score(again, responses, method=method)
        assert other["theta"].to_list() == pytest.approx(one["theta"].to_list(), abs=1e-9, nan_ok=True)
    held = calibrate(responses, model=MODELS, fixed=cal.items)
    assert held.n_parameters == 2
    assert held.groups["mean"][0] == pytest.approx(0.0, abs=0.01)
    assert held.items["se_guessing"].null_count() == 6


def test_mle_and_wle_solve_their_equations(solved: tuple[pl.DataFrame, Calibration]) -> None:
    responses, cal = solved
    rows = responses.head(60)
    codes = rows.fill_null(-1).to_numpy()
    found = {m: score(cal, rows, method=m)["theta"].to_numpy() for m in ("mle", "wle")}
    grid = np.linspace(-12, 12, 4801)
    items = [(row["model"], read_row(row)) for row in cal.items.iter_rows(named=True)]
    from irt_plain_loops import probabilities

    tables = [probabilities(model, grid, par) for model, par in items]
    h = grid[1] - grid[0]
    first = [np.gradient(t, h, axis=0) for t in tables]
    second = [np.gradient(t, h, axis=0) for t in first]
    for i in range(len(codes)):
        own = [j for j in range(len(items)) if codes[i, j] >= 0]
        if not own:
            continue
        slope = sum(first[j][:, codes[i, j]] / tables[j][:, codes[i, j]] for j in own)
        information = sum((first[j] ** 2 / tables[j]).sum(axis=1) for j in own)
        bias = sum((first[j] * second[j] / tables[j]).sum(axis=1) for j in own)
        for method, value in (("mle", slope), ("wle", slope + bias / (2 * information))):
            theta = found[method][i]
            if abs(theta) < 8:
                # The equation crosses zero downwards within one grid step of the estimate.
                place = int(np.searchsorted(grid, theta))
                assert value[place - 2] > 0 > value[place + 1], (i, method)


def test_an_mle_that_guessing_makes_infinite_is_none() -> None:
    items = {"item": ["a", "b", "c"], "model": ["3pl"] * 3, "slope": [2.0] * 3, "difficulty": [0.0, 1.0, 2.0]}
    cal = Calibration.from_items(items | {"guessing": [0.25] * 3})
    hard_only = score(cal, {"a": [0], "b": [0], "c": [1]}, method="mle")
    assert hard_only["status"][0] == "no_finite_maximum"
    wle = score(cal, {"a": [0], "b": [0], "c": [1]}, method="wle")
    assert wle["status"][0] == "estimated"
    assert np.isfinite(wle["theta"][0])


def test_a_rating_scale_has_one_set_of_steps_and_is_a_restricted_pcm() -> None:
    rng = np.random.default_rng(4)
    items = [
        ("pcm", {"slope": 1.0, "difficulty": d, "steps": [0.8, 0.1, -0.9]}) for d in (-1.0, -0.3, 0.2, 0.9)
    ]
    codes = simulate(items, rng.normal(0, 1.2, 2500), rng)
    responses = pl.DataFrame({f"r{j}": codes[:, j] for j in range(4)})
    scale, free = calibrate(responses, model="rsm"), calibrate(responses, model="pcm")
    assert scale.n_parameters == 4 + 2 + 1
    assert free.n_parameters == 4 * 3 + 1
    for k in (1, 2, 3):
        assert np.ptp(scale.items[f"step_{k}"].to_numpy()) < 1e-12  # rounding of the way back to steps
    assert scale.items["step_1"][0] == pytest.approx(0.8, abs=4 * scale.items["se_step_1"][0])
    assert scale.items["difficulty"].to_numpy() == pytest.approx([-1.0, -0.3, 0.2, 0.9], abs=0.2)
    # Twice the difference is chi-square with six degrees of freedom: 99.99 % lie below 28.
    assert 0.0 < 2 * (free.loglik - scale.loglik) < 28.0
    assert scale.shared is not None
    assert scale.shared["parameter"].to_list()[-1] == "step 2 of the rating scale"
    plain = [("pcm", read_row(row)) for row in scale.items.iter_rows(named=True)]
    sd = float(scale.groups["sd"][0])
    assert scale.loglik == pytest.approx(
        log_likelihood(plain, codes, 0, sd, np.linspace(-6, 6, 41)), abs=1e-6
    )
    for k, item in enumerate(plain):
        for h in (0.02, -0.02):
            moved = [
                *plain[:k],
                ("pcm", item[1] | {"difficulty": item[1]["difficulty"] + h}),
                *plain[k + 1 :],
            ]
            assert log_likelihood(moved, codes, 0, sd, np.linspace(-6, 6, 41)) < scale.loglik


def test_binary_rating_scale_items_are_rasch_items() -> None:
    rng = np.random.default_rng(5)
    codes = simulate(
        [("rasch", {"slope": 1.0, "difficulty": d}) for d in (-1, 0, 1)], rng.normal(size=600), rng
    )
    responses = {f"r{j}": codes[:, j] for j in range(3)}
    one, other = calibrate(responses, model="rsm"), calibrate(responses, model="rasch")
    assert one.loglik == pytest.approx(other.loglik, abs=1e-9)
    for head in ("difficulty", "se_difficulty"):
        assert one.items[head].to_numpy() == pytest.approx(other.items[head].to_numpy(), abs=1e-6)


def test_a_prior_pulls_and_its_density_is_told() -> None:
    responses = mixed(400, 2).select("t1", "g1", "c1", "o1")
    models = {name: MODELS[name] for name in responses.columns}
    tight = Prior(parameter="slope", distribution="lognormal", numbers=(0.0, 0.05), items=("t1", "g1"))
    plain = calibrate(responses, model=models)
    pulled = calibrate(responses, model=models, options=CalibrationOptions(priors=(tight,)))
    for place in (0, 1):
        assert (
            abs(np.log(pulled.items["slope"][place])) < 0.15 * abs(np.log(plain.items["slope"][place])) + 0.02
        )
    assert pulled.items["se_slope"][0] < 0.06
    assert pulled.loglik < plain.loglik
    assert plain.log_prior != 0.0  # guessing has its prior
    wide = Prior(parameter="intercept", distribution="normal", numbers=(0.0, 1e4))
    same = calibrate(responses, model=models, options=CalibrationOptions(priors=(wide,)))
    assert same.items["difficulty"].to_numpy() == pytest.approx(
        plain.items["difficulty"].to_numpy(), abs=1e-4
    )


@pytest.mark.parametrize(
    ("prior", "words"),
    [
        (
            {"parameter": "theta", "distribution": "normal", "numbers": (0, 1)},
            "no 'normal' prior of the parameter 'theta'",
        ),
        ({"parameter": "guessing", "distribution": "lognormal", "numbers": (0, 1)}, "no 'lognormal' prior"),
        ({"parameter": "slope", "distribution": "normal", "numbers": (0, 0)}, "cannot have the numbers"),
        ({"parameter": "guessing", "distribution": "beta", "numbers": (0.5, 2)}, "cannot have the numbers"),
    ],
)
def test_priors_that_are_none(prior: dict[str, Any], words: str) -> None:
    with pytest.raises(CalibrationError, match=words):
        Prior(**prior)


def test_priors_of_items_without_the_parameter() -> None:
    responses = mixed(300, 3).select("t1", "g1", "o1")
    models = {name: MODELS[name] for name in responses.columns}
    for items, words in ((("t1",), "have no free guessing"), (("z",), "are not among the items")):
        prior = Prior(parameter="guessing", distribution="beta", numbers=(5, 17), items=items)
        with pytest.raises(CalibrationError, match=words):
            calibrate(responses, model=models, options=CalibrationOptions(priors=(prior,)))
    every = Prior(parameter="intercept", distribution="normal", numbers=(0, 2))
    with pytest.raises(CalibrationError, match=r"a prior share parameters"):
        calibrate(responses.select("g1", "o1"), model="rsm", options=CalibrationOptions(priors=(every,)))


def test_three_categories_under_3pl_and_published_items_without_guessing() -> None:
    responses = mixed(300, 3).select("t1", "g1")
    with pytest.raises(CalibrationError, match=r"more than two categories"):
        calibrate(responses, model="3pl")
    items = {"item": ["t1"], "model": ["3pl"], "slope": [1.0], "difficulty": [0.0]}
    with pytest.raises(CalibrationError, match=r"no guessing parameter between 0 and 1"):
        Calibration.from_items(items)
    with pytest.raises(CalibrationError, match=r"no score_1, though nominal"):
        Calibration.from_items(items | {"model": ["nominal"], "step_1": [0.5], "step_2": [-0.5]})


def test_the_population_model_takes_every_model(
    solved: tuple[pl.DataFrame, Calibration],
) -> None:
    from lsakit.population.latent_regression import fit_population

    responses, cal = solved
    rows = responses.with_columns(student_id=pl.Series([f"s{i}" for i in range(responses.height)]))
    pop = fit_population(cal, rows)
    # The calibration's items are those of the maximum with its own group: the population model finds that group again, but
    # for the calibration's quadrature (equally spaced nodes on ±6) and stopping rule.
    assert pop.coefficients["estimate"][0] == pytest.approx(0.0, abs=2e-3)
    assert pop.residual_covariance[0, 0] == pytest.approx(cal.groups["sd"][0] ** 2, abs=2e-3)
