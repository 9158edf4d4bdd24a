"""The whole register: it looks like the country, and nothing in it is wrong."""

from __future__ import annotations

import re
import time

import numpy as np
import polars as pl
import pytest

from lsakit.datasets import FullRegister, full_register, units
from lsakit.datasets.full_register import SCHOOL_COLUMNS
from lsakit.datasets.register_contacts import anchors, country_box
from lsakit.datasets.register_layout import GRADES_OF_LEVEL, KINDS
from lsakit.datasets.register_names import full_form, within_one_edit
from lsakit.errors import DesignError


@pytest.fixture(scope="module")
def country() -> FullRegister:
    return full_register(seed=2026)


@pytest.fixture(scope="module")
def part() -> FullRegister:
    return full_register(seed=7, n_schools=3_000, first_year=2022)


@pytest.fixture(params=["country", "part"])
def register(request: pytest.FixtureRequest) -> FullRegister:
    return request.getfixturevalue(request.param)


def distance(left: str, right: str) -> int:
    """Levenshtein's distance, by the book."""
    row = list(range(len(right) + 1))
    for i, one in enumerate(left, start=1):
        before, row[0] = row[0], i
        for j, other in enumerate(right, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (one != other))
    return row[-1]


def test_the_country_is_made_in_seconds() -> None:
    """About 3 s on one core; the bound leaves room for a busy machine."""
    start = time.perf_counter()
    made = full_register(seed=1)
    assert time.perf_counter() - start < 30
    assert made.schools.height == 53_000


def test_there_are_as_many_schools_of_each_kind_as_assumed(country: FullRegister) -> None:
    found = dict(country.schools.group_by("kind", "levels").len().select(
        pl.concat_str("kind", "levels", separator="/"), "len").rows())  # fmt: skip
    assert found == {f"{one.kind}/{one.levels}": one.count for one in KINDS}
    assert country.schools.get_column("province_code").n_unique() == 34
    assert country.schools.get_column("commune_code").n_unique() == 3_320  # none in Hoàng Sa


def test_pupils_are_about_as_many_as_in_the_country(country: FullRegister) -> None:
    last = country.official_totals.filter(pl.col("school_year") == "2025-2026")
    sums = dict(last.group_by("level").agg(pl.col("n_students").sum() / 1e6).rows())
    wanted = {"MN": 4.9, "TH": 8.9, "THCS": 6.5, "THPT": 2.9, "GDTX": 0.35}
    assert all(abs(sums[level] / pupils - 1) < 0.05 for level, pupils in wanted.items()), sums


def test_columns_are_those_of_the_contract(register: FullRegister) -> None:
    assert tuple(register.schools.columns) == SCHOOL_COLUMNS
    for table in (register.schools, register.enrolments, register.sites, register.official_totals):
        assert table.null_count().sum_horizontal().item() == 0


def test_codes_are_unique_texts_of_eight_digits(register: FullRegister) -> None:
    codes = register.schools.get_column("school_id")
    assert codes.n_unique() == len(codes)
    assert codes.str.contains(r"^\d{8}$").all()
    assert codes.str.starts_with("0").sum() > 0.05 * len(codes)


def test_units_agree(register: FullRegister) -> None:
    facts = units.communes().select(commune_code="code", owner="province_code", form="kind")
    joined = register.schools.join(facts, on="commune_code", how="left")
    assert joined.filter(pl.col("owner") != pl.col("province_code")).height == 0
    assert joined.filter((pl.col("area") == "urban") != (pl.col("form") == "ward")).height == 0
    assert joined.filter((pl.col("area") == "urban") & pl.col("is_disadvantaged")).height == 0
    assert joined.filter((pl.col("form") != "commune") & pl.col("is_border")).height == 0
    same = register.sites.join(register.schools.select("school_id", own="commune_code"), on="school_id")
    assert same.filter(pl.col("commune_code") != pl.col("own")).height == 0


def test_no_name_is_nearly_another_of_its_commune(part: FullRegister) -> None:
    busiest = part.schools.group_by("commune_code").len().sort("len", "commune_code").tail(60)
    chosen = part.schools.filter(pl.col("commune_code").is_in(busiest.get_column("commune_code").to_list()))
    for (commune,), schools in chosen.group_by("commune_code"):
        keys = [full_form(name) for name in schools.get_column("name")]
        for place, one in enumerate(keys):
            near = [other for other in keys[place + 1 :] if distance(one, other) <= 1]
            assert not near, f"{commune}: {one} is near {near}"


