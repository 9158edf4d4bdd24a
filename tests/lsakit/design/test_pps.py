"""The school draw from frame to sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from lsakit.design.options import Design
from lsakit.design.pps import draw_schools
from lsakit.errors import DesignError, TableError, UnknownColumnError


def frame_of(n: int = 120, seed: int = 3) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "school_id": [f"S{row:04d}" for row in range(n)],
        "region": rng.choice(["North", "South"], n).tolist(),
        "sector": rng.choice(["private", "public"], n).tolist(),
        "area": rng.choice(["rural", "urban"], n).tolist(),
        "enrolment": rng.integers(20, 200, n).tolist(),
    }


PLAN = Design(
    explicit=["region"],
    implicit=["sector", "area"],
    measure_of_size="enrolment",
    n_schools={"North": 7, "South": 9},
    n_students=35,
)


def test_the_sample_has_what_was_asked() -> None:
    drawn = draw_schools(frame_of(), PLAN, rng=np.random.default_rng(2026))
    table = drawn.table
    assert table.columns[:6] == [
        "school_id",
        "stratum",
        "probability",
        "base_weight",
        "replacement_1",
        "replacement_2",
    ]
    assert table.group_by("stratum").len().sort("stratum").rows() == [("North", 7), ("South", 9)]
    assert table["selection_order"].to_list() == list(range(1, 17))
    np.testing.assert_allclose(table["probability"] * table["base_weight"], 1, rtol=1e-15)
    frame = drawn.frame
    assert frame.height == 120
    for stratum, asked in (("North", 7), ("South", 9)):
        inside = frame.filter(frame["stratum"] == stratum)
        assert inside["probability"].sum() == pytest.approx(asked, abs=1e-12)


def test_the_measure_of_size_has_its_floor() -> None:
    drawn = draw_schools(frame_of(), PLAN, rng=1)
    assert drawn.frame["measure_of_size"].min() == 35
    assert draw_schools(frame_of(), Design(n_schools=9, n_students=35, size_floor=0), rng=1).frame[
        "measure_of_size"
    ].min() == min(frame_of()["enrolment"])


def test_a_seed_repeats_the_draw_and_the_order_of_rows_does_not_matter() -> None:
    frame = frame_of()
    drawn = draw_schools(frame, PLAN, rng=np.random.default_rng(5))
    assert draw_schools(frame, PLAN, rng=drawn.seed).table.equals(drawn.table)
    turned = {name: column[::-1] for name, column in frame.items()}
    assert draw_schools(pd.DataFrame(turned), PLAN, rng=drawn.seed).table.equals(drawn.table)
    assert not draw_schools(frame, PLAN, rng=drawn.seed + 1).table.equals(drawn.table)


def test_a_stratum_does_not_depend_on_another() -> None:
    frame = frame_of()
    both = draw_schools(frame, PLAN, rng=5).table
    rows = [row for row, region in enumerate(frame["region"]) if region == "South"]
    south = {name: [column[row] for row in rows] for name, column in frame.items()}
    alone = draw_schools(
        south, Design(explicit=["region"], implicit=["sector", "area"], n_schools=9, n_students=35), rng=5
    )
    assert (
        alone.table["school_id"].to_list() == both.filter(both["stratum"] == "South")["school_id"].to_list()
    )


def test_replacements_are_unique_unsampled_and_of_the_same_stratum() -> None:
    drawn = draw_schools(frame_of(), PLAN, rng=8)
    stratum = dict(
        zip(*drawn.frame.select("school_id", "stratum").to_dict(as_series=False).values(), strict=True)
    )
    names = [
        (original, replacement)
        for column in ("replacement_1", "replacement_2")
        for original, replacement in zip(drawn.table["school_id"], drawn.table[column], strict=True)
        if replacement is not None
    ]
    replacements = [replacement for _, replacement in names]
    assert len(set(replacements)) == len(replacements) > 20
    assert not set(replacements) & set(drawn.table["school_id"])
    assert all(stratum[original] == stratum[replacement] for original, replacement in names)


def test_a_whole_number_is_allocated_with_two_in_each_stratum() -> None:
    frame = frame_of()
    frame["region"] = ["Tiny" if row < 4 else "Large" for row in range(120)]
    drawn = draw_schools(frame, Design(explicit=["region"], n_schools=20, n_students=10), rng=1)
    assert drawn.strata.select("stratum", "n_schools").rows() == [("Large", 18), ("Tiny", 2)]


def test_two_explicit_columns_take_tuples() -> None:
    frame = frame_of()
    counts = {(region, area): 3 for region in ("North", "South") for area in ("rural", "urban")}
    drawn = draw_schools(frame, Design(explicit=["region", "area"], n_schools=counts, n_students=10), rng=1)
    assert drawn.strata["stratum"].to_list() == [
        "North / rural",
        "North / urban",
        "South / rural",
        "South / urban",
    ]


def test_explain_tells_how_a_probability_came_about() -> None:
    frame = {"school_id": list("ABCDEFGH"), "enrolment": [900, 210, 180, 150, 140, 120, 110, 20]}
    drawn = draw_schools(frame, Design(n_schools=3, n_students=30), rng=4)
    sampled = drawn.table["school_id"].to_list()
    large = drawn.explain("A")
    assert "as large as the sampling interval" in large
    assert "base weight 1 / 1 = 1" in large
    assert "raised to the smallest measure of size, 30" in drawn.explain("H")
    other = next(school for school in sampled if school != "A")
    text = drawn.explain(other)
    assert "the sampling interval after 1 schools with certainty were set apart is 470" in text
    assert "put a selection number on it" in text
    behind = drawn.table.row(sampled.index(other), named=True)["replacement_1"]
    assert f"first replacement of {other}" in drawn.explain(behind)
    with pytest.raises(DesignError, match="no school 'Z'"):
        drawn.explain("Z")


def without(frame: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in frame.items() if key != name}


def test_bad_frames_are_refused_with_the_school() -> None:
    frame = frame_of(6)
    plan = Design(n_schools=2, n_students=10)
    with pytest.raises(TableError, match=r"must be unique.*S0000"):
        draw_schools({**frame, "school_id": ["S0000", *frame["school_id"][:5]]}, plan, rng=1)
    with pytest.raises(
        DesignError, match=r"'enrolment' column of the frame must be positive. Got 0 in 1 of 6.*S0002"
    ):
        draw_schools({**frame, "enrolment": [9, 8, 0, 7, 6, 5]}, plan, rng=1)
    with pytest.raises(TableError, match=r"'enrolment'.*no missing values.*row 3"):
        draw_schools({**frame, "enrolment": [9, 8, None, 7, 6, 5]}, plan, rng=1)
    with pytest.raises(TableError, match=r"'enrolment'.*must be numeric.*'many'"):
        draw_schools({**frame, "enrolment": ["9", "8", "many", "7", "6", "5"]}, plan, rng=1)
    with pytest.raises(UnknownColumnError, match="no column 'enrolment'"):
        draw_schools(without(frame, "enrolment"), plan, rng=1)
    with pytest.raises(UnknownColumnError, match="no column 'district'"):
        draw_schools(frame, Design(explicit=["district"], n_schools=2, n_students=10), rng=1)


def test_a_zero_may_be_raised_to_the_floor() -> None:
    frame = {**frame_of(6), "enrolment": [90, 80, 0, 70, 60, 50]}
    drawn = draw_schools(frame, Design(n_schools=2, n_students=10, zero_size="floor"), rng=1)
    assert drawn.frame["probability"].min() == pytest.approx(2 * 10 / 360)


def test_plans_that_do_not_fit_are_refused() -> None:
    frame = frame_of()
    with pytest.raises(DesignError, match=r"asks stratum 'North' for 500 schools.*The frame has"):
        draw_schools(
            frame, Design(explicit=["region"], n_schools={"North": 500, "South": 3}, n_students=9), rng=1
        )
    with pytest.raises(DesignError, match=r"says nothing of 'South'"):
        draw_schools(frame, Design(explicit=["region"], n_schools={"North": 5}, n_students=9), rng=1)
    with pytest.raises(DesignError, match=r"no stratum of the frame for 'Centre'"):
        draw_schools(
            frame,
            Design(explicit=["region"], n_schools={"North": 5, "South": 5, "Centre": 5}, n_students=9),
            rng=1,
        )
    with pytest.raises(DesignError, match=r"two schools in each stratum make 4"):
        draw_schools(frame, Design(explicit=["region"], n_schools=3, n_students=9), rng=1)
    with pytest.raises(DesignError, match="'rng' parameter"):
        draw_schools(frame, PLAN, rng="2026")  # type: ignore[arg-type]


def test_design_refuses_what_cannot_be_drawn() -> None:
    for wrong, words in (
        ({"n_schools": 0}, "'n_schools'"),
        ({"n_schools": {"North": 0}}, "North: 0"),
        ({"n_schools": 2.5}, "'n_schools'"),
        ({"n_students": 0}, "'n_students'"),
        ({"explicit": "region"}, r"explicit=\['region'\]"),
        ({"implicit": ["a", "a"]}, "names a column twice"),
        ({"explicit": ["a"], "implicit": ["a"]}, "not explicit as well"),
        ({"certainty": "maybe"}, "'certainty'"),
        ({"n_replacements": 3}, "0, 1 or 2"),
        ({"size_floor": -1.0}, "'size_floor'"),
    ):
        with pytest.raises(DesignError, match=words):
            Design(**{"n_schools": 2, "n_students": 10, **wrong})
