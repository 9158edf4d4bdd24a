"""Raking and generalized regression against the worked vector, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lsakit as lk
from lsakit.errors import ConvergenceError, DesignError, TableError
from lsakit.weighting.replicates import ReplicateWeights, replicate_weights

from .test_replicates import sample

CELLS = [(0, 0)] * 4 + [(0, 1)] * 2 + [(1, 0)] * 2 + [(1, 1)] * 2
TABLE: dict[str, list[Any]] = {"sex": [one for one, _ in CELLS], "urb": [two for _, two in CELLS]}
TOTALS = {"sex": {0: 52, 1: 58}, "urb": {0: 70, 1: 40}}
TEN = [10.0] * 10


def test_tv_3_4_raking() -> None:
    found = lk.calibrate_weights(TEN, TABLE, TOTALS)
    printed = [9.353117296, 7.293765409, 16.293765409, 12.706234591]
    # printed with nine decimals
    assert found.weights[[0, 4, 6, 8]] == pytest.approx(printed, abs=5e-10)
    assert found.n_iterations == 9
    assert found.design_effect == pytest.approx(1.0828, abs=5e-5)
    assert found.margins["after"].to_numpy() == pytest.approx([52, 58, 70, 40], rel=1e-10)
    assert found.margins["before"].to_list() == [60, 40, 60, 40]


def test_linear_calibration_by_hand() -> None:
    """Two groups of two: the g-weights of one margin are the ratio of totals under both methods."""
    table = {"g": ["a", "a", "b", "b"]}
    for method in ("linear", "raking"):
        found = lk.calibrate_weights([1.0, 3.0, 2.0, 2.0], table, {"g": {"a": 6.0, "b": 3.0}}, method=method)
        assert found.weights == pytest.approx([1.5, 4.5, 1.5, 1.5], rel=1e-12)


def test_bounded_g_weights_stay_inside_and_meet_the_totals() -> None:
    free = lk.calibrate_weights(TEN, TABLE, TOTALS, bounds=None)
    assert free.g_weights.max() > 1.62
    for method in ("raking", "linear"):
        found = lk.calibrate_weights(TEN, TABLE, TOTALS, method=method, bounds=(0.71, 1.62))
        assert found.g_weights.min() >= 0.71
        assert found.g_weights.max() <= 1.62
        assert found.margins["after"].to_numpy() == pytest.approx([52, 58, 70, 40], rel=1e-9)


def test_bounds_that_cannot_be_kept_are_refused() -> None:
    with pytest.raises(ConvergenceError, match=r"No g-weights between 0.75 and 1.2.*misses by.*wider bounds"):
        lk.calibrate_weights(TEN, TABLE, TOTALS, bounds=(0.75, 1.2))


def test_a_numeric_total_is_met() -> None:
    table = {**TABLE, "books": [float(row) for row in range(10)]}
    totals = {"sex": {0: 52.0, 1: 58.0}, "books": 500.0}
    for method in ("raking", "linear"):
        found = lk.calibrate_weights(TEN, table, totals, method=method)
        assert found.weights @ np.arange(10.0) == pytest.approx(500, rel=1e-9)
        assert found.margins["control"].to_list() == ["sex=0", "sex=1", "books"]


def test_weights_that_meet_the_totals_stay() -> None:
    totals = {"sex": {0: 60.0, 1: 40.0}, "urb": {0: 60.0, 1: 40.0}}
    for method in ("raking", "linear"):
        assert lk.calibrate_weights(TEN, TABLE, totals, method=method).weights == pytest.approx(
            TEN, rel=1e-14
        )


def test_every_replicate_is_calibrated() -> None:
    w = sample({"N": 8, "S": 7}, absent=(3,))
    reps = replicate_weights(w, n_replicates=20)
    ids = w.table["student_id"].to_list()
    table = {
        "student_id": ids[::-1],
        "half": ["FM"[int(one[-2:]) % 2] for one in ids[::-1]],
        "stratum": w.table["stratum"].to_list()[::-1],
    }
    total = float(w.table["final_weight"].sum())
    totals = {"half": {"F": 0.47 * total, "M": 0.53 * total}, "stratum": {"N": 0.5 * total, "S": 0.5 * total}}
    found = lk.calibrate_weights(w, table, totals, replicates=reps)
    half = np.asarray(table["half"][::-1])
    assert isinstance(found.replicates, ReplicateWeights)
    sums = [found.replicates.matrix[half == one].sum(axis=0) for one in "FM"]
    np.testing.assert_allclose(sums[0], 0.47 * total, rtol=1e-10)
    np.testing.assert_allclose(sums[1], 0.53 * total, rtol=1e-10)
    assert not np.allclose(found.replicates.matrix, found.weights[:, None])
    one = lk.calibrate_weights(reps.matrix[:, 4], {k: v[::-1] for k, v in table.items()}, totals)
    np.testing.assert_allclose(found.replicates.matrix[:, 4], one.weights, rtol=1e-9)
    assert found.to_table()["student_id"].to_list() == ids
    assert found.to_table()["final_weight"].to_numpy() == pytest.approx(found.weights)
    # a total that is calibrated has no sampling error left
    full = found.weights[half == "F"].sum()
    assert (found.replicates.coefficients * (sums[0] - full) ** 2).sum() ** 0.5 < 1e-8 * total


def test_a_margin_that_a_replicate_empties_is_refused() -> None:
    w = sample({"N": 8}, absence=0.0)
    reps = replicate_weights(w, method="jk1")
    alone = ["x" if one == "S03" else "y" for one in w.table["school_id"]]
    total = float(w.table["final_weight"].sum())
    with pytest.raises(DesignError, match=r"without any weight in replicate 4\. See: g=x"):
        lk.calibrate_weights(
            w,
            {"student_id": w.table["student_id"], "g": alone},
            {"g": {"x": 0.1 * total, "y": 0.9 * total}},
            replicates=reps,
        )


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_calibrated_weights_reproduce_their_control_totals(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 200
    table = {"a": rng.integers(0, 3, n).tolist(), "b": rng.integers(0, 4, n).tolist()}
    weights = rng.uniform(1, 5, n)
    truth = weights * rng.uniform(0.8, 1.25, n)
    totals = {
        name: {
            value: float(truth[np.asarray(table[name]) == value].sum()) for value in sorted(set(table[name]))
        }
        for name in table
    }
    for method in ("raking", "linear"):
        found = lk.calibrate_weights(weights, table, totals, method=method)
        np.testing.assert_allclose(found.margins["after"], found.margins["target"], rtol=1e-8)
        assert (found.weights > 0).all()
        # shuffled rows give shuffled weights
        order = rng.permutation(n)
        moved = {name: np.asarray(column)[order].tolist() for name, column in table.items()}
        again = lk.calibrate_weights(weights[order], moved, totals, method=method)
        np.testing.assert_allclose(again.weights, found.weights[order], rtol=1e-9)


def test_pandas_is_accepted() -> None:
    found = lk.calibrate_weights(TEN, pd.DataFrame(TABLE), TOTALS)
    assert found.weights[0] == pytest.approx(9.353117296, abs=5e-10)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"totals": {}}, DesignError, "'totals' parameter is empty"),
        (
            {"totals": {"sex": {0: 52, 1: 58}, "urb": {0: 70, 1: 41}}},
            DesignError,
            r"different totals: sex 110, urb 111",
        ),
        ({"totals": {"sex": {0: 110}}}, DesignError, r"1 values without a control total. See: 1"),
        (
            {"totals": {"sex": {0: 50, 1: 50, 2: 10}}},
            DesignError,
            r"control totals without any student. See: 2",
        ),
        ({"totals": {"sex": {0: 110, 1: 0}}}, DesignError, r"must be positive. See: sex=1"),
        ({"totals": {"books": 3.0}}, TableError, "no column 'books'"),
        ({"weights": [1.0] * 9}, DesignError, "same rows"),
        (
            {"weights": [-1.0] + [1.0] * 9},
            DesignError,
            r"must be positive. Got -1 in 1 of 10 rows. See: row 1",
        ),
        ({"method": "logit"}, DesignError, "'method'"),
        ({"bounds": (1.1, 3)}, DesignError, "'bounds'"),
        ({"bounds": (-1, 3)}, DesignError, "'bounds'"),
    ],
)
def test_bad_input_is_refused(changes: dict[str, Any], error: type[Exception], words: str) -> None:
    arguments: dict[str, Any] = {"weights": TEN, "students": TABLE, "totals": TOTALS, **changes}
    with pytest.raises(error, match=words):
        lk.calibrate_weights(**arguments)


def test_tables_of_other_students_are_refused() -> None:
    w = sample({"N": 8})
    table = {"student_id": w.table["student_id"], "g": ["x"] * w.table.height}
    with pytest.raises(DesignError, match="respondents are not in the students table"):
        lk.calibrate_weights(w, {key: column[1:] for key, column in table.items()}, {"g": {"x": 9.0}})
    other = replicate_weights(sample({"N": 8}, absence=0.3), n_replicates=20)
    with pytest.raises(DesignError, match="other respondents"):
        lk.calibrate_weights(w, table, {"g": {"x": 900.0}}, replicates=other, bounds=None)
