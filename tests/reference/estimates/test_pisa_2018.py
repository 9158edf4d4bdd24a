"""PISA 2018 (Fay, 80 replicates, 10 plausible values) against BIFIEsurvey, ILSAstats, Rrepest and survey."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from lsakit.estimation.closed_forms import composite_standard_error
from lsakit.estimation.combine import combine_plausible_values
from lsakit.estimation.comparisons import compare
from lsakit.estimation.means import estimate_means
from lsakit.estimation.percentiles import estimate_percentiles
from lsakit.estimation.proportions import estimate_levels

COUNTRIES = {1: "FRA", 2: "ITA", 3: "MEX"}
PEERS = "sum_of_weights_minus_one"
PERCENTILES = [5, 10, 25, 50, 75, 90, 95]


def row(table: pl.DataFrame, **wanted: object) -> dict:
    return table.filter(*[pl.col(name) == value for name, value in wanted.items()]).row(0, named=True)


@pytest.mark.parametrize(("peer", "values"), [("MATH", "PV{m}MATH"), ("READ", "PV{m}READ")])
def test_means_sds_and_both_variance_parts_of_bifiesurvey(pisa, reference, peer, values) -> None:
    ours = estimate_means(pisa, values, by="CNT", sd_divisor=PEERS).table
    for theirs in reference("pisa2018_bifie/univar_by_cnt.json")["stat"]:
        if theirs["var"] != peer:
            continue
        for statistic, name in (("mean", "M"), ("sd", "SD")):
            mine = row(ours, CNT=COUNTRIES[theirs["groupval"]], statistic=statistic)
            assert mine["estimate"] == pytest.approx(theirs[name], rel=1e-9)
            assert mine["standard_error"] == pytest.approx(theirs[f"{name}_SE"], rel=1e-9)
            assert mine["imputation_variance"] == pytest.approx(theirs[f"{name}_VarMI"], rel=1e-9)
            assert mine["sampling_variance"] == pytest.approx(theirs[f"{name}_VarRep"], rel=1e-9)
            assert mine["n"] == theirs["Ncases"]


def test_rubins_degrees_of_freedom_are_those_of_bifiesurvey(pisa, reference) -> None:
    """BIFIEsurvey prints Rubin's; ours in the table also know the number of replicates and are smaller."""
    result = estimate_means(pisa, "PV{m}MATH", by="CNT")
    theirs = reference("pisa2018_bifie/univar_by_cnt.json")["stat"][0]
    grid = result.replicate_estimates[0]
    variances = 0.05 * ((grid[:, 1:] - grid[:, :1]) ** 2).sum(axis=1)
    rubin = combine_plausible_values(grid[:, 0], variances).degrees_of_freedom[0]
    assert rubin == pytest.approx(theirs["M_df"], abs=0.005)
    assert result.table["degrees_of_freedom"][0] < rubin


def test_step_percentiles_of_bifiesurvey(pisa, reference) -> None:
    ours = estimate_percentiles(pisa, "PV{m}MATH", PERCENTILES, by="CNT").table
    for theirs in reference("pisa2018_bifie/quantiles_by_cnt_step.json")["stat"]:
        name = f"p{PERCENTILES[int(theirs['parm'][4:]) - 1]:02d}"
        mine = row(ours, CNT=COUNTRIES[theirs["groupval"]], statistic=name)
        assert mine["estimate"] == pytest.approx(theirs["est"], rel=1e-9)
        assert mine["standard_error"] == pytest.approx(theirs["SE"], rel=1e-9)
        assert mine["sampling_variance"] == pytest.approx(theirs["VarRep"], rel=1e-9)


def test_means_percentiles_pooled_and_composite_of_ilsastats(pisa, reference) -> None:
    theirs = {entry["group"]: entry for entry in reference("pisa2018_ilsastats/mean_math_by_cnt.json")}
    by_country = estimate_means(pisa, "PV{m}MATH", by="CNT", sd_divisor=PEERS).table
    pooled = estimate_means(pisa, "PV{m}MATH", sd_divisor=PEERS).table
    for statistic, value, error in (("mean", "mean", "se"), ("sd", "sd", "sdse")):
        own = by_country.filter(pl.col("statistic") == statistic)
        for mine in own.iter_rows(named=True):
            assert mine["estimate"] == pytest.approx(theirs[mine["CNT"]][value], rel=1e-9)
            assert mine["standard_error"] == pytest.approx(theirs[mine["CNT"]][error], rel=1e-9)
        whole = row(pooled, statistic=statistic)
        assert whole["estimate"] == pytest.approx(theirs["Pooled"][value], rel=1e-9)
        assert whole["standard_error"] == pytest.approx(theirs["Pooled"][error], rel=1e-9)
        assert own["estimate"].mean() == pytest.approx(theirs["Composite"][value], rel=1e-9)
        composite = composite_standard_error(own["standard_error"].to_list())
        assert composite == pytest.approx(theirs["Composite"][error], rel=1e-9)


