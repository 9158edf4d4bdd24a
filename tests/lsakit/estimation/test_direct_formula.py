"""Cells, scans and sums give the numbers of the direct formula to 1e-12."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from lsakit.estimation.comparisons import compare
from lsakit.estimation.means import estimate_means
from lsakit.estimation.percentiles import estimate_percentiles
from lsakit.estimation.proportions import estimate_levels, estimate_proportions
from lsakit.estimation.replication import prepare
from lsakit.estimation.survey_design import SurveyDesign

PVS = [f"PV{m}MATH" for m in range(1, 6)]


def mean(x: np.ndarray, w: np.ndarray) -> float:
    return 500.0 + float(((x - 500.0) * w).sum() / w.sum())


def sd(x: np.ndarray, w: np.ndarray) -> float:
    return float(np.sqrt((w * (x - mean(x, w)) ** 2).sum() / w.sum()))


def share(low: float, high: float):
    return lambda x, w: float(w[(x >= low) & (x < high)].sum() / w.sum())


def step(p: float):
    def percentile(x: np.ndarray, w: np.ndarray) -> float:
        order = np.argsort(x)
        cumulative = np.cumsum(w[order])
        return float(x[order][np.flatnonzero(cumulative >= p * cumulative[-1] * (1 - 1e-12))[0]])

    return percentile


def agrees(row: dict, expected: tuple[float, float]) -> None:
    assert row["estimate"] == pytest.approx(expected[0], rel=1e-12)
    assert row["standard_error"] == pytest.approx(expected[1], rel=1e-11)


@pytest.mark.parametrize("sampling_variance", ["all", "first_pv"])
def test_means_and_sds_by_group(survey, fay, direct, sampling_variance) -> None:
    design = SurveyDesign(
        weight="W",
        replicates="R{r}",
        n_replicates=8,
        method="fay",
        fay_factor=0.5,
        sampling_variance=sampling_variance,
    )
    formula = direct(survey, design, PVS)
    result = estimate_means(survey, "PV{m}MATH", by=["REGION", "GENDER"], design=design, cluster="SCHOOL")
    assert result.table.height == 12
    for row in result.table.iter_rows(named=True):
        own = ((survey["REGION"] == row["REGION"]) & (survey["GENDER"] == row["GENDER"])).to_numpy()
        agrees(row, formula({"mean": mean, "sd": sd}[row["statistic"]], own))
        assert row["n"] == own.sum()
        assert row["n_schools"] == survey.filter(own)["SCHOOL"].n_unique()


def test_percentiles_by_group(survey, fay, direct) -> None:
    formula = direct(survey, fay, PVS)
    result = estimate_percentiles(survey, "PV{m}MATH", [5, 50, 97.5], by="REGION", design=fay)
    names = {"p05": 0.05, "p50": 0.5, "p97.5": 0.975}
    for row in result.table.iter_rows(named=True):
        own = (survey["REGION"] == row["REGION"]).to_numpy()
        agrees(row, formula(step(names[row["statistic"]]), own))


def test_levels(survey, fay, direct) -> None:
    formula = direct(survey, fay, PVS)
    result = estimate_levels(survey, "PV{m}MATH", cuts=[420.0, 480.0, 550.0], design=fay)
    bounds = {
        "below_1": (-np.inf, 420.0),
        "level_1": (420.0, 480.0),
        "level_2": (480.0, 550.0),
        "level_3": (550.0, np.inf),
        "at_or_above_1": (420.0, np.inf),
        "at_or_above_2": (480.0, np.inf),
        "at_or_above_3": (550.0, np.inf),
    }
    assert result.table["statistic"].to_list() == list(bounds)
    for row in result.table.iter_rows(named=True):
        agrees(row, formula(share(*bounds[row["statistic"]]), slice(None)))


def test_proportions_without_plausible_values(survey, fay, direct) -> None:
    formula = direct(survey, fay, ["BOOKS"])
    result = estimate_proportions(survey, "BOOKS", by="GENDER", design=fay)
    for row in result.table.iter_rows(named=True):
        own = (survey["GENDER"] == row["GENDER"]).to_numpy()
        value = float(row["category"])
        agrees(row, formula(share(value, value + 1), own))
        assert row["imputation_variance"] == 0.0


def test_dependent_gap_is_taken_inside_each_replicate_and_plausible_value(survey, fay, direct) -> None:
    girls = (survey["GENDER"] == "F").to_numpy()
    formula = direct(survey, fay, PVS)
    gap = formula(lambda x, w: mean(x[girls], w[girls]) - mean(x[~girls], w[~girls]), slice(None))
    result = compare(estimate_means(survey, "PV{m}MATH", by="GENDER", design=fay), "GENDER")
    row = result.table.row(0, named=True)
    assert (row["group"], row["reference"], row["statistic"]) == ("F", "M", "mean")
    agrees(row, gap)
    assert row["t"] == pytest.approx(row["estimate"] / row["standard_error"])
    assert 0.0 < row["p_value"] < 1.0


def test_zones_give_the_numbers_of_the_replicates_they_stand_for(survey, direct) -> None:
    zones = survey["ZONE"].unique().sort().to_list()
    weight, zone, half = (survey[name].to_numpy() for name in ("W", "ZONE", "HALF"))
    first = [np.where(zone == z, 2 * half * weight, weight) for z in zones]
    second = [np.where(zone == z, 2 * (1 - half) * weight, weight) for z in zones]
    for method, stored in (("jk2", first), ("jk2_both", first + second)):
        columns = [pl.Series(f"J{r}", column) for r, column in enumerate(stored, start=1)]
        derived = SurveyDesign(weight="W", zone="ZONE", half="HALF", method=method)
        given = SurveyDesign(weight="W", replicates="J{r}", n_replicates=len(stored), method=method)
        table = survey.with_columns(columns)
        for by in (None, "REGION"):
            a = estimate_means(table, "PV{m}MATH", by=by, design=derived)
            b = estimate_means(table, "PV{m}MATH", by=by, design=given)
            assert a.replicate_estimates == pytest.approx(b.replicate_estimates, rel=1e-13)
            assert a.table["standard_error"].to_list() == pytest.approx(
                b.table["standard_error"].to_list(), rel=1e-11
            )
            assert a.table["degrees_of_freedom"].to_list() == pytest.approx(
                b.table["degrees_of_freedom"].to_list(), rel=1e-9
            )


def test_weights_that_are_zero_in_the_sample_but_not_in_a_replicate_count_there(survey, fay, direct) -> None:
    weight = np.where(np.arange(survey.height) % 7 == 0, 0.0, survey["W"].to_numpy())
    table = survey.with_columns(W=pl.Series(weight))
    formula = direct(table, fay, PVS)
    for row in estimate_means(table, "PV{m}MATH", design=fay).table.iter_rows(named=True):
        agrees(row, formula({"mean": mean, "sd": sd}[row["statistic"]], slice(None)))
    row = estimate_percentiles(table, "PV{m}MATH", [50], design=fay).table.row(0, named=True)
    agrees(row, formula(step(0.5), slice(None)))


def test_replicates_unique_to_each_row_need_no_cells(survey, fay, direct) -> None:
    rng = np.random.default_rng(2)
    noisy = [
        pl.Series(f"R{r}", survey[f"R{r}"].to_numpy() * rng.uniform(0.9, 1.1, survey.height))
        for r in range(1, 9)
    ]
    table = survey.with_columns(noisy)
    ready = prepare(table, fay)
    assert ready.ratios.shape == (survey.height, 9)
    formula = direct(table, fay, PVS)
    agrees(estimate_means(ready, "PV{m}MATH").table.row(0, named=True), formula(mean, slice(None)))


def test_a_prepared_table_gives_the_same_result_and_one_cell_per_school(survey, fay) -> None:
    ready = prepare(survey, fay)
    assert ready.ratios.shape[0] <= survey["SCHOOL"].n_unique()
    once = estimate_means(ready, "PV{m}MATH", by="REGION")
    again = estimate_means(survey, "PV{m}MATH", by="REGION", design=fay)
    assert once.table.equals(again.table)
    assert once.n_replicates == 8
    assert once.n_plausible_values == 5
    assert not once.replicate_estimates.flags.writeable


def test_part_and_whole_by_replicates_agrees_with_the_closed_form(direct) -> None:
    """Part and rest drawn apart and of fixed shares: the closed form of TV-9.1 is then exact in expectation."""
    rng = np.random.default_rng(5)
    n_zones = 400
    part = np.repeat(np.arange(2 * n_zones) < 160, 5)
    x = rng.normal(500, 80, part.size) + np.repeat(rng.normal(0, 30, 2 * n_zones), 5)
    table = pl.DataFrame(
        {
            "X": x,
            "P": np.where(part, "part", "rest"),
            "W": np.ones(part.size),
            "Z": np.repeat(np.arange(2 * n_zones) // 2, 5),
            "H": np.repeat(np.arange(2 * n_zones) % 2, 5),
        }
    )
    design = SurveyDesign(weight="W", zone="Z", half="H", method="jk2")
    parts = estimate_means(table, "X", by="P", design=design)
    whole = estimate_means(table, "X", design=design)
    row = compare(parts, "P", against=whole).table.row(0, named=True)
    errors = dict(parts.table.filter(pl.col("statistic") == "mean").select("P", "standard_error").rows())
    closed = (1 - part.mean()) * np.hypot(errors["part"], errors["rest"])
    assert row["reference"] == "all"
    assert row["standard_error"] == pytest.approx(closed, rel=1e-9)
