"""Estimates from shards equal those from the table in memory, whoever works on the shards."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import lsakit as lk
from lsakit.errors import CancelledError, DesignError, EstimationError, FileFormatError, TableError
from lsakit.estimation.results import Estimates
from lsakit.io.codebook import Codebook, Variable

Y = "PV{m}MATH"
# Sums are added in another order and about another centre; 1e-9 is the promise, 1e-11 what double precision leaves.
CLOSE = 1e-11

STATISTICS: dict[str, Callable[[Any, Any], Any]] = {
    "means": lambda t, d: lk.estimate_means(t, Y, by=["REGION", "GENDER"], cluster="SCHOOL", design=d),
    "means of all": lambda t, d: lk.estimate_means(t, "ESCS", design=d, cluster="SCHOOL"),
    "sd, minus one": lambda t, d: lk.estimate_means(t, Y, design=d, sd_divisor="sum_of_weights_minus_one"),
    "levels": lambda t, d: lk.estimate_levels(t, Y, cuts=[420.0, 480.0, 545.0], by="REGION", design=d),
    "shares": lambda t, d: lk.estimate_proportions(t, "MOOD", by="GENDER", design=d, cluster="SCHOOL"),
    "frequencies": lambda t, d: lk.estimate_frequencies(t, "BOOKS", by="REGION", design=d),
    "cross-table": lambda t, d: lk.estimate_cross_table(t, "BOOKS", "GENDER", by="REGION", design=d).cells,
    "correlations": lambda t, d: lk.estimate_correlations(t, [Y, "ESCS", "BOOKS"], by="GENDER", design=d),
    "correlations of complete rows": lambda t, d: lk.estimate_correlations(
        t, [Y, "PV{m}READ", "BOOKS"], design=d
    ),
    "regression": lambda t, d: lk.estimate_regression(
        t, f"{Y} ~ ESCS + C(MOOD) + BOOKS", by="REGION", design=d, cluster="SCHOOL"
    ),
    "regression on values": lambda t, d: lk.estimate_regression(t, f"BOOKS ~ {Y} * C(GENDER)", design=d),
    "regression without intercept": lambda t, d: lk.estimate_regression(t, f"{Y} ~ 0 + BOOKS", design=d),
    "gradient": lambda t, d: lk.estimate_gradient(t, Y, "ESCS", by="GENDER", design=d),
    "relative risk": lambda t, d: lk.estimate_relative_risk(
        t, f"{Y} < 450", "GENDER == 'F'", by="REGION", design=d
    ),
}


@pytest.fixture(scope="module")
def students(survey: pl.DataFrame) -> pl.DataFrame:
    """The survey with missing values, a rare category and a region that only some files have."""
    rng = np.random.default_rng(5)
    n = survey.height
    status = np.where(rng.random(n) < 0.08, np.nan, rng.normal(size=n))
    mood = [None if k < 3 else "xyz"[k % 3] for k in rng.integers(0, 20, n)]
    region = ["late" if row > n - 60 else value for row, value in enumerate(survey["REGION"].to_list())]
    region = [None if row % 41 == 7 else value for row, value in enumerate(region)]
    return survey.with_columns(
        pl.Series("ESCS", status), pl.Series("MOOD", mood), pl.Series("REGION", region)
    )


@pytest.fixture(scope="module")
def files(students: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four files of unequal size; the second has no status at all, the last no region of the first."""
    folder = tmp_path_factory.mktemp("students")
    bounds = [0, 100, 130, 131, students.height]
    for k in range(4):
        part = students[bounds[k] : bounds[k + 1]]
        part.write_parquet(folder / f"part-{k}.parquet")
    return folder


@pytest.fixture(scope="module", params=["fay", "jk2_both"])
def design(request: pytest.FixtureRequest, fay: lk.SurveyDesign) -> lk.SurveyDesign:
    if request.param == "fay":
        return fay
    return lk.SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2_both")


def assert_same(found: Estimates, expected: Estimates, tolerance: float = CLOSE) -> None:
    """Same rows, same numbers under every weight, same rows left out."""
    words = [n for n, kind in expected.table.schema.items() if kind != pl.Float64]
    assert found.table.columns == expected.table.columns
    assert found.table.select(words).equals(expected.table.select(words))
    ours, theirs = found.replicate_estimates, expected.replicate_estimates
    assert ours.shape == theirs.shape
    scale = np.maximum(np.abs(theirs).max(axis=(1, 2), keepdims=True), 1.0)
    np.testing.assert_allclose(ours / scale, theirs / scale, rtol=0.0, atol=tolerance)
    np.testing.assert_allclose(found.standard_error, expected.standard_error, rtol=1e-9, atol=1e-12)
    assert found.n_missing_by == expected.n_missing_by
    assert found.n_missing_values == expected.n_missing_values
    assert found.lonely_zones == expected.lonely_zones


@pytest.mark.parametrize("name", STATISTICS)
def test_shards_give_the_numbers_of_the_table(
    name: str, students: pl.DataFrame, files: Path, design: lk.SurveyDesign
) -> None:
    source = lk.open_shards(files, executor="serial", rows_per_shard=70)
    assert len(source.shards) == 7
    assert source.height == students.height
    assert_same(STATISTICS[name](source, design), STATISTICS[name](students, design))
