"""Results stay as they are, tell where they come from, and go to other programs."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

import lsakit as lk
from lsakit.errors import DesignError, EstimationError
from lsakit.estimation.combine import barnard_rubin_degrees_of_freedom, combine, combine_plausible_values
from lsakit.estimation.comparisons import compare
from lsakit.estimation.cross_tables import estimate_cross_table, estimate_frequencies
from lsakit.estimation.means import estimate_means
from lsakit.estimation.own_statistics import estimate
from lsakit.estimation.regression import estimate_regression
from lsakit.estimation.replication import prepare
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.io.codebook import Codebook, Variable

ROWS = {
    "X": [1.0, 3.0, 5.0, 7.0, 2.0, 9.0],
    "G": ["a", "b"] * 3,
    "W": [1.0] * 6,
    "Z": [1, 1, 2, 2, 3, 3],
    "H": [1, 0, 1, 0, 1, 0],
}
JK2 = SurveyDesign(weight="W", zone="Z", half="H", method="jk2")


def test_results_are_frozen(survey, fay) -> None:
    result = estimate_means(survey, "PV{m}MATH", by="REGION", design=fay)
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.by = ()
    with pytest.raises(ValueError, match=r"read-only"):
        result.replicate_estimates[0, 0, 0] = 1.0


def test_the_columns_of_the_table_are_those_of_the_public_call(survey, fay) -> None:
    result = lk.estimate_means(survey, "PV{m}MATH", by=["REGION", "GENDER"], design=fay)
    assert result.table.columns[:9] == [
        "REGION", "GENDER", "statistic", "n", "estimate", "standard_error", "sampling_variance",
        "imputation_variance", "degrees_of_freedom",
    ]  # fmt: skip


def test_standard_errors_intervals_and_missing_information(survey, fay) -> None:
    result = estimate_means(survey, "PV{m}MATH", by="REGION", design=fay)
    assert result.standard_error.tolist() == result.table["standard_error"].to_list()
    low, high = result.confidence_intervals()
    assert (low + high) / 2 == pytest.approx(result.table["estimate"].to_numpy())
    wider = result.confidence_intervals(level=0.99)
    assert (wider[0] < low).all()
    between = result.table["imputation_variance"].to_numpy() * 1.2
    share = between / (between + result.table["sampling_variance"].to_numpy())
    assert result.fraction_missing_information == pytest.approx(share, rel=1e-12)
    with pytest.raises(EstimationError, match=r"'level' lies between 0 and 1. Got 95"):
        result.confidence_intervals(level=95)


def test_degrees_of_freedom_by_three_rules(survey, fay) -> None:
    result = estimate_means(survey, "PV{m}MATH", by="REGION", design=fay)
    assert result.degrees_of_freedom().tolist() == result.table["degrees_of_freedom"].to_list()
    grid = result.replicate_estimates[0]
    variances = ((grid[:, 1:] - grid[:, :1]) ** 2 * 0.5).sum(axis=1)
    rubin = combine_plausible_values(grid[:, 0], variances).degrees_of_freedom[0]
    assert result.degrees_of_freedom("rubin")[0] == pytest.approx(rubin, rel=1e-9)
    small = result.degrees_of_freedom("barnard_rubin")
    assert (small < result.degrees_of_freedom("rubin")).all()
    with pytest.raises(EstimationError, match=r"one of johnson_rust, rubin, barnard_rubin"):
        result.degrees_of_freedom("welch")


def test_barnard_and_rubin_by_hand() -> None:
    """λ = 0.2, M = 5, ν = 30: ν_M = 4 / 0.04 = 100; ν_obs = 31/33 · 30 · 0.8 = 22.545; together 18.398."""
    found = barnard_rubin_degrees_of_freedom([0.2, 0.0, 0.2], 5, [30.0, np.inf, np.inf])
    assert found[0] == pytest.approx(1 / (1 / 100 + 33 / (31 * 30 * 0.8)), rel=1e-12)
    assert found[0] == pytest.approx(18.3976, abs=1e-4)
    assert found[1] == np.inf
    assert found[2] == pytest.approx(100.0)
    with pytest.raises(EstimationError, match=r"shares from 0 to 1 and at least two plausible values"):
        barnard_rubin_degrees_of_freedom([1.2], 5, [30.0])


@pytest.mark.parametrize(("language", "words"), [("en", "The standard error"), ("vi", "Sai số chuẩn")])
def test_an_estimate_explains_itself_with_its_own_numbers(survey, fay, language, words) -> None:
    result = estimate_means(survey, "PV{m}MATH", by="REGION", design=fay)
    text = result.explain(2, language=language)
    row = result.table.row(2, named=True)
    for number in ("estimate", "standard_error", "sampling_variance", "imputation_variance"):
        written = f"{row[number]:.6g}"
        assert (written.replace(".", ",") if language == "vi" else written) in text
    assert words in text
    assert ("0,5" in text) == (language == "vi")
    assert "REGION=b" in text
    assert "{" not in text.replace("PV{m}MATH", "")


@pytest.mark.parametrize("method", ["fay", "brr", "bootstrap", "jk1", "jkn", "jk2", "jk2_both"])
def test_every_method_explains_itself_in_both_languages(survey, method) -> None:
    more = {"fay_factor": 0.5} if method == "fay" else {}
    more |= {"coefficients": (0.5,) * 8} if method == "jkn" else {}
    design = SurveyDesign(weight="W", replicates="R{r}", n_replicates=8, method=method, **more)
    plain = estimate_means(survey, "BOOKS", design=design)
    for language in ("en", "vi"):
        assert "θ_r" in plain.explain(language=language)
    first = dataclasses.replace(design, sampling_variance="first_pv")
    text = estimate_means(survey, "PV{m}MATH", design=first).explain()
    assert "first plausible value alone" in text


@pytest.mark.parametrize("language", ["en", "vi"])
def test_differences_and_changes_explain_themselves(survey, fay, language) -> None:
    means = estimate_means(survey, "PV{m}MATH", by=["REGION", "GENDER"], design=fay)
    later = estimate_means(
        survey.with_columns(pl.col("^PV.*$") + 3.0), "PV{m}MATH", by=["REGION", "GENDER"], design=fay
    )
    changes = lk.trend([means, later], linking_error=1.5, cycles=[2022, 2025])
    for result, words in (
        (compare(means, "GENDER"), ("REGION=a", "GENDER", "F", "M")),
        (compare(means, "REGION", kind="independent"), ("GENDER=F", "REGION", "a", "b")),
        (changes, ("REGION=a, GENDER=F", "2022", "2025")),
        (lk.effect_sizes(means, "GENDER"), ("REGION=a", "effect_size")),
    ):
        text = result.explain(0, language=language)
        row = result.table.row(0, named=True)
        for name in ("estimate", "standard_error", "t", "p_value"):
            written = f"{row[name]:.6g}"
            assert (written.replace(".", ",") if language == "vi" else written) in text
        assert all(word in text for word in words)
        assert "{" not in text
    with pytest.raises(EstimationError, match=r"no row 99 among"):
        changes.explain(99)


def test_an_undefined_error_and_lonely_zones_are_explained() -> None:
    rows = ROWS | {"G": ["a", "b", "b", "b", "b", "b"], "H": [0, 1, 1, 0, 1, 0]}
    text = estimate_means(rows, "X", by="G", design=JK2).explain()
    assert "It has no standard error. The statistic is undefined in 1 of 3 replicates" in text
    lonely = estimate_means(ROWS | {"Z": [1, 1, 2, 2, 3, 4]}, "X", design=JK2)
    assert "3, 4" in lonely.explain()
    with pytest.raises(EstimationError, match=r"no row 9 among 2"):
        lonely.explain(9)
    with pytest.raises(EstimationError, match=r"'language' is one of en, vi. Got 'fr'"):
        lonely.explain(language="fr")


def test_results_go_to_pandas_excel_and_latex(tmp_path) -> None:
    pandas = pytest.importorskip("pandas")
    result = estimate_means(ROWS, "X", by="G", design=JK2)
    frame = result.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert frame["estimate"].tolist() == result.table["estimate"].to_list()
    path = result.to_excel(tmp_path / "means.xlsx")
    back = lk.read_table(path)
    assert back["estimate"].to_list() == result.table["estimate"].to_list()
    assert result.to_polars() is result.table
    latex = result.to_latex(digits=3)
    assert latex.startswith("\\begin{tabular}{ll")
    assert "standard\\_error" in latex
    assert "2.667" in latex
    with pytest.raises(EstimationError, match=r"ends in .xlsx. Got 'means.csv'"):
        result.to_excel(tmp_path / "means.csv")
    assert "b" in compare(result, "G").to_latex()


def test_user_missing_codes_of_the_codebook_are_no_values() -> None:
    rows = ROWS | {"X": [1.0, 3.0, 99.0, 7.0, 2.0, 97.0], "S": [1, 2, 9, 1, 2, 8], "T": list("abXbab")}
    book = Codebook(
        variables=(
            Variable(name="X", type="number", missing_range=(97.0, 99.0)),
            Variable(name="S", type="integer", missing={9: "M", 8: "N"}),
            Variable(name="T", type="text", missing={"X": "I"}),
            Variable(name="NOT_THERE", type="integer", missing={9: "M"}),
        )
    )
    ready = prepare(rows, JK2, codebook=book)
    means = estimate_means(ready, "X")
    assert (means.table["n"][0], means.n_missing_values, means.table["estimate"][0]) == (4, 2, 3.25)
    assert estimate_means(rows, "X", design=JK2).table["n"][0] == 6
    shares = lk.estimate_proportions(ready, "S")
    assert shares.table["category"].to_list() == ["1", "2"]
    assert lk.estimate_proportions(ready, "T").table["category"].to_list() == ["a", "b"]
    slope = estimate_regression(ready, "X ~ S")
    assert (slope.n_missing_values, slope.table["n"][0]) == (2, 4)


def test_a_comparison_with_false_discoveries_under_control(survey, fay) -> None:
    gaps = compare(estimate_means(survey, "PV{m}MATH", by="BOOKS", design=fay), "BOOKS")
    flagged = gaps.adjusted(level=0.1).table
    p = flagged["p_value"].to_numpy()
    order = np.argsort(p)
    passed = np.flatnonzero(p[order] <= 0.1 * np.arange(1, p.size + 1) / p.size)
    expected = np.zeros(p.size, dtype=bool)
    expected[order[: passed[-1] + 1 if passed.size else 0]] = True
    assert flagged["is_significant"].to_list() == expected.tolist()
    with pytest.raises(EstimationError, match=r"'level' lies between 0 and 1"):
        gaps.adjusted(level=5)


def test_cross_tables_and_frequencies_add_up(survey, fay) -> None:
    crossed = estimate_cross_table(survey, "GENDER", "BOOKS", by="REGION", design=fay)
    own = crossed.table.filter(pl.col("REGION") == "b")
    total = own.filter(pl.col("statistic") == "total")["estimate"].sum()
    assert total == pytest.approx(survey.filter(pl.col("REGION") == "b")["W"].sum(), rel=1e-12)
    assert own.filter(pl.col("statistic") == "share")["estimate"].sum() == pytest.approx(1.0)
    by_row = own.filter(pl.col("statistic") == "row_share").group_by("row").agg(pl.col("estimate").sum())
    assert by_row["estimate"].to_list() == pytest.approx([1.0, 1.0])
    assert crossed.tests.height == 3
    found = estimate_frequencies(survey, "BOOKS", design=fay).table
    shares = lk.estimate_proportions(survey, "BOOKS", design=fay).table
    same = found.filter(pl.col("statistic").str.starts_with("share"))
    assert same["standard_error"].to_list() == pytest.approx(shares["standard_error"].to_list(), rel=1e-12)
    last = found.filter(pl.col("statistic") == "cumulative_5").row(0, named=True)
    assert (last["estimate"], last["standard_error"]) == pytest.approx((1.0, 0.0), abs=1e-12)
    with pytest.raises(EstimationError, match=r"needs two columns. Got 'BOOKS' twice"):
        estimate_cross_table(survey, "BOOKS", "BOOKS", design=fay)
    lacking = survey.filter((pl.col("REGION") != "a") | (pl.col("GENDER") == "F"))
    with pytest.raises(EstimationError, match=r"row or column of the cross-table is empty. See: REGION=a"):
        estimate_cross_table(lacking, "GENDER", "BOOKS", by="REGION", design=fay)


def test_independent_columns_are_rejected_as_often_as_the_level_says() -> None:
    """600 tables of independent columns in clusters: 5 % rejections within four binomial standard errors."""
    rng = np.random.default_rng(3)
    rejected = 0
    for _ in range(600):
        n_zones, size = 30, 8
        zone = np.repeat(np.arange(n_zones), 2 * size)
        school = np.repeat(rng.random(2 * n_zones), size)
        table = {
            "A": (rng.random(zone.size) < 0.3 + 0.4 * school).astype(int),
            "B": rng.integers(0, 3, zone.size),
            "W": np.ones(zone.size),
            "Z": zone,
            "H": np.repeat(np.arange(2 * n_zones) % 2, size),
        }
        p = estimate_cross_table(table, "A", "B", design=JK2).tests["p_value"][0]
        rejected += p < 0.05
    assert abs(rejected / 600 - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 600)


def test_own_functions_that_fail_are_named_with_their_place(survey, fay) -> None:
    def broken(x, w):
        raise ZeroDivisionError("nothing")

    with pytest.raises(
        EstimationError, match=r"failed: ZeroDivisionError: nothing.*REGION=a, plausible value 1"
    ):
        estimate(survey, broken, "PV{m}MATH", by="REGION", design=fay)
    with pytest.raises(EstimationError, match=r"gives nan under the final weight"):
        estimate(survey, lambda x, w: float("nan"), "PV{m}MATH", design=fay)
    halves = survey.with_columns(K=(pl.col("REGION") == "a"))
    with pytest.raises(EstimationError, match=r"gives value_1, value_2 after value_1"):
        estimate(halves, lambda x, w: [1.0] * (1 if x.size > 150 else 2), "PV1MATH", by="K", design=fay)
    with pytest.raises(EstimationError, match=r"must be callable"):
        estimate(survey, "mean", "PV{m}MATH", design=fay)


def test_own_functions_cannot_change_the_data(survey, fay) -> None:
    def greedy(x, w):
        x[:] = 0.0
        w[:] = 0.0
        return 1.0

    before = estimate_means(survey, "PV{m}MATH", design=fay).table
    estimate(survey, greedy, "PV{m}MATH", design=fay)
    assert estimate_means(survey, "PV{m}MATH", design=fay).table.equals(before)


def test_a_file_of_another_method_is_refused_by_its_own_column() -> None:
    rows = {"SPFWT0": [1.0, 1.0], "VEMETHODN": [2, 1], "X": [1.0, 2.0]}
    rows |= {f"SPFWT{r}": [1.0, 1.0] for r in range(1, 81)}
    with pytest.raises(
        DesignError, match=r"'piaac' holds where 'VEMETHODN' is 2. Got 1 in 1 of 2 rows.*row 2"
    ):
        estimate_means(rows, "X", design=SurveyDesign.read("piaac"))
    right = estimate_means(rows | {"VEMETHODN": [1, 1]}, "X", design=SurveyDesign.read("piaac_jk1"))
    assert right.table["estimate"][0] == 1.5


def test_the_public_calls_of_the_package_run_as_written(survey) -> None:
    """What scripts rely on: names, order of arguments, and the columns they read."""
    design = lk.SurveyDesign(weight="W", replicates="R{r}", n_replicates=8, method="fay", fay_factor=0.5)
    lk.SurveyDesign(weight="TOTWGT", zone="JKZONE", half="JKREP", method="jk2", sampling_variance="first_pv")
    r = lk.estimate_means(survey, "PV{m}MATH", by=["REGION", "GENDER"], design=design)
    lk.estimate_percentiles(survey, "PV{m}MATH", [5, 25, 50, 75, 95], by="REGION", design=design, rule="step")
    lk.estimate_levels(survey, "PV{m}MATH", cuts=[450.0], by="REGION", design=design)
    lk.estimate_proportions(survey, "BOOKS", by="REGION", design=design)
    lk.estimate_correlations(survey, ["PV{m}MATH", "BOOKS"], by="REGION", design=design)
    formula = "PV{m}MATH ~ BOOKS + C(GENDER)"
    lk.estimate_regression(survey, formula, by="REGION", design=design, family="linear")
    lk.estimate_quantile_regression(survey, formula, by="REGION", design=design)
    lk.estimate_multilevel(survey, "PV{m}MATH ~ BOOKS", cluster="SCHOOL", design=design)
    lk.estimate(survey, lambda x, w: (w @ x) / w.sum(), "PV{m}MATH", by="REGION", design=design)
    assert lk.compare(r, "GENDER", kind="dependent").table.height == 6
    assert lk.trend([r, r], linking_error=2.24).table["estimate"].abs().max() == 0.0
    assert combine(r.replicate_estimates, design).n_plausible_values == 5


def test_estimates_need_neither_pandas_nor_the_web() -> None:
    code = (
        "import sys; sys.modules['pandas'] = None; sys.modules['django'] = None\n"
        "import lsakit as lk\n"
        f"r = lk.estimate_means({ROWS!r}, 'X', design=lk.SurveyDesign(weight='W', zone='Z', half='H', method='jk2'))\n"
        "try:\n    r.to_pandas()\nexcept lk.errors.TableError as error:\n    print(error)\n"
    )
    code = code.replace("lk.errors", "__import__('lsakit.errors').errors")
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert "pandas is not installed here" in run.stdout, run.stderr
