"""Classical analysis: TV-4.1 by name, hand-computed booklets, flags, and what is refused."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from lsakit.errors import CalibrationError, ResponseError
from lsakit.irt.classical import classical
from lsakit.irt.option_analysis import Chosen, option_statistics

MATRIX = ["11110", "11100", "11000", "10100", "11111", "00000", "10000", "11110"]


def scores() -> pl.DataFrame:
    """The 8 x 5 matrix of TV-4.1."""
    return pl.DataFrame({f"i{j}": [int(row[j]) for row in MATRIX] for j in range(5)})


def test_tv_4_1_options() -> None:
    chosen = Chosen(
        options=("A", "B", "C", "D"),
        choice=np.array(["ABCD".index(one) for one in "BBBACBDBAC"]),
        rest=np.array([9.0, 8, 8, 6, 5, 7, 3, 6, 4, 2]),
        weight=np.ones(10),
        booklet=np.zeros(10, dtype=np.int64),
    )
    found = option_statistics(chosen)
    assert found["share"] == pytest.approx([0.2, 0.5, 0.2, 0.1])
    assert found["point_biserial"] == pytest.approx([-0.1833, 0.8250287, -0.5271, -0.4278], abs=5e-5)
    assert found["rest_mean"] == pytest.approx([5.0, 7.6, 3.5, 3.0])


def test_tv_4_1_biserial_exceeds_one() -> None:
    # The same item inside a test: the rest scores of the vector as a second item of ten points.
    data = {"q": list("BBBACBDBAC"), "rest": [9, 8, 8, 6, 5, 7, 3, 6, 4, 2]}
    row = classical(data, keys={"q": "B"}).items.row(0, named=True)
    assert row["facility"] == 0.5
    assert row["item_rest"] == pytest.approx(0.8250287, abs=1e-7)
    assert row["biserial"] == pytest.approx(1.0340, abs=5e-5)


def test_tv_4_1_alpha() -> None:
    found = classical(scores())
    assert found.alpha == pytest.approx(0.7861635, abs=1e-7)
    assert found.consistency.alpha_kind == "complete"
    assert found.median_alpha is None  # eight students are too few for a booklet


def test_item_rest_is_the_correlation_with_the_other_items() -> None:
    data = scores()
    matrix = data.to_numpy()
    found = classical(data).items
    for place in range(5):
        rest = matrix.sum(axis=1) - matrix[:, place]
        assert found["item_rest"][place] == pytest.approx(np.corrcoef(matrix[:, place], rest)[0, 1])
        assert found["item_total"][place] > found["item_rest"][place]


def test_booklets_are_compared_within_themselves() -> None:
    # Two booklets that share nobody's difficulty: pooled over booklets the rest percentages would mislead.
    rng = np.random.default_rng(4)
    theta = rng.normal(size=800)
    hard = np.repeat([0, 1], 400)
    columns: dict[str, list[int | None]] = {}
    for j in range(6):
        shift = 1.5 if j >= 3 else -1.5
        answers = (theta + rng.logistic(size=800) > shift).astype(int)
        given = (hard == (j >= 3)) | (j in (0, 3))
        columns[f"i{j}"] = [int(a) if g else None for a, g in zip(answers, given, strict=True)]
    found = classical(columns)
    assert found.rest_unit == "percent"
    assert found.n_booklets == 2
    # Hand computation for an item given in one booklet only is the plain correlation there.
    rows = np.array([value is not None for value in columns["i1"]])
    part = np.array([[columns[f"i{j}"][row] for j in (0, 1, 2, 3)] for row in np.flatnonzero(rows)], float)
    rest = part[:, [0, 2, 3]].sum(axis=1)
    assert found.items["item_rest"][1] == pytest.approx(np.corrcoef(part[:, 1], rest)[0, 1])
    assert found.alpha is None  # items 1 and 4 were given to nobody together
    assert "nobody together" in (found.consistency.undefined_because or "")
    assert found.booklets.select("n", "n_items").rows() == [(400, 4), (400, 4)]
    spread, total = part.var(axis=0).sum(), part.sum(axis=1).var()
    assert found.booklets["alpha"].to_list()[0] == pytest.approx(
        4 / 3 * (1 - spread / total)
    ) or found.booklets["alpha"].to_list()[1] == pytest.approx(4 / 3 * (1 - spread / total))
    assert found.median_alpha == pytest.approx(np.mean(found.booklets["alpha"].to_list()))


def test_pairwise_alpha_is_the_same_number_on_complete_data() -> None:
    data = scores()
    holes = pl.concat([data, data]).with_columns(pl.col("i0").cast(pl.Int64))
    assert classical(holes).alpha == pytest.approx(classical(data).alpha)


def test_weights_act_as_copies() -> None:
    data = scores()
    doubled = pl.concat([data, data.head(3)])
    weighted = classical(data.with_columns(w=pl.Series([2.0] * 3 + [1.0] * 5)), weights="w")
    plain = classical(doubled)
    for name in ("facility", "item_rest", "item_total", "biserial"):
        assert weighted.items[name].to_numpy() == pytest.approx(plain.items[name].to_numpy())
    assert weighted.alpha == pytest.approx(plain.alpha)


def test_flags_of_a_wrong_key() -> None:
    rng = np.random.default_rng(1)
    theta = rng.normal(size=2000)
    data = {f"i{j}": (theta + rng.logistic(size=2000) > 0.0).astype(int) for j in range(10)}
    right = theta + rng.logistic(size=2000) > 0.0
    data["mc"] = np.where(right, "A", np.array(["B", "C", "D"])[rng.integers(0, 3, 2000)])
    assert classical(data, keys={"mc": "A"}).items.row(-1, named=True)["flags"] == ""
    wrong = classical(data, keys={"mc": "B"}).items.row(-1, named=True)["flags"].split(",")
    assert {"drop_candidate", "distractor_positive", "key_not_modal"} <= set(wrong)


def test_missing_codes_of_keyed_items() -> None:
    data = {"mc": [1, 99, 96, None, 2, 98], "b": [1, 0, 1, 0, 1, 0]}
    row = classical(data, keys={"mc": 1}).items.row(0, named=True)
    assert row["n"] == 4  # not reached and not administered leave the denominator
    assert row["facility"] == 0.25
    assert row["omitted_rate"] == pytest.approx(1 / 5)
    assert row["not_reached_rate"] == pytest.approx(1 / 5)
    assert "missing" in row["flags"]


def test_an_item_that_everybody_solved_says_so() -> None:
    found = classical({"a": [1, 1, 1], "b": [0, 1, 1], "c": [1, 0, 1]}).items.row(0, named=True)
    assert found["item_rest"] is None
    assert found["undefined_because"] == "every score of the item is the same"
    assert "too_easy" in found["flags"]


@pytest.mark.parametrize(
    ("responses", "keys", "error", "sentence"),
    [
        ({"a": [1, 0]}, None, CalibrationError, "at least two items. Got 1"),
        ({"a": [1, 0], "b": [None, None]}, None, CalibrationError, "1 items have no response. See: b"),
        ({"a": ["A", "B"], "b": [1, 0]}, {"x": "A"}, ResponseError, "1 keys belong to no item"),
        (
            {"a": ["A", "E"], "b": [1, 0]},
            {"item": ["a"], "key": ["A"], "options": ["A B C D"]},
            ResponseError,
            "hold the code 'E', which is none of its options A, B, C, D. See: row 2.",
        ),
        (
            {"a": ["A", "B"], "b": [1, 0]},
            {"item": ["a"], "key": ["F"], "options": ["A B C D"]},
            ResponseError,
            "The key 'F' of the item 'a' is not among its options",
        ),
        ({"a": [1, -1], "b": [1, 0]}, None, ResponseError, "whole numbers from 0"),
    ],
)
def test_what_is_refused(responses: dict, keys: dict | None, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error) as refusal:
        classical(responses, keys=keys)
    assert sentence in str(refusal.value)
