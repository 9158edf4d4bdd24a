"""How far judges lie apart on an item: by hand, alone, and what is refused."""

from __future__ import annotations

import polars as pl
import pytest

from lsakit.errors import LsakitError
from lsakit.population.rating_spread import rating_spread

ROWS = [
    ("J1", 1, "low", "a", 0.2), ("J2", 1, "low", "a", 0.6), ("J3", 1, "low", "a", 0.7),
    ("J1", 2, "low", "a", 0.5), ("J1", 2, "low", "b", 1.5), ("J2", 2, "low", "b", 0.5),
]  # fmt: skip
TABLE = pl.DataFrame(ROWS, schema=["judge", "round", "level", "item", "rating"], orient="row")


def test_spread_by_hand() -> None:
    first = rating_spread(TABLE).row(0, named=True)
    assert (first["round"], first["level"], first["item"], first["n_judges"]) == (1, "low", "a", 3)
    assert first["mean"] == pytest.approx(0.5)
    assert first["median"] == pytest.approx(0.6)
    assert first["sd"] == pytest.approx((0.07) ** 0.5)  # ((.3² + .1² + .2²) / 2)
    assert (first["minimum"], first["maximum"]) == (0.2, 0.7)


def test_one_judge_has_no_spread() -> None:
    alone = rating_spread(TABLE).filter((pl.col("round") == 2) & (pl.col("item") == "a"))
    assert alone["sd"].item() is None
    assert alone["mean"].item() == 0.5


def test_judges_in_another_order_give_the_same_numbers() -> None:
    keys = ["round", "level", "item"]
    there, back = rating_spread(TABLE).sort(keys), rating_spread(TABLE.reverse()).sort(keys)
    for name in ("mean", "sd", "median", "minimum", "maximum"):
        assert back[name].fill_null(-1.0).to_list() == pytest.approx(
            there[name].fill_null(-1.0).to_list(),
            rel=1e-14,  # sums in another order
        ), name


@pytest.mark.parametrize("wrong", [-0.1, float("nan")])
def test_a_rating_below_zero_or_missing_is_refused_with_its_row(wrong: float) -> None:
    with pytest.raises(LsakitError, match="row 2"):
        rating_spread({"judge": ["J1", "J2"], "item": ["a", "a"], "rating": [0.5, wrong]})
