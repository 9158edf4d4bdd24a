"""Regressions, correlations, tests and two-level models against BIFIEsurvey, ILSAstats, survey and nlme."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lsakit.estimation.closed_forms import composite_standard_error
from lsakit.estimation.correlations import estimate_correlations
from lsakit.estimation.cross_tables import estimate_cross_table, estimate_frequencies
from lsakit.estimation.means import estimate_means
from lsakit.estimation.multilevel import estimate_multilevel
from lsakit.estimation.own_statistics import estimate
from lsakit.estimation.regression import estimate_regression
from lsakit.estimation.replication import PreparedTable, prepare
from lsakit.estimation.results import Estimates
from lsakit.estimation.survey_design import SurveyDesign

COUNTRIES = {1: "FRA", 2: "ITA", 3: "MEX"}
RULES = {"JK_TIMSS": "half", "JK_TIMSS2": "both"}


@pytest.fixture(scope="session")
def models(repository: Path) -> dict:
    return json.loads((repository / "tests/reference/estimates/models.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def pisa_female(pisa: PreparedTable) -> PreparedTable:
    female = (pl.col("ST004D01T") == 1).cast(pl.Int64)
    return prepare(pisa.table.with_columns(female=female), pisa.design)


def rows(result: Estimates, **wanted: object) -> dict[str, dict]:
    found = result.table.filter(*[pl.col(name) == value for name, value in wanted.items()])
    return {row["statistic"]: row for row in found.iter_rows(named=True)}


def agrees_with_bifie(ours: dict[str, dict], theirs: list[dict], names: dict[str, str]) -> None:
    """Coefficients, standardized coefficients, R² and sigma with both parts of their variance."""
    compared = 0
    for entry in theirs:
        kind, variable = entry["parameter"], entry["var"]
        factor = 1.0
        if kind == "b":
            name = names.get(variable, variable)
        elif kind == "beta":
            if variable == "(Intercept)":
                continue
            name = f"beta:{names.get(variable, variable)}"
        elif kind == "R^2":
            name = "r_squared"
        else:  # sigma: their divisor is the sum of weights minus the number of coefficients
            n_coefficients = sum(e["parameter"] == "b" for e in theirs)
            factor = np.sqrt(entry["Nweight"] / (entry["Nweight"] - n_coefficients))
            name = "residual_sd"
        mine = ours[name]
        assert mine["n"] == entry["Ncases"]
        assert mine["estimate"] * factor == pytest.approx(entry["est"], rel=1e-9)
        # The factor of sigma is a constant here but changes with the sum of weights in each of their replicates.
        rel = 1e-9 if kind != "sigma" else 2e-5
        assert mine["standard_error"] * factor == pytest.approx(entry["SE"], rel=rel)
        assert mine["sampling_variance"] * factor**2 == pytest.approx(entry["VarRep"], rel=2 * rel)
        assert mine["imputation_variance"] * factor**2 == pytest.approx(entry["VarMI"], rel=2e-8)
        compared += 1
    assert compared >= 5


def test_linear_regression_with_plausible_values_on_both_sides_of_bifiesurvey(pisa_female, reference) -> None:
    result = estimate_regression(pisa_female, "PV{m}MATH ~ PV{m}READ + female", by="CNT")
    theirs = reference("pisa2018_bifie/linreg_by_cnt.json")["stat"]
    for value, country in COUNTRIES.items():
        own = [entry for entry in theirs if entry["groupval"] == value]
        agrees_with_bifie(rows(result, CNT=country), own, {"READ": "PV{m}READ"})


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("file", "right"), [("linreg", "female + ASBG04"), ("linreg_female", "female")])
def test_linear_regression_of_bifiesurvey_leaves_the_same_rows_out(
    timss_2011, reference, rule, file, right
) -> None:
    theirs = reference(f"timss2011_aut_bifie/{file}_{rule}.json")["stat"]
    result = estimate_regression(timss_2011[RULES[rule]], f"ASMMAT{{m:02d}} ~ {right}")
    agrees_with_bifie(rows(result), theirs, {})
    assert result.n_missing_values == 4668 - theirs[0]["Ncases"]


def test_correlations_of_bifiesurvey(pisa, reference) -> None:
    ours = estimate_correlations(pisa, ["PV{m}MATH", "PV{m}READ"], by="CNT").table
    found = reference("pisa2018_bifie/correl_by_cnt.json")["stat.cor"]
    assert len(found) == 3
    for theirs in found:
        mine = ours.filter(pl.col("CNT") == COUNTRIES[theirs["groupval"]]).row(0, named=True)
        assert mine["estimate"] == pytest.approx(theirs["cor"], rel=1e-9)
        assert mine["standard_error"] == pytest.approx(theirs["cor_SE"], rel=1e-9)
        assert mine["sampling_variance"] == pytest.approx(theirs["cor_VarRep"], rel=1e-9)
        assert mine["imputation_variance"] == pytest.approx(theirs["cor_VarMI"], rel=1e-9)


@pytest.mark.parametrize("rule", ["JK2-half", "JK2-full", "JK2-half-1PV"])
def test_linear_regression_printed_by_ilsastats(timss_2011, reference, rule) -> None:
    """Four decimals are printed, hence half a unit of the fourth."""
    key = {"JK2-half": "half", "JK2-full": "both", "JK2-half-1PV": "first_pv"}[rule]
    ours = rows(estimate_regression(timss_2011[key], "ASMMAT{m:02d} ~ female + ASBG04"))
    lines = reference(f"timss2011_aut_ilsastats/lm_{rule}.json")
    start = next(
        k for k, line in enumerate(lines) if line.startswith("            Estimate Std. Error t value")
    )
    for line in lines[start + 1 : start + 4]:
        name, value, error = line.split()[:3]
        assert ours[name]["estimate"] == pytest.approx(float(value), abs=5.1e-5)
        assert ours[name]["standard_error"] == pytest.approx(float(error), abs=5.1e-5)


def test_composite_and_groups_of_regressions_printed_by_ilsastats(pisa_female, reference) -> None:
    result = estimate_regression(pisa_female, "PV{m}MATH ~ PV{m}READ + female", by="CNT")
    lines = reference("pisa2018_ilsastats/lm_by_cnt.json")
    names = {"(Intercept)": "(Intercept)", "pv1read": "PV{m}READ", "female": "female"}
    for line in lines[4:7]:
        name, value, error = line.split()[:3]
        own = result.table.filter(pl.col("statistic") == names[name])
        assert own["estimate"].mean() == pytest.approx(float(value), abs=5.1e-5)
        assert composite_standard_error(own["standard_error"].to_list()) == pytest.approx(
            float(error), abs=5.1e-5
        )
    for line in lines[-3:]:
        country = line[:3]
        numbers = [float(word) for word in re.findall(r"-?\d+\.\d+", line)]
        ours = rows(result, CNT=country)
        for name, value, error in zip(names.values(), numbers[::2], numbers[1::2], strict=True):
            assert ours[name]["estimate"] == pytest.approx(value, abs=5.1e-4)
            assert ours[name]["standard_error"] == pytest.approx(error, abs=5.1e-3)


def check(ours: list[dict], theirs: dict, rel: float = 1e-9) -> None:
    assert [row["estimate"] for row in ours] == pytest.approx(theirs["estimate"], rel=rel)
    assert [row["standard_error"] for row in ours] == pytest.approx(theirs["standard_error"], rel=rel)


def test_linear_regression_and_interaction_of_survey(pisa, models) -> None:
    france = rows(estimate_regression(pisa, "PV1MATH ~ PV1READ + C(ST004D01T)", by="CNT"), CNT="FRA")
    check([france[n] for n in ("(Intercept)", "PV1READ", "C(ST004D01T)[2]")], models["linear_fra"])
    italy = rows(estimate_regression(pisa, "PV1MATH ~ PV1READ * C(ST004D01T)", by="CNT"), CNT="ITA")
    names = ("(Intercept)", "PV1READ", "C(ST004D01T)[2]", "PV1READ:C(ST004D01T)[2]")
    check([italy[n] for n in names], models["interaction_ita"])


def test_logistic_regression_of_survey(pisa, models) -> None:
    """Both solve the score equations; the peer stops when the deviance moves by less than 1e-8 of itself."""
    ours = rows(estimate_regression(pisa, "ST011Q01TA == 1 ~ C(ST004D01T) + PV1MATH", family="logistic"))
    names = ("(Intercept)", "C(ST004D01T)[2]", "PV1MATH")
    check([ours[n] for n in names], models["logistic"], rel=1e-7)
    odds = ours["odds_ratio:PV1MATH"]
    assert odds["estimate"] == pytest.approx(np.exp(ours["PV1MATH"]["estimate"]), rel=1e-12)
    delta = odds["estimate"] * ours["PV1MATH"]["standard_error"]
    assert odds["standard_error"] == pytest.approx(delta, rel=1e-9)


def test_ordered_regression_of_survey(pisa, models) -> None:
    """The peer stops its optimizer at a relative change of 1e-8 of the likelihood: about 1e-4 of a coefficient."""
    kept = prepare(
        pisa.table.with_columns(
            S=pl.when(pl.col("ST007Q01TA").is_in([1, 2, 3, 4, 5])).then(pl.col("ST007Q01TA")),
            M=pl.col("PV1MATH") / 100,
        ),
        pisa.design,
    )
    ours = rows(estimate_regression(kept, "S ~ M", family="ordered"))
    names = ["M", *(f"threshold:{k}" for k in (2, 3, 4, 5))]
    check([ours[n] for n in names], models["ordered"], rel=2e-3)


def test_rao_scott_test_of_survey(pisa, models) -> None:
    tests = estimate_cross_table(pisa, "ST004D01T", "ST011Q01TA", by="CNT").tests
    for row in tests.iter_rows(named=True):
        theirs = models["chi_square"][row["CNT"]]
        assert row["f"] == pytest.approx(theirs["f"], rel=1e-9)
        assert [row["df_1"], row["df_2"]] == pytest.approx(theirs["df"], rel=1e-9)
        assert row["p_value"] == pytest.approx(theirs["p_value"], rel=1e-9)
    assert tests.height == 3


def test_totals_and_a_ratio_of_survey(pisa, models) -> None:
    totals = rows(estimate_frequencies(pisa, "ST011Q01TA", by="CNT"), CNT="FRA")
    check([totals[f"total_{k}"] for k in (1, 2, 9)], models["totals_fra"])

    def ratio(values, weights):
        return (weights @ values[:, 0]) / (weights @ values[:, 1])

    found = rows(estimate(pisa, ratio, ["PV1MATH", "PV1READ"], by="CNT"), CNT="FRA")["value"]
    assert found["estimate"] == pytest.approx(models["ratio_fra"]["estimate"], rel=1e-12)
    assert found["standard_error"] == pytest.approx(models["ratio_fra"]["standard_error"], rel=1e-9)


def test_two_level_models_of_nlme(timss_2011_rows, models) -> None:
    """Equal weights: pseudo likelihood is likelihood. The peer's optimizer ends 1e-6 from the maximum."""
    design = SurveyDesign.read("timss", weight="one", zone="JKCZONE", half="JKCREP")
    table = timss_2011_rows.with_columns(one=pl.lit(1.0))
    table = table.filter(pl.col("ASBG04").is_not_null() & pl.col("female").is_not_null())
    for formula, key in (("ASMMAT01 ~ female + ASBG04", "two_level"), ("ASMMAT01 ~ 1", "two_level_null")):
        found = rows(estimate_multilevel(table, formula, cluster="idschool", design=design))
        theirs = models[key]
        ours = [row["estimate"] for row in found.values()]
        coefficients = np.atleast_1d(theirs["coefficients"])
        k = coefficients.size
        assert ours[:k] == pytest.approx(coefficients, rel=1e-6)
        assert ours[k : k + 2] == pytest.approx(theirs["variances"], rel=1e-5)
        mine = log_likelihood(table, formula, *np.split(np.array(ours[: k + 2]), [k]))
        assert mine >= theirs["log_likelihood"] - 1e-7


