"""Items, booklets, participation and answers: they follow the model that the truth states."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import polars as pl
import pytest

from lsakit.datasets import Administration, Nation, NationSize, nation
from lsakit.datasets.answers import category_chances
from lsakit.datasets.instrument import CLUSTERS, make_booklets
from lsakit.errors import DesignError

SIZE = NationSize(n_provinces=6, n_schools_5=900, n_schools_9=700, n_pupils_5=120_000, n_pupils_9=100_000)


@pytest.fixture(scope="module")
def country() -> Nation:
    return nation(seed=5, size=SIZE)


@pytest.fixture(scope="module")
def pupils(country: Nation) -> pl.DataFrame:
    """Thirty pupils of every school, booklets in turn."""
    schools = country.frame(5).get_column("school_id").to_list()
    lists = country.lists(schools, 5).with_columns(line=pl.int_range(pl.len()).over("school_id"))
    chosen = lists.filter(pl.col("line") < 30).select("school_id", "student_id")
    return chosen.with_columns(probability=pl.lit(1.0), booklet=pl.int_range(pl.len()) % 13 + 1)


@pytest.fixture(scope="module")
def drawn(country: Nation) -> pl.DataFrame:
    """A third of the schools as originals, the rest as their replacements."""
    ids = country.frame(5).get_column("school_id").to_list()
    return pl.DataFrame({"school_id": ids[::3], "replacement_1": ids[1::3], "replacement_2": ids[2::3]})


@pytest.fixture(scope="module")
def day(country: Nation, pupils: pl.DataFrame, drawn: pl.DataFrame) -> Administration:
    return country.administer(pupils, 5, schools=drawn, seed=77)


@pytest.fixture(scope="module")
def everyone(country: Nation, pupils: pl.DataFrame) -> Administration:
    """All schools as originals: many responses to hold against the model."""
    return country.administer(pupils, 5, seed=78)


def test_tv_4_3_booklets_are_the_balanced_design() -> None:
    """TV-4.3: offsets {0, 1, 3, 9} mod 13; each cluster once in each position, each pair exactly once."""
    booklets = make_booklets()
    clusters = booklets.sort("booklet", "position").group_by("booklet", maintain_order=True).agg("cluster")
    rows = clusters.get_column("cluster").to_list()
    assert rows[0] == [CLUSTERS[0], CLUSTERS[1], CLUSTERS[3], CLUSTERS[9]]
    assert rows[4] == [CLUSTERS[4], CLUSTERS[5], CLUSTERS[7], CLUSTERS[0]]
    assert rows[12] == [CLUSTERS[12], CLUSTERS[0], CLUSTERS[2], CLUSTERS[8]]
    for position in range(4):
        assert sorted(row[position] for row in rows) == sorted(CLUSTERS)
    pairs = Counter(frozenset(pair) for row in rows for pair in combinations(row, 2))
    assert len(pairs) == 78
    assert set(pairs.values()) == {1}


def test_items_fill_thirteen_clusters_and_trend_is_40_to_50_percent(country: Nation) -> None:
    for grade in (5, 9):
        items = country.items(grade)
        assert items.height == items.get_column("item").n_unique() == 156
        assert items.get_column("item").str.starts_with(f"G{grade}").all()
        assert set(items.get_column("cluster").value_counts().get_column("count")) == {12}
        assert 0.08 < (items.get_column("max_score") == 2).mean() < 0.12
        assert items.filter((pl.col("format") == "mc") != pl.col("key").is_not_null()).height == 0
        for subject in ("maths", "reading"):
            share = items.filter(pl.col("subject") == subject).get_column("is_trend").mean()
            assert 0.4 <= share <= 0.5
            trend = country.trend_items(grade, subject)
            assert set(trend.get_column("subject")) == {subject}
            assert trend.height == items.filter((pl.col("subject") == subject) & pl.col("is_trend")).height


def test_steps_add_to_zero_and_belong_to_two_point_items(country: Nation) -> None:
    true, items = country.true_items(5), country.items(5)
    two = (items.get_column("max_score") == 2).to_list()
    assert [value is not None for value in true.get_column("step_1").to_list()] == two
    assert (true.get_column("step_1") + true.get_column("step_2")).drop_nulls().abs().max() == 0


def test_trend_items_of_an_unknown_subject_are_refused(country: Nation) -> None:
    with pytest.raises(DesignError, match=r"'maths' or 'reading'\. Got 'science'"):
        country.trend_items(5, "science")


def test_schools_refuse_at_the_stated_rates_and_replacements_step_in(day: Administration) -> None:
    schools = day.schools
    assert schools.columns == ["school_id", "participant_id", "status", "enrolment", "enrolment_listed"]
    assert set(schools.get_column("status")) <= {1, 2, 4, 6, 8}
    refused = schools.filter(pl.col("status") == 2)
    assert 0.01 < refused.height / schools.height < 0.08
    assert refused.filter(pl.col("participant_id") == pl.col("school_id")).height == 0
    took_part = schools.filter(pl.col("status") == 1)
    assert (took_part.get_column("participant_id") == took_part.get_column("school_id")).all()
    assert schools.get_column("participant_id").drop_nulls().is_duplicated().sum() == 0


def test_listed_counts_are_those_of_the_school_that_took_part(country: Nation, day: Administration) -> None:
    table = day.schools.drop_nulls("participant_id")
    lists = country.lists(table.get_column("participant_id").to_list(), 5)
    counts = lists.group_by("school_id").agg(n=pl.len())
    joined = table.join(counts, left_on="participant_id", right_on="school_id", how="left")
    assert (joined.get_column("n") == joined.get_column("enrolment_listed")).all()


def test_pupils_are_those_of_schools_that_took_part(day: Administration, pupils: pl.DataFrame) -> None:
    took_part = set(day.schools.get_column("participant_id").drop_nulls())
    assert set(day.students.get_column("school_id")) == took_part
    invited = pupils.filter(pl.col("school_id").is_in(list(took_part)))
    assert day.students.get_column("student_id").to_list() == invited.get_column("student_id").to_list()
    present = day.students.filter(pl.col("status") == 10)
    assert day.raw_responses.get_column("student_id").to_list() == present.get_column("student_id").to_list()


def test_pupils_are_away_left_and_excluded_at_the_stated_rates(everyone: Administration) -> None:
    share = dict(everyone.students.get_column("status").value_counts(normalize=True).rows())
    assert set(share) <= {10, 20, 21, 22, 30, 31, 40}
    assert 0.03 < share[20] < 0.05
    assert 0.007 < share[40] < 0.013
    assert 0.003 < share[30] + share[31] < 0.008


def test_absence_is_independent_of_ability_given_school_and_gender(
    country: Nation, everyone: Administration
) -> None:
    truth = country.students(country.frame(5).get_column("school_id").to_list(), 5)
    table = everyone.students.join(truth.drop("school_id"), on="student_id", how="left")
    cell = ["school_id", "gender"]
    away = table.with_columns(
        theta=pl.col("theta_maths") - pl.col("theta_maths").mean().over(cell),
        absent=(pl.col("status") == 20).cast(pl.Float64) - (pl.col("status") == 20).mean().over(cell),
    )
    correlation = np.corrcoef(away.get_column("theta"), away.get_column("absent"))[0, 1]
    assert abs(correlation) < 4 / np.sqrt(table.height)


def test_the_same_seed_gives_the_same_day_whoever_else_is_asked(
    country: Nation, pupils: pl.DataFrame, everyone: Administration
) -> None:
    part = pupils.filter(
        pl.col("school_id").is_in(pupils.get_column("school_id").unique().sort()[:20].to_list())
    )
    alone = country.administer(part.sample(fraction=1.0, shuffle=True, seed=1), 5, seed=78)
    both = everyone.raw_responses.filter(
        pl.col("student_id").is_in(alone.raw_responses.get_column("student_id").to_list())
    )
    assert alone.raw_responses.height > 300
    assert alone.raw_responses.sort("student_id").equals(both.sort("student_id"))


def test_only_the_booklet_s_items_are_administered(country: Nation, everyone: Administration) -> None:
    items, booklets = country.items(5), country.booklets
    for booklet in (1, 8, 13):
        inside = booklets.filter(pl.col("booklet") == booklet).get_column("cluster").to_list()
        given = set(items.filter(pl.col("cluster").is_in(inside)).get_column("item"))
        rows = everyone.raw_responses.filter(pl.col("booklet") == booklet).drop("student_id", "booklet")
        for name in rows.columns:
            assert rows.get_column(name).is_null().all() != (name in given), name


def test_codes_are_those_of_the_item_s_format(country: Nation, everyone: Administration) -> None:
    for row in country.items(5).iter_rows(named=True):
        codes = set(everyone.raw_responses.get_column(row["item"]).drop_nulls())
        assert codes - {96, 98, 99} == set(
            range(1, 5) if row["format"] == "mc" else range(row["max_score"] + 1)
        )
        assert row["format"] == "mc" or 98 not in codes


def test_omissions_invalid_answers_and_tails_have_the_stated_rates(everyone: Administration) -> None:
    answers = everyone.raw_responses.drop("student_id", "booklet")
    codes = np.stack([column.fill_null(-1).to_numpy() for column in answers])
    administered = (codes >= 0).sum()
    assert 0.02 < (codes == 99).sum() / administered < 0.04
    assert 0.002 < (codes == 98).sum() / administered < 0.005
    assert 0.04 < (codes == 96).any(axis=0).mean() < 0.06


def test_no_booklet_ends_with_an_omission(country: Nation, everyone: Administration) -> None:
    """A rule that reads trailing omissions as not reached must find none to misread."""
    order = country.booklets.filter(pl.col("booklet") == 2).sort("position").get_column("cluster").to_list()
    names = [f"G5{cluster}Q{place:02d}" for cluster in order for place in range(1, 13)]
    rows = everyone.raw_responses.filter(pl.col("booklet") == 2).select(names).to_numpy()
    reached = (rows != 96).sum(axis=1)
    last = rows[np.arange(len(rows)), reached - 1]
    assert not (last == 99).any()
    assert all((row[:n] != 96).all() and (row[n:] == 96).all() for row, n in zip(rows, reached, strict=True))


def residuals(
    country: Nation, responses: pl.DataFrame, *, ability: str = "own"
) -> tuple[np.ndarray, np.ndarray]:
    """Standardised differences of observed and expected points per item, overall and among the able half."""
    truth = country.students(country.frame(5).get_column("school_id").to_list(), 5)
    table = responses.join(truth.drop("school_id", "gender"), on="student_id", how="left")
    rows = country.items(5).join(country.true_items(5).drop("subject"), on="item", how="left")
    overall, able = [], []
    for row in rows.iter_rows(named=True):
        given = table.filter(pl.col(row["item"]).is_not_null() & (pl.col(row["item"]) != 96))
        codes = given.get_column(row["item"]).to_numpy()
        right = codes == row["key"] if row["format"] == "mc" else np.where(codes < 96, codes, 0)
        theta = given.get_column(f"theta_{row['subject']}").to_numpy()
        theta = theta if ability == "own" else theta + 0.1
        step = np.array([np.nan if row["step_1"] is None else row["step_1"]])
        chance = category_chances(
            theta[:, None], np.array([row["slope"]]), np.array([row["difficulty"]]), step
        )
        expected = chance.sum(axis=0)[:, 0]
        variance = (chance[0] + 3 * chance[1])[:, 0] - expected**2
        for chosen, found in ((np.ones(len(theta), dtype=bool), overall), (theta > 0.5, able)):
            difference = (right[chosen] - expected[chosen]).sum()
            found.append(difference / np.sqrt(variance[chosen].sum()))
    return np.array(overall), np.array(able)


def test_points_follow_the_true_model(country: Nation, everyone: Administration) -> None:
    """156 standardised residuals: their sum of squares lies within the 99.9 % range of chi-square(156)."""
    overall, able = residuals(country, everyone.raw_responses)
    for found in (overall, able):
        assert 103 < np.sum(found**2) < 219
        assert np.abs(found).max() < 4.5


def test_the_test_of_the_model_notices_a_shift_of_a_tenth(country: Nation, everyone: Administration) -> None:
    """Negative control: abilities raised by 0.1 are found out."""
    overall, _ = residuals(country, everyone.raw_responses, ability="raised")
    assert np.sum(overall**2) > 219


def test_bad_tables_are_refused(country: Nation, pupils: pl.DataFrame) -> None:
    few = pupils.head(5)
    with pytest.raises(DesignError, match=r"must lie between 1 and 13\. Got 14"):
        country.administer(few.with_columns(booklet=pl.lit(14)), 5, seed=1)
    with pytest.raises(ValueError, match="must be unique"):
        country.administer(pl.concat([few, few]), 5, seed=1)
    foreign = few.with_columns(student_id=pl.col("school_id") + "50000")
    with pytest.raises(DesignError, match="on no list of grade 5"):
        country.administer(foreign.head(1), 5, seed=1)
    with pytest.raises(KeyError, match="no column 'booklet'"):
        country.administer(few.drop("booklet"), 5, seed=1)
    with pytest.raises(DesignError, match="'grade' must be 5 or 9"):
        country.administer(few, 7, seed=1)


def test_a_replacement_for_two_schools_is_refused(country: Nation, pupils: pl.DataFrame) -> None:
    ids = pupils.get_column("school_id").unique(maintain_order=True).to_list()[:3]
    drawn = pl.DataFrame(
        {"school_id": ids[:2], "replacement_1": [ids[2], ids[2]], "replacement_2": [None, None]},
        schema_overrides={"replacement_2": pl.String},
    )
    with pytest.raises(DesignError, match="stand for more than one school"):
        country.administer(pupils, 5, schools=drawn, seed=1)


def test_schools_in_which_nobody_sat_are_marked(country: Nation) -> None:
    """Schools of one invited pupil each: where that pupil is away the school counts as one without students."""
    schools = country.frame(5).get_column("school_id").to_list()
    firsts = country.lists(schools, 5).group_by("school_id", maintain_order=True).first()
    lonely = firsts.select("school_id", "student_id").with_columns(booklet=pl.lit(1))
    day = country.administer(lonely, 5, seed=2)
    empty = day.schools.filter(pl.col("status").is_in([4, 8]))
    assert empty.height > 10
    assert empty.get_column("participant_id").is_null().all()
    assert not set(empty.get_column("school_id")) & set(day.students.get_column("school_id"))
    assert day.raw_responses.height == day.students.height
