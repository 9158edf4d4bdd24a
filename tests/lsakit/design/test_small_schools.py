"""Small schools: classes, measures of size, numbers by class, pseudo-schools."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from lsakit.design.options import Design
from lsakit.design.pps import draw_schools
from lsakit.design.pseudo_schools import distance_km, join_small_schools
from lsakit.design.small_schools import (
    equal_small_sizes,
    plan_small_schools,
    size_classes,
    small_school_counts,
    undersampled_sizes,
    with_size_classes,
)
from lsakit.errors import DesignError


@pytest.mark.parametrize(
    ("n_students", "shares", "means", "inflation", "exact", "counts"),
    [
        (35, (0.8, 0.1, 0.05, 0.05), (25, 12, 1.5), 1.0625, (127.5, 22.31, 11.62, 46.48), (128, 23, 12, 47)),
        (42, (0.88, 0.08, 0.03, 0.01), (30, 14, 1.5), 1.0225, (134.97, 17.18, 6.90, 10.74), (135, 18, 7, 11)),
    ],
)
def test_tv_1_7_schools_by_class_of_size(
    n_students: int,
    shares: tuple[float, ...],
    means: tuple[float, ...],
    inflation: float,
    exact: Any,
    counts: Any,
) -> None:
    names = ("large", "moderately_small", "very_small_2", "very_small_1")
    found = small_school_counts(
        dict(zip(names, shares, strict=True)), dict(zip(names[1:], means, strict=True)), n_students=n_students
    )
    assert found.inflation == pytest.approx(inflation, abs=1e-15)
    assert found.table["exact"].to_list() == pytest.approx(list(exact), abs=5.1e-3)
    assert tuple(found.counts.values()) == counts
    assert found.table["measure_of_size"].to_list() == [None, n_students, n_students / 2, n_students / 4]
    assert found.needs_strata


def test_a_plan_from_a_frame_has_its_shares_and_means() -> None:
    size = [100] * 80 + [25] * 40 + [12] * 30 + [1] * 20
    found = plan_small_schools(size, n_schools=20, n_students=35)
    assert found.table.select("size_class", "n_frame").rows() == [
        ("large", 80),
        ("moderately_small", 40),
        ("very_small_2", 30),
        ("very_small_1", 20),
    ]
    assert found.table["share"].sum() == pytest.approx(1)
    assert found.table["mean_size"].to_list() == [100, 25, 12, 1]
    only_large = plan_small_schools([100] * 80, n_schools=20, n_students=35)
    assert only_large.counts == {"large": 20}
    assert not only_large.needs_strata
    with pytest.raises(DesignError, match=r"asks for 150 schools of class 'large'. The frame has 80"):
        plan_small_schools([100] * 80, n_students=35)
    with pytest.raises(DesignError, match="'sizes' of schools"):
        plan_small_schools([100, -1], n_students=35)
    with pytest.raises(DesignError, match=r"add up to 0.9"):
        small_school_counts({"large": 0.9}, {}, n_students=35)
    with pytest.raises(DesignError, match="mean size for the class 'very_small_1'"):
        small_school_counts({"large": 0.9, "very_small_1": 0.1}, {}, n_students=35)


def test_limits_of_the_classes() -> None:
    assert size_classes([36, 35, 34, 17.5, 17, 3, 2, 0], 35).tolist() == [
        *["large"] * 2,
        *["moderately_small"] * 2,
        *["very_small_2"] * 2,
        *["very_small_1"] * 2,
    ]
    assert undersampled_sizes([50, 34, 17, 2, 0], 35).tolist() == [50, 35, 17.5, 8.75, 8.75]


def test_equal_sizes_keep_the_total_of_each_stratum() -> None:
    size, strata = np.asarray([100, 10, 20, 40, 5, 6]), np.asarray([0, 0, 0, 1, 1, 1])
    found = equal_small_sizes(size, 30, strata)
    assert found.tolist() == [100, 15, 15, 40, 5.5, 5.5]
    for one in (0, 1):
        assert found[strata == one].sum() == size[strata == one].sum()


FRAME: dict[str, Any] = {
    "school_id": [f"S{row:02d}" for row in range(12)],
    "region": ["N"] * 6 + ["S"] * 6,
    "enrolment": [90, 80, 40, 20, 10, 2, 70, 60, 50, 18, 12, 1],
}


def test_the_iea_rule_gives_small_schools_one_probability() -> None:
    plan = Design(explicit=["region"], n_schools={"N": 2, "S": 2}, n_students=30, small_schools="equal")
    drawn = draw_schools(FRAME, plan, rng=1)
    chance = dict(drawn.frame.select("school_id", "probability").iter_rows())
    assert chance["S03"] == chance["S04"] == chance["S05"] == pytest.approx(2 * (32 / 3) / 242)
    assert chance["S09"] == chance["S11"] != chance["S03"]
    assert "as a small school it counts with 10.6667, the average" in drawn.explain("S04")


def test_the_pisa_rule_undersamples_the_smallest_in_their_own_strata() -> None:
    frame = with_size_classes(FRAME, n_students=30)
    counts = dict(frame["size_class"].value_counts().iter_rows())
    plan = Design(
        explicit=["size_class"],
        n_schools={name: max(1, count // 2) for name, count in counts.items()},
        n_students=30,
        small_schools="undersample",
    )
    drawn = draw_schools(frame, plan, rng=1)
    small = drawn.frame.filter(drawn.frame["stratum"] == "very_small_2")
    assert small["measure_of_size"].unique().to_list() == [15]
    assert small["probability"].unique().to_list() == [0.5]
    assert "the size of its class for a target of 30 students" in drawn.explain(small["school_id"][0])


def test_a_size_of_zero_still_needs_leave() -> None:
    frame = {**FRAME, "enrolment": [0, *FRAME["enrolment"][1:]]}
    with pytest.raises(DesignError, match=r"Got 0 in 1 of 12.*S00"):
        draw_schools(frame, Design(n_schools=3, n_students=30, small_schools="undersample"), rng=1)
    plan = Design(n_schools=3, n_students=30, small_schools="undersample", zero_size="floor")
    assert draw_schools(frame, plan, rng=1).frame["measure_of_size"].min() == 7.5


def test_very_small_schools_are_joined_with_the_nearest_of_their_commune() -> None:
    frame = {
        "school_id": list("ABCDEF"),
        "commune_code": ["1", "1", "1", "2", "2", "3"],
        "enrolment": [40, 4, 3, 2, 3, 1],
        "latitude": [21.0, 21.1, 21.11, 10.0, 10.0, 15.0],
        "longitude": [105.0, 105.0, 105.0, 106.0, 106.1, 108.0],
    }
    found = join_small_schools(frame)
    assert found.frame.select("school_id", "enrolment").rows() == [("A", 40), ("B", 7), ("E", 5), ("F", 1)]
    assert found.members.select("school_id", "member_id", "size").rows() == [
        ("B", "B", 4.0),
        ("B", "C", 3.0),
        ("E", "E", 3.0),
        ("E", "D", 2.0),
    ]
    assert found.members["distance_km"].to_list() == pytest.approx([0, 1.112, 0, 10.951], abs=5e-4)
    assert found.alone == ("E", "F")
    turned = pl.DataFrame(frame).reverse()
    assert join_small_schools(turned).members.equals(found.members)
    assert sum(found.frame["enrolment"]) == sum(frame["enrolment"])


def test_a_school_without_coordinates_is_named_when_they_are_needed() -> None:
    frame = {
        "school_id": ["A", "B"],
        "commune_code": ["1", "1"],
        "enrolment": [40, 4],
        "latitude": [21.0, None],
        "longitude": [105.0, None],
    }
    with pytest.raises(DesignError, match=r"no coordinates.*'B'.*See: B"):
        join_small_schools(frame)
    assert join_small_schools({**frame, "enrolment": [40, 6]}).frame.height == 2


def test_distances_on_the_globe() -> None:
    """A quarter of the equator and a pole: exact on a sphere of the mean radius."""
    quarter = 6371.0088 * np.pi / 2
    assert distance_km(0, 0, np.asarray([[0, 90], [90, 17]])).tolist() == pytest.approx(
        [quarter] * 2, rel=1e-12
    )
