"""Scores by hand: docs/algorithms/data_quality.md, section "Score of a school"."""

from __future__ import annotations

import datetime

import polars as pl
import pytest

from dienrong.scorecard.numeric import names, register, tables
from dienrong.scorecard.numeric.checking import check_wide
from dienrong.scorecard.numeric.rules import Rule
from dienrong.scorecard.numeric.wide import Wide


def rule(
    name: str, dimension: str, severity: str, where: str, entity: str = "school", applies: str = ""
) -> Rule:
    return Rule(
        id=name,
        dimension=dimension,
        severity=severity,
        entity=entity,
        cells=("school_id",),
        where=where,
        applies=applies,
        basis="",
        fix="traits",
        sentence={},
        hint={},
        examples=(),
    )


def wide(schools: list[dict], enrolments: list[tuple[int, dict]]) -> Wide:
    school = tables.frame_of("school", [tables.good_row("school", **one) for one in schools])
    school = school.with_columns(_key=pl.int_range(pl.len(), dtype=pl.Int64))
    grades = tables.frame_of("enrolment", [tables.good_row("enrolment", **row) for _key, row in enrolments])
    grades = grades.with_columns(_key=pl.Series([key for key, _row in enrolments], dtype=pl.Int64))
    marks = school.select(
        "_key", "province_code", "commune_code", has_data="has_counts", is_confirmed=pl.lit(True)
    )
    return Wide({"school": school, "enrolment": grades}, marks)


FIVE = (
    rule("never_1", "correct", "error", "school_id = ''"),
    rule("never_2", "correct", "error", "school_id = ''"),
    rule("never_3", "correct", "error", "school_id = ''"),
    rule("one_grade", "correct", "error", "n_students = 0", entity="enrolment"),
    rule("look", "correct", "warning", "phone = '1'"),
    rule("whole", "complete", "warning", "email IS NULL"),
    rule("half_a", "clean", "warning", "phone = '1'"),
    rule("half_b", "clean", "warning", "email IS NULL"),
    rule("silent", "fresh", "error", "phone = '1'", applies="school_year = '1999-2000'"),
)


def test_the_school_of_the_prose_scores_as_the_prose_says() -> None:
    grades = [(0, {"grade": grade, "n_students": 0 if grade == 3 else 90}) for grade in range(1, 6)]
    (score,) = check_wide(wide([{"phone": "1"}], grades), FIVE).scores
    assert score.dimensions["correct"] == pytest.approx(100 * 11.4 / 13)
    assert score.dimensions["complete"] == 100
    assert score.dimensions["clean"] == 50
    assert score.dimensions["fresh"] is None
    assert score.total == pytest.approx(79.2308, abs=1e-4)
    assert (score.n_errors, score.n_warnings) == (1, 2)


def test_each_rule_counts_once_however_many_grades_there_are() -> None:
    rules = [
        rule("a", "correct", "error", "n_students = 0", entity="enrolment"),
        rule("b", "correct", "error", "phone = '1'"),
    ]
    few = [(0, {"grade": 1, "n_students": 0})]
    many = [(1, {"grade": grade, "n_students": 0}) for grade in range(1, 13)]
    both = check_wide(wide([{}, {}], few + many), rules).scores
    assert [one.total for one in both] == [50, 50]
    assert [one.n_errors for one in both] == [1, 12]


def test_a_school_to_which_no_rule_speaks_has_no_score() -> None:
    (score,) = check_wide(
        wide([{}], [(0, {})]), [rule("a", "correct", "error", "phone = '1'", applies="1 = 2 AND phone = '1'")]
    ).scores
    assert (score.total, score.n_errors) == (None, 0)


def test_a_row_at_fault_is_named_by_its_key_and_value() -> None:
    from dataclasses import replace

    one = replace(FIVE[3], cells=("n_students",), params=("grade", "counted_date"))
    (found,) = check_wide(wide([{}], [(0, {"grade": 7, "n_students": 0})]), [one]).findings
    assert (found.school_key, found.row, found.value) == (0, "7", "0")
    assert found.params == {"grade": 7, "counted_date": "2026-10-01"}


@pytest.mark.parametrize(
    ("day", "year"),
    [
        (datetime.date(2026, 9, 5), "2025-2026"),
        (datetime.date(2026, 10, 14), "2025-2026"),
        (datetime.date(2026, 10, 15), "2026-2027"),
        (datetime.date(2027, 8, 1), "2026-2027"),
    ],
)
def test_counts_of_a_year_are_due_forty_days_after_it_begins(day, year) -> None:
    assert register.expected_year(day) == year


PAIRS = [
    ("Trường TH Hòa Bình", "Trường Tiểu học Hoà Bình", True),
    ("Trường TH Hòa Bình", "TH HÒA BÌNH", True),
    ("Trường THCS Nguyễn Trãi", "Trường THCS Nguyễn Trải", True),
    ("Trường TH Nguyễn Văn Trỗi", "Trường TH Nguyễn Văn Trổii", True),
    ("Trường TH Hòa Bình 1", "Trường TH Hòa Bình 2", False),
    ("Trường TH Kim Đồng A", "Trường TH Kim Đồng B", False),
    ("Trường TH Nguyễn Trãi", "Trường THCS Nguyễn Trãi", False),
    ("Trường TH Lê Lợi", "Trường TH Lê Lai", False),
    ("Trường PTDTBT TH Nậm Cang", "Trường Phổ thông dân tộc bán trú Tiểu học Nậm Cang", True),
    ("Trường TH Mai Thúc Loan", "Trường TH Mai Thúc Loa", True),
    ("Trường MN tư thục Hoa Phượng", "Trường MN Hoa Phượng", False),
    ("Trường TH Yên Trường", "Trường TH Yên Trườn", True),
    ("Trường TH số 2 Xuân Hòa", "Trường TH số 3 Xuân Hòa", False),
    ("Trường TH Trần Quốc Toản", "Trường TH Trần Quốc Tuấn", False),
]


@pytest.mark.parametrize(("left", "right", "near"), PAIRS, ids=lambda one: str(one))
def test_which_names_are_nearly_the_same(left, right, near) -> None:
    assert bool(names.near_pairs(["1", "1"], [left, right])) is near
    assert not names.near_pairs(["1", "2"], [left, right])
