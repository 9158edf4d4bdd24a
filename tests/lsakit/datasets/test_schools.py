"""The register of schools: it looks like the country, within stated ranges."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from lsakit.datasets import Nation, NationSize, nation
from lsakit.datasets.school_register import apportion
from lsakit.errors import DesignError

COLUMNS = [
    "school_id", "name", "province_code", "commune_code", "region6", "area", "disadvantaged", "sector", "levels",
    "boarding", "minority_share", "n_satellite_sites", "enrolment_5", "classes_5", "enrolment_9", "classes_9",
]  # fmt: skip


@pytest.fixture(scope="module")
def country() -> Nation:
    return nation(seed=2026, size="national")


def test_numbers_of_schools_and_pupils_are_those_asked_for(country: Nation) -> None:
    for grade, schools, low, high in ((5, 12_000, 1.7e6, 1.9e6), (9, 9_000, 1.5e6, 1.6e6)):
        frame = country.frame(grade)
        assert frame.height == schools
        assert low < frame.get_column("enrolment").sum() < high
        assert frame.get_column("province_code").n_unique() == 34


def test_columns_are_those_of_the_contract(country: Nation) -> None:
    assert country.schools.columns == COLUMNS
    assert country.schools.null_count().sum_horizontal().item() == 0


def test_every_province_has_enough_schools_for_a_sample_of_53(country: Nation) -> None:
    for grade in (5, 9):
        counts = country.frame(grade).get_column("province_code").value_counts().get_column("count")
        assert counts.min() > 53


def test_identifiers_and_names_are_unique(country: Nation) -> None:
    schools = country.schools
    assert schools.get_column("school_id").n_unique() == schools.height
    assert schools.get_column("school_id").str.contains(r"^\d{8}$").all()
    assert schools.select("commune_code", "name").n_unique() == schools.height


def test_names_agree_with_kind(country: Nation) -> None:
    schools = country.schools
    boarding = schools.filter("boarding")
    assert 500 < boarding.height < 2500
    assert boarding.get_column("name").str.contains("PTDT").all()
    assert not schools.filter(~pl.col("boarding")).get_column("name").str.contains("PTDT").any()
    assert schools.filter(pl.col("sector") == "private").get_column("name").str.contains("tư thục").all()
    stated = schools.select(ok=pl.col("name").str.contains(" " + pl.col("levels") + " ")).to_series()
    assert stated.all()


def test_levels_agree_with_enrolments(country: Nation) -> None:
    has_primary = pl.col("levels").str.split("-").list.contains("TH")
    has_secondary = pl.col("levels").str.split("-").list.contains("THCS")
    assert country.schools.filter(has_primary != (pl.col("enrolment_5") > 0)).height == 0
    assert country.schools.filter(has_secondary != (pl.col("enrolment_9") > 0)).height == 0
    both = country.schools.filter((pl.col("enrolment_5") > 0) & (pl.col("enrolment_9") > 0)).height
    assert 800 < both < 3000


def test_town_and_country_follow_the_commune(country: Nation) -> None:
    kinds = country.units.communes.select(commune_code="code", kind="kind", owner="province_code")
    joined = country.schools.join(kinds, on="commune_code", how="left")
    assert joined.filter((pl.col("area") == "urban") != (pl.col("kind") == "ward")).height == 0
    assert joined.filter(pl.col("owner") != pl.col("province_code")).height == 0
    assert joined.filter((pl.col("area") == "urban") & pl.col("disadvantaged")).height == 0


def test_classes_hold_at_most_45_pupils(country: Nation) -> None:
    for grade in (5, 9):
        frame = country.frame(grade)
        size = frame.get_column("enrolment") / frame.get_column("classes")
        assert size.max() <= 45
        assert 30 < size.mean() < 38


def test_minorities_are_15_to_18_percent_and_live_in_the_mountains(country: Nation) -> None:
    frame = country.frame(5)
    weight = frame.get_column("enrolment").to_numpy()
    share = frame.get_column("minority_share").to_numpy()
    assert 0.14 < np.average(share, weights=weight) < 0.18
    mountains = frame.get_column("region6").to_numpy() == "northern_mountains"
    assert np.average(share[mountains], weights=weight[mountains]) > 0.4


def test_remote_schools_are_small_and_town_schools_large(country: Nation) -> None:
    frame = country.frame(5)
    hard = frame.filter("disadvantaged").get_column("enrolment").median()
    town = frame.filter(pl.col("area") == "urban").get_column("enrolment").median()
    assert hard < 100 < 150 < town
    sites = country.schools.filter(pl.col("enrolment_5") > 0)
    assert sites.filter("disadvantaged").get_column("n_satellite_sites").mean() > 1.5
    assert sites.filter(pl.col("area") == "urban").get_column("n_satellite_sites").mean() < 0.2


def test_the_same_seed_makes_the_same_schools_and_another_makes_others() -> None:
    first, again = nation(seed=3, size="small").schools, nation(seed=3, size="small").schools
    assert first.equals(again)
    assert not first.equals(nation(seed=4, size="small").schools)


def test_a_small_nation_touches_every_region() -> None:
    small = nation(seed=3, size="small")
    assert small.units.provinces.get_column("region6").n_unique() == 6
    assert small.frame(5).height == 540
    assert small.frame(9).height == 420


def test_apportion_keeps_minimum_and_sum() -> None:
    assert apportion(10, np.array([8.0, 1.0, 1.0]), np.array([1, 3, 1])).tolist() == [6, 3, 1]
    counts = apportion(1000, np.arange(1.0, 30.0), np.full(29, 20))
    assert counts.sum() == 1000
    assert counts.min() == 20


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"n_provinces": 35}, ["n_provinces", "between 1 and 34", "35"]),
        ({"n_provinces": 0}, ["n_provinces", "0"]),
        ({"n_schools_5": 100}, ["n_schools_5", "at least 10 per province", "100"]),
        ({"n_pupils_9": 1000}, ["n_pupils_9", "at least 20 per school"]),
    ],
)
def test_impossible_sizes_are_refused(sizes: dict[str, int], words: list[str]) -> None:
    with pytest.raises(DesignError) as refusal:
        NationSize(**sizes)
    assert all(word in str(refusal.value) for word in words)


def test_an_unknown_size_is_refused() -> None:
    with pytest.raises(DesignError, match="'size' of the nation must be one of national, small"):
        nation(seed=1, size="tiny")


def test_an_unknown_grade_is_refused() -> None:
    with pytest.raises(DesignError, match=r"'grade' must be 5 or 9\. Got 11"):
        nation(seed=1, size="small").frame(11)
