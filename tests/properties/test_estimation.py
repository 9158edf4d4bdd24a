"""Laws that estimates keep for all inputs."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsakit.estimation.comparisons import compare
from lsakit.estimation.means import estimate_means
from lsakit.estimation.percentile_rules import COUNTING_RULES, RULES
from lsakit.estimation.percentiles import estimate_percentiles
from lsakit.estimation.proportions import estimate_levels
from lsakit.estimation.survey_design import SurveyDesign

N_REPLICATES, N_VALUES = 6, 3
FAY = SurveyDesign(weight="W", replicates="R{r}", n_replicates=N_REPLICATES, method="fay", fay_factor=0.5)
BRR = SurveyDesign(weight="W", replicates="R{r}", n_replicates=N_REPLICATES, method="brr")
FAY_ZERO = SurveyDesign(
    weight="W", replicates="R{r}", n_replicates=N_REPLICATES, method="fay", fay_factor=0.0
)
PATTERN = "PV{m}X"


@st.composite
def surveys(draw: st.DrawFn) -> pl.DataFrame:
    """Draw a survey of 6 to 60 students with positive weights."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(6, 60))
    weight = rng.uniform(0.5, 30.0, n)
    school = rng.integers(0, 4, n)
    factors = rng.choice([0.5, 1.5], (4, N_REPLICATES))
    ability = rng.normal(500, 90, n).round(draw(st.integers(-1, 3)))
    columns = {"W": weight, "G": np.arange(n) % 2, "I": np.arange(n)}
    columns |= {f"R{r + 1}": weight * factors[school, r] for r in range(N_REPLICATES)}
    columns |= {f"PV{m + 1}X": ability + rng.normal(0, 30, n).round(2) for m in range(N_VALUES)}
    return pl.DataFrame(columns)


def results(
    table: pl.DataFrame, design: SurveyDesign = FAY, rules: Iterable[str] = tuple(RULES)
) -> dict[str, np.ndarray]:
    """Estimates and standard errors of all statistics, each of shape (2, n_rows)."""
    everything = {
        "means": estimate_means(table, PATTERN, by="G", design=design),
        "levels": estimate_levels(table, PATTERN, cuts=[450.0, 550.0], by="G", design=design),
        **{
            rule: estimate_percentiles(table, PATTERN, [10, 50, 90], by="G", design=design, rule=rule)
            for rule in rules
        },
    }
    return {name: r.table.select("estimate", "standard_error").to_numpy().T for name, r in everything.items()}


def close(a: np.ndarray, b: np.ndarray) -> None:
    assert a == pytest.approx(b, rel=1e-8, abs=1e-8)


@given(surveys(), st.floats(-400, 400))
@settings(max_examples=20, deadline=None)
def test_adding_a_constant_shifts_locations_and_nothing_else(table: pl.DataFrame, shift: float) -> None:
    before, after = results(table), results(table.with_columns(pl.col("^PV.*$") + shift))
    is_mean = np.arange(4) % 2 == 0
    close(after["means"][0], before["means"][0] + np.where(is_mean, shift, 0.0))
    close(after["means"][1], before["means"][1])
    for rule in RULES:
        close(after[rule][0], before[rule][0] + shift)
        close(after[rule][1], before[rule][1])


@given(surveys(), st.floats(0.01, 50))
@settings(max_examples=20, deadline=None)
def test_scaling_the_values_scales_estimates_and_errors(table: pl.DataFrame, factor: float) -> None:
    before, after = results(table), results(table.with_columns(pl.col("^PV.*$") * factor))
    for name in ("means", *RULES):
        close(after[name], before[name] * factor)


@given(surveys(), st.sampled_from([0.001, 0.5, 3.0, 1e6]))
@settings(max_examples=20, deadline=None)
def test_scaling_all_weights_changes_nothing(table: pl.DataFrame, factor: float) -> None:
    rules = [
        rule for rule in RULES if rule not in COUNTING_RULES
    ]  # those take a weight for a number of students
    before = results(table, rules=rules)
    after = results(table.with_columns(pl.col("W", "^R.*$") * factor), rules=rules)
    for name, numbers in before.items():
        close(after[name], numbers)


