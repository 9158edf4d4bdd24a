"""A second cycle on the old scale: drift let go, linking errors, concurrent calibration; the truth is simulated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from lsakit.errors import CalibrationError
from lsakit.irt.calibration import CalibrationOptions, calibrate
from lsakit.irt.concurrent_linking import ConcurrentOptions, link_concurrent
from lsakit.irt.cycle_linking import CycleLinkOptions, group_means, link_cycle
from lsakit.irt.item_parameters import read_item_parameters
from lsakit.irt.linking_error import country_linking_error, item_linking_error
from lsakit.irt.response_data import read_responses

N_TREND = 26
SLOPE = np.exp(np.random.default_rng(8).normal(0.1, 0.2, 40))
HARD = np.random.default_rng(9).normal(0.0, 1.0, 40)
REGIONS = {"A": 0.2, "B": 0.5, "C": -0.1}


def answers(
    names: list[int], mean: float, n: int, seed: int, *, shifts: dict[int, float] | None = None
) -> pl.DataFrame:
    """Responses to 2PL items by number, in three regions around a mean."""
    rng = np.random.default_rng(seed)
    parts = []
    for region, move in REGIONS.items():
        theta = rng.normal(mean + move, 1.0, (n, 1))
        hard = np.array([HARD[j] + (shifts or {}).get(j, 0.0) for j in names])
        seen = (SLOPE[names] * (theta - hard) + rng.logistic(size=(n, len(names))) > 0).astype(np.int64)
        columns = {f"t{j:02d}": seen[:, k] for k, j in enumerate(names)}
        parts.append(pl.DataFrame(columns).with_columns(region=pl.lit(region)))
    return pl.concat(parts)


TREND, OLD_ONLY, NEW_ONLY = list(range(N_TREND)), list(range(26, 33)), list(range(33, 40))
DRIFT = {3: 0.9, 11: -0.7}
WIDE = CycleLinkOptions(
    most_z=4.0
)  # at 2.7 one true null in 140 goes, and with 26 items the quartiles are rough
TRUE = pl.DataFrame(
    {"item": [f"t{j:02d}" for j in [*TREND, *OLD_ONLY]], "slope": SLOPE[:33], "difficulty": HARD[:33]}
)


@pytest.fixture(scope="module")
def new() -> pl.DataFrame:
    return answers([*TREND, *NEW_ONLY], 0.3, 1500, 21, shifts=DRIFT)


@pytest.fixture(scope="module")
def old() -> pl.DataFrame:
    return answers([*TREND, *OLD_ONLY], 0.0, 1500, 22)


def test_drifted_items_are_let_go_and_the_trend_is_right(new: pl.DataFrame) -> None:
    found = link_cycle(new, TRUE, "2pl", "region", options=WIDE)
    assert set(found.let_go) == {"t03", "t11"}
    assert found.let_go[0] == "t03", "the larger drift goes first"
    assert found.n_items == 24
    assert found.n_rounds == 3
    assert found.is_comparable
    rows = found.items.rows_by_key("item", named=True, unique=True)
    assert rows["t03"]["status"] == "let_go"
    assert rows["t03"]["round"] == 1
    assert rows["t03"]["shift"] == pytest.approx(0.9, abs=0.15)
    assert rows["t00"]["status"] == "linked"
    assert rows["t26"]["status"] == "old_only"
    assert rows["t33"]["status"] == "new_only"
    assert rows["t33"]["difficulty_new"] == pytest.approx(HARD[33], abs=0.15)
    means = dict(zip(found.calibration.groups["group"], found.calibration.groups["mean"], strict=True))
    for region, move in REGIONS.items():
        assert means[region] == pytest.approx(0.3 + move, abs=0.1)  # three standard errors of a mean
    items = found.calibration.items.rows_by_key("item", named=True, unique=True)
    assert items["t00"]["fixed"]
    assert not items["t03"]["fixed"]
    assert items["t03"]["difficulty"] == pytest.approx(HARD[3] + 0.9, abs=0.15)


def test_the_linking_error_is_that_of_the_shifts_that_stayed(new: pl.DataFrame) -> None:
    units = {f"t{j:02d}": f"u{j // 3}" for j in TREND}
    found = link_cycle(new, TRUE, "2pl", "region", options=CycleLinkOptions(units=units))
    own = found.items.filter(pl.col("status") == "linked")["shift"].to_numpy()
    assert found.linking_error == pytest.approx(item_linking_error(own), abs=1e-12)
    assert 0.0 < found.linking_error < 0.03
    assert found.unit_linking_error is not None
    # The shift is told on the metric of the fixed items: the free calibration put there by the reported line.
    free = calibrate(new, "2pl", "region", options=CalibrationOptions(standard_errors="none"))
    rows = free.items.rows_by_key("item", named=True, unique=True)
    moved = found.slope * rows["t05"]["difficulty"] + found.intercept
    row = found.items.filter(pl.col("item") == "t05").row(0, named=True)
    assert row["difficulty_new"] == pytest.approx(moved, abs=1e-5)
    assert row["shift"] == pytest.approx(moved - HARD[5], abs=1e-5)


def test_the_error_by_group_compares_two_scorings_of_the_old_cycle(
    new: pl.DataFrame, old: pl.DataFrame
) -> None:
    found = link_cycle(new, TRUE, "2pl", "region", options=CycleLinkOptions(old_responses=old))
    assert found.group_linking_error is not None
    data = read_responses(old, group="region")
    published = read_item_parameters(TRUE)
    table = TRUE.join(found.items.filter(pl.col("status").is_in(["linked", "let_go"])), on="item", how="left")
    free = calibrate(new, "2pl", "region", options=CalibrationOptions(standard_errors="none")).items
    slopes = {row["item"]: row["slope"] / found.slope for row in free.iter_rows(named=True)}
    newer = pl.DataFrame(
        {
            "item": table["item"],
            "slope": [slopes.get(name, old) for name, old in zip(table["item"], TRUE["slope"], strict=True)],
            "difficulty": table["difficulty_new"].fill_null(table["difficulty"]),
        }
    )
    options = CalibrationOptions()
    before = group_means(data, published, options)
    after = group_means(data, read_item_parameters(newer), options)
    sides = [pl.DataFrame({"country": list(one), "mean": list(one.values())}) for one in (before, after)]
    assert found.group_linking_error == pytest.approx(country_linking_error(*sides), abs=1e-5)


def test_rasch_cycles_differ_by_a_shift_alone(new: pl.DataFrame) -> None:
    table = calibrate(new, "rasch", "region", options=CalibrationOptions(reference_group="B")).items
    found = link_cycle(new, table, "rasch", "region")
    assert found.slope == 1.0
    assert found.let_go == ()
    assert found.linking_error == pytest.approx(0.0, abs=1e-6)


def test_fewer_than_twenty_items_are_not_comparable(new: pl.DataFrame) -> None:
    few = TRUE.head(15)
    with pytest.raises(
        CalibrationError, match=r"Only 13 common items carry the link: the two sides are not comparable"
    ):
        link_cycle(new, few, "2pl", "region")
    found = link_cycle(new, few, "2pl", "region", options=CycleLinkOptions(on_few="report"))
    assert not found.is_comparable
    assert "13 items carry the link" in found.doubtful[0]
    with pytest.raises(CalibrationError, match="Only 2 common items"):
        link_cycle(new, TRUE.head(2), "2pl", "region", options=CycleLinkOptions(on_few="report"))


def test_an_item_with_other_points_is_refused(new: pl.DataFrame) -> None:
    bad = TRUE.with_columns(
        step_1=pl.when(pl.col("item") == "t07").then(0.4), step_2=pl.when(pl.col("item") == "t07").then(-0.4)
    )
    with pytest.raises(CalibrationError, match="different numbers of score points") as refusal:
        link_cycle(new, bad, "2pl", "region")
    assert refusal.value.where == ("t07",)


def test_concurrent_cycles_release_what_drifted(new: pl.DataFrame, old: pl.DataFrame) -> None:
    found = link_concurrent(
        old.drop("region"), new.drop("region"), "2pl", options=ConcurrentOptions(threshold=0.05)
    )
    assert set(found.release.unique) == {"t03", "t11"}
    assert len(found.common) == 24
    assert found.is_comparable
    means = dict(zip(found.groups["group"], found.groups["mean"], strict=True))
    sds = dict(zip(found.groups["group"], found.groups["sd"], strict=True))
    true_sd = np.sqrt(1.0 + np.var(list(REGIONS.values())))
    assert (means["new"] - means["old"]) / sds["old"] == pytest.approx(0.3 / true_sd, abs=0.1)


def test_the_joint_scale_is_carried_to_the_published_one(new: pl.DataFrame, old: pl.DataFrame) -> None:
    options = ConcurrentOptions(threshold=0.1, old_items=TRUE)
    found = link_concurrent(old, new, "2pl", "region", options=options)
    means = dict(zip(found.groups["group"], found.groups["mean"], strict=True))
    for region, move in REGIONS.items():
        assert means[f"old: {region}"] == pytest.approx(move, abs=0.1)
        assert means[f"new: {region}"] == pytest.approx(0.3 + move, abs=0.1)
    assert found.group_linking_error is not None
    assert 0.0 <= found.group_linking_error < 0.02
    rows = found.items.rows_by_key("item", named=True, unique=True)
    assert rows["t00"]["difficulty"] == pytest.approx(HARD[0], abs=0.1)
    assert found.slope == pytest.approx(1.0 / 1.0, abs=0.15)


def test_cycles_with_too_little_in_common_are_refused(new: pl.DataFrame, old: pl.DataFrame) -> None:
    part = new.select([f"t{j:02d}" for j in (0, 1, *NEW_ONLY)])
    with pytest.raises(CalibrationError, match="Only 2 common items"):
        link_concurrent(old.drop("region"), part, "2pl")
    some = new.select([f"t{j:02d}" for j in (0, 1, 2, 4, 5, *NEW_ONLY)])
    with pytest.raises(CalibrationError, match="Only 5 common items"):
        link_concurrent(old.drop("region"), some, "2pl")
    told = link_concurrent(old.drop("region"), some, "2pl", options=ConcurrentOptions(on_few="report"))
    assert not told.is_comparable
    with pytest.raises(CalibrationError, match="must name a column"):
        link_concurrent(old, new, "2pl", "region", np.ones(4500))


def test_options_are_checked() -> None:
    with pytest.raises(CalibrationError, match="'most_z' of a cycle's link"):
        CycleLinkOptions(most_z=0.0)
    with pytest.raises(CalibrationError, match="'on_few' of a concurrent link"):
        ConcurrentOptions(on_few="shrug")
    with pytest.raises(CalibrationError, match="'calibration'"):
        replace(CycleLinkOptions(), calibration=CalibrationOptions(unique={"t00": ["A"]}))
