"""Models on cell sums give, under every weight and plausible value, what the formula written out gives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from scipy.optimize import linprog, minimize

from lsakit.estimation.correlations import estimate_correlations
from lsakit.estimation.means import estimate_means
from lsakit.estimation.multilevel import estimate_multilevel, estimate_variance_components
from lsakit.estimation.own_statistics import estimate
from lsakit.estimation.quantile_regression import estimate_quantile_regression
from lsakit.estimation.regression import estimate_regression
from lsakit.estimation.results import Estimates
from lsakit.estimation.survey_design import SurveyDesign

N_WEIGHTS = 9


def every(
    result: Estimates, table: pl.DataFrame, formula: Callable, *, statistics: int, rel: float, group: int = 0
) -> None:
    """Compare the first statistics of a group with a formula of (rows, m, weights)."""
    weights = table.select("W", *(f"R{r}" for r in range(1, N_WEIGHTS))).to_numpy()
    per_group = (
        result.table.height // max(len(result.table.select(result.by).unique()), 1) if result.by else 0
    )
    first = group * per_group
    ours = result.replicate_estimates[first : first + statistics]
    for m in range(result.n_plausible_values):
        for r in range(N_WEIGHTS):
            expected = np.asarray(formula(table, m + 1, weights[:, r]), dtype=float)
            assert ours[:, m, r] == pytest.approx(expected, rel=rel, abs=rel)


def least_squares(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> np.ndarray:
    root = np.sqrt(w)[:, None]
    return np.linalg.lstsq(x * root, y * root[:, 0], rcond=None)[0]


def test_linear_regression_with_categories_and_an_interaction(survey, fay) -> None:
    def direct(table, m, w):
        f = (table["GENDER"] == "F").to_numpy().astype(float)
        books = table["BOOKS"].to_numpy()
        regions = [(table["REGION"] == k).to_numpy().astype(float) for k in ("a", "c")]
        x = np.column_stack([np.ones(w.size), books, f, books * f, *regions, books**2])
        y = table[f"PV{m}MATH"].to_numpy()
        b = least_squares(x, y, w)
        fitted = x @ b
        mean = (w @ y) / w.sum()
        r2 = 1 - (w @ (y - fitted) ** 2) / (w @ (y - mean) ** 2)
        sds = np.sqrt([(w @ (c - (w @ c) / w.sum()) ** 2) / w.sum() for c in x.T[1:]])
        beta = b[1:] * sds / np.sqrt((w @ (y - mean) ** 2) / w.sum())
        return [*b, *beta, r2, np.sqrt((w @ (y - fitted) ** 2) / w.sum())]

    formula = "PV{m}MATH ~ BOOKS*C(GENDER, ref=M) + C(REGION, ref=b) + BOOKS^2"
    result = estimate_regression(survey, formula, design=fay)
    assert result.table["statistic"].to_list()[:7] == [
        "(Intercept)",
        "BOOKS",
        "C(GENDER)[F]",
        "BOOKS:C(GENDER)[F]",
        "C(REGION)[a]",
        "C(REGION)[c]",
        "BOOKS^2",
    ]
    every(result, survey, direct, statistics=15, rel=1e-9)


def test_linear_regression_by_group_with_plausible_values_on_both_sides(survey, fay) -> None:
    def direct(table, m, w):
        own = (table["REGION"] == "b").to_numpy()
        x = np.column_stack([np.ones(own.sum()), table[f"PV{m}READ"].to_numpy()[own]])
        return least_squares(x, table[f"PV{m}MATH"].to_numpy()[own], w[own])

    result = estimate_regression(survey, "PV{m}MATH ~ PV{m}READ", by="REGION", design=fay)
    every(result, survey, direct, statistics=2, rel=1e-10, group=1)


def test_linear_regression_through_the_origin(survey, fay) -> None:
    def direct(table, m, w):
        x, y = table["BOOKS"].to_numpy()[:, None].astype(float), table[f"PV{m}MATH"].to_numpy()
        b = least_squares(x, y, w)
        return [*b, 1 - (w @ (y - x @ b) ** 2) / (w @ y**2)]

    for formula in ("PV{m}MATH ~ 0 + BOOKS", "PV{m}MATH ~ BOOKS - 1"):
        every(estimate_regression(survey, formula, design=fay), survey, direct, statistics=2, rel=1e-10)


def test_logistic_regression_maximizes_the_likelihood(survey, fay) -> None:
    def direct(table, m, w):
        x = np.column_stack([np.ones(w.size), table["BOOKS"].to_numpy(), (table["GENDER"] == "M").to_numpy()])
        y = (table[f"PV{m}MATH"] >= 520).to_numpy().astype(float)
        share = w / w.sum()

        def loss(b):
            eta = x @ b
            value = share @ (np.logaddexp(0, eta) - y * eta)
            return value, x.T @ (share * (1 / (1 + np.exp(-eta)) - y))

        return minimize(loss, np.zeros(3), jac=True, method="BFGS", options={"gtol": 1e-10}).x

    result = estimate_regression(
        survey, "PV{m}MATH >= 520 ~ BOOKS + C(GENDER)", design=fay, family="logistic"
    )
    every(result, survey, direct, statistics=3, rel=2e-6)  # BFGS ends 1e-7 from the maximum


def ordered_likelihood(
    x: np.ndarray, y: np.ndarray, w: np.ndarray, beta: np.ndarray, cuts: np.ndarray
) -> float:
    ends = np.concatenate([[-np.inf], cuts, [np.inf]])
    below = 1 / (1 + np.exp(-(ends[y + 1] - x @ beta)))
    return float((w / w.sum()) @ np.log(below - 1 / (1 + np.exp(-(ends[y] - x @ beta)))))


def test_ordered_regression_stands_at_a_maximum_of_the_likelihood(survey, fay) -> None:
    table = survey.with_columns(Q=pl.col("BOOKS").clip(1, 4), Z=(pl.col("PV1MATH") - 500) / 80)
    result = estimate_regression(table, "Q ~ Z + C(GENDER)", design=fay, family="ordered")
    x = np.column_stack([table["Z"].to_numpy(), (table["GENDER"] == "M").to_numpy()])
    y = table["Q"].to_numpy() - 1
    weights = table.select("W", *(f"R{r}" for r in range(1, N_WEIGHTS))).to_numpy()
    for r in range(N_WEIGHTS):
        solution = result.replicate_estimates[:5, 0, r]
        best = ordered_likelihood(x, y, weights[:, r], solution[:2], solution[2:])
        for k in range(5):
            for step in (-1e-4, 1e-4):
                moved = solution + step * (np.arange(5) == k)
                assert ordered_likelihood(x, y, weights[:, r], moved[:2], moved[2:]) < best
        slope = [
            ordered_likelihood(x, y, weights[:, r], *np.split(solution + 1e-5 * (np.arange(5) == k), [2]))
            - ordered_likelihood(x, y, weights[:, r], *np.split(solution - 1e-5 * (np.arange(5) == k), [2]))
            for k in range(5)
        ]
        assert np.abs(slope).max() < 1e-13  # a difference over 2e-5: the gradient is below 1e-8


def test_two_ordered_categories_are_a_logistic_model(survey, fay) -> None:
    table = survey.with_columns(Y=(pl.col("BOOKS") >= 3).cast(pl.Int64))
    logistic = estimate_regression(table, "Y ~ PV{m}MATH", design=fay, family="logistic")
    ordered = estimate_regression(table, "Y ~ PV{m}MATH", design=fay, family="ordered")
    assert logistic.table["statistic"].to_list()[:2] == ["(Intercept)", "PV{m}MATH"]
    assert ordered.table["statistic"].to_list()[:2] == ["PV{m}MATH", "threshold:1"]
    a, b = logistic.table["estimate"], ordered.table["estimate"]
    assert [a[1], -a[0]] == pytest.approx([b[0], b[1]], rel=1e-9)


def check_loss(x: np.ndarray, y: np.ndarray, w: np.ndarray, tau: float, b: np.ndarray) -> float:
    residual = y - x @ b
    return float((w * np.where(residual >= 0, tau, tau - 1)) @ residual)


@pytest.mark.parametrize("tau", [10, 50, 95])
def test_quantile_regression_reaches_the_optimum_of_the_linear_program(survey, fay, tau) -> None:
    result = estimate_quantile_regression(
        survey, "PV{m}MATH ~ BOOKS + C(GENDER)", [tau], by="REGION", design=fay
    )
    weights = survey.select("W", *(f"R{r}" for r in range(1, N_WEIGHTS))).to_numpy()
    own = (survey["REGION"] == "b").to_numpy()
    x = np.column_stack(
        [np.ones(own.sum()), survey["BOOKS"].to_numpy()[own], (survey["GENDER"] == "M").to_numpy()[own]]
    )
    n, p, share = own.sum(), 3, tau / 100
    for m in (1, 4):
        y = survey[f"PV{m}MATH"].to_numpy()[own]
        for r in range(N_WEIGHTS):
            w = weights[own, r] / weights[own, r].mean()
            cost = np.concatenate([np.zeros(p), share * w, (1 - share) * w])
            equal = np.hstack([x, np.eye(n), -np.eye(n)])
            bounds = [(None, None)] * p + [(0, None)] * (2 * n)
            best = linprog(cost, A_eq=equal, b_eq=y, bounds=bounds, method="highs").fun
            ours = result.replicate_estimates[3:6, m - 1, r]
            assert check_loss(x, y, w, share, ours) == pytest.approx(best, rel=1e-9)


def test_the_quantile_regression_on_nothing_is_a_percentile(survey, fay) -> None:
    """Only an intercept: the value at which the loss is least is the step percentile."""
    result = estimate_quantile_regression(survey, "PV{m}MATH ~ 1", [25], design=fay)

    def direct(table, m, w):
        order = np.argsort(table[f"PV{m}MATH"].to_numpy())
        cumulative = np.cumsum(w[order])
        return [table[f"PV{m}MATH"].to_numpy()[order][np.searchsorted(cumulative, 0.25 * cumulative[-1])]]

    every(result, survey, direct, statistics=1, rel=1e-12)


def test_correlations_by_the_formula(survey, fay) -> None:
    def direct(table, m, w):
        columns = [table[f"PV{m}MATH"], table[f"PV{m}READ"], table["BOOKS"]]
        c = np.cov(np.array([column.to_numpy() for column in columns]), aweights=w)
        d = np.sqrt(np.diag(c))
        return [c[0, 1] / d[0] / d[1], c[0, 2] / d[0] / d[2], c[1, 2] / d[1] / d[2]]

    result = estimate_correlations(survey, ["PV{m}MATH", "PV{m}READ", "BOOKS"], design=fay)
    assert result.table.select("variable_1", "variable_2").rows()[1] == ("PV{m}MATH", "BOOKS")
    every(result, survey, direct, statistics=3, rel=1e-11)


def test_correlations_take_the_rows_that_a_pair_has(survey, fay) -> None:
    missing = pl.when(pl.int_range(pl.len()) % 5 == 0).then(None).otherwise(pl.col("BOOKS")).alias("BOOKS")
    table = survey.with_columns(missing, X=pl.col("PV1READ") / 100)
    result = estimate_correlations(table, ["PV{m}MATH", "BOOKS", "X"], design=fay)
    kept = table.filter(pl.col("BOOKS").is_not_null())
    pair = estimate_correlations(kept, ["BOOKS", "X"], design=fay).table.row(0, named=True)
    row = result.table.filter(pl.col("variable_1") == "BOOKS").row(0, named=True)
    for name in ("estimate", "standard_error", "n"):
        assert row[name] == pytest.approx(pair[name], rel=1e-12)
    assert row["n"] == kept.height
    assert result.table.filter(pl.col("variable_1") != "BOOKS")["n"].to_list() == [kept.height, table.height]
    assert result.n_missing_values == table.height - kept.height


def pseudo_likelihood(table: pl.DataFrame, m: int, w: np.ndarray, theta: np.ndarray) -> float:
    """Weighted two-level log-likelihood by integrating over the school's effect on a grid."""
    beta, between, within = theta[:2], theta[2], theta[3]
    u = np.linspace(-9, 9, 4001) * np.sqrt(between)
    prior = np.exp(-0.5 * u**2 / between) / np.sqrt(2 * np.pi * between)
    total = 0.0
    for school in table["SCHOOL"].unique(maintain_order=True).to_list():
        own = (table["SCHOOL"] == school).to_numpy()
        level_1 = w[own] * own.sum() / w[own].sum()
        residual = table[f"PV{m}MATH"].to_numpy()[own] - beta[0] - beta[1] * table["BOOKS"].to_numpy()[own]
        log = -0.5 * level_1.sum() * np.log(2 * np.pi * within)
        exponent = -0.5 * (level_1[:, None] * (residual[:, None] - u[None, :]) ** 2).sum(axis=0) / within
        top = exponent.max()
        integral = np.trapezoid(np.exp(exponent - top) * prior, u)
        total += w[own].sum() / own.sum() * (log + top + np.log(integral))
    return total / w.sum()


