"""The planter of errors: the list says exactly what differs from the clean register."""

from __future__ import annotations

import polars as pl
import pytest

from lsakit.datasets import FullRegister, full_register
from planted_errors import (
    LOOKALIKES,
    SCHOOL_KINDS,
    TOTAL_KINDS,
    Planted,
    by_kind,
    clean,
    plant_errors,
)

PAIRS = ("duplicate_school", "near_duplicate_name")


@pytest.fixture(scope="module")
def register() -> FullRegister:
    return full_register(seed=2026, n_schools=3_000)


@pytest.fixture(scope="module")
def planted(register: FullRegister) -> Planted:
    return plant_errors(register, seed=1)


def test_every_kind_is_planted_equally_often(planted: Planted) -> None:
    found = {kind: len(errors) for kind, errors in by_kind(planted)}
    for kind in SCHOOL_KINDS:
        assert found[kind] in ((12, 14) if kind in PAIRS else (6, 7)), kind
    assert [found[kind] for kind in TOTAL_KINDS] == [4, 4]
    assert {kind for kind, _ in planted.lookalikes} == {*LOOKALIKES, "total_nearly_right"}


def test_three_percent_of_the_schools_have_errors_and_each_one_error(
    register: FullRegister, planted: Planted
) -> None:
    schools = [error.school_id for error in planted.errors if error.school_id]
    assert len(schools) == len(set(schools))
    once = [error for error in planted.errors if error.school_id and error.kind not in PAIRS]
    assert (
        len(once) + sum(error.kind in PAIRS for error in planted.errors) / 2 == 0.03 * register.schools.height
    )
    assert not set(schools) & {school for _, school in planted.lookalikes}


def test_nothing_else_differs_from_the_clean_register(register: FullRegister, planted: Planted) -> None:
    touched = {error.school_id for error in planted.errors} | {school for _, school in planted.lookalikes}
    before = clean(register)
    for name in ("schools", "enrolments", "sites"):
        left, right = (
            getattr(one, name).filter(~pl.col("school_id").is_in(list(touched))) for one in (before, planted)
        )
        keys = [one for one in ("school_id", "school_year", "grade", "site_code") if one in left.columns]
        assert left.sort(keys).equals(right.sort(keys)), name


def test_the_list_tells_what_stands_in_the_cell(planted: Planted) -> None:
    schools = {row["school_id"]: row for row in planted.schools.iter_rows(named=True)}
    last = planted.enrolments.filter(pl.col("school_year") == "2025-2026")
    counts = {(row["school_id"], str(row["grade"])): row for row in last.iter_rows(named=True)}
    for error in planted.errors:
        if error.kind in ("class_too_large", "year_on_year_jump", "grade_of_another_level"):
            assert str(counts[error.school_id, error.row][error.cell]) == error.after
        elif error.kind == "grade_missing":
            assert (error.school_id, error.row) not in counts
        elif error.cell in ("phone", "email", "commune_code"):
            assert schools[error.school_id][error.cell] == error.after != error.before
        elif error.kind == "closed_with_pupils":
            assert not schools[error.school_id]["is_open"]
        elif error.kind == "stale_counts":
            assert not any(school == error.school_id for school, _ in counts)
    for kind, errors in by_kind(planted):
        if kind in PAIRS:
            names = [schools[error.school_id]["name"] for error in errors]
            same = [left == right for left, right in zip(names[::2], names[1::2], strict=True)]
            assert all(same) if kind == "duplicate_school" else not any(same)


def test_sites_agree_with_the_schools_even_where_counts_are_wrong(planted: Planted) -> None:
    last = planted.enrolments.filter(pl.col("school_year") == "2025-2026")
    counted = last.group_by("school_id").agg(pl.col("n_students").sum())
    sites = planted.sites.group_by("school_id").agg(at_sites=pl.col("n_students").sum())
    assert counted.join(sites, on="school_id").filter(pl.col("n_students") != pl.col("at_sites")).height == 0
    assert planted.sites.get_column("n_students").min() > 0


def test_the_same_seed_plants_the_same_errors(register: FullRegister, planted: Planted) -> None:
    again = plant_errors(register, seed=1)
    assert again.errors == planted.errors
    assert again.schools.equals(planted.schools)
    assert plant_errors(register, seed=2).errors != planted.errors