def test_no_name_of_the_country_stands_twice_in_a_commune(country: FullRegister) -> None:
    keys = country.schools.select("commune_code", key=pl.col("name").map_elements(full_form, pl.String))
    assert keys.n_unique() == keys.height


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("", ""),
        ("a", ""),
        ("ab", "ba"),
        ("le loi", "le lai"),
        ("le loi", "le loan"),
        ("abc", "abcd"),
        ("abc", "bc"),
        ("abc", "abd"),
    ],
)
def test_within_one_edit_is_a_distance_of_one_at_most(left: str, right: str) -> None:
    assert within_one_edit(left, right) == within_one_edit(right, left) == (distance(left, right) <= 1)


def test_names_begin_as_their_kind_asks(register: FullRegister) -> None:
    for kind, levels, boarding, sector, name in register.schools.select(
        "kind", "levels", "boarding", "sector", "name"
    ).rows():
        if boarding != "none":
            word = {"semi_boarding": "PTDTBT", "boarding": "PTDTNT"}[boarding]
            start = f"Trường {word} {levels} "
        else:
            start = next(one.prefix for one in KINDS if (one.kind, one.levels) == (kind, levels)) + " "
        if sector != "public":
            start += {"private": "tư thục ", "people_founded": "dân lập "}[sector]
        assert name.startswith(start)
        assert len(name) > len(start)


def test_no_stratum_of_a_province_has_one_school(register: FullRegister) -> None:
    sizes = register.schools.group_by("province_code", "area", "sector").len()
    assert sizes.get_column("len").min() >= 2


def test_contacts_are_well_formed_and_lead_to_nobody(register: FullRegister) -> None:
    schools = register.schools
    assert schools.get_column("phone").str.contains(r"^050\d{7}$").all()
    assert schools.get_column("phone").n_unique() == schools.height
    assert schools.get_column("email").str.contains(r"^[a-z0-9]+\.\d{5}@tinh\d\d\.example$").all()
    assert schools.get_column("email").n_unique() == schools.height
    assert schools.get_column("address").str.len_chars().max() <= 240
    assert schools.get_column("name").str.len_chars().max() <= 200
    assert schools.get_column("founded_date").dt.year().is_between(1954, 2021).all()


def test_places_lie_near_an_anchor_of_their_province(register: FullRegister) -> None:
    box, schools = country_box(), register.schools
    for table in (schools, register.sites):
        assert table.get_column("latitude").is_between(box["south"], box["north"]).all()
        assert table.get_column("longitude").is_between(box["west"], box["east"]).all()
    zones = anchors().filter(pl.col("unit_code").str.len_chars() == 5)
    assert sorted(zones.get_column("unit_code")) == sorted(
        units.communes().filter(pl.col("kind") == "special_zone").get_column("code")
    )
    for code, _, south, west, radius in anchors().rows():
        if len(code) == 5:
            own = schools.filter(pl.col("commune_code") == code)
            away = np.hypot(
                own.get_column("latitude") - south,
                (own.get_column("longitude") - west) * np.cos(np.radians(south)),
            )
            assert not len(away) or 111.2 * away.max() <= min(3.0, radius) + 0.01
    provinces = anchors().filter(pl.col("unit_code").str.len_chars() == 2)
    mainland = schools.filter(~pl.col("commune_code").is_in(zones.get_column("unit_code").to_list()))
    for code in mainland.get_column("province_code").unique():
        own = mainland.filter(pl.col("province_code") == code).select("latitude", "longitude").to_numpy()
        at = provinces.filter(pl.col("unit_code") == code)
        north = own[:, :1] - at.get_column("latitude").to_numpy()
        east = (own[:, 1:] - at.get_column("longitude").to_numpy()) * np.cos(np.radians(own[:, :1]))
        beyond = 111.2 * np.hypot(north, east) - at.get_column("radius_km").to_numpy() - 3
        assert beyond.min(axis=1).max() < 0.5


def test_every_grade_of_the_levels_is_there_every_year(register: FullRegister) -> None:
    wanted = register.schools.select(
        "school_id",
        grade=pl.col("levels").str.split("-").list.eval(pl.element().replace_strict(
            {level: list(grades) for level, grades in GRADES_OF_LEVEL.items()})).list.eval(
            pl.element().explode()),
    ).explode("grade")  # fmt: skip
    years = pl.DataFrame({"school_year": register.school_years})
    wanted = wanted.join(years, how="cross").select(
        "school_id", "school_year", pl.col("grade").cast(pl.Int64)
    )
    found = register.enrolments.select("school_id", "school_year", "grade")
    assert found.height == found.n_unique() == wanted.height
    assert wanted.join(found, on=wanted.columns, how="anti").height == 0


