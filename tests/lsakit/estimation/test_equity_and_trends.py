"""Gradients, risks, resilience, decompositions, trends and effect sizes against the formulas written out."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from lsakit.errors import EstimationError
from lsakit.estimation.combine import combine
from lsakit.estimation.comparisons import compare
from lsakit.estimation.decomposition import estimate_decomposition
from lsakit.estimation.effect_sizes import design_effects, effect_sizes
from lsakit.estimation.equity import estimate_gradient, estimate_relative_risk, estimate_resilience
from lsakit.estimation.means import estimate_means
from lsakit.estimation.proportions import estimate_levels
from lsakit.estimation.quantile_groups import quantile_groups
from lsakit.estimation.regression import estimate_regression
from lsakit.estimation.trends import trend

N_WEIGHTS = 9


@pytest.fixture(scope="module")
def rich(survey: pl.DataFrame) -> pl.DataFrame:
    rng = np.random.default_rng(12)
    status = 0.01 * (survey["PV1MATH"].to_numpy() - 500) + rng.normal(0, 1, survey.height)
    return survey.with_columns(ESCS=pl.Series(status))


def weights_of(table: pl.DataFrame) -> np.ndarray:
    return table.select("W", *(f"R{r}" for r in range(1, N_WEIGHTS))).to_numpy()


def values(result, statistic: str) -> dict:
    return result.table.filter(pl.col("statistic") == statistic).row(0, named=True)


def test_the_gradient_is_the_regression_on_the_index(rich, fay) -> None:
    gradient = estimate_gradient(rich, "PV{m}MATH", "ESCS", by="REGION", design=fay)
    whole = estimate_regression(rich, "PV{m}MATH ~ ESCS", by="REGION", design=fay)
    assert gradient.table["statistic"].to_list() == ["level", "slope", "strength"] * 3
    for name, source in (("level", "(Intercept)"), ("slope", "ESCS"), ("strength", "r_squared")):
        own = gradient.table.filter(pl.col("statistic") == name)
        other = whole.table.filter(pl.col("statistic") == source)
        assert own["estimate"].to_list() == other["estimate"].to_list()
        assert own["standard_error"].to_list() == other["standard_error"].to_list()
    gap = compare(gradient, "REGION").table.filter(pl.col("statistic") == "slope")
    assert gap.height == 3
    slopes = gradient.table.filter(pl.col("statistic") == "slope")["estimate"]
    assert gap["estimate"][0] == pytest.approx(slopes[0] - slopes[1], rel=1e-9)


def test_relative_risk_by_the_formula(rich, fay) -> None:
    result = estimate_relative_risk(rich, "PV{m}MATH < 470", "GENDER == 'F'", by="REGION", design=fay)
    w = weights_of(rich)
    own = (rich["REGION"] == "b").to_numpy()
    exposed = (rich["GENDER"] == "F").to_numpy()
    for m in range(1, 6):
        low = (rich[f"PV{m}MATH"] < 470).to_numpy()
        for r in range(N_WEIGHTS):
            v = w[:, r]
            a, b = v[own & exposed & low].sum(), v[own & exposed & ~low].sum()
            c, d = v[own & ~exposed & low].sum(), v[own & ~exposed & ~low].sum()
            p, q, share = a / (a + b), c / (c + d), (a + b) / (a + b + c + d)
            lost = 1 - q / (share * p + (1 - share) * q)
            expected = [p, q, p / q, a * d / (b * c), p - q, lost]
            assert result.replicate_estimates[6:12, m - 1, r] == pytest.approx(expected, rel=1e-10)


def test_resilience_by_the_formula(rich, fay) -> None:
    """Lowest quarter of the index, highest of the scores, both bounds under the weight at hand."""

    def bound(x: np.ndarray, w: np.ndarray, p: float) -> float:
        order = np.argsort(x)
        return float(x[order][np.searchsorted(np.cumsum(w[order]), p * w.sum() * (1 - 1e-12))])

    national = estimate_resilience(rich, "PV{m}MATH", "ESCS", design=fay)
    fixed = estimate_resilience(rich, "PV{m}MATH", "ESCS", cut=480.0, design=fay)
    w, status = weights_of(rich), rich["ESCS"].to_numpy()
    for m in range(1, 6):
        score = rich[f"PV{m}MATH"].to_numpy()
        for r in range(N_WEIGHTS):
            v = w[:, r]
            poor = status <= bound(status, v, 0.25)
            well = score > bound(score, v, 0.75)
            share = v[poor & well].sum() / v[poor].sum()
            assert national.replicate_estimates[0, m - 1, r] == pytest.approx(share, rel=1e-10)
            share = v[poor & (score >= 480.0)].sum() / v[poor].sum()
            assert fixed.replicate_estimates[0, m - 1, r] == pytest.approx(share, rel=1e-10)


@pytest.mark.parametrize(("reference", "share"), [("average", 0.5), ("first", 1.0), ("second", 0.0)])
def test_decomposition_by_the_formula(rich, fay, reference, share) -> None:
    result = estimate_decomposition(
        rich, "PV{m}MATH ~ ESCS + BOOKS", "GENDER", design=fay, reference=reference
    )
    w = weights_of(rich)
    for m in (1, 5):
        for r in range(N_WEIGHTS):
            means, slopes, y = [], [], []
            for gender in ("F", "M"):
                own = (rich["GENDER"] == gender).to_numpy()
                x = np.column_stack([np.ones(own.sum()), rich.filter(own).select("ESCS", "BOOKS").to_numpy()])
                root = np.sqrt(w[own, r])[:, None]
                target = rich[f"PV{m}MATH"].to_numpy()[own]
                slopes.append(np.linalg.lstsq(x * root, target * root[:, 0], rcond=None)[0])
                means.append((w[own, r] @ x) / w[own, r].sum())
                y.append((w[own, r] @ target) / w[own, r].sum())
            worth = share * slopes[0] + (1 - share) * slopes[1]
            explained = (means[0] - means[1]) * worth
            found = result.replicate_estimates[:, m - 1, r]
            assert found[0] == pytest.approx(y[0] - y[1], abs=1e-9)
            assert found[1] == pytest.approx(explained.sum(), abs=1e-9)
            assert found[3:5] == pytest.approx(explained[1:], abs=1e-9)
            assert found[1] + found[2] == pytest.approx(found[0], abs=1e-9)
            assert found[5:].sum() == pytest.approx(found[2], abs=1e-9)


def test_quarters_hold_a_quarter_each_and_ties_stay_together_or_are_split(rich, fay) -> None:
    quarters = quantile_groups(rich, "ESCS", by="REGION", design=fay)
    w = rich["W"].to_numpy()
    for region in "abc":
        own = (rich["REGION"] == region).to_numpy()
        shares = [w[own & (quarters == k)].sum() / w[own].sum() for k in (1, 2, 3, 4)]
        # One student may straddle a bound: at most the largest weight over the sum.
        assert np.abs(np.array(shares) - 0.25).max() <= w[own].max() / w[own].sum()
        highest = [rich["ESCS"].to_numpy()[own & (quarters == k)].max() for k in (1, 2, 3)]
        lowest = [rich["ESCS"].to_numpy()[own & (quarters == k)].min() for k in (2, 3, 4)]
        assert (np.array(highest) < np.array(lowest)).all()
    together = quantile_groups(rich, "BOOKS", design=fay)
    for value in range(1, 6):
        assert len(set(together[(rich["BOOKS"] == value).to_numpy()].tolist())) == 1
    split = quantile_groups(rich, "BOOKS", design=fay, rng=np.random.default_rng(1))
    shares = [w[split == k].sum() / w.sum() for k in (1, 2, 3, 4)]
    assert np.abs(np.array(shares) - 0.25).max() <= w.max() / w.sum()
    same = quantile_groups(rich, "BOOKS", design=fay, rng=np.random.default_rng(1))
    assert (split == same).all()
    missing = rich.with_columns(pl.when(pl.col("ESCS") > 0).then(pl.col("ESCS")))
    assert ((quantile_groups(missing, "ESCS", design=fay) == 0) == (rich["ESCS"] <= 0).to_numpy()).all()


def test_effect_size_by_the_formula_and_for_samples_drawn_apart(survey, fay) -> None:
    means = estimate_means(survey, "PV{m}MATH", by=["REGION", "GENDER"], design=fay)
    result = effect_sizes(means, "GENDER")
    grid = means.replicate_estimates
    assert result.table.select("REGION", "group", "reference").rows() == [
        ("a", "F", "M"), ("b", "F", "M"), ("c", "F", "M")
    ]  # fmt: skip
    for k in range(3):
        mean_f, sd_f, mean_m, sd_m = grid[4 * k : 4 * k + 4]
        d = (mean_f - mean_m) / np.sqrt((sd_f**2 + sd_m**2) / 2)
        expected = combine(d[np.newaxis], fay)
        row = result.table.row(k, named=True)
        assert row["statistic"] == "effect_size"
        assert row["estimate"] == pytest.approx(expected.estimate[0], rel=1e-12)
        assert row["standard_error"] == pytest.approx(expected.standard_error[0], rel=1e-12)
    a = estimate_means(survey, "PV{m}MATH", by="REGION", design=fay)
    whole = effect_sizes(a, "REGION", kind="independent").table.row(0, named=True)
    m_a, s_a, m_b, s_b = a.replicate_estimates[:4]
    d_a = (m_a - m_b[:, :1]) / np.sqrt((s_a**2 + s_b[:, :1] ** 2) / 2)
    d_b = (m_a[:, :1] - m_b) / np.sqrt((s_a[:, :1] ** 2 + s_b**2) / 2)
    variance = sum(combine(d[np.newaxis], fay).standard_error[0] ** 2 for d in (d_a, d_b))
    assert whole["standard_error"] == pytest.approx(np.sqrt(variance), rel=1e-12)


def test_design_effects_of_means_and_shares(survey, fay) -> None:
    means = estimate_means(survey, "PV{m}MATH", by="REGION", design=fay)
    row = design_effects(means).row(0, named=True)
    sd = means.replicate_estimates[1, :, 0]
    simple = (sd**2).mean() / row["n"]
    assert row["simple_variance"] == pytest.approx(simple, rel=1e-12)
    assert row["design_effect"] == pytest.approx(means.table["sampling_variance"][0] / simple, rel=1e-12)
    assert row["effective_n"] == pytest.approx(row["n"] / row["design_effect"], rel=1e-12)
    levels = estimate_levels(survey, "PV{m}MATH", cuts=[500.0], design=fay)
    row = design_effects(levels).row(1, named=True)
    p = values(levels, "level_1")["estimate"]
    assert row["statistic"] == "level_1"
    assert row["simple_variance"] == pytest.approx(p * (1 - p) / survey.height, rel=1e-12)


def test_trends_match_rows_and_treat_each_statistic_by_what_moves_it(survey, fay) -> None:
    later = survey.with_columns(pl.col("^PV.*$") + 7.0)
    old = estimate_means(survey, "PV{m}MATH", by="REGION", design=fay)
    new = estimate_means(later.filter(pl.col("REGION") != "c"), "PV{m}MATH", by="REGION", design=fay)
    result = trend([old, new], linking_error=2.0, cycles=[2022, 2025])
    assert result.n_unmatched == 2
    assert result.table.select("REGION", "statistic", "linking_error").rows() == [
        ("a", "mean", 2.0), ("a", "sd", 0.0), ("b", "mean", 2.0), ("b", "sd", 0.0)
    ]  # fmt: skip
    row = result.table.row(0, named=True)
    error = np.sqrt(old.standard_error[0] ** 2 + new.standard_error[0] ** 2)
    assert row["estimate"] == pytest.approx(7.0, rel=1e-9)
    assert row["standard_error_without_linking"] == pytest.approx(error, rel=1e-12)
    assert row["standard_error"] == pytest.approx(np.hypot(error, 2.0), rel=1e-12)
    gaps = [compare(part, "REGION") for part in (old, new)]
    gap = trend(gaps, linking_error=2.0).table
    assert gap["linking_error"].to_list() == [0.0, 0.0]
    assert gap["estimate"].to_list() == pytest.approx([0.0, 0.0], abs=1e-9)
    flagged = result.adjusted(level=0.05).table
    assert flagged["is_significant"].dtype == pl.Boolean


def test_shares_of_levels_need_a_linking_error_of_their_own(survey, fay) -> None:
    levels = estimate_levels(survey, "PV{m}MATH", cuts=[500.0], design=fay)
    with pytest.raises(EstimationError, match=r"'below_1' needs a linking error of its own"):
        trend([levels, levels], linking_error=2.0)
    assert trend([levels, levels]).table["linking_error"].to_list() == [0.0] * 3
    own = {"below_1": 0.01, "level_1": 0.01, "at_or_above_1": 0.01}
    assert trend([levels, levels], linking_error=own).table["linking_error"].to_list() == [0.01] * 3


def test_three_cycles_need_a_linking_error_per_pair(survey, fay) -> None:
    cycles = [estimate_means(survey, f"PV{m}MATH", design=fay) for m in (1, 2, 3)]
    with pytest.raises(EstimationError, match=r"One linking error 2.0 was given for 3 cycles"):
        trend(cycles, linking_error=2.0)
    errors = {(2018, 2022): 2.24, (2022, 2025): 1.0, (2018, 2025): {"mean": 3.0}}
    table = trend(cycles, linking_error=errors, cycles=[2018, 2022, 2025]).table
    means = table.filter(pl.col("statistic") == "mean")
    assert means.select("from_cycle", "to_cycle", "linking_error").rows() == [
        ("2018", "2022", 2.24), ("2018", "2025", 3.0), ("2022", "2025", 1.0)
    ]  # fmt: skip
    with pytest.raises(EstimationError, match=r"lack the pair \(2018, 2025\)"):
        trend(cycles, linking_error={(2018, 2022): 1.0, (2022, 2025): 1.0}, cycles=[2018, 2022, 2025])


def test_trends_refuse_what_they_cannot_subtract(survey, fay) -> None:
    means = estimate_means(survey, "PV{m}MATH", design=fay)
    grouped = estimate_means(survey, "PV{m}MATH", by="REGION", design=fay)
    with pytest.raises(EstimationError, match=r"of one kind, with the same break-downs"):
        trend([means, grouped])
    with pytest.raises(EstimationError, match=r"two or more results"):
        trend([means])
    with pytest.raises(EstimationError, match=r"a number of 0 or more. Got -1"):
        trend([means, means], linking_error=-1)
    with pytest.raises(EstimationError, match=r"no row in common"):
        trend([means, estimate_levels(survey, "PV{m}MATH", cuts=[1.0], design=fay)])


def test_equity_refuses_with_a_way_out(rich, fay) -> None:
    with pytest.raises(EstimationError, match=r"outcome of a risk is 0 or 1. Got 2. Write a condition"):
        estimate_relative_risk(
            rich.with_columns(B=pl.col("BOOKS").clip(0, 2)), "B", "GENDER == 'F'", design=fay
        )
    with pytest.raises(EstimationError, match=r"Nobody is exposed \(BOOKS > 9\)"):
        estimate_relative_risk(rich, "PV{m}MATH < 470", "BOOKS > 9", design=fay)
    with pytest.raises(EstimationError, match=r"has no category 'X'. It has: F, M"):
        estimate_relative_risk(rich, "PV{m}MATH < 470", "GENDER == 'X'", design=fay)
    with pytest.raises(EstimationError, match=r"'REGION' must have two values. It has 3"):
        estimate_decomposition(rich, "PV{m}MATH ~ ESCS", "REGION", design=fay)
    with pytest.raises(EstimationError, match=r"'reference' is one of first, second, average"):
        estimate_decomposition(rich, "PV{m}MATH ~ ESCS", "GENDER", design=fay, reference="pooled")
    with pytest.raises(EstimationError, match=r"cut from one column"):
        quantile_groups(rich, "PV{m}MATH", design=fay)
    with pytest.raises(EstimationError, match=r"no means with their standard deviations"):
        effect_sizes(estimate_levels(rich, "PV{m}MATH", cuts=[1.0], by="GENDER", design=fay), "GENDER")