@given(surveys(), st.permutations(range(1, N_VALUES + 1)))
@settings(max_examples=20, deadline=None)
def test_the_order_of_plausible_values_does_not_matter(table: pl.DataFrame, order: list[int]) -> None:
    renamed = table.rename({f"PV{m}X": f"PV{new}X" for m, new in enumerate(order, start=1)})
    before, after = results(table), results(renamed)
    for name, numbers in before.items():
        close(after[name], numbers)


@given(surveys(), st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_the_order_of_rows_does_not_matter(table: pl.DataFrame, seed: int) -> None:
    shuffled = table.sample(fraction=1.0, shuffle=True, seed=seed)
    before, after = results(table), results(shuffled)
    for name, numbers in before.items():
        close(after[name], numbers)


@given(surveys())
@settings(max_examples=20, deadline=None)
def test_replicates_equal_to_the_final_weight_give_no_sampling_variance(table: pl.DataFrame) -> None:
    same = table.with_columns([pl.col("W").alias(f"R{r + 1}") for r in range(N_REPLICATES)])
    for by in (None, "G"):
        for result in (
            estimate_means(same, PATTERN, by=by, design=FAY),
            estimate_percentiles(same, PATTERN, [25, 75], by=by, design=FAY),
            estimate_levels(same, PATTERN, cuts=[500.0], by=by, design=FAY),
        ):
            assert result.table["sampling_variance"].max() == 0.0
            expected = np.sqrt((1 + 1 / N_VALUES) * result.table["imputation_variance"].to_numpy())
            close(result.table["standard_error"].to_numpy(), expected)
    plain = estimate_means(same, "PV1X", design=FAY).table
    assert plain["standard_error"].to_list() == [0.0, 0.0]
    assert plain["degrees_of_freedom"].to_list() == [None, None]


@given(surveys())
@settings(max_examples=20, deadline=None)
def test_fay_with_factor_zero_is_plain_balanced_repeated_replication(table: pl.DataFrame) -> None:
    before, after = results(table, BRR), results(table, FAY_ZERO)
    for name, numbers in before.items():
        assert (after[name] == numbers).all()


@given(surveys())
@settings(max_examples=20, deadline=None)
def test_levels_add_up_and_gaps_are_antisymmetric(table: pl.DataFrame) -> None:
    levels = estimate_levels(table, PATTERN, cuts=[420.0, 480.0, 560.0], design=FAY).table
    shares = dict(levels.select("statistic", "estimate").rows())
    assert shares["below_1"] + shares["at_or_above_1"] == pytest.approx(1.0, abs=1e-12)
    assert shares["at_or_above_2"] == pytest.approx(shares["level_2"] + shares["level_3"], abs=1e-12)
    gap = compare(estimate_means(table, PATTERN, by="G", design=FAY), "G").table
    turned = compare(
        estimate_means(table.with_columns((1 - pl.col("G")).alias("G")), PATTERN, by="G", design=FAY), "G"
    ).table
    close(gap["estimate"].to_numpy(), -turned["estimate"].to_numpy())
    close(gap["standard_error"].to_numpy(), turned["standard_error"].to_numpy())


@given(surveys())
@settings(max_examples=20, deadline=None)
def test_percentiles_rise_and_the_rules_stay_near_each_other(table: pl.DataFrame) -> None:
    by_rule = {
        rule: estimate_percentiles(table, "PV1X", range(5, 100, 5), design=FAY, rule=rule) for rule in RULES
    }
    numbers = {rule: result.table["estimate"].to_numpy() for rule, result in by_rule.items()}
    for column in numbers.values():
        assert (np.diff(column) >= -1e-9).all()
    assert (numbers["rrepest"] >= numbers["step"]).all()
    assert set(numbers["step"]) <= set(table["PV1X"])