def log_likelihood(table: pl.DataFrame, formula: str, beta: np.ndarray, variances: np.ndarray) -> float:
    """Log-likelihood by the normal density of each school's scores, with the covariance written out."""
    names = [] if formula.endswith("~ 1") else ["female", "ASBG04"]
    total = 0.0
    for _, part in table.group_by("idschool"):
        x = np.column_stack([np.ones(part.height), *(part[name].to_numpy() for name in names)])
        residual = part["ASMMAT01"].to_numpy() - x @ beta
        covariance = variances[1] * np.eye(part.height) + variances[0]
        sign, determinant = np.linalg.slogdet(covariance)
        assert sign > 0
        quadratic = residual @ np.linalg.solve(covariance, residual)
        total -= 0.5 * (part.height * np.log(2 * np.pi) + determinant + quadratic)
    return total


def test_the_table_of_methods_3_7(timss_2011_stored, timss_2011_rows) -> None:
    """The slope on books under the three rules, printed with seven digits or more."""
    expected = {"first_pv": 1.2710356, "half": 1.2941719, "both": 1.2748009}
    for rule, error in expected.items():
        found = rows(estimate_regression(timss_2011_stored[rule], "ASMMAT{m:02d} ~ ASBG04"))["ASBG04"]
        # The printed slope lies 1.3e-6 from the formula written out below, with which ours agrees to 1e-12.
        assert found["estimate"] == pytest.approx(18.2590479, abs=2e-6)
        assert found["estimate"] == pytest.approx(slope_on_books(timss_2011_rows), rel=1e-12)
        assert found["imputation_variance"] == pytest.approx(0.1570422, abs=2e-6)
        assert found["standard_error"] == pytest.approx(error, abs=2e-6)
    assert estimate_means(timss_2011_stored["both"], "ASMMAT{m:02d}").table["n"][0] == timss_2011_rows.height


def slope_on_books(table: pl.DataFrame) -> float:
    """Mean over the plausible values of Σ w (x − x̄) y / Σ w (x − x̄)²."""
    kept = table.filter(pl.col("ASBG04").is_not_null())
    x, w = kept["ASBG04"].to_numpy(), kept["TOTWGT"].to_numpy()
    away = x - (w @ x) / w.sum()
    slopes = [(w * away) @ kept[f"ASMMAT{m:02d}"].to_numpy() / ((w * away) @ away) for m in range(1, 6)]
    return float(np.mean(slopes))
