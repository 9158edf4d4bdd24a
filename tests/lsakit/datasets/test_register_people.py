"""Pupils and staff of the whole register: as many as counted, with numbers that agree with themselves."""

from __future__ import annotations

import polars as pl
import pytest

from lsakit.datasets import FullRegister, full_register
from lsakit.datasets.person_names import PEOPLE_OF_CODE
from lsakit.errors import DesignError

YEAR, BEFORE = "2025-2026", "2024-2025"


@pytest.fixture(scope="module")
def register() -> FullRegister:
    return full_register(seed=2026, n_schools=700)


@pytest.fixture(scope="module")
def everybody(register: FullRegister) -> pl.DataFrame:
    return register.students(register.schools.get_column("school_id").to_list(), YEAR)


@pytest.fixture(scope="module")
def staff(register: FullRegister) -> pl.DataFrame:
    return register.staff(register.schools.get_column("school_id").to_list(), YEAR)


def test_lists_have_as_many_pupils_and_classes_as_the_enrolments(
    register: FullRegister, everybody: pl.DataFrame
) -> None:
    listed = everybody.group_by("school_id", "grade").agg(
        listed=pl.len().cast(pl.Int64), classes=pl.col("class_name").n_unique().cast(pl.Int64)
    )
    counted = register.enrolments.filter(pl.col("school_year") == YEAR)
    joined = counted.join(listed, on=["school_id", "grade"], how="full")
    assert joined.height == counted.height
    assert joined.filter(pl.col("listed").ne_missing(pl.col("n_students"))).height == 0
    assert joined.filter(pl.col("classes").ne_missing(pl.col("n_classes"))).height == 0


def test_classes_hold_10_to_45_pupils(everybody: pl.DataFrame) -> None:
    sizes = everybody.group_by("school_id", "class_name").len().get_column("len")
    assert sizes.min() >= 10
    assert sizes.max() <= 45


def test_codes_are_unique_and_keep_their_zeros(everybody: pl.DataFrame, staff: pl.DataFrame) -> None:
    for column, pattern in (("student_code", r"^\d{10}$"), ("personal_id", r"^0\d{11}$")):
        assert everybody.get_column(column).is_unique().all()
        assert everybody.get_column(column).str.contains(pattern).all()
    assert everybody.get_column("student_code").str.starts_with("0").any()
    assert staff.get_column("staff_code").is_unique().all()
    people = pl.concat([everybody.get_column("personal_id"), staff.get_column("personal_id")])
    assert people.is_unique().all()


@pytest.mark.parametrize("which", ["everybody", "staff"])
def test_personal_numbers_say_province_sex_century_and_year(
    register: FullRegister, which: str, request: pytest.FixtureRequest
) -> None:
    people = request.getfixturevalue(which).join(
        register.schools.select("school_id", "province_code"), on="school_id"
    )
    number, year = pl.col("personal_id"), pl.col("birth_date").dt.year()
    digit = 2 * (year >= 2000).cast(pl.Int32) + (pl.col("sex") == "female").cast(pl.Int32)
    assert people.filter(number.str.slice(0, 3) != "0" + pl.col("province_code")).height == 0
    assert people.filter(number.str.slice(3, 1).cast(pl.Int32) != digit).height == 0
    assert people.filter(number.str.slice(4, 2).cast(pl.Int32) != year % 100).height == 0


def test_birth_dates_fit_the_grade(everybody: pl.DataFrame) -> None:
    age = 2025 - pl.col("birth_date").dt.year()
    of_grade = pl.col("grade") + 5
    school = everybody.filter(pl.col("grade") > 0)
    assert school.filter(~(age - of_grade).is_between(0, 2)).height == 0
    late = school.filter(age > of_grade).height / school.height
    assert 0.05 < late < 0.12
    young = everybody.filter(pl.col("grade") == 0)
    years = {"Lá": 5, "Chồi": 4, "Mầm": 3}
    expected = pl.col("class_name").str.split(" ").list.first().replace_strict(years, return_dtype=pl.Int32)
    assert young.filter(age != expected).height == 0


def test_names_follow_people_and_sex(everybody: pl.DataFrame) -> None:
    assert set(everybody.get_column("ethnicity")) <= set(PEOPLE_OF_CODE)
    names = everybody.get_column("full_name")
    assert names.str.contains(r"^\S+( \S+)+$|^K'\S+$").all()
    assert not names.str.contains(r"[{}]").any()
    ede = everybody.filter(pl.col("ethnicity") == "12")
    assert ede.filter(pl.col("sex") == "male").get_column("full_name").str.starts_with("Y ").all()
    assert ede.filter(pl.col("sex") == "female").get_column("full_name").str.starts_with("H'").all()
    hmong = everybody.filter(pl.col("ethnicity") == "08", pl.col("sex") == "male")
    assert hmong.get_column("full_name").str.contains(" A ").mean() > 0.3
    kinh = everybody.filter(pl.col("ethnicity") == "01")
    assert 0.3 < kinh.get_column("full_name").str.starts_with("Nguyễn ").mean() < 0.45
    assert 0.47 < (everybody.get_column("sex") == "female").mean() < 0.49


