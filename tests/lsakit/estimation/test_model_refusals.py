"""What the models refuse, and in which words."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from lsakit.errors import DesignError, EstimationError, TableError, UnknownColumnError
from lsakit.estimation.correlations import estimate_correlations
from lsakit.estimation.cross_tables import estimate_cross_table
from lsakit.estimation.formula import read_formula
from lsakit.estimation.means import estimate_means
from lsakit.estimation.multilevel import estimate_multilevel
from lsakit.estimation.quantile_regression import estimate_quantile_regression
from lsakit.estimation.regression import estimate_regression
from lsakit.estimation.trends import trend


@pytest.mark.parametrize(
    ("formula", "sentence"),
    [
        ("Y", "it ends where '~' belongs"),
        ("Y ~", "it ends where a term belongs"),
        ("Y ~ A B", "'B' stands where '+' belongs"),
        ("Y ~ A +", "it ends where a term belongs"),
        ("Y ~ 0", "nothing is left on the right side"),
        ("Y ~ A - B", "only '- 1' may be taken away"),
        ("Y ~ A^7", "the exponent is 2, 3 or 4, not '7'"),
        ("Y ~ A*B:C", "'*' and ':' stand in one term"),
        ("Y ~ log(A)", r"'(' stands where '+' belongs"),
        ("Y ~ &", "'&' is no part of a formula"),
        ("Y > 'x' ~ A", "is nothing to compare with"),
        ("Y ~ C(A, ref)", "')' stands where '=' belongs"),
        ("Y ~ C(2)", "'2' stands where a variable belongs"),
    ],
)
def test_formulas_that_cannot_be_read(formula: str, sentence: str) -> None:
    with pytest.raises(EstimationError) as caught:
        read_formula(formula)
    assert sentence in str(caught.value)
    assert repr(formula) in str(caught.value)
    assert "Write it like" in str(caught.value)


def test_names_with_spaces_marks_and_numbers() -> None:
    assert read_formula("`điểm số` ~ `tuổi (năm)` + Ý_1").variables == ("điểm số", "tuổi (năm)", "Ý_1")
    assert read_formula("ASMMAT{m:02d} ~ A:B").variables == ("ASMMAT{m:02d}", "A", "B")
    assert read_formula("PV{m}X < -1.5 ~ A").outcome.bound == -1.5


def test_a_word_is_not_taken_for_a_number(survey, fay) -> None:
    with pytest.raises(EstimationError, match=r"'REGION' of the formula is no number.*Write C\(REGION\)"):
        estimate_regression(survey, "PV{m}MATH ~ REGION", design=fay)
    with pytest.raises(UnknownColumnError, match=r"no column 'ESCS'"):
        estimate_regression(survey, "PV{m}MATH ~ ESCS", design=fay)
    with pytest.raises(EstimationError, match=r"'REGION' has no category 'x'. It has: a, b, c"):
        estimate_regression(survey, "PV{m}MATH ~ C(REGION, ref=x)", design=fay)
    with pytest.raises(
        EstimationError, match=r"'family' of a regression is one of linear, logistic, ordered"
    ):
        estimate_regression(survey, "PV{m}MATH ~ BOOKS", design=fay, family="probit")


def test_dependent_predictors_are_refused_with_the_groups(survey, fay) -> None:
    twice = survey.with_columns(TWICE=2 * pl.col("BOOKS") + 1)
    for call in (
        lambda: estimate_regression(twice, "PV{m}MATH ~ BOOKS + TWICE", design=fay),
        lambda: estimate_quantile_regression(twice, "PV{m}MATH ~ BOOKS + TWICE", [50], design=fay),
        lambda: estimate_multilevel(twice, "PV{m}MATH ~ BOOKS + TWICE", cluster="SCHOOL", design=fay),
    ):
        with pytest.raises(
            EstimationError, match=r"BOOKS, TWICE are not independent in 1 of 1 groups. See: all rows"
        ):
            call()
    lacking = survey.filter((pl.col("REGION") != "b") | (pl.col("GENDER") == "M"))
    with pytest.raises(EstimationError, match=r"not independent in 1 of 3 groups. See: REGION=b\."):
        estimate_regression(lacking, "PV{m}MATH ~ C(GENDER)", by="REGION", design=fay)


def test_patterns_of_different_length_are_not_paired(survey, fay) -> None:
    table = survey.drop("PV5READ")
    with pytest.raises(EstimationError, match=r"'PV\{m\}MATH' has 5, 'PV\{m\}READ' has 4"):
        estimate_regression(table, "PV{m}MATH ~ PV{m}READ", design=fay)
    with pytest.raises(EstimationError, match=r"differ in their number of plausible values"):
        estimate_correlations(table, ["PV{m}MATH", "PV{m}READ"], design=fay)


def test_separation_and_empty_categories_are_refused(survey, fay) -> None:
    split = survey.with_columns(HIGH=(pl.col("PV1MATH") > 500).cast(pl.Int64))
    with pytest.raises(
        EstimationError, match=r"no single finite solution. See: all rows.*separates the categories"
    ):
        estimate_regression(split, "HIGH ~ PV1MATH", design=fay, family="logistic")
    with pytest.raises(EstimationError, match=r"outcome of a logistic model is 0 or 1. Got 2"):
        estimate_regression(
            survey.filter(pl.col("BOOKS") < 3), "BOOKS ~ PV1MATH", design=fay, family="logistic"
        )
    with pytest.raises(EstimationError, match=r"No row of the group has the outcome 1. See: all rows"):
        estimate_regression(survey, "PV{m}MATH > 5000 ~ BOOKS", design=fay, family="logistic")
    with pytest.raises(EstimationError, match=r"2 to 20 categories. The outcome has 1440 values"):
        estimate_regression(survey, "PV{m}MATH ~ BOOKS", design=fay, family="ordered")
    with pytest.raises(EstimationError, match=r"none can be left out"):
        estimate_regression(survey, "BOOKS ~ 0 + PV1MATH", design=fay, family="ordered")


def test_a_category_lost_in_a_replicate_makes_the_error_undefined_and_says_so(survey, fay) -> None:
    """Books 5 stand in one school alone; a replicate without that school cannot estimate their coefficient."""
    rare = survey.with_columns(
        RARE=(pl.col("SCHOOL") == "S000").cast(pl.Int64),
        R1=pl.when(pl.col("SCHOOL") == "S000").then(0.0).otherwise(pl.col("R1")),
    )
    result = estimate_regression(rare, "PV{m}MATH ~ BOOKS + RARE", design=fay)
    row = result.table.filter(pl.col("statistic") == "RARE").row(0, named=True)
    assert np.isfinite(row["estimate"])
    assert row["standard_error"] is None
    assert row["undefined_because"].startswith("The statistic is undefined in 1 of 8 replicates")


def test_two_level_models_need_schools(survey, fay) -> None:
    with pytest.raises(EstimationError, match=r"1 of 1 groups have fewer than two values of 'ONE'"):
        estimate_multilevel(survey.with_columns(ONE=pl.lit(1)), "PV{m}MATH ~ 1", cluster="ONE", design=fay)
    with pytest.raises(DesignError, match=r"needs the column of the school"):
        estimate_multilevel(survey, "PV{m}MATH ~ 1", cluster="", design=fay)
    gone = survey.with_columns(pl.when(pl.int_range(pl.len()) > 3).then(pl.col("SCHOOL")).alias("SCHOOL"))
    with pytest.raises(TableError, match=r"cluster 'SCHOOL' is missing in 4 of 288 rows. See: row 1"):
        estimate_multilevel(gone, "PV{m}MATH ~ 1", cluster="SCHOOL", design=fay)
    with pytest.raises(TableError, match=r"'W' must be positive and the same for all students of a school"):
        estimate_multilevel(survey, "PV{m}MATH ~ 1", cluster="SCHOOL", design=fay, cluster_weight="W")


def test_correlations_need_two_variables_that_vary(survey, fay) -> None:
    with pytest.raises(EstimationError, match=r"two or more variables, each once"):
        estimate_correlations(survey, ["BOOKS"], design=fay)
    with pytest.raises(EstimationError, match=r"two or more variables, each once"):
        estimate_correlations(survey, "BOOKS", design=fay)
    constant = survey.with_columns(
        pl.when(pl.col("REGION") == "b").then(3).otherwise(pl.col("BOOKS")).alias("BOOKS")
    )
    with pytest.raises(EstimationError, match=r"'BOOKS' does not vary in 1 of 3 groups. See: REGION=b"):
        estimate_correlations(constant, ["PV{m}MATH", "BOOKS"], by="REGION", design=fay)


def test_break_downs_may_not_hide_the_columns_that_describe_a_row(survey, fay) -> None:
    named = survey.rename({"REGION": "row"})
    with pytest.raises(EstimationError, match=r"'row' has the name of a column of the result"):
        estimate_cross_table(named, "GENDER", "BOOKS", by="row", design=fay)
    named = survey.rename({"REGION": "from_cycle"})
    means = estimate_means(named, "PV{m}MATH", by="from_cycle", design=fay)
    with pytest.raises(EstimationError, match=r"'from_cycle' has the name of a column of the trend"):
        trend([means, means])
