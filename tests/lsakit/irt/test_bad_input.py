"""What the calibration of a cycle must refuse: each with what is wrong, where, why, and the way out."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from lsakit.errors import CalibrationError, ConvergenceError, EstimationError, LsakitError, ResponseError
from lsakit.irt.calibration import Calibration, CalibrationOptions, calibrate
from lsakit.irt.scoring import score_responses
from lsakit.population.latent_regression import fit_population

ITEMS = ["m1", "m2", "m3", "m4", "m5", "m6"]


def responses(n: int = 300) -> pl.DataFrame:
    rng = np.random.default_rng(11)
    theta = rng.normal(size=(n, 1))
    codes = (theta + rng.logistic(size=(n, 6)) > np.linspace(-1, 1, 6)).astype(np.int64)
    return pl.DataFrame({name: codes[:, j] for j, name in enumerate(ITEMS)})


def refusal(kind: type[LsakitError], call: Any, *, where: tuple[str, ...], words: str) -> LsakitError:
    """The refusal of a call, which must name the places, say why or what to do, and end as a sentence."""
    with pytest.raises(kind) as caught:
        call()
    found = caught.value
    assert words in found.sentence
    assert found.where[: len(where)] == where
    assert found.hint.endswith("."), "the way out is a sentence"
    return found


def test_an_item_answered_by_nobody_is_named() -> None:
    data = responses().with_columns(m4=pl.lit(None, dtype=pl.Int64))
    found = refusal(CalibrationError, lambda: calibrate(data), where=("m4",), words="answered by nobody")
    assert found.hint == "Leave them out."


@pytest.mark.parametrize("same", [0, 1])
def test_an_item_that_everybody_got_right_or_wrong_is_named(same: int) -> None:
    data = responses().with_columns(m2=pl.lit(same))
    found = refusal(
        CalibrationError, lambda: calibrate(data), where=("m2",), words="same score from everybody"
    )
    assert "difficulty is not finite" in found.hint


def test_a_category_never_seen_is_named_with_its_item() -> None:
    data = responses().with_columns(m3=pl.col("m3") * 2)
    found = refusal(CalibrationError, lambda: calibrate(data), where=("m3",), words="never seen below")
    assert "Collapse" in found.hint


def test_disconnected_booklets_name_the_items_of_each_part() -> None:
    first = pl.Series(np.arange(300) < 150)
    data = responses().with_columns(
        [
            pl.when(first if name in ("m1", "m2", "m3") else ~first).then(pl.col(name)).alias(name)
            for name in ITEMS
        ]
    )
    where = ("part 1: m1 m2 m3", "part 2: m4 m5 m6")
    found = refusal(
        CalibrationError, lambda: calibrate(data), where=where, words="2 parts that share no item"
    )
    assert "no common metric" in found.why
    assert "link them by items with fixed parameters" in found.hint


def test_a_code_not_in_the_key_names_item_code_and_student() -> None:
    raw = {"student_id": ["a", "b"], "M1": [2, 7]}
    items = {"item": ["M1"], "format": ["mc"], "key": [2], "max_score": [1]}
    found = refusal(
        ResponseError,
        lambda: score_responses(raw, items),
        where=("student b (row 2)",),
        words="The code 7 is none",
    )
    assert found.param == "M1"


def test_a_group_of_one_student_is_named() -> None:
    data = responses().with_columns(g=pl.Series(["A"] * 299 + ["B"]))
    found = refusal(
        CalibrationError, lambda: calibrate(data, group="g"), where=("B",), words="fewer than two students"
    )
    assert "Join them with another group" in found.hint


def test_perfect_collinearity_names_the_columns() -> None:
    data = responses().with_columns(student_id=pl.Series([f"s{i}" for i in range(300)]))
    cal = Calibration.from_items({"item": ITEMS, "slope": [1.0] * 6, "difficulty": [0.0] * 6})
    x = np.arange(300) % 7
    background = data.select("student_id").with_columns(x=pl.Series(x), double=pl.Series(2 * x))
    with pytest.raises(EstimationError) as caught:
        fit_population(cal, data, background)
    assert "double" in caught.value.sentence
    assert caught.value.hint


def test_what_does_not_converge_carries_its_state_and_names_what_moves() -> None:
    with pytest.raises(ConvergenceError) as caught:
        calibrate(responses(), "2pl", options=CalibrationOptions(max_iterations=2))
    found = caught.value
    assert isinstance(found.state, Calibration)
    assert not found.state.converged
    assert found.state.n_iterations == 2
    assert len(found.state.moving) == 5
    assert any(name in found.why for name in ITEMS), "the items that move are named"
    assert found.state.moving[0] in found.why
    assert "max_iterations" in found.hint
    assert found.state.standard_errors == "none", "errors of no maximum are not given"


def test_weights_that_are_all_zero_are_refused() -> None:
    data = responses().with_columns(w=pl.lit(0.0))
    found = refusal(
        CalibrationError, lambda: calibrate(data, weights="w"), where=(), words="'w' are all zero"
    )
    assert found.why == "No student would count."
