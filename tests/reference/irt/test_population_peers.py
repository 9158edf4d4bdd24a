"""Latent regressions against TAM, Dire and mirt; tolerances and their reasons stand in README.md beside this file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from lsakit.irt.calibration import Calibration
from lsakit.population.latent_regression import Population, PopulationOptions, fit_population
from lsakit.population.plausible_values import draw_plausible_values

TIGHT = PopulationOptions(tolerance=1e-8, n_nodes=21)


def result(path: Path) -> dict[str, Any]:
    """Read the result of a peer."""
    found: dict[str, Any] = json.loads(path.read_text())["result"]
    return found


def loglik_on_grid(
    codes: np.ndarray,
    difficulty: np.ndarray,
    means: np.ndarray,
    variance: float,
    *,
    reach: float,
    cut: bool = False,
) -> float:
    """Rasch log-likelihood on a plain grid of step 0.2, the normal renormalised on it where ``cut`` is asked."""
    nodes = np.linspace(-reach, reach, round(10 * reach) + 1)
    log_likelihood = -np.log1p(np.exp(nodes[:, None] - difficulty)).sum(axis=1)
    log_likelihood = log_likelihood + codes.sum(axis=1)[:, None] * nodes - (codes @ difficulty)[:, None]
    prior = np.exp(-0.5 * (nodes - means[:, None]) ** 2 / variance)
    prior /= (
        prior.sum(axis=1, keepdims=True) if cut else np.sqrt(2 * np.pi * variance) / (nodes[1] - nodes[0])
    )
    return float(np.log((np.exp(log_likelihood) * prior).sum(axis=1)).sum())


@pytest.mark.parametrize("model", ["rasch", "2pl"])
def test_pisa_reading_with_items_of_the_joint_solution(shared: Path, model: str) -> None:
    # The peers estimate items and regression together; at that solution the regression given the items is ours.
    peer = result(shared / "reference" / "pisa_read_latreg" / f"mirt_{model}.json")
    data = pl.read_csv(shared / "data" / "pisa_read_testlets" / "items.csv", null_values=["NA"])
    names = [name for name in peer["coef"] if name not in ("GroupPars", "lr.betas")]
    slope = np.array([peer["coef"][name][0]["a1"] for name in names])
    intercept = np.array([peer["coef"][name][0]["d"] for name in names])
    cal = Calibration.from_items({"item": names, "slope": slope, "difficulty": -intercept / slope})
    data = data.with_columns(student_id=pl.col("idstud").cast(pl.String))
    background = data.select("student_id", "female", "hisei", "migra")
    pop = fit_population(cal, data.select("student_id", *names), background=background, options=TIGHT)
    # Peers cut the normal at ±6; residual SD 1.35 under Rasch makes that 0.007 (mirt) and 0.022 (TAM) of log-likelihood.
    assert pop.loglik == pytest.approx(peer["logLik"], abs=0.01 if model == "rasch" else 1e-4)
    if model == "rasch":
        means = background.select(pl.lit(1.0), "female", "hisei", "migra").to_numpy() @ [
            row["F1"] for row in peer["lr.betas"]
        ]
        variance = peer["coef"]["GroupPars"][0]["COV_11"]
        codes = data.select(names).to_numpy()
        cut = loglik_on_grid(codes, -intercept, means, variance, reach=6.0, cut=True)
        assert cut == pytest.approx(peer["logLik"], abs=1e-8)
        own = float(pop.residual_covariance[0, 0])
        exact = loglik_on_grid(codes, -intercept, pop.means[:, 0], own, reach=12.0)
        assert pop.loglik == pytest.approx(exact, abs=1e-6)
        assert exact > loglik_on_grid(codes, -intercept, means, variance, reach=12.0)
    theirs = [row["F1"] for row in peer["lr.betas"]]
    tolerance = 6e-4 if model == "rasch" else 3e-4  # mirt stops at 1e-4, and cuts the normal at ±6
    assert pop.coefficients["estimate"].to_numpy() == pytest.approx(theirs, abs=tolerance)
    variance = peer["coef"]["GroupPars"][0]["COV_11"]
    assert pop.residual_covariance[0, 0] == pytest.approx(variance, abs=3e-3 if model == "rasch" else 5e-4)
    tam = result(shared / "reference" / "pisa_read_latreg" / f"TAM_{model}.json")
    far = 0.015 if model == "rasch" else 5e-4  # the cut at ±6 narrows the posteriors of the best
    assert pop.students["eap"].to_numpy()[:50] == pytest.approx(tam["EAP"], abs=far)
    assert pop.students["sd"].to_numpy()[:50] == pytest.approx(tam["SD.EAP"], abs=far)


@pytest.fixture(scope="module")
def austria(shared: Path) -> Population:
    """TIMSS 2011 Austria: regression of mathematics on sex, books and liking, items as TAM calibrated them."""
    return fit_austria(shared, TIGHT)


@pytest.fixture(scope="module")
def austria_clusters(shared: Path) -> Population:
    """The same with the jackknife's zones and halves as strata and clusters."""
    options = replace(TIGHT, cluster="JKCREP", stratum="JKCZONE", lone_cluster="certainty")
    return fit_austria(shared, options)