def test_classes_hold_10_to_45_pupils(register: FullRegister) -> None:
    for table in (register.enrolments, register.sites):
        least = table.get_column("n_students") // table.get_column("n_classes")
        most = -(-table.get_column("n_students") // table.get_column("n_classes"))
        assert least.min() >= 10
        assert most.max() <= 45


def test_no_grade_and_no_school_changes_by_more_than_a_quarter_in_a_year(register: FullRegister) -> None:
    by_school = register.enrolments.group_by("school_id", "school_year").agg(pl.col("n_students").sum())
    for table, key in ((register.enrolments, ["school_id", "grade"]), (by_school, ["school_id"])):
        change = table.sort(*key, "school_year").select(
            change=pl.col("n_students") / pl.col("n_students").shift().over(key) - 1
        )
        assert change.get_column("change").abs().max() <= 0.25
        assert change.get_column("change").abs().max() > 0.1


def test_counts_are_of_the_autumn(register: FullRegister) -> None:
    day = pl.col("counted_on")
    first = pl.date(pl.col("school_year").str.slice(0, 4).cast(pl.Int32), 9, 15)
    assert register.enrolments.filter(~(day - first).dt.total_days().is_between(0, 25)).height == 0


def test_sites_add_up_to_the_last_year(register: FullRegister) -> None:
    last = register.enrolments.filter(pl.col("school_year") == register.school_years[-1])
    schools = last.group_by("school_id").agg(pl.col("n_students", "n_classes").sum())
    sites = register.sites.group_by("school_id").agg(
        pl.col("n_students", "n_classes").sum(),
        n_main=pl.col("is_main").sum(),
        n_satellites=pl.len() - 1,
        n_codes=pl.col("site_code").n_unique() - 1,
        n_names=pl.col("site_name").n_unique() - 1,
    )
    joined = register.schools.join(schools, on="school_id").join(sites, on="school_id", suffix="_sites")
    assert joined.height == register.schools.height
    for left, right in (
        ("n_students", "n_students_sites"),
        ("n_classes", "n_classes_sites"),
        ("n_satellite_sites", "n_satellites"),
        ("n_satellite_sites", "n_codes"),
        ("n_satellite_sites", "n_names"),
    ):
        assert joined.filter(pl.col(left) != pl.col(right)).height == 0, (left, right)
    assert sites.get_column("n_main").unique().to_list() == [1]


def test_official_totals_are_the_sums(part: FullRegister) -> None:
    schools = {row[0]: row[1:] for row in part.schools.select("school_id", "province_code", "levels").rows()}
    sums: dict[tuple[str, str, str], int] = {}
    for school, year, grade, n in part.enrolments.select(
        "school_id", "school_year", "grade", "n_students"
    ).rows():
        province, levels = schools[school]
        by_grade = "MN" if grade == 0 else "TH" if grade < 6 else "THCS" if grade < 10 else "THPT"
        key = (province, year, "GDTX" if levels == "GDTX" else by_grade)
        sums[key] = sums.get(key, 0) + n
    found = {
        tuple(row[:3]): row[3]
        for row in part.official_totals.select("province_code", "school_year", "level", "n_students").rows()
    }
    assert found == sums


def test_the_same_seed_makes_the_same_register_and_another_makes_another() -> None:
    first, again = (full_register(seed=5, n_schools=700, n_years=2) for _ in range(2))
    other = full_register(seed=6, n_schools=700, n_years=2)
    for name in ("schools", "enrolments", "sites", "official_totals"):
        assert getattr(first, name).equals(getattr(again, name))
        assert not getattr(first, name).equals(getattr(other, name))


def test_a_longer_history_begins_with_the_same_schools() -> None:
    short = full_register(seed=5, n_schools=700, n_years=2)
    long = full_register(seed=5, n_schools=700, n_years=4)
    assert short.schools.drop("n_satellite_sites").equals(long.schools.drop("n_satellite_sites"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"n_schools": 100}, "'n_schools' of the register must lie between 700 and 75000. Got 100."),
        ({"n_years": 0}, "'n_years' of the register must lie between 1 and 10. Got 0."),
        ({"first_year": 21}, "'first_year' of the register must lie between 2000 and 2100. Got 21."),
    ],
)
def test_impossible_sizes_are_refused(given: dict[str, int], words: str) -> None:
    with pytest.raises(DesignError, match=re.escape(words)):
        full_register(seed=1, **given)
