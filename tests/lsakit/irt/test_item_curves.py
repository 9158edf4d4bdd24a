"""Curves of calibrated items against numerical derivatives and plain loops."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import lsakit as lk
from lsakit.errors import CalibrationError
from lsakit.irt.calibration import Calibration
from lsakit.irt.item_curves import information_curve, item_curves, item_information
from lsakit.irt.packs import probability_table

ITEMS = pl.DataFrame(
    {
        "item": ["rasch", "two", "three", "credit", "graded", "nominal"],
        "model": ["rasch", "2pl", "3pl", "gpcm", "graded", "nominal"],
        "slope": [1.0, 1.4, 1.1, 0.8, 1.3, 0.9],
        "difficulty": [-0.5, 0.3, 0.6, 0.1, -0.2, 0.4],
        "step_1": [None, None, None, 0.5, 0.6, 0.3],
        "step_2": [None, None, None, -0.5, -0.6, -0.3],
        "guessing": [0.0, 0.0, 0.2, 0.0, 0.0, 0.0],
        "score_1": [None, None, None, None, None, 1.4],
    }
)


@pytest.fixture(scope="module")
def cal() -> Calibration:
    return Calibration.from_items(ITEMS, mean=0.2, sd=1.1)


@pytest.fixture(scope="module")
def answers(cal: Calibration) -> pl.DataFrame:
    """Draw responses of 300 students; some items are not administered."""
    rng = np.random.default_rng(4)
    theta = rng.normal(0.2, 1.1, 300)
    columns: dict[str, list[int | None]] = {}
    table = probability_table(cal.parameters, theta)
    for item, name in enumerate(cal.parameters.names):
        first, own = int(cal.parameters.offset[item]), int(cal.parameters.n_steps[item])
        below = np.cumsum(table[first : first + own + 1], axis=0)
        drawn = (rng.random(300) > below).sum(axis=0).clip(0, own)
        given = rng.random(300) < 0.8
        columns[name] = [int(k) if there else None for k, there in zip(drawn, given, strict=True)]
    return pl.DataFrame(columns).with_columns(w=pl.Series(rng.uniform(0.5, 2.0, 300)))


def test_information_is_that_of_numerical_derivatives(cal: Calibration) -> None:
    """Central differences of step 1e-5 are right to about 1e-9 relative; 1e-6 leaves room for small information."""
    theta, step = np.linspace(-4.0, 4.0, 17), 1e-5
    up, down = (probability_table(cal.parameters, theta + move) for move in (step, -step))
    rise = (up - down) / (2.0 * step)
    by_category = rise**2 / probability_table(cal.parameters, theta)
    wanted = np.add.reduceat(by_category, cal.parameters.offset, axis=0)
    np.testing.assert_allclose(item_information(cal.parameters, theta), wanted, rtol=1e-6)


def test_information_is_that_behind_the_standard_error_of_an_ability(cal: Calibration) -> None:
    """The SE of an MLE is one over the root of the information at the estimate: the same arithmetic, 1e-9."""
    one = {name: [k] for name, k in zip(ITEMS["item"], [1, 0, 1, 1, 1, 2], strict=True)}
    found = lk.score(cal, one, method="mle")
    curve = information_curve(cal, [found["theta"].item()])
    assert curve["se"].item() == pytest.approx(found["se"].item(), rel=1e-9)


def test_the_information_of_a_students_test_counts_each_item_by_its_share() -> None:
    items = pl.DataFrame({"item": ["a", "b"], "slope": [2.0, 1.0], "difficulty": [0.0, 0.0]})
    cal = Calibration.from_items(items)
    object.__setattr__(cal, "items", cal.items.with_columns(n=pl.Series([50, 100])))
    curve = information_curve(cal, [0.0], n_students=100)
    assert curve["information"].item() == pytest.approx(1.0 + 0.25)
    assert curve["student_information"].item() == pytest.approx(0.5 * 1.0 + 0.25)
    with pytest.raises(CalibrationError, match="more than the 40 students"):
        information_curve(cal, [0.0], n_students=40)


def test_points_are_those_of_plain_loops(cal: Calibration, answers: pl.DataFrame) -> None:
    """The same sums, one student and one node at a time; 1e-9 for another order of adding up."""
    found = item_curves(cal, answers, weights="w", n_classes=6)
    nodes = np.linspace(-6.0, 6.0, 41)
    table = probability_table(cal.parameters, nodes)
    prior = np.exp(-0.5 * ((nodes - 0.2) / 1.1) ** 2)
    names = cal.parameters.names
    counted = answers.drop("w").select(pl.any_horizontal(pl.all().is_not_null())).to_series().to_numpy()
    weight = answers["w"].to_numpy() / answers["w"].to_numpy()[counted].mean()
    item, category = names.index("credit"), 1
    first = int(cal.parameters.offset[item])
    sums = np.zeros((6, 4))
    for row in range(answers.height):
        likely = prior.copy()
        for place, name in enumerate(names):
            if answers[name][row] is not None:
                likely = likely * table[int(cal.parameters.offset[place]) + answers[name][row]]
        if answers["credit"][row] is None:
            continue
        likely /= likely.sum()
        for q, theta in enumerate(nodes):
            own = min(int((theta + 6.0) // 2.0), 5)
            mass = weight[row] * likely[q]
            hit = answers["credit"][row] == category
            sums[own] += mass * np.array([1.0, theta, hit, table[first + category, q]])
    kept = sums[sums[:, 0] >= 1.0]
    own = found.curves.filter((pl.col("item") == "credit") & (pl.col("category") == category))
    for place, head in enumerate(("theta", "observed", "expected")):
        np.testing.assert_allclose(own[head], kept[:, place + 1] / kept[:, 0], rtol=1e-9, err_msg=head)
    np.testing.assert_allclose(own["n"], kept[:, 0], rtol=1e-9)


def test_categories_sum_to_one_and_give_the_score(cal: Calibration, answers: pl.DataFrame) -> None:
    curves = item_curves(cal, answers).curves.filter(pl.col("item") == "graded")
    score = curves.filter(pl.col("category").is_null())
    parts = curves.filter(pl.col("category").is_not_null()).with_columns(
        points=pl.col("category") * pl.col("observed") / 2
    )
    sums = parts.group_by("theta", maintain_order=True).agg(pl.col("observed", "points").sum())
    np.testing.assert_allclose(sums["observed"], 1.0, rtol=1e-12)
    np.testing.assert_allclose(sums["points"], score["observed"], rtol=1e-12)
    assert curves.filter(pl.col("category") == 2).height == score.height


def test_items_of_two_categories_have_the_points_of_item_fit(cal: Calibration, answers: pl.DataFrame) -> None:
    """Two ways to the same sums; 1e-9."""
    ours = item_curves(cal, answers, weights="w").curves.filter(pl.col("category").is_null())
    theirs = lk.item_fit(cal, answers, weights="w").curves
    assert ours["item"].to_list() == theirs["item"].to_list()
    for head in ("theta", "observed", "expected", "n"):
        np.testing.assert_allclose(ours[head], theirs[head], rtol=1e-9, err_msg=head)


def test_the_distribution_of_each_group_sums_to_one(answers: pl.DataFrame) -> None:
    given = answers.with_columns(g=pl.Series(["x"] * 100 + ["y"] * 200))
    found = lk.calibrate(given.select("rasch", "two", "credit", "g"), group="g", model="gpcm")
    shares = item_curves(found, given).abilities
    sums = shares.group_by("group", maintain_order=True).agg(pl.col("share").sum())
    assert sums["group"].to_list() == ["x", "y"]
    np.testing.assert_allclose(sums["share"], 1.0, rtol=1e-12)
    mean = shares.with_columns(m=pl.col("theta") * pl.col("share")).group_by("group").agg(pl.col("m").sum())
    kept = dict(zip(found.groups["group"], found.groups["mean"], strict=True))
    for group, value in mean.rows():
        # At the maximum of the likelihood a group's mean is the mean of its posteriors; the EM stops at 1e-6.
        assert group == "x" or value == pytest.approx(kept[group], abs=1e-5)


def test_too_few_classes_are_refused(cal: Calibration, answers: pl.DataFrame) -> None:
    with pytest.raises(CalibrationError, match="must be at least 2"):
        item_curves(cal, answers, n_classes=1)
