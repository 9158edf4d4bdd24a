"""What a calibration refuses, and what the sentence says."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from lsakit.errors import CalibrationError, ResponseError, TableError
from lsakit.irt.calibration import CalibrationOptions, calibrate


def responses(n: int = 60) -> dict[str, Any]:
    """Four two-category items of one ability."""
    rng = np.random.default_rng(1)
    theta = rng.normal(size=n)
    return {f"q{j}": (theta + rng.logistic(size=n) > 0).astype(int).tolist() for j in range(4)}


def test_an_item_answered_by_nobody() -> None:
    with pytest.raises(CalibrationError, match=r"1 items were answered by nobody. See: q2. Leave them out"):
        calibrate(responses() | {"q2": [None] * 60})


@pytest.mark.parametrize("same", [0, 1])
def test_an_item_all_right_or_all_wrong(same: int) -> None:
    words = "never seen" if same else "same score from everybody"
    with pytest.raises(CalibrationError) as caught:
        calibrate(responses() | {"q1": [same] * 60})
    assert "q1" in caught.value.where
    assert "same score from everybody" in str(caught.value) or words in str(caught.value)


def test_a_category_never_seen() -> None:
    with pytest.raises(CalibrationError, match=r"a category that is never seen.*q3.*Collapse"):
        calibrate(responses() | {"q3": [0, 2] * 30})


def test_three_categories_under_a_two_category_model() -> None:
    with pytest.raises(CalibrationError, match=r"more than two categories.*q3.*Use pcm or gpcm"):
        calibrate(responses() | {"q3": [0, 1, 2] * 20}, model="2pl")


def test_disconnected_booklets_name_their_parts() -> None:
    given = responses()
    half = {
        name: [None if (j < 2) == (i < 30) else value for i, value in enumerate(values)]
        for j, (name, values) in enumerate(given.items())
    }
    with pytest.raises(CalibrationError) as caught:
        calibrate(half)
    assert caught.value.where == ("part 1: q0 q1", "part 2: q2 q3")
    fixed = {"item": ["q0", "q2"], "slope": [1.0, 1.0], "difficulty": [0.0, 0.0]}
    assert calibrate(half, model="rasch", fixed=fixed).converged


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.zeros(60), "are all zero"),
        (np.r_[-1.0, np.ones(59)], r"must not be negative. Got -1; 1 are. See: row 1"),
        (np.ones(59), "one finite number per student"),
    ],
)
def test_weights(weights: np.ndarray, words: str) -> None:
    with pytest.raises(CalibrationError, match=words):
        calibrate(responses(), weights=weights)


def test_a_response_that_is_no_whole_number() -> None:
    with pytest.raises(
        ResponseError, match=r"'q1' must be whole numbers from 0. Got 0.5 in 1 rows. See: row 7"
    ):
        calibrate(responses() | {"q1": [0, 1, 0, 1, 0, 1, 0.5] + [1] * 53})
    with pytest.raises(ResponseError, match=r"Got -1"):
        calibrate(responses() | {"q1": [-1] + [1, 0] * 29 + [1]})
    with pytest.raises(TableError, match=r"must be numeric. Got 'A'"):
        calibrate(responses() | {"q1": ["A"] * 60})


def test_missing_codes_are_no_scores() -> None:
    with pytest.raises(
        ResponseError, match=r"scores above 90; the highest is 99.*Score the raw responses first"
    ):
        calibrate(responses() | {"q1": [99] + [1, 0] * 29 + [1]})


def test_a_group_of_one_student() -> None:
    with pytest.raises(CalibrationError, match=r"fewer than two students with responses. See: B"):
        calibrate(responses() | {"c": ["B"] + ["A"] * 59}, group="c")


def test_an_unknown_reference_group() -> None:
    with pytest.raises(CalibrationError, match=r"reference group 'Z' is not among the groups. See: A, B"):
        calibrate(
            responses() | {"c": ["B", "A"] * 30}, group="c", options=CalibrationOptions(reference_group="Z")
        )


def test_a_model_mapping_must_name_every_item() -> None:
    with pytest.raises(CalibrationError, match=r"no entry for 3 items. See: q1, q2, q3"):
        calibrate(responses(), model={"q0": "rasch"})


def test_fixed_items_must_be_among_the_items() -> None:
    with pytest.raises(CalibrationError, match=r"None of the fixed items"):
        calibrate(responses(), fixed={"item": ["z"], "slope": [1.0], "difficulty": [0.0]})


def test_a_response_above_a_fixed_items_highest_score() -> None:
    fixed = {"item": ["q3"], "slope": [1.0], "difficulty": [0.0]}
    with pytest.raises(ResponseError, match=r"'q3' is held fixed with highest score 1. Got 2"):
        calibrate(responses() | {"q3": [0, 1, 2] * 20}, fixed=fixed)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"guessing": [0.2]}, "a guessing parameter"),
        ({"slope": [0.0]}, "a slope of zero"),
        ({"step_1": [0.5], "step_2": [0.5]}, "steps that do not sum to zero"),
    ],
)
def test_fixed_parameters_outside_the_family(change: dict[str, Any], words: str) -> None:
    fixed = {"item": ["q3"], "slope": [1.0], "difficulty": [0.0]} | change
    with pytest.raises(CalibrationError, match=words):
        calibrate(responses(), fixed=fixed)


def test_no_items_and_no_answers() -> None:
    with pytest.raises(CalibrationError, match=r"no item column"):
        calibrate({"student_id": ["a", "b"]})
    with pytest.raises(CalibrationError, match=r"No student of positive weight answered"):
        calibrate(pl.DataFrame({"q0": [None, None]}, schema={"q0": pl.Int8}))


@pytest.mark.parametrize("option", [{"n_nodes": 3}, {"tolerance": 0.0}, {"standard_errors": "magic"}])
def test_options_outside_their_range(option: dict[str, Any]) -> None:
    with pytest.raises(CalibrationError, match=f"The option '{next(iter(option))}'"):
        CalibrationOptions(**option)


def test_items_without_a_common_ability() -> None:
    chance = np.random.default_rng(2).integers(0, 2, (400, 4))
    chance[:, 2:] = 1 - chance[:, :2]
    with pytest.raises(CalibrationError, match=r"standard deviation of a group fell to"):
        calibrate({f"q{j}": chance[:, j] for j in range(4)}, model="rasch")
