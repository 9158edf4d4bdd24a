"""What a registry keeps of a nation beside the frame."""

from __future__ import annotations

import polars as pl
import pytest

from lsakit.datasets import Nation, nation
from lsakit.datasets.nation_details import NationDetails, nation_details, nation_students
from lsakit.errors import DesignError


@pytest.fixture(scope="module")
def made() -> Nation:
    return nation(seed=2026, size="small")


@pytest.fixture(scope="module")
def details(made: Nation) -> NationDetails:
    return nation_details(made, frame_year=2025, school_years=[2024, 2026], mistakes=0.05)


def test_every_school_has_details_in_the_order_of_the_nation(made: Nation, details: NationDetails) -> None:
    assert details.schools.get_column("school_id").equals(made.schools.get_column("school_id"))
    assert details.schools.get_column("phone").is_unique().all()
    upper = made.schools.get_column("levels").str.contains("THPT")
    assert ((details.schools.get_column("managed_by") == "province") == upper).all()


def test_without_mistakes_nothing_is_missing_or_malformed(made: Nation) -> None:
    right = nation_details(made, frame_year=2025, school_years=[2026])
    assert right.schools.null_count().sum_horizontal().item() == 0
    assert right.schools.get_column("phone").str.contains(r"^050\d{7}$").all()
    sizes = right.enrolments.get_column("n_students") / right.enrolments.get_column("n_classes")
    assert sizes.max() <= 45
    has = made.schools.select(pl.col("enrolment_5", "enrolment_9") > 0).sum().row(0)
    assert right.enrolments.height == sum(has)


def test_mistakes_are_as_many_as_asked_for(made: Nation, details: NationDetails) -> None:
    bad = details.schools.filter(
        pl.col("latitude").is_null()
        | (pl.col("longitude") < 100)
        | ~pl.col("phone").str.contains(r"^050\d{7}$")
        | ~pl.col("email").str.contains("@")
        | (pl.col("address") == "")
    )
    assert 0.5 < bad.height / (0.05 * made.schools.height * 5 / 8) < 1.5
    missing = made.schools.height - details.enrolments.filter(school_year="2026-2027")["school_id"].n_unique()
    assert missing > 0
    assert details.enrolments.filter(school_year="2024-2025")["school_id"].n_unique() == made.schools.height


def test_sites_are_those_the_nation_counts(made: Nation, details: NationDetails) -> None:
    some = made.schools.filter(pl.col("n_satellite_sites") > 0).select("school_id", "n_satellite_sites")
    found = details.sites.group_by("school_id").agg(
        n=pl.len().cast(pl.Int64) - 1, main=pl.col("is_main").sum(), names=pl.col("site_name").n_unique()
    )
    joined = some.join(found, on="school_id", how="full")
    assert joined.filter(pl.col("n").ne_missing(pl.col("n_satellite_sites"))).height == 0
    assert joined.filter((pl.col("main") != 1) | (pl.col("names") != pl.col("n") + 1)).height == 0


def test_pupils_are_those_of_the_lists_with_codes_and_names(made: Nation) -> None:
    for grade in (5, 9):
        schools = made.frame(grade).get_column("school_id").to_list()
        lists, pupils = made.lists(schools, grade), nation_students(made, schools, grade)
        assert pupils.get_column("school_id").equals(lists.get_column("school_id"))
        assert pupils.get_column("birth_date").equals(lists.get_column("birth_date"))
        assert pupils.get_column("student_code").is_unique().all()
        assert pupils.get_column("personal_id").is_unique().all()
        kinh = pupils.get_column("ethnicity") == "01"
        assert (kinh == (lists.get_column("ethnicity") == "kinh")).all()
        alone = nation_students(made, schools[:1], grade)
        assert alone.equals(pupils.filter(school_id=schools[0]))


def test_later_years_have_other_children_of_the_right_age(made: Nation) -> None:
    schools = made.frame(5).get_column("school_id").to_list()[:40]
    years = [nation_students(made, schools, 5, years_later=later) for later in (0, 1, 2)]
    everybody = pl.concat(years)
    assert everybody.get_column("student_code").is_unique().all()
    assert everybody.get_column("personal_id").is_unique().all()
    born = [table.get_column("birth_date").dt.year().max() for table in years]
    assert born == [born[0], born[0] + 1, born[0] + 2]
    with pytest.raises(DesignError, match="'years_later' of the list must lie between 0 and 9"):
        nation_students(made, schools, 5, years_later=10)


def test_an_impossible_share_is_refused(made: Nation) -> None:
    with pytest.raises(DesignError, match=r"'mistakes' of the details must be a share between 0 and 0\.5"):
        nation_details(made, frame_year=2025, school_years=[], mistakes=0.9)
    assert nation_details(made, frame_year=2025, school_years=[]).enrolments.is_empty()
