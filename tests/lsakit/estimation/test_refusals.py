"""What the estimates refuse, and in which words; and what they state instead of refusing."""

from __future__ import annotations

import polars as pl
import pytest

from lsakit.errors import DesignError, EstimationError, TableError, UnknownColumnError
from lsakit.estimation.comparisons import compare
from lsakit.estimation.means import estimate_means
from lsakit.estimation.percentiles import estimate_percentiles
from lsakit.estimation.proportions import estimate_levels, estimate_proportions
from lsakit.estimation.replication import prepare
from lsakit.estimation.survey_design import SurveyDesign

ROWS = {
    "X": [1.0, 3.0, 5.0, 7.0],
    "G": ["a", "a", "b", "b"],
    "W": [1.0] * 4,
    "Z": [1, 1, 2, 2],
    "H": [1, 0, 1, 0],
}
JK2 = SurveyDesign(weight="W", zone="Z", half="H", method="jk2")
TABLE = pl.DataFrame(ROWS)


def changed(**columns: list) -> pl.DataFrame:
    return pl.DataFrame({**ROWS, **columns})


def refused(error: type[Exception], *parts: str, **columns: list) -> None:
    with pytest.raises(error) as caught:
        estimate_means(changed(**columns), "X", by="G", design=JK2)
    for part in parts:
        assert part in str(caught.value)


def test_a_negative_weight_is_refused_with_its_row() -> None:
    refused(
        EstimationError, "'W' must not be negative", "Got -2 in 1 of 4 rows", "row 3", W=[1.0, 1.0, -2.0, 1.0]
    )


def test_a_weight_that_is_not_a_number_is_refused() -> None:
    refused(TableError, "'W'", "must be numeric", "abc", W=["1", "abc", "1", "1"])


def test_a_missing_weight_is_refused_with_its_row() -> None:
    refused(TableError, "'W'", "no missing values", "row 2", W=[1.0, None, 1.0, 1.0])


def test_rows_without_a_value_leave_the_table_and_are_counted() -> None:
    gone = changed(X=[1.0, 3.0, 5.0, None])
    kept = estimate_means(gone, "X", by="G", design=JK2)
    assert kept.n_missing_values == 1
    assert kept.table.select("G", "statistic", "n", "estimate").rows()[::2] == [
        ("a", "mean", 2, 2.0),
        ("b", "mean", 1, 5.0),
    ]
    assert estimate_percentiles(gone, "X", [50], design=JK2).n_missing_values == 1
    assert estimate_levels(gone, "X", cuts=[2.0], design=JK2).n_missing_values == 1
    with pytest.raises(EstimationError, match="No row has a value of X"):
        estimate_means(changed(X=[None] * 4), "X", design=JK2)


def test_a_row_with_some_plausible_values_only_is_refused_by_name() -> None:
    table = changed(P1=[1.0, 2.0, None, 4.0], P2=[1.0, 2.0, 3.0, None])
    with pytest.raises(TableError, match=r"'P1' is missing in 2 such rows. See: row 3, row 4"):
        estimate_means(table, "P{m}", design=JK2)
    whole = changed(P1=[1.0, 2.0, None, 4.0], P2=[1.0, 2.0, None, 5.0])
    assert estimate_means(whole, "P{m}", design=JK2).n_missing_values == 1


def test_a_negative_replicate_weight_is_refused_by_name() -> None:
    design = SurveyDesign(weight="W", replicates="R{r}", n_replicates=2, method="brr")
    table = changed(R1=[1.0] * 4, R2=[1.0, 1.0, 1.0, -1.0])
    with pytest.raises(EstimationError, match=r"'R2' must not be negative.*row 4"):
        prepare(table, design)


def test_a_group_whose_weights_sum_to_zero_is_refused_by_name() -> None:
    refused(EstimationError, "1 of 2 groups sum to zero", "G=b", W=[1.0, 1.0, 0.0, 0.0])


def test_a_table_without_rows_or_weight_is_refused() -> None:
    with pytest.raises(EstimationError, match="has no rows"):
        estimate_means(TABLE.head(0), "X", design=JK2)
    with pytest.raises(EstimationError, match="All weights in 'W' are zero"):
        estimate_means(changed(W=[0.0] * 4), "X", design=JK2)


def test_missing_break_down_values_leave_the_table_and_are_counted() -> None:
    result = estimate_means(changed(G=["a", None, "b", "b"]), "X", by="G", design=JK2)
    assert result.n_missing_by == 1
    assert result.table.filter(pl.col("statistic") == "mean")["estimate"].to_list() == [1.0, 6.0]
    with pytest.raises(EstimationError, match="Every row lacks a value of G"):
        estimate_means(changed(G=pl.Series([None] * 4, dtype=pl.String)), "X", by="G", design=JK2)


