"""Laws that models, correlations, risks and trends keep for all inputs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsakit.estimation.correlations import estimate_correlations
from lsakit.estimation.cross_tables import estimate_cross_table
from lsakit.estimation.decomposition import estimate_decomposition
from lsakit.estimation.equity import estimate_relative_risk, estimate_resilience
from lsakit.estimation.means import estimate_means
from lsakit.estimation.multilevel import estimate_multilevel, estimate_variance_components
from lsakit.estimation.own_statistics import estimate
from lsakit.estimation.proportions import estimate_proportions
from lsakit.estimation.quantile_regression import estimate_quantile_regression
from lsakit.estimation.regression import estimate_regression
from lsakit.estimation.results import Estimates
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.estimation.trends import trend

N_REPLICATES, N_VALUES, N_SCHOOLS = 6, 3, 8
FAY = SurveyDesign(weight="W", replicates="R{r}", n_replicates=N_REPLICATES, method="fay", fay_factor=0.5)
Y = "PV{m}X"
EASY = settings(max_examples=12, deadline=None)


@st.composite
def surveys(draw: st.DrawFn) -> pl.DataFrame:
    """Draw a survey of 80 to 160 students in eight schools, far from separation and from constant groups."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(80, 160))
    weight = rng.uniform(0.5, 30.0, n)
    school = np.arange(n) % N_SCHOOLS
    factors = rng.choice([0.5, 1.5], (N_SCHOOLS, N_REPLICATES))
    status = rng.normal(0, 1, n)
    ability = 500 + 20 * status + rng.normal(0, 30, N_SCHOOLS)[school] + rng.normal(0, 80, n)
    columns = {
        "W": weight,
        "G": rng.permutation(np.arange(n) % 2),
        "I": np.arange(n),
        "S": school,
        "Z": status,
    }
    columns |= {f"R{r + 1}": weight * factors[school, r] for r in range(N_REPLICATES)}
    columns |= {f"PV{m + 1}X": ability + rng.normal(0, 30, n) for m in range(N_VALUES)}
    return pl.DataFrame(columns)


def mean_of(x: np.ndarray, w: np.ndarray) -> float:
    return float((w @ x) / w.sum())


CALLS: dict[str, Callable[[pl.DataFrame], Estimates]] = {
    "linear": lambda t: estimate_regression(t, f"{Y} ~ Z + C(G)", design=FAY),
    "linear by": lambda t: estimate_regression(t, f"{Y} ~ Z", by="G", design=FAY),
    "logistic": lambda t: estimate_regression(t, f"{Y} > 500 ~ Z + C(G)", design=FAY, family="logistic"),
    "quantiles": lambda t: estimate_quantile_regression(t, f"{Y} ~ Z", [20, 50], design=FAY),
    "correlations": lambda t: estimate_correlations(t, [Y, "Z"], by="G", design=FAY),
    "multilevel": lambda t: estimate_multilevel(t, f"{Y} ~ Z", cluster="S", design=FAY),
    "random slopes": lambda t: estimate_multilevel(t, f"{Y} ~ Z + G", cluster="S", design=FAY, slopes=["G"]),
    "restricted": lambda t: estimate_multilevel(t, f"{Y} ~ Z", cluster="S", design=FAY, method="reml"),
    "shares": lambda t: estimate_proportions(t, "S", by="G", design=FAY),
    "components": lambda t: estimate_variance_components(t, Y, cluster="S", design=FAY),
    "risk": lambda t: estimate_relative_risk(t, f"{Y} < 520", "Z < 0", design=FAY),
    "resilience": lambda t: estimate_resilience(t, Y, "Z", design=FAY),
    "decomposition": lambda t: estimate_decomposition(t, f"{Y} ~ Z", "G", design=FAY),
    "own": lambda t: estimate(t, mean_of, Y, by="G", design=FAY),
}


def same(a: Estimates, b: Estimates, rel: float = 1e-7) -> None:
    assert a.table["statistic"].to_list() == b.table["statistic"].to_list()
    size = np.abs(a.table["estimate"].to_numpy()) + a.standard_error
    for first, second in (
        (a.table["estimate"].to_numpy(), b.table["estimate"].to_numpy()),
        (a.standard_error, b.standard_error),
    ):
        # a variance of zero is zero beside the largest figure of its model
        assert (np.abs(first - second) <= rel * (size + 1e-6 * max(np.nanmax(size), 1.0))).all()


@pytest.mark.parametrize("name", CALLS)
@given(table=surveys(), seed=st.integers(0, 1000))
@EASY
def test_the_order_of_rows_does_not_matter(name: str, table: pl.DataFrame, seed: int) -> None:
    # random slopes end where the gradient is small, so small variances keep fewer digits
    rel = 1e-5 if name == "random slopes" else 1e-7
    same(CALLS[name](table), CALLS[name](table.sample(fraction=1.0, shuffle=True, seed=seed)), rel)


@pytest.mark.parametrize("name", CALLS)
@given(table=surveys(), factor=st.sampled_from([0.001, 3.0, 1e5]))
@EASY
def test_scaling_all_weights_changes_nothing(name: str, table: pl.DataFrame, factor: float) -> None:
    rel = 1e-5 if name == "random slopes" else 1e-7
    same(CALLS[name](table), CALLS[name](table.with_columns(pl.col("W", "^R.*$") * factor)), rel)


@pytest.mark.parametrize("name", CALLS)
@given(table=surveys(), order=st.permutations(range(1, N_VALUES + 1)))
@EASY
def test_the_order_of_plausible_values_does_not_matter(
    name: str, table: pl.DataFrame, order: list[int]
) -> None:
    renamed = table.rename({f"PV{m}X": f"PV{new}X" for m, new in enumerate(order, start=1)})
    same(CALLS[name](table), CALLS[name](renamed))


