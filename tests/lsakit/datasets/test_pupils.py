"""Pupils and their truth: the same alone and together, with the variances that the model states."""

from __future__ import annotations

import datetime

import numpy as np
import polars as pl
import pytest

from lsakit.datasets import Nation, NationSize, TruthOptions, nation
from lsakit.errors import DesignError, EstimationError

HIDDEN = ["ses", "theta_maths", "theta_reading"]
SIZE = NationSize(n_provinces=12, n_schools_5=1500, n_schools_9=1200, n_pupils_5=180_000, n_pupils_9=168_000)


@pytest.fixture(scope="module")
def country() -> Nation:
    return nation(seed=11, size=SIZE)


@pytest.fixture(scope="module", params=[5, 9])
def everybody(request: pytest.FixtureRequest, country: Nation) -> tuple[int, pl.DataFrame]:
    grade = request.param
    return grade, country.students(country.frame(grade).get_column("school_id").to_list(), grade)


def between_share(values: np.ndarray, school: np.ndarray) -> float:
    """Share of variance between schools, the within-school part of the means taken out."""
    size = np.bincount(school)
    mean = np.bincount(school, weights=values) / size
    within = np.sum((values - mean[school]) ** 2) / (len(values) - len(size))
    between = np.average((mean - values.mean()) ** 2, weights=size) - within * len(size) / len(values)
    return float(between / (between + within))


def test_a_school_made_alone_equals_the_school_in_the_nation(
    country: Nation, everybody: tuple[int, pl.DataFrame]
) -> None:
    grade, pupils = everybody
    for school in pupils.get_column("school_id").unique(maintain_order=True).to_list()[::400]:
        alone = country.students([school], grade)
        assert alone.equals(pupils.filter(pl.col("school_id") == school))


def test_a_nation_made_again_has_the_same_pupils(country: Nation) -> None:
    school = country.frame(5).item(17, "school_id")
    assert nation(seed=11, size=SIZE).students([school], 5).equals(country.students([school], 5))


def test_grades_of_one_school_share_no_draws(country: Nation) -> None:
    both = country.schools.filter((pl.col("enrolment_5") > 30) & (pl.col("enrolment_9") > 30))
    school = both.item(0, "school_id")
    five, nine = country.students([school], 5), country.students([school], 9)
    n = min(five.height, nine.height)
    assert not set(five.get_column("ses").to_list()[:n]) & set(nine.get_column("ses").to_list()[:n])


def test_variances_correlations_and_intraclass_shares(everybody: tuple[int, pl.DataFrame]) -> None:
    grade, pupils = everybody
    school = pupils.get_column("school_id").rank("dense").to_numpy().astype(np.int64) - 1
    maths, reading, ses = (
        pupils.get_column(name).to_numpy() for name in ("theta_maths", "theta_reading", "ses")
    )
    low, high = (0.28, 0.36) if grade == 5 else (0.33, 0.41)
    for theta in (maths, reading):
        assert 0.0 < theta.mean() < 0.2
        assert 0.95 < theta.std() < 1.05
        assert low < between_share(theta, school) < high
    assert 0.72 < np.corrcoef(maths, reading)[0, 1] < 0.79
    assert abs(ses.mean()) < 0.02
    assert 0.97 < ses.std() < 1.03
    assert 0.26 < between_share(ses, school) < 0.34
    assert 0.2 < np.corrcoef(ses, maths)[0, 1] < 0.45


def test_the_intraclass_measure_notices_shuffled_schools(everybody: tuple[int, pl.DataFrame]) -> None:
    """Negative control: with pupils dealt to schools at random nothing lies between schools."""
    _, pupils = everybody
    school = pupils.get_column("school_id").rank("dense").to_numpy().astype(np.int64) - 1
    shuffled = np.random.default_rng(0).permutation(school)
    assert abs(between_share(pupils.get_column("theta_maths").to_numpy(), shuffled)) < 0.01


def test_residuals_of_ability_are_normal_and_alike_in_all_schools(
    everybody: tuple[int, pl.DataFrame],
) -> None:
    _, pupils = everybody
    centered = pupils.with_columns(
        away=pl.col("theta_maths") - pl.col("theta_maths").mean().over("school_id"),
        size=pl.len().over("school_id"),
    ).filter(pl.col("size") > 100)
    away = centered.get_column("away").to_numpy()
    scaled = away / away.std()
    assert abs(np.mean(scaled**3)) < 0.05
    assert abs(np.mean(scaled**4) - 3) < 0.1


def test_girls_read_better(everybody: tuple[int, pl.DataFrame]) -> None:
    _, pupils = everybody
    by = dict(pupils.group_by("gender").agg(pl.col("theta_reading").mean()).rows())
    assert 0.15 < by["F"] - by["M"] < 0.35
    assert 0.46 < pupils.get_column("gender").eq("F").mean() < 0.50


def test_lists_hold_no_truth_and_say_what_schools_say(country: Nation) -> None:
    schools = country.frame(5).get_column("school_id").to_list()[:40]
    lists, truth = country.lists(schools, 5), country.students(schools, 5)
    assert lists.columns == ["school_id", "student_id", "class_id", "gender", "birth_date", "ethnicity"]
    assert truth.columns == lists.columns + HIDDEN
    assert lists.equals(truth.drop(HIDDEN))
    assert lists.get_column("student_id").n_unique() == lists.height
    assert lists.get_column("birth_date").dtype == pl.Date
    years = lists.get_column("birth_date").dt.year()
    assert years.max() == 2015
    assert years.min() >= 2013
    assert (years == 2015).mean() > 0.9
    assert lists.get_column("birth_date").max() <= datetime.date(2015, 12, 31)


