"""TIMSS 2011 and 1999 (jackknife) against BIFIEsurvey, ILSAstats and printed values."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from lsakit.estimation.closed_forms import composite_standard_error
from lsakit.estimation.comparisons import compare
from lsakit.estimation.means import estimate_means
from lsakit.estimation.percentiles import estimate_percentiles
from lsakit.estimation.proportions import estimate_levels
from lsakit.estimation.replication import prepare
from lsakit.estimation.survey_design import SurveyDesign

MATHS, SCIENCE = "ASMMAT{m:02d}", "ASSSCI{m:02d}"
PEERS = "sum_of_weights_minus_one"
PERCENTILES = [5, 10, 25, 50, 75, 90, 95]
BIFIE = {"half": "JK_TIMSS", "both": "JK_TIMSS2"}
ILSASTATS = {"half": "JK2-half", "both": "JK2-full", "first_pv": "JK2-half-1PV"}


def pairs(table: pl.DataFrame) -> dict[str, tuple[float, float]]:
    return {name: (a, b) for name, a, b in table.select("statistic", "estimate", "standard_error").rows()}


@pytest.mark.parametrize("rule", BIFIE)
def test_means_and_sds_of_bifiesurvey(timss_2011, reference, rule) -> None:
    for theirs in reference(f"timss2011_aut_bifie/univar_{BIFIE[rule]}.json")["stat"]:
        values = MATHS if theirs["var"] == "MAT" else SCIENCE
        result = estimate_means(timss_2011[rule], values, sd_divisor=PEERS)
        ours = pairs(result.table)
        assert ours["mean"] == pytest.approx((theirs["M"], theirs["M_SE"]), rel=1e-9)
        assert ours["sd"] == pytest.approx((theirs["SD"], theirs["SD_SE"]), rel=1e-9)
        assert result.table["sampling_variance"][0] == pytest.approx(theirs["M_VarRep"], rel=1e-9)
        assert result.table["imputation_variance"][0] == pytest.approx(theirs["M_VarMI"], rel=1e-9)


@pytest.mark.parametrize("rule", BIFIE)
def test_groups_and_percentiles_of_bifiesurvey(timss_2011, reference, rule) -> None:
    ours = estimate_means(timss_2011[rule], MATHS, by="female", sd_divisor=PEERS).table
    for theirs in reference(f"timss2011_aut_bifie/univar_by_female_{BIFIE[rule]}.json")["stat"]:
        mine = pairs(ours.filter(pl.col("female") == theirs["groupval"]))
        assert mine["mean"] == pytest.approx((theirs["M"], theirs["M_SE"]), rel=1e-9)
        assert mine["sd"] == pytest.approx((theirs["SD"], theirs["SD_SE"]), rel=1e-9)
    percentiles = pairs(estimate_percentiles(timss_2011[rule], MATHS, PERCENTILES).table)
    for theirs in reference(f"timss2011_aut_bifie/quantiles_step_{BIFIE[rule]}.json")["stat"]:
        name = f"p{PERCENTILES[int(theirs['parm'][4:]) - 1]:02d}"
        assert percentiles[name] == pytest.approx((theirs["est"], theirs["SE"]), rel=1e-9)


@pytest.mark.parametrize("rule", ILSASTATS)
def test_means_percentiles_and_gap_of_ilsastats(timss_2011, reference, rule) -> None:
    method = ILSASTATS[rule]
    theirs = reference(f"timss2011_aut_ilsastats/mean_math_{method}.json")[0]
    ours = pairs(estimate_means(timss_2011[rule], MATHS, sd_divisor=PEERS).table)
    assert ours["mean"] == pytest.approx((theirs["mean"], theirs["se"]), rel=1e-9)
    assert ours["sd"] == pytest.approx((theirs["sd"], theirs["sdse"]), rel=1e-9)
    theirs = reference(f"timss2011_aut_ilsastats/quantiles_math_{method}.json")[0]
    ours = pairs(estimate_percentiles(timss_2011[rule], MATHS, PERCENTILES).table)
    for p in PERCENTILES:
        assert ours[f"p{p:02d}"] == pytest.approx((theirs[f"P{p:02d}"], theirs[f"P{p:02d}se"]), rel=1e-9)
    theirs = reference(f"timss2011_aut_ilsastats/mean_math_by_female_{method}.json")["female==0"][0]
    gap = compare(estimate_means(timss_2011[rule], MATHS, by="female"), "female").table.row(0, named=True)
    assert gap["estimate"] == pytest.approx(theirs["meandiff_1"], rel=1e-9)
    assert gap["standard_error"] == pytest.approx(theirs["meandiffse_1"], rel=1e-9)
    assert gap["t"] == pytest.approx(theirs["tvalue_1"], rel=1e-9)


@pytest.mark.parametrize("rule", ["first_pv", "half", "both"])
def test_printed_values_from_the_published_replicate_weights(timss_2011_stored, printed, rule) -> None:
    ready = timss_2011_stored[rule]
    results = (
        estimate_means(ready, MATHS),
        estimate_levels(ready, MATHS, cuts=[400.0, 475.0]),
        estimate_percentiles(ready, MATHS, [10, 50]),
    )
    ours = {row["statistic"]: row for result in results for row in result.table.iter_rows(named=True)}
    for name, theirs in printed["timss2011_stored_replicates"].items():
        assert ours[name]["estimate"] == pytest.approx(theirs["estimate"], abs=theirs["tolerance"]), theirs[
            "why"
        ]
        assert ours[name]["standard_error"] == pytest.approx(theirs[rule], abs=theirs["tolerance"]), theirs[
            "why"
        ]


def test_the_published_value_of_austria_is_508_with_error_2_6(timss_2011_stored) -> None:
    mean = estimate_means(timss_2011_stored["first_pv"], MATHS).table.row(0, named=True)
    assert (round(mean["estimate"]), round(mean["standard_error"], 1)) == (508, 2.6)


def test_the_half_with_jkrep_1_is_doubled_as_in_the_published_weights(timss_2011, timss_2011_stored) -> None:
    """In 69 of the 75 zones the derived replicates are the published ones; 5 of the others are lonely."""
    derived, stored = timss_2011["half"], timss_2011_stored["half"]
    a, b = derived.ratios[derived.cells, 1:], stored.ratios[stored.cells, 1:]
    different = np.flatnonzero((np.abs(a - b) > 1e-9).any(axis=0)) + 1
    assert different.tolist() == [3, 9, 25, 40, 46, 57]
    assert derived.lonely_zones == ("9", "25", "40", "46", "57")


@pytest.mark.parametrize(("profile", "method"), [("timss", "TIMSS"), ("timss_old", "oldTIMSS")])
def test_timss_1999_of_ilsastats(timss_1999, reference, profile, method) -> None:
    theirs = {entry["group"]: entry for entry in reference(f"timss1999_ilsastats/mean_{method}.json")}
    ready = prepare(timss_1999, SurveyDesign.read(profile))
    by_country = estimate_means(ready, "BSMMAT{m:02d}", by="IDCNTRY_STR", sd_divisor=PEERS).table
    for (country,), rows in by_country.group_by("IDCNTRY_STR"):
        expected = theirs[str(country)]
        assert pairs(rows)["mean"] == pytest.approx((expected["mean"], expected["se"]), rel=1e-9)
        assert pairs(rows)["sd"] == pytest.approx((expected["sd"], expected["sdse"]), rel=1e-9)
    pooled = pairs(estimate_means(ready, "BSMMAT{m:02d}", sd_divisor=PEERS).table)
    assert pooled["mean"] == pytest.approx((theirs["Pooled"]["mean"], theirs["Pooled"]["se"]), rel=1e-9)
    means = by_country.filter(pl.col("statistic") == "mean")
    assert means["estimate"].mean() == pytest.approx(theirs["Composite"]["mean"], rel=1e-9)
    composite = composite_standard_error(means["standard_error"].to_list())
    assert composite == pytest.approx(theirs["Composite"]["se"], rel=1e-9)


def test_trap_3_sampling_variance_from_one_plausible_value_is_a_choice_that_shows(timss_2011) -> None:
    errors = {
        rule: estimate_means(timss_2011[rule], MATHS).table["standard_error"][0]
        for rule in ("first_pv", "half")
    }
    assert errors["first_pv"] == pytest.approx(2.6499518316, abs=5e-11)
    assert errors["half"] == pytest.approx(2.6242733250, abs=5e-11)
    assert SurveyDesign.read("timss").sampling_variance == "all"
    assert SurveyDesign.read("timss_old").sampling_variance == "first_pv"


def test_trap_4_the_number_of_zones_comes_from_the_file() -> None:
    """125 zones give 250 replicates with the factor 1/2; nothing knows 75 or 150."""
    rng = np.random.default_rng(125)
    zone = np.repeat(np.arange(1, 126), 4)
    x, half = rng.normal(500, 100, zone.size), np.tile([0, 1], zone.size // 2)
    table = pl.DataFrame({"X": x, "TOTWGT": np.ones(zone.size), "JKZONE": zone, "JKREP": half})
    result = estimate_means(table, "X", design=SurveyDesign.read("timss"))
    assert result.n_replicates == 250
    signed = np.array([((2 * half - 1) * x)[zone == z].sum() for z in range(1, 126)])
    assert result.table["sampling_variance"][0] == pytest.approx((signed**2).sum() / zone.size**2, rel=1e-9)
