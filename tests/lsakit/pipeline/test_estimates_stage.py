"""Figures with their intervals and the rule of publication, on tables small enough to check by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from lsakit.pipeline.stages.estimates import (
    COLUMNS,
    estimate_figures,
    subjects_of,
    weighted_quarters,
)
from lsakit.pipeline.stages.truth import with_truth

SETTINGS: dict[str, Any] = {
    "population": "grade5",
    "subjects": ["maths"],
    "cuts": [450.0, 550.0],
    "percentiles": [50],
    "fay_factor": 0.5,
    "minimum_students": 30,
    "minimum_schools": 5,
}


def people(n: int = 400, n_schools: int = 20) -> pl.DataFrame:
    """Make an analysis table of three provinces, one of them with four schools only."""
    rng = np.random.default_rng(3)
    school = np.arange(n) % n_schools
    columns: dict[str, Any] = {
        "student_id": [f"s{k:04d}" for k in range(n)],
        "school_id": [f"{k:02d}" for k in school],
        "weight": np.full(n, 10.0),
        "province_code": np.where(school < 4, "02", np.where(school < 9, "03", "01")).tolist(),
        "region6": ["r1"] * n,
        "area": np.where(school % 2 == 0, "urban", "rural").tolist(),
        "disadvantaged": ["false"] * n,
        "gender": np.where(np.arange(n) // n_schools % 2 == 0, "F", "M").tolist(),
        "ethnicity": np.where(np.arange(n) < 20, "minority", "kinh").tolist(),
        "ses_quarter": [str(k % 4 + 1) for k in range(n)],
    }
    for replicate in range(1, 9):
        columns[f"replicate_{replicate}"] = 10.0 * np.where(rng.random(n_schools) < 0.5, 0.5, 1.5)[school]
    score = rng.normal(500.0, 90.0, n)
    for value in range(1, 4):
        columns[f"PV{value}MATHS"] = score + rng.normal(0.0, 20.0, n)
    return pl.DataFrame(columns)


@pytest.fixture(scope="module")
def figures() -> dict[str, dict[str, Any]]:
    table = estimate_figures(people(), SETTINGS)
    assert tuple(table.columns) == COLUMNS
    assert table.get_column("figure_id").is_unique().all()
    return {row["figure_id"]: row for row in table.to_dicts()}


def test_mean_variance_and_interval_are_the_formulas(figures: dict[str, dict[str, Any]]) -> None:
    table, row = people(), figures["grade5/maths/mean/nation/all"]
    values = table.select(f"PV{k}MATHS" for k in (1, 2, 3)).to_numpy()
    means = values.mean(axis=0)
    replicates = table.select(f"replicate_{r}" for r in range(1, 9)).to_numpy()
    deviations = replicates.T @ values / replicates.sum(axis=0)[:, None] - means
    sampling = float((deviations**2).sum(axis=0).mean() / (8 * 0.25))
    measurement = (1 + 1 / 3) * float(means.var(ddof=1))
    assert row["estimate"] == pytest.approx(means.mean(), rel=1e-12)
    assert row["sampling_variance"] == pytest.approx(sampling, rel=1e-9)
    assert row["measurement_variance"] == pytest.approx(measurement, rel=1e-9)
    assert row["standard_error"] ** 2 == pytest.approx(sampling + measurement, rel=1e-9)
    half = stats.t.ppf(0.975, row["degrees_of_freedom"]) * row["standard_error"]
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((row["estimate"] - half, row["estimate"] + half))
    assert (row["n"], row["n_schools"], row["suppressed_because"]) == (400, 20, None)


def test_a_gap_is_the_difference_of_its_two_means(figures: dict[str, dict[str, Any]]) -> None:
    for by, (first, second) in {"gender": ("F", "M"), "area": ("urban", "rural")}.items():
        gap = figures[f"grade5/maths/gap/{by}/{first}-{second}"]
        means = [figures[f"grade5/maths/mean/{by}/{group}"]["estimate"] for group in (first, second)]
        assert gap["estimate"] == pytest.approx(means[0] - means[1])
        assert gap["ci_low"] < gap["estimate"] < gap["ci_high"]
        assert gap["n"] == 400


def test_a_difference_to_the_nation_holds_the_covariance(figures: dict[str, dict[str, Any]]) -> None:
    part = figures["grade5/maths/mean/province_code/01"]
    whole = figures["grade5/maths/mean/nation/all"]
    difference = figures["grade5/maths/difference_to_nation/province_code/01"]
    assert difference["estimate"] == pytest.approx(part["estimate"] - whole["estimate"])
    table = people()
    inside = (table.get_column("province_code") == "01").to_numpy()
    values = table.select(f"PV{k}MATHS" for k in (1, 2, 3)).to_numpy()
    weights = table.select("weight", *(f"replicate_{r}" for r in range(1, 9))).to_numpy()
    parts = (weights[inside].T @ values[inside]) / weights[inside].sum(axis=0)[:, None]
    apart = parts - (weights.T @ values) / weights.sum(axis=0)[:, None]
    sampling = float(((apart[1:] - apart[0]) ** 2).sum(axis=0).mean() / (8 * 0.25))
    assert difference["sampling_variance"] == pytest.approx(sampling, rel=1e-9)


def test_levels_are_shares_that_sum_to_one(figures: dict[str, dict[str, Any]]) -> None:
    levels = [figures[f"grade5/maths/{name}/nation/all"] for name in ("below_1", "level_1", "level_2")]
    assert sum(row["estimate"] for row in levels) == pytest.approx(1.0)
    above = figures["grade5/maths/at_or_above_1/nation/all"]
    assert above["estimate"] == pytest.approx(1.0 - levels[0]["estimate"])
    assert all(0.0 <= row["ci_low"] <= row["ci_high"] <= 1.0 for row in [*levels, above])


def test_the_next_smallest_is_hidden_beside_a_hidden_figure(figures: dict[str, dict[str, Any]]) -> None:
    reasons = {
        group: figures[f"grade5/maths/mean/{group}"]["suppressed_because"]
        for group in ("province_code/01", "province_code/02", "province_code/03", "ethnicity/kinh")
    }
    assert reasons == {
        "province_code/01": None,
        "province_code/02": "too_few_schools:5",
        "province_code/03": "complementary",
        "ethnicity/kinh": "complementary",
    }


def test_a_figure_on_too_few_keeps_its_counts_and_loses_its_numbers(
    figures: dict[str, dict[str, Any]],
) -> None:
    by_schools = figures["grade5/maths/mean/province_code/02"]
    by_students = figures["grade5/maths/mean/ethnicity/minority"]
    gap = figures["grade5/maths/gap/ethnicity/kinh-minority"]
    assert (by_schools["n"], by_schools["n_schools"]) == (80, 4)
    assert by_schools["suppressed_because"] == "too_few_schools:5"
    assert by_students["suppressed_because"] == "too_few_students:30"
    assert gap["suppressed_because"] == "too_few_students:30"
    for row in (by_schools, by_students, gap):
        names = (
            "estimate",
            "standard_error",
            "ci_low",
            "ci_high",
            "sampling_variance",
            "measurement_variance",
        )
        assert [row[name] for name in names] == [None] * len(names)


def test_quarters_have_equal_weight_and_keep_ties_together() -> None:
    values = pl.Series([1.0, 2.0, 3.0, 4.0, 5.0, float("nan")])
    assert weighted_quarters(values, pl.Series([1.0] * 6)).to_list() == ["1", "2", "3", "3", "4", None]
    assert weighted_quarters(values, pl.Series([4.0, 1.0, 1.0, 1.0, 1.0, 1.0])).to_list()[:2] == ["2", "3"]
    assert weighted_quarters(pl.Series([7.0, 7.0, 7.0]), pl.Series([1.0] * 3)).to_list() == ["3", "3", "3"]


def test_the_truth_stands_beside_its_figure_and_only_there() -> None:
    known = pl.DataFrame(
        {
            "subject": ["maths"] * 3,
            "statistic": ["mean"] * 3,
            "by": [None, "gender", "province_code×gender"],
            "group": ["all", "F", "01×F"],
            "truth": [500.0, 512.0, 530.0],
        }
    )
    rows = pl.DataFrame(
        {
            "subject": ["maths"] * 4,
            "statistic": ["mean", "mean", "difference_to_nation", "sd"],
            "by": ["nation", "province_code+gender", "gender", "nation"],
            "group": ["all", "01+F", "F", "all"],
        }
    )
    assert with_truth(rows, known).get_column("truth").to_list() == [500.0, 530.0, 12.0, None]
    assert with_truth(rows, None).get_column("truth").to_list() == [None] * 4


def test_subjects_are_read_from_the_columns() -> None:
    assert subjects_of(
        pl.DataFrame({"student_id": [], "PV1MATHS": [], "PV2MATHS": [], "PV1READING": []})
    ) == [
        "maths",
        "reading",
    ]
