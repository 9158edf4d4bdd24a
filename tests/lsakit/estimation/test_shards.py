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
from lsakit.estimation import sharded, sharded_percentiles
from lsakit.estimation.percentile_rules import RULES
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
    "percentiles by two keys": lambda t, d: lk.estimate_percentiles(
        t, Y, [5, 50, 95], by=["REGION", "GENDER"], design=d, cluster="SCHOOL"
    ),
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


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("values", [Y, "BOOKS"])
def test_percentiles_of_shards(
    rule: str, values: str, students: pl.DataFrame, files: Path, design: lk.SurveyDesign, monkeypatch: Any
) -> None:
    monkeypatch.setattr(sharded_percentiles, "MOST_BINS", 12)
    monkeypatch.setattr(sharded_percentiles, "MOST_PAIRS", 7)  # several slices of pairs in one shard
    source = lk.open_shards(files, executor="serial", rows_per_shard=70)
    asked = [2, 10, 25, 37.5, 50, 75, 90, 98]
    expected = lk.estimate_percentiles(students, values, asked, by="REGION", design=design, rule=rule)
    found = lk.estimate_percentiles(source, values, asked, by="REGION", design=design, rule=rule)
    assert_same(found, expected, 1e-9 if rule.startswith("edsurvey") else CLOSE)
    if rule in ("step", "rrepest"):
        assert np.array_equal(found.replicate_estimates, expected.replicate_estimates)


SOME = ("means", "regression", "cross-table", "percentiles by two keys")


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_every_executor_gives_the_same_bits(executor: str, files: Path, fay: lk.SurveyDesign) -> None:
    plain = lk.open_shards(files, executor="serial", rows_per_shard=70)
    other = lk.open_shards(files, executor=executor, n_workers=2, rows_per_shard=70)
    for name in SOME:
        one, two = STATISTICS[name](plain, fay), STATISTICS[name](other, fay)
        assert np.array_equal(one.replicate_estimates, two.replicate_estimates, equal_nan=True)
        assert one.table.equals(two.table)