def test_two_level_models_maximize_the_integrated_pseudo_likelihood(survey, fay) -> None:
    result = estimate_multilevel(survey, "PV{m}MATH ~ BOOKS", cluster="SCHOOL", design=fay)
    assert result.table["statistic"].to_list() == [
        "(Intercept)", "BOOKS", "variance_between", "variance_within", "icc"
    ]  # fmt: skip
    weights = survey.select("W", *(f"R{r}" for r in range(1, N_WEIGHTS))).to_numpy()
    for m, r in ((1, 0), (3, 2), (5, 8)):
        theta = result.replicate_estimates[:4, m - 1, r]
        best = pseudo_likelihood(survey, m, weights[:, r], theta)
        for k in range(4):
            size = 1e-3 * abs(theta[k])
            up, down = (
                pseudo_likelihood(survey, m, weights[:, r], theta + s * size * (np.arange(4) == k))
                for s in (-1, 1)
            )
            assert up < best
            assert down < best
            # The gradient is zero: what is left of the difference is of third order in a step of 0.1 %.
            assert abs(up - down) < 0.05 * (2 * best - up - down)
        icc = result.replicate_estimates[4, m - 1, r]
        assert icc == pytest.approx(theta[2] / (theta[2] + theta[3]), rel=1e-12)