def test_a_statistic_undefined_in_a_replicate_keeps_its_estimate_and_says_why() -> None:
    result = estimate_means(changed(G=["a", "b", "b", "b"], H=[0, 1, 1, 0]), "X", by="G", design=JK2)
    row = result.table.row(0, named=True)
    assert row["estimate"] == 1.0
    assert row["standard_error"] is None
    assert row["sampling_variance"] is None
    assert row["degrees_of_freedom"] is None
    assert row["undefined_because"].startswith("The statistic is undefined in 1 of 2 replicates")
    assert result.table.row(2, named=True)["undefined_because"] is None
    gap = compare(result, "G").table.row(0, named=True)
    assert gap["estimate"] == -4.0
    assert gap["standard_error"] is gap["t"] is gap["p_value"] is None
    assert "undefined in 1 of 2" in gap["undefined_because"]
    for other in (
        estimate_percentiles(changed(G=["a", "b", "b", "b"], H=[0, 1, 1, 0]), "X", [50], by="G", design=JK2),
        estimate_levels(changed(G=["a", "b", "b", "b"], H=[0, 1, 1, 0]), "X", cuts=[2.0], by="G", design=JK2),
    ):
        assert other.table.row(0, named=True)["standard_error"] is None
        assert other.table.row(0, named=True)["undefined_because"] is not None


def test_lonely_zones_are_named() -> None:
    result = estimate_means(changed(Z=[1, 1, 2, 3]), "X", design=JK2)
    assert result.lonely_zones == ("2", "3")
    assert estimate_means(TABLE, "X", design=JK2).lonely_zones == ()


def test_zones_and_halves_are_checked() -> None:
    refused(DesignError, "'H' must be 0 or 1", "Got 2", "row 1", H=[2, 1, 2, 1])
    refused(TableError, "'Z' is missing in 1 of 4 rows", "row 2", Z=[1, None, 2, 2])
    refused(DesignError, "at least two zones", Z=[1, 1, 1, 1])


def test_a_design_is_needed_and_must_fit_the_prepared_table() -> None:
    with pytest.raises(DesignError, match="needs a survey design"):
        estimate_means(TABLE, "X")
    with pytest.raises(DesignError, match="another survey design"):
        estimate_means(prepare(TABLE, JK2), "X", design=SurveyDesign.read("pisa"))


def test_patterns_of_plausible_values() -> None:
    table = changed(PV1M=[1.0] * 4, PV2M=[1.0] * 4, PV4M=[1.0] * 4, ONE1=[1.0] * 4)
    with pytest.raises(EstimationError, match="skip a number: 'PV3M' is absent but 'PV4M' is there"):
        estimate_means(table, "PV{m}M", design=JK2)
    with pytest.raises(EstimationError, match=r"Only one column fits the pattern 'ONE\{m\}'"):
        estimate_means(table, "ONE{m}", design=JK2)
    with pytest.raises(UnknownColumnError, match="No column of the table fits the pattern"):
        estimate_means(table, "PV{m}X", design=JK2)
    with pytest.raises(EstimationError, match=r"holds the number \{m\} once"):
        estimate_means(table, "PV{k}M", design=JK2)
    with pytest.raises(UnknownColumnError, match="no column 'Y'"):
        estimate_means(table, "Y", design=JK2)


def test_words_outside_the_vocabulary_are_refused() -> None:
    with pytest.raises(
        EstimationError, match="'sd_divisor' is one of sum_of_weights, sum_of_weights_minus_one"
    ):
        estimate_means(TABLE, "X", design=JK2, sd_divisor="n")
    with pytest.raises(EstimationError, match="'rule' of percentiles is one of step, rrepest, midpoint"):
        estimate_percentiles(TABLE, "X", [50], design=JK2, rule="type7")
    with pytest.raises(EstimationError, match="column is named twice"):
        estimate_means(TABLE, "X", by=["G", "G"], design=JK2)


@pytest.mark.parametrize("percentiles", [[0], [100], [], [50, 50], [-1], ["x"], [float("nan")]])
def test_percentiles_outside_the_open_interval_are_refused(percentiles: list) -> None:
    with pytest.raises(EstimationError, match="between 0 and 100, both excluded, each once"):
        estimate_percentiles(TABLE, "X", percentiles, design=JK2)


@pytest.mark.parametrize("cuts", [[], [2.0, 1.0], [1.0, 1.0], [float("nan")], ["a"]])
def test_cuts_that_do_not_ascend_are_refused(cuts: list) -> None:
    with pytest.raises(EstimationError, match="'cuts' must be finite and ascending"):
        estimate_levels(TABLE, "X", cuts=cuts, design=JK2)


