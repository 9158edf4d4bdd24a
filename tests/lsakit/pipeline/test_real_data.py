"""The comparison with real data agrees with every reference, and says so when there is nothing to compare."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from lsakit.pipeline.real_data import RealDataComparison, compare_real_data


@pytest.fixture(scope="module")
def comparison(shared: Path) -> RealDataComparison:
    return compare_real_data(shared)


def test_every_reference_value_agrees_within_its_digits(comparison: RealDataComparison) -> None:
    assert comparison.table.filter(~pl.col("agrees")).height == 0
    assert comparison.table.height == 163
    assert "163 of 163 reference values of 4 peers agree" in comparison.sentence


def test_values_stated_with_all_digits_agree_to_ten_decimals(comparison: RealDataComparison) -> None:
    exact = comparison.table.filter(~pl.col("peer").str.ends_with("printed"))
    assert exact["difference"].max() < 1e-10


def test_means_percentiles_levels_and_gaps_are_all_compared(comparison: RealDataComparison) -> None:
    statistics = set(comparison.table["statistic"])
    assert {"mean", "sd", "p05", "p50", "p95", "at_or_above_2", "gap"} <= statistics
    assert set(comparison.table["study"]) == {"PISA 2018", "TIMSS 2011", "TIMSS 1999"}
    assert comparison.largest_difference == comparison.table["difference"].max()


def test_an_absent_folder_is_named_and_nothing_is_compared(tmp_path: Path) -> None:
    result = compare_real_data(tmp_path / "shared")
    assert not result.is_available
    assert result.largest_difference is None
    assert result.table.is_empty()
    assert "real data are not here" in result.sentence
    assert "shared lacks data/pisa2018_fra_ita_mex/students.csv and 8 more" in result.sentence