def test_two_level_models_with_the_weight_of_the_school(survey, fay) -> None:
    """Students drawn with equal chances: the school's weight times a constant changes nothing but W_j."""
    constant = survey.with_columns(W=pl.col("W").mean().over("SCHOOL"))
    factors = [(pl.col(f"R{r}") / survey["W"] * constant["W"]).alias(f"R{r}") for r in range(1, N_WEIGHTS)]
    constant = constant.with_columns(factors).with_columns(SW=pl.col("W") * 0.7)
    free = estimate_multilevel(constant, "PV{m}MATH ~ BOOKS", cluster="SCHOOL", design=fay)
    named = estimate_multilevel(
        constant, "PV{m}MATH ~ BOOKS", cluster="SCHOOL", design=fay, cluster_weight="SW"
    )
    assert named.replicate_estimates == pytest.approx(free.replicate_estimates, rel=1e-9)
    tilted = constant.with_columns(SW=pl.when(pl.col("REGION") == "a").then(5.0).otherwise(1.0))
    other = estimate_multilevel(
        tilted, "PV{m}MATH ~ BOOKS", cluster="SCHOOL", design=fay, cluster_weight="SW"
    )
    assert abs(other.table["estimate"][0] - free.table["estimate"][0]) > 0.1


def test_variance_components_add_up_by_the_formula(survey, fay) -> None:
    def direct(table, m, w):
        y = table[f"PV{m}MATH"].to_numpy()
        mean = (w @ y) / w.sum()
        between = 0.0
        for school in table["SCHOOL"].unique().to_list():
            own = (table["SCHOOL"] == school).to_numpy()
            between += w[own].sum() * ((w[own] @ y[own]) / w[own].sum() - mean) ** 2
        total, between = (w @ (y - mean) ** 2) / w.sum(), between / w.sum()
        return [total, between, total - between, between / total]

    result = estimate_variance_components(survey, "PV{m}MATH", cluster="SCHOOL", design=fay)
    every(result, survey, direct, statistics=4, rel=1e-10)
    null = estimate_multilevel(survey, "PV{m}MATH ~ 1", cluster="SCHOOL", design=fay)
    assert result.replicate_estimates[4] == pytest.approx(null.replicate_estimates[3], rel=1e-10)