def test_minorities_are_about_as_many_as_the_school_says(
    register: FullRegister, everybody: pl.DataFrame
) -> None:
    shares = everybody.group_by("school_id").agg(share=(pl.col("ethnicity") != "01").mean(), n=pl.len())
    joined = shares.join(register.schools.select("school_id", "minority_share"), on="school_id")
    off = (pl.col("share") - pl.col("minority_share")).abs() / (0.25 / pl.col("n")).sqrt()
    assert joined.select(off).to_series().max() < 5


def test_a_school_made_alone_has_the_same_people(register: FullRegister, everybody: pl.DataFrame) -> None:
    for school in register.schools.get_column("school_id").to_list()[::100]:
        alone = register.students([school], YEAR)
        assert alone.equals(everybody.filter(pl.col("school_id") == school))


def test_parts_add_up_and_keep_schools_whole(register: FullRegister, everybody: pl.DataFrame) -> None:
    ids = register.schools.get_column("school_id").to_list()
    parts = list(register.student_blocks(ids, YEAR, n_rows=20_000))
    assert pl.concat(parts).equals(everybody)
    assert all(part.height >= 20_000 for part in parts[:-1])
    assert max(part.height for part in parts) < 30_000
    assert sum(part.get_column("school_id").n_unique() for part in parts) == len(ids)


def test_a_child_goes_up_a_grade_with_its_numbers(register: FullRegister) -> None:
    school = register.schools.filter(pl.col("levels") == "THCS").get_column("school_id")[:20].to_list()
    now, then = register.students(school, YEAR), register.students(school, BEFORE)
    both = now.join(then, on="student_code", suffix="_before")
    assert both.height > 0.6 * now.height
    same = ("school_id", "personal_id", "full_name", "birth_date", "sex", "ethnicity")
    for column in same:
        assert both.get_column(column).equals(both.get_column(f"{column}_before"), check_names=False)
    assert (both.get_column("grade") - both.get_column("grade_before")).unique().to_list() == [1]
    again = now.join(then, on="personal_id", suffix="_before")
    assert again.height == both.height


def test_personal_numbers_are_unique_over_five_years(register: FullRegister) -> None:
    ids = register.schools.get_column("school_id").to_list()[::3]
    seen = [
        register.students(ids, year).select("student_code", "personal_id") for year in register.school_years
    ]
    people = pl.concat(seen).unique()
    assert people.get_column("student_code").is_unique().all()
    assert people.get_column("personal_id").is_unique().all()


def test_every_school_has_a_head_and_teachers_for_its_classes(
    register: FullRegister, staff: pl.DataFrame
) -> None:
    by_school = staff.group_by("school_id").agg(
        heads=(pl.col("position") == "Hiệu trưởng").sum(),
        managers=(pl.col("role") == "manager").sum(),
        teachers=(pl.col("role") == "teacher").sum(),
    )
    classes = register.enrolments.filter(pl.col("school_year") == YEAR).group_by("school_id")
    joined = by_school.join(classes.agg(pl.col("n_classes").sum()), on="school_id")
    assert joined.height == register.schools.height
    assert joined.get_column("heads").unique().to_list() == [1]
    assert joined.get_column("managers").is_between(2, 4).all()
    ratio = joined.get_column("teachers") / joined.get_column("n_classes")
    assert ratio.is_between(1.5, 3.0).all()
    levels = register.schools.select("school_id", "levels")
    primary = staff.join(levels.filter(pl.col("levels") == "TH"), on="school_id")
    taught = primary.filter(pl.col("role") == "teacher").get_column("grades").str.split(", ").explode()
    assert set(taught) == {"1", "2", "3", "4", "5"}


def test_strangers_are_refused(register: FullRegister) -> None:
    school = register.schools.item(0, "school_id")
    with pytest.raises(DesignError, match="1 of 2 schools are not in the register"):
        register.students([school, "x"], YEAR)
    with pytest.raises(DesignError, match="A school stands twice"):
        register.students([school, school], YEAR)
    with pytest.raises(DesignError, match="'school_year' must lie between 2021-2022 and 2025-2026"):
        register.staff([school], "2026-2027")
    with pytest.raises(DesignError, match="'n_rows' must be positive"):
        register.student_blocks([school], YEAR, n_rows=0)
    assert register.students([], YEAR).is_empty()