def fit_austria(shared: Path, options: PopulationOptions) -> Population:
    """Fit the regression."""
    folder = shared / "reference" / "timss2011_aut_latreg"
    rows = result(folder / "TAM_2pl_weighted_calibration.json")["items"]
    cal = Calibration.from_items(
        {
            "item": [row["item"] for row in rows],
            "slope": [row["alpha"] for row in rows],
            "difficulty": [row["beta"] for row in rows],
        }
    )
    data = shared / "data" / "timss2011_g4_aut"
    items = pl.read_csv(data / "items_math_scored.csv", null_values=["NA"])[:, 17:191]
    background = pl.read_csv(data / "latreg_Y.csv").rename({"id": "student_id"})
    responses = items.with_columns(student_id=background["student_id"])
    if options.cluster:
        design = pl.read_csv(data / "students_pv_background.csv", null_values=["NA"])
        background = background.with_columns(design["JKCZONE"], design["JKCREP"])
    return fit_population(cal, responses, background=background, weights="w", options=options)


def test_timss_austria_agrees_with_tam_and_dire(shared: Path, austria: Population) -> None:
    folder = shared / "reference" / "timss2011_aut_latreg"
    tam, dire = result(folder / "TAM_latreg_fixed_items.json"), result(folder / "Dire_latreg.json")
    ours = austria.coefficients["estimate"].to_numpy()
    assert ours == pytest.approx(tam["beta"], abs=2e-5)
    assert ours == pytest.approx([row["Estimate"] for row in dire["coef"][:9]], abs=2e-5)
    assert austria.residual_covariance[0, 0] == pytest.approx(tam["variance"], abs=2e-5)
    assert austria.loglik == pytest.approx(tam["logLik"], abs=1e-3)
    persons = pl.read_csv(folder / "TAM_persons_pv10.csv.gz")
    assert austria.students["eap"].to_numpy() == pytest.approx(persons["EAP"].to_numpy(), abs=2e-4)
    assert austria.students["sd"].to_numpy() == pytest.approx(persons["SD"].to_numpy(), abs=2e-4)


def test_timss_austria_errors_are_those_of_dire(shared: Path, austria_clusters: Population) -> None:
    # Dire: Taylor series with the jackknife zones as strata and their halves as clusters; five zones have one half only
    # and add nothing. Its derivatives are numerical: the ratios lie within 2e-5 of 1.
    dire = result(shared / "reference" / "timss2011_aut_latreg" / "Dire_latreg.json")["coef"]
    theirs = np.array([row["StdErr"] for row in dire])
    ours = austria_clusters.coefficients["standard_error"].to_numpy()
    assert ours == pytest.approx(theirs[:9], rel=2e-5)
    sd = float(np.sqrt(austria_clusters.residual_covariance[0, 0]))
    assert sd == pytest.approx(dire[9]["Estimate"], abs=1e-5)
    assert austria_clusters.residual_errors[0, 0] / (2 * sd) == pytest.approx(theirs[9], rel=5e-5)