def test_a_statistic_of_ones_own_equals_the_built_in_one(survey, fay) -> None:
    def moments(x, w):
        mean = (w @ x) / w.sum()
        return {"mean": mean, "sd": np.sqrt((w @ (x - mean) ** 2) / w.sum())}

    own = estimate(survey, moments, "PV{m}MATH", by="REGION", design=fay, cluster="SCHOOL")
    built = estimate_means(survey, "PV{m}MATH", by="REGION", design=fay, cluster="SCHOOL")
    assert own.table.columns == built.table.columns
    for name in ("statistic", "n", "n_schools", "REGION"):
        assert own.table[name].to_list() == built.table[name].to_list()
    for name in ("estimate", "standard_error", "degrees_of_freedom"):
        assert own.table[name].to_list() == pytest.approx(built.table[name].to_list(), rel=1e-9)


def test_replicates_from_zones_go_through_every_model(survey) -> None:
    """A jackknife drops half a zone: weights of zero must neither break a fit nor count."""
    design = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2_both")
    first, second = [], []
    for zone in range(12):
        inside = (survey["ZONE"] == zone).to_numpy()
        for half, found in ((1, first), (0, second)):
            doubled = (survey["HALF"] == half).to_numpy()
            found.append(survey["W"].to_numpy() * np.where(inside, np.where(doubled, 2.0, 0.0), 1.0))
    stored = survey.with_columns([pl.Series(f"J{r}", c) for r, c in enumerate(first + second, start=1)])
    given = SurveyDesign(weight="W", replicates="J{r}", n_replicates=24, method="jk2_both")
    for call in (
        lambda d: estimate_regression(stored, "PV{m}MATH ~ BOOKS", design=d),
        lambda d: estimate_regression(stored, "PV{m}MATH > 500 ~ BOOKS", design=d, family="logistic"),
        lambda d: estimate_quantile_regression(stored, "PV{m}MATH ~ BOOKS", [50], design=d),
        lambda d: estimate_multilevel(stored, "PV{m}MATH ~ BOOKS", cluster="SCHOOL", design=d),
        lambda d: estimate_correlations(stored, ["PV{m}MATH", "BOOKS"], design=d),
    ):
        a, b = call(design), call(given)
        assert np.isfinite(a.replicate_estimates).all()
        assert a.replicate_estimates == pytest.approx(b.replicate_estimates, rel=1e-8)
