"""Rule sets, participation codes and how each programme judges rates."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

import pytest

import lsakit as lk
from lsakit.weighting.profiles import CODE_LIST, read_rules, rule_names
from lsakit.weighting.response_rates import response_rates
from lsakit.weighting.standards import judge

PROGRAMMES = ["naep", "national", "pisa", "seaplm", "talis", "timss"]


def test_six_rule_sets_name_their_source_and_what_is_not_verified() -> None:
    assert list(rule_names()) == PROGRAMMES
    for name in PROGRAMMES:
        rules = read_rules(name)
        assert rules.name == name
        assert rules.source
        assert rules.unverified


@pytest.mark.parametrize("name", PROGRAMMES)
def test_every_canonical_code_has_one_treatment_and_one_label(name: str) -> None:
    table = lk.participation_codes(name)
    assert table.filter(unit="school")["code"].to_list() == list(range(1, 13))
    assert table.filter(unit="student")["code"].to_list() == [
        *(10, 11, 20, 21, 22, 23),
        *(30, 31, 32, 33, 34, 40, 41, 42, 50),
    ]
    assert table["treatment"].null_count() == 0
    assert table.filter(unit="student")["programme_label"].null_count() == 0
    rules = read_rules(name)
    groups = [rules.school_status.participant, rules.school_status.nonrespondent]
    groups += [rules.school_status.ineligible, rules.school_status.excluded, rules.school_status.not_sampled]
    assert sorted(code for group in groups for code in group) == list(range(1, 13))


def test_treatment_of_school_codes() -> None:
    table = lk.participation_codes("pisa").filter(unit="school")
    treated = dict(table.select("code", "treatment").rows())
    assert [code for code, word in treated.items() if word == "nonrespondent"] == [2, 3, 4]
    assert [code for code, word in treated.items() if word == "ineligible"] == [5, 6, 8, 10, 11]
    replaced = dict(table.select("code", "uses_replacement").rows())
    assert [code for code, word in replaced.items() if word == "yes"] == [2, 3, 4]
    assert (replaced[7], replaced[12], treated[9]) == ("not_applicable", "not_applicable", "excluded")


def test_the_code_list_has_both_languages() -> None:
    text = resources.files("lsakit.weighting.rules").joinpath(CODE_LIST).read_text("utf-8")
    for rows in tomllib.loads(text).values():
        assert all(one["en"] and one["vi"] for one in rows)


def test_rows_that_are_no_part_of_the_sample_are_left_out() -> None:
    schools: dict[str, Any] = {
        "school_id": ["A", "B", "R"],
        "status": [1, 2, 7],
        "base_weight": [2.0, 3.0, 3.0],
        "enrolment": [40, 20, 20],
    }
    rates = response_rates(schools)
    assert rates.school_before.n_denominator == 2
    assert rates.school_before.weighted == pytest.approx(80 / 140)


def rates(before: float, after: float, student: float | None = None, **more: float) -> dict[str, Any]:
    return {"school_before": before, "school_after": after, "student": student, **more}


@pytest.mark.parametrize(
    ("programme", "given", "zone"),
    [
        ("timss", rates(0.85, 0.85, 0.85, **{"class": 0.95}), "acceptable"),
        ("timss", rates(0.85, 0.85, 0.80, **{"class": 0.95}), "intermediate"),
        # the product alone: 0.84 × 1 × 0.90 = 0.756
        ("timss", rates(0.84, 0.84, 0.90, **{"class": 1.0, "overall_before": 0.756}), "acceptable"),
        ("timss", rates(0.60, 0.90, 0.90, **{"class": 0.99}), "acceptable_with_replacements"),
        (
            "timss",
            rates(0.60, 0.84, 0.92, **{"class": 1.0, "overall_before": 0.552, "overall_after": 0.7728}),
            "acceptable_with_replacements",
        ),
        ("timss", rates(0.60, 0.70, 0.90, **{"class": 0.99}), "intermediate"),
        ("timss", rates(0.49, 1.0, 1.0, **{"class": 1.0}), "not_acceptable"),
        ("seaplm", rates(0.86, 0.86, 0.80), "acceptable"),
        ("seaplm", rates(0.86, 0.86, 0.79), "intermediate"),
        ("naep", rates(0.86, 0.86, 0.9), "acceptable"),
        ("naep", rates(0.75, 0.99, 0.9), "intermediate"),
        ("naep", rates(0.69, 0.99, 0.9), "not_acceptable"),
        ("national", rates(0.70, 0.925, 0.9), "acceptable_with_replacements"),
    ],
)
def test_zones_of_the_programmes(programme: str, given: dict[str, Any], zone: str) -> None:
    assert judge(given, read_rules(programme).rates).zone == zone


@pytest.mark.parametrize(
    ("given", "rating", "zone"),
    [
        (rates(0.80, 0.80, 0.80), "good", "acceptable"),
        (rates(0.60, 0.80, 0.80), "fair", "acceptable_with_replacements"),
        (rates(0.80, 0.80, 0.60), "fair", "intermediate"),
        (rates(0.60, 0.70, 0.60), "poor", "intermediate"),
        (rates(0.80, 0.80, 0.40), "insufficient", "not_acceptable"),
        (rates(0.40, 0.90, 0.90), "insufficient", "not_acceptable"),
    ],
)
def test_ratings_of_talis(given: dict[str, Any], rating: str, zone: str) -> None:
    found = judge(given, read_rules("talis").rates)
    assert (found.rating, found.zone) == (rating, zone)


def test_naep_asks_for_a_bias_analysis_of_each_stage_below_85() -> None:
    standard = read_rules("naep").rates
    assert judge(rates(0.80, 0.9, 0.80), standard).bias_analysis == ("school", "student")
    assert judge(rates(0.90, 0.9, 0.90), standard).bias_analysis == ()
    assert judge(rates(0.70, 0.8, 0.90), read_rules("pisa").rates).bias_analysis == ("school",)


def test_criteria_are_listed_beside_the_rates() -> None:
    found = judge(rates(0.7143, 0.8571, None), read_rules("pisa").rates).criteria
    rows = {row["criterion"]: row for row in found.rows(named=True)}
    assert rows["school_before"]["is_met"] is False
    assert rows["school_before_lowest"]["is_met"] is True
    assert rows["school_after"]["minimum"] == pytest.approx(0.91785)
    assert rows["student"]["is_met"] is None


def schools_and_students(done: int) -> tuple[dict[str, Any], dict[str, Any]]:
    schools: dict[str, Any] = {
        "school_id": ["A"],
        "status": [1],
        "base_weight": [2.0],
        "enrolment": [200],
        "enrolment_listed": [200],
    }
    students = {
        "school_id": ["A"] * 100,
        "student_id": [f"{row:03d}" for row in range(100)],
        "status": [10] * done + [20] * (100 - done),
    }
    return schools, students


@pytest.mark.parametrize(
    ("programme", "done", "due"),
    [("pisa", 85, False), ("pisa", 84, True), ("naep", 90, False), ("naep", 89, True)],
)
def test_the_make_up_trigger(programme: str, done: int, due: bool) -> None:
    found = response_rates(*schools_and_students(done), rules=programme)
    assert found.schools["needs_make_up"].to_list() == [due]


def test_talis_has_no_make_up_trigger() -> None:
    found = response_rates(*schools_and_students(60), rules="talis")
    assert found.schools["needs_make_up"].to_list() == [None]


def test_pisa_2025_in_viet_nam() -> None:
    """195 schools, 7,448 in the sample after 72 who had left, 95 absent, 7,353 done: 98.72 %."""
    n_schools, n_sampled, n_left, n_absent = 195, 7448 + 72, 72, 95
    ids = [f"V{row:03d}" for row in range(n_schools)]
    status = [40] * n_left + [20] * n_absent
    status += [10] * (n_sampled - len(status))
    school = [ids[row * n_schools // n_sampled] for row in range(n_sampled)]
    # the 167 who did not sit the test are spread over the schools, not put into the first ones
    place = [(row * 997) % n_sampled for row in range(n_sampled)]
    assert sorted(place) == list(range(n_sampled))
    students = {
        "school_id": school,
        "student_id": [f"{row:05d}" for row in range(n_sampled)],
        "status": [status[one] for one in place],
    }
    schools: dict[str, Any] = {
        "school_id": ids,
        "status": [1] * n_schools,
        "base_weight": [10.0] * n_schools,
        "enrolment": [300] * n_schools,
        "enrolment_listed": [300] * n_schools,
    }
    found = lk.response_rates(schools, students, rules="pisa")
    assert found.student is not None
    assert (found.student.n_numerator, found.student.n_denominator) == (7353, 7448)
    assert round(100 * found.student.unweighted, 2) == 98.72
    assert found.school_before.unweighted == 1.0
    assert found.zone == "acceptable"
