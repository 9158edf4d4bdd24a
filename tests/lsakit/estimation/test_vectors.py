"""The numbered vectors TV-3.5 to TV-3.13 and TV-9.1 of the method specification."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from lsakit.errors import EstimationError
from lsakit.estimation.closed_forms import (
    benjamini_hochberg,
    composite_standard_error,
    element_and_composite_standard_error,
    part_and_whole_standard_error,
)
from lsakit.estimation.combine import (
    combine,
    combine_plausible_values,
    johnson_rust_degrees_of_freedom,
    replicate_variance,
)
from lsakit.estimation.comparisons import compare
from lsakit.estimation.means import estimate_means
from lsakit.estimation.percentiles import estimate_percentiles
from lsakit.estimation.results import Estimates
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.estimation.trends import trend

MEANS = np.array([48.0, 52.0, 60.0, 54.0, 45.0, 50.0, 47.0])
SIZES = np.array([10, 10, 12, 12, 9, 11, 8])
WEIGHTS = np.array([2.0, 2.0, 1.5, 1.5, 3.0, 3.0, 2.5])


def schools(count: int = 7) -> pl.DataFrame:
    """One row per school whose weight is students times weight; the mean is then that of the students."""
    return pl.DataFrame({"X": MEANS[:count], "W": SIZES[:count] * WEIGHTS[:count]})


def with_factors(table: pl.DataFrame, factors: np.ndarray) -> pl.DataFrame:
    """Add replicate weights: factor of each school (row) in each replicate (column)."""
    weight = table["W"].to_numpy()
    return table.with_columns(
        [pl.Series(f"R{r + 1}", weight * factors[:, r]) for r in range(factors.shape[1])]
    )


def mean_row(table: pl.DataFrame, design: SurveyDesign) -> tuple[float, float]:
    row = estimate_means(table, "X", design=design).table.row(0, named=True)
    return row["estimate"], row["standard_error"]


def test_tv_3_5_fay_with_a_triplet() -> None:
    hadamard = np.array([[1]])
    for _ in range(3):
        hadamard = np.block([[hadamard, hadamard], [hadamard, -hadamard]])
    k, root = 0.5, np.sqrt(2.0)
    factors = np.empty((7, 8))
    for r in range(8):
        s = hadamard[r, 1:4]
        pairs = [1 + k * s[0], 1 - k * s[0], 1 + k * s[1], 1 - k * s[1]]
        triplet = [1 + k * s[2] * root, 1 - k * s[2] / root, 1 - k * s[2] / root]
        factors[:, r] = [*pairs, *triplet]
    design = SurveyDesign(weight="W", replicates="R{r}", n_replicates=8, method="fay", fay_factor=0.5)
    result = estimate_means(with_factors(schools(), factors), "X", design=design)
    row = result.table.row(0, named=True)
    assert row["estimate"] == pytest.approx(50.365384615, abs=5e-10)
    assert row["sampling_variance"] == pytest.approx(1.654739617, abs=5e-10)
    # The root of the printed variance is 1.2863668283; the vector's last digit is one unit off its own square.
    assert row["standard_error"] == pytest.approx(1.286366829, abs=1e-9)
    replicates = sorted({round(float(x), 6) for x in result.replicate_estimates[0, 0, 1:]})
    assert replicates == [49.800157, 49.979238, 50.2393, 51.447166]


def test_tv_3_6_jackknife_by_one_half_and_by_both() -> None:
    table = schools(6).with_columns(ZONE=pl.Series([1, 1, 2, 2, 3, 3]), HALF=pl.Series([0, 1, 0, 1, 0, 1]))
    half = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    both = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2_both")
    assert mean_row(table, half)[0] == pytest.approx(50.860294118, abs=5e-10)
    assert mean_row(table, half)[1] == pytest.approx(1.346360433, abs=5e-10)
    assert mean_row(table, both)[1] == pytest.approx(1.376016510, abs=5e-10)
    replicates = estimate_means(table, "X", design=both).replicate_estimates[0, 0, 1:]
    expected = [51.448529, 50.066176, 51.774648, 50.272059, 51.654412, 49.861538]
    assert replicates == pytest.approx(expected, abs=5e-7)


def test_tv_3_7_jk1_and_jkn() -> None:
    table = schools(6)
    jk1 = np.where(np.eye(6) == 1, 0.0, 6 / 5)
    design = SurveyDesign(weight="W", replicates="R{r}", n_replicates=6, method="jk1")
    assert mean_row(with_factors(table, jk1), design)[1] == pytest.approx(1.965997576, abs=5e-10)
    strata = np.array([0, 0, 0, 1, 1, 1])
    same = strata[:, None] == strata[None, :]
    jkn = np.where(np.eye(6) == 1, 0.0, np.where(same, 1.5, 1.0))
    rows = with_factors(table, jkn)

    def jkn_error(coefficients: tuple[float, ...]) -> float:
        given = SurveyDesign(
            weight="W", replicates="R{r}", n_replicates=6, method="jkn", coefficients=coefficients
        )
        return mean_row(rows, given)[1]

    assert jkn_error((2 / 3,) * 6) == pytest.approx(1.954951827, abs=5e-10)
    corrected = (0.9 * 2 / 3,) * 3 + (0.8 * 2 / 3,) * 3
    assert jkn_error(corrected) == pytest.approx(1.805492898, abs=5e-10)


def test_tv_3_8_plausible_values_combine_by_rubin() -> None:
    estimates, variances = [502.1, 503.4, 501.7, 502.9, 503.1], [9.6, 9.1, 9.9, 9.4, 9.5]
    result = combine_plausible_values(estimates, variances)
    assert result.estimate[0] == pytest.approx(502.64)
    assert result.sampling_variance[0] == pytest.approx(9.5)
    assert result.imputation_variance[0] == pytest.approx(0.508)
    assert result.standard_error[0] == pytest.approx(3.1795597, abs=5e-8)
    assert result.degrees_of_freedom[0] == pytest.approx(1100.115, abs=5e-4)
    assert 1.2 * 0.508 / result.standard_error[0] ** 2 == pytest.approx(0.0602991, abs=5e-8)


def test_tv_3_8_old_timss_takes_the_variance_of_the_first_plausible_value() -> None:
    full = np.array([502.1, 503.4, 501.7, 502.9, 503.1])
    deviations = np.sqrt([9.6, 9.1, 9.9, 9.4, 9.5])
    grid = np.stack([full, full + deviations], axis=1)[np.newaxis]
    design = {"weight": "W", "zone": "Z", "half": "H", "method": "jk2"}
    old = combine(grid, SurveyDesign(**design, sampling_variance="first_pv"))
    new = combine(grid, SurveyDesign(**design))
    assert old.standard_error[0] == pytest.approx(3.1952465, abs=5e-8)
    assert new.standard_error[0] == pytest.approx(3.1795597, abs=5e-8)


def test_tv_3_9_johnson_rust() -> None:
    deviations = np.array([1.2, -0.8, 0.5, 2.1, -1.4, 0.3, 0.9, -0.6])
    assert johnson_rust_degrees_of_freedom(deviations) == pytest.approx(8.1235889, abs=5e-8)
    raw = (deviations**2).sum() ** 2 / (deviations**4).sum()
    assert raw == pytest.approx(3.7252940, abs=5e-8)
    grid = np.concatenate([[0.0], deviations]).reshape(1, 1, 9)
    design = SurveyDesign(weight="W", zone="Z", half="H", method="jk2")
    assert combine(grid, design).degrees_of_freedom[0] == pytest.approx(8.1235889, abs=5e-8)
    mirrored = np.concatenate([[0.0], deviations, -deviations]).reshape(1, 1, 17)
    both = SurveyDesign(weight="W", zone="Z", half="H", method="jk2_both")
    assert combine(mirrored, both).degrees_of_freedom[0] == pytest.approx(8.1235889, abs=5e-8)


X = [400.0, 420.0, 450.0, 470.0, 500.0, 520.0, 560.0, 600.0]
W = [10.0, 20.0, 30.0, 10.0, 20.0, 40.0, 10.0, 20.0]


@pytest.mark.parametrize(
    ("rule", "percentiles", "expected"),
    [
        ("step", [10, 25, 50, 75, 90], [420, 450, 500, 520, 600]),
        ("rrepest", [10, 25, 50, 75, 90], [420, 450, 500, 520, 600]),
        ("midpoint", [10, 25, 50, 75, 90], [414.6667, 444.0, 500.0, 536.0, 584.0]),
        ("step", [37.5], [450]),
        ("rrepest", [37.5], [470]),
    ],
)
def test_tv_3_10_percentile_rules(rule: str, percentiles: list[float], expected: list[float]) -> None:
    table = pl.DataFrame({"X": X, "W": W, "Z": [1, 1, 2, 2, 3, 3, 4, 4], "H": [0, 1] * 4})
    design = SurveyDesign(weight="W", zone="Z", half="H", method="jk2")
    result = estimate_percentiles(table, "X", percentiles, design=design, rule=rule)
    assert result.table["estimate"].to_list() == pytest.approx(expected, abs=5e-5)


def gap_estimates() -> Estimates:
    replicates = np.array([[[500.0, 503, 498, 501, 499]], [[490.0, 491, 489, 492, 488]]])
    return Estimates(
        table=pl.DataFrame({"GENDER": ["a", "b"], "statistic": ["mean", "mean"]}),
        by=("GENDER",),
        values="X",
        design=SurveyDesign(weight="W", zone="Z", half="H", method="jk2"),
        replicate_estimates=replicates,
    )


def test_tv_3_11_dependent_difference_includes_the_covariance() -> None:
    dependent = compare(gap_estimates(), "GENDER", kind="dependent").table.row(0, named=True)
    independent = compare(gap_estimates(), "GENDER", kind="independent").table.row(0, named=True)
    assert dependent["estimate"] == independent["estimate"] == 10.0
    assert dependent["standard_error"] == pytest.approx(2.6457513, abs=5e-8)
    assert independent["standard_error"] == pytest.approx(5.0)
    covariance = (independent["standard_error"] ** 2 - dependent["standard_error"] ** 2) / 2
    assert covariance == pytest.approx(9.0)


def test_tv_3_11_composite_and_its_element() -> None:
    errors = [3.1, 2.6, 4.0]
    assert composite_standard_error(errors) == pytest.approx(1.8964880, abs=5e-8)
    assert element_and_composite_standard_error(errors, 0) == pytest.approx(2.6076810, abs=5e-8)
    with pytest.raises(EstimationError, match="no element 3 among 3"):
        element_and_composite_standard_error(errors, 3)
    with pytest.raises(EstimationError, match="at least one element"):
        composite_standard_error([])


def stated(estimate: float, error: float) -> Estimates:
    """One estimate with a stated error and no limit of its degrees of freedom."""
    numbers = {"estimate": [estimate], "standard_error": [error], "degrees_of_freedom": [None]}
    return Estimates(
        table=pl.DataFrame(
            {"statistic": ["mean"]} | numbers, schema_overrides={"degrees_of_freedom": pl.Float64}
        ),
        by=(),
        values="X",
        design=SurveyDesign(weight="W", zone="Z", half="H", method="jk2"),
        replicate_estimates=np.zeros((1, 1, 3)),
    )


def test_tv_3_12_trend_with_and_without_linking_error() -> None:
    cycles = [stated(495.0, 3.4), stated(487.0, 3.1)]
    row = trend(cycles, linking_error=2.24).table.row(0, named=True)
    assert row["estimate"] == -8.0
    assert row["standard_error"] == pytest.approx(5.1173821, abs=5e-8)
    assert row["t"] == pytest.approx(-1.563299, abs=5e-7)
    assert row["p_value"] == pytest.approx(0.11798, abs=5e-6)
    bare = trend(cycles).table.row(0, named=True)
    assert bare["t"] == pytest.approx(-1.738720, abs=5e-7)
    assert bare["p_value"] == pytest.approx(0.08208, abs=5e-6)
    assert row["standard_error_without_linking"] == bare["standard_error"]


def test_tv_3_13_false_discovery_rate_rejects_three() -> None:
    p = [0.001, 0.008, 0.012, 0.041, 0.045, 0.2, 0.6]
    assert benjamini_hochberg(p).tolist() == [True] * 3 + [False] * 4
    assert benjamini_hochberg(p[::-1]).tolist() == [False] * 4 + [True] * 3
    assert not benjamini_hochberg([0.5, 0.9]).any()
    with pytest.raises(EstimationError, match="p-values lie from 0 to 1"):
        benjamini_hochberg([1.2])


def test_tv_9_1_part_and_whole() -> None:
    assert part_and_whole_standard_error(0.08, 6.0, 2.1) == pytest.approx(5.8483, abs=5e-5)
    assert np.hypot(6.0, 2.0) == pytest.approx(6.3246, abs=5e-5)
    with pytest.raises(EstimationError, match="'share' lies from 0 to 1"):
        part_and_whole_standard_error(1.2, 6.0, 2.1)


def test_replicate_variance_centres_on_the_full_sample() -> None:
    assert replicate_variance(500.0, [501.0, 503.0], [1.0, 1.0]) == 10.0
    with pytest.raises(EstimationError, match="2 replicate estimates and 1 coefficients"):
        replicate_variance(500.0, [501.0, 503.0], [1.0])
    with pytest.raises(EstimationError, match="not finite"):
        replicate_variance(500.0, [501.0, np.nan], [1.0, 1.0])