def test_a_dask_cluster_gives_the_same_bits(files: Path, fay: lk.SurveyDesign) -> None:
    distributed = pytest.importorskip("distributed")
    plain = lk.open_shards(files, executor="serial", rows_per_shard=70)
    with (
        warnings.catch_warnings(action="ignore"),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        source = lk.open_shards(files, client=client, rows_per_shard=70)
        for name in SOME:
            one, two = STATISTICS[name](plain, fay), STATISTICS[name](source, fay)
            assert np.array_equal(one.replicate_estimates, two.replicate_estimates, equal_nan=True)
        with pytest.raises(TableError, match="must have no missing"):
            lk.estimate_means(
                source,
                Y,
                design=lk.SurveyDesign(weight="ESCS", replicates="R{r}", n_replicates=8, method="brr"),
            )


def test_a_relation_of_duckdb(students: pl.DataFrame, fay: lk.SurveyDesign, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    students.write_parquet(tmp_path / "all.parquet")
    connection = duckdb.connect(str(tmp_path / "census.duckdb"))
    connection.execute(f"CREATE TABLE students AS SELECT * FROM '{tmp_path / 'all.parquet'}'")
    expected = lk.estimate_means(students.filter(pl.col("GENDER") == "F"), Y, by="REGION", design=fay)
    source = lk.open_shards(
        connection.sql("SELECT * FROM students WHERE GENDER = 'F'"), rows_per_shard=50, executor="serial"
    )
    assert_same(lk.estimate_means(source, Y, by="REGION", design=fay), expected)
    connection.close()
    query = "SELECT * FROM students WHERE GENDER = 'F'"
    source = lk.open_shards(tmp_path / "census.duckdb", query=query, executor="serial")
    assert_same(lk.estimate_means(source, Y, by="REGION", design=fay), expected)
    with pytest.raises(FileFormatError, match="DuckDB cannot select"):
        lk.open_shards(tmp_path / "census.duckdb", query="SELECT * FROM nothing")


def test_comparisons_take_results_of_shards(
    students: pl.DataFrame, files: Path, fay: lk.SurveyDesign
) -> None:
    source = lk.open_shards(files, executor="serial")
    whole, parts = (lk.estimate_means(t, Y, by="GENDER", design=fay) for t in (students, source))
    one, two = lk.compare(whole, "GENDER"), lk.compare(parts, "GENDER")
    np.testing.assert_allclose(two.standard_error, one.standard_error, rtol=1e-9)
    one, two = lk.trend([whole, whole], linking_error=2.0), lk.trend([parts, parts], linking_error=2.0)
    np.testing.assert_allclose(two.standard_error, one.standard_error, rtol=1e-9)


def test_user_missing_codes(students: pl.DataFrame, tmp_path: Path, fay: lk.SurveyDesign) -> None:
    students.write_parquet(tmp_path / "a.parquet")
    book = Codebook(variables=(Variable(name="BOOKS", type="integer", missing={5: "R"}),))
    expected = lk.estimate_frequencies(lk.prepare(students, fay, codebook=book), "BOOKS")
    source = lk.open_shards(tmp_path, codebook=book, executor="serial", rows_per_shard=100)
    found = lk.estimate_frequencies(source, "BOOKS", design=fay)
    assert "share_5" not in found.table["statistic"].to_list()
    assert_same(found, expected)


def test_an_interrupted_run_goes_on(files: Path, fay: lk.SurveyDesign, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    options = {"executor": "serial", "rows_per_shard": 70, "folder": tmp_path / "kept"}
    call = STATISTICS["regression"]
    stopped = lk.open_shards(
        files,
        **options,
        progress=lambda done, of: seen.append((done, of)),
        is_cancelled=lambda: len(seen) > 9,
    )
    with pytest.raises(CancelledError, match="kept"):
        call(stopped, fay)
    kept = {p: p.stat().st_mtime_ns for p in (tmp_path / "kept").glob("*.npz")}
    assert 1 <= len(kept) < 7
    result = call(lk.open_shards(files, **options), fay)
    again = {p: p.stat().st_mtime_ns for p in (tmp_path / "kept").glob("*.npz")}
    assert len(again) == 7
    assert all(again[path] == stamp for path, stamp in kept.items())
    fresh = call(lk.open_shards(files, executor="serial", rows_per_shard=70), fay)
    assert np.array_equal(result.replicate_estimates, fresh.replicate_estimates)
    assert result.table.equals(fresh.table)


def test_a_damaged_kept_file_is_made_anew(files: Path, fay: lk.SurveyDesign, tmp_path: Path) -> None:
    source = lk.open_shards(files, executor="serial", folder=tmp_path)
    first = lk.estimate_means(source, Y, design=fay)
    for path in tmp_path.glob("*.npz"):
        path.write_bytes(path.read_bytes()[:100])
    assert lk.estimate_means(source, Y, design=fay).table.equals(first.table)


def test_a_changed_file_is_not_taken_for_the_old_one(
    students: pl.DataFrame, fay: lk.SurveyDesign, tmp_path: Path
) -> None:
    file = tmp_path / "a.parquet"
    students.write_parquet(file)
    one = lk.estimate_means(lk.open_shards(file, folder=tmp_path / "kept"), Y, design=fay)
    students.with_columns(pl.col("PV1MATH") + 100.0).write_parquet(file)
    two = lk.estimate_means(lk.open_shards(file, folder=tmp_path / "kept"), Y, design=fay)
    assert two.table["estimate"][0] == pytest.approx(one.table["estimate"][0] + 100.0 / 5)


@pytest.mark.parametrize(
    "call",
    [
        lambda t, d: lk.estimate_multilevel(t, f"{Y} ~ 1", cluster="SCHOOL", design=d),
        lambda t, d: lk.estimate_quantile_regression(t, f"{Y} ~ BOOKS", [50], design=d),
        lambda t, d: lk.estimate_regression(t, f"{Y} > 500 ~ BOOKS", family="logistic", design=d),
        lambda t, d: lk.estimate_resilience(t, Y, "ESCS", design=d),
        lambda t, d: lk.estimate_decomposition(t, f"{Y} ~ BOOKS", "GENDER", design=d),
        lambda t, d: lk.estimate(t, lambda x, w: float(x @ w), Y, design=d),
        lambda t, d: lk.quantile_groups(t, "ESCS", design=d),
    ],
)
def test_what_is_no_sum_is_refused_in_a_sentence(
    call: Callable[[Any, Any], Any], files: Path, fay: lk.SurveyDesign
) -> None:
    with pytest.raises(EstimationError, match="cannot be computed from shards"):
        call(lk.open_shards(files), fay)


def test_refusals_name_the_file_and_the_row(
    students: pl.DataFrame, fay: lk.SurveyDesign, tmp_path: Path
) -> None:
    students[:100].write_parquet(tmp_path / "a.parquet")
    wrong = students[100:].with_columns(
        pl.when(pl.arange(pl.len()) == 57).then(-1.0).otherwise(pl.col("W")).alias("W")
    )
    wrong.write_parquet(tmp_path / "b.parquet")
    source = lk.open_shards(tmp_path, rows_per_shard=50)
    with pytest.raises(EstimationError, match=r"b\.parquet row 58"):
        lk.estimate_means(source, Y, design=fay)


def test_other_refusals(students: pl.DataFrame, files: Path, fay: lk.SurveyDesign, tmp_path: Path) -> None:
    source = lk.open_shards(files, executor="serial")
    with pytest.raises(DesignError, match="needs a survey design"):
        lk.estimate_means(source, Y)
    with pytest.raises(TableError, match="no column 'NOTHING'"):
        lk.estimate_means(source, Y, by="NOTHING", design=fay)
    with pytest.raises(FileFormatError, match="No Parquet file"):
        lk.open_shards(tmp_path / "nowhere" / "*.parquet")
    with pytest.raises(DesignError, match="'executor' is one of"):
        lk.open_shards(files, executor="spark")
    with pytest.raises(DesignError, match="no option 'fast'"):
        lk.open_shards(files, fast=True)
    with pytest.raises(DesignError, match="'n_workers' is at least 1"):
        lk.open_shards(files, n_workers=0)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(FileFormatError, match=r"'broken\.parquet' cannot be read"):
        lk.open_shards(tmp_path / "broken.parquet")
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    students.write_parquet(mixed / "a.parquet")
    students.with_columns(pl.col("BOOKS").cast(pl.String)).write_parquet(mixed / "b.parquet")
    with pytest.raises(TableError, match=r"'BOOKS' is Int64 in 'a\.parquet' but String in 'b\.parquet'"):
        lk.open_shards(mixed)
    empty = students.with_columns(pl.lit(None).cast(pl.Float64).alias("ESCS"))
    empty.write_parquet(tmp_path / "none.parquet")
    with pytest.raises(EstimationError, match="No row of the 1 shards"):
        lk.estimate_means(lk.open_shards(tmp_path / "none.parquet"), "ESCS", design=fay)
    nothing = students.with_columns(
        pl.when(pl.col("REGION") == "late").then(0.0).otherwise(pl.col("W")).alias("W")
    )
    nothing.write_parquet(tmp_path / "weightless.parquet")
    with pytest.raises(EstimationError, match="1 of 4 groups sum to zero"):
        lk.estimate_means(lk.open_shards(tmp_path / "weightless.parquet"), Y, by="REGION", design=fay)


def test_weights_that_were_read_once_give_the_same_bits(files: Path, design: lk.SurveyDesign) -> None:
    kept = lk.open_shards(files, executor="serial", rows_per_shard=70)
    forgetful = lk.open_shards(files, executor="serial", rows_per_shard=70)
    object.__setattr__(forgetful, "weights", sharded.WeightMemory(0))
    for name in SOME:
        one, two = STATISTICS[name](kept, design), STATISTICS[name](forgetful, design)
        assert np.array_equal(one.replicate_estimates, two.replicate_estimates, equal_nan=True)
    assert kept.weights.find((kept.shards[0], design)) is not None
    assert forgetful.weights.find((forgetful.shards[0], design)) is None
