"""Forecast of participation: certain bounds, exact expectations, chances that hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import lsakit as lk
from lsakit.errors import DesignError, TableError, UnknownColumnError

# A took part, B refused and R2 came, C refused and has one replacement left, D and E are open, F is closed.
SCHOOLS: dict[str, Any] = {
    "school_id": list("ABCDEF"),
    "status": [1, 2, 2, None, None, 6],
    "participant_id": ["A", "R2", None, None, None, None],
    "replacement_1": ["Q1", "R1", "T1", "U1", None, None],
    "replacement_2": [None, "R2", None, "U2", None, None],
    "base_weight": [2.0, 2.0, 2.0, 2.0, 2.0, 2.0],
    "enrolment": [50, 50, 50, 50, 50, 50],
    "stratum": ["n", "n", "n", "n", "s", "s"],
}


def forecast(schools: Any = SCHOOLS, students: Any = None, **options: Any) -> Any:
    return lk.forecast_participation(
        schools, students, rng=np.random.default_rng(options.pop("seed", 1)), **options
    )


def rates_of(found: Any) -> dict[str, dict[str, float]]:
    return {row["rate"]: row for row in found.table.rows(named=True)}


def test_bounds_and_expectation_by_hand() -> None:
    rates = rates_of(forecast())
    before, after = rates["school_before"], rates["school_after"]
    assert (before["worst"], before["best"]) == (pytest.approx(1 / 5), pytest.approx(3 / 5))
    assert (after["worst"], after["best"]) == (pytest.approx(2 / 5), pytest.approx(1.0))
    assert before["so_far"] == pytest.approx(1 / 3)
    assert after["so_far"] == pytest.approx(1.0)
    # pooled (1 + ½) / (3 + 1); stratum n saw 1 of 3, stratum s nothing
    m = 1.5 / 4
    chance_d, chance_e = (2 * m + 1) / (2 + 3), m
    assert before["expected"] == pytest.approx((1 + chance_d + chance_e) / 5)
    # replacements: R1 failed and R2 came, Beta(1½, 1½): E(1 − q) = ½, E(1 − q)² = (1½ · 2½) / (3 · 4)
    fail_one, fail_two = 0.5, 1.5 * 2.5 / 12
    second = 2 + (1 - fail_one) + chance_d + (1 - chance_d) * (1 - fail_two) + chance_e
    assert after["expected"] == pytest.approx(second / 5)


def test_draws_agree_with_the_exact_expectation() -> None:
    """The mean of the draws is the exact expectation; its zone chances are shares of draws."""
    many = {key: value * 20 for key, value in SCHOOLS.items()}
    for key in ("school_id", "participant_id", "replacement_1", "replacement_2"):
        many[key] = [None if one is None else f"{one}{row // 6}" for row, one in enumerate(many[key])]
    found = forecast(many, n_draws=2000)
    rates = rates_of(found)
    for name in ("school_before", "school_after"):
        row = rates[name]
        assert row["worst"] <= row["low"] <= row["expected"] <= row["high"] <= row["best"]
        # the middle 90 % of a nearly normal forecast is centred at its mean: a tenth of its width
        assert (row["low"] + row["high"]) / 2 == pytest.approx(
            row["expected"], abs=0.1 * (row["high"] - row["low"])
        )
    assert sum(found.zone_chances.values()) == pytest.approx(1.0)


def test_the_interval_holds_what_comes() -> None:
    """Of 200 collections stopped halfway, 90 % end inside: three binomial deviations are 83.6 to 96.4 %."""
    rng = np.random.default_rng(11)
    n, inside = 60, 0
    for number in range(200):
        chance = rng.beta(8, 2)
        says_yes = rng.random(n) < chance
        known = np.arange(n) < 30
        size = rng.integers(20, 200, n)
        ids = [f"S{row}" for row in range(n)]
        schools = {
            "school_id": ids,
            "status": [(1 if yes else 2) if one else None for yes, one in zip(says_yes, known, strict=True)],
            "base_weight": [3.0] * n,
            "enrolment": size.tolist(),
        }
        row = rates_of(forecast(schools, seed=number, n_draws=400))["school_before"]
        truth = size[says_yes].sum() / size.sum()
        inside += row["low"] <= truth <= row["high"]
    assert abs(inside / 200 - 0.9) <= 3 * np.sqrt(0.9 * 0.1 / 200)


def test_a_finished_collection_has_no_doubt() -> None:
    schools = {**SCHOOLS, "status": [1, 2, 2, 1, 2, 6], "participant_id": ["A", "R2", None, "D", None, None]}
    schools["n_replacements_left"] = [0] * 6
    found = forecast(schools)
    for row in found.table.rows(named=True):
        assert row["worst"] == row["low"] == row["expected"] == row["high"] == row["best"]
    rates = lk.response_rates({**schools, "base_weight": [2.0] * 6})
    final = rates_of(found)
    assert final["school_before"]["expected"] == pytest.approx(rates.school_before)
    assert final["school_after"]["expected"] == pytest.approx(rates.school_after)
    assert found.zone_expected == rates.zone
    assert found.zone_chances == {rates.zone: 1.0}
    assert found.schools.height == 0


def test_schools_to_call_stand_by_what_they_bring() -> None:
    found = forecast({**SCHOOLS, "enrolment": [50, 50, 80, 50, 70, 50]})
    assert found.schools["school_id"].to_list() == ["C", "E", "D"]
    assert found.schools["state"].to_list() == ["replacement_open", "pending", "pending"]
    assert found.schools["n_replacements_left"].to_list() == [1, 0, 2]
    assert found.schools["gain_after"].to_list() == pytest.approx([80 / 300, 70 / 300, 50 / 300])
    assert found.schools["gain_before"].to_list() == pytest.approx([0.0, 70 / 300, 50 / 300])
    assert found.schools["chance"][0] == pytest.approx(0.5)


def test_the_student_rate() -> None:
    """School A: 10 drawn of 50, 4 done, 1 absent, 4 open, 1 excluded; R2: 10 of 20 drawn, all open."""
    schools = {**SCHOOLS, "enrolment_listed": [50, 20, None, None, None, None]}
    students = {
        "school_id": ["A"] * 10 + ["R2"] * 10,
        "student_id": [f"{row:02d}" for row in range(20)],
        "status": [10, 10, 10, 10, 20, None, None, None, None, 30, *[None] * 10],
    }
    row = rates_of(forecast(schools, students))["student"]
    total = 9 * 10 + 10 * 4
    assert row["worst"] == pytest.approx(40 / total)
    assert row["best"] == pytest.approx((40 + 40 + 40) / total)
    assert row["so_far"] == pytest.approx(0.8)
    chance = (2 * 4.5 / 6 + 4) / (2 + 5)
    assert row["expected"] == pytest.approx((40 + chance * 80) / total)
    assert row["low"] < row["expected"] < row["high"]


def test_the_draws_follow_from_the_generator_and_pandas_is_accepted() -> None:
    one, two = forecast(), forecast(pd.DataFrame(SCHOOLS))
    assert one.table.equals(two.table)
    assert one.zone_chances == two.zone_chances
    assert forecast(seed=2).table["expected"].equals(one.table["expected"])


def test_refusals() -> None:
    with pytest.raises(TableError, match=r"Got 77. See: A"):
        forecast({**SCHOOLS, "status": [77, 2, 2, None, None, 6]})
    with pytest.raises(DesignError, match="empty denominator"):
        forecast({**SCHOOLS, "status": [6] * 6, "participant_id": [None] * 6})
    with pytest.raises(TableError, match=r"'enrolment'.*negative. Got -1. See: B"):
        forecast({**SCHOOLS, "enrolment": [1, -1, 1, 1, 1, 1]})
    with pytest.raises(UnknownColumnError, match="'base_weight'"):
        forecast({k: v for k, v in SCHOOLS.items() if k != "base_weight"})
    with pytest.raises(DesignError, match="'n_draws'"):
        forecast(n_draws=0)
    students: dict[str, Any] = {"school_id": ["C"], "student_id": ["1"], "status": [None]}
    schools = {**SCHOOLS, "enrolment_listed": [50, 20, None, None, None, None]}
    with pytest.raises(DesignError, match=r"did not take part. See: C"):
        forecast(schools, students)
    with pytest.raises(TableError, match="'enrolment_listed' of each"):
        forecast(
            {**schools, "enrolment_listed": [None, 20, None, None, None, None]},
            {**students, "school_id": ["A"]},
        )