@pytest.mark.parametrize("name", CALLS)
@given(table=surveys())
@EASY
def test_replicates_equal_to_the_final_weight_give_no_sampling_variance(
    name: str, table: pl.DataFrame
) -> None:
    equal = table.with_columns([pl.col("W").alias(f"R{r + 1}") for r in range(N_REPLICATES)])
    result = CALLS[name](equal)
    # What is left is the squared distance between two solutions of one problem, each exact to about 1e-10.
    size = np.abs(result.table["estimate"].to_numpy()) + 1e-3
    rel = 1e-6 if name == "random slopes" else 1e-8  # the replicates begin their search elsewhere
    assert (np.sqrt(result.table["sampling_variance"].to_numpy()) <= rel * size).all()


@given(table=surveys(), shift=st.floats(-300, 300), factor=st.floats(0.1, 5))
@EASY
def test_moving_and_scaling_the_outcome_moves_and_scales_the_coefficients(
    table: pl.DataFrame, shift: float, factor: float
) -> None:
    moved = table.with_columns(pl.col("^PV.*$") * factor + shift)
    for name in ("linear", "quantiles", "multilevel"):
        before, after = CALLS[name](table), CALLS[name](moved)
        for row, new in zip(
            before.table.iter_rows(named=True), after.table.iter_rows(named=True), strict=True
        ):
            statistic = row["statistic"]
            if statistic.startswith("beta") or statistic in ("r_squared", "icc"):
                size, lift = 1.0, 0.0
            elif statistic.startswith("variance"):
                size, lift = factor**2, 0.0
            else:
                size, lift = factor, shift if statistic.endswith("(Intercept)") else 0.0
            tolerance = 1e-6 * (abs(row["estimate"]) * size + abs(lift) + row["standard_error"] * size)
            assert abs(new["estimate"] - row["estimate"] * size - lift) <= tolerance
            assert abs(new["standard_error"] - row["standard_error"] * size) <= tolerance


@given(table=surveys(), shift=st.floats(-300, 300), factor=st.floats(0.1, 5))
@EASY
def test_correlations_and_the_icc_know_no_unit(table: pl.DataFrame, shift: float, factor: float) -> None:
    moved = table.with_columns(pl.col("^PV.*$") * factor + shift, Z=pl.col("Z") * factor - shift)
    same(CALLS["correlations"](table), CALLS["correlations"](moved))
    before, after = CALLS["components"](table), CALLS["components"](moved)
    for k in (3, 4):
        assert after.table["estimate"][k] == pytest.approx(before.table["estimate"][k], rel=1e-6, abs=1e-9)


@given(table=surveys())
@EASY
def test_exchanging_outcome_categories_turns_the_signs(table: pl.DataFrame) -> None:
    high = estimate_regression(table, f"{Y} > 500 ~ Z", design=FAY, family="logistic").table
    low = estimate_regression(table, f"{Y} <= 500 ~ Z", design=FAY, family="logistic").table
    assert low["estimate"][:2].to_list() == pytest.approx(
        (-high["estimate"][:2]).to_list(), rel=1e-7, abs=1e-9
    )
    assert low["standard_error"][:2].to_list() == pytest.approx(
        high["standard_error"][:2].to_list(), rel=1e-7
    )


@given(table=surveys())
@EASY
def test_exchanging_the_groups_turns_the_gap_and_its_parts(table: pl.DataFrame) -> None:
    before = CALLS["decomposition"](table).table
    after = CALLS["decomposition"](table.with_columns((1 - pl.col("G")).alias("G"))).table
    assert after["estimate"].to_list() == pytest.approx((-before["estimate"]).to_list(), rel=1e-7, abs=1e-7)
    gap, explained, unexplained = before["estimate"][:3]
    assert explained + unexplained == pytest.approx(gap, rel=1e-9, abs=1e-9)


@given(table=surveys())
@EASY
def test_turning_a_cross_table_turns_its_shares_and_keeps_its_test(table: pl.DataFrame) -> None:
    table = table.with_columns(Q=(pl.col("I") % 3))
    one, two = (estimate_cross_table(table, *pair, design=FAY) for pair in (("G", "Q"), ("Q", "G")))
    for column in ("pearson", "f", "df_1", "p_value"):
        assert one.tests[column][0] == pytest.approx(two.tests[column][0], rel=1e-6, nan_ok=True)
    shares = [t.table.filter(pl.col("statistic") == "share") for t in (one, two)]
    first = {(row["row"], row["column"]): row["estimate"] for row in shares[0].iter_rows(named=True)}
    second = {(row["column"], row["row"]): row["estimate"] for row in shares[1].iter_rows(named=True)}
    assert first == pytest.approx(second, rel=1e-12)


@given(table=surveys(), error=st.floats(0, 20))
@EASY
def test_trends_add_variances_and_turn_with_the_cycles(table: pl.DataFrame, error: float) -> None:
    old = estimate_means(table, Y, by="G", design=FAY)
    new = estimate_means(table.with_columns(pl.col("^PV.*$") + 10.0), Y, by="G", design=FAY)
    forth, back = trend([old, new], linking_error=error).table, trend([new, old], linking_error=error).table
    assert forth["estimate"].to_list() == pytest.approx((-back["estimate"]).to_list())
    assert forth["standard_error"].to_list() == pytest.approx(back["standard_error"].to_list())
    means = forth.filter(pl.col("statistic") == "mean")
    assert (means["standard_error"] >= error).all()
    expected = np.sqrt(means["standard_error_without_linking"].to_numpy() ** 2 + error**2)
    assert means["standard_error"].to_numpy() == pytest.approx(expected)
