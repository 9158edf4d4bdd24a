"""Linking: TV-8.4 and TV-3.14 by name, recovery of a known line, drift, and what is refused."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from lsakit.errors import CalibrationError, TableError
from lsakit.irt.calibration import calibrate
from lsakit.irt.linking import LinkOptions, link
from lsakit.irt.linking_error import (
    country_linking_error,
    item_linking_error,
    robust_spread,
    share_linking_error,
    unit_linking_error,
)

NEW = {"item": list("abcd"), "slope": [1.0, 0.8, 1.2, 0.9], "difficulty": [-1.0, -0.2, 0.3, 1.1]}
OLD = {"item": list("abcd"), "slope": [0.90, 0.72, 1.10, 0.80], "difficulty": [-0.95, -0.05, 0.52, 1.40]}


@pytest.mark.parametrize(
    ("method", "slope", "intercept", "tolerance"),
    [
        ("mean_sigma", 1.1202008, 0.1739900, 5e-8),
        ("mean_mean", 1.1079545, 0.1746023, 5e-8),
        ("haebara", 1.115755, 0.175932, 1e-6),
        ("stocking_lord", 1.112602, 0.174715, 1e-6),
    ],
)
def test_tv_8_4(method: str, slope: float, intercept: float, tolerance: float) -> None:
    found = link(OLD, NEW, method, options=LinkOptions(scaling=1.7, drop="none"))
    assert (found.slope, found.intercept) == pytest.approx((slope, intercept), abs=tolerance)
    assert not found.is_comparable
    assert "Only 4 items carry the link" in found.doubtful[0]


def test_tv_3_14_linking_errors() -> None:
    shifts = [0.10, -0.05, 0.02, -0.12, 0.07, 0.00, 0.15, -0.08]
    assert item_linking_error(shifts) == pytest.approx(0.0327565, abs=5e-8)
    assert unit_linking_error([0.10, -0.06, 0.03, -0.08], [3, 2, 4, 1]) == pytest.approx(0.0352288, abs=5e-8)


def items(seed: int = 1, n: int = 30) -> pl.DataFrame:
    """Items of one and two points."""
    rng = np.random.default_rng(seed)
    step = rng.uniform(0.2, 1.0, n)
    two = np.arange(n) % 3 == 0
    return pl.DataFrame(
        {
            "item": [f"i{j:02d}" for j in range(n)],
            "model": ["gpcm" if one else "2pl" for one in two],
            "slope": rng.uniform(0.6, 1.8, n),
            "difficulty": rng.normal(0, 1, n),
            "step_1": [float(a) if one else None for a, one in zip(step, two, strict=True)],
            "step_2": [-float(a) if one else None for a, one in zip(step, two, strict=True)],
        }
    )


def on_new_scale(table: pl.DataFrame, slope: float, intercept: float) -> pl.DataFrame:
    """The same items before the line theta_old = slope * theta_new + intercept."""
    return table.with_columns(
        pl.col("slope") * slope,
        (pl.col("difficulty") - intercept) / slope,
        pl.col("step_1") / slope,
        pl.col("step_2") / slope,
    )


@pytest.mark.parametrize("method", ["mean_mean", "mean_sigma", "haebara", "stocking_lord"])
@pytest.mark.parametrize("symmetric", [False, True])
def test_a_known_line_is_found(method: str, symmetric: bool) -> None:
    old = items()
    new = on_new_scale(old, 1.3, -0.4)
    found = link(old, new, method, options=LinkOptions(symmetric=symmetric))
    assert (found.slope, found.intercept) == pytest.approx((1.3, -0.4), abs=1e-6)
    assert found.linking_error == pytest.approx(0.0, abs=1e-6)
    assert found.is_comparable
    moved = found.transform(new)
    for name in ("slope", "difficulty", "step_1", "step_2"):
        assert moved[name].drop_nulls().to_numpy() == pytest.approx(
            old[name].drop_nulls().to_numpy(), abs=1e-5
        )
    assert found.theta([0.0, 1.0]) == pytest.approx([-0.4, 0.9], abs=1e-6)


def test_the_curve_methods_are_at_a_minimum() -> None:
    # A tenth of a percent aside in any direction must be worse: checked with Stocking-Lord's own sum.
    rng = np.random.default_rng(3)
    old = items(5)
    new = on_new_scale(old, 0.9, 0.2).with_columns(
        pl.col("difficulty") + pl.Series(rng.normal(0, 0.1, old.height))
    )
    found = link(old, new, options=LinkOptions(drop="none"))
    nodes = np.linspace(-4, 4, 41)
    weight = np.exp(-0.5 * nodes**2)

    def distance(slope: float, intercept: float) -> float:
        total = np.zeros(len(nodes))
        for a, b in zip(old.rows(named=True), new.rows(named=True), strict=True):
            for row, sign, line in ((a, 1, (1.0, 0.0)), (b, -1, (slope, intercept))):
                steps = [row["step_1"] or 0.0, row["step_2"]] if row["step_1"] is not None else [0.0]
                theta = (nodes - line[1]) / line[0]
                logits = np.cumsum([row["slope"] * (theta - row["difficulty"] + d) for d in steps], axis=0)
                chance = np.exp(np.vstack([np.zeros(len(nodes)), logits]))
                total += sign * (np.arange(len(chance)) @ (chance / chance.sum(axis=0)))
        return float(total**2 @ weight)

    best = distance(found.slope, found.intercept)
    for move in ((1e-3, 0.0), (-1e-3, 0.0), (0.0, 1e-3), (0.0, -1e-3)):
        assert distance(found.slope + move[0], found.intercept + move[1]) > best


def test_a_drifting_item_is_dropped_with_its_reason() -> None:
    rng = np.random.default_rng(6)
    old = items()
    noise = rng.normal(0, 0.05, old.height)
    noise[4] += 0.9
    new = on_new_scale(old, 1.1, 0.3).with_columns(pl.col("difficulty") + pl.Series(noise))
    found = link(old, new, options=LinkOptions(units={f"i{j:02d}": f"u{j // 3}" for j in range(30)}))
    row = found.items.filter(pl.col("item") == "i04").row(0, named=True)
    assert row["status"] == "dropped"
    assert row["reason"].startswith("shift +0.9") or row["reason"].startswith("shift +1.0")
    assert found.n_items <= 29
    assert found.slope == pytest.approx(1.1, abs=0.05)
    assert found.unit_linking_error is not None
    kept = link(old, new, options=LinkOptions(drop="none"))
    row = kept.items.filter(pl.col("item") == "i04").row(0, named=True)
    assert row["status"] == "linked"
    assert row["reason"].startswith("drifts: ")
    assert kept.linking_error > found.linking_error


def test_items_of_one_cycle_are_named() -> None:
    old, new = items().head(25), on_new_scale(items().tail(25), 1.2, 0.1)
    found = link(old, new)
    assert found.items["status"].value_counts().sort("status").rows() == [
        ("linked", 20),
        ("new_only", 5),
        ("old_only", 5),
    ]
    only = found.items.filter(pl.col("status") == "new_only").row(0, named=True)
    own = items().filter(pl.col("item") == only["item"]).row(0, named=True)
    assert only["difficulty_new"] == pytest.approx(own["difficulty"], abs=1e-5)


def test_three_ways_of_linking_a_second_cycle_agree() -> None:
    # Twenty of thirty items are common; the second cycle is 0.3 logits better and its spread is 1.2.
    rng = np.random.default_rng(17)
    hard = rng.normal(size=30)
    slope = rng.uniform(0.8, 1.6, 30)

    def cycle(mean: float, sd: float, which: slice) -> pl.DataFrame:
        theta = rng.normal(mean, sd, 4000)
        chance = 1 / (1 + np.exp(-slope * (theta[:, None] - hard)))
        answers = (rng.random((4000, 30)) < chance).astype(int)
        return pl.DataFrame({f"i{j:02d}": answers[:, j] for j in range(30)[which]})

    first, second = cycle(0.0, 1.0, slice(0, 25)), cycle(0.3, 1.2, slice(5, 30))
    old, new = calibrate(first, model="2pl"), calibrate(second, model="2pl")
    found = link(old.items, new.items, options=LinkOptions(drop="none"))
    fixed = calibrate(second, model="2pl", fixed=old.items).groups.row(0, named=True)
    both = pl.concat(
        [first.with_columns(cycle=pl.lit("1")), second.with_columns(cycle=pl.lit("2"))], how="diagonal"
    )
    together = calibrate(both, model="2pl", group="cycle").groups.row(1, named=True)
    # Standard error of a mean of 4,000 is .02 and that of the link about .02: three of both.
    for mean, sd in (
        (found.intercept, found.slope),
        (fixed["mean"], fixed["sd"]),
        (together["mean"], together["sd"]),
    ):
        assert mean == pytest.approx(0.3, abs=0.085)
        assert sd == pytest.approx(1.2, abs=0.085)
    assert found.n_items == 20
    assert found.is_comparable


def test_robust_spread_is_that_of_a_normal_and_ignores_outliers() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(0, 3.0, 2001)
    assert robust_spread(values) == pytest.approx(3.0, rel=0.05)
    values[:200] += 1000.0
    assert robust_spread(values) < 4.5


def test_the_share_above_a_cut_has_the_slope_of_the_distribution() -> None:
    # For a normal population and a small linking error: density at the cut times the error.
    values = norm.ppf((np.arange(20_000) + 0.5) / 20_000) * 100 + 500
    expected = norm.pdf(0.8) / 100 * 2.0
    assert share_linking_error(values, 580.0, 2.0) == pytest.approx(expected, rel=0.01)
    assert share_linking_error(values, 580.0, 0.0) == pytest.approx(0.0, abs=1e-15)
    doubled = share_linking_error(values, 580.0, 2.0, weights=np.full(20_000, 3.0))
    assert doubled == pytest.approx(share_linking_error(values, 580.0, 2.0))
    with pytest.raises(CalibrationError, match="not all zero"):
        share_linking_error(values, 580.0, 2.0, weights=np.zeros(20_000))


@pytest.mark.parametrize(
    ("old", "new", "method", "sentence"),
    [
        (OLD, NEW, "tcc", "must be one of mean_mean"),
        (OLD, {**NEW, "item": list("wxyz")}, "mean_mean", "share 0 items; a link needs at least 3"),
        (OLD, {**NEW, "slope": [1.0, -0.8, 1.2, 0.9]}, "mean_mean", "slope that is not positive. See: b"),
        (
            {**OLD, "difficulty": [0.1] * 4},
            {**NEW, "difficulty": [0.2] * 4},
            "mean_sigma",
            "do not vary, so that mean-sigma has no slope",
        ),
        (
            OLD,
            {**NEW, "step_1": [None, 0.3, None, None], "step_2": [None, -0.3, None, None]},
            "mean_mean",
            "different numbers of score points",
        ),
    ],
)
def test_what_is_refused(old: dict, new: dict, method: str, sentence: str) -> None:
    with pytest.raises(CalibrationError) as refusal:
        link(old, new, method)
    assert sentence in str(refusal.value)


def test_refused_tables() -> None:
    with pytest.raises(TableError, match="must be unique"):
        link({**OLD, "item": list("aacd")}, NEW)
    far = {**NEW, "difficulty": [-5.0, 5.0, -9.0, 12.0]}
    with pytest.raises(CalibrationError, match="they still drift"):
        link(OLD, far, "mean_mean")
    with pytest.raises(CalibrationError, match="the same countries"):
        country_linking_error({"country": ["A"], "mean": [1.0]}, {"country": ["B"], "mean": [1.0]})
    with pytest.raises(CalibrationError, match="at least two finite numbers"):
        item_linking_error([0.1])
