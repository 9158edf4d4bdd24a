"""Random slopes with weights: the pseudo-likelihood is at its maximum, and weights act as documented."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import lsakit as lk
from lsakit.errors import EstimationError
from lsakit.kernels.random_slopes import fit_random_effects

N_SCHOOLS, PER_SCHOOL = 40, 15


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    rng = np.random.default_rng(11)
    school = np.repeat(np.arange(N_SCHOOLS), PER_SCHOOL)
    effects = rng.multivariate_normal([0.0, 0.0], [[1200.0, -150.0], [-150.0, 400.0]], N_SCHOOLS)
    x = rng.normal(2.0, 1.0, school.size)
    y = 500.0 + 15.0 * x + effects[school, 0] + effects[school, 1] * x + rng.normal(0, 50, school.size)
    weight = rng.uniform(1.0, 5.0, N_SCHOOLS)[school] * rng.uniform(0.5, 2.0, school.size)
    rows = {"Y": y, "X": x, "S": school, "W": weight, "ZONE": school // 2, "HALF": school % 2}
    rows |= {f"PV{m}": y + rng.normal(0, 20, y.size) for m in (1, 2)}
    return pl.DataFrame(rows)


DESIGN = lk.SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")


def model(table: pl.DataFrame, **options: object) -> dict[str, float]:
    result = lk.estimate_multilevel(table, "Y ~ X", cluster="S", design=DESIGN, **options)
    return dict(result.table.select("statistic", "estimate").iter_rows())


def pseudo_deviance(table: pl.DataFrame, found: dict[str, float]) -> float:
    """Minus twice the weighted log-likelihood with the integral over both effects by its closed form, undone."""
    t = np.array([[found["variance_between"], found["covariance:X:(Intercept)"]], [0.0, found["variance:X"]]])
    t[1, 0] = t[0, 1]
    within, total = found["variance_within"], 0.0
    for _, part in table.group_by("S"):
        w, x, y = (part[name].to_numpy() for name in ("W", "X", "Y"))
        own, w = w.mean(), w * part.height / w.sum()
        z = np.column_stack([np.ones(x.size), x])
        residual = y - found["(Intercept)"] - found["X"] * x
        c, g = z.T @ (w[:, None] * z) / within, z.T @ (w * residual) / within
        square = (w * residual**2).sum() / within - g @ t @ np.linalg.solve(np.eye(2) + c @ t, g)
        log_size = np.linalg.slogdet(np.eye(2) + t @ c)[1]
        total += own * (w.sum() * np.log(2 * np.pi * within) + log_size + square)
    return float(total)


@pytest.mark.long
def test_the_weighted_pseudo_likelihood_is_at_its_maximum(table: pl.DataFrame) -> None:
    found = model(table, slopes=["X"])
    best = pseudo_deviance(table, found)
    for name, value in found.items():
        for factor in (0.99, 1.01):
            assert pseudo_deviance(table, found | {name: value * factor}) > best


def test_a_slope_that_does_not_vary_leaves_the_random_intercept(table: pl.DataFrame) -> None:
    design = lk.SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    flat = table.with_columns(Y=pl.col("Y") - pl.col("Y").mean().over("S") + 30.0 * (pl.col("S") % 5))
    one = lk.estimate_multilevel(flat, "Y ~ X", cluster="S", design=design)
    assert one.table["statistic"].to_list()[-1] == "icc"
    two = dict(
        lk.estimate_multilevel(flat, "Y ~ 1", cluster="S", design=design, method="reml")
        .table.select("statistic", "estimate")
        .iter_rows()
    )
    three = dict(
        lk.estimate_multilevel(flat, "Y ~ 1", cluster="S", design=design)
        .table.select("statistic", "estimate")
        .iter_rows()
    )
    # Restricted likelihood undoes the loss of one mean among 40 schools: a factor of 40/39 of the variance.
    assert two["variance_between"] / three["variance_between"] == pytest.approx(40 / 39, rel=2e-2)
    assert two["variance_within"] == pytest.approx(three["variance_within"], rel=1e-3)


@pytest.mark.parametrize("method", ["ml", "reml"])
def test_scaling_all_weights_changes_nothing(table: pl.DataFrame, method: str) -> None:
    one = model(table, slopes=["X"], method=method)
    two = model(table.with_columns(W=pl.col("W") * 7.0), slopes=["X"], method=method)
    assert list(two.values()) == pytest.approx(list(one.values()), rel=1e-6)


def test_moving_and_scaling_moves_and_scales(table: pl.DataFrame) -> None:
    one = model(table, slopes=["X"])
    moved = table.with_columns(Y=2.0 * pl.col("Y") + 10.0, X=pl.col("X") / 4.0 + 3.0)
    two = model(moved, slopes=["X"])
    assert two["X"] == pytest.approx(8.0 * one["X"], rel=1e-6)
    assert two["variance:X"] == pytest.approx(64.0 * one["variance:X"], rel=1e-5)
    assert two["variance_within"] == pytest.approx(4.0 * one["variance_within"], rel=1e-6)
    at_zero = one["variance_between"] - 24.0 * one["covariance:X:(Intercept)"] + 144.0 * one["variance:X"]
    assert two["variance_between"] == pytest.approx(4.0 * at_zero, rel=1e-5)


def test_plausible_values_and_errors(table: pl.DataFrame) -> None:
    result = lk.estimate_multilevel(table, "PV{m} ~ X", cluster="S", design=DESIGN, slopes="X")
    assert result.n_plausible_values == 2
    assert result.table["statistic"].to_list() == [
        "(Intercept)", "X", "variance_between", "covariance:X:(Intercept)", "variance:X", "variance_within",
    ]  # fmt: skip
    assert (result.standard_error > 0.0).all()


def test_the_gradient_is_that_of_the_deviance() -> None:
    from lsakit.kernels.random_slopes import _deviance

    rng = np.random.default_rng(3)
    products = np.empty((12, 4, 4))
    for j in range(12):
        rows = np.column_stack([np.ones(9), rng.normal(size=(9, 2)), rng.normal(size=9) * 2])
        products[j] = rows.T @ rows
    data = (products, rng.uniform(0.5, 2.0, 12), np.array([0, 1]))
    low = np.array([[0.6, 0.0], [0.2, 0.4]])
    for restricted in (False, True):
        gradient, gamma = np.zeros((2, 2)), np.zeros(5)
        _deviance(low, data, 108.0, restricted, gradient, gamma)
        for a, b in ((0, 0), (1, 0), (1, 1)):
            ends = []
            for step in (-1e-5, 1e-5):
                near = low.copy()
                near[a, b] += step
                ends.append(_deviance(near, data, 108.0, restricted, np.zeros((2, 2)), gamma))
            assert gradient[a, b] == pytest.approx((ends[1] - ends[0]) / 2e-5, rel=1e-6)
    assert not fit_random_effects((products * 0.0, data[1], data[2]), 108.0, False, low)[2]


def test_refusals(table: pl.DataFrame) -> None:
    with pytest.raises(EstimationError, match="'Z' is no predictor of the formula"):
        model(table, slopes=["Z"])
    with pytest.raises(EstimationError, match="knows no option 'slope'"):
        model(table, slope=["X"])
    with pytest.raises(EstimationError, match="named twice"):
        model(table, slopes=["X", "X"])
    with pytest.raises(EstimationError, match="'method' of a two-level model"):
        model(table, method="bayes")
    with pytest.raises(EstimationError, match="need a formula with its intercept"):
        lk.estimate_multilevel(table, "Y ~ 0 + X", cluster="S", design=DESIGN, slopes=["X"])
