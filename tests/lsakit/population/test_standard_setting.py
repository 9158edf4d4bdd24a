"""Standard setting: TV-8.8 and TV-8.9 by name, rounds, panels, maps, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from lsakit.errors import EstimationError, LsakitError
from lsakit.irt.calibration import Calibration
from lsakit.population.item_maps import item_map, ordered_item_booklet, response_probability_location
from lsakit.population.standard_setting import angoff, bookmark

RATINGS = {"J1": [0.6, 0.4, 0.7, 0.5], "J2": [0.7, 0.5, 0.8, 0.4], "J3": [0.5, 0.45, 0.75, 0.55]}
ITEMS = {"item": list("abcd"), "slope": [1.0] * 4, "difficulty": [-0.8, 0.1, -1.1, 0.3]}


def judgments(ratings: dict[str, list[float]] = RATINGS, **more: Any) -> pl.DataFrame:
    """One row per judge and item."""
    rows = [(judge, item, value) for judge, own in ratings.items() for item, value in zip("abcd", own)]  # noqa: B905
    table = pl.DataFrame(rows, schema=["judge", "item", "rating"], orient="row")
    return table.with_columns(**{name: pl.lit(value) for name, value in more.items()})


def test_tv_8_8_modified_angoff() -> None:
    found = angoff(judgments(), ITEMS)
    assert found.judges["cut"].to_list() == pytest.approx([2.20, 2.40, 2.25])
    row = found.cuts.row(0, named=True)
    assert row["cut"] == pytest.approx(2.283333, abs=5e-7)
    assert row["se"] == pytest.approx(0.060093, abs=5e-7)
    assert row["theta"] == pytest.approx(-0.0639423, abs=5e-8)
    # Delta method: the slope of the characteristic curve there is the sum of P(1 - P).
    chance = 1 / (1 + np.exp(-(row["theta"] - np.array(ITEMS["difficulty"]))))
    assert row["se_theta"] == pytest.approx(row["se"] / np.sum(chance * (1 - chance)), rel=1e-6)
    assert "Only 3 judges" in found.doubtful[0]


def test_tv_8_9_response_probabilities() -> None:
    location = response_probability_location
    assert location(1.0, 0.0, probability=0.62) == pytest.approx(0.4895, abs=5e-5)
    assert location(1.0, 0.0, probability=2 / 3) == pytest.approx(0.6931, abs=5e-5)
    assert location(1.2, 0.4, probability=0.62, scaling=1.7) == pytest.approx(0.6399746, abs=5e-8)
    assert location(1.2, 0.4, probability=0.62, scaling=1.7, guessing=0.2) == pytest.approx(
        0.4490605, abs=5e-8
    )


def test_tv_8_9_bookmarks() -> None:
    placed = {"judge": ["J1", "J2", "J3"], "location": [0.42, 0.55, 0.47]}
    assert bookmark(placed).cuts["cut"].item() == pytest.approx(1.1631472, abs=5e-8)
    assert bookmark(placed, probability=0.62).cuts["cut"].item() == pytest.approx(0.9595482, abs=5e-8)


def test_the_last_round_counts_and_all_stay() -> None:
    first = judgments({name: [one - 0.1 for one in own] for name, own in RATINGS.items()}, round=1)
    found = angoff(pl.concat([first, judgments(round=2)]), ITEMS)
    assert found.cuts["cut"].item() == pytest.approx(2.283333, abs=5e-7)
    assert found.rounds["cut"].to_list() == pytest.approx([1.883333, 2.283333], abs=1e-6)
    assert found.judges.height == 6
    assert not any("one round" in sentence for sentence in found.doubtful)


def test_panels_have_a_spread_of_their_own() -> None:
    panel = {"J1": "north", "J2": "south", "J3": "south"}
    table = judgments().with_columns(panel=pl.col("judge").replace_strict(panel))
    row = angoff(table).rounds.row(0, named=True)
    means = np.array([2.20, (2.40 + 2.25) / 2])
    assert row["n_panels"] == 2
    assert row["se_panels"] == pytest.approx(means.std(ddof=1) / np.sqrt(2))


def test_consistency_is_high_for_a_judge_who_knows_the_items() -> None:
    theta = 0.2
    chance = 1 / (1 + np.exp(-(theta - np.array(ITEMS["difficulty"]))))
    ratings = {"knows": chance.tolist(), "turned": chance[::-1].tolist()}
    found = angoff(judgments(ratings), ITEMS).judges
    assert found["consistency"][0] == pytest.approx(1.0, abs=1e-6)
    assert found["consistency"][1] < 0.5


def test_a_judge_beyond_the_test_has_no_consistency_but_counts() -> None:
    found = angoff(judgments({**RATINGS, "J4": [1.0] * 4}), ITEMS)
    assert found.judges["consistency"].is_null().to_list() == [False, False, False, True]
    assert found.cuts["n_judges"].item() == 4


def test_pages_stand_where_the_booklet_says() -> None:
    items = {
        "item": ["a", "b", "c"],
        "slope": [1.0, 0.8, 1.5],
        "difficulty": [-0.5, 0.4, 1.0],
        "step_1": [None, 0.7, None],
        "step_2": [None, -0.7, None],
    }
    book = ordered_item_booklet(items)
    assert book["page"].to_list() == [1, 2, 3, 4]
    assert (np.diff(book["location"].to_numpy()) > 0).all()
    two = response_probability_location(1.0, -0.5, probability=2 / 3)
    assert book.filter(pl.col("item") == "a")["location"].item() == pytest.approx(two, abs=1e-9)
    found = bookmark({"judge": ["J1", "J2", "J3"], "page": [2, 2, 3]}, items)
    assert found.cuts["cut"].item() == pytest.approx(book["location"][1])
    assert bookmark({"judge": ["J1", "J2"], "page": [2, 2]}, booklet=book).cuts[
        "cut"
    ].item() == pytest.approx(book["location"][1])


def test_locations_reach_their_probability_for_several_points() -> None:
    cal = Calibration.from_items(
        {"item": ["q"], "slope": [0.9], "difficulty": [0.3], "step_1": [0.8], "step_2": [-0.8]}
    )
    book = ordered_item_booklet(cal, 0.62)
    for row in book.rows(named=True):
        theta = row["location"]
        raised = np.exp(np.concatenate([[0.0], np.cumsum([0.9 * (theta - 0.3 + d) for d in (0.8, -0.8)])]))
        chance = raised / raised.sum()
        assert chance[row["score"] :].sum() == pytest.approx(0.62, abs=1e-9)


def test_the_map_names_levels() -> None:
    found = item_map(ITEMS, {"1": 420.0, "2": 520.0}, slope=100.0, intercept=500.0)
    assert found["scale"].to_list() == sorted(found["scale"].to_list(), reverse=True)
    for row in found.rows(named=True):
        level = "2" if row["scale"] >= 520 else ("1" if row["scale"] >= 420 else None)
        assert row["proficiency_level"] == level


def test_levels_must_rise() -> None:
    table = pl.DataFrame(
        {
            "judge": ["J1", "J1", "J2", "J2"],
            "level": ["basic", "advanced"] * 2,
            "location": [0.0, 1.0, 0.2, 1.4],
        }
    )
    found = bookmark(table)
    assert found.cuts["level"].to_list() == ["basic", "advanced"]
    crossed = table.with_columns(location=pl.Series([0.0, 1.0, 0.6, 0.5]))
    with pytest.raises(EstimationError, match=r"1 judges placed a higher level before a lower one. See: J2"):
        bookmark(crossed)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (judgments().head(11), "rated 3 of 4 items for 'cut' in round 1. See: d."),
        (pl.concat([judgments(), judgments().head(1)]), "rated the item 'a' more than once"),
        (judgments().with_columns(rating=pl.col("rating") * 100), "must lie between 0 and its highest score"),
        (judgments({"J1": RATINGS["J1"]}), "needs at least two judges"),
        (
            judgments().with_columns(item=pl.col("item").replace("a", "z")),
            "1 items have no parameters. See: z",
        ),
        (judgments().with_columns(round=pl.lit(0)), "whole numbers from 1. Got 0"),
        (judgments().with_columns(rating=pl.lit(1.0)), "lies outside what the test can tell"),
        (judgments().head(0), "hold no entry"),
    ],
)
def test_what_angoff_refuses(table: pl.DataFrame, sentence: str) -> None:
    with pytest.raises(LsakitError) as refusal:
        angoff(table, ITEMS)
    assert sentence in str(refusal.value)


@pytest.mark.parametrize(
    ("placed", "options", "sentence"),
    [
        ({"judge": ["J1", "J2"], "page": [2, 9]}, {"items": ITEMS}, "The page 9 is not in the ordered item"),
        ({"judge": ["J1", "J2"], "page": [2, 3]}, {}, "need the item parameters"),
        ({"judge": ["J1", "J1"], "location": [0.1, 0.2]}, {}, "placed more than one bookmark"),
        (
            {
                "judge": ["J1", "J1", "J2"],
                "round": [1, 2, 2],
                "panel": ["x", "y", "x"],
                "location": [0.1] * 3,
            },
            {},
            "1 judges sit on more than one panel. See: J1",
        ),
        ({"judge": ["J1", "J2"], "location": [0.1, 0.2]}, {"probability": 1.2}, "no ability that masters it"),
    ],
)
def test_what_bookmark_refuses(placed: dict[str, Any], options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(EstimationError) as refusal:
        bookmark(placed, **options)
    assert sentence in str(refusal.value)


def test_an_item_without_slope_has_no_place() -> None:
    with pytest.raises(EstimationError, match="1 score points are never mastered"):
        ordered_item_booklet({"item": ["a", "b"], "slope": [1.0, -0.5], "difficulty": [0.0, 0.0]})
    with pytest.raises(EstimationError, match="begin at the same point"):
        item_map(ITEMS, {"1": 400, "2": 400})
