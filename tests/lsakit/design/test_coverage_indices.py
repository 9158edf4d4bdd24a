"""Exclusions and coverage indices."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest

import lsakit as lk
from lsakit.design.coverage import (
    CoverageLimits,
    PopulationCounts,
    coverage_indices,
    exclude_schools,
    within_school_exclusions,
)
from lsakit.errors import DesignError, TableError

TV_1_1: dict[str, float] = {
    "enrolled": 100_000,
    "school_excluded": 2_000,
    "participants": 92_000,
    "within_excluded": 2_300,
    "eligible_grades": 102_000,
    "age_cohort": 125_000,
    "sample_enrolment": 97_000,
}


def test_tv_1_1_coverage_indices() -> None:
    found = lk.coverage_indices(PopulationCounts(**TV_1_1))
    # The vector is printed with five decimals: half a unit of the last digit.
    assert found.ci1 == pytest.approx(0.95610, abs=5e-6)
    assert found.overall_exclusion == pytest.approx(0.04390, abs=5e-6)
    assert found.within_school_exclusion == pytest.approx(0.02439, abs=5e-6)
    assert found.ci2 == pytest.approx(0.93735, abs=5e-6)
    assert found.ci3 == pytest.approx(0.73600, abs=5e-6)
    assert found.ci4 == pytest.approx(0.97216, abs=5e-6)
    assert found.ci5 == pytest.approx(0.98980, abs=5e-6)
    assert found.school_exclusion == 0.02
    assert found.flags == ()
    assert found.annotation == 0
    assert found.table.height == 8


@pytest.mark.parametrize(
    ("changes", "words", "annotation"),
    [
        ({"school_excluded": 4_000}, "6.34 % of the desired population are excluded", 1),
        ({"school_excluded": 12_000, "sample_enrolment": 88_000}, "must be annotated", 2),
        ({"within_excluded": 2_900}, "3.06 % are excluded within schools", 0),
        ({"sample_enrolment": 120_000}, "CI5 is 1.224, outside 0.9 to 1.1", 0),
        ({"sample_enrolment": 80_000}, "CI4 is 1.179", 0),
    ],
)
def test_each_limit_has_its_flag(changes: dict[str, float], words: str, annotation: int) -> None:
    found = coverage_indices(PopulationCounts(**{**TV_1_1, **changes}))
    assert any(re.search(words, flag) for flag in found.flags), found.flags
    assert found.annotation == annotation


def test_a_fall_of_ci3_is_said() -> None:
    assert coverage_indices(PopulationCounts(**TV_1_1), previous_ci3=0.755).flags == ()
    flags = coverage_indices(PopulationCounts(**TV_1_1), previous_ci3=0.757).flags
    assert "CI3 fell from 0.757 to 0.736" in flags[0]


def test_what_was_not_given_is_not_assumed() -> None:
    found = coverage_indices(
        PopulationCounts(enrolled=10, school_excluded=0, participants=9, within_excluded=0)
    )
    assert (found.ci1, found.ci2, found.ci3, found.ci4, found.ci5) == (1.0, None, None, None, None)
    assert found.table["value"].null_count() == 4


@pytest.mark.parametrize(
    "changes",
    [
        {"enrolled": 0},
        {"participants": -1},
        {"participants": 0, "within_excluded": 0},
        {"age_cohort": 0},
        {"school_excluded": 100_000},
        {"sample_enrolment": float("nan")},
    ],
)
def test_numbers_that_no_population_has_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(DesignError, match=f"'{next(iter(changes))}' cannot be"):
        coverage_indices(PopulationCounts(**{**TV_1_1, **changes}))


FRAME: dict[str, Any] = {
    "school_id": ["A", "B", "C", "D", "E"],
    "enrolment": [500, 300, 190, 4, 6],
    "exclusion": [None, "", None, "remote", "special"],
}


def test_excluded_schools_leave_the_frame_and_are_counted_by_reason() -> None:
    for frame in (FRAME, pd.DataFrame(FRAME)):
        found = exclude_schools(frame)
        assert found.frame["school_id"].to_list() == ["A", "B", "C"]
        assert found.excluded["school_id"].to_list() == ["D", "E"]
        assert (found.n_students, found.n_excluded) == (1000.0, 10.0)
        assert found.table.rows() == [
            ("remote", 1, 4.0, 0.004, 0.005, True),
            ("special", 1, 6.0, 0.006, 0.02, True),
            ("other", 0, 0.0, 0.0, None, True),
        ]
    tight = exclude_schools(FRAME, limits=CoverageLimits(by_reason={"remote": 0.003}))
    assert tight.table["is_within_limit"].to_list() == [False, True, True]


def test_bad_exclusions_are_refused() -> None:
    with pytest.raises(DesignError, match=r"'exclusion' of the frame holds 'far' in 1 schools. See: B"):
        exclude_schools({**FRAME, "exclusion": [None, "far", None, None, None]})
    with pytest.raises(DesignError, match=r"'enrolment' of the frame holds .*-4.0.*See: D"):
        exclude_schools({**FRAME, "enrolment": [500, 300, 190, -4, 6]})
    with pytest.raises(DesignError, match="leave 0 of 5 schools"):
        exclude_schools({**FRAME, "exclusion": ["other"] * 5})
    with pytest.raises(TableError, match="no missing values"):
        exclude_schools({**FRAME, "enrolment": [500, None, 190, 4, 6]})


def test_within_school_exclusions_are_weighted() -> None:
    students = {"status": [10, 20, 30, 32, 40, 42], "final_weight": [10.0, 5.0, 2.0, 3.0, 9.0, 9.0]}
    found = within_school_exclusions(students)
    assert (found.participants, found.excluded) == (15.0, 5.0)
    assert found.table.filter(found.table["n"] > 0).select("code", "weighted", "share").rows() == [
        (30, 2.0, 0.1),
        (32, 3.0, 0.15),
    ]
    with pytest.raises(DesignError, match=r"must be 0 or more. Got -1. See: row 2"):
        within_school_exclusions({"status": [10, 20], "final_weight": [1.0, -1.0]})
