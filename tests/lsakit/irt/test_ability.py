"""Abilities: TV-8.5 by name, extreme scores, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from lsakit.errors import CalibrationError, ResponseError, UnknownColumnError
from lsakit.irt.ability import score
from lsakit.irt.calibration import Calibration

ITEMS = {"item": list("abcde"), "slope": [1.0] * 5, "difficulty": [-1.0, -0.5, 0.0, 0.5, 1.0]}
CAL = Calibration.from_items(ITEMS)
PATTERN = {"a": [1], "b": [1], "c": [1], "d": [0], "e": [0]}
BY_RAW_SCORE = {name: [int(score > place) for score in range(6)] for place, name in enumerate("abcde")}


def test_tv_8_5_mle() -> None:
    found = score(CAL, PATTERN, method="mle").row(0, named=True)
    assert found["theta"] == pytest.approx(0.4545429, abs=5e-8)
    assert found["se"] == pytest.approx(0.9650017, abs=5e-8)


def test_tv_8_5_wle_by_raw_score() -> None:
    found = score(CAL, BY_RAW_SCORE, method="wle")
    expected = [-2.6605120, -1.2608285, -0.3913393, 0.3913393, 1.2608285, 2.6605120]
    assert found["theta"].to_numpy() == pytest.approx(expected, abs=5e-8)
    assert found["se"].to_numpy()[:3] == pytest.approx([1.6869, 1.0875, 0.9605], abs=5e-5)


def test_tv_8_5_eap() -> None:
    found = score(CAL, PATTERN, method="eap").row(0, named=True)
    assert (found["theta"], found["se"]) == pytest.approx((0.2470782, 0.7041342), abs=5e-8)
    prior = Calibration.from_items(ITEMS, mean=0.6, sd=0.8)
    found = score(prior, PATTERN, method="eap").row(0, named=True)
    assert (found["theta"], found["se"]) == pytest.approx((0.5549552, 0.6253995), abs=5e-8)


def test_the_wle_solves_its_equation_for_partial_credit() -> None:
    steps = {"step_1": [None, 0.8, 0.5], "step_2": [None, -0.8, 0.4], "step_3": [None, None, -0.9]}
    cal = Calibration.from_items(
        {"item": ["a", "b", "c"], "slope": [0.7, 1.4, 1.1], "difficulty": [0.2, -0.5, 0.6]} | steps
    )
    theta = float(score(cal, {"a": [1], "b": [0], "c": [2]})["theta"][0])
    from lsakit.irt.models import category_probabilities

    value = information = skew = 0.0
    for a, b, d, x in ((0.7, 0.2, (), 1), (1.4, -0.5, (0.8, -0.8), 0), (1.1, 0.6, (0.5, 0.4, -0.9), 2)):
        p = category_probabilities([theta], slope=a, difficulty=b, steps=d)[0]
        k = np.arange(len(p))
        mean = p @ k
        value += a * (x - mean)
        information += a**2 * (p @ (k - mean) ** 2)
        skew += a**3 * (p @ (k - mean) ** 3)
    assert value + skew / (2 * information) == pytest.approx(0.0, abs=1e-9)


def test_of_several_roots_of_the_wle_the_highest_is_taken() -> None:
    # Steep items at -1 and 1 answered wrong and right: Warm's equation has a root near each of two maxima.
    cal = Calibration.from_items(
        {"item": list("abc"), "slope": [3.0, 0.5, 3.0], "difficulty": [-1.0, 0.0, 1.0]}
    )
    theta = np.linspace(-5, 5, 200_001)
    p = 1 / (1 + np.exp(-np.array([3.0, 0.5, 3.0]) * (theta[:, None] - np.array([-1.0, 0.0, 1.0]))))
    value = np.log(np.where(np.array([0, 1, 1]), p, 1 - p)).sum(axis=1)
    value += 0.5 * np.log((np.array([9.0, 0.25, 9.0]) * p * (1 - p)).sum(axis=1))
    turns = np.flatnonzero((value[1:-1] > value[:-2]) & (value[1:-1] > value[2:]))
    assert len(turns) > 1
    found = score(cal, {"a": [0], "b": [1], "c": [1]}, method="wle")["theta"][0]
    assert found == pytest.approx(theta[value.argmax()], abs=1e-4)


def test_extreme_scores_have_a_wle_and_no_mle() -> None:
    mle = score(CAL, BY_RAW_SCORE, method="mle")
    assert mle["status"].to_list() == ["no_finite_maximum", *["estimated"] * 4, "no_finite_maximum"]
    assert mle["theta"].null_count() == 2
    assert score(CAL, BY_RAW_SCORE, method="wle")["theta"].null_count() == 0


def test_a_student_without_responses_is_marked() -> None:
    empty = {"student_id": ["s"]} | {name: [None] for name in "abcde"}
    for method in ("wle", "mle"):
        row = score(CAL, empty, method=method).row(0, named=True)
        assert (row["theta"], row["se"], row["status"]) == (None, None, "no_responses")
    row = score(CAL, empty, method="eap").row(0, named=True)
    assert (row["theta"], row["se"]) == pytest.approx((0.0, 1.0), abs=1e-6)
    assert row["status"] == "no_responses"


def test_what_is_refused() -> None:
    with pytest.raises(CalibrationError, match=r"wle, mle, eap"):
        score(CAL, PATTERN, method="map")
    with pytest.raises(UnknownColumnError, match=r"no column 'e'"):
        score(CAL, {name: PATTERN[name] for name in "abcd"})
    with pytest.raises(ResponseError, match=r"'a' has highest score 1. Got 2"):
        score(CAL, PATTERN | {"a": [2]})