def test_timss_austria_errors_of_tam_are_another_quantity(shared: Path, austria: Population) -> None:
    # TAM's errors come from the raw weights, whose sum is 78,333 for 4,668 students. Scaled to the number of students
    # they still stay below what the students would give if their abilities were observed, in all columns but the two
    # indicators of missing answers (few students): they are not followed.
    tam = result(shared / "reference" / "timss2011_aut_latreg" / "TAM_latreg_fixed_items.json")
    theirs = np.array([row["se.Dim1"] for row in tam["se"]])
    table = pl.read_csv(shared / "data" / "timss2011_g4_aut" / "latreg_Y.csv")
    weight = table["w"].to_numpy()
    assert weight.sum() == pytest.approx(78_333, abs=1)
    scaled = theirs * np.sqrt(weight.sum() / len(weight))
    x = np.column_stack([np.ones(len(weight)), table.drop("id", "w").to_numpy()])
    inner = (x * (weight * len(weight) / weight.sum())[:, None]).T @ x
    observed = np.sqrt(np.diag(np.linalg.inv(inner)) * austria.residual_covariance[0, 0])
    assert np.flatnonzero(scaled >= observed).tolist() == [6, 8]
    assert (austria.coefficients["standard_error"].to_numpy() > observed).all()


def test_timss_austria_values_have_the_posterior_distribution(austria: Population) -> None:
    values = draw_plausible_values(austria, n=10, seed=2026, draw_parameters=False)
    draws = values.drop("student_id").to_numpy()
    z = (draws - austria.students["eap"].to_numpy()[:, None]) / austria.students["sd"].to_numpy()[:, None]
    # 46,680 standardised draws: mean within four standard errors of 0, variance within four of 1.
    assert abs(z.mean()) < 4 / np.sqrt(z.size)
    assert abs(z.var() - 1) < 4 * np.sqrt(2 / z.size)


def test_timss_austria_moments_of_values_are_those_of_tam(shared: Path, austria: Population) -> None:
    peer = result(shared / "reference" / "timss2011_aut_latreg" / "TAM_pv10_vs_published.json")
    weight = pl.read_csv(shared / "data" / "timss2011_g4_aut" / "latreg_Y.csv")["w"].to_numpy()
    draws = (
        draw_plausible_values(austria, n=10, seed=2026, draw_parameters=False).drop("student_id").to_numpy()
    )
    mean = weight @ draws / weight.sum()
    variance = weight @ (draws - mean) ** 2 / weight.sum()
    # ten values each: the averages of 46,680 draws of SD 0.45 differ by chance with a standard error below 0.004
    assert mean.mean() == pytest.approx(peer["theta_mean"], abs=0.016)
    assert variance.mean() == pytest.approx(peer["theta_var"], abs=0.02)


def test_pisa_reading_moments_of_values_are_those_of_tam(shared: Path) -> None:
    folder = shared / "reference" / "pisa_read_latreg"
    peer, items = result(folder / "TAM_rasch_pv_moments.json"), result(folder / "mirt_rasch.json")["coef"]
    data = pl.read_csv(shared / "data" / "pisa_read_testlets" / "items.csv", null_values=["NA"])
    names = [name for name in items if name not in ("GroupPars", "lr.betas")]
    cal = Calibration.from_items(
        {"item": names, "slope": [1.0] * len(names), "difficulty": [-items[name][0]["d"] for name in names]}
    )
    data = data.with_columns(student_id=pl.col("idstud").cast(pl.String))
    background = data.select("student_id", "female", "hisei", "migra")
    pop = fit_population(cal, data.select("student_id", *names), background=background, options=TIGHT)
    draws = draw_plausible_values(pop, n=100, seed=1, draw_parameters=False).drop("student_id").to_numpy()
    # 62,300 draws of SD 0.73: two such means differ by chance with a standard error of 0.004, variances with 0.012. TAM draws
    # from 2,000 random nodes that all students share: the regression of its values has the intercept -0.0156 where its
    # model has 0, and that much is taken out.
    assert draws.mean() == pytest.approx(peer["mean"] - peer["reg_on_Y"]["(Intercept)"], abs=0.016)
    assert draws.var(axis=0, ddof=1).mean() == pytest.approx(peer["var"], abs=0.05)
    x = np.column_stack([np.ones(len(draws)), background.drop("student_id").to_numpy()])
    theirs = list(peer["reg_on_Y"].values())
    slopes = np.linalg.lstsq(x, draws.mean(axis=1), rcond=None)[0]
    assert slopes[1:] == pytest.approx(theirs[1:], abs=0.05)
