"""Response rates and zones."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from lsakit.errors import DesignError, TableError, UnknownColumnError
from lsakit.weighting.profiles import read_rules
from lsakit.weighting.response_rates import response_rates, zone_of

TV_2_1: dict[str, Any] = {
    "school_id": [f"S{number}" for number in range(1, 9)],
    "participant_id": ["S1", "R2", "S3", None, "S5", None, "S7", "S8"],
    "status": [1, 2, 1, 2, 1, 6, 1, 1],
    "base_weight": [20, 25, 40, 16, 60, 30, 24, 30],
    "enrolment": [120, 96, 60, 150, 40, 80, 100, 80],
}


def test_tv_2_1() -> None:
    rates = response_rates(TV_2_1, rules="pisa")
    assert rates.school_before.denominator == 16_800
    assert rates.school_before.numerator == 12_000
    assert rates.school_after.numerator == 14_400
    assert rates.school_before.weighted == pytest.approx(0.7143, abs=5e-5)
    assert rates.school_after.weighted == pytest.approx(0.8571, abs=5e-5)
    assert rates.required_after == pytest.approx(0.9179, abs=5e-5)
    assert rates.zone == "intermediate"
    assert rates.school_before.unweighted == 5 / 7
    assert rates.school_after.unweighted == 6 / 7
    assert rates.student is None
    assert rates.table["rate"].to_list() == ["school_before", "school_after"]


@pytest.mark.parametrize(
    ("before", "required"), [(0.65, 0.95), (0.70, 0.925), (0.75, 0.90), (0.80, 0.875), (0.85, 0.85)]
)
def test_the_acceptability_line(before: float, required: float) -> None:
    standard = read_rules("pisa").rates
    assert zone_of(before, 1.0, standard)[1] == pytest.approx(required)


@pytest.mark.parametrize(
    ("before", "after", "zone"),
    [
        (0.85, 0.85, "acceptable"),
        (0.75, 0.90, "acceptable_with_replacements"),
        (0.75, 0.899, "intermediate"),
        (0.649, 1.0, "not_acceptable"),
    ],
)
def test_zones(before: float, after: float, zone: str) -> None:
    assert zone_of(before, after, read_rules("pisa").rates)[0] == zone


def students(counts: dict[str, tuple[int, int]]) -> dict[str, list[Any]]:
    rows = [
        (school, f"{school}-{number}", 10 if number < responding else 20)
        for school, (sampled, responding) in counts.items()
        for number in range(sampled)
    ]
    return dict(zip(["school_id", "student_id", "status"], map(list, zip(*rows, strict=True)), strict=True))


TWO: dict[str, Any] = {
    "school_id": ["A", "B"],
    "participant_id": ["A", "B"],
    "status": [1, 1],
    "base_weight": [2.0, 3.0],
    "enrolment": [40, 20],
    "enrolment_listed": [50, 20],
}


def test_student_rate_is_weighted_by_listed_over_sampled() -> None:
    rates = response_rates(TWO, students({"A": (10, 8), "B": (10, 10)}))
    assert rates.student is not None
    # A: 2 × 50/10 = 10 each; B: 3 × 20/10 = 6 each
    assert rates.student.weighted == pytest.approx((8 * 10 + 10 * 6) / (10 * 10 + 10 * 6))
    assert rates.student.unweighted == 18 / 20
    assert rates.is_student_rate_met


def test_within_school_thresholds() -> None:
    """Half of the students makes a school count; below that it leaves the rates of schools and students."""
    just = response_rates(TWO, students({"A": (10, 5), "B": (10, 10)}))
    assert just.school_before == 1.0
    below = response_rates(TWO, students({"A": (10, 4), "B": (10, 10)}))
    assert below.school_before.weighted == pytest.approx(60 / 140)
    assert below.schools["outcome"].to_list() == ["participant", "participant"]
    assert below.student == 1.0
    dropped = response_rates(TWO, students({"A": (10, 2), "B": (10, 10)}))
    assert dropped.schools["outcome"].to_list() == ["nonrespondent", "participant"]


def test_ineligible_students_leave_the_denominator_as_in_pisa_2025() -> None:
    """7,448 in the sample at the test date, 72 more had left before, 95 absent: 7,353 done, 98.72 %."""
    table = students({"A": (7520, 7353)})
    for row in range(7353, 7353 + 72):
        table["status"][row] = 40
    one = {key: value[:1] for key, value in TWO.items()}
    rates = response_rates({**one, "enrolment_listed": [9000]}, table)
    assert rates.student is not None
    assert (rates.student.n_numerator, rates.student.n_denominator) == (7353, 7448)
    assert round(100 * rates.student.unweighted, 2) == 98.72


def test_a_rate_is_a_number_and_survives_a_copy() -> None:
    rate = response_rates(TV_2_1).school_before
    assert rate == pytest.approx(12_000 / 16_800)
    assert copy.deepcopy(rate).unweighted == rate.unweighted


def test_bad_input_is_refused() -> None:
    with pytest.raises(UnknownColumnError, match="no column 'base_weight'"):
        response_rates({key: value for key, value in TV_2_1.items() if key != "base_weight"})
    with pytest.raises(TableError, match=r"'base_weight'.*positive. Got -1"):
        response_rates({**TV_2_1, "base_weight": [-1] * 8})
    with pytest.raises(DesignError, match="empty denominator"):
        response_rates({**TV_2_1, "status": [6] * 8, "participant_id": [None] * 8})
    with pytest.raises(TableError, match=r"'enrolment_listed'.*1 schools"):
        response_rates({**TWO, "enrolment_listed": [5, 20]}, students({"A": (10, 8), "B": (10, 10)}))