def test_the_list_is_close_to_the_frame_and_has_its_classes(country: Nation) -> None:
    frame = country.frame(9).head(60)
    lists = country.lists(frame.get_column("school_id").to_list(), 9)
    counted = lists.group_by("school_id").agg(n=pl.len(), classes=pl.col("class_id").n_unique())
    joined = frame.select("school_id", "enrolment", stated="classes").join(counted, on="school_id")
    assert joined.height == 60
    change = (joined.get_column("n") / joined.get_column("enrolment") - 1).abs()
    assert 0 < change.max() < 0.15
    assert (joined.get_column("classes") == joined.get_column("stated")).all()


def brute_force(pupils: pl.DataFrame, facts: pl.DataFrame, by: str | None) -> dict[tuple[str, str], float]:
    """Compute a few statistics of pupils by plain loops over groups."""
    table = pupils.join(facts, on="school_id", how="left")
    scores = table.with_columns(score=500 + 100 * pl.col("theta_reading"))
    groups = [("all", scores)] if by is None else [(str(k[0]), part) for k, part in scores.group_by(by)]
    found = {}
    for name, part in groups:
        values = part.get_column("score").to_numpy()
        found["mean", name] = float(values.mean())
        found["sd", name] = float(values.std())
        found["level_2", name] = float(np.mean((values >= 420.07) & (values < 482.38)))
        found["at_or_above_5", name] = float(np.mean(values >= 606.99))
        found["below_1", name] = float(np.mean(values < 357.77))
        found["p25", name] = float(np.sort(values)[int(np.ceil(0.25 * len(values))) - 1])
    return found


@pytest.mark.parametrize("by", [None, "province_code", "gender", "area", "ethnicity", "region6"])
def test_truth_equals_brute_force(
    country: Nation, everybody: tuple[int, pl.DataFrame], by: str | None
) -> None:
    grade, pupils = everybody
    truth = country.truth(grade, TruthOptions(by=(by or "nation",))).filter(pl.col("subject") == "reading")
    known = {(row["statistic"], row["group"]): row["truth"] for row in truth.iter_rows(named=True)}
    expected = brute_force(
        pupils, country.schools.select("school_id", "province_code", "area", "region6"), by
    )
    assert len(expected) >= 6
    for key, value in expected.items():
        assert known[key] == pytest.approx(value, rel=1e-10), key


def test_truth_is_tidy_and_its_levels_add_up(country: Nation) -> None:
    truth = country.truth(5)
    assert truth.columns == ["population", "subject", "statistic", "by", "group", "n", "truth"]
    levels = ["below_1", *(f"level_{number}" for number in range(1, 6))]
    keys = ["subject", "by", "group"]
    sums = truth.filter(pl.col("statistic").is_in(levels)).group_by(keys).agg(pl.col("truth").sum())
    assert sums.get_column("truth").to_numpy() == pytest.approx(1.0)
    gaps = truth.filter(pl.col("statistic") == "gap")
    assert set(gaps.get_column("group")) == {"F-M", "urban-rural", "kinh-minority"}
    quarters = truth.filter((pl.col("by") == "ses_quarter") & (pl.col("statistic") == "mean"))
    assert quarters.get_column("group").to_list() == ["1", "2", "3", "4"] * 2
    assert quarters.filter(pl.col("subject") == "maths").get_column("truth").is_sorted()


def test_truth_of_a_gap_is_the_difference_of_the_means(country: Nation) -> None:
    truth = country.truth(9, TruthOptions(by=("gender",))).filter(pl.col("subject") == "maths")
    value = {(row["statistic"], row["group"]): row["truth"] for row in truth.iter_rows(named=True)}
    assert value["gap", "F-M"] == pytest.approx(value["mean", "F"] - value["mean", "M"])


def test_truth_by_an_unknown_key_is_refused(country: Nation) -> None:
    with pytest.raises(EstimationError, match="knows no group 'shoe_size'") as refusal:
        country.truth(5, TruthOptions(by=("nation", "shoe_size")))
    assert "province_code" in refusal.value.hint


def test_a_school_without_the_grade_is_refused(country: Nation) -> None:
    only_secondary = country.schools.filter(pl.col("enrolment_5") == 0).item(0, "school_id")
    with pytest.raises(DesignError, match="have no grade 5 in this nation") as refusal:
        country.lists([only_secondary], 5)
    assert only_secondary in str(refusal.value)


def test_background_knows_what_the_questionnaire_asks(country: Nation) -> None:
    schools = country.frame(5).get_column("school_id").to_list()[:60]
    pupils = country.students(schools, 5)
    known = country.background(pupils.select("student_id"), 5)
    assert known.columns[:5] == ["student_id", "school_id", "gender", "ethnicity", "ses"]
    assert not set(known.columns) & {"theta_maths", "theta_reading"}
    assert known.get_column("gender").to_list() == pupils.get_column("gender").to_list()
    assert known.get_column("school_id").to_list() == pupils.get_column("school_id").to_list()
    missing = known.get_column("ses").is_null()
    assert 0.01 < missing.mean() < 0.03
    same = known.get_column("ses").filter(~missing) == pupils.get_column("ses").filter(~missing)
    assert same.all()
    for name in ("province_code", "region6", "area", "disadvantaged", "sector"):
        assert known.get_column(name).null_count() == 0


def test_a_foreign_pupil_has_no_background(country: Nation) -> None:
    school = country.frame(5).item(0, "school_id")
    with pytest.raises(DesignError, match="on no list of grade 5"):
        country.background({"student_id": [f"{school}59999"], "school_id": [school]}, 5)