def test_a_value_on_the_cut_belongs_to_the_level_above() -> None:
    table = estimate_levels(TABLE, "X", cuts=[3.0, 5.0], design=JK2).table
    shares = dict(table.select("statistic", "estimate").rows())
    assert shares == {
        "below_1": 0.25, "level_1": 0.25, "level_2": 0.5, "at_or_above_1": 0.75, "at_or_above_2": 0.5
    }  # fmt: skip


def test_proportions_count_the_rows_without_an_answer() -> None:
    result = estimate_proportions(changed(S=["x", None, "x", "y"]), "S", by="G", design=JK2)
    assert result.n_missing_values == 1
    assert result.table.select("G", "category", "n", "estimate").rows() == [
        ("a", "x", 1, 1.0),
        ("a", "y", 1, 0.0),
        ("b", "x", 2, 0.5),
        ("b", "y", 2, 0.5),
    ]
    with pytest.raises(EstimationError, match="No row has a value in 'S'"):
        estimate_proportions(changed(S=pl.Series([None] * 4, dtype=pl.String)), "S", design=JK2)


def test_the_peers_divisor_needs_weights_that_sum_to_more_than_one() -> None:
    with pytest.raises(EstimationError, match="sum to more than 1"):
        estimate_means(changed(W=[0.1] * 4), "X", design=JK2, sd_divisor="sum_of_weights_minus_one")


def test_comparisons_refuse_what_they_cannot_subtract() -> None:
    means = estimate_means(TABLE, "X", by="G", design=JK2)
    with pytest.raises(EstimationError, match="not broken down by 'CNT', but by: G"):
        compare(means, "CNT")
    with pytest.raises(EstimationError, match="'kind' is one of dependent, independent"):
        compare(means, "G", kind="paired")
    with pytest.raises(EstimationError, match="fewer than two values"):
        compare(estimate_means(TABLE.head(2), "X", by="G", design=replicates_of_two()), "G")
    with pytest.raises(EstimationError, match="never independent"):
        compare(means, "G", kind="independent", against=estimate_means(TABLE, "X", design=JK2))
    with pytest.raises(EstimationError, match="not the whole of these"):
        compare(means, "G", against=means)


def replicates_of_two() -> SurveyDesign:
    return SurveyDesign(weight="W", zone="H", half="H", method="jk2")


def test_three_groups_give_three_pairs_inside_the_other_break_down() -> None:
    table = pl.concat([changed(C=["u"] * 4), changed(C=["v"] * 4), changed(C=["w"] * 4)])
    result = compare(estimate_means(table, "X", by=["G", "C"], design=JK2), "C")
    assert result.table.filter(pl.col("statistic") == "mean").select("G", "group", "reference").rows() == [
        ("a", "u", "v"), ("a", "u", "w"), ("a", "v", "w"), ("b", "u", "v"), ("b", "u", "w"), ("b", "v", "w")
    ]  # fmt: skip


def test_cluster_must_be_known_for_every_row() -> None:
    with pytest.raises(TableError, match="cluster 'S' is missing in 1 of 4 rows"):
        estimate_means(changed(S=["p", "q", None, "q"]), "X", design=JK2, cluster="S")


def test_break_downs_may_not_hide_a_column_of_the_result() -> None:
    with pytest.raises(EstimationError, match="'n' has the name of a column of the result"):
        estimate_means(changed(n=[1, 1, 2, 2]), "X", by="n", design=JK2)
    means = estimate_means(changed(group=[1, 1, 1, 1]), "X", by=["G", "group"], design=JK2)
    with pytest.raises(EstimationError, match="'group' has the name of a column of the comparison"):
        compare(means, "G")


def test_nan_is_missing_in_keys_and_categories() -> None:
    table = changed(S=[1.0, float("nan"), 1.0, 2.0])
    assert estimate_means(table, "X", by="S", design=JK2).n_missing_by == 1
    result = estimate_proportions(table, "S", design=JK2)
    assert result.n_missing_values == 1
    assert result.table["category"].to_list() == ["1", "2"]


def test_pandas_tables_and_mappings_give_the_same_numbers() -> None:
    pandas = pytest.importorskip("pandas")
    expected = estimate_means(TABLE, "X", by="G", design=JK2).table
    assert estimate_means(ROWS, "X", by="G", design=JK2).table.equals(expected)
    assert estimate_means(pandas.DataFrame(ROWS), "X", by="G", design=JK2).table.equals(expected)
