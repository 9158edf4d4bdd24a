"""Severities that differ by item: against the saturated calibration, and what is refused."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from irt_plain_loops import probabilities
from lsakit.errors import CalibrationError
from lsakit.irt.calibration import CalibrationOptions, calibrate
from lsakit.irt.facets import calibrate_facets, ratings_table

DIFFICULTY = np.array([-0.5, 0.1, 0.6])
SEVERITY = np.array([-0.4, 0.4])
EXTRA = np.array([[0.5, -0.5], [-0.25, 0.25], [-0.25, 0.25]])
STRICT = CalibrationOptions(tolerance=1e-9)


def coded(n: int, *, steps: tuple[float, ...] = (), seed: int = 3) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    theta = rng.normal(0, 1, n)
    rows = []
    for i in range(n):
        for j in range(3):
            for c in range(2):
                par = {"slope": 1.0, "difficulty": DIFFICULTY[j] + SEVERITY[c] + EXTRA[j, c], "steps": steps}
                chance = probabilities("pcm", theta[[i]], par)[0]
                score = int((rng.random() > np.cumsum(chance)[:-1]).sum())
                rows.append((f"s{i:04d}", f"q{j}", f"coder {c}", score))
    return pl.DataFrame(rows, schema=["student_id", "item", "coder", "score"], orient="row")


def test_two_categories_are_the_saturated_calibration() -> None:
    ratings = coded(700)
    found = calibrate_facets(ratings, interaction=True, options=STRICT)
    free = calibrate(ratings_table(ratings), "rasch", options=STRICT)
    assert found.calibration.loglik == pytest.approx(free.loglik, abs=1e-7)
    assert found.interactions is not None
    own = dict(zip(free.items["item"], free.items["difficulty"], strict=True))
    table = np.array([[own[f"q{j}~coder {c}"] for c in range(2)] for j in range(3)])
    item, coder = table.mean(axis=1, keepdims=True), table.mean(axis=0, keepdims=True)
    expected = table - item - coder + table.mean()
    assert found.interactions["interaction"].to_numpy().reshape(3, 2) == pytest.approx(expected, abs=1e-6)
    assert found.severities["severity"].to_numpy() == pytest.approx((coder - table.mean()).ravel(), abs=1e-6)
    assert found.items["difficulty"].to_numpy() == pytest.approx(item.ravel(), abs=1e-6)
    plain = calibrate_facets(ratings, options=STRICT)
    assert plain.interactions is None
    assert found.calibration.n_parameters == plain.calibration.n_parameters + 2
    assert 2 * (found.calibration.loglik - plain.calibration.loglik) > 20


def test_the_truth_is_found_with_its_errors_for_three_categories() -> None:
    found = calibrate_facets(coded(1200, steps=(0.5, -0.5)), interaction=True)
    assert found.interactions is not None
    gap = (found.interactions["interaction"].to_numpy() - EXTRA.ravel()) / found.interactions["se"].to_numpy()
    assert np.abs(gap).max() < 3.5
    assert found.interactions["se"].to_numpy() == pytest.approx(
        np.full(6, found.interactions["se"][0]), rel=0.2
    )
    assert found.interactions["z"].to_numpy() == pytest.approx(
        (found.interactions["interaction"] / found.interactions["se"]).to_numpy()
    )
    assert found.interactions["n"].to_list() == [1200] * 6
    sums = found.interactions["interaction"].to_numpy().reshape(3, 2)
    assert np.abs(sums.sum(axis=0)).max() < 1e-9
    assert np.abs(sums.sum(axis=1)).max() < 1e-9


def test_a_pair_without_scores_is_refused() -> None:
    ratings = coded(100).filter((pl.col("item") != "q1") | (pl.col("coder") != "coder 0"))
    with pytest.raises(CalibrationError, match="1 items were not scored by every coder") as refusal:
        calibrate_facets(ratings, interaction=True)
    assert refusal.value.where == ("q1 by coder 0",)


def test_a_pair_of_one_score_is_refused() -> None:
    flat = (pl.col("item") == "q1") & (pl.col("coder") == "coder 0")
    ratings = coded(100).with_columns(score=pl.when(flat).then(1).otherwise("score"))
    with pytest.raises(CalibrationError, match="from a coder throughout") as refusal:
        calibrate_facets(ratings, interaction=True)
    assert refusal.value.where == ("q1~coder 0",)