def test_percentiles_of_ilsastats(pisa, reference) -> None:
    tables = {
        True: estimate_percentiles(pisa, "PV{m}MATH", PERCENTILES, by="CNT").table,
        False: estimate_percentiles(pisa, "PV{m}MATH", PERCENTILES).table,
    }
    for theirs in reference("pisa2018_ilsastats/quantiles_math_by_cnt.json"):
        if theirs["group"] == "Composite":
            continue
        key = {} if theirs["group"] == "Pooled" else {"CNT": theirs["group"]}
        for p in PERCENTILES:
            mine = row(tables[bool(key)], statistic=f"p{p:02d}", **key)
            assert mine["estimate"] == pytest.approx(theirs[f"P{p:02d}"], rel=1e-9)
            assert mine["standard_error"] == pytest.approx(theirs[f"P{p:02d}se"], rel=1e-9)


def test_values_printed_by_rrepest_and_survey(pisa, printed) -> None:
    ours = estimate_means(pisa, "PV{m}MATH", by="CNT").table
    for country, theirs in printed["pisa2018"].items():
        mine = row(ours, CNT=country, statistic="mean")
        assert mine["n"] == theirs["n"]
        assert mine["estimate"] == pytest.approx(theirs["mean"], abs=5.1e-7)
        assert mine["standard_error"] == pytest.approx(theirs["standard_error"], abs=5.1e-7)
    theirs = printed["pisa2018"]["FRA"]
    france = row(ours, CNT="FRA", statistic="mean")
    assert france["sampling_variance"] == pytest.approx(theirs["sampling_variance"], abs=5.1e-7)
    assert france["imputation_variance"] == pytest.approx(theirs["imputation_variance"], abs=5.1e-7)
    first = row(estimate_means(pisa, "PV1MATH", by="CNT").table, CNT="FRA", statistic="mean")
    assert first["estimate"] == pytest.approx(theirs["first_value_mean"], abs=5e-9)
    assert first["standard_error"] == pytest.approx(theirs["first_value_error"], abs=5e-9)


def test_gap_and_level_share_printed_by_rrepest(pisa) -> None:
    gaps = compare(estimate_means(pisa, "PV{m}MATH", by=["CNT", "ST004D01T"]), "ST004D01T").table
    gap = row(gaps, CNT="FRA", statistic="mean")
    assert (gap["group"], gap["reference"]) == ("1", "2")
    assert gap["estimate"] == pytest.approx(-12.63148, abs=5e-6)
    assert gap["standard_error"] == pytest.approx(11.37695, abs=5e-6)
    levels = estimate_levels(pisa, "PV{m}MATH", cuts=[357.77, 420.07], by="CNT").table
    share = row(levels, CNT="FRA", statistic="at_or_above_2")
    # The share lies within 1e-10 of the middle between two printed values, hence one unit of the last digit.
    assert 100 * share["estimate"] == pytest.approx(74.770211, abs=1e-6)
    assert 100 * share["standard_error"] == pytest.approx(2.836058, abs=5e-7)


def test_trap_1_the_divisor_of_fay_knows_replicates_not_plausible_values(pisa, printed) -> None:
    """ILSAstats' exported repse divides by the length of the list of plausible values: inflated by sqrt(R/M)."""
    result = estimate_means(pisa, "PV{m}MATH", by="CNT")
    grid = result.replicate_estimates[0]
    squares = ((grid[:, 1:] - grid[:, :1]) ** 2).sum(axis=1)
    assert grid.shape == (10, 81)
    right = (squares / (80 * 0.25)).mean()
    wrong = (squares / (10 * 0.25)).mean()
    assert result.table["sampling_variance"][0] == pytest.approx(right, rel=1e-12)
    assert np.sqrt(wrong / right) == pytest.approx(np.sqrt(8.0))
    one = estimate_means(pisa, "PV1MATH", by="CNT").table["sampling_variance"][0]
    assert one == pytest.approx(squares[0] / 20, rel=1e-12)


def test_trap_2_the_final_student_weight_is_w_fstuwt(pisa) -> None:
    assert pisa.design.weight == "W_FSTUWT"
    assert "W_SCHGRNRABWT" not in (pisa.design.weight, *pisa.design.replicate_columns())
